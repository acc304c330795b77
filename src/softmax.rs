//! Softmax: rows of scores to rows of probabilities.

use core::num::NonZeroUsize;

use crate::activation::{Activation, Pass};
use crate::card::{Card, Described, ErrorBounds, Vanishes};
use crate::dispatch::{Level, Task, dispatch};
use crate::element::{Element, Lane};
use crate::error::ParameterError;
use crate::math::{lifted_exp_difference, lifted_one, two_sum};
use crate::real::Real;
use crate::reduce;
use crate::sweep::sweep;

/// Softmax: p\[i\] = e^x\[i\] / sum of e^x\[j\], over each row.
///
/// - [`Softmax::default()`] takes the whole slice as one row; [`Softmax::rows(n)`](Self::rows) each n elements.
/// - Derivative: a Jacobian, dp\[i\]/dx\[j\] = p\[i\] (\[i = j\] - p\[j\]). [`derivative`](Activation::derivative) gives its
///   diagonal, p (1 - p); [`backward`](Activation::backward) the true product, p (g - <p, g>).
/// - Range: \[0, 1\]; a row sums to 1. The maximum is subtracted first: nothing overflows.
/// - Error: at most 4 ULP in `f32`, 5 without fused multiply-add, on rows up to a million; subnormal probabilities are
///   within it.
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
    row_len: Option<NonZeroUsize>,
}

impl Softmax {
    /// Each `len` elements are a row of their own.
    ///
    /// Slices whose length is not a multiple of `len` make the methods panic.
    ///
    /// # Errors
    /// If `len` is 0.
    pub fn rows(len: usize) -> Result<Self, ParameterError> {
        match NonZeroUsize::new(len) {
            None => Err(ParameterError::new("softmax", "rows", 0.0, "at least 1")),
            row_len => Ok(Self { row_len }),
        }
    }
}

impl<T: Element> Activation<T> for Softmax {
    #[inline]
    fn run(&self, level: Level, pass: Pass<'_, T>) {
        let row_len = self.row_len.map(NonZeroUsize::get);
        match pass {
            Pass::Forward { x, y } => dispatch(level, Forward { row_len, x, y }),
            Pass::ForwardInPlace { x } => dispatch(level, ForwardInPlace { row_len, x }),
            Pass::Derivative { x, dydx } => dispatch(level, Diagonal { row_len, x, dydx }),
            Pass::ForwardWithDerivative { x, y, dydx } => {
                dispatch(level, Diagonal { row_len, x, dydx });
                dispatch(level, Forward { row_len, x, y });
            }
            Pass::Backward { x, grad_y, grad_x } => dispatch(level, Backward { row_len, x, grad_y, grad_x }),
        }
    }

    #[inline]
    fn row_len(&self) -> Option<usize> {
        self.row_len.map(NonZeroUsize::get)
    }
}

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
        error: ErrorBounds { f32: (4.0, 4.0), f32_plain: (5.0, 5.0), f64: (4.0, 4.0), f64_plain: (5.0, 5.0) },
    };
}

/// A formula over a row, with what the row's reductions found.
trait RowFormula {
    const ABREAST: bool;
    fn of<R: Real>(&self, x: R) -> R;
}

sweep!(Map<RowFormula> |f, x| y = f.of(x));
sweep!(MapInPlace<RowFormula> |f| y = f.of(y));

/// e^(x - max), lifted.
struct Exp {
    max: f64,
}

impl RowFormula for Exp {
    const ABREAST: bool = true;
    #[inline(always)]
    fn of<R: Real>(&self, x: R) -> R {
        lifted_exp_difference(x, R::of(self.max))
    }
}

/// A lifted exponential to its probability.
struct Probability {
    factor: f64,
}

impl RowFormula for Probability {
    const ABREAST: bool = false;
    #[inline(always)]
    fn of<R: Real>(&self, e: R) -> R {
        e * R::of(self.factor)
    }
}

/// A lifted exponential to p (1 - p), 1 - p as the sum of the others, so that it keeps its digits where p is near 1.
struct DiagonalOf {
    /// The reciprocal of the sum is factor (1 + correction).
    factor: f64,
    correction: f64,
    /// The sum of the greatest exponentials, which are all 1, and of the rest.
    greatest: f64,
    rest: (f64, f64),
}

impl RowFormula for DiagonalOf {
    const ABREAST: bool = false;
    #[inline(always)]
    fn of<R: Real>(&self, e: R) -> R {
        let factor = R::of(self.factor);
        // Exact where e is one of the greatest, so that nothing of the rest is lost.
        let others = (((R::of(self.greatest) - e) + R::of(self.rest.0)) + R::of(self.rest.1)) * factor;
        // The factor's own rounding would count twice.
        let twice = R::of(2.0 * self.correction);
        (e * factor) * others.mul_add(twice, others)
    }
}

/// A lifted exponential and its incoming gradient to p (g - mean).
struct Centred {
    factor: f64,
    mean: f64,
}

trait PairFormula {
    const ABREAST: bool;
    fn of<R: Real>(&self, e: R, grad: R) -> R;
}

impl PairFormula for Centred {
    const ABREAST: bool = false;
    #[inline(always)]
    fn of<R: Real>(&self, e: R, grad: R) -> R {
        (e * R::of(self.factor)) * (grad - R::of(self.mean))
    }
}

sweep!(MapPair<PairFormula> |f, grad_y| e = f.of(e, grad_y));

/// The factor that makes probabilities of a row of lifted exponentials: the reciprocal of their sum.
#[inline(always)]
fn reciprocal<R: Real>((hi, lo): (R, R)) -> R {
    R::of(1.0) / (hi + lo)
}

/// Defines a task that runs over rows: for each, `$body`.
macro_rules! row_task {
    ($task:ident |$($input:ident),*; $output:ident; $t:ident, $r:ident| $body:block) => {
        struct $task<'a, T> {
            row_len: Option<usize>,
            $($input: &'a [T],)*
            $output: &'a mut [T],
        }

        impl<$t: Element> Task<$t> for $task<'_, $t> {
            type Output = ();

            #[inline(always)]
            fn run<$r: Lane<$t>>(self) {
                // An empty slice has no rows, whatever their length.
                let row_len = self.row_len.unwrap_or(self.$output.len()).max(1);
                $(let mut $input = self.$input.chunks_exact(row_len);)*
                for $output in self.$output.chunks_exact_mut(row_len) {
                    $(let Some($input) = $input.next() else { return };)*
                    $body
                }
            }
        }
    };
}

row_task!(Forward |x; y; T, R| {
    let max = reduce::max::<T, R>(x).wide();
    Map { f: &Exp { max }, x, y }.run::<R>();
    let factor = reciprocal(reduce::sum::<T, R>(y)).wide();
    MapInPlace { f: &Probability { factor }, y }.run::<R>();
});

row_task!(ForwardInPlace |; x; T, R| {
    let max = reduce::max::<T, R>(x).wide();
    MapInPlace { f: &Exp { max }, y: x }.run::<R>();
    let factor = reciprocal(reduce::sum::<T, R>(x)).wide();
    MapInPlace { f: &Probability { factor }, y: x }.run::<R>();
});

row_task!(Diagonal |x; dydx; T, R| {
    let max = reduce::max::<T, R>(x).wide();
    Map { f: &Exp { max }, x, y: dydx }.run::<R>();
    let (rest, greatest) = reduce::sums_below_and_at::<T, R>(dydx, lifted_one());
    let (hi, lo) = two_sum(greatest, rest.0);
    let factor = reciprocal((hi, lo + rest.1));
    let (product, product_lo) = factor.two_mul(hi);
    let correction = (R::of(1.0) - product) - product_lo - factor * (lo + rest.1);
    let f = DiagonalOf {
        factor: factor.wide(),
        correction: correction.wide(),
        greatest: greatest.wide(),
        rest: (rest.0.wide(), rest.1.wide()),
    };
    MapInPlace { f: &f, y: dydx }.run::<R>();
});

row_task!(Backward |x, grad_y; grad_x; T, R| {
    let max = reduce::max::<T, R>(x).wide();
    Map { f: &Exp { max }, x, y: grad_x }.run::<R>();
    let factor = reciprocal(reduce::sum::<T, R>(grad_x));
    let (hi, lo) = reduce::dot::<T, R>(grad_x, grad_y);
    let mean = ((hi + lo) * factor).wide();
    MapPair { f: &Centred { factor: factor.wide(), mean }, grad_y, e: grad_x }.run::<R>();
});
