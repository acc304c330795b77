//! The trait of a function of rows: a formula of an element's exponential and of sums over the row.

use core::ops::Range;

use super::reduce::Partial;
use super::stats::{Offset, Row};
use crate::kernel::element::{Float, Kernel};
use crate::kernel::level::Level;
use crate::kernel::real::Real;
use crate::math::RowExp;

/// How many numbers a formula may compute for each row.
pub(crate) const CONSTANTS: usize = 4;
pub(crate) type Constants<R> = [R; CONSTANTS];

/// A function of rows, as a formula of an element's exponential and of sums over the row.
pub(crate) trait RowFormula: Copy {
    /// Which sums over the row are needed.
    type Sums: Accumulate;

    /// Whether the second sum is the sum of the gradients.
    const SUMS_GRADIENTS: bool = false;

    /// Whether the result is computed from the exponential, which the output keeps until the sums are known, or from the element.
    const OF_EXP: bool = true;

    /// Whether the result needs the gradient.
    const OF_GRADIENT: bool = false;

    /// The numbers of the row that its results need. If the first one is NaN, all results of the row are NaN.
    fn constants<R: Real>(self, row: &Row<R>) -> Constants<R>;

    /// The result of an element, or of its exponential.
    fn result<R: Real>(self, of: R, grad_y: R, constants: &Constants<R>) -> R;

    /// Runs over `f32`: see [`compiled_rows`].
    fn run_f32(self, level: Level, rows: Rows<'_, f32>);

    /// See [`run_f32`](Self::run_f32).
    fn run_f64(self, level: Level, rows: Rows<'_, f64>);
}

/// Compiles the engine for a formula in this crate, once for each float. Write it in the formula's `impl RowFormula`.
macro_rules! compiled_rows {
    () => {
        $crate::kernel::element::compiled! {
            f32: fn run_f32(self, level: $crate::kernel::level::Level, rows: $crate::rows::formula::Rows<'_, f32>) {
                $crate::rows::engine::run(level, self, rows);
            }
            f64: fn run_f64(self, level: $crate::kernel::level::Level, rows: $crate::rows::formula::Rows<'_, f64>) {
                $crate::rows::engine::run(level, self, rows);
            }
        }
    };
}
pub(crate) use compiled_rows;

/// A formula, run at a level.
pub(crate) struct Run<F>(pub(crate) F);

impl<F: RowFormula> Kernel for Run<F> {
    type Args<'a, T: Float> = Rows<'a, T>;
    type Output<T: Float> = ();

    #[inline]
    fn f32(&self, level: Level, rows: Rows<'_, f32>) {
        self.0.run_f32(level, rows);
    }

    #[inline]
    fn f64(&self, level: Level, rows: Rows<'_, f64>) {
        self.0.run_f64(level, rows);
    }
}

/// The rows that a formula runs over.
pub(crate) enum Rows<'a, T> {
    /// Rows in slices.
    Slices(Slices<'a, T>),
    /// Some long rows, by parts: see [`long`](super::engine::long).
    Parts { rows: usize, row_len: usize, part: Parts<'a, T> },
}

/// The sums over a row.
pub(crate) trait Accumulate: Copy {
    /// Whether there is a second sum.
    const SECOND: bool = false;

    /// Whether the second sum counts. Whole numbers need no low part.
    const COUNTS: bool = false;

    /// Whether the output keeps the exponentials.
    const KEEPS: bool = true;

    /// Whether the elements are a function's outputs. They are then used in place of exponentials, and only the second sum is
    /// computed. Its last additions are rounded.
    const OF_OUTPUT: bool = false;

    /// Whether exponentials are [`Fast`](crate::Fast).
    const FAST: bool = false;

    /// The offset for exponentials whose sums are not added to others.
    const OFFSET: Offset = if Self::FAST { Offset::Fast } else { Offset::Below };

    /// The term that an element adds to the first sum, between 0 and its exponential `e`. `top` is the greatest exponential.
    #[inline(always)]
    fn first<R: Real>(e: R, top: R) -> R {
        let _ = top;
        e
    }

    /// The exponential of an element.
    #[inline(always)]
    fn exp<R: Real>(scale: &RowExp<R>, x: R) -> R {
        if Self::FAST { scale.fast_exp(x) } else { scale.exp(x) }
    }

    /// The term that an element adds to the second sum: any number, and its rounding error.
    #[inline(always)]
    fn second<R: Real>(e: R, top: R, grad_y: R) -> Partial<R> {
        let _ = (e, top, grad_y);
        (R::of(0.0), R::of(0.0))
    }
}

/// The exponentials.
#[derive(Clone, Copy)]
pub(crate) struct Total;

impl Accumulate for Total {}

/// The exponentials of `Fast`.
#[derive(Clone, Copy)]
pub(crate) struct FastTotal;

impl Accumulate for FastTotal {
    const FAST: bool = true;
}

/// No sum, because the elements are outputs.
#[derive(Clone, Copy)]
pub(crate) struct Nothing;

impl Accumulate for Nothing {
    const KEEPS: bool = false;
    const OF_OUTPUT: bool = true;
}

/// The sum of the elements themselves, which are a gradient.
#[derive(Clone, Copy)]
pub(crate) struct Plainly;

impl Accumulate for Plainly {
    const SECOND: bool = true;
    const KEEPS: bool = false;
    const OF_OUTPUT: bool = true;

    #[inline(always)]
    fn second<R: Real>(x: R, _: R, _: R) -> Partial<R> {
        (x, R::of(-0.0))
    }
}

/// The rows that a formula runs over, of `row_len` adjacent elements each.
pub(crate) struct Slices<'a, T> {
    pub(crate) row_len: usize,
    /// `None` if the function runs in place.
    pub(crate) x: Option<&'a [T]>,
    /// `None` if the formula needs no gradient.
    pub(crate) grad_y: Option<&'a [T]>,
    /// Empty if nothing is written.
    pub(crate) y: &'a mut [T],
}

impl<'a, T> Slices<'a, T> {
    /// A part of a row, or all of it, that is only read.
    pub(crate) fn read(x: &'a [T], grad_y: Option<&'a [T]>) -> Self {
        Self { row_len: x.len(), x: Some(x), grad_y, y: &mut [] }
    }
}

impl<T> Slices<'_, T> {
    /// The elements, in `x` or in `y`.
    pub(crate) fn x(&self) -> &[T] {
        self.x.unwrap_or(self.y)
    }

    /// Part of them.
    pub(crate) fn part(&mut self, range: Range<usize>) -> Slices<'_, T> {
        Slices {
            row_len: self.row_len,
            x: self.x.map(|x| &x[range.clone()]),
            grad_y: self.grad_y.map(|grad_y| &grad_y[range.clone()]),
            y: if self.y.is_empty() { &mut [] } else { &mut self.y[range] },
        }
    }

    /// Calls `f` with the same part of each row.
    pub(crate) fn part_of_each(&mut self, range: Range<usize>, f: OfPart<'_, T>) {
        let row_len = self.row_len;
        for row in 0..self.x().len() / row_len {
            let mut part = self.part(row * row_len + range.start..row * row_len + range.end);
            part.row_len = range.len();
            f(row, part);
        }
    }
}

/// How many rows are processed by parts at a time, at most. Rows that lie side by side share cache lines.
pub(crate) const PARTED: usize = 8;

/// A function that takes the number of a row and a part of it.
pub(crate) type OfPart<'a, T> = &'a mut dyn FnMut(usize, Slices<'_, T>);

/// Calls a function with a part of each row, and then writes its output if the flag is true.
pub(crate) type Parts<'a, T> = &'a mut dyn FnMut(Range<usize>, bool, OfPart<'_, T>);
