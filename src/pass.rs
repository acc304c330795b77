//! `Pass`: one pass of an activation over slices, and the checks of lengths before it.

use core::ops::Range;

use crate::kernel::element::{Element, Float};
use crate::kernel::level::Level;
use crate::kernel::sweep::padded;
use crate::kernel::tiles::TILE;

/// One pass over slices of equal length: what to compute, and which slices to read and to write.
///
/// Only an implementation of [`Activation::run`](crate::Activation::run) needs it. See the example there.
#[derive(Debug)]
pub enum Pass<'a, T> {
    /// See [`Activation::forward`](crate::Activation::forward).
    Forward {
        /// The inputs.
        x: &'a [T],
        /// Receives f(x).
        y: &'a mut [T],
    },
    /// See [`Activation::forward_in_place`](crate::Activation::forward_in_place).
    ForwardInPlace {
        /// The inputs, overwritten by f(x).
        x: &'a mut [T],
    },
    /// See [`Activation::derivative`](crate::Activation::derivative).
    Derivative {
        /// The inputs.
        x: &'a [T],
        /// Receives f'(x).
        dydx: &'a mut [T],
    },
    /// See [`Activation::forward_with_derivative`](crate::Activation::forward_with_derivative).
    ForwardWithDerivative {
        /// The inputs.
        x: &'a [T],
        /// Receives f(x).
        y: &'a mut [T],
        /// Receives f'(x).
        dydx: &'a mut [T],
    },
    /// See [`Activation::backward`](crate::Activation::backward).
    Backward {
        /// The inputs of the forward pass.
        x: &'a [T],
        /// The gradient with respect to its outputs.
        grad_y: &'a [T],
        /// Receives the gradient with respect to its inputs.
        grad_x: &'a mut [T],
    },
}

impl<'p, T> Pass<'p, T> {
    /// The slices' length.
    pub(crate) fn len(&self) -> usize {
        self.inputs().len()
    }

    /// The inputs.
    pub(crate) fn inputs(&self) -> &[T] {
        match self {
            Self::Forward { x, .. }
            | Self::Derivative { x, .. }
            | Self::ForwardWithDerivative { x, .. }
            | Self::Backward { x, .. } => x,
            Self::ForwardInPlace { x } => x,
        }
    }

    /// The same pass over other inputs, as many as before.
    pub(crate) fn of_inputs<'a>(self, x: &'a [T]) -> Pass<'a, T>
    where
        'p: 'a,
    {
        match self {
            Self::Forward { y, .. } => Pass::Forward { x, y },
            Self::ForwardInPlace { x: y } => Pass::Forward { x, y },
            Self::Derivative { dydx, .. } => Pass::Derivative { x, dydx },
            Self::ForwardWithDerivative { y, dydx, .. } => Pass::ForwardWithDerivative { x, y, dydx },
            Self::Backward { grad_y, grad_x, .. } => Pass::Backward { x, grad_y, grad_x },
        }
    }

    /// The same pass over a part of the slices.
    pub(crate) fn part(&mut self, part: Range<usize>) -> Pass<'_, T> {
        match self {
            Self::Forward { x, y } => Pass::Forward { x: &x[part.clone()], y: &mut y[part] },
            Self::ForwardInPlace { x } => Pass::ForwardInPlace { x: &mut x[part] },
            Self::Derivative { x, dydx } => Pass::Derivative { x: &x[part.clone()], dydx: &mut dydx[part] },
            Self::ForwardWithDerivative { x, y, dydx } => {
                Pass::ForwardWithDerivative { x: &x[part.clone()], y: &mut y[part.clone()], dydx: &mut dydx[part] }
            }
            Self::Backward { x, grad_y, grad_x } => {
                Pass::Backward { x: &x[part.clone()], grad_y: &grad_y[part.clone()], grad_x: &mut grad_x[part] }
            }
        }
    }
}

/// A function that runs over floats, with `K` other slices beside them.
type OnPassBeside<'f, F, const K: usize> = dyn FnMut(Pass<'_, F>, [&[F]; K]) + 'f;

impl<T: Element> Pass<'_, T> {
    /// Calls `run` with the pass over floats: once with the whole slices, or tile by tile.
    #[inline]
    pub(crate) fn over_floats(self, level: Level, run: &mut dyn FnMut(Pass<'_, T::Float>)) {
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

    /// The same with other slices beside the pass, each with a number for each element.
    pub(crate) fn over_floats_beside<const K: usize>(
        mut self,
        level: Level,
        beside: [&[T]; K],
        run: &mut OnPassBeside<'_, T::Float, K>,
    ) {
        let len = self.len();
        // At most a tile's length, so that the pass is one tile too.
        let longest = if T::IS_FLOAT { len.max(1) } else { TILE };
        for start in (0..len).step_by(longest) {
            let part = start..len.min(start + longest);
            T::as_floats(level, beside.map(|beside| &beside[part.clone()]), [], false, |beside, []| {
                self.part(part.clone()).over_floats(level, &mut |pass| run(pass, beside));
            });
        }
    }
}

impl<T: Float> Pass<'_, T> {
    /// Calls `run` with the pass over copies that are [padded] to an edge. Once for all functions.
    #[cold]
    #[inline(never)]
    pub(crate) fn padded(&mut self, run: &mut dyn FnMut(Pass<'_, T>)) {
        match self {
            Self::Forward { x, y } => padded([x], [y], false, |[x], [y]| run(Pass::Forward { x, y })),
            Self::ForwardInPlace { x } => padded([], [x], true, |[], [x]| run(Pass::ForwardInPlace { x })),
            Self::Derivative { x, dydx } => {
                padded([x], [dydx], false, |[x], [dydx]| run(Pass::Derivative { x, dydx }));
            }
            Self::ForwardWithDerivative { x, y, dydx } => {
                padded([x], [y, dydx], false, |[x], [y, dydx]| run(Pass::ForwardWithDerivative { x, y, dydx }));
            }
            Self::Backward { x, grad_y, grad_x } => {
                padded([x, grad_y], [grad_x], false, |[x, grad_y], [grad_x]| {
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

/// The independent pieces that a slice divides into.
///
/// ```
/// use activations::{Activation, Pieces, Softmax};
///
/// assert_eq!(Activation::<f32>::pieces(&Softmax::rows(10)?), Pieces::Rows(10));
/// # Ok::<(), activations::ParameterError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pieces {
    /// Each element is a piece.
    Elements,
    /// Rows of this many elements.
    Rows(usize),
    /// The slice is one piece.
    Whole,
}

impl Pieces {
    /// Rows of this length, or the whole slice if there is no length.
    pub(crate) fn of(row_len: Option<usize>) -> Self {
        row_len.map_or(Self::Whole, Self::Rows)
    }

    /// The length of the parts of a slice of `len` elements: as many whole pieces as fit into `limit`, but at least one.
    pub(crate) fn part(self, len: usize, limit: usize) -> usize {
        match self {
            Self::Elements => limit,
            Self::Rows(n) => limit / n.max(1) * n,
            Self::Whole => len,
        }
        .max(self.least(len))
    }

    /// The length of one piece, at least 1.
    fn least(self, len: usize) -> usize {
        match self {
            Self::Elements => 1,
            Self::Rows(n) => n.max(1),
            Self::Whole => len.max(1),
        }
    }

    /// Panics if a piece of a slice of `len` elements is longer than `limit`.
    #[track_caller]
    pub(crate) fn check_fit(self, len: usize, limit: usize, what: &str) {
        let n = self.least(len);
        assert!(
            len == 0 || n <= limit,
            "{what} work for rows of at most {limit} elements, but the activation's rows have {n}"
        );
    }

    /// Panics if a slice of `len` elements does not divide into pieces.
    #[inline]
    #[track_caller]
    pub(crate) fn check(self, len: usize) {
        if let Self::Rows(n) = self {
            assert!(len.is_multiple_of(n), "slices of {len} elements do not divide into rows of {n}");
        }
    }
}
