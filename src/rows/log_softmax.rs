//! Log-softmax: rows of scores to rows of log-probabilities.

use super::formula::Constants;
use super::formula::{Nothing, RowFormula, Total, compiled_rows};
use super::function::row_function;
use super::layout::Layout;
use super::probability::{Complement, Normaliser, Rest};
use super::stats::Row;
use crate::describe::card::{Card, Described, ErrorBounds, Vanishes};
use crate::describe::parameters::parameters;
use crate::kernel::real::Real;
use crate::math::{bounded_abs, exp_neg, log1p_of_sum};

/// Log-softmax, for the loss of a classifier: y\[i\] = log p\[i\] = x\[i\] - log(sum of e^x\[j\]), where p is the row's
/// [`Softmax`](crate::Softmax).
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/log_softmax.svg"))]
///
/// - [`LogSoftmax::default()`] takes the whole slice as one row, [`LogSoftmax::rows(n)`](Self::rows) makes a row of each n
///   elements, and [`LogSoftmax::axis`] takes rows along another axis.
/// - Derivative: a Jacobian, dy\[i\]/dx\[j\] = \[i = j\] - p\[j\]. [`derivative`](crate::Activation::derivative) gives its
///   diagonal, 1 - p. [`backward`](crate::Activation::backward) gives the product with the whole Jacobian, g - p (sum of g).
///   [`backward_from_output`](crate::FromOutput::backward_from_output) gives the same, with p = e^y, whose error is |y| / 2 ULP
///   greater.
/// - Range: \[-inf, 0\].
/// - Error: at most 3 ULP for the value and the diagonal, on rows of up to a million of any numbers, also where a probability is
///   near 1 and its logarithm near 0. Measured on sampled rows: 2.0 and 2.3.
/// - Special values: a row with NaN or +inf, or of nothing but -inf, gives NaN. In other rows, log_softmax(-inf) = -inf. A result
///   of zero is -0.0.
/// - Source: Bridle, "Probabilistic interpretation of feedforward classification network outputs", 1990.
///
/// ```
/// use activations::{Activation, LogSoftmax};
///
/// let mut y = [0.0_f64; 2];
/// LogSoftmax::default().forward(&[1000.0, 1000.0], &mut y);
/// assert_eq!(y, [-std::f64::consts::LN_2; 2]);
///
/// // No probability is rounded to 1 on the way.
/// LogSoftmax::default().forward(&[100.0, 0.0], &mut y);
/// assert!((y[0] + 3.72e-44).abs() < 1e-46);
/// ```
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogSoftmax {
    layout: Layout,
}

row_function!(LogSoftmax, sign: 1.0, LogProbability, fast: LogProbability, Diagonal, Gradient, GradientFromOutput);

parameters!(LogSoftmax);

impl Described for LogSoftmax {
    const CARD: Card = Card {
        name: "log_softmax",
        aliases: &[],
        formula: "x[i] - log(sum of e^x[j] over the row)",
        derivative: "[i = j] - p[j], a Jacobian; its diagonal is 1 - p",
        range: (f64::NEG_INFINITY, 0.0),
        vanishes: Vanishes::Right,
        zero_centred: false,
        monotone: true,
        kinks: &[],
        common_use: "the loss of a classifier: cross-entropy",
        source: "Bridle, 1990",
        error: ErrorBounds { f32: (3.0, 3.0), f32_plain: (3.0, 3.0), f64: (3.0, 3.0), f64_plain: (3.0, 3.0) },
    };
}

/// (x - max) - log(sum of e^(x - max)). Both terms have one sign, and the logarithm is log1p of the sum without the greatest
/// element, so nothing cancels.
#[derive(Clone, Copy, Default)]
pub(crate) struct LogProbability;

impl RowFormula for LogProbability {
    compiled_rows!();

    type Sums = Rest<false>;
    const OF_EXP: bool = false;

    #[inline(always)]
    fn constants<R: Real>(self, row: &Row<R>) -> Constants<R> {
        let (rest, rest_lo) = Normaliser::of((row.top, R::of(0.0))).ratio(row.first);
        // Sets the sign instead of negating the logarithm, because for aarch64 LLVM makes one instruction of a negated
        // `mul_add`, and that gives zeros of the other sign.
        let minus_log = log1p_of_sum(row.second.0 - R::of(1.0), rest, rest_lo).copysign(R::of(-1.0));
        [minus_log, row.greatest, R::of(0.0), R::of(0.0)]
    }

    #[inline(always)]
    fn result<R: Real>(self, x: R, _: R, &[minus_log, greatest, ..]: &Constants<R>) -> R {
        // -0.0 where the logarithm underflows, because the exact value is negative.
        minus_log - (greatest - x)
    }
}

/// 1 - p.
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
        Complement::both(e, constants).1
    }
}

/// g - p (sum of g).
#[derive(Clone, Copy, Default)]
pub(crate) struct Gradient;

impl RowFormula for Gradient {
    compiled_rows!();

    type Sums = Total;
    const SUMS_GRADIENTS: bool = true;
    const OF_GRADIENT: bool = true;

    #[inline(always)]
    fn constants<R: Real>(self, row: &Row<R>) -> Constants<R> {
        let Normaliser { factor, factor_lo } = Normaliser::of(row.first);
        [factor, factor_lo, -(row.second.0 + row.second.1), R::of(0.0)]
    }

    #[inline(always)]
    fn result<R: Real>(self, e: R, grad_y: R, &[factor, factor_lo, minus_sum, ..]: &Constants<R>) -> R {
        Normaliser { factor, factor_lo }.probability(e).mul_add(minus_sum, grad_y)
    }
}

/// g - e^y (sum of g), from y.
#[derive(Clone, Copy, Default)]
pub(crate) struct GradientFromOutput;

impl RowFormula for GradientFromOutput {
    compiled_rows!();

    type Sums = Nothing;
    const SUMS_GRADIENTS: bool = true;
    const OF_EXP: bool = false;
    const OF_GRADIENT: bool = true;

    #[inline(always)]
    fn constants<R: Real>(self, row: &Row<R>) -> Constants<R> {
        let zero = R::of(0.0);
        [-(row.second.0 + row.second.1), zero, zero, zero]
    }

    #[inline(always)]
    fn result<R: Real>(self, y: R, grad_y: R, &[minus_sum, ..]: &Constants<R>) -> R {
        exp_neg(bounded_abs(y), None).number().mul_add(minus_sum, grad_y)
    }
}
