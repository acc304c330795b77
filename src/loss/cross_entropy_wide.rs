//! Cross-entropy of halves, with losses in `f32`.

use super::methods::cross_entropy_methods;
use super::{CrossEntropy, Targets};
use crate::kernel::element::Element;
use crate::layers::wide::Wide;

/// Half in, `f32` out, so that losses are not rounded to halves: see [`Wide`].
impl Wide<CrossEntropy> {
    cross_entropy_methods!("Wide", "Wide(", ")", "f64", [Element], T::Float, |form| form.0);

    fn mean<T: Element>(&self, logits: &[T], targets: Targets<'_, T>, grad: &mut [T]) -> T::Float {
        self.0.mean(logits, targets, grad)
    }

    fn of_rows<T: Element>(&self, logits: &[T], targets: Targets<'_, T>, losses: &mut [T::Float], grad: &mut [T]) {
        let mut keep = |at: usize, of_rows: &[T::Float]| losses[at..][..of_rows.len()].copy_from_slice(of_rows);
        self.0.run(logits, targets, 1.0, &mut keep, grad);
    }
}
