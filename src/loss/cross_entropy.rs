//! Cross-entropy of rows of logits.

use super::targets::{Classes, Kind};
use super::{Reduction, Targets, rounded, settings};
use crate::describe::error::ParameterError;
use crate::kernel::element::{Float, Lane};
use crate::kernel::level::{Level, Task, dispatch};
use crate::kernel::real::Real;
use crate::pass::{Pieces, same_length};
use crate::rows::probability::{Complement, Normaliser};
use crate::rows::reduce::{DEPTH, LANES};
use crate::rows::row_sums::{RowSums, Total, Weights, for_each_group};

/// Cross-entropy from logits: log(sum of e^x\[j\]) - x\[class\] for each row of x, or the mean of that under a distribution.
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/cross_entropy.svg"))]
///
/// Takes *logits*, the scores of the last layer as they are. It applies softmax itself: do not apply it before.
/// [`Softmax`](crate::Softmax) is for looking at probabilities, not for training.
///
/// - Gradient: softmax(x) - t, t the target distribution (1 at the class, 0 elsewhere).
/// - Targets: classes or distributions, with weights for the classes if need be: [`Targets`].
/// - [`label_smoothing`](Self::label_smoothing): t becomes (1 - s) t + s/classes. Rows of the class
///   [`ignore_index`](Self::ignore_index) (-100) count for nothing: loss 0, gradient 0.
/// - [`reduction`](Self::reduction): the mean over the rows that are not ignored, or the sum; [`losses`](Self::losses)
///   gives a loss for each row.
/// - Error: at most 3 ULP for loss and gradient of a row with a class, also where p is near 1 and its logarithm and p - 1
///   near 0; measured on sampled rows of up to a million, 2.0 and 2.0. At most 4 ULP with weights on more than one class,
///   and for a batch; where p and t nearly cancel in the gradient, ULP of the greater of the two.
/// - Special values: the mean of no rows is NaN, their sum 0. A class of probability 0 (logit -inf) has loss inf if it
///   is the target, and counts for nothing if its target is 0. Loss and gradient of a row with NaN or +inf, or of nothing
///   but -inf, are NaN.
/// - Source: the semantics are those of PyTorch's `CrossEntropyLoss`, but for the 0 of an impossible class with target 0,
///   for which it has NaN.
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
    classes: usize,
    label_smoothing: f64,
    ignore_index: i64,
    reduction: Reduction,
    level: Option<Level>,
}

impl CrossEntropy {
    /// Of rows of `classes` logits.
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
        if classes == 0 {
            return Err(ParameterError::new("cross_entropy", "classes", 0.0, "at least 1"));
        }
        Ok(Self { classes, label_smoothing: 0.0, ignore_index: -100, reduction: Reduction::Mean, level: None })
    }

    /// So much of each target is spread evenly over all classes. 0 if not set.
    ///
    /// # Errors
    /// If it is not in [0, 1).
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
        if !(0.0..1.0).contains(&label_smoothing) {
            let allowed = "at least 0 and below 1";
            return Err(ParameterError::new("cross_entropy", "label_smoothing", label_smoothing, allowed));
        }
        Ok(Self { label_smoothing, ..self })
    }

    /// Rows of this class count for nothing, whether there is such a class or not. -100 if not set.
    ///
    /// ```
    /// use activations::CrossEntropy;
    ///
    /// // The second row is padding: the mean is that of one row.
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
    /// If the logits do not divide into rows, if there is not one target for each row, or weight for each class, or if a
    /// class is none and not ignored either.
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
    pub fn loss<'a, T: Float>(&self, logits: &[T], targets: impl Into<Targets<'a, T>>) -> T {
        let targets = targets.into();
        self.check(logits, &targets);
        self.run(Batch { of: self, logits, targets, losses: None, grad: None, times: T::one() })
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
    pub fn loss_and_gradient<'a, T: Float>(
        &self,
        logits: &[T],
        targets: impl Into<Targets<'a, T>>,
        grad: &mut [T],
    ) -> T {
        let targets = targets.into();
        self.check(logits, &targets);
        same_length("grad", grad.len(), "logits", logits.len());
        let times = rounded(1.0 / self.denominator(logits, &targets));
        self.run(Batch { of: self, logits, targets, losses: None, grad: Some(grad), times })
    }

    /// The loss of each row, whatever the reduction: 0 for those that are ignored.
    ///
    /// # Panics
    /// As [`loss`](Self::loss), or if `losses` has not an element for each row; before anything is written.
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
    pub fn losses<'a, T: Float>(&self, logits: &[T], targets: impl Into<Targets<'a, T>>, losses: &mut [T]) {
        let targets = targets.into();
        self.check(logits, &targets);
        same_length("losses", losses.len(), "rows of logits", logits.len() / self.classes);
        self.run(Batch { of: self, logits, targets, losses: Some(losses), grad: None, times: T::one() });
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
    pub fn losses_and_gradient<'a, T: Float>(
        &self,
        logits: &[T],
        targets: impl Into<Targets<'a, T>>,
        losses: &mut [T],
        grad: &mut [T],
    ) {
        let targets = targets.into();
        self.check(logits, &targets);
        same_length("losses", losses.len(), "rows of logits", logits.len() / self.classes);
        same_length("grad", grad.len(), "logits", logits.len());
        self.run(Batch { of: self, logits, targets, losses: Some(losses), grad: Some(grad), times: T::one() });
    }

    #[track_caller]
    fn check<T: Float>(&self, logits: &[T], targets: &Targets<'_, T>) {
        #[cold]
        #[track_caller]
        fn no_such_class(row: usize, class: i64, classes: usize) -> ! {
            panic!("row {row} has the class {class}, but there are {classes} classes, counted from 0");
        }
        Pieces::Rows(self.classes).check(logits.len());
        if let Some(weights) = targets.weights {
            same_length("weights", weights.len(), "classes", self.classes);
        }
        match targets.kind {
            Kind::Distributions(t) => same_length("targets", t.len(), "logits", logits.len()),
            Kind::Classes(classes) => {
                same_length("targets", classes.len(), "rows of logits", logits.len() / self.classes);
                for row in 0..classes.len() {
                    let class = classes.get(row);
                    if class != self.ignore_index && !usize::try_from(class).is_ok_and(|class| class < self.classes) {
                        no_such_class(row, class, self.classes);
                    }
                }
            }
        }
    }

    /// The class of a row; `None` if it is ignored.
    fn class(&self, classes: Classes<'_>, row: usize) -> Option<usize> {
        match classes.get(row) {
            class if class == self.ignore_index => None,
            class => usize::try_from(class).ok(),
        }
    }

    fn denominator<T: Float>(&self, logits: &[T], targets: &Targets<'_, T>) -> f64 {
        let count = match targets.kind {
            Kind::Distributions(_) => (logits.len() / self.classes) as f64,
            Kind::Classes(classes) => {
                let counted = (0..classes.len()).filter_map(|row| self.class(classes, row));
                match targets.weights {
                    None => counted.count() as f64,
                    Some(weights) => counted.map(|class| <T::Plain as Lane<T>>::load(weights[class]).wide()).sum(),
                }
            }
        };
        self.reduction.denominator(count)
    }

    fn run<T: Float>(&self, batch: Batch<'_, T>) -> T {
        let denominator = self.denominator(batch.logits, &batch.targets);
        let level = self.level.unwrap_or_else(Level::best);
        let total = if self.label_smoothing == 0.0 && matches!(batch.targets.kind, Kind::Classes(_)) {
            dispatch(level, ToClasses(batch))
        } else {
            dispatch(level, ToDistributions(batch))
        };
        rounded(total / denominator)
    }
}

struct Batch<'a, T> {
    of: &'a CrossEntropy,
    logits: &'a [T],
    targets: Targets<'a, T>,
    losses: Option<&'a mut [T]>,
    grad: Option<&'a mut [T]>,
    /// By which gradients are multiplied.
    times: T,
}

/// A class for each row, and no weight on others.
struct ToClasses<'a, T>(Batch<'a, T>);

/// Weights on all classes.
struct ToDistributions<'a, T>(Batch<'a, T>);

impl<T: Float> Task<T> for ToClasses<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn run<R: Lane<T>>(self) -> f64 {
        self.0.total::<R, false>()
    }
}

impl<T: Float> Task<T> for ToDistributions<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn run<R: Lane<T>>(self) -> f64 {
        self.0.total::<R, true>()
    }
}

/// The target of a row.
#[derive(Clone, Copy)]
enum Target<R> {
    Ignored,
    /// The class, and its weight beside that which all classes have.
    Class(usize, R),
    Distribution,
}

impl<T: Float> Batch<'_, T> {
    /// The sum of the losses.
    #[inline(always)]
    fn total<R: Lane<T>, const WEIGHTED: bool>(self) -> f64 {
        let Self { of: &CrossEntropy { classes: row_len, label_smoothing, .. }, logits, targets, .. } = self;
        let (mut losses, times) = (self.losses, R::load(self.times));
        let keep = R::of(1.0 - label_smoothing);
        let (t, classes) = match targets.kind {
            Kind::Classes(classes) => (None, Some(classes)),
            Kind::Distributions(t) => (Some(t), None),
        };
        let (a, b) = (keep.store(), rounded(label_smoothing / row_len as f64));
        let weights = Weights { t, w: targets.weights, a, b };
        let target = |row: usize| match classes {
            None => Target::Distribution,
            Some(classes) => match self.of.class(classes, row) {
                None => Target::Ignored,
                Some(class) => Target::Class(class, targets.weights.map_or(keep, |w| R::load(w[class]) * keep)),
            },
        };
        let mut total = Total::<R>::new();
        for_each_group::<T, R, WEIGHTED>(
            logits,
            row_len,
            weights,
            self.grad,
            #[inline(always)]
            |at, logits, mut grad, sums| {
                for (i, sums) in sums.iter().enumerate() {
                    let target = target(at + i);
                    let loss = loss_of_row::<T, R, WEIGHTED>(&logits[i * row_len..][..row_len], target, sums);
                    total.add(loss);
                    if let Some(losses) = &mut losses {
                        losses[at + i] = loss.store();
                    }
                    if let Some(grad) = &mut grad {
                        let (e, weights) = (&mut grad[i * row_len..][..row_len], weights.of_row(at + i, row_len));
                        gradient_of_row::<T, R, WEIGHTED>(e, target, weights, sums, times);
                    }
                }
            },
        );
        total.wide()
    }
}

/// (greatest - x) + log(sum of e^(x - greatest)): two parts of one sign, for the class and, summed already, for all.
#[inline(always)]
fn loss_of_row<T: Float, R: Lane<T>, const WEIGHTED: bool>(x: &[T], target: Target<R>, sums: &RowSums<R>) -> R {
    let zero = R::of(0.0);
    let (log, log_lo) = sums.log();
    let log = log + log_lo;
    let all = if WEIGHTED { sums.weight.mul_add(log, sums.distance) } else { zero };
    match target {
        Target::Ignored => zero,
        Target::Distribution => all,
        Target::Class(class, weight) => {
            let loss = (sums.row.scale.greatest - R::load(x[class])) + log;
            // A weight of 0 makes nothing of an infinite loss too.
            all + R::select(weight.abs().le(zero), zero, weight * loss)
        }
    }
}

/// p (sum of the weights) - weight, from the exponentials.
#[inline(always)]
fn gradient_of_row<T: Float, R: Lane<T>, const WEIGHTED: bool>(
    e: &mut [T],
    target: Target<R>,
    weights: Weights<'_, T>,
    sums: &RowSums<R>,
    times: R,
) {
    let zero = R::of(0.0);
    let (class, own) = match target {
        Target::Ignored => return e.fill(T::zero()),
        Target::Class(class, own) => (Some(class), own),
        Target::Distribution => (None, zero),
    };
    let (complement, mut normaliser) = Complement::of(&sums.row);
    normaliser.factor = normaliser.factor - sums.row.scale.greatest.abs() * zero;
    let formula = Gradient { complement, normaliser, weight: if WEIGHTED { sums.weight + own } else { own }, times };
    let class = class.map(|class| {
        let mut weight = [T::zero()];
        if WEIGHTED {
            weights.write::<R>(class, &mut weight);
        }
        (class, formula.at(R::load(e[class]), R::load(weight[0]) + own))
    });
    if WEIGHTED {
        for (block, e) in e.chunks_mut(DEPTH * LANES).enumerate() {
            let mut own = [T::zero(); DEPTH * LANES];
            weights.write::<R>(block * DEPTH * LANES, &mut own[..e.len()]);
            formula.all(e, &own);
        }
    } else {
        formula.all_without_target(e);
    }
    if let Some((class, gradient)) = class {
        e[class] = gradient.store();
    }
}

/// Gradients of the elements of a row in terms of their exponentials.
struct Gradient<R> {
    complement: Complement<R>,
    normaliser: Normaliser<R>,
    /// The sum of the row's weights.
    weight: R,
    times: R,
}

impl<R: Real> Gradient<R> {
    /// p W - w. From 1/2 on (1 - p) (-W) - (w - W), which has more digits where p is near 1, and its sign where it is too
    /// small for the type; below, the other has.
    #[inline(always)]
    fn at(&self, e: R, w: R) -> R {
        let p = self.normaliser.probability(e);
        let from_p = p.mul_add(self.weight, -w);
        let from_complement = self.complement.at(e, p).mul_add(-self.weight, -(w - self.weight));
        R::select(p.lt(R::of(0.5)), from_p, from_complement) * self.times
    }

    /// `e` becomes the gradients.
    #[inline(always)]
    fn all<T: Float>(&self, e: &mut [T], w: &[T])
    where
        R: Lane<T>,
    {
        for (e, &w) in e.iter_mut().zip(w) {
            *e = self.at(R::load(*e), R::load(w)).store();
        }
    }

    /// The same where the weights are 0.
    #[inline(always)]
    fn all_without_target<T: Float>(&self, e: &mut [T])
    where
        R: Lane<T>,
    {
        let times = self.weight * self.times;
        for e in e {
            *e = (self.normaliser.probability(R::load(*e)) * times).store();
        }
    }
}
