//! One of a function's three curves at given inputs: its value, its derivative, or a gradient.

use activations::{Activation, AnyActivation, Element, LeakyRelu, Pieces};

/// The three curves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Curve<T> {
    Value,
    Derivative,
    /// The gradient with respect to x, where this number is the gradient with respect to the output.
    Gradient(T),
}

impl<T> Curve<T> {
    /// The derivative, or the value.
    #[must_use]
    pub fn of(slope: bool) -> Self {
        if slope { Self::Derivative } else { Self::Value }
    }
}

/// Whether it is a function of rows.
#[must_use]
pub fn is_of_rows(activation: &AnyActivation) -> bool {
    Activation::<f32>::pieces(activation) != Pieces::Elements
}

/// The curve at each x.
///
/// A function of rows gets the row (x, 0, 1). Its value is the first output y[0], its derivative is dy[0]/dx, and its gradient is the
/// gradient with respect to x for the incoming gradient (g, 0, 0).
pub fn evaluate<T: Element>(activation: &AnyActivation, curve: Curve<T>, x: &[T]) -> Vec<T> {
    if !is_of_rows(activation) {
        return match curve {
            Curve::Value => activation.forward_vec(x),
            Curve::Derivative => activation.derivative_vec(x),
            Curve::Gradient(g) => activation.backward_vec(x, &vec![g; x.len()]),
        };
    }
    let first = |x: &T| {
        let row = [*x, T::zero(), T::one()];
        match curve {
            Curve::Value => activation.forward_vec(&row)[0],
            Curve::Derivative => activation.derivative_vec(&row)[0],
            Curve::Gradient(g) => activation.backward_vec(&row, &[g, T::zero(), T::zero()])[0],
        }
    };
    x.iter().map(first).collect()
}

/// The function in `f64`, with which `f32` results are compared.
///
/// The slope of a leaky ReLU is an `f32` in `f32` code, so it is the same number in the reference.
#[must_use]
pub fn reference(activation: &AnyActivation) -> AnyActivation {
    let leaky = |slope: f64| LeakyRelu::new(f64::from(slope as f32)).map_or(*activation, AnyActivation::from);
    match activation {
        AnyActivation::LeakyRelu(f) => leaky(f.negative_slope()),
        AnyActivation::Rrelu(f) => leaky(f64::midpoint(f.lower(), f.upper())),
        other => *other,
    }
}
