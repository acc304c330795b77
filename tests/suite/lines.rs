//! Functions made of lines, and algebraic functions: parameters other than the defaults, and gradients from outputs.

use crate::support::{Bits, Float, Outputs, assert_same, show, value};
use activations::*;

/// A function with its parameters, its formula and its derivative, and the spacings by which it may differ from them.
struct Case {
    activation: AnyActivation,
    value: Box<dyn Fn(f64) -> f64>,
    slope: Box<dyn Fn(f64) -> f64>,
    spacings: (f64, f64),
}

fn case(
    activation: impl Into<AnyActivation>,
    value: impl Fn(f64) -> f64 + 'static,
    slope: impl Fn(f64) -> f64 + 'static,
    spacings: (f64, f64),
) -> Case {
    Case { activation: activation.into(), value: Box::new(value), slope: Box::new(slope), spacings }
}

/// 1 for low < x < high, else 0.
fn within(x: f64, low: f64, high: f64) -> f64 {
    f64::from(low < x && x < high)
}

/// Parameters that both types hold exactly, except in the last lines.
fn cases() -> Vec<Case> {
    const EXACT: (f64, f64) = (0.5, 0.0);
    let mut cases = Vec::new();
    for (threshold, y) in [(0.25, -2.0), (-1.5, 3.0), (0.0, 0.0), (2.0, 2.0)] {
        cases.push(case(
            Threshold::new(threshold, y).unwrap(),
            move |x| if x > threshold { x } else { y },
            move |x| f64::from(x > threshold),
            EXACT,
        ));
    }
    for (lower, upper) in [(0.25, 0.75), (-0.5, 0.25), (0.5, 0.5), (-1.0, -0.5)] {
        let mean = (lower + upper) / 2.0;
        cases.push(case(
            Rrelu::new(lower, upper).unwrap(),
            move |x| if x > 0.0 { x } else { mean * x },
            move |x| if x > 0.0 { 1.0 } else { mean },
            EXACT,
        ));
    }
    for (min, max) in [(-0.5, 2.25), (1.0, 3.0), (-4.0, -2.0), (0.0, 20.0)] {
        let hard_tanh = HardTanh::new(min, max).unwrap();
        cases.push(case(hard_tanh, move |x| x.max(min).min(max), move |x| within(x, min, max), EXACT));
    }
    for lambda in [0.0, 0.125, 3.0] {
        let outside = move |x: f64| f64::from(x.abs() > lambda);
        let soft = move |x: f64| if x.abs() <= lambda { 0.0 } else { x - lambda * x.signum() };
        cases.push(case(Softshrink::new(lambda).unwrap(), soft, outside, EXACT));
        let hard = move |x: f64| if x.abs() <= lambda { 0.0 } else { x };
        cases.push(case(Hardshrink::new(lambda).unwrap(), hard, outside, EXACT));
        let shrink = |bias| Shrink::new(lambda, bias).unwrap();
        cases.push(case(shrink(lambda), soft, outside, EXACT));
        cases.push(case(shrink(0.0), hard, outside, EXACT));
        cases.push(case(
            shrink(-0.25),
            move |x| hard(x) + 0.25 * hard(x).signum() * f64::from(hard(x) != 0.0),
            outside,
            EXACT,
        ));
    }
    for (alpha, beta) in [(0.25, 0.25), (2.0, -1.0), (0.5, 1.0), (1.0, 0.0)] {
        cases.push(case(
            HardSigmoid::new(alpha, beta).unwrap(),
            move |x| (alpha * x + beta).clamp(0.0, 1.0),
            move |x| alpha * within(x, -beta / alpha, (1.0 - beta) / alpha),
            (1.0, 0.0),
        ));
    }
    let onnx = |x: f64| ((x + 2.5) / 5.0).clamp(0.0, 1.0);
    cases.push(case(HardSigmoid::onnx(), onnx, |x| within(x, -2.5, 2.5) / 5.0, (2.5, 0.5)));
    for b in [1.0_f64, 0.0625, 1e-30, 1e-6, 1e20] {
        // x is 2 c sinh(z) with c = sqrt(b) / 2. b is rounded to the type, so it is off by half a spacing.
        let z = move |x: f64| libm::asinh(x / b.sqrt());
        let far = |x: f64| x.abs() > 1e30;
        cases.push(case(
            Squareplus::new(b).unwrap(),
            move |x| if far(x) { x.max(0.0) + b / 4.0 / x.abs() } else { b.sqrt() / 2.0 * libm::exp(z(x)) },
            move |x| if x < -1e30 { b / 4.0 / x / x } else { 1.0 / (1.0 + libm::exp(-2.0 * z(x))) },
            (4.5, 4.5),
        ));
    }
    cases
}

/// Multiples of 1/64, floats next to kinks, and special values.
fn grid<T: Float>() -> Vec<T> {
    let mut x: Vec<T> = (-640..=640).map(|i| T::of(f64::from(i) / 64.0)).collect();
    for kink in [0.125, 0.25, 0.5, 1.0, 1.5, 2.0, 2.25, 2.5, 3.0, 4.0, 20.0] {
        let kink = T::of(kink);
        x.extend([kink.up(), -kink.up(), T::of_bits(kink.bits() - 1), -T::of_bits(kink.bits() - 1), kink, -kink]);
    }
    x.extend([1e-30, 1e-10, 1e10, 1e30].into_iter().flat_map(|x| [T::of(x), T::of(-x)]));
    x.extend([T::of(T::TINY), T::of(-T::TINY), T::neg_zero(), T::min_positive_value()]);
    x.extend([T::max_value(), T::min_value(), T::infinity(), T::neg_infinity(), T::nan()]);
    x
}

#[test]
fn any_parameters_give_the_formula_at_every_level() {
    fn check<T: Float>() {
        for Case { activation, value, slope, spacings } in cases() {
            for level in Level::available() {
                let x = grid::<T>();
                let outputs = Outputs::of(&level.with(activation), &x, &x);
                let near = |what: &str, got: &[T], formula: &dyn Fn(f64) -> f64, spacings: f64| {
                    for (&x, &got) in x.iter().zip(got) {
                        let exact = formula(x.wide());
                        let allowed =
                            spacings * T::of(exact).spacing() + if T::WIDTH == 64 { 1e-13 * exact.abs() } else { 0.0 };
                        let right = if x.is_nan() {
                            got.is_nan()
                        } else if T::of(exact).is_infinite() {
                            got == T::of(exact)
                        } else {
                            (got.wide() - exact).abs() <= allowed
                        };
                        assert!(
                            right,
                            "{activation:?} {} at {level}, {what} at {}: expected {exact:e}, got {}",
                            T::TYPE,
                            show(x),
                            show(got)
                        );
                    }
                };
                for (method, got) in outputs.values() {
                    near(method, got, &value, spacings.0);
                }
                for (method, got) in outputs.derivatives() {
                    near(method, got, &slope, spacings.1);
                }
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn zeros_keep_their_sign_if_the_function_goes_through_the_origin() {
    fn check<T: Float>() {
        let functions: [AnyActivation; 7] = [
            Rrelu::new(0.25, 0.5).unwrap().into(),
            HardTanh::new(0.0, 2.0).unwrap().into(),
            HardTanh::new(-3.0, 0.0).unwrap().into(),
            Softshrink::new(0.0).unwrap().into(),
            Hardshrink::new(0.0).unwrap().into(),
            Hardshrink::new(2.0).unwrap().into(),
            Shrink::new(2.0, 0.5).unwrap().into(),
        ];
        for (f, level) in functions.iter().flat_map(|f| Level::available().map(move |level| (f, level))) {
            for zero in [T::zero(), T::neg_zero()] {
                let got = value(&level.with(*f), zero);
                assert_same(&format!("{f:?} at {level}"), &[zero], &[zero], &[got]);
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn parameters_out_of_their_range_are_refused_by_name() {
    const NOT_FINITE: [f64; 3] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    let mut refused: Vec<(&str, &str, Option<ParameterError>)> = Vec::new();
    for bad in NOT_FINITE {
        refused.extend([
            ("threshold", "threshold", Threshold::new(bad, 0.0).err()),
            ("threshold", "value", Threshold::new(0.0, bad).err()),
            ("rrelu", "lower", Rrelu::new(bad, 1.0).err()),
            ("rrelu", "upper", Rrelu::new(0.0, bad).err()),
            ("hard_tanh", "min", HardTanh::new(bad, 1.0).err()),
            ("hard_tanh", "max", HardTanh::new(0.0, bad).err()),
            ("softshrink", "lambda", Softshrink::new(bad).err()),
            ("hardshrink", "lambda", Hardshrink::new(bad).err()),
            ("shrink", "lambd", Shrink::new(bad, 0.0).err()),
            ("shrink", "bias", Shrink::new(0.5, bad).err()),
            ("hard_sigmoid", "alpha", HardSigmoid::new(bad, 0.5).err()),
            ("hard_sigmoid", "beta", HardSigmoid::new(0.2, bad).err()),
            ("squareplus", "b", Squareplus::new(bad).err()),
        ]);
    }
    refused.extend([
        ("rrelu", "upper", Rrelu::new(0.5, 0.25).err()),
        ("hard_tanh", "max", HardTanh::new(1.0, 1.0).err()),
        ("hard_tanh", "max", HardTanh::new(1.0, -1.0).err()),
        ("softshrink", "lambda", Softshrink::new(-0.5).err()),
        ("hardshrink", "lambda", Hardshrink::new(-1e-300).err()),
        ("shrink", "lambd", Shrink::new(-0.5, 0.0).err()),
        ("hard_sigmoid", "alpha", HardSigmoid::new(0.0, 0.5).err()),
        ("hard_sigmoid", "alpha", HardSigmoid::new(-0.2, 0.5).err()),
        ("hard_sigmoid", "alpha", HardSigmoid::new(1e-31, 0.5).err()),
        ("hard_sigmoid", "alpha", HardSigmoid::new(0.2, 1e30).err()),
        ("squareplus", "b", Squareplus::new(0.0).err()),
        ("squareplus", "b", Squareplus::new(-4.0).err()),
        ("squareplus", "b", Squareplus::new(1e-31).err()),
        ("squareplus", "b", Squareplus::new(1e21).err()),
    ]);
    for (name, parameter, error) in refused {
        let text = error.unwrap_or_else(|| panic!("{name}: a bad `{parameter}` is taken")).to_string();
        assert!(text.starts_with(name) && text.contains(&format!("`{parameter}` is")), "{name}, {parameter}: `{text}`");
    }
}

/// Compares the gradient from the outputs with the gradient from the inputs.
fn gradients<T: Float, F: FromOutput<T>>(f: &F, x: &[T], grad_y: &[T]) -> (Vec<T>, Vec<T>) {
    let y = f.forward_vec(x);
    (f.backward_vec(x, grad_y), f.backward_from_output_vec(&y, grad_y))
}

#[test]
fn gradient_from_the_output_of_lines_is_the_one_from_the_input() {
    /// `upper` is the output to which inputs below the upper kink may be rounded. For it the derivative is 0, not the slope.
    fn check<T: Float, F: SlopeFromOutput + Copy>(f: F, upper: Option<f64>, name: &str) {
        for level in Level::available() {
            let x = grid::<T>();
            let grad_y = Bits(41).floats::<T>(x.len());
            let (mut expected, got) = gradients(&level.with(f), &x, &grad_y);
            let y = level.with(f).forward_vec(&x);
            for ((&x, &y), (expected, &g)) in x.iter().zip(&y).zip(expected.iter_mut().zip(&grad_y)) {
                // The greatest output. Other inputs may be rounded to it.
                if upper.is_some_and(|upper| y == T::of(upper)) && x.is_finite() {
                    *expected = g * T::zero();
                }
                // With a slope of 0, -inf gives -inf times 0.
                if y.is_nan() {
                    *expected = y;
                }
            }
            assert_same(&format!("{name} at {level}, from the output"), &x, &expected, &got);
        }
    }
    macro_rules! both {
        ($f:expr, $upper:expr) => {
            check::<f32, _>($f, $upper, stringify!($f));
            check::<f64, _>($f, $upper, stringify!($f));
        };
    }
    both!(Relu, None);
    both!(Identity, None);
    both!(LeakyRelu::new(0.25).unwrap(), None);
    both!(LeakyRelu::new(0.0).unwrap(), None);
    both!(Relu6, None);
    both!(HardTanh::default(), None);
    both!(HardTanh::new(-0.5, 2.25).unwrap(), None);
    both!(HardSigmoid::default(), Some(1.0));
    both!(HardSigmoid::new(0.25, 0.5).unwrap(), Some(1.0));
    both!(SparseSigmoid, Some(1.0));
}

#[test]
fn gradient_from_the_output_of_curves_is_near_the_one_from_the_input() {
    /// `error` takes an input and the derivative there. It returns how far off the derivative may be, in epsilons.
    fn check<T: Float, F: SlopeFromOutput + Copy>(f: F, error: fn(f64, f64) -> f64, name: &str) {
        for level in Level::available() {
            // The squares of larger numbers overflow.
            let x: Vec<T> = grid::<T>().into_iter().filter(|x| x.abs() < T::of(1e15)).collect();
            let (expected, got) = gradients(&level.with(f), &x, &vec![T::one(); x.len()]);
            for ((&x, expected), got) in x.iter().zip(expected).zip(got) {
                let allowed = error(x.wide(), expected.wide()) * T::EPS;
                // A square may have become 0 or subnormal.
                let lost = expected.wide() < 1e-15 && got.wide() < 1e-15;
                assert!(
                    lost || (expected.wide() - got.wide()).abs() <= allowed,
                    "{name} {} at {level}, from the output at {}: expected {}, got {}",
                    T::TYPE,
                    show(x),
                    show(expected),
                    show(got)
                );
            }
            let nan = level.with(f).backward_from_output_vec(&[T::nan()], &[T::one()]);
            assert!(nan[0].is_nan(), "{name} {} at {level}: NaN", T::TYPE);
        }
    }
    check::<f32, _>(SquaredRelu, |_, slope| 2.0 * slope, "squared_relu");
    check::<f64, _>(SquaredRelu, |_, slope| 2.0 * slope, "squared_relu");
    check::<f32, _>(SparsePlus, |_, slope| 2.0 * slope, "sparse_plus");
    check::<f64, _>(SparsePlus, |_, slope| 2.0 * slope, "sparse_plus");
    // 1 - |y| is off by an epsilon.
    check::<f32, _>(Softsign, |_, slope| 2.0 * slope.sqrt() + 3.0 * slope + 1e-6, "softsign");
    check::<f64, _>(Softsign, |_, slope| 2.0 * slope.sqrt() + 3.0 * slope + 1e-15, "softsign");
}

#[test]
fn a_leaky_relu_of_a_negative_slope_has_no_gradient_from_its_output() {
    let folding = LeakyRelu::new(-0.5).unwrap();
    for level in Level::available() {
        let grad_x = level.with(folding).backward_from_output_vec(&[-1.0_f32, 0.0, 1.0], &[1.0; 3]);
        assert!(grad_x.iter().all(|g| g.is_nan()), "{level}: {grad_x:?}");
    }
}
