//! The randomised leaky ReLU: training draws the slope at random, and inference uses the mean slope.

use super::relu::LeakyRelu;
use super::same::elementwise_of;
use super::slopes::leaky_pass;
use super::step::Step;
use crate::describe::card::{Card, Described, ErrorBounds, Vanishes};
use crate::describe::parameters::parameters;
use crate::kernel::element::Element;
use crate::kernel::level::{At, Level};
use crate::pass::{Pass, same_length};
use crate::second::second_slope_of;

/// The randomised leaky ReLU, for networks that overfit: x for x > 0, a x for x <= 0, with a drawn from \[`lower`, `upper`\] in
/// training.
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/rrelu.svg"))]
///
/// The methods of [`Activation`](crate::Activation) are for use after training: there a is the mean, (lower + upper) / 2. In
/// training the caller draws a slope for each element, and [`forward_training`](Self::forward_training) and
/// [`backward_training`](Self::backward_training) take these slopes.
///
/// - Derivative: a for x <= 0, 1 for x > 0. Range: the whole line, for positive slopes. Not differentiable at 0, where the
///   derivative is set to a, as in PyTorch.
/// - Error: one rounding, 0.5 ULP; the mean slope is rounded to the element's type first.
/// - Special values: NaN gives NaN, also in the derivative; zeros keep their sign for a positive slope.
/// - Source: Xu, Wang, Chen & Li, "Empirical evaluation of rectified activations in convolutional network", 2015,
///   arXiv:1505.00853.
///
/// ```
/// use activations::{Activation, Rrelu};
///
/// let rrelu = Rrelu::new(0.25, 0.75)?;
/// let (x, slopes) = ([-2.0_f32, -2.0, 2.0], [0.25, 0.625, 0.5]);
/// let (mut y, mut grad_x) = ([0.0; 3], [0.0; 3]);
/// rrelu.forward(&x, &mut y);
/// assert_eq!(y, [-1.0, -1.0, 2.0]);
/// rrelu.forward_training(&x, &slopes, &mut y);
/// assert_eq!(y, [-0.5, -1.25, 2.0]);
/// rrelu.backward_training(&x, &slopes, &[1.0; 3], &mut grad_x);
/// assert_eq!(grad_x, [0.25, 0.625, 1.0]);
/// # Ok::<(), activations::ParameterError>(())
/// ```
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[doc(alias = "RReLU")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rrelu {
    lower: f64,
    upper: f64,
}

parameters! {
    Rrelu {
        /// The least slope. The default is PyTorch's.
        lower: Finite = 1.0 / 8.0,
        /// The greatest slope. The default is PyTorch's.
        upper: Finite = 1.0 / 3.0,
    } where lower <= upper => upper: "at least `lower`"
}

impl Rrelu {
    /// `y[i] = x[i]` for x\[i\] > 0, else `slopes[i] * x[i]`. The slopes are not checked.
    ///
    /// # Panics
    /// If the lengths differ.
    ///
    /// ```
    /// use activations::Rrelu;
    ///
    /// let mut y = [0.0_f32; 2];
    /// Rrelu::default().forward_training(&[-1.0, 1.0], &[0.25, 0.125], &mut y);
    /// assert_eq!(y, [-0.25, 1.0]);
    /// ```
    #[track_caller]
    pub fn forward_training<T: Element>(&self, x: &[T], slopes: &[T], y: &mut [T]) {
        Level::best().with(*self).forward_training(x, slopes, y);
    }

    /// `grad_x[i] = grad_y[i]` for x\[i\] > 0, else `slopes[i] * grad_y[i]`, with the slopes of the forward pass.
    ///
    /// # Panics
    /// If the lengths differ.
    ///
    /// ```
    /// use activations::Rrelu;
    ///
    /// let mut grad_x = [0.0_f32; 2];
    /// Rrelu::default().backward_training(&[-1.0, 1.0], &[0.25, 0.125], &[2.0, 2.0], &mut grad_x);
    /// assert_eq!(grad_x, [0.5, 2.0]);
    /// ```
    #[track_caller]
    pub fn backward_training<T: Element>(&self, x: &[T], slopes: &[T], grad_y: &[T], grad_x: &mut [T]) {
        Level::best().with(*self).backward_training(x, slopes, grad_y, grad_x);
    }

    #[inline(always)]
    fn mean_slope(&self) -> f64 {
        0.5 * self.lower + 0.5 * self.upper
    }
}

impl At<Rrelu> {
    /// See [`Rrelu::forward_training`].
    ///
    /// # Panics
    /// If the lengths differ.
    #[track_caller]
    pub fn forward_training<T: Element>(&self, x: &[T], slopes: &[T], y: &mut [T]) {
        same_length("slopes", slopes.len(), "x", x.len());
        same_length("y", y.len(), "x", x.len());
        leaky_pass(self.level, Pass::Forward { x, y }, slopes);
    }

    /// See [`Rrelu::backward_training`].
    ///
    /// # Panics
    /// If the lengths differ.
    #[track_caller]
    pub fn backward_training<T: Element>(&self, x: &[T], slopes: &[T], grad_y: &[T], grad_x: &mut [T]) {
        same_length("slopes", slopes.len(), "x", x.len());
        same_length("grad_y", grad_y.len(), "x", x.len());
        same_length("grad_x", grad_x.len(), "x", x.len());
        leaky_pass(self.level, Pass::Backward { x, grad_y, grad_x }, slopes);
    }
}

elementwise_of!(Rrelu: LeakyRelu | f | LeakyRelu { negative_slope: f.mean_slope() });

second_slope_of!(Rrelu | _f | Step::ZERO);

impl Described for Rrelu {
    const CARD: Card = Card {
        name: "rrelu",
        aliases: &["randomized_leaky_relu"],
        formula: "x if x > 0, else x (lower + upper) / 2",
        derivative: "1 if x > 0, else (lower + upper) / 2",
        range: (f64::NEG_INFINITY, f64::INFINITY),
        vanishes: Vanishes::Never,
        zero_centred: false,
        monotone: true,
        kinks: &[0.0],
        common_use: "hidden layers of networks that overfit",
        source: "Xu, Wang, Chen & Li, 2015, arXiv:1505.00853",
        error: ErrorBounds::EXACT,
    };
}
