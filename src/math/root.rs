//! The reciprocal of the square root.

use crate::kernel::real::Real;

/// 1/sqrt(x).
///
/// Range: [0, inf]. 0 gives inf and -0.0 gives -inf, inf gives 0, NaN and numbers below 0 give NaN. Error: at most 1.5 ULP, in `f32`
/// over all 2^32 inputs and in `f64` on a table, because the root and the quotient are both correctly rounded.
///
/// ```
/// use activations::{Activation, Elementwise, Real, math};
///
/// /// x / sqrt(1 + x^2): the inverse square root unit (Carlile et al., 2017, arXiv:1710.09967).
/// #[derive(Clone, Copy)]
/// struct Isru;
///
/// impl Elementwise for Isru {
///     #[inline(always)]
///     fn value<R: Real>(&self, x: R) -> R {
///         x * math::rsqrt(x.mul_add(x, R::of(1.0)))
///     }
///
///     #[inline(always)]
///     fn slope<R: Real>(&self, x: R) -> R {
///         let r = math::rsqrt(x.mul_add(x, R::of(1.0)));
///         r * r * r
///     }
/// }
///
/// assert_eq!(Isru.derivative_vec(&[0.0_f32]), [1.0]);
/// ```
#[inline(always)]
#[must_use]
pub fn rsqrt<R: Real>(x: R) -> R {
    R::of(1.0) / x.sqrt()
}
