//! Sums and differences whose rounding errors are kept.

use super::real::Real;

/// c - a b, rounded once in both kinds of lane. The product must be within a factor of two of c, or 0.
#[inline(always)]
pub(crate) fn less_product<R: Real>(c: R, a: R, b: R) -> R {
    if R::FUSED {
        (-a).mul_add(b, c)
    } else {
        let (product, product_lo) = a.two_mul(b);
        (c - product) - product_lo
    }
}

/// a + b as an unevaluated sum `(hi, lo)`, exact in any order of magnitude (Knuth, TAOCP 2, 4.2.2).
#[inline(always)]
pub(crate) fn two_sum<R: Real>(a: R, b: R) -> (R, R) {
    let hi = a + b;
    let b_part = hi - a;
    (hi, (a - (hi - b_part)) + (b - b_part))
}

/// a + b as an unevaluated sum. Requires |a| >= |b|, or a = 0, or that a is a multiple of the spacing of floats at b (Dekker,
/// Numer. Math. 18, 1971).
#[inline(always)]
pub(crate) fn fast_two_sum<R: Real>(a: R, b: R) -> (R, R) {
    let hi = a + b;
    (hi, b - (hi - a))
}
