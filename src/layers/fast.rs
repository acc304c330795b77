//! `Fast`: the fastest form of an activation.

use crate::activation::Activation;
use crate::from_output::FromOutput;
use crate::kernel::element::Element;
use crate::kernel::level::Level;
use crate::pass::{Pass, Pieces};
use crate::second::{DoubleBackward, SecondDerivative};

/// The fastest form of an activation, for inference and training that need not keep every digit.
///
/// The default bounds its errors in ULP, in the tails too. `Fast` bounds most errors absolutely, as other fast libraries do. So a
/// result near 0 may have few right digits, and the derivative of sigmoid or tanh is 0 where the value is rounded to 1. It takes
/// about half to three quarters of the default's time, and a fifth to two thirds of it without fused multiply-add, as in
/// WebAssembly.
///
/// - Errors, over all 2^32 `f32`, at every CPU level, for default parameters:
///
/// | function | value: error at most | derivative: error at most |
/// |---|---|---|
/// | [`Gelu`](crate::Gelu) | 2<sup>-22.5</sup> \|x\| | 2<sup>-21.8</sup> |
/// | [`GeluTanh`](crate::GeluTanh) | 2<sup>-22.5</sup> \|x\| | 2<sup>-22.8</sup> |
/// | [`Silu`](crate::Silu), [`QuickGelu`](crate::QuickGelu) | 2<sup>-22.5</sup> \|x\| | 2<sup>-22.9</sup> |
/// | [`Swish`](crate::Swish) | 2<sup>-22.5</sup> \|x\| | 2<sup>-22.8</sup> |
/// | [`Mish`](crate::Mish) | 2<sup>-22.5</sup> \|x\| | 2<sup>-22</sup> |
/// | [`Sigmoid`](crate::Sigmoid) | 2<sup>-23.2</sup> | 2<sup>-23.5</sup> |
/// | [`Tanh`](crate::Tanh) | 4 ULP | 2<sup>-21.7</sup> |
/// | [`Softplus`](crate::Softplus) | 2<sup>-22.1</sup> max(1, \|x\|) | 2<sup>-23.2</sup> |
/// | [`Elu`](crate::Elu) | 2<sup>-23.1</sup> | 2<sup>-22.7</sup> |
///
/// - [`Softmax`](crate::Softmax) and [`Softmin`](crate::Softmin): a probability p is off by at most 2<sup>-22</sup>, and by
///   2<sup>-17</sup> p if it is normal, on sampled rows. Rows of 32 to 56 elements, derivatives and gradients are as without `Fast`.
/// - If \|x\| is below the normal range, read 2<sup>-126</sup> for \|x\| in the table. `backward` also rounds the product of the
///   gradient and the derivative.
/// - Parameters: with beta, the errors of `Swish` are the same, and the errors of `Softplus` are multiples of max(1/beta, \|x\|).
///   The errors of `Elu` are multiples of alpha. There is no fast form for a parameter below 2<sup>-60</sup> or above
///   2<sup>60</sup>, nor for a `Swish` with a negative beta.
/// - Everything else runs as it does without `Fast`: other functions, other rows, your own formulas, and `f64`.
/// - Halves are computed in `f32` and rounded once.
/// - Range: as without `Fast`. Sigmoid stays in [0, 1], tanh in [-1, 1].
/// - Special values: as without `Fast`. NaN gives NaN, infinities give the limits, and the sign of zero is kept.
/// - Bits: as reproducible as the default's. They depend on the element and on the kind of [`Level`], fused or plain.
/// - Panics: as without `Fast`.
/// - Source: `docs/kernels.md` has the formulas and their costs.
///
/// ```
/// use activations::{Activation, Fast, Gelu};
///
/// let x = [-1.0_f32, 0.0, 2.0];
/// let (mut exact, mut fast) = ([0.0; 3], [0.0; 3]);
/// Gelu.forward(&x, &mut exact);
/// Fast(Gelu).forward(&x, &mut fast);
/// for ((x, exact), fast) in x.into_iter().zip(exact).zip(fast) {
///     assert!((fast - exact).abs() <= 2.5e-7 * x.abs());
/// }
/// ```
///
/// You can wrap any activation, also one that is chosen by name or boxed:
///
/// ```
/// use activations::{Activation, AnyActivation, Fast};
///
/// let activation: AnyActivation = "silu".parse()?;
/// let layer: Box<dyn Activation<f32>> = Box::new(Fast(activation));
/// let mut grad_x = [0.0; 2];
/// layer.backward(&[0.0, f32::INFINITY], &[2.0, 2.0], &mut grad_x);
/// assert_eq!(grad_x, [1.0, 2.0]);
/// # Ok::<(), activations::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Fast<A>(pub A);

impl<T: Element, A: Activation<T>> Activation<T> for Fast<A> {
    #[inline]
    fn run(&self, level: Level, pass: Pass<'_, T>) {
        self.0.run_fast(level, pass);
    }

    #[inline]
    fn pieces(&self) -> Pieces {
        self.0.pieces()
    }
}

/// The same as without `Fast`, because a gradient from the output needs no exponential.
impl<T: Element, A: FromOutput<T>> FromOutput<T> for Fast<A> {
    #[inline]
    fn run_from_output(&self, level: Level, y: &[T], grad_y: &[T], grad_x: &mut [T]) {
        self.0.run_from_output(level, y, grad_y, grad_x);
    }
}

/// The same as without `Fast`, because second derivatives have no fast form.
impl<T: Element, A: SecondDerivative<T>> SecondDerivative<T> for Fast<A> {
    #[inline]
    fn run_second_derivative(&self, level: Level, x: &[T], d2ydx2: &mut [T]) {
        self.0.run_second_derivative(level, x, d2ydx2);
    }

    #[inline]
    fn run_double_backward(&self, level: Level, slices: DoubleBackward<'_, T>) {
        self.0.run_double_backward(level, slices);
    }
}
