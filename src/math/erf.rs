//! The error function and its complement.

use super::exp::exp_neg_with_error;
use super::normal::{others, with_error};
use super::{fast_two_sum, less_product};
use crate::kernel::real::{Coefficients, Real};

/// E(x^2) with erf(x) = x + x E(x^2), |x| <= 1/2.
///
/// Relative error of erf(x): 2^-29.3 (`f32`), 2^-56.3 (`f64`), at 0, because E(0) is rounded. Fitted with coefficients rounded to the
/// type by `tools/erf.sollya`.
const E: Coefficients = Coefficients {
    f32: &[0.128_379_17, -0.376_126_1, 0.112_828_55, -2.675_881_4e-2, 4.720_77e-3],
    f64: &[
        0.128_379_167_095_512_6,
        -0.376_126_389_031_840_5,
        0.112_837_916_709_757_15,
        -2.686_617_065_164_179_4e-2,
        5.223_977_736_706_862_5e-3,
        -8.548_338_149_027_3e-4,
        1.205_600_028_626_521_3e-4,
        -1.494_905_009_449_283_6e-5,
        1.689_095_637_535_858e-6,
        -1.898_841_096_562_892_3e-7,
    ],
};

/// P(c - t) = (a + k) e^(a^2) erfc(a), t = k/(a + k).
///
/// On 0.45 <= a <= 10.1 (`f64`: 27.3), relative error 2^-25.8 (`f64`: 2^-54.4). Fitted by `tools/erf.sollya`.
const P: Coefficients = Coefficients {
    f32: &[
        1.021_582_7,
        -1.374_321_5,
        1.117_883_9,
        -0.291_525_66,
        -0.343_920_68,
        0.206_890_72,
        0.192_598_07,
        -0.101_542_84,
        -0.124_460_07,
    ],
    f64: &[
        0.939_978_152_357_039_3,
        -1.238_320_985_422_774_8,
        1.055_707_558_002_080_5,
        -0.368_581_847_891_380_2,
        -0.268_882_005_318_495_4,
        0.270_467_257_237_573_4,
        0.133_204_550_689_554_83,
        -0.184_966_936_619_612_64,
        -0.131_859_175_683_572_25,
        0.118_876_531_337_251_89,
        0.164_007_917_507_573_1,
        -0.035_567_568_996_077_16,
        -0.186_001_435_717_522_23,
        -0.082_952_040_861_049_36,
        0.146_152_609_072_406_85,
        0.214_002_047_646_802_42,
        0.007_749_759_922_070_369,
        -0.275_803_853_485_245_1,
        -0.261_307_931_534_668_47,
        0.186_023_657_719_878_75,
        0.443_258_393_877_450_2,
        -0.027_596_952_619_756_79,
        -0.311_687_246_085_165_24,
    ],
};

/// The error function, 2/sqrt(pi) times the integral of e^(-t^2) from 0 to x.
///
/// Range: [-1, 1]. Odd: keeps the sign of zero. erf(inf) = 1, NaN gives NaN. Error: at most 1.2 ULP in `f32`, over all 2^32 inputs; 1.1 in
/// `f64`, on a table.
///
/// ```
/// use activations::{Activation, Elementwise, Real, math};
///
/// /// x erf(x), a smooth |x|.
/// #[derive(Clone, Copy)]
/// struct SmoothAbs;
///
/// impl Elementwise for SmoothAbs {
///     #[inline(always)]
///     fn value<R: Real>(&self, x: R) -> R {
///         x * math::erf(x)
///     }
///
///     #[inline(always)]
///     fn slope<R: Real>(&self, x: R) -> R {
///         let density = math::exp(-(x * x)) * R::of(2.0 / core::f64::consts::PI.sqrt());
///         x.mul_add(density, math::erf(x))
///     }
/// }
///
/// assert_eq!(SmoothAbs.forward_vec(&[-7.0_f32, 0.0, 7.0]), [7.0, 0.0, 7.0]);
/// ```
#[inline(always)]
#[must_use]
pub fn erf<R: Real>(x: R) -> R {
    let (half, one) = (R::of(0.5), R::of(1.0));
    let a = x.abs();
    // Below 1/2 x is greater than what is added to it. From there on the complement is below 0.48, so that its error counts by half.
    // Worst in `f32`: 1.148 ULP at 0.5391561, 1.185 at 0.53933185 without fused multiply-add.
    let near = a.mul_add((a * a).polynomial(&E), a);
    let far = one - complement(a);
    R::select(a.lt(half), near, far).copysign(x)
}

/// 1 - erf(x), without the cancellation for great x.
///
/// Range: [0, 2]. erfc(-inf) = 2, erfc(inf) = 0, NaN gives NaN. Error: at most 1.8 ULP in `f32`, over all 2^32 inputs (1.9 without
/// fused multiply-add); 1.4 in `f64`, on a table. Subnormal results are within it.
///
/// ```
/// use activations::{Activation, Elementwise, Real, math};
///
/// /// The share of a normal distribution above x.
/// #[derive(Clone, Copy)]
/// struct UpperTail;
///
/// impl Elementwise for UpperTail {
///     #[inline(always)]
///     fn value<R: Real>(&self, x: R) -> R {
///         R::of(0.5) * math::erfc(x * R::of(core::f64::consts::FRAC_1_SQRT_2))
///     }
///
///     #[inline(always)]
///     fn slope<R: Real>(&self, x: R) -> R {
///         R::of(-0.398_942_280_401_432_7) * math::exp(x * x * R::of(-0.5))
///     }
/// }
///
/// assert_eq!(UpperTail.forward_vec(&[f32::NEG_INFINITY, 0.0, f32::INFINITY]), [1.0, 0.5, 0.0]);
/// ```
#[inline(always)]
#[must_use]
pub fn erfc<R: Real>(x: R) -> R {
    let (half, one, two) = (R::of(0.5), R::of(1.0), R::of(2.0));
    let tail = complement(x.abs());
    let far = R::select(x.lt(R::of(0.0)), two - tail, tail);
    let (line, line_lo) = fast_two_sum(one, -x);
    let near = line + (-x).mul_add((x * x).polynomial(&E), line_lo);
    R::select(x.abs().lt(half), near, far)
}

/// erfc(a) for a >= 0.45. Smaller a give inaccurate results. From 10.1 (`f64`: 27.3) on the result is 0.
///
/// The formula is e^(-a^2) q P(c - k q), where q = 1/(a + k). k is a power of two, so k q is exact, and c - k q nearly exact. The
/// rounding errors of the quotient, of the exponential and of both products are added at the end. These errors remain, in half-ULPs:
/// the exponent reduced 1/4, the exponential 1/2, the polynomial's fit 1/3 (`f64`: 1/2), its roundings 1/2 (1), the last rounding 1.
/// Worst in `f32`: 1.796 ULP at 6.6312447, 1.846 at 6.9367256 without fused multiply-add.
#[inline(always)]
fn complement<R: Real>(a: R) -> R {
    let (one, k, c) = (R::of(1.0), R::of(2.0), R::per_type(0.5, 0.437_5));
    let a = a.at_most(R::per_type(10.1, 27.3));
    let (s, s_lo) = a.two_mul(a);
    let (bell, bell_lo) = exp_neg_with_error(s, Some(s_lo));
    let (sum, sum_lo) = fast_two_sum(k, a);
    let q = one / sum;
    // (1 + e) q is the quotient.
    let e = less_product(one, q, sum) - q * sum_lo;
    let t = q * k;
    let u = c - t;
    let others = others(u, &P);
    let (p, p_lo) = with_error(others, u, R::coefficient(&P, 0));
    // The mean of the slopes at 0 and at u is about (p - P(0))/u.
    let slope = (others + others) - R::coefficient(&P, 1);
    let p_lo = (t * e).mul_add(-slope, p_lo);
    let (m, m_lo) = q.two_mul(p);
    let m_lo = q.mul_add(p_lo, m.mul_add(e, m_lo));
    let (value, value_lo) = bell.value.two_mul(m);
    let lo = bell.value.mul_add(m_lo, m.mul_add(bell_lo, value_lo));
    (value + lo) * bell.unlift
}
