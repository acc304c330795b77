//! Snake: a line plus a wave.

use crate::activation::{Elementwise, compiled_passes};
use crate::describe::card::{Card, Described, ErrorBounds, Vanishes};
use crate::describe::parameters::parameters;
use crate::kernel::real::{Coefficients, Real};
use crate::math::{self, Scale, two_to};
use crate::parametric::{Parametric, compiled_parametric};
use crate::second::{SecondSlope, compiled_second};

/// Snake, for signals that repeat (audio synthesis, vocoders): x + sin(a x)^2 / a.
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/snake.svg"))]
///
/// - Derivative: 1 + sin(2 a x) = 2 sin(a x + pi/4)^2, which keeps its digits near its double zeros. Range: the whole line.
/// - Error: at most 1.7 ULP, 1.6 for the derivative, in `f32` over all 2^32 inputs, with a = 1 (2.0 and 2.0 without fused
///   multiply-add); 1.5 and 1.5 in `f64`, on a table (2.0 and 1.5).
/// - Domain: the derivative is computed for |a x| up to 1600 (`f64`: 3e6). Beyond, it is set to 1, its mean. The value is right
///   everywhere, because the wave is as small as the rounding of x there.
/// - Other a: rounded to the type, to no more than 2^60 (`f64`: 2^500), and to no less than the reciprocal of that.
/// - Special values: snake(-inf) = -inf, snake(inf) = inf; keeps the sign of zero, NaN gives NaN. At the infinities the
///   derivative has no limit and is set to 1.
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
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
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

/// a x as an unevaluated sum. x is bounded first, so that |a x| is at most 2^24 (`f64`: 2^53).
#[inline(always)]
fn phase<R: Real>(x: R, scale: Scale<R>) -> (R, R) {
    let most = R::per_type(two_to(24) as f32, two_to(53)) / scale.factor;
    scale.times(x.at_most(most).at_least(-most), None)
}

/// The value from a and 1/a.
#[inline(always)]
fn value<R: Real>(x: R, scale: Scale<R>, recip: Scale<R>) -> R {
    let (z, z_lo) = phase(x, scale);
    let (wave, wave_lo) = math::sin_square(z, z_lo, 0.0);
    // The wave cancels up to three quarters of x, so it is computed with its low part.
    let (wave, wave_lo) = recip.times(wave, Some(wave_lo));
    ((x + wave) + wave_lo).copysign(x)
}

/// The derivative from a.
#[inline(always)]
fn slope<R: Real>(x: R, scale: Scale<R>) -> R {
    let (z, z_lo) = phase(x, scale);
    let (half, half_lo) = math::sin_square(z, z_lo, 0.25);
    let half = half + half_lo;
    R::select(is_far(z), R::of(1.0), half + half)
}

/// Whether the phase is so great that its spacing is too coarse for the wave.
#[inline(always)]
fn is_far<R: Real>(z: R) -> R::Mask {
    R::per_type(1600.0, 3e6).lt(z.abs())
}

impl Elementwise for Snake {
    compiled_passes!();

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        value(x, Scale::of(self.a), Scale::recip_of(self.a))
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        slope(x, Scale::of(self.a))
    }
}

/// 2 a cos(2 a x) = 2 a (1 - 2 sin(a x)^2).
impl SecondSlope for Snake {
    compiled_second!();

    #[inline(always)]
    fn second_slope<R: Real>(&self, x: R) -> R {
        let scale = Scale::of(self.a);
        let (z, z_lo) = phase(x, scale);
        let (half, half_lo) = math::sin_square(z, z_lo, 0.0);
        let cosine = (R::of(1.0) - (half + half)) - (half_lo + half_lo);
        R::select(is_far(z), R::of(0.0), (scale.factor + scale.factor) * cosine)
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

/// [`Snake`] with a trained a for each channel, of any sign, for [`PerChannel`](crate::PerChannel). For a = 0 it is x.
///
/// - Derivatives: with respect to x, as for `Snake`; with respect to a, x sin(2 a x) / a - sin(a x)^2 / a^2, which is x^2 at a = 0.
/// - Error: value and derivative as for `Snake`. The derivative with respect to a is within 4 ULP (`f64`: 16) for |a x| up to 1/2.
///   Above that it is within 4 ULP (`f64`: 16) or 2^-22 (`f64`: 2^-51) (|x| + 1/|a|) / |a|, whichever is greater. Beyond
///   |a x| = 1600 (`f64`: 3e6) it is set to its mean, -1 / (2 a^2).
/// - Other a: limited to 2^60 (`f64`: 2^500) in magnitude from above, and to the reciprocal of that from below.
/// - Special values: as for `Snake`.
/// - Source: Ziyin, Hartwig & Ueda, "Neural networks fail to learn periodic functions and how to fix it", 2020,
///   arXiv:2006.08195; trained per channel in BigVGAN, Lee, Ping, Ginsburg, Catanzaro & Yoon, 2022, arXiv:2206.04658.
///
/// ```
/// use activations::{Activation, PerChannel, SnakeA};
///
/// let x = [0.5_f64, -0.5];
/// let y = PerChannel::new(SnakeA, [&[2.0, -2.0]]).forward_vec(&x);
/// // snake(x; -a) = -snake(-x; a).
/// assert_eq!(y[0], -y[1]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SnakeA;

/// Taylor coefficients of sin(2 z)/z - sin(z)^2/z^2 in z^2: (-1)^k 2^(2 k + 1) (2 k + 1)/(2 k + 2)!. The remaining terms are
/// below 2^-28 (`f64`: 2^-58) for |z| up to 1/2.
const SERIES: Coefficients = {
    const F64: [f64; 11] = {
        let (mut c, mut k) = ([0.0; 11], 0);
        // 2^(2 k + 1)/(2 k + 2)! with its sign.
        let mut term = 1.0;
        while k < c.len() {
            c[k] = term * (2 * k + 1) as f64;
            term *= -4.0 / ((2 * k + 3) * (2 * k + 4)) as f64;
            k += 1;
        }
        c
    };
    const F32: [f32; 6] = {
        let (mut c, mut k) = ([0.0; 6], 0);
        while k < c.len() {
            c[k] = F64[k] as f32;
            k += 1;
        }
        c
    };
    Coefficients { f32: &F32, f64: &F64 }
};

impl Parametric<1> for SnakeA {
    compiled_parametric!(1);

    #[inline(always)]
    fn value<R: Real>(&self, x: R, [a]: [R; 1]) -> R {
        let (sign, scale) = (R::of(1.0).copysign(a), Scale::of_lane(a.abs()));
        value(sign * x, scale, scale.recip()) * sign
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R, [a]: [R; 1]) -> R {
        slope(R::of(1.0).copysign(a) * x, Scale::of_lane(a.abs()))
    }

    #[inline(always)]
    fn partials<R: Real>(&self, x: R, [a]: [R; 1]) -> [R; 1] {
        // The result is even in x and in a.
        let scale = Scale::of_lane(a.abs());
        let (x, recip) = (x.abs(), R::of(1.0) / scale.factor);
        let (z, z_lo) = phase(x, scale);
        let square = z * z;
        let near = x * (x * square.polynomial(&SERIES));

        let (half, half_lo) = math::sin_square(z, z_lo, 0.25);
        let (wave, wave_lo) = math::sin_square(z, z_lo, 0.0);
        let sine = (half - R::of(0.5)) + half_lo;
        let far = (x * (sine + sine) - (wave + wave_lo) * recip) * recip;
        let mean = R::of(-0.5) * recip * recip;
        let far = R::select(is_far(z), mean, far);
        [R::select(R::of(0.5).lt(z), far, near)]
    }
}
