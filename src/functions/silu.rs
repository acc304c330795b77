//! The sigmoid linear unit.

use super::gelu::{hinge, reflect};
use crate::activation::Elementwise;
use crate::card::{Card, Described, ErrorBounds, Vanishes};
use crate::math;
use crate::parameters::parameters;
use crate::real::Real;

/// The sigmoid linear unit, also called swish: x sigmoid(x) = x / (1 + e^-x).
///
/// - Derivative: sigmoid(x) (1 + x sigmoid(-x)), with its root at -1.2785. Range: [-0.27847, inf).
/// - Error: at most 2.9 ULP, 3.8 for the derivative, in `f32` over all 2^32 inputs (4.1 and 4.6 without fused
///   multiply-add); 2.0 and 2.5 in `f64`, on a table (2.5 and 3.5). Both tails and subnormal results are within it.
///   Where the derivative is below 1/16, near its root, the spacing at 1/16 counts.
/// - Special values: silu(-inf) = -0.0, silu(inf) = inf, keeps the sign of zero, NaN gives NaN.
/// - Source: Elfwing, Uchibe & Doya, 2017, arXiv:1702.03118; Ramachandran, Zoph & Le, 2017, arXiv:1710.05941.
///
/// ```
/// use activations::{Activation, Silu};
///
/// let mut y = [0.0; 2];
/// Silu.forward(&[0.0_f32, 1.0], &mut y);
/// assert_eq!(y, [0.0, 0.731_058_6]);
/// ```
#[doc(alias = "SiLU")]
#[doc(alias = "swish")]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Silu;

parameters!(Silu);

impl Elementwise for Silu {
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        let a = math::bounded_abs(x);
        hinge(x, math::times_sigmoid_neg(a, a, None))
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        let a = math::bounded_abs(x);
        reflect(x, math::sigmoid_neg_slope(a, a, None).number())
    }
}

impl Described for Silu {
    const CARD: Card = Card {
        name: "silu",
        aliases: &["swish"],
        formula: "x / (1 + e^-x)",
        derivative: "sigmoid(x) (1 + x sigmoid(-x))",
        range: (-0.278_464_542_761_073_8, f64::INFINITY),
        vanishes: Vanishes::Left,
        zero_centred: false,
        monotone: false,
        kinks: &[],
        common_use: "EfficientNet, YOLO; inside SwiGLU, language models",
        source: "Elfwing, Uchibe & Doya, 2017, arXiv:1702.03118",
        error: ErrorBounds { f32: (2.9, 3.8), f32_plain: (4.1, 4.6), f64: (2.0, 2.5), f64_plain: (2.5, 3.5) },
    };
}
