//! The greatest element of a row, its exponentials and their sums: loops that are compiled once for each float and level.

use core::marker::PhantomData;
use core::ops::Range;

use num_traits::float::FloatCore;

use super::exponentials::of_rows;
use super::formula::{Accumulate, Slices};
use super::reduce::{
    Greatest, HALF, LANE_CHUNK, LANES, LaneSums, Partial, Sums, across, across_half, halved, marked, normalised,
    paired, total_anything,
};
use super::stats::{GROUP, Offset, PerRow, Stats};
use super::tails::Tails;
use crate::kernel::dispatch::{Task, dispatch};
use crate::kernel::element::{Element, Float, Lane};
use crate::kernel::level::Level;
use crate::kernel::sweep::unaligned;

/// The chunks of a row, whose sums are merged. The last one also takes the rest of the row.
pub(crate) fn chunks(row_len: usize) -> impl DoubleEndedIterator<Item = Range<usize>> {
    let count = (row_len / LANE_CHUNK).max(1);
    (0..count).map(move |chunk| chunk * LANE_CHUNK..if chunk + 1 < count { (chunk + 1) * LANE_CHUNK } else { row_len })
}

/// Cuts a chunk into parts that fit into a tile.
pub(crate) fn parts(chunk: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let end = chunk.end;
    chunk.step_by(LANE_CHUNK).map(move |start| start..end.min(start + LANE_CHUNK))
}

/// The greatest elements of up to [`GROUP`] rows, and the scales of their exponentials.
struct FindGreatest<'a, T, const NAN: bool> {
    x: &'a [T],
    row_len: usize,
    offset: Offset,
    scratch: &'a mut Greatests<T>,
    stats: &'a mut Stats<T>,
}

/// The greatest element of each row in each lane, and sums that are NaN if an element is.
#[repr(align(64))]
struct Greatests<T> {
    max: [[T; HALF]; GROUP],
    sum: [[T; HALF]; GROUP],
}

impl<T: Float> Greatests<T> {
    fn new() -> Self {
        Self { max: [[T::zero(); HALF]; GROUP], sum: [[T::zero(); HALF]; GROUP] }
    }
}

impl<T: Float, const NAN: bool> Task<T> for FindGreatest<'_, T, NAN> {
    type Output = ();
    type Home = Self;

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        let Self { x, row_len, offset, scratch: Greatests { max, sum }, stats } = self;
        for ((x, max), sum) in x.chunks_exact(row_len.max(1)).zip(&mut *max).zip(&mut *sum) {
            let greatest = greatest_of_row::<T, R, NAN>(x);
            let (max_half, sum_half) = (halved(&greatest.max, R::at_least), halved(&greatest.sum, R::add));
            for i in 0..HALF {
                max[i] = max_half[i].store();
                if NAN {
                    sum[i] = sum_half[i].store();
                }
            }
        }
        let mut lanes = [[R::of(0.0); HALF]; GROUP];
        // One loop over all rows, because LLVM would compile a loop over the lanes of one row to scalars.
        for ((lane, &max), &sum) in lanes.as_flattened_mut().iter_mut().zip(max.as_flattened()).zip(sum.as_flattened())
        {
            *lane = if NAN { marked(R::load(max), R::load(sum)) } else { R::load(max) };
        }
        stats.scale(&across_half(&lanes, R::at_least), offset);
    }
}

/// Finds the scales of the exponentials of some rows from their greatest elements.
pub(crate) fn find_scales<T: Float>(level: Level, greatest: &[T], offset: Offset, stats: &mut Stats<T>) {
    let mut x = [[T::zero(); LANES]; GROUP];
    for (x, &greatest) in x.iter_mut().zip(greatest) {
        *x = [greatest; LANES];
    }
    let x = x[..greatest.len()].as_flattened();
    dispatch(level, FindGreatest::<_, true> { x, row_len: LANES, offset, scratch: &mut Greatests::new(), stats });
}

/// The greatest element of a row in each lane.
#[inline(always)]
fn greatest_of_row<T: Float, R: Lane<T>, const NAN: bool>(x: &[T]) -> Greatest<R, LANES, NAN> {
    let mut greatest = Greatest::new();
    if x.len() < LANES {
        greatest.take(&[padded(x, T::neg_infinity())]);
        return greatest;
    }
    let at = unaligned(x);
    let (columns, rest) = x[at..].as_chunks();
    greatest.take(columns);
    // The columns at the ends overlap with their neighbours. Taking an element twice does not matter.
    if at > 0 {
        greatest.take(&x.as_chunks::<LANES>().0[..1]);
    }
    if !rest.is_empty() {
        greatest.take(&x[x.len() - LANES..].as_chunks::<LANES>().0[..1]);
    }
    greatest
}

/// The greatest element of a slice; infinity if one is NaN.
pub(crate) fn greatest_of<T: Element>(level: Level, x: &[T]) -> T::Float {
    struct OfSlice<'a, F>(&'a [F]);

    impl<F: Float> Task<F> for OfSlice<'_, F> {
        type Output = F;
        type Home = Self;

        #[inline(always)]
        fn run<R: Lane<F>>(self) -> F {
            across(&[greatest_of_row::<F, R, true>(self.0).lanes()], R::at_least)[0].store()
        }
    }

    let mut greatest = FloatCore::neg_infinity();
    T::as_floats(level, [x], [], false, |[x], []| {
        let of_part = dispatch(level, OfSlice(x));
        if of_part > greatest {
            greatest = of_part;
        }
    });
    greatest
}

/// Exponentials of a part of a row, which `y` receives if they are kept, and what is summed with them: added to the sums that are
/// given.
pub(crate) fn add_up<T: Float, K: Accumulate>(
    level: Level,
    mut slices: Slices<'_, T>,
    stats: &Stats<T>,
    row: usize,
    first: &mut LaneSums<T>,
    second: &mut LaneSums<T>,
) {
    slices.row_len = slices.x().len().max(1);
    let (sums, tails) = (PhantomData::<K>, &mut Tails::new());
    tails.take::<K>(level, &slices);
    let reborrowed = Slices { row_len: slices.row_len, x: slices.x, grad_y: slices.grad_y, y: &mut *slices.y };
    dispatch(level, AddUp { sums, slices: reborrowed, tails, stats, row, first, second });
    if K::KEEPS {
        tails.give(level, slices.row_len, slices.y);
    }
}

/// See [`add_up`].
struct AddUp<'a, T, K> {
    sums: PhantomData<K>,
    slices: Slices<'a, T>,
    tails: &'a mut Tails<T, 1>,
    stats: &'a Stats<T>,
    /// The number of the row in `stats`.
    row: usize,
    first: &'a mut LaneSums<T>,
    second: &'a mut LaneSums<T>,
}

impl<T: Float, K: Accumulate> Task<T> for AddUp<'_, T, K> {
    type Output = ();
    type Home = K;

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        let Self { mut slices, tails, stats, row, first, second, .. } = self;
        let (mut first_sums, mut second_sums) = ([first.load::<R>()], [second.load::<R>()]);
        of_rows::<T, R, K, 1>(&mut slices, tails, stats, row, &mut first_sums, &mut second_sums);
        first.store(&first_sums[0]);
        if K::SECOND {
            second.store(&second_sums[0]);
        }
    }
}

/// Memory for a group of rows, cleared once for all groups.
pub(crate) struct Scratch<T> {
    pub(crate) tails: Tails<T, GROUP>,
    greatests: Greatests<T>,
}

impl<T: Float> Scratch<T> {
    pub(crate) fn new() -> Self {
        Self { tails: Tails::new(), greatests: Greatests::new() }
    }
}

/// Computes the statistics of a group of rows: the greatest elements, the exponentials, which `y` and `tails` receive if they are kept,
/// and their sums. If `rounded`, the last additions of outputs are rounded.
pub(crate) fn sum<T: Float, K: Accumulate>(
    level: Level,
    mut slices: Slices<'_, T>,
    offset: Offset,
    rounded: bool,
    Scratch { tails, greatests }: &mut Scratch<T>,
    stats: &mut Stats<T>,
) {
    if !K::OF_OUTPUT {
        let (x, row_len) = (slices.x(), slices.row_len);
        let (scratch, stats) = (greatests, &mut *stats);
        // `const`, so that the loop of the other branch is not compiled.
        if const { K::FAST } {
            dispatch(level, FindGreatest::<_, false> { x, row_len, offset, scratch, stats });
        } else {
            dispatch(level, FindGreatest::<_, true> { x, row_len, offset, scratch, stats });
        }
    }
    let (sums, row_len) = (PhantomData::<K>, slices.row_len.max(1));
    slices.row_len = row_len;
    tails.take::<K>(level, &slices);
    let reborrowed = Slices { row_len, x: slices.x, grad_y: slices.grad_y, y: &mut *slices.y };
    dispatch(level, Sum { sums, slices: reborrowed, rounded, tails, stats });
}

/// The exponentials and sums of a group of rows.
struct Sum<'a, T, K> {
    sums: PhantomData<K>,
    /// `y` receives the exponentials, if they are kept.
    slices: Slices<'a, T>,
    /// Whether the last additions of outputs are rounded.
    rounded: bool,
    tails: &'a mut Tails<T, GROUP>,
    stats: &'a mut Stats<T>,
}

impl<T: Float, K: Accumulate> Task<T> for Sum<'_, T, K> {
    type Output = ();
    type Home = K;

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        let Self { mut slices, rounded, tails, stats, .. } = self;
        let mut first = [Sums::of(K::FAST); GROUP];
        let mut second = [if K::COUNTS { Sums::of_counts() } else { Sums::of_anything() }; GROUP];
        of_rows::<T, R, K, GROUP>(&mut slices, tails, stats, 0, &mut first, &mut second);
        let rounded = K::COUNTS || K::OF_OUTPUT && rounded;
        // The trees of the first sum's two parts run side by side, and then the trees of the second sum.
        let mut lanes = [[R::of(0.0); HALF]; 3 * GROUP];
        let mut by_pairs = [[R::of(0.0); LANES]; GROUP];
        if K::FAST {
            for i in 0..GROUP {
                by_pairs[i] = first[i].rounded();
            }
        } else if !K::OF_OUTPUT {
            for i in 0..GROUP {
                (lanes[i], by_pairs[i]) = first[i].unseeded();
                // In one loop with the copies, because alone LLVM would use gathers over the rows.
                if K::COUNTS {
                    lanes[2 * GROUP + i] = second[i].counts();
                }
            }
            lanes[GROUP..2 * GROUP].copy_from_slice(&paired(&by_pairs, R::add));
        }
        let mut totals = [[R::of(0.0); GROUP]; 3];
        if K::FAST {
            totals[0] = across(&by_pairs, R::add);
        } else if K::COUNTS {
            totals.as_flattened_mut().copy_from_slice(&across_half(&lanes, R::add));
        } else if !K::OF_OUTPUT {
            let first: &[_; 2 * GROUP] = lanes.first_chunk().expect("both digits");
            totals[..2].as_flattened_mut().copy_from_slice(&across_half(first, R::add));
        } else if rounded {
            for i in 0..GROUP {
                by_pairs[i] = second[i].rounded();
            }
            totals[2] = across(&by_pairs, R::add);
        }
        let [hi, lo, counts] = totals;
        if !K::OF_OUTPUT {
            store(if K::FAST { (hi, lo) } else { normalised(hi, lo) }, &mut stats.first);
        }
        if K::SECOND {
            // Rounding at each of the five additions takes a third of the time of the exact total.
            let second = if rounded { (counts, [R::of(0.0); GROUP]) } else { total_anything(&second) };
            store(second, &mut stats.second);
        }
    }
}

#[inline(always)]
pub(crate) fn store<T: Float, R: Lane<T>, const W: usize>((hi, lo): Partial<[R; W]>, to: &mut Partial<PerRow<T>>) {
    for i in 0..W {
        (to.0[i], to.1[i]) = (hi[i].store(), lo[i].store());
    }
}

/// Up to a column of elements, filled up with `padding`.
#[inline(always)]
pub(crate) fn padded<T: Element>(elements: &[T], padding: T) -> [T; LANES] {
    let mut column = [padding; LANES];
    for (lane, &element) in column.iter_mut().zip(elements) {
        *lane = element;
    }
    column
}

/// Adds the sums of a chunk to the sums of the row, lane by lane.
pub(crate) struct Merge<'a, T> {
    /// Whether the first sum is of exponentials.
    pub(crate) exponentials: bool,
    pub(crate) first: &'a LaneSums<T>,
    pub(crate) second: &'a LaneSums<T>,
    pub(crate) firsts: &'a mut LaneSums<T>,
    pub(crate) seconds: &'a mut LaneSums<T>,
}

impl<T: Float> Task<T> for Merge<'_, T> {
    type Output = ();
    type Home = Self;

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        let (mut firsts, mut seconds) = (self.firsts.load::<R>(), self.seconds.load::<R>());
        let first = self.first.load::<R>();
        firsts.merge(if self.exponentials { first.exponentials() } else { first.anything() });
        seconds.merge(self.second.load::<R>().anything());
        self.firsts.store(&firsts);
        self.seconds.store(&seconds);
    }
}

/// The sums over the lanes of merged chunks, of a group of rows.
pub(crate) struct Totals<'a, T, const W: usize> {
    pub(crate) first: &'a [LaneSums<T>; W],
    pub(crate) second: &'a [LaneSums<T>; W],
    pub(crate) stats: &'a mut Stats<T>,
}

impl<T: Float, const W: usize> Task<T> for Totals<'_, T, W> {
    type Output = ();
    type Home = Self;

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        for (sums, totals) in [(self.first, &mut self.stats.first), (self.second, &mut self.stats.second)] {
            let mut loaded = [Sums::<R, LANES>::of_anything(); W];
            for (loaded, sums) in loaded.iter_mut().zip(sums) {
                *loaded = sums.load();
            }
            store(total_anything(&loaded), totals);
        }
    }
}
