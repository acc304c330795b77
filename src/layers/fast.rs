//! `Fast`: the fastest form of an activation.

use crate::activation::Activation;
use crate::from_output::FromOutput;
use crate::kernel::element::Element;
use crate::kernel::level::Level;
use crate::pass::{Pass, Pieces};

/// The fastest form of an activation.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Fast<A>(pub A);

impl<T: Element, A: Activation<T>> Activation<T> for Fast<A> {
    #[inline]
    fn run(&self, level: Level, pass: Pass<'_, T>) {
        self.0.run_fast(level, pass);
    }

    #[inline]
    fn pieces(&self) -> Pieces {
        self.0.pieces()
    }
}

/// The same as without `Fast`: such a gradient takes no exponential.
impl<T: Element, A: FromOutput<T>> FromOutput<T> for Fast<A> {
    #[inline]
    fn run_from_output(&self, level: Level, y: &[T], grad_y: &[T], grad_x: &mut [T]) {
        self.0.run_from_output(level, y, grad_y, grad_x);
    }
}
