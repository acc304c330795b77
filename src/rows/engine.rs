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
//! operations, overlap. Rows beyond [`CHUNK`] go one at a time, by chunks. The number of rows changes neither the order of a
//! row's sums nor its bits.

use super::by_lanes::{WIDE, can_by_lanes, whole_sides};
use super::finish::Finish;
use super::formula::{Accumulate, PARTED, Parts, Plainly, RowFormula, Rows, Slices};
use super::reduce::{CHUNK, LaneSums};
use super::side;
use super::stats::{GROUP, Offset, SHORT, Stats};
use super::sums::{self, Merge, Scratch, Totals, chunks, find_scale, greatest_of, parts, sum};
use crate::kernel::dispatch::dispatch;
use crate::kernel::element::Float;
use crate::kernel::level::Level;

/// Runs the formula over the rows.
pub(crate) fn run<T: Float, F: RowFormula>(level: Level, formula: F, rows: Rows<'_, T>) {
    let mut slices = match rows {
        Rows::Slices(slices) => slices,
        Rows::Parts { rows: 1, row_len, part } => return long::<T, 1>(level, &formula, 1, row_len, false, part),
        Rows::Parts { rows, row_len, part } => {
            return long::<T, PARTED>(level, &formula, rows, row_len, false, part);
        }
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
    let group = if row_len <= CHUNK { GROUP * row_len } else { row_len };
    let (mut stats, mut scratch) = (Stats::new(), Scratch::new());
    for start in (side..len).step_by(group) {
        let mut rows = slices.part(start..len.min(start + group));
        if row_len > CHUNK {
            long::<T, 1>(level, &formula, 1, row_len, true, &mut |range, _, f| f(0, rows.part(range)));
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
        finish(level, formula, rows, &stats);
    }
}

/// What a formula does to parts of a long row, as an object, so that what walks over the parts is compiled once for all formulas.
trait OfParts<T> {
    /// What is taken from elements before the exponential, if there are exponentials.
    fn offset(&self) -> Option<Offset>;

    /// Whether exponentials are [`Fast`](crate::Fast).
    fn is_fast(&self) -> bool;

    /// Whether the results are made of exponentials.
    fn is_of_exp(&self) -> bool;

    /// The exponentials and sums of a part of a row.
    fn add_up(
        &self,
        level: Level,
        slices: Slices<'_, T>,
        stats: &Stats<T>,
        first: &mut LaneSums<T>,
        second: &mut LaneSums<T>,
    );

    fn finish(&self, level: Level, slices: Slices<'_, T>, stats: &Stats<T>);
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
        first: &mut LaneSums<T>,
        second: &mut LaneSums<T>,
    ) {
        if F::SUMS_GRADIENTS {
            let gradients = Slices { x: slices.grad_y, grad_y: None, y: &mut [], ..slices };
            sums::add_up::<T, Plainly>(level, gradients, stats, first, second);
        }
        if !F::Sums::OF_OUTPUT || F::Sums::SECOND {
            sums::add_up::<T, F::Sums>(level, slices, stats, first, second);
        }
    }

    fn finish(&self, level: Level, slices: Slices<'_, T>, stats: &Stats<T>) {
        finish(level, *self, slices, stats);
    }
}

/// Runs the formula over up to `W` rows of any length. `part` calls a function with some of each row's elements, and then writes
/// the function's output if its argument says so. If `part` always `keeps` the output, exponentials are computed only once.
#[inline(never)]
fn long<T: Float, const W: usize>(
    level: Level,
    formula: &dyn OfParts<T>,
    rows: usize,
    row_len: usize,
    keeps: bool,
    part: Parts<'_, T>,
) {
    let mut stats = [Stats::new(); W];
    if let Some(offset) = formula.offset() {
        for (greatest, stats) in greatest_by_parts::<T, W>(level, row_len, part).into_iter().zip(&mut stats[..rows]) {
            find_scale(level, greatest, offset, stats);
        }
    }
    let fast = formula.is_fast();
    let (mut firsts, mut seconds) = ([LaneSums::of_anything(); W], [LaneSums::of_anything(); W]);
    // Starts at the end of the row, which the search for the greatest has just left in the cache.
    for chunk in chunks(row_len).rev() {
        let (mut first, mut second) = ([LaneSums::of(fast); W], [LaneSums::of_anything(); W]);
        for range in parts(chunk) {
            part(range, false, &mut |row, slices| {
                formula.add_up(level, slices, &stats[row], &mut first[row], &mut second[row]);
            });
        }
        for row in 0..rows {
            let (first, second) = (&first[row], &second[row]);
            let (firsts, seconds) = (&mut firsts[row], &mut seconds[row]);
            dispatch(level, Merge { exponentials: !fast, first, second, firsts, seconds });
        }
    }
    for row in 0..rows {
        dispatch(level, Totals { first: &firsts[row], second: &seconds[row], stats: &mut stats[row] });
    }
    for range in chunks(row_len).flat_map(parts) {
        part(range, true, &mut |row, mut slices| {
            if formula.is_of_exp() && !keeps {
                let (mut first, mut second) = (LaneSums::of(fast), LaneSums::of_anything());
                formula.add_up(level, slices.part(0..slices.y.len()), &stats[row], &mut first, &mut second);
            }
            formula.finish(level, slices, &stats[row]);
        });
    }
}

/// The greatest element of each row, or infinity if one is NaN.
pub(crate) fn greatest_by_parts<T: Float, const W: usize>(level: Level, row_len: usize, part: Parts<'_, T>) -> [T; W] {
    let mut greatest = [T::neg_infinity(); W];
    for range in chunks(row_len).flat_map(parts) {
        part(range, false, &mut |row, slices| {
            let of_part = greatest_of(level, slices.x());
            if of_part > greatest[row] {
                greatest[row] = of_part;
            }
        });
    }
    greatest
}

fn finish<T: Float, F: RowFormula>(level: Level, formula: F, slices: Slices<'_, T>, stats: &Stats<T>) {
    let Slices { row_len, x, grad_y, y } = slices;
    let x = if F::OF_EXP { None } else { x };
    dispatch(level, Finish { formula, row_len, x, grad_y, y, stats });
}
