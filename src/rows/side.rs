//! Short rows side by side, each in a lane of its own, so that no row needs a reduction over lanes.

use core::marker::PhantomData;

use fearless_simd::{Simd, SimdBase, SimdElement};

use super::by_lanes::{ByLanes, WIDE_COLUMNS, can_by_lanes};
use super::exponentials::exponentials;
use super::finish::constants;
use super::formula::{Accumulate, CONSTANTS, RowFormula, Slices};
use super::reduce::{DEPTH, Greatest, Sums};
use super::stats::{COLUMNS, Column, Columns, Offset, SHORT, SIDE, Stats};
use crate::kernel::abreast::Abreast;
use crate::kernel::dispatch::{Task, dispatch};
use crate::kernel::element::{Float, Kernel, Lane};
use crate::kernel::level::Level;

/// Runs the formula over short rows.
pub(crate) fn run<T: Float, F: RowFormula>(level: Level, formula: F, slices: Slices<'_, T>) {
    // For the shortest rows there is so little work that clearing unused columns would cost a part of the time.
    if slices.row_len <= FEW {
        run_in(level, formula, slices, Columns::<_, FEW>::new().all(), Columns::<_, FEW>::new().all());
    } else if slices.row_len <= SHORT {
        run_in(level, formula, slices, Columns::<_, COLUMNS>::new().all(), Columns::<_, COLUMNS>::new().all());
    } else if const { can_by_lanes::<F>() } {
        // The engine does not call this for rows of this length with other formulas.
        run_in(
            level,
            formula,
            slices,
            Columns::<_, WIDE_COLUMNS>::new().all(),
            Columns::<_, WIDE_COLUMNS>::new().all(),
        );
    }
}

/// Clearing this many columns takes hardly any time.
const FEW: usize = 3 * DEPTH;

/// With room for the elements and for the gradients. Once for all sizes of it.
#[inline(never)]
fn run_in<T: Float, F: RowFormula>(
    level: Level,
    formula: F,
    mut slices: Slices<'_, T>,
    columns: &mut [Column<T>],
    gradients: &mut [Column<T>],
) {
    let (row_len, len) = (slices.row_len, slices.y.len());
    let blocks = row_len.next_multiple_of(DEPTH);
    let mut stats = Stats::new();
    for start in (0..len).step_by(SIDE * row_len) {
        let Slices { x, grad_y, y, .. } = slices.part(start..len.min(start + SIDE * row_len));
        if let Some(rows) = grad_y {
            to_columns(level, rows, &mut gradients[..row_len]);
        }
        to_columns(level, x.unwrap_or(y), &mut columns[..row_len]);
        if F::SUMS_GRADIENTS {
            let sums = PhantomData::<super::formula::Plainly>;
            dispatch(level, AddUp { sums, columns: &mut gradients[..row_len], grad_y: &[], stats: &mut stats });
        }
        if !F::Sums::OF_OUTPUT {
            scale_by_greatest(level, &columns[..row_len], F::Sums::OFFSET, &mut stats);
        }
        let sums = PhantomData::<F::Sums>;
        // `const`, so that the loop of the other branch is not compiled.
        if const { can_by_lanes::<F>() } && row_len > SHORT {
            let columns = &mut columns[..blocks];
            dispatch(level, ByLanes { sums, row_len, columns, stats: &mut stats });
        } else if !F::Sums::OF_OUTPUT || F::Sums::SECOND {
            let (columns, grad_y) = (&mut columns[..row_len], &gradients[..row_len]);
            dispatch(level, AddUp { sums, columns, grad_y, stats: &mut stats });
        }
        let (results, grad_y) = (&mut columns[..blocks], &gradients[..blocks]);
        dispatch(level, Finish { formula, columns: results, grad_y, stats: &stats });
        from_columns(level, &columns[..row_len], y);
    }
}

/// Finds the greatest element of each row, in its column, and the scale of its exponentials.
pub(crate) fn scale_by_greatest<T: Float>(level: Level, columns: &[Column<T>], offset: Offset, stats: &mut Stats<T>) {
    dispatch(level, FindGreatest { columns, offset, stats });
}

struct FindGreatest<'a, T> {
    columns: &'a [Column<T>],
    offset: Offset,
    stats: &'a mut Stats<T>,
}

impl<T: Float> Task<T> for FindGreatest<'_, T> {
    type Output = ();
    type Home = Self;

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        let mut greatest = Greatest::<R, SIDE, true>::new();
        greatest.take(self.columns);
        self.stats.scale(&greatest.lanes(), self.offset);
    }
}

/// The exponentials and sums of each row.
struct AddUp<'a, T, K> {
    sums: PhantomData<K>,
    columns: &'a mut [Column<T>],
    grad_y: &'a [Column<T>],
    stats: &'a mut Stats<T>,
}

impl<T: Float, K: Accumulate> Task<T> for AddUp<'_, T, K> {
    type Output = ();
    type Home = K;

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        let Self { columns, grad_y, stats, .. } = self;
        let (mut first, mut second) = (Sums::of(K::FAST), Sums::of_anything());
        let grad_y = if grad_y.is_empty() { None } else { Some(grad_y) };
        exponentials::<T, R, K, SIDE>(columns, grad_y, &*stats, &mut first, &mut second);
        let (first, second) = (first.first(K::FAST), second.anything());
        for i in 0..SIDE {
            if !K::OF_OUTPUT {
                (stats.first.0[i], stats.first.1[i]) = (first.0[i].store(), first.1[i].store());
            }
            if K::SECOND {
                (stats.second.0[i], stats.second.1[i]) = (second.0[i].store(), second.1[i].store());
            }
        }
    }
}

/// The results of each row, in the columns.
struct Finish<'a, T, F> {
    formula: F,
    columns: &'a mut [Column<T>],
    grad_y: &'a [Column<T>],
    stats: &'a Stats<T>,
}

impl<T: Float, F: RowFormula> Task<T> for Finish<'_, T, F> {
    type Output = ();
    type Home = F;

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        // A function of its own, because LLVM knows only of a function's arguments that they do not overlap.
        #[inline(always)]
        fn block<T: Float, R: Lane<T>, F: RowFormula>(
            formula: F,
            columns: &mut [Column<T>; DEPTH],
            grad_y: &[Column<T>; DEPTH],
            constants: &[[R; SIDE]; CONSTANTS],
        ) {
            for i in 0..SIDE {
                let [a, b, c, d] = constants;
                let of_row = [Abreast::splat(a[i]), Abreast::splat(b[i]), Abreast::splat(c[i]), Abreast::splat(d[i])];
                let (of, grad_y) = (Abreast::<R, DEPTH>::gather(columns, i), Abreast::gather(grad_y, i));
                formula.result(of, grad_y, &of_row).scatter(columns, i);
            }
        }

        let constants = constants::<T, R, F, SIDE>(self.formula, self.stats);
        // Several columns at a time, because LLVM would unroll a loop over one column, and use gathers over the columns.
        for (of, grad_y) in self.columns.as_chunks_mut().0.iter_mut().zip(self.grad_y.as_chunks().0) {
            block::<T, R, F>(self.formula, of, grad_y, &constants);
        }
    }
}

/// Copies rows to columns: element c of row i becomes lane i of column c.
pub(crate) fn to_columns<T: Float>(level: Level, rows: &[T], columns: &mut [Column<T>]) {
    T::run(&Transpose, level, Transposed::ToColumns(rows, columns));
}

/// Copies columns back to rows.
pub(crate) fn from_columns<T: Float>(level: Level, columns: &[Column<T>], rows: &mut [T]) {
    T::run(&Transpose, level, Transposed::FromColumns(columns, rows));
}

/// See [`layout::transpose`](super::layout::transpose).
pub(crate) fn transpose_floats<T: Float>(
    level: Level,
    from: &[T],
    stride: usize,
    to: &mut [T],
    stride_to: usize,
    size: (usize, usize),
) {
    T::run(&Transpose, level, Transposed::Matrix { from, stride, to, stride_to, size });
}

enum Transposed<'a, T> {
    ToColumns(&'a [T], &'a mut [Column<T>]),
    FromColumns(&'a [Column<T>], &'a mut [T]),
    Matrix { from: &'a [T], stride: usize, to: &'a mut [T], stride_to: usize, size: (usize, usize) },
}

/// Transposes squares with as many rows as a vector has lanes. The shuffles are written out, because LLVM finds none by itself: it
/// moves single elements or uses gathers.
struct Transpose;

impl Kernel for Transpose {
    type Args<'a, T: Float> = Transposed<'a, T>;
    type Output<T: Float> = ();

    fn f32(&self, level: Level, mut args: Transposed<'_, f32>) {
        fearless_simd::dispatch!(level.simd, simd => transpose::<_, fearless_simd::f32x4<_>, f32, 4>(simd, &mut args));
    }

    fn f64(&self, level: Level, mut args: Transposed<'_, f64>) {
        fearless_simd::dispatch!(level.simd, simd => transpose::<_, fearless_simd::f64x2<_>, f64, 2>(simd, &mut args));
    }
}

#[inline(always)]
fn transpose<S: Simd, V: SimdBase<S, Element = T>, T: Float + SimdElement, const N: usize>(
    simd: S,
    args: &mut Transposed<'_, T>,
) {
    match args {
        Transposed::ToColumns(rows, columns) => {
            let row_len = columns.len();
            if rows.len() == SIDE * row_len {
                match row_len {
                    1 => return narrow_to_columns::<T, 1>(rows, columns),
                    2 => return narrow_to_columns::<T, 2>(rows, columns),
                    3 => return narrow_to_columns::<T, 3>(rows, columns),
                    _ => {}
                }
            }
            for (i, rows) in rows.chunks(N * row_len).enumerate() {
                let at = N * i;
                if row_len < N || rows.len() < N * row_len {
                    for (i, row) in rows.chunks_exact(row_len).enumerate() {
                        for (column, &element) in columns.iter_mut().zip(row) {
                            column[at + i] = element;
                        }
                    }
                    continue;
                }
                // The last square overlaps with the one before.
                for c in (0..row_len).step_by(N).map(|c| c.min(row_len - N)) {
                    let square = square::<S, V, N>(
                        #[inline(always)]
                        |k| V::from_slice(simd, &rows[k * row_len + c..][..N]),
                    );
                    for (column, lanes) in columns[c..c + N].iter_mut().zip(square) {
                        lanes.store_slice(&mut column[at..at + N]);
                    }
                }
            }
        }
        Transposed::FromColumns(columns, rows) => {
            let row_len = columns.len();
            if rows.len() == SIDE * row_len {
                match row_len {
                    1 => return narrow_from_columns::<T, 1>(columns, rows),
                    2 => return narrow_from_columns::<T, 2>(columns, rows),
                    3 => return narrow_from_columns::<T, 3>(columns, rows),
                    _ => {}
                }
            }
            for (i, rows) in rows.chunks_mut(N * row_len).enumerate() {
                let at = N * i;
                if row_len < N || rows.len() < N * row_len {
                    for (i, row) in rows.chunks_exact_mut(row_len).enumerate() {
                        for (column, element) in columns.iter().zip(row) {
                            *element = column[at + i];
                        }
                    }
                    continue;
                }
                for c in (0..row_len).step_by(N).map(|c| c.min(row_len - N)) {
                    let columns = &columns[c..c + N];
                    let square = square::<S, V, N>(
                        #[inline(always)]
                        |k| V::from_slice(simd, &columns[k][at..at + N]),
                    );
                    for (k, lanes) in square.into_iter().enumerate() {
                        lanes.store_slice(&mut rows[k * row_len + c..][..N]);
                    }
                }
            }
        }
        Transposed::Matrix { from, stride, to, stride_to, size: (height, width) } => {
            if *height < N || *width < N {
                return super::layout::transpose(from, *stride, to, *stride_to, (*height, *width), T::rounded);
            }
            for i in (0..*height).step_by(N).map(|i| i.min(*height - N)) {
                let mut rows = [&from[..0]; N];
                for (k, row) in rows.iter_mut().enumerate() {
                    *row = &from[(i + k) * *stride..][..*width];
                }
                for j in (0..*width).step_by(N).map(|j| j.min(*width - N)) {
                    let square = square::<S, V, N>(
                        #[inline(always)]
                        |k| V::from_slice(simd, &rows[k][j..j + N]),
                    );
                    for (k, lanes) in square.into_iter().enumerate() {
                        lanes.store_slice(&mut to[(j + k) * *stride_to + i..][..N]);
                    }
                }
            }
        }
    }
}

/// For rows so narrow that LLVM does find shuffles.
#[inline(always)]
fn narrow_to_columns<T: Float, const N: usize>(rows: &[T], columns: &mut [Column<T>]) {
    if let (Some(rows), Some(columns)) = (rows.as_chunks::<N>().0.first_chunk::<SIDE>(), columns.first_chunk_mut::<N>())
    {
        for (c, column) in columns.iter_mut().enumerate() {
            for (lane, row) in column.iter_mut().zip(rows) {
                *lane = row[c];
            }
        }
    }
}

/// See [`narrow_to_columns`].
#[inline(always)]
fn narrow_from_columns<T: Float, const N: usize>(columns: &[Column<T>], rows: &mut [T]) {
    if let (Some(rows), Some(columns)) =
        (rows.as_chunks_mut::<N>().0.first_chunk_mut::<SIDE>(), columns.first_chunk::<N>())
    {
        for (i, row) in rows.iter_mut().enumerate() {
            for (element, column) in row.iter_mut().zip(columns) {
                *element = column[i];
            }
        }
    }
}

/// Transposes a square: 2 vectors of 2 lanes, or 4 of 4.
#[inline(always)]
fn square<S: Simd, V: SimdBase<S>, const N: usize>(row: impl Fn(usize) -> V) -> [V; N] {
    // Not `from_fn`, because that would call the closure as a function without the level's instructions.
    let mut rows = [row(0); N];
    for (k, lanes) in rows.iter_mut().enumerate().skip(1) {
        *lanes = row(k);
    }
    let mut square = rows;
    if N == 2 {
        (square[0], square[1]) = (rows[0].zip_low(rows[1]), rows[0].zip_high(rows[1]));
    } else {
        let (a, b) = (rows[0].zip_low(rows[2]), rows[1].zip_low(rows[3]));
        let (c, d) = (rows[0].zip_high(rows[2]), rows[1].zip_high(rows[3]));
        (square[0], square[1], square[2], square[3]) = (a.zip_low(b), a.zip_high(b), c.zip_low(d), c.zip_high(d));
    }
    square
}
