//! Sigmoid
use crate::{activation::Elementwise, math, real::Real};
/// Sigmoid
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sigmoid;
impl Elementwise for Sigmoid {
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        math::sigmoid(x)
    }
    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        let q = math::sigmoid_nonpositive(-x.abs());
        q * (R::of(1.0) - q)
    }
}
