//! What the blocks' activation functions are in exact arithmetic, and which roundings PyTorch and this crate put in.
//!
//! Each formula stands here once, operation by operation as Hugging Face's model has it. For PyTorch each of them rounds: `stored`
//! after each operation on tensors, `float` inside PyTorch's own kernels. For this crate none of them does; instead the result has the
//! error that the documentation of the function states, and is then rounded to the type, once.

mod compute;
mod gates;
mod loss;
mod rows;

use crate::near::{Near, Rounding};
use crate::number::Number;

/// Whose computation it is.
#[derive(Clone, Copy, Debug)]
pub struct Model {
    /// Of the type: what matrix products do, for both.
    tensors: Rounding,
    by_crate: bool,
}

impl Model {
    pub fn pytorch<T: Number>() -> Self {
        Self { tensors: Rounding::to::<T>(), by_crate: false }
    }

    pub fn this_crate<T: Number>() -> Self {
        Self { tensors: Rounding::to::<T>(), by_crate: true }
    }

    /// Of each operation inside a function.
    fn inside(self) -> Rounding {
        if self.by_crate { Rounding::NONE } else { self.tensors }
    }

    /// A result of the function: by this crate it has an error of so many ULP of `f32`, and is rounded to the type.
    fn result(self, ulp: f64, x: Near) -> Near {
        if self.by_crate { self.tensors.to_type(x.rounded(of_ulp(ulp))) } else { x }
    }
}

/// The greatest relative error of so many ULP of `f32`: a number is at least 2^23 of its ULP.
fn of_ulp(ulp: f64) -> f64 {
    2.0 * ulp * f32::UNIT
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// tanh x, 1 + tanh x and 1 - tanh(x)^2, exactly without cancellation. The tanh is rounded to the type if it is in memory in between:
/// `store`.
fn tanh(inside: Rounding, x: Near, store: bool) -> [Near; 3] {
    // 1 ULP, as SLEEF's.
    let t = inside.floats(2.0, x.increasing(f64::tanh));
    let t = if store { inside.stored(t) } else { t };
    let plus = Near { exact: 2.0 * sigmoid(2.0 * x.exact), off: t.off };
    let square = inside.float(t * t);
    let less = Near { exact: 4.0 * sigmoid(2.0 * x.exact) * sigmoid(-2.0 * x.exact), off: square.off };
    [t, inside.float(plus), inside.float(less)]
}
