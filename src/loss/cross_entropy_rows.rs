//! How a cross-entropy is computed: what is known of some rows, their losses, then their gradients.

use super::cross_entropy_tasks::{ColumnGradients, Gradients, Losses, Rows, Target, Total, Weigh, Weights, weigh_long};
use super::targets::Kind;
use super::targets::Targets;
use crate::kernel::dispatch::dispatch;
use crate::kernel::element::{Element, Float, Lane, per_element};
use crate::kernel::level::Level;
use crate::kernel::real::Real;
use crate::kernel::tiles::TILE;
use crate::rows::reduce::{CHUNK, LaneSums, add};
use crate::rows::rest::{Group, add_up, rest_of_groups, rest_of_row};
use crate::rows::side::from_columns;
use crate::rows::stats::{GROUP, PerRow, SIDE};
use crate::rows::sums::{chunks, parts};

/// Logits with their targets, and what is asked for.
pub(super) struct Batch<'a, T: Element> {
    pub(super) row_len: usize,
    pub(super) label_smoothing: f64,
    pub(super) ignore_index: i64,
    pub(super) level: Level,
    pub(super) logits: &'a [T],
    pub(super) targets: Targets<'a, T>,
    /// Is called with the number of the first of some rows, and with their losses.
    pub(super) losses: &'a mut dyn FnMut(usize, &[T::Float]),
    pub(super) grad: Option<&'a mut [T]>,
    /// By which gradients are multiplied.
    pub(super) times: T::Float,
    /// Receives the sum of the losses.
    pub(super) total: &'a mut f64,
}

/// The losses of a batch.
pub(super) struct BatchLoss;

per_element!(BatchLoss: Args<'a, T> = Batch<'a, T>, losses_of);

fn losses_of<T: Element>(_: &BatchLoss, batch: Batch<'_, T>) {
    let Batch { row_len, label_smoothing, ignore_index, level, logits, targets, losses, mut grad, times, total } =
        batch;
    let keep = <Plain<T> as Real>::of(1.0 - label_smoothing);
    let (t, classes) = match targets.kind {
        Kind::Classes(classes) => (None, Some(classes)),
        Kind::Distributions(t) => (Some(t), None),
    };
    let spread = label_smoothing / row_len as f64;
    let weights = Weights { t, w: targets.weights, a: keep.store(), b: Float::of(spread) };
    let weighted = label_smoothing != 0.0 || t.is_some();
    // Looks up the targets of `count` rows, from row `at` on.
    let targets_of = |at: usize, count: usize| {
        let mut rows = Rows::new();
        let mut numbers = [0; SIDE];
        if let Some(classes) = classes {
            classes.copy_to(at, &mut numbers[..count]);
        }
        for (row, &class) in numbers[..count].iter().enumerate() {
            if classes.is_none() {
                rows.kind[row] = Target::Distribution;
            } else if class != ignore_index {
                let class = class as usize;
                rows.kind[row] = Target::Class(class);
                rows.own[row] = match targets.weights {
                    None => keep.store(),
                    Some(w) => (<Plain<T> as Lane<T::Float>>::load(w[class].widened()) * keep).store(),
                };
            }
        }
        rows
    };
    let mut sum = Sum::<T>::nothing();
    let mut count_up = |at: usize, count: usize, of_rows: &PerRow<T::Float>| {
        sum.add(&of_rows[..count]);
        losses(at, &of_rows[..count]);
    };

    if row_len > CHUNK {
        for (at, x) in logits.chunks_exact(row_len).enumerate() {
            let mut grad = grad.as_deref_mut().map(|grad| &mut grad[at * row_len..][..row_len]);
            let mut rows = targets_of(at, 1);
            let stats = rest_of_row(level, x, grad.as_deref_mut());
            if weighted {
                weigh_long(level, weights.of_rows(at, row_len), x, &stats, &mut rows);
            }
            rows.take_class(0, |class| x[class].widened());
            dispatch(level, Losses { stats: &stats, rows: &mut rows, count: 1, weighted });
            count_up(at, 1, &rows.loss);
            let Some(grad) = grad else { continue };
            for range in chunks(row_len).flat_map(parts) {
                let (mut place, stats) = (range.start, &stats);
                let mut finish = |e: &mut [T::Float]| {
                    let (row_len, weights) = (e.len(), weights.of_rows(at, row_len));
                    dispatch(level, Gradients { stats, rows: &mut rows, weighted, weights, place, times, row_len, e });
                    place += row_len;
                };
                if T::IS_FLOAT {
                    T::as_floats(level, [], [&mut grad[range]], true, |[], [e]| finish(e));
                } else {
                    // Halves did not keep the exponentials.
                    T::as_floats(level, [&x[range.clone()]], [&mut grad[range]], false, |[x], [e]| {
                        let (mut first, mut second) = (LaneSums::of_exponentials(), LaneSums::of_anything());
                        add_up(level, x, Some(&mut *e), stats, &mut first, &mut second);
                        finish(e);
                    });
                }
            }
        }
    } else {
        // As many rows as are one tile, if they are converted.
        let together = if T::IS_FLOAT { logits.len() / row_len } else { (TILE / row_len).min(SIDE) }.max(1);
        for (number, x) in logits.chunks(together * row_len).enumerate() {
            let first = number * together;
            let grad = grad.as_deref_mut().map(|grad| &mut grad[first * row_len..][..x.len()]);
            let elements = x;
            let mut of_group = |group: Group<'_, T::Float>| {
                let Group { at, x, e, columns, stats } = group;
                let count = x.len() / row_len;
                let mut rows = targets_of(first + at, count);
                let weights = weights.of_rows(first + at, row_len);
                if weighted {
                    let x = &x[..count * row_len];
                    let (mut weight, mut distance) =
                        ([LaneSums::of_anything(); GROUP], [LaneSums::of_anything(); GROUP]);
                    let sums = [&mut weight[..], &mut distance[..]];
                    dispatch(level, Weigh { x, row_len, weights, place: 0, stats, sums });
                    dispatch(level, Total { weight: &weight, distance: &distance, rows: &mut rows });
                }
                for row in 0..count {
                    rows.take_class(row, |class| x[row * row_len + class]);
                }
                dispatch(level, Losses { stats, rows: &mut rows, count, weighted });
                count_up(first + at, count, &rows.loss);
                if let Some(e) = e {
                    if let Some(columns) = columns {
                        dispatch(level, ColumnGradients { stats, rows: &mut rows, times, columns: &mut *columns });
                        from_columns(level, &columns[..row_len], e);
                        rows.write_class_gradients(row_len, e);
                    } else {
                        dispatch(
                            level,
                            Gradients { stats, rows: &mut rows, weighted, weights, place: 0, times, row_len, e },
                        );
                    }
                }
            };
            match grad {
                None => T::as_floats(level, [elements], [], false, |[x], []| {
                    rest_of_groups(level, x, row_len, None, !weighted, &mut of_group);
                }),
                Some(grad) => T::as_floats(level, [elements], [grad], false, |[x], [grad]| {
                    rest_of_groups(level, x, row_len, Some(grad), !weighted, &mut of_group);
                }),
            }
        }
    }
    *total = sum.total();
}

/// The sum of the losses of rows, one after the other.
pub(super) struct Sum<T: Element>(Plain<T>, Plain<T>);

impl<T: Element> Sum<T> {
    pub(super) fn nothing() -> Self {
        Self(Real::of(0.0), Real::of(0.0))
    }

    pub(super) fn add(&mut self, losses: &[T::Float]) {
        let mut sum = (self.0, self.1);
        for &loss in losses {
            sum = add(sum, Lane::load(loss));
        }
        (self.0, self.1) = sum;
    }

    pub(super) fn total(&self) -> f64 {
        let (hi, lo) = (self.0.wide(), self.1.wide());
        // Of infinite losses, what was lost is NaN.
        if lo.is_nan() { hi } else { hi + lo }
    }
}

type Plain<T> = <<T as Element>::Float as Float>::Plain;
