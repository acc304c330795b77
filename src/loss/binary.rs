//! Binary cross-entropy of logits.

use super::{Reduction, rounded, settings};
use crate::describe::error::ParameterError;
use crate::describe::parameters::{Allowed, checked};
use crate::kernel::abreast::Abreast;
use crate::kernel::dispatch::{Task, dispatch};
use crate::kernel::element::{Element, Float, Lane, kernel, per_element};
use crate::kernel::level::Level;
use crate::kernel::real::Real;
use crate::layers::wide::Wide;
use crate::math::{bounded_abs, log1p_exp, sigmoid_neg};
use crate::pass::same_length;
use crate::rows::reduce::{DEPTH, LANES, Sums, total_anything};
use crate::rows::sums::padded;

/// Binary cross-entropy from logits: -t log(sigmoid(x)) - (1 - t) log(1 - sigmoid(x)), for a target t in [0, 1].
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/binary_cross_entropy.svg"))]
///
/// Takes *logits*, the scores of the last layer as they are. It applies sigmoid itself: do not apply it before.
///
/// - Gradient: sigmoid(x) - t.
/// - [`pos_weight`](Self::pos_weight): a factor of the first term, for targets that are rarely 1.
/// - [`reduction`](Self::reduction): the mean or the sum; [`losses`](Self::losses) gives a loss for each element.
/// - Error: at most 4 ULP, in tails too, in the gradient 5 (7 without fused multiply-add); where the gradient's two parts, (1 - t) sigmoid(x) and
///   t sigmoid(-x), nearly cancel, ULP of the greater one.
///   Halves are computed in `f32`, and losses, gradients and means are rounded once, at the end. [`Wide`] gives losses of
///   halves as `f32`.
/// - Gradients are overwritten, not added to what was there.
/// - Special values: an infinite logit has loss 0 or infinity, 0 where the target agrees. The mean of nothing is NaN, the
///   sum 0. NaN gives NaN.
/// - Source: the semantics are those of PyTorch's `BCEWithLogitsLoss`.
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
        Self { pos_weight: 1.0, reduction: Reduction::Mean, level: None }
    }

    /// A factor of the loss where the target is 1: above 1 for recall, below 1 for precision. 1 if not set.
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

    settings!();

    /// The loss of all elements.
    ///
    /// # Panics
    /// If the lengths differ.
    ///
    /// ```
    /// use activations::BinaryCrossEntropy;
    ///
    /// // A sure and right answer costs nothing, a sure and wrong one its logit.
    /// assert_eq!(BinaryCrossEntropy::new().loss(&[200.0_f32, 200.0], &[1.0, 0.0]), 100.0);
    /// ```
    #[track_caller]
    pub fn loss<T: Element>(&self, logits: &[T], targets: &[T]) -> T {
        same_length("targets", targets.len(), "logits", logits.len());
        T::rounded(self.run(logits, targets, Losses::None, &mut []))
    }

    /// The loss of all elements, and its gradient with respect to the logits.
    ///
    /// # Panics
    /// If the lengths differ, before anything is written.
    ///
    /// ```
    /// use activations::BinaryCrossEntropy;
    ///
    /// let mut grad = [0.0_f64; 2];
    /// BinaryCrossEntropy::new().loss_and_gradient(&[0.0, 0.0], &[1.0, 0.0], &mut grad);
    /// assert_eq!(grad, [-0.25, 0.25]);
    /// ```
    #[track_caller]
    pub fn loss_and_gradient<T: Element>(&self, logits: &[T], targets: &[T], grad: &mut [T]) -> T {
        same_length("targets", targets.len(), "logits", logits.len());
        same_length("grad", grad.len(), "logits", logits.len());
        T::rounded(self.run(logits, targets, Losses::None, grad))
    }

    /// The loss of each element, whatever the reduction.
    ///
    /// # Panics
    /// If the lengths differ, before anything is written.
    ///
    /// ```
    /// use activations::BinaryCrossEntropy;
    ///
    /// let mut losses = [0.0_f32; 2];
    /// BinaryCrossEntropy::new().losses(&[200.0_f32, 200.0], &[1.0, 0.0], &mut losses);
    /// assert_eq!(losses, [0.0, 200.0]);
    /// ```
    #[track_caller]
    pub fn losses<T: Element>(&self, logits: &[T], targets: &[T], losses: &mut [T]) {
        same_length("targets", targets.len(), "logits", logits.len());
        same_length("losses", losses.len(), "logits", logits.len());
        self.run(logits, targets, Losses::OfElements(losses), &mut []);
    }

    /// The loss of each element, and its derivative, whatever the reduction.
    ///
    /// # Panics
    /// If the lengths differ, before anything is written.
    ///
    /// ```
    /// use activations::BinaryCrossEntropy;
    ///
    /// let (mut losses, mut grad) = ([0.0_f64; 1], [0.0]);
    /// BinaryCrossEntropy::new().losses_and_gradient(&[0.0], &[1.0], &mut losses, &mut grad);
    /// assert_eq!((losses, grad), ([2.0_f64.ln()], [-0.5]));
    /// ```
    #[track_caller]
    pub fn losses_and_gradient<T: Element>(&self, logits: &[T], targets: &[T], losses: &mut [T], grad: &mut [T]) {
        same_length("targets", targets.len(), "logits", logits.len());
        same_length("losses", losses.len(), "logits", logits.len());
        same_length("grad", grad.len(), "logits", logits.len());
        self.run(logits, targets, Losses::OfElements(losses), grad);
    }

    /// The loss of all elements; none is kept, and there is no gradient, where the slices are empty.
    fn run<T: Element>(&self, logits: &[T], targets: &[T], losses: Losses<'_, T>, grad: &mut [T]) -> T::Float {
        let denominator = self.denominator(logits.len());
        let times = rounded(if matches!(losses, Losses::None) { 1.0 / denominator } else { 1.0 });
        let (mut total, mut losses, mut grad) = (0.0, losses, grad);
        for (logits, targets) in logits.chunks(SEGMENT).zip(targets.chunks(SEGMENT)) {
            total +=
                self.segment(logits, targets, losses.take(logits.len()), take_or_none(&mut grad, logits.len()), times);
        }
        rounded(total / denominator)
    }

    /// The sum of the losses of up to [`SEGMENT`] elements. Gradients are multiplied by `times`.
    pub(super) fn segment<T: Element>(
        &self,
        logits: &[T],
        targets: &[T],
        losses: Losses<'_, T>,
        grad: &mut [T],
        times: T::Float,
    ) -> f64 {
        let (mut total, level) = (0.0, self.level.unwrap_or_else(Level::best));
        let loss = OfBatch { pos_weight: self.pos_weight, level };
        T::call(&loss, BatchOf { logits, targets, losses, grad, times, total: &mut total });
        total
    }

    /// The divisor of the sum of so many losses.
    pub(super) fn denominator(&self, len: usize) -> f64 {
        self.reduction.denominator(len as f64)
    }
}

/// With losses that are [`Element::Float`]: `f32` for halves. See the methods of [`BinaryCrossEntropy`].
impl Wide<BinaryCrossEntropy> {
    /// [`BinaryCrossEntropy::loss`].
    ///
    /// # Panics
    /// If the lengths differ.
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
    #[track_caller]
    pub fn loss<T: Element>(&self, logits: &[T], targets: &[T]) -> T::Float {
        same_length("targets", targets.len(), "logits", logits.len());
        self.0.run(logits, targets, Losses::None, &mut [])
    }

    /// [`BinaryCrossEntropy::loss_and_gradient`].
    ///
    /// # Panics
    /// If the lengths differ, before anything is written.
    ///
    /// ```
    /// use activations::{BinaryCrossEntropy, Wide};
    ///
    /// let mut grad = [0.0_f32; 2];
    /// Wide(BinaryCrossEntropy::new()).loss_and_gradient(&[0.0, 0.0], &[1.0, 0.0], &mut grad);
    /// assert_eq!(grad, [-0.25, 0.25]);
    /// ```
    #[track_caller]
    pub fn loss_and_gradient<T: Element>(&self, logits: &[T], targets: &[T], grad: &mut [T]) -> T::Float {
        same_length("targets", targets.len(), "logits", logits.len());
        same_length("grad", grad.len(), "logits", logits.len());
        self.0.run(logits, targets, Losses::None, grad)
    }

    /// [`BinaryCrossEntropy::losses`].
    ///
    /// # Panics
    /// If the lengths differ, before anything is written.
    ///
    /// ```
    /// use activations::{BinaryCrossEntropy, Wide};
    ///
    /// let mut losses = [0.0_f32; 2];
    /// Wide(BinaryCrossEntropy::new()).losses(&[200.0_f32, 200.0], &[1.0, 0.0], &mut losses);
    /// assert_eq!(losses, [0.0, 200.0]);
    /// ```
    #[track_caller]
    pub fn losses<T: Element>(&self, logits: &[T], targets: &[T], losses: &mut [T::Float]) {
        same_length("targets", targets.len(), "logits", logits.len());
        same_length("losses", losses.len(), "logits", logits.len());
        self.0.run(logits, targets, Losses::OfFloats(losses), &mut []);
    }

    /// [`BinaryCrossEntropy::losses_and_gradient`].
    ///
    /// # Panics
    /// If the lengths differ, before anything is written.
    ///
    /// ```
    /// use activations::{BinaryCrossEntropy, Wide};
    ///
    /// let (mut losses, mut grad) = ([0.0_f64; 1], [0.0]);
    /// Wide(BinaryCrossEntropy::new()).losses_and_gradient(&[0.0], &[1.0], &mut losses, &mut grad);
    /// assert_eq!((losses, grad), ([2.0_f64.ln()], [-0.5]));
    /// ```
    #[track_caller]
    pub fn losses_and_gradient<T: Element>(
        &self,
        logits: &[T],
        targets: &[T],
        losses: &mut [T::Float],
        grad: &mut [T],
    ) {
        same_length("targets", targets.len(), "logits", logits.len());
        same_length("losses", losses.len(), "logits", logits.len());
        same_length("grad", grad.len(), "logits", logits.len());
        self.0.run(logits, targets, Losses::OfFloats(losses), grad);
    }
}

/// What becomes of the loss of each element.
pub(super) enum Losses<'a, T: Element> {
    None,
    OfElements(&'a mut [T]),
    OfFloats(&'a mut [T::Float]),
}

impl<'a, T: Element> Losses<'a, T> {
    /// The first `len`, which are not in it any more.
    pub(super) fn take(&mut self, len: usize) -> Self {
        match self {
            Self::None => Self::None,
            Self::OfElements(losses) => Self::OfElements(take_first(losses, len)),
            Self::OfFloats(losses) => Self::OfFloats(take_first(losses, len)),
        }
    }
}

/// Elements whose losses are summed together. The sums of more are added in their order, so that they may be summed on any number
/// of threads.
pub(super) const SEGMENT: usize = 1 << 16;

/// The first `len`, which are not in the slice any more; none if it is empty.
pub(super) fn take_or_none<'a, F>(slice: &mut &'a mut [F], len: usize) -> &'a mut [F] {
    let len = if slice.is_empty() { 0 } else { len };
    take_first(slice, len)
}

/// A batch of elements. The total is written, not added to.
struct BatchOf<'a, T: Element> {
    logits: &'a [T],
    targets: &'a [T],
    losses: Losses<'a, T>,
    grad: &'a mut [T],
    times: T::Float,
    total: &'a mut f64,
}

/// The losses of a batch.
struct OfBatch {
    pos_weight: f64,
    level: Level,
}
per_element!(OfBatch: Args<'a, T> = BatchOf<'a, T>, run);

fn run<T: Element>(of_batch: &OfBatch, batch: BatchOf<'_, T>) {
    let BatchOf { logits, targets, losses, grad, times, total } = batch;
    *total = 0.0;
    let (mut of_elements, mut of_floats): (&mut [T], &mut [T::Float]) = match losses {
        Losses::None => (&mut [], &mut []),
        Losses::OfElements(losses) => (losses, &mut []),
        Losses::OfFloats(losses) => (&mut [], losses),
    };
    let wide = !of_floats.is_empty();
    let outputs = [core::mem::take(&mut of_elements), grad];
    T::as_floats(of_batch.level, [logits, targets], outputs, false, |[logits, targets], [of_elements, grad]| {
        let losses = if wide { take_first(&mut of_floats, logits.len()) } else { of_elements };
        *total += T::Float::run(of_batch, of_batch.level, Batch { logits, targets, losses, grad, times });
    });
}

/// The first elements, which are not in the slice any more.
fn take_first<'a, F>(slice: &mut &'a mut [F], len: usize) -> &'a mut [F] {
    let (first, rest) = core::mem::take(slice).split_at_mut(len);
    *slice = rest;
    first
}

// The sum of the losses.
kernel!(OfBatch: Args<'a, T> = Batch<'a, T>, -> f64, total);

#[inline]
fn total<T: Float>(of_batch: &OfBatch, level: Level, batch: Batch<'_, T>) -> f64 {
    let pos_weight = rounded(of_batch.pos_weight);
    if batch.grad.is_empty() {
        dispatch(level, Run::<T, false> { batch, pos_weight })
    } else {
        dispatch(level, Run::<T, true> { batch, pos_weight })
    }
}

/// A batch of floats. Losses and gradients are not kept where the slices are empty.
struct Batch<'a, T> {
    logits: &'a [T],
    targets: &'a [T],
    losses: &'a mut [T],
    grad: &'a mut [T],
    /// By which gradients are multiplied.
    times: T,
}

struct Run<'a, T, const GRADIENT: bool> {
    batch: Batch<'a, T>,
    pos_weight: T,
}

impl<T: Float, const GRADIENT: bool> Task<T> for Run<'_, T, GRADIENT> {
    /// The sum of the losses.
    type Output = f64;
    type Home = Self;

    #[inline(always)]
    fn run<R: Lane<T>>(self) -> f64 {
        let Self { batch: Batch { logits, targets, losses, grad, times }, pos_weight } = self;
        let (weight, times) = (R::load(pos_weight), R::load(times));
        let mut sums = [Sums::<R, LANES>::of_anything()];
        let mut of_block = ([[T::zero(); LANES]; DEPTH], [[T::zero(); LANES]; DEPTH]);
        let mut at = 0;
        let mut keep = |count: usize, (of_losses, of_grad): &([[T; LANES]; DEPTH], [[T; LANES]; DEPTH])| {
            if !losses.is_empty() {
                losses[at..at + count].copy_from_slice(&of_losses.as_flattened()[..count]);
            }
            if GRADIENT {
                grad[at..at + count].copy_from_slice(&of_grad.as_flattened()[..count]);
            }
            at += count;
        };
        let (x_blocks, x_rest) = logits.as_chunks::<LANES>().0.as_chunks::<DEPTH>();
        let (t_blocks, t_rest) = targets.as_chunks::<LANES>().0.as_chunks::<DEPTH>();
        for (x, t) in x_blocks.iter().zip(t_blocks) {
            block::<T, R, GRADIENT, DEPTH>(x, t, weight, times, &mut of_block.0, &mut of_block.1);
            add_up(&of_block.0, &mut sums[0]);
            keep(DEPTH * LANES, &of_block);
        }
        let (x_last, t_last) = (logits.as_chunks::<LANES>().1, targets.as_chunks::<LANES>().1);
        let last = [(padded(x_last, T::zero()), padded(t_last, T::zero()), x_last.len())];
        let columns = x_rest.iter().zip(t_rest).map(|(&x, &t)| (x, t, LANES)).chain(last);
        for (x, t, count) in columns {
            let (mut of_losses, mut of_grad) = ([[T::zero(); LANES]], [[T::zero(); LANES]]);
            block::<T, R, GRADIENT, 1>(&[x], &[t], weight, times, &mut of_losses, &mut of_grad);
            of_losses[0][count..].fill(T::zero());
            add_up(&of_losses, &mut sums[0]);
            (of_block.0[0], of_block.1[0]) = (of_losses[0], of_grad[0]);
            keep(count, &of_block);
        }
        let (hi, lo) = total_anything(&sums);
        let total = hi[0].wide() + lo[0].wide();
        if total.is_nan() {
            // An infinite loss, maybe, whose rounding error is none.
            let mut total = 0.0;
            for (&x, &t) in logits.iter().zip(targets) {
                total += loss(R::load(x), R::load(t), weight).wide();
            }
            return total;
        }
        total
    }
}

/// A function, for its arguments are known not to overlap.
#[inline(always)]
fn block<T: Float, R: Lane<T>, const GRADIENT: bool, const K: usize>(
    x: &[[T; LANES]; K],
    t: &[[T; LANES]; K],
    weight: R,
    times: R,
    losses: &mut [[T; LANES]; K],
    grad: &mut [[T; LANES]; K],
) {
    let (weight, times) = (Abreast::<R, K>::splat(weight), Abreast::splat(times));
    for i in 0..LANES {
        let (x, t) = (Abreast::gather(x, i), Abreast::gather(t, i));
        loss(x, t, weight).scatter(losses, i);
        if GRADIENT {
            (slope(x, t, weight) * times).scatter(grad, i);
        }
    }
}

#[inline(always)]
fn add_up<T: Float, R: Lane<T>, const K: usize>(losses: &[[T; LANES]; K], sums: &mut Sums<R, LANES>) {
    for i in 0..LANES {
        sums.add(i, (Abreast::gather(losses, i), Abreast::splat(R::of(0.0))));
    }
}

/// `(k, w)` with loss = k |x| + w log(1 + e^-|x|) and gradient = sign(x) (k - w sigmoid(-|x|)): what the target has against
/// the sign of x, and all that it has.
#[inline(always)]
fn shares<R: Real>(x: R, t: R, pos_weight: R) -> (R, R) {
    let (zero, one) = (R::of(0.0), R::of(1.0));
    (R::select(x.lt(zero), pos_weight * t, one - t), (pos_weight - one).mul_add(t, one))
}

/// Both terms are positive: nothing cancels.
#[inline(always)]
fn loss<R: Real>(x: R, t: R, pos_weight: R) -> R {
    let (zero, (k, w)) = (R::of(0.0), shares(x, t, pos_weight));
    // A share of 0 makes nothing of an infinite logit too.
    let linear = R::select(k.abs().le(zero), zero, k * x.abs());
    log1p_exp(-x.abs()).mul_add(w, linear)
}

#[inline(always)]
fn slope<R: Real>(x: R, t: R, pos_weight: R) -> R {
    let (one, (k, w)) = (R::of(1.0), shares(x, t, pos_weight));
    // The sign is put on factors: see `LogSoftmax` on negated sums.
    let minus_sign = R::select(x.lt(R::of(0.0)), one, -one);
    (minus_sign * sigmoid_neg(bounded_abs(x), None)).mul_add(w, -minus_sign * k)
}
