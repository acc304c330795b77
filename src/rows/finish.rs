//! The results of rows, from exponentials, gradients, and the rows' greatest elements and sums.

use super::formula::{CONSTANTS, RowFormula};
use super::reduce::LANES;
use super::stats::{GROUP, Stats};
use super::tails::{Tails, copy_column};
use crate::kernel::dispatch::Task;
use crate::kernel::element::{Float, Lane};
use crate::kernel::sweep::unaligned;

/// The results of some rows, or of a part of one.
pub(crate) struct Finish<'a, T, F> {
    pub(crate) formula: F,
    pub(crate) row_len: usize,
    /// `None` if the elements, or their exponentials, are in `y`.
    pub(crate) x: Option<&'a [T]>,
    pub(crate) grad_y: Option<&'a [T]>,
    pub(crate) y: &'a mut [T],
    pub(crate) stats: &'a Stats<T>,
    /// The number of the first row in `stats`.
    pub(crate) row: usize,
    /// The ends of the rows, after the whole columns. They receive their results in `e`. If there are none, the slices have whole rows.
    pub(crate) tails: Option<&'a mut Tails<T, GROUP>>,
}

impl<T: Float, F: RowFormula> Task<T> for Finish<'_, T, F> {
    type Output = ();
    type Home = F;

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        let Self { formula, row_len, x, grad_y, y, stats, row: first, tails } = self;
        let row_len = row_len.min(y.len()).max(1);
        let left = if tails.is_some() { row_len % LANES } else { 0 };
        let (x, grad_y) = (if F::OF_EXP { None } else { x }, if F::OF_GRADIENT { grad_y } else { None });
        let constants = constants::<T, R, F, GROUP>(formula, stats);
        let mut ends = [[T::zero(); LANES]; 2];
        for (i, y) in y.chunks_exact_mut(row_len).enumerate() {
            let range = i * row_len..(i + 1) * row_len - left;
            let row = (first + i) % GROUP;
            let constants = &[constants[0][row], constants[1][row], constants[2][row], constants[3][row]];
            results::<T, R>(
                #[inline(always)]
                |of, grad_y| formula.result(of, grad_y, constants),
                x.map(|x| &x[range.clone()]),
                grad_y.map(|grad_y| &grad_y[range]),
                &mut y[..row_len - left],
                &mut ends,
            );
        }
        let Some(tails) = tails.filter(|_| left > 0) else { return };
        for i in 0..y.len() / row_len {
            let row = (first + i) % GROUP;
            let constants = &[constants[0][row], constants[1][row], constants[2][row], constants[3][row]];
            let (x, of_grad_y, e) = tails.of_row(i, left);
            // As in `results`.
            let count = LANES.min(!row_len);
            columns::<T, R>(
                #[inline(always)]
                |of, grad_y| formula.result(of, grad_y, constants),
                if F::OF_EXP { None } else { Some(&x[..count]) },
                grad_y.map(|_| &of_grad_y[..count]),
                &mut e[..count],
            );
        }
    }
}

/// The results of a row, or of a part of it, by whole columns. The columns at the ends overlap with their neighbours, so some
/// elements are computed twice. Without `x`, `y` holds the elements. `results` is room for the ends, made once for all rows.
#[inline(always)]
pub(crate) fn results<T: Float, R: Lane<T>>(
    formula: impl Fn(R, R) -> R + Copy,
    x: Option<&[T]>,
    grad_y: Option<&[T]>,
    y: &mut [T],
    results: &mut [[T; LANES]; 2],
) {
    let len = y.len();
    let at = unaligned(y);
    let tail = len.saturating_sub(LANES);
    let ends = usize::from(!(len - at).is_multiple_of(LANES)) + 2 * usize::from(at > 0);
    // The ends come first, because the columns between them overwrite some of their inputs.
    for (end, start) in [tail, 0].into_iter().enumerate() {
        if ends & (end + 1) == 0 {
            continue;
        }
        let (mut short, mut short_grad) = (results[end], results[end]);
        let (x, grad_y) = (x.map(|x| &x[start..]), grad_y.map(|grad_y| &grad_y[start..]));
        let (x, grad_y) = (x.map(|x| column(x, &mut short)), grad_y.map(|grad_y| column(grad_y, &mut short_grad)));
        copy_column(&y[start..], &mut results[end]);
        // This is always LANES, but LLVM does not know that. It would compile a loop of a known, short length to scalars.
        let count = LANES.min(!len);
        let (x, grad_y) = (x.map(|x| &x[..count]), grad_y.map(|grad_y| &grad_y[..count]));
        columns::<T, R>(formula, x, grad_y, &mut results[end][..count]);
    }
    columns::<T, R>(formula, x.map(|x| &x[at..]), grad_y.map(|grad_y| &grad_y[at..]), &mut y[at..]);
    if ends & 1 != 0 {
        copy_column(&results[0], &mut y[tail..]);
    }
    if ends & 2 != 0 {
        copy_column(&results[1], y);
    }
}

#[inline(always)]
fn whole_columns<T>(of: &[T]) -> &[T] {
    of.as_chunks::<LANES>().0.as_flattened()
}

/// The results of whole columns.
///
/// A function of its own, because LLVM knows only of a function's arguments that they do not overlap. One loop over all columns, because
/// LLVM would compile a loop over a single column to scalars.
#[inline(always)]
fn columns<T: Float, R: Lane<T>>(formula: impl Fn(R, R) -> R, x: Option<&[T]>, grad_y: Option<&[T]>, y: &mut [T]) {
    let (x, grad_y) = (x.map(whole_columns), grad_y.map(whole_columns));
    let y = y.as_chunks_mut::<LANES>().0.as_flattened_mut();
    match (x, grad_y) {
        (None, None) => {
            for y in y {
                *y = formula(R::load(*y), R::of(0.0)).store();
            }
        }
        (None, Some(grad_y)) => {
            for (y, &grad_y) in y.iter_mut().zip(grad_y) {
                *y = formula(R::load(*y), R::load(grad_y)).store();
            }
        }
        (Some(x), None) => {
            for (y, &x) in y.iter_mut().zip(x) {
                *y = formula(R::load(x), R::of(0.0)).store();
            }
        }
        (Some(x), Some(grad_y)) => {
            for ((y, &x), &grad_y) in y.iter_mut().zip(x).zip(grad_y) {
                *y = formula(R::load(x), R::load(grad_y)).store();
            }
        }
    }
}

/// The first elements, as one column: a padded copy of them if there are fewer.
#[inline(always)]
pub(crate) fn column<'a, T: Copy>(elements: &'a [T], short: &'a mut [T; LANES]) -> &'a [T] {
    if elements.len() >= LANES {
        return &elements[..LANES];
    }
    copy_column(elements, short);
    short
}

/// The formula's constants of each row, as one array for each constant.
#[inline(always)]
pub(crate) fn constants<T: Float, R: Lane<T>, F: RowFormula, const W: usize>(
    formula: F,
    stats: &Stats<T>,
) -> [[R; W]; CONSTANTS] {
    let mut constants = [[R::of(0.0); W]; CONSTANTS];
    for i in 0..W {
        let row = stats.row::<R>(i);
        let of_row = formula.constants(&row);
        // The first constant is NaN for a row with NaN or infinity, or of nothing but -inf.
        constants[0][i] = of_row[0] - row.greatest.abs() * R::of(0.0);
        (constants[1][i], constants[2][i], constants[3][i]) = (of_row[1], of_row[2], of_row[3]);
    }
    constants
}
