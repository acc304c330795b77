//! `Exact` for functions of rows. They are computed in `f64`, by operations that are the same on every machine, and rounded once.

use core::ops::Range;

use super::formula::{OfPart, RowFormula, Rows, Slices};
use super::function::RowFunction;
use super::layout::Layout;
use super::log_softmax::LogSoftmax;
use super::log_sum_exp::{LogSumExp, check_rows};
use super::softmax::Softmax;
use super::softmin::Softmin;
use crate::activation::Activation;
use crate::exact::Exact;
use crate::exact::round::Format;
use crate::kernel::element::Element;
use crate::kernel::level::Level;
use crate::kernel::tiles::{TILE, Tile};
use crate::pass::{Pass, Pieces};

macro_rules! exact_rows {
    ($($name:ident),+) => {$(
        impl<T: Element<Float = f32>> Activation<T> for Exact<$name> {
            fn run(&self, _: Level, pass: Pass<'_, T>) {
                run::<T, $name>(self.0.layout(), pass);
            }

            fn pieces(&self) -> Pieces {
                self.0.layout().pieces()
            }
        }
    )+};
}
exact_rows!(Softmax, LogSoftmax, Softmin);

fn run<T: Element<Float = f32>, F: RowFunction>(layout: Layout, pass: Pass<'_, T>) {
    match pass {
        Pass::Forward { x, y } => run_formula::<T, F, _>(layout, F::Value::default(), Some(x), None, y),
        Pass::ForwardInPlace { x } => run_formula::<T, F, _>(layout, F::Value::default(), None, None, x),
        Pass::Derivative { x, dydx } => run_formula::<T, F, _>(layout, F::Diagonal::default(), Some(x), None, dydx),
        Pass::ForwardWithDerivative { x, y, dydx } => {
            run_formula::<T, F, _>(layout, F::Value::default(), Some(x), None, y);
            run_formula::<T, F, _>(layout, F::Diagonal::default(), Some(x), None, dydx);
        }
        Pass::Backward { x, grad_y, grad_x } => {
            run_formula::<T, F, _>(layout, F::Gradient::default(), Some(x), Some(grad_y), grad_x);
        }
    }
}

/// Runs the formula over each row.
fn run_formula<T: Element<Float = f32>, F: RowFunction, K: RowFormula>(
    layout: Layout,
    formula: K,
    x: Option<&[T]>,
    grad_y: Option<&[T]>,
    y: &mut [T],
) {
    let (row_len, len) = (layout.row_len(y.len()), y.len());
    let (level, count) = (Level::portable(), len / row_len);
    let tiles = [Tile::new(), Tile::new()];
    let mut rows = WideRows { row_len, inner: layout.inner(), sign: F::SIGN, x, beside: grad_y, y, tiles };
    if row_len <= TILE {
        let group = TILE / row_len;
        for row in (0..count).step_by(group) {
            let some = row..count.min(row + group);
            rows.tile(some, &(0..row_len), true, &mut |_, slices| formula.run_f64(level, Rows::Slices(slices)));
        }
        return;
    }
    for row in 0..count {
        let part = &mut |range: Range<usize>, written: bool, f: OfPart<'_, f64>| rows.part(row, range, written, f);
        formula.run_f64(level, Rows::Parts { rows: 1, row_len, part });
    }
}

/// Rows that are computed in `f64`, by parts, and rounded once.
pub(crate) struct WideRows<'a, T> {
    pub(crate) row_len: usize,
    pub(crate) inner: usize,
    /// By which `x` is multiplied.
    pub(crate) sign: f64,
    /// If there is none, the rows are in `y`.
    pub(crate) x: Option<&'a [T]>,
    /// Numbers beside the rows.
    pub(crate) beside: Option<&'a [T]>,
    /// Receives the results.
    pub(crate) y: &'a mut [T],
    /// Room for parts of the rows and of the numbers beside them.
    pub(crate) tiles: [Tile<f64, TILE>; 2],
}

impl<T: Element<Float = f32>> WideRows<'_, T> {
    /// See [`Parts`](super::formula::Parts).
    pub(crate) fn part(&mut self, row: usize, range: Range<usize>, written: bool, f: OfPart<'_, f64>) {
        for start in range.clone().step_by(TILE) {
            self.tile(row..row + 1, &(start..range.end.min(start + TILE)), written, f);
        }
    }

    /// The same for a part of each of some rows, which fit into a tile. If they are several, the parts are whole rows.
    pub(crate) fn tile(&mut self, rows: Range<usize>, range: &Range<usize>, written: bool, f: OfPart<'_, f64>) {
        let Self { row_len, inner, sign, x, beside, y, tiles: [of_x, of_beside] } = self;
        let (inner, len) = (*inner, range.len());
        let (elements, others) = (of_x.of(rows.len() * len), of_beside.of(rows.len() * len));
        let from = |row: usize| row / inner * (*row_len * inner) + row % inner + range.start * inner;
        for (i, row) in rows.clone().enumerate() {
            let (from, to) = (from(row), i * len..(i + 1) * len);
            if let Some(beside) = beside {
                widen(&beside[from..], inner, &mut others[to.clone()]);
            }
            widen(&x.unwrap_or(y)[from..], inner, &mut elements[to]);
        }
        elements.iter_mut().for_each(|element| *element *= *sign);
        let grad_y = beside.map(|_| &*others);
        f(0, Slices { row_len: len, x: None, grad_y, y: &mut *elements });
        if written {
            for (row, of_row) in rows.zip(elements.chunks_exact(len)) {
                narrow(of_row, &mut y[from(row)..], inner);
            }
        }
    }
}

/// Reads numbers that are `stride` apart.
pub(crate) fn widen<T: Element<Float = f32>>(from: &[T], stride: usize, to: &mut [f64]) {
    if stride == 1 {
        to.iter_mut().zip(from).for_each(|(to, &from)| *to = widened(from));
    } else {
        to.iter_mut().zip(from.iter().step_by(stride)).for_each(|(to, &from)| *to = widened(from));
    }
}

/// Rounds numbers once, to places that are `stride` apart.
pub(crate) fn narrow<T: Element<Float = f32>>(from: &[f64], to: &mut [T], stride: usize) {
    if stride == 1 {
        to.iter_mut().zip(from).for_each(|(to, &from)| *to = rounded(from));
    } else {
        to.iter_mut().step_by(stride).zip(from).for_each(|(to, &from)| *to = rounded(from));
    }
}

/// The number, exactly.
fn widened<T: Element<Float = f32>>(x: T) -> f64 {
    x.widened().into()
}

/// The nearest number of the type, rounded once.
pub(crate) fn rounded<T: Element<Float = f32>>(x: f64) -> T {
    T::rounded(Format::of::<T>().round(x))
}

/// [`log_sum_exp`](crate::log_sum_exp), computed as by [`Exact`](crate::Exact), with the same bits on every machine.
///
/// - Error: at most 0.501 ULP, on sampled slices.
/// - Special values: as [`log_sum_exp`](crate::log_sum_exp).
///
/// ```
/// assert_eq!(activations::log_sum_exp_exact(&[0.1_f32, 0.2, 0.3]), 1.301_942_8);
/// ```
#[must_use]
pub fn log_sum_exp_exact<T: Element<Float = f32>>(x: &[T]) -> T {
    let (mut sum, mut tile) = (LogSumExp::<f64>::new(), Tile::<f64, TILE>::new());
    for x in x.chunks(TILE) {
        let numbers = tile.of(x.len());
        widen(x, 1, numbers);
        sum.push_slice_at(Level::portable(), numbers);
    }
    rounded(sum.finish())
}

/// [`log_sum_exp_rows`](crate::log_sum_exp_rows), computed as by [`Exact`](crate::Exact): the [`log_sum_exp_exact`] of each row.
///
/// # Panics
/// As [`log_sum_exp_rows`](crate::log_sum_exp_rows).
///
/// ```
/// let mut y = [0.0_f32; 2];
/// activations::log_sum_exp_rows_exact(&[1.0, 1.0, 3.0, 3.0], 2, &mut y);
/// assert_eq!(y, [1.693_147_2, 3.693_147_2]);
/// ```
#[track_caller]
pub fn log_sum_exp_rows_exact<T: Element<Float = f32>>(x: &[T], row_len: usize, y: &mut [T]) {
    check_rows(x.len(), row_len, y.len());
    for (x, y) in x.chunks_exact(row_len).zip(y) {
        *y = log_sum_exp_exact(x);
    }
}
