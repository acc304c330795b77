//! Sparsemax: the point of the probability simplex nearest to a row.

#[cfg(feature = "alloc")]
use alloc::{vec, vec::Vec};

use super::formula::{Parts, Rows, Slices};
use super::gather::{self, ByTiles, Work};
use super::layout::{Layout, rows_along_axis, rows_of_length};
use super::terms::{Stage, Terms};
use crate::activation::Activation;
use crate::describe::card::{Card, Described, ErrorBounds, Vanishes};
use crate::describe::parameters::parameters;
use crate::from_output::FromOutput;
use crate::kernel::abreast::Abreast;
use crate::kernel::dispatch::{Task, dispatch};
use crate::kernel::element::{Element, Float, Lane, per_element};
use crate::kernel::level::Level;
use crate::kernel::real::Real;
use crate::kernel::tiles::Tile;
use crate::math::{fast_two_sum, two_sum};
use crate::pass::{Pass, Pieces};
use crate::rows::reduce::{LANES, Partial, Sums, across, add, total_anything};
use crate::rows::sums::{greatest_of, padded};

/// Sparsemax, for attention and classifiers with exact zeros: p\[i\] = max(x\[i\] - tau, 0) over each row, where tau makes the row
/// sum to 1.
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/sparsemax.svg"))]
///
/// It is like [`Softmax`](crate::Softmax), but an element more than 1 below the greatest has probability 0. It is the Euclidean
/// projection of the row on the probability simplex.
///
/// - [`Sparsemax::default()`] takes the whole slice as one row, [`Sparsemax::rows(n)`](Self::rows) makes a row of each n elements,
///   and [`Sparsemax::axis`] takes rows along another axis. Such a row may have more than 4096 elements only with the feature
///   `alloc`, because it is then copied to the heap. Without `alloc` the call panics.
/// - Derivative: a Jacobian. If k elements of the row have p above 0, dp\[i\]/dx\[j\] = \[i = j\] - 1/k between these, and 0
///   elsewhere. [`derivative`](Activation::derivative) gives its diagonal, 1 - 1/k. [`backward`](Activation::backward) gives the
///   product with the whole Jacobian: for the k elements, g minus the mean of their g.
///   [`backward_from_output`](FromOutput::backward_from_output) gives the same, faster.
/// - Range: \[0, 1\]; a row sums to 1.
/// - Error: at most 2 ULP where p is above 2^-20 (`f64`: 2^-49), and an absolute error below 2^-43 (`f64`: 2^-100) elsewhere,
///   because sums and tau have twice the digits of the type. The diagonal has at most 1 ULP.
/// - Special values: a row with NaN or +inf, or of nothing but -inf, gives NaN. In other rows, sparsemax(-inf) = 0.
/// - Time: tau is found by passes over the row, until a pass removes no more elements (Michelot, "A finite algorithm for finding
///   the projection of a point onto the canonical simplex of R^n", 1986). Random rows need few passes, but the worst rows need as
///   many passes as they have elements.
/// - Source: Martins & Astudillo, "From softmax to sparsemax: a sparse model of attention and multi-label classification",
///   2016, arXiv:1602.02068.
///
/// ```
/// use activations::{Activation, Sparsemax};
///
/// let mut p = [1.0_f32; 4];
/// Sparsemax::default().forward(&[2.0, 1.5, 0.9, -7.0], &mut p);
/// assert_eq!(p, [0.75, 0.25, 0.0, 0.0]);
/// ```
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sparsemax {
    layout: Layout,
}

impl<T: Element> Activation<T> for Sparsemax {
    #[inline]
    fn run(&self, level: Level, pass: Pass<'_, T>) {
        T::call(self, (level, Asked::Pass(pass)));
    }

    #[inline]
    fn pieces(&self) -> Pieces {
        Pieces::of(self.layout.unit())
    }
}

impl<T: Element> FromOutput<T> for Sparsemax {
    #[inline]
    fn run_from_output(&self, level: Level, y: &[T], grad_y: &[T], grad_x: &mut [T]) {
        T::call(self, (level, Asked::FromOutput { y, grad_y, grad_x }));
    }
}

/// The results that a caller wants.
#[doc(hidden)]
#[derive(Debug)]
pub enum Asked<'a, T> {
    Pass(Pass<'a, T>),
    FromOutput { y: &'a [T], grad_y: &'a [T], grad_x: &'a mut [T] },
}

per_element!(Sparsemax: Args<'a, T> = (Level, Asked<'a, T>), run);

fn run<T: Element>(sparsemax: &Sparsemax, (level, asked): (Level, Asked<'_, T>)) {
    let layout = sparsemax.layout;
    let rows = |what, x: Option<&[T]>, grad_y: Option<&[T]>, y: &mut [T]| {
        if layout.inner() == 1 {
            each_row(level, layout.row_len(y.len()), what, x, grad_y, y);
        } else {
            along_axis(level, layout, what, x, grad_y, y);
        }
    };
    match asked {
        Asked::Pass(Pass::Forward { x, y }) => rows(What::Value, Some(x), None, y),
        Asked::Pass(Pass::ForwardInPlace { x }) => rows(What::Value, None, None, x),
        Asked::Pass(Pass::Derivative { x, dydx }) => rows(What::Slope, Some(x), None, dydx),
        Asked::Pass(Pass::ForwardWithDerivative { x, y, dydx }) => {
            rows(What::Value, Some(x), None, y);
            rows(What::Slope, Some(x), None, dydx);
        }
        Asked::Pass(Pass::Backward { x, grad_y, grad_x }) => rows(What::Slope, Some(x), Some(grad_y), grad_x),
        Asked::FromOutput { y, grad_y, grad_x } => rows(What::FromOutput, Some(y), Some(grad_y), grad_x),
    }
}

fn each_row<T: Element>(level: Level, row_len: usize, what: What, x: Option<&[T]>, grad_y: Option<&[T]>, y: &mut [T]) {
    for (i, y) in y.chunks_exact_mut(row_len).enumerate() {
        let row = i * row_len..(i + 1) * row_len;
        let (x, grad_y) = (x.map(|x| &x[row.clone()]), grad_y.map(|grad_y| &grad_y[row]));
        let greatest = greatest_of(level, x.unwrap_or(y));
        dispatch(level, Row { what, greatest, x, grad_y, y });
    }
}

/// Runs rows whose elements are not adjacent, by tiles of floats.
fn along_axis<T: Element>(
    level: Level,
    layout: Layout,
    what: What,
    x: Option<&[T]>,
    grad_y: Option<&[T]>,
    y: &mut [T],
) {
    let mut inputs = Tile::<T::Float, { gather::TILE }>::new();
    let mut formula = |rows: Rows<'_, T::Float>| match rows {
        Rows::Slices(Slices { row_len, grad_y, y, .. }) => {
            let x = inputs.of(y.len());
            x.copy_from_slice(y);
            each_row(level, row_len, what, Some(x), grad_y, y);
        }
        Rows::Parts { row_len, part, .. } => long_row(level, row_len, what, part),
    };
    let (terms, stage) = (Terms::scaled(1.0), Stage::Slope);
    T::call(
        &ByTiles,
        Work { level, layout, terms, stage, x, grad_y, y, of_sink: &mut |_, _| {}, parted: 1, formula: &mut formula },
    );
}

/// Gathers the whole of a row that does not fit into a tile, because it is read several times.
#[cfg(feature = "alloc")]
fn long_row<T: Float>(level: Level, row_len: usize, what: What, part: Parts<'_, T>) {
    let (mut x, mut gradients, mut y) = (Vec::with_capacity(row_len), Vec::new(), vec![T::zero(); row_len]);
    part(0..row_len, false, &mut |_, slices| {
        x.extend_from_slice(slices.y);
        gradients.extend_from_slice(slices.grad_y.unwrap_or(&[]));
    });
    let grad_y = if gradients.is_empty() { None } else { Some(&gradients[..]) };
    each_row(level, row_len, what, Some(&x), grad_y, &mut y);
    let mut rest = &y[..];
    part(0..row_len, true, &mut |_, slices| {
        let (first, others) = rest.split_at(slices.y.len());
        slices.y.copy_from_slice(first);
        rest = others;
    });
}

#[cfg(not(feature = "alloc"))]
fn long_row<T: Float>(_: Level, row_len: usize, _: What, _: Parts<'_, T>) {
    panic!(
        "sparsemax: rows along an axis have at most {} elements without the feature `alloc`, but these have {row_len}",
        gather::TILE
    );
}

rows_of_length!(Sparsemax);
rows_along_axis!(Sparsemax);
parameters!(Sparsemax);

impl Described for Sparsemax {
    const CARD: Card = Card {
        name: "sparsemax",
        aliases: &[],
        formula: "max(x[i] - tau, 0), tau so that they sum to 1 over the row",
        derivative: "[i = j] - 1/k among the k with p > 0, else 0: a Jacobian; its diagonal is 1 - 1/k, or 0",
        range: (0.0, 1.0),
        vanishes: Vanishes::BothSides,
        zero_centred: false,
        monotone: true,
        kinks: &[-1.0, 1.0],
        common_use: "attention, and classifiers, that leave most out",
        source: "Martins & Astudillo, 2016, arXiv:1602.02068",
        error: ErrorBounds { f32: (2.0, 1.0), f32_plain: (2.0, 1.0), f64: (2.0, 1.0), f64_plain: (2.0, 1.0) },
    };
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Value,
    /// The Jacobian's diagonal, or with a gradient the product.
    Slope,
    /// The product, from the output.
    FromOutput,
}

/// One row of any length. Halves are widened when they are loaded, because a row is read several times.
struct Row<'a, T: Element> {
    what: What,
    greatest: T::Float,
    /// `None` if the function runs in place.
    x: Option<&'a [T]>,
    grad_y: Option<&'a [T]>,
    y: &'a mut [T],
}

impl<T: Element> Task<T::Float> for Row<'_, T> {
    type Output = ();
    type Home = Self;

    #[inline(always)]
    fn run<R: Lane<T::Float>>(self) {
        let Self { what, greatest, x, grad_y, y } = self;
        let (zero, one) = (R::of(0.0), R::of(1.0));
        let elements = x.unwrap_or(y);
        let threshold: Threshold<R> =
            if what == What::FromOutput { Threshold::zero() } else { Threshold::of(elements, R::load(greatest)) };
        // 0, or NaN for the whole row.
        let rest = R::abs(threshold.tau.0 * zero);
        match (what, grad_y) {
            (What::Value, _) => each(
                x,
                y,
                #[inline(always)]
                |x: R| threshold.above(x).at_least(zero),
            ),
            (_, None) => {
                let (count, _) = threshold.support(elements, None);
                let slope = (count - one) / count;
                each(
                    x,
                    y,
                    #[inline(always)]
                    |x: R| R::select(zero.lt(threshold.above(x)), slope, rest),
                );
            }
            (_, Some(grad_y)) => {
                let (count, (hi, lo)) = threshold.support(elements, Some(grad_y));
                let mean = (hi + lo) / count;
                for ((y, &x), &grad_y) in y.iter_mut().zip(x.unwrap_or(&[])).zip(grad_y) {
                    let above = threshold.above(R::load(x.widened()));
                    // If an output is NaN, its gradient is too.
                    let rest = if what == What::FromOutput { above * zero } else { rest };
                    let slope = R::select(zero.lt(above), R::load(grad_y.widened()) - mean, rest);
                    *y = T::rounded(slope.store());
                }
            }
        }
    }
}

/// `y = f(x)`, of each element.
#[inline(always)]
fn each<T: Element, R: Lane<T::Float>>(x: Option<&[T]>, y: &mut [T], f: impl Fn(R) -> R) {
    match x {
        Some(x) => {
            for (y, &x) in y.iter_mut().zip(x) {
                *y = T::rounded(f(R::load(x.widened())).store());
            }
        }
        None => {
            for y in y {
                *y = T::rounded(f(R::load(y.widened())).store());
            }
        }
    }
}

/// The threshold tau. The elements of the row above it are its support.
#[derive(Clone, Copy)]
struct Threshold<R> {
    /// The greatest element if it is far from 0, else 0. The difference to it is exact for all elements that matter.
    offset: R,
    /// tau minus the offset, as an unevaluated sum.
    tau: Partial<R>,
}

impl<R: Real> Threshold<R> {
    #[inline(always)]
    fn zero() -> Self {
        Self { offset: R::of(0.0), tau: (R::of(0.0), R::of(0.0)) }
    }

    /// x - tau.
    #[inline(always)]
    fn above(&self, x: R) -> R {
        ((x - self.offset) - self.tau.0) - self.tau.1
    }

    /// The threshold of a row (Michelot). It starts at 1 below the greatest element. In each pass it becomes the number for which
    /// the elements above it sum to 1, which removes those that are now below it, until none is removed. NaN if an element is NaN
    /// or inf, or all are -inf.
    #[inline(always)]
    fn of<T: Element>(x: &[T], greatest: R) -> Self
    where
        R: Lane<T::Float>,
    {
        let one = R::of(1.0);
        let nan = greatest.abs() * R::of(0.0);
        let offset = R::select(greatest.abs().lt(R::of(2.0)), R::of(0.0), greatest);
        let mut threshold = Self { offset, tau: two_sum(greatest - offset, nan - one) };
        let mut before = f64::INFINITY;
        loop {
            let (count, sum) = threshold.support(x, None);
            let number = count.wide();
            if number == 0.0 || number >= before {
                return threshold;
            }
            before = number;
            threshold.tau = quotient(add(sum, -one), count);
            if number == 1.0 {
                // The only element above tau has exactly the probability 1.
                return Self { offset: greatest, tau: (-one, R::of(0.0)) };
            }
        }
    }

    /// The number of elements above tau, and the sum of their terms. Without terms it is the sum of their distances from the offset.
    #[inline(always)]
    fn support<T: Element>(&self, x: &[T], terms: Option<&[T]>) -> (R, Partial<R>)
    where
        R: Lane<T::Float>,
    {
        let (mut counts, mut sums) = ([[R::of(0.0); LANES]], [Sums::<R, LANES>::of_anything()]);
        let (columns, rest) = x.as_chunks();
        let (term_columns, term_rest) = terms.map(<[T]>::as_chunks).unzip();
        for (i, x) in columns.iter().enumerate() {
            self.take(x, term_columns.map(|terms| &terms[i]), &mut counts[0], &mut sums[0]);
        }
        if !rest.is_empty() {
            let rest = padded(rest, T::neg_infinity());
            let term_rest = term_rest.map(|terms| padded(terms, T::zero()));
            self.take(&rest, term_rest.as_ref(), &mut counts[0], &mut sums[0]);
        }
        let (hi, lo) = total_anything(&sums);
        (across(&counts, R::add)[0], (hi[0], lo[0]))
    }

    /// Adds a column to a support.
    #[inline(always)]
    fn take<T: Element>(
        &self,
        x: &[T; LANES],
        terms: Option<&[T; LANES]>,
        counts: &mut [R; LANES],
        sums: &mut Sums<R, LANES>,
    ) where
        R: Lane<T::Float>,
    {
        for i in 0..LANES {
            let x = R::load(x[i].widened());
            let above = R::of(0.0).lt(self.above(x));
            let term = terms.map_or(x - self.offset, |terms| R::load(terms[i].widened()));
            let term = R::select(above, term, R::of(0.0));
            counts[i] = counts[i] + R::select(above, R::of(1.0), R::of(0.0));
            sums.add(i, (Abreast::<R, 1>::splat(term), Abreast::splat(R::of(-0.0))));
        }
    }
}

/// A sum divided by a whole number, as an unevaluated sum.
#[inline(always)]
fn quotient<R: Real>((hi, lo): Partial<R>, count: R) -> Partial<R> {
    let (hi, lo) = fast_two_sum(hi, lo);
    let quotient = hi / count;
    let (product, product_lo) = quotient.two_mul(count);
    (quotient, (((hi - product) - product_lo) + lo) / count)
}
