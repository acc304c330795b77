//! The definition of each function: its formula and its derivative in plain mathematics, over numbers of 106 bits.
//!
//! The kernels in `functions` compute the same with other, fast formulas. These here need not be fast, so you can compare them with
//! the documentation. They use the parameters as they are given.

use super::brief::brief;
use super::double::Double;
use super::elementary::{
    exp, expm1, log_cosh, log1p, normal, normal_density, sigmoid, sigmoid_slope, sine, sine_square, tanh, tanhshrink,
};
use super::round::Reach;
use super::{Definition, Part, mark};
use crate::activation::Activation;
use crate::functions::clipped_gelu::ClippedGelu;
use crate::functions::elu::{Celu, Elu, Selu};
use crate::functions::exponential::Exponential;
use crate::functions::gelu::{Gelu, GeluTanh};
use crate::functions::hard::{HardSigmoid, HardSwish, HardTanh};
use crate::functions::identity::Identity;
use crate::functions::laplace::Laplace;
use crate::functions::mish::Mish;
use crate::functions::relu::{LeakyRelu, Relu, Relu6, SquaredRelu, Threshold};
use crate::functions::rrelu::Rrelu;
use crate::functions::shrink::{Hardshrink, Shrink, Softshrink};
use crate::functions::sigmoid::Sigmoid;
use crate::functions::silu::{QuickGelu, Silu, Swish};
use crate::functions::sin::Sin;
use crate::functions::snake::Snake;
use crate::functions::softplus::{LogSigmoid, Softplus};
use crate::functions::softsign::Softsign;
use crate::functions::sparse::{SparsePlus, SparseSigmoid};
use crate::functions::squareplus::Squareplus;
use crate::functions::tanh::{LogCosh, Tanh, Tanhshrink};
use crate::functions::xielu::Xielu;
use crate::kernel::level::Level;
use crate::math::two_to;
use crate::pass::Pass;

const ONE: Double = Double::of(1.0, 0.0);

/// `define!(Tanh |f, x| tanh(x), ONE - tanh(x).square());` defines value and derivative of the activation `f` at `x`. Other methods
/// of [`Definition`] may follow in braces.
macro_rules! define {
    ($name:ident |$f:ident, $x:ident| $value:expr, $slope:expr $(, { $($others:tt)* })?) => {
        impl Definition for $name {
            fn exact_value(&self, $x: Double) -> Double {
                let $f = self;
                let _ = $f;
                $value
            }

            fn exact_slope(&self, $x: Double) -> Double {
                let ($f, _) = (self, $x);
                let _ = $f;
                $slope
            }

            $($($others)*)?
        }
    };
}

fn constant(c: f64) -> Double {
    c.into()
}

/// `a` if the condition holds, else `b`.
fn choose(condition: bool, a: impl Into<Double>, b: impl Into<Double>) -> Double {
    if condition { a.into() } else { b.into() }
}

/// A positive parameter, limited as in the kernels for `f64`.
fn bounded(parameter: f64) -> f64 {
    parameter.clamp(two_to(-500), two_to(500))
}

/// The kernels' error near the root of a derivative, which lies between these inputs. It is a few roundings of numbers near 1.
fn root_between(part: Part, from: f64, to: f64) -> Reach {
    match part {
        Part::Value => Reach::RELATIVE,
        Part::Slope => Reach { from, to, parts: [two_to(-49), 0.0, 0.0] },
    }
}

define!(Identity | _f, x | x, ONE);
define!(Relu | _f, x | choose(x.hi > 0.0, x, 0.0), choose(x.hi > 0.0, ONE, 0.0));
define!(LeakyRelu | f, x | choose(x.hi > 0.0, x, x * f.negative_slope()), choose(x.hi > 0.0, ONE, f.negative_slope()));
define!(Rrelu | f, x | choose(x.hi > 0.0, x, x * mean_slope(f)), choose(x.hi > 0.0, ONE, mean_slope(f)));
define!(Relu6 | _f, x | constant(x.hi.clamp(0.0, 6.0)), choose(0.0 < x.hi && x.hi < 6.0, ONE, 0.0));
define!(SquaredRelu | _f, x | choose(x.hi > 0.0, x.square(), 0.0), choose(x.hi > 0.0, x.times_power(2.0), 0.0));
define!(Threshold | f, x | choose(x.hi > f.threshold(), x, f.value()), choose(x.hi > f.threshold(), ONE, 0.0));
define!(HardTanh | f, x | constant(x.hi.clamp(f.min(), f.max())), choose(f.min() < x.hi && x.hi < f.max(), ONE, 0.0));
define!(
    HardSwish | _f,
    x | choose(x.hi >= 3.0, x, choose(x.hi <= -3.0, 0.0, x * (x + 3.0) / 6.0)),
    choose(x.hi >= 3.0, ONE, choose(x.hi <= -3.0, 0.0, (x.times_power(2.0) + 3.0) / 6.0))
);
define!(
    Softshrink | f,
    x | choose(x.hi.abs() > f.lambda(), (x.abs() - f.lambda()).copysign(x.hi), 0.0),
    choose(x.hi.abs() > f.lambda(), ONE, 0.0)
);
define!(Hardshrink | f, x | choose(x.hi.abs() > f.lambda(), x, 0.0), choose(x.hi.abs() > f.lambda(), ONE, 0.0));
define!(
    Shrink | f,
    x | choose(x.hi.abs() > f.lambd(), if x.hi > 0.0 { x - f.bias() } else { x + f.bias() }, 0.0),
    choose(x.hi.abs() > f.lambd(), ONE, 0.0)
);
define!(
    SparsePlus | _f,
    x | choose(x.hi >= 1.0, x, choose(x.hi <= -1.0, 0.0, (x + 1.0).square().times_power(0.25))),
    SparseSigmoid.exact_value(x)
);
define!(
    SparseSigmoid | _f,
    x | choose(x.hi >= 1.0, ONE, choose(x.hi <= -1.0, 0.0, (x + 1.0).times_power(0.5))),
    choose(-1.0 < x.hi && x.hi < 1.0, 0.5, 0.0)
);
define!(Softsign | _f, x | x / (x.abs() + 1.0), ONE / (x.abs() + 1.0).square());

define!(
    HardSigmoid | f,
    x | {
        let line = hard_line(f, x);
        choose(line.hi <= 0.0, 0.0, choose((line - 1.0).hi >= 0.0, ONE, line))
    },
    {
        let line = hard_line(f, x);
        choose(line.hi > 0.0 && (line - 1.0).hi < 0.0, hard_slope(f, ONE), 0.0)
    },
    {
        // The place where the line begins is rounded to `f64`.
        fn reach(&self, part: Part) -> Reach {
            let (from, _) = hard_kinks(self);
            match part {
                Part::Value => Reach {
                    from: from - from.abs() * two_to(-40),
                    to: f64::INFINITY,
                    parts: [self.beta().abs() * two_to(-50), 0.0, 0.0],
                },
                Part::Slope => Reach::RELATIVE,
            }
        }

        #[inline]
        fn approximate(&self, level: Level, part: Part, x: &[f64], y: &mut [f64]) {
            part.run(self, level, x, y);
            if let Part::Slope = part {
                let (low, high) = hard_kinks(self);
                let near = |x: f64, kink: f64| (x - kink).abs() <= kink.abs() * two_to(-40);
                mark(x, y, |x| near(x, low) || near(x, high));
            }
        }
    }
);

define!(Sigmoid | _f, x | sigmoid(x), sigmoid_slope(x), {
    brief!();
});
define!(Tanh | _f, x | tanh(x), sigmoid_slope(x.times_power(2.0)).times_power(4.0), {
    brief!();
});
define!(Tanhshrink | _f, x | tanhshrink(x), tanh(x).square());
define!(LogCosh | _f, x | log_cosh(x), tanh(x));
define!(Exponential | _f, x | exp(x), exp(x));
define!(Elu | f, x | choose(x.hi > 0.0, x, expm1(x) * f.alpha()), choose(x.hi > 0.0, ONE, exp(x) * f.alpha()), {
    // Results with a greater alpha are not below the normal range where the short formulas end.
    brief!(if |f| f.alpha().abs() < two_to(500));
});
define!(
    Selu | _f,
    x | if x.hi > 0.0 { x * LAMBDA } else { expm1(x) * LAMBDA_ALPHA },
    if x.hi > 0.0 { LAMBDA } else { exp(x) * LAMBDA_ALPHA }
);
define!(
    Celu | f,
    x | choose(x.hi > 0.0, x, expm1(x / bounded(f.alpha())) * bounded(f.alpha())),
    choose(x.hi > 0.0, ONE, exp(x / bounded(f.alpha())))
);
define!(
    Softplus | f,
    x | choose(x.hi > 0.0, x, 0.0) + log1p(exp(-(x.abs() * bounded(f.beta())))) / bounded(f.beta()),
    sigmoid(x * bounded(f.beta())),
    {
        brief!();
    }
);
define!(LogSigmoid | _f, x | choose(x.hi < 0.0, x, 0.0) - log1p(exp(-x.abs())), sigmoid(-x));
define!(
    Squareplus | f,
    x | {
        let tail = constant(0.5 * f.b()) / ((x.square() + f.b()).sqrt() + x.abs());
        choose(x.hi > 0.0, x, 0.0) + tail
    },
    {
        let root = (x.square() + f.b()).sqrt();
        let left = constant(0.5 * f.b()) / (root * (root + x.abs()));
        choose(x.hi > 0.0, ONE - left, left)
    }
);

define!(Gelu | _f, x | x * normal(x), normal(x) + x * normal_density(x), {
    brief!(cancels);

    fn reach(&self, part: Part) -> Reach {
        root_between(part, -1.0, -0.5)
    }
});
define!(
    ClippedGelu | f,
    x | {
        let gelu = Gelu.exact_value(x);
        choose((gelu - f.min()).hi < 0.0, f.min(), choose((gelu - f.max()).hi > 0.0, f.max(), gelu))
    },
    {
        let gelu = Gelu.exact_value(x);
        let outside = (gelu - f.min()).hi < 0.0 || (gelu - f.max()).hi > 0.0;
        choose(outside, 0.0, Gelu.exact_slope(x))
    },
    {
        fn reach(&self, part: Part) -> Reach {
            Gelu.reach(part)
        }

        #[inline]
        fn approximate(&self, level: Level, part: Part, x: &[f64], y: &mut [f64]) {
            part.run(self, level, x, y);
            if let Part::Slope = part {
                // The derivative jumps where GELU reaches a limit.
                let mut tile = [0.0; 64];
                for (x, y) in x.chunks(tile.len()).zip(y.chunks_mut(tile.len())) {
                    let gelu = &mut tile[..x.len()];
                    Gelu.run(level, Pass::Forward { x, y: gelu });
                    let near = |gelu: f64, limit: f64| (gelu - limit).abs() <= limit.abs() * two_to(-40);
                    mark(gelu, y, |gelu| near(gelu, self.min()) || near(gelu, self.max()));
                }
            }
        }
    }
);
define!(
    GeluTanh | _f,
    x | x * sigmoid(gelu_tanh_argument(x)),
    {
        let z = gelu_tanh_argument(x);
        // x z' = z + 2 C3 x^3.
        let cube = x * x.square() * GELU_TANH_CUBE * GELU_TANH_FACTOR;
        sigmoid(z) + sigmoid_slope(z) * (z + cube.times_power(2.0))
    },
    {
        brief!(cancels);

        fn reach(&self, part: Part) -> Reach {
            root_between(part, -2.0, -0.3)
        }
    }
);
define!(Silu | _f, x | x * sigmoid(x), swish_slope(x), {
    brief!(cancels);

    fn reach(&self, part: Part) -> Reach {
        root_between(part, -2.0, -0.5)
    }
});
define!(QuickGelu | _f, x | x * sigmoid(x * QUICK), swish_slope(x * QUICK), {
    fn reach(&self, part: Part) -> Reach {
        root_between(part, -2.0, -0.3)
    }
});
define!(Swish | f, x | x * sigmoid(x * swish_beta(f)), swish_slope(x * swish_beta(f)), {
    fn reach(&self, part: Part) -> Reach {
        let (near, far) = (-0.5 / swish_beta(self), -2.0 / swish_beta(self));
        root_between(part, near.min(far), near.max(far))
    }
});
define!(
    Mish | _f,
    x | x * mish_factor(x).0,
    {
        let (factor, slope) = mish_factor(x);
        factor + x * slope
    },
    {
        brief!(cancels);

        fn reach(&self, part: Part) -> Reach {
            root_between(part, -2.0, -0.5)
        }
    }
);
define!(Laplace | f, x | normal(laplace_argument(f, x)), normal_density(laplace_argument(f, x)) / bounded(f.sigma()));
define!(
    Snake | f,
    x | x + sine_square(x * bounded(f.a()), false) / bounded(f.a()),
    sine_square(x * bounded(f.a()), true).times_power(2.0),
    {
        // Beyond this, the kernel gives the mean.
        #[inline]
        fn approximate(&self, level: Level, part: Part, x: &[f64], y: &mut [f64]) {
            part.run(self, level, x, y);
            if let Part::Slope = part {
                let most = 2e6 / bounded(self.a());
                mark(x, y, |x| x.is_finite() && x.abs() > most);
            }
        }
    }
);
define!(Sin | f, x | sine(x * bounded(f.omega()), false), sine(x * bounded(f.omega()), true) * bounded(f.omega()), {
    // Beyond this, the kernel gives the mean.
    #[inline]
    fn approximate(&self, level: Level, part: Part, x: &[f64], y: &mut [f64]) {
        part.run(self, level, x, y);
        let most = two_to(44) / bounded(self.omega());
        mark(x, y, |x| x.is_finite() && x.abs() > most);
    }
});
define!(
    Xielu | f,
    x | {
        let [alpha_p, alpha_n, beta] = xielu_parameters(f);
        choose(x.hi > 0.0, x * (x * alpha_p + beta), xielu_curve(x) * alpha_n + x * beta)
    },
    {
        let [alpha_p, alpha_n, beta] = xielu_parameters(f);
        choose(x.hi > 0.0, (x * alpha_p).times_power(2.0) + beta, expm1(x) * alpha_n + beta)
    },
    {
        // Depending on the parameters there are roots on both sides.
        fn reach(&self, part: Part) -> Reach {
            let [alpha_p, alpha_n, beta] = xielu_parameters(self).map(|parameter| parameter.abs() * two_to(-49));
            let parts = match part {
                Part::Value => [0.0, alpha_n + beta, alpha_p],
                Part::Slope => [alpha_n + beta, 2.0 * alpha_p, 0.0],
            };
            Reach { from: f64::NEG_INFINITY, to: f64::INFINITY, parts }
        }
    }
);

fn mean_slope(f: &Rrelu) -> Double {
    Double::sum(f.lower(), f.upper()).times_power(0.5)
}

/// x times `alpha`. The default stands for exactly 1/6, so that the line reaches 0 and 1 at -3 and 3.
fn hard_slope(f: &HardSigmoid, x: Double) -> Double {
    if f.alpha() == 1.0 / 6.0 { x / 6.0 } else { x * f.alpha() }
}

fn hard_line(f: &HardSigmoid, x: Double) -> Double {
    hard_slope(f, x) + f.beta()
}

/// Where the line begins and ends, rounded.
fn hard_kinks(f: &HardSigmoid) -> (f64, f64) {
    (-f.beta() / f.alpha(), (1.0 - f.beta()) / f.alpha())
}

/// The constants of SELU: see its documentation.
const LAMBDA: Double = Double::of(1.050_700_987_355_480_5, 3.987_484_766_715_415e-17);
const LAMBDA_ALPHA: Double = Double::of(1.758_099_340_847_376_8, 1.415_351_938_008_446e-17);

/// 1.702.
const QUICK: Double = Double::of(1.702, 4.263_256_414_560_601e-17);

/// 2 sqrt(2/pi), and 0.044715.
const GELU_TANH_FACTOR: Double = Double::of(1.595_769_121_605_730_8, -9.969_308_809_110_92e-17);
const GELU_TANH_CUBE: Double = Double::of(0.044_715, 2.196_021_142_708_559_5e-18);

/// 2 sqrt(2/pi) (x + 0.044715 x^3).
fn gelu_tanh_argument(x: Double) -> Double {
    GELU_TANH_FACTOR * (x + x * x.square() * GELU_TANH_CUBE)
}

/// `beta`, limited as in the kernels.
fn swish_beta(f: &Swish) -> f64 {
    let magnitude = f.beta().abs();
    if magnitude < two_to(-500) { 0.0 } else { magnitude.min(two_to(500)).copysign(f.beta()) }
}

/// The derivative of z sigmoid(z).
fn swish_slope(z: Double) -> Double {
    sigmoid(z) + z * sigmoid_slope(z)
}

/// tanh(softplus(x)) and its derivative: w / (w + 2) with w = e^x (e^x + 2), divided by e^2x for positive x.
fn mish_factor(x: Double) -> (Double, Double) {
    let e = exp(-x.abs());
    if x.hi > 0.0 {
        let w = e.times_power(2.0) + 1.0;
        let all = w + e.square().times_power(2.0);
        (w / all, e.square() * (e + 1.0).times_power(4.0) / all.square())
    } else {
        let w = e * (e + 2.0);
        (w / (w + 2.0), e * (e + 1.0).times_power(4.0) / (w + 2.0).square())
    }
}

fn laplace_argument(f: &Laplace, x: Double) -> Double {
    (x - f.mu()) / bounded(f.sigma())
}

/// The parameters, limited as in the kernels.
fn xielu_parameters(f: &Xielu) -> [f64; 3] {
    [f.alpha_p(), f.alpha_n(), f.beta()].map(|parameter| parameter.clamp(-two_to(500), two_to(500)))
}

/// e^x - 1 - x.
fn xielu_curve(x: Double) -> Double {
    if x.hi < -1.0 {
        return expm1(x) - x;
    }
    // x^2/2 (1 + x/3 (1 + x/4 (...))).
    let mut series = ONE;
    for i in (3..=32_u8).rev() {
        series = x * series / f64::from(i) + 1.0;
    }
    x.square().times_power(0.5) * series
}
