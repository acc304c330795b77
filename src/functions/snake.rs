//! Snake: a line with a wave on it.

use crate::activation::{Elementwise, compiled_passes};
use crate::describe::card::{Card, Described, ErrorBounds, Vanishes};
use crate::describe::parameters::parameters;
use crate::kernel::real::Real;
use crate::math::{self, Scale, two_to};

/// Snake: x + sin(a x)^2 / a, for signals that repeat.
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/snake.svg"))]
///
/// - Derivative: 1 + sin(2 a x) = 2 sin(a x + pi/4)^2, which keeps its digits near its double zeros. Range: the whole line.
/// - Error: at most 1.7 ULP, 1.6 for the derivative, in `f32` over all 2^32 inputs, with a = 1 (2.0 and 2.0 without fused
///   multiply-add); 1.5 and 1.5 in `f64`, on a table (2.0 and 1.5).
/// - The derivative is that for |a x| up to 1600 (`f64`: 3e6). Beyond, it is given as 1, its mean. The value is right
///   everywhere: there the wave is as small as the rounding of x.
/// - Other a: rounded to the type, to no more than 2^60 (`f64`: 2^500), and to no less than the reciprocal of that.
/// - Special values: snake(-inf) = -inf, snake(inf) = inf, where the derivative, which has no limit, is given as 1; keeps
///   the sign of zero, NaN gives NaN.
/// - Source: Ziyin, Hartwig & Ueda, "Neural networks fail to learn periodic functions and how to fix it", 2020,
///   arXiv:2006.08195.
///
/// ```
/// use activations::{Activation, Snake};
///
/// let mut y = [0.0; 3];
/// Snake::default().forward(&[-1.0_f32, 0.0, 1.0], &mut y);
/// assert_eq!(y[1], 0.0);
/// assert!((y[2] - 1.708_073_4).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Snake {
    a: f64,
}

parameters! {
    Snake {
        /// The frequency: the wave repeats after pi/a.
        a: Positive = 1.0,
    }
}

impl Snake {
    /// a x as an unevaluated sum. x is bounded first, so that |a x| is at most 2^24 (`f64`: 2^53).
    #[inline(always)]
    fn phase<R: Real>(&self, x: R) -> (R, R) {
        let scale = Scale::of(self.a);
        let most = R::per_type(two_to(24) as f32, two_to(53)) / scale.factor;
        scale.times(x.at_most(most).at_least(-most), None)
    }
}

impl Elementwise for Snake {
    compiled_passes!();

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        let (z, z_lo) = self.phase(x);
        let (wave, wave_lo) = math::sin_square(z, z_lo, 0.0);
        // The wave takes away up to three quarters of x, so it has its low part.
        let (wave, wave_lo) = Scale::recip_of(self.a).times(wave, Some(wave_lo));
        ((x + wave) + wave_lo).copysign(x)
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        let (z, z_lo) = self.phase(x);
        let (half, half_lo) = math::sin_square(z, z_lo, 0.25);
        let half = half + half_lo;
        R::select(R::per_type(1600.0, 3e6).lt(z.abs()), R::of(1.0), half + half)
    }
}

impl Described for Snake {
    const CARD: Card = Card {
        name: "snake",
        aliases: &[],
        formula: "x + sin(a x)^2 / a",
        derivative: "1 + sin(2 a x)",
        range: (f64::NEG_INFINITY, f64::INFINITY),
        vanishes: Vanishes::Never,
        zero_centred: false,
        monotone: true,
        kinks: &[],
        common_use: "periodic signals: audio synthesis, vocoders",
        source: "Ziyin, Hartwig & Ueda, 2020, arXiv:2006.08195",
        error: ErrorBounds { f32: (1.7, 1.6), f32_plain: (2.0, 2.0), f64: (1.5, 1.5), f64_plain: (2.0, 1.5) },
    };
}
