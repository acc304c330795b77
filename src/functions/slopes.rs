//! Leaky lines with a slope for each element: the loops that RReLU in training and PReLU share.

use super::relu::side;
use crate::activation::Elementwise;
use crate::kernel::real::Real;
use crate::kernel::sweep::sweep;

/// x for x > 0, `slope` x for x <= 0.
#[inline(always)]
pub(super) fn leaky<R: Real>(x: R, slope: R) -> R {
    R::select(R::of(0.0).lt(x), x, x * slope)
}

// `_like` is a formula of as few operations: it says how many vectors go abreast.
sweep!(Forward<Elementwise> |_like, x, slopes| y = leaky(x, slopes));
sweep!(ForwardInPlace<Elementwise> |_like, slopes| mut x = leaky(x, slopes));
sweep!(Derivative<Elementwise> |_like, x, slopes| dydx = side(x, slopes));
sweep!(ForwardWithDerivative<Elementwise> |_like, x, slopes| y = leaky(x, slopes), dydx = side(x, slopes));
sweep!(Backward<Elementwise> |_like, x, slopes, grad_y| grad_x = grad_y * side(x, slopes));
