//! The formulas of [`Fast`](crate::Fast): for `f32`, with few operations and absolute errors.
//!
//! A function sets its fast form with [`fast_form!`](crate::activation::fast_form) in its `impl Elementwise`. A fast form is a
//! formula like any other. Its clamps keep NaN, and give the limit at an infinity.

use core::f64::consts::LOG2_E;

use super::hinge::reflect;
use crate::activation::Elementwise;
use crate::kernel::real::Real;
use crate::math::{Exp2Ratio, exp2_parts, fast_tanh, normal_slope, normal_tail_recip, twice_atanh, two_to};

/// max(x, 0), but -0.0 for numbers below 0. With SSE2 this is a maximum, because [`Real::ramp`] takes six operations there. With
/// AVX-512 it is `ramp`: a maximum competes with additions, and ELU would take 8 % longer.
#[inline(always)]
fn ramp<R: Real>(x: R) -> R {
    if R::FUSED { x.ramp() } else { x.at_least(R::of(-0.0)) }
}

/// Whether products and quotients with the parameter stay in the normal range. If not, the function has no fast form.
#[inline]
pub(super) fn is_moderate(parameter: f64) -> bool {
    (two_to(-60)..=two_to(60)).contains(&parameter)
}

/// For t of this and more, 2^t is computed as infinity, so the logistic functions of -t are exactly 0.
const INFINITE: f64 = 127.97;

/// The logistic function.
#[derive(Clone)]
pub(super) struct FastSigmoid;

impl Elementwise for FastSigmoid {
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        // Beyond 30 the exponential is negligible beside 1.
        let x = x.at_least(R::of(-INFINITE / LOG2_E)).at_most(R::of(30.0));
        let (top, bottom) = Exp2Ratio::new(x * R::of(-LOG2_E)).logistic();
        top / bottom
    }

    /// From the value, so that both together take one exponential and one division. From 17 on the value is 1, so this is 0.
    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        let y = self.value(x);
        y * (R::of(1.0) - y)
    }
}

/// The hyperbolic tangent.
#[derive(Clone)]
pub(super) struct FastTanh;

impl Elementwise for FastTanh {
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        fast_tanh(x)
    }

    /// From the value, as for sigmoid. Computed from tanh(-|x|) + 1, the error would be 2^-22.5 instead of 2^-21.7.
    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        let (y, one) = (self.value(x), R::of(1.0));
        (one - y) * (one + y)
    }
}

/// GELU: max(x, 0) - a Phi(-a), a = |x|.
#[derive(Clone)]
pub(super) struct FastGelu;

impl FastGelu {
    /// |x|, bounded by a number at which Phi(-|x|) is computed as 0.
    #[inline(always)]
    fn bounded_abs<R: Real>(x: R) -> R {
        x.abs().at_most(R::of(1000.0))
    }
}

impl Elementwise for FastGelu {
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        let a = Self::bounded_abs(x);
        ramp(x) - a / normal_tail_recip(a)
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        let a = Self::bounded_abs(x);
        reflect(x, normal_slope(a) / normal_tail_recip(a))
    }
}

/// q (1 - w (1 - q)), the derivative of x sigmoid(z(x)) at -a, with q = sigmoid(-z(a)), w = a z'(a).
#[inline(always)]
fn left_slope<R: Real>(q: R, w: R) -> R {
    q * q.mul_add(w, R::of(1.0) - w)
}

/// The tanh form of GELU: max(x, 0) - a sigmoid(-z(a)), z(a) = a (C1 + C3 a^2).
#[derive(Clone)]
pub(super) struct FastGeluTanh;

/// 2 sqrt(2/pi), and 0.044715 times it.
const C1: f64 = 1.595_769_121_605_730_7;
const C3: f64 = 0.071_354_816_272_600_25;

impl FastGeluTanh {
    /// a, a^2, and the fraction sigmoid(-z(a)).
    #[inline(always)]
    fn parts<R: Real>(x: R) -> (R, R, (R, R)) {
        // At this bound, z(a) log2 e is INFINITE.
        let a = x.abs().at_most(R::of(10.06));
        let square = a * a;
        let t = a * square.mul_add(R::of(C3 * LOG2_E), R::of(C1 * LOG2_E));
        (a, square, Exp2Ratio::new(t).logistic())
    }
}

impl Elementwise for FastGeluTanh {
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        let (a, _, (top, bottom)) = Self::parts(x);
        ramp(x) - a * top / bottom
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        let (a, square, (top, bottom)) = Self::parts(x);
        let w = a * square.mul_add(R::of(3.0 * C3), R::of(C1));
        reflect(x, left_slope(top / bottom, w))
    }
}

/// x sigmoid(beta x), beta > 0: max(x, 0) - a sigmoid(-beta a).
#[derive(Clone)]
pub(super) struct FastSwish {
    pub(super) beta: f64,
}

impl FastSwish {
    /// a, and the fraction sigmoid(-beta a).
    #[inline(always)]
    fn parts<R: Real>(&self, x: R) -> (R, (R, R)) {
        let per_unit = R::of(self.beta * LOG2_E);
        let a = x.abs().at_most(R::of(INFINITE) / per_unit);
        (a, Exp2Ratio::new(a * per_unit).logistic())
    }
}

impl Elementwise for FastSwish {
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        let (a, (top, bottom)) = self.parts(x);
        ramp(x) - a * top / bottom
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        let (a, (top, bottom)) = self.parts(x);
        reflect(x, left_slope(top / bottom, a * R::of(self.beta)))
    }
}

/// Softplus: max(x, 0) + 2 atanh(t)/beta, t = 1/(1 + 2 e^(beta |x|)).
#[derive(Clone)]
pub(super) struct FastSoftplus {
    pub(super) beta: f64,
}

impl FastSoftplus {
    #[inline(always)]
    fn exponential<R: Real>(&self, x: R) -> Exp2Ratio<R> {
        let per_unit = R::of(self.beta * LOG2_E);
        Exp2Ratio::new(x.abs().at_most(R::of(INFINITE) / per_unit) * per_unit)
    }
}

impl Elementwise for FastSoftplus {
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        let e = self.exponential(x);
        let (top, bottom) = Exp2Ratio { scale: e.scale + e.scale, ..e }.logistic();
        twice_atanh(top / bottom).mul_add(R::of(self.beta.recip()), x.at_least(R::of(0.0)))
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        let (top, bottom) = self.exponential(x).logistic();
        let q = top / bottom;
        R::select(x.lt(R::of(0.0)), q, R::of(1.0) - q)
    }
}

/// ELU: max(x, 0) + alpha (e^min(x, 0) - 1).
#[derive(Clone)]
pub(super) struct FastElu {
    pub(super) alpha: f64,
}

impl FastElu {
    /// e^min(x, 0) in parts; 0 from -87.7 on.
    #[inline(always)]
    fn exponential<R: Real>(x: R) -> (R, R) {
        exp2_parts(x.at_least(R::of(-88.0)).at_most(R::of(0.0)) * R::of(LOG2_E))
    }
}

impl Elementwise for FastElu {
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        let (u, scale) = Self::exponential(x);
        // -(1 - scale) instead of scale - 1, because it is -0.0 if scale is 1, and the sum then keeps the sign of u.
        let below = scale.mul_add(u, -(R::of(1.0) - scale));
        below.mul_add(R::of(self.alpha), ramp(x))
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        let (u, scale) = Self::exponential(x);
        let scale = scale * R::of(self.alpha);
        R::select(R::of(0.0).lt(x), R::of(1.0), scale.mul_add(u, scale))
    }
}

/// Mish: x n/(n + 2), n = e^x (e^x + 2).
#[derive(Clone)]
pub(super) struct FastMish;

impl FastMish {
    /// x, e^x and n. x is bounded below by a number at which e^x is computed as 0. For e^x and n it is also bounded above, which
    /// changes nothing, because n + 2 is rounded to n from x = 10 on.
    #[inline(always)]
    fn parts<R: Real>(x: R) -> (R, R, R) {
        let x = x.at_least(R::of(-88.0));
        let (u, scale) = exp2_parts(x.at_most(R::of(20.0)) * R::of(LOG2_E));
        let e = scale.mul_add(u, scale);
        (x, e, e.mul_add(e, e + e))
    }
}

impl Elementwise for FastMish {
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        let (x, _, n) = Self::parts(x);
        x * (n / (n + R::of(2.0)))
    }

    /// n/(n + 2) + 4 x e (e + 1)/(n + 2)^2.
    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        let (x, e, n) = Self::parts(x);
        let x = x.at_most(R::of(20.0));
        let inverse = R::of(1.0) / (n + R::of(2.0));
        let factor = (e * inverse) * e.mul_add(inverse, inverse);
        (x * R::of(4.0)).mul_add(factor, n * inverse)
    }
}
