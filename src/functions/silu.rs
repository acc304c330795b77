//! The sigmoid linear unit, QuickGELU and swish: x sigmoid(beta x).

use super::fast::{FastSwish, is_moderate};
use super::hinge::{hinge, reflect};
use super::second::LogisticBump;
use crate::activation::{Elementwise, compiled_passes, fast_form};
use crate::describe::card::{Card, Described, ErrorBounds, Vanishes};
use crate::describe::parameters::parameters;
use crate::kernel::real::Real;
use crate::math::{self, Lifted, Low, Scale, Unit};
use crate::parametric::{Parametric, compiled_parametric};
use crate::second::second_slope_of;

/// The sigmoid linear unit, also called swish, for language models (inside SwiGLU), EfficientNet and YOLO: x sigmoid(x) =
/// x / (1 + e^-x). With a parameter it is [`Swish`].
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/silu.svg"))]
///
/// - Derivative: sigmoid(x) (1 + x sigmoid(-x)), with its root at -1.2785. Range: [-0.27847, inf).
/// - Error: at most 2.9 ULP, 3.8 for the derivative, in `f32` over all 2^32 inputs (4.1 and 4.6 without fused
///   multiply-add); 2.5 and 2.8 in `f64`, on 20,000 inputs (3.4 and 4.0). Both tails and subnormal results are within it.
///   Where the derivative is below 1/16, near its root, its error is in units of the spacing at 1/16.
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
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[doc(alias = "SiLU")]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Silu;

parameters!(Silu);

impl Elementwise for Silu {
    compiled_passes!();
    fast_form!(|_f| FastSwish { beta: 1.0 });

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        if R::BRIEF {
            return x.at_least(R::of(-112.0)) * math::sigmoid(x);
        }
        let a = math::logistic_abs(x);
        hinge(x, math::times_sigmoid_neg(a, a, None))
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        if R::BRIEF {
            let x = math::brief_bounded(x);
            return math::brief_slope(x, x, &Unit::ONE);
        }
        let a = math::logistic_abs(x);
        reflect(x, math::sigmoid_neg_slope(a, a, None).number())
    }
}

second_slope_of!(Silu | _f | LogisticBump::swish(1.0, (0.0, 0.0)));

impl Described for Silu {
    const CARD: Card = Card {
        name: "silu",
        aliases: &[],
        formula: "x / (1 + e^-x)",
        derivative: "sigmoid(x) (1 + x sigmoid(-x))",
        range: (-0.278_464_542_761_073_8, f64::INFINITY),
        vanishes: Vanishes::Left,
        zero_centred: false,
        monotone: false,
        kinks: &[],
        common_use: "EfficientNet, YOLO; inside SwiGLU, language models",
        source: "Elfwing, Uchibe & Doya, 2017, arXiv:1702.03118",
        error: ErrorBounds { f32: (2.9, 3.8), f32_plain: (4.1, 4.6), f64: (2.5, 2.8), f64_plain: (3.4, 4.0) },
    };
}

/// The sigmoid approximation of GELU, for transformers such as CLIP: x sigmoid(1.702 x).
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/quick_gelu.svg"))]
///
/// - Derivative: sigmoid(z) (1 + z sigmoid(-z)), z = 1.702 x, with its root at -0.7512. Range: [-0.16361, inf).
/// - Error: at most 3.0 ULP, 4.0 for the derivative, in `f32` over all 2^32 inputs (3.8 and 4.8 without fused
///   multiply-add); 2.5 and 2.5 in `f64`, on 20,000 inputs (3.0 and 2.5). Both tails and subnormal results are within it, because
///   1.702 is not rounded to the type. Where the derivative is below 1/16, near its root, its error is in units of the spacing
///   at 1/16.
/// - Special values: quick_gelu(-inf) = -0.0, quick_gelu(inf) = inf, keeps the sign of zero, NaN gives NaN.
/// - Source: Hendrycks & Gimpel, "Gaussian error linear units (GELUs)", 2016, arXiv:1606.08415.
///
/// ```
/// use activations::{Activation, QuickGelu};
///
/// let mut y = [0.0; 2];
/// QuickGelu.forward(&[0.0_f32, 1.0], &mut y);
/// assert_eq!(y[0], 0.0);
/// assert!((y[1] - 0.845_795_8).abs() < 1e-6);
/// ```
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[doc(alias = "QuickGELU")]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct QuickGelu;

parameters!(QuickGelu);

impl QuickGelu {
    #[inline(always)]
    fn scale<R: Real>() -> Scale<R> {
        Scale { factor: R::of(1.702), factor_lo: Some(R::per_type(QUICK_LO.0, QUICK_LO.1)) }
    }
}

/// 1.702 minus the number to which it is rounded in each type.
const QUICK_LO: (f32, f64) = ((1.702 - 1.702_f32 as f64) as f32, 4.263_256_414_560_601e-17);

impl Elementwise for QuickGelu {
    compiled_passes!();
    fast_form!(|_f| FastSwish { beta: 1.702 });

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        hinge(x, tail(x, Self::scale()))
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        reflect(x, left_slope(x, Self::scale()))
    }
}

second_slope_of!(QuickGelu | _f | LogisticBump::swish(1.702, QUICK_LO));

impl Described for QuickGelu {
    const CARD: Card = Card {
        name: "quick_gelu",
        aliases: &[],
        formula: "x sigmoid(1.702 x)",
        derivative: "s + 1.702 x s (1 - s), s = sigmoid(1.702 x)",
        range: (-0.163_610_189_636_353_58, f64::INFINITY),
        vanishes: Vanishes::Left,
        zero_centred: false,
        monotone: false,
        kinks: &[],
        common_use: "transformers: CLIP",
        source: "Hendrycks & Gimpel, 2016, arXiv:1606.08415",
        error: ErrorBounds { f32: (3.0, 4.0), f32_plain: (3.8, 4.8), f64: (2.5, 2.5), f64_plain: (3.0, 2.5) },
    };
}

/// Swish, a SiLU with a beta that is tuned or trained: x sigmoid(beta x). It is x/2 for beta = 0, and nears
/// [`Relu`](crate::Relu) as beta grows. With beta = 1 it is [`Silu`], which is a little faster.
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/swish.svg"))]
///
/// - Derivative: sigmoid(z) (1 + z sigmoid(-z)), z = beta x, with its root at z = -1.2785. Range: [-0.27847/beta, inf),
///   for a positive beta.
/// - Error: at most 3.0 ULP, 4.0 for the derivative, in `f32` over all 2^32 inputs, for beta = 1 (3.8 and 4.8 without
///   fused multiply-add); 2.5 and 2.5 in `f64`, on 20,000 inputs (3.0 and 3.0). Both tails and subnormal results are within it.
///   Where the derivative is below 1/16, near its root, its error is in units of the spacing at 1/16.
/// - Other betas: rounded to the type, to no more than 2^60 in magnitude (`f64`: 2^500), and to 0 below the reciprocal
///   of that. The bounds hold for betas of at least 1/256 (`f64`: 1e-15) in magnitude, and for 0. With smaller ones the left tail
///   keeps, from beta x = -114.75 (`f64`: -790) on, the value that it has there, which is below 1e-49 |x|.
/// - Special values: swish(-inf) = -0.0 and swish(inf) = inf for a positive beta, swish(-inf) = -inf and swish(inf) = 0 for
///   a negative one; keeps the sign of zero, NaN gives NaN.
/// - Source: Ramachandran, Zoph & Le, "Searching for activation functions", 2017, arXiv:1710.05941.
///
/// ```
/// use activations::{Activation, Swish};
///
/// # fn main() -> Result<(), activations::ParameterError> {
/// let mut y = [0.0; 3];
/// Swish::default().forward(&[-200.0_f32, 0.0, 1.0], &mut y);
/// assert_eq!(y, [0.0, 0.0, 0.731_058_6]);
/// Swish::new(0.0)?.forward(&[-200.0_f32, 0.0, 1.0], &mut y);
/// assert_eq!(y, [-100.0, 0.0, 0.5]);
/// # Ok(())
/// # }
/// ```
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Swish {
    beta: f64,
}

parameters! {
    Swish {
        /// How sharply the gate opens.
        beta: Finite = 1.0,
    }
}

impl Swish {
    /// With a `beta` that is known to be finite.
    #[inline(always)]
    pub(crate) const fn of(beta: f64) -> Self {
        Self { beta }
    }

    /// |beta|, 1 with the sign of beta, and the number from which on the function is x/2: infinity unless beta is 0.
    ///
    /// That is a number, not a mask, because the compiler branches in the loop on a mask that is the same for all elements.
    #[inline(always)]
    fn parts<R: Real>(&self) -> (Scale<R>, R, R) {
        let magnitude = self.beta.abs();
        let mut scale = Scale::of(magnitude);
        let least = Scale::<R>::of(0.0).factor;
        let zero = R::of(magnitude).lt(least);
        scale.factor = R::select(zero, R::of(0.0), scale.factor);
        let linear_from = R::select(zero, R::per_type(1e20, 1e150), R::of(f64::INFINITY));
        (scale, R::of(1.0_f64.copysign(self.beta)), linear_from)
    }
}

impl Elementwise for Swish {
    compiled_passes!();
    fast_form!(|f| FastSwish { beta: f.beta }, if is_moderate(f.beta));

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        swish(x, self.parts())
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        let (scale, sign, _) = self.parts();
        reflect(sign * x, left_slope(x, scale))
    }
}

second_slope_of!(Swish | f | LogisticBump::swish(f.beta, (0.0, 0.0)));

impl Described for Swish {
    const CARD: Card = Card {
        name: "swish",
        aliases: &[],
        formula: "x / (1 + e^(-beta x))",
        derivative: "s + beta x s (1 - s), s = sigmoid(beta x)",
        range: (-0.278_464_542_761_073_8, f64::INFINITY),
        vanishes: Vanishes::Left,
        zero_centred: false,
        monotone: false,
        kinks: &[],
        common_use: "EfficientNet and MobileNet, as the SiLU; with a trained beta",
        source: "Ramachandran, Zoph & Le, 2017, arXiv:1710.05941",
        error: ErrorBounds { f32: (3.0, 4.0), f32_plain: (3.8, 4.8), f64: (2.5, 2.5), f64_plain: (3.0, 3.0) },
    };
}

/// x sigmoid(beta x), from the results of [`Swish::parts`]. A negative beta uses swish(x; -beta) = -swish(-x; beta).
#[inline(always)]
fn swish<R: Real>(x: R, (scale, sign, linear_from): (Scale<R>, R, R)) -> R {
    R::select(x.abs().le(linear_from), hinge(sign * x, tail(x, scale)) * sign, x * R::of(0.5))
}

/// [`Swish`] with a trained beta for each channel, of any sign, for [`PerChannel`](crate::PerChannel).
///
/// - Derivatives: with respect to x, as for `Swish`; with respect to beta, x^2 sigmoid'(beta x).
/// - Error: value and derivative as for `Swish`, because beta is a number of the type; the derivative with respect to beta at
///   most 5 ULP in `f32`, 16 in `f64`, for betas from 1/256 (`f64`: 1e-15) in magnitude, and for 0.
/// - Special values: as for `Swish`.
/// - Source: Ramachandran, Zoph & Le, "Searching for activation functions", 2017, arXiv:1710.05941, where beta is trained.
///
/// ```
/// use activations::{Activation, PerChannel, Swish, SwishBeta};
///
/// let x = [-3.0_f32, 0.5, 2.0];
/// let trained = PerChannel::new(SwishBeta, [&[1.5]]);
/// assert_eq!(trained.forward_vec(&x), Swish::new(1.5)?.forward_vec(&x));
/// # Ok::<(), activations::ParameterError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SwishBeta;

impl SwishBeta {
    /// See [`Swish::parts`].
    #[inline(always)]
    fn parts<R: Real>(beta: R) -> (Scale<R>, R, R) {
        let magnitude = beta.abs();
        let mut scale = Scale::of_lane(magnitude);
        let zero = magnitude.lt(Scale::<R>::of(0.0).factor);
        scale.factor = R::select(zero, R::of(0.0), scale.factor);
        let linear_from = R::select(zero, R::per_type(1e20, 1e150), R::of(f64::INFINITY));
        (scale, R::of(1.0).copysign(beta), linear_from)
    }
}

impl Parametric<1> for SwishBeta {
    compiled_parametric!(1);

    #[inline(always)]
    fn value<R: Real>(&self, x: R, [beta]: [R; 1]) -> R {
        swish(x, Self::parts(beta))
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R, [beta]: [R; 1]) -> R {
        let (scale, sign, _) = Self::parts(beta);
        reflect(sign * x, left_slope(x, scale))
    }

    #[inline(always)]
    fn partials<R: Real>(&self, x: R, [beta]: [R; 1]) -> [R; 1] {
        let (scale, ..) = Self::parts(beta);
        let scaled = scale.times_abs(x);
        let (slope, _) = math::sigmoid_slope_and_tanh(scaled.z, Some(Low::of(scaled.z_lo)));
        [(scaled.a * slope.value) * (scaled.a * slope.unlift)]
    }
}

/// |x| sigmoid(-scale |x|).
#[inline(always)]
fn tail<R: Real>(x: R, scale: Scale<R>) -> Lifted<R> {
    let scaled = scale.times_abs(x);
    math::times_sigmoid_neg(scaled.a, scaled.z, Some(Low::of(scaled.z_lo)))
}

/// The derivative of x sigmoid(scale x) at -|x|.
#[inline(always)]
fn left_slope<R: Real>(x: R, scale: Scale<R>) -> R {
    let scaled = scale.times_abs(x);
    math::sigmoid_neg_slope(scaled.z, scaled.z, Some((Low::of(scaled.z_lo), scaled.z_lo))).number()
}
