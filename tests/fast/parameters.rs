//! Parameters other than the defaults, with which the contract scales.

use activations::{Activation, Elu, Fast, Level, Softplus, Swish};

use crate::support::{Outputs, assert_same};

fn inputs(scale: f64) -> Vec<f32> {
    let near = (-4_000..4_000).map(|i| (f64::from(i) * 0.004_9 * scale) as f32);
    near.chain([f32::NEG_INFINITY, f32::INFINITY, f32::MIN, f32::MAX, -0.0, 0.0]).collect()
}

fn sigmoid(x: f64) -> f64 {
    if x < 0.0 { libm::exp(x) / (1.0 + libm::exp(x)) } else { 1.0 / (1.0 + libm::exp(-x)) }
}

#[track_caller]
fn assert_near(what: &str, x: f32, got: f32, exact: f64, bound: f64) {
    let near = f64::from(got) == exact || (f64::from(got) - exact).abs() <= bound;
    assert!(near, "{what} of {x:e}: expected {exact:e}, got {got:e}, bound {bound:e}");
}

#[test]
fn swish_of_any_moderate_beta_is_within_its_contract() {
    for (beta, level) in
        [1e-12, 0.01, 0.5, 1.702, 3.0, 1e6].into_iter().flat_map(|b| Level::available().map(move |l| (b, l)))
    {
        let (swish, x) = (Swish::new(beta).expect("a beta"), inputs(1.0 / beta));
        let outputs = Outputs::of(&level.with(Fast(swish)), &x, &x);
        for ((&x, &y), &dydx) in x.iter().zip(&outputs.forward).zip(&outputs.derivative) {
            let (wide, what) = (f64::from(x), format!("swish({beta}) at {level}"));
            let z = beta * wide;
            let value = if x == f32::NEG_INFINITY { -0.0 } else { wide * sigmoid(z) };
            let slope = if z.abs() > 1e3 { f64::from(x > 0.0) } else { sigmoid(z) * (1.0 + z * sigmoid(-z)) };
            assert_near(&what, x, y, value, wide.abs() * (-22.5_f64).exp2() + f64::from(f32::MIN_POSITIVE));
            assert_near(&what, x, dydx, slope, (-22.0_f64).exp2());
        }
    }
}

#[test]
fn softplus_of_any_moderate_beta_is_within_its_contract() {
    for (beta, level) in [1e-12, 0.01, 0.5, 2.5, 1e6].into_iter().flat_map(|b| Level::available().map(move |l| (b, l)))
    {
        let (softplus, x) = (Softplus::new(beta).expect("a beta"), inputs(1.0 / beta));
        let outputs = Outputs::of(&level.with(Fast(softplus)), &x, &x);
        for ((&x, &y), &dydx) in x.iter().zip(&outputs.forward).zip(&outputs.derivative) {
            let (wide, what) = (f64::from(x), format!("softplus({beta}) at {level}"));
            let value = wide.max(0.0) + libm::log1p(libm::exp(-(beta * wide).abs())) / beta;
            assert_near(&what, x, y, value, wide.abs().max(1.0 / beta) * (-22.0_f64).exp2());
            assert_near(&what, x, dydx, sigmoid(beta * wide), (-22.0_f64).exp2());
        }
    }
}

#[test]
fn elu_of_any_moderate_alpha_is_within_its_contract() {
    for (alpha, level) in [-2.0, 1e-12, 0.5, 1.7, 1e6].into_iter().flat_map(|a| Level::available().map(move |l| (a, l)))
    {
        let (elu, x) = (Elu::new(alpha).expect("an alpha"), inputs(1.0));
        let outputs = Outputs::of(&level.with(Fast(elu)), &x, &x);
        for ((&x, &y), &dydx) in x.iter().zip(&outputs.forward).zip(&outputs.derivative) {
            let (wide, what) = (f64::from(x), format!("elu({alpha}) at {level}"));
            let alpha = f64::from(alpha as f32);
            let bound = alpha.abs() * (-22.0_f64).exp2();
            let (value, slope) =
                if x > 0.0 { (wide, 1.0) } else { (alpha * libm::expm1(wide), alpha * libm::exp(wide)) };
            assert_near(&what, x, y, value, bound);
            assert_near(&what, x, dydx, slope, bound);
        }
    }
}

#[test]
fn extreme_parameters_have_the_bits_of_the_default() {
    fn check(what: &str, default: impl Activation<f32> + Copy) {
        let x = inputs(1.0);
        let (expected, got) = (Outputs::of(&default, &x, &x), Outputs::of(&Fast(default), &x, &x));
        for ((method, expected), (_, got)) in expected.named().into_iter().zip(got.named()) {
            assert_same(&format!("{what}, {method}"), &x, expected, got);
        }
    }
    for beta in [-1.0, 0.0, 1e-30, 1e30] {
        check(&format!("swish({beta})"), Swish::new(beta).expect("a beta"));
    }
    for beta in [1e-30, 1e30] {
        check(&format!("softplus({beta})"), Softplus::new(beta).expect("a beta"));
    }
    for alpha in [0.0, 1e-30, 1e300] {
        check(&format!("elu({alpha})"), Elu::new(alpha).expect("an alpha"));
    }
}
