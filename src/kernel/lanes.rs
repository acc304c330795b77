//! The two kinds of lane that formulas run in: `Fused` and `Plain`, of `f32` and `f64`.

use core::ops::{Add, Div, Mul, Neg, Sub};

use super::real::{Coefficients, Real};
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

/// A lane whose `mul_add` is a product and a sum, each rounded: for CPUs without fused multiply-add, where the
/// single rounding would cost a library call.
///
/// ```
/// use activations::{Plain, Real};
///
/// let x = Plain::<f32>::of(1.0 + 2.0_f64.powi(-12));
/// assert_eq!(x.mul_add(x, -(x * x)), Plain::of(0.0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Plain<T>(pub(crate) T);

/// What `Real` needs of the number in the lane, whatever the kind of lane.
pub trait Ieee:
    Copy
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + Into<f64>
    + 'static
{
    /// 2^s + 1 with s half the mantissa's bits, rounded up: Dekker's splitting factor.
    const SPLITTER: Self;
    /// 1.5 * 2^mantissa: adding it leaves the nearest integer in the low bits.
    const ROUNDER: Self;
    /// The exponent's bias, as a number.
    const BIAS: Self;
    fn of(c: f64) -> Self;
    fn per_type(for_f32: f32, for_f64: f64) -> Self;
    fn coefficients(table: &Coefficients) -> &'static [Self];
    fn abs(self) -> Self;
    fn copysign(self, sign: Self) -> Self;
    fn sqrt(self) -> Self;
    /// See [`Real::ramp`].
    fn ramp(self) -> Self;
    #[cfg(feature = "std")]
    fn fused_mul_add(self, b: Self, c: Self) -> Self;
    /// 2^n of an integer n that was rounded by adding `ROUNDER + BIAS`.
    fn exp2_of_rounded(self) -> Self;
    /// See [`Real::raise`].
    fn raise(self, power: Self) -> Self;
    /// See [`Real::split_exponent`].
    fn split_exponent(self) -> (Self, Self);
}

macro_rules! ieee {
    ($float:ident, $bits:ident, mantissa: $mantissa:literal, split: $split:literal, |$c32:ident, $c64:ident| $pick:ident) => {
        impl Ieee for $float {
            const SPLITTER: Self = ((1u64 << $split) + 1) as $float;
            const ROUNDER: Self = 1.5 * (1u64 << $mantissa) as $float;
            const BIAS: Self = ($float::MAX_EXP - 1) as $float;

            #[inline(always)]
            fn of(c: f64) -> Self {
                c as $float
            }

            #[inline(always)]
            fn per_type($c32: f32, $c64: f64) -> Self {
                let _ = ($c32, $c64);
                $pick
            }

            #[inline(always)]
            fn coefficients(table: &Coefficients) -> &'static [Self] {
                table.$float
            }

            #[inline(always)]
            fn abs(self) -> Self {
                $float::abs(self)
            }

            #[inline(always)]
            fn copysign(self, sign: Self) -> Self {
                $float::copysign(self, sign)
            }

            #[inline(always)]
            fn sqrt(self) -> Self {
                // Correctly rounded both ways. `sqrt` is not in `core`.
                #[cfg(feature = "std")]
                return $float::sqrt(self);
                #[cfg(not(feature = "std"))]
                return num_traits::Float::sqrt(self);
            }

            #[inline(always)]
            fn ramp(self) -> Self {
                $float::from_bits(self.to_bits().min((-0.0 as $float).to_bits()))
            }

            #[cfg(feature = "std")]
            #[inline(always)]
            fn fused_mul_add(self, b: Self, c: Self) -> Self {
                $float::mul_add(self, b, c)
            }

            #[inline(always)]
            fn exp2_of_rounded(self) -> Self {
                $float::from_bits(self.to_bits() << $mantissa)
            }

            #[inline(always)]
            fn raise(self, power: Self) -> Self {
                $float::from_bits(self.to_bits().wrapping_add(power.to_bits()))
            }

            #[inline(always)]
            fn split_exponent(self) -> (Self, Self) {
                let exponent = self.to_bits().wrapping_sub((1.0 as $float).to_bits()).cast_signed() >> $mantissa;
                let m = self.to_bits().wrapping_sub((exponent << $mantissa).cast_unsigned());
                // An integer to a float without a conversion: as the low bits of ROUNDER.
                let e = Self::ROUNDER.to_bits().wrapping_add(exponent.cast_unsigned());
                ($float::from_bits(m), $float::from_bits(e) - Self::ROUNDER)
            }
        }
    };
}
ieee!(f32, u32, mantissa: 23, split: 12, |for_f32, for_f64| for_f32);
ieee!(f64, u64, mantissa: 52, split: 27, |for_f32, for_f64| for_f64);

macro_rules! operators {
    ($lane:ident: $($trait:ident $method:ident $op:tt),*) => {
        $(impl<T: Ieee> $trait for $lane<T> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self(self.0 $op other.0)
            }
        })*

        impl<T: Ieee> Neg for $lane<T> {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                Self(-self.0)
            }
        }

        impl<T: Ieee> Sealed for $lane<T> {}
    };
}
operators!(Plain: Add add +, Sub sub -, Mul mul *, Div div /);
#[cfg(feature = "std")]
operators!(Fused: Add add +, Sub sub -, Mul mul *, Div div /);

/// The methods of `Real` that are the same for both kinds of lane.
macro_rules! shared_methods {
    () => {
        type Mask = bool;

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
        fn of(c: f64) -> Self {
            Self(T::of(c))
        }

        #[inline(always)]
        fn per_type(for_f32: f32, for_f64: f64) -> Self {
            Self(T::per_type(for_f32, for_f64))
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
            Self(self.0.sqrt())
        }

        #[inline(always)]
        fn ramp(self) -> Self {
            Self(self.0.ramp())
        }

        #[inline(always)]
        fn round_exp2(self, per_unit: Self, lift: Self) -> (Self, Self) {
            // The bias and the lift are added along with the rounding constant, so they cost nothing.
            let rounder = lift + Self(T::ROUNDER + T::BIAS);
            let rounded = self.mul_add(per_unit, rounder);
            (rounded - rounder, Self(rounded.0.exp2_of_rounded()))
        }

        #[inline(always)]
        fn raise(self, power: Self) -> Self {
            Self(self.0.raise(power.0))
        }

        #[inline(always)]
        fn split_exponent(self) -> (Self, Self) {
            let (m, e) = self.0.split_exponent();
            (Self(m), Self(e))
        }

        #[inline(always)]
        fn terms(coefficients: &Coefficients) -> usize {
            T::coefficients(coefficients).len()
        }

        #[inline(always)]
        fn coefficient(coefficients: &Coefficients, i: usize) -> Self {
            Self(T::coefficients(coefficients)[i])
        }
    };
}

#[cfg(feature = "std")]
impl<T: Ieee> Real for Fused<T> {
    const FUSED: bool = true;

    shared_methods!();

    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        Self(self.0.fused_mul_add(b.0, c.0))
    }

    #[inline(always)]
    fn two_mul(self, b: Self) -> (Self, Self) {
        let hi = self * b;
        (hi, self.mul_add(b, -hi))
    }
}

impl<T: Ieee> Real for Plain<T> {
    const FUSED: bool = false;

    shared_methods!();

    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        self * b + c
    }

    #[inline(always)]
    fn two_mul(self, b: Self) -> (Self, Self) {
        let split = |v: Self| {
            let t = v * Self(T::SPLITTER);
            let hi = t - (t - v);
            (hi, v - hi)
        };
        let ((a_hi, a_lo), (b_hi, b_lo)) = (split(self), split(b));
        let hi = self * b;
        (hi, ((a_hi * b_hi - hi) + a_hi * b_lo + a_lo * b_hi) + a_lo * b_lo)
    }
}
