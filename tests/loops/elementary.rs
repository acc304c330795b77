//! The functions of `math` are within the errors that their documentation states.
//!
//! `STRIDE=1 cargo test --release --test loops elementary -- --no-capture` takes every `f32`, and prints the errors.

use activations::{Activation, AnyActivation, Elementwise, Level};

use crate::common::sweep::{self, Report};
use crate::common::{Part, oracle, table};
use crate::functions::{Cos, Erf, Erfc, Exp, Exp2, Expm1, Ln, Ln1p, Log1pExp, Rsqrt, Sigmoid, Sin, Tanh};

/// A prime, unless the environment sets another stride.
fn stride() -> u64 {
    const DEFAULT: u64 = if cfg!(debug_assertions) { 65_537 } else { 1_009 };
    std::env::var("STRIDE").map_or(DEFAULT, |stride| stride.parse().expect("STRIDE is a number"))
}

/// Checks `f32` by a sweep over the numbers, and `f64` by the table of a function whose value or derivative is `f`. The bounds are for
/// fused and for plain lanes.
fn check(name: &str, f: impl Elementwise, exact: fn(f64) -> f64, of: (&str, Part), [f32, f64]: [(f64, f64); 2]) {
    let bound = |level: Level, (fused, plain)| if level.is_fused() { fused } else { plain };
    let levels: Vec<Level> = Level::available().collect();
    let mut reports = vec![Report::default(); levels.len()];
    let inputs = sweep::patterns(0..1 << 32, stride());
    let run = |level: Level, x: &[f32], y: &mut [f32]| level.with(f.clone()).forward(x, y);
    sweep::measure_f32(run, exact, 0.0, &levels, &mut reports, inputs);
    let table = table::of(of.0).expect("a table");
    for (&level, report) in levels.iter().zip(&reports) {
        println!("{name} f32 {level}: {:.3} ULP at {:e}", report.worst, report.at);
        report.within(bound(level, f32)).unwrap_or_else(|e| panic!("{name} of f32 at {level}: {e}"));

        let report = sweep::measure_table(|x, y| level.with(f.clone()).forward(x, y), &table, of.1, 0.0);
        println!("{name} f64 {level}: {:.3} ULP at {:e}", report.worst, report.at);
        report.within(bound(level, f64)).unwrap_or_else(|e| panic!("{name} of f64 at {level}: {e}"));
    }
}

/// Checks a function that is the value of an activation, with the activation's reference and bounds.
fn check_as(name: &str, f: impl Elementwise, activation: AnyActivation) {
    let exact = oracle::of(&activation, Part::Value).expect("a function of one number");
    let (name_of_table, error) = (activation.card().name, activation.card().error);
    let bounds = [(error.f32.0, error.f32_plain.0), (error.f64.0, error.f64_plain.0)];
    check(name, f, exact, (name_of_table, Part::Value), bounds);
}

#[test]
fn exp_is_within_its_bound() {
    check("exp", Exp, libm::exp, ("expm1", Part::Slope), [(1.1, 1.1); 2]);
}

#[test]
fn expm1_is_within_its_bound() {
    check("expm1", Expm1, libm::expm1, ("expm1", Part::Value), [(1.5, 1.6), (1.3, 1.3)]);
}

#[test]
fn sigmoid_is_within_its_bound() {
    check_as("sigmoid", Sigmoid, activations::Sigmoid.into());
}

#[test]
fn tanh_is_within_its_bound() {
    check_as("tanh", Tanh, activations::Tanh.into());
}

#[test]
fn log1p_exp_is_within_its_bound() {
    check_as("log1p_exp", Log1pExp, activations::Softplus::default().into());
}

#[test]
fn sin_is_within_its_bound() {
    check("sin", Sin, libm::sin, ("sin", Part::Value), [(1.2, 1.4), (1.2, 1.3)]);
}

#[test]
fn cos_is_within_its_bound() {
    check("cos", Cos, libm::cos, ("sin", Part::Slope), [(1.2, 1.4), (1.1, 1.1)]);
}

#[test]
fn ln_is_within_its_bound() {
    check("ln", Ln, libm::log, ("log", Part::Value), [(0.9, 0.9), (0.8, 0.8)]);
}

#[test]
fn ln_1p_is_within_its_bound() {
    check("ln_1p", Ln1p, libm::log1p, ("log1p", Part::Value), [(0.9, 0.9), (0.8, 0.8)]);
}

#[test]
fn exp2_is_within_its_bound() {
    check("exp2", Exp2, libm::exp2, ("exp2", Part::Value), [(1.1, 1.1), (1.1, 1.1)]);
}

#[test]
fn erf_is_within_its_bound() {
    check("erf", Erf, libm::erf, ("erf", Part::Value), [(1.2, 1.2), (1.1, 1.1)]);
}

#[test]
fn erfc_is_within_its_bound() {
    check("erfc", Erfc, libm::erfc, ("erf", Part::Slope), [(1.8, 1.9), (1.4, 1.4)]);
}

#[test]
fn rsqrt_is_within_its_bound() {
    check("rsqrt", Rsqrt, |x| 1.0 / x.sqrt(), ("log", Part::Slope), [(1.5, 1.5); 2]);
}
