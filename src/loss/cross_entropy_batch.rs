//! A batch for a cross-entropy: how rows of any element type become floats.

use super::cross_entropy_rows::{Job, Settings, WeightsOf};
use super::targets::{Kind, Targets};
use crate::kernel::element::{Element, Float, Lane, per_element};
use crate::kernel::level::Level;
use crate::kernel::tiles::{TILE, Tile};
use crate::rows::formula::{Rows, Slices};
use crate::rows::gather::{self, ByTiles, Work};
use crate::rows::layout::Layout;
use crate::rows::reduce::{CHUNK, LANE_CHUNK, Partial};
use crate::rows::stats::SIDE;
use crate::rows::terms::{Stage, Terms};

/// Logits with their targets, and the wanted results.
pub(super) struct Batch<'a, T: Element> {
    pub(super) settings: Settings,
    pub(super) level: Level,
    pub(super) logits: &'a [T],
    pub(super) targets: Targets<'a, T>,
    /// Called with groups of rows: the number of the first row, and their losses.
    pub(super) losses: &'a mut dyn FnMut(usize, &[T::Float]),
    /// Empty if the gradient is not wanted.
    pub(super) grad: &'a mut [T],
    /// By which gradients are multiplied.
    pub(super) times: T::Float,
    /// Receives the sum of the losses.
    pub(super) total: &'a mut f64,
}

/// The losses of a batch.
pub(super) struct BatchLoss;

per_element!(BatchLoss: Args<'a, T> = Batch<'a, T>, losses_of);

fn losses_of<T: Element>(_: &BatchLoss, batch: Batch<'_, T>) {
    let Batch { settings, level, logits, targets, losses, grad, times, total } = batch;
    let layout = settings.layout;
    let row_len = layout.row_len(logits.len());
    let (t, classes) = match targets.kind {
        Kind::Classes(classes) => (None, Some(classes)),
        Kind::Distributions(t) => (Some(t), None),
    };
    let class_weights = targets.weights.unwrap_or(&[]);
    let weights = |classes: core::ops::Range<usize>, to: &mut [T::Float]| T::widen(level, &class_weights[classes], to);
    let weights: Option<&WeightsOf<'_, T::Float>> = if targets.weights.is_some() { Some(&weights) } else { None };
    let mut job = settings.job(level, row_len, (classes, weights), times, losses);
    if layout.inner() > 1 || settings.soft_cap.is_some() {
        let terms = Terms { cap: settings.soft_cap, ..Terms::scaled(1.0) };
        by_tiles(&mut job, layout, terms, logits, t, grad);
    } else if row_len > LANE_CHUNK || row_len > CHUNK && (!T::IS_FLOAT || job.has_weights()) {
        long_rows(&mut job, logits, t, grad);
    } else {
        short_rows(&mut job, logits, t, grad);
    }
    *total = total_of::<T>(job.sum);
}

/// A sum of losses as one number.
pub(super) fn total_of<T: Element>((hi, lo): Partial<Plain<T>>) -> f64 {
    let (hi, lo) = (hi.wide(), lo.wide());
    // The rounding error of infinite losses is NaN.
    if lo.is_nan() { hi } else { hi + lo }
}

pub(super) type Plain<T> = <<T as Element>::Float as Float>::Plain;

/// Rows of up to [`CHUNK`] logits, or without weights of up to [`LANE_CHUNK`].
fn short_rows<T: Element>(job: &mut Job<'_, T::Float>, logits: &[T], t: Option<&[T]>, grad: &mut [T]) {
    let row_len = job.row_len;
    // Rows that must be converted fill one tile.
    let together = if T::IS_FLOAT { logits.len() / row_len } else { (TILE / row_len).min(SIDE) }.max(1);
    for (number, x) in logits.chunks(together * row_len).enumerate() {
        let at = number * together;
        let range = at * row_len..at * row_len + x.len();
        let grad = grad.get_mut(range.clone()).unwrap_or_default();
        T::as_floats(job.level, [x, t.map_or(&[], |t| &t[range])], [grad], false, |[x, of_row], [grad]| {
            let grad = if grad.is_empty() { None } else { Some(grad) };
            job.short_rows(at, x, t.map(|_| of_row), grad);
        });
    }
}

/// Longer ones.
fn long_rows<T: Element>(job: &mut Job<'_, T::Float>, logits: &[T], t: Option<&[T]>, grad: &mut [T]) {
    let (level, row_len, gradient) = (job.level, job.row_len, !grad.is_empty());
    for (at, x) in logits.chunks_exact(row_len).enumerate() {
        let row = at * row_len..(at + 1) * row_len;
        let (t, grad) = (t.map(|t| &t[row.clone()]), grad.get_mut(row).unwrap_or_default());
        job.long_row(at, gradient, T::IS_FLOAT, &mut |range, written, f| {
            let inputs = [&x[range.clone()], t.map_or(&[], |t| &t[range.clone()])];
            // If the tile is not read again, it need not be rounded to halves.
            let grad = if written || T::IS_FLOAT { grad.get_mut(range).unwrap_or_default() } else { &mut [] };
            T::as_floats(level, inputs, [grad], false, |[x, of_row], [y]| {
                f(0, Slices { row_len: x.len(), x: Some(x), grad_y: t.map(|_| of_row), y });
            });
        });
    }
}

/// Rows whose elements are apart, or capped.
fn by_tiles<T: Element>(
    job: &mut Job<'_, T::Float>,
    layout: Layout,
    terms: Terms<'_, T>,
    logits: &[T],
    t: Option<&[T]>,
    grad: &mut [T],
) {
    let (level, row_len, gradient) = (job.level, job.row_len, !grad.is_empty());
    let (mut at, mut logits_of_rows) = (0, Tile::<T::Float, { gather::TILE }>::new());
    let mut formula = |rows: Rows<'_, T::Float>| match rows {
        Rows::Slices(mut slices) if row_len > CHUNK => {
            for start in (0..slices.y.len()).step_by(row_len) {
                let mut row = slices.part(start..start + row_len);
                job.long_row(at, gradient, false, &mut |range, _, f| f(0, row.part(range)));
                at += 1;
            }
        }
        Rows::Slices(Slices { grad_y, y, .. }) => {
            let count = y.len() / row_len;
            if gradient {
                // The gradient overwrites the tile, so the logits are read again for it.
                let x = logits_of_rows.of(y.len());
                x.copy_from_slice(y);
                job.short_rows(at, x, grad_y, Some(y));
            } else {
                job.short_rows(at, y, grad_y, None);
            }
            at += count;
        }
        Rows::Parts { part, .. } => {
            job.long_row(at, gradient, false, part);
            at += 1;
        }
    };
    let stage = if gradient { Stage::Slope } else { Stage::Value };
    let work = Work {
        level,
        layout,
        terms,
        stage,
        x: Some(logits),
        grad_y: t,
        y: grad,
        of_sink: &mut |_, _| {},
        parted: 1,
        formula: &mut formula,
    };
    T::call(&ByTiles, work);
}
