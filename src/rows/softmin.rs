//! Softmin: softmax of the scores' negatives.

use super::function::row_function;
use super::layout::Layout;
use crate::describe::card::{Card, Described, ErrorBounds, Vanishes};
use crate::describe::parameters::parameters;
use crate::rows::softmax::{Diagonal, FastProbability, Gradient, GradientFromOutput, Probability};

/// Softmin, for weights that fall with a distance or an energy: p\[i\] = e^-x\[i\] / sum of e^-x\[j\], over each row. The least
/// element has the greatest probability.
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/softmin.svg"))]
///
/// - [`Softmin::default()`] takes the whole slice as one row, [`Softmin::rows(n)`](Self::rows) makes a row of each n elements, and
///   [`Softmin::axis`] takes rows along another axis. It is [`Softmax`](crate::Softmax) of -x, to the bit. With scales, biases
///   and masks it is softmax of `bias - scale * x`.
/// - Derivative: a Jacobian, dp\[i\]/dx\[j\] = p\[i\] (p\[j\] - \[i = j\]). [`derivative`](crate::Activation::derivative) gives
///   its diagonal, -p (1 - p). [`backward`](crate::Activation::backward) gives the product with the whole Jacobian,
///   -p (g - <p, g>).
/// - Range: \[0, 1\]; a row sums to 1.
/// - Error: as for softmax, at most 3 ULP for the value and the diagonal.
/// - Special values: a row with NaN or -inf, or of nothing but inf, gives NaN. In other rows, softmin(inf) = 0.
/// - Source: Boltzmann's distribution, 1868; as a layer, `torch.nn.Softmin`.
///
/// ```
/// use activations::{Activation, Softmin};
///
/// let mut p = [0.0_f64; 3];
/// Softmin::default().forward(&[0.0, f64::INFINITY, 0.0], &mut p);
/// assert_eq!(p, [0.5, 0.0, 0.5]);
/// ```
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Softmin {
    layout: Layout,
}

row_function!(Softmin, sign: -1.0, Probability, fast: FastProbability, Diagonal, Gradient, GradientFromOutput);

parameters!(Softmin);

impl Described for Softmin {
    const CARD: Card = Card {
        name: "softmin",
        aliases: &[],
        formula: "e^-x[i] / sum of e^-x[j] over the row",
        derivative: "p[i] (p[j] - [i = j]), a Jacobian; its diagonal is -p (1 - p)",
        range: (0.0, 1.0),
        vanishes: Vanishes::BothSides,
        zero_centred: false,
        monotone: false,
        kinks: &[],
        common_use: "weights that fall with a distance or an energy",
        source: "Boltzmann, 1868; torch.nn.Softmin",
        error: ErrorBounds { f32: (3.0, 3.0), f32_plain: (3.0, 3.0), f64: (3.0, 3.0), f64_plain: (3.0, 3.0) },
    };
}
