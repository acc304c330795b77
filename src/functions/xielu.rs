//! xIELU: a parabola on the right, an exponential plus a line on the left.

use super::second::OneSided;
use crate::activation::{Elementwise, compiled_passes};
use crate::describe::card::{Card, Described, ErrorBounds, Vanishes};
use crate::describe::parameters::parameters;
use crate::kernel::lanes::Plain;
use crate::kernel::real::Real;
use crate::math::{self, two_to};
use crate::parametric::{Parametric, compiled_parametric};
use crate::second::second_slope_of;

/// xIELU, the expanded integral of ELU, for language models such as Apertus: `alpha_p` x^2 + `beta` x if x > 0, else `alpha_n`
/// (e^x - 1 - x) + beta x.
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/xielu.svg"))]
///
/// These are the parameters of the formula. A layer that trains them stores other numbers, p and n, and computes alpha_p = s(p)
/// and alpha_n = beta + s(n) with s = [`Softplus`](crate::Softplus), so that alpha_p > 0 and alpha_n > beta.
///
/// - Derivative: 2 alpha_p x + beta if x > 0, else alpha_n (e^x - 1) + beta: `beta` at 0, without a jump; by default its
///   root is at -0.9808. Range: [-0.20575, inf) by default.
/// - Error: at most 1.7 ULP, 1.4 for the derivative, in `f32` over all 2^32 inputs, with the default parameters (2.3 and 1.4
///   without fused multiply-add); 2.0 and 2.0 in `f64`, on a table (2.5 and 2.0). Where value or derivative is below 1/16, near
///   the roots at -2.4325 and -0.9808, its error is in units of the spacing at 1/16. Near 0 the value keeps its relative accuracy,
///   because e^x - 1 - x is computed without cancellation.
/// - Other parameters: limited to 2^60 (`f64`: 2^500) in magnitude. On the right, and near 0, they are rounded to the type,
///   which costs half an ULP more. With a beta below alpha_n / 16 the value on the left is within 5 ULP.
/// - Special values: xielu(-inf) = inf and xielu(inf) = inf by default. xielu(-inf) = -alpha_n if alpha_n is beta, -inf if it is
///   less. Keeps the sign of zero for a positive beta, NaN gives NaN.
/// - Compared with Hugging Face's transformers: on the left, its code limits the x in e^x to `eps` = -1e-6. So it differs for
///   -1e-6 < x <= 0, by at most alpha_n 1e-6: at 0 it gives -alpha_n 1e-6. This crate computes the paper's function everywhere.
/// - Source: Huang & Schlag, "Deriving activation functions using integration", 2024, arXiv:2411.13010. The defaults are those
///   with which transformers begins training.
///
/// ```
/// use activations::{Activation, Xielu};
///
/// let mut y = [9.0; 3];
/// Xielu::default().forward(&[-1e-20_f32, 0.0, 1.0], &mut y);
/// assert_eq!(y, [-5e-21, 0.0, 1.3]);
/// ```
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[doc(alias = "xIELU")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Xielu {
    alpha_p: f64,
    alpha_n: f64,
    beta: f64,
}

parameters! {
    Xielu {
        /// Half the second derivative on the right.
        alpha_p: NotNegative = 0.8,
        /// The second derivative at 0, from the left.
        alpha_n: Finite = 0.8,
        /// The derivative at 0.
        beta: Finite = 0.5,
    }
}

/// The limit of the parameters' magnitude. Up to it, no product with 2^n - 1 or |x| leaves the normal range.
const MOST: (f64, f64) = (two_to(60), two_to(500));

/// A parameter as an unevaluated sum.
#[inline(always)]
fn sum<R: Real>(parameter: f64) -> (R, R) {
    let narrow = parameter.clamp(-MOST.0, MOST.0);
    let lo = narrow - f64::from(narrow as f32);
    (R::per_type(narrow as f32, parameter.clamp(-MOST.1, MOST.1)), R::per_type(lo as f32, 0.0))
}

/// The parts of the left side, alpha_n (e^-|x| - 1) with e^-|x| = 2^n (1 - r + r^2 q). They cancel with one another and with the
/// line, so the large parts are exact.
struct Left<R> {
    /// alpha_n.
    alpha: R,
    /// |x|, and q of [`math::exp_neg_series`] for n = 0.
    a: R,
    q: R,
    /// 2^n.
    scale: R,
    /// alpha_n (2^n - 1), and -alpha_n 2^n r.
    steps: [R; 2],
    /// The rounding errors of both, plus alpha_n 2^n r^2 q.
    rest: R,
}

/// The parameters. On the left side they are unevaluated sums.
struct In<R> {
    alpha_p: R,
    alpha_n: (R, R),
    beta: (R, R),
    /// alpha_n - beta.
    gamma: (R, R),
}

impl<R: Real> In<R> {
    #[inline(always)]
    fn left(&self, x: R) -> Left<R> {
        let (alpha, alpha_lo) = self.alpha_n;
        let a = x.abs();
        // Beyond, e^x is nothing beside 1.
        let (r, r_lo, q, scale) = math::exp_neg_series(a.at_most(R::per_type(80.0, 700.0)));
        let m = scale - R::of(1.0);
        let (step, step_lo) = alpha.two_mul(m);
        let weight = -(alpha * scale);
        let (slant, slant_lo) = weight.two_mul(r);
        let slant_lo = weight.mul_add(r_lo, slant_lo);
        let rest = (weight * r).mul_add(-(r * q), slant_lo + alpha_lo.mul_add(m, step_lo));
        Left { alpha, a, q, scale, steps: [step, slant], rest }
    }

    /// A bound of x, which is finite for a factor of 0, so that 0 times an infinite x is 0. It is a number, not a mask, because the
    /// compiler branches in the loop on a mask that is the same for all elements.
    #[inline(always)]
    fn reach(factor: R) -> R {
        R::select(R::of(0.0).lt(factor.abs()), R::of(f64::INFINITY), R::of(1.0))
    }

    #[inline(always)]
    fn value(&self, x: R) -> R {
        let (alpha_p, beta) = (self.alpha_p, self.beta.0);
        let inner = alpha_p.mul_add(x.at_most(Self::reach(alpha_p)), beta);
        let right = x.at_most(Self::reach(alpha_p + beta.abs())) * inner;

        let Left { alpha, a, q, scale, steps: [step, slant], rest } = self.left(x);
        let near = x * (a * q).mul_add(-alpha, beta);
        // The line is gamma |x|, with gamma = alpha_n - beta.
        let (gamma, gamma_lo) = self.gamma;
        let large = R::per_type(two_to(30) as f32, two_to(60));
        let bounded = a.at_most(large);
        let (line, line_lo) = gamma.two_mul(bounded);
        let (sum, sum_lo) = math::two_sum(line, step);
        let (sum, more_lo) = math::two_sum(sum, slant);
        let sum = sum + (rest + ((sum_lo + more_lo) + gamma_lo.mul_add(bounded, line_lo)));
        let far = R::select(large.lt(a), gamma * a.at_most(Self::reach(gamma)) - alpha, sum);
        let left = R::select(R::of(0.75).lt(scale), near, far);
        R::select(R::of(0.0).lt(x), right, left)
    }

    #[inline(always)]
    fn slope(&self, x: R) -> R {
        let (alpha_p, (beta, beta_lo)) = (self.alpha_p, self.beta);
        let right = (alpha_p + alpha_p).mul_add(x.at_most(Self::reach(alpha_p)), beta);

        let Left { steps: [step, slant], rest, .. } = self.left(x);
        let (sum, sum_lo) = math::two_sum(beta, step);
        let (sum, more_lo) = math::two_sum(sum, slant);
        let left = sum + (rest + ((sum_lo + more_lo) + beta_lo));
        R::select(R::of(0.0).lt(x), right, left)
    }
}

impl Xielu {
    #[inline(always)]
    fn parameters<R: Real>(&self) -> In<R> {
        In { alpha_p: sum::<R>(self.alpha_p).0, alpha_n: sum(self.alpha_n), beta: sum(self.beta), gamma: self.gamma() }
    }

    /// alpha_n - beta, as an unevaluated sum.
    #[inline(always)]
    fn gamma<R: Real>(&self) -> (R, R) {
        let [narrow_alpha, narrow_beta] = [self.alpha_n, self.beta].map(|p| p.clamp(-MOST.0, MOST.0));
        let narrow = narrow_alpha - narrow_beta;
        let narrow_lo = (narrow - f64::from(narrow as f32)) as f32;
        let [alpha, beta] = [self.alpha_n, self.beta].map(|p| Plain(p.clamp(-MOST.1, MOST.1)));
        let (wide, wide_lo) = math::two_sum(alpha, -beta);
        (R::per_type(narrow as f32, wide.0), R::per_type(narrow_lo, wide_lo.0))
    }
}

impl Elementwise for Xielu {
    compiled_passes!();

    const ABREAST: usize = 2;
    const ABREAST_OF_BOTH: usize = 1;

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        self.parameters().value(x)
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        self.parameters().slope(x)
    }
}

second_slope_of!(Xielu | f | OneSided { alpha: 1.0, left: f.alpha_n, right: 2.0 * f.alpha_p, at_zero: f.alpha_n });

impl Described for Xielu {
    const CARD: Card = Card {
        name: "xielu",
        aliases: &[],
        formula: "alpha_p x^2 + beta x if x > 0, else alpha_n (e^x - 1 - x) + beta x",
        derivative: "2 alpha_p x + beta if x > 0, else alpha_n (e^x - 1) + beta",
        range: (-0.205_751_224_096_482_13, f64::INFINITY),
        vanishes: Vanishes::Never,
        zero_centred: false,
        monotone: false,
        kinks: &[],
        common_use: "language models: Apertus",
        source: "Huang & Schlag, 2024, arXiv:2411.13010",
        error: ErrorBounds { f32: (1.7, 1.4), f32_plain: (2.3, 1.4), f64: (2.0, 2.0), f64_plain: (2.5, 2.0) },
    };
}

/// [`Xielu`] with trained `alpha_p` and `alpha_n` for each channel, for [`PerChannel`](crate::PerChannel), and a fixed beta.
///
/// - Derivatives: with respect to x, as for `Xielu`; with respect to alpha_p, x^2 for x > 0, else 0; with respect to alpha_n,
///   e^x - 1 - x for x <= 0, else 0.
/// - Error: value and derivative as for `Xielu`, because the alphas are numbers of the type; the derivatives with respect to the
///   alphas at most 8 ULP in `f32`, 16 in `f64`.
/// - The paper trains p and n and computes alpha_p = s(p) and alpha_n = beta + s(n) with s = [`Softplus`](crate::Softplus).
///   By the chain rule, multiply the gradients of the alphas by s'(p) and s'(n) to get the gradients of p and n.
/// - Special values: as for `Xielu`.
/// - Source: Huang & Schlag, "Deriving activation functions using integration", 2024, arXiv:2411.13010.
///
/// ```
/// use activations::{Activation, PerChannel, Xielu, XieluAlphas};
///
/// let x = [-3.0_f32, 0.5, 2.0];
/// let trained = PerChannel::new(XieluAlphas { beta: 0.5 }, [&[0.75], &[1.25]]);
/// assert_eq!(trained.forward_vec(&x), Xielu::new(0.75, 1.25, 0.5)?.forward_vec(&x));
/// # Ok::<(), activations::ParameterError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct XieluAlphas {
    /// The derivative at 0. It is not trained.
    pub beta: f64,
}

impl Default for XieluAlphas {
    /// The paper's beta, 1/2.
    fn default() -> Self {
        Self { beta: 0.5 }
    }
}

impl XieluAlphas {
    #[inline(always)]
    fn parameters<R: Real>(&self, [alpha_p, alpha_n]: [R; 2]) -> In<R> {
        let most = R::per_type(MOST.0 as f32, MOST.1);
        let (zero, beta) = (R::of(0.0), sum::<R>(self.beta));
        let alpha_n = alpha_n.at_most(most).at_least(-most);
        let (gamma, gamma_lo) = math::two_sum(alpha_n, -beta.0);
        let gamma = (gamma, gamma_lo - beta.1);
        In { alpha_p: alpha_p.at_most(most).at_least(-most), alpha_n: (alpha_n, zero), beta, gamma }
    }
}

impl Parametric<2> for XieluAlphas {
    compiled_parametric!(2);

    const ABREAST: usize = 1;

    #[inline(always)]
    fn value<R: Real>(&self, x: R, alphas: [R; 2]) -> R {
        self.parameters(alphas).value(x)
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R, alphas: [R; 2]) -> R {
        self.parameters(alphas).slope(x)
    }

    #[inline(always)]
    fn partials<R: Real>(&self, x: R, _: [R; 2]) -> [R; 2] {
        let (zero, one, a) = (R::of(0.0), R::of(1.0), x.abs());
        // Beyond, e^x is nothing beside 1.
        let (r, r_lo, q, scale) = math::exp_neg_series(a.at_most(R::per_type(80.0, 700.0)));
        let w = (r * r).mul_add(q, -r) - r_lo;
        // If 2^n is 1, r is a, and the result is a^2 q.
        let left = R::select(R::of(0.75).lt(scale), a * (a * q), scale.mul_add(w, scale - one) + a);
        let right = zero.lt(x);
        // `x.le(zero)` is false for NaN, so x * x hands it on.
        [R::select(x.le(zero), zero, x * x), R::select(right, zero, left)]
    }
}
