//! `Abreast`: several lanes that go through a formula side by side.

use core::ops::{Add, Div, Mul, Neg, Sub};

use super::real::{Coefficients, QuarterTurns, Real};
use super::sealed::Sealed;

/// Up to four lanes that go through a formula side by side: each operation runs on all of them before the next one.
///
/// One formula is a long chain of dependent operations. A CPU overlaps the chains of successive vectors only as far as its scheduler
/// looks ahead. Several chains side by side keep the arithmetic units busy. Measured: sigmoid is 17 % faster with four lanes than
/// with one. More lanes would need more registers than there are.
///
/// Fields, not an array: an array makes a loop of each operation, and to unroll those took most of the compile time.
/// From the `N`th on they repeat the first, and nobody reads them. `const`, so that their operations are not even compiled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Abreast<R, const N: usize>(pub(crate) R, pub(crate) R, pub(crate) R, pub(crate) R);

/// Applies an expression to each lane. A name in it stands for one lane of the variable: `each!(|a, b| a + b)`.
macro_rules! each {
    (|$($name:ident),+| $lane:expr) => {{
        let (first, second, third, fourth) = each!(@ |$($name),+| $lane);
        Abreast(first, second, third, fourth)
    }};
    (@ |$($name:ident),+| $lane:expr) => {{
        let first = { $(let $name = $name.0;)+ $lane };
        (
            first,
            if const { N > 1 } { $(let $name = $name.1;)+ $lane } else { first },
            if const { N > 2 } { $(let $name = $name.2;)+ $lane } else { first },
            if const { N > 3 } { $(let $name = $name.3;)+ $lane } else { first },
        )
    }};
}

/// The same for an expression that is a pair. The result is a pair of `Abreast`.
macro_rules! each_pair {
    (|$($name:ident),+| $pair:expr) => {{
        let (first, second, third, fourth) = each!(@ |$($name),+| $pair);
        (Abreast(first.0, second.0, third.0, fourth.0), Abreast(first.1, second.1, third.1, fourth.1))
    }};
}

impl<R: Real, const N: usize> Abreast<R, N> {
    /// The same number in each lane.
    #[inline(always)]
    pub(crate) fn splat(lane: R) -> Self {
        Self(lane, lane, lane, lane)
    }

    /// The sum of all lanes, by pairs.
    #[inline(always)]
    pub(crate) fn sum(self) -> R {
        match const { N } {
            1 => self.0,
            2 => self.0 + self.1,
            3 => (self.0 + self.1) + self.2,
            _ => (self.0 + self.1) + (self.2 + self.3),
        }
    }
}

macro_rules! abreast_operators {
    ($($trait:ident $method:ident),*) => {$(
        impl<R: Real, const N: usize> $trait for Abreast<R, N> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                let (a, b) = (self, other);
                each!(|a, b| a.$method(b))
            }
        }
    )*};
}
abreast_operators!(Add add, Sub sub, Mul mul, Div div);

impl<R: Real, const N: usize> Neg for Abreast<R, N> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        let a = self;
        each!(|a| -a)
    }
}

impl<R: Real, const N: usize> Sealed for Abreast<R, N> {}

impl<R: Real, const N: usize> Real for Abreast<R, N> {
    const FUSED: bool = R::FUSED;
    const BRIEF: bool = R::BRIEF;
    type Mask = (R::Mask, R::Mask, R::Mask, R::Mask);

    #[inline(always)]
    fn of(c: f64) -> Self {
        Self::splat(R::of(c))
    }

    #[inline(always)]
    fn per_type(for_f32: f32, for_f64: f64) -> Self {
        Self::splat(R::per_type(for_f32, for_f64))
    }

    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        let a = self;
        each!(|a, b, c| a.mul_add(b, c))
    }

    #[inline(always)]
    fn two_mul(self, b: Self) -> (Self, Self) {
        let a = self;
        each_pair!(|a, b| a.two_mul(b))
    }

    #[inline(always)]
    fn upper_half(self) -> Self {
        let a = self;
        each!(|a| a.upper_half())
    }

    #[inline(always)]
    fn lt(self, other: Self) -> Self::Mask {
        let (a, b) = (self, other);
        each!(@ |a, b| a.lt(b))
    }

    #[inline(always)]
    fn le(self, other: Self) -> Self::Mask {
        let (a, b) = (self, other);
        each!(@ |a, b| a.le(b))
    }

    #[inline(always)]
    fn select(mask: Self::Mask, a: Self, b: Self) -> Self {
        each!(|mask, a, b| R::select(mask, a, b))
    }

    #[inline(always)]
    fn abs(self) -> Self {
        let a = self;
        each!(|a| a.abs())
    }

    #[inline(always)]
    fn copysign(self, sign: Self) -> Self {
        let a = self;
        each!(|a, sign| a.copysign(sign))
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        let a = self;
        each!(|a| a.sqrt())
    }

    #[inline(always)]
    fn ramp(self) -> Self {
        let a = self;
        each!(|a| a.ramp())
    }

    #[inline(always)]
    fn round_exp2(self, per_unit: Self, lift: Self) -> (Self, Self) {
        let a = self;
        each_pair!(|a, per_unit, lift| a.round_exp2(per_unit, lift))
    }

    #[inline(always)]
    fn raise(self, power: Self) -> Self {
        let a = self;
        each!(|a, power| a.raise(power))
    }

    #[inline(always)]
    fn split_exponent(self) -> (Self, Self) {
        let a = self;
        each_pair!(|a| a.split_exponent())
    }

    #[inline(always)]
    fn quarter_turns(self, lo: Option<Self>) -> QuarterTurns<Self> {
        let a = self;
        let (first, second, third, fourth) = match lo {
            Some(lo) => each!(@ |a, lo| a.quarter_turns(Some(lo))),
            None => each!(@ |a| a.quarter_turns(None)),
        };
        QuarterTurns {
            quarter: Self(first.quarter, second.quarter, third.quarter, fourth.quarter),
            r: Self(first.r, second.r, third.r, fourth.r),
            r_lo: Self(first.r_lo, second.r_lo, third.r_lo, fourth.r_lo),
        }
    }

    #[inline(always)]
    fn terms(coefficients: &Coefficients) -> usize {
        R::terms(coefficients)
    }

    #[inline(always)]
    fn coefficient(coefficients: &Coefficients, i: usize) -> Self {
        Self::splat(R::coefficient(coefficients, i))
    }
}
