//! The state of a log-sum-exp, and the loops that compute states, logarithms and probabilities of rows.

use super::probability::{Normaliser, multiple_and};
use super::reduce::Partial;
use super::rest::rest_of_rows;
use super::stats::{PerRow, SIDE, Stats};
use crate::kernel::dispatch::{Task, dispatch};
use crate::kernel::element::{Float, Lane, kernel};
use crate::kernel::level::Level;
use crate::math::{RowExp, fast_two_sum, log1p_of_sum_unrounded, two_sum};

/// A state in floats. Halves use it too.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct State<T> {
    /// The greatest number. It is NaN if any number was NaN, and -inf if there was none, or nothing but -inf.
    pub(crate) greatest: T,
    /// e^greatest, scaled as in [`RowExp::on_grid`]. 0 if the greatest is infinite or NaN.
    pub(crate) top: T,
    /// The sum of all exponentials, on the same scale.
    pub(crate) hi: T,
    pub(crate) lo: T,
}

impl<T: Float> State<T> {
    pub(crate) fn of_nothing() -> Self {
        Self::without_sum(T::neg_infinity())
    }

    fn without_sum(greatest: T) -> Self {
        Self { greatest, top: T::zero(), hi: T::zero(), lo: T::zero() }
    }

    pub(crate) fn of(x: T) -> Self {
        if !x.is_finite() {
            return Self::without_sum(x);
        }
        let lane = <T::Plain as Lane<T>>::load(x);
        let top = RowExp::on_grid(lane).exp(lane).store();
        Self { greatest: x, top, hi: top, lo: T::zero() }
    }

    /// Adds the numbers of another state.
    pub(crate) fn merge(&mut self, other: &Self) {
        let (less, greater) = if other.greatest < self.greatest { (other, &*self) } else { (&*self, other) };
        *self = if less.greatest.is_nan() {
            *less
        } else if less.greatest == T::neg_infinity() || !greater.greatest.is_finite() {
            *greater
        } else {
            less.merged_into(greater)
        };
    }

    /// Merges states of finite numbers. Each addition has two terms, so swapping the states changes nothing.
    fn merged_into(&self, greater: &Self) -> Self {
        let load = <T::Plain as Lane<T>>::load;
        let scale = |state: &Self| RowExp::on_grid(load(state.greatest));
        let (less_hi, less_lo) = scale(self).raised_to(&scale(greater), (load(self.hi), load(self.lo)));
        let (hi, lo) = two_sum(less_hi, load(greater.hi));
        let (hi, lo) = fast_two_sum(hi, lo + (less_lo + load(greater.lo)));
        // The states may come from levels that differ in the exponential of the same number.
        let equal = self.greatest == greater.greatest && greater.top < self.top;
        let top = if equal { self.top } else { greater.top };
        Self { greatest: greater.greatest, top, hi: hi.store(), lo: lo.store() }
    }

    #[inline(always)]
    pub(crate) fn logarithm(&self) -> T {
        logarithm::<T, T::Plain>(self.greatest, self.top, (self.hi, self.lo))
    }
}

/// The states of the rows that are worked on.
struct States<'a, T> {
    pub(crate) stats: &'a Stats<T>,
    pub(crate) states: &'a mut PerRow<State<T>>,
}

impl<T: Float> Task<T> for States<'_, T> {
    type Output = ();
    type Home = Self;

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

/// The logarithms of the states, with the same code for both kinds of lane.
struct Logarithms<'a, T> {
    pub(crate) states: &'a PerRow<State<T>>,
    pub(crate) logarithms: &'a mut PerRow<T>,
}

impl<T: Float> Task<T> for Logarithms<'_, T> {
    type Output = ();
    type Home = Self;

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

/// The logarithm of a state. It is the greatest number if that is infinite or NaN.
#[inline(always)]
pub(crate) fn logarithm<T: Float, R: Lane<T>>(greatest: T, top: T, (hi, lo): Partial<T>) -> T {
    let (greatest, top) = (R::load(greatest), R::load(top));
    let (rest, error) = two_sum(R::load(hi), -top);
    let rest = fast_two_sum(rest, error + R::load(lo));
    let (rest, rest_lo) = Normaliser::of((top, R::of(0.0))).ratio(rest);
    let (log, log_lo) = log1p_of_sum_unrounded(R::of(0.0), rest, rest_lo);
    let (sum, error) = two_sum(greatest, log);
    let finite = greatest.abs().lt(R::of(f64::INFINITY));
    R::select(finite, sum + (error + log_lo), greatest).store()
}

/// Calls `f` with groups of rows: the number of the first row, the elements, and the states of the log-sum-exps.
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

/// The entry point, compiled once for each float.
pub(crate) struct Compiled;

/// The results that a caller wants: the state of a slice, the log-sum-exps of rows, or probabilities.
pub(crate) enum Args<'a, T> {
    OfSlice { x: &'a [T], state: &'a mut State<T> },
    OfRows { x: &'a [T], row_len: usize, y: &'a mut [T] },
    Probabilities(Probabilities<'a, T>),
}

kernel!(Compiled: Args<'a, T> = Args<'a, T>, -> (), run);

pub(crate) fn run<T: Float>(_: &Compiled, level: Level, args: Args<'_, T>) {
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

pub(crate) struct Probabilities<'a, T> {
    pub(crate) state: State<T>,
    pub(crate) times: T,
    pub(crate) x: &'a [T],
    pub(crate) y: &'a mut [T],
}

impl<T: Float> Task<T> for Probabilities<'_, T> {
    type Output = ();
    type Home = Self;

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        // A function of its own, because LLVM knows only of a function's arguments that they do not overlap.
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
