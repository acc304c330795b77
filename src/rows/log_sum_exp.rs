//! Log-sum-exp, and its state, which merges the results of several pieces, also for a softmax.

use num_traits::{One, Zero};

use super::formula::{Rows, Slices};
use super::gather::{ByTiles, Work};
use super::layout::Layout;
use super::states::{Args, Compiled, Probabilities, State};
use super::stats::SIDE;
use super::terms::{Stage, Terms};
use crate::kernel::element::{Element, Float};
use crate::kernel::level::Level;
use crate::kernel::tiles::TILE;
use crate::pass::{Pieces, same_length};

/// log(sum of e^x\[i\]), without overflow. It adds numbers that are given by their logarithms.
///
/// - Error: at most 1.5 ULP of the result, or 1.5 ULP of 1 if the result is smaller, because near 0 the result is a difference.
///   Measured on sampled rows of up to a million: 0.70 (`f32`) and 1.2 (`f64`). A row of one number gives that number. A row of n
///   equal numbers x gives x + log n, to 0.6 ULP.
/// - Derivative: [`Softmax`](crate::Softmax) of x; see [`log_sum_exp_backward`].
/// - Special values: -inf for no numbers, or nothing but -inf; inf if one is inf; NaN if one is NaN.
///
/// If the numbers come in pieces, use [`LogSumExp`].
///
/// ```
/// use activations::log_sum_exp;
///
/// assert_eq!(log_sum_exp(&[1000.0_f64, 1000.0]), 1000.0 + std::f64::consts::LN_2);
/// assert_eq!(log_sum_exp::<f32>(&[]), f32::NEG_INFINITY);
/// ```
#[doc(alias = "logsumexp")]
#[must_use]
pub fn log_sum_exp<T: Element>(x: &[T]) -> T {
    LogSumExp::of(x).finish()
}

/// [`log_sum_exp`] that returns `f32` for halves.
///
/// ```
/// assert_eq!(activations::log_sum_exp_wide(&[7.0_f32]), 7.0);
/// ```
#[must_use]
pub fn log_sum_exp_wide<T: Element>(x: &[T]) -> T::Float {
    LogSumExp::of(x).finish_wide()
}

/// [`log_sum_exp`] of each `row_len` elements.
///
/// # Panics
/// If `x` does not divide into rows, or `y` does not have an element for each row, before anything is written.
///
/// ```
/// let mut y = [0.0_f32; 2];
/// activations::log_sum_exp_rows(&[0.0, 0.0, 5.0, f32::NEG_INFINITY], 2, &mut y);
/// assert_eq!(y, [std::f32::consts::LN_2, 5.0]);
/// ```
#[track_caller]
pub fn log_sum_exp_rows<T: Element>(x: &[T], row_len: usize, y: &mut [T]) {
    check_rows(x.len(), row_len, y.len());
    of_rows(x, row_len, &mut |row, sum| y[row] = T::rounded(sum));
}

/// [`log_sum_exp_rows`] that returns `f32` for halves.
///
/// # Panics
/// As [`log_sum_exp_rows`].
///
/// ```
/// let mut y = [0.0_f32; 2];
/// activations::log_sum_exp_rows_wide(&[7.0_f32, 8.0], 1, &mut y);
/// assert_eq!(y, [7.0, 8.0]);
/// ```
#[track_caller]
pub fn log_sum_exp_rows_wide<T: Element>(x: &[T], row_len: usize, y: &mut [T::Float]) {
    check_rows(x.len(), row_len, y.len());
    of_rows(x, row_len, &mut |row, sum| y[row] = sum);
}

/// [`log_sum_exp`] along an axis that is not the last. Each row has `len` elements, `inner` apart.
///
/// The data is `outer x len x inner`, and the results are `outer x inner`. For images `[N, C, H, W]` the results are `[N, H, W]`.
/// For the gradient, multiply the values of [`Softmax::axis`](crate::Softmax::axis) by the gradients of the results.
///
/// # Panics
/// If `len` or `inner` is 0, the length of `x` is not a multiple of `len * inner`, or `y` does not have an element for each row,
/// before anything is written.
///
/// ```
/// let mut y = [0.0_f32; 2];
/// activations::log_sum_exp_axis(&[0.0, 5.0, 0.0, f32::NEG_INFINITY], 2, 2, &mut y);
/// assert_eq!(y, [std::f32::consts::LN_2, 5.0]);
/// ```
#[track_caller]
pub fn log_sum_exp_axis<T: Element>(x: &[T], len: usize, inner: usize, y: &mut [T]) {
    let layout = check_axis(x.len(), len, inner, y.len());
    of_axis(x, layout, &mut |row, sum| y[row] = T::rounded(sum));
}

/// [`log_sum_exp_axis`] that returns `f32` for halves.
///
/// # Panics
/// As [`log_sum_exp_axis`].
///
/// ```
/// let mut y = [0.0_f32; 2];
/// activations::log_sum_exp_axis_wide(&[7.0_f32, 8.0], 1, 2, &mut y);
/// assert_eq!(y, [7.0, 8.0]);
/// ```
#[track_caller]
pub fn log_sum_exp_axis_wide<T: Element>(x: &[T], len: usize, inner: usize, y: &mut [T::Float]) {
    let layout = check_axis(x.len(), len, inner, y.len());
    of_axis(x, layout, &mut |row, sum| y[row] = sum);
}

#[track_caller]
fn check_axis(elements: usize, len: usize, inner: usize, results: usize) -> Layout {
    let layout = match Layout::axis("log_sum_exp_axis", len, inner) {
        Ok(layout) => layout,
        Err(error) => panic!("{error}"),
    };
    assert!(
        elements.is_multiple_of(len * inner),
        "log_sum_exp_axis: {elements} elements are not a whole number of {len} x {inner}"
    );
    same_length("y", results, "rows of x", elements / len);
    layout
}

#[track_caller]
pub(crate) fn check_rows(len: usize, row_len: usize, results: usize) {
    assert!(row_len > 0, "log_sum_exp_rows: rows must have at least 1 element");
    Pieces::Rows(row_len).check(len);
    same_length("y", results, "rows of x", len / row_len);
}

/// Calls `f` with the number of each row, and its log-sum-exp.
fn of_rows<T: Element>(x: &[T], row_len: usize, f: &mut dyn FnMut(usize, T::Float)) {
    let level = Level::best();
    // Rows that must be converted fill one tile.
    let rows = if T::IS_FLOAT { SIDE } else { TILE / row_len };
    if rows == 0 {
        for (row, x) in x.chunks_exact(row_len).enumerate() {
            let mut sum = LogSumExp::new();
            sum.push_slice_at(level, x);
            f(row, sum.finish_wide());
        }
        return;
    }
    let rows = rows.min(SIDE);
    let mut sums = [Zero::zero(); SIDE];
    for (group, x) in x.chunks(rows * row_len).enumerate() {
        T::as_floats(level, [x], [], false, |[x], []| {
            T::Float::run(&Compiled, level, Args::OfRows { x, row_len, y: &mut sums[..x.len() / row_len] });
        });
        for (i, &sum) in sums[..x.len() / row_len].iter().enumerate() {
            f(group * rows + i, sum);
        }
    }
}

/// The same along an axis.
fn of_axis<T: Element>(x: &[T], layout: Layout, f: &mut dyn FnMut(usize, T::Float)) {
    let level = Level::best();
    if layout.inner() == 1 {
        return of_rows(x, layout.row_len(x.len()), f);
    }
    let mut at = 0;
    let mut formula = |rows: Rows<'_, T::Float>| match rows {
        Rows::Slices(Slices { row_len, y, .. }) => {
            let mut sums = [Zero::zero(); SIDE];
            for x in y.chunks(SIDE * row_len) {
                let y = &mut sums[..x.len() / row_len];
                T::Float::run(&Compiled, level, Args::OfRows { x, row_len, y });
                for &sum in &*y {
                    f(at, sum);
                    at += 1;
                }
            }
        }
        Rows::Parts { row_len, part, .. } => {
            let mut sum = LogSumExp::<T::Float>::new();
            part(0..row_len, false, &mut |_, slices| sum.push_slice_at(level, slices.y));
            f(at, sum.finish());
            at += 1;
        }
    };
    let (terms, stage) = (Terms::scaled(1.0), Stage::Slope);
    let work = Work {
        level,
        layout,
        terms,
        stage,
        x: Some(x),
        grad_y: None,
        y: &mut [],
        of_sink: &mut |_, _| {},
        parted: 1,
        formula: &mut formula,
    };
    T::call(&ByTiles, work);
}
/// How many numbers of a slice are summed together. Longer slices are merged from such sums, in their order, so any number of
/// threads may compute them.
pub(crate) const SEGMENT: usize = 1 << 16;

/// The probabilities of the numbers, times `times`.
fn probabilities<T: Element>(level: Level, state: State<T::Float>, times: T::Float, x: &[T], y: &mut [T]) {
    T::as_floats(level, [x], [y], false, |[x], [y]| {
        T::Float::run(&Compiled, level, Args::Probabilities(Probabilities { state, times, x, y }));
    });
}

/// The gradient of [`log_sum_exp`] with respect to its input: `grad_x = softmax(x) * grad_y`.
///
/// # Panics
/// If the lengths differ, before anything is written.
///
/// ```
/// let mut grad_x = [0.0_f32; 2];
/// activations::log_sum_exp_backward(&[7.0, 7.0], 3.0, &mut grad_x);
/// assert_eq!(grad_x, [1.5; 2]);
/// ```
#[track_caller]
pub fn log_sum_exp_backward<T: Element>(x: &[T], grad_y: T, grad_x: &mut [T]) {
    same_length("grad_x", grad_x.len(), "x", x.len());
    let (level, sum) = (Level::best(), LogSumExp::of(x));
    probabilities(level, sum.state, grad_y.widened(), x, grad_x);
}

/// The state of a log-sum-exp whose numbers come in pieces: one at a time, in slices, or as another state. The state is four
/// numbers. Up to rounding, it does not depend on the pieces. With it you can split a softmax over chunks, threads or machines.
///
/// - Error: for any split and any order of merges, [`finish`](Self::finish) is within 1.5 ULP of the exact value (see
///   [`log_sum_exp`]), and [`normalise`](Self::normalise) and [`probability`](Self::probability) are within 3 ULP. This holds for
///   up to a million numbers in up to a thousand pieces. So two splits differ by at most twice as much.
/// - Merging is commutative to the bit.
///
/// The sum is kept to twice the working precision, scaled by a power of two, so that merging adds no error.
///
/// ```
/// use activations::LogSumExp;
///
/// // A softmax over two threads: each sums up its half, then each normalises it with the merged sum.
/// let x: Vec<f32> = (0..1000).map(|i| (i as f32).sin()).collect();
/// let mut p = vec![0.0; 1000];
/// let (left, right) = x.split_at(500);
/// let (p_left, p_right) = p.split_at_mut(500);
///
/// let sum = std::thread::scope(|scope| {
///     let other = scope.spawn(|| LogSumExp::of(right));
///     let mut sum = LogSumExp::of(left);
///     sum.merge(&other.join().unwrap());
///     sum
/// });
/// std::thread::scope(|scope| {
///     scope.spawn(|| sum.normalise(left, p_left));
///     sum.normalise(right, p_right);
/// });
/// assert!((p.iter().sum::<f32>() - 1.0).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogSumExp<T: Element> {
    state: State<T::Float>,
}

impl<T: Element> Default for LogSumExp<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Element> LogSumExp<T> {
    /// The state of no numbers.
    ///
    /// ```
    /// assert_eq!(activations::LogSumExp::<f32>::new().finish(), f32::NEG_INFINITY);
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self { state: State::of_nothing() }
    }

    /// The state of these numbers.
    ///
    /// ```
    /// assert_eq!(activations::LogSumExp::of(&[7.0_f64, 7.0]).finish(), 7.0 + 2.0_f64.ln());
    /// ```
    #[must_use]
    pub fn of(x: &[T]) -> Self {
        let mut sum = Self::new();
        sum.push_slice(x);
        sum
    }

    /// The state as plain numbers, which you can store or send. [`from_parts`](Self::from_parts) makes the same state of them, to
    /// the bit.
    ///
    /// Do not use the numbers for anything else, because their meaning may change between versions of this crate.
    ///
    /// ```
    /// use activations::LogSumExp;
    ///
    /// let (here, there) = (LogSumExp::of(&[1.0_f32, 2.0]), LogSumExp::of(&[3.0_f32, 4.0]));
    /// let sent: [f32; 4] = there.to_parts();
    ///
    /// let mut sum = here;
    /// sum.merge(&LogSumExp::from_parts(sent));
    /// assert_eq!(sum.finish(), activations::log_sum_exp(&[1.0, 2.0, 3.0, 4.0]));
    /// ```
    #[must_use]
    pub fn to_parts(self) -> [T::Float; 4] {
        let State { greatest, top, hi, lo } = self.state;
        [greatest, top, hi, lo]
    }

    /// The state that [`to_parts`](Self::to_parts) gave. For other numbers, the only promise is that no method panics.
    #[must_use]
    pub fn from_parts([greatest, top, hi, lo]: [T::Float; 4]) -> Self {
        Self { state: State { greatest, top, hi, lo } }
    }

    /// Adds one number.
    ///
    /// ```
    /// use activations::LogSumExp;
    ///
    /// let mut sum = LogSumExp::new();
    /// for x in [7.0_f64, 7.0] {
    ///     sum.push(x);
    /// }
    /// assert_eq!(sum.finish(), 7.0 + 2.0_f64.ln());
    /// ```
    pub fn push(&mut self, x: T) {
        self.state.merge(&State::of(x.widened()));
    }

    /// Adds numbers.
    ///
    /// ```
    /// use activations::LogSumExp;
    ///
    /// let mut sum = LogSumExp::new();
    /// sum.push_slice(&[1000.0_f64, 1000.0]);
    /// sum.push_slice(&[1000.0, 1000.0]);
    /// assert_eq!(sum.finish(), 1000.0 + 4.0_f64.ln());
    /// ```
    pub fn push_slice(&mut self, x: &[T]) {
        self.push_slice_at(Level::best(), x);
    }

    /// [`push_slice`](Self::push_slice) at a given level.
    ///
    /// ```
    /// use activations::{Level, LogSumExp};
    ///
    /// let mut sum = LogSumExp::new();
    /// sum.push_slice_at(Level::compiled(), &[0.0_f64, 0.0]);
    /// assert_eq!(sum.finish(), 2.0_f64.ln());
    /// ```
    pub fn push_slice_at(&mut self, level: Level, x: &[T]) {
        for x in x.chunks(SEGMENT) {
            self.merge(&Self::of_segment(level, x));
        }
    }

    /// The state of 1 to [`SEGMENT`] numbers.
    pub(crate) fn of_segment(level: Level, x: &[T]) -> Self {
        let mut all = State::of_nothing();
        T::as_floats(level, [x], [], false, |[x], []| {
            let mut state = State::of_nothing();
            T::Float::run(&Compiled, level, Args::OfSlice { x, state: &mut state });
            all.merge(&state);
        });
        Self { state: all }
    }

    /// Adds the numbers of another state.
    ///
    /// ```
    /// use activations::LogSumExp;
    ///
    /// let mut sum = LogSumExp::of(&[0.0_f64]);
    /// sum.merge(&LogSumExp::of(&[0.0, 0.0, 0.0]));
    /// assert_eq!(sum.finish(), 4.0_f64.ln());
    /// ```
    pub fn merge(&mut self, other: &Self) {
        self.state.merge(&other.state);
    }

    /// log(sum of e^x\[i\]) of all the numbers: see [`log_sum_exp`].
    ///
    /// ```
    /// assert_eq!(activations::LogSumExp::of(&[5.0_f32]).finish(), 5.0);
    /// ```
    #[must_use]
    pub fn finish(&self) -> T {
        T::rounded(self.finish_wide())
    }

    /// [`finish`](Self::finish) that returns `f32` for halves.
    ///
    /// ```
    /// let sum = activations::LogSumExp::of(&[5.0_f32]);
    /// assert_eq!(sum.finish_wide(), sum.finish());
    /// ```
    #[must_use]
    pub fn finish_wide(&self) -> T::Float {
        self.state.logarithm()
    }

    /// e^x / sum of e^x\[i\], where x was pushed before. The result is NaN if x is greater than all numbers that were pushed.
    /// It is also NaN where [`Softmax`](crate::Softmax) is: if the greatest number is NaN or infinite, or if there is none.
    ///
    /// ```
    /// assert_eq!(activations::LogSumExp::of(&[5.0_f32, 5.0]).probability(5.0), 0.5);
    /// ```
    #[must_use]
    pub fn probability(&self, x: T) -> T {
        let mut p = [T::nan()];
        self.normalise(&[x], &mut p);
        p[0]
    }

    /// The [`probability`](Self::probability) of each of these numbers. For all numbers that were pushed, it is their softmax.
    ///
    /// # Panics
    /// If the lengths differ, before anything is written.
    ///
    /// ```
    /// use activations::LogSumExp;
    ///
    /// let (x, mut p) = ([5.0_f32, 5.0], [0.0; 2]);
    /// LogSumExp::of(&x).normalise(&x, &mut p);
    /// assert_eq!(p, [0.5, 0.5]);
    /// ```
    #[track_caller]
    pub fn normalise(&self, x: &[T], p: &mut [T]) {
        self.normalise_at(Level::best(), x, p);
    }

    /// [`normalise`](Self::normalise) at a given level.
    ///
    /// # Panics
    /// If the lengths differ, before anything is written.
    ///
    /// ```
    /// use activations::{Level, LogSumExp};
    ///
    /// let (x, mut p) = ([5.0_f32, 5.0], [0.0; 2]);
    /// LogSumExp::of(&x).normalise_at(Level::compiled(), &x, &mut p);
    /// assert_eq!(p, [0.5, 0.5]);
    /// ```
    #[track_caller]
    pub fn normalise_at(&self, level: Level, x: &[T], p: &mut [T]) {
        same_length("p", p.len(), "x", x.len());
        probabilities(level, self.state, One::one(), x, p);
    }
}
