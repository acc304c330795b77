//! Sin: the activation of sinusoidal representation networks.

use crate::activation::{Elementwise, compiled_passes};
use crate::describe::card::{Card, Described, ErrorBounds, Vanishes};
use crate::describe::parameters::parameters;
use crate::kernel::real::Real;
use crate::math::{Scale, sin_cos};

/// The sine: sin(omega x), for networks that represent images, sounds and fields by their coordinates (SIREN).
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/sin.svg"))]
///
/// - Derivative: omega cos(omega x). Range: [-1, 1].
/// - Error: at most 2.0 ULP, 2.5 for the derivative, in `f32` over all 2^32 inputs, with the default omega (2.0 and 2.5 without fused
///   multiply-add); the same in `f64`, on a table. The product omega x is taken with its rounding error, so the zeros are right.
/// - Where omega x is beyond the greatest `f32`, or beyond 2^45 (3.5e13) in `f64`, results are NaN. [`math::sin`](crate::math::sin)
///   says why.
/// - Other omega: rounded to the type, to no more than 2^60 (`f64`: 2^500), and to no less than the reciprocal of that.
/// - Special values: sin(-inf) and sin(inf) are NaN, because there is no limit; so are their derivatives. Keeps the sign of zero, NaN
///   gives NaN.
/// - Source: Sitzmann, Martel, Bergman, Lindell & Wetzstein, "Implicit neural representations with periodic activation functions",
///   2020, arXiv:2006.09661. Its omega is 30, in the first layer and in the others. Weights must be drawn for it: uniformly
///   within sqrt(6/n)/omega for n inputs, within 1/n in the first layer.
///
/// ```
/// use activations::{Activation, Sin};
///
/// let (mut y, mut dydx) = ([0.0_f32; 3], [0.0; 3]);
/// Sin::default().forward_with_derivative(&[-0.05, 0.0, 0.05], &mut y, &mut dydx);
/// assert!((y[2] - 1.5_f32.sin()).abs() < 1e-7);
/// assert_eq!((y[0], y[1], dydx[1]), (-y[2], 0.0, 30.0));
/// ```
#[doc(alias = "siren")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sin {
    omega: f64,
}

parameters! {
    Sin {
        /// The frequency: the wave repeats after 2 pi/omega.
        omega: Positive = 30.0,
    }
}

impl Elementwise for Sin {
    compiled_passes!();

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        let (z, z_lo) = Scale::of(self.omega).times(x, None);
        sin_cos(z, Some(z_lo)).0
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        let scale = Scale::of(self.omega);
        let (z, z_lo) = scale.times(x, None);
        sin_cos(z, Some(z_lo)).1 * scale.factor
    }
}

impl Described for Sin {
    const CARD: Card = Card {
        name: "sin",
        aliases: &["sine", "siren"],
        formula: "sin(omega x)",
        derivative: "omega cos(omega x)",
        range: (-1.0, 1.0),
        vanishes: Vanishes::Never,
        zero_centred: true,
        monotone: false,
        kinks: &[],
        common_use: "networks of coordinates: images, sounds, fields, differential equations",
        source: "Sitzmann et al., 2020, arXiv:2006.09661",
        error: ErrorBounds { f32: (2.0, 2.5), f32_plain: (2.0, 2.5), f64: (2.0, 2.5), f64_plain: (2.0, 2.5) },
    };
}
