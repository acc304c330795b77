//! The parts of the fast forms: shorter formulas, for `f32` alone, with absolute error bounds.
//!
//! The number of operations limits their speed. Powers are powers of 2, so that the reduction takes additions instead of
//! multiplications and is exact. The argument is rounded once, when it is multiplied by log2 e.

use crate::kernel::real::{Coefficients, Real};

/// k(f^2) with 2^f = (m + f)/(m - f), m = f coth(f ln 2 / 2) = 2/ln 2 + f^2 k(f^2), |f| <= 1/2: relative error of 2^f 2^-28.6.
/// Fitted by `tools/fast.sollya`.
const K: Coefficients = Coefficients { f32: &[0.115_524_45, -9.224_341_5e-4], f64: &[] };

/// g(f) with 2^f = 1 + f g(f), |f| <= 1/2: relative error of 2^f 2^-23.3. Fitted by `tools/fast.sollya`.
#[allow(clippy::approx_constant, reason = "the first is near ln 2, but another number")]
const G: Coefficients =
    Coefficients { f32: &[0.693_147, 0.240_222_41, 0.055_506_993, 0.009_671_565, 0.001_327_475], f64: &[] };

/// w(a)/a with (1 + w)^8 = Phi(a)/Phi(-a), where Phi is the normal distribution. Absolute error of Phi(-a): 2^-24.6 for every a >= 0.
/// Fitted by `tools/fast.sollya`.
const NORMAL: Coefficients = Coefficients {
    f32: &[
        0.199_471_86,
        0.019_885_987,
        0.010_437_505,
        0.001_830_685_5,
        0.000_200_757_55,
        5.862_296_5e-5,
        -1.943_227_8e-5,
        4.143_314_5e-6,
    ],
    f64: &[],
};

/// h(a) with (1 - a h(a)) q = Phi(-a) - a phi(a), where phi is the normal density and q is the value of Phi(-a) from
/// [`normal_tail_recip`]. Absolute error: 2^-23.0. The constant term and the others are separate. Fitted by `tools/fast.sollya`.
const HAZARD_0: f64 = 0.797_893_6;
const HAZARD: Coefficients = Coefficients {
    f32: &[
        0.636_473_9,
        0.109_766_77,
        -0.020_950_006,
        0.002_121_978_7,
        -0.000_345_760_78,
        0.000_237_499_58,
        -6.999_406e-5,
        6.942_484e-6,
    ],
    f64: &[],
};

/// 2 atanh(t)/t in t^2, 0 <= t <= 1/3. Absolute error of 2 atanh(t): 2^-28.5. The first coefficient is exact, so that small results
/// keep their digits. Fitted by `tools/fast.sollya`.
const ATANH: Coefficients =
    Coefficients { f32: &[2.0, 0.666_662_7, 0.400_282_95, 0.279_065_34, 0.284_292_4], f64: &[] };

/// 2^t as a ratio: `scale (m + f)/(m - f)`, -126 <= t <= 128. At 128, and from 127.5 on, `scale` is infinite.
pub(crate) struct Exp2Ratio<R> {
    pub(crate) m: R,
    pub(crate) f: R,
    pub(crate) scale: R,
}

impl<R: Real> Exp2Ratio<R> {
    #[inline(always)]
    pub(crate) fn new(t: R) -> Self {
        Self::lifted(t, R::of(0.0))
    }

    /// The same with `scale` times 2^lift.
    #[inline(always)]
    fn lifted(t: R, lift: R) -> Self {
        let (n, scale) = t.round_exp2(R::of(1.0), lift);
        let f = t - n;
        let square = f * f;
        // 2/ln 2 is twice log2 e, so both have the same relative rounding error.
        Self { m: square.mul_add(square.polynomial(&K), R::of(2.0 * core::f64::consts::LOG2_E)), f, scale }
    }

    /// 1/(1 + 2^t) as a fraction: `(top, bottom)`.
    #[inline(always)]
    pub(crate) fn logistic(self) -> (R, R) {
        let Self { m, f, scale } = self;
        let top = m - f;
        (top, scale.mul_add(m + f, top))
    }
}

/// The hyperbolic tangent (2^t - 1)/(2^t + 1), t = 2 x log2 e, to 4 ULP.
///
/// Nothing cancels in either formula. The second one has fewer roundings, so plain lanes use it. With fused multiply-add, the first
/// one is as accurate, and faster with AVX2 (0.25 ns instead of 0.28), because it needs neither |x| nor the sign of x.
#[inline(always)]
pub(crate) fn fast_tanh<R: Real>(x: R) -> R {
    // From 10 on, tanh is rounded to 1.
    let (most, per_unit) = (R::of(10.0), R::of(2.0 * core::f64::consts::LOG2_E));
    let one = R::of(1.0);
    if R::FUSED {
        let Exp2Ratio { m, f, scale } = Exp2Ratio::new(x.at_least(-most).at_most(most) * per_unit);
        // 1 - scale instead of scale - 1, because if it is 0, its product with m then does not take the sign of f.
        let (less, more) = (one - scale, one + scale);
        (-less).mul_add(m, f * more) / m.mul_add(more, -(f * less))
    } else {
        let Exp2Ratio { m, f, scale } = Exp2Ratio::lifted(x.abs().at_most(most) * per_unit, -one);
        let (more, sum) = (scale - R::of(0.5), m + f);
        (more.mul_add(sum, f) / more.mul_add(sum, m)).copysign(x)
    }
}

/// `(1 + u, 2^(n + lift))` with 2^(a per_unit) = 2^n (1 + u).
#[inline(always)]
pub(super) fn exp2_series<R: Real>(a: R, per_unit: R, lift: R) -> (R, R) {
    let (n, power) = a.round_exp2(per_unit, lift);
    let f = a.mul_add(per_unit, -n);
    (f.polynomial(&G).mul_add(f, R::of(1.0)), power)
}

/// `(u, scale)` with 2^t = scale (1 + u), -127 <= t <= 127. At -127, and up to -126.5, `scale` is 0.
#[inline(always)]
pub(crate) fn exp2_parts<R: Real>(t: R) -> (R, R) {
    let (n, scale) = t.round_exp2(R::of(1.0), R::of(0.0));
    let f = t - n;
    (f.polynomial(&G) * f, scale)
}

/// 1/Phi(-a), for 0 <= a <= 1000. It is infinite long before that.
///
/// 1 + w is squared three times, to the eighth power, always without the 1. So near a = 0, where Phi(-a) matters most, errors are
/// relative to w, and the roundings of the polynomial and of the first square hardly matter.
#[inline(always)]
pub(crate) fn normal_tail_recip<R: Real>(a: R) -> R {
    let (one, two) = (R::of(1.0), R::of(2.0));
    let w = a * degree_7(a, &NORMAL);
    let w = w * (w + two);
    let fourth_power = w.mul_add(w + two, one);
    fourth_power.mul_add(fourth_power, one)
}

/// (Phi(-a) - a phi(a))/q, where q is the reciprocal of [`normal_tail_recip`].
#[inline(always)]
pub(crate) fn normal_slope<R: Real>(a: R) -> R {
    let hazard = degree_7(a, &HAZARD).mul_add(a, R::of(HAZARD_0));
    (-a).mul_add(hazard, R::of(1.0))
}

/// 2 atanh(t), 0 <= t <= 1/3.
#[inline(always)]
pub(crate) fn twice_atanh<R: Real>(t: R) -> R {
    t * (t * t).polynomial(&ATANH)
}

/// A polynomial of degree 7. In plain lanes its chain of operations limits the speed, so it is split in two and in four there
/// (Estrin, 1960). GELU with SSE2 then takes 1.16 ns instead of 1.36. With fused multiply-add, splitting would take 10 % longer.
#[inline(always)]
fn degree_7<R: Real>(x: R, c: &Coefficients) -> R {
    if R::FUSED {
        return x.polynomial(c);
    }
    let square = x * x;
    let first = R::coefficient(c, 1).mul_add(x, R::coefficient(c, 0));
    let second = R::coefficient(c, 3).mul_add(x, R::coefficient(c, 2));
    let third = R::coefficient(c, 5).mul_add(x, R::coefficient(c, 4));
    let fourth = R::coefficient(c, 7).mul_add(x, R::coefficient(c, 6));
    let (low, high) = (second.mul_add(square, first), fourth.mul_add(square, third));
    high.mul_add(square * square, low)
}
