//! Errors of single numbers, against the oracle and the tables. The suite measures the loops, which have the same bits.
//!
//! `ONLY=gelu cargo test --test values errors -- --nocapture` measures one function with more inputs, and prints what it found.

use activations::AnyActivation;

use super::{Formula, formulas_f32, formulas_f64};
use crate::common::{Part, oracle, table, ulp};
use crate::support::{Float, is_chosen, only};

/// The worst error, and where it is.
#[derive(Clone, Copy)]
struct Worst<T> {
    error: f64,
    at: T,
    got: T,
}

/// Judges a formula by the errors that `worst` finds in it, if the function is chosen.
fn judge<T: Float>(formula: &Formula<T>, worst: impl Fn(&AnyActivation, Part) -> Option<Worst<T>>) {
    if !is_chosen(&formula.name) {
        return;
    }
    let part = if formula.what == "forward" { Part::Value } else { Part::Slope };
    let activation: AnyActivation = formula.name.parse().expect("a name");
    let Some(Worst { error, at, got }) = worst(&activation, part) else { return };
    let bound = part.of(T::bounds(&activation.card().error, formula.kind == "fused"));
    let name = format!("{}{}", formula.name, part.of(("", "'")));
    if only().is_some() {
        println!("{name:<15} {} {} {error:>9.3} ULP at {at:e}, bound {bound}", T::TYPE, formula.kind);
    }
    assert!(
        error <= bound,
        "{name} {} {}: {error:.3} ULP at {at:e}, bound {bound}: got {got:e}",
        T::TYPE,
        formula.kind
    );
}

/// The greatest of errors; one that is NaN is greater than all.
fn greatest<T: Float>(errors: impl Iterator<Item = Worst<T>>) -> Option<Worst<T>> {
    errors.reduce(|worst, next| if next.error <= worst.error { worst } else { next })
}

#[test]
fn errors_in_f32_are_within_the_bounds_of_the_cards() {
    // Primes.
    let stride = if only().is_some() { 4_099 } else { 400_009 };
    for formula in formulas_f32() {
        judge(&formula, |activation, part| {
            let exact = oracle::of(activation, part)?;
            let floor = part.floor(&formula.name);
            greatest((0..1_u64 << 32).step_by(stride).map(|bits| {
                let at = f32::from_bits(bits as u32);
                let got = (formula.at)(at);
                Worst { error: ulp::error_f32(got, exact(f64::from(at)), floor), at, got }
            }))
        });
    }
}

#[test]
fn errors_in_f64_are_within_the_bounds_of_the_cards() {
    for formula in formulas_f64() {
        judge(&formula, |_, part| {
            let floor = part.floor(&formula.name);
            let lines = table::of(&formula.name)?;
            greatest(lines.iter().step_by(if only().is_some() { 1 } else { 7 }).map(|line| {
                let got = (formula.at)(line.x);
                Worst { error: ulp::error_f64(got, line.exact(part), floor), at: line.x, got }
            }))
        });
    }
}
