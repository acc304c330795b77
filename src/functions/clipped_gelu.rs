//! GELU, cut off at two values.

use super::hinge::{hinge, reflect};
use super::second::GeluBump;
use crate::activation::{Elementwise, compiled_passes};
use crate::describe::card::{Card, Described, ErrorBounds, Vanishes};
use crate::describe::parameters::parameters;
use crate::kernel::real::Real;
use crate::math::NormalTail;
use crate::second::{SecondSlope, compiled_second};

/// [`Gelu`](crate::Gelu), cut off at `min` and `max`, for transformers that are quantised to 8 bits: min(max(gelu(x), min),
/// max).
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/clipped_gelu.svg"))]
///
/// Eight bits resolve a short range of values more finely than a long one. gelu(x) is never below -0.16997, so a `min` below
/// that changes nothing.
///
/// - Derivative: GELU's where min <= gelu(x) <= max, else 0. It jumps where gelu(x) reaches `min` or `max`. There it is
///   GELU's, as with PyTorch's `clip`. Range: [-0.16997, 10] by default.
/// - Error: at most 3.0 ULP, 3.6 for the derivative, in `f32` over all 2^32 inputs (2.9 and 3.6 without fused
///   multiply-add); 3.6 and 3.2 in `f64`, on a table (3.8 and 3.2). Both tails and subnormal results are within it.
///   Where the derivative is below 1/16, near its root at -0.7518, its error is in units of the spacing at 1/16.
/// - Parameters: `min` and `max` are rounded to the element's type.
/// - Special values: clipped_gelu(-inf) = -0.0 for a `min` below 0, clipped_gelu(inf) = max, keeps the sign of zero if 0 is
///   between `min` and `max`, NaN gives NaN, also in the derivative.
/// - Source: Wu, Judd, Zhang, Isaev & Micikevicius, "Integer quantization for deep learning inference: principles and
///   empirical evaluation", 2020, arXiv:2004.09602.
///
/// ```
/// use activations::{Activation, ClippedGelu, Gelu};
///
/// let x = [-1.0_f32, 0.5, 9.0, 11.0];
/// let (gelu, clipped) = (Gelu.forward_vec(&x), ClippedGelu::default().forward_vec(&x));
/// assert_eq!(clipped[..3], gelu[..3]);
/// assert_eq!(clipped[3], 10.0);
/// assert_eq!(ClippedGelu::new(-0.1, 6.0)?.forward_vec(&x)[0], -0.1);
/// # Ok::<(), activations::ParameterError>(())
/// ```
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[doc(alias = "gelu_10")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClippedGelu {
    min: f64,
    max: f64,
}

parameters! {
    ClippedGelu {
        /// The least value. By default it is below all values of GELU.
        min: Finite = -10.0,
        /// The greatest value. It must be above the least.
        max: Finite = 10.0,
    } where min < max => max: "above `min`"
}

impl ClippedGelu {
    /// `gelu` cut off; a NaN stays.
    #[inline(always)]
    fn clip<R: Real>(&self, gelu: R) -> R {
        gelu.at_least(R::of(self.min)).at_most(R::of(self.max))
    }
}

impl Elementwise for ClippedGelu {
    compiled_passes!();

    // The derivative needs registers for GELU and for its derivative.
    const ABREAST: usize = 2;
    const ABREAST_OF_BOTH: usize = 1;

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        self.clip(hinge(x, NormalTail::new(x).times_a()))
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        let tail = NormalTail::new(x);
        let (gelu, zero) = (hinge(x, tail.times_a()), R::of(0.0));
        let below_max = R::select(R::of(self.max).lt(gelu), zero, reflect(x, tail.gelu_slope().number()));
        R::select(gelu.lt(R::of(self.min)), zero, below_max)
    }
}

/// GELU's where min <= gelu(x) <= max, else 0.
impl SecondSlope for ClippedGelu {
    compiled_second!();

    const ABREAST_OF_SECOND: usize = 1;

    #[inline(always)]
    fn second_slope<R: Real>(&self, x: R) -> R {
        let (gelu, zero) = (hinge(x, NormalTail::new(x).times_a()), R::of(0.0));
        let below_max = R::select(R::of(self.max).lt(gelu), zero, GeluBump.second_slope(x));
        R::select(gelu.lt(R::of(self.min)), zero, below_max)
    }
}

impl Described for ClippedGelu {
    const CARD: Card = Card {
        name: "clipped_gelu",
        aliases: &["gelu_10"],
        formula: "min(max(gelu(x), min), max)",
        derivative: "gelu'(x) if min <= gelu(x) <= max, else 0",
        range: (-0.169_971_207_479_903_66, 10.0),
        vanishes: Vanishes::BothSides,
        zero_centred: false,
        monotone: false,
        kinks: &[10.0],
        common_use: "transformers whose activations are quantised to 8 bits",
        source: "Wu, Judd, Zhang, Isaev & Micikevicius, 2020, arXiv:2004.09602",
        error: ErrorBounds { f32: (3.0, 3.6), f32_plain: (2.9, 3.6), f64: (3.6, 3.2), f64_plain: (3.8, 3.2) },
    };
}
