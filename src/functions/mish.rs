//! Mish.

use super::gelu::hinge;
use crate::activation::Elementwise;
use crate::card::{Card, Described, ErrorBounds, Vanishes};
use crate::math::{self, Lifted};
use crate::parameters::parameters;
use crate::real::Real;

/// Mish: x tanh(softplus(x)) = x tanh(log(1 + e^x)).
///
/// - Derivative: tanh(s) + x sigmoid(x) (1 - tanh(s)^2), s = softplus(x), with its root at -1.1924.
///   Range: [-0.30884, inf).
/// - Error: at most 3.0 ULP, 4.0 for the derivative, in `f32` over all 2^32 inputs (5.0 and 5.0 without fused
///   multiply-add); 3.0 and 4.0 in `f64`, on a table (4.0 and 4.0). Both tails and subnormal results are within it.
///   Where the derivative is below 1/16, near its root, the spacing at 1/16 counts.
/// - Special values: mish(-inf) = -0.0, mish(inf) = inf, keeps the sign of zero, NaN gives NaN.
/// - Source: Misra, "Mish: a self regularized non-monotonic activation function", 2019, arXiv:1908.08681.
///
/// ```
/// use activations::{Activation, Mish};
///
/// let mut y = [0.0; 2];
/// Mish.forward(&[0.0_f32, 1.0], &mut y);
/// assert_eq!(y, [0.0, 0.865_098_4]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Mish;

parameters!(Mish);

// With t = e^-|x|, tanh(log(1 + e^x)) is t (t + 2) / (t (t + 2) + 2) on the left and 1 - 2 t^2 / (1 + 2 t + 2 t^2) on the
// right: one division, and nothing cancels.
impl Elementwise for Mish {
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        let (left, one, two) = (x.lt(R::of(0.0)), R::of(1.0), R::of(2.0));
        let a = math::bounded_abs(x);
        let e = math::exp_neg(a, None);
        let t = e.number();
        let twice = t + t;
        let top = R::select(left, e.value * (t + two), t * twice);
        let bottom = t.mul_add(R::select(left, t, twice), twice) + R::select(left, two, one);
        hinge(x, Lifted { value: (a * top) / bottom, unlift: R::select(left, e.unlift, one) })
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        let (left, zero, one, two) = (x.lt(R::of(0.0)), R::of(0.0), R::of(1.0), R::of(2.0));
        let a = math::bounded_abs(x);
        let e = math::exp_neg(a, None);
        let t = e.number();
        let twice = t + t;
        let bottom = t.mul_add(R::select(left, t, twice), twice) + R::select(left, two, one);
        // 4 x (1 + t).
        let four_x = a.copysign(x) * R::of(4.0);
        let wave = t.mul_add(four_x, four_x);
        let on_left = t.mul_add(t.mul_add(t + R::of(4.0), R::of(6.0)), R::of(4.0)) + wave;
        let on_right = (-two).mul_add(bottom, wave);
        let top = R::select(left, e.value * on_left, (t * t) * on_right);
        let quotient = top / (bottom * bottom);
        quotient.mul_add(R::select(left, e.unlift, one), R::select(left, zero, one))
    }
}

impl Described for Mish {
    const CARD: Card = Card {
        name: "mish",
        aliases: &[],
        formula: "x tanh(log(1 + e^x))",
        derivative: "t + x sigmoid(x) (1 - t^2), t = tanh(log(1 + e^x))",
        range: (-0.308_843_413_017_250_4, f64::INFINITY),
        vanishes: Vanishes::Left,
        zero_centred: false,
        monotone: false,
        kinks: &[],
        common_use: "YOLOv4 and other detectors",
        source: "Misra, 2019, arXiv:1908.08681",
        error: ErrorBounds { f32: (3.0, 4.0), f32_plain: (5.0, 5.0), f64: (3.0, 4.0), f64_plain: (4.0, 4.0) },
    };
}
