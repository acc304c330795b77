//! Short rows side by side: each in a lane of its own, so that no row needs a reduction over lanes.

use core::marker::PhantomData;

use super::engine::{Accumulate, CONSTANTS, RowFormula, SHORT, SIDE, Slices, Stats, constants, exponentials};
use super::probability::Complement;
use super::reduce::{Greatest, LANES, Sums, normalised, seed};
use crate::kernel::element::{Float, Lane};
use crate::kernel::level::{Level, Task, dispatch};
use crate::kernel::real::Real;
use crate::math::fast_two_sum;

/// A column has the element of each row at one place.
pub(crate) type Column<T> = [T; SIDE];

/// Runs the formula over short rows.
pub(crate) fn run<T: Float, F: RowFormula>(level: Level, formula: F, mut slices: Slices<'_, T>) {
    let (row_len, len) = (slices.row_len, slices.y.len());
    let mut columns = [[T::zero(); SIDE]; SHORT];
    let mut gradients = if F::OF_GRADIENT { [[T::zero(); SIDE]; SHORT] } else { columns };
    let (columns, gradients) = (&mut columns[..row_len], &mut gradients[..row_len]);
    let mut stats = Stats::new();
    for start in (0..len).step_by(SIDE * row_len) {
        let Slices { x, grad_y, y, .. } = slices.part(start..len.min(start + SIDE * row_len));
        if let Some(rows) = grad_y {
            dispatch(level, ToColumns { rows, columns: &mut *gradients });
        }
        dispatch(level, ToColumns { rows: x.unwrap_or(y), columns: &mut *columns });
        if F::SUMS_GRADIENTS {
            let sums = PhantomData::<super::engine::Plainly>;
            dispatch(level, AddUp { sums, columns: &mut *gradients, grad_y: &[], stats: &mut stats });
        }
        if !F::Sums::OF_OUTPUT || F::Sums::SECOND {
            let sums = PhantomData::<F::Sums>;
            dispatch(level, AddUp { sums, columns: &mut *columns, grad_y: &*gradients, stats: &mut stats });
        }
        dispatch(level, Finish { formula, columns: &mut *columns, grad_y: &*gradients, stats: &stats });
        dispatch(level, FromColumns { columns, rows: y });
    }
}

/// The greatest element, exponentials and sums of each row.
struct AddUp<'a, T, K> {
    sums: PhantomData<K>,
    columns: &'a mut [Column<T>],
    grad_y: &'a [Column<T>],
    stats: &'a mut Stats<T>,
}

impl<T: Float, K: Accumulate> Task<T> for AddUp<'_, T, K> {
    type Output = ();

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        let Self { columns, grad_y, stats, .. } = self;
        if !K::OF_OUTPUT {
            let mut greatest = Greatest::<R, SIDE>::new();
            greatest.take(columns);
            stats.scale(&greatest.lanes(), false);
        }
        let (mut first, mut second) = (Sums::of_exponentials(), Sums::of_anything());
        let grad_y = if grad_y.is_empty() { None } else { Some(grad_y) };
        exponentials::<T, R, K, SIDE>(None, grad_y, Some(columns), &*stats, &mut first, &mut second);
        let (first, second) = (first.exponentials(), second.anything());
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

/// Exponentials of each row but for the greatest, on the grid, with the sums that the lanes of a longer row would have: the
/// columns become the exponentials.
pub(crate) struct RestOnGrid<'a, T> {
    pub(crate) columns: &'a mut [Column<T>],
    pub(crate) stats: &'a mut Stats<T>,
}

impl<T: Float> Task<T> for RestOnGrid<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        /// By pairs, as [`across`](super::reduce::across) puts lanes together.
        #[inline(always)]
        fn tree<R: Real>(mut lanes: [[R; SIDE]; LANES]) -> [R; SIDE] {
            let mut width = LANES / 2;
            while width > 0 {
                for k in 0..width {
                    for i in 0..SIDE {
                        lanes[k][i] = lanes[2 * k][i] + lanes[2 * k + 1][i];
                    }
                }
                width /= 2;
            }
            lanes[0]
        }

        /// The exponentials of a column, and what they add to three sums.
        #[inline(always)]
        fn column<T: Float, R: Lane<T>>(column: &mut Column<T>, stats: &Stats<T>, sums: [&mut [R; SIDE]; 3]) {
            let [hi, lo, tops] = sums;
            for i in 0..SIDE {
                let (e, top) = (stats.exp::<R>(i).exp(R::load(column[i])), R::load(stats.top[i]));
                let (sum, error) = fast_two_sum(seed::<R>(), Complement::below_top(e, top));
                (hi[i], lo[i], tops[i]) = (sum - seed(), R::of(0.0) + error, Complement::is_top(e, top).0);
                column[i] = e.store();
            }
        }

        let Self { columns, stats } = self;
        let mut greatest = Greatest::<R, SIDE>::new();
        greatest.take(columns);
        stats.scale(&greatest.lanes(), true);
        let zeros = [[R::of(0.0); SIDE]; LANES];
        let (mut hi, mut lo, mut tops) = (zeros, zeros, zeros);
        let count = columns.len();
        for (c, of) in columns.iter_mut().enumerate() {
            column::<T, R>(of, stats, [&mut hi[c], &mut lo[c], &mut tops[c]]);
        }
        // What a lane without an element has: the exponential of -inf, which is not quite nothing.
        let mut nothing = [T::neg_infinity(); SIDE];
        if count < LANES {
            column::<T, R>(&mut nothing, stats, [&mut hi[count], &mut lo[count], &mut tops[count]]);
            for c in count + 1..LANES {
                (hi[c], lo[c], tops[c]) = (hi[count], lo[count], tops[count]);
            }
        }
        let (hi, lo) = normalised(tree(hi), tree(lo));
        let tops = tree(tops);
        for i in 0..SIDE {
            (stats.first.0[i], stats.first.1[i]) = (hi[i].store(), lo[i].store());
            (stats.second.0[i], stats.second.1[i]) = (tops[i].store(), T::zero());
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

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        // A function, because LLVM knows only of its arguments that they do not overlap.
        #[inline(always)]
        fn column<T: Float, R: Lane<T>, F: RowFormula>(
            formula: F,
            column: &mut Column<T>,
            grad_y: &Column<T>,
            constants: &[[R; SIDE]; CONSTANTS],
        ) {
            for i in 0..SIDE {
                let of_row = [constants[0][i], constants[1][i], constants[2][i], constants[3][i]];
                column[i] = formula.result(R::load(column[i]), R::load(grad_y[i]), &of_row).store();
            }
        }

        let constants = constants::<T, R, F>(self.formula, self.stats);
        for (of, grad_y) in self.columns.iter_mut().zip(self.grad_y) {
            column::<T, R, F>(self.formula, of, grad_y, &constants);
        }
    }
}

/// Rows to columns: the element c of row i to lane i of column c.
pub(crate) struct ToColumns<'a, T> {
    pub(crate) rows: &'a [T],
    pub(crate) columns: &'a mut [Column<T>],
}

impl<T: Float> Task<T> for ToColumns<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        let row_len = self.columns.len();
        let count = self.rows.len() / row_len;
        for (c, column) in self.columns.iter_mut().enumerate() {
            for (i, lane) in column[..count].iter_mut().enumerate() {
                *lane = self.rows[i * row_len + c];
            }
        }
    }
}

/// The other way round.
pub(crate) struct FromColumns<'a, T> {
    pub(crate) columns: &'a [Column<T>],
    pub(crate) rows: &'a mut [T],
}

impl<T: Float> Task<T> for FromColumns<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        for (i, row) in self.rows.chunks_exact_mut(self.columns.len()).enumerate() {
            for (column, element) in self.columns.iter().zip(row) {
                *element = column[i];
            }
        }
    }
}
