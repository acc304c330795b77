//! Softplus, a smooth ReLU, and its mirror image, the logarithm of the sigmoid.

use super::fast::{FastSoftplus, is_moderate};
use super::second::LogisticBump;
use crate::activation::{Elementwise, compiled_passes, fast_form};
use crate::describe::card::{Card, Described, ErrorBounds, Vanishes};
use crate::describe::parameters::parameters;
use crate::from_output::{SlopeFromOutput, compiled_from_output};
use crate::kernel::real::Real;
use crate::math::{self, Low, Scale};
use crate::parametric::{Parametric, compiled_parametric};
use crate::second::second_slope_of;

/// Softplus, for positive outputs such as a rate or a variance: log(1 + e^(beta x)) / beta. It is accurate everywhere, without a
/// threshold and without overflow.
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/softplus.svg"))]
///
/// - Derivative: sigmoid(beta x). Range: [0, inf).
/// - Error: at most 2.9 ULP, 2.5 for the derivative, in `f32` over all 2^32 inputs, for beta = 1 (3.8 and 3.4 without
///   fused multiply-add); 2.8 and 2.5 in `f64`, on 20,000 inputs (3.2 and 3.0). Subnormal results are within it.
/// - Other betas: rounded to the type, to no more than 2^60 (`f64`: 2^500), and to no less than the reciprocal of that.
///   The bounds hold for them too. For betas below 1e-4 (`f64`: 1e-15) the left tail keeps, from beta x = -114.75 (`f64`: -790)
///   on, the value that it has there.
/// - Special values: softplus(-inf) = 0, softplus(inf) = inf, NaN gives NaN.
/// - Source: Dugas, Bengio, Bélisle, Nadeau & Garcia, "Incorporating second-order functional knowledge for better option
///   pricing", NIPS 2000.
///
/// ```
/// use activations::{Activation, Softplus};
///
/// # fn main() -> Result<(), activations::ParameterError> {
/// let mut y = [0.0; 3];
/// Softplus::default().forward(&[-100.0_f32, 0.0, 100.0], &mut y);
/// assert_eq!(y, [3.783_506e-44, 0.693_147_2, 100.0]);
/// Softplus::new(2.0)?.forward(&[-50.0_f32, 0.0, 50.0], &mut y);
/// assert_eq!(y, [1.821_688e-44, 0.346_573_6, 50.0]);
/// # Ok(())
/// # }
/// ```
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Softplus {
    beta: f64,
}

parameters! {
    Softplus {
        /// How sharp the bend is.
        beta: Positive = 1.0,
    }
}

/// The value from beta and 1/beta.
#[inline(always)]
fn value<R: Real>(x: R, scale: Scale<R>, recip: Scale<R>) -> R {
    let scaled = scale.times_abs(x);
    let tail = math::log1p_exp_neg(scaled.z, Some(scaled.z_lo));
    // 1/beta is an unevaluated sum, because its rounding would cost up to an ULP.
    let right = match recip.factor_lo {
        Some(lo) if !R::BRIEF => tail.value.mul_add(tail.unlift * lo, x.at_least(R::of(0.0))),
        _ => x.at_least(R::of(0.0)),
    };
    tail.value.mul_add(tail.unlift * recip.factor, right)
}

impl Elementwise for Softplus {
    compiled_passes!();
    fast_form!(|f| FastSoftplus { beta: f.beta }, if is_moderate(f.beta));

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        value(x, Scale::of(self.beta), Scale::recip_of(self.beta))
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        if R::BRIEF {
            return math::sigmoid(x * Scale::of(self.beta).factor);
        }
        let scaled = Scale::of(self.beta).times_abs(x);
        math::sigmoid_from_left(x, math::sigmoid_neg(scaled.z, Some(scaled.z_lo)))
    }
}

/// 1 - e^(-beta y). No digits are lost, however small y is.
impl SlopeFromOutput for Softplus {
    compiled_from_output!();

    #[inline(always)]
    fn slope_from_output<R: Real>(&self, y: R) -> R {
        let scaled = Scale::of(self.beta).times_abs(y);
        let below = math::expm1_neg(scaled.z, Some(scaled.z_lo));
        below.value * -below.unlift
    }
}

second_slope_of!(Softplus | f | LogisticBump::flat(f.beta, f.beta));

impl Described for Softplus {
    const CARD: Card = Card {
        name: "softplus",
        aliases: &[],
        formula: "log(1 + e^(beta x)) / beta",
        derivative: "1 / (1 + e^(-beta x))",
        range: (0.0, f64::INFINITY),
        vanishes: Vanishes::Left,
        zero_centred: false,
        monotone: true,
        kinks: &[],
        common_use: "an output that is positive: a rate, a variance",
        source: "Dugas, Bengio, Bélisle, Nadeau & Garcia, NIPS 2000",
        error: ErrorBounds { f32: (2.9, 2.5), f32_plain: (3.8, 3.4), f64: (2.8, 2.5), f64_plain: (3.2, 3.0) },
    };
}

/// The logarithm of the sigmoid, for losses of binary classifiers and of preferences: log(1 / (1 + e^-x)), accurate everywhere.
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/log_sigmoid.svg"))]
///
/// - Derivative: sigmoid(-x). Range: (-inf, 0].
/// - Error: at most 2.9 ULP, 2.5 for the derivative, in `f32` over all 2^32 inputs (3.8 and 3.4 without fused
///   multiply-add); 2.8 and 2.5 in `f64`, on 20,000 inputs (3.2 and 3.0). Subnormal results are within it.
/// - Special values: log_sigmoid(-inf) = -inf, log_sigmoid(inf) = -0.0, NaN gives NaN.
/// - Source: the log-likelihood of logistic regression, Cox, "The regression analysis of binary sequences", 1958.
///
/// ```
/// use activations::{Activation, LogSigmoid};
///
/// let mut y = [0.0; 3];
/// LogSigmoid.forward(&[-100.0_f32, 0.0, 100.0], &mut y);
/// assert_eq!(y, [-100.0, -0.693_147_2, -3.783_506e-44]);
/// ```
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[doc(alias = "logsigmoid")]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LogSigmoid;

parameters!(LogSigmoid);

impl Elementwise for LogSigmoid {
    compiled_passes!();

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        let tail = math::log1p_exp_neg(math::logistic_abs(x), None);
        tail.value.mul_add(-tail.unlift, x.at_most(R::of(-0.0)))
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        math::sigmoid(-x)
    }
}

/// 1 - e^y. No digits are lost, however near 0 y is.
impl SlopeFromOutput for LogSigmoid {
    compiled_from_output!();

    #[inline(always)]
    fn slope_from_output<R: Real>(&self, y: R) -> R {
        let below = math::expm1_neg(math::bounded_abs(y), None);
        below.value * -below.unlift
    }
}

second_slope_of!(LogSigmoid | _f | LogisticBump::flat(1.0, -1.0));

impl Described for LogSigmoid {
    const CARD: Card = Card {
        name: "log_sigmoid",
        aliases: &[],
        formula: "log(1 / (1 + e^-x))",
        derivative: "1 / (1 + e^x)",
        range: (f64::NEG_INFINITY, 0.0),
        vanishes: Vanishes::Right,
        zero_centred: false,
        monotone: true,
        kinks: &[],
        common_use: "losses of binary classifiers, preference losses",
        source: "Cox, J. R. Stat. Soc. B 20, 1958",
        error: ErrorBounds { f32: (2.9, 2.5), f32_plain: (3.8, 3.4), f64: (2.8, 2.5), f64_plain: (3.2, 3.0) },
    };
}

/// [`Softplus`] with a trained beta for each channel, for [`PerChannel`](crate::PerChannel): log(1 + e^(beta x)) / beta. Beta may have
/// either sign.
///
/// - Derivatives: with respect to x, sigmoid(beta x); with respect to beta, -(log(1 + e^-a) + a sigmoid(-a)) / beta^2 with
///   a = |beta x|.
/// - Error: value and derivative as for `Softplus`, because beta is a number of the type; the derivative with respect to beta at
///   most 5 ULP in `f32`, 16 in `f64`.
/// - Other betas: as for `Softplus`. 0 is replaced by 2^-60 (`f64`: 2^-500) with the sign of the zero.
/// - Special values: softplus(-inf) = 0 and softplus(inf) = inf for a positive beta, softplus(-inf) = -inf and
///   softplus(inf) = -0.0 for a negative one. NaN gives NaN.
/// - Source: Dugas, Bengio, Bélisle, Nadeau & Garcia, "Incorporating second-order functional knowledge for better option
///   pricing", NIPS 2000.
///
/// ```
/// use activations::{Activation, PerChannel, Softplus, SoftplusBeta};
///
/// let x = [-3.0_f32, 0.5, 2.0];
/// let trained = PerChannel::new(SoftplusBeta, [&[1.5]]);
/// assert_eq!(trained.forward_vec(&x), Softplus::new(1.5)?.forward_vec(&x));
/// # Ok::<(), activations::ParameterError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SoftplusBeta;

impl Parametric<1> for SoftplusBeta {
    compiled_parametric!(1);

    #[inline(always)]
    fn value<R: Real>(&self, x: R, [beta]: [R; 1]) -> R {
        // softplus(x; -beta) = -softplus(-x; beta).
        let (sign, scale) = (R::of(1.0).copysign(beta), Scale::of_lane(beta.abs()));
        value(sign * x, scale, scale.recip()) * sign
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R, [beta]: [R; 1]) -> R {
        let scaled = Scale::of_lane(beta.abs()).times_abs(x);
        let q = math::sigmoid_neg(scaled.z, Some(scaled.z_lo));
        math::sigmoid_from_left(R::of(1.0).copysign(beta) * x, q)
    }

    #[inline(always)]
    fn partials<R: Real>(&self, x: R, [beta]: [R; 1]) -> [R; 1] {
        let scale = Scale::of_lane(beta.abs());
        let recip = R::of(1.0) / scale.factor;
        let scaled = scale.times_abs(x);
        let log = math::log1p_exp_neg(scaled.z, Some(scaled.z_lo));
        let product = math::times_sigmoid_neg(scaled.z, scaled.z, Some(Low::of(scaled.z_lo)));
        // With the lift of the product. The quotient is a power of two, so this is exact.
        let sum = log.value.mul_add(log.unlift / product.unlift, product.value);
        [(sum * recip) * (-recip * product.unlift)]
    }
}
