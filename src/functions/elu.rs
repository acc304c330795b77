//! Exponential linear units: a line on the right, an exponential on the left.

use super::fast::{FastElu, is_moderate};
use crate::activation::{Elementwise, compiled_passes, fast_form};
use crate::describe::card::{Card, Described, ErrorBounds, Vanishes};
use crate::describe::parameters::parameters;
use crate::from_output::{SlopeFromOutput, compiled_from_output};
use crate::kernel::real::Real;
use crate::math::{self, Scale, two_to};

/// The exponential linear unit: x if x > 0, else alpha (e^x - 1).
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/elu.svg"))]
///
/// - Derivative: 1 for x > 0, else alpha e^x; alpha at 0, as in PyTorch, JAX and Keras. Range: [-alpha, inf). Not
///   differentiable at 0, unless alpha is 1.
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
    compiled_passes!();
    fast_form!(|f| FastElu { alpha: f.alpha }, if is_moderate(f.alpha.abs()));

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        let below = math::expm1_neg(math::bounded_abs(x), None);
        R::select(x.lt(R::of(0.0)), below.value * (R::of(self.alpha) * below.unlift), x)
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        let e = math::exp_neg(math::bounded_abs(x), None);
        R::select(R::of(0.0).lt(x), R::of(1.0), e.value * (R::of(self.alpha) * e.unlift))
    }
}

/// y + alpha on the left: as y nears -alpha it has fewer digits. For a negative alpha both sides give positive outputs, and
/// the output does not determine the derivative: 1 is taken for those.
impl SlopeFromOutput for Elu {
    compiled_from_output!();

    #[inline(always)]
    fn slope_from_output<R: Real>(&self, y: R) -> R {
        R::select(R::of(0.0).lt(y), R::of(1.0), y + R::of(self.alpha))
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

/// The scaled exponential linear unit: lambda x if x > 0, else lambda alpha (e^x - 1), with lambda = 1.0507 and
/// alpha = 1.6733. With these constants, mean 0 and variance 1 are a fixed point from layer to layer.
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/selu.svg"))]
///
/// - Derivative: lambda for x > 0, else lambda alpha e^x. Range: [-1.7581, inf). Not differentiable at 0, where the
///   derivative given is the left side's, lambda alpha = 1.7581, as in PyTorch and JAX. (Keras gives lambda.)
/// - Error: at most 2.0 ULP, 2.0 for the derivative, in `f32` over all 2^32 inputs; 2.0 and 2.0 in `f64`, on a
///   table. Subnormal results are within it.
/// - Special values: selu(-inf) = -1.7581, selu(inf) = inf, keeps the sign of zero, NaN gives NaN. The largest numbers,
///   from 0.952 times the greatest, give inf.
/// - Source: Klambauer, Unterthiner, Mayr & Hochreiter, "Self-normalizing neural networks", 2017, arXiv:1706.02515.
///
/// ```
/// use activations::{Activation, Selu};
///
/// let mut y = [0.0; 3];
/// Selu.forward(&[f32::NEG_INFINITY, 0.0, 1.0], &mut y);
/// assert_eq!(y, [-1.758_099_3, 0.0, 1.050_701]);
/// ```
#[doc(alias = "SELU")]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Selu;

parameters!(Selu);

/// With z = erfc(1/sqrt 2) e^(1/2): alpha = sqrt(2/pi)/(1 - z), and lambda from the variance (equation 14 of the paper).
const LAMBDA: f64 = 1.050_700_987_355_480_5;
const LAMBDA_ALPHA: f64 = 1.758_099_340_847_376_9;

impl Elementwise for Selu {
    compiled_passes!();

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        let below = math::expm1_neg(math::bounded_abs(x), None);
        // The rounding of lambda would make the last number before overflow infinite.
        let above = x.mul_add(R::of(LAMBDA - 1.0), x);
        R::select(x.lt(R::of(0.0)), below.value * (R::of(LAMBDA_ALPHA) * below.unlift), above)
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        let e = math::exp_neg(math::bounded_abs(x), None);
        R::select(R::of(0.0).lt(x), R::of(LAMBDA), e.value * (R::of(LAMBDA_ALPHA) * e.unlift))
    }
}

/// y + 1.7581 on the left: as y nears -1.7581 it has fewer digits.
impl SlopeFromOutput for Selu {
    compiled_from_output!();

    #[inline(always)]
    fn slope_from_output<R: Real>(&self, y: R) -> R {
        R::select(R::of(0.0).lt(y), R::of(LAMBDA), y + R::of(LAMBDA_ALPHA))
    }
}

impl Described for Selu {
    const CARD: Card = Card {
        name: "selu",
        aliases: &[],
        formula: "lambda x if x > 0, else lambda alpha (e^x - 1)",
        derivative: "lambda if x > 0, else lambda alpha e^x",
        range: (-LAMBDA_ALPHA, f64::INFINITY),
        vanishes: Vanishes::Left,
        zero_centred: false,
        monotone: true,
        kinks: &[0.0],
        common_use: "deep networks of dense layers without normalisation",
        source: "Klambauer, Unterthiner, Mayr & Hochreiter, 2017, arXiv:1706.02515",
        error: ErrorBounds { f32: (2.0, 2.0), f32_plain: (2.0, 2.0), f64: (2.0, 2.0), f64_plain: (2.0, 2.0) },
    };
}

/// The continuously differentiable exponential linear unit: x if x > 0, else alpha (e^(x/alpha) - 1). With alpha = 1 it is
/// [`Elu`].
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/celu.svg"))]
///
/// - Derivative: 1 for x > 0, else e^(x/alpha): no jump at 0, whatever alpha is. Range: [-alpha, inf).
/// - Error: at most 1.5 ULP, 1.5 for the derivative, in `f32` over all 2^32 inputs, for alpha = 1; 1.5 and 1.5 in
///   `f64`, on a table. Subnormal results are within it.
/// - Other alphas: rounded to the type, to no more than 2^60 (`f64`: 2^500), and to no less than the reciprocal of that.
///   They cost half an ULP more: x/alpha is not rounded.
/// - Special values: celu(-inf) = -alpha, celu(inf) = inf, keeps the sign of zero, NaN gives NaN.
/// - Source: Barron, "Continuously differentiable exponential linear units", 2017, arXiv:1704.07483.
///
/// ```
/// use activations::{Activation, Celu};
///
/// # fn main() -> Result<(), activations::ParameterError> {
/// let mut y = [0.0; 3];
/// Celu::new(0.5)?.forward(&[f32::NEG_INFINITY, -1e-8, 2.0], &mut y);
/// assert_eq!(y, [-0.5, -1e-8, 2.0]);
/// # Ok(())
/// # }
/// ```
#[doc(alias = "CELU")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Celu {
    alpha: f64,
}

parameters! {
    Celu {
        /// Minus the limit on the left.
        alpha: Positive = 1.0,
    }
}

impl Elementwise for Celu {
    compiled_passes!();

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        let alpha = Scale::<R>::of(self.alpha).factor;
        let scaled = Scale::recip_of(self.alpha).times_abs(x);
        let below = math::expm1_neg(scaled.z, Some(scaled.z_lo));
        // x itself where the difference is below an eighth of an ULP: there x/alpha may be subnormal.
        let near = alpha * R::per_type(two_to(-26) as f32, two_to(-55));
        R::select(x.lt(-near), below.value * (alpha * below.unlift), x)
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        let scaled = Scale::recip_of(self.alpha).times_abs(x);
        let e = math::exp_neg(scaled.z, Some(scaled.z_lo)).number();
        R::select(R::of(0.0).lt(x), R::of(1.0), e)
    }
}

/// (y + alpha)/alpha on the left: as y nears -alpha it has fewer digits.
impl SlopeFromOutput for Celu {
    compiled_from_output!();

    #[inline(always)]
    fn slope_from_output<R: Real>(&self, y: R) -> R {
        let alpha = Scale::<R>::of(self.alpha).factor;
        R::select(R::of(0.0).lt(y), R::of(1.0), (y + alpha) / alpha)
    }
}

impl Described for Celu {
    const CARD: Card = Card {
        name: "celu",
        aliases: &[],
        formula: "x if x > 0, else alpha (e^(x/alpha) - 1)",
        derivative: "1 if x > 0, else e^(x/alpha)",
        range: (-1.0, f64::INFINITY),
        vanishes: Vanishes::Left,
        zero_centred: false,
        monotone: true,
        kinks: &[],
        common_use: "as ELU, where alpha is tuned",
        source: "Barron, 2017, arXiv:1704.07483",
        error: ErrorBounds { f32: (1.5, 1.5), f32_plain: (1.5, 1.5), f64: (1.5, 1.5), f64_plain: (1.5, 1.5) },
    };
}
