//! `Real`: what a formula may do with a number, and the two kinds of lane that do it, `Fused` and `Plain`.

use core::ops::{Add, Div, Mul, Neg, Sub};

use super::sealed::Sealed;

/// The number type a formula is written over: one lane of a vector.
///
/// A formula is branch-free and generic, `fn value<R: Real>(&self, x: R) -> R`. The compiler vectorises the loop
/// around it, so `Real` has only operations that a vector unit has too: no library calls, nothing that may panic.
/// Elementary functions stand in [`math`](crate::math).
///
/// Instead of `if` there is `R::select(x.lt(limit), a, b)`. Any comparison with NaN is false, so put what hands NaN on
/// into `b`.
///
/// The trait is sealed. Its types are [`Fused`] and [`Plain`] of `f32` and `f64`.
///
/// ```
/// use activations::{Activation, Elementwise, Real};
///
/// /// A smooth step: 0 below 0, 1 above 1, 3 x^2 - 2 x^3 between.
/// #[derive(Clone, Copy)]
/// struct SmoothStep;
///
/// impl Elementwise for SmoothStep {
///     #[inline(always)]
///     fn value<R: Real>(&self, x: R) -> R {
///         let t = x.at_least(R::of(0.0)).at_most(R::of(1.0));
///         t * t * t.mul_add(R::of(-2.0), R::of(3.0))
///     }
///
///     #[inline(always)]
///     fn slope<R: Real>(&self, x: R) -> R {
///         let inside = R::of(6.0) * x * (R::of(1.0) - x);
///         let left_of_one = R::select(R::of(1.0).lt(x), R::of(0.0), inside);
///         R::select(x.lt(R::of(0.0)), R::of(0.0), left_of_one)
///     }
/// }
///
/// let (mut y, mut dydx) = ([0.0_f32; 3], [0.0; 3]);
/// SmoothStep.forward_with_derivative(&[-1.0, 0.5, 2.0], &mut y, &mut dydx);
/// assert_eq!((y, dydx), ([0.0, 0.5, 1.0], [0.0, 1.5, 0.0]));
/// assert!(SmoothStep.forward_vec(&[f32::NAN])[0].is_nan());
/// ```
pub trait Real:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> + Neg<Output = Self> + Sealed
{
    /// What a comparison gives: one truth value for each number in the lane.
    type Mask: Copy;

    /// Whether `mul_add` rounds once.
    const FUSED: bool;

    /// A constant, rounded to the type.
    fn of(c: f64) -> Self;

    /// A constant that differs between the types: a threshold, or the low part of a split constant.
    fn per_type(for_f32: f32, for_f64: f64) -> Self;

    /// A constant as an unevaluated sum: rounded to the type, and what the rounding took away (nothing in `f64`).
    #[inline(always)]
    fn of_sum(c: f64) -> (Self, Self) {
        (Self::of(c), Self::per_type((c - f64::from(c as f32)) as f32, 0.0))
    }

    /// `self * b + c`: one rounding in [`Fused`], two in [`Plain`].
    fn mul_add(self, b: Self, c: Self) -> Self;

    /// The product as an unevaluated sum `(hi, lo)`: `hi` is the rounded product, `lo` what the rounding took away.
    ///
    /// Exact unless a part leaves the normal range. By fused multiply-add in [`Fused`], by Dekker's splitting in
    /// [`Plain`] (Numer. Math. 18, 1971), where `|self|` and `|b|` must stay below 2^115 (2^996 for `f64`).
    fn two_mul(self, b: Self) -> (Self, Self);

    /// self < other; false if either is NaN.
    fn lt(self, other: Self) -> Self::Mask;

    /// self <= other; false if either is NaN.
    fn le(self, other: Self) -> Self::Mask;

    /// `a` where the mask is true, `b` elsewhere. Both are computed.
    fn select(mask: Self::Mask, a: Self, b: Self) -> Self;

    /// The lesser of the two; `other` if `self` is greater, `self` otherwise, so that a NaN in `self` stays.
    #[inline(always)]
    fn at_most(self, other: Self) -> Self {
        Self::select(other.lt(self), other, self)
    }

    /// The greater of the two; a NaN in `self` stays.
    #[inline(always)]
    fn at_least(self, other: Self) -> Self {
        Self::select(self.lt(other), other, self)
    }

    /// |self|, the sign bit cleared.
    fn abs(self) -> Self;

    /// The magnitude of `self` with the sign bit of `sign`.
    fn copysign(self, sign: Self) -> Self;

    /// The square root, correctly rounded; NaN for what is below 0.
    ///
    /// An instruction of its own with `std`; a call for each lane without.
    fn sqrt(self) -> Self;

    /// max(self, 0), but -0.0 where the sign bit is set: a sum with a part that may underflow keeps its sign.
    fn ramp(self) -> Self;

    /// `(n, 2^n)` with n the integer nearest to `self * per_unit`, plus `lift`.
    ///
    /// `n` comes back without the lift, the power with it. Both are right while `n + lift` is an exponent of a
    /// normal number; outside, `n` is right and the power is not.
    fn round_exp2(self, per_unit: Self, lift: Self) -> (Self, Self);

    /// `self` times the power of two that `round_exp2` gave for a lift less by the bias of the exponent: one addition of
    /// integers. Right while self and the product are normal; NaN may become a number.
    fn raise(self, power: Self) -> Self;

    /// `(m, e)` with `self = m * 2^e` and m in [1, 2), for normal positive numbers.
    fn split_exponent(self) -> (Self, Self);

    /// How many coefficients there are for this type.
    #[doc(hidden)]
    fn terms(coefficients: &Coefficients) -> usize;

    /// The coefficient of the power `i`, for this type.
    #[doc(hidden)]
    fn coefficient(coefficients: &Coefficients, i: usize) -> Self;

    /// The polynomial with these coefficients at `self`, by Horner's rule.
    #[inline(always)]
    fn polynomial(self, coefficients: &Coefficients) -> Self {
        // By index: what iterators are made of stays a call, without the level's instructions, in incremental builds.
        let mut i = Self::terms(coefficients);
        if i == 0 {
            return Self::of(0.0);
        }
        i -= 1;
        let mut y = Self::coefficient(coefficients, i);
        while i > 0 {
            i -= 1;
            y = y.mul_add(self, Self::coefficient(coefficients, i));
        }
        y
    }
}

/// The coefficients of one polynomial, fitted once for each type; constant term first.
///
/// `f32` and `f64` share the algorithm, not the coefficients: the longer table would be wasted work in `f32`.
///
/// ```
/// use activations::{Activation, Coefficients, Elementwise, Real};
///
/// /// 1 + x + x^2/2.
/// const TAYLOR: Coefficients = Coefficients { f32: &[1.0, 1.0, 0.5], f64: &[1.0, 1.0, 0.5] };
///
/// #[derive(Clone, Copy)]
/// struct Taylor;
///
/// impl Elementwise for Taylor {
///     #[inline(always)]
///     fn value<R: Real>(&self, x: R) -> R {
///         x.polynomial(&TAYLOR)
///     }
///
///     #[inline(always)]
///     fn slope<R: Real>(&self, x: R) -> R {
///         x + R::of(1.0)
///     }
/// }
///
/// assert_eq!(Taylor.forward_vec(&[0.0_f64, 2.0]), [1.0, 5.0]);
/// ```
#[derive(Debug)]
pub struct Coefficients {
    /// For lanes of `f32`.
    pub f32: &'static [f32],
    /// For lanes of `f64`.
    pub f64: &'static [f64],
}

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

/// Up to four lanes that go through a formula abreast, each operation on all of them before the next.
///
/// One formula is a long chain of dependent operations. A CPU overlaps the chains of successive vectors only as far
/// as its scheduler looks ahead; several chains side by side in the program's order keep the arithmetic units busy.
/// Measured: sigmoid 17 % faster four abreast than alone. More need more registers than there are.
///
/// Fields, not an array: an array makes a loop of each operation, and to unroll those took most of the compile time.
/// From the `N`th on they are zeros that nobody reads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Abreast<R, const N: usize>(pub(crate) R, pub(crate) R, pub(crate) R, pub(crate) R);

/// Makes lanes abreast of an expression in which each name stands for one of its lanes: `each!(|a, b| a + b)`.
macro_rules! each {
    (|$($name:ident),+| $lane:expr) => {
        Abreast(
            { $(let $name = $name.0;)+ $lane },
            if N > 1 { $(let $name = $name.1;)+ $lane } else { R::of(0.0) },
            if N > 2 { $(let $name = $name.2;)+ $lane } else { R::of(0.0) },
            if N > 3 { $(let $name = $name.3;)+ $lane } else { R::of(0.0) },
        )
    };
}

/// The same for expressions that are pairs: a pair of lanes abreast.
macro_rules! each_pair {
    (|$($name:ident),+| $pair:expr) => {{
        let zeros = (R::of(0.0), R::of(0.0));
        let first = { $(let $name = $name.0;)+ $pair };
        let second = if N > 1 { $(let $name = $name.1;)+ $pair } else { zeros };
        let third = if N > 2 { $(let $name = $name.2;)+ $pair } else { zeros };
        let fourth = if N > 3 { $(let $name = $name.3;)+ $pair } else { zeros };
        (Abreast(first.0, second.0, third.0, fourth.0), Abreast(first.1, second.1, third.1, fourth.1))
    }};
}

impl<R: Real, const N: usize> Abreast<R, N> {
    /// The same number in each.
    #[inline(always)]
    pub(crate) fn splat(lane: R) -> Self {
        Self(lane, lane, lane, lane)
    }

    /// The sum of all, by pairs.
    #[inline(always)]
    pub(crate) fn sum(self) -> R {
        match N {
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
    fn lt(self, other: Self) -> Self::Mask {
        (self.0.lt(other.0), self.1.lt(other.1), self.2.lt(other.2), self.3.lt(other.3))
    }

    #[inline(always)]
    fn le(self, other: Self) -> Self::Mask {
        (self.0.le(other.0), self.1.le(other.1), self.2.le(other.2), self.3.le(other.3))
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
    fn terms(coefficients: &Coefficients) -> usize {
        R::terms(coefficients)
    }

    #[inline(always)]
    fn coefficient(coefficients: &Coefficients, i: usize) -> Self {
        Self::splat(R::coefficient(coefficients, i))
    }
}
