//! `Exact` for losses. They are computed in `f64`, by operations that are the same on every machine, and rounded once.

use core::ops::Range;

use super::binary_loops::{Losses, total_of};
use super::cross_entropy_batch;
use super::cross_entropy_rows::WeightsOf;
use super::methods::loss_methods;
use super::targets::Kind;
use super::{BinaryCrossEntropy, BinaryTargets, CrossEntropy, Targets};
use crate::exact::Exact;
use crate::kernel::element::Element;
use crate::kernel::level::Level;
use crate::kernel::tiles::{TILE, Tile};
use crate::rows::broadcast::Broadcast;
use crate::rows::exact::{WideRows, narrow, rounded, widen};
use crate::rows::formula::Slices;
use crate::rows::reduce::CHUNK;
use crate::rows::score_tiles::tanh_of;

fn in_tile<'t, T: Element<Float = f32>>(from: &[T], tile: &'t mut Tile<f64, TILE>) -> &'t mut [f64] {
    let to = tile.of(from.len());
    widen(from, 1, to);
    to
}

/// Computed in `f64` at [`Level::portable`](crate::Level::portable) and rounded once: at most 0.501 ULP, on sampled rows, and the
/// same bits on every machine. If the parts of a gradient cancel, its error is relative to the parts.
impl Exact<CrossEntropy> {
    loss_methods!(CrossEntropy: "Exact", "Exact(", ")", "f32", [Element<Float = f32>], T, |form| form.0);

    fn mean<T: Element<Float = f32>>(&self, logits: &[T], targets: Targets<'_, T>, grad: &mut [T]) -> T {
        let denominator = self.0.denominator(logits, &targets);
        rounded(self.run(logits, targets, 1.0 / denominator, &mut |_, _| {}, grad) / denominator)
    }

    fn each<T: Element<Float = f32>>(&self, logits: &[T], targets: Targets<'_, T>, losses: &mut [T], grad: &mut [T]) {
        self.run(logits, targets, 1.0, &mut |at, of_rows| narrow(of_rows, &mut losses[at..], 1), grad);
    }

    /// See [`CrossEntropy::run`].
    fn run<T: Element<Float = f32>>(
        &self,
        logits: &[T],
        targets: Targets<'_, T>,
        times: f64,
        losses: &mut dyn FnMut(usize, &[f64]),
        grad: &mut [T],
    ) -> f64 {
        let (row_len, inner) = (self.0.classes(), self.0.unit() / self.0.classes());
        let (t, classes) = match targets.kind {
            Kind::Classes(classes) => (None, Some(classes)),
            Kind::Distributions(t) => (Some(t), None),
        };
        let class_weights = targets.weights.unwrap_or(&[]);
        let weights = |classes: Range<usize>, to: &mut [f64]| {
            widen(&class_weights[classes], 1, to);
        };
        let weights: Option<&WeightsOf<'_, f64>> = if targets.weights.is_some() { Some(&weights) } else { None };
        let (settings, level) = (self.0.settings(), Level::portable());
        let mut job = settings.job(level, row_len, (classes, weights), times, losses);
        let gradient = !grad.is_empty();
        let cap = settings.soft_cap.unwrap_or(1.0);
        let tiles = [Tile::new(), Tile::new()];
        let mut rows = WideRows { row_len, inner, sign: 1.0, x: Some(logits), beside: t, y: grad, tiles };
        let [mut slopes, mut grads] = [Tile::<f64, TILE>::new(), Tile::new()];
        // Calls `f` with soft-capped logits, and multiplies the gradient that `f` writes by the cap's derivative.
        let mut capped = |mut slices: Slices<'_, f64>, f: &mut dyn FnMut(Slices<'_, f64>)| {
            let n = slices.y.len();
            if settings.soft_cap.is_some() {
                tanh_of(level, cap.recip(), slices.y, Some(slopes.of(n)));
                slices.y.iter_mut().for_each(|y| *y *= cap);
            }
            f(slices.part(0..n));
            if settings.soft_cap.is_some() {
                slices.y.iter_mut().zip(slopes.of(n)).for_each(|(y, slope)| *y *= *slope);
            }
        };
        let count = logits.len() / row_len;
        if row_len <= TILE.min(CHUNK) {
            let group = TILE / row_len;
            for at in (0..count).step_by(group) {
                rows.tile(at..count.min(at + group), &(0..row_len), gradient, &mut |_, slices| {
                    capped(slices, &mut |slices| {
                        let grads = grads.of(slices.y.len());
                        job.short_rows(at, slices.y, slices.grad_y, gradient.then_some(&mut *grads));
                        slices.y.copy_from_slice(grads);
                    });
                });
            }
        } else {
            for row in 0..count {
                job.long_row(row, gradient, false, &mut |range, written, f| {
                    rows.part(row, range, written, &mut |row, slices| capped(slices, &mut |slices| f(row, slices)));
                });
            }
        }
        cross_entropy_batch::total_of::<f64>(job.sum)
    }
}

/// Computed in `f64` at [`Level::portable`](crate::Level::portable) and rounded once: at most 0.501 ULP, and the same bits on every
/// machine.
///
/// ```
/// use activations::{BinaryCrossEntropy, Exact};
///
/// let (loss, mut grad) = (Exact(BinaryCrossEntropy::new()), [0.0_f32; 2]);
/// assert_eq!(loss.loss(&[1.0_f32], &[1.0]), 0.313_261_7);
/// loss.loss_and_gradient(&[0.0, 1.0], &[1.0, 0.0], &mut grad);
/// assert_eq!(grad, [-0.25, 0.365_529_3]);
/// ```
impl Exact<BinaryCrossEntropy> {
    loss_methods!(BinaryCrossEntropy: "Exact", "Exact(", ")", "f32", [Element<Float = f32>], T, |form| form.0);

    fn mean<T: Element<Float = f32>>(&self, logits: &[T], targets: BinaryTargets<'_, T>, grad: &mut [T]) -> T {
        rounded(self.run(logits, targets, None, grad))
    }

    fn each<T: Element<Float = f32>>(
        &self,
        logits: &[T],
        targets: BinaryTargets<'_, T>,
        losses: &mut [T],
        grad: &mut [T],
    ) {
        self.run(logits, targets, Some(losses), grad);
    }

    /// The loss of all elements. There is no gradient if the slice is empty.
    fn run<T: Element<Float = f32>>(
        &self,
        logits: &[T],
        targets: BinaryTargets<'_, T>,
        mut losses: Option<&mut [T]>,
        grad: &mut [T],
    ) -> f64 {
        let loss = self.0.at(Level::portable());
        let denominator = loss.denominator(logits.len());
        let times = if losses.is_none() { 1.0 / denominator } else { 1.0 };
        let mut tiles = [(); 6].map(|()| Tile::<f64, TILE>::new());
        let mut room = Tile::<T, TILE>::new();
        let sums = (0..logits.len()).step_by(TILE).map(|start| {
            let part = start..logits.len().min(start + TILE);
            let n = part.len();
            let [x, t, w, p, of_losses, of_grad] = &mut tiles;
            let x = &*in_tile(&logits[part.clone()], x);
            let mut of_tile = BinaryTargets::from(&*in_tile(&targets.targets[part.clone()], t));
            if let Some(weights) = &targets.weights {
                of_tile = of_tile.weighted(Broadcast::from(&*in_tile(weights.beside(part.clone(), room.all()), w)));
            }
            if let Some(weights) = &targets.pos_weights {
                of_tile = of_tile.pos_weighted(Broadcast::from(&*in_tile(weights.beside(part.clone(), room.all()), p)));
            }
            let of_grad = of_grad.of(if grad.is_empty() { 0 } else { n });
            let kept = Losses::OfElements(of_losses.of(n));
            let sum = loss.segment(0..n, x, of_tile, kept, of_grad, times);
            if let Some(losses) = &mut losses {
                narrow(of_losses.of(n), &mut losses[part.clone()], 1);
            }
            narrow(of_grad, grad.get_mut(part).unwrap_or_default(), 1);
            sum
        });
        total_of(sums) / denominator
    }
}
