//! Natural logarithms.

use super::exp::two_to;
use super::two_sum;
use super::unit::Unit;
use crate::kernel::real::{Coefficients, Real};

/// L(s^2) with log((1 + s)/(1 - s)) = 2 s + s^3 L(s^2), |s| <= (sqrt 2 - 1)/(sqrt 2 + 1) and 1 % more.
///
/// Relative error of the logarithm: 2^-30.1 (`f32`), 2^-59.2 (`f64`). Fitted with coefficients rounded to the type by
/// `tools/log.sollya`.
const L: Coefficients = Coefficients {
    f32: &[0.666_667_8, 0.399_767_4, 0.298_958_03],
    f64: &[
        0.666_666_666_666_674_4,
        0.399_999_999_993_429_7,
        0.285_714_287_598_857_75,
        0.222_221_966_354_701_8,
        0.181_836_717_393_070_25,
        0.153_111_448_183_124_97,
        0.148_264_828_717_015_32,
    ],
};

/// The natural logarithm.
///
/// Range: the whole line. ln(0) = -inf, for both zeros; ln(inf) = inf; NaN and numbers below 0 give NaN. Error: at most 0.9 ULP in
/// `f32`, over all 2^32 inputs, subnormal ones too; 0.8 in `f64`, on a table.
///
/// ```
/// use activations::{Activation, Elementwise, Real, math};
///
/// /// The entropy's term -x log(x).
/// #[derive(Clone, Copy)]
/// struct Entropy;
///
/// impl Elementwise for Entropy {
///     #[inline(always)]
///     fn value<R: Real>(&self, x: R) -> R {
///         // 0 at 0, where the logarithm is infinite.
///         R::select(R::of(0.0).lt(x), -x * math::ln(x), x)
///     }
///
///     #[inline(always)]
///     fn slope<R: Real>(&self, x: R) -> R {
///         R::of(-1.0) - math::ln(x)
///     }
/// }
///
/// assert_eq!(Entropy.forward_vec(&[0.0_f32, 0.5, 1.0]), [0.0, 0.5 * 2.0_f32.ln(), 0.0]);
/// ```
#[inline(always)]
#[must_use]
pub fn ln<R: Real>(x: R) -> R {
    let zero = R::of(0.0);
    // Subnormal numbers are multiplied by 2^32 (`f64`: 2^64), so that their exponent can be split off.
    let low = x.lt(R::per_type(two_to(-126) as f32, two_to(-1022)));
    let raised = R::select(low, x * R::per_type(two_to(32) as f32, two_to(64)), x);
    let (f, n) = near_one(raised);
    let n = R::select(low, n - R::per_type(32.0, 64.0), n);
    anywhere(x, log_of(f, zero, n))
}

/// log(1 + x), without the cancellation near 0.
///
/// Range: the whole line. Keeps the sign of zero; -1 gives -inf, inf gives inf, NaN and numbers below -1 give NaN. Error: at most
/// 0.9 ULP in `f32`, over all 2^32 inputs; 0.8 in `f64`, on a table.
///
/// ```
/// use activations::{Activation, Elementwise, Real, math};
///
/// /// sign(x) log(1 + |x|): a logarithm for numbers of both signs.
/// #[derive(Clone, Copy)]
/// struct SymmetricLog;
///
/// impl Elementwise for SymmetricLog {
///     #[inline(always)]
///     fn value<R: Real>(&self, x: R) -> R {
///         math::ln_1p(x.abs()).copysign(x)
///     }
///
///     #[inline(always)]
///     fn slope<R: Real>(&self, x: R) -> R {
///         R::of(1.0) / (R::of(1.0) + x.abs())
///     }
/// }
///
/// assert_eq!(SymmetricLog.forward_vec(&[-1e-20_f32, 0.0, 1.0]), [-1e-20, 0.0, 2.0_f32.ln()]);
/// ```
#[inline(always)]
#[must_use]
pub fn ln_1p<R: Real>(x: R) -> R {
    let one = R::of(1.0);
    let (w, w_lo) = two_sum(one, x);
    let (f, n) = near_one(w);
    // Beyond this bound the low part is below an ULP of the sum, times any power of two.
    let (_, scale) = n.at_most(R::per_type(100.0, 1000.0)).round_exp2(-one, R::of(0.0));
    let (f, f_lo) = two_sum(f, w_lo * scale);
    // The slope of the logarithm at f, 1/(1 + f), to its second term.
    let log = anywhere(w, log_of(f, (-f).mul_add(f_lo, f_lo), n));
    // For tiny x the sum 1 + x is rounded to 1, and the logarithm is x, with its sign.
    R::select(x.abs().lt(R::per_type(two_to(-26) as f32, two_to(-55))), x, log)
}

/// `(f, n)` with x = (1 + f) 2^n, where 1 + f is from 1/sqrt 2 to sqrt 2, for normal positive numbers.
#[inline(always)]
fn near_one<R: Real>(x: R) -> (R, R) {
    let (m, n) = x.split_exponent();
    let (half, one) = (R::of(0.5), R::of(1.0));
    let high = R::of(core::f64::consts::SQRT_2).lt(m);
    (R::select(high, m * half, m) - one, R::select(high, n + one, n))
}

/// log(1 + f) + f_lo + n ln 2.
///
/// log(1 + f) = 2 s + s^3 L(s^2) with s = f/(2 + f), and 2 s = f - s f, so it is f - (f^2/2 - s (f^2/2 + s^2 L)). So the rounding
/// error of the quotient s only affects terms that are small beside f (Ng, FDLIBM's `log`, 1993). n times the first part of ln 2 is
/// exact.
///
/// Error in ULP: the last rounding adds 1/2. If n is not 0, the rounding of the sum before it adds 1/4. If n is 0, the roundings of
/// f^2/2 and of the term subtracted from it add 1/4 together, where f is greatest. Worst in `f32`: 0.830 at 1.4002973, 0.840 at
/// 1.4133185 without fused multiply-add.
#[inline(always)]
fn log_of<R: Real>(f: R, f_lo: R, n: R) -> R {
    let (ln2_hi, ln2_lo) = Unit::ONE.split_ln2::<R>();
    let s = f / (f + R::of(2.0));
    let (square, half_square) = (s * s, (f * f) * R::of(0.5));
    let rest = square.mul_add(square.polynomial(&L), half_square);
    let low = s.mul_add(rest, n.mul_add(ln2_lo, f_lo));
    n.mul_add(ln2_hi, f - (half_square - low))
}

/// `(f, tail, n)` with log(x) = f + tail + n ln 2 for normal positive numbers, f exact, and below n ln 2 if n is not 0.
#[inline(always)]
pub(super) fn ln_parts<R: Real>(x: R) -> (R, R, R) {
    let (f, n) = near_one(x);
    let s = f / (f + R::of(2.0));
    let (square, half_square) = (s * s, (f * f) * R::of(0.5));
    (f, s.mul_add(square.mul_add(square.polynomial(&L), half_square), -half_square), n)
}

/// Makes `log`, which is right for positive finite x, right for every x.
#[inline(always)]
fn anywhere<R: Real>(x: R, log: R) -> R {
    let (zero, infinity) = (R::of(0.0), R::of(f64::INFINITY));
    let log = R::select(x.lt(infinity), log, x);
    let log = R::select(zero.lt(x), log, -infinity);
    R::select(zero.le(x), log, R::of(f64::NAN))
}
