//! Hardmax: 1 for the greatest of a row, 0 for the others.

use core::slice;

use super::layout::{Layout, rows_of_length};
use crate::activation::Activation;
use crate::describe::card::{Card, Described, ErrorBounds, Vanishes};
use crate::describe::parameters::parameters;
use crate::kernel::element::{Element, Float, Lane};
use crate::kernel::level::{Level, Task, dispatch};
use crate::pass::{Pass, Pieces};
use crate::rows::engine::padded;
use crate::rows::reduce::{Greatest, LANES, across};

/// Hardmax: 1 for the first of a row's greatest elements, 0 for the others.
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/hardmax.svg"))]
///
/// - [`Hardmax::default()`] takes the whole slice as one row; [`Hardmax::rows(n)`](Self::rows) each n elements.
/// - Derivative: 0. [`backward`](Activation::backward) gives zeros: nothing is learnt through a hardmax.
/// - Range: {0, 1}. Exact.
/// - Special values: a row with NaN is NaN. An infinity is a number like others, also where all are -inf.
/// - Source: the operator Hardmax of ONNX, 2017. The limit of [`Softmax`](crate::Softmax) of c x for c to infinity, but for
///   equal elements.
///
/// ```
/// use activations::{Activation, Hardmax};
///
/// let mut y = [0.0_f32; 6];
/// Hardmax::rows(3)?.forward(&[1.0, 3.0, 3.0, -1.0, -2.0, -3.0], &mut y);
/// assert_eq!(y, [0.0, 1.0, 0.0, 1.0, 0.0, 0.0]);
/// # Ok::<(), activations::ParameterError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hardmax {
    layout: Layout,
}

impl Hardmax {
    #[inline]
    fn run_floats<T: Float>(&self, level: Level, pass: Pass<'_, T>) {
        let row_len = self.layout.unit();
        let run = |what, x: Option<&[T]>, y: &mut [T]| dispatch(level, Rows { what, row_len, x, y });
        match pass {
            Pass::Forward { x, y } => run(What::Value, Some(x), y),
            Pass::ForwardInPlace { x } => run(What::Value, None, x),
            Pass::Derivative { x, dydx } => run(What::Slope, Some(x), dydx),
            Pass::ForwardWithDerivative { x, y, dydx } => {
                run(What::Value, Some(x), y);
                run(What::Slope, Some(x), dydx);
            }
            Pass::Backward { x, grad_y, grad_x } => {
                run(What::Slope, Some(x), grad_x);
                // Zeros, but NaN of a gradient that is none.
                for (grad_x, &grad_y) in grad_x.iter_mut().zip(grad_y) {
                    *grad_x = *grad_x * grad_y;
                }
            }
        }
    }
}

impl<T: Element> Activation<T> for Hardmax {
    #[inline]
    fn run(&self, level: Level, pass: Pass<'_, T>) {
        pass.as_floats(level, &mut |pass| self.run_floats(level, pass));
    }

    #[inline]
    fn pieces(&self) -> Pieces {
        Pieces::of(self.layout.unit())
    }
}

rows_of_length!(Hardmax);
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

#[derive(Clone, Copy)]
enum What {
    Value,
    Slope,
}

struct Rows<'a, T> {
    what: What,
    row_len: Option<usize>,
    /// `None`: in place.
    x: Option<&'a [T]>,
    y: &'a mut [T],
}

impl<T: Float> Task<T> for Rows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        let row_len = self.row_len.unwrap_or(self.y.len()).max(1);
        for (i, y) in self.y.chunks_exact_mut(row_len).enumerate() {
            let x = self.x.map_or(&*y, |x| &x[i * row_len..][..row_len]);
            let greatest = greatest::<T, R>(x);
            let zero = greatest.store() * T::zero();
            // Infinity stands for NaN too.
            let nan = zero.is_nan() && x.iter().any(|x| x.is_nan());
            let first = x.iter().position(|&x| x == greatest.store());
            y.fill(if nan { zero } else { T::zero() });
            if let (What::Value, false, Some(first)) = (self.what, nan, first) {
                y[first] = T::one();
            }
        }
    }
}

/// The greatest of a row; infinity if one is NaN.
#[inline(always)]
pub(crate) fn greatest<T: Float, R: Lane<T>>(x: &[T]) -> R {
    let mut greatest = Greatest::<R, LANES>::new();
    let (columns, rest) = x.as_chunks();
    greatest.take(columns);
    match x.last_chunk() {
        _ if rest.is_empty() => {}
        // Some elements twice, which does not matter.
        Some(last) => greatest.take(slice::from_ref(last)),
        None => greatest.take(&[padded(x, T::neg_infinity())]),
    }
    across(&[greatest.lanes()], R::at_least)[0]
}
