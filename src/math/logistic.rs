//! The logistic function and the hyperbolic tangent: ratios of 1 and e^-|x| with one division.

use super::exp::{bounded_abs, exp_bounded, exp_ratio, lifted_one, unlift};
use crate::real::Real;

/// The logistic function 1 / (1 + e^-x).
///
/// Range: [0, 1]. sigmoid(-inf) = 0, sigmoid(inf) = 1, NaN gives NaN. Subnormal results are right.
#[inline(always)]
#[must_use]
pub fn sigmoid<R: Real>(x: R) -> R {
    let q = sigmoid_nonpositive(-bounded_abs(x));
    // q for negative x, 1 - q for positive: bit operations are cheaper than a comparison. Not 1 / (1 + e), for rounding
    // 1 + e loses up to an ulp of the quotient, subtracting q <= 1/2 half of one.
    let half = R::of(0.5);
    (half + half.copysign(x)) - q.copysign(x)
}

/// sigmoid(x) for -112 <= x <= 0 (`f64`: -768), to full relative accuracy: e^x / (1 + e^x).
#[inline(always)]
pub(crate) fn sigmoid_nonpositive<R: Real>(x: R) -> R {
    let (top, bottom) = exp_ratio(x, None);
    top / bottom.mul_add(lifted_one(), top)
}

/// sigmoid(x + x_lo) / `unlift()`, for -112 <= x <= 0 (`f64`: -768).
///
/// Lifted, so that a product with it keeps its digits where sigmoid(x) is subnormal.
#[inline(always)]
pub(crate) fn lifted_sigmoid_nonpositive<R: Real>(x: R, x_lo: Option<R>) -> R {
    let (top, bottom) = exp_ratio(x, x_lo);
    top / top.mul_add(unlift(), bottom)
}

/// q (1 - w (1 - q)) for a lifted q: what the derivatives of x sigmoid(z(x)) are made of, w = x z'(x).
///
/// Near its root w is near 1, and 1 - w exact.
#[inline(always)]
pub(crate) fn times_one_minus<R: Real>(q: R, w: R) -> R {
    q * (w * unlift()).mul_add(q, R::of(1.0) - w)
}

/// The hyperbolic tangent.
///
/// Range: [-1, 1]. Odd: keeps the sign of zero. tanh(inf) = 1, NaN gives NaN.
#[inline(always)]
#[must_use]
pub fn tanh<R: Real>(x: R) -> R {
    // m / (2 - m) with m = 1 - e^(-2|x|). Beyond the clamp tanh rounds to 1.
    let a = x.abs().at_most(R::of(20.0));
    let (u, scale) = exp_bounded(-(a + a), None);
    // 1 - scale is exact, and 0 where u is the whole of e^(-2|x|) - 1: no digit is lost near 0.
    let m = (-scale).mul_add(u, lifted_one::<R>() - scale);
    let two = lifted_one::<R>() + lifted_one();
    (m / (two - m)).copysign(x)
}
