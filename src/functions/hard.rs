//! The hard family: piecewise linear forms of sigmoid and tanh, and the swish of the hard sigmoid.

use super::step::{Step, between};
use crate::activation::{Elementwise, compiled_passes};
use crate::describe::card::{Card, Described, ErrorBounds, Vanishes};
use crate::describe::parameters::parameters;
use crate::from_output::{SlopeFromOutput, compiled_from_output};
use crate::kernel::real::Real;
use crate::second::second_slope_of;

/// The hard sigmoid, for gates of networks on phones (MobileNetV3): `alpha` x + `beta`, clamped to \[0, 1\].
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/hard_sigmoid.svg"))]
///
/// The defaults, 1/6 and 1/2, are PyTorch's, JAX's and Keras 3's: relu6(x + 3) / 6. [`HardSigmoid::onnx()`] has the
/// defaults of ONNX and of older Keras, 0.2 and 1/2.
///
/// Every spelling of the name is parsed with PyTorch's defaults, also `HardSigmoid`, which is ONNX's spelling. For an ONNX node
/// without attributes, write `hard_sigmoid(alpha=0.2)`. A node that PyTorch exported has its alpha, 1/6, as an attribute.
///
/// - Derivative: `alpha` between the kinks, 0 outside. Not differentiable at -beta / alpha and (1 - beta) / alpha, -3 and
///   3 by default, where the derivative is set to 0, as in PyTorch, JAX and Keras. Range: [0, 1].
/// - From the output: an output of 1 has derivative 0, even if it comes from an input below the kink and was rounded to 1.
/// - Error: at most 2.0 ULP, 0.5 for the derivative, with the default parameters and with `onnx()`, near the left kink too, because the
///   line is computed as alpha (x + beta / alpha).
/// - Other parameters: alpha and beta / alpha are rounded to the element's type. The bounds hold for the rounded numbers. If
///   beta / alpha is not a number of the type, its rounding moves the left kink by up to half the spacing there. That adds an
///   absolute error of up to alpha times half the spacing at beta / alpha, which is many ULP of the small results near the kink.
/// - Special values: hard_sigmoid(-inf) = 0, hard_sigmoid(inf) = 1, NaN gives NaN, also in the derivative.
/// - Source: Courbariaux, Bengio & David, "BinaryConnect: training deep neural networks with binary weights during
///   propagations", NIPS 2015; with these slopes, Howard et al., "Searching for MobileNetV3", 2019, arXiv:1905.02244.
///
/// ```
/// use activations::{Activation, HardSigmoid};
///
/// let mut y = [9.0; 4];
/// HardSigmoid::default().forward(&[-3.0_f32, 0.0, 1.5, 3.0], &mut y);
/// assert_eq!(y, [0.0, 0.5, 0.75, 1.0]);
/// HardSigmoid::onnx().forward(&[-2.5_f32, 0.0, 1.25, 2.5], &mut y);
/// assert_eq!(y, [0.0, 0.5, 0.75, 1.0]);
/// ```
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HardSigmoid {
    alpha: f64,
    beta: f64,
}

parameters! {
    HardSigmoid {
        /// The slope between the kinks, from 1e-30 to 1e30. A sixth by default.
        alpha: Positive = 1.0 / 6.0,
        /// The value at 0, at most 1e30 alpha.
        beta: Finite = 0.5,
    } where (1e-30..=1e30).contains(&alpha) && (beta / alpha).abs() <= 1e30
        => alpha: "between 1e-30 and 1e30, and no less than 1e-30 |`beta`|"
}

impl HardSigmoid {
    /// alpha 0.2 and beta 0.5: the defaults of ONNX, and of Keras before 3.
    ///
    /// ```
    /// use activations::{Activation, HardSigmoid};
    ///
    /// assert_eq!(HardSigmoid::onnx().forward_vec(&[-2.0_f32, 1.0]), [0.1, 0.7]);
    /// ```
    #[must_use]
    pub const fn onnx() -> Self {
        Self { alpha: 0.2, beta: 0.5 }
    }

    /// The slope, and the kinks.
    #[inline(always)]
    fn line<R: Real>(&self) -> (R, R, R) {
        (R::of(self.alpha), R::of(-self.beta / self.alpha), R::of((1.0 - self.beta) / self.alpha))
    }
}

impl Elementwise for HardSigmoid {
    compiled_passes!();

    const ABREAST: usize = 1;

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        let (slope, zero, _) = self.line::<R>();
        ((x - zero) * slope).at_least(R::of(0.0)).at_most(R::of(1.0))
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        let (slope, low, high) = self.line::<R>();
        between(x, low, high, slope)
    }
}

impl SlopeFromOutput for HardSigmoid {
    compiled_from_output!();

    #[inline(always)]
    fn slope_from_output<R: Real>(&self, y: R) -> R {
        between(y, R::of(0.0), R::of(1.0), R::of(self.alpha))
    }
}

second_slope_of!(HardSigmoid | _f | Step::ZERO);

impl Described for HardSigmoid {
    const CARD: Card = Card {
        name: "hard_sigmoid",
        aliases: &[],
        formula: "min(max(alpha x + beta, 0), 1)",
        derivative: "alpha if -beta < alpha x < 1 - beta, else 0",
        range: (0.0, 1.0),
        vanishes: Vanishes::BothSides,
        zero_centred: false,
        monotone: true,
        kinks: &[-3.0, 3.0],
        common_use: "gates of networks for phones: MobileNetV3",
        source: "Courbariaux, Bengio & David, NIPS 2015",
        error: ErrorBounds { f32: (2.0, 0.5), f32_plain: (2.0, 0.5), f64: (2.0, 0.5), f64_plain: (2.0, 0.5) },
    };
}

/// The hard swish, for networks on phones (MobileNetV3): x relu6(x + 3) / 6.
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/hard_swish.svg"))]
///
/// - Derivative: 0 for x <= -3, (2 x + 3) / 6 between, with its root at -1.5, 1 for x >= 3. Not differentiable at -3 and
///   3, where the derivative is set to the outer side's, 0 and 1, as in PyTorch, JAX and Keras. Range: [-0.375, inf).
/// - Error: at most 3.0 ULP, 2.0 for the derivative, also near the derivative's root and near x = -3.
/// - Special values: hard_swish(x) = -0.0 for x <= -3, -inf too; hard_swish(inf) = inf; keeps the sign of zero; NaN gives
///   NaN, also in the derivative.
/// - Source: Howard et al., "Searching for MobileNetV3", 2019, arXiv:1905.02244.
///
/// ```
/// use activations::{Activation, HardSwish};
///
/// let mut y = [9.0; 4];
/// HardSwish.forward(&[-4.0_f32, -1.5, 0.0, 4.0], &mut y);
/// assert_eq!(y, [0.0, -0.375, 0.0, 4.0]);
/// ```
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[doc(alias = "hard_silu")]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HardSwish;

parameters!(HardSwish);

impl Elementwise for HardSwish {
    compiled_passes!();

    const ABREAST: usize = 1;

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        // Below -3, x is replaced by -3, because -inf times 0 would be NaN.
        let x = x.at_least(R::of(-3.0));
        let gate = (x + R::of(3.0)).at_most(R::of(6.0)) * R::of(1.0 / 6.0);
        x * gate
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        // x + 1.5 is exact near the root.
        let inner = (x + R::of(1.5)) * R::of(1.0 / 3.0);
        let right = R::select(R::of(3.0).le(x), R::of(1.0), inner);
        R::select(x.le(R::of(-3.0)), R::of(0.0), right)
    }
}

second_slope_of!(HardSwish | _f | Step::between(-3.0, 3.0, 1.0 / 3.0));

impl Described for HardSwish {
    const CARD: Card = Card {
        name: "hard_swish",
        aliases: &["hard_silu"],
        formula: "x min(max(x + 3, 0), 6) / 6",
        derivative: "0 if x <= -3, 1 if x >= 3, else (2 x + 3) / 6",
        range: (-0.375, f64::INFINITY),
        vanishes: Vanishes::Left,
        zero_centred: false,
        monotone: false,
        kinks: &[-3.0, 3.0],
        common_use: "networks for phones: MobileNetV3",
        source: "Howard et al., 2019, arXiv:1905.02244",
        error: ErrorBounds { f32: (3.0, 2.0), f32_plain: (3.0, 2.0), f64: (3.0, 2.0), f64_plain: (3.0, 2.0) },
    };
}

/// The hard tanh, for networks of few bits and outputs in \[-1, 1\]: x, clamped to \[`min`, `max`\].
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/hard_tanh.svg"))]
///
/// - Derivative: 1 for min < x < max, else 0. Range: [min, max]. Not differentiable at min and max, where the derivative
///   is set to 0, as in PyTorch. (JAX, Keras and ONNX Runtime's `Clip` give 1.)
/// - Error: none; the limits are rounded to the element's type.
/// - Special values: NaN gives NaN, also in the derivative; zeros keep their sign; hard_tanh(-inf) = min,
///   hard_tanh(inf) = max.
/// - Source: Collobert, "Large scale machine learning", 2004.
///
/// ```
/// use activations::{Activation, HardTanh};
///
/// let mut y = [9.0; 3];
/// HardTanh::default().forward(&[-2.0_f32, 0.5, 2.0], &mut y);
/// assert_eq!(y, [-1.0, 0.5, 1.0]);
/// HardTanh::new(0.0, 20.0)?.forward(&[-2.0_f32, 0.5, 21.0], &mut y);
/// assert_eq!(y, [0.0, 0.5, 20.0]);
/// # Ok::<(), activations::ParameterError>(())
/// ```
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[doc(alias = "clamp")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HardTanh {
    min: f64,
    max: f64,
}

parameters! {
    HardTanh {
        /// The least value.
        min: Finite = -1.0,
        /// The greatest value. It must be above the least.
        max: Finite = 1.0,
    } where min < max => max: "above `min`"
}

impl HardTanh {
    pub(super) const RELU6: Self = Self { min: 0.0, max: 6.0 };
}

impl Elementwise for HardTanh {
    compiled_passes!();

    const ABREAST: usize = 1;

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        x.at_least(R::of(self.min)).at_most(R::of(self.max))
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        between(x, R::of(self.min), R::of(self.max), R::of(1.0))
    }
}

impl SlopeFromOutput for HardTanh {
    compiled_from_output!();

    #[inline(always)]
    fn slope_from_output<R: Real>(&self, y: R) -> R {
        between(y, R::of(self.min), R::of(self.max), R::of(1.0))
    }
}

second_slope_of!(HardTanh | _f | Step::ZERO);

impl Described for HardTanh {
    const CARD: Card = Card {
        name: "hard_tanh",
        aliases: &[],
        formula: "min(max(x, min), max)",
        derivative: "1 if min < x < max, else 0",
        range: (-1.0, 1.0),
        vanishes: Vanishes::BothSides,
        zero_centred: true,
        monotone: true,
        kinks: &[-1.0, 1.0],
        common_use: "networks of few bits; outputs in [-1, 1]",
        source: "Collobert, 2004",
        error: ErrorBounds::EXACT,
    };
}
