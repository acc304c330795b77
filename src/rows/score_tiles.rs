//! Tiles of rows: elements and gradients are read as floats and made scores, and results are written back.

use core::ops::Range;

use num_traits::Zero;
use num_traits::float::FloatCore;

use super::affine::{Affine, Apply};
use super::formula::{PARTED, Rows, Slices};
use super::layout::{Layout, transpose};
use super::limits::{Best, in_range, magnitude, shift_all};
use super::reduce::{DEPTH, LANES};
use super::side::transpose_floats;
use super::terms::{OfSink, Stage, Terms};
use crate::activation::Activation;
use crate::functions::tanh::Tanh;
use crate::kernel::element::{Element, Float};
use crate::kernel::level::Level;
use crate::kernel::tiles::Tile;
use crate::pass::Pass;

/// Which elements are in a tile. It has the elements at `places`, of the rows in `lanes`, in each of `blocks`.
#[derive(Clone)]
pub(super) struct Part {
    pub(super) blocks: Range<usize>,
    pub(super) lanes: Range<usize>,
    pub(super) places: Range<usize>,
    /// Whether a row's sink follows its elements.
    pub(super) sink: bool,
}

impl Part {
    /// How many numbers of each row the tile has.
    fn row_len(&self) -> usize {
        self.places.len() + usize::from(self.sink)
    }

    fn block_len(&self) -> usize {
        self.lanes.len() * self.row_len()
    }

    fn len(&self) -> usize {
        self.blocks.len() * self.block_len()
    }

    /// A part of each row. The cells are its elements, and its sink is the last one.
    fn of_rows(&self, cells: Range<usize>) -> Self {
        let Range { start, end } = self.places;
        Self {
            places: (start + cells.start).min(end)..(start + cells.end).min(end),
            sink: self.sink && cells.end == self.row_len(),
            ..self.clone()
        }
    }

    /// Cuts rows into parts that fit into a tile of `n` elements. The parts begin at whole blocks of columns, so that the order of
    /// the sums is the same as without parts.
    fn parts(&self, n: usize, cells: Range<usize>) -> impl Iterator<Item = Self> {
        const BLOCK: usize = DEPTH * LANES;
        let (step, end) = ((n / self.lanes.len() / BLOCK).max(1) * BLOCK, cells.end);
        cells.step_by(step).map(move |start| self.of_rows(start..end.min(start + step)))
    }

    /// Calls `f` with the number of each row, and where its numbers begin in the tile.
    fn each_row(&self, inner: usize, f: &mut dyn FnMut(usize, usize)) {
        for (i, block) in self.blocks.clone().enumerate() {
            for (k, lane) in self.lanes.clone().enumerate() {
                f(block * inner + lane, i * self.block_len() + k * self.row_len());
            }
        }
    }
}

/// Room for the tiles. All else is compiled once for all sizes.
pub(super) struct Room<F, const N: usize> {
    x: Tile<F, N>,
    grad_y: Option<Tile<F, N>>,
    bias: Option<Tile<F, N>>,
    keep: Option<[bool; N]>,
    slopes: Option<Tile<F, N>>,
}

impl<F: Float, const N: usize> Room<F, N> {
    pub(super) fn new<T: Element>(terms: &Terms<'_, T>, stage: Stage, gradients: bool) -> Self {
        Self {
            x: Tile::new(),
            grad_y: gradients.then(Tile::new),
            bias: terms.bias.map(|_| Tile::new()),
            keep: terms.hide().then_some([true; N]),
            slopes: (terms.cap.is_some() && stage == Stage::Slope).then(Tile::new),
        }
    }

    /// The tiles in it, of rows of so many elements.
    pub(super) fn tiles<'a, T: Element<Float = F>>(
        &'a mut self,
        level: Level,
        layout: Layout,
        row_len: usize,
        terms: Terms<'a, T>,
    ) -> Tiles<'a, T> {
        let Self { x, grad_y, bias, keep, slopes } = self;
        let [grad_y, bias, slopes] = [grad_y, bias, slopes].map(|tile| tile.as_mut().map(|tile| &mut tile.all()[..]));
        let keep = keep.as_mut().map(|keep| &mut keep[..]);
        Tiles { row_len, inner: layout.inner(), level, terms, x: x.all(), grad_y, bias, keep, slopes, shift: None }
    }
}

/// The tiles of some rows.
pub(super) struct Tiles<'a, T: Element> {
    row_len: usize,
    inner: usize,
    level: Level,
    terms: Terms<'a, T>,
    x: &'a mut [T::Float],
    grad_y: Option<&'a mut [T::Float]>,
    bias: Option<&'a mut [T::Float]>,
    keep: Option<&'a mut [bool]>,
    /// The derivatives of capped scores.
    slopes: Option<&'a mut [T::Float]>,
    /// The shifts of rows that have several parts; `None` if each row in the tile is whole.
    shift: Option<[Option<T::Float>; PARTED]>,
}

impl<'a, T: Element> Tiles<'a, T> {
    /// The elements that there is room for.
    pub(super) fn room(&self) -> usize {
        self.x.len()
    }

    /// Copies the part of a block to rows of floats.
    fn gather(level: Level, inner: usize, part: &Part, block: &[T], rows: &mut [T::Float]) {
        let (n, lanes) = (part.places.len(), part.lanes.len());
        if n == 0 {
            return;
        }
        if inner == 1 {
            T::widen(level, &block[part.places.clone()], &mut rows[..n]);
            return;
        }
        let (from, size) = (&block[part.places.start * inner + part.lanes.start..], (n, lanes));
        if T::IS_FLOAT {
            T::as_floats(level, [from], [], false, |[from], []| {
                transpose_floats(level, from, inner, rows, part.row_len(), size);
            });
        } else {
            transpose(from, inner, rows, part.row_len(), size, T::widened);
        }
    }

    /// Fills the tiles, and makes the scores.
    pub(super) fn load(&mut self, stage: Stage, part: &Part, x: &[T], grad_y: Option<&[T]>) {
        self.gather_all(part, x, grad_y);
        if stage != Stage::FromOutput && self.terms.change_scores() {
            self.cap(part.len());
            self.shift(part);
            let len = part.len();
            let scale = in_range::<T::Float>(self.terms.last_scale());
            let bias = self.bias.as_ref().map(|bias| &bias[..len]);
            let keep = self.keep.as_ref().map(|keep| &keep[..len]);
            let masked = FloatCore::neg_infinity();
            let affine = Affine { scale, factor: None, bias, keep, masked, y: &mut self.x[..len] };
            T::Float::run(&Apply, self.level, affine);
            self.add_sinks(part);
        }
    }

    fn gather_all(&mut self, part: &Part, x: &[T], grad_y: Option<&[T]>) {
        let Self { row_len, inner, level, terms, .. } = *self;
        let (unit, len) = (row_len * inner, part.block_len());
        for (i, block) in part.blocks.clone().enumerate() {
            let (here, data) = (i * len..(i + 1) * len, block * unit..(block + 1) * unit);
            Self::gather(level, inner, part, &x[data.clone()], &mut self.x[here.clone()]);
            if let (Some(tile), Some(grad_y)) = (&mut self.grad_y, grad_y) {
                Self::gather(level, inner, part, &grad_y[data], &mut tile[here.clone()]);
            }
            if let (Some(tile), Some(bias)) = (&mut self.bias, terms.bias) {
                Self::gather(level, inner, part, bias.block(block, unit), &mut tile[here.clone()]);
            }
            if let (Some(tile), Some(keep)) = (&mut self.keep, terms.keep) {
                let (keep, n) = (keep.block(block, unit), part.places.len());
                if inner == 1 {
                    tile[here][..n].copy_from_slice(&keep[part.places.clone()]);
                } else if n > 0 {
                    let from = part.places.start * inner + part.lanes.start;
                    let size = (n, part.lanes.len());
                    transpose(&keep[from..], inner, &mut tile[here], part.row_len(), size, |keep| keep);
                }
            }
        }
        if let (Some(tile), Some(causal)) = (&mut self.keep, terms.causal) {
            let n = part.places.len();
            part.each_row(inner, &mut |row, at| {
                let keep = &mut tile[at..at + n];
                if terms.keep.is_none() {
                    keep.fill(true);
                }
                let (seen, first) = (causal.seen(row, row_len), part.places.start);
                let within = |place: usize| place.saturating_sub(first).min(n);
                keep[..within(seen.start)].fill(false);
                keep[within(seen.end)..].fill(false);
            });
        }
        if part.sink {
            // The sink's cell starts at 0, without a gradient. After a shift it therefore holds minus the shift.
            part.each_row(inner, &mut |_, at| {
                let at = at + part.places.len();
                let others = [&mut self.grad_y, &mut self.bias].into_iter().flatten();
                for tile in core::iter::once(&mut self.x).chain(others) {
                    tile[at] = Zero::zero();
                }
                if let Some(keep) = &mut self.keep {
                    keep[at] = true;
                }
            });
        }
    }

    /// See [`tanh_of`]; the cap then multiplies it.
    fn cap(&mut self, len: usize) {
        let Some(cap) = self.terms.cap else { return };
        let slopes = self.slopes.as_mut().map(|slopes| &mut slopes[..len]);
        tanh_of(self.level, self.terms.scale / cap, &mut self.x[..len], slopes);
    }

    /// Adds each sink to its cell, which holds minus the shift of the row.
    fn add_sinks(&mut self, part: &Part) {
        let (true, Some(sinks)) = (part.sink, self.terms.sink) else { return };
        let inner = self.inner;
        part.each_row(inner, &mut |row, at| {
            let cell = &mut self.x[at + part.places.len()];
            let sink = sinks.block(row / inner, inner)[row % inner].widened();
            let score = sink + *cell;
            *cell = if !sink.is_finite() {
                sink
            } else if score == FloatCore::infinity() {
                // The other elements are negligible beside it. If it were infinite, the row would be NaN.
                FloatCore::max_value()
            } else {
                score
            };
        });
    }

    /// Each row in a tile is whole.
    pub(super) fn shifts_by_row(&mut self) {
        self.shift = None;
    }

    /// Shifts rows whose scores would leave the range of the type.
    fn shift(&mut self, part: &Part) {
        let (n, scale) = (part.places.len(), self.terms.last_scale());
        let shifted = |tile: &mut [T::Float], shift: T::Float| {
            let (elements, sink) = tile.split_at_mut(n);
            shift_all(elements, shift, scale);
            sink.fill(-shift);
        };
        if let Some(shifts) = self.shift {
            // For a part of a row, the shift depends on the other parts too: see `find_shifts`.
            let rows = self.x[..part.len()].chunks_exact_mut(part.row_len());
            for (row, shift) in rows.zip(shifts) {
                if let Some(shift) = shift {
                    shifted(row, shift);
                }
            }
        } else if self.may_leave_range(part) {
            for row in (0..part.len()).step_by(part.row_len()) {
                let best = self.best(row..row + n, Best::new(scale));
                if let Some(shift) = best.shift() {
                    shifted(&mut self.x[row..row + part.row_len()], shift);
                }
            }
        }
    }

    /// Whether a score may be infinite though its element is not.
    fn may_leave_range(&mut self, part: &Part) -> bool {
        let (level, scale, len) = (self.level, self.terms.last_scale().abs(), part.len());
        if scale <= 1.0 && self.bias.is_none() {
            return false;
        }
        let bias: f64 = self.bias.as_ref().map_or(0.0, |bias| magnitude(level, &bias[..len]).into());
        let x: f64 = magnitude(level, &self.x[..len]).into();
        let most: f64 = T::Float::max_value().into();
        x * scale + bias >= most * 0.5
    }

    fn best(&mut self, range: Range<usize>, mut best: Best<T::Float>) -> Best<T::Float> {
        let bias = self.bias.as_ref().map(|bias| &bias[range.clone()]);
        let keep = self.keep.as_ref().map(|keep| &keep[range.clone()]);
        best.take(&self.x[range], bias, keep);
        best
    }

    /// The shifts of rows of several parts.
    fn find_shifts(&mut self, rows: &Part, x: &[T]) {
        self.shift = Some([None; PARTED]);
        let scale = self.terms.last_scale();
        if scale.abs() <= 1.0 && self.bias.is_none() {
            return;
        }
        let (mut may, mut best) = (false, [Best::new(scale); PARTED]);
        for part in rows.parts(self.x.len(), 0..rows.row_len()) {
            self.gather_all(&part, x, None);
            self.cap(part.len());
            may |= self.may_leave_range(&part);
            for (row, best) in (0..part.len()).step_by(part.row_len()).zip(&mut best) {
                *best = self.best(row..row + part.places.len(), *best);
            }
        }
        if may {
            self.shift = Some(best.map(|best| best.shift()));
        }
    }

    /// Runs the formula over rows of several parts. Empty rows get zeros, if `empty_rows_are_zeros` is set.
    pub(super) fn run_parts(
        &mut self,
        stage: Stage,
        rows: &Part,
        x: Option<&[T]>,
        grad_y: Option<&[T]>,
        y: &mut [T],
        of_sink: OfSink<'_, T::Float>,
        formula: &mut dyn FnMut(Rows<'_, T::Float>),
    ) {
        if stage != Stage::FromOutput {
            self.find_shifts(rows, x.unwrap_or(y));
        }
        let mut empty = [false; PARTED];
        if self.terms.empty_rows_are_zeros {
            empty = self.are_empty(stage, rows, x.unwrap_or(y));
        }
        let (row_len, inner, first) = (rows.row_len(), self.inner, rows.lanes.start);
        // The gradient of an empty row's sink is 0.
        let mut of_sink = |row: usize, gradient| {
            of_sink(row, if empty[row % inner - first] { Zero::zero() } else { gradient });
        };
        formula(Rows::Parts {
            rows: rows.lanes.len(),
            row_len,
            part: &mut |range, written, f| {
                for part in rows.parts(self.x.len(), range) {
                    self.load(stage, &part, x.unwrap_or(y), grad_y);
                    let mut slices = self.slices(&part);
                    for row in 0..part.lanes.len() {
                        f(row, slices.part(row * part.row_len()..(row + 1) * part.row_len()));
                    }
                    if written {
                        self.spread(stage, &part, y, &mut of_sink);
                    }
                }
            },
        });
        for (lane, _) in rows.lanes.clone().zip(empty).filter(|(_, empty)| *empty) {
            let start = rows.blocks.start * self.row_len * self.inner + lane;
            for place in 0..self.row_len {
                y[start + place * self.inner] = T::zero();
            }
        }
    }

    pub(super) fn slices(&mut self, part: &Part) -> Slices<'_, T::Float> {
        let len = part.len();
        Slices {
            row_len: part.row_len(),
            x: None,
            grad_y: self.grad_y.as_ref().map(|tile| &tile[..len]),
            y: &mut self.x[..len],
        }
    }

    /// Runs the formula over whole rows. Empty rows get zeros, if `empty_rows_are_zeros` is set.
    pub(super) fn run_rows(&mut self, stage: Stage, part: &Part, formula: &mut dyn FnMut(Rows<'_, T::Float>)) {
        let (row_len, len, zeros) = (part.row_len(), part.len(), self.terms.empty_rows_are_zeros);
        let mut slices = self.slices(part);
        let mut start = 0;
        if zeros {
            for row in (0..len).step_by(row_len) {
                if slices.y[row..row + row_len].iter().all(|&score| score == empty(stage)) {
                    formula(Rows::Slices(slices.part(start..row)));
                    slices.y[row..row + row_len].fill(Zero::zero());
                    start = row + row_len;
                }
            }
        }
        formula(Rows::Slices(slices.part(start..len)));
    }

    /// Which rows of several parts are empty.
    fn are_empty(&mut self, stage: Stage, rows: &Part, x: &[T]) -> [bool; PARTED] {
        let mut are_empty = [true; PARTED];
        for part in rows.parts(self.x.len(), 0..rows.row_len()) {
            self.load(stage, &part, x, None);
            for (row, is_empty) in self.x[..part.len()].chunks_exact(part.row_len()).zip(&mut are_empty) {
                *is_empty &= row.iter().all(|&score| score == empty(stage));
            }
        }
        are_empty
    }

    /// Writes the results. Gradients are multiplied by the scale first.
    pub(super) fn spread(&mut self, stage: Stage, part: &Part, y: &mut [T], of_sink: OfSink<'_, T::Float>) {
        if y.is_empty() {
            return;
        }
        let len = part.len();
        if part.sink {
            part.each_row(self.inner, &mut |row, at| of_sink(row, self.x[at + part.places.len()]));
        }
        if stage != Stage::Value && (self.terms.scale != 1.0 || self.keep.is_some() || self.slopes.is_some()) {
            let scale = in_range::<T::Float>(self.terms.scale);
            let factor = self.slopes.as_ref().map(|slopes| &slopes[..len]);
            let keep = self.keep.as_ref().map(|keep| &keep[..len]);
            let affine = Affine { scale, factor, bias: None, keep, masked: Zero::zero(), y: &mut self.x[..len] };
            T::Float::run(&Apply, self.level, affine);
        }
        self.write(part, y);
    }

    /// Fills the hidden places that were not computed with the result of a hidden place that was.
    pub(super) fn fill_hidden(&self, rows: Range<usize>, y: &mut [T]) {
        let (Some(causal), 1) = (self.terms.causal, self.inner) else { return };
        for row in rows {
            let computed = self.terms.computed(row, self.row_len, 1);
            if let Some(hidden) = causal.hidden(row, self.row_len) {
                let y = &mut y[row * self.row_len..(row + 1) * self.row_len];
                let result = y[hidden];
                y[..computed.start].fill(result);
                y[computed.end..].fill(result);
            }
        }
    }

    fn write(&mut self, part: &Part, y: &mut [T]) {
        let (unit, len, inner, n) = (self.row_len * self.inner, part.block_len(), self.inner, part.places.len());
        if n == 0 {
            return;
        }
        for (rows, block) in self.x[..part.len()].chunks_exact(len).zip(part.blocks.clone()) {
            let y = &mut y[block * unit..(block + 1) * unit];
            if inner == 1 {
                T::narrow(self.level, &rows[..n], &mut y[part.places.clone()]);
                continue;
            }
            let to = &mut y[part.places.start * inner + part.lanes.start..];
            let size = (part.lanes.len(), n);
            if T::IS_FLOAT {
                T::as_floats(self.level, [], [to], false, |[], [to]| {
                    transpose_floats(self.level, rows, part.row_len(), to, inner, size);
                });
            } else {
                transpose(rows, part.row_len(), to, inner, size, T::rounded);
            }
        }
    }
}

/// Makes tanh(x scale) of x, and derivatives with respect to what tanh is of.
pub(crate) fn tanh_of<F: Float>(level: Level, scale: f64, x: &mut [F], slopes: Option<&mut [F]>) {
    let masked = Zero::zero();
    let affine = Affine { scale: in_range::<F>(scale), factor: None, bias: None, keep: None, masked, y: &mut *x };
    F::run(&Apply, level, affine);
    if let Some(dydx) = slopes {
        Tanh.run(level, Pass::Derivative { x, dydx });
    }
    Tanh.run(level, Pass::ForwardInPlace { x });
}

/// The number that fills an empty row: -inf for scores, 0 for outputs that the forward pass has set to zeros. No other row of
/// probabilities or of their logarithms is zeros, except a row of one logarithm, whose gradient is zero anyway.
fn empty<F: Float>(stage: Stage) -> F {
    if stage == Stage::FromOutput { F::zero() } else { F::neg_infinity() }
}
