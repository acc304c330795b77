//! Reduces the angles of sines: subtracts the nearest multiple of pi/2, for `f32` in `f64`, and for `f64` in two `f64`.

use super::error_free::{less_product, two_sum};
use super::real::{QuarterTurns, Real};

/// 2/pi in words of 29, 29 and 53 bits, for numbers from each magnitude on. Bits are left out if their product with any such `f32` is
/// a multiple of 4. Computed by `tools/sine.sollya`.
const TWO_OVER_PI: [(f64, [f64; 3]); 4] = [
    (0.0, [0.636_619_772_762_060_2, -3.944_788_220_036_632_4e-10, -3.260_751_408_868_143e-19]),
    (power(51), [-4.119_769_123_067_662_5e-9, 2.276_010_073_659_53e-18, -5.811_337_864_506_167e-28]),
    (power(78), [-3.935_735_332_393_444_6e-17, -2.643_052_790_296_841_4e-26, -2.576_431_775_264_12e-35]),
    (power(105), [2.837_622_016_118_239_7e-25, 1.668_286_765_701_952_5e-34, 1.158_871_335_342_814_3e-43]),
];

const fn power(n: u64) -> f64 {
    f64::from_bits((1023 + n) << 52)
}

/// Adding and subtracting this rounds to an integer.
const TO_INTEGER: f64 = 1.5 * power(52);

/// The same for multiples of 4.
const TO_FOUR: f64 = 1.5 * power(54);

/// The quarter turns of any `f32`, or with a `lo` below its ULP, of any up to 2^51. NaN for infinities and NaN.
///
/// 1. x 2/pi is the sum of three products in `f64`, modulo 4. The first two are exact, because x has 24 bits and a word 29 (Payne &
///    Hanek, 1983; the words are chosen by comparisons, not from a table, so that the loop vectorises).
/// 2. The first product is below 2^51, so its nearest integer is exact. The remaining fraction plus the second product is exact if
///    the two have similar sizes. That is so where they nearly cancel, and where the second is above 1.
/// 3. The fraction times pi/2 is rounded to `f64`.
///
/// Error of the fraction: 2^-54, relative to the greatest term. No `f32` is nearer to a multiple of pi/2 than 2^-30.
#[inline(always)]
pub(crate) fn of_f32(x: f32, lo: Option<f32>) -> QuarterTurns<f32> {
    let a = f64::from(x);
    let size = a.abs();
    let [(_, near), far, farther, farthest] = TWO_OVER_PI;
    let words = match lo {
        // With a low part, the products with all bits of 2/pi matter.
        Some(_) => near,
        None => {
            let words = select(size < far.0, near, far.1);
            let words = select(size < farther.0, words, farther.1);
            select(size < farthest.0, words, farthest.1)
        }
    };

    let first = a * words[0];
    let n = (first + TO_INTEGER) - TO_INTEGER;
    let sum = (first - n) + a * words[1];
    let m = (sum + TO_INTEGER) - TO_INTEGER;
    let (n, fraction) = (n + m, sum - m);
    let (n, fraction) = match lo {
        None => (n, fraction + a * words[2]),
        Some(lo) => {
            let lo = f64::from(lo);
            let first = lo * words[0];
            let m = (first + TO_INTEGER) - TO_INTEGER;
            let sum = fraction + (first - m);
            let k = (sum + TO_INTEGER) - TO_INTEGER;
            (n + (m + k), (sum - k) + (lo * words[1] + (a + lo) * words[2]))
        }
    };
    let quarter = n - ((n + TO_FOUR) - TO_FOUR);
    let wide = fraction * core::f64::consts::FRAC_PI_2;
    let r = wide as f32;
    QuarterTurns { quarter: quarter as f32, r, r_lo: (wide - f64::from(r)) as f32 }
}

#[inline(always)]
fn select(first: bool, a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [if first { a[0] } else { b[0] }, if first { a[1] } else { b[1] }, if first { a[2] } else { b[2] }]
}

/// The quarter turns of an `f64` are right up to this: 2^45.
pub(crate) const MOST: f64 = power(45);

/// The quarter turns of x + `lo` in `f64`, for |x| <= [`MOST`] and `lo` below an ULP of x. NaN beyond.
///
/// r = x - n pi/2 with pi/2 in three parts of 53 bits (Cody & Waite, 1980). The difference of x and n times the first part has
/// no more bits than an `f64`, so it is exact. The product with the second part is computed with its error. The rest of n pi/2 is
/// below 2^-117, and no such `f64` is nearer to a multiple of pi/2 than 2^-62.
#[inline(always)]
pub(crate) fn of_f64<R: Real>(x: R, lo: Option<R>) -> QuarterTurns<R> {
    let pi_2 = core::f64::consts::FRAC_PI_2;
    let zero = R::of(0.0);
    let (n, _) = x.round_exp2(R::of(1.0 / pi_2), zero);
    let rest = less_product(x, n, R::of(pi_2));
    let (second, second_lo) = n.two_mul(R::of(-6.123_233_995_736_766e-17));
    let (r, r_lo) = two_sum(rest, second);
    let r_lo = n.mul_add(R::of(1.497_384_904_859_169_8e-33), second_lo + r_lo);
    let (r, r_lo) = match lo {
        None => (r, r_lo),
        Some(lo) => {
            let (r, more) = two_sum(r, lo);
            (r, r_lo + more)
        }
    };
    let (fours, _) = n.round_exp2(R::of(0.25), zero);
    let inside = x.abs().le(R::of(MOST));
    QuarterTurns { quarter: fours.mul_add(R::of(-4.0), n), r: R::select(inside, r, R::of(f64::NAN)), r_lo }
}
