//! Exponential linear units: a line on the right, an exponential on the left.

use super::fast::{FastElu, is_moderate};
use super::second::OneSided;
use crate::activation::{Elementwise, compiled_passes, fast_form};
use crate::describe::card::{Card, Described, ErrorBounds, Vanishes};
use crate::describe::parameters::parameters;
use crate::from_output::{SlopeFromOutput, compiled_from_output};
use crate::kernel::real::Real;
use crate::math::{self, Scale, two_to};
use crate::parametric::{Parametric, compiled_parametric};
use crate::second::second_slope_of;

/// The exponential linear unit, for hidden layers whose mean output should be near 0: x if x > 0, else alpha (e^x - 1).
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
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[doc(alias = "ELU")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Elu {
    alpha: f64,
}

parameters! {
    Elu {
        /// Minus the limit on the left. With alpha = 1 the derivative has no jump.
        alpha: Finite = 1.0,
    }
}

#[inline(always)]
fn elu<R: Real>(x: R, alpha: R) -> R {
    // In the lane `Brief` a positive x need not be made negative: there e^x is meaningless, but not used.
    let a = if R::BRIEF { -x.at_least(R::of(-700.0)) } else { math::bounded_abs(x) };
    let below = math::expm1_neg(a, None);
    R::select(x.lt(R::of(0.0)), below.value * (alpha * below.unlift), x)
}

#[inline(always)]
fn elu_slope<R: Real>(x: R, alpha: R) -> R {
    let e = math::exp_neg(math::bounded_abs(x), None);
    R::select(R::of(0.0).lt(x), R::of(1.0), e.value * (alpha * e.unlift))
}

impl Elementwise for Elu {
    compiled_passes!();
    fast_form!(|f| FastElu { alpha: f.alpha }, if is_moderate(f.alpha.abs()));

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        elu(x, R::of(self.alpha))
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        elu_slope(x, R::of(self.alpha))
    }
}

/// y + alpha on the left. As y nears -alpha, the sum has fewer digits. For a negative alpha a positive output may come from
/// either side, so it does not determine the derivative. The result is then 1.
impl SlopeFromOutput for Elu {
    compiled_from_output!();

    #[inline(always)]
    fn slope_from_output<R: Real>(&self, y: R) -> R {
        R::select(R::of(0.0).lt(y), R::of(1.0), y + R::of(self.alpha))
    }
}

second_slope_of!(Elu | f | OneSided { alpha: 1.0, left: f.alpha, right: 0.0, at_zero: 0.0 });

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

/// The scaled exponential linear unit, for deep dense networks without normalisation: lambda x if x > 0, else lambda alpha
/// (e^x - 1), with lambda = 1.0507 and alpha = 1.6733. With these constants, inputs of mean 0 and variance 1 keep both from layer
/// to layer.
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/selu.svg"))]
///
/// - Derivative: lambda for x > 0, else lambda alpha e^x. Range: [-1.7581, inf). Not differentiable at 0, where the
///   derivative is set to the left side's, lambda alpha = 1.7581, as in PyTorch and JAX. (Keras gives lambda.)
/// - Error: at most 2.0 ULP, 2.0 for the derivative, in `f32` over all 2^32 inputs; 2.0 and 2.0 in `f64`, on a
///   table. Subnormal results are within it.
/// - Special values: selu(-inf) = -1.7581, selu(inf) = inf, keeps the sign of zero, NaN gives NaN. The value overflows from
///   0.952 times the greatest number on.
/// - Source: Klambauer, Unterthiner, Mayr & Hochreiter, "Self-normalizing neural networks", 2017, arXiv:1706.02515.
///
/// ```
/// use activations::{Activation, Selu};
///
/// let mut y = [0.0; 3];
/// Selu.forward(&[f32::NEG_INFINITY, 0.0, 1.0], &mut y);
/// assert_eq!(y, [-1.758_099_3, 0.0, 1.050_701]);
/// ```
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
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
        // Without this, the rounding of lambda would make the greatest finite result infinite.
        let above = x.mul_add(R::of(LAMBDA - 1.0), x);
        R::select(x.lt(R::of(0.0)), below.value * (R::of(LAMBDA_ALPHA) * below.unlift), above)
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        let e = math::exp_neg(math::bounded_abs(x), None);
        R::select(R::of(0.0).lt(x), R::of(LAMBDA), e.value * (R::of(LAMBDA_ALPHA) * e.unlift))
    }
}

/// y + 1.7581 on the left. As y nears -1.7581, the sum has fewer digits.
impl SlopeFromOutput for Selu {
    compiled_from_output!();

    #[inline(always)]
    fn slope_from_output<R: Real>(&self, y: R) -> R {
        R::select(R::of(0.0).lt(y), R::of(LAMBDA), y + R::of(LAMBDA_ALPHA))
    }
}

second_slope_of!(Selu | _f | OneSided { alpha: 1.0, left: LAMBDA_ALPHA, right: 0.0, at_zero: 0.0 });

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

/// The continuously differentiable exponential linear unit, instead of ELU where alpha is tuned: x if x > 0, else
/// alpha (e^(x/alpha) - 1). With alpha = 1 it is [`Elu`].
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/celu.svg"))]
///
/// - Derivative: 1 for x > 0, else e^(x/alpha): no jump at 0, whatever alpha is. Range: [-alpha, inf).
/// - Error: at most 1.5 ULP, 1.5 for the derivative, in `f32` over all 2^32 inputs, for alpha = 1; 1.5 and 1.5 in
///   `f64`, on a table. Subnormal results are within it.
/// - Other alphas: rounded to the type, to no more than 2^60 (`f64`: 2^500), and to no less than the reciprocal of that.
///   They cost only half an ULP more, because x/alpha is not rounded.
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
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
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

#[inline(always)]
fn celu<R: Real>(x: R, alpha: R, recip: Scale<R>) -> R {
    let scaled = recip.times_abs(x);
    let below = math::expm1_neg(scaled.z, Some(scaled.z_lo));
    // Near 0 the result is x itself, because x/alpha may be subnormal there. The difference is below an eighth of an ULP.
    let near = alpha * R::per_type(two_to(-26) as f32, two_to(-55));
    R::select(x.lt(-near), below.value * (alpha * below.unlift), x)
}

#[inline(always)]
fn celu_slope<R: Real>(x: R, recip: Scale<R>) -> R {
    let scaled = recip.times_abs(x);
    let e = math::exp_neg(scaled.z, Some(scaled.z_lo)).number();
    R::select(R::of(0.0).lt(x), R::of(1.0), e)
}

impl Elementwise for Celu {
    compiled_passes!();

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        celu(x, Scale::of(self.alpha).factor, Scale::recip_of(self.alpha))
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        celu_slope(x, Scale::recip_of(self.alpha))
    }
}

/// (y + alpha)/alpha on the left. As y nears -alpha, the sum has fewer digits.
impl SlopeFromOutput for Celu {
    compiled_from_output!();

    #[inline(always)]
    fn slope_from_output<R: Real>(&self, y: R) -> R {
        let alpha = Scale::<R>::of(self.alpha).factor;
        R::select(R::of(0.0).lt(y), R::of(1.0), (y + alpha) / alpha)
    }
}

second_slope_of!(Celu | f | OneSided { alpha: f.alpha, left: 1.0 / f.alpha, right: 0.0, at_zero: 0.0 });

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

/// [`Elu`] with a trained alpha for each channel, for [`PerChannel`](crate::PerChannel).
///
/// - Derivatives: with respect to x, as for `Elu`; with respect to alpha, e^x - 1 for x < 0, else 0.
/// - Error: at most 1.5 ULP for the value, 2.0 for the derivative, 1.0 (`f64`: 1.5) for the derivative with respect to alpha.
/// - Special values: as for `Elu`.
/// - Source: Clevert, Unterthiner & Hochreiter, 2015, arXiv:1511.07289; trained, Trottier, Giguère & Chaib-draa, "Parametric
///   exponential linear unit for deep convolutional neural networks", 2016, arXiv:1605.09332.
///
/// ```
/// use activations::{Activation, EluAlpha, PerChannel};
///
/// let elu = PerChannel::new(EluAlpha, [&[1.0_f32, 0.5]]);
/// assert_eq!(elu.forward_vec(&[f32::NEG_INFINITY, f32::NEG_INFINITY, 2.0, 3.0]), [-1.0, -0.5, 2.0, 3.0]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EluAlpha;

impl Parametric<1> for EluAlpha {
    compiled_parametric!(1);

    #[inline(always)]
    fn value<R: Real>(&self, x: R, [alpha]: [R; 1]) -> R {
        elu(x, alpha)
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R, [alpha]: [R; 1]) -> R {
        elu_slope(x, alpha)
    }

    #[inline(always)]
    fn partials<R: Real>(&self, x: R, _: [R; 1]) -> [R; 1] {
        let (below, zero) = (math::expm1_neg(math::bounded_abs(x), None).number(), R::of(0.0));
        [R::select(zero.le(x), zero, below)]
    }
}

/// [`Celu`] with a trained alpha for each channel, for [`PerChannel`](crate::PerChannel).
///
/// - Derivatives: with respect to x, as for `Celu`; with respect to alpha, (1 - x/alpha) e^(x/alpha) - 1 for x < 0, else 0.
/// - Error: value and derivative as for `Celu`. The derivative with respect to alpha is within 6 ULP in `f32`, 16 in `f64`, for
///   |x| up to 0.34 alpha, and beyond within an absolute error of 2^-22.5 (`f64`: 2^-51.5).
/// - Other alphas: as for `Celu`. An alpha that is not positive is replaced by 2^-60 (`f64`: 2^-500).
/// - Special values: as for `Celu`.
/// - Source: Barron, "Continuously differentiable exponential linear units", 2017, arXiv:1704.07483.
///
/// ```
/// use activations::{Activation, Celu, CeluAlpha, PerChannel};
///
/// let x = [-3.0_f32, -0.5, 2.0];
/// let trained = PerChannel::new(CeluAlpha, [&[1.5]]);
/// assert_eq!(trained.forward_vec(&x), Celu::new(1.5)?.forward_vec(&x));
/// # Ok::<(), activations::ParameterError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CeluAlpha;

impl Parametric<1> for CeluAlpha {
    compiled_parametric!(1);

    #[inline(always)]
    fn value<R: Real>(&self, x: R, [alpha]: [R; 1]) -> R {
        let scale = Scale::of_lane(alpha);
        celu(x, scale.factor, scale.recip())
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R, [alpha]: [R; 1]) -> R {
        celu_slope(x, Scale::of_lane(alpha).recip())
    }

    #[inline(always)]
    fn partials<R: Real>(&self, x: R, [alpha]: [R; 1]) -> [R; 1] {
        let t = Scale::of_lane(alpha).recip().times_abs(x).z.at_most(R::per_type(80.0, 700.0));
        let (r, r_lo, q, scale) = math::exp_neg_series(t);
        let (zero, one) = (R::of(0.0), R::of(1.0));
        // e^-t = 2^n (1 + w). If n is 0, r is t, and the result is t^2 (q + t q - 1).
        let w = (r * r).mul_add(q, -r) - r_lo;
        let far = t.mul_add(scale.mul_add(w, scale), scale.mul_add(w, scale - one));
        let near = (t * t) * (t.mul_add(q, q) - one);
        [R::select(zero.le(x), zero, R::select(R::of(0.75).lt(scale), near, far))]
    }
}
