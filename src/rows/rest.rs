//! The sums that log-sum-exp and the losses need: the greatest element of each row, and the sum of the other exponentials.

use core::marker::PhantomData;

use super::by_lanes::{ByLanes, WIDE, WIDE_COLUMNS, whole_sides};
use super::by_parts::sums_by_parts;
use super::formula::{Parts, Slices};
use super::probability::Rest;
use super::reduce::{CHUNK, DEPTH, LANE_CHUNK, LaneSums};
use super::side::{scale_by_greatest, to_columns};
use super::stats::{Column, Columns, GROUP, Offset, SIDE, Stats};
use super::sums::{self, Scratch, sum};
use crate::kernel::dispatch::dispatch;
use crate::kernel::element::Float;
use crate::kernel::level::Level;

/// Some rows, with their greatest elements and sums.
pub(crate) struct Group<'a, T> {
    /// The number of the first row.
    pub(crate) at: usize,
    pub(crate) x: &'a [T],
    /// The exponentials, if the caller wants them: in rows, or for short rows in columns, whose number is a multiple of [`DEPTH`].
    pub(crate) e: Option<&'a mut [T]>,
    pub(crate) columns: Option<&'a mut [Column<T>]>,
    /// The first sum is over all exponentials except the greatest. The second counts the greatest.
    pub(crate) stats: &'a Stats<T>,
}

/// Calls `f` with each group of rows of up to [`LANE_CHUNK`] elements. Short rows lie side by side if the caller wants that.
pub(crate) fn rest_of_groups<T: Float>(
    level: Level,
    x: &[T],
    row_len: usize,
    mut e: Option<&mut [T]>,
    side_by_side: bool,
    f: &mut dyn FnMut(Group<'_, T>),
) {
    let mut stats = Stats::new();
    let rows = x.len() / row_len;
    let side = if row_len <= WIDE && side_by_side { whole_sides(rows, row_len) } else { 0 };
    let (x, others) = x.split_at(side * row_len);
    if side > 0 {
        let mut room = Columns::<T, WIDE_COLUMNS>::new();
        let columns = &mut room.all()[..row_len.next_multiple_of(DEPTH)];
        for (group, x) in x.chunks(SIDE * row_len).enumerate() {
            let at = group * SIDE;
            to_columns(level, x, &mut columns[..row_len]);
            scale_by_greatest(level, &columns[..row_len], Offset::OnGrid, &mut stats);
            let sums = PhantomData::<Rest<true>>;
            dispatch(level, ByLanes { sums, row_len, columns: &mut *columns, stats: &mut stats });
            let e = e.as_deref_mut().map(|e| &mut e[at * row_len..][..x.len()]);
            f(Group { at, x, e, columns: Some(&mut *columns), stats: &stats });
        }
    }
    if others.is_empty() {
        return;
    }
    let mut scratch = Scratch::new();
    for (group, x) in others.chunks(GROUP * row_len).enumerate() {
        let at = side + group * GROUP;
        let mut e = e.as_deref_mut().map(|e| &mut e[at * row_len..][..x.len()]);
        let (keeps, y) = (e.is_some(), e.as_deref_mut().unwrap_or(&mut []));
        let mut slices = Slices { row_len, x: Some(x), grad_y: None, y };
        if row_len > CHUNK {
            let count = x.len() / row_len;
            stats = rest_by_parts(level, count, row_len, keeps, &mut |range, _, f| slices.part_of_each(range, f));
        } else if keeps {
            let of_sum = slices.part(0..x.len());
            sum::<T, Rest<true>>(level, of_sum, Offset::OnGrid, false, &mut scratch, &mut stats);
            scratch.tails.give(level, row_len, slices.y);
        } else {
            sum::<T, Rest<false>>(level, slices, Offset::OnGrid, false, &mut scratch, &mut stats);
        }
        f(Group { at, x, e, columns: None, stats: &stats });
    }
}

/// Adds up the exponentials of a part of a row. The output keeps them, if it `keeps` anything.
fn add_up<T: Float>(
    level: Level,
    slices: Slices<'_, T>,
    keeps: bool,
    stats: &Stats<T>,
    row: usize,
    first: &mut LaneSums<T>,
    second: &mut LaneSums<T>,
) {
    if keeps {
        sums::add_up::<T, Rest<true>>(level, slices, stats, row, first, second);
    } else {
        sums::add_up::<T, Rest<false>>(level, slices, stats, row, first, second);
    }
}

/// Writes the exponentials of a part of a row to its output.
pub(crate) fn keep_exponentials<T: Float>(level: Level, slices: &mut Slices<'_, T>, stats: &Stats<T>) {
    let (mut first, mut second) = (LaneSums::of_exponentials(), LaneSums::of_anything());
    add_up(level, slices.part(0..slices.y.len()), true, stats, 0, &mut first, &mut second);
}

/// The greatest elements and the sums of up to [`PARTED`](super::formula::PARTED) rows of any length. If `part` `keeps` its output,
/// the output then holds the exponentials.
pub(crate) fn rest_by_parts<T: Float>(
    level: Level,
    rows: usize,
    row_len: usize,
    keeps: bool,
    part: Parts<'_, T>,
) -> Stats<T> {
    sums_by_parts(level, rows, row_len, Some(Offset::OnGrid), false, part, &mut |row, slices, stats, first, second| {
        add_up(level, slices, keeps, stats, row, first, second);
    })
}

/// Calls `f` with groups of rows: the number of the first row, the elements, the greatest elements and sums.
pub(crate) fn rest_of_rows<T: Float>(level: Level, x: &[T], row_len: usize, f: &mut dyn FnMut(usize, &[T], &Stats<T>)) {
    if row_len <= LANE_CHUNK {
        return rest_of_groups(level, x, row_len, None, true, &mut |Group { at, x, stats, .. }| f(at, x, stats));
    }
    for (row, x) in x.chunks_exact(row_len).enumerate() {
        f(row, x, &rest_by_parts(level, 1, row_len, false, &mut |range, _, f| f(0, Slices::read(&x[range], None))));
    }
}
