//! The square of the sine, for Snake.

use super::two_sum;
use crate::kernel::real::{Coefficients, Real};

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

/// sin(z + z_lo + shift pi)^2 as an unevaluated sum, for `z_lo` below an ulp of z and a shift that is a multiple of 1/4.
///
/// 1. z + z_lo = c pi + r with c + shift an integer, |r| <= pi/2, by three parts of pi (Cody & Waite, 1980). The first has 13
///    bits (`f64`: 31), so that c times it is exact up to |c| = 512 (2^20); its product with the second comes with its
///    error. So r is right to a sum of two floats, next to its zeros too.
/// 2. Beyond pi/4, r is replaced by pi/2 - |r|, whose squared sine is 1 minus the result.
/// 3. sin(r) and its square are sums of two floats.
///
/// This holds for |z| up to 512 pi (`f64`: 2^20 pi). Beyond, up to 2^24 (2^53), c times the first part errs by an ulp of z at
/// most; where that ulp is 1 or more, the result is any number from 0 to 1.
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

    // sin(r)^2 = 1 - sin(pi/2 - |r|)^2: the lesser angle, so that the polynomial's errors are small beside r.
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
