//! Elementary functions over lanes, for formulas of your own: branch-free, vectorisable, each with an error bound.
//!
//! The activations are made of them. The methods of `f32` are calls into a library, which stop the loop around them from being
//! vectorised. These functions do not.
//!
//! This table has the greatest errors in ULP, in `f32` over all 2^32 inputs and in `f64` on a table of inputs. The numbers in
//! brackets are for CPUs without fused multiply-add:
//!
//! | | `f32` | `f64` | |
//! |---|---|---|---|
//! | [`exp`], [`exp2`] | 1.1 | 1.1 | |
//! | [`expm1`] | 1.5 (1.6) | 1.3 | |
//! | [`ln`], [`ln_1p`] | 0.9 | 0.8 | |
//! | [`sin`], [`cos`] | 1.2 (1.4) | 1.2 (1.3) | `f64`: for numbers up to 2^45, NaN beyond |
//! | [`erf`] | 1.2 | 1.1 | |
//! | [`erfc`] | 1.8 (1.9) | 1.4 | |
//! | [`rsqrt`] | 1.5 | 1.5 | |
//! | [`sigmoid`], [`tanh`], [`log1p_exp`] | | | see the activations `Sigmoid`, `Tanh`, `Softplus` |
//!
//! ```
//! use activations::{Activation, Elementwise, Real, math};
//!
//! /// e^(-x^2): a Gaussian.
//! #[derive(Clone, Copy)]
//! struct Gaussian;
//!
//! impl Elementwise for Gaussian {
//!     #[inline(always)]
//!     fn value<R: Real>(&self, x: R) -> R {
//!         math::exp(-(x * x))
//!     }
//!
//!     #[inline(always)]
//!     fn slope<R: Real>(&self, x: R) -> R {
//!         R::of(-2.0) * x * math::exp(-(x * x))
//!     }
//! }
//!
//! let mut y = [0.0_f32; 2];
//! Gaussian.forward(&[0.0, 1.0], &mut y);
//! assert_eq!(y, [1.0, (-1.0_f32).exp()]);
//! ```

mod brief;
mod erf;
mod exp;
mod fast;
mod hyperbolic;
mod log;
mod log1p;
mod logistic;
mod normal;
mod power;
mod root;
mod scale;
mod sine;
mod unit;

pub(crate) use crate::kernel::error_free::{fast_two_sum, less_product, two_sum};
use crate::kernel::real::Real;

pub use erf::{erf, erfc};
pub(crate) use exp::{
    RowExp, bounded_abs, brief_exp, exp_neg, exp_neg_series, exp_neg_with_error, expm1_neg, lifted_one, two_to, unlift,
};
pub use exp::{exp, exp2, expm1};
pub(crate) use fast::{Exp2Ratio, exp2_parts, fast_tanh, normal_slope, normal_tail_recip, twice_atanh};
pub(crate) use hyperbolic::{log_cosh_near_zero, tanhshrink_near_zero};
pub use log::{ln, ln_1p};
pub use log1p::log1p_exp;
pub(crate) use log1p::{log1p_exp_neg, log1p_of_sum, log1p_of_sum_unrounded};
pub(crate) use logistic::{
    Low, brief_bounded, brief_sigmoid, brief_slope, logistic_abs, sigmoid_from_left, sigmoid_neg, sigmoid_neg_slope,
    sigmoid_slope_and_tanh, tanh_slope, times_sigmoid_neg,
};
pub use logistic::{sigmoid, tanh};
pub(crate) use normal::{NormalTail, bell, normal_tail};
pub(crate) use power::power_of_share;
pub use root::rsqrt;
pub(crate) use scale::Scale;
pub use sine::{cos, sin};
pub(crate) use sine::{sin_cos, sin_square};
pub(crate) use unit::Unit;

/// A number as `value * unlift`, where unlift is a power of two. `value` is normal even if the number is subnormal, so that formulas
/// lose no digits. The caller multiplies the two in its last operation.
#[derive(Clone, Copy)]
pub(crate) struct Lifted<R> {
    pub(crate) value: R,
    pub(crate) unlift: R,
}

impl<R: Real> Lifted<R> {
    #[inline(always)]
    pub(crate) fn number(self) -> R {
        self.value * self.unlift
    }
}
