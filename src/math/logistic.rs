//! The logistic function and the hyperbolic tangent: ratios of 1 and e^-|x| with one division.

use super::exp::{exp_bounded, exp_nonpositive, lifted_one, unlift};
use crate::real::Real;

/// The logistic function 1 / (1 + e^-x).
///
/// Range: [0, 1]. sigmoid(-inf) = 0, sigmoid(inf) = 1, NaN gives NaN. Subnormal results are right.
#[inline(always)]
#[must_use]
pub fn sigmoid<R: Real>(x: R) -> R {
    let q = sigmoid_nonpositive(-x.abs());
    // Not 1 / (1 + e): rounding 1 + e loses up to an ulp of the quotient, subtracting q <= 1/2 loses half of one.
    R::select(x.lt(R::of(0.0)), q, R::of(1.0) - q)
}

/// sigmoid(x) for x <= 0, to full relative accuracy: e^x / (1 + e^x).
#[inline(always)]
pub(crate) fn sigmoid_nonpositive<R: Real>(x: R) -> R {
    let (u, scale) = exp_nonpositive(x, None);
    let e = scale.mul_add(u, scale);
    // The same e above and below: its error nearly cancels while e is near 1.
    e / (e + lifted_one())
}

/// `(q, p)` with sigmoid(x + x_lo) = `q * unlift()` and p its complement sigmoid(-x - x_lo), for x <= 0.
///
/// q is lifted so that a product with it keeps its digits where sigmoid(x) is subnormal.
#[inline(always)]
pub(crate) fn lifted_sigmoid_nonpositive<R: Real>(x: R, x_lo: Option<R>) -> (R, R) {
    let (u, scale) = exp_nonpositive(x, x_lo);
    let e = scale.mul_add(u, scale);
    let q = e / e.mul_add(unlift(), R::of(1.0));
    (q, (-q).mul_add(unlift(), R::of(1.0)))
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
