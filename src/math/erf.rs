//! The error function and its complement.

use super::fast_two_sum;
use super::normal::normal_tail;
use crate::kernel::real::{Coefficients, Real};

/// E(x^2) with erf(x) = x + x E(x^2), |x| <= 1/2.
///
/// Relative error of erf(x): 2^-29.3 (`f32`), 2^-56.3 (`f64`), at 0, because E(0) is rounded. Fitted with coefficients rounded to the
/// type by `tools/erf.sollya`.
const E: Coefficients = Coefficients {
    f32: &[0.128_379_17, -0.376_126_1, 0.112_828_55, -2.675_881_4e-2, 4.720_769_8e-3],
    f64: &[
        0.128_379_167_095_512_59,
        -0.376_126_389_031_840_5,
        0.112_837_916_709_757_15,
        -2.686_617_065_164_179_4e-2,
        5.223_977_736_706_862_5e-3,
        -8.548_338_149_027_3e-4,
        1.205_600_028_626_521_3e-4,
        -1.494_905_009_449_283_6e-5,
        1.689_095_637_535_858e-6,
        -1.898_841_096_562_892_3e-7,
    ],
};

/// The error function, 2/sqrt(pi) times the integral of e^(-t^2) from 0 to x.
///
/// Range: [-1, 1]. Odd: keeps the sign of zero. erf(inf) = 1, NaN gives NaN. Error: at most 1.1 ULP in `f32`, over all 2^32 inputs (1.4
/// without fused multiply-add); 1.2 in `f64`, on a table (1.4).
///
/// ```
/// use activations::{Activation, Elementwise, Real, math};
///
/// /// x erf(x), a smooth |x|.
/// #[derive(Clone, Copy)]
/// struct SmoothAbs;
///
/// impl Elementwise for SmoothAbs {
///     #[inline(always)]
///     fn value<R: Real>(&self, x: R) -> R {
///         x * math::erf(x)
///     }
///
///     #[inline(always)]
///     fn slope<R: Real>(&self, x: R) -> R {
///         let density = math::exp(-(x * x)) * R::of(2.0 / core::f64::consts::PI.sqrt());
///         x.mul_add(density, math::erf(x))
///     }
/// }
///
/// assert_eq!(SmoothAbs.forward_vec(&[-7.0_f32, 0.0, 7.0]), [7.0, 0.0, 7.0]);
/// ```
#[inline(always)]
#[must_use]
pub fn erf<R: Real>(x: R) -> R {
    let (half, one) = (R::of(0.5), R::of(1.0));
    let a = x.abs();
    // Below 1/2 x is greater than what is added to it. From there on the complement is below 0.48, so that its error counts by half.
    // Worst: 1.05 ULP at 0.506799 in `f32`.
    let near = a.mul_add((a * a).polynomial(&E), a);
    let far = one - complement(a);
    R::select(a.lt(half), near, far).copysign(x)
}

/// 1 - erf(x), without the cancellation for great x.
///
/// Range: [0, 2]. erfc(-inf) = 2, erfc(inf) = 0, NaN gives NaN. Error: at most 2.2 ULP in `f32`, over all 2^32 inputs (2.4 without
/// fused multiply-add); 1.5 in `f64`, on a table (3.0). Subnormal results are within it.
///
/// ```
/// use activations::{Activation, Elementwise, Real, math};
///
/// /// The share of a normal distribution above x.
/// #[derive(Clone, Copy)]
/// struct UpperTail;
///
/// impl Elementwise for UpperTail {
///     #[inline(always)]
///     fn value<R: Real>(&self, x: R) -> R {
///         R::of(0.5) * math::erfc(x * R::of(core::f64::consts::FRAC_1_SQRT_2))
///     }
///
///     #[inline(always)]
///     fn slope<R: Real>(&self, x: R) -> R {
///         R::of(-0.398_942_280_401_432_7) * math::exp(x * x * R::of(-0.5))
///     }
/// }
///
/// assert_eq!(UpperTail.forward_vec(&[f32::NEG_INFINITY, 0.0, f32::INFINITY]), [1.0, 0.5, 0.0]);
/// ```
#[inline(always)]
#[must_use]
pub fn erfc<R: Real>(x: R) -> R {
    let (half, one, two) = (R::of(0.5), R::of(1.0), R::of(2.0));
    let tail = complement(x.abs());
    let far = R::select(x.lt(R::of(0.0)), two - tail, tail);
    let (line, line_lo) = fast_two_sum(one, -x);
    let near = line + (-x).mul_add((x * x).polynomial(&E), line_lo);
    R::select(x.abs().lt(half), near, far)
}

/// erfc(a) for a >= 0: 2 Phi(-a sqrt 2).
#[inline(always)]
fn complement<R: Real>(a: R) -> R {
    // a sqrt 2 is at most 14.75 (`f64`: 39), where the tail is 0.
    let a = a.at_most(R::per_type(10.429, 27.57));
    let (z, z_lo) = a.two_mul(R::of(core::f64::consts::SQRT_2));
    let sqrt_2_lo = R::per_type(2.420_323_4e-8, -9.667_293_313_452_913e-17);
    let tail = normal_tail(z, a.mul_add(sqrt_2_lo, z_lo));
    tail.value * (tail.unlift + tail.unlift)
}
