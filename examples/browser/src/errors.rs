//! Errors in ULP over x: of this crate's `f32` results, and of the textbook's formula in `f32`.

use activations::{AnyActivation, Level};

use crate::common::{Part, sweep, ulp};
use crate::evaluate::{Curve, evaluate, reference};
use crate::textbook;

/// How many inputs a column of the chart has.
const INPUTS: u16 = 40;

/// The greatest error in each column of a range of x.
pub struct Errors {
    pub ours: Vec<f32>,
    pub textbook: Vec<f32>,
}

/// Errors of the value, or of the derivative.
#[must_use]
pub fn errors(activation: &AnyActivation, slope: bool, from: f64, to: f64, columns: u16) -> Errors {
    // An odd multiple of half a step: never at 0, where many formulas happen to be exact.
    let step = (to - from) / (f64::from(columns) * f64::from(INPUTS));
    let count = u32::from(columns) * u32::from(INPUTS);
    let x: Vec<f32> = (0..count).map(|i| (from + (f64::from(i) + 0.5) * step) as f32).collect();
    let wide: Vec<f64> = x.iter().copied().map(f64::from).collect();
    let exact = evaluate(&reference(activation), Curve::of(slope), &wide);
    let floor = floor(activation, slope);
    let worst = |results: Vec<f32>| {
        let errors: Vec<f64> =
            results.iter().zip(&exact).map(|(&got, &exact)| ulp::error_f32(got, exact, floor)).collect();
        errors.chunks(INPUTS.into()).map(|column| column.iter().fold(0.0, |a: f64, b| a.max(*b)) as f32).collect()
    };
    let formula = textbook::formula::<f32>(activation);
    Errors {
        ours: worst(evaluate(activation, Curve::of(slope), &x)),
        textbook: worst(x.iter().map(|&x| part(slope).of(formula(x))).collect()),
    }
}

/// The error of one result, compared with the result in `f64`.
#[must_use]
pub fn error(activation: &AnyActivation, slope: bool, got: f32, exact: f64) -> f64 {
    ulp::error_f32(got, exact, floor(activation, slope))
}

/// The bound that the function's card states for default parameters, at the CPU level of this build.
#[must_use]
pub fn bound(activation: &AnyActivation, slope: bool) -> f64 {
    sweep::bound_f32(activation.card().error, Level::best(), part(slope))
}

/// The value, or the derivative, of such a pair.
pub fn pick<T>(slope: bool, pair: (T, T)) -> T {
    part(slope).of(pair)
}

fn part(slope: bool) -> Part {
    if slope { Part::Slope } else { Part::Value }
}

fn floor(activation: &AnyActivation, slope: bool) -> f64 {
    part(slope).floor(activation.card().name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::is_of_rows;

    fn worst(errors: &[f32]) -> f32 {
        errors.iter().copied().fold(0.0, f32::max)
    }

    /// The greatest error of a function's value or derivative, and the bound of its card.
    fn worst_and_bound(activation: &AnyActivation, slope: bool) -> (f64, f64) {
        (worst(&errors(activation, slope, -20.0, 20.0, 200).ours).into(), bound(activation, slope))
    }

    #[test]
    fn no_result_is_beyond_the_bound_of_its_card() {
        for activation in AnyActivation::all().filter(|activation| !is_of_rows(activation)) {
            for slope in [false, true] {
                let (worst, bound) = worst_and_bound(&activation, slope);
                assert!(worst <= bound, "{activation}, slope {slope}: {worst} ULP, bound {bound}");
            }
        }
    }

    /// Cards state bounds for default parameters. Another parameter that multiplies the result adds its own rounding and the product's.
    #[test]
    fn other_factors_cost_no_more_than_an_ulp() {
        for text in ["elu(0.3)", "leaky_relu(0.3)", "rrelu(0.1, 0.7)"] {
            for slope in [false, true] {
                let (worst, bound) = worst_and_bound(&text.parse().unwrap(), slope);
                assert!(worst <= bound + 1.0, "{text}, slope {slope}: {worst} ULP, bound {bound}");
            }
        }
    }

    #[test]
    fn textbook_formulas_lose_digits_where_they_cancel() {
        let of = |name: &str, slope| worst(&errors(&name.parse().unwrap(), slope, -15.0, 5.0, 200).textbook);
        assert!(of("gelu", false) > 1e6);
        assert!(of("tanh", true) > 1e6);
        assert!(of("relu", false) == 0.0);
    }
}
