//! The exponential as an activation.

use crate::activation::{Elementwise, compiled_passes};
use crate::describe::card::{Card, Described, ErrorBounds, Vanishes};
use crate::describe::parameters::parameters;
use crate::from_output::{SlopeFromOutput, compiled_from_output};
use crate::kernel::level::Level;
use crate::kernel::real::Real;
use crate::math;
use crate::pass::Pass;
use crate::second::{SecondSlope, Weighted};

/// The exponential, for outputs that are rates, counts or variances: e^x.
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/exponential.svg"))]
///
/// - Derivative: e^x. Range: [0, inf].
/// - Error: at most 1.1 ULP, also for the derivative, in `f32` over all 2^32 inputs; the same in `f64`, on a table.
///   Subnormal results are within it.
/// - Special values: exponential(-inf) = 0, exponential(0) = 1, exponential(inf) = inf, NaN gives NaN. The value overflows
///   from x = 88.73 on in `f32`, from 709.79 on in `f64`.
/// - Source: as a layer, Keras's `exponential`, 2019. As the inverse link of a log-linear model, Nelder & Wedderburn,
///   "Generalized linear models", J. R. Stat. Soc. A 135, 1972.
///
/// ```
/// use activations::{Activation, Exponential};
///
/// let mut y = [9.0; 3];
/// Exponential.forward(&[f32::NEG_INFINITY, 0.0, 1.0], &mut y);
/// assert_eq!(y, [0.0, 1.0, std::f32::consts::E]);
/// ```
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[doc(alias = "exp")]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Exponential;

parameters!(Exponential);

impl Elementwise for Exponential {
    compiled_passes!();

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        math::exp(x)
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        math::exp(x)
    }
}

/// The output is the derivative.
impl SlopeFromOutput for Exponential {
    compiled_from_output!();

    #[inline(always)]
    fn slope_from_output<R: Real>(&self, y: R) -> R {
        y
    }
}

/// The second derivative is the first one, so it runs the same loop.
impl SecondSlope for Exponential {
    #[inline(always)]
    fn second_slope<R: Real>(&self, x: R) -> R {
        math::exp(x)
    }

    #[inline]
    fn run_second_f32(&self, level: Level, Weighted { x, weights, out }: Weighted<'_, f32>) {
        self.run_f32(level, Pass::Backward { x, grad_y: weights, grad_x: out });
    }

    #[inline]
    fn run_second_f64(&self, level: Level, Weighted { x, weights, out }: Weighted<'_, f64>) {
        self.run_f64(level, Pass::Backward { x, grad_y: weights, grad_x: out });
    }
}

impl Described for Exponential {
    const CARD: Card = Card {
        name: "exponential",
        aliases: &["exp"],
        formula: "exp(x) = e^x",
        derivative: "exp(x)",
        range: (0.0, f64::INFINITY),
        vanishes: Vanishes::Left,
        zero_centred: false,
        monotone: true,
        kinks: &[],
        common_use: "the output of a model of rates or counts, or of a variance",
        source: "Nelder & Wedderburn, J. R. Stat. Soc. A 135, 1972; Keras",
        error: ErrorBounds { f32: (1.1, 1.1), f32_plain: (1.1, 1.1), f64: (1.1, 1.1), f64_plain: (1.1, 1.1) },
    };
}
