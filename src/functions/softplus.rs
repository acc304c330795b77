//! Softplus: a ReLU without its corner.

use crate::activation::Elementwise;
use crate::card::{Card, Described, ErrorBounds, Vanishes};
use crate::math;
use crate::real::Real;

/// Softplus: log(1 + e^x), exact everywhere: no threshold, no overflow.
///
/// - Derivative: sigmoid(x). Range: [0, inf).
/// - Error: at most 2.9 ULP, 2.5 for the derivative, in `f32` over all 2^32 inputs (3.8 and 3.4 without fused
///   multiply-add); 2.2 and 2.5 in `f64`, on a table (2.5 and 3.0). Subnormal results are within it.
/// - Special values: softplus(-inf) = 0, softplus(inf) = inf, NaN gives NaN.
/// - Source: Dugas, Bengio, Bélisle, Nadeau & Garcia, "Incorporating second-order functional knowledge for better option
///   pricing", NIPS 2000.
///
/// ```
/// use activations::{Activation, Softplus};
///
/// let mut y = [0.0; 3];
/// Softplus.forward(&[-100.0_f32, 0.0, 100.0], &mut y);
/// assert_eq!(y, [3.783_506e-44, 0.693_147_2, 100.0]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Softplus;

impl Elementwise for Softplus {
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        math::log1p_exp(x)
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        math::sigmoid(x)
    }
}

impl Described for Softplus {
    const CARD: Card = Card {
        name: "softplus",
        aliases: &[],
        formula: "log(1 + e^x)",
        derivative: "1 / (1 + e^-x)",
        range: (0.0, f64::INFINITY),
        vanishes: Vanishes::Left,
        zero_centred: false,
        monotone: true,
        kinks: &[],
        common_use: "an output that is positive: a rate, a variance",
        source: "Dugas, Bengio, Bélisle, Nadeau & Garcia, NIPS 2000",
        error: ErrorBounds { f32: (2.9, 2.5), f32_plain: (3.8, 3.4), f64: (2.2, 2.5), f64_plain: (2.5, 3.0) },
    };
}
