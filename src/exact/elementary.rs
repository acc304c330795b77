//! Elementary functions of [`Double`], to a relative error below 2^-90.
//!
//! They need not be fast, because they are for the few inputs at which `f64` does not decide a rounding.

use super::double::Double;
use crate::math::two_to;

const ONE: Double = Double::of(1.0, 0.0);

/// A term below this, relative to the sum, does not change the sum.
const NOTHING: f64 = two_to(-110);

/// Below this, distribution functions are straight lines, up to an error of [`NOTHING`]. This saves time for inputs below the normal
/// range, where every second result is a tie.
const NEARLY_ZERO: f64 = two_to(-60);

/// ln 2 as a sum. The first part has 32 bits, so that its product with an exponent is exact.
const LN2_HI: f64 = 0.693_147_180_369_123_8;
const LN2_REST: Double = Double::of(1.908_214_929_270_587_7e-10, 1.161_222_722_936_253_2e-26);

/// ln 2.
const LN2: Double = Double::of(core::f64::consts::LN_2, 2.319_046_813_846_299_6e-17);
const PI: Double = Double::of(core::f64::consts::PI, 1.224_646_799_147_353_2e-16);

/// 1/sqrt(2 pi), the greatest density of the normal distribution.
const DENSITY: Double = Double::of(0.398_942_280_401_432_7, -2.492_327_202_277_73e-17);

/// `(n, e^r - 1)` with x = n ln 2 + r, where x is clamped to \[-690, 690\]. Beyond that, e^x is negligible beside any other number,
/// or greater than all numbers that matter.
fn exp_parts(x: Double) -> (f64, Double) {
    let x = if x.hi.abs() > 690.0 { Double::from(690.0_f64.copysign(x.hi)) } else { x };
    // The nearest integer, by adding and subtracting a large constant.
    let rounder = 1.5 * two_to(52);
    let n = (x.hi * core::f64::consts::LOG2_E + rounder) - rounder;
    let r = Double::sum(x.hi, -n * LN2_HI) + x.lo - LN2_REST * n;

    // e^(r / 256) - 1 by its series; then e^2s - 1 = u (2 + u) with u = e^s - 1, eight times.
    let s = r.times_power(two_to(-8));
    let mut series = ONE;
    for i in (2..=11_u8).rev() {
        series = s * series / f64::from(i) + ONE;
    }
    let mut u = s * series;
    for _ in 0..8 {
        u = u * (u + 2.0);
    }
    (n, u)
}

/// 2^n.
fn power(n: f64) -> f64 {
    f64::from_bits((n + 1023.0 + two_to(52)).to_bits() << 52)
}

/// e^x.
pub(crate) fn exp(x: Double) -> Double {
    let (n, u) = exp_parts(x);
    (u + 1.0).times_power(power(n))
}

/// e^x - 1.
pub(crate) fn expm1(x: Double) -> Double {
    let (n, u) = exp_parts(x);
    let power = power(n);
    Double::sum(power, -1.0) + u.times_power(power)
}

/// log(1 + e) for 0 <= e <= 2: 2 atanh(e / (2 + e)) by its series.
pub(crate) fn log1p(e: Double) -> Double {
    let t = e / (e + 2.0);
    let square = t.square();
    let mut series = ONE / 113.0;
    for i in (0..56_u8).rev() {
        series = series * square + ONE / f64::from(2 * i + 1);
    }
    (t * series).times_power(2.0)
}

/// 1 / (1 + e^-x).
pub(crate) fn sigmoid(x: Double) -> Double {
    if x.hi.abs() < NEARLY_ZERO {
        return Double::sum(0.5, 0.25 * x.hi);
    }
    let e = exp(-x.abs());
    if x.hi < 0.0 { e / (e + 1.0) } else { ONE / (e + 1.0) }
}

/// The derivative of [`sigmoid`]: e / (1 + e)^2 with e = e^-|x|.
pub(crate) fn sigmoid_slope(x: Double) -> Double {
    let e = exp(-x.abs());
    e / (e + 1.0).square()
}

/// The hyperbolic sine, and x - tanh x, for |x| <= 1.
///
/// x cosh x - sinh x is the sum of 2 k x^(2 k + 1) / (2 k + 1)!, so nothing cancels in (x cosh x - sinh x) / cosh x.
fn near_zero(x: Double) -> (Double, Double) {
    let square = x.square();
    let (mut sinh, mut cosh, mut difference) = (x, ONE, Double::from(0.0));
    let mut power = x;
    for k in 1..=16_u8 {
        // x^2k / (2 k)! and x^(2 k + 1) / (2 k + 1)!.
        let even = power * x / f64::from(2 * k);
        power = power * square / f64::from(2 * k) / f64::from(2 * k + 1);
        cosh = cosh + even;
        sinh = sinh + power;
        difference = difference + power * f64::from(2 * k);
        if power.hi.abs() < difference.hi.abs() * NOTHING {
            break;
        }
    }
    (sinh, difference / cosh)
}

/// tanh x.
pub(crate) fn tanh(x: Double) -> Double {
    if x.hi.abs() < 1.0 {
        return x - near_zero(x).1;
    }
    let e = exp((x.abs()).times_power(-2.0));
    ((-e + 1.0) / (e + 1.0)).copysign(x.hi)
}

/// x - tanh x.
pub(crate) fn tanhshrink(x: Double) -> Double {
    if x.hi.abs() < 1.0 { near_zero(x).1 } else { x - tanh(x) }
}

/// log(cosh x).
pub(crate) fn log_cosh(x: Double) -> Double {
    let a = x.abs();
    if a.hi < 1.0 {
        // cosh^2 = 1 + sinh^2.
        return log1p(near_zero(a).0.square()).times_power(0.5);
    }
    a - LN2 + log1p(exp(a.times_power(-2.0)))
}

/// The density of the normal distribution: e^(-x^2 / 2) / sqrt(2 pi).
pub(crate) fn normal_density(x: Double) -> Double {
    DENSITY * exp(x.square().times_power(-0.5))
}

/// The distribution function of the normal distribution.
pub(crate) fn normal(x: Double) -> Double {
    let a = x.abs();
    if a.hi < NEARLY_ZERO {
        return Double::sum(0.5, DENSITY.hi * x.hi);
    }
    if a.hi < 3.0 {
        // 1/2 + density (x + x^3 / 3 + x^5 / (3 5) + ...).
        let (square, mut term, mut sum) = (x.square(), x, x);
        for i in 1..=70_u8 {
            term = term * square / f64::from(2 * i + 1);
            sum = sum + term;
            if term.hi.abs() < sum.hi.abs() * NOTHING {
                break;
            }
        }
        return normal_density(x) * sum + 0.5;
    }
    // density / (a + 1 / (a + 2 / (a + 3 / ...))).
    let mut fraction = a;
    for k in (1..=120_u8).rev() {
        fraction = a + Double::from(f64::from(k)) / fraction;
    }
    let tail = normal_density(x) / fraction;
    if x.hi < 0.0 { tail } else { -tail + 1.0 }
}

/// The bits of 1/pi after the binary point.
const ONE_OVER_PI: [u64; 16] = [
    0x517c_c1b7_2722_0a94,
    0xfe13_abe8_fa9a_6ee0,
    0x6db1_4acc_9e21_c820,
    0xff28_b1d5_ef5d_e2b0,
    0xdb92_371d_2126_e970,
    0x0324_9775_04e8_c90e,
    0x7f0e_f58e_5894_d39f,
    0x7441_1afa_975d_a242,
    0x74ce_3813_5a2f_bf20,
    0x9cc8_eb1c_c1a9_9cfa,
    0x4e42_2fc5_defc_941d,
    0x8ffc_4bff_ef02_cc07,
    0xf797_88c5_ad05_368f,
    0xb69b_3f67_93e5_84db,
    0xa7a3_1fb3_4f2f_f516,
    0xba93_dd63_f5f2_f8bd,
];

/// The number of words in fractions of pi: 320 bits after the binary point.
const WORDS: usize = 5;

/// |v|/pi without its integer part, in words, the lowest first, for |v| below 2^700. It is the mantissa of v times the bits of 1/pi that
/// matter (Payne & Hanek, 1983).
fn turns(v: f64) -> [u64; WORDS] {
    let bits = v.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as usize;
    if exponent == 0 {
        return [0; WORDS];
    }
    let mantissa = u128::from(bits << 12 >> 12 | 1 << 52);
    // v = mantissa 2^(exponent - 1075). Takes the bits of 1/pi from number `exponent - 1075` on, with zeros before the first one.
    let word = |i: usize| if (18..18 + ONE_OVER_PI.len()).contains(&i) { ONE_OVER_PI[i - 18] } else { 0 };
    let first = exponent + 18 * 64 - 1075;
    let (skip, shift) = (first / 64, first % 64);
    let mut product = [0; WORDS];
    let mut carry = 0;
    for (i, out) in product.iter_mut().enumerate() {
        let at = skip + WORDS - 1 - i;
        let pair = u128::from(word(at)) << 64 | u128::from(word(at + 1));
        let window = pair << shift >> 64 & u128::from(u64::MAX);
        let sum = window * mantissa + carry;
        *out = (sum & u128::from(u64::MAX)) as u64;
        carry = sum >> 64;
    }
    product
}

/// The sum of two fractions, or their difference if `minus`, modulo 1.
fn add(a: [u64; WORDS], b: [u64; WORDS], minus: bool) -> [u64; WORDS] {
    let mut carry = u128::from(minus);
    let mut sum = [0; WORDS];
    for ((out, a), b) in sum.iter_mut().zip(a).zip(b) {
        let total = u128::from(a) + u128::from(if minus { !b } else { b }) + carry;
        *out = (total & u128::from(u64::MAX)) as u64;
        carry = total >> 64;
    }
    sum
}

/// 1/(2 k (2 k + 1)) for k = 1 to 17. Quotients take five times as long as products, and sines far from 0 are all computed here.
const RECIPROCALS: [Double; 17] = {
    let mut all = [ONE; 17];
    let mut i = 0;
    while i < all.len() {
        let n = ((2 * i + 2) * (2 * i + 3)) as f64;
        let hi = 1.0 / n;
        // Cut in two, so that both products with n are exact.
        let start = f64::from_bits(hi.to_bits() >> 28 << 28);
        all[i] = Double::of(hi, ((1.0 - start * n) - (hi - start) * n) / n);
        i += 1;
    }
    all
};

/// sin(x) by its series, for |x| <= pi/2.
fn sine_series(x: Double) -> Double {
    let square = x.square();
    let mut series = ONE;
    for &reciprocal in RECIPROCALS.iter().rev() {
        series = -(series * (square * reciprocal)) + 1.0;
    }
    x * series
}

/// sin(z)^2; sin(z + pi/4)^2 if `quarter`. For |z| below 2^700.
pub(crate) fn sine_square(z: Double, quarter: bool) -> Double {
    let a = z.abs();
    if a.hi < 0.7 {
        return if quarter {
            (sine_series(z.times_power(2.0)) + 1.0).times_power(0.5)
        } else {
            sine_series(z).square()
        };
    }
    let mut fraction = add(turns(a.hi), turns(a.lo), a.lo < 0.0);
    let quarter_turn = [0, 0, 0, 0, 1 << 62];
    if quarter {
        // sin(-a + pi/4)^2 = sin(a - pi/4)^2.
        fraction = add(fraction, quarter_turn, z.hi < 0.0);
    }
    // The nearest multiple of pi is above. The square of the sine is the same.
    if fraction[WORDS - 1] >> 63 == 1 {
        fraction = add([0; WORDS], fraction, true);
    }
    sine_series(number(fraction) * PI).square()
}

/// A fraction in words as a number.
fn number(fraction: [u64; WORDS]) -> Double {
    let mut number = Double::from(0.0);
    let mut unit = 1.0;
    for word in fraction.into_iter().rev() {
        for half in [word >> 32, word & u64::from(u32::MAX)] {
            unit *= two_to(-32);
            number = number + half as f64 * unit;
        }
    }
    number
}

/// sin(z); cos(z) if `cosine`. For |z| below 2^700.
pub(crate) fn sine(z: Double, cosine: bool) -> Double {
    let a = z.abs();
    if !cosine && a.hi < 0.7 {
        return sine_series(z);
    }
    // The number of whole turns is half of a, because `turns` counts in units of pi.
    let half = a.times_power(0.5);
    let mut fraction = add(turns(half.hi), turns(half.lo), half.lo < 0.0);
    let mut negative = z.hi < 0.0;
    if cosine {
        fraction = add(fraction, [0, 0, 0, 0, 1 << 62], false);
        negative = false;
    }
    let top = WORDS - 1;
    // sin(t + pi) = -sin(t), and sin(pi - t) = sin(t).
    negative ^= fraction[top] >> 63 == 1;
    fraction[top] &= u64::MAX >> 1;
    if fraction[top] >> 62 == 1 {
        fraction = add([0, 0, 0, 0, 1 << 63], fraction, true);
    }
    let sine = sine_series(number(fraction).times_power(2.0) * PI);
    if negative { -sine } else { sine }
}
