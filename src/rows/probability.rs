//! Probabilities p, and 1 - p, from the sums of a row's exponentials.

use super::formula::{Accumulate, Constants};
use super::reduce::Partial;
use super::stats::Row;
use crate::kernel::real::Real;
use crate::math::{fast_two_sum, lifted_one, two_sum, unlift};

/// The reciprocal of a row's sum, which makes probabilities of its exponentials.
#[derive(Clone, Copy)]
pub(crate) struct Normaliser<R> {
    pub(crate) factor: R,
    pub(crate) factor_lo: R,
}

impl<R: Real> Normaliser<R> {
    #[inline(always)]
    pub(crate) fn of((hi, lo): Partial<R>) -> Self {
        let one = R::of(1.0);
        let factor = one / hi;
        let (product, product_lo) = factor.two_mul(hi);
        Self { factor, factor_lo: factor * (((one - product) - product_lo) - factor * lo) }
    }

    /// A sum of exponentials over the row's sum. Both are lifted.
    #[inline(always)]
    pub(crate) fn ratio(&self, (hi, lo): Partial<R>) -> Partial<R> {
        let (product, product_lo) = hi.two_mul(self.factor);
        (product, product_lo + (hi * self.factor_lo + lo * self.factor))
    }

    /// A sum of products with exponentials, not lifted, over the row's sum.
    #[inline(always)]
    pub(crate) fn mean(&self, sum: Partial<R>) -> R {
        let normaliser = Self { factor: self.factor * lifted_one(), factor_lo: self.factor_lo * lifted_one() };
        let (hi, lo) = normaliser.ratio(sum);
        hi + lo
    }

    #[inline(always)]
    pub(crate) fn probability(&self, e: R) -> R {
        if R::FUSED {
            e.mul_add(self.factor, e * self.factor_lo)
        } else {
            // With a rounded product, the probability in a row of one element would sometimes be less than 1. The product is
            // lifted, because below the normal range its error would be lost.
            let (p, p_lo) = e.two_mul(self.factor * lifted_one());
            (p + (p_lo + e * (self.factor_lo * lifted_one()))) * unlift()
        }
    }
}

/// The sums that [`Complement`] needs: all exponentials except the greatest, and how often the greatest occurs.
#[derive(Clone, Copy)]
pub(crate) struct Rest<const KEEPS: bool>;

impl<const KEEPS: bool> Accumulate for Rest<KEEPS> {
    const SECOND: bool = true;
    const COUNTS: bool = true;
    const KEEPS: bool = KEEPS;

    #[inline(always)]
    fn first<R: Real>(e: R, top: R) -> R {
        Complement::below_top(e, top)
    }

    #[inline(always)]
    fn second<R: Real>(e: R, top: R, _: R) -> Partial<R> {
        Complement::is_top(e, top)
    }
}

/// 1 - p, to full relative accuracy where p is near 1.
///
/// Only the greatest probability can be above 1/2. Its complement is the sum of the others. The greatest exponential may occur
/// several times, so the row's first sum is over all lesser ones, and the second sum counts the greatest. See
/// [`below_top`](Self::below_top) and [`is_top`](Self::is_top).
#[derive(Clone, Copy)]
pub(crate) struct Complement<R> {
    pub(crate) top: R,
    /// 1 - p for the greatest.
    pub(crate) of_top: R,
}

impl<R: Real> Complement<R> {
    /// `e`, unless it is the greatest.
    #[inline(always)]
    pub(crate) fn below_top(e: R, top: R) -> R {
        R::select(top.le(e), R::of(0.0), e)
    }

    /// 1 for the greatest, 0 for others.
    #[inline(always)]
    pub(crate) fn is_top(e: R, top: R) -> Partial<R> {
        (R::select(top.le(e), R::of(1.0), R::of(0.0)), R::of(0.0))
    }

    /// The complement and the normaliser of a row.
    #[inline(always)]
    pub(crate) fn of(row: &Row<R>) -> (Self, Normaliser<R>) {
        let (top, rest, count) = (row.top, row.first, row.second.0);
        let normaliser = Normaliser::of(multiple_and(count, top, rest));
        let (of_top, rounded) = normaliser.ratio(multiple_and(count - R::of(1.0), top, rest));
        (Self { top, of_top: of_top + rounded }, normaliser)
    }

    /// Both, as the constants of a formula.
    #[inline(always)]
    pub(crate) fn constants(row: &Row<R>) -> Constants<R> {
        let (Self { top, of_top }, Normaliser { factor, factor_lo }) = Self::of(row);
        [factor, factor_lo, top, of_top]
    }

    /// p and 1 - p for the exponential `e`, from [`constants`](Self::constants).
    #[inline(always)]
    pub(crate) fn both(e: R, &[factor, factor_lo, top, of_top]: &Constants<R>) -> (R, R) {
        let p = Normaliser { factor, factor_lo }.probability(e);
        (p, Self { top, of_top }.at(e, p))
    }

    /// 1 - p, where p is the probability of the exponential `e`.
    #[inline(always)]
    pub(crate) fn at(&self, e: R, p: R) -> R {
        let (zero, one) = (R::of(0.0), R::of(1.0));
        let below = e.lt(self.top);
        p.mul_add(R::select(below, -one, zero), R::select(below, one, self.of_top))
    }
}

/// count top + rest.
#[inline(always)]
pub(crate) fn multiple_and<R: Real>(count: R, top: R, rest: Partial<R>) -> Partial<R> {
    let (tops, tops_lo) = count.two_mul(top);
    let (hi, lo) = two_sum(tops, rest.0);
    fast_two_sum(hi, lo + (tops_lo + rest.1))
}
