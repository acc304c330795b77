//! Sums of columns to twice the precision, for gradients of biases and slopes.

use crate::kernel::dispatch::{Task, dispatch};
use crate::kernel::element::{Float, Lane, kernel};
use crate::kernel::level::Level;
use crate::kernel::real::Real;
use crate::kernel::tiles::Tile;
use crate::rows::reduce::{LANES, Partial, add};

/// Addends of sums, row after row.
#[derive(Clone, Copy)]
pub(super) enum Addends<'a, T> {
    /// Numbers.
    Numbers(&'a [T]),
    /// The gradients of slopes: `x[i] * grad_y[i]` where x\[i\] <= 0.
    OfSlopes { x: &'a [T], grad_y: &'a [T] },
}

/// A sum for each of up to `N` columns, as the rounded sum and its rounding error. A column's sum depends on its terms and their
/// order alone.
///
/// Aligned to cache lines, because the speed of loops depends on it.
pub(super) struct ColumnSums<T, const N: usize> {
    hi: Tile<T, N>,
    lo: Tile<T, N>,
    width: usize,
}

impl<T: Float, const N: usize> ColumnSums<T, N> {
    pub(super) fn new(width: usize) -> Self {
        Self { hi: Tile::new(), lo: Tile::new(), width }
    }

    /// Adds rows of `width` terms; the last may be shorter.
    pub(super) fn add(&mut self, level: Level, terms: Addends<'_, T>) {
        let (hi, lo) = (self.hi.of(self.width), self.lo.of(self.width));
        T::run(&Loops, level, Work::Add { hi, lo, terms });
    }

    /// Adds up every `columns`th column, and returns the first `columns` sums, in two parts. `columns` must divide the width.
    pub(super) fn folded(&mut self, level: Level, columns: usize) -> (&[T], &[T]) {
        let (hi, more) = self.hi.of(self.width).split_at_mut(columns);
        let (lo, lo_more) = self.lo.of(self.width).split_at_mut(columns);
        T::run(&Loops, level, Work::Fold { hi, lo, more: (more, lo_more) });
        (self.hi.of(columns), self.lo.of(columns))
    }

    /// The sums, in two parts.
    #[cfg(feature = "rayon")]
    pub(super) fn parts(&mut self) -> (&[T], &[T]) {
        (self.hi.of(self.width), self.lo.of(self.width))
    }

    /// Adds other sums of the same columns.
    pub(super) fn merge(&mut self, level: Level, more: (&[T], &[T])) {
        let (hi, lo) = (self.hi.of(self.width), self.lo.of(self.width));
        T::run(&Loops, level, Work::Fold { hi, lo, more });
    }

    /// The sums, rounded.
    pub(super) fn rounded(&mut self, level: Level) -> &[T] {
        let (hi, lo) = (self.hi.of(self.width), self.lo.of(self.width));
        T::run(&Loops, level, Work::Round { hi, lo });
        self.hi.of(self.width)
    }

    /// The rounded sum of `n` columns from `first` on, of the `n` columns `step` further on, and so on.
    pub(super) fn total(&mut self, first: usize, n: usize, step: usize) -> T {
        let (hi, lo) = (self.hi.of(self.width), self.lo.of(self.width));
        let mut total = (T::Plain::of(0.0), T::Plain::of(0.0));
        for from in (first..hi.len()).step_by(step) {
            for i in from..from + n {
                total = merged(total, (T::Plain::load(hi[i]), T::Plain::load(lo[i])));
            }
        }
        rounded(total).store()
    }
}

/// The sum of two sums.
#[inline(always)]
fn merged<R: Real>(sum: Partial<R>, (hi, lo): Partial<R>) -> Partial<R> {
    let (sum, error) = add(sum, hi);
    (sum, error + lo)
}

/// If a sum is infinite, its rounding error is NaN and is replaced by 0. The addition is always done, because a choice between `hi`
/// and the sum would become slow masked stores with AVX2.
#[inline(always)]
fn rounded<R: Real>((hi, lo): Partial<R>) -> R {
    hi + R::select(hi.abs().lt(R::of(f64::INFINITY)), lo, R::of(0.0))
}

/// A step of the summation: it adds terms to sums, folds other sums into them, or rounds them.
enum Work<'a, T> {
    Add { hi: &'a mut [T], lo: &'a mut [T], terms: Addends<'a, T> },
    Fold { hi: &'a mut [T], lo: &'a mut [T], more: (&'a [T], &'a [T]) },
    Round { hi: &'a mut [T], lo: &'a [T] },
}

struct Loops;

kernel!(Loops: Args<'a, T> = Work<'a, T>, -> (), run);

#[inline]
fn run<T: Float>(_: &Loops, level: Level, work: Work<'_, T>) {
    match work {
        Work::Add { hi, lo, terms: Addends::Numbers(numbers) } => {
            dispatch(level, Add { hi, lo, terms: Numbers(numbers) })
        }
        Work::Add { hi, lo, terms: Addends::OfSlopes { x, grad_y } } => {
            dispatch(level, Add { hi, lo, terms: OfSlopes { x, grad_y } });
        }
        Work::Fold { hi, lo, more } => dispatch(level, Fold { hi, lo, more }),
        Work::Round { hi, lo } => dispatch(level, Round { hi, lo }),
    }
}

/// Where the terms of a loop come from.
trait Source<T: Float>: Copy {
    fn len(self) -> usize;
    /// `n` terms from `start` on.
    fn part(self, start: usize, n: usize) -> Self;
    fn term<R: Lane<T>>(self, i: usize) -> R;
}

#[derive(Clone, Copy)]
struct Numbers<'a, T>(&'a [T]);

impl<T: Float> Source<T> for Numbers<'_, T> {
    #[inline(always)]
    fn len(self) -> usize {
        self.0.len()
    }

    #[inline(always)]
    fn part(self, start: usize, n: usize) -> Self {
        Self(&self.0[start..][..n])
    }

    #[inline(always)]
    fn term<R: Lane<T>>(self, i: usize) -> R {
        R::load(self.0[i])
    }
}

#[derive(Clone, Copy)]
struct OfSlopes<'a, T> {
    x: &'a [T],
    grad_y: &'a [T],
}

impl<T: Float> Source<T> for OfSlopes<'_, T> {
    #[inline(always)]
    fn len(self) -> usize {
        self.x.len()
    }

    #[inline(always)]
    fn part(self, start: usize, n: usize) -> Self {
        Self { x: &self.x[start..][..n], grad_y: &self.grad_y[start..][..n] }
    }

    #[inline(always)]
    fn term<R: Lane<T>>(self, i: usize) -> R {
        let (x, grad_y) = (R::load(self.x[i]), R::load(self.grad_y[i]));
        R::select(R::of(0.0).lt(x), R::of(0.0), x * grad_y)
    }
}

struct Add<'a, T, S> {
    hi: &'a mut [T],
    lo: &'a mut [T],
    terms: S,
}

impl<T: Float, S: Source<T>> Task<T> for Add<'_, T, S> {
    type Output = ();
    type Home = Self;

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        let Self { hi, lo, terms } = self;
        let (len, width) = (terms.len(), hi.len());
        let mut start = 0;
        if width <= LANES {
            // The sums stay in registers. Lanes beyond the width add terms of the next row, but nobody reads these sums.
            let (mut hi_lanes, mut lo_lanes) = ([R::of(0.0); LANES], [R::of(0.0); LANES]);
            for i in 0..width {
                (hi_lanes[i], lo_lanes[i]) = (R::load(hi[i]), R::load(lo[i]));
            }
            while start + LANES <= len {
                let row = terms.part(start, LANES);
                for i in 0..LANES {
                    (hi_lanes[i], lo_lanes[i]) = add((hi_lanes[i], lo_lanes[i]), row.term(i));
                }
                start += width;
            }
            for i in 0..width {
                (hi[i], lo[i]) = (hi_lanes[i].store(), lo_lanes[i].store());
            }
        }
        while start < len {
            let n = width.min(len - start);
            add_row::<T, R, S>(&mut hi[..n], &mut lo[..n], terms.part(start, n));
            start += width;
        }
    }
}

/// A function of its own, because LLVM knows only of a function's arguments that they do not overlap.
#[inline(always)]
fn add_row<T: Float, R: Lane<T>, S: Source<T>>(hi: &mut [T], lo: &mut [T], terms: S) {
    for i in 0..terms.len() {
        let (sum, error) = add((R::load(hi[i]), R::load(lo[i])), terms.term(i));
        (hi[i], lo[i]) = (sum.store(), error.store());
    }
}

struct Fold<'a, T> {
    hi: &'a mut [T],
    lo: &'a mut [T],
    more: (&'a [T], &'a [T]),
}

impl<T: Float> Task<T> for Fold<'_, T> {
    type Output = ();
    type Home = Self;

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        let columns = self.hi.len();
        let (hi, lo) = (self.hi, &mut self.lo[..columns]);
        for from in (0..self.more.0.len()).step_by(columns.max(1)) {
            let (more, lo_more) = (&self.more.0[from..][..columns], &self.more.1[from..][..columns]);
            for i in 0..columns {
                let sum = (R::load(hi[i]), R::load(lo[i]));
                let (sum, error) = merged(sum, (R::load(more[i]), R::load(lo_more[i])));
                (hi[i], lo[i]) = (sum.store(), error.store());
            }
        }
    }
}

struct Round<'a, T> {
    hi: &'a mut [T],
    lo: &'a [T],
}

impl<T: Float> Task<T> for Round<'_, T> {
    type Output = ();
    type Home = Self;

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        let (hi, lo) = (self.hi, self.lo);
        for (hi, &lo) in hi.iter_mut().zip(lo) {
            *hi = rounded((R::load(*hi), R::load(lo))).store();
        }
    }
}
