//! The engine of functions of rows: the greatest element, exponentials with their sums, and results, each a loop that is
//! compiled once for each float and level; and the order in which they run.
//!
//! ```text
//! for each group of rows:
//!     greatest:  the greatest element of each row, by which its exponentials are scaled
//!     add up:    exponentials, kept in the output, and what is summed with them
//!     totals:    the sums of each row
//!     finish:    the results, from exponentials, gradients and what is known of the row
//! ```
//!
//! Rows come in columns, arrays with an element for each lane. Short rows lie side by side, each in a lane of its own
//! (`side`); longer ones take all lanes in turn, several in a group, so that their reductions, long chains of operations,
//! overlap. Rows beyond [`CHUNK`] go one at a time, by chunks. How many rows there are does not change the order of a row's
//! sums, and so not its bits.

use core::array::{from_mut, from_ref};
use core::marker::PhantomData;
use core::ops::Range;

use num_traits::float::FloatCore;

use super::reduce::{
    CHUNK, DEPTH, Greatest, LANE_CHUNK, LANES, LaneSums, Partial, Sums, across, normalised, total_anything,
};
use super::side;
use crate::kernel::abreast::Abreast;
use crate::kernel::dispatch::{Task, dispatch};
use crate::kernel::element::{Element, Float, Kernel, Lane};
use crate::kernel::level::Level;
use crate::kernel::real::Real;
use crate::kernel::sweep::unaligned;
use crate::math::RowExp;

/// Rows of up to this length lie side by side.
pub(crate) const SHORT: usize = LANES - 1;

/// As many as are taken at a time, for that many columns.
pub(crate) const COLUMNS: usize = SHORT.next_multiple_of(DEPTH);

/// Longer rows that are taken in step.
pub(crate) const GROUP: usize = 8;

/// The most rows that are worked on at a time, those side by side.
pub(crate) const SIDE: usize = 32;

/// A number of each row that is worked on.
pub(crate) type PerRow<T> = [T; SIDE];

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
            fn run_f32(self, level: $crate::kernel::level::Level, rows: $crate::rows::engine::Rows<'_, f32>) {
                $crate::rows::engine::run(level, self, rows);
            }
            fn run_f64(self, level: $crate::kernel::level::Level, rows: $crate::rows::engine::Rows<'_, f64>) {
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
    /// One long row, by parts: see [`long`].
    Parts(usize, &'a mut dyn FnMut(Range<usize>, bool, OfPart<'_, T>)),
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

    /// What an element adds to the first sum: from 0 to the exponential `e`. `top` is the greatest exponential.
    #[inline(always)]
    fn first<R: Real>(e: R, top: R) -> R {
        let _ = top;
        e
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

/// What is known of a row when its sums are.
#[derive(Clone, Copy)]
pub(crate) struct Row<R> {
    pub(crate) greatest: R,
    /// The exponential of the greatest.
    pub(crate) top: R,
    pub(crate) first: Partial<R>,
    pub(crate) second: Partial<R>,
}

/// What is known of the rows that are worked on. An array for each number: an array of structures would not vectorise.
#[derive(Clone, Copy)]
pub(crate) struct Stats<T> {
    pub(crate) greatest: PerRow<T>,
    offset: PerRow<T>,
    most: PerRow<T>,
    lift: PerRow<T>,
    pub(crate) top: PerRow<T>,
    pub(crate) first: Partial<PerRow<T>>,
    pub(crate) second: Partial<PerRow<T>>,
}

impl<T: Float> Stats<T> {
    #[inline]
    pub(crate) fn new() -> Self {
        let zeros = [T::zero(); SIDE];
        let (greatest, offset, most, lift, top) = (zeros, zeros, zeros, zeros, zeros);
        Self { greatest, offset, most, lift, top, first: (zeros, zeros), second: (zeros, zeros) }
    }

    /// Scales the exponentials by the greatest elements; on a grid, so that sums of other scales can be added.
    #[inline(always)]
    pub(crate) fn scale<R: Lane<T>, const W: usize>(&mut self, greatest: &[R; W], on_grid: bool) {
        macro_rules! each {
            ($scale:ident) => {
                for i in 0..W {
                    let exp = RowExp::$scale(greatest[i]);
                    self.greatest[i] = greatest[i].store();
                    (self.offset[i], self.most[i], self.lift[i]) =
                        (exp.offset.store(), exp.most.store(), exp.lift.store());
                    self.top[i] = exp.exp(greatest[i]).store();
                }
            };
        }
        if on_grid { each!(on_grid) } else { each!(below) }
    }

    #[inline(always)]
    pub(crate) fn exp<R: Lane<T>>(&self, i: usize) -> RowExp<R> {
        RowExp { offset: R::load(self.offset[i]), most: R::load(self.most[i]), lift: R::load(self.lift[i]) }
    }

    #[inline(always)]
    pub(crate) fn row<R: Lane<T>>(&self, i: usize) -> Row<R> {
        let pair = |(hi, lo): &Partial<PerRow<T>>| (R::load(hi[i]), R::load(lo[i]));
        Row {
            greatest: R::load(self.greatest[i]),
            top: R::load(self.top[i]),
            first: pair(&self.first),
            second: pair(&self.second),
        }
    }
}

/// The scale of the row that a lane belongs to: of one row in all lanes, or of each lane's own. A reference stays one, or
/// LLVM does not know what it does not overlap with.
pub(crate) trait ScaleOf<T, R>: Copy {
    fn exp(self, lane: usize) -> RowExp<R>;
    fn top(self, lane: usize) -> R;
}

/// The scale of one row.
#[derive(Clone, Copy)]
struct OfRow<R> {
    exp: RowExp<R>,
    top: R,
}

impl<T: Float, R: Lane<T>> ScaleOf<T, R> for OfRow<R> {
    #[inline(always)]
    fn exp(self, _: usize) -> RowExp<R> {
        self.exp
    }

    #[inline(always)]
    fn top(self, _: usize) -> R {
        self.top
    }
}

impl<T: Float, R: Lane<T>> ScaleOf<T, R> for &Stats<T> {
    #[inline(always)]
    fn exp(self, lane: usize) -> RowExp<R> {
        Stats::exp(self, lane)
    }

    #[inline(always)]
    fn top(self, lane: usize) -> R {
        R::load(self.top[lane])
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

/// Runs the formula over the rows.
pub(crate) fn run<T: Float, F: RowFormula>(level: Level, formula: F, rows: Rows<'_, T>) {
    let mut slices = match rows {
        Rows::Slices(slices) => slices,
        Rows::Parts(row_len, part) => return long(level, formula, row_len, false, part),
    };
    let (row_len, len) = (slices.row_len, slices.y.len());
    if row_len <= SHORT {
        return side::run(level, formula, slices);
    }
    let group = if row_len <= CHUNK { GROUP * row_len } else { row_len };
    let mut stats = Stats::new();
    for start in (0..len).step_by(group) {
        let mut rows = slices.part(start..len.min(start + group));
        if row_len > CHUNK {
            long(level, formula, row_len, true, &mut |range, _, f| f(rows.part(range)));
            continue;
        }
        if F::SUMS_GRADIENTS {
            let rounded = F::Sums::OF_OUTPUT;
            sum::<_, Plainly>(level, Slices { row_len, x: rows.grad_y, grad_y: None, y: &mut [] }, rounded, &mut stats);
        }
        if !F::Sums::OF_OUTPUT || F::Sums::SECOND {
            sum::<_, F::Sums>(level, rows.part(0..rows.y.len()), F::Sums::OF_OUTPUT, &mut stats);
        }
        finish(level, formula, rows, &stats);
    }
}

/// What is known of a group of rows.
fn sum<T: Float, K: Accumulate>(level: Level, slices: Slices<'_, T>, rounded: bool, stats: &mut Stats<T>) {
    let Slices { row_len, x, grad_y, y } = slices;
    let (sums, e) = (PhantomData::<K>, if K::KEEPS || x.is_none() { Some(y) } else { None });
    dispatch(level, Sum { sums, row_len, x, grad_y, e, on_grid: false, rounded, stats });
}

/// The exponentials and sums of a part of a row.
fn add_up<T: Float, F: RowFormula>(
    level: Level,
    slices: Slices<'_, T>,
    stats: &Stats<T>,
    first: &mut LaneSums<T>,
    second: &mut LaneSums<T>,
) {
    let Slices { x, grad_y, y, .. } = slices;
    if F::SUMS_GRADIENTS {
        let (sums, x) = (PhantomData::<Plainly>, grad_y);
        dispatch(level, AddUp { sums, x, grad_y: None, e: None, stats, first, second });
    }
    if !F::Sums::OF_OUTPUT || F::Sums::SECOND {
        let (sums, e) = (PhantomData::<F::Sums>, if F::Sums::KEEPS || x.is_none() { Some(y) } else { None });
        dispatch(level, AddUp { sums, x, grad_y, e, stats, first, second });
    }
}

/// A function that is given a part of a row, as slices.
pub(crate) type OfPart<'a, T> = &'a mut dyn FnMut(Slices<'_, T>);

/// Runs the formula over one row of any length. `part` calls a function with some of the row's elements, and afterwards
/// writes its output, if this is asked for; if it `keeps` what is written anyway, exponentials are computed once.
fn long<T: Float, F: RowFormula>(
    level: Level,
    formula: F,
    row_len: usize,
    keeps: bool,
    part: &mut dyn FnMut(Range<usize>, bool, OfPart<'_, T>),
) {
    let mut stats = Stats::new();
    if !F::Sums::OF_OUTPUT {
        let greatest = greatest_by_parts(level, row_len, part);
        dispatch(level, FindGreatest { x: &[greatest; LANES], row_len: LANES, on_grid: false, stats: &mut stats });
    }
    let (mut firsts, mut seconds) = (LaneSums::of_anything(), LaneSums::of_anything());
    // From the end, which the search for the greatest has just left in the cache.
    for chunk in chunks(row_len).rev() {
        let (mut first, mut second) = (LaneSums::of_exponentials(), LaneSums::of_anything());
        for range in parts(chunk) {
            part(range, false, &mut |slices| add_up::<T, F>(level, slices, &stats, &mut first, &mut second));
        }
        dispatch(
            level,
            Merge { exponentials: true, first: &first, second: &second, firsts: &mut firsts, seconds: &mut seconds },
        );
    }
    dispatch(level, Totals { first: &firsts, second: &seconds, stats: &mut stats });
    for range in chunks(row_len).flat_map(parts) {
        part(range, true, &mut |mut slices| {
            if F::OF_EXP && !keeps {
                let (mut first, mut second) = (LaneSums::of_exponentials(), LaneSums::of_anything());
                add_up::<T, F>(level, slices.part(0..slices.y.len()), &stats, &mut first, &mut second);
            }
            finish(level, formula, slices, &stats);
        });
    }
}

/// The greatest element of a row, or infinity if one is NaN.
pub(crate) fn greatest_by_parts<T: Float>(
    level: Level,
    row_len: usize,
    part: &mut dyn FnMut(Range<usize>, bool, OfPart<'_, T>),
) -> T {
    let mut greatest = T::neg_infinity();
    let mut stats = Stats::new();
    for range in chunks(row_len).flat_map(parts) {
        part(range, false, &mut |slices| {
            let x = slices.x();
            dispatch(level, FindGreatest { x, row_len: x.len(), on_grid: false, stats: &mut stats });
            if stats.greatest[0] > greatest {
                greatest = stats.greatest[0];
            }
        });
    }
    greatest
}

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

fn finish<T: Float, F: RowFormula>(level: Level, formula: F, slices: Slices<'_, T>, stats: &Stats<T>) {
    let Slices { row_len, x, grad_y, y } = slices;
    let x = if F::OF_EXP { None } else { x };
    dispatch(level, Finish { formula, row_len, x, grad_y, y, stats });
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
        add_up_row::<T, R, K>(x, grad_y, e, (&mut last, &last_grad), stats, 0, &mut first_sums, &mut second_sums);
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
    first: &mut Sums<R, LANES>,
    second: &mut Sums<R, LANES>,
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
        if row_len % LANES != 0 {
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
            add_up_row::<T, R, K>(x, grad_y, e, (&mut last[i], &last_grad[i]), stats, i, &mut first, &mut of_row);
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
fn store<T: Float, R: Lane<T>>((hi, lo): Partial<[R; GROUP]>, to: &mut Partial<PerRow<T>>) {
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
pub(crate) fn padded<T: Float>(elements: &[T], padding: T) -> [T; LANES] {
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

/// The results of some rows, or of a part of one.
struct Finish<'a, T, F> {
    formula: F,
    row_len: usize,
    /// `None`: elements, or their exponentials, are in `y`.
    x: Option<&'a [T]>,
    grad_y: Option<&'a [T]>,
    y: &'a mut [T],
    stats: &'a Stats<T>,
}

impl<T: Float, F: RowFormula> Task<T> for Finish<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        let Self { formula, row_len, x, grad_y, y, stats } = self;
        let row_len = row_len.min(y.len()).max(1);
        let constants = constants::<T, R, F, GROUP>(formula, stats);
        for (i, y) in y.chunks_exact_mut(row_len).enumerate() {
            let row = i * row_len..(i + 1) * row_len;
            let constants = &[constants[0][i], constants[1][i], constants[2][i], constants[3][i]];
            let grad_y = grad_y.map(|grad_y| &grad_y[row.clone()]);
            let (x, grad_y) = (if F::OF_EXP { None } else { x }, if F::OF_GRADIENT { grad_y } else { None });
            results::<T, R>(
                #[inline(always)]
                |of, grad_y| formula.result(of, grad_y, constants),
                x.map(|x| &x[row]),
                grad_y,
                y,
            );
        }
    }
}

/// The results of a row, or of a part of it: of whole columns, those at the ends with some of their neighbours' elements,
/// which are computed twice. Without `x`, `y` holds the elements.
#[inline(always)]
pub(crate) fn results<T: Float, R: Lane<T>>(
    formula: impl Fn(R, R) -> R + Copy,
    x: Option<&[T]>,
    grad_y: Option<&[T]>,
    y: &mut [T],
) {
    #[inline(always)]
    fn whole_columns<T>(of: &[T]) -> &[T] {
        of.as_chunks::<LANES>().0.as_flattened()
    }

    // A function, because LLVM knows only of its arguments that they do not overlap. One loop over all columns, because LLVM
    // takes one over a single column apart into scalars.
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

    let len = y.len();
    let at = unaligned(y);
    let tail = len.saturating_sub(LANES);
    let ends = usize::from(!(len - at).is_multiple_of(LANES)) + 2 * usize::from(at > 0);
    // The ends, first: from what is there before the columns between them are written.
    let mut results = [[T::zero(); LANES]; 2];
    for (end, start) in [tail, 0].into_iter().enumerate() {
        if ends & (end + 1) == 0 {
            continue;
        }
        let (mut short, mut short_grad) = (results[end], results[end]);
        let (x, grad_y) = (x.map(|x| &x[start..]), grad_y.map(|grad_y| &grad_y[start..]));
        let (x, grad_y) = (x.map(|x| column(x, &mut short)), grad_y.map(|grad_y| column(grad_y, &mut short_grad)));
        copy_column(&y[start..], &mut results[end]);
        columns::<T, R>(formula, x, grad_y, &mut results[end]);
    }
    columns::<T, R>(formula, x.map(|x| &x[at..]), grad_y.map(|grad_y| &grad_y[at..]), &mut y[at..]);
    if ends & 1 != 0 {
        copy_column(&results[0], &mut y[tail..]);
    }
    if ends & 2 != 0 {
        copy_column(&results[1], y);
    }
}

/// The first elements, as one column: a padded copy of them if there are fewer.
#[inline(always)]
fn column<'a, T: Copy>(elements: &'a [T], short: &'a mut [T; LANES]) -> &'a [T] {
    if elements.len() >= LANES {
        return &elements[..LANES];
    }
    copy_column(elements, short);
    short
}

/// Copies as many elements as both slices have, up to [`LANES`], by pieces of fixed lengths.
#[inline(always)]
pub(crate) fn copy_column<T: Copy>(mut from: &[T], mut to: &mut [T]) {
    macro_rules! piece {
        ($length:literal) => {
            if let (Some((piece, from_rest)), true) = (from.split_first_chunk::<$length>(), to.len() >= $length) {
                let (to_piece, to_rest) = to.split_at_mut($length);
                to_piece.copy_from_slice(piece);
                (from, to) = (from_rest, to_rest);
            }
        };
    }
    if from.len() >= LANES && to.len() >= LANES {
        to[..LANES].copy_from_slice(&from[..LANES]);
        return;
    }
    piece!(16);
    piece!(8);
    piece!(4);
    piece!(2);
    piece!(1);
    let _ = (from, to);
}

/// What the formula keeps of each row, an array for each constant.
#[inline(always)]
pub(crate) fn constants<T: Float, R: Lane<T>, F: RowFormula, const W: usize>(
    formula: F,
    stats: &Stats<T>,
) -> [[R; W]; CONSTANTS] {
    let mut constants = [[R::of(0.0); W]; CONSTANTS];
    for i in 0..W {
        let row = stats.row::<R>(i);
        let of_row = formula.constants(&row);
        // NaN for a row with NaN or infinity, or of nothing but -inf.
        constants[0][i] = of_row[0] - row.greatest.abs() * R::of(0.0);
        (constants[1][i], constants[2][i], constants[3][i]) = (of_row[1], of_row[2], of_row[3]);
    }
    constants
}
