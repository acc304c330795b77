//! The logistic function and the hyperbolic tangent: ratios of 1 and e^-|x| with one division.

use super::exp::{exp_ratio, two_to};
use super::unit::Unit;
use super::{Lifted, less_product};
use crate::kernel::real::Real;

/// The logistic function 1 / (1 + e^-x).
///
/// Range: [0, 1]. sigmoid(-inf) = 0, sigmoid(inf) = 1, NaN gives NaN. Error: as for
/// [`Sigmoid`](crate::Sigmoid), for subnormal results too.
///
/// ```
/// use activations::{Activation, Elementwise, Real, math};
///
/// #[derive(Clone, Copy)]
/// struct Twice;
///
/// impl Elementwise for Twice {
///     #[inline(always)]
///     fn value<R: Real>(&self, x: R) -> R {
///         math::sigmoid(x + x)
///     }
///
///     #[inline(always)]
///     fn slope<R: Real>(&self, x: R) -> R {
///         R::of(2.0) * math::sigmoid(x + x) * math::sigmoid(-(x + x))
///     }
/// }
///
/// assert_eq!(Twice.forward_vec(&[0.0_f32, f32::INFINITY]), [0.5, 1.0]);
/// ```
#[inline(always)]
#[must_use]
pub fn sigmoid<R: Real>(x: R) -> R {
    if R::BRIEF {
        return brief_sigmoid(brief_bounded(x), &Unit::ONE);
    }
    sigmoid_from_left(x, sigmoid_neg(logistic_abs(x), None))
}

/// |x|, bounded by 112 (`f64`: 768), where even |x| sigmoid(-|x|) is zero.
#[inline(always)]
pub(crate) fn logistic_abs<R: Real>(x: R) -> R {
    // In the lane `Brief` nothing is lifted: there 2^n is normal up to 708.
    x.abs().at_most(R::per_type(112.0, if R::BRIEF { 700.0 } else { 768.0 }))
}

/// No more than 112, and no less than -112: results beyond are below the normal range of `f32`.
#[inline(always)]
pub(crate) fn brief_bounded<R: Real>(x: R) -> R {
    x.at_least(R::of(-112.0)).at_most(R::of(112.0))
}

/// sigmoid(x) in the lane `Brief`, for |x| <= 112, in units: (m + r)/((m + r) + 2^n (m - r)).
/// `f64` has room for e^112 beside its digits.
#[inline(always)]
pub(crate) fn brief_sigmoid<R: Real>(x: R, unit: &Unit) -> R {
    let Logistic { m, r, scale } = Logistic::in_units(x, None, unit);
    let top = m + r;
    top / (m - r).mul_add(scale, top)
}

/// The derivative of x sigmoid(z(x)) from z and w = x z'(x), in the lane `Brief`. Near the root, where its parts cancel, its error
/// is below 2^-50.
#[inline(always)]
pub(crate) fn brief_slope<R: Real>(z: R, w: R, unit: &Unit) -> R {
    let one = R::of(1.0);
    let (m, r, scale) = exp_ratio::<R, false>(z, None, R::of(0.0), unit);
    let top = m + r;
    let sigmoid = top / (m - r).mul_add(scale, top);
    sigmoid * w.mul_add(one - sigmoid, one)
}

/// sigmoid(x) from q = sigmoid(-|x|).
#[inline(always)]
pub(crate) fn sigmoid_from_left<R: Real>(x: R, q: R) -> R {
    // Not 1 / (1 + e), because rounding 1 + e costs up to an ULP of the quotient. Subtracting q <= 1/2 costs half an ULP.
    R::select(x.lt(R::of(0.0)), q, R::of(1.0) - q)
}

/// e^(a + a_lo) as a ratio, for 0 <= a <= 115 (`f64`: 790). The logistic functions follow from it with one division.
///
/// e^(a + a_lo) = `scale (m + r) / (m - r) / UNLIFT`. The power of two is lowered by `UNLIFT` = 2^-45 (`f64`: 2^-128), so that it
/// is normal for every a. The sums `scale (m + r) +- UNLIFT (m - r)` are made of products of m and r, so m + r is never
/// rounded. m and r may be in [units](Unit), because only ratios count.
struct Logistic<R> {
    m: R,
    r: R,
    scale: R,
}

const UNLIFT: (f32, f64) = (two_to(-45) as f32, two_to(-128));

impl<R: Real> Logistic<R> {
    #[inline(always)]
    fn new(a: R, a_lo: Option<R>) -> Self {
        Self::in_units(a, a_lo, &Unit::ONE)
    }

    #[inline(always)]
    fn in_units(a: R, a_lo: Option<R>, unit: &Unit) -> Self {
        let (m, r, scale) = exp_ratio::<R, true>(a, a_lo, R::per_type(45.0, if R::BRIEF { 0.0 } else { 128.0 }), unit);
        Self { m, r, scale }
    }

    #[inline(always)]
    fn unlift() -> R {
        R::per_type(UNLIFT.0, if R::BRIEF { 1.0 } else { UNLIFT.1 })
    }

    #[inline(always)]
    fn unlift_twice() -> R {
        R::per_type(UNLIFT.0 * UNLIFT.0, if R::BRIEF { 1.0 } else { UNLIFT.1 * UNLIFT.1 })
    }

    #[inline(always)]
    fn lifted_one() -> R {
        R::per_type(UNLIFT.0.recip(), if R::BRIEF { 1.0 } else { UNLIFT.1.recip() })
    }

    /// m - r, and the sum of m - r and e^a (m - r), lifted. Their quotient is sigmoid(-a).
    #[inline(always)]
    fn fraction(&self) -> (R, R) {
        let Self { m, r, scale } = *self;
        if R::BRIEF {
            let top = (m - r) * scale;
            return (top, (m + r) + top);
        }
        (m - r, m.mul_add(scale + Self::unlift(), r * (scale - Self::unlift())))
    }

    /// The same, with the rounding error of the sum. It takes one more multiplication, because the power of two and 1 must not be
    /// added: if one of them is 2^24 times the other, their sum would be rounded too.
    #[inline(always)]
    fn fraction_with_error(&self) -> (R, R, R) {
        let Self { m, r, scale } = *self;
        let top = m - r;
        let rest = r.mul_add(scale, top * Self::unlift());
        let bottom = m.mul_add(scale, rest);
        (top, bottom, m.mul_add(scale, -bottom) + rest)
    }

    /// sigmoid(-a - a_lo) / `unlift()`.
    #[inline(always)]
    fn lifted_sigmoid_neg(&self) -> R {
        let (top, bottom) = self.fraction();
        top / bottom
    }
}

/// sigmoid(-a - a_lo) for 0 <= a <= 115 (`f64`: 790), to full relative accuracy.
#[inline(always)]
pub(crate) fn sigmoid_neg<R: Real>(a: R, a_lo: Option<R>) -> R {
    let (top, bottom) = Logistic::new(a, a_lo).fraction();
    (top * Logistic::unlift()) / bottom
}

/// sigmoid(-a - a_lo - ln 2) = e^-a / (2 + e^-a) for 0 <= a <= 115 (`f64`: 790), to full relative accuracy.
#[inline(always)]
pub(super) fn sigmoid_neg_less_ln2<R: Real>(a: R, a_lo: Option<R>) -> Lifted<R> {
    let Logistic { m, r, scale } = Logistic::new(a, a_lo);
    if R::BRIEF {
        let top = (m - r) * scale;
        return Lifted { value: top / (m + r).mul_add(R::of(2.0), top), unlift: R::of(1.0) };
    }
    // Half of the divisor, so that the power of two need not be doubled.
    let unlift = R::of(0.5) * Logistic::unlift();
    Lifted { value: (m - r) / m.mul_add(scale + unlift, r * (scale - unlift)), unlift }
}

/// The low part of an argument of the logistic function, which is its rounding error, in units.
pub(crate) struct Low<R> {
    pub(crate) lo: R,
    pub(crate) unit: &'static Unit,
}

impl<R> Low<R> {
    /// In units of 1.
    pub(crate) const fn of(lo: R) -> Self {
        Self { lo, unit: &Unit::ONE }
    }
}

/// b sigmoid(-a - lo), for 0 <= a <= 115 (`f64`: 790).
#[inline(always)]
pub(crate) fn times_sigmoid_neg<R: Real>(b: R, a: R, low: Option<Low<R>>) -> Lifted<R> {
    let (e, bottom) = match low {
        None => {
            let e = Logistic::new(a, None);
            let bottom = e.fraction().1;
            (e, bottom)
        }
        Some(Low { lo, unit }) => {
            let e = Logistic::in_units(a, Some(lo), unit);
            let bottom = e.fraction_with_error().1;
            (e, bottom)
        }
    };
    Lifted { value: b.mul_add(e.m, -(b * e.r)) / bottom, unlift: Logistic::unlift() }
}

/// q (1 - w (1 - q)) with q = sigmoid(-a - lo). If a = z(x) and w + w_lo = x z'(x), this is the derivative of x sigmoid(z(x)) at -x.
///
/// With low parts, the rounding errors of q are compensated too, and a and w are in units.
#[inline(always)]
pub(crate) fn sigmoid_neg_slope<R: Real>(a: R, w: R, low_parts: Option<(Low<R>, R)>) -> Lifted<R> {
    // 1 - w is exact near the root, where the sum cancels.
    let one = R::of(1.0);
    match low_parts {
        None => {
            let (top, bottom) = Logistic::new(a, None).fraction();
            let q = top / bottom;
            // It has the lift of q, because it is added to q w.
            let inner = q.mul_add(w, (-w).mul_add(Logistic::lifted_one(), Logistic::lifted_one()));
            Lifted { value: q * inner, unlift: Logistic::unlift_twice() }
        }
        Some((Low { lo, unit }, w_lo)) => {
            let (value, value_lo) = (R::of(unit.value.0), R::per_type(unit.value.1.0, unit.value.1.1));
            let e = Logistic::in_units(a, Some(lo), unit);
            let (top, bottom, bottom_lo) = e.fraction_with_error();
            let q = top / bottom;
            let (minus_w, rounded) = (-w).two_mul(value);
            let rest = one + minus_w;
            let inner = q.mul_add(minus_w * -Logistic::<R>::unlift(), rest);
            // `remainder` is the rounding error of the division and its parts, relative to the numerator, which is about 2.
            // `factor` is the derivative of the result with respect to q. Plain lanes split products in two, which overflows
            // from 2^115 on.
            let (up, down) = (R::of(two_to(16)), R::of(two_to(-16)));
            let (q_up, bottom_down) = if R::FUSED { (q, bottom) } else { (q * up, bottom * down) };
            let remainder = (-q).mul_add(bottom_lo, less_product(e.m, q_up, bottom_down) - e.r);
            let factor = rest.mul_add(R::of(-0.5 * unit.value.0), inner * value);
            // Added last, because near the root the sum and its rounding errors are small.
            let low = (-w_lo).mul_add(value, (-w).mul_add(value_lo, rounded));
            Lifted { value: q * (inner + remainder.mul_add(factor, low)), unlift: Logistic::unlift() }
        }
    }
}

/// sigmoid'(a + lo) and tanh((a + lo) / 2) for 0 <= a <= 115 (`f64`: 790), both to full relative accuracy, from one exponential.
#[inline(always)]
pub(crate) fn sigmoid_slope_and_tanh<R: Real>(a: R, low: Option<Low<R>>) -> (Lifted<R>, R) {
    let e = match low {
        None => Logistic::new(a, None),
        Some(Low { lo, unit }) => Logistic::in_units(a, Some(lo), unit),
    };
    let (top, bottom, _) = e.fraction_with_error();
    let q = top / bottom;
    let rest = (-q).mul_add(Logistic::unlift(), R::of(1.0));
    // If q is at most 1/4, its error hardly matters in 1 - 2 q. Otherwise this is computed as in `tanh`.
    let (scale, one) = ((e.scale * Logistic::lifted_one()).at_most(R::of(4.0)), R::of(1.0));
    let (less, more) = (scale - one, scale + one);
    let near = e.m.mul_add(less, e.r * more) / e.m.mul_add(scale, e.r.mul_add(less, e.m));
    let far = (-(q + q)).mul_add(Logistic::unlift(), one);
    let tanh = R::select((q * Logistic::unlift()).lt(R::of(0.25)), far, near);
    (Lifted { value: q * rest, unlift: Logistic::unlift() }, tanh)
}

/// The hyperbolic tangent.
///
/// Range: [-1, 1]. Odd: keeps the sign of zero. tanh(inf) = 1, NaN gives NaN. Error: as for [`Tanh`](crate::Tanh).
///
/// ```
/// use activations::{Activation, Elementwise, Real, math};
///
/// #[derive(Clone, Copy)]
/// struct Gated;
///
/// impl Elementwise for Gated {
///     #[inline(always)]
///     fn value<R: Real>(&self, x: R) -> R {
///         math::tanh(x) * math::sigmoid(x)
///     }
///
///     #[inline(always)]
///     fn slope<R: Real>(&self, x: R) -> R {
///         let (t, s) = (math::tanh(x), math::sigmoid(x));
///         s * (R::of(1.0) - t * t + t * (R::of(1.0) - s))
///     }
/// }
///
/// assert_eq!(Gated.forward_vec(&[0.0_f32, f32::INFINITY]), [0.0, 1.0]);
/// ```
#[inline(always)]
#[must_use]
pub fn tanh<R: Real>(x: R) -> R {
    if R::BRIEF {
        let a = brief_bounded(x);
        let Logistic { m, r, scale } = Logistic::new(a + a, None);
        let (less, more) = (R::of(1.0) - scale, R::of(1.0) + scale);
        return (m.mul_add(less, r * more) / m.mul_add(more, r * less)).copysign(x);
    }
    let Logistic { m, r, scale } = Logistic::new(logistic_abs(x + x), None);
    // The same exponential as in `tanh_slope`, so that both together compute it once. It is not lowered here, so that a subnormal
    // r = |2x| keeps its digits. Beyond the bound tanh is rounded to 1.
    let (scale, one) =
        ((scale * Logistic::lifted_one()).at_most(R::per_type(two_to(60) as f32, two_to(60))), R::of(1.0));
    let (less, more) = (scale - one, scale + one);
    (m.mul_add(less, r * more) / m.mul_add(scale, r.mul_add(less, m))).copysign(x)
}

/// 1 - tanh(x)^2, to full relative accuracy: 4 q (1 - q) with q = sigmoid(-|2x|).
#[inline(always)]
pub(crate) fn tanh_slope<R: Real>(x: R) -> R {
    let a = if R::BRIEF { x.abs().at_most(R::of(112.0)) } else { logistic_abs(x + x) };
    let a = if R::BRIEF { a + a } else { a };
    let q = Logistic::new(a, None).lifted_sigmoid_neg();
    (R::of(4.0) * Logistic::unlift()) * q * (-q).mul_add(Logistic::unlift(), R::of(1.0))
}
