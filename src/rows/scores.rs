//! Where the rows of a function lie in memory, and what is done to their elements, the scores, before: scaled, biased,
//! masked.
//!
//! Both stand around the loops of [`rows`](crate::rows::engine), which only know rows of adjacent elements: the scores are made in
//! the output, and rows along another axis are gathered, some thousand elements at a time, so that they stay in the
//! cache.

use core::marker::PhantomData;
use core::num::NonZeroUsize;

use crate::describe::card::Described;
use crate::describe::error::ParameterError;
use crate::kernel::element::{Float, Lane};
use crate::kernel::level::{Level, Task, dispatch};
use crate::pass::Pass;
use crate::rows::engine::{RowFormula, Rows};

/// Elements that are prepared, or gathered, at a time.
const TILE: usize = 1 << 13;

/// The same for slices that are no longer than this: there is less to clear.
const SMALL_TILE: usize = 1 << 10;

/// Where the rows of a function lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    /// `None`: the whole slice is one row.
    len: Option<NonZeroUsize>,
    /// How far apart the elements of a row are, which is how many rows lie side by side; `None`: adjacent.
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
            _ if inner > 1 && len > TILE => error("len", len, "at most 8192, if the elements are not adjacent"),
            _ if len.checked_mul(inner).is_none() => error("inner", inner, "less: a slice cannot be so long"),
            (len, inner) => Ok(Self { len, inner: inner.filter(|inner| inner.get() > 1) }),
        }
    }

    fn inner(self) -> usize {
        self.inner.map_or(1, NonZeroUsize::get)
    }

    /// The length of what rows divide a slice into: the rows that lie side by side.
    pub(crate) fn unit(self) -> Option<usize> {
        self.len.map(|len| len.get() * self.inner())
    }

    /// Runs a pass of a function that has these formulas for its values, its Jacobian's diagonal, and the product of
    /// the transposed Jacobian with a gradient.
    #[inline(always)]
    pub(crate) fn run<T: Float>(
        self,
        level: Level,
        terms: &Terms<'_, T>,
        pass: Pass<'_, T>,
        value: impl RowFormula,
        diagonal: impl RowFormula,
        gradient: impl RowFormula,
    ) {
        // A loop for each formula, not for each pass: they are long.
        let (mut of_value, mut of_diagonal, mut of_gradient) = (None, None, None);
        match pass {
            Pass::Forward { x, y } => of_value = Some((Some(x), y)),
            Pass::ForwardInPlace { x } => of_value = Some((None, x)),
            Pass::Derivative { x, dydx } => of_diagonal = Some((x, dydx)),
            Pass::ForwardWithDerivative { x, y, dydx } => {
                (of_value, of_diagonal) = (Some((Some(x), y)), Some((x, dydx)));
            }
            Pass::Backward { x, grad_y, grad_x } => of_gradient = Some((x, grad_y, grad_x)),
        }
        if let Some((x, y)) = of_value {
            self.run_formula(level, terms, Stage::Value, value, x, None, y);
        }
        if let Some((x, y)) = of_diagonal {
            self.run_formula(level, terms, Stage::Slope, diagonal, Some(x), None, y);
        }
        if let Some((x, grad_y, y)) = of_gradient {
            self.run_formula(level, terms, Stage::Slope, gradient, Some(x), Some(grad_y), y);
        }
    }

    /// Runs one formula.
    #[inline(always)]
    #[expect(clippy::too_many_arguments)]
    pub(crate) fn run_formula<T: Float>(
        self,
        level: Level,
        terms: &Terms<'_, T>,
        stage: Stage,
        formula: impl RowFormula,
        x: Option<&[T]>,
        grad_y: Option<&[T]>,
        y: &mut [T],
    ) {
        let row_len = self.len.map(NonZeroUsize::get);
        if self.inner.is_none() && terms.is_nothing() {
            dispatch(level, Rows { formula, row_len, x, grad_y, y });
        } else {
            let rows = &mut |Slices { x, grad_y, y }: Slices<'_, T>| {
                dispatch(level, Rows { formula, row_len, x, grad_y, y });
            };
            let slices = Slices { x, grad_y, y };
            if slices.y.len() <= SMALL_TILE {
                self.by_regions::<T, SMALL_TILE>(level, terms, stage, slices, rows);
            } else {
                self.by_regions::<T, TILE>(level, terms, stage, slices, rows);
            }
        }
    }

    /// Calls `rows` for rows of adjacent elements, as they are in `slices` with the terms applied.
    fn by_regions<T: Float, const TILE: usize>(
        self,
        level: Level,
        terms: &Terms<'_, T>,
        stage: Stage,
        slices: Slices<'_, T>,
        rows: &mut dyn FnMut(Slices<'_, T>),
    ) {
        let row_len = self.len.map_or(slices.y.len(), NonZeroUsize::get).max(1);
        let unit = row_len * self.inner();
        let region_len = unit * (TILE / unit).max(1);
        if self.inner.is_none() {
            terms.around(level, stage, slices, region_len, &mut |region| terms.by_rows(stage, row_len, region, rows));
        } else {
            let mut tiles = [[T::zero(); TILE]; 2];
            terms.around(level, stage, slices, region_len, &mut |region| {
                gathered(row_len, self.inner(), region, &mut tiles, &mut |tile| {
                    terms.by_rows(stage, row_len, tile, rows)
                });
            });
        }
    }
}

/// The slices of a pass, or parts of them.
struct Slices<'a, T> {
    /// `None`: in place.
    x: Option<&'a [T]>,
    grad_y: Option<&'a [T]>,
    y: &'a mut [T],
}

impl<T> Slices<'_, T> {
    fn part(&mut self, start: usize, end: usize) -> Slices<'_, T> {
        Slices {
            x: self.x.map(|x| &x[start..end]),
            grad_y: self.grad_y.map(|grad_y| &grad_y[start..end]),
            y: &mut self.y[start..end],
        }
    }
}

/// What a formula takes and gives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Scores to values.
    Value,
    /// Scores to derivatives or gradients.
    Slope,
    /// Values to gradients.
    FromOutput,
}

/// Gathers the rows of a region along the axis, tile by tile, and spreads what `rows` makes of them.
fn gathered<T: Float, const TILE: usize>(
    row_len: usize,
    inner: usize,
    region: Slices<'_, T>,
    [tile, grad_tile]: &mut [[T; TILE]; 2],
    rows: &mut dyn FnMut(Slices<'_, T>),
) {
    let Slices { x, grad_y, y } = region;
    let (unit, units) = (row_len * inner, y.len() / (row_len * inner));
    // Rows of one unit that a tile has room for; where that is all, the region's other units have their room too.
    let width = (TILE / row_len).min(inner);
    for from in (0..inner).step_by(width) {
        let width = width.min(inner - from);
        let len = units * width * row_len;
        let (tile, grad_tile) = (&mut tile[..len], &mut grad_tile[..len]);
        let gather = |data: &[T], tile: &mut [T]| {
            for (data, rows) in data.chunks_exact(unit).zip(tile.chunks_exact_mut(width * row_len)) {
                transpose(&data[from..], inner, rows, row_len, row_len, width);
            }
        };
        gather(x.unwrap_or(y), tile);
        let grad_y = grad_y.map(|grad_y| {
            gather(grad_y, grad_tile);
            &*grad_tile
        });
        rows(Slices { x: None, grad_y, y: tile });
        for (y, rows) in y.chunks_exact_mut(unit).zip(tile.chunks_exact(width * row_len)) {
            transpose(rows, row_len, &mut y[from..], inner, width, row_len);
        }
    }
}

/// A matrix of `height` rows, each `stride` after the one before, transposed into one whose rows are `stride_to` apart.
fn transpose<T: Float>(from: &[T], stride: usize, to: &mut [T], stride_to: usize, height: usize, width: usize) {
    /// Squares of this side are read by rows and written by rows.
    const SIDE: usize = 8;
    for i in (0..height).step_by(SIDE) {
        for j in (0..width).step_by(SIDE) {
            if height - i >= SIDE && width - j >= SIDE {
                let mut square = [[T::zero(); SIDE]; SIDE];
                for (k, row) in square.iter_mut().enumerate() {
                    row.copy_from_slice(&from[(i + k) * stride + j..][..SIDE]);
                }
                for k in 0..SIDE {
                    to[(j + k) * stride_to + i..][..SIDE].copy_from_slice(&square.map(|row| row[k]));
                }
            } else {
                for (i, j) in (i..height.min(i + SIDE)).flat_map(|i| (j..width.min(j + SIDE)).map(move |j| (i, j))) {
                    to[j * stride_to + i] = from[i * stride + j];
                }
            }
        }
    }
}

/// What is done to the elements of rows before a function takes them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms<'a, T> {
    pub(crate) scale: f64,
    bias: Option<&'a [T]>,
    keep: Option<&'a [bool]>,
    empty_rows_are_zeros: bool,
}

impl<T: Float> Terms<'_, T> {
    pub(crate) fn scaled(scale: f64) -> Self {
        Self { scale, bias: None, keep: None, empty_rows_are_zeros: false }
    }

    fn is_nothing(&self) -> bool {
        !self.change_scores() && !self.empty_rows_are_zeros
    }

    fn change_scores(&self) -> bool {
        self.scale != 1.0 || self.bias.is_some() || self.keep.is_some()
    }

    /// Calls `f` for each region of the slices, with its scores made in the output, and gives its gradients their scale.
    fn around(
        &self,
        level: Level,
        stage: Stage,
        mut slices: Slices<'_, T>,
        region_len: usize,
        f: &mut dyn FnMut(Slices<'_, T>),
    ) {
        let len = slices.y.len();
        for start in (0..len).step_by(region_len) {
            let mut region = slices.part(start, len.min(start + region_len));
            if stage != Stage::FromOutput && self.change_scores() {
                if let Some(x) = region.x.take() {
                    region.y.copy_from_slice(x);
                }
                let masked = T::neg_infinity();
                dispatch(
                    level,
                    Affine { scale: self.scale, bias: self.bias, keep: self.keep, masked, start, y: region.y },
                );
            }
            f(region.part(0, region.y.len()));
            if stage != Stage::Value && (self.scale != 1.0 || self.keep.is_some()) {
                let masked = T::zero();
                dispatch(level, Affine { scale: self.scale, bias: None, keep: self.keep, masked, start, y: region.y });
            }
        }
    }

    /// Calls `rows` for rows of adjacent elements, but gives the empty ones zeros, if they shall have them.
    fn by_rows(&self, stage: Stage, row_len: usize, mut slices: Slices<'_, T>, rows: &mut dyn FnMut(Slices<'_, T>)) {
        if !self.empty_rows_are_zeros {
            return rows(slices);
        }
        // What an empty row is made of, or has become: no row of probabilities or their logarithms is zeros, but for that of
        // one logarithm, whose gradient is zero too.
        let empty = if stage == Stage::FromOutput { T::zero() } else { T::neg_infinity() };
        let len = slices.y.len();
        let mut start = 0;
        for row in (0..len).step_by(row_len) {
            let scores = &slices.x.unwrap_or(slices.y)[row..row + row_len];
            if scores.iter().all(|&score| score == empty) {
                rows(slices.part(start, row));
                slices.y[row..row + row_len].fill(T::zero());
                start = row + row_len;
            }
        }
        rows(slices.part(start, len));
    }
}

/// `y[i] * scale + bias[i]`, or `masked` where `keep[i]` is false. The bias and the mask begin at `start`, and repeat.
struct Affine<'a, T> {
    scale: f64,
    bias: Option<&'a [T]>,
    keep: Option<&'a [bool]>,
    masked: T,
    start: usize,
    y: &'a mut [T],
}

impl<T: Float> Task<T> for Affine<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        let Self { scale, bias, keep, masked, start, y } = self;
        let scale = R::of(scale);
        if let Some(bias) = bias {
            with_repeated(
                y,
                bias,
                start,
                #[inline(always)]
                |y, bias| R::load(y).mul_add(scale, R::load(bias)).store(),
            );
        } else if self.scale != 1.0 {
            for y in &mut *y {
                *y = (R::load(*y) * scale).store();
            }
        }
        if let Some(keep) = keep {
            with_repeated(
                y,
                keep,
                start,
                #[inline(always)]
                |y, keep| if keep { y } else { masked },
            );
        }
    }
}

/// `y[i] = f(y[i], other[i])`, where `other` begins at `start` and repeats.
#[inline(always)]
fn with_repeated<T: Copy, U: Copy>(mut y: &mut [T], other: &[U], start: usize, f: impl Fn(T, U) -> T) {
    let mut at = start % other.len().max(1);
    while !y.is_empty() {
        let other = &other[at..];
        let (now, rest) = y.split_at_mut(y.len().min(other.len()));
        for (y, &other) in now.iter_mut().zip(other) {
            *y = f(*y, other);
        }
        (y, at) = (rest, 0);
    }
}

/// A function of rows whose elements are scaled, biased and masked first: scores as attention has them.
///
/// Made by the methods of [`Softmax`](crate::Softmax), [`LogSoftmax`](crate::LogSoftmax) and
/// [`Softmin`](crate::Softmin), in any order. The function takes `x[i] * scale + bias[i]`, and -inf where the mask is
/// false, whatever `x[i]` is there. Softmin is the softmax of -x, of which these are the scores: `bias[i] - x[i] * scale`.
///
/// - A bias or a mask shorter than the data repeats: one row for all rows, one matrix of scores for all heads. Its length
///   is a whole number of rows, and what a slice has is a whole number of them, or the methods panic. If the function's
///   rows have no length, they have that of the bias or the mask.
/// - [`derivative`](crate::Activation::derivative) and [`backward`](crate::Activation::backward) are with respect to x:
///   they have the scale as a factor, and are 0 where the mask is false.
/// - Error: the scale is rounded to the element's type, and the score once, without fused multiply-add twice; of these
///   scores the results are as good as those of the function. An error of half an ulp of a score s is one of
///   |s| 2^-24 (`f64`: |s| 2^-53) in e^s. Gradients have half an ULP more.
/// - No temporary: scores are made in the output, a few thousand at a time.
///
/// ```
/// use activations::{Activation, Softmax};
///
/// // Two heads of three queries of 16 numbers each, causal: no query sees the keys after its own.
/// let scores = [4.0_f32; 2 * 3 * 3];
/// let causal = [true, false, false, true, true, false, true, true, true];
/// let mut p = [0.0; 2 * 3 * 3];
/// Softmax::rows(3)?.scaled(0.25)?.masked(&causal)?.forward(&scores, &mut p);
/// let third = 1.0 / 3.0;
/// assert_eq!(p[..9], [1.0, 0.0, 0.0, 0.5, 0.5, 0.0, third, third, third]);
/// assert_eq!(p[9..], p[..9]);
///
/// // Where all keys are masked a query has NaN, or zeros.
/// let padding = [false; 3];
/// Softmax::rows(3)?.masked(&padding)?.empty_rows_are_zeros().forward(&scores, &mut p);
/// assert_eq!(p, [0.0; 18]);
/// # Ok::<(), activations::ParameterError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Scores<'a, F, T> {
    pub(crate) function: PhantomData<F>,
    pub(crate) layout: Layout,
    pub(crate) terms: Terms<'a, T>,
}

impl<'a, F: Described, T: Float> Scores<'a, F, T> {
    /// The scores times a number: 1/sqrt(d) in attention, the reciprocal of a temperature. Scales multiply.
    ///
    /// # Errors
    /// If `scale` is not a finite number above 0.
    ///
    /// ```
    /// use activations::{Activation, Softmax};
    ///
    /// // A temperature of 2.
    /// let p = Softmax::rows(2)?.scaled(0.5)?.forward_vec(&[4.0_f32, 0.0]);
    /// assert_eq!(p, Softmax::rows(2)?.forward_vec(&[2.0_f32, 0.0]));
    /// assert!(Softmax::rows(2)?.scaled::<f32>(0.0).is_err());
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    pub fn scaled(mut self, scale: f64) -> Result<Self, ParameterError> {
        if !(scale.is_finite() && scale > 0.0) {
            return Err(ParameterError::new(F::CARD.name, "scale", scale, "a finite number above 0"));
        }
        self.terms.scale *= scale;
        Ok(self)
    }

    /// The scores plus a number each, after the scale: a position's bias, a mask of 0 and -inf. Replaces an earlier one.
    ///
    /// A NaN or +inf in x stays, whatever is added: [`masked`](Self::masked) hides them.
    ///
    /// # Errors
    /// If its length is not a whole number of rows, or does not go with the mask's.
    ///
    /// ```
    /// use activations::{Activation, Softmax};
    ///
    /// let p = Softmax::rows(2)?.biased(&[0.0, f32::NEG_INFINITY])?.forward_vec(&[1.0_f32, 5.0, 2.0, 3.0]);
    /// assert_eq!(p, [1.0, 0.0, 1.0, 0.0]);
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    pub fn biased(mut self, bias: &'a [T]) -> Result<Self, ParameterError> {
        self.terms.bias = Some(bias);
        self.with_length("the bias's length", bias.len())
    }

    /// The scores where `keep` is true, -inf elsewhere. Replaces an earlier one.
    ///
    /// # Errors
    /// If its length is not a whole number of rows, or does not go with the bias's.
    ///
    /// ```
    /// use activations::{Activation, Softmax};
    ///
    /// let p = Softmax::rows(3)?.masked(&[true, true, false])?.forward_vec(&[1.0_f32, 1.0, f32::NAN]);
    /// assert_eq!(p, [0.5, 0.5, 0.0]);
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    pub fn masked(mut self, keep: &'a [bool]) -> Result<Self, ParameterError> {
        self.terms.keep = Some(keep);
        self.with_length("the mask's length", keep.len())
    }

    /// Rows of nothing but -inf, as where everything is masked, become zeros, and so do their derivatives and gradients.
    /// They are NaN otherwise.
    ///
    /// ```
    /// use activations::{Activation, Softmax};
    ///
    /// let softmax = Softmax::rows(2)?.masked(&[false, false])?;
    /// assert!(softmax.forward_vec(&[1.0_f32, 2.0])[0].is_nan());
    /// assert_eq!(softmax.empty_rows_are_zeros().forward_vec(&[1.0_f32, 2.0]), [0.0, 0.0]);
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    #[must_use]
    pub fn empty_rows_are_zeros(mut self) -> Self {
        self.terms.empty_rows_are_zeros = true;
        self
    }

    fn with_length(mut self, what: &'static str, len: usize) -> Result<Self, ParameterError> {
        self.layout.len = self.layout.len.or(NonZeroUsize::new(len));
        let lengths = [self.terms.bias.map(<[_]>::len), self.terms.keep.map(<[_]>::len)];
        let whole_rows = self.layout.unit().is_none_or(|unit| len.is_multiple_of(unit));
        let both = lengths.into_iter().flatten().all(|other| len.is_multiple_of(other) || other.is_multiple_of(len));
        if whole_rows && both {
            Ok(self)
        } else {
            let allowed = if whole_rows { "a multiple of the other's, or divide it" } else { "a whole number of rows" };
            Err(ParameterError::new(F::CARD.name, what, len as f64, allowed))
        }
    }

    /// The length that divides what the function takes: that of the longer of bias and mask, or of the rows.
    pub(crate) fn period(&self) -> Option<usize> {
        let lengths = [self.terms.bias.map(<[_]>::len), self.terms.keep.map(<[_]>::len)];
        let longest = lengths.into_iter().flatten().max();
        // Nothing is as long as a mask of nothing.
        let empty = lengths.contains(&Some(0));
        if empty { Some(0) } else { longest.or(self.layout.unit()) }
    }
}

/// Gives a function of rows its constructor.
macro_rules! rows_of_length {
    ($name:ident) => {
        impl $name {
            /// Each `len` elements are a row of their own.
            ///
            /// Slices whose length is not a multiple of `len` make the methods panic.
            ///
            /// # Errors
            /// If `len` is 0.
            pub fn rows(len: usize) -> Result<Self, $crate::describe::error::ParameterError> {
                let name = <Self as $crate::describe::card::Described>::CARD.name;
                $crate::rows::scores::Layout::rows(name, len).map(|layout| Self { layout })
            }
        }
    };
}
pub(crate) use rows_of_length;

/// Gives a function of rows its constructors, and with the formulas of its values, its Jacobian's diagonal and the
/// gradient its [`Activation`](crate::Activation), also for [`Scores`]. Scores are multiplied by `sign` first.
macro_rules! row_function {
    ($name:ident, sign: $sign:literal, $value:expr, $diagonal:expr, $gradient:expr) => {
        $crate::rows::scores::rows_of_length!($name);

        impl $name {
            /// Rows along an axis that is not the last: each has `len` elements, `inner` apart.
            ///
            /// The data is `outer x len x inner`, as a tensor whose last axes have `inner` elements together. Slices whose
            /// length is not a multiple of `len * inner` make the methods panic. A row has the bits that it would have
            /// with its elements adjacent.
            ///
            /// # Errors
            /// If one of them is 0, or `len` above 8192 with `inner` above 1.
            pub fn axis(len: usize, inner: usize) -> Result<Self, $crate::describe::error::ParameterError> {
                let name = <Self as $crate::describe::card::Described>::CARD.name;
                $crate::rows::scores::Layout::axis(name, len, inner).map(|layout| Self { layout })
            }

            /// With the scores, x or for softmin -x, times a number first. See [`Scores::scaled`](crate::Scores::scaled).
            ///
            /// # Errors
            /// If `scale` is not a finite number above 0.
            pub fn scaled<'a, T: $crate::kernel::element::Float>(
                self,
                scale: f64,
            ) -> Result<$crate::rows::scores::Scores<'a, Self, T>, $crate::describe::error::ParameterError> {
                self.scores().scaled(scale)
            }

            /// With a number added to each score first, x or for softmin -x. See
            /// [`Scores::biased`](crate::Scores::biased).
            ///
            /// # Errors
            /// If the bias's length is not a whole number of rows.
            pub fn biased<T: $crate::kernel::element::Float>(
                self,
                bias: &[T],
            ) -> Result<$crate::rows::scores::Scores<'_, Self, T>, $crate::describe::error::ParameterError> {
                self.scores().biased(bias)
            }

            /// With a score of -inf, the probability 0, where `keep` is false. See
            /// [`Scores::masked`](crate::Scores::masked).
            ///
            /// # Errors
            /// If the mask's length is not a whole number of rows.
            pub fn masked<T: $crate::kernel::element::Float>(
                self,
                keep: &[bool],
            ) -> Result<$crate::rows::scores::Scores<'_, Self, T>, $crate::describe::error::ParameterError> {
                self.scores().masked(keep)
            }

            /// With zeros for rows whose scores are nothing but -inf. See
            /// [`Scores::empty_rows_are_zeros`](crate::Scores::empty_rows_are_zeros).
            #[must_use]
            pub fn empty_rows_are_zeros<'a, T: $crate::kernel::element::Float>(
                self,
            ) -> $crate::rows::scores::Scores<'a, Self, T> {
                self.scores().empty_rows_are_zeros()
            }

            fn scores<'a, T: $crate::kernel::element::Float>(self) -> $crate::rows::scores::Scores<'a, Self, T> {
                let terms = $crate::rows::scores::Terms::scaled($sign);
                $crate::rows::scores::Scores { function: core::marker::PhantomData, layout: self.layout, terms }
            }
        }

        impl<T: $crate::kernel::element::Element> $crate::activation::Activation<T> for $name {
            #[inline]
            fn run(&self, level: $crate::kernel::level::Level, pass: $crate::pass::Pass<'_, T>) {
                let terms = &$crate::rows::scores::Terms::scaled($sign);
                pass.as_floats(level, &mut |pass| self.layout.run(level, terms, pass, $value, $diagonal, $gradient));
            }

            #[inline]
            fn pieces(&self) -> $crate::pass::Pieces {
                $crate::pass::Pieces::of(self.layout.unit())
            }
        }

        impl<T: $crate::kernel::element::Float> $crate::activation::Activation<T>
            for $crate::rows::scores::Scores<'_, $name, T>
        {
            #[inline]
            fn run(&self, level: $crate::kernel::level::Level, pass: $crate::pass::Pass<'_, T>) {
                self.layout.run(level, &self.terms, pass, $value, $diagonal, $gradient);
            }

            #[inline]
            fn pieces(&self) -> $crate::pass::Pieces {
                $crate::pass::Pieces::of(self.period())
            }
        }
    };
}
pub(crate) use row_function;

/// Gives a function of rows, and its [`Scores`], the gradient by a formula of the output.
macro_rules! row_from_output {
    ($name:ident, sign: $sign:literal, $formula:expr) => {
        impl<T: $crate::kernel::element::Element> $crate::from_output::FromOutput<T> for $name {
            #[inline]
            fn run_from_output(&self, level: $crate::kernel::level::Level, y: &[T], grad_y: &[T], grad_x: &mut [T]) {
                let (terms, stage) =
                    (&$crate::rows::scores::Terms::scaled($sign), $crate::rows::scores::Stage::FromOutput);
                T::as_floats(level, [y, grad_y], [grad_x], false, |[y, grad_y], [grad_x]| {
                    self.layout.run_formula(level, terms, stage, $formula, Some(y), Some(grad_y), grad_x)
                });
            }
        }

        impl<T: $crate::kernel::element::Float> $crate::from_output::FromOutput<T>
            for $crate::rows::scores::Scores<'_, $name, T>
        {
            #[inline]
            fn run_from_output(&self, level: $crate::kernel::level::Level, y: &[T], grad_y: &[T], grad_x: &mut [T]) {
                let stage = $crate::rows::scores::Stage::FromOutput;
                self.layout.run_formula(level, &self.terms, stage, $formula, Some(y), Some(grad_y), grad_x);
            }
        }
    };
}
pub(crate) use row_from_output;
