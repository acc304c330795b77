//! The elements of rows that are left after the whole columns, as columns.

use super::formula::{Accumulate, Slices};
use super::reduce::LANES;
use crate::kernel::dispatch::{Task, dispatch};
use crate::kernel::element::{Float, Lane};
use crate::kernel::level::Level;

/// The elements of each of G rows that are left after the whole columns.
///
/// Aligned to cache lines, like [`Sums`](super::reduce::Sums).
#[repr(align(64))]
pub(crate) struct Tails<T, const G: usize> {
    /// The last elements end in the middle. Then comes padding, so that they also begin a column.
    pub(crate) x: [[T; 2 * LANES]; G],
    pub(crate) grad_y: [[T; 2 * LANES]; G],
    /// Their exponentials or results, at the start of a column.
    pub(crate) e: [[T; LANES]; G],
    /// What `x` is padded with.
    padding: T,
}

impl<T: Float, const G: usize> Tails<T, G> {
    pub(crate) fn new() -> Self {
        let zeros = [[T::zero(); 2 * LANES]; G];
        Self { x: zeros, grad_y: zeros, e: [[T::zero(); LANES]; G], padding: T::zero() }
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
        if self.padding != padding {
            self.padding = padding;
            for x in &mut self.x {
                *x = [padding; 2 * LANES];
            }
        }
        dispatch(level, Take { x: slices.x(), grad_y: slices.grad_y, row_len, tails: self });
    }

    /// The elements that are left of a row, and their gradients, as columns; and the row's `e`.
    #[inline(always)]
    pub(crate) fn of_row(&mut self, row: usize, left: usize) -> (&[T], &[T], &mut [T]) {
        let column = LANES - left..2 * LANES - left;
        (&self.x[row][column.clone()], &self.grad_y[row][column], &mut self.e[row])
    }

    /// Gives what `e` holds to the ends of the rows.
    pub(crate) fn give(&self, level: Level, row_len: usize, y: &mut [T]) {
        if !row_len.is_multiple_of(LANES) {
            dispatch(level, Give { e: &self.e, row_len, y });
        }
    }
}

/// See [`Tails::take`]. A task, like [`Give`], because it is the same for all sums.
struct Take<'a, T, const G: usize> {
    x: &'a [T],
    grad_y: Option<&'a [T]>,
    row_len: usize,
    tails: &'a mut Tails<T, G>,
}

impl<T: Float, const G: usize> Task<T> for Take<'_, T, G> {
    type Output = ();
    type Home = Self;

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        let Self { x, grad_y, row_len, tails } = self;
        take(x, row_len, &mut tails.x);
        if let Some(grad_y) = grad_y {
            take(grad_y, row_len, &mut tails.grad_y);
        }
    }
}

/// See [`Tails::give`].
struct Give<'a, T, const G: usize> {
    e: &'a [[T; LANES]; G],
    row_len: usize,
    y: &'a mut [T],
}

impl<T: Float, const G: usize> Task<T> for Give<'_, T, G> {
    type Output = ();
    type Home = Self;

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        let Self { e, row_len, y } = self;
        let left = row_len % LANES;
        for (e, row) in e.iter().zip(y.chunks_exact_mut(row_len)) {
            copy_column(e, &mut row[row_len - left..]);
        }
    }
}

/// Puts the last elements of each row before the middle.
#[inline(always)]
fn take<T: Float, const G: usize>(elements: &[T], row_len: usize, tails: &mut [[T; 2 * LANES]; G]) {
    let left = row_len % LANES;
    for (tail, row) in tails.iter_mut().zip(elements.chunks_exact(row_len)) {
        if row_len < LANES {
            copy_column(row, &mut tail[LANES - left..LANES]);
        } else {
            copy_column(&row[row_len - LANES..], &mut tail[..LANES]);
        }
    }
}

/// Copies as many elements as both slices have, up to [`LANES`], by two pieces that may overlap.
#[inline(always)]
pub(crate) fn copy_column<T: Copy>(from: &[T], to: &mut [T]) {
    // Copies arrays, because copying a slice is a function call in builds with the standard library's assertions.
    if let (Some(from), Some(to)) = (from.first_chunk::<LANES>(), to.first_chunk_mut::<LANES>()) {
        *to = *from;
        return;
    }
    macro_rules! pieces {
        ($($length:literal)*) => {$(
            if let (Some(start), Some(to_start)) = (from.first_chunk::<$length>(), to.first_chunk_mut::<$length>()) {
                *to_start = *start;
                let len = from.len().min(to.len()).min(2 * $length);
                if let (Some(end), Some(to_end)) =
                    (from[..len].last_chunk::<$length>(), to[..len].last_chunk_mut::<$length>())
                {
                    *to_end = *end;
                }
                return;
            }
        )*};
    }
    pieces!(16 8 4 2 1);
}
