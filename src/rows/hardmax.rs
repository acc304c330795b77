//! Hardmax: 1 for the greatest element of a row, 0 for the others.

use num_traits::float::FloatCore;
use num_traits::{One, Zero};

use super::by_parts::greatest_by_parts;
use super::formula::{Rows, Slices};
use super::gather::{ByTiles, Work};
use super::layout::{Layout, rows_along_axis, rows_of_length};
use super::sums::greatest_of;
use super::terms::{Stage, Terms};
use crate::activation::Activation;
use crate::describe::card::{Card, Described, ErrorBounds, Vanishes};
use crate::describe::parameters::parameters;
use crate::kernel::element::{Element, per_element};
use crate::kernel::level::Level;
use crate::pass::{Pass, Pieces};

/// Hardmax, for the choice of one (a prediction, hard attention): 1 for the first of a row's greatest elements, 0 for the
/// others.
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/hardmax.svg"))]
///
/// - [`Hardmax::default()`] takes the whole slice as one row, [`Hardmax::rows(n)`](Self::rows) makes a row of each n elements, and
///   [`Hardmax::axis`] takes rows along another axis.
/// - Derivative: 0. [`backward`](Activation::backward) gives zeros, so nothing is learnt through a hardmax.
/// - Range: {0, 1}. Exact.
/// - Special values: a row with NaN is NaN. An infinity is treated like any other number, even if all elements are -inf.
/// - Source: the operator Hardmax of ONNX, 2017. If the greatest element is unique, it is the limit of
///   [`Softmax`](crate::Softmax) of c x as c grows.
///
/// ```
/// use activations::{Activation, Hardmax};
///
/// let mut y = [0.0_f32; 6];
/// Hardmax::rows(3)?.forward(&[1.0, 3.0, 3.0, -1.0, -2.0, -3.0], &mut y);
/// assert_eq!(y, [0.0, 1.0, 0.0, 1.0, 0.0, 0.0]);
/// # Ok::<(), activations::ParameterError>(())
/// ```
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hardmax {
    layout: Layout,
}

impl<T: Element> Activation<T> for Hardmax {
    #[inline]
    fn run(&self, level: Level, pass: Pass<'_, T>) {
        T::call(self, (level, pass));
    }

    #[inline]
    fn pieces(&self) -> Pieces {
        Pieces::of(self.layout.unit())
    }
}

rows_of_length!(Hardmax);
rows_along_axis!(Hardmax);
parameters!(Hardmax);

impl Described for Hardmax {
    const CARD: Card = Card {
        name: "hardmax",
        aliases: &[],
        formula: "1 for the first of the row's greatest, else 0",
        derivative: "0 everywhere",
        range: (0.0, 1.0),
        vanishes: Vanishes::BothSides,
        zero_centred: false,
        monotone: true,
        kinks: &[0.0],
        common_use: "the choice of one: a prediction, hard attention",
        source: "ONNX, operator Hardmax, 2017",
        error: ErrorBounds::EXACT,
    };
}

per_element!(Hardmax: Args<'a, T> = (Level, Pass<'a, T>), run);

fn run<T: Element>(hardmax: &Hardmax, (level, pass): (Level, Pass<'_, T>)) {
    let layout = hardmax.layout;
    let values = |x: Option<&[T]>, y: &mut [T]| rows(level, layout, true, x, None, y);
    let slopes = |x: &[T], y: &mut [T]| rows(level, layout, false, Some(x), None, y);
    match pass {
        Pass::Forward { x, y } => values(Some(x), y),
        Pass::ForwardInPlace { x } => values(None, x),
        Pass::Derivative { x, dydx } => slopes(x, dydx),
        Pass::ForwardWithDerivative { x, y, dydx } => {
            values(Some(x), y);
            slopes(x, dydx);
        }
        Pass::Backward { x, grad_y, grad_x } => rows(level, layout, false, Some(x), Some(grad_y), grad_x),
    }
}

/// Values, or slopes, which are zeros. With a gradient, the slopes times the gradient.
fn rows<T: Element>(level: Level, layout: Layout, values: bool, x: Option<&[T]>, grad_y: Option<&[T]>, y: &mut [T]) {
    if layout.inner() == 1 {
        each_row(level, layout.row_len(y.len()), if values { T::one() } else { T::zero() }, x, y);
        return times(grad_y, y);
    }
    let chosen: T::Float = if values { One::one() } else { Zero::zero() };
    let mut formula = |rows: Rows<'_, T::Float>| match rows {
        Rows::Slices(Slices { row_len, grad_y, y, .. }) => {
            each_row(level, row_len, chosen, None, y);
            times(grad_y, y);
        }
        Rows::Parts { row_len, part, .. } => {
            let greatest = greatest_by_parts(level, row_len, part)[0];
            let (mut nan, mut first, mut at) = (false, None, 0);
            part(0..row_len, false, &mut |_, slices| {
                // Infinity stands for NaN too.
                nan |= greatest == FloatCore::infinity() && slices.y.iter().any(|x| x.is_nan());
                first = first.or_else(|| slices.y.iter().position(|&x| x == greatest).map(|i| at + i));
                at += slices.y.len();
            });
            at = 0;
            part(0..row_len, true, &mut |_, slices| {
                let first = first.filter(|_| !nan).and_then(|first| first.checked_sub(at));
                at += slices.y.len();
                slices.y.fill(if nan { FloatCore::nan() } else { Zero::zero() });
                if let Some(y) = first.and_then(|first| slices.y.get_mut(first)) {
                    *y = chosen;
                }
                times(slices.grad_y, slices.y);
            });
        }
    };
    let (terms, stage) = (Terms::scaled(1.0), Stage::Slope);
    T::call(
        &ByTiles,
        Work { level, layout, terms, stage, x, grad_y, y, of_sink: &mut |_, _| {}, parted: 1, formula: &mut formula },
    );
}

/// Zeros times a gradient: NaN where the gradient is NaN or infinite.
fn times<T: Element>(grad_y: Option<&[T]>, y: &mut [T]) {
    for (y, &grad_y) in y.iter_mut().zip(grad_y.unwrap_or(&[])) {
        *y = *y * grad_y;
    }
}

/// `chosen` for the first of the greatest elements of each row, zeros for the others; NaN for a row with NaN.
fn each_row<T: Element>(level: Level, row_len: usize, chosen: T, x: Option<&[T]>, y: &mut [T]) {
    for (i, y) in y.chunks_exact_mut(row_len).enumerate() {
        let x = x.map_or(&*y, |x| &x[i * row_len..][..row_len]);
        let greatest = greatest_of(level, x);
        // Infinity stands for NaN too.
        let nan = greatest == T::Float::infinity() && x.iter().any(|x| x.is_nan());
        let first = x.iter().position(|x| x.widened() == greatest);
        y.fill(if nan { T::nan() } else { T::zero() });
        if let (false, Some(first)) = (nan, first) {
            y[first] = chosen;
        }
    }
}
