//! Exponentials of columns, and their sums.

use core::array::{from_mut, from_ref};

use super::formula::{Accumulate, Slices};
use super::reduce::{DEPTH, LANES, Sums};
use super::stats::{OfRow, ScaleOf, Stats};
use super::tails::Tails;
use crate::kernel::abreast::Abreast;
use crate::kernel::element::{Float, Lane};
use crate::kernel::real::Real;
use crate::kernel::sweep::abreast;

/// Computes the exponentials of N columns and adds them to the sums: one sum for all columns, or one for each. `e` receives the
/// exponentials, if they are kept.
///
/// A function of its own, because LLVM knows only of a function's arguments that they do not overlap.
#[inline(always)]
fn block<T: Float, R: Lane<T>, K: Accumulate, const W: usize, const N: usize, const SUMS: usize>(
    x: &[[T; W]; N],
    grad_y: &[[T; W]; N],
    e: &mut [[T; W]; N],
    scales: &[impl ScaleOf<T, R>; SUMS],
    first: &mut [Sums<R, W>; SUMS],
    second: &mut [Sums<R, W>; SUMS],
) {
    for i in 0..W {
        let mut top = Abreast::<R, N>::splat(scales[0].top(i));
        let mut exp = top;
        // One after another, because side by side they would need more registers than there are.
        macro_rules! each {
            ($($n:literal $lane:tt)*) => {$(
                if const { N > $n } {
                    let (x, scale) = (R::load(x[$n][i]), scales[$n % SUMS]);
                    top.$lane = scale.top(i);
                    exp.$lane = if K::OF_OUTPUT { x } else { K::exp(&scale.exp(i), x) };
                }
            )*};
        }
        each!(0 0 1 1 2 2 3 3);
        let grad_y = if K::SECOND { Abreast::gather(grad_y, i) } else { exp };
        if const { SUMS == 1 } {
            add_up::<R, K, W, N>(i, exp, top, grad_y, &mut first[0], &mut second[0]);
        } else {
            macro_rules! each {
                ($($n:literal $lane:tt)*) => {$(
                    if const { N > $n } {
                        let (exp, top) = (Abreast::splat(exp.$lane), Abreast::splat(top.$lane));
                        let grad_y = Abreast::splat(grad_y.$lane);
                        add_up::<R, K, W, 1>(i, exp, top, grad_y, &mut first[$n], &mut second[$n]);
                    }
                )*};
            }
            each!(0 0 1 1 2 2 3 3);
        }
        if K::KEEPS {
            exp.scatter(e, i);
        }
    }
}

/// Adds the terms to lane i of the sums.
#[inline(always)]
fn add_up<R: Real, K: Accumulate, const W: usize, const N: usize>(
    i: usize,
    exp: Abreast<R, N>,
    top: Abreast<R, N>,
    grad_y: Abreast<R, N>,
    first: &mut Sums<R, W>,
    second: &mut Sums<R, W>,
) {
    if K::FAST {
        first.count(i, exp);
    } else if !K::OF_OUTPUT {
        first.add_bounded(i, K::first(exp, top));
    }
    if K::COUNTS {
        second.count(i, K::second(exp, top, exp).0);
    } else if K::SECOND {
        second.add(i, K::second(exp, top, grad_y));
    }
}

/// Computes the exponentials of whole blocks of [`DEPTH`] columns and adds them to the sums. `e` receives the exponentials, if
/// they are kept. Without `x`, `e` holds the elements.
#[inline(always)]
fn whole_blocks<T: Float, R: Lane<T>, K: Accumulate, const W: usize>(
    x: Option<&[[T; W]]>,
    grad_y: Option<&[[T; W]]>,
    e: &mut [[T; W]],
    scales: impl ScaleOf<T, R>,
    first: &mut Sums<R, W>,
    second: &mut Sums<R, W>,
) {
    let (scales, first, second) = (&[scales], from_mut(first), from_mut(second));
    let grad_blocks = grad_y.map(|grad_y| grad_y.as_chunks::<DEPTH>().0);
    if K::KEEPS {
        let x_blocks = x.map(|x| x.as_chunks::<DEPTH>().0);
        for (b, e) in e.as_chunks_mut::<DEPTH>().0.iter_mut().enumerate() {
            // Only where it is needed: an output that is not read first need not come from memory before it is written.
            let copy;
            let x = match x_blocks {
                Some(x) => &x[b],
                None => {
                    copy = *e;
                    &copy
                }
            };
            let grad_y = grad_blocks.map_or(x, |grad_y| &grad_y[b]);
            block::<T, R, K, W, DEPTH, 1>(x, grad_y, e, scales, first, second);
        }
    } else {
        for (b, x) in x.unwrap_or(e).as_chunks::<DEPTH>().0.iter().enumerate() {
            let grad_y = grad_blocks.map_or(x, |grad_y| &grad_y[b]);
            block::<T, R, K, W, DEPTH, 1>(x, grad_y, &mut [[T::zero(); W]; DEPTH], scales, first, second);
        }
    }
}

/// Computes the exponentials of columns, in place if they are kept, and adds them to the sums.
#[inline(always)]
pub(crate) fn exponentials<T: Float, R: Lane<T>, K: Accumulate, const W: usize>(
    columns: &mut [[T; W]],
    grad_y: Option<&[[T; W]]>,
    scales: impl ScaleOf<T, R>,
    first: &mut Sums<R, W>,
    second: &mut Sums<R, W>,
) {
    whole_blocks::<T, R, K, W>(None, grad_y, columns, scales, first, second);
    let (scales, first, second) = (&[scales], from_mut(first), from_mut(second));
    let grad_rest = grad_y.map(|grad_y| grad_y.as_chunks::<DEPTH>().1);
    for (b, e) in columns.as_chunks_mut::<DEPTH>().1.iter_mut().enumerate() {
        let x = &[*e];
        let grad_y = grad_rest.map_or(x, |grad_y| from_ref(&grad_y[b]));
        block::<T, R, K, W, 1, 1>(x, grad_y, from_mut(e), scales, first, second);
    }
}

/// Computes the exponentials of up to G rows, or of a part of one, and adds them to the sums. `tails` already holds the elements
/// that are left after the whole columns.
#[inline(always)]
pub(crate) fn of_rows<T: Float, R: Lane<T>, K: Accumulate, const G: usize>(
    slices: &mut Slices<'_, T>,
    tails: &mut Tails<T, G>,
    stats: &Stats<T>,
    first_row: usize,
    first: &mut [Sums<R, LANES>; G],
    second: &mut [Sums<R, LANES>; G],
) {
    const BLOCK: usize = DEPTH * LANES;
    let row_len = slices.row_len;
    let rows = (slices.x().len() / row_len).min(G);
    if row_len >= BLOCK {
        for row in 0..rows {
            let (from, to) = (row * row_len, (row + 1) * row_len);
            let (x, grad_y) = (
                slices.x.map(|x| x[from..to].as_chunks().0),
                slices.grad_y.map(|grad_y| grad_y[from..to].as_chunks().0),
            );
            let y = if K::KEEPS || x.is_none() { slices.y[from..to].as_chunks_mut().0 } else { &mut [] };
            let scale = OfRow::<R>::of(stats, first_row + row);
            whole_blocks::<T, R, K, LANES>(x, grad_y, y, scale, &mut first[row], &mut second[row]);
        }
    }
    let mut start = row_len - row_len % BLOCK;
    while start < row_len {
        let mut row = 0;
        // Several rows at a time, because their chains of operations do not wait for one another. Products need too many registers.
        if const { G >= DEPTH && abreast::<R>(DEPTH) > 1 && (K::COUNTS || !K::SECOND) } {
            while row + DEPTH <= rows {
                column_of_rows::<T, R, K, G, DEPTH>(slices, tails, stats, first_row, row, start, first, second);
                row += DEPTH;
            }
        }
        while row < rows {
            column_of_rows::<T, R, K, G, 1>(slices, tails, stats, first_row, row, start, first, second);
            row += 1;
        }
        start += LANES;
    }
}

/// The column that begins at `start`, in each of N rows from row number `row` on.
#[inline(always)]
fn column_of_rows<T: Float, R: Lane<T>, K: Accumulate, const G: usize, const N: usize>(
    slices: &mut Slices<'_, T>,
    tails: &mut Tails<T, G>,
    stats: &Stats<T>,
    first_row: usize,
    row: usize,
    start: usize,
    first: &mut [Sums<R, LANES>; G],
    second: &mut [Sums<R, LANES>; G],
) {
    let row_len = slices.row_len;
    let whole = start + LANES <= row_len;
    let (from, stride) = if whole { (start, row_len) } else { (LANES - (row_len - start), 2 * LANES) };
    let mut x = [[T::zero(); LANES]; N];
    let mut grad_y = [[T::zero(); LANES]; N];
    let mut scales = [OfRow::<R>::of(stats, first_row + row); N];
    let elements = if whole { slices.x() } else { tails.x.as_flattened() };
    let gradients = if whole { slices.grad_y.unwrap_or(&[]) } else { tails.grad_y.as_flattened() };
    for n in 0..N {
        let at = (row + n) * stride + from;
        // Copies arrays, because copying a slice is a function call in builds with the standard library's assertions.
        if let Some(column) = elements[at..].first_chunk() {
            x[n] = *column;
        }
        if K::SECOND
            && slices.grad_y.is_some()
            && let Some(column) = gradients[at..].first_chunk()
        {
            grad_y[n] = *column;
        }
        scales[n] = OfRow::of(stats, first_row + row + n);
    }
    let mut e = x;
    let (first, second) = (first[row..].first_chunk_mut::<N>(), second[row..].first_chunk_mut::<N>());
    let (Some(first), Some(second)) = (first, second) else { return };
    block::<T, R, K, LANES, N, N>(&x, &grad_y, &mut e, &scales, first, second);
    if K::KEEPS {
        let (y, from, stride) =
            if whole { (&mut *slices.y, start, row_len) } else { (tails.e.as_flattened_mut(), 0, LANES) };
        for n in 0..N {
            if let Some(column) = y[(row + n) * stride + from..].first_chunk_mut() {
                *column = e[n];
            }
        }
    }
}
