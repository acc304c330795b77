//! Rows side by side, each in a lane of its own. Their sums are added in the same order as for a single row, whose elements are
//! in several lanes, so the bits are the same.

use core::marker::PhantomData;

use super::formula::{Accumulate, RowFormula};
use super::reduce::{DEPTH, LANES, normalised, seed};
use super::stats::{Column, SIDE, Stats};
use crate::kernel::abreast::Abreast;
use crate::kernel::dispatch::Task;
use crate::kernel::element::{Float, Lane};
use crate::kernel::real::Real;
use crate::math::{RowExp, fast_two_sum};

/// Rows of up to this length may lie side by side. A row of two whole columns is faster alone.
pub(crate) const WIDE: usize = 2 * LANES - 1;

/// `WIDE`, rounded up to the number of columns that are reduced at a time.
pub(crate) const WIDE_COLUMNS: usize = WIDE.next_multiple_of(DEPTH);

/// How many of the rows to compute side by side. An empty lane costs as much as a row, so this is not worth it for a few rows.
pub(crate) fn whole_sides(rows: usize, row_len: usize) -> usize {
    let left = rows % SIDE;
    if 2 * left > row_len { rows } else { rows - left }
}

/// Whether the sums of the formula can be computed side by side for rows of more than [`SHORT`](super::stats::SHORT) elements.
pub(crate) const fn can_by_lanes<F: RowFormula>() -> bool {
    // The sums of `Fast` depend on the order of the additions.
    !F::Sums::FAST && !F::SUMS_GRADIENTS && !F::Sums::OF_OUTPUT && (F::Sums::COUNTS || !F::Sums::SECOND)
}

/// Computes the exponentials of each row, whose scale is known, and their sums. Sum number c is of the columns c and c +
/// [`LANES`]. The number of columns is `row_len` rounded up to a multiple of [`DEPTH`], and at most [`WIDE_COLUMNS`].
pub(crate) struct ByLanes<'a, T, K> {
    pub(crate) sums: PhantomData<K>,
    pub(crate) row_len: usize,
    /// The exponentials overwrite the elements, if they are kept.
    pub(crate) columns: &'a mut [Column<T>],
    pub(crate) stats: &'a mut Stats<T>,
}

/// The sums of each row: the high parts and the counts. They add without rounding, so their order does not matter.
struct Totals<R> {
    hi: [R; SIDE],
    counts: [R; SIDE],
}

impl<T: Float, K: Accumulate> Task<T> for ByLanes<'_, T, K> {
    type Output = ();
    type Home = K;

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        const BLOCKS: usize = LANES / DEPTH;

        let Self { row_len, columns, stats, .. } = self;
        let zeros = [R::of(0.0); SIDE];
        let mut totals = Totals { hi: zeros, counts: zeros };
        // The last block may have missing columns. The exponential of -inf is 0, so they change nothing.
        columns[row_len..].fill([T::neg_infinity(); SIDE]);
        let (blocks, _) = columns.as_chunks_mut::<DEPTH>();
        let mut lo = [zeros; BLOCKS];
        for (b, of_block) in lo.iter_mut().enumerate().take(blocks.len()) {
            let mut lanes = Lanes { hi: [[seed(); SIDE]; DEPTH], lo: [zeros; DEPTH] };
            let mut at = b;
            while at < blocks.len() {
                block::<T, R, K>(&mut blocks[at], stats, &mut lanes.hi, &mut lanes.lo, &mut totals.counts);
                at += BLOCKS;
            }
            lanes.add_up(&mut totals.hi, of_block);
        }
        let [a, b, c, d, e, f, g, h] = &lo;
        let mut all = zeros;
        for i in 0..SIDE {
            all[i] = ((a[i] + b[i]) + (c[i] + d[i])) + ((e[i] + f[i]) + (g[i] + h[i]));
        }
        let (hi, lo) = normalised(totals.hi, all);
        let Stats { first, second, .. } = stats;
        for i in 0..SIDE {
            (first.0[i], first.1[i]) = (hi[i].store(), lo[i].store());
            if K::COUNTS {
                (second.0[i], second.1[i]) = (totals.counts[i].store(), T::zero());
            }
        }
    }
}

/// For each row, the sums that belong to one block of columns.
struct Lanes<R> {
    hi: [[R; SIDE]; DEPTH],
    lo: [[R; SIDE]; DEPTH],
}

impl<R: Real> Lanes<R> {
    /// Adds the low parts by pairs, as [`across`](super::reduce::across) does, and the high parts to a total.
    #[inline(always)]
    fn add_up(&self, total: &mut [R; SIDE], lo: &mut [R; SIDE]) {
        for i in 0..SIDE {
            let hi = Abreast::<R, DEPTH>(self.hi[0][i], self.hi[1][i], self.hi[2][i], self.hi[3][i]);
            let of_lanes = Abreast::<R, DEPTH>(self.lo[0][i], self.lo[1][i], self.lo[2][i], self.lo[3][i]);
            total[i] = total[i] + (hi - Abreast::splat(seed())).sum();
            lo[i] = of_lanes.sum();
        }
    }
}

/// Adds a block of columns to the sums, each to its own lane.
///
/// A function of its own, because LLVM knows only of a function's arguments that they do not overlap.
#[inline(always)]
fn block<T: Float, R: Lane<T>, K: Accumulate>(
    columns: &mut [Column<T>; DEPTH],
    stats: &Stats<T>,
    hi: &mut [[R; SIDE]; DEPTH],
    lo: &mut [[R; SIDE]; DEPTH],
    counts: &mut [R; SIDE],
) {
    for i in 0..SIDE {
        let so_far = Abreast::<R, DEPTH>(hi[0][i], hi[1][i], hi[2][i], hi[3][i]);
        let (scale, top): (RowExp<R>, _) = (stats.exp(i), Abreast::<R, DEPTH>::splat(R::load(stats.top[i])));
        let Abreast(a, b, c, d) = Abreast::<R, DEPTH>::gather(columns, i);
        // One after another, because side by side they would need more registers than there are.
        let e = Abreast::<R, DEPTH>(K::exp(&scale, a), K::exp(&scale, b), K::exp(&scale, c), K::exp(&scale, d));
        let (sum, error) = fast_two_sum(so_far, K::first(e, top));
        (hi[0][i], hi[1][i], hi[2][i], hi[3][i]) = (sum.0, sum.1, sum.2, sum.3);
        lo[0][i] = lo[0][i] + error.0;
        lo[1][i] = lo[1][i] + error.1;
        lo[2][i] = lo[2][i] + error.2;
        lo[3][i] = lo[3][i] + error.3;
        if K::COUNTS {
            counts[i] = counts[i] + K::second(e, top, e).0.sum();
        }
        if K::KEEPS {
            e.scatter(columns, i);
        }
    }
}
