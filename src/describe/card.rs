//! `Card`: facts about a function, as data for documentation, tests, benches and tables.

use crate::describe::parameters::Parameters;

/// Facts about an activation function.
///
/// Tests compare every fact with the function.
///
/// ```
/// use activations::{Described, Gelu};
///
/// assert_eq!(Gelu::CARD.name, "gelu");
/// assert_eq!(Gelu::CARD.formula, "x Phi(x) = x (1 + erf(x / sqrt 2)) / 2");
/// assert!(!Gelu::CARD.monotone && Gelu::CARD.kinks.is_empty());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Card {
    /// The canonical name, in snake case: `leaky_relu`.
    pub name: &'static str,
    /// Other names of the same function, in PyTorch, Hugging Face configurations, ONNX and Keras. Case, `-`, `_` and spaces make no
    /// difference, so names that differ only in them are not listed.
    pub aliases: &'static [&'static str],
    /// f(x), in plain text.
    pub formula: &'static str,
    /// f'(x), in plain text.
    pub derivative: &'static str,
    /// The least and the greatest value, or the limits that are approached.
    pub range: (f64, f64),
    /// Where the derivative goes to zero.
    pub vanishes: Vanishes,
    /// Whether f(-x) = -f(x). If inputs are centred on 0, the outputs then are too.
    pub zero_centred: bool,
    /// Whether f never decreases.
    pub monotone: bool,
    /// Where the function or its derivative jumps, with the default parameters.
    ///
    /// There the crate gives PyTorch's derivative. If the function is flat on one side, it is 0, as for [`Relu`] at 0 and [`Relu6`]
    /// at 0 and 6. [`LeakyRelu`], [`Prelu`], [`Rrelu`] and [`Selu`] have the left side's derivative at 0, and [`HardSwish`] has the
    /// right side's at 3. [`ClippedGelu`] has GELU's derivative where GELU reaches the limits, as with PyTorch's `clip`. 0.0 and
    /// -0.0 have the same derivative. PyTorch does not have [`SparseSigmoid`], [`Sparsemax`] and [`Hardmax`]; their derivative there
    /// is 0.
    ///
    /// [`Relu`]: crate::Relu
    /// [`Relu6`]: crate::Relu6
    /// [`LeakyRelu`]: crate::LeakyRelu
    /// [`Prelu`]: crate::Prelu
    /// [`Rrelu`]: crate::Rrelu
    /// [`Selu`]: crate::Selu
    /// [`ClippedGelu`]: crate::ClippedGelu
    /// [`HardSwish`]: crate::HardSwish
    /// [`SparseSigmoid`]: crate::SparseSigmoid
    /// [`Sparsemax`]: crate::Sparsemax
    /// [`Hardmax`]: crate::Hardmax
    pub kinks: &'static [f64],
    /// The function's common use.
    pub common_use: &'static str,
    /// The source: authors, title and year.
    pub source: &'static str,
    /// The bounds of the errors.
    pub error: ErrorBounds,
}

/// Where a derivative goes to zero, so that a layer learns nothing from such inputs.
///
/// ```
/// use activations::{Described, LeakyRelu, Relu, Tanh, Vanishes};
///
/// assert_eq!(Relu::CARD.vanishes, Vanishes::Left);
/// assert_eq!(Tanh::CARD.vanishes, Vanishes::BothSides);
/// assert_eq!(LeakyRelu::CARD.vanishes, Vanishes::Never);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vanishes {
    /// Nowhere.
    Never,
    /// For large negative inputs.
    Left,
    /// For large positive inputs.
    Right,
    /// For large inputs of either sign.
    BothSides,
}

/// Greatest errors in ULP, `(value, derivative)`: |computed - exact| over the spacing of the type at the exact value.
///
/// The derivatives of GELU, clipped GELU, GELU's tanh form, QuickGELU, SiLU, swish and mish have a root away from 0. Near it,
/// where they are below 1/16, their error is in units of the spacing at 1/16. The same holds for xIELU's value and derivative,
/// because both have such a root.
///
/// ```
/// use activations::{Activation, Described, Level, Sigmoid};
///
/// let bounds = Sigmoid::CARD.error;
/// let (value, _) = if Level::best().is_fused() { bounds.f32 } else { bounds.f32_plain };
/// let y = f64::from(Sigmoid.forward_vec(&[0.5_f32])[0]);
/// let exact = 1.0 / (1.0 + (-0.5_f64).exp());
/// let spacing = f64::from(f32::EPSILON) / 2.0; // from 1/2 to 1
/// assert!((y - exact).abs() <= value * spacing);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct ErrorBounds {
    /// `f32` on CPUs with fused multiply-add.
    pub f32: (f64, f64),
    /// `f32` on others.
    pub f32_plain: (f64, f64),
    /// `f64` on CPUs with fused multiply-add.
    pub f64: (f64, f64),
    /// `f64` on others.
    pub f64_plain: (f64, f64),
}

impl ErrorBounds {
    /// The bounds of functions with at most one rounding.
    pub(crate) const EXACT: Self =
        Self { f32: (0.5, 0.5), f32_plain: (0.5, 0.5), f64: (0.5, 0.5), f64_plain: (0.5, 0.5) };
}

/// Types with a [`Card`]: every activation of this crate.
///
/// ```
/// use activations::{Activation, Described, Elu};
///
/// fn print<A: Described + Activation<f32>>(activation: &A) {
///     println!("{}: f(-1) = {}", A::CARD.name, activation.forward_vec(&[-1.0])[0]);
/// }
/// print(&Elu::default());
/// ```
pub trait Described: Parameters {
    /// The facts about the function.
    const CARD: Card;
}
