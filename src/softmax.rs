//! Softmax: rows of scores to rows of probabilities.

use crate::activation::{Activation, Pass};
use crate::card::{Card, Described, ErrorBounds, Vanishes};
use crate::dispatch::Level;
use crate::element::Element;
use crate::error::ParameterError;
use crate::math::unlift;
use crate::parameters::parameters;
use crate::probability::{Complement, Normaliser};
use crate::real::Real;
use crate::reduce::Partial;
use crate::rows::{Constants, Row, RowFormula, RowLen};

/// Softmax: p\[i\] = e^x\[i\] / sum of e^x\[j\], over each row.
///
/// - [`Softmax::default()`] takes the whole slice as one row; [`Softmax::rows(n)`](Self::rows) each n elements.
/// - Derivative: a Jacobian, dp\[i\]/dx\[j\] = p\[i\] (\[i = j\] - p\[j\]). [`derivative`](Activation::derivative) gives its
///   diagonal, p (1 - p); [`backward`](Activation::backward) the true product, p (g - <p, g>).
/// - Range: \[0, 1\]; a row sums to 1. Exponentials are scaled by the greatest: nothing overflows.
/// - Error: at most 3 ULP, value and diagonal, on rows up to a million, whatever their numbers; subnormal probabilities are
///   within it. Measured on sampled rows: 2.5 and 2.9.
/// - Special values: a row with NaN or +inf is NaN, and so is a row of nothing but -inf; otherwise softmax(-inf) = 0.
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Softmax {
    row_len: RowLen,
}

impl Softmax {
    /// Each `len` elements are a row of their own.
    ///
    /// Slices whose length is not a multiple of `len` make the methods panic.
    ///
    /// # Errors
    /// If `len` is 0.
    pub fn rows(len: usize) -> Result<Self, ParameterError> {
        RowLen::new("softmax", len).map(|row_len| Self { row_len })
    }
}

impl<T: Element> Activation<T> for Softmax {
    #[inline]
    fn run(&self, level: Level, pass: Pass<'_, T>) {
        self.row_len.run(level, pass, Probability, Diagonal, Gradient);
    }

    #[inline]
    fn row_len(&self) -> Option<usize> {
        self.row_len.get()
    }
}

parameters!(Softmax);

impl Described for Softmax {
    const CARD: Card = Card {
        name: "softmax",
        aliases: &[],
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

#[derive(Clone, Copy)]
struct Probability;

impl RowFormula for Probability {
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

/// p (g - <p, g>).
#[derive(Clone, Copy)]
struct Gradient;

impl RowFormula for Gradient {
    const SECOND: bool = true;

    #[inline(always)]
    fn second<R: Real>(self, e: R, _: R, grad_y: R) -> Partial<R> {
        (e * unlift()).two_mul(grad_y)
    }

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
#[derive(Clone, Copy)]
struct Diagonal;

impl RowFormula for Diagonal {
    const SECOND: bool = true;

    #[inline(always)]
    fn first<R: Real>(self, e: R, top: R) -> R {
        Complement::below_top(e, top)
    }

    #[inline(always)]
    fn second<R: Real>(self, e: R, top: R, _: R) -> Partial<R> {
        Complement::is_top(e, top)
    }

    #[inline(always)]
    fn constants<R: Real>(self, row: &Row<R>) -> Constants<R> {
        let (Complement { top, of_top }, Normaliser { factor, factor_lo }) = Complement::of(row);
        [factor, factor_lo, top, of_top]
    }

    #[inline(always)]
    fn result<R: Real>(self, e: R, _: R, &[factor, factor_lo, top, of_top]: &Constants<R>) -> R {
        let p = Normaliser { factor, factor_lo }.probability(e);
        p * Complement { top, of_top }.at(e, p)
    }
}
