//! The lower tail of the standard normal distribution, for GELU and similar functions.

use super::exp::{exp_neg, exp_neg_half, exp_neg_half_series, unlift};
use super::{Lifted, brief, fast_two_sum, less_product, two_sum};
use crate::kernel::real::{Coefficients, Real};

/// P(v - c) = (a + k) e^(a^2/2) Phi(-a), where v = a/(a + k), times the factor near 1 that [`exp_neg_half`] leaves out.
///
/// On 0 <= a <= 13.6 (`f64`: 39), relative error 2^-24.6 (`f64`: 2^-54.7). Fitted by `tools/gelu.sollya`.
const P: Coefficients = Coefficients {
    f32: &[
        0.866_215,
        -1.233_458_4,
        0.969_037_23,
        -0.187_417_94,
        -0.295_420_3,
        0.100_028_13,
        0.152_157_25,
        -0.024_213_694,
        -0.078_419_09,
    ],
    f64: &[
        0.777_351_771_893_362_7,
        -1.402_018_059_181_728_4,
        2.275_875_567_259_143_3,
        -3.311_228_686_204_603,
        4.287_587_933_465_127,
        -4.885_767_426_076_215,
        4.811_002_603_001_374,
        -3.966_120_384_149_513_6,
        2.567_634_074_044_433_2,
        -1.091_381_898_947_135_6,
        0.033_659_178_923_949_26,
        0.371_426_889_928_232_1,
        -0.265_228_816_443_347_9,
        0.008_799_534_266_941_219,
        0.111_398_226_099_399,
        -0.058_854_912_934_603_626,
        -0.028_432_428_260_634_555,
        0.039_946_469_692_669_18,
        0.002_928_016_266_173_199,
        -0.020_016_366_764_196_623,
        0.000_687_754_342_450_395_7,
        0.006_189_630_148_967_28,
    ],
};

/// S(v - d) = (Phi(-a) - a phi(a)) e^(a^2/2)/(a0 - a), relative error 2^-26.1 (`f64`: 2^-55.8). Fitted like [`P`].
const S: Coefficients = Coefficients {
    f32: &[
        0.554_870_5,
        -0.366_179_32,
        0.281_791_06,
        -0.078_757_56,
        -0.042_060_677,
        0.020_474_724,
        0.017_247_988,
        -0.005_241_845_7,
        -0.005_090_033,
    ],
    f64: &[
        0.443_746_543_042_608_63,
        -0.157_941_293_752_772_9,
        0.231_823_959_587_904_05,
        -0.310_306_618_496_328_07,
        0.375_477_484_167_418_66,
        -0.405_891_885_172_668_94,
        0.385_330_115_395_517_54,
        -0.312_596_292_254_749_9,
        0.206_068_949_260_220_9,
        -0.097_900_534_297_950_79,
        0.018_964_882_401_652_01,
        0.016_761_133_022_747_995,
        -0.017_463_937_860_456_316,
        0.004_360_664_042_260_785,
        0.004_438_287_984_951_165,
        -0.003_968_837_506_526_663,
        -0.000_296_978_698_598_972_55,
        0.001_950_443_062_275_802_4,
        -0.000_211_145_705_757_943_47,
        -0.000_776_280_707_601_331_4,
        -0.000_130_648_831_676_329_96,
    ],
};

/// The normal tail at -a and its parts: a Phi(-a) = `scale * (1 + r w) * v P(v - c) * unlift()`, v = a/(a + k).
pub(crate) struct NormalTail<R> {
    a: R,
    v: R,
    r: R,
    w: R,
    scale: R,
}

/// The polynomial at u without its constant term, divided by u.
#[inline(always)]
pub(super) fn others<R: Real>(u: R, coefficients: &Coefficients) -> R {
    let (mut i, mut others) = (R::terms(coefficients), R::of(0.0));
    while i > 1 {
        i -= 1;
        others = others.mul_add(u, R::coefficient(coefficients, i));
    }
    others
}

/// The same for degree 8, split in two and in four (Estrin, 1960), because without fused multiply-add the chain of operations of
/// Horner's rule limits the speed. The last step is Horner's, because its roundings matter most.
#[inline(always)]
fn split_others<R: Real>(u: R, coefficients: &Coefficients) -> R {
    let (c, square) = (coefficients, u * u);
    let second = R::coefficient(c, 3).mul_add(u, R::coefficient(c, 2));
    let third = R::coefficient(c, 5).mul_add(u, R::coefficient(c, 4));
    let fourth = R::coefficient(c, 7).mul_add(u, R::coefficient(c, 6));
    let high = R::coefficient(c, 8).mul_add(square, fourth);
    let all = high.mul_add(square * square, third.mul_add(square, second));
    all.mul_add(u, R::coefficient(c, 1))
}

/// The polynomial at u, and the rounding error of the last step of Horner's rule, which has two roundings without fused
/// multiply-add. The polynomial must be within a factor 2 of its constant term.
#[inline(always)]
pub(super) fn with_error<R: Real>(others: R, u: R, constant: R) -> (R, R) {
    if R::FUSED {
        let sum = others.mul_add(u, constant);
        return (sum, others.mul_add(u, constant - sum));
    }
    let (product, product_lo) = others.two_mul(u);
    let (sum, sum_lo) = two_sum(product, constant);
    (sum, sum_lo + product_lo)
}

impl<R: Real> NormalTail<R> {
    /// The tail at -|x|, with |x| bounded by 16.264 (`f64`: 39.943), where the lifted power of two in |x| Phi(-|x|) is 0.
    #[inline(always)]
    pub(crate) fn new(x: R) -> Self {
        let a = x.abs().at_most(R::per_type(16.264, if R::BRIEF { 14.75 } else { 39.943 }));
        // e^(-a^2/2) magnifies the relative error of its argument up to 109 times (`f64`: 760), so it needs a^2 exactly. Without fused
        // multiply-add, the exact square of half the digits takes fewer operations than the rounded square with its error.
        let (s, s_lo) = if R::FUSED {
            a.two_mul(a)
        } else {
            let a_hi = a.upper_half();
            (a_hi * a_hi, (a - a_hi) * (a + a_hi))
        };
        let (r, w, scale) = exp_neg_half(s, s_lo);
        let k = R::per_type(2.937_5, if R::BRIEF { 4.0 } else { 6.0 });
        Self { a, v: a / (a + k), r, w, scale }
    }

    /// a Phi(-a), to full relative accuracy.
    #[inline(always)]
    pub(crate) fn times_a(&self) -> Lifted<R> {
        let u = self.v - R::per_type(0.375, if R::BRIEF { 0.375 } else { 0.5 });
        let value = if R::BRIEF {
            let product = (self.v * self.scale) * u.polynomial(&brief::P);
            (product * self.r).mul_add(self.w, product)
        } else if R::FUSED {
            // Keeping the error of the product takes two operations and saves 0.7 ULP.
            let (product, product_lo) = (self.v * self.scale).two_mul(u.polynomial(&P));
            product + (product * self.r).mul_add(self.w, product_lo)
        } else {
            // v P(v - c) (1 + r w), by halves of both factors, so that the main product is rounded once.
            let others = if R::terms(&P) == 9 { split_others(u, &P) } else { others(u, &P) };
            let (p, p_lo) = fast_two_sum(R::coefficient(&P, 0), others * u);
            let rest = (p * self.r).mul_add(self.w, p_lo);
            let sum = p + rest;
            let (sum_hi, v_hi) = (sum.upper_half(), self.v.upper_half());
            let (sum_lo, v_lo) = ((p - sum_hi) + rest, self.v - v_hi);
            (v_hi * sum_hi + (v_hi * sum_lo + v_lo * sum)) * self.scale
        };
        Lifted { value, unlift: unlift() }
    }

    /// Phi(-a) - a phi(a), to full relative accuracy, except within an ULP of its root.
    #[inline(always)]
    pub(crate) fn gelu_slope(&self) -> Lifted<R> {
        let a0 = R::of(0.751_791_524_693_564_5);
        let a0_lo = R::per_type(-1.211_444_9e-8, -1.495_675_917_700_988_3e-17);
        let from_root = if R::BRIEF { a0 - self.a } else { (a0 - self.a) + a0_lo };
        let u = self.v - R::per_type(0.25, if R::BRIEF { 0.375 } else { 0.5 });
        let product = (from_root * self.scale) * u.polynomial(brief::pick::<R>(&S, &brief::S));
        Lifted { value: (product * self.r).mul_add(self.w, product), unlift: unlift() }
    }
}

/// Phi(-(a + a_lo)) for 0 <= a <= 14.75 (`f64`: 39) and `a_lo` below two ULPs of a, to full relative accuracy.
///
/// The quotient is v/a of [`NormalTail`], 1/(a + k). Its rounding error and `a_lo` are compensated, because a relative error of a is
/// magnified by up to 2 a^2 in the exponential and, at 4, by 0.9 in the rest. Error in half-ULPs: the polynomial's fit adds 2/3, r
/// 1/4, the sum of the small terms 1/2, and the last rounding 1.
#[inline(always)]
pub(crate) fn normal_tail<R: Real>(a: R, a_lo: R) -> Lifted<R> {
    let (s, s_lo) = a.two_mul(a);
    let (r, q_exp, scale) = exp_neg_half_series(s, (a + a).mul_add(a_lo, s_lo));
    let (one, minus_half) = (R::of(1.0), R::of(-0.5));
    let (k, c) = (R::per_type(2.937_5, 6.0), R::per_type(0.375, 0.5));
    // k is a multiple of the spacing at the greatest a.
    let (sum, sum_lo) = fast_two_sum(k, a);
    let q = one / sum;
    // (1 + e) q is the quotient.
    let e = less_product(one, q, sum) - q * (sum_lo + a_lo);
    let u = (q * e).mul_add(-k, q.mul_add(-k, one - c));
    let (p, p_lo) = with_error(others(u, &P), u, R::coefficient(&P, 0));
    let factor = q * scale;
    let (product, product_lo) = factor.two_mul(p);
    let lo = factor.mul_add(p_lo, product.mul_add(e, product_lo));
    // (product + lo) (1 - r/2 + r^2 q).
    let (line, line_lo) = product.two_mul(r);
    let lo = (r * q_exp.mul_add(r, minus_half)).mul_add(lo, lo);
    let others = line.mul_add(minus_half, (line * r).mul_add(q_exp, line_lo.mul_add(minus_half, lo)));
    Lifted { value: product + others, unlift: unlift() }
}

/// e^(-(a + a_lo)^2 / 2). The ranges are the same as for [`normal_tail`].
#[inline(always)]
pub(crate) fn bell<R: Real>(a: R, a_lo: R) -> Lifted<R> {
    let (s, s_lo) = a.two_mul(a);
    let half = R::of(0.5);
    exp_neg(s * half, Some((a + a).mul_add(a_lo, s_lo) * half))
}
