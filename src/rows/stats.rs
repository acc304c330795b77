//! What is known of the rows that are worked on: the greatest elements, the scales of their exponentials, the sums.

use super::reduce::{DEPTH, LANES, Partial};
use crate::kernel::element::{Float, Lane};
use crate::math::RowExp;

/// Rows of up to this length lie side by side.
pub(crate) const SHORT: usize = LANES - 1;

/// As many as are taken at a time, for that many columns.
pub(crate) const COLUMNS: usize = SHORT.next_multiple_of(DEPTH);

/// Longer rows that are taken in step.
pub(crate) const GROUP: usize = 8;

/// The most rows that are worked on at a time, those side by side.
pub(crate) const SIDE: usize = 32;

/// A number of each row that is worked on.
pub(crate) type PerRow<T> = [T; SIDE];

/// A column has the element of each row at one place.
pub(crate) type Column<T> = [T; SIDE];

/// Room for columns.
#[repr(align(64))]
pub(crate) struct Columns<T, const C: usize>([Column<T>; C]);

impl<T: Float, const C: usize> Columns<T, C> {
    #[inline]
    pub(crate) fn new() -> Self {
        Self([[T::zero(); SIDE]; C])
    }

    #[inline]
    pub(crate) fn all(&mut self) -> &mut [Column<T>] {
        &mut self.0
    }
}

/// What is taken from the elements of a row before the exponential: see [`RowExp`].
#[derive(Clone, Copy)]
pub(crate) enum Offset {
    /// The greatest, or 0 near 0.
    Below,
    /// On a grid, so that sums of other scales can be added.
    OnGrid,
    /// The greatest.
    Fast,
}

/// What is known of a row when its sums are.
#[derive(Clone, Copy)]
pub(crate) struct Row<R> {
    pub(crate) greatest: R,
    /// The exponential of the greatest.
    pub(crate) top: R,
    pub(crate) first: Partial<R>,
    pub(crate) second: Partial<R>,
}

/// What is known of the rows that are worked on. An array for each number: an array of structures would not vectorise.
///
/// Aligned, as all that loops of rows keep from one another: a vector that crosses from cache line to cache line takes twice the time.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(crate) struct Stats<T> {
    pub(crate) greatest: PerRow<T>,
    offset: PerRow<T>,
    most: PerRow<T>,
    lift: PerRow<T>,
    pub(crate) top: PerRow<T>,
    pub(crate) first: Partial<PerRow<T>>,
    pub(crate) second: Partial<PerRow<T>>,
}

impl<T: Float> Stats<T> {
    #[inline]
    pub(crate) fn new() -> Self {
        let zeros = [T::zero(); SIDE];
        let (greatest, offset, most, lift, top) = (zeros, zeros, zeros, zeros, zeros);
        Self { greatest, offset, most, lift, top, first: (zeros, zeros), second: (zeros, zeros) }
    }

    /// Scales the exponentials by the greatest elements.
    #[inline(always)]
    pub(crate) fn scale<R: Lane<T>, const W: usize>(&mut self, greatest: &[R; W], offset: Offset) {
        macro_rules! each {
            ($scale:ident) => {
                for i in 0..W {
                    let exp = RowExp::$scale(greatest[i]);
                    self.greatest[i] = greatest[i].store();
                    (self.offset[i], self.most[i], self.lift[i]) =
                        (exp.offset.store(), exp.most.store(), exp.lift.store());
                    self.top[i] = exp.exp(greatest[i]).store();
                }
            };
        }
        match offset {
            Offset::Below => each!(below),
            Offset::OnGrid => each!(on_grid),
            Offset::Fast => each!(fast),
        }
    }

    #[inline(always)]
    pub(crate) fn exp<R: Lane<T>>(&self, i: usize) -> RowExp<R> {
        RowExp { offset: R::load(self.offset[i]), most: R::load(self.most[i]), lift: R::load(self.lift[i]) }
    }

    #[inline(always)]
    pub(crate) fn row<R: Lane<T>>(&self, i: usize) -> Row<R> {
        let pair = |(hi, lo): &Partial<PerRow<T>>| (R::load(hi[i]), R::load(lo[i]));
        Row {
            greatest: R::load(self.greatest[i]),
            top: R::load(self.top[i]),
            first: pair(&self.first),
            second: pair(&self.second),
        }
    }
}

/// The scale of the row that a lane belongs to: of one row in all lanes, or of each lane's own. A reference stays one, or
/// LLVM does not know what it does not overlap with.
pub(crate) trait ScaleOf<T, R>: Copy {
    fn exp(self, lane: usize) -> RowExp<R>;
    fn top(self, lane: usize) -> R;
}

/// The scale of one row.
#[derive(Clone, Copy)]
pub(crate) struct OfRow<R> {
    pub(crate) exp: RowExp<R>,
    pub(crate) top: R,
}

impl<R> OfRow<R> {
    #[inline(always)]
    pub(crate) fn of<T: Float>(stats: &Stats<T>, row: usize) -> Self
    where
        R: Lane<T>,
    {
        Self { exp: stats.exp(row), top: R::load(stats.top[row]) }
    }
}

impl<T: Float, R: Lane<T>> ScaleOf<T, R> for OfRow<R> {
    #[inline(always)]
    fn exp(self, _: usize) -> RowExp<R> {
        self.exp
    }

    #[inline(always)]
    fn top(self, _: usize) -> R {
        self.top
    }
}

impl<T: Float, R: Lane<T>> ScaleOf<T, R> for &Stats<T> {
    #[inline(always)]
    fn exp(self, lane: usize) -> RowExp<R> {
        Stats::exp(self, lane)
    }

    #[inline(always)]
    fn top(self, lane: usize) -> R {
        R::load(self.top[lane])
    }
}
