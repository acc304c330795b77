//! Exponentials of columns, and their sums.

use core::array::{from_mut, from_ref};

use super::finish::copy_column;
use super::formula::{Accumulate, Slices};
use super::reduce::{DEPTH, LANES, Sums};
use super::stats::{OfRow, ScaleOf, Stats};
use crate::kernel::abreast::Abreast;
use crate::kernel::dispatch::{Task, dispatch};
use crate::kernel::element::{Float, Lane};
use crate::kernel::level::Level;
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

/// The elements of each of G rows that are left after the whole columns, with room for a whole column around them.
#[repr(align(64))]
pub(crate) struct Tails<T, const G: usize> {
    x: [[T; 2 * LANES]; G],
    grad_y: [[T; 2 * LANES]; G],
}

impl<T: Float, const G: usize> Tails<T, G> {
    pub(crate) fn new() -> Self {
        Self { x: [[T::zero(); 2 * LANES]; G], grad_y: [[T::zero(); 2 * LANES]; G] }
    }

    /// Copies the last elements of each row. This happens long before they are read, because they are written in pieces and read
    /// as one vector, and such a read waits until all pieces have reached the cache.
    pub(crate) fn take<K: Accumulate>(&mut self, level: Level, slices: &Slices<'_, T>) {
        let row_len = slices.row_len;
        if row_len.is_multiple_of(LANES) {
            return;
        }
        // Fills the missing elements of a column with the neutral element.
        let padding = if K::OF_OUTPUT { T::zero() } else { T::neg_infinity() };
        let grad_y = if K::SECOND { slices.grad_y } else { None };
        dispatch(level, Take { x: slices.x(), grad_y, row_len, padding, tails: self });
    }

    /// Gives back the exponentials, if they are kept.
    pub(crate) fn give<K: Accumulate>(&mut self, level: Level, row_len: usize, y: &mut [T]) {
        if K::KEEPS && !row_len.is_multiple_of(LANES) {
            dispatch(level, Give { tails: &mut self.x, row_len, y });
        }
    }
}

/// See [`Tails::take`]. A task, like [`Give`], because it is the same for all sums.
struct Take<'a, T, const G: usize> {
    x: &'a [T],
    grad_y: Option<&'a [T]>,
    row_len: usize,
    padding: T,
    tails: &'a mut Tails<T, G>,
}

impl<T: Float, const G: usize> Task<T> for Take<'_, T, G> {
    type Output = ();
    type Home = Self;

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        let Self { x, grad_y, row_len, padding, tails } = self;
        take(x, row_len, padding, &mut tails.x);
        if let Some(grad_y) = grad_y {
            take(grad_y, row_len, T::zero(), &mut tails.grad_y);
        }
    }
}

/// See [`Tails::give`].
struct Give<'a, T, const G: usize> {
    tails: &'a mut [[T; 2 * LANES]; G],
    row_len: usize,
    y: &'a mut [T],
}

impl<T: Float, const G: usize> Task<T> for Give<'_, T, G> {
    type Output = ();
    type Home = Self;

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        let Self { tails, row_len, y } = self;
        let left = row_len % LANES;
        if row_len < LANES {
            for (tail, row) in tails.iter().zip(y.chunks_exact_mut(row_len)) {
                copy_column(&tail[LANES..], row);
            }
            return;
        }
        // Writes the last [`LANES`] elements of each row. Two loops, so that no row waits for its own pieces.
        for (tail, row) in tails.iter_mut().zip(y.chunks_exact(row_len)) {
            copy_column(&row[row_len - left - LANES..], &mut tail[..LANES]);
        }
        for (tail, row) in tails.iter().zip(y.chunks_exact_mut(row_len)) {
            copy_column(&tail[left..], &mut row[row_len - LANES..]);
        }
    }
}

/// Puts the last elements of each row before the middle, and padding after it.
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
        // Several rows at a time, because their chains of operations do not wait for one another.
        if const { G >= DEPTH && abreast::<R>(DEPTH) > 1 } {
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
        let (y, from) = if whole { (&mut *slices.y, from) } else { (tails.x.as_flattened_mut(), LANES) };
        for n in 0..N {
            let at = (row + n) * stride + from;
            if let Some(column) = y[at..].first_chunk_mut() {
                *column = e[n];
            }
        }
    }
}
