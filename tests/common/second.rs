//! Second derivatives: their bounds, exact values for `f32` inputs by the entries' formulas, and the committed table of exact
//! values for `f64` inputs, which `examples/exact` writes.

use activations::{AnyActivation, Element, Level};

use super::entries::{self, Second};
use super::sweep::Report;
use super::ulp;

/// The bounds of one function in ULP. They equal those in the documentation of `SecondDerivative`.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    pub name: &'static str,
    second: Second,
    exact: fn(f64) -> f64,
}

/// Each function whose second derivative is not constant between kinks.
pub fn bounds() -> impl Iterator<Item = Bound> {
    entries::all().filter_map(|facts| Some(Bound { name: facts.name, second: facts.second?, exact: facts.second_of }))
}

impl Bound {
    pub fn of(name: &str) -> Option<Self> {
        bounds().find(|bound| bound.name == name)
    }

    fn floor(&self, x: f64) -> f64 {
        let (below, floor) = self.second.floor;
        if x.abs() < below { floor } else { 0.0 }
    }

    /// The spacing that counts near roots, if there are any.
    pub fn floor_beside_roots(&self) -> f64 {
        self.second.floor.1
    }

    pub fn f32(&self, level: Level) -> f64 {
        if level.is_fused() { self.second.f32.0 } else { self.second.f32.1 }
    }

    pub fn f64(&self, level: Level) -> f64 {
        if level.is_fused() { self.second.f64.0 } else { self.second.f64.1 }
    }
}

pub fn run<T: Element>(activation: &AnyActivation, level: Level, x: &[T], out: &mut [T]) {
    let second = activation.as_second_derivative::<T>().expect("a second derivative");
    second.run_second_derivative(level, x, out);
}

/// Adds the errors on these inputs to the report of each level.
pub fn over_f32(
    activation: &AnyActivation,
    bound: &Bound,
    levels: &[Level],
    reports: &mut [Report<f32>],
    inputs: impl Iterator<Item = f32>,
) {
    let mut inputs = inputs.peekable();
    while inputs.peek().is_some() {
        let x: Vec<f32> = inputs.by_ref().take(1 << 16).collect();
        let exacts: Vec<f64> = x.iter().map(|&x| (bound.exact)(f64::from(x))).collect();
        judge(activation, bound, levels, reports, &x, &exacts);
    }
}

/// Adds the errors of the results at each level.
pub fn judge(
    activation: &AnyActivation,
    bound: &Bound,
    levels: &[Level],
    reports: &mut [Report<f32>],
    x: &[f32],
    exacts: &[f64],
) {
    let mut y = vec![0.0; x.len()];
    for (&level, report) in levels.iter().zip(reports) {
        run(activation, level, x, &mut y);
        for ((&x, &got), &exact) in x.iter().zip(&y).zip(exacts) {
            report.count(1, u64::from(super::sweep::is_rounded(got, exact as f32)));
            report.judge(x, got, exact, ulp::error_f32(got, exact, bound.floor(f64::from(x))));
        }
    }
}

/// The errors on the lines of the committed table.
pub fn over_table(activation: &AnyActivation, bound: &Bound, level: Level) -> Report<f64> {
    let number = |bits| f64::from_bits(u64::from_str_radix(bits, 16).expect("sixteen hexadecimal digits"));
    // Read at run time, because the published package compiles this file but has no tables.
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tables/second.csv");
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let lines: Vec<[f64; 3]> = text
        .lines()
        .filter_map(|line| line.strip_prefix(bound.name)?.strip_prefix(','))
        .map(|line| {
            let numbers: Vec<f64> = line.split(',').map(number).collect();
            numbers.try_into().expect("three numbers")
        })
        .collect();
    assert!(lines.len() > 100, "no table for {}", bound.name);
    let x: Vec<f64> = lines.iter().map(|line| line[0]).collect();
    let mut y = vec![0.0; x.len()];
    run(activation, level, &x, &mut y);
    let mut report = Report::default();
    for ([x, hi, lo], got) in lines.into_iter().zip(y) {
        report.count(1, u64::from(got == hi));
        report.judge(x, got, hi, ulp::error_f64(got, (hi, lo), bound.floor(x)));
    }
    report
}
