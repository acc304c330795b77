//! How a bias, a mask or sinks that are shorter than the data are repeated over it.

#[cfg(feature = "alloc")]
use alloc::vec::Vec;
use core::ops::Range;

/// A bias, a mask or the sinks of scores, and the rows of the data that each of its rows is for. A row of sinks is one number.
///
/// A plain slice, vector or array is for all rows if it is one row. Otherwise it must be as long as the data. For any other shape
/// you choose a constructor, because a shorter slice that divides the data could be meant in two ways:
///
/// | the data | the mask | |
/// |---|---|---|
/// | `[.., K]` | `[K]` | `&mask` |
/// | `[.., K]` | the same | `&mask` |
/// | `[B, H, Q, K]` | `[Q, K]` | `Broadcast::cycled(&mask)` |
/// | `[B, H, Q, K]` | `[B, K]` | `Broadcast::each(&mask, H * Q)` |
/// | `[B, H, Q, K]` | `[H, K]` | `Broadcast::each_cycled(&bias, Q)` |
/// | `[B, H, Q, K]` | `[H]` | `Broadcast::each_cycled(&sinks, Q)` |
///
/// The weights of a [`BinaryCrossEntropy`](crate::BinaryCrossEntropy) are broadcast in the same way, with rows of one number:
/// see [`BinaryTargets`](crate::BinaryTargets).
///
/// ```
/// use activations::{Activation, Broadcast, Softmax};
///
/// // Two sequences, each with two queries of two keys; the last key of the second sequence is padding.
/// let (scores, keep) = ([0.0_f32; 8], [true, true, true, false]);
/// let p = Softmax::rows(2)?.masked(Broadcast::each(&keep, 2))?.forward_vec(&scores);
/// assert_eq!(p, [0.5, 0.5, 0.5, 0.5, 1.0, 0.0, 1.0, 0.0]);
///
/// // The same mask for both sequences.
/// let p = Softmax::rows(2)?.masked(Broadcast::cycled(&keep))?.forward_vec(&scores);
/// assert_eq!(p, [0.5, 0.5, 1.0, 0.0, 0.5, 0.5, 1.0, 0.0]);
/// # Ok::<(), activations::ParameterError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Broadcast<'a, U> {
    pub(crate) data: &'a [U],
    pub(crate) how: How,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// One row for all rows, or as long as the data.
    Alike,
    /// All rows, repeated.
    Cycled,
    /// Each row for this many rows of the data, one after another.
    Each(usize),
    /// The same, repeated.
    EachCycled(usize),
}

impl<'a, U> Broadcast<'a, U> {
    /// Repeats the rows of `data`: `[Q, K]` for data of the shape `[B, H, Q, K]`.
    ///
    /// ```
    /// use activations::{Activation, Broadcast, Softmax};
    ///
    /// let causal = Broadcast::cycled(&[true, false, true, true]);
    /// assert_eq!(Softmax::rows(2)?.masked(causal)?.forward_vec(&[0.0_f32; 4]), [1.0, 0.0, 0.5, 0.5]);
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    #[must_use]
    pub const fn cycled(data: &'a [U]) -> Self {
        Self { data, how: How::Cycled }
    }

    /// Uses each row of `data` for `rows` rows, one after another: `[B, K]` for data of the shape `[B, H, Q, K]`, where `rows`
    /// is H Q. If `rows` is 0, only empty slices fit.
    ///
    /// ```
    /// use activations::{Activation, Broadcast, Softmax};
    ///
    /// let padding = Broadcast::each(&[true, false], 2);
    /// assert_eq!(Softmax::rows(2)?.masked(padding)?.forward_vec(&[0.0_f32; 4]), [1.0, 0.0, 1.0, 0.0]);
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    #[must_use]
    pub const fn each(data: &'a [U], rows: usize) -> Self {
        Self { data, how: How::Each(rows) }
    }

    /// Uses each row of `data` for `rows` rows, one after another, and starts again after the last one: `[H, K]`, or sinks of the
    /// shape `[H]`, for data of the shape `[B, H, Q, K]`, where `rows` is Q. If `rows` is 0, only empty slices fit.
    ///
    /// ```
    /// use activations::{Activation, Broadcast, Softmax};
    ///
    /// // Two sequences of two heads, each with one query. The first row is the mask of the first head.
    /// let keep = Broadcast::each_cycled(&[true, false, true, true], 1);
    /// let p = Softmax::rows(2)?.masked(keep)?.forward_vec(&[0.0_f32; 8]);
    /// assert_eq!(p, [1.0, 0.0, 0.5, 0.5, 1.0, 0.0, 0.5, 0.5]);
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    #[must_use]
    pub const fn each_cycled(data: &'a [U], rows: usize) -> Self {
        Self { data, how: How::EachCycled(rows) }
    }

    /// The period of the broadcast. It must divide the length of the data, or, if the flag is true, be equal to it.
    pub(crate) fn period(&self, unit: usize) -> (usize, bool) {
        match self.how {
            How::Alike if self.data.len() == unit => (unit, false),
            How::Alike => (self.data.len(), true),
            How::Cycled => (self.data.len(), false),
            How::Each(rows) => (self.data.len().saturating_mul(rows), true),
            How::EachCycled(rows) => (self.data.len().saturating_mul(rows), false),
        }
    }

    /// The part for block number `block` of the data, where a block has `unit` elements.
    pub(crate) fn block(&self, block: usize, unit: usize) -> &'a [U] {
        &self.data[self.start(block, unit)..][..unit]
    }

    /// Where that part begins.
    pub(crate) fn start(&self, block: usize, unit: usize) -> usize {
        let block = match self.how {
            How::Alike if self.data.len() == unit => 0,
            How::Alike => block,
            How::Cycled => block % (self.data.len() / unit),
            How::Each(rows) => block / rows,
            How::EachCycled(rows) => block / rows % (self.data.len() / unit),
        };
        block * unit
    }
}

impl<U: Copy> Broadcast<'_, U> {
    /// The numbers for these elements of the data, if rows have one number: a part of the slice, or written to `room`, which has
    /// a place for each.
    pub(crate) fn beside<'s>(&'s self, part: Range<usize>, room: &'s mut [U]) -> &'s [U] {
        let numbers = self.data;
        let inner = match self.how {
            How::Alike if numbers.len() == 1 => usize::MAX,
            How::Alike | How::Cycled => 1,
            How::Each(inner) | How::EachCycled(inner) => inner,
        };
        let (n, mut channel) = (part.len(), part.start / inner % numbers.len());
        if inner == 1 && channel + n <= numbers.len() {
            return &numbers[channel..][..n];
        }
        let mut written = 0;
        if inner == 1 {
            // Writes a whole period, and then copies what is already written.
            let period = n.min(numbers.len());
            while written < period {
                let run = (numbers.len() - channel).min(period - written);
                room[written..][..run].copy_from_slice(&numbers[channel..][..run]);
                (written, channel) = (written + run, 0);
            }
            while written < n {
                let run = written.min(n - written);
                room.copy_within(..run, written);
                written += run;
            }
            return &room[..n];
        }
        let mut left = inner - part.start % inner;
        while written < n {
            let run = left.min(n - written);
            room[written..][..run].fill(numbers[channel]);
            channel = if channel + 1 == numbers.len() { 0 } else { channel + 1 };
            (written, left) = (written + run, inner);
        }
        &room[..n]
    }
}

impl<'a, U> From<&'a [U]> for Broadcast<'a, U> {
    fn from(data: &'a [U]) -> Self {
        Self { data, how: How::Alike }
    }
}

impl<'a, U, const N: usize> From<&'a [U; N]> for Broadcast<'a, U> {
    fn from(data: &'a [U; N]) -> Self {
        Self::from(data.as_slice())
    }
}

#[cfg(feature = "alloc")]
impl<'a, U> From<&'a Vec<U>> for Broadcast<'a, U> {
    fn from(data: &'a Vec<U>) -> Self {
        Self::from(data.as_slice())
    }
}
