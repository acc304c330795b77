//! The two kinds of lane that formulas run in: `Fused` and `Plain`, of `f32` and `f64`.

use core::ops::{Add, Div, Mul, Neg, Sub};

use super::quarter_turns;
use super::real::{Coefficients, QuarterTurns, Real};
use super::sealed::Sealed;

/// A lane whose `mul_add` is one instruction, with one rounding.
///
/// ```
/// use activations::{Fused, Real};
///
/// // The square of 1 + 2^-12 is 1 + 2^-11 + 2^-24; the last part is what its rounding takes away.
/// let x = Fused::<f32>::of(1.0 + 2.0_f64.powi(-12));
/// assert_eq!(x.mul_add(x, -(x * x)), Fused::of(2.0_f64.powi(-24)));
/// ```
#[cfg(feature = "std")]
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Fused<T>(pub(crate) T);

/// A lane whose `mul_add` is a product and a sum, each rounded. It is for CPUs without fused multiply-add, where a single rounding
/// would cost a library call.
///
/// ```
/// use activations::{Plain, Real};
///
/// let x = Plain::<f32>::of(1.0 + 2.0_f64.powi(-12));
/// assert_eq!(x.mul_add(x, -(x * x)), Plain::of(0.0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Plain<T>(pub(crate) T);

/// A lane of `f64` for results that are rounded to `f32`: formulas may be off by 2^-39 of the result in it, so they take shorter
/// polynomials, and keep no low parts. [`Exact`](crate::Exact) tests each result. Only for CPUs with fused multiply-add.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Brief<T>(pub T);

/// 1.5 * 2^mantissa. Adding it to a number leaves the nearest integer in the low bits.
macro_rules! rounder {
    ($float:ident, $mantissa:literal) => {
        1.5 * (1u64 << $mantissa) as $float
    };
}

macro_rules! operators {
    ($lane:ident<$float:ident>: $($trait:ident $method:ident $op:tt),*) => {$(
        impl $trait for $lane<$float> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self(self.0 $op other.0)
            }
        }
    )*};
}

/// Implements `Real` for a kind of lane of one float. It is not generic over the float, because each operation would then be one
/// more call to inline, which takes a sixth of the crate's compile time.
macro_rules! lane {
    (
        $lane:ident<$float:ident>, mantissa: $mantissa:literal,
        |$c32:ident, $c64:ident| $pick:ident, fused: $fused:literal, brief: $brief:literal,
        mul_add: |$a:ident, $b:ident, $c:ident| $mul_add:expr, two_mul: |$p:ident, $q:ident| $two_mul:expr,
        turns: |$angle:ident, $angle_lo:ident| $turns:expr
    ) => {
        operators!($lane<$float>: Add add +, Sub sub -, Mul mul *, Div div /);

        impl Neg for $lane<$float> {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                Self(-self.0)
            }
        }

        impl Sealed for $lane<$float> {}

        impl Real for $lane<$float> {
            type Mask = bool;

            const FUSED: bool = $fused;
            const BRIEF: bool = $brief;

            #[inline(always)]
            fn of(c: f64) -> Self {
                Self(c as $float)
            }

            #[inline(always)]
            fn per_type($c32: f32, $c64: f64) -> Self {
                let _ = ($c32, $c64);
                Self($pick)
            }

            #[inline(always)]
            fn mul_add(self, b: Self, c: Self) -> Self {
                let ($a, $b, $c) = (self.0, b.0, c.0);
                Self($mul_add)
            }

            #[inline(always)]
            fn two_mul(self, b: Self) -> (Self, Self) {
                let ($p, $q) = (self.0, b.0);
                let (hi, lo) = $two_mul;
                (Self(hi), Self(lo))
            }

            #[inline(always)]
            fn upper_half(self) -> Self {
                Self($float::from_bits(self.0.to_bits() & (!0 << (($mantissa + 2) / 2))))
            }

            #[inline(always)]
            fn lt(self, other: Self) -> bool {
                self.0 < other.0
            }

            #[inline(always)]
            fn le(self, other: Self) -> bool {
                self.0 <= other.0
            }

            #[inline(always)]
            fn select(mask: bool, a: Self, b: Self) -> Self {
                if mask { a } else { b }
            }

            #[inline(always)]
            fn abs(self) -> Self {
                Self(self.0.abs())
            }

            #[inline(always)]
            fn copysign(self, sign: Self) -> Self {
                Self(self.0.copysign(sign.0))
            }

            #[inline(always)]
            fn sqrt(self) -> Self {
                // Both are correctly rounded. `sqrt` is not in `core`.
                #[cfg(feature = "std")]
                return Self(self.0.sqrt());
                #[cfg(not(feature = "std"))]
                return Self(num_traits::Float::sqrt(self.0));
            }

            #[inline(always)]
            fn ramp(self) -> Self {
                if $fused && !$brief {
                    // 3 to 10 % faster than a maximum of floats, except with SSE2, which has no unsigned minimum of integers.
                    Self($float::from_bits(self.0.to_bits().min((-0.0 as $float).to_bits())))
                } else {
                    self.at_least(Self(-0.0))
                }
            }

            #[inline(always)]
            fn round_exp2(self, per_unit: Self, lift: Self) -> (Self, Self) {
                const BIAS: $float = ($float::MAX_EXP - 1) as $float;
                // The bias and the lift are part of the rounding constant, so they cost nothing.
                let rounder = lift + Self(rounder!($float, $mantissa) + BIAS);
                let rounded = self.mul_add(per_unit, rounder);
                (rounded - rounder, Self($float::from_bits(rounded.0.to_bits() << $mantissa)))
            }

            #[inline(always)]
            fn raise(self, power: Self) -> Self {
                Self($float::from_bits(self.0.to_bits().wrapping_add(power.0.to_bits())))
            }

            #[inline(always)]
            fn split_exponent(self) -> (Self, Self) {
                let bits = self.0.to_bits();
                let exponent = bits.wrapping_sub((1.0 as $float).to_bits()).cast_signed() >> $mantissa;
                let m = bits.wrapping_sub((exponent << $mantissa).cast_unsigned());
                // Makes a float of an integer without a conversion, by writing it into the low bits of the rounding constant.
                let e = rounder!($float, $mantissa).to_bits().wrapping_add(exponent.cast_unsigned());
                (Self($float::from_bits(m)), Self($float::from_bits(e) - rounder!($float, $mantissa)))
            }

            #[inline(always)]
            fn quarter_turns(self, lo: Option<Self>) -> QuarterTurns<Self> {
                let $angle = self;
                let $angle_lo = lo;
                $turns
            }

            #[inline(always)]
            fn terms(coefficients: &Coefficients) -> usize {
                coefficients.$float.len()
            }

            #[inline(always)]
            fn coefficient(coefficients: &Coefficients, i: usize) -> Self {
                Self(coefficients.$float[i])
            }
        }
    };
}

/// Defines both kinds of lane of one float. `split` gives the upper half of a number, so that products of halves are exact. `turns`
/// gives the quarter turns of a lane.
macro_rules! lanes {
    (
        $float:ident, mantissa: $mantissa:literal, $pick:ident of $c32:ident, $c64:ident, split: |$v:ident| $split:expr,
        turns: |$angle:ident, $angle_lo:ident| $turns:expr
    ) => {
        #[cfg(feature = "std")]
        lane!(
            Fused<$float>, mantissa: $mantissa, |$c32, $c64| $pick, fused: true, brief: false,
            mul_add: |a, b, c| a.mul_add(b, c),
            two_mul: |a, b| {
                let hi = a * b;
                (hi, a.mul_add(b, -hi))
            },
            turns: |$angle, $angle_lo| $turns
        );
        lane!(
            Plain<$float>, mantissa: $mantissa, |$c32, $c64| $pick, fused: false, brief: false,
            mul_add: |a, b, c| a * b + c,
            two_mul: |a, b| {
                let (a_hi, b_hi) = ({ let $v = a; $split }, { let $v = b; $split });
                let (a_lo, b_lo) = (a - a_hi, b - b_hi);
                let hi = a * b;
                (hi, ((a_hi * b_hi - hi) + a_hi * b_lo + a_lo * b_hi) + a_lo * b_lo)
            },
            turns: |$angle, $angle_lo| $turns
        );
    };
}
// The halves have 12 bits each.
lanes!(f32, mantissa: 23, for_f32 of for_f32, for_f64, split: |v| Plain(v).upper_half().0,
turns: |x, lo| {
    let QuarterTurns { quarter, r, r_lo } = match lo {
        Some(lo) => quarter_turns::of_f32(x.0, Some(lo.0)),
        None => quarter_turns::of_f32(x.0, None),
    };
    QuarterTurns { quarter: Self(quarter), r: Self(r), r_lo: Self(r_lo) }
});
// The halves of 53 bits have 26 bits each, and one of them a sign. A multiplication does that. Cutting the bits would give 27 and 26,
// and products of 54 bits.
lanes!(f64, mantissa: 52, for_f64 of for_f32, for_f64, split: |v| {
    let up = v * ((1u64 << 27) + 1) as f64;
    up - (up - v)
}, turns: |x, lo| quarter_turns::of_f64(x, lo));

lane!(
    Brief<f64>, mantissa: 52, |for_f32, for_f64| for_f64, fused: true, brief: true,
    mul_add: |a, b, c| {
        // Not in `core`, where no CPU runs it.
        #[cfg(feature = "std")]
        let sum = a.mul_add(b, c);
        #[cfg(not(feature = "std"))]
        let sum = a * b + c;
        sum
    },
    two_mul: |a, b| (a * b, 0.0),
    turns: |x, lo| quarter_turns::of_f64(x, lo)
);
