//! Cross-entropy of rows of logits.

use super::cross_entropy_batch::{Batch, BatchLoss};
use super::cross_entropy_rows::Settings;
use super::targets::Kind;
use super::{IntoTargets, Reduction, Targets, checked_gamma, settings};
use crate::describe::error::ParameterError;
use crate::describe::parameters::{Allowed, checked};
use crate::kernel::element::{Element, Float};
use crate::kernel::level::Level;
use crate::pass::same_length;
use crate::rows::layout::Layout;
use crate::rows::scores::checked_cap;

/// Cross-entropy from logits, the loss of a classifier: log(sum of e^x\[j\]) - x\[class\] for each row of x. If the target is a
/// distribution, it is the mean of that over the classes, weighted by the distribution.
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/cross_entropy.svg"))]
///
/// It takes *logits*, the unchanged scores of the last layer, and applies softmax itself. Do not apply softmax before.
/// [`Softmax`](crate::Softmax) is for looking at probabilities, not for training.
///
/// - Gradient: softmax(x) - t, where t is the target distribution (1 at the class, 0 elsewhere).
/// - Targets: classes or distributions. [`Targets`] adds weights of the classes.
/// - Logits: rows of classes ([`new`](Self::new)), or classes along another axis, as in images ([`axis`](Self::axis)).
/// - [`label_smoothing`](Self::label_smoothing): t becomes (1 - s) t + s/classes. Rows of the class
///   [`ignore_index`](Self::ignore_index) (-100) are ignored: their loss and gradient are 0.
/// - [`reduction`](Self::reduction): the mean over the rows that are not ignored, or the sum; [`losses`](Self::losses)
///   gives a loss for each row.
/// - Error: at most 3 ULP for loss and gradient of a row with a class, also where p is near 1, so that its logarithm and p - 1 are
///   near 0. Measured on sampled rows of up to a million, it is 2.0 and 2.0. At most 4 ULP if more than one class has a weight, and
///   for a batch. If p and t nearly cancel in the gradient, its error is in ULP of the greater of the two.
/// - Special values: the mean of no rows is NaN, their sum is 0. A class of probability 0 (logit -inf) has loss inf if it is the
///   target, and adds nothing if its target is 0. Loss and gradient of a row with NaN or +inf, or of nothing but -inf, are NaN.
/// - Source: the semantics of PyTorch's `CrossEntropyLoss`, with one difference: a class of probability 0 whose target is 0 adds 0
///   here, and NaN in PyTorch.
///
/// ```
/// use activations::CrossEntropy;
///
/// let loss = CrossEntropy::new(3)?;
/// let logits = [2.0_f32, 1.0, 0.1, 0.0, 1000.0, 0.0];
/// let mut grad = [0.0; 6];
/// let mean = loss.loss_and_gradient(&logits, &[0, 1], &mut grad);
/// assert!((mean - 0.208_515).abs() < 1e-6);
/// assert!((grad[0] - (0.659_001 - 1.0) / 2.0).abs() < 1e-6);
/// assert_eq!(grad[3..], [0.0, -0.0, 0.0]);
/// # Ok::<(), activations::ParameterError>(())
/// ```
#[doc(alias = "CrossEntropyLoss")]
#[doc(alias = "softmax_cross_entropy")]
#[derive(Clone, Copy, Debug)]
pub struct CrossEntropy {
    layout: Layout,
    label_smoothing: f64,
    ignore_index: i64,
    gamma: f64,
    z_loss: f64,
    soft_cap: Option<f64>,
    reduction: Reduction,
    level: Option<Level>,
}

impl CrossEntropy {
    /// The loss of rows of `classes` logits.
    ///
    /// # Errors
    /// If `classes` is 0.
    ///
    /// ```
    /// use activations::CrossEntropy;
    ///
    /// assert_eq!(CrossEntropy::new(4)?.loss(&[0.0_f64; 4], &[3]), 4.0_f64.ln());
    /// assert!(CrossEntropy::new(0).is_err());
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    pub fn new(classes: usize) -> Result<Self, ParameterError> {
        Self::axis(classes, 1)
    }

    /// The loss of classes along an axis that is not the last. The logits of a row are `inner` apart.
    ///
    /// The logits are `outer x classes x inner`, and the targets are `outer x inner`. For images they are `[N, C, H, W]` and
    /// `[N, H, W]`, and `inner` is H W. For sequences they are `[N, C, L]` and `[N, L]`. Losses are in the order of the targets.
    /// Distributions and gradients have the layout of the logits. A row gives the same bits as if its logits were adjacent.
    ///
    /// # Errors
    /// If `classes` or `inner` is 0, or their product is greater than any slice's length.
    ///
    /// ```
    /// use activations::CrossEntropy;
    ///
    /// // An image of two classes and three pixels.
    /// let logits = [0.0_f64, 0.0, 200.0, 0.0, 1000.0, 0.0];
    /// let mut losses = [0.0; 3];
    /// CrossEntropy::axis(2, 3)?.losses(&logits, &[0, 1, 1], &mut losses);
    /// assert_eq!(losses, [2.0_f64.ln(), 0.0, 200.0]);
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    pub fn axis(classes: usize, inner: usize) -> Result<Self, ParameterError> {
        if classes == 0 {
            return Err(ParameterError::new("cross_entropy", "classes", 0.0, "at least 1"));
        }
        let layout = Layout::axis("cross_entropy", classes, inner)?;
        let (label_smoothing, gamma, z_loss) = (0.0, 0.0, 0.0);
        let (ignore_index, reduction) = (-100, Reduction::Mean);
        Ok(Self { layout, label_smoothing, ignore_index, gamma, z_loss, soft_cap: None, reduction, level: None })
    }

    pub(super) fn classes(&self) -> usize {
        self.layout.row_len(1)
    }

    /// How many logits belong together: a row, or along an axis all rows that are interleaved.
    pub(super) fn unit(&self) -> usize {
        self.classes().saturating_mul(self.layout.inner())
    }

    /// Sets the part of each target that is spread evenly over all classes. The default is 0. With 1, all of it is spread: then a
    /// row's class decides only whether the row is ignored, and the divisor of the mean.
    ///
    /// # Errors
    /// If it is not in \[0, 1\].
    ///
    /// ```
    /// use activations::CrossEntropy;
    ///
    /// // However sure the answer, a tenth of the target is spread over both classes.
    /// let loss = CrossEntropy::new(2)?.label_smoothing(0.1)?.loss(&[100.0_f64, 0.0], &[0]);
    /// assert!((loss - 5.0).abs() < 1e-12);
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    pub fn label_smoothing(self, label_smoothing: f64) -> Result<Self, ParameterError> {
        if !(0.0..=1.0).contains(&label_smoothing) {
            let allowed = "from 0 to 1";
            return Err(ParameterError::new("cross_entropy", "label_smoothing", label_smoothing, allowed));
        }
        if label_smoothing > 0.0 && self.gamma > 0.0 {
            let allowed = "0 for a focal loss, which has targets of one class";
            return Err(ParameterError::new("cross_entropy", "label_smoothing", label_smoothing, allowed));
        }
        Ok(Self { label_smoothing, ..self })
    }

    /// Makes it a focal loss: the loss of a row is multiplied by (1 - p)^gamma, where p is the probability of its class. So rows that
    /// are already right count for little. The default is 0, plain cross-entropy. Lin et al. use 2.
    ///
    /// The targets must be classes, and may have weights (the paper's alpha). As for every weighted loss, the mean is divided by the
    /// sum of the weights. The paper divides the sum by the number of positive rows: for that, use [`Reduction::Sum`] and divide it
    /// yourself. For independent labels use [`BinaryCrossEntropy::focal`](crate::BinaryCrossEntropy::focal).
    ///
    /// - Gradient: (1 - p)^gamma (1 + gamma p l/(1 - p)) (softmax(x) - t), where l = -log p. It is finite for every gamma, also
    ///   where p is 1.
    /// - Error: at most 4 + 4 gamma ULP for loss and gradient of a row.
    /// - Source: Lin, Goyal, Girshick, He & Dollar, "Focal loss for dense object detection", 2017, arXiv:1708.02002.
    ///
    /// # Errors
    /// If `gamma` is not in \[0, 1000\], or if there is label smoothing.
    ///
    /// ```
    /// use activations::CrossEntropy;
    ///
    /// // p = 1/2: a quarter of the cross-entropy.
    /// let loss = CrossEntropy::new(2)?.focal(2.0)?.loss(&[0.0_f64, 0.0], &[0]);
    /// assert!((loss - 2.0_f64.ln() / 4.0).abs() < 1e-15);
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    #[doc(alias = "FocalLoss")]
    pub fn focal(self, gamma: f64) -> Result<Self, ParameterError> {
        let gamma = checked_gamma("cross_entropy", gamma)?;
        if gamma > 0.0 && self.label_smoothing > 0.0 {
            let allowed = "0 with label smoothing, because a focal loss has targets of one class";
            return Err(ParameterError::new("cross_entropy", "gamma", gamma, allowed));
        }
        Ok(Self { gamma, ..self })
    }

    /// Adds a z-loss to the loss of each row: `coefficient` times the square of the row's log-sum-exp. It keeps logits from drifting
    /// away from 0. By default there is none. PaLM uses 1e-4.
    ///
    /// Class weights do not apply to it, and ignored rows have none. The mean and the sum include it, as in T5X. optax has no z-loss.
    ///
    /// - Gradient: 2 coefficient z softmax(x) is added, where z is the log-sum-exp.
    /// - Error: 3 ULP of the z-loss are added if z is at least 1.
    /// - Source: Chowdhery et al., "PaLM: scaling language modeling with pathways", 2022, arXiv:2204.02311; `z_loss` of T5X,
    ///   `cross_entropy_with_logits`.
    ///
    /// # Errors
    /// If it is negative, infinite or NaN.
    ///
    /// ```
    /// use activations::CrossEntropy;
    ///
    /// let (plain, with_z) = (CrossEntropy::new(2)?, CrossEntropy::new(2)?.z_loss(0.5)?);
    /// let (logits, z) = ([1.0_f64, 1.0], 1.0 + 2.0_f64.ln());
    /// let more = with_z.loss(&logits, &[0]) - plain.loss(&logits, &[0]);
    /// assert!((more - 0.5 * z * z).abs() < 1e-15);
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    pub fn z_loss(self, coefficient: f64) -> Result<Self, ParameterError> {
        let z_loss = checked("cross_entropy", "z_loss", Allowed::NotNegative, coefficient)?;
        Ok(Self { z_loss, ..self })
    }

    /// Logits are soft-capped before all else: x becomes cap tanh(x / cap), between -cap and cap. They are not if not set; Gemma 2
    /// has a cap of 30.
    ///
    /// - Gradient: with respect to the logits before they are capped, so it has the factor 1 - tanh(x / cap)^2.
    /// - Special values: an infinite logit becomes the cap, with its sign, so -inf no longer excludes a class. NaN stays.
    /// - Error: at most 6 ULP for a capped logit, to which the error of the loss is added. The factor of the gradient has 4 + 3 |x / cap|
    ///   ULP.
    /// - Time: two passes of tanh over tiles, in addition to the loss. For halves, the capped logits are not rounded.
    /// - Source: Gemma Team, "Gemma 2: improving open language models at a practical size", 2024, arXiv:2408.00118. See
    ///   [`Scores::soft_cap`](crate::Scores::soft_cap) for attention.
    ///
    /// # Errors
    /// If `cap` is not a finite number above 0.
    ///
    /// ```
    /// use activations::CrossEntropy;
    ///
    /// let (capped, plain) = (CrossEntropy::new(2)?.soft_cap(2.0)?, CrossEntropy::new(2)?);
    /// assert_eq!(capped.loss(&[1000.0_f64, 0.0], &[1]), plain.loss(&[2.0, 0.0], &[1]));
    /// assert!(plain.soft_cap(0.0).is_err());
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    pub fn soft_cap(self, cap: f64) -> Result<Self, ParameterError> {
        let soft_cap = Some(checked_cap("cross_entropy", cap)?);
        Ok(Self { soft_cap, ..self })
    }

    /// Sets the class whose rows are ignored. It need not be a valid class. The default is -100.
    ///
    /// ```
    /// use activations::CrossEntropy;
    ///
    /// // The second row is padding, so the mean is over one row.
    /// let loss = CrossEntropy::new(2)?.ignore_index(-1).loss(&[0.0_f64, 0.0, 5.0, 6.0], &[0, -1]);
    /// assert_eq!(loss, 2.0_f64.ln());
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    #[must_use]
    pub const fn ignore_index(self, ignore_index: i64) -> Self {
        Self { ignore_index, ..self }
    }

    settings!();

    /// The loss of the batch.
    ///
    /// # Panics
    /// If the logits do not divide into rows, if there is not one target for each row or one weight for each class, if a class is
    /// out of range and not ignored, or if a focal loss gets distributions.
    ///
    /// ```
    /// use activations::{CrossEntropy, Targets};
    ///
    /// let (logits, loss) = ([0.0_f64, 0.0], CrossEntropy::new(2)?);
    /// assert_eq!(loss.loss(&logits, &[1]), 2.0_f64.ln());
    /// assert_eq!(loss.loss(&logits, Targets::distributions(&[0.5, 0.5])), 2.0_f64.ln());
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    #[track_caller]
    pub fn loss<'a, T: Element>(&self, logits: &[T], targets: impl IntoTargets<'a, T>) -> T {
        let targets = targets.into_targets();
        self.check(logits, &targets, None, None);
        T::rounded(self.mean(logits, targets, &mut []))
    }

    /// The loss of the batch, and its gradient with respect to the logits.
    ///
    /// # Panics
    /// As [`loss`](Self::loss), or if `grad` is not as long as the logits; before anything is written.
    ///
    /// ```
    /// use activations::CrossEntropy;
    ///
    /// // softmax(logits) less the target.
    /// let mut grad = [0.0_f64; 2];
    /// CrossEntropy::new(2)?.loss_and_gradient(&[0.0, 0.0], &[1], &mut grad);
    /// assert_eq!(grad, [0.5, -0.5]);
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    #[track_caller]
    pub fn loss_and_gradient<'a, T: Element>(
        &self,
        logits: &[T],
        targets: impl IntoTargets<'a, T>,
        grad: &mut [T],
    ) -> T {
        let targets = targets.into_targets();
        self.check(logits, &targets, None, Some(grad.len()));
        T::rounded(self.mean(logits, targets, grad))
    }

    /// The loss of each row, whatever the reduction. Ignored rows have loss 0.
    ///
    /// # Panics
    /// As [`loss`](Self::loss), or if `losses` does not have an element for each row; before anything is written.
    ///
    /// ```
    /// use activations::CrossEntropy;
    ///
    /// let mut losses = [0.0_f32; 2];
    /// CrossEntropy::new(2)?.losses(&[200.0, 0.0, 200.0, 0.0], &[0, 1], &mut losses);
    /// assert_eq!(losses, [0.0, 200.0]);
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    #[track_caller]
    pub fn losses<'a, T: Element>(&self, logits: &[T], targets: impl IntoTargets<'a, T>, losses: &mut [T]) {
        let targets = targets.into_targets();
        self.check(logits, &targets, Some(losses.len()), None);
        self.run(logits, targets, 1.0, &mut |at, of_rows| round_to(of_rows, &mut losses[at..]), &mut []);
    }

    /// The loss of each row, and its gradient with respect to the logits of the row, whatever the reduction.
    ///
    /// # Panics
    /// As [`losses`](Self::losses), or if `grad` is not as long as the logits; before anything is written.
    ///
    /// ```
    /// use activations::CrossEntropy;
    ///
    /// let (mut losses, mut grad) = ([0.0_f64; 1], [0.0; 2]);
    /// CrossEntropy::new(2)?.losses_and_gradient(&[0.0, 0.0], &[0], &mut losses, &mut grad);
    /// assert_eq!((losses, grad), ([2.0_f64.ln()], [-0.5, 0.5]));
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    #[track_caller]
    pub fn losses_and_gradient<'a, T: Element>(
        &self,
        logits: &[T],
        targets: impl IntoTargets<'a, T>,
        losses: &mut [T],
        grad: &mut [T],
    ) {
        let targets = targets.into_targets();
        self.check(logits, &targets, Some(losses.len()), Some(grad.len()));
        self.run(logits, targets, 1.0, &mut |at, of_rows| round_to(of_rows, &mut losses[at..]), grad);
    }

    /// Panics if the targets do not fit the logits, or if `losses` or `grad`, the lengths of the outputs that there are, do not fit.
    #[track_caller]
    pub(super) fn check<T: Element>(
        &self,
        logits: &[T],
        targets: &Targets<'_, T>,
        losses: Option<usize>,
        grad: Option<usize>,
    ) {
        #[cold]
        #[track_caller]
        fn no_such_class(row: usize, class: i64, classes: usize) -> ! {
            panic!("row {row} has the class {class}, but there are {classes} classes, counted from 0");
        }
        let (classes, inner) = (self.classes(), self.layout.inner());
        if inner == 1 {
            self.layout.pieces().check(logits.len());
        } else {
            assert!(
                logits.len().is_multiple_of(classes * inner),
                "cross_entropy: {} logits are not a whole number of {classes} classes x {inner}",
                logits.len()
            );
        }
        if let Some(weights) = targets.weights {
            same_length("weights", weights.len(), "classes", classes);
        }
        match targets.kind {
            Kind::Distributions(t) => {
                assert!(self.gamma == 0.0, "cross_entropy: the targets of a focal loss are classes, not distributions");
                same_length("targets", t.len(), "logits", logits.len());
            }
            Kind::Classes(targets) => {
                same_length("targets", targets.len(), "rows of logits", logits.len() / classes);
                if let Some((row, class)) = targets.first_unknown(classes, self.ignore_index) {
                    no_such_class(row, class, classes);
                }
            }
        }
        if let Some(losses) = losses {
            same_length("losses", losses, "rows of logits", logits.len() / classes);
        }
        if let Some(grad) = grad {
            same_length("grad", grad, "logits", logits.len());
        }
    }

    pub(super) fn denominator<T: Element>(&self, logits: &[T], targets: &Targets<'_, T>) -> f64 {
        let count = match (targets.kind, targets.weights) {
            (Kind::Distributions(_), _) => (logits.len() / self.classes()) as f64,
            (Kind::Classes(classes), None) => classes.count(self.ignore_index) as f64,
            (Kind::Classes(classes), Some(weights)) => {
                let mut sum = 0.0;
                classes.by_parts(&mut |_, part| {
                    for &class in part.iter().filter(|&&class| class != self.ignore_index) {
                        sum += weights[class as usize].widened().into();
                    }
                });
                sum
            }
        };
        self.reduction.denominator(count)
    }

    /// The loss of the batch, and its gradient if `grad` is not empty.
    pub(super) fn mean<T: Element>(&self, logits: &[T], targets: Targets<'_, T>, grad: &mut [T]) -> T::Float {
        let denominator = self.denominator(logits, &targets);
        let total = self.run(logits, targets, 1.0 / denominator, &mut |_, _| {}, grad);
        Float::of(total / denominator)
    }

    pub(super) fn settings(&self) -> Settings {
        let Self { layout, label_smoothing, ignore_index, gamma, z_loss, soft_cap, .. } = *self;
        Settings { layout, label_smoothing, ignore_index, gamma, z_loss, soft_cap }
    }

    /// Calls `losses` with groups of rows: the number of the first row, and their losses. Returns the sum of all losses. Gradients
    /// are multiplied by `times`. If `grad` is empty, they are not computed.
    pub(super) fn run<T: Element>(
        &self,
        logits: &[T],
        targets: Targets<'_, T>,
        times: f64,
        losses: &mut dyn FnMut(usize, &[T::Float]),
        grad: &mut [T],
    ) -> f64 {
        let mut total = 0.0;
        let level = self.level.unwrap_or_else(Level::best);
        let batch = Batch {
            settings: self.settings(),
            level,
            logits,
            targets,
            losses,
            grad,
            times: Float::of(times),
            total: &mut total,
        };
        T::call(&BatchLoss, batch);
        total
    }
}

pub(super) fn round_to<T: Element>(from: &[T::Float], to: &mut [T]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to = T::rounded(from);
    }
}
