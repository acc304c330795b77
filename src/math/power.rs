//! Powers of numbers from 0 to 1, for focal losses.

use super::exp::{bounded_abs, exp_neg, lifted_one, two_to};
use super::fast_two_sum;
use super::log::ln_parts;
use super::unit::Unit;
use crate::kernel::real::Real;

/// c^gamma for 0 <= c <= 1 and 0 <= gamma <= 1000: e^(gamma ln c). 0^0 is 1. Subnormal c keep their digits, because a small power of
/// such a number is an ordinary number. NaN gives NaN.
///
/// Error: below 2 ULP, plus gamma / 2 ULP, plus gamma times the error of c. ln c is an unevaluated sum. Its
/// error comes from the terms after the first, and is below 2^-26 (`f64`: 2^-55).
#[inline(always)]
pub(crate) fn power_of_share<R: Real>(c: R, gamma: R) -> R {
    let (zero, one) = (R::of(0.0), R::of(1.0));
    let tiny = c.lt(R::per_type(two_to(-100) as f32, two_to(-900)));
    let (f, tail, n) = ln_parts(R::select(tiny, c * lifted_one(), c));
    let n = n - R::select(tiny, R::per_type(64.0, 128.0), zero);
    let (ln2_hi, ln2_lo) = Unit::ONE.split_ln2::<R>();
    let (hi, lo) = fast_two_sum(n * ln2_hi, f);
    let (hi, lo) = fast_two_sum(hi, lo + n.mul_add(ln2_lo, tail));
    let (a, a_lo) = gamma.two_mul(-hi);
    // If the power is 0, the low part does not matter, and it may be NaN.
    let bounded = bounded_abs(a);
    let a_lo = R::select(a.abs().le(bounded), gamma.mul_add(-lo, a_lo), zero);
    let power = exp_neg(a.at_most(bounded), Some(a_lo)).number();
    let of_zero = R::select(gamma.le(zero), one, zero);
    R::select(c.le(zero), of_zero, power) + c * zero
}
