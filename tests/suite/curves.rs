//! The smooth functions with parameters other than the defaults, and gradients from their outputs.

use std::iter;

use crate::common::{Part, oracle, sweep, ulp};
use crate::support::{Bits, Float, Outputs, assert_same};
use activations::{
    Activation, AnyActivation, Celu, ClippedGelu, Described, Elu, Exponential, FromOutput, Gelu, Laplace, Level,
    LogSigmoid, ParameterError, Selu, Sigmoid, Silu, Sin, Snake, Softplus, Swish, Tanh, Xielu,
};

/// Inputs of all magnitudes near the curve, whose place depends on a parameter, and beyond.
fn inputs(scale: f64) -> Vec<f32> {
    let mut bits = Bits(31);
    let near = iter::repeat_with(move || (bits.within(120.0) / scale) as f32).take(20_000);
    let small = (0..4_000).map(|i| (2.0_f64.powf(f64::from(i) / -40.0) / scale) as f32);
    let far = [f32::MAX, f32::INFINITY, 0.0];
    near.chain(small).chain(far).flat_map(|x| [x, -x]).collect()
}

/// Checks that the greatest error in ULP, compared with the formula in `f64`, is below the ceilings at each level.
fn within_ceilings(
    name: &str,
    activation: impl Into<AnyActivation>,
    scale: f64,
    value: impl Fn(f64) -> f64,
    slope: impl Fn(f64) -> f64,
) {
    let activation = activation.into();
    let x = inputs(scale);
    let mut y = vec![0.0; x.len()];
    for (level, part) in Level::available().flat_map(|level| Part::BOTH.map(|part| (level, part))) {
        sweep::run(activation, level, part, &x, &mut y);
        let ceiling = if level.is_fused() { part.of((3.0, 4.0)) } else { 5.0 };
        for (&x, &got) in x.iter().zip(&y) {
            let exact = part.of((value(f64::from(x)), slope(f64::from(x))));
            let error = ulp::error_f32(got, exact, part.floor(activation.card().name));
            assert!(
                error <= ceiling,
                "{name} {part:?} at {level}: x = {x:e}: expected {exact:e}, got {got:e}, {error:.2} ULP"
            );
        }
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}

#[test]
fn swish_holds_for_any_beta() {
    for beta in [1.0, -1.0, 1.5, -0.3, 0.005, 77.7, 1e15_f32] {
        let b = f64::from(beta);
        let value = |x: f64| {
            if x.is_infinite() && x * b < 0.0 {
                -0.0 * x.signum() * b.signum() * x.signum()
            } else {
                x * sigmoid(b * x)
            }
        };
        let slope = |x: f64| {
            let z = b * x;
            if z.abs() > 200.0 { f64::from(z > 0.0) } else { sigmoid(z) * (1.0 + z * sigmoid(-z)) }
        };
        within_ceilings(&format!("swish({beta})"), Swish::new(b).unwrap(), b.abs(), value, slope);
    }
}

#[test]
fn swish_without_a_gate_is_half_of_x() {
    for beta in [0.0, -0.0, 1e-200] {
        within_ceilings("swish(0)", Swish::new(beta).unwrap(), 1e-3, |x| x / 2.0, |_| 0.5);
    }
}

#[test]
fn swish_with_beta_1_is_silu_within_both_bounds() {
    let x = inputs(1.0);
    let (swish, silu) = (Swish::default().forward_vec(&x), Silu.forward_vec(&x));
    for ((&x, swish), silu) in x.iter().zip(swish).zip(silu) {
        assert!(ulp::error_f32(swish, f64::from(silu), 0.0) <= 6.0, "at {x:e}: {swish:e}, {silu:e}");
    }
}

#[test]
fn softplus_holds_for_any_beta() {
    for beta in [1.0, 0.7, 3.0, 0.001, 1e10_f32] {
        let b = f64::from(beta);
        let value = |x: f64| x.max(0.0) + libm::log1p(libm::exp(-(b * x).abs())) / b;
        within_ceilings(&format!("softplus({beta})"), Softplus::new(b).unwrap(), b, value, |x| sigmoid(b * x));
    }
}

#[test]
fn celu_holds_for_any_alpha() {
    for alpha in [1.0, 0.7, 3.0, 0.001, 1e10, 1e-10_f32] {
        let a = f64::from(alpha);
        let value = |x: f64| if x > 0.0 { x } else { a * libm::expm1(x / a) };
        let slope = |x: f64| if x > 0.0 { 1.0 } else { libm::exp(x / a) };
        within_ceilings(&format!("celu({alpha})"), Celu::new(a).unwrap(), 1.0 / a, value, slope);
    }
}

#[test]
fn snake_holds_for_any_frequency() {
    for a in [1.0, 0.7, 5.0, 100.0, 1e-5_f32] {
        let wide = f64::from(a);
        let value = |x: f64| if x.is_infinite() { x } else { x + libm::sin(wide * x).powi(2) / wide };
        let slope = |x: f64| {
            let z = wide * x;
            if z.abs() > 1600.0 { 1.0 } else { (libm::sin(z) + libm::cos(z)).powi(2) }
        };
        within_ceilings(&format!("snake({a})"), Snake::new(wide).unwrap(), wide, value, slope);
    }
}

#[test]
fn sin_holds_for_any_frequency() {
    for omega in [30.0, 1.0, 0.7, 1e3, 1e-5_f32] {
        let wide = f64::from(omega);
        // The product of two `f32` is exact.
        let far = |x: f64| (wide * x).abs() > 2.0_f64.powi(45);
        let value = |x: f64| if far(x) { 0.0_f64.copysign(x) } else { libm::sin(wide * x) };
        let slope = |x: f64| if far(x) { 0.0 } else { wide * libm::cos(wide * x) };
        within_ceilings(&format!("sin({omega})"), Sin::new(wide).unwrap(), wide, value, slope);
    }
}

#[test]
fn laplace_holds_for_any_step() {
    // Parameters are not rounded to the type.
    for (mu, sigma) in [(0.0, 1.0), (-3.3, 7.7), (0.1, 1e-3), (1e5, 3e4), (1e-3, 1e15), (-1e30, 1e10), (0.1, 1e-9)] {
        within_ceilings(
            &format!("laplace({mu}, {sigma})"),
            Laplace::new(mu, sigma).unwrap(),
            1.0 / sigma,
            |x| oracle::value(&Laplace::new(mu, sigma).unwrap(), x),
            |x| oracle::slope(&Laplace::new(mu, sigma).unwrap(), x),
        );
    }
}

fn xielu(x: f64, [p, n, b]: [f64; 3]) -> f64 {
    match x {
        _ if x > 0.0 && p == 0.0 => b * x,
        _ if x > 0.0 => x * (p * x + b),
        f64::NEG_INFINITY if n == b => -n,
        _ if x > -1.0 => n * (libm::expm1(x) - x) + b * x,
        _ => n * libm::expm1(x) - (n - b) * x,
    }
}

/// With a beta of nearly 0, only e^x - 1 - x is left on the left side. Its error is in units of its own spacing.
#[test]
fn xielu_with_a_tiny_beta_is_within_5_ulp() {
    let x: Vec<f32> = (1..40_000).map(|i| i as f32 / -8_192.0).collect();
    for given @ [p, n, b] in [[1.0, 5.0, 0.0], [1.0, 1e3, 2.0_f64.powi(-10)]] {
        for level in Level::available() {
            let mut y = x.clone();
            level.with(Xielu::new(p, n, b).unwrap()).forward(&x, &mut y);
            for (&x, &y) in x.iter().zip(&y) {
                let error = ulp::error_f32(y, xielu(f64::from(x), given), 1.0 / 16.0);
                assert!(error <= 5.0, "xielu({p}, {n}, {b}) at {level}: x = {x:e}: got {y:e}, {error:.2} ULP");
            }
        }
    }
}

#[test]
fn xielu_holds_for_any_parameters() {
    let parameters: [[f32; 3]; 5] =
        [[0.0, 1.3, 0.1], [1.7, -0.7, -0.3], [0.3, 0.7, 0.7], [100.0, 0.25, 2.0], [0.8, 0.0, 0.5]];
    for given @ [p, n, b] in parameters.map(|given| given.map(f64::from)) {
        within_ceilings(
            &format!("xielu({p}, {n}, {b})"),
            Xielu::new(p, n, b).unwrap(),
            1.0,
            |x| xielu(x, given),
            |x| match x {
                _ if x > 0.0 && p == 0.0 => b,
                _ if x > 0.0 => 2.0 * p * x + b,
                _ => n * libm::expm1(x) + b,
            },
        );
    }
}

/// Near zero the bounds of the card are in units of the spacing at 1/16, so this test checks more.
#[test]
fn xielu_near_zero_keeps_its_relative_accuracy() {
    let small = (0..6_000).map(|i| 2.0_f32.powf(i as f32 / -40.0 - 1.0));
    let x: Vec<f32> = small.flat_map(|x| [x, -x]).collect();
    let mut y = x.clone();
    let xielu = AnyActivation::from(Xielu::default());
    let exact = oracle::of(&xielu, Part::Value).expect("an oracle");
    for level in Level::available() {
        level.with(xielu).forward(&x, &mut y);
        let bound = sweep::bound_f32(Xielu::CARD.error, level, Part::Value);
        for (&x, &y) in x.iter().zip(&y) {
            let error = ulp::error_f32(y, exact(f64::from(x)), 0.0);
            assert!(error <= bound, "at {level}: x = {x:e}: got {y:e}, {error:.2} ULP");
        }
    }
}

#[test]
fn clipped_gelu_is_gelu_between_its_bounds_to_the_bit() {
    fn check<T: Float>() {
        let x: Vec<T> = Bits(33).floats(20_000);
        for (min, max) in [(-10.0, 10.0), (-0.125, 6.0), (0.0, 0.5), (-0.15, -0.01), (1.0, 2.0), (-200.0, 1e300)] {
            let clipped = ClippedGelu::new(min, max).unwrap();
            let (min, max) = (T::of(min), T::of(max));
            for level in Level::available() {
                let gelu = Outputs::of(&level.with(Gelu), &x, &x);
                let clip = |&y: &T| {
                    if y < min {
                        min
                    } else if max < y {
                        max
                    } else {
                        y
                    }
                };
                let values: Vec<T> = gelu.forward.iter().map(clip).collect();
                let slope = |(&y, &slope): (&T, &T)| if y < min || max < y { T::zero() } else { slope };
                let slopes: Vec<T> = gelu.forward.iter().zip(&gelu.derivative).map(slope).collect();
                let got = Outputs::of(&level.with(clipped), &x, &x);
                for (method, got) in got.values() {
                    assert_same(&format!("{clipped:?} at {level}, {method}"), &x, &values, got);
                }
                for (method, got) in got.derivatives() {
                    assert_same(&format!("{clipped:?} at {level}, {method}"), &x, &slopes, got);
                }
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn the_wave_of_snake_never_leaves_its_bounds() {
    fn check<T: Float>() {
        let mut bits = Bits(32);
        let x: Vec<T> = bits.floats(100_000);
        for level in Level::available() {
            for a in [1.0, 1e-3, 1e30] {
                let snake = level.with(Snake::new(a).unwrap());
                let (mut y, mut slope) = (x.clone(), x.clone());
                snake.forward(&x, &mut y);
                snake.derivative(&x, &mut slope);
                for ((x, y), slope) in x.iter().zip(y).zip(slope).filter(|((x, _), _)| x.is_finite()) {
                    let (wave, spacing) = (y.wide() - x.wide(), 2.0 * x.spacing());
                    assert!(-spacing <= wave && wave <= 1.0 / a.min(1e18) + spacing, "a = {a}, x = {x:e}: {y:e}");
                    assert!((0.0..=2.0).contains(&slope.wide()), "a = {a}, x = {x:e}: derivative {slope:e}");
                }
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn extreme_parameters_give_no_nan() {
    fn check<T: Float>() {
        let x: Vec<T> =
            [0.0, 1e-40, 1e-3, 1.0, 1e5, 1e30, f64::INFINITY].map(T::of).into_iter().flat_map(|x| [x, -x]).collect();
        for p in [f64::MIN_POSITIVE, 1e-300, 1e-45, 1e-20, 1e20, 1e38, 1e300, f64::MAX] {
            let all: [AnyActivation; 9] = [
                Swish::new(p).unwrap().into(),
                Swish::new(-p).unwrap().into(),
                Softplus::new(p).unwrap().into(),
                Celu::new(p).unwrap().into(),
                Snake::new(p).unwrap().into(),
                Laplace::new(p, p).unwrap().into(),
                Laplace::new(-p, 1.0 / p.min(1e300)).unwrap().into(),
                Xielu::new(p, p, p).unwrap().into(),
                Xielu::new(p, -p, p).unwrap().into(),
            ];
            for (activation, level) in all.iter().flat_map(|a| Level::available().map(move |level| (a, level))) {
                let at = level.with(*activation);
                let (mut y, mut slope) = (x.clone(), x.clone());
                at.forward(&x, &mut y);
                at.derivative(&x, &mut slope);
                assert!(y.iter().chain(&slope).all(|y| !y.is_nan()), "{activation:?} at {level}: {y:?}, {slope:?}");
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn parameters_out_of_range_are_refused() {
    let refused = |result: Result<AnyActivation, ParameterError>, parameter: &str| {
        let text = result.unwrap_err().to_string();
        assert!(text.contains(parameter), "{text}");
    };
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        refused(Swish::new(bad).map(Into::into), "beta");
        refused(ClippedGelu::new(bad, 1.0).map(Into::into), "min");
        refused(ClippedGelu::new(0.0, bad).map(Into::into), "max");
        refused(Laplace::new(bad, 1.0).map(Into::into), "mu");
        refused(Xielu::new(bad, 1.0, 1.0).map(Into::into), "alpha_p");
        refused(Xielu::new(1.0, bad, 1.0).map(Into::into), "alpha_n");
        refused(Xielu::new(1.0, 1.0, bad).map(Into::into), "beta");
    }
    refused(ClippedGelu::new(1.0, 1.0).map(Into::into), "max");
    refused(Xielu::new(-0.1, 1.0, 1.0).map(Into::into), "alpha_p");
    for bad in [f64::NAN, f64::INFINITY, 0.0, -0.0, -1.0] {
        refused(Softplus::new(bad).map(Into::into), "beta");
        refused(Celu::new(bad).map(Into::into), "alpha");
        refused(Snake::new(bad).map(Into::into), "`a`");
        refused(Laplace::new(0.0, bad).map(Into::into), "sigma");
    }
}

/// Compares the gradient from the output with the derivative at the input. They may differ by `ulps` spacings, plus the effect of an
/// output error of `ulps_of_y` spacings, where `sensitivity` is the derivative's own derivative with respect to y.
fn from_output_agrees<A: FromOutput<f32> + Copy>(name: &str, f: A, sensitivity: impl Fn(f64) -> f64) {
    let x: Vec<f32> = inputs(2.0);
    for level in Level::available() {
        let at = level.with(f);
        let mut y = x.clone();
        at.forward_in_place(&mut y);
        let ones = vec![1.0; x.len()];
        let (mut direct, mut got) = (x.clone(), x.clone());
        at.backward(&x, &ones, &mut direct);
        at.backward_from_output(&y, &ones, &mut got);
        for (i, &x) in x.iter().enumerate() {
            let slack = 8.0 * direct[i].spacing() + 4.0 * sensitivity(f64::from(y[i])) * y[i].spacing();
            let error = (f64::from(got[i]) - f64::from(direct[i])).abs();
            assert!(
                error <= slack,
                "{name} at {level}: x = {x:e}, y = {:e}: {:e}, from y {:e}",
                y[i],
                direct[i],
                got[i]
            );
        }
    }
}

#[test]
fn gradients_from_outputs_are_those_of_the_inputs() {
    from_output_agrees("tanh", Tanh, |y| 2.0 * y.abs());
    from_output_agrees("sigmoid", Sigmoid, |y| (1.0 - 2.0 * y).abs());
    from_output_agrees("elu", Elu::default(), |_| 1.0);
    from_output_agrees("elu(0.3)", Elu::new(0.3).unwrap(), |_| 1.0);
    from_output_agrees("selu", Selu, |_| 1.0);
    from_output_agrees("celu", Celu::default(), |_| 1.0);
    from_output_agrees("celu(2)", Celu::new(2.0).unwrap(), |_| 0.5);
    from_output_agrees("softplus", Softplus::default(), |y| (-y).exp());
    from_output_agrees("softplus(3)", Softplus::new(3.0).unwrap(), |y| 3.0 * (-3.0 * y).exp());
    from_output_agrees("log_sigmoid", LogSigmoid, f64::exp);
}

#[test]
fn the_output_of_the_exponential_is_its_derivative() {
    let x: Vec<f32> = inputs(1.0);
    let ones = vec![1.0; x.len()];
    for level in Level::available() {
        let exponential = level.with(Exponential);
        let y = exponential.forward_vec(&x);
        assert_same(&format!("exponential at {level}"), &x, &y, &exponential.derivative_vec(&x));
        assert_same(&format!("exponential at {level}"), &x, &y, &exponential.backward_from_output_vec(&y, &ones));
    }
}

#[test]
fn gradients_from_outputs_of_nan_are_nan() {
    fn of<A: FromOutput<f64>>(f: A) -> bool {
        f.backward_from_output_vec(&[f64::NAN], &[1.0])[0].is_nan()
    }
    assert!(
        of(Sigmoid)
            && of(Elu::default())
            && of(Selu)
            && of(Celu::default())
            && of(Softplus::default())
            && of(LogSigmoid)
            && of(Exponential)
    );
}
