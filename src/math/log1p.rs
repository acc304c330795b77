//! log(1 + e^x), for softplus and the losses.

use super::exp::remainder;
use super::logistic::{logistic_abs, sigmoid_neg_less_ln2};
use super::unit::Unit;
use super::{Lifted, brief, fast_two_sum, two_sum};
use crate::kernel::real::{Coefficients, Real};

/// A(t^2) with atanh(t) = t + t^3 A(t^2), t in [0, 1/3]. Relative error of the sum: 2^-27.5 (`f64`: 2^-58.7). Fitted by
/// `tools/atanh.py`.
const A: Coefficients = Coefficients {
    f32: &[0.333_332_1, 0.200_107_63, 0.140_009_02, 0.140_059_96],
    f64: &[
        0.333_333_333_333_333_37,
        0.199_999_999_999_970_3,
        0.142_857_142_862_486_57,
        0.111_111_110_632_118_15,
        0.090_909_115_809_357_58,
        0.076_922_265_127_521_32,
        0.066_683_936_035_872_23,
        0.058_580_767_811_999_78,
        0.054_855_981_354_808_49,
        0.034_997_355_891_104_49,
        0.082_295_223_943_559_48,
    ],
};

/// h(e) with log(1 + e) = e + e^2 h(e) on [0, 1]. Relative error of the sum: 2^-30.2 (`f64`: 2^-59.1). Fitted by
/// `tools/log1p.sollya`, which finds that the coefficient of e is 1.
const H: Coefficients = Coefficients {
    f32: &[
        -0.499_999_88,
        0.333_327_1,
        -0.249_888_03,
        0.198_991_27,
        -0.161_330_52,
        0.124_742_51,
        -0.083_159_484,
        0.042_043_585,
        -0.013_656_655,
        0.002_077_278_2,
    ],
    f64: &[
        -0.499_999_999_999_999,
        0.333_333_333_333_135_53,
        -0.249_999_999_986_103_67,
        0.199_999_999_498_147_4,
        -0.166_666_655_676_408_84,
        0.142_856_982_432_303_9,
        -0.124_998_340_893_104_24,
        0.111_098_429_509_673_62,
        -0.099_926_125_626_629_35,
        0.090_573_473_663_660_39,
        -0.082_122_763_756_929_28,
        0.073_405_884_948_230_35,
        -0.063_094_592_692_018_07,
        0.050_369_742_215_377_135,
        -0.035_854_165_318_826_99,
        0.021_788_519_337_356_2,
        -0.010_795_117_001_104_223,
        0.004_133_735_938_142_009,
        -0.001_137_638_961_860_597_3,
        0.000_199_040_109_153_570_6,
        -1.656_051_225_052_195_6e-5,
    ],
};

/// log(1 + e^x).
///
/// Range: [0, inf]. 0 for -inf, inf for inf, NaN gives NaN. Error: as for
/// [`Softplus`](crate::Softplus), for subnormal results too.
///
/// ```
/// use activations::{Activation, Elementwise, Real, math};
///
/// #[derive(Clone, Copy)]
/// struct Relative;
///
/// impl Elementwise for Relative {
///     #[inline(always)]
///     fn value<R: Real>(&self, x: R) -> R {
///         x * math::log1p_exp(x)
///     }
///
///     #[inline(always)]
///     fn slope<R: Real>(&self, x: R) -> R {
///         math::log1p_exp(x) + x * math::sigmoid(x)
///     }
/// }
///
/// assert!((Relative.forward_vec(&[1.0_f64])[0] - 1.0_f64.exp().ln_1p()).abs() < 1e-15);
/// ```
#[inline(always)]
#[must_use]
pub fn log1p_exp<R: Real>(x: R) -> R {
    let tail = log1p_exp_neg(logistic_abs(x), None);
    tail.value.mul_add(tail.unlift, x.at_least(R::of(0.0)))
}

/// log(1 + e^-(a + a_lo)) for 0 <= a <= 115 (`f64`: 790), to full relative accuracy.
#[inline(always)]
pub(crate) fn log1p_exp_neg<R: Real>(a: R, a_lo: Option<R>) -> Lifted<R> {
    // log(1 + e) = 2 atanh(t) with t = e/(2 + e) in [0, 1/3] and e = e^-a. This takes half the coefficients of a polynomial in e, and
    // e may be a ratio.
    let t = sigmoid_neg_less_ln2(a, a_lo);
    let share = t.number();
    let square = share * share;
    // t (1 + t^2 A(t^2)), with the lift of t.
    Lifted {
        value: t.value.mul_add(square * square.polynomial(brief::pick::<R>(&A, &brief::A)), t.value),
        unlift: t.unlift + t.unlift,
    }
}

/// log(1 + a + (b + b_lo)) for an integer a >= 0 and b >= 0, with `b_lo` below an ULP of b, to full relative accuracy near 0.
///
/// Error of the result: the error of b, plus less than an ULP.
#[inline(always)]
pub(crate) fn log1p_of_sum<R: Real>(a: R, b: R, b_lo: R) -> R {
    let (f, tail, n) = log1p_parts(a, b, b_lo);
    remainder(f + tail, None, n, &Unit::ONE)
}

/// The same as an unevaluated sum, for formulas in which it nearly cancels. Its error is the error of b, plus less than 2^-24
/// (`f64`: 2^-53).
#[inline(always)]
pub(crate) fn log1p_of_sum_unrounded<R: Real>(a: R, b: R, b_lo: R) -> (R, R) {
    let (f, tail, n) = log1p_parts(a, b, b_lo);
    let (ln2_hi, ln2_lo) = Unit::ONE.split_ln2::<R>();
    let (hi, lo) = two_sum(n * ln2_hi, f);
    fast_two_sum(hi, lo + n.mul_add(ln2_lo, tail))
}

/// `(f, tail, n)` with log(1 + a + b + b_lo) = f + tail + n ln 2, f exact.
#[inline(always)]
fn log1p_parts<R: Real>(a: R, b: R, b_lo: R) -> (R, R, R) {
    let one = R::of(1.0);
    let (w, w_lo) = two_sum(a + one, b);
    let (w, w_lo) = fast_two_sum(w, w_lo + b_lo);
    let (m, n) = w.split_exponent();
    let (_, scale) = n.round_exp2(-one, R::of(0.0));
    let (f, f_lo) = two_sum(m - one, w_lo * scale);
    // log(m + m_lo) = f + (f^2 h(f) + f_lo). This leaves out the slopes of h and of the square, which are below 1.
    let tail = (f * f).mul_add(f.polynomial(&H), f_lo);
    (f, tail, n)
}
