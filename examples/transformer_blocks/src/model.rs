//! The blocks' activation functions in exact arithmetic, with the roundings of PyTorch and of this crate.
//!
//! Each formula is here once, with the operations of Hugging Face's model. For PyTorch each operation rounds: `stored` after each operation
//! on tensors, and `float` inside PyTorch's own kernels. For this crate no operation rounds. Instead, the result has the documented error
//! of the function, and is then rounded once to the type.

mod compute;
mod gates;
mod loss;
mod rows;

use crate::near::{Near, Rounding};
use crate::number::Number;

/// Which of the two computes.
#[derive(Clone, Copy, Debug)]
pub struct Model {
    /// The roundings to the type. Matrix products have them for both.
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

    /// The rounding of each operation inside a function.
    fn inside(self) -> Rounding {
        if self.by_crate { Rounding::NONE } else { self.tensors }
    }

    /// A result of the function. For this crate it has an error of this many ULP of `f32`, and is rounded to the type.
    fn result(self, ulp: f64, x: Near) -> Near {
        if self.by_crate { self.tensors.to_type(x.rounded(of_ulp(ulp))) } else { x }
    }
}

/// The greatest relative error of this many ULP of `f32`, because a number is at least 2^23 of its ULP.
fn of_ulp(ulp: f64) -> f64 {
    2.0 * ulp * f32::UNIT
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// tanh x, 1 + tanh x and 1 - tanh(x)^2, exactly and without cancellation. With `store`, the tanh is rounded to the type, because it is
/// stored in memory.
fn tanh(inside: Rounding, x: Near, store: bool) -> [Near; 3] {
    // The error of SLEEF's tanh is 1 ULP.
    let t = inside.floats(2.0, x.increasing(f64::tanh));
    let t = if store { inside.stored(t) } else { t };
    let plus = Near { exact: 2.0 * sigmoid(2.0 * x.exact), off: t.off };
    let square = inside.float(t * t);
    let less = Near { exact: 4.0 * sigmoid(2.0 * x.exact) * sigmoid(-2.0 * x.exact), off: square.off };
    [t, inside.float(plus), inside.float(less)]
}
