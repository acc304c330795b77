//! How a cross-entropy is computed: first the sums of some rows, then their losses, then their gradients. All are floats. Halves, and
//! rows along another axis, have been copied to tiles of floats.

use core::ops::Range;

use super::cross_entropy_tasks::{Adjust, ColumnGradients, Gradients, Losses, Rows, Target, Total, Weigh, Weights};
use super::targets::Classes;
use crate::kernel::dispatch::dispatch;
use crate::kernel::element::{Float, Lane};
use crate::kernel::level::Level;
use crate::kernel::real::Real;
use crate::kernel::tiles::{TILE, Tile};
use crate::rows::formula::{OfPart, Slices};
use crate::rows::layout::Layout;
use crate::rows::reduce::{LaneSums, Partial, add};
use crate::rows::rest::{Group, keep_exponentials, rest_by_parts, rest_of_groups};
use crate::rows::side::from_columns;
use crate::rows::stats::{GROUP, SIDE, Stats};
use crate::rows::sums::{Merge, chunks, parts};

/// Calls a function with a part of a row, as floats: see [`long`](crate::rows::engine::long). The logits are in `y` if there is
/// no `x`, distributions in `grad_y`.
pub(super) type Parts<'f, T> = dyn FnMut(Range<usize>, bool, OfPart<'_, T>) + 'f;

/// Writes the weights of some classes.
pub(super) type WeightsOf<'a, T> = dyn Fn(Range<usize>, &mut [T]) + 'a;

/// The settings of a loss.
#[derive(Clone, Copy)]
pub(super) struct Settings {
    pub(super) layout: Layout,
    pub(super) label_smoothing: f64,
    pub(super) ignore_index: i64,
    pub(super) gamma: f64,
    pub(super) z_loss: f64,
    pub(super) soft_cap: Option<f64>,
}

impl Settings {
    /// A batch of rows of this length, whose gradients are multiplied by `times`.
    pub(super) fn job<'a, T: Float>(
        &self,
        level: Level,
        row_len: usize,
        (classes, weights): (Option<Classes<'a>>, Option<&'a WeightsOf<'a, T>>),
        times: T,
        losses: &'a mut dyn FnMut(usize, &[T]),
    ) -> Job<'a, T> {
        let zero = T::Plain::of(0.0);
        Job {
            level,
            row_len,
            classes,
            ignore_index: self.ignore_index,
            keep: T::Plain::of(1.0 - self.label_smoothing).store(),
            spread: Float::of(self.label_smoothing / row_len as f64),
            weights,
            gamma: Float::of(self.gamma),
            z_loss: Float::of(self.z_loss),
            times,
            losses,
            sum: (zero, zero),
        }
    }
}

/// The settings that all rows of a batch share, and the losses so far.
pub(super) struct Job<'a, T: Float> {
    pub(super) level: Level,
    pub(super) row_len: usize,
    /// The classes of the rows; `None` if they have distributions.
    pub(super) classes: Option<Classes<'a>>,
    pub(super) ignore_index: i64,
    /// The part of a target that is not spread: see [`Weights`].
    pub(super) keep: T,
    /// The part that each class gets.
    pub(super) spread: T,
    /// `None` if the classes have no weights.
    pub(super) weights: Option<&'a WeightsOf<'a, T>>,
    /// The exponent of a focal loss, and the coefficient of a z-loss, or 0 if there is none.
    pub(super) gamma: T,
    pub(super) z_loss: T,
    /// By which gradients are multiplied.
    pub(super) times: T,
    /// Called with groups of rows: the number of the first row, and their losses.
    pub(super) losses: &'a mut dyn FnMut(usize, &[T]),
    /// The sum of the losses.
    pub(super) sum: Partial<T::Plain>,
}

impl<T: Float> Job<'_, T> {
    /// Whether other classes than the row's own have weights.
    fn is_weighted(&self) -> bool {
        self.classes.is_none() || self.spread != T::zero()
    }

    /// Whether the numbers of any class are weighted.
    pub(super) fn has_weights(&self) -> bool {
        self.is_weighted() || self.weights.is_some()
    }

    fn is_focal(&self) -> bool {
        self.gamma > T::zero()
    }

    /// The targets of `count` rows, from row `at` on.
    fn targets(&self, at: usize, count: usize) -> Rows<T> {
        let mut rows = Rows::new();
        let Some(classes) = self.classes else {
            rows.kind[..count].fill(Target::Distribution);
            return rows;
        };
        let mut numbers = [0; SIDE];
        classes.copy_to(at, &mut numbers[..count]);
        for (row, &class) in numbers[..count].iter().enumerate() {
            if class != self.ignore_index {
                let class = class as usize;
                rows.kind[row] = Target::Class(class);
                rows.own[row] = self.weights.map_or(self.keep, |weights| {
                    let mut weight = [T::zero()];
                    weights(class..class + 1, &mut weight);
                    (T::Plain::load(weight[0]) * T::Plain::load(self.keep)).store()
                });
            }
        }
        rows
    }

    fn weights_of<'w>(&self, t: Option<&'w [T]>, w: Option<&'w [T]>) -> Weights<'w, T> {
        Weights { t, w, a: self.keep, b: self.spread }
    }

    /// Computes the losses of some rows, from row `at` on, whose sums are known.
    fn take_losses(&mut self, at: usize, count: usize, stats: &Stats<T>, rows: &mut Rows<T>) {
        let (level, z_loss, weighted) = (self.level, self.z_loss, self.is_weighted());
        let weights = rows.own;
        if self.is_focal() {
            for own in &mut rows.own {
                *own = T::one();
            }
        }
        dispatch(level, Losses { stats, rows, count, weighted });
        if self.is_focal() || z_loss > T::zero() {
            let focal = if self.is_focal() { Some((self.gamma, &weights)) } else { None };
            dispatch(level, Adjust { stats, rows, focal, z_loss });
        }
        for &loss in &rows.loss[..count] {
            self.sum = add(self.sum, Lane::load(loss));
        }
        (self.losses)(at, &rows.loss[..count]);
    }

    /// Processes rows of up to [`CHUNK`](crate::rows::reduce::CHUNK) logits, or without weights up to
    /// [`LANE_CHUNK`](crate::rows::reduce::LANE_CHUNK), from row `at` on, with their distributions and, if wanted, their gradient.
    pub(super) fn short_rows(&mut self, at: usize, x: &[T], t: Option<&[T]>, grad: Option<&mut [T]>) {
        let (level, row_len, weighted, times) = (self.level, self.row_len, self.is_weighted(), self.times);
        let mut tile = self.weights.map(|_| Tile::<T, TILE>::new());
        if let (Some(weights), Some(tile)) = (self.weights, &mut tile) {
            weights(0..row_len, tile.of(row_len));
        }
        let w = tile.as_mut().map(|tile| &*tile.of(row_len));
        rest_of_groups(level, x, row_len, grad, !weighted, &mut |group| {
            let Group { at: first, x, e, columns, stats } = group;
            let count = x.len() / row_len;
            let mut rows = self.targets(at + first, count);
            let weights = self.weights_of(t.map(|t| &t[first * row_len..]), w);
            if weighted {
                let x = &x[..count * row_len];
                let (mut weight, mut distance) = ([LaneSums::of_anything(); GROUP], [LaneSums::of_anything(); GROUP]);
                let sums = [&mut weight[..], &mut distance[..]];
                dispatch(level, Weigh { x, row_len, weights, stats, sums });
                dispatch(level, Total { weight: &weight, distance: &distance, rows: &mut rows });
            }
            for row in 0..count {
                rows.take_class(row, |class| x[row * row_len + class]);
            }
            self.take_losses(at + first, count, stats, &mut rows);
            let Some(e) = e else { return };
            if let Some(columns) = columns {
                dispatch(level, ColumnGradients { stats, rows: &mut rows, times, columns: &mut *columns });
                from_columns(level, &columns[..row_len], e);
                rows.write_class_gradients(row_len, e);
            } else {
                dispatch(level, Gradients { stats, rows: &mut rows, weighted, weights, place: 0, times, row_len, e });
            }
        });
    }

    /// Processes row number `at`, of any length. `keeps` says whether the outputs keep what is written to them.
    pub(super) fn long_row(&mut self, at: usize, gradient: bool, keeps: bool, part: &mut Parts<'_, T>) {
        let (level, row_len, weighted, times) = (self.level, self.row_len, self.is_weighted(), self.times);
        let mut rows = self.targets(at, 1);
        let stats = rest_by_parts(level, 1, row_len, gradient && keeps, part);
        if weighted {
            self.weigh(&stats, &mut rows, part);
        }
        if let Target::Class(class) = rows.kind[0] {
            part(class..class + 1, false, &mut |_, slices| rows.x[0] = slices.x()[0]);
        }
        self.take_losses(at, 1, &stats, &mut rows);
        if !gradient {
            return;
        }
        let mut place = 0;
        for range in chunks(row_len).flat_map(parts) {
            self.weighed(range, true, part, &mut |mut slices, weights| {
                if !keeps {
                    keep_exponentials(level, &mut slices, &stats);
                }
                let (rows, row_len, e) = (&mut rows, slices.y.len(), slices.y);
                dispatch(level, Gradients { stats: &stats, rows, weighted, weights, place, times, row_len, e });
                place += row_len;
            });
        }
    }

    /// Sums of the weights and the distances of a row of any length.
    fn weigh(&self, stats: &Stats<T>, rows: &mut Rows<T>, part: &mut Parts<'_, T>) {
        let (mut all_weights, mut all_distances) = ([LaneSums::of_anything(); GROUP], [LaneSums::of_anything(); GROUP]);
        for chunk in chunks(self.row_len).rev() {
            let (mut weight, mut distance) = ([LaneSums::of_anything()], [LaneSums::of_anything()]);
            for range in parts(chunk) {
                self.weighed(range, false, part, &mut |slices, weights| {
                    let (x, sums) = (slices.x(), [&mut weight[..], &mut distance[..]]);
                    dispatch(self.level, Weigh { x, row_len: x.len(), weights, stats, sums });
                });
            }
            let (first, second) = (&weight[0], &distance[0]);
            let (firsts, seconds) = (&mut all_weights[0], &mut all_distances[0]);
            dispatch(self.level, Merge { exponentials: false, first, second, firsts, seconds });
        }
        dispatch(self.level, Total { weight: &all_weights, distance: &all_distances, rows });
    }

    /// Calls `f` with parts of a row and their weights. The weights of a part's classes fit into a tile.
    fn weighed(
        &self,
        range: Range<usize>,
        written: bool,
        part: &mut Parts<'_, T>,
        f: &mut dyn FnMut(Slices<'_, T>, Weights<'_, T>),
    ) {
        let Some(weights) = self.weights else {
            return part(range, written, &mut |_, slices| {
                let weights = self.weights_of(slices.grad_y, None);
                f(slices, weights);
            });
        };
        let (mut tile, mut place) = (Tile::<T, TILE>::new(), range.start);
        part(range, written, &mut |_, slices| {
            let (len, mut y) = (slices.x().len(), slices.y);
            for start in (0..len).step_by(TILE) {
                let piece = start..len.min(start + TILE);
                let w = tile.of(piece.len());
                weights(place..place + piece.len(), w);
                place += piece.len();
                let (first, rest) = y.split_at_mut(piece.len().min(y.len()));
                y = rest;
                let grad_y = slices.grad_y.map(|t| &t[piece.clone()]);
                let x = slices.x.map(|x| &x[piece]);
                f(Slices { row_len: first.len(), x, grad_y, y: first }, self.weights_of(grad_y, Some(w)));
            }
        });
    }
}
