//! Exact values for `f32` inputs, in `f64`: the formulas of the entries, with error functions and exponentials of the crate
//! `libm`.

use activations::AnyActivation;

use super::Part;
use super::entries::{self, Entry, Visit};

type Function = fn(f64) -> f64;

/// The exact function with its default parameters, for `f32` inputs; `None` for functions of whole rows.
pub fn of(activation: &AnyActivation, part: Part) -> Option<Function> {
    struct Of(Part);
    impl Visit for Of {
        type Out = Function;

        fn visit<E: Entry>(self, _function: &E) -> Function {
            self.0.of((|x| value(&E::default(), x), |x| slope(&E::default(), x)))
        }
    }
    entries::visit(activation, Of(part))
}

/// f(x), with the function's own parameters.
pub fn value<E: Entry>(function: &E, x: f64) -> f64 {
    if x.is_finite() { function.value_of(x) } else { at_infinity(function, x, Part::Value) }
}

/// f'(x).
pub fn slope<E: Entry>(function: &E, x: f64) -> f64 {
    if x.is_finite() { function.slope_of(x) } else { at_infinity(function, x, Part::Slope) }
}

/// NaN for NaN.
fn at_infinity<E: Entry>(function: &E, x: f64, part: Part) -> f64 {
    if x.is_nan() { x } else { part.of(function.limits()[usize::from(x > 0.0)]) }
}
