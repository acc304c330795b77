//! A constant or a parameter times |x|, as an unevaluated sum, because exponentials magnify the relative error of their argument.

use super::exp::two_to;
use crate::kernel::lanes::Plain;
use crate::kernel::real::Real;

/// Scales are limited to this from above, and to its reciprocal from below.
const MOST_SCALE: (f64, f64) = (two_to(60), two_to(500));

/// A parameter that scales the input: a factor as an unevaluated sum.
#[derive(Clone, Copy)]
pub(crate) struct Scale<R> {
    pub(crate) factor: R,
    pub(crate) factor_lo: Option<R>,
}

/// |x| and a factor times it.
#[derive(Clone, Copy)]
pub(crate) struct Scaled<R> {
    /// |x|, bounded so that the product is at most 114.75 (`f64`: 790).
    pub(crate) a: R,
    pub(crate) z: R,
    pub(crate) z_lo: R,
}

impl<R: Real> Scale<R> {
    /// A positive parameter, rounded to the type, and limited to 2^60 (`f64`: 2^500) from above and to the reciprocal of that from
    /// below, so that neither products nor quotients leave the normal range.
    #[inline(always)]
    pub(crate) fn of(parameter: f64) -> Self {
        let (for_f32, for_f64) = MOST_SCALE;
        let factor =
            R::per_type(parameter.clamp(for_f32.recip(), for_f32) as f32, parameter.clamp(for_f64.recip(), for_f64));
        Self { factor, factor_lo: None }
    }

    /// The same for a number of the lane.
    #[inline(always)]
    pub(crate) fn of_lane(parameter: R) -> Self {
        let (least, most) = (
            R::per_type(MOST_SCALE.0.recip() as f32, MOST_SCALE.1.recip()),
            R::per_type(MOST_SCALE.0 as f32, MOST_SCALE.1),
        );
        Self { factor: parameter.at_least(least).at_most(most), factor_lo: None }
    }

    /// The reciprocal of a parameter, which is rounded and bounded like [`of`](Self::of) one.
    #[inline(always)]
    pub(crate) fn recip_of(parameter: f64) -> Self {
        Self::of(parameter).recip()
    }

    /// The reciprocal of a factor without a low part.
    #[inline(always)]
    pub(crate) fn recip(self) -> Self {
        let (divisor, one) = (self.factor, R::of(1.0));
        let factor = one / divisor;
        let (product, product_lo) = factor.two_mul(divisor);
        Self { factor, factor_lo: Some(((one - product) - product_lo) * factor) }
    }

    /// The reciprocal of a parameter that is bounded like [`of`](Self::of) one, but not rounded to the type.
    #[inline(always)]
    pub(crate) fn recip_of_unrounded(parameter: f64) -> Self {
        let most = MOST_SCALE.0;
        let narrow = parameter.clamp(most.recip(), most).recip();
        let wide = Scale::<Plain<f64>>::recip_of(parameter);
        let wide_lo = wide.factor_lo.map_or(0.0, |lo| lo.0);
        Self {
            factor: R::per_type(narrow as f32, wide.factor.0),
            factor_lo: Some(R::per_type((narrow - f64::from(narrow as f32)) as f32, wide_lo)),
        }
    }

    /// |x| times the factor. With a factor of 0 the result is 0, for infinite x too.
    #[inline(always)]
    pub(crate) fn times_abs(self, x: R) -> Scaled<R> {
        let most = (R::per_type(114.75, if R::BRIEF { 700.0 } else { 790.0 }) / self.factor)
            .at_most(R::per_type(two_to(70) as f32, two_to(510)));
        let a = x.abs().at_most(most);
        let (z, z_lo) = self.times(a, None);
        Scaled { a, z, z_lo }
    }

    /// (x + x_lo) times the factor, as an unevaluated sum.
    #[inline(always)]
    pub(crate) fn times(self, x: R, x_lo: Option<R>) -> (R, R) {
        let (product, product_lo) = x.two_mul(self.factor);
        let lo = match x_lo {
            Some(x_lo) => x_lo.mul_add(self.factor, product_lo),
            None => product_lo,
        };
        match self.factor_lo {
            Some(factor_lo) => (product, x.mul_add(factor_lo, lo)),
            None => (product, lo),
        }
    }
}
