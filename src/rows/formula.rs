//! What a function of rows is: a formula of an element's exponential, and of sums over the row.

use core::ops::Range;

use super::reduce::Partial;
use super::stats::{Offset, Row};
use crate::kernel::element::{Float, Kernel};
use crate::kernel::level::Level;
use crate::kernel::real::Real;
use crate::math::RowExp;

/// Numbers that a formula may keep of a row.
pub(crate) const CONSTANTS: usize = 4;
pub(crate) type Constants<R> = [R; CONSTANTS];

/// A function of rows, as a formula of an element's exponential and of sums over the row.
pub(crate) trait RowFormula: Copy {
    /// What is summed with the exponentials.
    type Sums: Accumulate;

    /// Whether the second sum is that of the gradients.
    const SUMS_GRADIENTS: bool = false;

    /// Whether the result takes the exponential, which the output keeps until the sums are known, or the element.
    const OF_EXP: bool = true;

    /// Whether the result takes the gradient.
    const OF_GRADIENT: bool = false;

    /// What the results need to know of the row. If the first of them is NaN, so are they.
    fn constants<R: Real>(self, row: &Row<R>) -> Constants<R>;

    /// The result of an element, or of its exponential.
    fn result<R: Real>(self, of: R, grad_y: R, constants: &Constants<R>) -> R;

    /// Runs over `f32`: see [`compiled_rows`].
    fn run_f32(self, level: Level, rows: Rows<'_, f32>);

    /// See [`run_f32`](Self::run_f32).
    fn run_f64(self, level: Level, rows: Rows<'_, f64>);
}

/// Makes this crate compile what runs a formula, for each float: stands in its [`RowFormula`].
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

/// What a formula runs over.
pub(crate) enum Rows<'a, T> {
    /// Rows in slices.
    Slices(Slices<'a, T>),
    /// Some long rows, by parts: see [`long`](super::engine::long).
    Parts { rows: usize, row_len: usize, part: Parts<'a, T> },
}

/// What is summed over a row.
pub(crate) trait Accumulate: Copy {
    /// Whether there is a second sum.
    const SECOND: bool = false;

    /// Whether the second sum counts: whole numbers, which need no second digit.
    const COUNTS: bool = false;

    /// Whether the output keeps the exponentials.
    const KEEPS: bool = true;

    /// Whether the elements are a function's outputs: they stand for exponentials as they are, and only the second sum is
    /// taken, whose additions are rounded at the end.
    const OF_OUTPUT: bool = false;

    /// Whether exponentials are [`Fast`](crate::Fast).
    const FAST: bool = false;

    /// For exponentials whose sums are not added to others.
    const OFFSET: Offset = if Self::FAST { Offset::Fast } else { Offset::Below };

    /// What an element adds to the first sum: from 0 to the exponential `e`. `top` is the greatest exponential.
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

    /// What an element adds to the second sum: any number, and what rounding took away from it.
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

/// The exponentials, as `Fast` has them.
#[derive(Clone, Copy)]
pub(crate) struct FastTotal;

impl Accumulate for FastTotal {
    const FAST: bool = true;
}

/// Nothing: the elements are outputs.
#[derive(Clone, Copy)]
pub(crate) struct Nothing;

impl Accumulate for Nothing {
    const KEEPS: bool = false;
    const OF_OUTPUT: bool = true;
}

/// The elements themselves: those of a gradient.
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
    /// `None`: in place.
    pub(crate) x: Option<&'a [T]>,
    /// `None`: the formula needs no gradient.
    pub(crate) grad_y: Option<&'a [T]>,
    pub(crate) y: &'a mut [T],
}

impl<'a, T> Slices<'a, T> {
    /// A part of a row, or all of it, that is only read.
    pub(crate) fn read(x: &'a [T], grad_y: Option<&'a [T]>) -> Self {
        Self { row_len: x.len(), x: Some(x), grad_y, y: &mut [] }
    }
}

impl<T> Slices<'_, T> {
    /// The elements, wherever they are.
    pub(crate) fn x(&self) -> &[T] {
        self.x.unwrap_or(self.y)
    }

    /// Part of them.
    pub(crate) fn part(&mut self, range: Range<usize>) -> Slices<'_, T> {
        Slices {
            row_len: self.row_len,
            x: self.x.map(|x| &x[range.clone()]),
            grad_y: self.grad_y.map(|grad_y| &grad_y[range.clone()]),
            y: &mut self.y[range],
        }
    }
}

/// The most rows that are taken by parts at a time: neighbours in memory if rows lie side by side.
pub(crate) const PARTED: usize = 8;

/// A function that is given the number of a row, and a part of it as slices.
pub(crate) type OfPart<'a, T> = &'a mut dyn FnMut(usize, Slices<'_, T>);

/// Calls a function with a part of each row, and afterwards writes its output if this is asked for.
pub(crate) type Parts<'a, T> = &'a mut dyn FnMut(Range<usize>, bool, OfPart<'_, T>);
