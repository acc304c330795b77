//! Mish.

use super::fast::FastMish;
use super::hinge::hinge;
use crate::activation::{Elementwise, compiled_passes, fast_form};
use crate::describe::card::{Card, Described, ErrorBounds, Vanishes};
use crate::describe::parameters::parameters;
use crate::kernel::real::Real;
use crate::math::{self, Lifted};
use crate::second::{SecondSlope, compiled_second};

/// Mish, for detectors such as YOLOv4: x tanh(softplus(x)) = x tanh(log(1 + e^x)).
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/mish.svg"))]
///
/// - Derivative: tanh(s) + x sigmoid(x) (1 - tanh(s)^2), s = softplus(x), with its root at -1.1924.
///   Range: [-0.30884, inf).
/// - Error: at most 2.2 ULP, 3.5 for the derivative, in `f32` over all 2^32 inputs (2.5 and 4.5 without fused
///   multiply-add); 2.0 and 3.5 in `f64`, on a table (2.5 and 4.0). Both tails and subnormal results are within it.
///   Where the derivative is below 1/16, near its root, its error is in units of the spacing at 1/16.
/// - Special values: mish(-inf) = -0.0, mish(inf) = inf, keeps the sign of zero, NaN gives NaN.
/// - Source: Misra, "Mish: a self regularized non-monotonic activation function", 2019, arXiv:1908.08681.
///
/// ```
/// use activations::{Activation, Mish};
///
/// let mut y = [0.0; 2];
/// Mish.forward(&[0.0_f32, 1.0], &mut y);
/// assert_eq!(y[0], 0.0);
/// assert!((y[1] - 0.865_098_4).abs() < 1e-6);
/// ```
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Mish;

parameters!(Mish);

/// The parts of tanh(log(1 + e^x)), with t = e^-|x|. On the left it is t (t + 2)/b with b = t (t + 2) + 2, on the right
/// 1 - 2 t^2/b with b = 1 + 2 t + 2 t^2, so nothing cancels. The low parts are the rounding errors that matter on the left.
struct Parts<R: Real> {
    left: R::Mask,
    a: R,
    e: Lifted<R>,
    e_lo: R,
    t: R,
    /// t + 2.
    w: R,
    w_lo: R,
    b: R,
    b_lo: R,
}

impl<R: Real> Parts<R> {
    #[inline(always)]
    fn new(x: R) -> Self {
        let (left, zero, one, two) = (x.lt(R::of(0.0)), R::of(0.0), R::of(1.0), R::of(2.0));
        // Not `bounded_abs`, because a derivative of 0 would lose its sign.
        let a = math::logistic_abs(x);
        let (e, e_lo) = math::exp_neg_with_error(a, None);
        let (t, t_lo) = (e.number(), e_lo * e.unlift);
        let w = t + two;
        let w_lo = (t - (w - two)) + t_lo;
        let on_left = t.mul_add(w, two);
        let on_left_lo = t.mul_add(w, two - on_left) + t.mul_add(w_lo, t_lo * w);
        let twice = t + t;
        let on_right = t.mul_add(twice, twice) + one;
        let (b, b_lo) = (R::select(left, on_left, on_right), R::select(left, on_left_lo, zero));
        Self { left, a, e, e_lo, t, w, w_lo, b, b_lo }
    }
}

/// (top + top_lo)/(bottom + bottom_lo), with an error of little more than half an ULP.
#[inline(always)]
fn quotient<R: Real>(top: R, top_lo: R, bottom: R, bottom_lo: R) -> R {
    let inverse = R::of(1.0) / bottom;
    let first = top * inverse;
    let remainder = math::less_product(top, first, bottom) + (-first).mul_add(bottom_lo, top_lo);
    remainder.mul_add(inverse, first)
}

impl Elementwise for Mish {
    compiled_passes!();
    fast_form!(|_f| FastMish);

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        if R::BRIEF {
            // tanh(log(1 + e)) = n/(n + 2), n = e (e + 2).
            let e = math::exp_neg(-math::brief_bounded(x), None).number();
            let n = e.mul_add(e, e + e);
            return x.at_least(R::of(-112.0)) * (n / (n + R::of(2.0)));
        }
        let Parts { left, a, e, e_lo, t, w, w_lo, b, b_lo } = Parts::new(x);
        let (factor, other) = (R::select(left, e.value, t), R::select(left, w, t + t));
        let top = factor * other;
        let rest = R::select(left, e_lo.mul_add(w, e.value * w_lo), R::of(0.0));
        let share = quotient(top, factor.mul_add(other, -top) + rest, b, b_lo);
        hinge(x, Lifted { value: a * share, unlift: R::select(left, e.unlift, R::of(1.0)) })
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        if R::BRIEF {
            // n/(n + 2) + 4 x e (e + 1)/(n + 2)^2.
            let x = math::brief_bounded(x);
            let e = math::brief_exp(x);
            let n = e.mul_add(e, e + e);
            let inverse = R::of(1.0) / (n + R::of(2.0));
            let factor = (e * inverse) * e.mul_add(inverse, inverse);
            return (x * R::of(4.0)).mul_add(factor, n * inverse);
        }
        let Parts { left, a, e, e_lo, t, b, b_lo, .. } = Parts::new(x);
        let (zero, one, two) = (R::of(0.0), R::of(1.0), R::of(2.0));
        let four_x = a.copysign(x) * R::of(4.0);
        // 4 + 4 x is exact near the root, where it cancels with the rest.
        let on_left = t.mul_add(t.mul_add(t + R::of(4.0), four_x + R::of(6.0)), four_x + R::of(4.0));
        let on_right = (-two).mul_add(b, t.mul_add(four_x, four_x));
        let (factor, other) = (R::select(left, e.value, t * t), R::select(left, on_left, on_right));
        let (top, top_lo) = factor.two_mul(other);
        let rest = R::select(left, e_lo * on_left, zero);
        let (square, square_lo) = b.two_mul(b);
        let part = quotient(top, top_lo + rest, square, (b + b).mul_add(b_lo, square_lo));
        part.mul_add(R::select(left, e.unlift, one), R::select(left, -zero, one))
    }
}

/// With t and b as above: 4 t (2 (1 + t) b + x (2 + 2 t - 3 t^2 - 2 t^3)) / b^3 on the left, and
/// 4 t^2 (2 (1 + t) b - x (2 + 3 t - 2 t^2 - 2 t^3)) / b^3 on the right.
impl SecondSlope for Mish {
    compiled_second!();

    #[inline(always)]
    fn second_slope<R: Real>(&self, x: R) -> R {
        let Parts { left, a, e, e_lo, t, b, b_lo, .. } = Parts::new(x);
        let (zero, one, two, four) = (R::of(0.0), R::of(1.0), R::of(2.0), R::of(4.0));
        let (linear, square) = (R::select(left, two, R::of(3.0)), R::select(left, R::of(3.0), two));
        let cubic = (-(t + t) - square).mul_add(t, linear).mul_add(t, two);
        let twice = two.mul_add(t, two);
        let inner = twice.mul_add(b, -(a * cubic));
        let inverse = one / b;
        // t^2 would have twice the relative error of t.
        let factor = e.value.mul_add(R::select(left, one, t), R::select(left, zero, (e_lo + e_lo) * t));
        let top = factor * (inner * inverse);
        // The cube would have three times the relative error of the inverse.
        let rest = (math::less_product(one, inverse, b) - inverse * b_lo) * R::of(3.0);
        four * top.mul_add(rest, top) * (inverse * inverse) * e.unlift
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
        error: ErrorBounds { f32: (2.2, 3.5), f32_plain: (2.5, 4.5), f64: (2.0, 3.5), f64_plain: (2.5, 4.0) },
    };
}
