//! The Laplace activation, which is the distribution function of a normal distribution.
#![allow(
    clippy::approx_constant,
    reason = "transformers rounds sqrt(1/2) to six digits, and so its models were trained"
)]

use super::hinge::reflect;
use crate::activation::{Elementwise, compiled_passes};
use crate::describe::card::{Card, Described, ErrorBounds, Vanishes};
use crate::describe::parameters::parameters;
use crate::kernel::real::Real;
use crate::math::{self, Scale};
use crate::second::{SecondSlope, compiled_second};

/// The Laplace activation, for attention without softmax (Mega): Phi((x - `mu`) / `sigma`) =
/// (1 + erf((x - mu) / (sigma sqrt 2))) / 2, where Phi is the distribution function of the normal distribution.
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/laplace.svg"))]
///
/// Its paper fitted it to [`SquaredRelu`](crate::SquaredRelu): with the defaults both have the same value and the same
/// derivative at x = sqrt(1/2), but this one is bounded. It takes softmax's place in attention.
///
/// - Derivative: phi((x - mu) / sigma) / sigma, phi the normal density. Range: [0, 1].
/// - Error: at most 2.2 ULP, 2.4 for the derivative, in `f32` over all 2^32 inputs, with the default mu and sigma (2.6 and 2.5
///   without fused multiply-add); 2.5 and 2.5 in `f64`, on a table (3.0 and 2.5). Both tails and subnormal results are within it,
///   because none of mu, sigma, x - mu and the quotient is rounded to the type. The derivative is set to 0 from 14.75 sigma
///   (`f64`: 39 sigma) away from mu.
/// - Other parameters: sigma is limited to 2^60 (`f64`: 2^500) from above, and to the reciprocal of that from below.
/// - Special values: laplace(-inf) = 0, laplace(inf) = 1, NaN gives NaN.
/// - Source: Ma et al., "Mega: moving average equipped gated attention", 2022, arXiv:2209.10655. The defaults come from
///   Hugging Face's transformers: the paper's sqrt(1/2) and sqrt(1/(4 pi)), rounded to six digits.
///
/// ```
/// use activations::{Activation, Laplace};
///
/// let laplace = Laplace::new(0.0, 1.0)?;
/// assert_eq!(laplace.forward_vec(&[f32::NEG_INFINITY, 0.0, f32::INFINITY]), [0.0, 0.5, 1.0]);
/// assert!((laplace.forward_vec(&[-10.0_f64])[0] / 7.619_853_024_160_527e-24 - 1.0).abs() < 1e-15);
/// # Ok::<(), activations::ParameterError>(())
/// ```
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[doc(alias = "erf")]
#[doc(alias = "normal cdf")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Laplace {
    mu: f64,
    sigma: f64,
}

parameters! {
    Laplace {
        /// Where the function is 1/2.
        mu: Finite = 0.707_107,
        /// The width of the step.
        sigma: Positive = 0.282_095,
    }
}

/// 1 / sqrt(2 pi), and the parts that `f32` and `f64` round away.
const DENSITY: f64 = 0.398_942_280_401_432_7;
const DENSITY_LO: (f32, f64) = (-1.133_517e-8, -2.492_327_202_277_73e-17);

/// x - mu, and its magnitude over sigma.
struct Standard<R> {
    d: R,
    /// 1 / sigma.
    scale: Scale<R>,
    /// |x - mu| / sigma as an unevaluated sum, but no more than 14.75 (`f64`: 39).
    a: R,
    a_lo: R,
    /// Whether it is more.
    far: R,
}

impl Laplace {
    #[inline(always)]
    fn standard<R: Real>(&self, x: R) -> Standard<R> {
        let narrow = self.mu.clamp(f64::from(f32::MIN), f64::from(f32::MAX));
        let mu = R::per_type(narrow as f32, self.mu);
        let mu_lo = R::per_type((narrow - f64::from(narrow as f32)) as f32, 0.0);
        let scale = Scale::recip_of_unrounded(self.sigma);
        let most = R::per_type(14.75, 39.0) / scale.factor;

        let (d, d_lo) = math::two_sum(x, -mu);
        let (zero, one) = (R::of(0.0), R::of(1.0));
        let beyond = most.lt(d.abs());
        // For an infinite x the low part is NaN. If d is not 0, it is greater than the low part of mu.
        let lo = R::select(beyond, zero, d_lo - mu_lo);
        let (d, d_lo) = math::fast_two_sum(d.at_most(most).at_least(-most), lo);
        let (a, a_lo) = scale.times(d.abs(), Some(d_lo * one.copysign(d)));
        Standard { d, scale, a, a_lo, far: R::select(beyond, one, zero) }
    }
}

impl Elementwise for Laplace {
    compiled_passes!();

    // The parts of two quotients, a polynomial and an exponential fill the registers.
    const ABREAST: usize = 2;
    const ABREAST_OF_BOTH: usize = 1;

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        let Standard { d, a, a_lo, .. } = self.standard(x);
        reflect(d, math::normal_tail(a, a_lo).number())
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        let Standard { scale, a, a_lo, far, .. } = self.standard(x);
        let (c, c_lo) = scale.times(R::of(DENSITY), Some(R::per_type(DENSITY_LO.0, DENSITY_LO.1)));
        let bell = math::bell(a, a_lo);
        R::select(R::of(0.5).lt(far), R::of(0.0), bell.value * ((c + c_lo) * bell.unlift))
    }
}

/// -z phi(z) / sigma^2 with z = (x - mu) / sigma.
impl SecondSlope for Laplace {
    compiled_second!();

    #[inline(always)]
    fn second_slope<R: Real>(&self, x: R) -> R {
        let Standard { d, scale, a, a_lo, far } = self.standard(x);
        let (c, c_lo) = scale.times(R::of(DENSITY), Some(R::per_type(DENSITY_LO.0, DENSITY_LO.1)));
        let bell = math::bell(a, a_lo);
        let value = bell.value * (c + c_lo);
        let result = value * (a * scale.factor) * bell.unlift;
        R::select(R::of(0.5).lt(far), R::of(0.0), result).copysign(-d)
    }
}

impl Described for Laplace {
    const CARD: Card = Card {
        name: "laplace",
        aliases: &[],
        formula: "Phi((x - mu) / sigma) = (1 + erf((x - mu) / (sigma sqrt 2))) / 2",
        derivative: "phi((x - mu) / sigma) / sigma",
        range: (0.0, 1.0),
        vanishes: Vanishes::BothSides,
        zero_centred: false,
        monotone: true,
        kinks: &[],
        common_use: "attention without softmax, in Mega",
        source: "Ma et al., 2022, arXiv:2209.10655",
        error: ErrorBounds { f32: (2.2, 2.4), f32_plain: (2.6, 2.5), f64: (2.5, 2.5), f64_plain: (3.5, 2.5) },
    };
}
