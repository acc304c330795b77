//! Sine and cosine, and the square of the sine for Snake.

use super::exp::two_to;
use super::two_sum;
use crate::kernel::real::{Coefficients, QuarterTurns, Real};

/// p(r^2) with sin(r) = r + r^3 p(r^2), |r| <= pi/4 and 1 % more.
///
/// Relative error of sin(r): 2^-27.8 (`f32`), 2^-62.8 (`f64`). Fitted with coefficients rounded to the type by
/// `tools/sine.sollya`.
const P: Coefficients = Coefficients {
    f32: &[-0.166_666_54, 8.332_108e-3, -1.950_823_4e-4],
    f64: &[
        -0.166_666_666_666_666_66,
        8.333_333_333_333_104e-3,
        -1.984_126_984_106_341_5e-4,
        2.755_731_913_337_003_7e-6,
        -2.505_208_719_257_322e-8,
        1.605_641_953_504_074_4e-10,
        -7.493_922_066_674_225e-13,
    ],
};

/// c(r^2) with cos(r) = 1 - r^2/2 + r^4 c(r^2) and the same r.
///
/// Relative error of cos(r): 2^-29.7 (`f32`), 2^-60.2 (`f64`). Fitted like [`P`].
const C: Coefficients = Coefficients {
    f32: &[4.166_666_4e-2, -1.388_825_7e-3, 2.454_005_9e-5],
    f64: &[
        4.166_666_666_666_666_4e-2,
        -1.388_888_888_888_696_4e-3,
        2.480_158_729_828_548_2e-5,
        -2.755_731_706_228_706_4e-7,
        2.087_610_730_953_309_3e-9,
        -1.138_004_659_779_054_7e-11,
    ],
};

/// The sine.
///
/// Range: [-1, 1]. Keeps the sign of zero; NaN and the infinities give NaN.
///
/// - `f32`: error at most 1.2 ULP (1.4 without fused multiply-add), over all 2^32 inputs, the greatest too.
/// - `f64`: error at most 1.2 ULP (1.3 without fused multiply-add) for |x| <= 2^45 (3.5e13), on a table. Beyond that, where
///   neighbouring numbers are 0.008 and more apart, it is NaN.
///
/// This damped wave becomes a vectorised loop:
///
/// ```
/// use activations::{Activation, Elementwise, Real, math};
///
/// /// e^(-x^2/2) sin(5 x): a Gabor wavelet.
/// #[derive(Clone, Copy)]
/// struct Gabor;
///
/// impl Elementwise for Gabor {
///     #[inline(always)]
///     fn value<R: Real>(&self, x: R) -> R {
///         math::exp(x * x * R::of(-0.5)) * math::sin(R::of(5.0) * x)
///     }
///
///     #[inline(always)]
///     fn slope<R: Real>(&self, x: R) -> R {
///         let (bell, phase) = (math::exp(x * x * R::of(-0.5)), R::of(5.0) * x);
///         bell * (R::of(5.0) * math::cos(phase) - x * math::sin(phase))
///     }
/// }
///
/// let (mut y, mut dydx) = ([0.0_f64; 3], [0.0; 3]);
/// Gabor.forward_with_derivative(&[-1.0, 0.0, 1.0], &mut y, &mut dydx);
/// assert!((y[2] - (-0.5_f64).exp() * 5.0_f64.sin()).abs() < 1e-15);
/// assert_eq!((y[0], dydx[1]), (-y[2], 5.0));
/// ```
#[inline(always)]
#[must_use]
pub fn sin<R: Real>(x: R) -> R {
    sin_cos(x, None).0
}

/// The cosine.
///
/// Range: [-1, 1]. cos(-x) = cos(x); NaN and the infinities give NaN. Error: at most 1.2 ULP in `f32`, over all 2^32 inputs
/// (1.4 without fused multiply-add); at most 1.1 ULP in `f64` for |x| <= 2^45, on a table, and NaN beyond, as for [`sin`].
///
/// ```
/// use activations::{Activation, Elementwise, Real, math};
///
/// #[derive(Clone, Copy)]
/// struct Cos;
///
/// impl Elementwise for Cos {
///     #[inline(always)]
///     fn value<R: Real>(&self, x: R) -> R {
///         math::cos(x)
///     }
///
///     #[inline(always)]
///     fn slope<R: Real>(&self, x: R) -> R {
///         -math::sin(x)
///     }
/// }
///
/// let (mut y, mut dydx) = ([0.0_f32; 2], [0.0; 2]);
/// Cos.forward_with_derivative(&[0.0, 3e38], &mut y, &mut dydx);
/// assert_eq!(y[0], 1.0);
/// assert!((y[1] - f64::from(3e38_f32).cos() as f32).abs() < 1e-7);
/// ```
#[inline(always)]
#[must_use]
pub fn cos<R: Real>(x: R) -> R {
    sin_cos(x, None).1
}

/// The sine and the cosine of x + lo, for lo below an ULP of x.
///
/// Error of both, in ULP of the result: r + r_lo is nearly exact, and the last rounding adds 1/2. For the sine, r^3 p(r^2) adds 1/4,
/// because it is below r/8, and leaving out the slope of the sine for r_lo adds 1/8. For the cosine, the roundings of r^2 and of the
/// polynomial add 1/3 each, because just below 1/sqrt 2 an ULP is half of the ULP at 1. Worst of the sine in `f32`: 1.170 at
/// 8.821057e10, 1.390 at 1.1640705e20 without fused multiply-add.
#[inline(always)]
pub(crate) fn sin_cos<R: Real>(x: R, lo: Option<R>) -> (R, R) {
    let (half, one) = (R::of(0.5), R::of(1.0));
    let QuarterTurns { quarter, r, r_lo } = x.quarter_turns(lo);
    let square = r * r;
    let sin = (square * r).mul_add(square.polynomial(&P), r_lo) + r;
    let line = square.mul_add(square.polynomial(&C), -half).mul_add(square, -(r * r_lo));
    let cos = line + one;

    // quarter: 0, 1, 2 and -2, -1. `along` is 1 for 0 and -1 for 2.
    let along = one - quarter.abs();
    let even = half.lt(along.abs());
    let (sin, cos) = (R::select(even, sin * along, cos * quarter), R::select(even, cos * along, -(sin * quarter)));
    // The reduction may lose the sign of a zero.
    (R::select(x.abs().lt(R::of(two_to(-30))), x, sin), cos)
}

/// sin(z + z_lo + shift pi)^2 as an unevaluated sum, for `z_lo` below an ULP of z and a shift that is a multiple of 1/4.
///
/// 1. z + z_lo = c pi + r, where c + shift is an integer and |r| <= pi/2, by three parts of pi (Cody & Waite, 1980). The first part
///    has 13 bits (`f64`: 31), so that c times it is exact up to |c| = 512 (`f64`: 2^20). The product of c and the second part is
///    computed with its error. So r is a sum of two floats and accurate, also next to its zeros.
/// 2. Beyond pi/4, r is replaced by pi/2 - |r|, whose squared sine is 1 minus the result.
/// 3. sin(r) and its square are sums of two floats.
///
/// This holds for |z| up to 512 pi (`f64`: 2^20 pi). Beyond, up to 2^24 (`f64`: 2^53), c times the first part has an error of up to
/// an ULP of z. If that ULP is 1 or more, the result is any number from 0 to 1.
#[inline(always)]
pub(crate) fn sin_square<R: Real>(z: R, z_lo: R, shift: f64) -> (R, R) {
    let pi = core::f64::consts::PI;
    let (n, _) = (z + R::of(shift * pi)).round_exp2(R::of(1.0 / pi), R::of(0.0));
    let minus_c = R::of(shift) - n;

    let (r, first_lo) = two_sum(z, minus_c * R::per_type(3.141_113_3, 3.141_592_653_468_251_2));
    let (second, second_lo) = minus_c.two_mul(R::per_type(4.793_723_3e-4, 1.215_420_101_301_238_4e-10));
    let (r, lo) = two_sum(r, second);
    let third = minus_c.mul_add(R::per_type(5.126_688e-12, 7.043_119_730_366_4e-27), second_lo);
    let (r, r_lo) = two_sum(r, (third + (first_lo + lo)) + z_lo);

    // sin(r)^2 = 1 - sin(pi/2 - |r|)^2. The smaller angle is used, so that the polynomial's errors are small beside r.
    let (one, sign) = (R::of(1.0), R::of(1.0).copysign(r));
    let (half_pi, half_pi_lo) = (R::of(pi / 2.0), R::per_type(-4.371_139e-8, 6.123_233_995_736_766e-17));
    let (r, r_lo) = (r.abs(), r_lo * sign);
    let fold = R::of(pi / 4.0).lt(r);
    let (r, r_lo) = (R::select(fold, half_pi - r, r), R::select(fold, half_pi_lo - r_lo, r_lo));

    let square = r * r;
    let tail = (square * square.polynomial(&P)).mul_add(r, r_lo);
    let s = r + tail;
    let s_lo = (r - s) + tail;
    let (q, q_lo) = s.two_mul(s);
    let (q, q_lo) = (q.at_most(one), (s + s).mul_add(s_lo, q_lo));
    let rest = one - q;
    let rest_lo = ((one - rest) - q) - q_lo;
    (R::select(fold, rest, q), R::select(fold, rest_lo, q_lo))
}
