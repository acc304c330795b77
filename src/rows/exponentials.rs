//! Exponentials of columns, and what is summed with them.

use core::array::{from_mut, from_ref};

use super::finish::copy_column;
use super::formula::{Accumulate, Slices};
use super::reduce::{DEPTH, LANES, Sums};
use super::stats::{OfRow, ScaleOf, Stats};
use crate::kernel::abreast::Abreast;
use crate::kernel::element::{Float, Lane};
use crate::kernel::real::Real;
use crate::kernel::sweep::abreast;

/// The exponentials of N columns, which `e` keeps if they are kept, and what is summed with them: in one sum for all columns,
/// or in one for each.
///
/// A function, because LLVM knows only of its arguments that they do not overlap.
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
        // One after another: abreast, they would need more registers than there are.
        macro_rules! each {
            ($($n:literal $lane:tt)*) => {$(
                if N > $n {
                    let (x, scale) = (R::load(x[$n][i]), scales[$n % SUMS]);
                    top.$lane = scale.top(i);
                    exp.$lane = if K::OF_OUTPUT { x } else { K::exp(&scale.exp(i), x) };
                }
            )*};
        }
        each!(0 0 1 1 2 2 3 3);
        let grad_y = if K::SECOND { Abreast::gather(grad_y, i) } else { exp };
        if SUMS == 1 {
            add_up::<R, K, W, N>(i, exp, top, grad_y, &mut first[0], &mut second[0]);
        } else {
            macro_rules! each {
                ($($n:literal $lane:tt)*) => {$(
                    if N > $n {
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

/// To lane i of the sums.
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

/// The exponentials of some columns, which the sums take up, and `e` keeps if they are kept. Without `x`, `e` holds the
/// elements. Only whole blocks of [`DEPTH`] columns.
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

/// The exponentials of columns, in place if they are kept, and what is summed with them.
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

/// What whole columns leave over of each of G rows, with room for a whole column around it.
pub(crate) struct Tails<T, const G: usize> {
    x: [[T; 2 * LANES]; G],
    grad_y: [[T; 2 * LANES]; G],
}

impl<T: Float, const G: usize> Tails<T, G> {
    pub(crate) fn new() -> Self {
        Self { x: [[T::zero(); 2 * LANES]; G], grad_y: [[T::zero(); 2 * LANES]; G] }
    }

    /// Takes what is left over of each row: long before it is read, because a CPU waits until what was written by pieces
    /// reaches the cache before it reads it as one.
    #[inline(always)]
    pub(crate) fn take<K: Accumulate>(&mut self, slices: &Slices<'_, T>) {
        // An element that is missing from a column stands for nothing.
        let padding = if K::OF_OUTPUT { T::zero() } else { T::neg_infinity() };
        take(slices.x(), slices.row_len, padding, &mut self.x);
        if K::SECOND
            && let Some(grad_y) = slices.grad_y
        {
            take(grad_y, slices.row_len, T::zero(), &mut self.grad_y);
        }
    }

    /// Gives back the exponentials.
    #[inline(always)]
    fn give(&mut self, row_len: usize, y: &mut [T]) {
        let left = row_len % LANES;
        if row_len < LANES {
            for (tail, row) in self.x.iter().zip(y.chunks_exact_mut(row_len)) {
                copy_column(&tail[LANES..], row);
            }
            return;
        }
        // As the last [`LANES`] elements of the row: in two loops, so that no row waits for its own pieces.
        for (tail, row) in self.x.iter_mut().zip(y.chunks_exact(row_len)) {
            copy_column(&row[row_len - left - LANES..], &mut tail[..LANES]);
        }
        for (tail, row) in self.x.iter().zip(y.chunks_exact_mut(row_len)) {
            copy_column(&tail[left..], &mut row[row_len - LANES..]);
        }
    }
}

/// Puts the last elements of each row in front of the middle, and padding behind it.
#[inline(always)]
fn take<T: Float, const G: usize>(elements: &[T], row_len: usize, padding: T, tails: &mut [[T; 2 * LANES]; G]) {
    let left = row_len % LANES;
    for (tail, row) in tails.iter_mut().zip(elements.chunks_exact(row_len)) {
        let (before, behind) = tail.split_at_mut(LANES);
        behind.fill(padding);
        if row_len < LANES {
            copy_column(row, &mut before[LANES - left..]);
        } else {
            copy_column(&row[row_len - LANES..], before);
        }
    }
}

/// The exponentials of up to G rows, or of a part of one, and what is summed with them. `tails` has taken what whole columns
/// leave over.
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
        // Chains of operations of different rows do not wait for one another.
        while abreast::<R>(DEPTH) > 1 && row + DEPTH <= rows {
            column_of_rows::<T, R, K, G, DEPTH>(slices, tails, stats, first_row, row, start, first, second);
            row += DEPTH;
        }
        while row < rows {
            column_of_rows::<T, R, K, G, 1>(slices, tails, stats, first_row, row, start, first, second);
            row += 1;
        }
        start += LANES;
    }
    if K::KEEPS && !row_len.is_multiple_of(LANES) {
        tails.give(row_len, slices.y);
    }
}

/// A column of each of N rows, from row number `row` on: the one that begins at `start`.
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
        // As arrays: to copy a slice is a call where the standard library's assertions are compiled in.
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
        let (y, from) = if whole { (&mut *slices.y, from) } else { (tails.x.as_flattened_mut(), LANES) };
        for n in 0..N {
            let at = (row + n) * stride + from;
            if let Some(column) = y[at..].first_chunk_mut() {
                *column = e[n];
            }
        }
    }
}
