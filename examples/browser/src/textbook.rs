//! Formulas of textbooks and of the functions' cards, for either type of float: value and derivative of every function.
//!
//! They cancel, overflow and lose digits, as they do in usual code. The page shows how much.

use activations::AnyActivation;
use num_traits::Float;

use crate::common::entries::number::Number;
use crate::common::entries::{self, Entry, Visit};

/// A float, with the operations of the formulas.
pub trait Plain: Float + 'static {
    /// The nearest number.
    fn of(x: f64) -> Self;
    /// The error function.
    fn erf(self) -> Self;
    /// Value and derivative by the formulas of the function's test entry.
    fn by_entry(activation: &AnyActivation, x: Self) -> (Self, Self);
}

impl Plain for f32 {
    fn of(x: f64) -> Self {
        x as Self
    }

    fn erf(self) -> Self {
        libm::erff(self)
    }

    fn by_entry(activation: &AnyActivation, x: Self) -> (Self, Self) {
        by_entry(activation, x)
    }
}

impl Plain for f64 {
    fn of(x: f64) -> Self {
        x
    }

    fn erf(self) -> Self {
        libm::erf(self)
    }

    fn by_entry(activation: &AnyActivation, x: Self) -> (Self, Self) {
        by_entry(activation, x)
    }
}

fn by_entry<N: Number>(activation: &AnyActivation, x: N) -> (N, N) {
    struct At<N>(N);
    impl<N: Number> Visit for At<N> {
        type Out = (N, N);

        fn visit<E: Entry>(self, function: &E) -> (N, N) {
            (function.value_of(self.0), function.slope_of(self.0))
        }
    }
    entries::visit(activation, At(x))
        .unwrap_or_else(|| panic!("{activation} has no textbook formula: add one to src/textbook.rs"))
}

/// Value and derivative of a function of one number, or of the first output for the row (x, 0, 1).
pub type Formula<F> = Box<dyn Fn(F) -> (F, F)>;

/// The textbook's formula of the function.
///
/// # Panics
/// If a function of rows is missing here.
#[must_use]
pub fn formula<F: Plain>(activation: &AnyActivation) -> Formula<F> {
    use AnyActivation as Any;

    let c = F::of;
    let (zero, one, two) = (c(0.0), c(1.0), c(2.0));
    let step = move |yes: bool| if yes { one } else { zero };
    let leaky = move |slope: F| move |x| if x > zero { (x, one) } else { (slope * x, slope) };
    let swish = move |beta: F| {
        move |x: F| {
            let s = sigmoid(beta * x);
            (x / (one + (-beta * x).exp()), s + beta * x * s * (one - s))
        }
    };
    // On the left of 0: factor (e^(x / scale) - 1).
    let elu = move |factor: F, scale: F, right: F| {
        move |x: F| {
            let e = (x / scale).exp();
            if x > zero { (right * x, right) } else { (factor * (e - one), factor / scale * e) }
        }
    };
    let shrink = move |lambda: F, bias: F| {
        move |x: F| match x {
            _ if x > lambda => (x - bias, one),
            _ if x < -lambda => (x + bias, one),
            _ => (zero, zero),
        }
    };
    match activation {
        Any::Relu(_) => Box::new(move |x| (x.max(zero), step(x > zero))),
        Any::LeakyRelu(f) => Box::new(leaky(c(f.negative_slope()))),
        Any::Rrelu(f) => Box::new(leaky(c(f64::midpoint(f.lower(), f.upper())))),
        Any::Relu6(_) => Box::new(move |x| (x.max(zero).min(c(6.0)), step(x > zero && x < c(6.0)))),
        Any::SquaredRelu(_) => Box::new(move |x| (x.max(zero) * x.max(zero), two * x.max(zero))),
        Any::Threshold(f) => {
            let (threshold, value) = (c(f.threshold()), c(f.value()));
            Box::new(move |x| (if x > threshold { x } else { value }, step(x > threshold)))
        }
        Any::Sigmoid(_) => Box::new(move |x| {
            let y = sigmoid(x);
            (y, y * (one - y))
        }),
        Any::Tanh(_) => Box::new(move |x| {
            let y = (x.exp() - (-x).exp()) / (x.exp() + (-x).exp());
            (y, one - y * y)
        }),
        Any::Tanhshrink(_) => Box::new(|x: F| (x - x.tanh(), x.tanh() * x.tanh())),
        Any::LogCosh(_) => Box::new(|x| (x.cosh().ln(), x.tanh())),
        Any::Gelu(_) => Box::new(gelu),
        Any::ClippedGelu(f) => {
            let (min, max) = (c(f.min()), c(f.max()));
            Box::new(move |x| {
                let (y, slope) = gelu(x);
                (y.max(min).min(max), if y < min || y > max { zero } else { slope })
            })
        }
        Any::GeluTanh(_) => Box::new(move |x| {
            let (root, cubic) = (c(2.0 / std::f64::consts::PI).sqrt(), c(0.044_715));
            let inner = root * (x + cubic * x * x * x);
            let (s, dz) = (sigmoid(two * inner), two * root * (one + c(3.0) * cubic * x * x));
            (x * (one + inner.tanh()) / two, s + x * s * (one - s) * dz)
        }),
        Any::Silu(_) => Box::new(move |x: F| (x / (one + (-x).exp()), sigmoid(x) * (one + x * sigmoid(-x)))),
        Any::QuickGelu(_) => Box::new(swish(c(1.702))),
        Any::Swish(f) => Box::new(swish(c(f.beta()))),
        Any::Elu(f) => Box::new(elu(c(f.alpha()), one, one)),
        Any::Selu(_) => {
            let (lambda, alpha) = (c(1.050_700_987_355_480_5), c(1.673_263_242_354_377_2));
            Box::new(elu(lambda * alpha, one, lambda))
        }
        Any::Celu(f) => Box::new(elu(c(f.alpha()), c(f.alpha()), one)),
        Any::Softplus(f) => {
            let beta = c(f.beta());
            Box::new(move |x| ((one + (beta * x).exp()).ln() / beta, sigmoid(beta * x)))
        }
        Any::LogSigmoid(_) => Box::new(|x| (sigmoid(x).ln(), sigmoid(-x))),
        Any::Mish(_) => Box::new(move |x| {
            let t = (one + x.exp()).ln().tanh();
            (x * t, t + x * sigmoid(x) * (one - t * t))
        }),
        Any::Sin(f) => {
            let omega = c(f.omega());
            Box::new(move |x| ((omega * x).sin(), omega * (omega * x).cos()))
        }
        Any::Snake(f) => {
            let a = c(f.a());
            Box::new(move |x| (x + (a * x).sin() * (a * x).sin() / a, one + (two * a * x).sin()))
        }
        Any::Softmax(_) => Box::new(move |x| {
            let p = first_of_row(x);
            (p, p * (one - p))
        }),
        Any::LogSoftmax(_) => Box::new(move |x| (x - (x.exp() + one + one.exp()).ln(), one - first_of_row(x))),
        Any::Softmin(_) => Box::new(move |x| {
            let p = (-x).exp() / ((-x).exp() + one + (-one).exp());
            (p, -p * (one - p))
        }),
        Any::Sparsemax(_) => Box::new(sparsemax),
        Any::Hardmax(_) => Box::new(move |x| (step(x >= one), zero)),
        Any::Identity(_) => Box::new(move |x| (x, one)),
        Any::HardSigmoid(f) => {
            let (alpha, beta) = (c(f.alpha()), c(f.beta()));
            Box::new(move |x| {
                let y = alpha * x + beta;
                (y.max(zero).min(one), if y > zero && y < one { alpha } else { zero })
            })
        }
        Any::HardSwish(_) => Box::new(move |x| {
            let slope = (two * x + c(3.0)) / c(6.0);
            let inside = x > c(-3.0) && x < c(3.0);
            (x * (x + c(3.0)).max(zero).min(c(6.0)) / c(6.0), if inside { slope } else { step(x > zero) })
        }),
        Any::HardTanh(f) => {
            let (min, max) = (c(f.min()), c(f.max()));
            Box::new(move |x| (x.max(min).min(max), step(x > min && x < max)))
        }
        Any::Softshrink(f) => Box::new(shrink(c(f.lambda()), c(f.lambda()))),
        Any::Hardshrink(f) => Box::new(shrink(c(f.lambda()), zero)),
        Any::Shrink(f) => Box::new(shrink(c(f.lambd()), c(f.bias()))),
        Any::SparsePlus(_) => Box::new(move |x| {
            let slope = ((x + one) / two).max(zero).min(one);
            (if x >= one { x } else { slope * slope }, slope)
        }),
        Any::SparseSigmoid(_) => Box::new(move |x| {
            let inside = x > -one && x < one;
            (((x + one) / two).max(zero).min(one), if inside { one / two } else { zero })
        }),
        Any::Softsign(_) => Box::new(move |x| {
            let d = one + x.abs();
            (x / d, one / (d * d))
        }),
        Any::Squareplus(f) => {
            let b = c(f.b());
            Box::new(move |x| {
                let root = (x * x + b).sqrt();
                ((x + root) / two, (one + x / root) / two)
            })
        }
        Any::Laplace(f) => {
            let (mu, sigma) = (c(f.mu()), c(f.sigma()));
            Box::new(move |x| (normal((x - mu) / sigma), density((x - mu) / sigma) / sigma))
        }
        Any::Xielu(f) => {
            let (alpha_p, alpha_n, beta) = (c(f.alpha_p()), c(f.alpha_n()), c(f.beta()));
            Box::new(move |x| {
                if x > zero {
                    (alpha_p * x * x + beta * x, two * alpha_p * x + beta)
                } else {
                    (alpha_n * (x.exp() - one - x) + beta * x, alpha_n * (x.exp() - one) + beta)
                }
            })
        }
        Any::Exponential(_) => Box::new(|x| (x.exp(), x.exp())),
        // Well arranged, so that the page shows less loss. With parameters, which the entry rounds to `f32`, a function needs a
        // line here.
        other => {
            let function = *other;
            Box::new(move |x| F::by_entry(&function, x))
        }
    }
}

fn sigmoid<F: Plain>(x: F) -> F {
    F::one() / (F::one() + (-x).exp())
}

/// The normal distribution.
fn normal<F: Plain>(x: F) -> F {
    (F::one() + (x / F::of(2.0).sqrt()).erf()) / F::of(2.0)
}

/// Its density.
fn density<F: Plain>(x: F) -> F {
    (F::of(-0.5) * x * x).exp() / F::of(std::f64::consts::TAU).sqrt()
}

fn gelu<F: Plain>(x: F) -> (F, F) {
    let erf = (x / F::of(2.0).sqrt()).erf();
    (x * (F::one() + erf) / F::of(2.0), normal(x) + x * density(x))
}

/// Softmax of the row (x, 0, 1).
fn first_of_row<F: Plain>(x: F) -> F {
    x.exp() / (x.exp() + F::one() + F::one().exp())
}

/// Algorithm 1 of Martins & Astudillo, "From Softmax to Sparsemax", 2016, on the row (x, 0, 1).
fn sparsemax<F: Plain>(x: F) -> (F, F) {
    let (zero, one) = (F::zero(), F::one());
    let mut sorted = [x, zero, one];
    sorted.sort_by(|a, b| b.partial_cmp(a).unwrap_or(std::cmp::Ordering::Equal));
    let (mut sum, mut k, mut tau) = (zero, zero, zero);
    for z in sorted {
        if one + (k + one) * z > sum + z {
            (sum, k) = (sum + z, k + one);
            tau = (sum - one) / k;
        }
    }
    if x > tau { (x - tau, one - one / k) } else { (zero, zero) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::{Curve, evaluate};

    /// In `f64` the formulas lose less than 1e-9.
    #[test]
    fn formulas_are_those_of_the_functions() {
        let others =
            ["elu(0.3)", "celu(2)", "softplus(3)", "swish(-2)", "snake(2)", "shrink(1, 0.25)", "laplace(1, 2)"];
        let others = others.map(|text| text.parse().unwrap());
        for activation in AnyActivation::all().chain(others) {
            let formula = formula::<f64>(&activation);
            let x: Vec<f64> = (-1600..1600).map(|i| f64::from(i) / 200.0 + 1.0 / 512.0).collect();
            let values = evaluate(&activation, Curve::of(false), &x);
            let slopes = evaluate(&activation, Curve::of(true), &x);
            for ((x, value), slope) in x.into_iter().zip(values).zip(slopes) {
                let (y, dydx) = formula(x);
                assert!((y - value).abs() <= 1e-9 * value.abs().max(1.0), "{activation} at {x}: {y}, not {value}");
                assert!(
                    (dydx - slope).abs() <= 1e-9 * slope.abs().max(1.0),
                    "{activation}' at {x}: {dydx}, not {slope}"
                );
            }
        }
    }
}
