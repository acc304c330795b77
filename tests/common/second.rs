//! Second derivatives: their bounds, exact values for `f32` inputs in `f64` by other formulas than the crate's, and the
//! committed table of exact values for `f64` inputs, which `tools/second.py` writes.

use std::f64::consts::{FRAC_1_SQRT_2, PI, SQRT_2};

use activations::{AnyActivation, Element, Level};

use super::sweep::Report;
use super::ulp;

/// The bounds of one function in ULP. They equal those in the documentation of `SecondDerivative`.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    pub name: &'static str,
    /// `(fused, plain)`.
    pub f32: (f64, f64),
    pub f64: (f64, f64),
    /// All roots other than 0 are at |x| below the first number. There, errors are measured in the spacing at the second number, if
    /// that is greater.
    pub roots: (f64, f64),
}

const fn bound(name: &'static str, f32: (f64, f64), f64: (f64, f64), roots: (f64, f64)) -> Bound {
    Bound { name, f32, f64, roots }
}

const NONE: (f64, f64) = (0.0, 0.0);
const QUARTER: (f64, f64) = (4.0, 0.25);
const TO_EIGHT: (f64, f64) = (8.0, 0.25);
const EVERYWHERE: (f64, f64) = (f64::INFINITY, 1.0);

/// Each function whose second derivative is not constant between kinks.
pub const BOUNDS: [Bound; 23] = [
    bound("sigmoid", (4.5, 4.5), (4.5, 4.5), NONE),
    bound("tanh", (4.5, 4.5), (4.5, 4.5), NONE),
    bound("tanhshrink", (4.5, 4.5), (4.5, 4.5), NONE),
    bound("log_cosh", (3.5, 3.5), (3.5, 3.5), NONE),
    bound("gelu", (3.4, 4.0), (3.4, 4.0), NONE),
    bound("clipped_gelu", (3.4, 4.0), (3.4, 4.0), NONE),
    bound("gelu_tanh", (6.8, 8.0), (6.8, 8.0), QUARTER),
    bound("silu", (4.4, 4.8), (4.4, 4.8), QUARTER),
    bound("quick_gelu", (5.8, 5.8), (5.8, 5.8), QUARTER),
    bound("swish", (4.4, 4.8), (4.4, 4.8), QUARTER),
    bound("elu", (1.1, 1.1), (1.1, 1.1), NONE),
    bound("selu", (2.0, 2.0), (2.0, 2.0), NONE),
    bound("celu", (1.1, 1.1), (1.1, 1.1), NONE),
    bound("softplus", (3.5, 3.5), (3.5, 3.5), NONE),
    bound("log_sigmoid", (3.5, 3.5), (3.5, 3.5), NONE),
    bound("mish", (8.5, 8.5), (8.5, 8.5), TO_EIGHT),
    bound("snake", (2.0, 2.0), (2.0, 2.0), EVERYWHERE),
    bound("sin", (1.3, 1.5), (1.3, 1.5), NONE),
    bound("softsign", (2.3, 2.3), (2.3, 2.3), NONE),
    bound("squareplus", (3.8, 4.6), (3.8, 4.6), NONE),
    bound("laplace", (4.7, 4.7), (4.7, 4.7), NONE),
    bound("xielu", (1.8, 1.8), (1.8, 1.8), NONE),
    bound("exponential", (1.1, 1.1), (1.1, 1.1), NONE),
];

impl Bound {
    pub fn of(name: &str) -> Option<&'static Self> {
        BOUNDS.iter().find(|bound| bound.name == name)
    }

    fn floor(&self, x: f64) -> f64 {
        if x.abs() < self.roots.0 { self.roots.1 } else { 0.0 }
    }

    pub fn f32(&self, level: Level) -> f64 {
        if level.is_fused() { self.f32.0 } else { self.f32.1 }
    }

    pub fn f64(&self, level: Level) -> f64 {
        if level.is_fused() { self.f64.0 } else { self.f64.1 }
    }
}

pub fn run<T: Element>(activation: &AnyActivation, level: Level, x: &[T], out: &mut [T]) {
    let second = activation.as_second_derivative::<T>().expect("a second derivative");
    second.run_second_derivative(level, x, out);
}

/// The exact second derivative for `f32` inputs; `None` where it is constant between kinks, and for rows.
pub fn of(name: &str) -> Option<fn(f64) -> f64> {
    Some(match name {
        "sigmoid" => |x| ends(x, -slope(x) * libm::tanh(x / 2.0)),
        "tanh" => |x| ends(x, -2.0 * libm::tanh(x) / libm::cosh(x).powi(2)),
        "tanhshrink" => |x| ends(x, 2.0 * libm::tanh(x) / libm::cosh(x).powi(2)),
        "log_cosh" => |x| ends(x, libm::cosh(x).powi(-2)),
        "gelu" => |x| ends(x, density(x) * (SQRT_2 - x) * (SQRT_2 + x) + at_root(x)),
        "clipped_gelu" => |x| if x > 10.0 { 0.0 } else { of("gelu").expect("gelu")(x) },
        "gelu_tanh" => |x| ends(x, gelu_tanh(x)),
        "silu" | "swish" => |x| ends(x, slope(x) * (2.0 - x * libm::tanh(x / 2.0))),
        "quick_gelu" => |x| {
            let z = 1.702 * x;
            ends(x, 1.702 * slope(z) * (2.0 - z * libm::tanh(z / 2.0)))
        },
        "elu" | "celu" => |x| if x >= 0.0 { 0.0 } else { libm::exp(x) },
        "selu" => |x| if x >= 0.0 { 0.0 } else { 1.758_099_340_847_376_9 * libm::exp(x) },
        "softplus" => |x| ends(x, slope(x)),
        "log_sigmoid" => |x| ends(x, -slope(x)),
        "mish" => |x| ends(x, mish(x)),
        // As the documentation has it beyond 1600.
        "snake" => |x| if x.abs() > 1600.0 { 0.0 } else { 2.0 * libm::cos(2.0 * x) },
        "sin" => |x| if x.abs() > 2.0_f64.powi(45) { 0.0_f64.copysign(-x) } else { -libm::sin(x) },
        "softsign" => |x| if x == 0.0 { 0.0 } else { (2.0 * (1.0 + x.abs()).powi(-3)).copysign(-x) },
        "squareplus" => |x| ends(x, libm::cosh(libm::asinh(x / 2.0)).powi(-3) / 4.0),
        "laplace" => |x| {
            let slope = super::oracle::laplace_slope(x, MU, SIGMA);
            if slope == 0.0 { -0.0_f64.copysign(x) } else { -slope * (x - MU) / (SIGMA * SIGMA) }
        },
        "xielu" => |x| if x > 0.0 { 1.6 } else { 0.8 * libm::exp(x) },
        "exponential" => libm::exp,
        _ => return None,
    })
}

#[allow(clippy::approx_constant, reason = "six digits of sqrt(1/2), as in transformers")]
const MU: f64 = 0.707_107;
const SIGMA: f64 = 0.282_095;

/// 0 at infinities, where formulas give 0 times inf.
fn ends(x: f64, y: f64) -> f64 {
    if x.abs() > 300.0 && y.is_nan() || x.is_infinite() { 0.0 } else { y }
}

/// sigmoid'(x).
fn slope(x: f64) -> f64 {
    libm::cosh(x / 2.0).powi(-2) / 4.0
}

fn density(x: f64) -> f64 {
    libm::exp(-x * x / 2.0) * FRAC_1_SQRT_2 / PI.sqrt()
}

/// The correction near the root x = sqrt(2), which is rounded: without it, (2 - x^2) would lose its relative accuracy.
fn at_root(x: f64) -> f64 {
    const SQRT_2_LO: f64 = -9.667_293_313_452_913e-17;
    if x.abs() < 2.0 { density(x) * 2.0 * SQRT_2 * SQRT_2_LO } else { 0.0 }
}

fn gelu_tanh(x: f64) -> f64 {
    let (c, d) = ((2.0 / PI).sqrt(), 0.044_715);
    let u = c * (x + d * x * x * x);
    let (du, ddu) = (c * (1.0 + 3.0 * d * x * x), 6.0 * c * d * x);
    let sech_square = libm::cosh(u).powi(-2);
    // (x (1 + tanh u) / 2)''
    sech_square * (du + x * (ddu / 2.0 - du * du * libm::tanh(u)))
}

/// x T with T = tanh(softplus(x)): 2 T' + x T''.
fn mish(x: f64) -> f64 {
    let e = libm::exp(x.min(300.0));
    let w = 1.0 + e;
    let s = e / w;
    let d = w * w + 1.0;
    let first = 4.0 * (e / d) * (w / d);
    first * (2.0 + x * (1.0 + s - 4.0 * (e / d) * w))
}

/// Adds the errors on these inputs to the report of each level.
pub fn over_f32(
    activation: &AnyActivation,
    bound: &Bound,
    levels: &[Level],
    reports: &mut [Report<f32>],
    inputs: impl Iterator<Item = f32>,
) {
    let exact = of(bound.name).expect("an oracle");
    let mut inputs = inputs.peekable();
    while inputs.peek().is_some() {
        let x: Vec<f32> = inputs.by_ref().take(1 << 16).collect();
        let exacts: Vec<f64> = x.iter().map(|&x| exact(f64::from(x))).collect();
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
