//! Squareplus: a softplus without exponentials.

use crate::activation::{Elementwise, compiled_passes};
use crate::describe::card::{Card, Described, ErrorBounds, Vanishes};
use crate::describe::parameters::parameters;
use crate::kernel::real::Real;
use crate::second::{SecondSlope, compiled_second};

/// Squareplus, a cheap softplus: (x + sqrt(x^2 + `b`)) / 2, computed without cancellation or overflow.
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/squareplus.svg"))]
///
/// - Derivative: (1 + x / sqrt(x^2 + b)) / 2. Range: [0, inf).
/// - Error: at most 2.8 ULP, 2.6 for the derivative, in `f32` over all 2^32 inputs, for b = 4 (2.8 and 3.4 without fused
///   multiply-add); 3.0 and 3.0 in `f64`, on a table (3.0 and 3.5). Subnormal results are within it. Another b is
///   rounded to the element's type first.
/// - Special values: squareplus(0) = sqrt(b) / 2, squareplus(-inf) = 0, squareplus(inf) = inf, NaN gives NaN, also in the
///   derivative.
/// - Source: Barron, "Squareplus: a softplus-like algebraic rectifier", 2021, arXiv:2112.11687.
///
/// ```
/// use activations::{Activation, Squareplus};
///
/// let mut y = [9.0; 3];
/// Squareplus::default().forward(&[-1e6_f32, 0.0, 1.5], &mut y);
/// assert_eq!(y, [1e-6, 1.0, 2.0]);
/// ```
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Squareplus {
    b: f64,
}

parameters! {
    Squareplus {
        /// How round the corner is, from 1e-30 to 1e20. 4 by default, as in JAX and Keras; the value at x = 0 is then 1.
        b: Positive = 4.0,
    } where (1e-30..=1e20).contains(&b) => b: "between 1e-30 and 1e20"
}

/// |x| k, its square plus b k^2, and b k / 2.
///
/// k is 1, or small for a large |x|, whose square would overflow. There b is negligible beside the square.
struct Scaled<R> {
    k: R,
    a: R,
    square: R,
    half_b: R,
}

impl Squareplus {
    #[inline(always)]
    fn scaled<R: Real>(&self, x: R) -> Scaled<R> {
        let large = R::per_type(SCALE.0 as f32, SCALE_F64.0).lt(x.abs());
        let small = R::per_type(SCALE.1 as f32, SCALE_F64.1);
        let (b, half_b) = (R::of(self.b), R::of(0.5 * self.b));
        let k = R::select(large, small, R::of(1.0));
        let a = x.abs() * k;
        Scaled {
            k,
            a,
            square: a.mul_add(a, R::select(large, b * small * small, b)),
            half_b: R::select(large, half_b * small, half_b),
        }
    }
}

/// For |x| above the first number, k is the second: 2^50, 2^-65.
const SCALE: (f64, f64) = (f64::from_bits((1023 + 50) << 52), f64::from_bits((1023 - 65) << 52));
/// For `f64`: 2^500, 2^-513.
const SCALE_F64: (f64, f64) = (f64::from_bits((1023 + 500) << 52), f64::from_bits((1023 - 513) << 52));

impl Elementwise for Squareplus {
    compiled_passes!();

    const ABREAST: usize = 2;

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        // max(x, 0) + (b / 2) / (sqrt(x^2 + b) + |x|).
        let Scaled { a, square, half_b, .. } = self.scaled(x);
        x.at_least(R::of(0.0)) + half_b / (square.sqrt() + a)
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        // (b / 2) / (x^2 + b + |x| sqrt(x^2 + b)) on the left, 1 minus that on the right.
        let Scaled { k, a, square, half_b } = self.scaled(x);
        let left = half_b / square.sqrt().mul_add(a, square) * k;
        R::select(R::of(0.0).lt(x), R::of(1.0) - left, left)
    }
}

/// (b / 2) / (x^2 + b)^(3/2).
impl SecondSlope for Squareplus {
    compiled_second!();

    #[inline(always)]
    fn second_slope<R: Real>(&self, x: R) -> R {
        // Multiplies twice by k, at the end, because k^2 is below the normal range.
        let Scaled { k, square, half_b, .. } = self.scaled(x);
        half_b / square / square.sqrt() * k * k
    }
}

impl Described for Squareplus {
    const CARD: Card = Card {
        name: "squareplus",
        aliases: &[],
        formula: "(x + sqrt(x^2 + b)) / 2",
        derivative: "(1 + x / sqrt(x^2 + b)) / 2",
        range: (0.0, f64::INFINITY),
        vanishes: Vanishes::Left,
        zero_centred: false,
        monotone: true,
        kinks: &[],
        common_use: "a softplus that is cheap",
        source: "Barron, 2021, arXiv:2112.11687",
        error: ErrorBounds { f32: (2.8, 2.6), f32_plain: (2.8, 3.4), f64: (3.0, 3.0), f64_plain: (3.0, 3.5) },
    };
}
