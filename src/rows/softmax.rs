//! Softmax: rows of scores to rows of probabilities.

use super::engine;
use super::formula::Constants;
use super::formula::{Accumulate, FastTotal, RowFormula, Rows, Slices, Total, compiled_rows};
use super::function::row_function;
use super::layout::Layout;
use super::probability::{Complement, Normaliser, Rest};
use super::reduce::{LANES, Partial};
use super::stats::Row;
use crate::describe::card::{Card, Described, ErrorBounds, Vanishes};
use crate::describe::parameters::parameters;
use crate::kernel::element::compiled;
use crate::kernel::level::Level;
use crate::kernel::real::Real;
use crate::math::unlift;

/// Softmax, for the output of a classifier, and for attention: p\[i\] = e^x\[i\] / sum of e^x\[j\], over each row.
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/softmax.svg"))]
///
/// - [`Softmax::default()`] takes the whole slice as one row, [`Softmax::rows(n)`](Self::rows) makes a row of each n elements, and
///   [`Softmax::axis`] takes rows along another axis. [`scaled`](Self::scaled), [`biased`](Self::biased) and
///   [`masked`](Self::masked) make it the softmax of attention.
/// - Derivative: a Jacobian, dp\[i\]/dx\[j\] = p\[i\] (\[i = j\] - p\[j\]). [`derivative`](crate::Activation::derivative) gives its
///   diagonal, p (1 - p). [`backward`](crate::Activation::backward) gives the product with the whole Jacobian, p (g - <p, g>), and
///   so does [`backward_from_output`](crate::FromOutput::backward_from_output), which is faster.
/// - Range: \[0, 1\]; a row sums to 1. Exponentials are scaled by the greatest, so nothing overflows.
/// - Error: at most 3 ULP for the value and the diagonal, on rows of up to a million of any numbers; subnormal probabilities are
///   within it. Measured on sampled rows: 2.5 and 2.9.
/// - Special values: a row with NaN or +inf, or of nothing but -inf, gives NaN. In other rows, softmax(-inf) = 0.
/// - Source: Boltzmann's distribution; as a network's output, Bridle, "Probabilistic interpretation of feedforward
///   classification network outputs", 1990.
///
/// Do not feed its output to a loss that expects scores ("logits") and applies softmax itself.
///
/// ```
/// use activations::{Activation, Softmax};
///
/// let mut p = [0.0_f32; 4];
/// Softmax::default().forward(&[1.0, 1.0, 1.0, 1.0], &mut p);
/// assert_eq!(p, [0.25; 4]);
///
/// Softmax::rows(2)?.forward(&[1000.0, 1000.0, f32::NEG_INFINITY, -1000.0], &mut p);
/// assert_eq!(p, [0.5, 0.5, 0.0, 1.0]);
/// # Ok::<(), activations::ParameterError>(())
/// ```
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Softmax {
    layout: Layout,
}

row_function!(Softmax, sign: 1.0, Probability, fast: FastProbability, Diagonal, Gradient, GradientFromOutput);

parameters!(Softmax);

impl Described for Softmax {
    const CARD: Card = Card {
        name: "softmax",
        aliases: &["softmax2d"],
        formula: "e^x[i] / sum of e^x[j] over the row",
        derivative: "p[i] ([i = j] - p[j]), a Jacobian; its diagonal is p (1 - p)",
        range: (0.0, 1.0),
        vanishes: Vanishes::BothSides,
        zero_centred: false,
        monotone: true,
        kinks: &[],
        common_use: "the output of a classifier; attention",
        source: "Bridle, 1990",
        error: ErrorBounds { f32: (3.0, 3.0), f32_plain: (3.0, 3.0), f64: (3.0, 3.0), f64_plain: (3.0, 3.0) },
    };
}

#[derive(Clone, Copy, Default)]
pub(crate) struct Probability;

impl RowFormula for Probability {
    compiled_rows!();

    type Sums = Total;

    #[inline(always)]
    fn constants<R: Real>(self, row: &Row<R>) -> Constants<R> {
        let Normaliser { factor, factor_lo } = Normaliser::of(row.first);
        let zero = R::of(0.0);
        [factor, factor_lo, zero, zero]
    }

    #[inline(always)]
    fn result<R: Real>(self, e: R, _: R, &[factor, factor_lo, ..]: &Constants<R>) -> R {
        Normaliser { factor, factor_lo }.probability(e)
    }
}

/// The probabilities of [`Fast`](crate::Fast). `f64` uses [`Probability`].
#[derive(Clone, Copy, Default)]
pub(crate) struct FastProbability;

impl RowFormula for FastProbability {
    compiled! {
        f32: fn run_f32(self, level: Level, rows: Rows<'_, f32>) {
            match rows {
                // For these lengths the default runs rows side by side, which saves more time than the fast exponentials.
                Rows::Slices(Slices { row_len: LANES..=56, .. }) => engine::run(level, Probability, rows),
                _ => engine::run(level, self, rows),
            }
        }
        f64: fn run_f64(self, level: Level, rows: Rows<'_, f64>) {
            engine::run(level, Probability, rows);
        }
    }

    type Sums = FastTotal;

    #[inline(always)]
    fn constants<R: Real>(self, row: &Row<R>) -> Constants<R> {
        let zero = R::of(0.0);
        [R::of(1.0) / row.first.0, zero, zero, zero]
    }

    #[inline(always)]
    fn result<R: Real>(self, e: R, _: R, &[factor, ..]: &Constants<R>) -> R {
        e * factor
    }
}

/// p (g - <p, g>).
#[derive(Clone, Copy, Default)]
pub(crate) struct Gradient;

/// The exponentials, and their products with the gradient.
#[derive(Clone, Copy)]
pub(crate) struct Products;

impl Accumulate for Products {
    const SECOND: bool = true;

    #[inline(always)]
    fn second<R: Real>(e: R, _: R, grad_y: R) -> Partial<R> {
        (e * unlift()).two_mul(grad_y)
    }
}

impl RowFormula for Gradient {
    compiled_rows!();

    type Sums = Products;
    const OF_GRADIENT: bool = true;

    #[inline(always)]
    fn constants<R: Real>(self, row: &Row<R>) -> Constants<R> {
        let normaliser @ Normaliser { factor, factor_lo } = Normaliser::of(row.first);
        let mean = normaliser.mean(row.second);
        [factor, factor_lo, mean, R::of(0.0)]
    }

    #[inline(always)]
    fn result<R: Real>(self, e: R, grad_y: R, &[factor, factor_lo, mean, ..]: &Constants<R>) -> R {
        Normaliser { factor, factor_lo }.probability(e) * (grad_y - mean)
    }
}

/// p (1 - p).
#[derive(Clone, Copy, Default)]
pub(crate) struct Diagonal;

impl RowFormula for Diagonal {
    compiled_rows!();

    type Sums = Rest<true>;

    #[inline(always)]
    fn constants<R: Real>(self, row: &Row<R>) -> Constants<R> {
        Complement::constants(row)
    }

    #[inline(always)]
    fn result<R: Real>(self, e: R, _: R, constants: &Constants<R>) -> R {
        let (p, complement) = Complement::both(e, constants);
        p * complement
    }
}

/// p (g - <p, g>), from p.
#[derive(Clone, Copy, Default)]
pub(crate) struct GradientFromOutput;

/// The products of outputs and gradients.
#[derive(Clone, Copy)]
pub(crate) struct OutputProducts;

impl Accumulate for OutputProducts {
    const SECOND: bool = true;
    const KEEPS: bool = false;
    const OF_OUTPUT: bool = true;

    #[inline(always)]
    fn second<R: Real>(p: R, _: R, grad_y: R) -> Partial<R> {
        (p * grad_y, R::of(-0.0))
    }
}

impl RowFormula for GradientFromOutput {
    compiled_rows!();

    type Sums = OutputProducts;
    const OF_EXP: bool = false;
    const OF_GRADIENT: bool = true;

    #[inline(always)]
    fn constants<R: Real>(self, row: &Row<R>) -> Constants<R> {
        let zero = R::of(0.0);
        [row.second.0 + row.second.1, zero, zero, zero]
    }

    #[inline(always)]
    fn result<R: Real>(self, p: R, grad_y: R, &[mean, ..]: &Constants<R>) -> R {
        p * (grad_y - mean)
    }
}
