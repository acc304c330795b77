//! The statistics of the current rows: greatest elements, scales of exponentials, and sums.

use super::reduce::{DEPTH, LANES, Partial};
use crate::kernel::element::{Float, Lane};
use crate::math::RowExp;

/// Rows of up to this length always lie side by side.
pub(crate) const SHORT: usize = LANES - 1;

/// `SHORT`, rounded up to the number of columns that are reduced at a time.
pub(crate) const COLUMNS: usize = SHORT.next_multiple_of(DEPTH);

/// How many longer rows are processed together.
pub(crate) const GROUP: usize = 8;

/// How many rows are processed at a time, at most: rows that lie side by side.
pub(crate) const SIDE: usize = 32;

/// A number for each of the current rows.
pub(crate) type PerRow<T> = [T; SIDE];

/// A column: the elements of all rows at one place.
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

/// The number that is subtracted from the elements of a row before the exponential: see [`RowExp`].
#[derive(Clone, Copy)]
pub(crate) enum Offset {
    /// The greatest element, or 0 if the greatest is near 0.
    Below,
    /// A number on a grid, so that sums with other scales can be added.
    OnGrid,
    /// The greatest element.
    Fast,
}

/// The statistics of a row that a formula may use.
#[derive(Clone, Copy)]
pub(crate) struct Row<R> {
    pub(crate) greatest: R,
    /// The exponential of the greatest element.
    pub(crate) top: R,
    pub(crate) first: Partial<R>,
    pub(crate) second: Partial<R>,
}

/// The statistics of the current rows. There is an array for each number, because an array of structures would not vectorise.
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

/// The scale of the row that a lane belongs to: of one row for all lanes, or of each lane's own row. The latter is passed as a
/// reference, because LLVM otherwise does not know that it overlaps with nothing.
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
