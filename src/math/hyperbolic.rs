//! x - tanh x and log cosh x near 0, where differences would cancel.

use crate::kernel::real::{Coefficients, Real};

/// p(x^2) with x - tanh(x) = x^3 p(x^2) for |x| <= 1.
///
/// Relative error: at most 2^-25.0 (`f32`), 2^-54.0 (`f64`). The worst is at 0, because 1/3 is rounded. Fitted with coefficients
/// rounded to the type by `tools/tanh.sollya`.
const P: Coefficients = Coefficients {
    f32: &[
        0.333_333_34,
        -0.133_333_53,
        0.053_967_934,
        -0.021_850_683,
        8.748_728e-3,
        -3.272_560_7e-3,
        9.668_627e-4,
        -1.542_483_1e-4,
    ],
    f64: &[
        0.333_333_333_333_333_3,
        -0.133_333_333_333_328_75,
        0.053_968_253_967_946_11,
        -0.021_869_488_526_933_05,
        8.863_235_377_182_909e-3,
        -3.592_126_463_157_376_8e-3,
        1.455_823_541_972_660_5e-3,
        -5.899_750_043_798_128e-4,
        2.389_455_584_430_631_8e-4,
        -9.644_039_723_666_182e-5,
        3.835_790_100_249_44e-5,
        -1.457_379_571_746_833_9e-5,
        4.964_642_083_980_359_5e-6,
        -1.368_188_321_799_998e-6,
        2.601_858_077_470_406_4e-7,
        -2.475_446_225_291_302_3e-8,
    ],
};

/// c(x^2) with log(cosh(x)) = x^2 c(x^2) for |x| <= 3/4.
///
/// Relative error: 2^-27.6 (`f32`), 2^-58.6 (`f64`). Fitted like [`P`].
const C: Coefficients = Coefficients {
    f32: &[0.5, -0.083_333_13, 0.022_216_965, -6.701_725_5e-3, 2.019_547_4e-3, -4.332_073e-4],
    f64: &[
        0.5,
        -0.083_333_333_333_332_9,
        0.022_222_222_222_169_893,
        -6.746_031_743_816_636e-3,
        2.186_948_806_336_203e-3,
        -7.386_023_666_511_259e-4,
        2.565_757_949_171_966_7e-4,
        -9.096_384_076_744_768e-5,
        3.268_326_246_857_594_5e-5,
        -1.170_773_594_096_346e-5,
        3.958_879_233_632_083e-6,
        -1.091_446_170_107_984_4e-6,
        1.723_705_124_750_872_9e-7,
    ],
};

/// x - tanh(x) for |x| <= 1, to full relative accuracy. Beyond 1 the result is meaningless.
#[inline(always)]
pub(crate) fn tanhshrink_near_zero<R: Real>(x: R) -> R {
    // The rounding error of the square is added, so only the polynomial's roundings and three of the product remain.
    let (square, square_lo) = x.two_mul(x);
    let line = x * square.polynomial(&P);
    line.mul_add(square, line * square_lo)
}

/// log(cosh(x)) for |x| <= 3/4, to full relative accuracy. Beyond 3/4 the result is meaningless.
#[inline(always)]
pub(crate) fn log_cosh_near_zero<R: Real>(x: R) -> R {
    let square = x * x;
    square * square.polynomial(&C)
}
