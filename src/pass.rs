//! `Pass`: one pass of an activation over slices. And the checks of lengths before one.

use crate::kernel::element::Element;
use crate::kernel::level::Level;

/// One pass over slices of equal length: what to compute, where from and where to.
///
/// Only an implementation of [`Activation::run`] needs it: there is the example.
#[derive(Debug)]
pub enum Pass<'a, T> {
    /// See [`Activation::forward`].
    Forward {
        /// The inputs.
        x: &'a [T],
        /// Receives f(x).
        y: &'a mut [T],
    },
    /// See [`Activation::forward_in_place`].
    ForwardInPlace {
        /// The inputs, overwritten by f(x).
        x: &'a mut [T],
    },
    /// See [`Activation::derivative`].
    Derivative {
        /// The inputs.
        x: &'a [T],
        /// Receives f'(x).
        dydx: &'a mut [T],
    },
    /// See [`Activation::forward_with_derivative`].
    ForwardWithDerivative {
        /// The inputs.
        x: &'a [T],
        /// Receives f(x).
        y: &'a mut [T],
        /// Receives f'(x).
        dydx: &'a mut [T],
    },
    /// See [`Activation::backward`].
    Backward {
        /// The inputs of the forward pass.
        x: &'a [T],
        /// The gradient with respect to its outputs.
        grad_y: &'a [T],
        /// Receives the gradient with respect to its inputs.
        grad_x: &'a mut [T],
    },
}

impl<T> Pass<'_, T> {
    /// The slices' length.
    pub(crate) const fn len(&self) -> usize {
        match self {
            Self::Forward { x, .. }
            | Self::Derivative { x, .. }
            | Self::ForwardWithDerivative { x, .. }
            | Self::Backward { x, .. } => x.len(),
            Self::ForwardInPlace { x } => x.len(),
        }
    }
}

impl<T: Element> Pass<'_, T> {
    /// Calls `run` with the pass over floats: once as it is, or tile by tile.
    #[inline]
    pub(crate) fn as_floats(self, level: Level, run: &mut dyn FnMut(Pass<'_, T::Float>)) {
        match self {
            Self::Forward { x, y } => {
                T::as_floats(level, [x], [y], false, |[x], [y]| run(Pass::Forward { x, y }));
            }
            Self::ForwardInPlace { x } => {
                T::as_floats(level, [], [x], true, |[], [x]| run(Pass::ForwardInPlace { x }));
            }
            Self::Derivative { x, dydx } => {
                T::as_floats(level, [x], [dydx], false, |[x], [dydx]| run(Pass::Derivative { x, dydx }));
            }
            Self::ForwardWithDerivative { x, y, dydx } => {
                T::as_floats(level, [x], [y, dydx], false, |[x], [y, dydx]| {
                    run(Pass::ForwardWithDerivative { x, y, dydx });
                });
            }
            Self::Backward { x, grad_y, grad_x } => {
                T::as_floats(level, [x, grad_y], [grad_x], false, |[x, grad_y], [grad_x]| {
                    run(Pass::Backward { x, grad_y, grad_x });
                });
            }
        }
    }
}

#[inline]
#[track_caller]
pub(crate) fn same_length(name: &str, len: usize, given: &str, given_len: usize) {
    #[cold]
    #[track_caller]
    fn fail(name: &str, len: usize, given: &str, given_len: usize) -> ! {
        panic!("slices differ in length: `{given}` has {given_len} elements, `{name}` has {len}");
    }
    if len != given_len {
        fail(name, len, given, given_len);
    }
}

/// What a slice divides into: pieces that do not depend on one another.
///
/// ```
/// use activations::{Activation, Pieces, Softmax};
///
/// assert_eq!(Activation::<f32>::pieces(&Softmax::rows(10)?), Pieces::Rows(10));
/// # Ok::<(), activations::ParameterError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pieces {
    /// Each element stands alone.
    Elements,
    /// Rows of so many elements.
    Rows(usize),
    /// The slice is one piece.
    Whole,
}

impl Pieces {
    /// Rows, if they have a length.
    pub(crate) fn of(row_len: Option<usize>) -> Self {
        row_len.map_or(Self::Whole, Self::Rows)
    }

    /// Panics if a slice of so many elements is not a whole number of pieces.
    #[inline]
    #[track_caller]
    pub(crate) fn check(self, len: usize) {
        if let Self::Rows(n) = self {
            assert!(len.is_multiple_of(n), "slices of {len} elements do not divide into rows of {n}");
        }
    }
}
