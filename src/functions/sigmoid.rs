//! The logistic sigmoid.

use super::fast::FastSigmoid;
use super::second::LogisticBump;
use crate::activation::{Elementwise, compiled_passes, fast_form};
use crate::describe::card::{Card, Described, ErrorBounds, Vanishes};
use crate::describe::parameters::parameters;
use crate::from_output::{SlopeFromOutput, compiled_from_output};
use crate::kernel::real::Real;
use crate::math;
use crate::second::second_slope_of;

/// The logistic sigmoid, for the output of a binary classifier, and for gates: 1 / (1 + e^-x).
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/sigmoid.svg"))]
///
/// - Derivative: sigmoid(x) (1 - sigmoid(x)), at most 1/4. Range: [0, 1].
/// - Error: at most 2.5 ULP, 3.4 for the derivative, in `f32` over all 2^32 inputs (3.4 and 4.0 without fused
///   multiply-add); 2.5 and 3.0 in `f64`, on 20,000 inputs (2.8 and 3.5). Subnormal results are within it.
/// - Special values: sigmoid(-inf) = 0, sigmoid(inf) = 1, NaN gives NaN.
/// - Source: Verhulst, "Recherches mathématiques sur la loi d'accroissement de la population", 1845; as a neuron's
///   output, Rumelhart, Hinton & Williams, Nature 323, 1986.
///
/// ```
/// use activations::{Activation, Sigmoid};
///
/// let mut y = [0.0; 3];
/// Sigmoid.forward(&[f32::NEG_INFINITY, 0.0, f32::INFINITY], &mut y);
/// assert_eq!(y, [0.0, 0.5, 1.0]);
/// ```
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[doc(alias = "logistic")]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sigmoid;

parameters!(Sigmoid);

impl Elementwise for Sigmoid {
    compiled_passes!();
    fast_form!(|_f| FastSigmoid);

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        math::sigmoid(x)
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        let q = math::sigmoid_neg(math::logistic_abs(x), None);
        q * (R::of(1.0) - q)
    }
}

/// As y nears 1, 1 - y has fewer digits. The derivative is within 2^-24 (`f64`: 2^-53) of the exact one, and it is 0 where y is
/// rounded to 1.
impl SlopeFromOutput for Sigmoid {
    compiled_from_output!();

    #[inline(always)]
    fn slope_from_output<R: Real>(&self, y: R) -> R {
        y * (R::of(1.0) - y)
    }
}

second_slope_of!(Sigmoid | _f | LogisticBump::odd(1.0, -1.0));

impl Described for Sigmoid {
    const CARD: Card = Card {
        name: "sigmoid",
        aliases: &["logistic"],
        formula: "1 / (1 + e^-x)",
        derivative: "sigmoid(x) (1 - sigmoid(x))",
        range: (0.0, 1.0),
        vanishes: Vanishes::BothSides,
        zero_centred: false,
        monotone: true,
        kinks: &[],
        common_use: "the output of a binary classifier; gates",
        source: "Rumelhart, Hinton & Williams, Nature 323, 1986",
        error: ErrorBounds { f32: (2.5, 3.4), f32_plain: (3.4, 4.0), f64: (2.5, 3.0), f64_plain: (2.8, 3.5) },
    };
}
