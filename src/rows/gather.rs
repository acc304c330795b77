//! Rows that are not adjacent floats, and rows of scores. Tiles of them are gathered as floats and made scores, a formula runs
//! over each tile, and the results are written back. So halves, other axes, scales, caps, biases, masks and sinks need no loops of
//! their own.

use super::formula::Rows;
use super::layout::Layout;
use super::reduce::CHUNK;
use super::score_tiles::{Part, Room, Tiles};
use super::terms::{OfSink, Stage, Terms};
use crate::kernel::element::{Element, per_element};
use crate::kernel::level::Level;

/// The number of elements in a tile. Short slices use a smaller tile, because there is less memory to clear.
pub(crate) const TILE: usize = 1 << 12;
const SHORT_TILE: usize = 1 << 10;

/// A formula, and the slices of elements that it runs over.
pub(crate) struct Work<'a, T: Element> {
    pub(crate) level: Level,
    pub(crate) layout: Layout,
    pub(crate) terms: Terms<'a, T>,
    pub(crate) stage: Stage,
    /// `None` if the formula runs in place.
    pub(crate) x: Option<&'a [T]>,
    pub(crate) grad_y: Option<&'a [T]>,
    /// May be empty if there is an `x`; then nothing is written.
    pub(crate) y: &'a mut [T],
    /// Called after a gradient, if there are sinks.
    pub(crate) of_sink: OfSink<'a, T::Float>,
    /// How many long rows are processed by parts at a time, at most.
    pub(crate) parted: usize,
    pub(crate) formula: &'a mut dyn FnMut(Rows<'_, T::Float>),
}

/// Runs the work by tiles.
pub(crate) struct ByTiles;

per_element!(ByTiles: Args<'a, T> = Work<'a, T>, by_tiles);

fn by_tiles<T: Element>(_: &ByTiles, work: Work<'_, T>) {
    let Work { level, layout, terms, stage, .. } = work;
    let (len, gradients) = (work.x.map_or(work.y.len(), <[T]>::len), work.grad_y.is_some());
    let row_len = layout.row_len(len);
    if len <= SHORT_TILE {
        let mut room = Room::<_, SHORT_TILE>::new(&terms, stage, gradients);
        in_tiles(room.tiles(level, layout, row_len, terms), row_len, work);
    } else {
        let mut room = Room::<_, TILE>::new(&terms, stage, gradients);
        in_tiles(room.tiles(level, layout, row_len, terms), row_len, work);
    }
}

fn in_tiles<T: Element>(mut tiles: Tiles<'_, T>, row_len: usize, work: Work<'_, T>) {
    let Work { layout, terms, stage, x, grad_y, y, of_sink, parted, formula, .. } = work;
    let (len, inner, n) = (x.map_or(y.len(), <[T]>::len), layout.inner(), tiles.room());
    let unit = row_len * inner;
    // A sink is one more element of its row. Gradients from outputs do not need it.
    let sink = terms.sink.is_some() && stage != Stage::FromOutput;
    let mut first = 0;
    while first < len / unit {
        let places = terms.computed(first, row_len, inner);
        let cells = places.len() + usize::from(sink);
        // How many blocks of rows side by side fit into a tile, and how many rows of a block.
        let end = (len / unit).min(first + (n / (cells * inner)).max(1));
        let same = |&block: &usize| terms.computed(block, row_len, inner) == places;
        let end = first + (first..end).take_while(same).count();
        // Rows side by side that do not fit into a tile come by parts, several at a time, because they share cache lines.
        let by_parts = cells > n || parted > 1 && inner > 1 && cells > CHUNK;
        let width = if by_parts { parted } else { n / cells }.clamp(1, inner);
        for lane in (0..inner).step_by(width) {
            let lanes = lane..inner.min(lane + width);
            let part = Part { blocks: first..end, lanes, places: places.clone(), sink };
            if by_parts {
                tiles.run_parts(stage, &part, x, grad_y, y, of_sink, formula);
            } else {
                tiles.shifts_by_row();
                tiles.load(stage, &part, x.unwrap_or(y), grad_y);
                tiles.run_rows(stage, &part, formula);
                tiles.spread(stage, &part, y, of_sink);
            }
            tiles.fill_hidden(first..end, y);
        }
        first = end;
    }
}
