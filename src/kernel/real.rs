//! `Real`: the operations on numbers that a formula may use.

use core::ops::{Add, Div, Mul, Neg, Sub};

use super::sealed::Sealed;

/// The type of numbers in formulas: one lane of a vector.
///
/// A formula is branch-free and generic, `fn value<R: Real>(&self, x: R) -> R`. The compiler vectorises the loop
/// around it, so `Real` has only operations that a vector unit has too: no library calls, nothing that may panic.
/// Elementary functions are in [`math`](crate::math).
///
/// Instead of `if`, write `R::select(x.lt(limit), a, b)`. Any comparison with NaN is false, so let `b` be the choice that returns NaN
/// for NaN.
///
/// The trait is sealed. Its types are lanes of `f32` and of `f64`, each *fused*, for CPUs with fused multiply-add, and *plain*, for
/// others ([`Level::is_fused`](crate::Level::is_fused)).
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
    /// The result of a comparison: a truth value for each number in the lane.
    type Mask: Copy;

    /// Whether `mul_add` rounds once.
    const FUSED: bool;

    /// Whether errors of 2^-39 do: see [`Brief`](super::lanes::Brief).
    #[doc(hidden)]
    const BRIEF: bool = false;

    /// A constant, rounded to the type.
    fn of(c: f64) -> Self;

    /// A constant that differs between the types: a threshold, or the low part of a split constant.
    fn per_type(for_f32: f32, for_f64: f64) -> Self;

    /// A constant as an unevaluated sum: the constant rounded to the type, and the rounding error, which is 0 in `f64`.
    #[inline(always)]
    fn of_sum(c: f64) -> (Self, Self) {
        (Self::of(c), Self::per_type((c - f64::from(c as f32)) as f32, 0.0))
    }

    /// `self * b + c`: one rounding in fused lanes, two in plain ones.
    fn mul_add(self, b: Self, c: Self) -> Self;

    /// The product as an unevaluated sum `(hi, lo)`: `hi` is the rounded product, `lo` the rounding error.
    ///
    /// It is exact unless a part leaves the normal range. Fused lanes use fused multiply-add. Plain lanes use products of the halves
    /// of both numbers (Dekker, Numer. Math. 18, 1971), so `|self|` and `|b|` must be below 2^996 for `f64`.
    fn two_mul(self, b: Self) -> (Self, Self);

    /// The number without the lower half of its digits. Products of two such numbers are exact.
    #[doc(hidden)]
    fn upper_half(self) -> Self;

    /// self < other; false if either is NaN.
    fn lt(self, other: Self) -> Self::Mask;

    /// self <= other; false if either is NaN.
    fn le(self, other: Self) -> Self::Mask;

    /// `a` where the mask is true, `b` elsewhere. Both are computed.
    fn select(mask: Self::Mask, a: Self, b: Self) -> Self;

    /// The lesser of the two: `other` if `self` is greater, else `self`. So a NaN in `self` stays.
    #[inline(always)]
    fn at_most(self, other: Self) -> Self {
        Self::select(other.lt(self), other, self)
    }

    /// The greater of the two; a NaN in `self` stays.
    #[inline(always)]
    fn at_least(self, other: Self) -> Self {
        Self::select(self.lt(other), other, self)
    }

    /// |self|: clears the sign bit.
    fn abs(self) -> Self;

    /// The magnitude of `self` with the sign bit of `sign`.
    fn copysign(self, sign: Self) -> Self;

    /// The square root, correctly rounded; NaN for numbers below 0.
    ///
    /// With `std` it is one instruction. Without `std` it is a call for each lane.
    fn sqrt(self) -> Self;

    /// max(self, 0), but -0.0 where the sign bit is set, so that a sum with a term that underflows keeps its sign.
    fn ramp(self) -> Self;

    /// `(n, 2^n)` with n the integer nearest to `self * per_unit`, plus `lift`.
    ///
    /// The returned `n` is without the lift, and the power is with it. The power is right only if `n + lift` is the exponent of a
    /// normal number. `n` is always right.
    fn round_exp2(self, per_unit: Self, lift: Self) -> (Self, Self);

    /// `self * 2^n`, by adding to the exponent bits. `power` must come from `round_exp2` with its lift reduced by the exponent bias.
    /// The result is right if self and the product are normal. NaN may become a number.
    fn raise(self, power: Self) -> Self;

    /// `(m, e)` with `self = m * 2^e` and m in [1, 2), for normal positive numbers.
    fn split_exponent(self) -> (Self, Self);

    /// `self + lo` minus the nearest multiple of pi/2. `lo` must be below an ULP of `self`. It works for every `f32`. With a `lo`, and
    /// for `f64`, it works up to 2^45.
    #[doc(hidden)]
    fn quarter_turns(self, lo: Option<Self>) -> QuarterTurns<Self>;

    /// How many coefficients there are for this type.
    #[doc(hidden)]
    fn terms(coefficients: &Coefficients) -> usize;

    /// The coefficient of the power `i`, for this type.
    #[doc(hidden)]
    fn coefficient(coefficients: &Coefficients, i: usize) -> Self;

    /// The polynomial with these coefficients at `self`, by Horner's rule.
    #[inline(always)]
    fn polynomial(self, coefficients: &Coefficients) -> Self {
        // By index, because in incremental builds the functions behind iterators stay calls without the level's instructions.
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

/// An angle as `(4 k + quarter) pi/2 + r + r_lo`, where k is any integer, |r| is at most pi/4 and 1 % more, and quarter is -2 to 2.
#[derive(Clone, Copy, Debug)]
pub struct QuarterTurns<R> {
    pub(crate) quarter: R,
    pub(crate) r: R,
    pub(crate) r_lo: R,
}

/// The coefficients of one polynomial, fitted once for each type; constant term first.
///
/// `f32` and `f64` share the algorithm, but not the coefficients, because `f32` needs fewer.
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
