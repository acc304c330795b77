//! The hyperbolic tangent.

use crate::activation::Elementwise;
use crate::card::{Card, Described, ErrorBounds, Vanishes};
use crate::from_output::SlopeFromOutput;
use crate::math;
use crate::parameters::parameters;
use crate::real::Real;

/// The hyperbolic tangent: (e^x - e^-x) / (e^x + e^-x).
///
/// - Derivative: 1 - tanh(x)^2 = 1 / cosh(x)^2, computed without the cancellation. Range: [-1, 1].
/// - Error: at most 2.6 ULP, 3.4 for the derivative, in `f32` over all 2^32 inputs (3.5 and 4.0 without fused
///   multiply-add); 2.5 and 2.5 in `f64`, on a table (3.0 and 3.0). Subnormal results are within it.
/// - Special values: odd, keeps the sign of zero; tanh(inf) = 1, NaN gives NaN.
/// - Source: LeCun, Bottou, Orr & Müller, "Efficient BackProp", 1998.
///
/// ```
/// use activations::{Activation, Tanh};
///
/// let mut y = [1.0; 2];
/// Tanh.forward(&[-0.0_f64, f64::INFINITY], &mut y);
/// assert!(y[0] == 0.0 && y[0].is_sign_negative());
/// assert_eq!(y[1], 1.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tanh;

parameters!(Tanh);

impl Elementwise for Tanh {
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        math::tanh(x)
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        math::tanh_slope(x)
    }
}

impl SlopeFromOutput for Tanh {
    #[inline(always)]
    fn slope_from_output<R: Real>(&self, y: R) -> R {
        (R::of(1.0) - y) * (R::of(1.0) + y)
    }
}

impl Described for Tanh {
    const CARD: Card = Card {
        name: "tanh",
        aliases: &[],
        formula: "(e^x - e^-x) / (e^x + e^-x)",
        derivative: "1 - tanh(x)^2",
        range: (-1.0, 1.0),
        vanishes: Vanishes::BothSides,
        zero_centred: true,
        monotone: true,
        kinks: &[],
        common_use: "recurrent networks; outputs in [-1, 1]",
        source: "LeCun, Bottou, Orr & Müller, 1998",
        error: ErrorBounds { f32: (2.6, 3.4), f32_plain: (3.5, 4.0), f64: (2.5, 2.5), f64_plain: (3.0, 3.0) },
    };
}
