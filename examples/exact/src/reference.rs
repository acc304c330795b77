//! The functions by their textbook formulas, with hundreds of bits. Where a formula cancels, more bits compensate for that.

use activations::AnyActivation;

use crate::big::{Big, Precision};

/// Value or derivative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Value,
    Slope,
}

impl Part {
    pub(crate) const BOTH: [Self; 2] = [Self::Value, Self::Slope];
}

/// Whether this program knows the function.
pub(crate) fn knows(activation: &AnyActivation) -> bool {
    activation.as_exact().is_some()
}

/// The exact result at a finite x that is not 0, rounded to odd to `f64`.
pub(crate) fn exact(activation: &AnyActivation, part: Part, x: f64) -> f64 {
    // Three powers of a small x may cancel. For the normal tail, 1.45 x^2 bits may cancel.
    let small = (-x.abs().log2()).max(0.0);
    let parameters: Vec<f64> = activation.parameters().map(|(_, value)| value).collect();
    let p = |i: usize| parameters[i];
    let z = if activation.card().name == "laplace" { (x - p(0)) / p(1) } else { x };
    let tail = 1.5 * z.abs().min(40.0).powi(2);
    let bits = 400.0 + 4.0 * small.min(200.0) + tail;
    let x = Precision(bits as usize).of(x);
    let (zero, one) = (x.of(0.0), x.of(1.0));
    let right = x > zero;
    let value = part == Part::Value;
    let step = |condition: bool| if condition { one.clone() } else { zero.clone() };
    match activation.card().name {
        "identity" => {
            if value {
                x
            } else {
                one
            }
        }
        "relu" => {
            if value {
                if right { x } else { zero }
            } else {
                step(right)
            }
        }
        "leaky_relu" => leaky(&x, &x.of(p(0)), value),
        "rrelu" => leaky(&x, &((x.of(p(0)) + p(1)) / 2.0), value),
        "relu6" => {
            if value {
                clip(&x, 0.0, 6.0)
            } else {
                step(right && x < x.of(6.0))
            }
        }
        "squared_relu" => match (right, value) {
            (false, _) => zero,
            (true, true) => x.powi(2),
            (true, false) => x * 2.0,
        },
        "threshold" => {
            let above = x > x.of(p(0));
            if !value {
                step(above)
            } else if above {
                x
            } else {
                x.of(p(1))
            }
        }
        "hard_tanh" => {
            if value {
                clip(&x, p(0), p(1))
            } else {
                step(x > x.of(p(0)) && x < x.of(p(1)))
            }
        }
        "hard_sigmoid" => {
            let alpha = if p(0) == 1.0 / 6.0 { one.clone() / 6.0 } else { x.of(p(0)) };
            let line = &alpha * &x + p(1);
            // 1/6 is rounded, but the sum at x = -3 must be exactly 0.
            let line = if line.abs() < x.of(2.0_f64.powi(-200)) { zero.clone() } else { line };
            let inside = line > zero && line < one && (line.clone() - 1.0).abs() > x.of(2.0_f64.powi(-200));
            if value {
                clip(&line, 0.0, 1.0)
            } else if inside {
                alpha
            } else {
                zero
            }
        }
        "hard_swish" => {
            let (low, high) = (x <= x.of(-3.0), x >= x.of(3.0));
            match (low, high, value) {
                (true, ..) => zero,
                (_, true, true) => x,
                (_, true, false) => one,
                (_, _, true) => &x * &(&x + 3.0) / 6.0,
                (_, _, false) => (x * 2.0 + 3.0) / 6.0,
            }
        }
        "softshrink" | "hardshrink" | "shrink" => {
            let outside = x.abs() > x.of(p(0));
            let moved = match activation.card().name {
                "softshrink" => p(0),
                "hardshrink" => 0.0,
                _ => p(1),
            };
            match (outside, value) {
                (false, _) => zero,
                (true, false) => one,
                (true, true) => {
                    if right {
                        x - moved
                    } else {
                        x + moved
                    }
                }
            }
        }
        "sparse_plus" | "sparse_sigmoid" => {
            let (low, high) = (x <= x.of(-1.0), x >= one);
            let line = if low {
                zero.clone()
            } else if high {
                one.clone()
            } else {
                (&x + 1.0) / 2.0
            };
            match (activation.card().name, value) {
                ("sparse_plus", true) => {
                    if high {
                        x
                    } else {
                        line.powi(2)
                    }
                }
                ("sparse_plus", false) | (_, true) => line,
                _ => {
                    if low || high {
                        zero
                    } else {
                        one / 2.0
                    }
                }
            }
        }
        "softsign" => {
            if value {
                &x / &(x.abs() + 1.0)
            } else {
                one / (x.abs() + 1.0).powi(2)
            }
        }
        "sigmoid" => {
            if value {
                sigmoid(&x)
            } else {
                sigmoid_slope(&x)
            }
        }
        "tanh" => {
            if value {
                tanh(&x)
            } else {
                one - tanh(&x).powi(2)
            }
        }
        "tanhshrink" => {
            if value {
                x.clone() - tanh(&x)
            } else {
                tanh(&x).powi(2)
            }
        }
        "log_cosh" => {
            if value {
                ((-x.abs() * 2.0).exp() / 2.0 + 0.5).ln() + x.abs()
            } else {
                tanh(&x)
            }
        }
        "exponential" => x.exp(),
        "elu" => match (right, value) {
            (true, true) => x,
            (true, false) => one,
            (false, true) => (x.exp() - 1.0) * p(0),
            (false, false) => x.exp() * p(0),
        },
        "selu" => {
            let (lambda, lambda_alpha) = selu(&x);
            match (right, value) {
                (true, true) => lambda * x,
                (true, false) => lambda,
                (false, true) => lambda_alpha * (x.exp() - 1.0),
                (false, false) => lambda_alpha * x.exp(),
            }
        }
        "celu" => match (right, value) {
            (true, true) => x,
            (true, false) => one,
            (false, true) => ((x / p(0)).exp() - 1.0) * p(0),
            (false, false) => (x / p(0)).exp(),
        },
        "softplus" => {
            if value {
                softplus(&(x * p(0))) / p(0)
            } else {
                sigmoid(&(x * p(0)))
            }
        }
        "log_sigmoid" => {
            if value {
                -softplus(&-x)
            } else {
                sigmoid(&-x)
            }
        }
        "squareplus" => {
            let root = (x.powi(2) + p(0)).sqrt();
            if value { (&x + &root) / 2.0 } else { (one + x / root) / 2.0 }
        }
        "gelu" => {
            if value {
                &x * &normal(&x)
            } else {
                normal(&x) + &x * &density(&x)
            }
        }
        "clipped_gelu" => {
            let gelu = &x * &normal(&x);
            let (low, high) = (x.of(p(0)), x.of(p(1)));
            match (gelu < low, gelu > high, value) {
                (true, _, true) => low,
                (_, true, true) => high,
                (_, _, true) => gelu,
                (false, false, false) => normal(&x) + &x * &density(&x),
                _ => zero,
            }
        }
        "gelu_tanh" => {
            let factor = (x.of(2.0) / pi(&x)).sqrt();
            let cube = x.of(44_715.0) / 1e6;
            let z = factor.clone() * (&x + &(cube.clone() * x.powi(3)));
            let slope = factor * (cube * 3.0 * x.powi(2) + 1.0);
            let tanh = tanh(&z);
            // Beyond this bound the rest is negligible beside a power of x.
            if !value && x.abs() > x.of(30.0) {
                return if right { 1.0 } else { 0.0 };
            }
            if value {
                x * (tanh + 1.0) / 2.0
            } else {
                (tanh.clone() + 1.0) / 2.0 + x * (one - tanh.powi(2)) * slope / 2.0
            }
        }
        "silu" => swish(&x, &one, value),
        "quick_gelu" => swish(&x, &(x.of(1702.0) / 1e3), value),
        "swish" => swish(&x, &x.of(p(0)), value),
        "mish" => {
            let tanh = tanh(&softplus(&x));
            if value { x * tanh } else { tanh.clone() + x.clone() * (one - tanh.powi(2)) * sigmoid(&x) }
        }
        "laplace" => {
            let z = (x - p(0)) / p(1);
            if value { normal(&z) } else { density(&z) / p(1) }
        }
        "snake" => {
            if value {
                &x + &((&x * p(0)).sin().powi(2) / p(0))
            } else {
                (x * 2.0 * p(0)).sin() + 1.0
            }
        }
        "sin" => {
            if value { (x * p(0)).sin() } else { (x * p(0)).cos() * p(0) }
        }
        "xielu" => match (right, value) {
            (true, true) => x.powi(2) * p(0) + x * p(2),
            (true, false) => x * 2.0 * p(0) + p(2),
            (false, true) => (x.exp() - 1.0 - &x) * p(1) + x * p(2),
            (false, false) => (x.exp() - 1.0) * p(1) + p(2),
        },
        name => unreachable!("{name} has no reference"),
    }
    .to_odd()
}

fn leaky(x: &Big, slope: &Big, value: bool) -> Big {
    match (*x > x.of(0.0), value) {
        (true, true) => x.clone(),
        (true, false) => x.of(1.0),
        (false, true) => x * slope,
        (false, false) => slope.clone(),
    }
}

fn clip(x: &Big, low: f64, high: f64) -> Big {
    let (low, high) = (x.of(low), x.of(high));
    if *x < low {
        low
    } else if *x > high {
        high
    } else {
        x.clone()
    }
}

fn sigmoid(x: &Big) -> Big {
    if x.is_negative() { x.exp() / (x.exp() + 1.0) } else { x.of(1.0) / ((-x.clone()).exp() + 1.0) }
}

fn sigmoid_slope(x: &Big) -> Big {
    let e = (-x.abs()).exp();
    e.clone() / (e + 1.0).powi(2)
}

fn tanh(x: &Big) -> Big {
    let e = (-x.abs() * 2.0).exp();
    let tanh = (x.of(1.0) - &e) / (e + 1.0);
    if x.is_negative() { -tanh } else { tanh }
}

/// log(1 + e^x).
fn softplus(x: &Big) -> Big {
    let more = ((-x.abs()).exp() + 1.0).ln();
    if x.is_negative() { more } else { x + &more }
}

/// x sigmoid(beta x).
fn swish(x: &Big, beta: &Big, value: bool) -> Big {
    let z = x * beta;
    if value { x * &sigmoid(&z) } else { sigmoid(&z) + &z * &sigmoid_slope(&z) }
}

fn pi(x: &Big) -> Big {
    x.pi()
}

fn density(x: &Big) -> Big {
    if x.abs() > x.of(40.0) {
        return x.of(2.0_f64.powi(-1000));
    }
    (-x.powi(2) / 2.0).unbounded_exp() / (pi(x) * 2.0).sqrt()
}

/// The normal distribution: 1/2 + density (x + x^3 / 3 + x^5 / (3 5) + ...).
fn normal(x: &Big) -> Big {
    // Beyond this bound the rest is negligible beside any other number.
    if x.abs() > x.of(40.0) {
        let rest = x.of(2.0_f64.powi(-1000));
        return if x.is_negative() { rest } else { x.of(1.0) - rest };
    }
    let square = x.powi(2);
    let (mut term, mut sum, mut i) = (x.clone(), x.clone(), 1.0);
    let nothing = x.nothing();
    while term.abs() > sum.abs() * &nothing {
        i += 2.0;
        term = term * &square / i;
        sum = sum + &term;
    }
    sum * density(x) + 0.5
}

/// lambda, and lambda alpha: equation 14 of the paper, for mean 0 and variance 1.
fn selu(x: &Big) -> (Big, Big) {
    // erfc(z) = 2 (1 - normal(z sqrt 2)).
    let erfc = |a: &Big| (x.of(1.0) - normal(a)) * 2.0;
    let (one, two) = (x.of(1.0), x.of(2.0));
    let (near, far) = (erfc(&one), erfc(&two));
    let e = one.exp();
    let (root_e, pi) = (e.sqrt(), pi(x));
    let m = one.clone() - near.clone() * &root_e;
    let alpha = (two.clone() / &pi).sqrt() / &m;
    let sum = far * 2.0 * e.powi(2) + near.powi(2) * &pi * &e - (pi.clone() + 2.0) * 2.0 * near * root_e + &pi + 2.0;
    let lambda = m * (pi * 2.0).sqrt() / sum.sqrt();
    let product = lambda.clone() * alpha;
    (lambda, product)
}
