//! Tanh
use crate::{activation::Elementwise, math, real::Real};
/// Tanh
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tanh;
impl Elementwise for Tanh {
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        math::tanh(x)
    }
    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        let q = math::sigmoid_nonpositive(R::of(-2.0) * x.abs());
        R::of(4.0) * q * (R::of(1.0) - q)
    }
}
