//! The exponential linear unit.

use crate::activation::Elementwise;
use crate::card::{Card, Described, ErrorBounds, Vanishes};
use crate::math;
use crate::parameters::parameters;
use crate::real::Real;

/// The exponential linear unit: x if x > 0, else alpha (e^x - 1).
///
/// - Derivative: 1 for x > 0, else alpha e^x; alpha at 0. Range: (-alpha, inf).
/// - Error: at most 1.0 ULP, 1.5 for the derivative, in `f32` over all 2^32 inputs, for alpha = 1; 1.5 and 1.5 in
///   `f64`, on a table. Subnormal results are within it. Another alpha is rounded to the element's type and costs
///   half an ULP more.
/// - Special values: elu(-inf) = -alpha, elu(inf) = inf, zeros keep their sign for a positive alpha, NaN gives NaN.
/// - Source: Clevert, Unterthiner & Hochreiter, "Fast and accurate deep network learning by exponential linear units
///   (ELUs)", 2015, arXiv:1511.07289.
///
/// ```
/// use activations::{Activation, Elu};
///
/// # fn main() -> Result<(), activations::ParameterError> {
/// let mut y = [0.0; 3];
/// Elu::default().forward(&[f32::NEG_INFINITY, 1e-8, 2.0], &mut y);
/// assert_eq!(y, [-1.0, 1e-8, 2.0]);
/// Elu::new(0.5)?.forward(&[f32::NEG_INFINITY, -1e-8, 2.0], &mut y);
/// assert_eq!(y, [-0.5, -5e-9, 2.0]);
/// # Ok(())
/// # }
/// ```
#[doc(alias = "ELU")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Elu {
    alpha: f64,
}

parameters! {
    Elu {
        /// Minus the limit on the left. At 1 the derivative has no jump.
        alpha: Finite = 1.0,
    }
}

impl Elementwise for Elu {
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        let below = math::expm1_neg(math::bounded_abs(x));
        R::select(x.lt(R::of(0.0)), below.value * (R::of(self.alpha) * below.unlift), x)
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        let e = math::exp_neg(math::bounded_abs(x));
        R::select(R::of(0.0).lt(x), R::of(1.0), e.value * (R::of(self.alpha) * e.unlift))
    }
}

impl Described for Elu {
    const CARD: Card = Card {
        name: "elu",
        aliases: &[],
        formula: "x if x > 0, else alpha (e^x - 1)",
        derivative: "1 if x > 0, else alpha e^x",
        range: (-1.0, f64::INFINITY),
        vanishes: Vanishes::Left,
        zero_centred: false,
        monotone: true,
        kinks: &[],
        common_use: "hidden layers whose mean output should be near 0",
        source: "Clevert, Unterthiner & Hochreiter, 2015, arXiv:1511.07289",
        error: ErrorBounds { f32: (1.0, 1.5), f32_plain: (1.0, 1.5), f64: (1.5, 1.5), f64_plain: (1.5, 1.5) },
    };
}
