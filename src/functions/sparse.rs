//! The sparse family: softplus and sigmoid made of a parabola and straight lines. Both are 0 for x <= -1.

use super::step::{Step, between};
use crate::activation::{Elementwise, compiled_passes};
use crate::describe::card::{Card, Described, ErrorBounds, Vanishes};
use crate::describe::parameters::parameters;
use crate::from_output::{SlopeFromOutput, compiled_from_output};
use crate::kernel::real::Real;
use crate::second::second_slope_of;

/// Sparse plus, a softplus that is exactly 0 on the left: 0 for x <= -1, (x + 1)^2 / 4 between, x for x >= 1.
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/sparse_plus.svg"))]
///
/// - Derivative: [`SparseSigmoid`]. Range: [0, inf).
/// - From the output: sqrt(y), at most 1.
/// - Error: at most 2.0 ULP, 0.5 for the derivative.
/// - Special values: sparse_plus(-inf) = 0, sparse_plus(inf) = inf, NaN gives NaN, also in the derivative.
/// - Source: as JAX and Keras have it; Martins & Astudillo, "From softmax to sparsemax", ICML 2016, arXiv:1602.02068:
///   the loss of two classes.
///
/// ```
/// use activations::{Activation, SparsePlus};
///
/// let mut y = [9.0; 4];
/// SparsePlus.forward(&[-2.0_f32, 0.0, 0.5, 2.0], &mut y);
/// assert_eq!(y, [0.0, 0.25, 0.5625, 2.0]);
/// ```
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SparsePlus;

parameters!(SparsePlus);

impl Elementwise for SparsePlus {
    compiled_passes!();

    const ABREAST: usize = 1;

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        let h = half_above_minus_one(x);
        R::select(x.lt(R::of(1.0)), h * h, x)
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        SparseSigmoid.value(x)
    }
}

impl SlopeFromOutput for SparsePlus {
    compiled_from_output!();

    #[inline(always)]
    fn slope_from_output<R: Real>(&self, y: R) -> R {
        y.sqrt().at_most(R::of(1.0))
    }
}

second_slope_of!(SparsePlus | _f | Step::between(-1.0, 1.0, 0.5));

impl Described for SparsePlus {
    const CARD: Card = Card {
        name: "sparse_plus",
        aliases: &[],
        formula: "0 if x <= -1, x if x >= 1, else (x + 1)^2 / 4",
        derivative: "min(max((x + 1) / 2, 0), 1)",
        range: (0.0, f64::INFINITY),
        vanishes: Vanishes::Left,
        zero_centred: false,
        monotone: true,
        kinks: &[],
        common_use: "a softplus that is 0 on the left",
        source: "Martins & Astudillo, ICML 2016, arXiv:1602.02068",
        error: ErrorBounds { f32: (2.0, 0.5), f32_plain: (2.0, 0.5), f64: (2.0, 0.5), f64_plain: (2.0, 0.5) },
    };
}

/// Sparse sigmoid, for gates that close and open fully: (x + 1) / 2, clamped to \[0, 1\].
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/sparse_sigmoid.svg"))]
///
/// - Derivative: 1/2 for -1 < x < 1, else 0. Not differentiable at -1 and 1, where the derivative is set to 0, as in
///   Keras and as for [`HardSigmoid`](crate::HardSigmoid). (JAX gives 1/4.) PyTorch has no such function. Range: [0, 1].
/// - From the output: an output of 1 has derivative 0, even if it comes from an input below 1 and was rounded to 1.
/// - Error: one rounding, 0.5 ULP.
/// - Special values: sparse_sigmoid(-inf) = 0, sparse_sigmoid(inf) = 1, NaN gives NaN, also in the derivative.
/// - Source: as JAX and Keras have it; Martins & Astudillo, "From softmax to sparsemax", ICML 2016, arXiv:1602.02068:
///   the sparsemax of two classes.
///
/// ```
/// use activations::{Activation, SparseSigmoid};
///
/// let mut y = [9.0; 4];
/// SparseSigmoid.forward(&[-2.0_f32, 0.0, 0.5, 2.0], &mut y);
/// assert_eq!(y, [0.0, 0.5, 0.75, 1.0]);
/// ```
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SparseSigmoid;

parameters!(SparseSigmoid);

impl Elementwise for SparseSigmoid {
    compiled_passes!();

    const ABREAST: usize = 1;

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        half_above_minus_one(x).at_most(R::of(1.0))
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        between(x, R::of(-1.0), R::of(1.0), R::of(0.5))
    }
}

impl SlopeFromOutput for SparseSigmoid {
    compiled_from_output!();

    #[inline(always)]
    fn slope_from_output<R: Real>(&self, y: R) -> R {
        between(y, R::of(0.0), R::of(1.0), R::of(0.5))
    }
}

second_slope_of!(SparseSigmoid | _f | Step::ZERO);

impl Described for SparseSigmoid {
    const CARD: Card = Card {
        name: "sparse_sigmoid",
        aliases: &[],
        formula: "min(max((x + 1) / 2, 0), 1)",
        derivative: "1/2 if -1 < x < 1, else 0",
        range: (0.0, 1.0),
        vanishes: Vanishes::BothSides,
        zero_centred: false,
        monotone: true,
        kinks: &[-1.0, 1.0],
        common_use: "a gate that closes and opens fully",
        source: "Martins & Astudillo, ICML 2016, arXiv:1602.02068",
        error: ErrorBounds::EXACT,
    };
}

/// max((x + 1) / 2, 0), rounded once.
#[inline(always)]
fn half_above_minus_one<R: Real>(x: R) -> R {
    x.mul_add(R::of(0.5), R::of(0.5)).at_least(R::of(0.0))
}
