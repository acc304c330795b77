//! What functions with f(x) - f(-x) = x share: both sides from the left one.

use crate::kernel::real::Real;
use crate::math::Lifted;

/// max(x, 0) - tail: f(x) from the tail -f(-|x|), for f(x) - f(-x) = x.
#[inline(always)]
pub(super) fn hinge<R: Real>(x: R, tail: Lifted<R>) -> R {
    // Not the tail is negated: for aarch64 LLVM makes a negated `mul_add` one instruction, whose zeros have another sign.
    tail.value.mul_add(-tail.unlift, x.ramp())
}

/// f'(x) from `left` = f'(-|x|), for f(x) - f(-x) = x: `left` or 1 - left.
#[inline(always)]
pub(super) fn reflect<R: Real>(x: R, left: R) -> R {
    R::select(x.lt(R::of(0.0)), left, R::of(1.0) - left)
}
