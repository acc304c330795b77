//! The exponential, in parts that formulas combine without losing digits.

use super::unit::Unit;
use super::{Lifted, brief};
use crate::kernel::real::{Coefficients, Real};

/// q(r) with e^-r = 1 - r + r^2 q(r), |r| <= ln(2)/2 and 1 % more.
///
/// Relative error of e^-r: 2^-28.1 (`f32`), 2^-57.7 (`f64`). Fitted with coefficients rounded to the type by
/// `tools/exp.sollya`.
const Q: Coefficients = Coefficients {
    f32: &[0.499_999_9, -0.166_665_15, 4.166_892_5e-2, -8.369_384e-3, 1.378_749_4e-3],
    f64: &[
        0.500_000_000_000_001_2,
        -0.166_666_666_666_663_93,
        4.166_666_666_651_586e-2,
        -8.333_333_333_499_646e-3,
        1.388_888_894_763_093_3e-3,
        -1.984_126_950_299_158_6e-4,
        2.480_148_872_213_506_3e-5,
        -2.755_758_256_657_033e-6,
        2.763_188_457_647_442_5e-7,
        -2.500_350_047_250_438_5e-8,
    ],
};

/// q(r/2)/4, exactly.
const Q_HALF: Coefficients = {
    const F32: [f32; 5] = {
        let mut q = [0.0; 5];
        let mut i = 0;
        while i < q.len() {
            q[i] = Q.f32[i] / (4 << i) as f32;
            i += 1;
        }
        q
    };
    const F64: [f64; 10] = {
        let mut q = [0.0; 10];
        let mut i = 0;
        while i < q.len() {
            q[i] = Q.f64[i] / (4 << i) as f64;
            i += 1;
        }
        q
    };
    Coefficients { f32: &F32, f64: &F64 }
};

/// 2^64 (`f64`: 2^128). Small exponentials are multiplied by this, so that they stay normal. In a quotient the lift costs nothing,
/// because it replaces a 1. In a product it costs one multiplication, at the end.
#[inline(always)]
pub(crate) fn lifted_one<R: Real>() -> R {
    R::per_type(two_to(64) as f32, if R::BRIEF { 1.0 } else { two_to(128) })
}

/// log2 of [`lifted_one`].
#[inline(always)]
fn lift<R: Real>() -> R {
    R::per_type(64.0, if R::BRIEF { 0.0 } else { 128.0 })
}

/// The reciprocal of [`lifted_one`].
#[inline(always)]
pub(crate) fn unlift<R: Real>() -> R {
    R::per_type(two_to(-64) as f32, if R::BRIEF { 1.0 } else { two_to(-128) })
}

/// |x|, bounded by 190.75 ln 2 (`f64`: 1150.75 ln 2), where e^-|x| is 0: there the lifted power of two has the bits of the number 0. A
/// number above 0 would underflow in the products that follow, which takes several times as long.
#[inline(always)]
pub(crate) fn bounded_abs<R: Real>(x: R) -> R {
    x.abs().at_most(most(R::of(0.0)))
}

/// The argument at which the power of two, lifted and divided by 2^n, has the bits of the number 0. A quarter less, so that this holds
/// for rounding down, too.
#[inline(always)]
fn most<R: Real>(n: R) -> R {
    ((lift::<R>() + R::per_type(126.75, 1022.75)) - n) * R::of(core::f64::consts::LN_2)
}

/// `(r, w, scale)` with `scale * (1 + r w) * unlift()` = 2^n e^-((s + s_lo)/2 + n l), for 0 <= s <= 265 (`f64`: 1596) and `s_lo`
/// below an ULP of s, in plain lanes below 2^-10 (`f64`: 2^-24) of it. l is ln 2 rounded to the type, and n is the integer nearest to
/// -s/(2 ln 2).
///
/// This is e^-(s + s_lo)/2 times a factor near 1, e^(n (ln 2 - l)). The polynomials of the formulas that use it include the inverse
/// of that factor, which saves the low part of ln 2. The constants are scaled by powers of two, so that s need not be halved. The
/// last product is left to the caller, who can combine it with others. Error of w: below 2^-23.5, and |r| <= 0.70.
#[inline(always)]
pub(crate) fn exp_neg_half<R: Real>(s: R, s_lo: R) -> (R, R, R) {
    let (r, q, scale) = exp_neg_half_series(s, s_lo);
    (r, q.mul_add(r, R::of(-0.5)), scale)
}

/// `(r, q, scale)` with w = q r - 1/2.
#[inline(always)]
pub(crate) fn exp_neg_half_series<R: Real>(s: R, s_lo: R) -> (R, R, R) {
    // Without fused multiply-add `s_lo` may be more than an ULP of s.
    let sum = if R::FUSED { s } else { s + s_lo };
    let (n, scale) = sum.round_exp2(R::of(-0.5 * core::f64::consts::LOG2_E), lift());
    let ln2 = R::of(core::f64::consts::LN_2);
    let r = if R::BRIEF {
        n.mul_add(ln2 + ln2, s)
    } else if R::FUSED {
        n.mul_add(ln2 + ln2, s) + s_lo
    } else {
        let (ln2_hi, _) = Unit::ONE.split_ln2::<R>();
        let rest = ln2 - ln2_hi;
        n.mul_add(ln2_hi + ln2_hi, s) + n.mul_add(rest + rest, s_lo)
    };
    (r, r.polynomial(brief::pick::<R>(&Q_HALF, &brief::Q_HALF)), scale)
}

/// `(m, r, scale)` with e^(a + a_lo) = `scale * (m + r) / (m - r) * 2^lift`, for 0 <= a <= 115 (`f64`: 790) and `a_lo`
/// below an ulp of a. a, m and r are in units. In the lane `Brief`, `scale` is the reciprocal of that,
/// a may be negative, and `SHORT` says that the shorter polynomial does.
///
/// It takes half the multiplications of the polynomial, for formulas that divide anyway. m is in [2, 2.03], |r| <= 0.36; the rounding
/// of m nearly cancels in the ratio.
#[inline(always)]
pub(crate) fn exp_ratio<R: Real, const SHORT: bool>(a: R, a_lo: Option<R>, lift: R, unit: &Unit) -> (R, R, R) {
    let per_unit = R::of(unit.value.0 * core::f64::consts::LOG2_E);
    let (n, scale) = if R::BRIEF { a.round_exp2(-per_unit, lift) } else { a.round_exp2(per_unit, -lift) };
    let r = remainder(a, a_lo, if R::BRIEF { n } else { -n }, unit);
    let square = r * r;
    let c = if SHORT { brief::pick::<R>(&unit.c, &unit.brief_c) } else { &unit.c };
    (square.mul_add(square.polynomial(c), R::of(2.0 / unit.value.0)), r, scale)
}

/// The exponentials of a row of numbers, e^x / 2^n, where the integer n makes the greatest one 1/sqrt 2 to sqrt 2.
///
/// The difference of x and the maximum is never rounded, because the exponential would magnify the error. If the greatest is below
/// 256 (`f64`: 2048), no difference is taken. Otherwise the numbers that matter are within a factor 2 of the greatest, so the
/// difference is exact.
#[derive(Clone, Copy)]
pub(crate) struct RowExp<R> {
    /// The greatest number if it is far from 0, else 0.
    pub(crate) offset: R,
    /// The limit of offset - x. At the limit the exponential, which is negligible beside the greatest, is 0. So -inf, which is a masked
    /// element or padding, gives 0, and nothing underflows in the products that follow.
    pub(crate) most: R,
    pub(crate) lift: R,
}

impl<R: Real> RowExp<R> {
    #[inline(always)]
    pub(crate) fn below(max: R) -> Self {
        let offset = R::select(max.abs().lt(R::per_type(256.0, 2048.0)), R::of(0.0), max);
        let least = offset - max;
        let (n, _) = least.round_exp2(R::of(-core::f64::consts::LOG2_E), R::of(0.0));
        Self { offset, most: most(n), lift: lift::<R>() - n }
    }

    /// As [`below`](Self::below), but far from 0 the offset is a multiple of [`UNIT`](Self::unit), so that sums with different scales
    /// can be added: see [`raised_to`](Self::raised_to). Both kinds of lane give the same offset.
    ///
    /// The difference of x and the offset is still exact, because it is below 256 (`f64`: 2048), and it is a multiple of the spacing
    /// of floats at half the limit.
    #[inline(always)]
    pub(crate) fn on_grid(max: R) -> Self {
        let (zero, one) = (R::of(0.0), R::of(1.0));
        // From 2^28 (`f64`: 2^60) on, neighbouring floats are so far apart that all lesser exponentials are negligible.
        let far = R::per_type(two_to(28) as f32, two_to(60));
        let (units, _) = (max * (one / Self::unit())).round_exp2(one, zero);
        let offset = R::select(max.abs().lt(far), units * Self::unit(), max);
        let offset = R::select(max.abs().lt(R::per_type(256.0, 2048.0)), zero, offset);
        let least = offset - max;
        let (n, _) = (least * R::of(-core::f64::consts::LOG2_E)).round_exp2(one, zero);
        Self { offset, most: most(n), lift: lift::<R>() - n }
    }

    #[inline(always)]
    fn unit() -> R {
        R::per_type(128.0, 1024.0)
    }

    /// Converts a sum of exponentials to the scale of a greater number. Both scales must be on the grid. The result is exact if the
    /// offsets are equal, and 0 if the sum is negligible beside the greatest of the new scale.
    #[inline(always)]
    pub(crate) fn raised_to(&self, greater: &Self, (mut hi, mut lo): (R, R)) -> (R, R) {
        let (zero, one) = (R::of(0.0), R::of(1.0));
        // e^-UNIT = (unit_hi + unit_lo) 2^-unit_exponent.
        let unit_hi = R::per_type(1.261_407_9, 1.602_448_653_175_470_5);
        let unit_lo = R::per_type(-4.617_350_8e-8, -9.806_837_183_666_858e-17);
        let unit_exponent = R::per_type(185.0, 1478.0);
        let units = (greater.offset - self.offset) / Self::unit();
        let mut n = greater.lift - self.lift;
        for step in [0.0, 1.0] {
            let (product, product_lo) = hi.two_mul(unit_hi);
            let (scaled, scaled_lo) = super::fast_two_sum(product, product_lo + (hi * unit_lo + lo * unit_hi));
            let more = R::of(step).lt(units);
            (hi, lo) = (R::select(more, scaled, hi), R::select(more, scaled_lo, lo));
            n = R::select(more, n - unit_exponent, n);
        }
        // If the offsets differ by more than two units, the sum is negligible. A fraction of a unit occurs only where neighbouring
        // floats are 32 or more apart, and e^-32 is negligible too.
        let counts = R::select(units.le(R::of(2.0)), n, R::of(f64::NEG_INFINITY));
        let (_, power) = n.at_least(-R::per_type(100.0, 1000.0)).round_exp2(one, zero);
        let power = R::select(R::per_type(-100.0, -1000.0).lt(counts), power, zero);
        (hi * power, lo * power)
    }

    /// For [`fast_exp`](Self::fast_exp), where the offset is always the greatest number.
    #[inline(always)]
    pub(crate) fn fast(max: R) -> Self {
        Self { offset: max, most: most(R::of(0.0)), lift: lift() }
    }

    /// e^x / 2^n / `unlift()`. For x = -inf it is 0. It is meaningless for NaN, and if the greatest is infinite.
    ///
    /// Error in half-ULPs of 1: r is exact except for n LN2_LO, below 1/4. The polynomial without its last rounding adds 1/3, and the
    /// last rounding adds 1.
    #[inline(always)]
    pub(crate) fn exp(&self, x: R) -> R {
        let a = (self.offset - x).at_most(self.most);
        let (n, power) = a.round_exp2(R::of(-core::f64::consts::LOG2_E), self.lift);
        let r = remainder(a, None, n, &Unit::ONE);
        // The product with r does not wait for the polynomial.
        r.polynomial(&Q).mul_add(r, R::of(-1.0)).mul_add(r * power, power)
    }

    /// The same in fewer operations, for `f32` alone.
    ///
    /// Relative error: 2^-22.6 + |a| 2^-24, where a is the distance from the greatest. Relative to the greatest, which is 1, the second
    /// term is below 2^-25.4.
    #[inline(always)]
    pub(crate) fn fast_exp(&self, x: R) -> R {
        let a = (self.offset - x).at_most(self.most);
        let (mantissa, power) = super::fast::exp2_series(a, R::of(-core::f64::consts::LOG2_E), self.lift);
        // A product instead of a sum of exponents, so that NaN stays NaN. The search for the greatest ignores NaN.
        mantissa * power
    }
}

/// `(u, 2^(n + lift))` with e^-(a + a_lo) = 2^n (1 + u), for any a for which n + lift is the exponent of a normal number, and
/// `a_lo` below an ULP of a. NaN gives NaN in u.
///
/// a = -n ln 2 + r, so e^-a = 2^n e^-r and u = -r + r^2 q(r), in [-0.30, 0.42]. Error of u, in half-ULPs of 1 (2^-24 for
/// `f32`): the reduction is exact except for n LN2_LO, which is below 1/4 in r. r^2 q(r) and the last rounding add 1/2 at most.
#[inline(always)]
fn exp_neg_parts<R: Real>(a: R, a_lo: Option<R>, lift: R) -> (R, R) {
    let (n, scale) = a.round_exp2(R::of(-core::f64::consts::LOG2_E), lift);
    let r = remainder(a, a_lo, n, &Unit::ONE);
    ((r * r).mul_add(r.polynomial(brief::pick::<R>(&Q, &brief::Q)), -r), scale)
}

/// `(r, r_lo, q, 2^n)` with e^-a = 2^n (1 - (r + r_lo) + r^2 q), for 0 <= a <= 87 (`f64`: 708). It is for formulas in which 1
/// or r cancels. For a below ln(2)/2, n is 0 and r is a. The sum leaves out r^2 `r_lo` and the error of q, together below 2^-28
/// (`f64`: 2^-57).
#[inline(always)]
pub(crate) fn exp_neg_series<R: Real>(a: R) -> (R, R, R, R) {
    let (n, scale) = a.round_exp2(R::of(-core::f64::consts::LOG2_E), R::of(0.0));
    let (ln2_hi, ln2_lo) = Unit::ONE.split_ln2::<R>();
    let (r, r_lo) = super::two_sum(n.mul_add(ln2_hi, a), n * ln2_lo);
    (r, r_lo, r.polynomial(&Q), scale)
}

/// e^-(a + a_lo) for 0 <= a <= 133 (`f64`: 798).
#[inline(always)]
pub(crate) fn exp_neg<R: Real>(a: R, a_lo: Option<R>) -> Lifted<R> {
    let (u, scale) = exp_neg_parts(a, a_lo, lift());
    Lifted { value: scale.mul_add(u, scale), unlift: unlift() }
}

/// e^x in the lane `Brief`, for |x| <= 112, with the long polynomial.
#[inline(always)]
pub(crate) fn brief_exp<R: Real>(x: R) -> R {
    let (n, scale) = x.round_exp2(R::of(core::f64::consts::LOG2_E), R::of(0.0));
    let r = remainder(-x, None, n, &Unit::ONE);
    scale.mul_add((r * r).mul_add(r.polynomial(&Q), -r), scale)
}

/// e^-(a + a_lo) for 0 <= a <= 133 (`f64`: 798), and what its last rounding took away, lifted like it.
#[inline(always)]
pub(crate) fn exp_neg_with_error<R: Real>(a: R, a_lo: Option<R>) -> (Lifted<R>, R) {
    let (u, scale) = exp_neg_parts(a, a_lo, lift());
    let value = scale.mul_add(u, scale);
    (Lifted { value, unlift: unlift() }, scale.mul_add(u, scale - value))
}

/// e^-(a + a_lo) - 1 for 0 <= a <= 133 (`f64`: 798), to full relative accuracy.
#[inline(always)]
pub(crate) fn expm1_neg<R: Real>(a: R, a_lo: Option<R>) -> Lifted<R> {
    if R::BRIEF {
        // Near 0, e^-a - 1 has a greater error than e^-a has. The ratio's hardly grows.
        let ((m, r, scale), one) = (exp_ratio::<R, true>(a, None, lift(), &Unit::ONE), R::of(1.0));
        return Lifted { value: m.mul_add(scale - one, -(r * (scale + one))) / (m + r), unlift: unlift() };
    }
    let (u, scale) = exp_neg_parts(a, a_lo, lift());
    Lifted { value: scale.mul_add(u, scale - lifted_one()), unlift: unlift() }
}

/// a + a_lo + n ln 2, in units.
#[inline(always)]
pub(super) fn remainder<R: Real>(a: R, a_lo: Option<R>, n: R, unit: &Unit) -> R {
    let (ln2_hi, ln2_lo) = unit.split_ln2::<R>();
    if R::BRIEF {
        return n.mul_add(ln2_hi + ln2_lo, a);
    }
    let r_hi = n.mul_add(ln2_hi, a);
    match a_lo {
        Some(a_lo) => r_hi + n.mul_add(ln2_lo, a_lo),
        None => n.mul_add(ln2_lo, r_hi),
    }
}

/// `(scale, u, one, unlift)` with e^x = scale (1 + u) unlift and one unlift = 1, for every x.
#[inline(always)]
fn exp_anywhere<R: Real>(x: R) -> (R, R, R, R) {
    let a = -x.at_least(-most(R::of(0.0))).at_most(R::per_type(90.0, 711.0));
    let (lift, one, unlift) = lift_at(a, R::per_type(87.0, 708.0));
    let (u, scale) = exp_neg_parts(a, None, lift);
    (scale, u, one, unlift)
}

/// `(lift, one, unlift)` for the negated exponent `a`. If a is beyond `safe`, the power of two is lifted to stay normal, or lowered to
/// stay finite. `one` is the lifted 1, and `unlift` its reciprocal.
#[inline(always)]
fn lift_at<R: Real>(a: R, safe: R) -> (R, R, R) {
    let (deep, high) = (safe.lt(a), a.lt(-safe));
    let choose = |if_deep, if_high, otherwise| R::select(deep, if_deep, R::select(high, if_high, otherwise));
    (
        choose(lift(), -lift::<R>(), R::of(0.0)),
        choose(lifted_one(), unlift(), R::of(1.0)),
        choose(unlift(), lifted_one(), R::of(1.0)),
    )
}

/// e^x.
///
/// Range: [0, inf]. e^-inf = 0, e^inf = inf, NaN gives NaN. Error: at most 1.1 ULP in `f32`, over all 2^32 inputs;
/// the same in `f64`, on a table. Subnormal results are within it.
///
/// ```
/// use activations::{Activation, Elementwise, Real, math};
///
/// #[derive(Clone, Copy)]
/// struct Exp;
///
/// impl Elementwise for Exp {
///     #[inline(always)]
///     fn value<R: Real>(&self, x: R) -> R {
///         math::exp(x)
///     }
///
///     #[inline(always)]
///     fn slope<R: Real>(&self, x: R) -> R {
///         math::exp(x)
///     }
/// }
///
/// assert_eq!(Exp.forward_vec(&[0.0_f32, f32::NEG_INFINITY]), [1.0, 0.0]);
/// ```
#[inline(always)]
#[must_use]
pub fn exp<R: Real>(x: R) -> R {
    let (scale, u, _, unlift) = exp_anywhere(x);
    scale.mul_add(u, scale) * unlift
}

/// e^x - 1, without the cancellation near 0.
///
/// Range: [-1, inf]. Keeps the sign of zero; e^-inf - 1 = -1, NaN gives NaN. Error: at most 1.5 ULP in `f32`, over all 2^32
/// inputs (1.6 without fused multiply-add); 1.3 in `f64`, on a table.
///
/// ```
/// use activations::{Activation, Elementwise, Real, math};
///
/// #[derive(Clone, Copy)]
/// struct Expm1;
///
/// impl Elementwise for Expm1 {
///     #[inline(always)]
///     fn value<R: Real>(&self, x: R) -> R {
///         math::expm1(x)
///     }
///
///     #[inline(always)]
///     fn slope<R: Real>(&self, x: R) -> R {
///         math::exp(x)
///     }
/// }
///
/// assert_eq!(Expm1.forward_vec(&[1e-20_f32, f32::NEG_INFINITY]), [1e-20, -1.0]);
/// ```
#[inline(always)]
#[must_use]
pub fn expm1<R: Real>(x: R) -> R {
    let (scale, u, one, unlift) = exp_anywhere(x);
    (scale.mul_add(u, scale - one) * unlift).copysign(x)
}

/// 2^x.
///
/// Range: [0, inf]. Exact for integers. 2^-inf = 0, 2^inf = inf, NaN gives NaN. Error: at most 1.1 ULP in `f32`, over all 2^32
/// inputs; 1.1 in `f64`, on a table. Subnormal results are within it.
///
/// ```
/// use activations::{Activation, Elementwise, Real, math};
///
/// #[derive(Clone, Copy)]
/// struct Octaves;
///
/// impl Elementwise for Octaves {
///     #[inline(always)]
///     fn value<R: Real>(&self, x: R) -> R {
///         R::of(440.0) * math::exp2(x)
///     }
///
///     #[inline(always)]
///     fn slope<R: Real>(&self, x: R) -> R {
///         R::of(440.0 * core::f64::consts::LN_2) * math::exp2(x)
///     }
/// }
///
/// assert_eq!(Octaves.forward_vec(&[-1.0_f32, 0.0, 1.0]), [220.0, 440.0, 880.0]);
/// ```
///
/// x = n + r with an exact r, and 2^r = e^(r ln 2) by the polynomial of [`exp`]. Error in half-ULPs of 1: rounding r ln 2 adds 1/4, the
/// polynomial and the sum before the last one add 1/2, and the last rounding adds 1.
#[inline(always)]
#[must_use]
pub fn exp2<R: Real>(x: R) -> R {
    let a = -x.at_least(-R::per_type(191.0, 1151.0)).at_most(R::per_type(129.0, 1025.0));
    let (lift, _, unlift) = lift_at(a, R::per_type(125.0, 1021.0));
    let (n, scale) = a.round_exp2(R::of(-1.0), lift);
    let r = (a + n) * R::of(core::f64::consts::LN_2);
    let u = (r * r).mul_add(r.polynomial(&Q), -r);
    scale.mul_add(u, scale) * unlift
}

/// 2^n, for exponents of normal numbers.
#[inline(always)]
pub(crate) const fn two_to(n: i32) -> f64 {
    f64::from_bits(((1023 + n) as u64) << 52)
}
