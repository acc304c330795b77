//! Binary cross-entropy of logits.

use super::binary_loops::{BatchOf, Check, Losses, OfBatch, SEGMENT, Sum, take_first, total_of};
use super::binary_targets::BinaryTargets;
use super::{Reduction, checked_gamma, rounded, settings};
use crate::describe::error::ParameterError;
use crate::describe::parameters::{Allowed, checked};
use crate::kernel::element::Element;
use crate::kernel::level::Level;
use crate::kernel::real::Real;
use crate::pass::same_length;

/// Binary cross-entropy from logits, for yes-or-no labels: -t log(sigmoid(x)) - (1 - t) log(1 - sigmoid(x)), where t is the target
/// in \[0, 1\].
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/binary_cross_entropy.svg"))]
///
/// It takes *logits*, the unchanged scores of the last layer, and applies sigmoid itself. Do not apply sigmoid before.
///
/// - Gradient: sigmoid(x) - t.
/// - Targets: probabilities from 0 to 1. [`BinaryTargets`] adds weights for each element, class, row or channel.
/// - [`pos_weight`](Self::pos_weight): a factor of the first term, for targets that are rarely 1.
/// - [`focal`](Self::focal) and [`alpha`](Self::alpha): a focal loss, for when one of the two classes is rare.
/// - [`reduction`](Self::reduction): the mean or the sum; [`losses`](Self::losses) gives a loss for each element.
/// - Error: at most 4 ULP for the loss, in tails too, and 5 for the gradient (7 without fused multiply-add). Weights add 1 ULP. If
///   the gradient's two parts, (1 - t) sigmoid(x) and t sigmoid(-x), nearly cancel, its error is in ULP of the greater part.
///   Halves are computed in `f32`, and losses, gradients and means are rounded once, at the end. [`Wide`](crate::Wide) gives
///   losses of halves as `f32`.
/// - Gradients are overwritten, not added to what was there.
/// - Special values: an infinite logit has loss 0 if the target agrees with it, else infinity. The mean of no losses is NaN, their
///   sum is 0. NaN gives NaN.
/// - Targets outside \[0, 1\], such as labels of -1 and 1 or of 0 and 255, panic, because their losses would be negative and
///   unbounded. Targets that are outside by up to 1/64 are allowed and used unchanged, because mixtures of targets have such
///   rounding errors.
/// - Source: the semantics of PyTorch's `BCEWithLogitsLoss`, with `weight` and `pos_weight`. There are two differences. An element
///   with weight 0 and an infinite logit has loss 0 here and NaN in PyTorch. PyTorch accepts targets outside \[0, 1\].
///
/// ```
/// use activations::BinaryCrossEntropy;
///
/// let mut grad = [0.0_f64; 2];
/// let mean = BinaryCrossEntropy::new().loss_and_gradient(&[0.0, -800.0], &[1.0, 1.0], &mut grad);
/// assert_eq!(mean, (std::f64::consts::LN_2 + 800.0) / 2.0);
/// assert_eq!(grad, [-0.25, -0.5]);
/// ```
#[doc(alias = "BCEWithLogitsLoss")]
#[derive(Clone, Copy, Debug)]
pub struct BinaryCrossEntropy {
    pos_weight: f64,
    gamma: f64,
    alpha: Option<f64>,
    reduction: Reduction,
    level: Option<Level>,
}

impl Default for BinaryCrossEntropy {
    fn default() -> Self {
        Self::new()
    }
}

impl BinaryCrossEntropy {
    /// The mean, without weight.
    ///
    /// ```
    /// use activations::BinaryCrossEntropy;
    ///
    /// assert_eq!(BinaryCrossEntropy::new().loss(&[0.0_f64], &[1.0]), 2.0_f64.ln());
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self { pos_weight: 1.0, gamma: 0.0, alpha: None, reduction: Reduction::Mean, level: None }
    }

    /// Sets a factor of the loss where the target is 1: above 1 for recall, below 1 for precision. The default is 1.
    ///
    /// # Errors
    /// If it is negative, infinite or NaN.
    ///
    /// ```
    /// use activations::BinaryCrossEntropy;
    ///
    /// let weighted = BinaryCrossEntropy::new().pos_weight(3.0)?;
    /// assert_eq!(weighted.loss(&[0.0_f64], &[1.0]), 3.0 * 2.0_f64.ln());
    /// assert!(weighted.pos_weight(-1.0).is_err());
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    pub fn pos_weight(self, pos_weight: f64) -> Result<Self, ParameterError> {
        let pos_weight = checked("binary_cross_entropy", "pos_weight", Allowed::NotNegative, pos_weight)?;
        Ok(Self { pos_weight, ..self })
    }

    /// Makes it a focal loss: the loss of an element is multiplied by m^gamma, where m says how wrong the prediction is. With
    /// p = sigmoid(x), m is 1 - p for a target of 1, p for a target of 0, and (1 - t) p + t (1 - p) between. So elements that are
    /// already right count for little. The default is 0, plain binary cross-entropy. Lin et al. and torchvision use 2, with an
    /// [`alpha`](Self::alpha) of 0.25.
    ///
    /// - Gradient: m^gamma (gamma (1 - 2 t) p (1 - p)/m l + p - t), where l is the loss without the factor. It is finite for
    ///   every gamma, also where m is 0.
    /// - Error: at most 6 + 4 gamma ULP for loss and gradient. For targets between 0 and 1, parts of the gradient may nearly
    ///   cancel; then its error is in ULP of the greatest part.
    /// - Source: Lin, Goyal, Girshick, He & Dollar, "Focal loss for dense object detection", 2017, arXiv:1708.02002, with the
    ///   semantics of torchvision's and optax's `sigmoid_focal_loss`; [`losses`](Self::losses) is their `reduction="none"`.
    ///
    /// # Errors
    /// If it is not in \[0, 1000\].
    ///
    /// ```
    /// use activations::{BinaryCrossEntropy, Reduction};
    ///
    /// // Of a detector whose anchors are nearly all background, divided by the number of objects.
    /// let focal = BinaryCrossEntropy::new().focal(2.0)?.alpha(0.25)?.reduction(Reduction::Sum);
    /// let (logits, labels) = ([-3.0_f32, -4.0, 0.0], [0.0, 0.0, 1.0]);
    /// let loss = focal.loss(&logits, &labels) / labels.iter().sum::<f32>();
    /// assert!((loss - 0.25 * 0.25 * 2.0_f32.ln()).abs() < 1e-3);
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    #[doc(alias = "sigmoid_focal_loss")]
    #[doc(alias = "FocalLoss")]
    pub fn focal(self, gamma: f64) -> Result<Self, ParameterError> {
        let gamma = checked_gamma("binary_cross_entropy", gamma)?;
        Ok(Self { gamma, ..self })
    }

    /// Balances the classes: a loss is multiplied by alpha if the target is 1, by 1 - alpha if it is 0, and by
    /// alpha t + (1 - alpha) (1 - t) between. By default there is no such factor. It is applied in addition to
    /// [`pos_weight`](Self::pos_weight) and weights.
    ///
    /// # Errors
    /// If it is not in \[0, 1\].
    ///
    /// ```
    /// use activations::BinaryCrossEntropy;
    ///
    /// let balanced = BinaryCrossEntropy::new().alpha(0.25)?;
    /// assert_eq!(balanced.loss(&[0.0_f64], &[1.0]), 0.25 * 2.0_f64.ln());
    /// assert!(balanced.alpha(1.5).is_err());
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    pub fn alpha(self, alpha: f64) -> Result<Self, ParameterError> {
        if !(0.0..=1.0).contains(&alpha) {
            return Err(ParameterError::new("binary_cross_entropy", "alpha", alpha, "from 0 to 1"));
        }
        Ok(Self { alpha: Some(alpha), ..self })
    }

    settings!();

    /// The loss of all elements.
    ///
    /// # Panics
    /// If the lengths differ, a weight's length does not fit, or a target is outside \[0, 1\]. A NaN does not panic.
    ///
    /// ```
    /// use activations::BinaryCrossEntropy;
    ///
    /// // A sure and right answer costs nothing, a sure and wrong one its logit.
    /// assert_eq!(BinaryCrossEntropy::new().loss(&[200.0_f32, 200.0], &[1.0, 0.0]), 100.0);
    /// ```
    #[track_caller]
    pub fn loss<'a, T: Element>(&self, logits: &[T], targets: impl Into<BinaryTargets<'a, T>>) -> T {
        let targets = targets.into();
        self.check(logits, &targets, None, None);
        T::rounded(self.run(logits, targets, Losses::None, &mut []))
    }

    /// The loss of all elements, and its gradient with respect to the logits.
    ///
    /// # Panics
    /// As [`loss`](Self::loss), before anything is written.
    ///
    /// ```
    /// use activations::BinaryCrossEntropy;
    ///
    /// let mut grad = [0.0_f64; 2];
    /// BinaryCrossEntropy::new().loss_and_gradient(&[0.0, 0.0], &[1.0, 0.0], &mut grad);
    /// assert_eq!(grad, [-0.25, 0.25]);
    /// ```
    #[track_caller]
    pub fn loss_and_gradient<'a, T: Element>(
        &self,
        logits: &[T],
        targets: impl Into<BinaryTargets<'a, T>>,
        grad: &mut [T],
    ) -> T {
        let targets = targets.into();
        self.check(logits, &targets, None, Some(grad.len()));
        T::rounded(self.run(logits, targets, Losses::None, grad))
    }

    /// The loss of each element, whatever the reduction.
    ///
    /// # Panics
    /// As [`loss`](Self::loss), before anything is written.
    ///
    /// ```
    /// use activations::BinaryCrossEntropy;
    ///
    /// let mut losses = [0.0_f32; 2];
    /// BinaryCrossEntropy::new().losses(&[200.0_f32, 200.0], &[1.0, 0.0], &mut losses);
    /// assert_eq!(losses, [0.0, 200.0]);
    /// ```
    #[track_caller]
    pub fn losses<'a, T: Element>(&self, logits: &[T], targets: impl Into<BinaryTargets<'a, T>>, losses: &mut [T]) {
        let targets = targets.into();
        self.check(logits, &targets, Some(losses.len()), None);
        self.run(logits, targets, Losses::OfElements(losses), &mut []);
    }

    /// The loss of each element, and its derivative, whatever the reduction.
    ///
    /// # Panics
    /// As [`loss`](Self::loss), before anything is written.
    ///
    /// ```
    /// use activations::BinaryCrossEntropy;
    ///
    /// let (mut losses, mut grad) = ([0.0_f64; 1], [0.0]);
    /// BinaryCrossEntropy::new().losses_and_gradient(&[0.0], &[1.0], &mut losses, &mut grad);
    /// assert_eq!((losses, grad), ([2.0_f64.ln()], [-0.5]));
    /// ```
    #[track_caller]
    pub fn losses_and_gradient<'a, T: Element>(
        &self,
        logits: &[T],
        targets: impl Into<BinaryTargets<'a, T>>,
        losses: &mut [T],
        grad: &mut [T],
    ) {
        let targets = targets.into();
        self.check(logits, &targets, Some(losses.len()), Some(grad.len()));
        self.run(logits, targets, Losses::OfElements(losses), grad);
    }

    /// The loss of all elements. `losses` and `grad` are not written if they are empty.
    pub(super) fn run<T: Element>(
        &self,
        logits: &[T],
        targets: BinaryTargets<'_, T>,
        losses: Losses<'_, T>,
        grad: &mut [T],
    ) -> T::Float {
        let (denominator, times) = self.scales(logits.len(), &losses);
        let (mut losses, mut grad) = (losses, grad);
        let segments = (0..logits.len()).step_by(SEGMENT).map(|start| {
            let part = start..logits.len().min(start + SEGMENT);
            let (losses, grad) = (losses.take(part.len()), take_first(&mut grad, part.len()));
            self.segment(part, logits, targets, losses, grad, times)
        });
        rounded(total_of(segments) / denominator)
    }

    /// Panics if the targets do not fit the logits, if a target is outside \[0, 1\], or if `losses` or `grad`, the lengths of the
    /// outputs that there are, do not fit.
    #[track_caller]
    pub(super) fn check<T: Element>(
        &self,
        logits: &[T],
        targets: &BinaryTargets<'_, T>,
        losses: Option<usize>,
        grad: Option<usize>,
    ) {
        if let Some(losses) = losses {
            same_length("losses", losses, "logits", logits.len());
        }
        if let Some(grad) = grad {
            same_length("grad", grad, "logits", logits.len());
        }
        targets.check(logits.len());
        let mut outside = None;
        T::call(&Check { level: self.level() }, (targets.targets, &mut outside));
        if let Some(number) = outside {
            outside_of_range(number, targets.targets[number].widened().into());
        }
    }

    /// The divisor of the sum of the losses, and the factor of gradients.
    pub(super) fn scales<T: Element>(&self, len: usize, losses: &Losses<'_, T>) -> (f64, T::Float) {
        let denominator = self.denominator(len);
        (denominator, rounded(if matches!(losses, Losses::None) { 1.0 / denominator } else { 1.0 }))
    }

    pub(super) fn denominator(&self, len: usize) -> f64 {
        self.reduction.denominator(len as f64)
    }

    fn level(&self) -> Level {
        self.level.unwrap_or_else(Level::best)
    }

    /// The sum of the losses of a [`SEGMENT`]. The slices of losses and gradients belong to the segment. Gradients are multiplied by
    /// `times`.
    pub(super) fn segment<T: Element>(
        &self,
        part: core::ops::Range<usize>,
        logits: &[T],
        targets: BinaryTargets<'_, T>,
        losses: Losses<'_, T>,
        grad: &mut [T],
        times: T::Float,
    ) -> Sum {
        let mut sum = (Real::of(0.0), Real::of(0.0));
        let loss = OfBatch { pos_weight: self.pos_weight, gamma: self.gamma, alpha: self.alpha, level: self.level() };
        T::call(&loss, BatchOf { part, logits, targets, losses, grad, times, sum: &mut sum });
        sum
    }
}

#[cold]
#[track_caller]
fn outside_of_range(number: usize, target: f64) -> ! {
    panic!(
        "binary_cross_entropy: target number {number} is {target}, but must be from 0 to 1, the probability of the class \
         (a rounding beyond, up to 1/64, is taken as it is)"
    );
}
