//! Exact values for `f32` inputs, in `f64`, by other formulas than the crate's: error functions and exponentials of the
//! crate `libm`, arranged so that nothing cancels by more than a few bits.

use std::f64::consts::{FRAC_1_SQRT_2, PI, SQRT_2};

use activations::AnyActivation;

use super::Part;

type Function = fn(f64) -> f64;

/// The exact function for `f32` inputs; `None` for functions of whole rows.
///
/// # Panics
/// If a function of single elements has no oracle, because it would go untested.
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
            |x| if x.abs() < 3.0 { (2.0 * x + 3.0) / 6.0 } else { step(x) },
        ),
        "hard_tanh" => (|x| clip(x, -1.0, 1.0), |x| window(x, -1.0, 1.0)),
        "softshrink" => (|x| x - clip(x, -0.5, 0.5), |x| if x.is_nan() { x } else { f64::from(x.abs() > 0.5) }),
        "hardshrink" | "shrink" => {
            (|x| if x.abs() <= 0.5 { 0.0 } else { x }, |x| if x.is_nan() { x } else { f64::from(x.abs() > 0.5) })
        }
        "sparse_plus" => (|x| if x >= 1.0 { x } else { clip(x + 1.0, 0.0, 2.0).powi(2) / 4.0 }, sparse_sigmoid),
        "sparse_sigmoid" => (sparse_sigmoid, |x| window(x, -1.0, 1.0) / 2.0),
        "softsign" => (|x| (1.0 / (1.0 / x.abs() + 1.0)).copysign(x), |x| (1.0 + x.abs()).powi(-2)),
        // 2 sinh(z) = x.
        "squareplus" => (|x| libm::exp(libm::asinh(x / 2.0)), |x| sigmoid(2.0 * libm::asinh(x / 2.0))),
        "quick_gelu" => (
            |x| tail(x, x * sigmoid(1.702 * x)),
            |x| slope_limits(x, sigmoid(1.702 * x) * (1.0 + 1.702 * x * sigmoid(-1.702 * x))),
        ),
        "swish" => (|x| tail(x, x * sigmoid(x)), |x| slope_limits(x, sigmoid(x) * (1.0 + x * sigmoid(-x)))),
        "log_sigmoid" => (
            |x| if x == f64::INFINITY { -0.0 } else { lesser(x, 0.0) - libm::log1p(libm::exp(-x.abs())) },
            |x| sigmoid(-x),
        ),
        "selu" => (
            |x| if x > 0.0 { LAMBDA * x } else { LAMBDA_ALPHA * libm::expm1(x) },
            |x| if x > 0.0 { LAMBDA } else { LAMBDA_ALPHA * libm::exp(x) },
        ),
        "celu" => (|x| if x > 0.0 { x } else { libm::expm1(x) }, |x| if x > 0.0 { 1.0 } else { libm::exp(x) }),
        "mish" => (
            |x| tail(x, x * tanh_softplus(x)),
            |x| slope_limits(x, tanh_softplus(x) + x * sigmoid(x) * sech_softplus(x)),
        ),
        "tanhshrink" => (tanhshrink, |x| libm::tanh(x) * libm::tanh(x)),
        "log_cosh" => (log_cosh, libm::tanh),
        "snake" => (
            |x| if x.is_infinite() { x } else { x + libm::sin(x) * libm::sin(x) },
            // The documented result beyond 1600. The sum cancels to 2^-24 at most.
            |x| if x.abs() > 1600.0 { 1.0 } else { (libm::sin(x) + libm::cos(x)).powi(2) },
        ),
        // The documented result beyond 2^45.
        "sin" => (
            |x| if x.abs() > 2.0_f64.powi(45) { 0.0_f64.copysign(x) } else { libm::sin(x) },
            |x| if x.abs() > 2.0_f64.powi(45) { 0.0 } else { libm::cos(x) },
        ),
        "clipped_gelu" => (
            |x| clip(tail(x, x * phi(x)), -10.0, 10.0),
            |x| if x > 10.0 { 0.0 } else { slope_limits(x, phi(x) + x * density(x)) },
        ),
        "laplace" => (|x| laplace(x, MU, SIGMA), |x| laplace_slope(x, MU, SIGMA)),
        // alpha_p, alpha_n and beta are 0.8, 0.8 and 0.5. Adding beta x to e^x - 1 - x loses nothing.
        "xielu" => (
            |x| match x {
                _ if x > 0.0 => 0.8 * x * x + 0.5 * x,
                _ if x > -1.0 => 0.8 * (libm::expm1(x) - x) + 0.5 * x,
                _ => 0.8 * libm::exp(x) - (0.8 - 0.5) * x - 0.8,
            },
            |x| if x > 0.0 { 1.6 * x + 0.5 } else { 0.8 * libm::exp(x) - (0.8 - 0.5) },
        ),
        "exponential" => (libm::exp, libm::exp),
        _ => panic!("no oracle for {name}: add one to tests/common/oracle.rs"),
    };
    Some(part.of(pair))
}

/// x, clamped; NaN for NaN.
fn clip(x: f64, low: f64, high: f64) -> f64 {
    if x.is_nan() { x } else { x.clamp(low, high) }
}

/// The derivative of clamped x, 0 at both ends.
fn window(x: f64, low: f64, high: f64) -> f64 {
    if x.is_nan() { x } else { f64::from(low < x && x < high) }
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

const LAMBDA: f64 = 1.050_700_987_355_480_5;
const LAMBDA_ALPHA: f64 = 1.758_099_340_847_376_9;

/// The lesser of the two, or NaN.
fn lesser(x: f64, y: f64) -> f64 {
    if x > y { y } else { x }
}

fn tanh_softplus(x: f64) -> f64 {
    let (w, e) = ((1.0 + libm::exp(lesser(x, 40.0))), libm::exp(lesser(x, 40.0)));
    e * (w + 1.0) / (w * w + 1.0)
}

/// 1 - tanh(softplus(x))^2.
fn sech_softplus(x: f64) -> f64 {
    let w = 1.0 + libm::exp(lesser(x, 300.0));
    (2.0 * w / (w * w + 1.0)).powi(2)
}

fn tanhshrink(x: f64) -> f64 {
    if x.abs() > 0.1 {
        return x - libm::tanh(x);
    }
    // The next term is below 2^-50.
    let s = x * x;
    let series = [1.0 / 3.0, -2.0 / 15.0, 17.0 / 315.0, -62.0 / 2835.0, 1382.0 / 155_925.0, -21_844.0 / 6_081_075.0];
    x * s * series.iter().rev().fold(929_569.0 / 638_512_875.0, |sum, c| sum * s + c)
}

fn log_cosh(x: f64) -> f64 {
    if x.abs() < 0.3 {
        let half = libm::sinh(x / 2.0);
        return libm::log1p(2.0 * half * half);
    }
    x.abs() + libm::log1p(libm::exp(-2.0 * x.abs())) - std::f64::consts::LN_2
}

fn phi(x: f64) -> f64 {
    libm::erfc(-x * FRAC_1_SQRT_2) / 2.0
}

#[allow(clippy::approx_constant, reason = "six digits of sqrt(1/2), as in transformers")]
const MU: f64 = 0.707_107;
const SIGMA: f64 = 0.282_095;

pub fn laplace(x: f64, mu: f64, sigma: f64) -> f64 {
    let (t, t_lo) = standard(x, mu, sigma);
    phi(t) + t_lo * density(t)
}

pub fn laplace_slope(x: f64, mu: f64, sigma: f64) -> f64 {
    let (t, t_lo) = standard(x, mu, sigma);
    // The density's own derivative is -t times it.
    if t.abs() > 39.0 { 0.0 } else { density(t) * (1.0 - t * t_lo) / sigma }
}

/// (x - mu) / sigma as an unevaluated sum, because the tail magnifies its relative error.
fn standard(x: f64, mu: f64, sigma: f64) -> (f64, f64) {
    let d = x - mu;
    if d.is_infinite() {
        return (d, 0.0);
    }
    let part = d - x;
    let d_lo = (x - (d - part)) + (-mu - part);
    let t = d / sigma;
    (t, ((-t).mul_add(sigma, d) + d_lo) / sigma)
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

/// x f(x), where f is between 0 and 1. Where the product is inf times 0, it is the limit.
fn tail(x: f64, y: f64) -> f64 {
    if x == f64::NEG_INFINITY { -0.0 } else { y }
}

/// The derivative's limits, where the formula is inf times 0. Beyond 200 it is within 2^-1000 of them.
fn slope_limits(x: f64, y: f64) -> f64 {
    if x.abs() > 200.0 { step(x) } else { y }
}
