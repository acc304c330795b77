//! The engine of functions of rows: the greatest element, exponentials with their sums, and results, each a loop that is
//! compiled once for each float and level; and the order in which they run.
//!
//! ```text
//! for each group of rows:
//!     greatest:  the greatest element of each row, by which its exponentials are scaled
//!     add up:    exponentials, kept in the output, and what is summed with them
//!     totals:    the sums of each row
//!     finish:    the results, from exponentials, gradients and what is known of the row
//! ```
//!
//! Rows come in columns, arrays with an element for each lane. Short rows lie side by side, each in a lane of its own
//! (`side`); longer ones take all lanes in turn, several in a group, so that their reductions, long chains of operations,
//! overlap. Rows beyond [`CHUNK`] go by chunks, one at a time if they have several. How many rows there are does not change
//! the order of a row's sums, and so not its bits.

use core::marker::PhantomData;

use super::by_lanes::{WIDE, can_by_lanes, whole_sides};
use super::by_parts::sums_by_parts;
use super::finish::Finish;
use super::formula::{Accumulate, Parts, Plainly, RowFormula, Rows, Slices};
use super::reduce::{CHUNK, LANE_CHUNK, LaneSums};
use super::side;
use super::stats::{GROUP, Offset, SHORT, Stats};
use super::sums::{AddUp, Scratch, chunks, parts, sum};
use crate::kernel::dispatch::dispatch;
use crate::kernel::element::Float;
use crate::kernel::level::Level;

/// Runs the formula over the rows.
pub(crate) fn run<T: Float, F: RowFormula>(level: Level, formula: F, rows: Rows<'_, T>) {
    let mut slices = match rows {
        Rows::Slices(slices) => slices,
        Rows::Parts { rows, row_len, part } => return long(level, formula, rows, row_len, false, part),
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
            long(level, formula, count, row_len, true, &mut |range, _, f| {
                for row in 0..count {
                    f(row, rows.part(row * row_len + range.start..row * row_len + range.end));
                }
            });
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
        }
        finish(level, formula, rows, &stats, 0);
    }
}

/// The exponentials and sums of a part of the row with this number.
fn add_up<T: Float, F: RowFormula>(
    level: Level,
    slices: Slices<'_, T>,
    stats: &Stats<T>,
    row: usize,
    first: &mut LaneSums<T>,
    second: &mut LaneSums<T>,
) {
    if F::SUMS_GRADIENTS {
        let gradients = Slices { x: slices.grad_y, grad_y: None, y: &mut [], ..slices };
        dispatch(level, AddUp { sums: PhantomData::<Plainly>, slices: gradients, stats, row, first, second });
    }
    if !F::Sums::OF_OUTPUT || F::Sums::SECOND {
        dispatch(level, AddUp { sums: PhantomData::<F::Sums>, slices, stats, row, first, second });
    }
}

/// Runs the formula over up to [`PARTED`] rows of any length. `part` calls a function with some of each row's elements, and afterwards
/// writes its output, if this is asked for; if it `keeps` what is written anyway, exponentials are computed once.
pub(crate) fn long<T: Float, F: RowFormula>(
    level: Level,
    formula: F,
    rows: usize,
    row_len: usize,
    keeps: bool,
    part: Parts<'_, T>,
) {
    let offset = if F::Sums::OF_OUTPUT { None } else { Some(F::Sums::OFFSET) };
    let stats =
        sums_by_parts(level, rows, row_len, offset, F::Sums::FAST, part, &mut |row, slices, stats, first, second| {
            add_up::<T, F>(level, slices, stats, row, first, second);
        });
    for range in chunks(row_len).flat_map(parts) {
        part(range, true, &mut |row, mut slices| {
            if F::OF_EXP && !keeps {
                let (mut first, mut second) = (LaneSums::of(F::Sums::FAST), LaneSums::of_anything());
                add_up::<T, F>(level, slices.part(0..slices.y.len()), &stats, row, &mut first, &mut second);
            }
            finish(level, formula, slices, &stats, row);
        });
    }
}

fn finish<T: Float, F: RowFormula>(level: Level, formula: F, slices: Slices<'_, T>, stats: &Stats<T>, row: usize) {
    let Slices { row_len, x, grad_y, y } = slices;
    let x = if F::OF_EXP { None } else { x };
    dispatch(level, Finish { formula, row_len, x, grad_y, y, stats, row });
}
