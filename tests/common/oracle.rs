//! Exact values for `f32` inputs, in `f64`, by other formulas than the crate's: error functions and exponentials of the
//! crate `libm`, arranged so that nothing cancels by more than a few bits.

use std::f64::consts::{FRAC_1_SQRT_2, PI, SQRT_2};

use activations::AnyActivation;

use super::Part;

type Function = fn(f64) -> f64;

/// The exact function for `f32` inputs; `None` for functions of whole rows.
///
/// # Panics
/// If a function of single elements has no oracle: it would go untested.
pub fn of(activation: &AnyActivation, part: Part) -> Option<Function> {
    let name = activation.card().name;
    if matches!(name, "softmax" | "log_softmax" | "softmin" | "sparsemax" | "hardmax") {
        return None;
    }
    let pair: (Function, Function) = match name {
        "relu" => (|x| if x <= 0.0 { 0.0 } else { x }, step),
        "leaky_relu" => (
            |x| if x < 0.0 { x * f64::from(0.01_f32) } else { x },
            |x| if x <= 0.0 { f64::from(0.01_f32) } else { step(x) },
        ),
        "sigmoid" => (sigmoid, |x| sigmoid(x) * sigmoid(-x)),
        "tanh" => (libm::tanh, |x| 4.0 * sigmoid(2.0 * x) * sigmoid(-2.0 * x)),
        "gelu" => (|x| tail(x, x * phi(x)), |x| slope_limits(x, phi(x) + x * density(x))),
        "gelu_tanh" => {
            (|x| tail(x, x * sigmoid(z(x))), |x| slope_limits(x, sigmoid(z(x)) * (1.0 + x * dz(x) * sigmoid(-z(x)))))
        }
        "silu" => (|x| tail(x, x * sigmoid(x)), |x| slope_limits(x, sigmoid(x) * (1.0 + x * sigmoid(-x)))),
        "elu" => (|x| if x > 0.0 { x } else { libm::expm1(x) }, |x| if x > 0.0 { 1.0 } else { libm::exp(x) }),
        "softplus" => (|x| if x.is_nan() { x } else { x.max(0.0) + libm::log1p(libm::exp(-x.abs())) }, sigmoid),
        "relu6" => (|x| clip(x, 0.0, 6.0), |x| window(x, 0.0, 6.0)),
        "squared_relu" => (|x| if x < 0.0 { 0.0 } else { x * x }, |x| if x < 0.0 { 0.0 } else { 2.0 * x }),
        "threshold" => (|x| if x <= 1.0 { 0.0 } else { x }, |x| step(x - 1.0)),
        "rrelu" => (
            |x| if x < 0.0 { x * f64::from((11.0 / 48.0) as f32) } else { x },
            |x| if x <= 0.0 { f64::from((11.0 / 48.0) as f32) } else { step(x) },
        ),
        "identity" => (|x| x, |x| if x.is_nan() { x } else { 1.0 }),
        "hard_sigmoid" => (|x| clip((x + 3.0) / 6.0, 0.0, 1.0), |x| window(x, -3.0, 3.0) / 6.0),
        "hard_swish" => (
            |x| if x <= -3.0 { -0.0 } else { x * clip((x + 3.0) / 6.0, 0.0, 1.0) },
            |x| if x.abs() <= 3.0 { window(x, -3.0, 3.0) * (2.0 * x + 3.0) / 6.0 } else { step(x) },
        ),
        "hard_tanh" => (|x| clip(x, -1.0, 1.0), |x| window(x, -1.0, 1.0)),
        "softshrink" => (|x| x - clip(x, -0.5, 0.5), |x| if x.is_nan() { x } else { 1.0 - window(x, -0.5, 0.5) }),
        "hardshrink" => {
            (|x| if x.abs() <= 0.5 { 0.0 } else { x }, |x| if x.is_nan() { x } else { 1.0 - window(x, -0.5, 0.5) })
        }
        "sparse_plus" => (|x| if x >= 1.0 { x } else { clip(x + 1.0, 0.0, 2.0).powi(2) / 4.0 }, sparse_sigmoid),
        "sparse_sigmoid" => (sparse_sigmoid, |x| window(x, -1.0, 1.0) / 2.0),
        "softsign" => (|x| (1.0 / (1.0 / x.abs() + 1.0)).copysign(x), |x| (1.0 + x.abs()).powi(-2)),
        // 2 sinh(z) = x.
        "squareplus" => (|x| libm::exp(libm::asinh(x / 2.0)), |x| sigmoid(2.0 * libm::asinh(x / 2.0))),
        _ => panic!("no oracle for {name}: add one to tests/common/oracle.rs"),
    };
    Some(part.of(pair))
}

/// x, cut off; NaN for NaN.
fn clip(x: f64, low: f64, high: f64) -> f64 {
    if x.is_nan() { x } else { x.clamp(low, high) }
}

/// The derivative of that, at both ends the left side's.
fn window(x: f64, low: f64, high: f64) -> f64 {
    if x.is_nan() { x } else { f64::from(low < x && x <= high) }
}

fn sparse_sigmoid(x: f64) -> f64 {
    clip((x + 1.0) / 2.0, 0.0, 1.0)
}

fn step(x: f64) -> f64 {
    if x.is_nan() { x } else { f64::from(x > 0.0) }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}

fn phi(x: f64) -> f64 {
    libm::erfc(-x * FRAC_1_SQRT_2) / 2.0
}

fn density(x: f64) -> f64 {
    libm::exp(-x * x / 2.0) / (SQRT_2 * PI.sqrt())
}

fn z(x: f64) -> f64 {
    2.0 * (2.0 / PI).sqrt() * (x + 0.044_715 * x * x * x)
}

fn dz(x: f64) -> f64 {
    2.0 * (2.0 / PI).sqrt() * (1.0 + 3.0 * 0.044_715 * x * x)
}

/// For x f(x) with f from 0 to 1: the limit where the product is inf times 0.
fn tail(x: f64, y: f64) -> f64 {
    if x == f64::NEG_INFINITY { -0.0 } else { y }
}

/// The derivative's limits, where the formula is inf times 0. Beyond 200 it is within 2^-1000 of them.
fn slope_limits(x: f64, y: f64) -> f64 {
    if x.abs() > 200.0 { step(x) } else { y }
}
