//! `Wide`: takes halves and gives `f32`.

#[cfg(feature = "alloc")]
use alloc::{vec, vec::Vec};
#[cfg(feature = "alloc")]
use num_traits::Zero;

use crate::activation::Activation;
use crate::kernel::element::{Element, per_element};
use crate::kernel::level::Level;
use crate::kernel::tiles::TILE;
use crate::pass::{Pass, Pieces, same_length};

/// An activation or a loss that takes slices of halves and gives `f32`, without the rounding to halves at the end.
///
/// The results are [`Element::Float`]: `f32` for halves. For `f32` and `f64` that is the type itself, and the results are the same
/// as without `Wide`.
///
/// - Activations, of any type: [`forward`](Self::forward), [`derivative`](Self::derivative), [`backward`](Self::backward).
///   To choose the CPU level, wrap the result of [`Level::with`]: `Wide(level.with(Gelu))`.
/// - Losses: `Wide(CrossEntropy)` and `Wide(BinaryCrossEntropy)` have the losses' methods. Losses and means are `f32`. Gradients
///   have the logits' type.
/// - Error and special values: the same as for the activation or loss in `f32`.
///
/// ```
/// # #[cfg(feature = "half")] {
/// use activations::{Softmax, Wide};
/// use half::bf16;
///
/// let x = [0.0, 1.0].map(bf16::from_f32);
/// let mut p = [0.0_f32; 2];
/// Wide(Softmax::default()).forward(&x, &mut p);
/// assert_eq!(p, [0.268_941_43, 0.731_058_6]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Wide<A>(pub A);

impl<A> Wide<A> {
    /// `y[i] = f(x[i])`, for rows of any length.
    ///
    /// # Panics
    /// If the lengths differ, or do not divide into the function's rows, before anything is written.
    ///
    /// ```
    /// use activations::{Sigmoid, Wide};
    ///
    /// let mut y = [0.0_f32; 2];
    /// Wide(Sigmoid).forward(&[0.0_f32, f32::INFINITY], &mut y);
    /// assert_eq!(y, [0.5, 1.0]);
    /// ```
    #[track_caller]
    pub fn forward<T: Element>(&self, x: &[T], y: &mut [T::Float])
    where
        A: Activation<T::Float>,
    {
        same_length("y", y.len(), "x", x.len());
        self.0.pieces().check(x.len());
        T::call(&OfFunction, (&self.0, WidePass::Forward { x, y }));
    }

    /// `dydx[i] = f'(x[i])`; at a kink, PyTorch's derivative ([`Card::kinks`](crate::Card::kinks)).
    ///
    /// # Panics
    /// If the lengths differ, or do not divide into the function's rows. If `x` holds halves and the rows have more than 1024
    /// elements, because a row must fit into a block. Nothing is written before.
    ///
    /// ```
    /// use activations::{Tanh, Wide};
    ///
    /// let mut dydx = [0.0_f32; 2];
    /// Wide(Tanh).derivative(&[0.0_f32, f32::INFINITY], &mut dydx);
    /// assert_eq!(dydx, [1.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn derivative<T: Element>(&self, x: &[T], dydx: &mut [T::Float])
    where
        A: Activation<T::Float>,
    {
        same_length("dydx", dydx.len(), "x", x.len());
        self.0.pieces().check(x.len());
        check_fit::<T>(self.0.pieces(), x.len());
        T::call(&OfFunction, (&self.0, WidePass::Derivative { x, dydx }));
    }

    /// The gradient with respect to the input: `grad_x[i] = grad_y[i] * f'(x[i])`, or J<sup>T</sup> `grad_y` for functions of
    /// rows. `grad_x` is overwritten.
    ///
    /// For longer rows of halves, use [`FromOutput`](crate::FromOutput) with the `f32` output of [`forward`](Self::forward).
    ///
    /// # Panics
    /// If the lengths differ, or do not divide into the function's rows. If `x` holds halves and the rows have more than 1024
    /// elements, because a row must fit into a block. Nothing is written before.
    ///
    /// ```
    /// use activations::{Relu, Wide};
    ///
    /// let mut grad_x = [0.0_f32; 2];
    /// Wide(Relu).backward(&[-1.0_f32, 1.0], &[5.0, 7.0], &mut grad_x);
    /// assert_eq!(grad_x, [0.0, 7.0]);
    /// ```
    #[track_caller]
    pub fn backward<T: Element>(&self, x: &[T], grad_y: &[T::Float], grad_x: &mut [T::Float])
    where
        A: Activation<T::Float>,
    {
        same_length("grad_y", grad_y.len(), "x", x.len());
        same_length("grad_x", grad_x.len(), "x", x.len());
        self.0.pieces().check(x.len());
        check_fit::<T>(self.0.pieces(), x.len());
        T::call(&OfFunction, (&self.0, WidePass::Backward { x, grad_y, grad_x }));
    }

    /// [`forward`](Self::forward) into a new vector.
    ///
    /// # Panics
    /// If the length does not divide into the function's rows.
    ///
    /// ```
    /// use activations::{Sigmoid, Wide};
    ///
    /// assert_eq!(Wide(Sigmoid).forward_vec(&[0.0_f32, f32::INFINITY]), [0.5, 1.0]);
    /// ```
    #[cfg(feature = "alloc")]
    #[track_caller]
    pub fn forward_vec<T: Element>(&self, x: &[T]) -> Vec<T::Float>
    where
        A: Activation<T::Float>,
    {
        let mut y = vec![T::Float::zero(); x.len()];
        self.forward(x, &mut y);
        y
    }
}

/// Panics if halves in such rows do not fit into a tile.
#[track_caller]
fn check_fit<T: Element>(pieces: Pieces, len: usize) {
    if !T::IS_FLOAT {
        pieces.check_fit(len, TILE, "wide derivatives and gradients of halves");
    }
}

/// A pass with outputs and gradients that are floats.
enum WidePass<'a, T: Element> {
    Forward { x: &'a [T], y: &'a mut [T::Float] },
    Derivative { x: &'a [T], dydx: &'a mut [T::Float] },
    Backward { x: &'a [T], grad_y: &'a [T::Float], grad_x: &'a mut [T::Float] },
}

/// Runs an activation of any type over the floats, at the best level.
struct OfFunction;
per_element!(OfFunction: Args<'a, T> = FunctionAndPass<'a, T>, run);

type FunctionAndPass<'a, T> = (&'a dyn Activation<<T as Element>::Float>, WidePass<'a, T>);

fn run<T: Element>(_: &OfFunction, (f, pass): FunctionAndPass<'_, T>) {
    let (level, pieces) = (Level::best(), f.pieces());
    match pass {
        // The output is room for the floats.
        WidePass::Forward { x, y } if !T::IS_FLOAT => {
            let part = pieces.part(x.len(), TILE);
            for (x, y) in x.chunks(part).zip(y.chunks_mut(part)) {
                T::widen(level, x, y);
                f.run(level, Pass::ForwardInPlace { x: y });
            }
        }
        WidePass::Forward { x, y } => {
            T::as_floats(level, [x], [], false, |[x], []| f.run(level, Pass::Forward { x, y: &mut *y }));
        }
        WidePass::Derivative { x, dydx } => {
            let part = longest::<T>(pieces, x.len());
            for (x, dydx) in x.chunks(part).zip(dydx.chunks_mut(part)) {
                T::as_floats(level, [x], [], false, |[x], []| {
                    f.run(level, Pass::Derivative { x, dydx: &mut *dydx });
                });
            }
        }
        WidePass::Backward { x, grad_y, grad_x } => {
            let part = longest::<T>(pieces, x.len());
            for ((x, grad_y), grad_x) in x.chunks(part).zip(grad_y.chunks(part)).zip(grad_x.chunks_mut(part)) {
                T::as_floats(level, [x], [], false, |[x], []| {
                    f.run(level, Pass::Backward { x, grad_y, grad_x: &mut *grad_x });
                });
            }
        }
    }
}

/// How many elements are processed at a time: all, or as many as fit into a tile.
fn longest<T: Element>(pieces: Pieces, len: usize) -> usize {
    if T::IS_FLOAT { len.max(1) } else { pieces.part(len, TILE) }
}
