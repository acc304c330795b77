//! Log-sum-exp, and the state from which it, and a softmax that is split, are put together.

use num_traits::{One, Zero};

use super::probability::{Normaliser, multiple_and};
use super::reduce::Partial;
use super::rest::rest_of_rows;
use super::stats::{PerRow, SIDE, Stats};
use crate::kernel::dispatch::{Task, dispatch};
use crate::kernel::element::{Element, Float, Kernel, Lane, compiled};
use crate::kernel::level::Level;
use crate::kernel::tiles::TILE;
use crate::math::{RowExp, fast_two_sum, log1p_of_sum_unrounded, two_sum};
use crate::pass::{Pieces, same_length};

/// log(sum of e^x\[i\]), without overflow: of the logarithms of numbers, that of their sum.
///
/// - Error: at most 1.5 ULP of the result, or of 1 where the result is less: near 0 it is a difference. Measured on sampled
///   rows of up to a million: 0.70 (`f32`) and 1.2 (`f64`). A row of one number gives that number, one of n equal
///   numbers x gives x + log n, to 0.6 ULP.
/// - Derivative: [`Softmax`](crate::Softmax) of x; see [`log_sum_exp_backward`].
/// - Special values: -inf for no numbers, or nothing but -inf; inf if one is inf; NaN if one is NaN.
///
/// Where the numbers come in pieces, use [`LogSumExp`].
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

/// [`log_sum_exp`], of halves not rounded to a half.
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
/// If `x` does not divide into rows, or `y` does not have an element for each, before anything is written.
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

/// [`log_sum_exp_rows`], of halves not rounded to halves.
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

#[track_caller]
fn check_rows(len: usize, row_len: usize, results: usize) {
    assert!(row_len > 0, "log_sum_exp_rows: rows must have at least 1 element");
    Pieces::Rows(row_len).check(len);
    same_length("y", results, "rows of x", len / row_len);
}

/// Calls `f` with the number of each row, and its log-sum-exp.
fn of_rows<T: Element>(x: &[T], row_len: usize, f: &mut dyn FnMut(usize, T::Float)) {
    let level = Level::best();
    // As many rows as are one tile, if they are converted.
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

/// The probabilities of numbers, times a number.
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

/// A log-sum-exp in the making: numbers come one at a time, by slices, or as another state, and the state, four numbers,
/// does not depend on how, but for rounding. With it a softmax is split over chunks, threads or machines.
///
/// - Each of [`finish`](Self::finish), [`normalise`](Self::normalise) and [`probability`](Self::probability) is within its
///   bound of the exact value, for any split and any order of merges: 1.5 ULP for the first (see [`log_sum_exp`]), 3 ULP for
///   probabilities, of up to a million numbers in up to a thousand pieces. So two splits differ by at most twice as much.
/// - Merging is commutative to the bit.
///
/// The sum is kept to twice the working precision, scaled by a power of two, so that merging does not add an error to that
/// of the exponentials.
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

/// A state of floats: of halves too.
#[derive(Clone, Copy, Debug, PartialEq)]
struct State<T> {
    /// NaN once a number was; -inf if there was none, or nothing but -inf.
    greatest: T,
    /// e^greatest, scaled: see [`RowExp::on_grid`]. 0 if the greatest is infinite or NaN.
    top: T,
    /// The sum of all exponentials, on the same scale.
    hi: T,
    lo: T,
}

impl<T: Float> State<T> {
    fn of_nothing() -> Self {
        Self::without_sum(T::neg_infinity())
    }

    fn without_sum(greatest: T) -> Self {
        Self { greatest, top: T::zero(), hi: T::zero(), lo: T::zero() }
    }

    fn of(x: T) -> Self {
        if !x.is_finite() {
            return Self::without_sum(x);
        }
        let lane = <T::Plain as Lane<T>>::load(x);
        let top = RowExp::on_grid(lane).exp(lane).store();
        Self { greatest: x, top, hi: top, lo: T::zero() }
    }

    /// The numbers of another state.
    fn merge(&mut self, other: &Self) {
        let (less, greater) = if other.greatest < self.greatest { (other, &*self) } else { (&*self, other) };
        *self = if less.greatest.is_nan() {
            *less
        } else if less.greatest == T::neg_infinity() || !greater.greatest.is_finite() {
            *greater
        } else {
            less.merged_into(greater)
        };
    }

    /// For finite numbers. The additions are of pairs whose order does not matter.
    fn merged_into(&self, greater: &Self) -> Self {
        let load = <T::Plain as Lane<T>>::load;
        let scale = |state: &Self| RowExp::on_grid(load(state.greatest));
        let (less_hi, less_lo) = scale(self).raised_to(&scale(greater), (load(self.hi), load(self.lo)));
        let (hi, lo) = two_sum(less_hi, load(greater.hi));
        let (hi, lo) = fast_two_sum(hi, lo + (less_lo + load(greater.lo)));
        // The levels may differ in the exponential of the same number.
        let equal = self.greatest == greater.greatest && greater.top < self.top;
        let top = if equal { self.top } else { greater.top };
        Self { greatest: greater.greatest, top, hi: hi.store(), lo: lo.store() }
    }

    #[inline(always)]
    fn logarithm(&self) -> T {
        logarithm::<T, T::Plain>(self.greatest, self.top, (self.hi, self.lo))
    }
}

impl<T: Element> Default for LogSumExp<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Element> LogSumExp<T> {
    /// Of no numbers.
    ///
    /// ```
    /// assert_eq!(activations::LogSumExp::<f32>::new().finish(), f32::NEG_INFINITY);
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self { state: State::of_nothing() }
    }

    /// Of these numbers.
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

    /// The state as plain numbers, to be stored or sent: [`from_parts`](Self::from_parts) makes it again, to the bit.
    ///
    /// They are for that alone: what each of them is may change between versions of this crate.
    ///
    /// ```
    /// use activations::LogSumExp;
    ///
    /// let (here, there) = (LogSumExp::of(&[1.0_f32, 2.0]), LogSumExp::of(&[3.0, 4.0]));
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

    /// The state that [`to_parts`](Self::to_parts) gave. Of other numbers nothing is promised, but that no method panics.
    #[must_use]
    pub fn from_parts([greatest, top, hi, lo]: [T::Float; 4]) -> Self {
        Self { state: State { greatest, top, hi, lo } }
    }

    /// One number more.
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

    /// More numbers.
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

    /// [`push_slice`](Self::push_slice) at a level of one's own choice.
    ///
    /// ```
    /// use activations::{Level, LogSumExp};
    ///
    /// let mut sum = LogSumExp::new();
    /// sum.push_slice_at(Level::compiled(), &[0.0_f64, 0.0]);
    /// assert_eq!(sum.finish(), 2.0_f64.ln());
    /// ```
    pub fn push_slice_at(&mut self, level: Level, x: &[T]) {
        if x.is_empty() {
            return;
        }
        T::as_floats(level, [x], [], false, |[x], []| {
            let mut state = State::of_nothing();
            T::Float::run(&Compiled, level, Args::OfSlice { x, state: &mut state });
            self.state.merge(&state);
        });
    }

    /// The numbers of another state.
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

    /// The same, of halves not rounded to a half.
    ///
    /// ```
    /// let sum = activations::LogSumExp::of(&[5.0_f32]);
    /// assert_eq!(sum.finish_wide(), sum.finish());
    /// ```
    #[must_use]
    pub fn finish_wide(&self) -> T::Float {
        self.state.logarithm()
    }

    /// e^x / sum of e^x\[i\], for a number that was pushed. NaN for one that is greater than all of them, and where
    /// [`Softmax`](crate::Softmax) is NaN: the greatest is NaN, infinite or was not there.
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

    /// The [`probability`](Self::probability) of each of these numbers: for all that was pushed, their softmax.
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

    /// [`normalise`](Self::normalise) at a level of one's own choice.
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

/// The states of the rows that are worked on.
struct States<'a, T> {
    stats: &'a Stats<T>,
    states: &'a mut PerRow<State<T>>,
}

impl<T: Float> Task<T> for States<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        for i in 0..SIDE {
            let row = self.stats.row::<R>(i);
            let (hi, lo): Partial<R> = multiple_and(row.second.0, row.top, row.first);
            let finite = row.greatest.abs().lt(R::of(f64::INFINITY));
            let number = |number: R| R::select(finite, number, R::of(0.0)).store();
            self.states[i] =
                State { greatest: row.greatest.store(), top: number(row.top), hi: number(hi), lo: number(lo) };
        }
    }
}

/// The logarithms of the states: the same for both kinds of lane.
struct Logarithms<'a, T> {
    states: &'a PerRow<State<T>>,
    logarithms: &'a mut PerRow<T>,
}

impl<T: Float> Task<T> for Logarithms<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        // An array for each number: an array of structures would not vectorise.
        let (mut greatest, mut top, mut sum) = ([T::zero(); SIDE], [T::zero(); SIDE], [[T::zero(); SIDE]; 2]);
        for (i, state) in self.states.iter().enumerate() {
            (greatest[i], top[i], sum[0][i], sum[1][i]) = (state.greatest, state.top, state.hi, state.lo);
        }
        for i in 0..SIDE {
            self.logarithms[i] = logarithm::<T, T::Plain>(greatest[i], top[i], (sum[0][i], sum[1][i]));
        }
    }
}

/// Of a state: the greatest if that is infinite or NaN.
#[inline(always)]
fn logarithm<T: Float, R: Lane<T>>(greatest: T, top: T, (hi, lo): Partial<T>) -> T {
    let (greatest, top) = (R::load(greatest), R::load(top));
    let (rest, error) = two_sum(R::load(hi), -top);
    let rest = fast_two_sum(rest, error + R::load(lo));
    let (rest, rest_lo) = Normaliser::of((top, R::of(0.0))).ratio(rest);
    let (log, log_lo) = log1p_of_sum_unrounded(R::of(0.0), rest, rest_lo);
    let (sum, error) = two_sum(greatest, log);
    let finite = greatest.abs().lt(R::of(f64::INFINITY));
    R::select(finite, sum + (error + log_lo), greatest).store()
}

/// Calls `f` with the number of the first of some rows, their elements, and the states of their log-sum-exps.
fn for_each_group<T: Float>(level: Level, x: &[T], row_len: usize, f: &mut dyn FnMut(usize, &[T], &PerRow<State<T>>)) {
    let mut states = [State::of_nothing(); SIDE];
    rest_of_rows(level, x, row_len, &mut |at, x, stats| {
        dispatch(level, States { stats, states: &mut states });
        for (x, state) in x.chunks_exact(row_len).zip(&mut states) {
            // Infinity stands for NaN too.
            if state.greatest == T::infinity() && x.iter().any(|x| x.is_nan()) {
                state.greatest = T::nan();
            }
        }
        f(at, x, &states);
    });
}

/// Entries that are compiled for each float.
struct Compiled;

/// What is asked for: the state of a slice, the log-sum-exps of rows, or probabilities.
enum Args<'a, T> {
    OfSlice { x: &'a [T], state: &'a mut State<T> },
    OfRows { x: &'a [T], row_len: usize, y: &'a mut [T] },
    Probabilities(Probabilities<'a, T>),
}

impl Kernel for Compiled {
    type Args<'a, T: Float> = Args<'a, T>;
    type Output<T: Float> = ();

    compiled! {
        fn f32(&self, level: Level, args: Args<'_, f32>) {
            run(level, args);
        }
        fn f64(&self, level: Level, args: Args<'_, f64>) {
            run(level, args);
        }
    }
}

fn run<T: Float>(level: Level, args: Args<'_, T>) {
    match args {
        Args::OfSlice { x, state } => for_each_group(level, x, x.len(), &mut |_, _, states| *state = states[0]),
        Args::OfRows { x, row_len, y } => {
            let mut logarithms = [T::zero(); SIDE];
            for_each_group(level, x, row_len, &mut |at, _, states| {
                dispatch(level, Logarithms { states, logarithms: &mut logarithms });
                for (y, &logarithm) in y[at..].iter_mut().zip(&logarithms) {
                    *y = logarithm;
                }
            });
        }
        Args::Probabilities(task) => dispatch(level, task),
    }
}

struct Probabilities<'a, T> {
    state: State<T>,
    times: T,
    x: &'a [T],
    y: &'a mut [T],
}

impl<T: Float> Task<T> for Probabilities<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        // A function, because LLVM knows only of its arguments that they do not overlap.
        #[inline(always)]
        fn all<T: Float, R: Lane<T>>(
            (exp, normaliser, greatest, times): (RowExp<R>, Normaliser<R>, R, R),
            x: &[T],
            y: &mut [T],
        ) {
            for (y, &x) in y.iter_mut().zip(x) {
                let x = R::load(x);
                let p = normaliser.probability(exp.exp(x));
                *y = (R::select(x.le(greatest), p, R::of(f64::NAN)) * times).store();
            }
        }

        let Self { state: State { greatest, hi, lo, .. }, times, x, y } = self;
        let greatest = R::load(greatest);
        let mut normaliser = Normaliser::of((R::load(hi), R::load(lo)));
        normaliser.factor = normaliser.factor - greatest.abs() * R::of(0.0);
        all((RowExp::on_grid(greatest), normaliser, greatest, R::load(times)), x, y);
    }
}
