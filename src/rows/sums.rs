//! The greatest element of a row, its exponentials and their sums: loops that are compiled once for each float and level.

use core::array::{from_mut, from_ref};
use core::marker::PhantomData;
use core::ops::Range;

use num_traits::float::FloatCore;

use super::finish::copy_column;
use super::formula::Accumulate;
use super::reduce::{DEPTH, Greatest, LANE_CHUNK, LANES, LaneSums, Partial, Sums, across, normalised, total_anything};
use super::stats::{GROUP, OfRow, PerRow, ScaleOf, Stats};
use crate::kernel::abreast::Abreast;
use crate::kernel::dispatch::{Task, dispatch};
use crate::kernel::element::{Element, Float, Lane};
use crate::kernel::level::Level;
use crate::kernel::sweep::unaligned;

/// The chunks whose sums are merged: the last one takes what is left over.
pub(crate) fn chunks(row_len: usize) -> impl DoubleEndedIterator<Item = Range<usize>> {
    let count = (row_len / LANE_CHUNK).max(1);
    (0..count).map(move |chunk| chunk * LANE_CHUNK..if chunk + 1 < count { (chunk + 1) * LANE_CHUNK } else { row_len })
}

/// A chunk in parts that a tile has room for.
pub(crate) fn parts(chunk: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let end = chunk.end;
    chunk.step_by(LANE_CHUNK).map(move |start| start..end.min(start + LANE_CHUNK))
}

/// The greatest element of each of some rows, and the scale of its exponentials.
pub(crate) struct FindGreatest<'a, T> {
    pub(crate) x: &'a [T],
    pub(crate) row_len: usize,
    pub(crate) on_grid: bool,
    pub(crate) stats: &'a mut Stats<T>,
}

impl<T: Float> Task<T> for FindGreatest<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        find_greatest::<T, R>(self.x, self.row_len, self.on_grid, self.stats);
    }
}

#[inline(always)]
fn find_greatest<T: Float, R: Lane<T>>(x: &[T], row_len: usize, on_grid: bool, stats: &mut Stats<T>) {
    let mut lanes = [[R::of(0.0); LANES]; GROUP];
    for (x, lanes) in x.chunks_exact(row_len.max(1)).zip(&mut lanes) {
        *lanes = greatest_of_row(x);
    }
    stats.scale(&across(&lanes, R::at_least), on_grid);
}

/// The greatest of a row in each lane.
#[inline(always)]
pub(crate) fn greatest_of_row<T: Float, R: Lane<T>>(x: &[T]) -> [R; LANES] {
    let mut greatest = Greatest::new();
    if x.len() < LANES {
        greatest.take(&[padded(x, T::neg_infinity())]);
        return greatest.lanes();
    }
    let at = unaligned(x);
    let (columns, rest) = x[at..].as_chunks();
    greatest.take(columns);
    // At the ends some elements twice, which does not matter.
    if at > 0 {
        greatest.take(&x.as_chunks::<LANES>().0[..1]);
    }
    if !rest.is_empty() {
        greatest.take(&x[x.len() - LANES..].as_chunks::<LANES>().0[..1]);
    }
    greatest.lanes()
}

/// The greatest element of a slice; infinity if one is NaN.
pub(crate) fn greatest_of<T: Element>(level: Level, x: &[T]) -> T::Float {
    struct OfSlice<'a, F>(&'a [F]);

    impl<F: Float> Task<F> for OfSlice<'_, F> {
        type Output = F;

        #[inline(always)]
        fn run<R: Lane<F>>(self) -> F {
            across(&[greatest_of_row::<F, R>(self.0)], R::at_least)[0].store()
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

/// Exponentials of a part of a row, and what is summed with them: added to the sums that are given.
pub(crate) struct AddUp<'a, T, K> {
    pub(crate) sums: PhantomData<K>,
    /// `None`: the elements are in `e`.
    pub(crate) x: Option<&'a [T]>,
    pub(crate) grad_y: Option<&'a [T]>,
    /// Receives the exponentials, if they are kept.
    pub(crate) e: Option<&'a mut [T]>,
    pub(crate) stats: &'a Stats<T>,
    pub(crate) first: &'a mut LaneSums<T>,
    pub(crate) second: &'a mut LaneSums<T>,
}

impl<T: Float, K: Accumulate> Task<T> for AddUp<'_, T, K> {
    type Output = ();

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        let Self { x, grad_y, e, stats, first, second, .. } = self;
        let (mut first_sums, mut second_sums) = (first.load::<R>(), second.load::<R>());
        let (mut last, mut last_grad) = ([padding::<T, K>(); LANES], [T::zero(); LANES]);
        copy_column(x.or(e.as_deref()).unwrap_or(&[]).as_chunks::<LANES>().1, &mut last);
        copy_column(grad_y.unwrap_or(&[]).as_chunks::<LANES>().1, &mut last_grad);
        add_up_row::<T, R, K>(x, grad_y, e, (&mut last, &last_grad), stats, 0, [&mut first_sums, &mut second_sums]);
        first.store(&first_sums);
        if K::SECOND {
            second.store(&second_sums);
        }
    }
}

/// Exponentials of row number `i`, or of a part of it, and what is summed with them. `last` and `last_grad` are what whole
/// columns leave over, padded to one.
#[inline(always)]
fn add_up_row<T: Float, R: Lane<T>, K: Accumulate>(
    x: Option<&[T]>,
    grad_y: Option<&[T]>,
    e: Option<&mut [T]>,
    (last, last_grad): (&mut [T; LANES], &[T; LANES]),
    stats: &Stats<T>,
    i: usize,
    [first, second]: [&mut Sums<R, LANES>; 2],
) {
    let scale = OfRow::<R> { exp: stats.exp(i), top: R::load(stats.top[i]) };
    let (e, e_rest) = e.map(<[T]>::as_chunks_mut).unzip();
    let (x, x_rest) = x.map(<[T]>::as_chunks).unzip();
    let grad_y = grad_y.map(|grad_y| grad_y.as_chunks().0);
    exponentials::<T, R, K, LANES>(x, grad_y, e, scale, first, second);
    if !x_rest.unwrap_or(e_rest.as_deref().unwrap_or(&[])).is_empty() {
        exponentials::<T, R, K, LANES>(None, Some(from_ref(last_grad)), Some(from_mut(last)), scale, first, second);
        if K::KEEPS {
            copy_column(last, e_rest.unwrap_or(&mut []));
        }
    }
}

/// What an element that is missing from a column stands for.
#[inline(always)]
fn padding<T: Float, K: Accumulate>() -> T {
    if K::OF_OUTPUT { T::zero() } else { T::neg_infinity() }
}

/// What is known of a group of rows, in one step: the greatest element of each, exponentials and sums.
pub(crate) struct Sum<'a, T, K> {
    pub(crate) sums: PhantomData<K>,
    pub(crate) row_len: usize,
    /// `None`: the elements are in `e`.
    pub(crate) x: Option<&'a [T]>,
    pub(crate) grad_y: Option<&'a [T]>,
    /// Receives the exponentials, if they are kept.
    pub(crate) e: Option<&'a mut [T]>,
    pub(crate) on_grid: bool,
    /// Whether the last additions of outputs are rounded.
    pub(crate) rounded: bool,
    pub(crate) stats: &'a mut Stats<T>,
}

impl<T: Float, K: Accumulate> Task<T> for Sum<'_, T, K> {
    type Output = ();

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        let Self { row_len, x, grad_y, mut e, on_grid, rounded, stats, .. } = self;
        let elements = x.unwrap_or(e.as_deref().unwrap_or(&[]));
        let row_len = row_len.max(1);
        let rows = elements.len() / row_len;
        // Long before they are read: a CPU waits for small pieces to be written before it reads them as one.
        let (mut last, mut last_grad) = ([[T::zero(); LANES]; GROUP], [[T::zero(); LANES]; GROUP]);
        if !row_len.is_multiple_of(LANES) {
            last.as_flattened_mut().fill(padding::<T, K>());
            let last_grad = last_grad.iter_mut().zip(grad_y.unwrap_or(&[]).chunks_exact(row_len));
            for (to, from) in last.iter_mut().zip(elements.chunks_exact(row_len)).chain(last_grad) {
                copy_column(from.as_chunks::<LANES>().1, to);
            }
        }
        if !K::OF_OUTPUT {
            find_greatest::<T, R>(elements, row_len, on_grid, stats);
        }
        // What needs no more than a loop over the lanes is done row by row: of two loops LLVM would unroll the inner one, and
        // go over the rows by gathers.
        let rounded = K::COUNTS || K::OF_OUTPUT && rounded;
        // Both digits of the first sum, then counts: the trees side by side.
        let mut lanes = [[R::of(0.0); LANES]; 3 * GROUP];
        let mut second = [Sums::of_anything(); GROUP];
        for i in 0..rows {
            let row = i * row_len..(i + 1) * row_len;
            let (x, grad_y) = (x.map(|x| &x[row.clone()]), grad_y.map(|grad_y| &grad_y[row.clone()]));
            let e = e.as_deref_mut().map(|e| &mut e[row]);
            let (mut first, mut of_row) = (Sums::of_exponentials(), Sums::of_anything());
            add_up_row::<T, R, K>(x, grad_y, e, (&mut last[i], &last_grad[i]), stats, i, [&mut first, &mut of_row]);
            if !K::OF_OUTPUT {
                (lanes[i], lanes[GROUP + i]) = first.unseeded();
            }
            if K::SECOND && rounded {
                lanes[2 * GROUP + i] = of_row.rounded();
            } else if K::SECOND {
                second[i] = of_row;
            }
        }
        let mut totals = [[R::of(0.0); GROUP]; 3];
        if K::COUNTS {
            totals.as_flattened_mut().copy_from_slice(&across(&lanes, R::add));
        } else if !K::OF_OUTPUT {
            let first: &[_; 2 * GROUP] = lanes.first_chunk().expect("both digits");
            totals[..2].as_flattened_mut().copy_from_slice(&across(first, R::add));
        } else if rounded {
            let counts: &[_; GROUP] = lanes.last_chunk().expect("counts");
            totals[2] = across(counts, R::add);
        }
        let [hi, lo, counts] = totals;
        if !K::OF_OUTPUT {
            store(normalised(hi, lo), &mut stats.first);
        }
        if K::SECOND {
            // Rounded at each of the five additions: a third of the time.
            let second = if rounded { (counts, [R::of(0.0); GROUP]) } else { total_anything(&second) };
            store(second, &mut stats.second);
        }
    }
}

#[inline(always)]
pub(crate) fn store<T: Float, R: Lane<T>>((hi, lo): Partial<[R; GROUP]>, to: &mut Partial<PerRow<T>>) {
    for i in 0..GROUP {
        (to.0[i], to.1[i]) = (hi[i].store(), lo[i].store());
    }
}

/// The exponentials of some columns, which the sums take up, and `e` keeps if they are kept. Without `x`, `e` holds the
/// elements.
#[inline(always)]
pub(crate) fn exponentials<T: Float, R: Lane<T>, K: Accumulate, const W: usize>(
    x: Option<&[[T; W]]>,
    grad_y: Option<&[[T; W]]>,
    e: Option<&mut [[T; W]]>,
    scales: impl ScaleOf<T, R>,
    first: &mut Sums<R, W>,
    second: &mut Sums<R, W>,
) {
    // A function, because LLVM knows only of its arguments that they do not overlap.
    #[inline(always)]
    fn block<T: Float, R: Lane<T>, K: Accumulate, const W: usize, const N: usize>(
        x: &[[T; W]; N],
        grad_y: &[[T; W]; N],
        e: &mut [[T; W]; N],
        scales: impl ScaleOf<T, R>,
        first: &mut Sums<R, W>,
        second: &mut Sums<R, W>,
    ) {
        for i in 0..W {
            let (one, top) = (scales.exp(i), Abreast::<R, N>::splat(scales.top(i)));
            let mut exp = top;
            // One after another: abreast, they would need more registers than there are.
            macro_rules! each {
                ($($n:literal $lane:tt)*) => {$(
                    if N > $n {
                        exp.$lane = if K::OF_OUTPUT { R::load(x[$n][i]) } else { one.exp(R::load(x[$n][i])) };
                    }
                )*};
            }
            each!(0 0 1 1 2 2 3 3);
            if !K::OF_OUTPUT {
                first.add_bounded(i, K::first(exp, top));
            }
            if K::COUNTS {
                second.count(i, K::second(exp, top, exp).0);
            } else if K::SECOND {
                second.add(i, K::second(exp, top, Abreast::gather(grad_y, i)));
            }
            if K::KEEPS {
                exp.scatter(e, i);
            }
        }
    }

    let (grad_blocks, grad_rest) = grad_y.map(<[_]>::as_chunks::<DEPTH>).unzip();
    if K::KEEPS {
        let (x_blocks, x_rest) = x.map(<[_]>::as_chunks::<DEPTH>).unzip();
        let (e_blocks, e_rest) = e.unwrap_or(&mut []).as_chunks_mut::<DEPTH>();
        for (b, e) in e_blocks.iter_mut().enumerate() {
            let copy = *e;
            let x = x_blocks.map_or(&copy, |x| &x[b]);
            let grad_y = grad_blocks.map_or(x, |grad_y| &grad_y[b]);
            block::<T, R, K, W, DEPTH>(x, grad_y, e, scales, first, second);
        }
        for (b, e) in e_rest.iter_mut().enumerate() {
            let copy = [*e];
            let x = x_rest.map_or(&copy, |x| from_ref(&x[b]));
            let grad_y = grad_rest.map_or(x, |grad_y| from_ref(&grad_y[b]));
            block::<T, R, K, W, 1>(x, grad_y, from_mut(e), scales, first, second);
        }
    } else {
        let (x_blocks, x_rest) = x.unwrap_or(e.map_or(&[], |e| e)).as_chunks::<DEPTH>();
        for (b, x) in x_blocks.iter().enumerate() {
            let grad_y = grad_blocks.map_or(x, |grad_y| &grad_y[b]);
            block::<T, R, K, W, DEPTH>(x, grad_y, &mut [[T::zero(); W]; DEPTH], scales, first, second);
        }
        for (b, x) in x_rest.iter().enumerate() {
            let grad_y = grad_rest.map_or(from_ref(x), |grad_y| from_ref(&grad_y[b]));
            block::<T, R, K, W, 1>(from_ref(x), grad_y, &mut [[T::zero(); W]], scales, first, second);
        }
    }
}

/// Up to a column of elements, and as many of `padding` as are missing.
#[inline(always)]
pub(crate) fn padded<T: Element>(elements: &[T], padding: T) -> [T; LANES] {
    let mut column = [padding; LANES];
    for (lane, &element) in column.iter_mut().zip(elements) {
        *lane = element;
    }
    column
}

/// The sums of a chunk more, each lane's to that of the row.
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

/// The sums over the lanes of merged chunks of one row.
pub(crate) struct Totals<'a, T> {
    pub(crate) first: &'a LaneSums<T>,
    pub(crate) second: &'a LaneSums<T>,
    pub(crate) stats: &'a mut Stats<T>,
}

impl<T: Float> Task<T> for Totals<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        let (hi, lo) = total_anything(&[self.first.load::<R>(), self.second.load::<R>()]);
        let (first, second) = (&mut self.stats.first, &mut self.stats.second);
        (first.0[0], first.1[0]) = (hi[0].store(), lo[0].store());
        (second.0[0], second.1[0]) = (hi[1].store(), lo[1].store());
    }
}
