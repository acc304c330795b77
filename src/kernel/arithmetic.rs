//! Sums and products of slices, and separation of pairs: the operations on tiles that layers need besides activations.

use super::dispatch::{Task, dispatch};
use super::element::{Float, Lane, kernel};
use super::level::Level;
use super::sweep::sweep;

/// How many vectors go side by side, for loops without a formula.
pub(crate) trait Count: Clone {
    const ABREAST: usize;
}

/// One vector at a time.
#[derive(Clone)]
pub(crate) struct Single;

impl Count for Single {
    const ABREAST: usize = 1;
}

/// An operation on slices of floats of equal length. [`run`](Self::run) runs it.
pub(crate) enum Arithmetic<'a, T> {
    /// `y[i] = a[i] + b[i]`.
    Sum { a: &'a [T], b: &'a [T], y: &'a mut [T] },
    /// `y[i] = a[i] * b[i]`.
    Product { a: &'a [T], b: &'a [T], y: &'a mut [T] },
    /// `y[i] = y[i] * a[i]`.
    ProductInPlace { a: &'a [T], y: &'a mut [T] },
    /// `(first[i], second[i]) = (pairs[2 i], pairs[2 i + 1])`.
    TakeApart { pairs: &'a [T], first: &'a mut [T], second: &'a mut [T] },
    /// `(pairs[2 i], pairs[2 i + 1]) = (first[i], second[i])`.
    Interleave { first: &'a [T], second: &'a [T], pairs: &'a mut [T] },
}

impl<T: Float> Arithmetic<'_, T> {
    #[inline]
    pub(crate) fn run(self, level: Level) {
        T::run(&Loops, level, self);
    }
}

struct Loops;

kernel!(Loops: Args<'a, T> = Arithmetic<'a, T>, -> (), run);

#[inline]
fn run<T: Float>(_: &Loops, level: Level, arithmetic: Arithmetic<'_, T>) {
    let _one = &Single;
    match arithmetic {
        Arithmetic::Sum { a, b, y } => dispatch(level, Sum { _one, a, b, y }),
        Arithmetic::Product { a, b, y } => dispatch(level, Product { _one, a, b, y }),
        Arithmetic::ProductInPlace { a, y } => dispatch(level, ProductInPlace { _one, a, y }),
        Arithmetic::TakeApart { pairs, first, second } => dispatch(level, TakeApart { pairs, first, second }),
        Arithmetic::Interleave { first, second, pairs } => dispatch(level, Interleave { first, second, pairs }),
    }
}

sweep!(Sum<Count> |_one, a, b| y = a + b);
sweep!(Product<Count> |_one, a, b| y = a * b);
sweep!(ProductInPlace<Count> |_one, a| mut y = y * a);

struct TakeApart<'a, T> {
    pairs: &'a [T],
    first: &'a mut [T],
    second: &'a mut [T],
}

impl<T: Float> Task<T> for TakeApart<'_, T> {
    type Output = ();
    type Home = Self;

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        let pairs = self.pairs.as_chunks::<2>().0;
        let (first, second) = (&mut self.first[..pairs.len()], &mut self.second[..pairs.len()]);
        for i in 0..pairs.len() {
            (first[i], second[i]) = (pairs[i][0], pairs[i][1]);
        }
    }
}

struct Interleave<'a, T> {
    first: &'a [T],
    second: &'a [T],
    pairs: &'a mut [T],
}

impl<T: Float> Task<T> for Interleave<'_, T> {
    type Output = ();
    type Home = Self;

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        let pairs = self.pairs.as_chunks_mut::<2>().0;
        let (first, second) = (&self.first[..pairs.len()], &self.second[..pairs.len()]);
        for i in 0..pairs.len() {
            pairs[i] = [first[i], second[i]];
        }
    }
}
