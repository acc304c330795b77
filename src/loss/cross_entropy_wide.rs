//! Cross-entropy of halves, with losses in `f32`.

use super::{CrossEntropy, IntoTargets};
use crate::kernel::element::Element;
use crate::layers::wide::Wide;
use crate::pass::same_length;

/// Takes halves and gives losses in `f32`: see [`Wide`].
impl Wide<CrossEntropy> {
    /// [`CrossEntropy::loss`], without the rounding to a half.
    ///
    /// # Panics
    /// As [`CrossEntropy::loss`].
    ///
    /// ```
    /// use activations::{CrossEntropy, Wide};
    ///
    /// let loss: f64 = Wide(CrossEntropy::new(2)?).loss(&[0.0, 0.0], &[1]);
    /// assert_eq!(loss, 2.0_f64.ln());
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    #[track_caller]
    pub fn loss<'a, T: Element>(&self, logits: &[T], targets: impl IntoTargets<'a, T>) -> T::Float {
        let targets = targets.into_targets();
        self.0.check(logits, &targets);
        self.0.mean(logits, targets, &mut [])
    }

    /// [`CrossEntropy::loss_and_gradient`], without the rounding of the loss to a half.
    ///
    /// # Panics
    /// As [`CrossEntropy::loss_and_gradient`].
    ///
    /// ```
    /// use activations::{CrossEntropy, Wide};
    ///
    /// let mut grad = [0.0_f32; 2];
    /// Wide(CrossEntropy::new(2)?).loss_and_gradient(&[0.0, 0.0], &[1], &mut grad);
    /// assert_eq!(grad, [0.5, -0.5]);
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    #[track_caller]
    pub fn loss_and_gradient<'a, T: Element>(
        &self,
        logits: &[T],
        targets: impl IntoTargets<'a, T>,
        grad: &mut [T],
    ) -> T::Float {
        let targets = targets.into_targets();
        self.0.check(logits, &targets);
        same_length("grad", grad.len(), "logits", logits.len());
        self.0.mean(logits, targets, grad)
    }

    /// [`CrossEntropy::losses`], without the rounding to halves.
    ///
    /// # Panics
    /// As [`CrossEntropy::losses`].
    ///
    /// ```
    /// use activations::{CrossEntropy, Wide};
    ///
    /// let mut losses = [0.0_f32; 1];
    /// Wide(CrossEntropy::new(2)?).losses(&[200.0_f32, 0.0], &[1], &mut losses);
    /// assert_eq!(losses, [200.0]);
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    #[track_caller]
    pub fn losses<'a, T: Element>(&self, logits: &[T], targets: impl IntoTargets<'a, T>, losses: &mut [T::Float]) {
        let targets = targets.into_targets();
        self.0.check(logits, &targets);
        same_length("losses", losses.len(), "rows of logits", logits.len() / self.0.classes());
        self.0.run(
            logits,
            targets,
            1.0,
            &mut |at, of_rows| losses[at..][..of_rows.len()].copy_from_slice(of_rows),
            &mut [],
        );
    }

    /// [`CrossEntropy::losses_and_gradient`], without the rounding of the losses to halves.
    ///
    /// # Panics
    /// As [`CrossEntropy::losses_and_gradient`].
    ///
    /// ```
    /// use activations::{CrossEntropy, Wide};
    ///
    /// let (mut losses, mut grad) = ([0.0_f64; 1], [0.0; 2]);
    /// Wide(CrossEntropy::new(2)?).losses_and_gradient(&[0.0, 0.0], &[0], &mut losses, &mut grad);
    /// assert_eq!((losses, grad), ([2.0_f64.ln()], [-0.5, 0.5]));
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    #[track_caller]
    pub fn losses_and_gradient<'a, T: Element>(
        &self,
        logits: &[T],
        targets: impl IntoTargets<'a, T>,
        losses: &mut [T::Float],
        grad: &mut [T],
    ) {
        let targets = targets.into_targets();
        self.0.check(logits, &targets);
        same_length("losses", losses.len(), "rows of logits", logits.len() / self.0.classes());
        same_length("grad", grad.len(), "logits", logits.len());
        self.0.run(
            logits,
            targets,
            1.0,
            &mut |at, of_rows| losses[at..][..of_rows.len()].copy_from_slice(of_rows),
            grad,
        );
    }
}
