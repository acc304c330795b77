//! Sin: the activation of sinusoidal representation networks.

use crate::activation::{Elementwise, compiled_passes};
use crate::describe::card::{Card, Described, ErrorBounds, Vanishes};
use crate::describe::parameters::parameters;
use crate::kernel::real::Real;
use crate::math::{Scale, sin_cos, two_to};
use crate::second::{SecondSlope, compiled_second};

/// The sine, for networks that represent images, sounds and fields by their coordinates (SIREN): sin(omega x).
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/sin.svg"))]
///
/// - Derivative: omega cos(omega x). Range: [-1, 1].
/// - Error: at most 1.3 ULP, 1.3 for the derivative, in `f32` over all 2^32 inputs, with omega = 1 (1.5 and 1.5 without fused
///   multiply-add); the same in `f64`, on a table. For other omega the derivative is rounded once more. The product omega x is
///   computed with its rounding error, so results near the zeros of the sine are right too.
/// - Domain: these bounds hold for |omega x| up to 2^45 (3.5e13). Beyond, value and derivative are set to 0, their mean.
///   [`math::sin`](crate::math::sin) is right for every `f32`.
/// - Other omega: rounded to the type, to no more than 2^60 (`f64`: 2^500), and to no less than the reciprocal of that.
/// - Special values: at the infinities there is no limit; value and derivative are set to 0. Keeps the sign of zero, NaN gives NaN.
/// - Rounding modes: the results are right only with rounding to nearest, the mode of every program that does not change it.
/// - Source: Sitzmann, Martel, Bergman, Lindell & Wetzstein, "Implicit neural representations with periodic activation functions",
///   2020, arXiv:2006.09661. There omega is 30, in all layers, and weights are drawn for it: uniformly within sqrt(6/n)/omega for
///   n inputs, within 1/n in the first layer.
///
/// ```
/// use activations::{Activation, Sin};
///
/// let (mut y, mut dydx) = ([0.0_f32; 3], [0.0; 3]);
/// Sin::new(30.0)?.forward_with_derivative(&[-0.05, 0.0, 0.05], &mut y, &mut dydx);
/// assert!((y[2] - 1.5_f32.sin()).abs() < 1e-7);
/// assert_eq!((y[0], y[1], dydx[1]), (-y[2], 0.0, 30.0));
/// # Ok::<(), activations::ParameterError>(())
/// ```
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[doc(alias = "siren")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sin {
    omega: f64,
}

parameters! {
    Sin {
        /// The frequency: the wave repeats after 2 pi/omega.
        omega: Positive = 1.0,
    }
}

impl Sin {
    /// sin(omega x) and cos(omega x); 0 where omega x is too great.
    #[inline(always)]
    fn sin_cos<R: Real>(&self, x: R) -> (R, R) {
        let (z, z_lo) = Scale::of(self.omega).times(x, None);
        let (sin, cos) = sin_cos(z, Some(z_lo));
        let (beyond, zero) = (R::of(two_to(45)).lt(z.abs()), R::of(0.0));
        (R::select(beyond, zero.copysign(z), sin), R::select(beyond, zero, cos))
    }
}

impl Elementwise for Sin {
    compiled_passes!();

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        self.sin_cos(x).0
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        self.sin_cos(x).1 * Scale::of(self.omega).factor
    }
}

/// -omega^2 sin(omega x).
impl SecondSlope for Sin {
    compiled_second!();

    #[inline(always)]
    fn second_slope<R: Real>(&self, x: R) -> R {
        let omega = Scale::<R>::of(self.omega).factor;
        // Multiplies twice by omega, because the square of a great omega would overflow.
        -(self.sin_cos(x).0 * omega) * omega
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
        error: ErrorBounds { f32: (1.3, 1.3), f32_plain: (1.5, 1.5), f64: (1.3, 1.3), f64_plain: (1.5, 1.5) },
    };
}
