//! The Gaussian error linear unit, exact and in its tanh form.

use super::fast::{FastGelu, FastGeluTanh};
use super::hinge::{hinge, reflect};
use super::second::GeluBump;
use crate::activation::{Elementwise, compiled_passes, fast_form};
use crate::describe::card::{Card, Described, ErrorBounds, Vanishes};
use crate::describe::parameters::parameters;
use crate::kernel::real::{Coefficients, Real};
use crate::math::{self, Low, NormalTail, Unit};
use crate::second::{SecondSlope, compiled_second, second_slope_of};

/// The Gaussian error linear unit, for transformers such as BERT, GPT and ViT: x Phi(x) = x (1 + erf(x / sqrt 2)) / 2, where Phi
/// is the distribution function of the normal distribution.
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/gelu.svg"))]
///
/// - Derivative: Phi(x) + x phi(x), where phi is the normal density; its root is at -0.7518. Range: [-0.16997, inf).
/// - Error: at most 3.0 ULP, 3.6 for the derivative, in `f32` over all 2^32 inputs (2.9 and 3.6 without fused
///   multiply-add); 3.6 and 3.2 in `f64`, on 20,000 inputs (3.8 and 3.2). Both tails and subnormal results are within it.
///   Where the derivative is below 1/16, near its root, its error is in units of the spacing at 1/16.
/// - Special values: gelu(-inf) = -0.0, gelu(inf) = inf, keeps the sign of zero, NaN gives NaN.
/// - Source: Hendrycks & Gimpel, "Gaussian error linear units (GELUs)", 2016, arXiv:1606.08415.
///
/// ```
/// use activations::{Activation, Gelu};
///
/// let mut y = [0.0; 3];
/// Gelu.forward(&[-7.0_f64, 0.0, 1.0], &mut y);
/// assert!((y[0] / -8.958_688e-12 - 1.0).abs() < 1e-6);
/// assert_eq!(y[1], 0.0);
/// assert!((y[2] - 0.841_344_746_068_543).abs() < 1e-15);
/// ```
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[doc(alias = "GELU")]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gelu;

parameters!(Gelu);

impl Elementwise for Gelu {
    compiled_passes!();
    fast_form!(|_f| FastGelu);

    const ABREAST_OF_BOTH: usize = 2;

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        hinge(x, NormalTail::new(x).times_a())
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        reflect(x, NormalTail::new(x).gelu_slope().number())
    }
}

second_slope_of!(Gelu | _f | GeluBump);

impl Described for Gelu {
    const CARD: Card = Card {
        name: "gelu",
        aliases: &["gelu_python", "gelu_erf", "gelu_none"],
        formula: "x Phi(x) = x (1 + erf(x / sqrt 2)) / 2",
        derivative: "Phi(x) + x phi(x)",
        range: (-0.169_971_207_479_903_66, f64::INFINITY),
        vanishes: Vanishes::Left,
        zero_centred: false,
        monotone: false,
        kinks: &[],
        common_use: "transformers: BERT, GPT, ViT",
        source: "Hendrycks & Gimpel, 2016, arXiv:1606.08415",
        error: ErrorBounds { f32: (3.0, 3.6), f32_plain: (2.9, 3.6), f64: (3.6, 3.2), f64_plain: (3.8, 3.2) },
    };
}

/// The tanh form of GELU, for transformers such as GPT-2, Gemma and T5 v1.1: x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2.
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/gelu_tanh.svg"))]
///
/// It differs from [`Gelu`] by up to 0.00047, so use the one that the model was trained with.
///
/// - Derivative: with z = 2 sqrt(2/pi) (x + 0.044715 x^3) and s = sigmoid(z), s + x s (1 - s) z'; its root is at
///   -0.7525. Range: [-0.17004, inf).
/// - Error: at most 2.9 ULP, 3.6 for the derivative, in `f32` over all 2^32 inputs (3.6 and 3.6 without fused
///   multiply-add); 2.5 and 3.8 in `f64`, on 20,000 inputs (3.0 and 3.8). Both tails and subnormal results are within it.
///   Where the derivative is below 1/16, near its root, its error is in units of the spacing at 1/16.
/// - Special values: gelu_tanh(-inf) = -0.0, gelu_tanh(inf) = inf, keeps the sign of zero, NaN gives NaN.
/// - Source: Hendrycks & Gimpel, "Gaussian error linear units (GELUs)", 2016, arXiv:1606.08415.
///
/// ```
/// use activations::{Activation, Gelu, GeluTanh};
///
/// let (x, mut exact, mut tanh_form) = ([1.0_f64], [0.0], [0.0]);
/// Gelu.forward(&x, &mut exact);
/// GeluTanh.forward(&x, &mut tanh_form);
/// assert!((exact[0] - tanh_form[0]).abs() > 1e-4);
/// ```
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[doc(alias = "gelu_new")]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GeluTanh;

parameters!(GeluTanh);

/// z(a) = C3 a (a^2 + K) with C3 = 2 sqrt(2/pi) 0.044715 and K = 1/0.044715. z is counted in units of C3, which saves a product.
const C3: f64 = 0.071_354_816_272_600_25;
/// 2 sqrt(2/pi).
const C: f64 = 1.595_769_121_605_730_7;
const D: f64 = 0.044_715;
const UNIT: Unit = Unit::new(
    C3,
    (2.398_832_4e-9, -6.175_149_918_155_315e-19),
    ((9.714_111, 9.714_091_028_024_995), (-2.030_010_2e-5, -1.299_371_087_005_762_8e-12)),
    Coefficients { f32: &Unit::c_f32(C3), f64: &Unit::c_f64(C3) },
    Coefficients { f32: &[], f64: &Unit::brief_c(C3) },
);

impl GeluTanh {
    /// `(a, a^2, z, z_lo)` with a = |x|, z + z_lo = z(a) in units.
    #[inline(always)]
    fn arguments<R: Real>(x: R) -> (R, R, R, Low<R>) {
        // Beyond this bound, a e^-z(a) is zero.
        Self::arguments_up_to(x, R::per_type(10.9, 21.6))
    }

    /// `(x, x^2, z)` in the lane `Brief`, z in units. Beyond 10.9 results are below the normal range of `f32`, or x.
    #[inline(always)]
    fn brief<R: Real>(x: R) -> (R, R, R) {
        let x = x.at_least(R::of(-10.9)).at_most(R::of(10.9));
        let square = x * x;
        (x, square, x * (square + R::of(D.recip())))
    }

    /// The same, with |x| bounded by `most`.
    #[inline(always)]
    fn arguments_up_to<R: Real>(x: R, most: R) -> (R, R, R, Low<R>) {
        let a = x.abs().at_most(most);
        // e^-z magnifies the relative error of z up to 110 times (`f64`: 754), so z is an unevaluated sum. The high part of K is a
        // multiple of the spacing at the greatest a^2, so that a^2 + K can be split exactly.
        let k = R::per_type(22.363_861, 22.363_860_002_236_38);
        let k_lo = R::per_type(-1.081_748e-6, 7.068_084_733_670_861e-15);
        let (square, square_lo) = a.two_mul(a);
        let (factor, factor_lo) = math::fast_two_sum(k, square);
        let (z, z_lo) = a.two_mul(factor);
        (a, square, z, Low { lo: a.mul_add(factor_lo + (square_lo + k_lo), z_lo), unit: &UNIT })
    }
}

impl Elementwise for GeluTanh {
    compiled_passes!();
    fast_form!(|_f| FastGeluTanh);

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        if R::BRIEF {
            let (_, _, z) = Self::brief(x);
            return x.at_least(R::of(-10.9)) * math::brief_sigmoid(z, &UNIT);
        }
        let (a, _, z, low) = Self::arguments(x);
        hinge(x, math::times_sigmoid_neg(a, z, Some(low)))
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        if R::BRIEF {
            let (x, square, z) = Self::brief(x);
            return math::brief_slope(z, (x * square).mul_add(R::of(2.0), z) * R::of(C3), &UNIT);
        }
        let (a, square, z, low) = Self::arguments(x);
        // x z'(x) = z(x) + 2 C3 x^3.
        let twice = square + square;
        let w = a.mul_add(twice, z);
        let w_lo = a.mul_add(twice, z - w) + low.lo;
        reflect(x, math::sigmoid_neg_slope(z, w, Some((low, w_lo))).number())
    }
}

/// With a = |x|, t = tanh(z / 2), c = 2 sqrt(2/pi) and d = 0.044715: sigmoid'(z) (2 z' + a (z'' - z'^2 t)), and
/// 2 z' + a z'' = 2 c + 12 c d a^2.
impl SecondSlope for GeluTanh {
    compiled_second!();

    #[inline(always)]
    fn second_slope<R: Real>(&self, x: R) -> R {
        let (a, square, z, low) = Self::arguments_up_to(x, R::per_type(11.05, 21.7));
        let (slope, tanh) = math::sigmoid_slope_and_tanh(z, Some(low));
        // z' = c + 3 c d a^2.
        let (cubic, cubic_lo) = R::of_sum(3.0 * C * D);
        let dz = square.mul_add(cubic, square.mul_add(cubic_lo, R::of(C)));
        let pull = (a * dz) * tanh;
        let inner = pull.mul_add(-dz, square.mul_add(R::of(12.0 * C * D), R::of(2.0 * C)));
        slope.value * inner * slope.unlift
    }
}

impl Described for GeluTanh {
    const CARD: Card = Card {
        name: "gelu_tanh",
        aliases: &[
            "gelu_new",
            "gelu_pytorch_tanh",
            "gelu_python_tanh",
            "gelu_fast",
            "gelu_accurate",
            "gelu_approximate",
            "new_gelu",
            "fast_gelu",
            "accurate_gelu",
            "pytorch_gelu_tanh",
        ],
        formula: "x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2",
        derivative: "s + x s (1 - s) z', s = sigmoid(z), z = 2 sqrt(2/pi) (x + 0.044715 x^3)",
        range: (-0.170_040_750_571_254_05, f64::INFINITY),
        vanishes: Vanishes::Left,
        zero_centred: false,
        monotone: false,
        kinks: &[],
        common_use: "transformers: GPT-2, Gemma, T5 v1.1",
        source: "Hendrycks & Gimpel, 2016, arXiv:1606.08415",
        error: ErrorBounds { f32: (2.9, 3.6), f32_plain: (3.6, 3.6), f64: (2.5, 3.8), f64_plain: (3.0, 3.8) },
    };
}
