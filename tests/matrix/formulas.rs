//! The activations of one number, by their textbook formulas.

use activations::AnyActivation;

use crate::big::{Big, LAMBDA, LAMBDA_ALPHA, PI};
use crate::number::Number;

/// f(x) and f'(x).
pub(crate) type Pair = (Big, Big);

/// The parameters of an activation, as the crate rounds them.
pub(crate) struct Formula {
    name: &'static str,
    parameters: Vec<(&'static str, f64)>,
    round: fn(f64) -> f64,
    is_f64: bool,
}

impl Formula {
    /// `None` for functions of rows.
    pub(crate) fn of<T: Number>(activation: &AnyActivation) -> Option<Self> {
        let name = activation.card().name;
        let of_rows = ["softmax", "log_softmax", "softmin", "sparsemax", "hardmax"].contains(&name);
        let parameters = activation.parameters().collect();
        (!of_rows).then_some(Self { name, parameters, round: T::computed, is_f64: T::TYPE == "f64" })
    }

    /// A parameter, rounded as the crate rounds it.
    fn parameter(&self, name: &str) -> Big {
        Big::of((self.round)(self.exact(name)))
    }

    fn exact(&self, name: &str) -> f64 {
        self.parameters.iter().find(|(known, _)| *known == name).expect("a parameter of this name").1
    }

    /// The least magnitude whose ULP is used for a derivative: the documentation's 1/16 near the roots.
    pub(crate) fn slope_floor(&self) -> Big {
        match self.name {
            "gelu" | "clipped_gelu" | "gelu_tanh" | "silu" | "quick_gelu" | "swish" | "mish" | "xielu" => {
                Big::ONE.scaled(-4)
            }
            _ => Big::ZERO,
        }
    }

    /// The same for a value, because xIELU's value has a root away from 0.
    pub(crate) fn value_floor(&self) -> Big {
        if self.name == "xielu" { Big::ONE.scaled(-4) } else { Big::ZERO }
    }

    pub(crate) fn at(&self, x: Big) -> Pair {
        if x.is_nan() {
            return (x, x);
        }
        if x.is_infinite() {
            return self.at_infinity(x);
        }
        let (zero, one, two) = (Big::ZERO, Big::ONE, Big::of(2.0));
        let positive = zero < x;
        let step = if positive { one } else { zero };
        match self.name {
            "relu" => (if positive { x } else { zero }, step),
            "leaky_relu" => leaky(x, self.parameter("negative_slope")),
            "rrelu" => leaky(x, Big::of((self.round)((self.exact("lower") + self.exact("upper")) / 2.0))),
            "relu6" => clip(x, zero, Big::of(6.0), one),
            "squared_relu" => {
                if positive {
                    (x * x, two * x)
                } else {
                    (zero, zero)
                }
            }
            "threshold" => {
                if self.parameter("threshold") < x {
                    (x, one)
                } else {
                    (self.parameter("value"), zero)
                }
            }
            "identity" => (x, one),
            "sigmoid" => (x.sigmoid(), x.sigmoid() * (-x).sigmoid()),
            "tanh" => {
                let e = (-x.abs().scaled(1)).exp();
                (x.tanh(), e.scaled(2) / ((one + e) * (one + e)))
            }
            "tanhshrink" => (tanhshrink(x), x.tanh() * x.tanh()),
            "log_cosh" => (log_cosh(x), x.tanh()),
            "gelu" => (x * x.normal_distribution(), x.normal_distribution() + x * x.density()),
            "clipped_gelu" => {
                let (min, max) = (self.parameter("min"), self.parameter("max"));
                let (y, slope) = (x * x.normal_distribution(), x.normal_distribution() + x * x.density());
                if y < min {
                    (min, zero)
                } else if max < y {
                    (max, zero)
                } else {
                    (y, slope)
                }
            }
            "laplace" => {
                let sigma = Big::of(self.exact("sigma"));
                let z = (x - Big::of(self.exact("mu"))) / sigma;
                (z.normal_distribution(), z.density() / sigma)
            }
            "xielu" => {
                let [alpha_p, alpha_n, beta] = ["alpha_p", "alpha_n", "beta"].map(|name| Big::of(self.exact(name)));
                if positive {
                    (x * (alpha_p * x + beta), two * alpha_p * x + beta)
                } else {
                    (alpha_n * (x.expm1() - x) + beta * x, alpha_n * x.expm1() + beta)
                }
            }
            "exponential" => (x.exp(), x.exp()),
            "shrink" => {
                let (lambd, bias) = (self.parameter("lambd"), self.parameter("bias"));
                let inside = -lambd <= x && x <= lambd;
                if inside { (zero, zero) } else { (if positive { x - bias } else { x + bias }, one) }
            }
            "gelu_tanh" => {
                let (c, k) = ((Big::of(8.0) / PI).sqrt(), Big::ratio(44_715.0, 1e6));
                let (z, slope) = (c * (x + k * x * x * x), c * (one + Big::of(3.0) * k * x * x));
                (x * z.sigmoid(), z.sigmoid() * (one + x * slope * (-z).sigmoid()))
            }
            "silu" => swish(x, one),
            "quick_gelu" => swish(x, Big::ratio(1_702.0, 1e3)),
            "swish" => swish(x, self.parameter("beta")),
            "elu" => exponential(x, self.parameter("alpha"), one),
            "celu" => exponential(x, self.parameter("alpha"), one / self.parameter("alpha")),
            "selu" => {
                if positive {
                    (LAMBDA * x, LAMBDA)
                } else {
                    (LAMBDA_ALPHA * x.expm1(), LAMBDA_ALPHA * x.exp())
                }
            }
            "softplus" => {
                let beta = self.parameter("beta");
                (softplus(beta * x) / beta, (beta * x).sigmoid())
            }
            "log_sigmoid" => (-softplus(-x), (-x).sigmoid()),
            "mish" => {
                // tanh(log(1 + w)) for w = e^x.
                let u = x.exp() * (x.exp() + two);
                let (t, rest) = (u / (u + two), two / (u + two));
                (x * t, t + x * x.sigmoid() * rest * (one + t))
            }
            "snake" => self.snake(x),
            "sin" => self.sin(x),
            "hard_sigmoid" => {
                let (alpha, beta) = (self.exact("alpha"), self.exact("beta"));
                let (slope, left) = (self.parameter("alpha"), Big::of((self.round)(-beta / alpha)));
                let right = Big::of((self.round)((1.0 - beta) / alpha));
                let slope_here = if left < x && x <= right { slope } else { zero };
                (clip((x - left) * slope, zero, one, one).0, slope_here)
            }
            "hard_swish" => {
                let three = Big::of(3.0);
                if x <= -three {
                    (-zero, zero)
                } else if three < x {
                    (x, one)
                } else {
                    (x * (x + three) / Big::of(6.0), (two * x + three) / Big::of(6.0))
                }
            }
            "hard_tanh" => clip(x, self.parameter("min"), self.parameter("max"), one),
            "softshrink" | "hardshrink" => {
                let lambda = self.parameter("lambda");
                let inside = -lambda <= x && x <= lambda;
                let moved = if self.name == "hardshrink" {
                    x
                } else if positive {
                    x - lambda
                } else {
                    x + lambda
                };
                if inside { (zero, zero) } else { (moved, one) }
            }
            "sparse_plus" => {
                let line = clip((x + one).scaled(-1), zero, one, one).0;
                (if one <= x { x } else { line * line }, line)
            }
            "sparse_sigmoid" => (clip((x + one).scaled(-1), zero, one, one).0, clip(x, -one, one, one.scaled(-1)).1),
            "softsign" => {
                let r = one / (one + x.abs());
                (x * r, r * r)
            }
            "squareplus" => {
                let b = self.parameter("b");
                let root = (x * x + b).sqrt();
                let twice = if positive { root + x } else { b / (root - x) };
                (twice.scaled(-1), twice / root.scaled(1))
            }
            name => panic!("no formula for {name}: add one to tests/matrix/formulas.rs"),
        }
    }

    fn snake(&self, x: Big) -> Pair {
        let a = self.parameter("a");
        let z = a * x;
        // Beyond this the wave is less than half an ULP, and its argument has no digits after the binary point.
        let value = if z.exponent() > 55 { x } else { x + z.sin_cos().0 * z.sin_cos().0 / a };
        // The documented result is 1, the mean.
        let far = Big::of(if self.is_f64 { 3e6 } else { 1600.0 });
        if far < z.abs() {
            return (value, Big::ONE);
        }
        let both = z.sin_cos().0 + z.sin_cos().1;
        (value, both * both)
    }

    fn sin(&self, x: Big) -> Pair {
        let omega = self.parameter("omega");
        let z = omega * x;
        // The documented result is 0, the mean.
        if Big::of(2.0_f64.powi(45)) < z.abs() {
            return (if x.is_negative() { -Big::ZERO } else { Big::ZERO }, Big::ZERO);
        }
        let (sin, cos) = z.sin_cos();
        (sin, omega * cos)
    }

    /// The limits.
    fn at_infinity(&self, x: Big) -> Pair {
        let right = !x.is_negative();
        let (zero, one) = (Big::ZERO, Big::ONE);
        let side = |left: Pair, on_right: Pair| if right { on_right } else { left };
        match self.name {
            "relu" | "softplus" | "sparse_plus" | "squareplus" | "hard_swish" | "gelu" | "gelu_tanh" | "silu"
            | "quick_gelu" | "mish" => side((zero, zero), (x, one)),
            "swish" if self.exact("beta") < 0.0 => side((x, one), (zero, zero)),
            "swish" => side((zero, zero), (x, one)),
            "relu6" => side((zero, zero), (Big::of(6.0), zero)),
            "squared_relu" => side((zero, zero), (x, x)),
            "threshold" => side((self.parameter("value"), zero), (x, one)),
            "sigmoid" | "hard_sigmoid" | "sparse_sigmoid" => side((zero, zero), (one, zero)),
            "tanh" | "softsign" => side((-one, zero), (one, zero)),
            "hard_tanh" => side((self.parameter("min"), zero), (self.parameter("max"), zero)),
            "tanhshrink" | "identity" | "softshrink" | "hardshrink" | "snake" => (x, one),
            "shrink" => (x, one),
            "sin" => (side((-zero, zero), (zero, zero)).0, zero),
            "clipped_gelu" => side((zero, zero), (self.parameter("max"), zero)),
            "laplace" => side((zero, zero), (one, zero)),
            "exponential" => side((zero, zero), (x, x)),
            "xielu" => {
                let slope = Big::of(self.exact("beta")) - Big::of(self.exact("alpha_n"));
                side((if slope.is_negative() { -x } else { x }, slope), (x, x))
            }
            "log_cosh" => (x.abs(), if right { one } else { -one }),
            "log_sigmoid" => side((x, one), (zero, zero)),
            "elu" | "celu" => side((-self.parameter("alpha"), zero), (x, one)),
            "selu" => side((-LAMBDA_ALPHA, zero), (x, LAMBDA)),
            "leaky_relu" => side((x, self.parameter("negative_slope")), (x, one)),
            "rrelu" => side((x, self.at(-one).1), (x, one)),
            name => panic!("no limits for {name}: add them to tests/matrix/formulas.rs"),
        }
    }

    /// f'(x) where f(x) = y, by the documented formula of the output, and the error that its cancellation may have.
    pub(crate) fn slope_of_output(&self, y: Big, eps: Big) -> (Big, Big) {
        let (zero, one) = (Big::ZERO, Big::ONE);
        if y.is_nan() {
            return (y, zero);
        }
        let positive = zero < y;
        let within = |low: Big, high: Big, slope: Big| if low < y && y < high { slope } else { zero };
        let left = |slope: Big| if positive { one } else { slope };
        let slope = match self.name {
            "relu" => left(zero),
            "leaky_relu" => left(self.parameter("negative_slope")),
            "identity" => one,
            "relu6" => within(zero, Big::of(6.0), one),
            "hard_sigmoid" => within(zero, one, self.parameter("alpha")),
            "sparse_sigmoid" => within(zero, one, one.scaled(-1)),
            "hard_tanh" => within(self.parameter("min"), self.parameter("max"), one),
            "squared_relu" => y.sqrt().scaled(1),
            "sparse_plus" => y.sqrt().min(one),
            "exponential" => y,
            "sigmoid" => y * (one - y),
            "tanh" => (one - y) * (one + y),
            "softsign" => (one - y.abs()) * (one - y.abs()),
            "elu" => left(y + self.parameter("alpha")),
            "selu" => {
                if positive {
                    LAMBDA
                } else {
                    y + LAMBDA_ALPHA
                }
            }
            "celu" => left((y + self.parameter("alpha")) / self.parameter("alpha")),
            "softplus" => -(-y * self.parameter("beta")).expm1(),
            "log_sigmoid" => -y.expm1(),
            name => panic!("no derivative from the output for {name}: add one to tests/matrix/formulas.rs"),
        };
        // A rounded constant, and a difference with it.
        let constant = if ["elu", "selu", "celu"].contains(&self.name) && !positive { Big::of(4.0) } else { zero };
        (slope, constant * eps)
    }
}

fn leaky(x: Big, slope: Big) -> Pair {
    if Big::ZERO < x { (x, Big::ONE) } else { (slope * x, slope) }
}

/// x, clamped, and the derivative of that, which at both ends is the left side's.
fn clip(x: Big, low: Big, high: Big, slope: Big) -> Pair {
    (x.max(low).min(high), if low < x && x <= high { slope } else { Big::ZERO })
}

pub(crate) fn softplus(x: Big) -> Big {
    let tail = (-x.abs()).exp().ln_1p();
    if x.is_negative() { tail } else { x + tail }
}

pub(crate) fn swish(x: Big, beta: Big) -> Pair {
    let z = beta * x;
    (x * z.sigmoid(), z.sigmoid() * (Big::ONE + z * (-z).sigmoid()))
}

fn exponential(x: Big, alpha: Big, inverse: Big) -> Pair {
    let z = x * inverse;
    let slope = alpha * inverse * z.exp();
    if Big::ZERO < x { (x, Big::ONE) } else { (alpha * z.expm1(), slope) }
}

fn tanhshrink(x: Big) -> Big {
    if x.exponent() >= -10 && x.is_ordinary() {
        return x - x.tanh();
    }
    // The next term is below 2^-80.
    let s = x * x;
    let terms = [(1.0, 3.0), (-2.0, 15.0), (17.0, 315.0), (-62.0, 2_835.0)];
    x * s * terms.iter().rev().fold(Big::ZERO, |sum, &(p, q)| sum * s + Big::ratio(p, q))
}

fn log_cosh(x: Big) -> Big {
    let a = x.abs();
    if a < Big::ONE {
        let e = a.scaled(-1).expm1();
        let sinh = (e + e / (e + Big::ONE)).scaled(-1);
        return (sinh * sinh).scaled(1).ln_1p();
    }
    a + (-a.scaled(1)).exp().ln_1p() - Big::of(2.0).ln()
}
