//! `Wide` for losses: logits of halves, and losses in `f32`.

use super::binary_loops::Losses;
use super::methods::loss_methods;
use super::{BinaryCrossEntropy, BinaryTargets, CrossEntropy, Targets};
use crate::kernel::element::Element;
use crate::layers::wide::Wide;

/// Half in, `f32` out, so that losses are not rounded to halves: see [`Wide`].
impl Wide<CrossEntropy> {
    loss_methods!(CrossEntropy: "Wide", "Wide(", ")", "f64", [Element], T::Float, |form| form.0);

    fn mean<T: Element>(&self, logits: &[T], targets: Targets<'_, T>, grad: &mut [T]) -> T::Float {
        self.0.mean(logits, targets, grad)
    }

    fn each<T: Element>(&self, logits: &[T], targets: Targets<'_, T>, losses: &mut [T::Float], grad: &mut [T]) {
        let mut keep = |at: usize, of_rows: &[T::Float]| losses[at..][..of_rows.len()].copy_from_slice(of_rows);
        self.0.run(logits, targets, 1.0, &mut keep, grad);
    }
}

/// With losses that are [`Element::Float`]: `f32` for halves. See the methods of [`BinaryCrossEntropy`].
///
/// ```
/// # #[cfg(feature = "half")] {
/// use activations::{BinaryCrossEntropy, Wide};
/// use half::bf16;
///
/// let (logit, target) = ([bf16::ZERO], [bf16::ONE]);
/// assert_eq!(Wide(BinaryCrossEntropy::new()).loss(&logit, &target), 2.0_f32.ln());
/// # }
/// ```
impl Wide<BinaryCrossEntropy> {
    loss_methods!(BinaryCrossEntropy: "Wide", "Wide(", ")", "f64", [Element], T::Float, |form| form.0);

    fn mean<T: Element>(&self, logits: &[T], targets: BinaryTargets<'_, T>, grad: &mut [T]) -> T::Float {
        self.0.run(logits, targets, Losses::None, grad)
    }

    fn each<T: Element>(&self, logits: &[T], targets: BinaryTargets<'_, T>, losses: &mut [T::Float], grad: &mut [T]) {
        self.0.run(logits, targets, Losses::OfFloats(losses), grad);
    }
}
