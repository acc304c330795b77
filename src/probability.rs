//! What the sums of a row's exponentials are for: probabilities, and what is left of 1 beside one.

use crate::math::{fast_two_sum, lifted_one, two_sum, unlift};
use crate::real::Real;
use crate::reduce::Partial;
use crate::rows::Row;

/// The reciprocal of a row's sum, which makes probabilities of its exponentials.
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

    /// What makes the product of two probabilities of a product of exponentials, lifted once.
    #[inline(always)]
    pub(crate) fn square(&self) -> Self {
        let lifted = self.factor * lifted_one();
        let (factor, rounded) = lifted.two_mul(self.factor);
        Self { factor, factor_lo: rounded + (lifted + lifted) * self.factor_lo }
    }

    /// A sum of exponentials, lifted as the sum of the row's is, over that.
    #[inline(always)]
    pub(crate) fn ratio(&self, (hi, lo): Partial<R>) -> Partial<R> {
        let (product, product_lo) = hi.two_mul(self.factor);
        (product, product_lo + (hi * self.factor_lo + lo * self.factor))
    }

    /// A sum of exponentials times something, not lifted, over the sum of the row's.
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
            // A rounded product would leave the only probability of a row of one short of 1 at times. Lifted, for its
            // error is lost below the normal range.
            let (p, p_lo) = e.two_mul(self.factor * lifted_one());
            (p + (p_lo + e * (self.factor_lo * lifted_one()))) * unlift()
        }
    }
}

/// The exponentials beside one, to full relative accuracy where that is the greatest: 1 - p keeps its digits.
///
/// The greatest may occur several times. The row's first sum is of the others, its second counts it: see
/// [`below_top`](Self::below_top) and [`is_top`](Self::is_top).
pub(crate) struct Others<R> {
    pub(crate) sum: Partial<R>,
    pub(crate) beside_top: R,
    pub(crate) top: R,
}

impl<R: Real> Others<R> {
    /// `e`, unless it is the greatest. NaN stays.
    #[inline(always)]
    pub(crate) fn below_top(e: R, top: R) -> R {
        R::select(top.le(e), R::of(0.0), e)
    }

    /// 1 for the greatest, 0 for others.
    #[inline(always)]
    pub(crate) fn is_top(e: R, top: R) -> R {
        R::select(top.le(e), R::of(1.0), R::of(0.0))
    }

    #[inline(always)]
    pub(crate) fn of(row: &Row<R>) -> Self {
        let (top, rest, count) = (row.scale.top, row.first, row.second.0);
        let beside_top = (count - R::of(1.0)).mul_add(top, rest.0) + rest.1;
        let (tops, tops_lo) = count.two_mul(top);
        let (hi, lo) = two_sum(tops, rest.0);
        Self { sum: fast_two_sum(hi, lo + (tops_lo + rest.1)), beside_top, top }
    }

    #[inline(always)]
    pub(crate) fn beside(&self, e: R) -> R {
        R::select(e.lt(self.top), (self.sum.0 - e) + self.sum.1, self.beside_top)
    }
}
