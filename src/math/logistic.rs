//! The logistic function and the hyperbolic tangent: ratios of 1 and e^-|x| with one division.

use super::exp::{bounded_abs, exp_neg, exp_neg_ratio, lifted_one, unlift};
use crate::real::Real;

/// The logistic function 1 / (1 + e^-x).
///
/// Range: [0, 1]. sigmoid(-inf) = 0, sigmoid(inf) = 1, NaN gives NaN. Subnormal results are right.
#[inline(always)]
#[must_use]
pub fn sigmoid<R: Real>(x: R) -> R {
    let q = sigmoid_neg(bounded_abs(x));
    // q for negative x, 1 - q for positive: bit operations are cheaper than a comparison. Not 1 / (1 + e), for rounding
    // 1 + e loses up to an ulp of the quotient, subtracting q <= 1/2 half of one.
    let half = R::of(0.5);
    (half + half.copysign(x)) - q.copysign(x)
}

/// sigmoid(-a) for 0 <= a <= 112 (`f64`: 768), to full relative accuracy: e^-a / (1 + e^-a).
#[inline(always)]
pub(crate) fn sigmoid_neg<R: Real>(a: R) -> R {
    let (top, bottom) = exp_neg_ratio(a, None);
    top / bottom.mul_add(lifted_one(), top)
}

/// sigmoid(-a - a_lo) / `unlift()`, for 0 <= a <= 112 (`f64`: 768).
///
/// Lifted, so that a product with it keeps its digits where the sigmoid is subnormal.
#[inline(always)]
pub(crate) fn lifted_sigmoid_neg<R: Real>(a: R, a_lo: Option<R>) -> R {
    let (top, bottom) = exp_neg_ratio(a, a_lo);
    top / top.mul_add(unlift(), bottom)
}

/// q (1 - w (1 - q)) / `unlift()` with q = sigmoid(-a - a_lo): the derivative of x sigmoid(z(x)) at -x, a = z(x),
/// w + w_lo = x z'(x).
///
/// With e = e^-(a + a_lo) that is e (1 + e - w) / (1 + e)^2. The sum 1 + e is exact, so that its rounding does no harm
/// near the root, where the difference cancels.
#[inline(always)]
pub(crate) fn lifted_sigmoid_slope<R: Real>(a: R, a_lo: Option<R>, w: R, w_lo: Option<R>) -> R {
    let (u, scale) = exp_neg(a, a_lo);
    let e = scale.mul_add(u, scale);
    let one = R::of(1.0);
    let sum = e.mul_add(unlift(), one);
    let sum_lo = e.mul_add(unlift(), one - sum);
    let lo = match w_lo {
        Some(w_lo) => sum_lo - w_lo,
        None => sum_lo,
    };
    e * ((sum - w) + lo) / sum.mul_add(sum, sum * (sum_lo + sum_lo))
}

/// The hyperbolic tangent.
///
/// Range: [-1, 1]. Odd: keeps the sign of zero. tanh(inf) = 1, NaN gives NaN.
#[inline(always)]
#[must_use]
pub fn tanh<R: Real>(x: R) -> R {
    // m / (2 - m) with m = 1 - e^(-2|x|). Beyond the clamp tanh rounds to 1.
    let (u, scale) = exp_neg((x + x).abs().at_most(R::of(40.0)), None);
    // 1 - scale is exact, and 0 where u is the whole of e^(-2|x|) - 1: no digit is lost near 0.
    let m = (-scale).mul_add(u, lifted_one::<R>() - scale);
    let two = lifted_one::<R>() + lifted_one();
    (m / (two - m)).copysign(x)
}
