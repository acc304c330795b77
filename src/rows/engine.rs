//! Functions of rows in terms of exponentials: how rows are laid over lanes, and the three passes over them.
//!
//! 1. The greatest element, by which the exponentials are scaled.
//! 2. The exponentials and their sums.
//! 3. The results.
//!
//! The output keeps the exponentials between the second pass and the third; not that of halves, which would round them:
//! there the third pass computes them again.
//!
//! Rows come in columns, arrays with an element for each lane. Short rows lie side by side, each in a lane of its own;
//! longer ones take all lanes in turn, several rows in step, so that their reductions, long chains of operations each,
//! overlap. How many rows there are does not change the order of a row's sums, and so not its bits.

use core::array::{from_mut, from_ref};
use core::slice;

use crate::kernel::element::{Float, Lane};
use crate::kernel::level::Task;
use crate::kernel::real::{Abreast, Real};
use crate::kernel::sweep::unaligned;
use crate::math::RowExp;
use crate::rows::reduce::{
    CHUNK, DEPTH, Greatest, LANE_CHUNK, LANES, Partial, Sums, across, total_anything, total_exponentials, total_rounded,
};

/// Rows of up to this length lie side by side.
const SHORT: usize = LANES - 1;

/// Rows that are taken in step.
pub(crate) const GROUP: usize = 8;

/// Numbers that a formula may keep of a row.
const CONSTANTS: usize = 4;
pub(crate) type Constants<R> = [R; CONSTANTS];

/// A function of rows, as a formula of an element's exponential and of two sums over the row.
pub(crate) trait RowFormula: Copy {
    /// Whether the result takes the exponential (which is kept in the output until the sums are known) or the element.
    const OF_EXP: bool = true;

    /// Whether the greatest exponential is asked for, and a second sum.
    const SECOND: bool = false;

    /// Whether the elements are a function's outputs: they stand for exponentials as they are, and only the second sum is
    /// taken.
    const OF_OUTPUT: bool = false;

    /// What an element adds to the first sum: from 0 to the exponential `e`. `top` is the greatest exponential.
    #[inline(always)]
    fn first<R: Real>(self, e: R, top: R) -> R {
        let _ = top;
        e
    }

    /// What an element adds to the second sum: any number, and what rounding took away from it.
    #[inline(always)]
    fn second<R: Real>(self, e: R, top: R, grad_y: R) -> Partial<R> {
        let _ = (e, top);
        (grad_y, R::of(0.0))
    }

    /// What the results need to know of the row. If the first of them is NaN, so are they.
    fn constants<R: Real>(self, row: &Row<R>) -> Constants<R>;

    /// The result of an element, or of its exponential.
    fn result<R: Real>(self, of: R, grad_y: R, constants: &Constants<R>) -> R;
}

/// Whether the output keeps the exponentials until the sums are known.
#[inline(always)]
const fn keeps_exp<T: Float, F: RowFormula>() -> bool {
    F::OF_EXP && true
}

/// What the result is made of: the exponential, or the element. `x` is the exponential if the output kept it.
#[inline(always)]
fn of<T: Float, R: Lane<T>, F: RowFormula>(x: T, exp: RowExp<R>) -> R {
    let x = R::load(x);
    if F::OF_EXP && false { exp.exp(x) } else { x }
}

/// What is known of a row when its sums are.
#[derive(Clone, Copy)]
pub(crate) struct Row<R> {
    pub(crate) scale: Scale<R>,
    pub(crate) first: Partial<R>,
    pub(crate) second: Partial<R>,
}

/// What the exponentials of a row need to know of it.
#[derive(Clone, Copy)]
pub(crate) struct Scale<R> {
    pub(crate) greatest: R,
    pub(crate) exp: RowExp<R>,
    /// The exponential of the greatest, if the formula has a second sum.
    pub(crate) top: R,
}

impl<R: Real> Scale<R> {
    #[inline(always)]
    fn of<F: RowFormula>(greatest: R) -> Self {
        let exp = RowExp::below(greatest);
        Self { greatest, exp, top: if F::SECOND { exp.exp(greatest) } else { R::of(0.0) } }
    }
}

/// The scales of rows side by side. An array for each part of a scale: an array of structures would not vectorise.
struct Scales<R, const W: usize> {
    greatest: [R; W],
    offset: [R; W],
    most: [R; W],
    lift: [R; W],
    top: [R; W],
}

/// The scale of the row that a lane belongs to.
trait At<R>: Copy {
    fn at(self, i: usize) -> Scale<R>;
}

/// One row in all lanes.
#[derive(Clone, Copy)]
struct Uniform<R>(Scale<R>);

impl<R: Real> At<R> for Uniform<R> {
    #[inline(always)]
    fn at(self, _: usize) -> Scale<R> {
        self.0
    }
}

impl<R: Real, const W: usize> Scales<R, W> {
    #[inline(always)]
    fn of<F: RowFormula>(greatest: [R; W]) -> Self {
        let mut scales = Self { greatest, offset: greatest, most: greatest, lift: greatest, top: greatest };
        for (i, greatest) in greatest.into_iter().enumerate() {
            let Scale { exp: RowExp { offset, most, lift }, top, .. } = Scale::of::<F>(greatest);
            (scales.offset[i], scales.most[i], scales.lift[i], scales.top[i]) = (offset, most, lift, top);
        }
        scales
    }
}

impl<R: Real, const W: usize> At<R> for &Scales<R, W> {
    #[inline(always)]
    fn at(self, i: usize) -> Scale<R> {
        let exp = RowExp { offset: self.offset[i], most: self.most[i], lift: self.lift[i] };
        Scale { greatest: self.greatest[i], exp, top: self.top[i] }
    }
}

/// A formula run over rows of `row_len` elements; over the whole slice as one row if there is none.
pub(crate) struct Rows<'a, T, F> {
    pub(crate) formula: F,
    pub(crate) row_len: Option<usize>,
    /// `None`: in place.
    pub(crate) x: Option<&'a [T]>,
    /// `None`: the formula needs no gradient.
    pub(crate) grad_y: Option<&'a [T]>,
    pub(crate) y: &'a mut [T],
}

impl<T: Float, F: RowFormula> Task<T> for Rows<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        // An empty slice has no rows, whatever their length.
        let row_len = self.row_len.unwrap_or(self.y.len()).max(1);
        let block = Block { formula: self.formula, row_len, x: self.x, grad_y: self.grad_y, y: self.y };
        if row_len <= SHORT {
            let mut columns = Columns::new();
            let rest = block.by(
                LANES,
                LANES / 4,
                #[inline(always)]
                |rows| rows.side_by_side::<R, LANES>(&mut columns),
            );
            let mut columns = Columns::new();
            rest.by(
                1,
                1,
                #[inline(always)]
                |rows| rows.side_by_side::<R, 1>(&mut columns),
            );
        } else if F::OF_OUTPUT && row_len <= CHUNK {
            block.by(
                1,
                1,
                #[inline(always)]
                |row| row.of_output::<R>(),
            );
        } else if row_len <= CHUNK {
            let rows = GROUP;
            block.by(
                rows,
                1,
                #[inline(always)]
                |rows| rows.in_step::<R, GROUP>(),
            );
        } else {
            block.by(
                1,
                1,
                #[inline(always)]
                |row| row.long::<R>(),
            );
        }
    }
}

/// Some rows.
struct Block<'a, T, F> {
    formula: F,
    row_len: usize,
    x: Option<&'a [T]>,
    grad_y: Option<&'a [T]>,
    y: &'a mut [T],
}

/// Short rows by columns.
struct Columns<T, const W: usize> {
    x: [[T; W]; SHORT],
    grad_y: [[T; W]; SHORT],
}

impl<T: Float, const W: usize> Columns<T, W> {
    #[inline(always)]
    fn new() -> Self {
        let zeros = [[T::zero(); W]; SHORT];
        Self { x: zeros, grad_y: zeros }
    }
}

impl<'a, T: Float, F: RowFormula> Block<'a, T, F> {
    /// Calls `f` for each `rows` of the rows, as long as there are `least`. Returns the rest.
    #[inline(always)]
    fn by(mut self, rows: usize, least: usize, mut f: impl FnMut(Self)) -> Self {
        while self.y.len() >= least * self.row_len && !self.y.is_empty() {
            let at = self.y.len().min(rows * self.row_len);
            let (x, x_rest) = self.x.map(|x| x.split_at(at)).unzip();
            let (grad_y, grad_y_rest) = self.grad_y.map(|grad_y| grad_y.split_at(at)).unzip();
            let (y, y_rest) = self.y.split_at_mut(at);
            f(Self { x, grad_y, y, ..self });
            self = Self { x: x_rest, grad_y: grad_y_rest, y: y_rest, ..self };
        }
        self
    }

    /// The elements, wherever they are.
    #[inline(always)]
    fn x(&self) -> &[T] {
        self.x.unwrap_or(self.y)
    }

    /// Elements from `start` to `end`, as a row.
    #[inline(always)]
    fn part(&mut self, start: usize, end: usize) -> Block<'_, T, F> {
        Block {
            formula: self.formula,
            row_len: end - start,
            x: self.x.map(|x| &x[start..end]),
            grad_y: self.grad_y.map(|grad_y| &grad_y[start..end]),
            y: &mut self.y[start..end],
        }
    }

    /// Row number i.
    #[inline(always)]
    fn row(&mut self, i: usize) -> Block<'_, T, F> {
        self.part(i * self.row_len, (i + 1) * self.row_len)
    }

    /// Up to W rows side by side, each in a lane of its own.
    #[inline(always)]
    fn side_by_side<R: Lane<T>, const W: usize>(self, columns: &mut Columns<T, W>) {
        let (row_len, formula) = (self.row_len, self.formula);
        let (x, grad_y) = (&mut columns.x[..row_len], &mut columns.grad_y[..row_len]);
        transpose(self.x(), x);
        if let Some(g) = self.grad_y {
            transpose(g, grad_y);
        }
        let mut greatest = [R::of(0.0); W];
        if !F::OF_OUTPUT {
            let mut lanes = Greatest::new();
            lanes.take(x);
            greatest = lanes.lanes();
        }
        let scales = Scales::of::<F>(greatest);
        let (mut first, mut second) = (Sums::of_exponentials(), Sums::of_anything());
        exponentials::<T, R, F, W>(formula, None, Some(grad_y), x, &scales, &mut first, &mut second);

        let constants = constants(formula, &scales, first.exponentials(), second.anything());
        for (i, y) in self.y.chunks_exact_mut(row_len).enumerate() {
            let (constants, exp) = (of_row(&constants, i), (&scales).at(i).exp);
            for ((y, x), grad_y) in y.iter_mut().zip(&*x).zip(&*grad_y) {
                *y = formula.result(of::<T, R, F>(x[i], exp), R::load(grad_y[i]), &constants).store();
            }
        }
    }

    /// Up to G rows of up to `CHUNK` elements, each pass over all of them before the next.
    #[inline(always)]
    fn in_step<R: Lane<T>, const G: usize>(mut self) {
        let rows = self.y.len() / self.row_len;
        let mut max = [[R::of(0.0); LANES]; G];
        for (x, max) in self.x().chunks_exact(self.row_len).zip(&mut max) {
            *max = greatest_of_row::<T, R>(x);
        }
        let scales = Scales::of::<F>(across(&max, R::at_least));
        let (mut first, mut second) = ([Sums::of_exponentials(); G], [Sums::of_anything(); G]);
        for i in 0..rows {
            self.row(i).add_up(scales.at(i), &mut first[i], &mut second[i]);
        }
        let first = total_exponentials(&first);
        let second = if F::SECOND { total_anything(&second) } else { ([R::of(0.0); G], [R::of(0.0); G]) };
        let constants = constants(self.formula, &scales, first, second);
        for i in 0..rows {
            self.row(i).results::<R>(&of_row(&constants, i), scales.at(i).exp);
        }
    }

    /// One row of up to `CHUNK` outputs.
    #[inline(always)]
    fn of_output<R: Lane<T>>(mut self) {
        let scale = Scale::of::<F>(R::of(0.0));
        let (mut first, mut second) = (Sums::of_exponentials(), [Sums::of_anything()]);
        self.part(0, self.row_len).add_up(scale, &mut first, &mut second[0]);
        let (hi, lo) = total_rounded(&second);
        let row = Row { scale, first: (R::of(0.0), R::of(0.0)), second: (hi[0], lo[0]) };
        let constants = self.formula.constants(&row);
        self.results::<R>(&constants, scale.exp);
    }

    /// One row of any length, by chunks.
    #[inline(always)]
    fn long<R: Lane<T>>(mut self) {
        let max = if F::OF_OUTPUT { [R::of(0.0); LANES] } else { greatest_of_row::<T, R>(self.x()) };
        let scales = Scales::of::<F>(across(&[max], R::at_least));
        let (mut firsts, mut seconds) = ([Sums::of_anything()], [Sums::of_anything()]);
        // From the end, which the search for the greatest has just left in the cache.
        let chunks = (self.row_len / LANE_CHUNK).max(1);
        for chunk in (0..chunks).rev() {
            let start = chunk * LANE_CHUNK;
            let end = if chunk + 1 < chunks { start + LANE_CHUNK } else { self.row_len };
            let (mut first, mut second) = (Sums::of_exponentials(), Sums::of_anything());
            self.part(start, end).add_up(scales.at(0), &mut first, &mut second);
            firsts[0].merge(first.exponentials());
            if F::SECOND {
                seconds[0].merge(second.anything());
            }
        }
        let constants = constants(self.formula, &scales, total_anything(&firsts), total_anything(&seconds));
        self.results::<R>(&of_row(&constants, 0), scales.at(0).exp);
    }

    /// The second pass, over some columns of a row.
    #[inline(always)]
    fn add_up<R: Lane<T>>(self, scale: Scale<R>, first: &mut Sums<R, LANES>, second: &mut Sums<R, LANES>) {
        let scale = Uniform(scale);
        let (e, e_rest) = self.y.as_chunks_mut();
        let (x, x_rest) = self.x.map(<[T]>::as_chunks).map_or((None, &*e_rest), |(x, rest)| (Some(x), rest));
        let (grad_y, grad_rest) = self.grad_y.map(<[T]>::as_chunks).map_or((None, x_rest), |(g, rest)| (Some(g), rest));
        exponentials::<T, R, F, LANES>(self.formula, x, grad_y, e, scale, first, second);
        if !e_rest.is_empty() {
            let padding = if F::OF_OUTPUT { T::zero() } else { T::neg_infinity() };
            let (mut last, last_grad) = ([padded(x_rest, padding)], [padded(grad_rest, T::zero())]);
            exponentials::<T, R, F, LANES>(self.formula, None, Some(&last_grad), &mut last, scale, first, second);
            if keeps_exp::<T, F>() {
                for (e, &last) in e_rest.iter_mut().zip(&last[0]) {
                    *e = last;
                }
            }
        }
    }

    /// The third pass, over a row.
    #[inline(always)]
    fn results<R: Lane<T>>(self, constants: &Constants<R>, exp: RowExp<R>) {
        // A function, for its arguments are known not to overlap.
        #[inline(always)]
        fn results<T: Float, R: Lane<T>, F: RowFormula>(
            formula: F,
            x: Option<&[T]>,
            grad_y: Option<&[T]>,
            y: &mut [T],
            constants: &Constants<R>,
            exp: RowExp<R>,
        ) {
            match (x, grad_y) {
                (Some(x), Some(grad_y)) => {
                    for ((y, &x), &grad_y) in y.iter_mut().zip(x).zip(grad_y) {
                        *y = formula.result(of::<T, R, F>(x, exp), R::load(grad_y), constants).store();
                    }
                }
                (None, Some(grad_y)) => {
                    for (y, &grad_y) in y.iter_mut().zip(grad_y) {
                        *y = formula.result(of::<T, R, F>(*y, exp), R::load(grad_y), constants).store();
                    }
                }
                (Some(x), None) => {
                    for (y, &x) in y.iter_mut().zip(x) {
                        *y = formula.result(of::<T, R, F>(x, exp), R::of(0.0), constants).store();
                    }
                }
                (None, None) => {
                    for y in y {
                        *y = formula.result(of::<T, R, F>(*y, exp), R::of(0.0), constants).store();
                    }
                }
            }
        }

        let (formula, constants) = (self.formula, &{ *constants });
        let x = if keeps_exp::<T, F>() { None } else { self.x };
        let at = unaligned(self.y);
        let (x_head, x) = x.map(|x| x.split_at(at)).unzip();
        let (grad_head, grad_y) = self.grad_y.map(|grad_y| grad_y.split_at(at)).unzip();
        let (y_head, y) = self.y.split_at_mut(at);
        let (x, x_rest) = x.map(<[T]>::as_chunks::<LANES>).unzip();
        let (grad_y, grad_rest) = grad_y.map(<[T]>::as_chunks::<LANES>).unzip();
        let (y, y_rest) = y.as_chunks_mut::<LANES>();
        let (x, grad_y) = (x.map(<[_]>::as_flattened), grad_y.map(<[_]>::as_flattened));
        results(formula, x, grad_y, y.as_flattened_mut(), constants, exp);
        for (x, grad_y, y) in [(x_head, grad_head, y_head), (x_rest, grad_rest, y_rest)] {
            results(formula, x, grad_y, y, constants, exp);
        }
    }
}

/// Up to a column of elements, and as many of `padding` as are missing.
#[inline(always)]
pub(crate) fn padded<T: Float>(elements: &[T], padding: T) -> [T; LANES] {
    let mut column = [padding; LANES];
    for (lane, &element) in column.iter_mut().zip(elements) {
        *lane = element;
    }
    column
}

/// What the formula keeps of each row, an array for each constant.
#[inline(always)]
fn constants<R: Real, F: RowFormula, const W: usize>(
    formula: F,
    scales: &Scales<R, W>,
    first: Partial<[R; W]>,
    second: Partial<[R; W]>,
) -> [[R; W]; CONSTANTS] {
    let mut constants = [[R::of(0.0); W]; CONSTANTS];
    for i in 0..W {
        let (first, second) = ((first.0[i], first.1[i]), (second.0[i], second.1[i]));
        let row = formula.constants(&Row { scale: scales.at(i), first, second });
        for (constants, constant) in constants.iter_mut().zip(row) {
            constants[i] = constant;
        }
        // NaN for a row with NaN or infinity, or of nothing but -inf.
        constants[0][i] = constants[0][i] - scales.greatest[i].abs() * R::of(0.0);
    }
    constants
}

#[inline(always)]
fn of_row<R: Real, const W: usize>(constants: &[[R; W]; CONSTANTS], i: usize) -> Constants<R> {
    let mut of_row = [R::of(0.0); CONSTANTS];
    for (of_row, constants) in of_row.iter_mut().zip(constants) {
        *of_row = constants[i];
    }
    of_row
}

/// Rows to columns: the element c of row i to lane i of column c.
#[inline(always)]
fn transpose<T: Float, const W: usize>(rows: &[T], columns: &mut [[T; W]]) {
    let row_len = columns.len();
    let count = rows.len() / row_len;
    for (c, column) in columns.iter_mut().enumerate() {
        for (i, lane) in column[..count].iter_mut().enumerate() {
            *lane = rows[i * row_len + c];
        }
    }
}

/// The greatest of a row in each lane.
#[inline(always)]
pub(crate) fn greatest_of_row<T: Float, R: Lane<T>>(x: &[T]) -> [R; LANES] {
    let mut greatest = Greatest::new();
    let at = unaligned(x);
    let (columns, rest) = x[at..].as_chunks();
    greatest.take(columns);
    // At the ends some elements twice, which does not matter.
    if at > 0 {
        greatest.take(x.first_chunk().map_or(&[], slice::from_ref));
    }
    if !rest.is_empty() {
        greatest.take(x.last_chunk().map_or(&[], slice::from_ref));
    }
    greatest.lanes()
}

/// The exponentials of some columns, which the formula's sums take up, and `e` keeps if the formula's results are made
/// of them. Without `x`, `e` holds the elements.
#[inline(always)]
fn exponentials<T: Float, R: Lane<T>, F: RowFormula, const W: usize>(
    formula: F,
    x: Option<&[[T; W]]>,
    grad_y: Option<&[[T; W]]>,
    e: &mut [[T; W]],
    scales: impl At<R>,
    first: &mut Sums<R, W>,
    second: &mut Sums<R, W>,
) {
    // A function, for its arguments are known not to overlap.
    #[inline(always)]
    fn block<T: Float, R: Lane<T>, F: RowFormula, const W: usize, const K: usize>(
        formula: F,
        x: &[[T; W]; K],
        grad_y: &[[T; W]; K],
        e: &mut [[T; W]; K],
        scales: impl At<R>,
        first: &mut Sums<R, W>,
        second: &mut Sums<R, W>,
    ) {
        for i in 0..W {
            let Scale { exp: RowExp { offset, most, lift }, top, .. } = scales.at(i);
            let one = RowExp { offset, most, lift };
            let mut exp = Abreast::<R, K>::splat(top);
            // One after another: abreast, they would need more registers than there are.
            macro_rules! each {
                ($($n:literal $lane:tt)*) => {$(
                    if K > $n {
                        exp.$lane = if F::OF_OUTPUT { R::load(x[$n][i]) } else { one.exp(R::load(x[$n][i])) };
                    }
                )*};
            }
            each!(0 0 1 1 2 2 3 3);
            let top = Abreast::splat(top);
            if !F::OF_OUTPUT {
                first.add_bounded(i, formula.first(exp, top));
            }
            if F::SECOND {
                second.add(i, formula.second(exp, top, Abreast::gather(grad_y, i)));
            }
            if keeps_exp::<T, F>() {
                exp.scatter(e, i);
            }
        }
    }

    let (e_blocks, e_rest) = e.as_chunks_mut::<DEPTH>();
    let (x_blocks, x_rest) = x.map(<[_]>::as_chunks::<DEPTH>).unzip();
    let (grad_blocks, grad_rest) = grad_y.map(<[_]>::as_chunks::<DEPTH>).unzip();
    for (b, e) in e_blocks.iter_mut().enumerate() {
        let copy = *e;
        let x = x_blocks.map_or(&copy, |x| &x[b]);
        let grad_y = grad_blocks.map_or(x, |grad_y| &grad_y[b]);
        block(formula, x, grad_y, e, scales, first, second);
    }
    for (b, e) in e_rest.iter_mut().enumerate() {
        let copy = [*e];
        let x = x_rest.map_or(&copy, |x| from_ref(&x[b]));
        let grad_y = grad_rest.map_or(x, |grad_y| from_ref(&grad_y[b]));
        block(formula, x, grad_y, from_mut(e), scales, first, second);
    }
}
