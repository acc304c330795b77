//! The engine of functions of rows. It runs three loops in turn: the greatest element, exponentials with their sums, results.
//! Each is compiled once for each float and level.
//!
//! ```text
//! for each group of rows:
//!     greatest:  the greatest element of each row, by which its exponentials are scaled
//!     add up:    exponentials, kept in the output, and their sums in lanes
//!     totals:    the sums of each row
//!     finish:    the results, from exponentials, gradients, and the row's greatest element and sums
//! ```
//!
//! A column is an array with an element for each lane. Short rows lie side by side, each in a lane of its own (`side`). Longer
//! rows use all lanes, one row after another. They are processed in groups, so that their reductions, which are long chains of
//! operations, overlap. Rows beyond [`CHUNK`] go by chunks, and one at a time if they have several. The number of rows changes
//! neither the order of a row's sums nor its bits.

use super::by_lanes::{WIDE, can_by_lanes, whole_sides};
use super::by_parts::sums_by_parts;
use super::finish::Finish;
use super::formula::{Accumulate, Parts, Plainly, RowFormula, Rows, Slices};
use super::reduce::{CHUNK, LANE_CHUNK, LaneSums};
use super::side;
use super::stats::{GROUP, Offset, SHORT, Stats};
use super::sums::{self, Scratch, chunks, parts, sum};
use super::tails::Tails;
use crate::kernel::dispatch::dispatch;
use crate::kernel::element::Float;
use crate::kernel::level::Level;

/// Runs the formula over the rows.
pub(crate) fn run<T: Float, F: RowFormula>(level: Level, formula: F, rows: Rows<'_, T>) {
    let mut slices = match rows {
        Rows::Slices(slices) => slices,
        Rows::Parts { rows, row_len, part } => return long(level, &formula, rows, row_len, false, part),
    };
    let (row_len, len) = (slices.row_len, slices.y.len());
    if row_len <= SHORT {
        return side::run(level, formula, slices);
    }
    let wide = row_len <= WIDE && can_by_lanes::<F>();
    let side = if wide { whole_sides(len / row_len, row_len) * row_len } else { 0 };
    if side > 0 {
        side::run(level, formula, slices.part(0..side));
    }
    let group = if row_len <= LANE_CHUNK { GROUP * row_len } else { row_len };
    let (mut stats, mut scratch) = (Stats::new(), Scratch::new());
    for start in (side..len).step_by(group) {
        let mut rows = slices.part(start..len.min(start + group));
        if row_len > CHUNK {
            let count = rows.y.len() / row_len;
            long(level, &formula, count, row_len, true, &mut |range, _, f| rows.part_of_each(range, f));
            continue;
        }
        if F::SUMS_GRADIENTS {
            let rounded = F::Sums::OF_OUTPUT;
            let gradients = Slices { row_len, x: rows.grad_y, grad_y: None, y: &mut [] };
            sum::<_, Plainly>(level, gradients, Offset::Below, rounded, &mut scratch, &mut stats);
        }
        if !F::Sums::OF_OUTPUT || F::Sums::SECOND {
            let rounded = F::Sums::OF_OUTPUT;
            sum::<_, F::Sums>(level, rows.part(0..rows.y.len()), F::Sums::OFFSET, rounded, &mut scratch, &mut stats);
            finish(level, formula, rows.part(0..rows.y.len()), &stats, 0, Some(&mut scratch.tails));
            scratch.tails.give(level, row_len, rows.y);
        } else {
            finish(level, formula, rows, &stats, 0, None);
        }
    }
}

/// The loops of a formula over parts of long rows, as a trait object, so that the code around them is compiled once for all formulas.
trait OfParts<T> {
    /// How elements are shifted before the exponential; `None` if there are no exponentials.
    fn offset(&self) -> Option<Offset>;

    /// Whether exponentials are [`Fast`](crate::Fast).
    fn is_fast(&self) -> bool;

    /// Whether the results are made of exponentials.
    fn is_of_exp(&self) -> bool;

    /// The exponentials and sums of a part of the row with this number.
    fn add_up(
        &self,
        level: Level,
        slices: Slices<'_, T>,
        stats: &Stats<T>,
        row: usize,
        first: &mut LaneSums<T>,
        second: &mut LaneSums<T>,
    );

    fn finish(&self, level: Level, slices: Slices<'_, T>, stats: &Stats<T>, row: usize);
}

impl<T: Float, F: RowFormula> OfParts<T> for F {
    fn offset(&self) -> Option<Offset> {
        (!F::Sums::OF_OUTPUT).then_some(F::Sums::OFFSET)
    }

    fn is_fast(&self) -> bool {
        F::Sums::FAST
    }

    fn is_of_exp(&self) -> bool {
        F::OF_EXP
    }

    fn add_up(
        &self,
        level: Level,
        slices: Slices<'_, T>,
        stats: &Stats<T>,
        row: usize,
        first: &mut LaneSums<T>,
        second: &mut LaneSums<T>,
    ) {
        if F::SUMS_GRADIENTS {
            let gradients = Slices { x: slices.grad_y, grad_y: None, y: &mut [], ..slices };
            sums::add_up::<T, Plainly>(level, gradients, stats, row, first, second);
        }
        if !F::Sums::OF_OUTPUT || F::Sums::SECOND {
            sums::add_up::<T, F::Sums>(level, slices, stats, row, first, second);
        }
    }

    fn finish(&self, level: Level, slices: Slices<'_, T>, stats: &Stats<T>, row: usize) {
        finish(level, *self, slices, stats, row, None);
    }
}

/// Runs the formula over up to [`PARTED`](super::formula::PARTED) rows of any length. `part` calls a function with some of each
/// row's elements, and then writes the function's output if its argument says so. If `part` always `keeps` the output, exponentials
/// are computed only once.
#[inline(never)]
fn long<T: Float>(
    level: Level,
    formula: &dyn OfParts<T>,
    rows: usize,
    row_len: usize,
    keeps: bool,
    part: Parts<'_, T>,
) {
    let fast = formula.is_fast();
    let stats =
        sums_by_parts(level, rows, row_len, formula.offset(), fast, part, &mut |row, slices, stats, first, second| {
            formula.add_up(level, slices, stats, row, first, second);
        });
    for range in chunks(row_len).flat_map(parts) {
        part(range, true, &mut |row, mut slices| {
            if formula.is_of_exp() && !keeps {
                let (mut first, mut second) = (LaneSums::of(fast), LaneSums::of_anything());
                formula.add_up(level, slices.part(0..slices.y.len()), &stats, row, &mut first, &mut second);
            }
            formula.finish(level, slices, &stats, row);
        });
    }
}

/// The results of some rows, or of a part of the row with this number. If there are `tails`, they receive the results of the ends.
fn finish<T: Float, F: RowFormula>(
    level: Level,
    formula: F,
    slices: Slices<'_, T>,
    stats: &Stats<T>,
    row: usize,
    tails: Option<&mut Tails<T, GROUP>>,
) {
    let Slices { row_len, x, grad_y, y } = slices;
    let x = if F::OF_EXP { None } else { x };
    dispatch(level, Finish { formula, row_len, x, grad_y, y, stats, row, tails });
}
