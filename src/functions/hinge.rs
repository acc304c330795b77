//! Functions with f(x) - f(-x) = x: both sides follow from the left one.

use crate::kernel::real::Real;
use crate::math::Lifted;

/// f(x) = max(x, 0) - tail, where tail = -f(-|x|).
#[inline(always)]
pub(super) fn hinge<R: Real>(x: R, tail: Lifted<R>) -> R {
    // Does not negate the tail, because for aarch64 LLVM makes one instruction of a negated `mul_add`, and that gives zeros of
    // the other sign.
    tail.value.mul_add(-tail.unlift, x.ramp())
}

/// f'(x) from `left` = f'(-|x|): it is `left` or 1 - left.
#[inline(always)]
pub(super) fn reflect<R: Real>(x: R, left: R) -> R {
    R::select(x.lt(R::of(0.0)), left, R::of(1.0) - left)
}
