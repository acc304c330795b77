//! Rows that are not floats as they lie: gathered by tiles as floats, with what is done to scores; then a formula runs, and
//! the results are spread again. So halves, other axes, scales, biases and masks cost no loop of their own.

use core::ops::Range;

use num_traits::Zero;
use num_traits::float::FloatCore;

use super::affine::{Affine, Apply};
use super::broadcast::Broadcast;
use super::formula::{Rows, Slices};
use super::layout::{Layout, transpose};
use super::limits::{Best, in_range, magnitude, shift_all};
use crate::kernel::element::{Element, Float, per_element};
use crate::kernel::level::Level;
use crate::kernel::tiles::Tile;

/// Elements of a tile, of long slices and of short ones: there is less to clear.
pub(crate) const TILE: usize = 1 << 12;
const SHORT_TILE: usize = 1 << 10;

/// What a formula takes and gives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Scores to values.
    Value,
    /// Scores to derivatives or gradients.
    Slope,
    /// Values to gradients.
    FromOutput,
}

/// What is done to the elements of rows before a function takes them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms<'a, T> {
    pub(crate) scale: f64,
    pub(crate) bias: Option<Broadcast<'a, T>>,
    pub(crate) keep: Option<Broadcast<'a, bool>>,
    pub(crate) empty_rows_are_zeros: bool,
}

impl<T> Terms<'_, T> {
    pub(crate) fn scaled(scale: f64) -> Self {
        Self { scale, bias: None, keep: None, empty_rows_are_zeros: false }
    }

    fn change_scores(&self) -> bool {
        self.scale != 1.0 || self.bias.is_some() || self.keep.is_some()
    }

    pub(crate) fn are_nothing(&self) -> bool {
        !self.change_scores() && !self.empty_rows_are_zeros
    }
}

/// A formula that runs over rows as they are in slices of elements.
pub(crate) struct Work<'a, T: Element> {
    pub(crate) level: Level,
    pub(crate) layout: Layout,
    pub(crate) terms: Terms<'a, T>,
    pub(crate) stage: Stage,
    /// `None`: in place.
    pub(crate) x: Option<&'a [T]>,
    pub(crate) grad_y: Option<&'a [T]>,
    /// If there is an `x`, may be empty: then nothing is written.
    pub(crate) y: &'a mut [T],
    pub(crate) formula: &'a mut dyn FnMut(Rows<'_, T::Float>),
}

/// Runs the work by tiles.
pub(crate) struct ByTiles;

per_element!(ByTiles: Args<'a, T> = Work<'a, T>, by_tiles);

fn by_tiles<T: Element>(_: &ByTiles, work: Work<'_, T>) {
    if work.x.map_or(work.y.len(), <[T]>::len) <= SHORT_TILE {
        by_tiles_of::<T, SHORT_TILE>(work);
    } else {
        by_tiles_of::<T, TILE>(work);
    }
}

fn by_tiles_of<T: Element, const N: usize>(work: Work<'_, T>) {
    let Work { level, layout, terms, stage, x, grad_y, y, formula } = work;
    let (len, inner) = (x.map_or(y.len(), <[T]>::len), layout.inner());
    let row_len = layout.row_len(len);
    let unit = row_len * inner;
    let mut tiles = Tiles::<T, N> {
        row_len,
        inner,
        level,
        terms,
        x: Tile::new(),
        grad_y: grad_y.map(|_| Tile::new()),
        bias: terms.bias.map(|_| Tile::new()),
        keep: terms.keep.map(|_| [false; N]),
        shift: None,
    };
    // Blocks, of rows side by side, and rows of a block that a tile has room for.
    let blocks = (N / unit).max(1);
    let width = (N / row_len).clamp(1, inner);
    for first in (0..len / unit).step_by(blocks) {
        for lane in (0..inner).step_by(width) {
            let mut part = Part {
                blocks: first..(len / unit).min(first + blocks),
                lanes: lane..inner.min(lane + width),
                places: 0..row_len,
            };
            if row_len <= N {
                tiles.load(stage, &part, x.unwrap_or(y), grad_y);
                tiles.run_rows(stage, &part, formula);
                tiles.spread(stage, &part, y);
                continue;
            }
            if stage != Stage::FromOutput {
                tiles.find_shift(&mut part, x.unwrap_or(y));
            }
            if terms.empty_rows_are_zeros && tiles.is_empty(stage, &mut part, x.unwrap_or(y)) {
                tiles.fill(&part, y);
                continue;
            }
            formula(Rows::Parts(row_len, &mut |range, written, f| {
                for start in range.clone().step_by(N) {
                    part.places = start..range.end.min(start + N);
                    tiles.load(stage, &part, x.unwrap_or(y), grad_y);
                    f(tiles.slices(&part));
                    if written {
                        tiles.spread(stage, &part, y);
                    }
                }
            }));
        }
    }
}

/// Which elements are in a tile: of these blocks the rows of these lanes, of each row those at these places.
struct Part {
    blocks: Range<usize>,
    lanes: Range<usize>,
    places: Range<usize>,
}

impl Part {
    fn row_len(&self) -> usize {
        self.places.len()
    }

    fn block_len(&self) -> usize {
        self.lanes.len() * self.places.len()
    }

    fn len(&self) -> usize {
        self.blocks.len() * self.block_len()
    }
}

/// The tiles of some rows: of elements, of gradients, and of what is done to them.
struct Tiles<'a, T: Element, const N: usize> {
    row_len: usize,
    inner: usize,
    level: Level,
    terms: Terms<'a, T>,
    x: Tile<T::Float, N>,
    grad_y: Option<Tile<T::Float, N>>,
    bias: Option<Tile<T::Float, N>>,
    keep: Option<[bool; N]>,
    /// What is taken from each element of a row of several parts.
    shift: Option<T::Float>,
}

impl<T: Element, const N: usize> Tiles<'_, T, N> {
    /// The part of a block, from its elements to rows of floats.
    fn gather(level: Level, inner: usize, part: &Part, block: &[T], rows: &mut [T::Float]) {
        if inner == 1 {
            T::widen(level, &block[part.places.clone()], rows);
        } else {
            let (from, size) = (part.places.start * inner + part.lanes.start, (part.row_len(), part.lanes.len()));
            transpose(&block[from..], inner, rows, part.row_len(), size, T::widened);
        }
    }

    /// Fills the tiles, and makes the scores.
    fn load(&mut self, stage: Stage, part: &Part, x: &[T], grad_y: Option<&[T]>) {
        let Self { row_len, inner, level, terms, .. } = *self;
        let (unit, len) = (row_len * inner, part.block_len());
        for (i, block) in part.blocks.clone().enumerate() {
            let (here, data) = (i * len..(i + 1) * len, block * unit..(block + 1) * unit);
            Self::gather(level, inner, part, &x[data.clone()], &mut self.x.of(N)[here.clone()]);
            if let (Some(tile), Some(grad_y)) = (&mut self.grad_y, grad_y) {
                Self::gather(level, inner, part, &grad_y[data], &mut tile.of(N)[here.clone()]);
            }
            if let (Some(tile), Some(bias)) = (&mut self.bias, terms.bias) {
                Self::gather(level, inner, part, bias.block(block, unit), &mut tile.of(N)[here.clone()]);
            }
            if let (Some(tile), Some(keep)) = (&mut self.keep, terms.keep) {
                let (keep, size) = (keep.block(block, unit), (part.row_len(), part.lanes.len()));
                let from = part.places.start * inner + part.lanes.start;
                if inner == 1 {
                    tile[here].copy_from_slice(&keep[part.places.clone()]);
                } else {
                    transpose(&keep[from..], inner, &mut tile[here], part.row_len(), size, |keep| keep);
                }
            }
        }
        if stage != Stage::FromOutput && self.terms.change_scores() {
            self.shift(part);
            let len = part.len();
            let masked = FloatCore::neg_infinity();
            let bias = self.bias.as_mut().map(|bias| &*bias.of(len));
            let keep = self.keep.as_ref().map(|keep| &keep[..len]);
            T::Float::run(
                &Apply,
                level,
                Affine { scale: in_range::<T::Float>(terms.scale), bias, keep, masked, y: self.x.of(len) },
            );
        }
    }

    /// Shifts rows whose scores would leave the range of the type.
    fn shift(&mut self, part: &Part) {
        if part.row_len() < self.row_len {
            // Of a part of a row, the row's other parts decide too: see `find_shift`.
            if let Some(shift) = self.shift {
                shift_all(self.x.of(part.len()), shift, self.terms.scale);
            }
        } else if self.may_leave_range(part) {
            let (row_len, len) = (self.row_len, part.len());
            for row in (0..len).step_by(row_len) {
                let best = self.best(row..row + row_len, Best::new(self.terms.scale));
                if let Some(shift) = best.shift() {
                    shift_all(&mut self.x.of(len)[row..row + row_len], shift, self.terms.scale);
                }
            }
        }
    }

    /// Whether a score may be infinite though its element is not.
    fn may_leave_range(&mut self, part: &Part) -> bool {
        let (level, scale, len) = (self.level, self.terms.scale.abs(), part.len());
        if scale <= 1.0 && self.bias.is_none() {
            return false;
        }
        let bias: f64 = self.bias.as_mut().map_or(0.0, |bias| magnitude(level, bias.of(len)).into());
        let x: f64 = magnitude(level, self.x.of(len)).into();
        let most: f64 = T::Float::max_value().into();
        x * scale + bias >= most * 0.5
    }

    fn best(&mut self, range: Range<usize>, mut best: Best<T::Float>) -> Best<T::Float> {
        let bias = self.bias.as_mut().map(|bias| &bias.of(N)[range.clone()]);
        let keep = self.keep.as_ref().map(|keep| &keep[range.clone()]);
        best.take(&self.x.of(N)[range], bias, keep);
        best
    }

    /// The shift of a row of several parts.
    fn find_shift(&mut self, part: &mut Part, x: &[T]) {
        self.shift = None;
        if self.terms.scale.abs() <= 1.0 && self.bias.is_none() {
            return;
        }
        let (mut may, mut best) = (false, Best::new(self.terms.scale));
        for start in (0..self.row_len).step_by(N) {
            part.places = start..self.row_len.min(start + N);
            self.load(Stage::FromOutput, part, x, None);
            may |= self.may_leave_range(part);
            best = self.best(0..part.len(), best);
        }
        self.shift = if may { best.shift() } else { None };
    }

    fn slices(&mut self, part: &Part) -> Slices<'_, T::Float> {
        let len = part.len();
        Slices {
            row_len: part.row_len(),
            x: None,
            grad_y: self.grad_y.as_mut().map(|tile| &*tile.of(len)),
            y: self.x.of(len),
        }
    }

    /// Runs the formula over whole rows, but gives the empty ones zeros, if they shall have them.
    fn run_rows(&mut self, stage: Stage, part: &Part, formula: &mut dyn FnMut(Rows<'_, T::Float>)) {
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

    /// Whether a row of several parts is empty.
    fn is_empty(&mut self, stage: Stage, part: &mut Part, x: &[T]) -> bool {
        (0..self.row_len).step_by(N).all(|start| {
            part.places = start..self.row_len.min(start + N);
            self.load(stage, part, x, None);
            self.slices(part).y.iter().all(|&score| score == empty(stage))
        })
    }

    /// Writes results, which gradients have the scale for a factor of.
    fn spread(&mut self, stage: Stage, part: &Part, y: &mut [T]) {
        if y.is_empty() {
            return;
        }
        let len = part.len();
        if stage != Stage::Value && (self.terms.scale != 1.0 || self.keep.is_some()) {
            let keep = self.keep.as_ref().map(|keep| &keep[..len]);
            let masked = Zero::zero();
            let affine =
                Affine { scale: in_range::<T::Float>(self.terms.scale), bias: None, keep, masked, y: self.x.of(len) };
            T::Float::run(&Apply, self.level, affine);
        }
        self.write(part, y);
    }

    /// Writes zeros for a whole row.
    fn fill(&mut self, part: &Part, y: &mut [T]) {
        let start = part.blocks.start * self.row_len * self.inner + part.lanes.start;
        for place in 0..self.row_len {
            y[start + place * self.inner] = T::zero();
        }
    }

    fn write(&mut self, part: &Part, y: &mut [T]) {
        let (unit, len, inner) = (self.row_len * self.inner, part.block_len(), self.inner);
        for (rows, block) in self.x.of(part.len()).chunks_exact(len).zip(part.blocks.clone()) {
            let y = &mut y[block * unit..(block + 1) * unit];
            if inner == 1 {
                T::narrow(self.level, rows, &mut y[part.places.clone()]);
            } else {
                let to = &mut y[part.places.start * inner + part.lanes.start..];
                transpose(rows, part.row_len(), to, inner, (part.lanes.len(), part.row_len()), T::rounded);
            }
        }
    }
}

/// What an empty row is made of, or has become: no row of probabilities or their logarithms is zeros, but that of one
/// logarithm, whose gradient is zero too.
fn empty<F: Float>(stage: Stage) -> F {
    if stage == Stage::FromOutput { F::zero() } else { F::neg_infinity() }
}
