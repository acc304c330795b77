//! The Gaussian error linear unit, exact and in its tanh form.

use crate::activation::Elementwise;
use crate::card::{Card, Described, ErrorBounds, Vanishes};
use crate::math::{self, Lifted, NormalTail};
use crate::parameters::parameters;
use crate::real::Real;

/// The Gaussian error linear unit: x Phi(x) = x (1 + erf(x / sqrt 2)) / 2, Phi the normal distribution.
///
/// - Derivative: Phi(x) + x phi(x), with its root at -0.7518. Range: [-0.16997, inf).
/// - Error: at most 3.0 ULP, 3.6 for the derivative, in `f32` over all 2^32 inputs (3.4 and 3.6 without fused
///   multiply-add); 3.0 and 2.5 in `f64`, on a table (4.0 and 2.5). Both tails and subnormal results are within it.
///   Where the derivative is below 1/16, near its root, the spacing at 1/16 counts.
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
#[doc(alias = "GELU")]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gelu;

parameters!(Gelu);

impl Elementwise for Gelu {
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        hinge(x, NormalTail::new(x).times_a())
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        reflect(x, NormalTail::new(x).gelu_slope().number())
    }
}

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
        error: ErrorBounds { f32: (3.0, 3.6), f32_plain: (3.4, 3.6), f64: (3.0, 2.5), f64_plain: (4.0, 2.5) },
    };
}

/// The tanh form of GELU: x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2.
///
/// A function of its own, up to 0.00047 away from [`Gelu`]: use the one that the model was trained with.
///
/// - Derivative: with z = 2 sqrt(2/pi) (x + 0.044715 x^3) and s = sigmoid(z), s + x s (1 - s) z'; its root is at
///   -0.7525. Range: [-0.17004, inf).
/// - Error: at most 2.7 ULP, 3.8 for the derivative, in `f32` over all 2^32 inputs (3.5 and 4.6 without fused
///   multiply-add); 2.0 and 2.0 in `f64`, on a table (3.0 and 2.5). Both tails and subnormal results are within it.
///   Where the derivative is below 1/16, near its root, the spacing at 1/16 counts.
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
#[doc(alias = "gelu_new")]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GeluTanh;

parameters!(GeluTanh);

/// z(a) = C1 a + C3 a^3 with C1 = 2 sqrt(2/pi), C3 = 0.044715 C1.
const C1: f64 = 1.595_769_121_605_730_8;
const C3: f64 = 0.071_354_816_272_600_25;

impl GeluTanh {
    /// `(a, z, z_lo, c)` with a = |x|, z + z_lo = z(a) and c = C3 a^2.
    #[inline(always)]
    fn arguments<R: Real>(x: R) -> (R, R, R, R) {
        // Beyond, a e^-z(a) is zero.
        let a = x.abs().at_most(R::per_type(10.9, 21.6));
        // e^-z magnifies the relative error of z by up to 110 (754), so z is an unevaluated sum.
        let c1_lo = R::per_type(-4.534_068e-8, -9.969_308_809_110_92e-17);
        let c3_lo = R::per_type(2.398_832_4e-9, -6.175_149_918_155_315e-19);
        let (square, square_lo) = a.two_mul(a);
        let (cubic, cubic_lo) = square.two_mul(R::of(C3));
        let cubic_lo = square.mul_add(c3_lo, square_lo.mul_add(R::of(C3), cubic_lo));
        let (factor, factor_lo) = math::two_sum(R::of(C1), cubic);
        let (z, z_lo) = a.two_mul(factor);
        (a, z, a.mul_add(factor_lo + (cubic_lo + c1_lo), z_lo), cubic)
    }
}

impl Elementwise for GeluTanh {
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        let (a, z, z_lo, _) = Self::arguments(x);
        hinge(x, math::times_sigmoid_neg(a, z, Some(z_lo)))
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        let (a, z, z_lo, cubic) = Self::arguments(x);
        // x z'(x) = z(x) + 2 C3 x^3.
        let twice = cubic + cubic;
        let w = a.mul_add(twice, z);
        let w_lo = a.mul_add(twice, z - w) + z_lo;
        reflect(x, math::sigmoid_neg_slope(z, w, Some((z_lo, w_lo))).number())
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
        error: ErrorBounds { f32: (2.7, 3.8), f32_plain: (3.5, 4.6), f64: (2.0, 2.0), f64_plain: (3.0, 2.5) },
    };
}

/// max(x, 0) - tail: f(x) from the tail -f(-|x|), for f(x) - f(-x) = x.
#[inline(always)]
pub(super) fn hinge<R: Real>(x: R, tail: Lifted<R>) -> R {
    // Not the tail is negated: for aarch64 LLVM makes a negated `mul_add` one instruction, whose zeros have another sign.
    tail.value.mul_add(-tail.unlift, x.ramp())
}

/// f'(x) from `left` = f'(-|x|), for f(x) - f(-x) = x: `left` or 1 - left.
#[inline(always)]
pub(super) fn reflect<R: Real>(x: R, left: R) -> R {
    R::select(x.lt(R::of(0.0)), left, R::of(1.0) - left)
}
