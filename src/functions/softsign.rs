//! Softsign: a sigmoid with tails that fall off slowly.

use crate::activation::{Elementwise, compiled_passes};
use crate::describe::card::{Card, Described, ErrorBounds, Vanishes};
use crate::describe::parameters::parameters;
use crate::from_output::{SlopeFromOutput, compiled_from_output};
use crate::kernel::real::Real;
use crate::math::{self, two_to};
use crate::second::{SecondSlope, compiled_second};

/// Softsign, for hidden layers that saturate slowly: x / (1 + |x|).
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/softsign.svg"))]
///
/// - Derivative: 1 / (1 + |x|)^2. Range: [-1, 1].
/// - From the output: (1 - |y|)^2. As |y| nears 1, 1 - |y| has fewer digits, and so has the result.
/// - Error: at most 1.5 ULP, 3.6 for the derivative, in `f32` over all 2^32 inputs; the same in `f64`, on a table.
///   Subnormal results are within it.
/// - Special values: odd, keeps the sign of zero; softsign(inf) = 1, NaN gives NaN, also in the derivative.
/// - Source: Bergstra, Desjardins, Lamblin & Bengio, "Quadratic polynomials learn better image features", 2009.
///
/// ```
/// use activations::{Activation, Softsign};
///
/// let mut y = [9.0; 3];
/// Softsign.forward(&[-1.0_f32, 0.0, 3.0], &mut y);
/// assert_eq!(y, [-0.5, 0.0, 0.75]);
/// ```
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Softsign;

parameters!(Softsign);

impl Elementwise for Softsign {
    compiled_passes!();

    const ABREAST: usize = 2;

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        // The greatest number replaces infinity, because inf / (1 + inf) is NaN. For the greatest number, a / (1 + a) is the limit.
        let a = x.abs().at_most(R::per_type(f32::MAX, f64::MAX));
        (a / (R::of(1.0) + a)).copysign(x)
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        // The reciprocal is squared, because the square of 1 + |x| would overflow where the result is subnormal.
        let r = R::of(1.0) / (R::of(1.0) + x.abs());
        r * r
    }
}

impl SlopeFromOutput for Softsign {
    compiled_from_output!();

    #[inline(always)]
    fn slope_from_output<R: Real>(&self, y: R) -> R {
        let r = R::of(1.0) - y.abs();
        r * r
    }
}

/// -2 sign(x) / (1 + |x|)^3. At 0 it jumps from 2 to -2 and is set to 0, as in PyTorch.
impl SecondSlope for Softsign {
    compiled_second!();

    #[inline(always)]
    fn second_slope<R: Real>(&self, x: R) -> R {
        // Beyond this bound the result is zero.
        let a = x.abs().at_most(R::per_type(two_to(100) as f32, two_to(900)));
        let (zero, one) = (R::of(0.0), R::of(1.0));
        let (sum, sum_lo) = math::two_sum(one, a);
        let r = one / sum;
        // The cube has three times the relative error of r, which would cost 2 ULP.
        let rest = math::less_product(one, r, sum) - r * sum_lo;
        let square = r * r;
        let cube = square.mul_add(R::of(3.0) * rest, square) * (r + r);
        R::select(x.abs().le(zero), zero, cube.copysign(-x))
    }
}

impl Described for Softsign {
    const CARD: Card = Card {
        name: "softsign",
        aliases: &[],
        formula: "x / (1 + |x|)",
        derivative: "1 / (1 + |x|)^2",
        range: (-1.0, 1.0),
        vanishes: Vanishes::BothSides,
        zero_centred: true,
        monotone: true,
        kinks: &[],
        common_use: "hidden layers that saturate slowly; WaveNet-like vocoders",
        source: "Bergstra, Desjardins, Lamblin & Bengio, 2009",
        error: ErrorBounds { f32: (1.5, 3.6), f32_plain: (1.5, 3.6), f64: (1.5, 3.6), f64_plain: (1.5, 3.6) },
    };
}
