//! The rectified linear family: straight lines with a kink at 0.

use crate::activation::Elementwise;
use crate::card::{Card, Described, ErrorBounds, Vanishes};
use crate::parameters::parameters;
use crate::real::Real;

/// The rectified linear unit: max(x, 0).
///
/// - Derivative: 0 for x <= 0, 1 for x > 0. Range: [0, inf). Not differentiable at 0, where the derivative given is
///   the left side's, 0.
/// - Error: none.
/// - Special values: NaN gives NaN, also in the derivative; relu(-0.0) = -0.0, relu(-inf) = 0.
/// - Source: Fukushima, "Visual feature extraction by a multilayered network of analog threshold elements", 1969;
///   Nair & Hinton, "Rectified linear units improve restricted Boltzmann machines", ICML 2010.
///
/// ```
/// use activations::{Activation, Relu};
///
/// let mut y = [0.0; 3];
/// Relu.forward(&[-2.0_f32, 0.0, 2.0], &mut y);
/// assert_eq!(y, [0.0, 0.0, 2.0]);
/// ```
#[doc(alias = "ReLU")]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Relu;

parameters!(Relu);

impl Elementwise for Relu {
    const ABREAST: usize = 1;

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        R::select(x.lt(R::of(0.0)), R::of(0.0), x)
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        side(x, R::of(0.0))
    }
}

impl Described for Relu {
    const CARD: Card = Card {
        name: "relu",
        aliases: &["rectifier"],
        formula: "max(x, 0)",
        derivative: "1 if x > 0, else 0",
        range: (0.0, f64::INFINITY),
        vanishes: Vanishes::Left,
        zero_centred: false,
        monotone: true,
        kinks: &[0.0],
        common_use: "hidden layers; the default of convolutional networks",
        source: "Nair & Hinton, ICML 2010",
        error: ErrorBounds::EXACT,
    };
}

/// The leaky rectified linear unit: x for x > 0, `negative_slope` x for x <= 0.
///
/// - Derivative: `negative_slope` for x <= 0, 1 for x > 0. Range: the whole line, for a positive slope.
/// - Error: one rounding, 0.5 ULP; the slope itself is rounded to the element's type first.
/// - Special values: NaN gives NaN, also in the derivative; zeros keep their sign for a positive slope;
///   leaky_relu(-inf) = -inf, for a positive slope.
/// - Source: Maas, Hannun & Ng, "Rectifier nonlinearities improve neural network acoustic models", ICML 2013.
///
/// ```
/// use activations::{Activation, LeakyRelu};
///
/// # fn main() -> Result<(), activations::ParameterError> {
/// let mut y = [0.0; 2];
/// LeakyRelu::default().forward(&[-2.0_f32, 2.0], &mut y);
/// assert_eq!(y, [-0.02, 2.0]);
/// LeakyRelu::new(0.25)?.forward(&[-2.0_f32, 2.0], &mut y);
/// assert_eq!(y, [-0.5, 2.0]);
/// # Ok(())
/// # }
/// ```
#[doc(alias = "LeakyReLU")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeakyRelu {
    negative_slope: f64,
}

parameters! {
    LeakyRelu {
        /// The slope for negative inputs. PyTorch's default.
        negative_slope: Finite = 0.01,
    }
}

impl Elementwise for LeakyRelu {
    const ABREAST: usize = 1;

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        R::select(R::of(0.0).lt(x), x, x * R::of(self.negative_slope))
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        side(x, R::of(self.negative_slope))
    }
}

impl Described for LeakyRelu {
    const CARD: Card = Card {
        name: "leaky_relu",
        aliases: &[],
        formula: "x if x > 0, else negative_slope x",
        derivative: "1 if x > 0, else negative_slope",
        range: (f64::NEG_INFINITY, f64::INFINITY),
        vanishes: Vanishes::Never,
        zero_centred: false,
        monotone: true,
        kinks: &[0.0],
        common_use: "hidden layers where ReLU units die; discriminators of GANs",
        source: "Maas, Hannun & Ng, ICML 2013",
        error: ErrorBounds::EXACT,
    };
}

/// 1 for x > 0, `left` for x <= 0, NaN for NaN.
#[inline(always)]
fn side<R: Real>(x: R, left: R) -> R {
    let zero = R::of(0.0);
    R::select(x.le(zero), left, R::select(zero.lt(x), R::of(1.0), x))
}
