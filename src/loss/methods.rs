//! The methods of losses in their other forms: on threads, wide, exact. Each form says how it computes, the macros say the rest.

/// The methods of a form of `CrossEntropy` that has `mean` and `of_rows`: its name, how one makes it of a loss, the float of the
/// examples, what its elements are, what its losses are, and the loss in it.
///
/// `cross_entropy_methods!("Wide", "Wide(", ")", "f64", [Element], T::Float, |form| form.0);` gives `Wide<CrossEntropy>` its `loss`:
///
/// ```text
/// pub fn loss<'a, T: Element>(&self, logits: &[T], targets: impl IntoTargets<'a, T>) -> T::Float {
///     let targets = targets.into_targets();
///     self.0.check(logits, &targets);
///     self.mean(logits, targets, &mut [])
/// }
/// ```
macro_rules! cross_entropy_methods {
    (
        $name:literal, $open:literal, $close:literal, $float:literal,
        [$($element:tt)+], $out:ty, |$form:ident| $loss:expr
    ) => {
        /// [`CrossEntropy::loss`].
        ///
        /// # Panics
        /// As [`CrossEntropy::loss`].
        ///
        /// ```
        #[doc = concat!("use activations::{CrossEntropy, ", $name, "};")]
        ///
        #[doc = concat!("let loss = ", $open, "CrossEntropy::new(2)?", $close, ".loss(&[0.0_", $float, ", 0.0], &[1]);")]
        #[doc = concat!("assert_eq!(loss, std::", $float, "::consts::LN_2);")]
        /// # Ok::<(), activations::ParameterError>(())
        /// ```
        #[track_caller]
        pub fn loss<'a, T: $($element)+>(
            &self,
            logits: &[T],
            targets: impl $crate::IntoTargets<'a, T>,
        ) -> $out {
            let ($form, targets) = (self, targets.into_targets());
            $loss.check(logits, &targets);
            self.mean(logits, targets, &mut [])
        }

        /// [`CrossEntropy::loss_and_gradient`].
        ///
        /// # Panics
        /// As [`CrossEntropy::loss_and_gradient`].
        ///
        /// ```
        #[doc = concat!("use activations::{CrossEntropy, ", $name, "};")]
        ///
        #[doc = concat!("let (loss, mut grad) = (", $open, "CrossEntropy::new(2)?", $close, ", [0.0_", $float, "; 2]);")]
        /// loss.loss_and_gradient(&[0.0, 0.0], &[1], &mut grad);
        /// assert_eq!(grad, [0.5, -0.5]);
        /// # Ok::<(), activations::ParameterError>(())
        /// ```
        #[track_caller]
        pub fn loss_and_gradient<'a, T: $($element)+>(
            &self,
            logits: &[T],
            targets: impl $crate::IntoTargets<'a, T>,
            grad: &mut [T],
        ) -> $out {
            let ($form, targets) = (self, targets.into_targets());
            $loss.check(logits, &targets);
            $crate::pass::same_length("grad", grad.len(), "logits", logits.len());
            self.mean(logits, targets, grad)
        }

        /// [`CrossEntropy::losses`].
        ///
        /// # Panics
        /// As [`CrossEntropy::losses`].
        ///
        /// ```
        #[doc = concat!("use activations::{CrossEntropy, ", $name, "};")]
        ///
        #[doc = concat!("let (loss, mut losses) = (", $open, "CrossEntropy::new(2)?", $close, ", [0.0_", $float, "; 2]);")]
        /// loss.losses(&[1000.0, 0.0, 1000.0, 0.0], &[0, 1], &mut losses);
        /// assert_eq!(losses, [0.0, 1000.0]);
        /// # Ok::<(), activations::ParameterError>(())
        /// ```
        #[track_caller]
        pub fn losses<'a, T: $($element)+>(
            &self,
            logits: &[T],
            targets: impl $crate::IntoTargets<'a, T>,
            losses: &mut [$out],
        ) {
            let ($form, targets) = (self, targets.into_targets());
            $loss.check(logits, &targets);
            $crate::pass::same_length("losses", losses.len(), "rows of logits", logits.len() / $loss.classes());
            self.of_rows(logits, targets, losses, &mut []);
        }

        /// [`CrossEntropy::losses_and_gradient`].
        ///
        /// # Panics
        /// As [`CrossEntropy::losses_and_gradient`].
        ///
        /// ```
        #[doc = concat!("use activations::{CrossEntropy, ", $name, "};")]
        ///
        #[doc = concat!("let loss = ", $open, "CrossEntropy::new(2)?", $close, ";")]
        #[doc = concat!("let (mut losses, mut grad) = ([0.0_", $float, "; 1], [0.0; 2]);")]
        /// loss.losses_and_gradient(&[0.0, 0.0], &[0], &mut losses, &mut grad);
        #[doc = concat!("assert_eq!((losses, grad), ([std::", $float, "::consts::LN_2], [-0.5, 0.5]));")]
        /// # Ok::<(), activations::ParameterError>(())
        /// ```
        #[track_caller]
        pub fn losses_and_gradient<'a, T: $($element)+>(
            &self,
            logits: &[T],
            targets: impl $crate::IntoTargets<'a, T>,
            losses: &mut [$out],
            grad: &mut [T],
        ) {
            let ($form, targets) = (self, targets.into_targets());
            $loss.check(logits, &targets);
            $crate::pass::same_length("losses", losses.len(), "rows of logits", logits.len() / $loss.classes());
            $crate::pass::same_length("grad", grad.len(), "logits", logits.len());
            self.of_rows(logits, targets, losses, grad);
        }
    };
}
pub(super) use cross_entropy_methods;
