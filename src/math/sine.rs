//! The square of the sine, for Snake.

use super::two_sum;
use crate::real::{Coefficients, Real};

/// p(r^2) with sin(r) = r + r^3 p(r^2), |r| <= pi/2 and 1 % more.
///
/// Relative error of sin(r): 2^-30.8 (`f32`), 2^-61.4 (`f64`). Fitted with coefficients rounded to the type by
/// `tools/sine.sollya`.
const P: Coefficients = Coefficients {
    f32: &[-0.166_666_67, 8.333_348e-3, -1.984_259e-4, 2.759_854_4e-6, -2.498_773_3e-8],
    f64: &[
        -0.166_666_666_666_666_66,
        8.333_333_333_333_245e-3,
        -1.984_126_984_123_805e-4,
        2.755_731_921_816_711e-6,
        -2.505_210_777_547_079_6e-8,
        1.605_900_563_347_416_6e-10,
        -7.645_747_138_293_672e-13,
        2.782_596_010_624_582_4e-15,
        -5.662_729_791_214_779e-18,
    ],
};

/// sin(z + z_lo + shift pi)^2 as an unevaluated sum, for `z_lo` below an ulp of z and a shift that is a multiple of 1/4.
///
/// 1. z + z_lo = c pi + r with c + shift an integer, |r| <= pi/2, by three parts of pi (Cody & Waite, 1980). The first has 13
///    bits (`f64`: 31), so that c times it is exact up to |c| = 512 (2^20); its product with the second comes with its
///    error. So r is right to a sum of two floats, next to its zeros too.
/// 2. sin(r) and its square as sums of two floats.
///
/// That is for |z| up to 512 pi (`f64`: 2^20 pi). Beyond, up to 2^24 (2^53), c times the first part errs by an ulp of z at
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

    let square = r * r;
    // The low part of r counts with the derivative, nearly 1 - r^2/2.
    let tail = (square * square.polynomial(&P)).mul_add(r, (square * R::of(-0.5)).mul_add(r_lo, r_lo));
    let s = r + tail;
    let s_lo = (r - s) + tail;
    let (q, q_lo) = s.two_mul(s);
    (q.at_most(R::of(1.0)), (s + s).mul_add(s_lo, q_lo))
}
