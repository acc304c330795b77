//! Sums of rows that are taken by parts: the greatest element of each row, then its exponentials, chunk by chunk.

use super::formula::{PARTED, Parts, Slices};
use super::reduce::LaneSums;
use super::stats::{Offset, Stats};
use super::sums::{Merge, Totals, chunks, find_scales, greatest_of, parts};
use crate::kernel::dispatch::dispatch;
use crate::kernel::element::Float;
use crate::kernel::level::Level;

/// Adds a part of a row to its two sums. Takes the number of the row, the part, and the statistics of all rows.
pub(crate) type AddUpPart<'a, T> =
    &'a mut dyn FnMut(usize, Slices<'_, T>, &Stats<T>, &mut LaneSums<T>, &mut LaneSums<T>);

/// The greatest elements and the sums of up to [`PARTED`] rows of any length. Without an `offset`, the greatest elements are not needed.
pub(crate) fn sums_by_parts<T: Float>(
    level: Level,
    rows: usize,
    row_len: usize,
    offset: Option<Offset>,
    fast: bool,
    part: Parts<'_, T>,
    add_up: AddUpPart<'_, T>,
) -> Stats<T> {
    let mut stats = Stats::new();
    if let Some(offset) = offset {
        find_scales(level, &greatest_by_parts(level, row_len, part)[..rows], offset, &mut stats);
    }
    let nothing = [LaneSums::of_anything(); PARTED];
    let (mut first, mut second, mut firsts, mut seconds) = (nothing, nothing, nothing, nothing);
    // From the end, which the search for the greatest has just left in the cache.
    for chunk in chunks(row_len).rev() {
        first[..rows].fill(LaneSums::of(fast));
        second[..rows].fill(LaneSums::of_anything());
        for range in parts(chunk) {
            part(range, false, &mut |row, slices| add_up(row, slices, &stats, &mut first[row], &mut second[row]));
        }
        for row in 0..rows {
            let (first, second) = (&first[row], &second[row]);
            let (firsts, seconds) = (&mut firsts[row], &mut seconds[row]);
            dispatch(level, Merge { exponentials: !fast, first, second, firsts, seconds });
        }
    }
    if let ([first, ..], [second, ..], 1) = (&firsts, &seconds, rows) {
        dispatch(level, Totals { first: &[*first], second: &[*second], stats: &mut stats });
    } else {
        dispatch(level, Totals { first: &firsts, second: &seconds, stats: &mut stats });
    }
    stats
}

/// The greatest element of each row, or infinity if one is NaN.
pub(crate) fn greatest_by_parts<T: Float>(level: Level, row_len: usize, part: Parts<'_, T>) -> [T; PARTED] {
    let mut greatest = [T::neg_infinity(); PARTED];
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
