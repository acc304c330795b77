//! `Exact`: the exact result rounded once, everywhere and at every level.

use activations::{
    Activation, AnyActivation, Biased, Celu, ClippedGelu, Elu, Exact, Gelu, HardSigmoid, HardTanh, Laplace, LeakyRelu,
    Level, Relu, Shrink, Silu, Snake, Softplus, Softshrink, Squareplus, Swish, Threshold, Wide, Xielu,
};

use crate::bad_input::{mark, refused, untouched};
use crate::support::{Bits, Float, Outputs, assert_same, digest_inputs, elementwise};

/// The outputs of all methods at a level.
fn outputs(activation: &AnyActivation, level: Level, x: &[f32], grad_y: &[f32]) -> Outputs<f32> {
    let exact = activation.as_exact().expect("a function of single numbers");
    Outputs::of(&level.with(exact), x, grad_y)
}

/// Computed by mpmath, with 100 digits: results near ties, and results that differ from a tie only by a tiny part.
#[test]
fn hard_results_are_those_of_a_hundred_digits() {
    let mut lines = 0;
    for line in include_str!("../tables/exact.csv").lines() {
        let (name, numbers) = line.split_once(',').expect("a name");
        let numbers: Vec<f32> = numbers
            .split(',')
            .map(|bits| f32::from_bits(u32::from_str_radix(bits, 16).expect("hexadecimal digits")))
            .collect();
        let [x, value, slope] = numbers[..] else { panic!("not three numbers: {line}") };
        let activation: AnyActivation = name.parse().expect("a name");
        for level in Level::available() {
            let got = outputs(&activation, level, &[x], &[1.0]);
            for (what, expected, got) in [("value", value, &got.forward), ("derivative", slope, &got.derivative)] {
                // The formulas of the table do not determine the sign of a zero.
                let unsigned = |y: f32| if y == 0.0 { 0.0 } else { y };
                assert_same(&format!("{name} at {level}, {what}"), &[x], &[unsigned(expected)], &[unsigned(got[0])]);
            }
        }
        lines += 1;
    }
    assert!(lines > 800, "{lines} lines");
}

/// The default function in `f64` decides all results that are not near a tie.
fn assert_rounded(activation: &AnyActivation, x: &[f32]) {
    let wide: Vec<f64> = x.iter().map(|&x| f64::from(x)).collect();
    let near = Outputs::of(activation, &wide, &vec![1.0; x.len()]);
    for level in Level::available() {
        let got = outputs(activation, level, x, &vec![1.0; x.len()]);
        for (what, near, got) in
            [("value", &near.forward, &got.forward), ("derivative", &near.derivative, &got.derivative)]
        {
            let mut decided = 0;
            for ((&x, &near), &got) in x.iter().zip(near).zip(got) {
                // The kernel for `f64` is right to a few ULP; near roots, to a few ULP of 1/16.
                let cancels = near.abs() > 1e-8 && near.abs() < 0.06;
                let by = if near.is_finite() { near.abs() * 1e-14 + if cancels { 1e-16 } else { 0.0 } } else { 0.0 };
                let (low, high) = ((near - by) as f32, (near + by) as f32);
                let what = format!("{activation} at {level}, {what}");
                if low == high || near.is_nan() {
                    decided += 1;
                    assert_same(&what, &[x], &[near as f32], &[got]);
                } else {
                    assert!(low <= got && got <= high, "{what} of {x:e}: {got:e} is not {near:e}");
                }
            }
            assert!(decided * 4 > x.len() * 3, "{activation} {what}: only {decided} of {} were decided", x.len());
        }
    }
}

#[test]
fn every_function_is_that_of_f64_rounded() {
    for activation in elementwise() {
        // Beyond this, the default gives the mean.
        let wave = ["snake", "sin"].contains(&activation.card().name);
        let x: Vec<f32> =
            digest_inputs().into_iter().filter(|x: &f32| !wave || x.abs() < 1e6 || x.is_infinite()).collect();
        assert_rounded(&activation, &x);
    }
}

#[test]
fn parameters_are_taken_as_they_are_given() -> Result<(), activations::ParameterError> {
    let activations: [AnyActivation; 24] = [
        LeakyRelu::new(0.3)?.into(),
        LeakyRelu::new(-1.0 / 3.0)?.into(),
        Threshold::new(0.1, -0.7)?.into(),
        Elu::new(0.3)?.into(),
        Elu::new(-1e20)?.into(),
        Elu::new(1e-30)?.into(),
        Elu::new(1e100)?.into(),
        Celu::new(0.07)?.into(),
        Celu::new(1e10)?.into(),
        Softplus::new(2.7)?.into(),
        Softplus::new(1e-5)?.into(),
        Softplus::new(1e-20)?.into(),
        Softplus::new(1e20)?.into(),
        Swish::new(-1.7)?.into(),
        Swish::new(0.01)?.into(),
        Snake::new(0.3)?.into(),
        HardSigmoid::onnx().into(),
        HardTanh::new(-0.3, 0.7)?.into(),
        Softshrink::new(0.1)?.into(),
        Shrink::new(0.1, 0.3)?.into(),
        Squareplus::new(0.1)?.into(),
        ClippedGelu::new(-0.1, 0.3)?.into(),
        Laplace::new(0.1, 2.3)?.into(),
        Xielu::new(0.3, 1.1, 0.2)?.into(),
    ];
    let x: Vec<f32> = Bits(31).floats(4_000);
    let x: Vec<f32> = x.into_iter().map(|x| x.clamp(-1e5, 1e5)).collect();
    for activation in activations {
        assert_rounded(&activation, &x);
    }
    Ok(())
}

#[test]
fn bits_are_the_same_at_every_level_in_any_place() {
    let mut bits = Bits(32);
    let (x, grad_y): (Vec<f32>, Vec<f32>) = (bits.floats(1_100), bits.floats(1_100));
    for activation in elementwise() {
        let expected = outputs(&activation, Level::best(), &x, &grad_y);
        let product: Vec<f32> = grad_y.iter().zip(&expected.derivative).map(|(g, d)| g * d).collect();
        for level in Level::available() {
            for (from, to) in [(0, 1_100), (0, 1), (7, 70), (3, 516), (5, 1_030), (511, 513)] {
                let part = from..to;
                let got = outputs(&activation, level, &x[part.clone()], &grad_y[part.clone()]);
                let all = [
                    ("forward", &expected.forward, &got.forward),
                    ("in place", &expected.forward, &got.in_place),
                    ("derivative", &expected.derivative, &got.derivative),
                    ("value of both", &expected.forward, &got.both.0),
                    ("derivative of both", &expected.derivative, &got.both.1),
                    ("backward", &product, &got.backward),
                ];
                for (method, expected, got) in all {
                    let what = format!("{activation} at {level}, {method}, elements {from}..{to}");
                    assert_same(&what, &x[part.clone()], &expected[part.clone()], got);
                }
            }
        }
    }
}

/// The portable level never takes the short formulas.
#[test]
fn blocks_that_short_formulas_do_not_decide_are_right() {
    let mut bits = Bits(34);
    let ordinary: Vec<f32> = bits.floats(700).into_iter().map(|x: f32| x.clamp(-9.0, 9.0)).collect();
    // Ties of sigmoid, roots of derivatives, tails below the normal range, and what is not a number.
    let hard = [3.0 / 8_388_608.0, -0.751_791_5, -1.278_464_6, 0.0, -0.0, -90.0, -105.0, 1e-40, f32::NAN];
    for activation in elementwise() {
        for (n, hard) in hard.into_iter().enumerate() {
            for len in [1, 63, 64, 65, 128, 513, 700] {
                let mut x = ordinary[..len].to_vec();
                // One, then more and more of them.
                for x in x.iter_mut().skip(n).step_by([97, 3, 1][len % 3]) {
                    *x = hard;
                }
                let expected = outputs(&activation, Level::portable(), &x, &x);
                let got = outputs(&activation, Level::best(), &x, &x);
                assert_same(&format!("{activation} with {hard:e}"), &x, &expected.forward, &got.forward);
                assert_same(&format!("{activation} with {hard:e}, in place"), &x, &expected.in_place, &got.in_place);
                assert_same(&format!("{activation}' with {hard:e}"), &x, &expected.derivative, &got.derivative);
            }
        }
    }
}

#[test]
fn nan_and_infinities_are_those_of_the_default() {
    let mut x = vec![f32::INFINITY, f32::NEG_INFINITY];
    x.extend(f32::quiet_nans());
    for activation in elementwise() {
        for level in Level::available() {
            let (default, got) = (Outputs::of(&level.with(activation), &x, &x), outputs(&activation, level, &x, &x));
            assert_same(&format!("{activation} at {level}"), &x, &default.forward, &got.forward);
            assert_same(&format!("{activation}'s derivative at {level}"), &x, &default.derivative, &got.derivative);
            // Zeros have the same sign.
            let zeros = [0.0, -0.0];
            let (default, got) =
                (level.with(activation).forward_vec(&zeros), outputs(&activation, level, &zeros, &zeros));
            if default[0] == 0.0 {
                assert_same(&format!("{activation} at {level}"), &zeros, &default, &got.forward);
            }
        }
    }
}

#[test]
fn a_tiny_part_decides_how_half_of_a_subnormal_is_rounded() {
    // For odd multiples of the least number, x/2 is a tie, and gelu(x) is above it.
    for (x, y) in [(1e-45_f32, 1e-45), (4e-45, 3e-45), (7e-45, 4e-45), (-1e-45, -0.0), (-4e-45, -1e-45)] {
        assert_same("gelu", &[x], &[y], &Exact(Gelu).forward_vec(&[x]));
        assert_same("silu", &[x], &[y], &Exact(Silu).forward_vec(&[x]));
    }
    // These are ties, so they round to even.
    let half = Exact(LeakyRelu::new(0.5).expect("a slope"));
    assert_same("leaky", &[], &[-0.0, -3e-45], &half.forward_vec(&[-1e-45_f32, -4e-45]));
}

#[test]
fn a_name_gives_the_type() {
    let x: Vec<f32> = Bits(33).floats(100);
    for name in ["gelu", "elu(alpha=0.3)"] {
        let named: AnyActivation = name.parse().expect("a name");
        let expected = if name == "gelu" {
            Exact(Gelu).forward_vec(&x)
        } else {
            Exact(Elu::new(0.3).expect("a parameter")).forward_vec(&x)
        };
        assert_same(name, &x, &expected, &named.as_exact().expect("a function of numbers").forward_vec(&x));
    }
    let of_rows = ["softmax", "log_softmax", "softmin", "sparsemax", "hardmax"];
    for activation in AnyActivation::all() {
        assert_eq!(activation.as_exact().is_none(), of_rows.contains(&activation.card().name), "{activation}");
    }
}

#[test]
fn it_is_an_activation_like_others() {
    let x: Vec<f32> = Bits(34).floats(60);
    let expected = Exact(Gelu).forward_vec(&x);
    assert_same("boxed", &x, &expected, &(Box::new(Exact(Gelu)) as Box<dyn Activation<f32>>).forward_vec(&x));
    assert_same("wide", &x, &expected, &Wide(Exact(Gelu)).forward_vec(&x));
    let biased = Biased { activation: Exact(Gelu), bias: &[0.0_f32; 6] };
    assert_same("biased", &x, &expected, &biased.forward_vec(&x));
    assert_same("relu", &x, &Relu.forward_vec(&x), &Exact(Relu).forward_vec(&x));
    #[cfg(feature = "rayon")]
    {
        use activations::IntoParallel;
        assert_same("parallel", &x, &expected, &Exact(Gelu).parallel().with_min_len(7).forward_vec(&x));
    }
}

#[test]
fn lengths_that_differ_panic_and_nothing_is_written() {
    let (x, mut y, mut z) = ([1.0_f32; 70], [mark::<f32>(); 70], [mark::<f32>(); 70]);
    let f = Exact(Gelu);
    refused!("exact", f.forward(&x, &mut y[..3]), "`x` has 70 elements", "`y` has 3");
    refused!("exact", f.derivative(&x[..4], &mut y[..3]), "`x` has 4 elements", "`dydx` has 3");
    refused!("exact", f.forward_with_derivative(&x, &mut y, &mut z[..5]), "`x` has 70 elements", "`dydx` has 5");
    refused!("exact", f.backward(&x, &x[..9], &mut y), "`x` has 70 elements", "`grad_y` has 9");
    refused!("exact", f.backward(&x, &x, &mut y[..9]), "`x` has 70 elements", "`grad_x` has 9");
    untouched("exact", &y);
    untouched("exact", &z);
    f.forward(&[], &mut [] as &mut [f32]);
}
