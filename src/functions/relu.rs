//! The rectified linear family: straight lines with a kink at 0, and functions made of them.

use super::hard::HardTanh;
use super::same::elementwise_of;
use super::step::Step;
use crate::activation::{Elementwise, compiled_passes};
use crate::describe::card::{Card, Described, ErrorBounds, Vanishes};
use crate::describe::parameters::parameters;
use crate::from_output::{OfOutput, SlopeFromOutput, compiled_from_output};
use crate::kernel::level::Level;
use crate::kernel::real::Real;
use crate::second::second_slope_of;

/// The rectified linear unit, for hidden layers, and the default of convolutional networks: max(x, 0).
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/relu.svg"))]
///
/// - Derivative: 0 for x <= 0, 1 for x > 0. Range: [0, inf). Not differentiable at 0, where the derivative is set to 0, as
///   in PyTorch, JAX, Keras and ONNX Runtime.
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
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[doc(alias = "ReLU")]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Relu;

parameters!(Relu);

impl Elementwise for Relu {
    compiled_passes!();

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

impl SlopeFromOutput for Relu {
    compiled_from_output!();

    #[inline(always)]
    fn slope_from_output<R: Real>(&self, y: R) -> R {
        self.slope(y)
    }
}

second_slope_of!(Relu | _f | Step::ZERO);

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

/// The leaky rectified linear unit, for hidden layers where ReLU units die, and for discriminators of GANs: x for x > 0,
/// `negative_slope` x for x <= 0.
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/leaky_relu.svg"))]
///
/// - Derivative: `negative_slope` for x <= 0, 1 for x > 0. Range: the whole line if the slope is positive. Not differentiable
///   at 0, where the derivative is set to `negative_slope`, as in PyTorch, Keras and ONNX Runtime. (JAX
///   gives 1.)
/// - From the output: for a slope of 0 or above. With a negative slope a positive output may come from either side, so its
///   derivative is NaN.
/// - Error: one rounding, 0.5 ULP; the slope itself is rounded to the element's type first.
/// - Special values: NaN gives NaN, also in the derivative; zeros keep their sign if the slope is positive;
///   leaky_relu(-inf) = -inf if the slope is positive, NaN if it is 0.
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
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[doc(alias = "LeakyReLU")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeakyRelu {
    pub(super) negative_slope: f64,
}

parameters! {
    LeakyRelu {
        /// The slope for negative inputs. The default is PyTorch's.
        negative_slope: Finite = 0.01,
    }
}

impl Elementwise for LeakyRelu {
    compiled_passes!();

    const ABREAST: usize = 1;

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        leaky(x, R::of(self.negative_slope))
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        side(x, R::of(self.negative_slope))
    }
}

/// For a slope of 0 or above, the output has the sign of the input. Otherwise an output above 0 may come from either side, so
/// the derivative is NaN.
impl SlopeFromOutput for LeakyRelu {
    compiled_from_output!();

    #[inline(always)]
    fn slope_from_output<R: Real>(&self, y: R) -> R {
        self.slope(if self.negative_slope < 0.0 { R::of(f64::NAN) } else { y })
    }
}

second_slope_of!(LeakyRelu | _f | Step::ZERO);

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

/// ReLU, clamped at 6, for networks that will run in few bits (MobileNet): min(max(x, 0), 6).
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/relu6.svg"))]
///
/// - Derivative: 1 for 0 < x < 6, else 0. Range: [0, 6]. Not differentiable at 0 and 6, where the derivative is set to 0, as
///   in PyTorch, JAX and Keras. (ONNX Runtime's `Clip` gives 1.)
/// - Error: none.
/// - Special values: NaN gives NaN, also in the derivative; relu6(-0.0) = -0.0, relu6(-inf) = 0, relu6(inf) = 6.
/// - Source: Krizhevsky, "Convolutional deep belief networks on CIFAR-10", 2010.
///
/// ```
/// use activations::{Activation, Relu6};
///
/// let mut y = [0.0; 3];
/// Relu6.forward(&[-2.0_f32, 2.0, 20.0], &mut y);
/// assert_eq!(y, [0.0, 2.0, 6.0]);
/// ```
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[doc(alias = "ReLU6")]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Relu6;

parameters!(Relu6);

elementwise_of!(Relu6: HardTanh | _f | HardTanh::RELU6);

impl SlopeFromOutput for Relu6 {
    #[inline(always)]
    fn slope_from_output<R: Real>(&self, y: R) -> R {
        HardTanh::RELU6.slope_from_output(y)
    }

    #[inline]
    fn run_from_output_f32(&self, level: Level, slices: OfOutput<'_, f32>) {
        HardTanh::RELU6.run_from_output_f32(level, slices);
    }

    #[inline]
    fn run_from_output_f64(&self, level: Level, slices: OfOutput<'_, f64>) {
        HardTanh::RELU6.run_from_output_f64(level, slices);
    }
}

second_slope_of!(Relu6 | _f | Step::ZERO);

impl Described for Relu6 {
    const CARD: Card = Card {
        name: "relu6",
        aliases: &[],
        formula: "min(max(x, 0), 6)",
        derivative: "1 if 0 < x < 6, else 0",
        range: (0.0, 6.0),
        vanishes: Vanishes::BothSides,
        zero_centred: false,
        monotone: true,
        kinks: &[0.0, 6.0],
        common_use: "hidden layers that will run in few bits: MobileNet",
        source: "Krizhevsky, 2010",
        error: ErrorBounds::EXACT,
    };
}

/// Squared ReLU, for language models such as Primer and Nemotron-4: max(x, 0)^2.
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/squared_relu.svg"))]
///
/// - Derivative: 2 max(x, 0). Range: [0, inf).
/// - From the output: 2 sqrt(y). If x^2 has underflowed to 0 or overflowed to infinity, the derivative is 0 or infinity too.
/// - Error: one rounding, 0.5 ULP; none in the derivative.
/// - Special values: NaN gives NaN, also in the derivative; zeros keep their sign; squared_relu(-inf) = 0,
///   squared_relu(inf) = inf. The value overflows above 1.8e19 in `f32`, 1.3e154 in `f64`.
/// - Source: So, Mańke, Liu, Dai, Shazeer & Le, "Primer: searching for efficient transformers for language modeling",
///   2021, arXiv:2109.08668.
///
/// ```
/// use activations::{Activation, SquaredRelu};
///
/// let mut y = [0.0; 2];
/// SquaredRelu.forward(&[-2.0_f32, 3.0], &mut y);
/// assert_eq!(y, [0.0, 9.0]);
/// ```
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[doc(alias = "relu2")]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SquaredRelu;

parameters!(SquaredRelu);

impl Elementwise for SquaredRelu {
    compiled_passes!();

    const ABREAST: usize = 1;

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        let r = x.at_least(R::of(0.0));
        // The product has the sign of the first factor, so a zero keeps its sign.
        r * r.abs()
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        let r = x.at_least(R::of(0.0));
        r + r
    }
}

impl SlopeFromOutput for SquaredRelu {
    compiled_from_output!();

    #[inline(always)]
    fn slope_from_output<R: Real>(&self, y: R) -> R {
        let r = y.sqrt();
        r + r
    }
}

second_slope_of!(SquaredRelu | _f | Step::between(0.0, f64::INFINITY, 2.0));

impl Described for SquaredRelu {
    const CARD: Card = Card {
        name: "squared_relu",
        aliases: &["relu_squared", "relu2"],
        formula: "max(x, 0)^2",
        derivative: "2 max(x, 0)",
        range: (0.0, f64::INFINITY),
        vanishes: Vanishes::Left,
        zero_centred: false,
        monotone: true,
        kinks: &[],
        common_use: "language models: Primer, Nemotron-4",
        source: "So, Mańke, Liu, Dai, Shazeer & Le, 2021, arXiv:2109.08668",
        error: ErrorBounds::EXACT,
    };
}

/// The identity above a threshold and a constant below it, for sparse codes: x if x > `threshold`, else `value`.
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/threshold.svg"))]
///
/// The defaults, threshold 1 and value 0, come from ONNX's `ThresholdedRelu` and Keras's `ThresholdedReLU`, whose value is
/// always 0. PyTorch's `Threshold` has no defaults.
///
/// - Derivative: 1 for x > `threshold`, else 0. The function jumps at the threshold, unless `value` equals it. The derivative
///   there is set to 0, as in PyTorch and Keras.
/// - Range: 0 and (1, inf), with the defaults.
/// - Error: none; the parameters are rounded to the element's type.
/// - Special values: NaN gives NaN, also in the derivative. `value` keeps its sign: by default the result is 0.0, for -0.0 too.
/// - Source: Konda, Memisevic & Krueger, "Zero-bias autoencoders and the benefits of co-adapting features", 2014,
///   arXiv:1402.3337.
///
/// ```
/// use activations::{Activation, Threshold};
///
/// let mut y = [0.0; 3];
/// Threshold::default().forward(&[-2.0_f32, 0.5, 2.0], &mut y);
/// assert_eq!(y, [0.0, 0.0, 2.0]);
/// Threshold::new(0.1, -1.0)?.forward(&[-2.0_f32, 0.5, 2.0], &mut y);
/// assert_eq!(y, [-1.0, 0.5, 2.0]);
/// # Ok::<(), activations::ParameterError>(())
/// ```
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[doc(alias = "ThresholdedReLU")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    threshold: f64,
    value: f64,
}

parameters! {
    Threshold {
        /// Inputs above it are kept.
        threshold: Finite = 1.0,
        /// The result for all other inputs.
        value: Finite = 0.0,
    }
}

impl Elementwise for Threshold {
    compiled_passes!();

    const ABREAST: usize = 1;

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        R::select(x.le(R::of(self.threshold)), R::of(self.value), x)
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        let threshold = R::of(self.threshold);
        R::select(x.le(threshold), R::of(0.0), R::select(threshold.lt(x), R::of(1.0), x))
    }
}

second_slope_of!(Threshold | _f | Step::ZERO);

impl Described for Threshold {
    const CARD: Card = Card {
        name: "threshold",
        aliases: &["thresholded_relu"],
        formula: "x if x > threshold, else value",
        derivative: "1 if x > threshold, else 0",
        range: (0.0, f64::INFINITY),
        vanishes: Vanishes::Left,
        zero_centred: false,
        monotone: true,
        kinks: &[1.0],
        common_use: "sparse codes: autoencoders without biases",
        source: "Konda, Memisevic & Krueger, 2014, arXiv:1402.3337",
        error: ErrorBounds::EXACT,
    };
}

/// x for x > 0, `slope` x for x <= 0.
#[inline(always)]
pub(super) fn leaky<R: Real>(x: R, slope: R) -> R {
    R::select(R::of(0.0).lt(x), x, x * slope)
}

/// 1 for x > 0, `left` for x <= 0, NaN for NaN.
#[inline(always)]
pub(super) fn side<R: Real>(x: R, left: R) -> R {
    let zero = R::of(0.0);
    R::select(x.le(zero), left, R::select(zero.lt(x), R::of(1.0), x))
}
