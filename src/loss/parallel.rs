//! Losses on several threads.
//!
//! The loss and the gradient of a row do not depend on other rows. The losses of rows are stored and then added in the order of the
//! rows, as on one thread. The losses of elements are added in segments of a fixed length, whose sums are added in their order.

use std::vec;

use num_traits::Zero;

use super::binary_loops::{Losses, SEGMENT, Sum, take_first, total_of};
use super::cross_entropy::round_to;
use super::cross_entropy_batch::{self, Plain};
use super::methods::loss_methods;
use super::{BinaryCrossEntropy, BinaryTargets, CrossEntropy, Targets, rounded};
use crate::kernel::element::{Element, Float, Lane};
use crate::kernel::real::Real;
use crate::layers::parallel::{Cut, IntoParallel, Parallel};
use crate::rows::reduce::add;

impl IntoParallel for CrossEntropy {}
impl IntoParallel for BinaryCrossEntropy {}

/// Rows of logits, with their targets and outputs. If `grad` is empty, it is not computed.
struct Rows<'a, T: Element> {
    loss: &'a CrossEntropy,
    logits: &'a [T],
    targets: Targets<'a, T>,
    losses: &'a mut [T::Float],
    grad: &'a mut [T],
}

impl<T: Element> Cut for Rows<'_, T> {
    fn len(&self) -> usize {
        self.logits.len()
    }

    fn cut(self, at: usize) -> (Self, Self) {
        let Self { loss, logits, targets, losses, mut grad } = self;
        let rows = at / loss.classes();
        let (logits, targets) = (logits.split_at(at), targets.split_at(rows, loss.classes()));
        let (losses, first) = (losses.split_at_mut(rows), take_first(&mut grad, at));
        (
            Self { loss, logits: logits.0, targets: targets.0, losses: losses.0, grad: first },
            Self { loss, logits: logits.1, targets: targets.1, losses: losses.1, grad },
        )
    }
}

/// On the threads of `rayon`, with the same bits: see the methods of [`CrossEntropy`].
///
/// ```
/// use activations::{CrossEntropy, IntoParallel};
///
/// let (loss, logits) = (CrossEntropy::new(10)?, vec![0.5_f32; 400_000]);
/// let classes = vec![3_u32; 40_000];
/// assert_eq!(loss.parallel().loss(&logits, &classes), loss.loss(&logits, &classes));
/// # Ok::<(), activations::ParameterError>(())
/// ```
impl Parallel<CrossEntropy> {
    loss_methods!(CrossEntropy: "IntoParallel", "", ".parallel()", "f64", [Element], T, |form| form.activation);

    fn mean<T: Element>(&self, logits: &[T], targets: Targets<'_, T>, grad: &mut [T]) -> T {
        let denominator = self.activation.denominator(logits, &targets);
        let mut losses = vec![Zero::zero(); logits.len() / self.activation.classes()];
        self.rows(logits, targets, 1.0 / denominator, &mut losses, grad);
        let mut sum = (<Plain<T> as Real>::of(0.0), <Plain<T> as Real>::of(0.0));
        for loss in losses {
            sum = add(sum, Lane::load(loss));
        }
        T::rounded(Float::of(cross_entropy_batch::total_of::<T>(sum) / denominator))
    }

    fn each<T: Element>(&self, logits: &[T], targets: Targets<'_, T>, losses: &mut [T], grad: &mut [T]) {
        let mut of_rows = vec![Zero::zero(); losses.len()];
        self.rows(logits, targets, 1.0, &mut of_rows, grad);
        round_to(&of_rows, losses);
    }

    /// The losses of all rows, and their gradients times a number unless `grad` is empty.
    fn rows<T: Element>(
        &self,
        logits: &[T],
        targets: Targets<'_, T>,
        times: f64,
        losses: &mut [T::Float],
        grad: &mut [T],
    ) {
        let rows = Rows { loss: &self.activation, logits, targets, losses, grad };
        self.share_units(rows, self.activation.unit(), |Rows { loss, logits, targets, losses, grad }| {
            let mut keep = |at: usize, of_rows: &[T::Float]| losses[at..at + of_rows.len()].copy_from_slice(of_rows);
            loss.run(logits, targets, times, &mut keep, grad);
        });
    }
}

/// Some elements of a batch, with their targets and outputs, and the sums of their segments.
struct Elements<'a, T: Element> {
    /// Where they begin in the batch.
    start: usize,
    len: usize,
    losses: Losses<'a, T>,
    grad: &'a mut [T],
    sums: &'a mut [Sum],
}

impl<T: Element> Cut for Elements<'_, T> {
    fn len(&self) -> usize {
        self.len
    }

    fn cut(self, at: usize) -> (Self, Self) {
        let Self { start, len, mut losses, mut grad, sums } = self;
        let (first, first_grad, sums) = (losses.take(at), take_first(&mut grad, at), sums.split_at_mut(at / SEGMENT));
        (
            Self { start, len: at, losses: first, grad: first_grad, sums: sums.0 },
            Self { start: start + at, len: len - at, losses, grad, sums: sums.1 },
        )
    }
}

/// On the threads of `rayon`, with the same bits: see the methods of [`BinaryCrossEntropy`].
///
/// ```
/// use activations::{BinaryCrossEntropy, IntoParallel};
///
/// let (loss, logits, targets) = (BinaryCrossEntropy::new(), vec![0.3_f32; 300_000], vec![1.0; 300_000]);
/// assert_eq!(loss.parallel().loss(&logits, &targets), loss.loss(&logits, &targets));
/// ```
impl Parallel<BinaryCrossEntropy> {
    loss_methods!(BinaryCrossEntropy: "IntoParallel", "", ".parallel()", "f64", [Element], T, |form| form.activation);

    fn mean<T: Element>(&self, logits: &[T], targets: BinaryTargets<'_, T>, grad: &mut [T]) -> T {
        self.elements(logits, targets, Losses::None, grad)
    }

    fn each<T: Element>(&self, logits: &[T], targets: BinaryTargets<'_, T>, losses: &mut [T], grad: &mut [T]) {
        self.elements(logits, targets, Losses::OfElements(losses), grad);
    }

    /// The loss of all elements. `losses` and `grad` are not written if they are empty.
    fn elements<T: Element>(
        &self,
        logits: &[T],
        targets: BinaryTargets<'_, T>,
        losses: Losses<'_, T>,
        grad: &mut [T],
    ) -> T {
        let (denominator, times) = self.activation.scales(logits.len(), &losses);
        let zero: Sum = (Real::of(0.0), Real::of(0.0));
        let mut sums = vec![zero; logits.len().div_ceil(SEGMENT)];
        let all = Elements { start: 0, len: logits.len(), losses, grad, sums: &mut sums };
        self.share_units(all, SEGMENT, |Elements { start, len, mut losses, mut grad, sums }| {
            for (number, sum) in sums.iter_mut().enumerate() {
                let from = start + number * SEGMENT;
                let part = from..(start + len).min(from + SEGMENT);
                let (losses, grad) = (losses.take(part.len()), take_first(&mut grad, part.len()));
                *sum = self.activation.segment(part, logits, targets, losses, grad, times);
            }
        });
        T::rounded(rounded(total_of(sums.into_iter()) / denominator))
    }
}
