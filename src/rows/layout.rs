//! Where the rows of a function lie in memory.

use core::num::NonZeroUsize;

use crate::describe::error::ParameterError;
use crate::pass::Pieces;

/// Where the rows of a function lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    /// `None` if the whole slice is one row.
    pub(crate) len: Option<NonZeroUsize>,
    /// The distance of a row's elements, which is also the number of rows that lie side by side; `None` if they are adjacent.
    inner: Option<NonZeroUsize>,
}

impl Layout {
    pub(crate) fn rows(function: &'static str, len: usize) -> Result<Self, ParameterError> {
        match NonZeroUsize::new(len) {
            None => Err(ParameterError::new(function, "rows", 0.0, "at least 1")),
            len => Ok(Self { len, inner: None }),
        }
    }

    pub(crate) fn axis(function: &'static str, len: usize, inner: usize) -> Result<Self, ParameterError> {
        let error = |parameter, given, allowed| Err(ParameterError::new(function, parameter, given as f64, allowed));
        match (NonZeroUsize::new(len), NonZeroUsize::new(inner)) {
            (None, _) => error("len", len, "at least 1"),
            (_, None) => error("inner", inner, "at least 1"),
            _ if len.checked_mul(inner).is_none() => error("inner", inner, "less: a slice cannot be so long"),
            (len, inner) => Ok(Self { len, inner: inner.filter(|inner| inner.get() > 1) }),
        }
    }

    /// The length of a row in slices of `len` elements.
    pub(crate) fn row_len(self, len: usize) -> usize {
        self.len.map_or(len, NonZeroUsize::get).max(1)
    }

    pub(crate) fn inner(self) -> usize {
        self.inner.map_or(1, NonZeroUsize::get)
    }

    /// The number of elements of the rows that lie side by side. It divides the length of a slice.
    pub(crate) fn unit(self) -> Option<usize> {
        self.len.map(|len| len.get() * self.inner())
    }

    pub(crate) fn pieces(self) -> Pieces {
        Pieces::of(self.unit())
    }
}

/// Transposes a matrix of `height` rows, which are `stride` apart, into a matrix whose rows are `stride_to` apart.
pub(crate) fn transpose<T: Copy, U: Copy>(
    from: &[T],
    stride: usize,
    to: &mut [U],
    stride_to: usize,
    (height, width): (usize, usize),
    convert: impl Fn(T) -> U,
) {
    /// Squares of this side are read by rows and written by rows.
    const SIDE: usize = 8;
    for i in (0..height).step_by(SIDE) {
        for j in (0..width).step_by(SIDE) {
            if height - i >= SIDE && width - j >= SIDE {
                let mut square = [[from[0]; SIDE]; SIDE];
                for (k, row) in square.iter_mut().enumerate() {
                    row.copy_from_slice(&from[(i + k) * stride + j..][..SIDE]);
                }
                for k in 0..SIDE {
                    for (to, row) in to[(j + k) * stride_to + i..][..SIDE].iter_mut().zip(&square) {
                        *to = convert(row[k]);
                    }
                }
            } else {
                for i in i..height.min(i + SIDE) {
                    for j in j..width.min(j + SIDE) {
                        to[j * stride_to + i] = convert(from[i * stride + j]);
                    }
                }
            }
        }
    }
}

/// Gives a function of rows its constructor.
macro_rules! rows_of_length {
    ($name:ident) => {
        impl $name {
            /// Makes a row of each `len` elements.
            ///
            /// The methods panic if the length of a slice is not a multiple of `len`.
            ///
            /// # Errors
            /// If `len` is 0.
            pub fn rows(len: usize) -> Result<Self, $crate::describe::error::ParameterError> {
                let name = <Self as $crate::describe::card::Described>::CARD.name;
                $crate::rows::layout::Layout::rows(name, len).map(|layout| Self { layout })
            }
        }
    };
}
pub(crate) use rows_of_length;

/// Gives a function that has [`rows_of_length`] a constructor for rows along another axis.
macro_rules! rows_along_axis {
    ($name:ident) => {
        impl $name {
            /// Rows along an axis that is not the last: each has `len` elements, `inner` apart.
            ///
            /// The data is `outer x len x inner`: a tensor whose axes after this one have `inner` elements together. The
            /// methods panic if the length of a slice is not a multiple of `len * inner`. A row gives the same bits as if its
            /// elements were adjacent.
            ///
            /// # Errors
            /// If `len` or `inner` is 0, or their product is greater than any slice's length.
            pub fn axis(len: usize, inner: usize) -> Result<Self, $crate::describe::error::ParameterError> {
                let name = <Self as $crate::describe::card::Described>::CARD.name;
                $crate::rows::layout::Layout::axis(name, len, inner).map(|layout| Self { layout })
            }
        }
    };
}
pub(crate) use rows_along_axis;
