//! relu
use crate::{activation::Elementwise, real::Real};
/// Relu
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Relu;
impl Elementwise for Relu {
    const ABREAST: bool = false;

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        R::select(x.lt(R::of(0.0)), R::of(0.0), x)
    }
    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        R::select(R::of(0.0).lt(x), R::of(1.0), R::of(0.0) * x)
    }
}
