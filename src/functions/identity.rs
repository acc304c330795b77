//! The identity: no activation.

use super::step::Step;
use crate::activation::{Elementwise, compiled_passes};
use crate::describe::card::{Card, Described, ErrorBounds, Vanishes};
use crate::describe::parameters::parameters;
use crate::from_output::{SlopeFromOutput, compiled_from_output};
use crate::kernel::real::Real;
use crate::second::second_slope_of;

/// The identity, for the output of a regression, or if a configuration asks for no activation: x.
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/identity.svg"))]
///
/// - Derivative: 1. Range: the whole line.
/// - Error: none.
/// - Special values: NaN gives NaN, also in the derivative; everything else is returned unchanged.
/// - Source: Widrow & Hoff, "Adaptive switching circuits", 1960: the linear unit.
///
/// ```
/// use activations::{Activation, AnyActivation};
///
/// let mut y = [0.0; 2];
/// "linear".parse::<AnyActivation>()?.forward(&[-0.5_f32, 2.0], &mut y);
/// assert_eq!(y, [-0.5, 2.0]);
/// # Ok::<(), activations::ParseError>(())
/// ```
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[doc(alias = "linear")]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Identity;

parameters!(Identity);

impl Elementwise for Identity {
    compiled_passes!();

    const ABREAST: usize = 1;

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        x
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        R::select(x.le(x), R::of(1.0), x)
    }
}

impl SlopeFromOutput for Identity {
    compiled_from_output!();

    #[inline(always)]
    fn slope_from_output<R: Real>(&self, y: R) -> R {
        self.slope(y)
    }
}

second_slope_of!(Identity | _f | Step::ZERO);

impl Described for Identity {
    const CARD: Card = Card {
        name: "identity",
        aliases: &["linear", "none"],
        formula: "f(x) = x",
        derivative: "1 everywhere",
        range: (f64::NEG_INFINITY, f64::INFINITY),
        vanishes: Vanishes::Never,
        zero_centred: true,
        monotone: true,
        kinks: &[],
        common_use: "the output of a regression",
        source: "Widrow & Hoff, 1960",
        error: ErrorBounds::EXACT,
    };
}
