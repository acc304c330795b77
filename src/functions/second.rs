//! Second derivatives that several functions share. Each is one loop, with constants that the functions set.

use crate::kernel::real::Real;
use crate::math::{self, Low, Scale, two_to};
use crate::second::{SecondSlope, compiled_second};

/// sigmoid'(z) (flat + (odd + even z) tanh(z / 2)), with z = `beta` x. It uses sigmoid''(z) = -sigmoid'(z) tanh(z / 2), so that
/// nothing cancels except near the roots of even functions. Dual numbers would lose digits: see `docs/kernels.md`.
#[derive(Clone, Copy)]
pub(super) struct LogisticBump {
    beta: f64,
    /// The parts of `beta` that rounding to `f32` and `f64` takes away, if `beta` is a constant.
    beta_lo: (f32, f64),
    flat: f64,
    odd: f64,
    even: f64,
}

impl LogisticBump {
    #[inline(always)]
    pub(super) const fn flat(beta: f64, flat: f64) -> Self {
        Self { beta, beta_lo: (0.0, 0.0), flat, odd: 0.0, even: 0.0 }
    }

    #[inline(always)]
    pub(super) const fn odd(beta: f64, odd: f64) -> Self {
        Self { beta, beta_lo: (0.0, 0.0), flat: 0.0, odd, even: 0.0 }
    }

    /// Of x sigmoid(beta x).
    #[inline(always)]
    pub(super) const fn swish(beta: f64, beta_lo: (f32, f64)) -> Self {
        Self { beta: beta.abs(), beta_lo, flat: 2.0 * beta, odd: 0.0, even: -beta }
    }
}

impl SecondSlope for LogisticBump {
    compiled_second!();

    #[inline(always)]
    fn second_slope<R: Real>(&self, x: R) -> R {
        let factor_lo = R::per_type(self.beta_lo.0, self.beta_lo.1);
        let scaled = Scale { factor_lo: Some(factor_lo), ..Scale::of(self.beta) }.times_abs(x);
        let (slope, tanh) = math::sigmoid_slope_and_tanh(scaled.z, Some(Low::of(scaled.z_lo)));
        let slant = R::of(self.even).mul_add(scaled.z, R::of(self.odd) * R::of(1.0).copysign(x));
        slope.value * slant.mul_add(tanh, R::of(self.flat)) * slope.unlift
    }
}

/// 1 / sqrt(2 pi), and the parts that `f32` and `f64` round away.
const DENSITY: f64 = 0.398_942_280_401_432_7;
const DENSITY_LO: (f32, f64) = (-1.133_517e-8, -2.492_327_202_277_73e-17);

/// GELU's second derivative: phi(x) (2 - x^2), where phi is the normal density.
#[derive(Clone, Copy)]
pub(super) struct GeluBump;

impl SecondSlope for GeluBump {
    compiled_second!();

    #[inline(always)]
    fn second_slope<R: Real>(&self, x: R) -> R {
        // x is bounded by a number at which the result is zero.
        let a = x.abs().at_most(R::per_type(14.75, 39.0));
        let (square, square_lo) = a.two_mul(a);
        // Exact near the root.
        let inner = (R::of(2.0) - square) - square_lo;
        let bell = math::bell(a, R::of(0.0));
        let c = R::of(DENSITY);
        let c_lo = R::per_type(DENSITY_LO.0, DENSITY_LO.1);
        let product = bell.value * inner;
        product.mul_add(c, product * c_lo) * bell.unlift
    }
}

/// `left` e^(x / `alpha`) for x < 0, `right` for x > 0, and a number of its own at 0.
#[derive(Clone, Copy)]
pub(super) struct OneSided {
    pub(super) alpha: f64,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) at_zero: f64,
}

impl SecondSlope for OneSided {
    compiled_second!();

    #[inline(always)]
    fn second_slope<R: Real>(&self, x: R) -> R {
        let scaled = Scale::recip_of(self.alpha).times_abs(x);
        let e = math::exp_neg(scaled.z, Some(scaled.z_lo));
        // No more than 2^120 (`f64`: 2^500), so that the product with 0 is 0.
        let (narrow, wide) = (two_to(120), two_to(500));
        let left = R::per_type(self.left.clamp(-narrow, narrow) as f32, self.left.clamp(-wide, wide));
        let below = e.value * (left * e.unlift);
        let zero = R::of(0.0);
        let right = R::select(zero.lt(x), R::of(self.right), R::of(self.at_zero));
        R::select(zero.le(x), right, below)
    }
}
