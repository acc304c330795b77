//! The methods of losses in their other forms: on threads, wide, exact. Each form says how it computes, the macro says the rest.

/// The methods of a form of a loss that has `mean` and `each`: the loss, the form's name, how one makes it of a loss, the float of
/// the examples, what its elements are, what its losses are, and the loss in it.
///
/// `loss_methods!(CrossEntropy: "Wide", "Wide(", ")", "f64", [Element], T::Float, |form| form.0);` gives `Wide<CrossEntropy>` its
/// `loss`:
///
/// ```text
/// pub fn loss<'a, T: Element>(&self, logits: &[T], targets: impl IntoTargets<'a, T>) -> T::Float {
///     let targets = targets.into_targets();
///     self.0.check(logits, &targets, None, None);
///     self.mean(logits, targets, &mut [])
/// }
/// ```
macro_rules! loss_methods {
    (CrossEntropy: $($form:tt)+) => {
        loss_methods! {
            "CrossEntropy", "CrossEntropy::new(2)?", [$crate::IntoTargets<'a, T>], into_targets,
            even: "&[0]", "1", "[-0.5, 0.5]",
            sure: "&[1000.0, 0.0, 1000.0, 0.0], &[0, 1]";
            $($form)+
        }
    };
    (BinaryCrossEntropy: $($form:tt)+) => {
        loss_methods! {
            "BinaryCrossEntropy", "BinaryCrossEntropy::new()", [Into<$crate::BinaryTargets<'a, T>>], into,
            even: "&[1.0, 0.0]", "2", "[-0.25, 0.25]",
            sure: "&[1000.0, 1000.0], &[1.0, 0.0]";
            $($form)+
        }
    };
    // Of a loss: its name, an expression for it, what becomes its targets, and how. Then, for the examples: targets of the logits 0
    // and 0, how many losses they have and the gradient of the mean; two sure answers, the first right and the second wrong.
    (
        $loss:literal, $new:literal, [$($targets:tt)+], $into:ident,
        even: $even:literal, $count:literal, $grad:literal,
        sure: $sure:literal;
        $name:literal, $open:literal, $close:literal, $float:literal,
        [$($element:tt)+], $out:ty, |$form:ident| $of_form:expr
    ) => {
        #[doc = concat!("[`", $loss, "::loss`].")]
        ///
        /// # Panics
        #[doc = concat!("As [`", $loss, "::loss`].")]
        ///
        /// ```
        #[doc = concat!("use activations::{", $loss, ", ", $name, "};")]
        ///
        #[doc = concat!("let loss = ", $open, $new, $close, ".loss(&[0.0_", $float, ", 0.0], ", $even, ");")]
        #[doc = concat!("assert_eq!(loss, std::", $float, "::consts::LN_2);")]
        /// # Ok::<(), activations::ParameterError>(())
        /// ```
        #[track_caller]
        pub fn loss<'a, T: $($element)+>(
            &self,
            logits: &[T],
            targets: impl $($targets)+,
        ) -> $out {
            let ($form, targets) = (self, targets.$into());
            $of_form.check(logits, &targets, None, None);
            self.mean(logits, targets, &mut [])
        }

        #[doc = concat!("[`", $loss, "::loss_and_gradient`].")]
        ///
        /// # Panics
        #[doc = concat!("As [`", $loss, "::loss_and_gradient`].")]
        ///
        /// ```
        #[doc = concat!("use activations::{", $loss, ", ", $name, "};")]
        ///
        #[doc = concat!("let (loss, mut grad) = (", $open, $new, $close, ", [0.0_", $float, "; 2]);")]
        #[doc = concat!("loss.loss_and_gradient(&[0.0, 0.0], ", $even, ", &mut grad);")]
        #[doc = concat!("assert_eq!(grad, ", $grad, ");")]
        /// # Ok::<(), activations::ParameterError>(())
        /// ```
        #[track_caller]
        pub fn loss_and_gradient<'a, T: $($element)+>(
            &self,
            logits: &[T],
            targets: impl $($targets)+,
            grad: &mut [T],
        ) -> $out {
            let ($form, targets) = (self, targets.$into());
            $of_form.check(logits, &targets, None, Some(grad.len()));
            self.mean(logits, targets, grad)
        }

        #[doc = concat!("[`", $loss, "::losses`].")]
        ///
        /// # Panics
        #[doc = concat!("As [`", $loss, "::losses`].")]
        ///
        /// ```
        #[doc = concat!("use activations::{", $loss, ", ", $name, "};")]
        ///
        #[doc = concat!("let (loss, mut losses) = (", $open, $new, $close, ", [0.0_", $float, "; 2]);")]
        #[doc = concat!("loss.losses(", $sure, ", &mut losses);")]
        /// assert_eq!(losses, [0.0, 1000.0]);
        /// # Ok::<(), activations::ParameterError>(())
        /// ```
        #[track_caller]
        pub fn losses<'a, T: $($element)+>(
            &self,
            logits: &[T],
            targets: impl $($targets)+,
            losses: &mut [$out],
        ) {
            let ($form, targets) = (self, targets.$into());
            $of_form.check(logits, &targets, Some(losses.len()), None);
            self.each(logits, targets, losses, &mut []);
        }

        #[doc = concat!("[`", $loss, "::losses_and_gradient`].")]
        ///
        /// # Panics
        #[doc = concat!("As [`", $loss, "::losses_and_gradient`].")]
        ///
        /// ```
        #[doc = concat!("use activations::{", $loss, ", ", $name, "};")]
        ///
        #[doc = concat!("let loss = ", $open, $new, $close, ";")]
        #[doc = concat!("let (mut losses, mut grad) = ([0.0_", $float, "; ", $count, "], [0.0; 2]);")]
        #[doc = concat!("loss.losses_and_gradient(&[0.0, 0.0], ", $even, ", &mut losses, &mut grad);")]
        #[doc = concat!("assert_eq!(losses, [std::", $float, "::consts::LN_2; ", $count, "]);")]
        /// assert_eq!(grad, [-0.5, 0.5]);
        /// # Ok::<(), activations::ParameterError>(())
        /// ```
        #[track_caller]
        pub fn losses_and_gradient<'a, T: $($element)+>(
            &self,
            logits: &[T],
            targets: impl $($targets)+,
            losses: &mut [$out],
            grad: &mut [T],
        ) {
            let ($form, targets) = (self, targets.$into());
            $of_form.check(logits, &targets, Some(losses.len()), Some(grad.len()));
            self.each(logits, targets, losses, grad);
        }
    };
}
pub(super) use loss_methods;
