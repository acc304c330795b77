//! Second derivatives and double backward passes.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::common::second::{self, Bound};
use crate::common::sweep::{self, Report};
use crate::number::{Number, allowed, assert_same, for_each_type, numbers, of, pytorch, same};
use activations::{
    Activation, AnyActivation, ClippedGelu, DoubleBackward, Elu, Level, Pieces, SecondDerivative, Silu, Softplus,
    Swish, Tanh, Xielu,
};

fn named(name: &str) -> AnyActivation {
    name.parse().expect("a name of the list")
}

fn elementwise() -> impl Iterator<Item = AnyActivation> {
    AnyActivation::all().filter(|activation| Activation::<f32>::pieces(activation) == Pieces::Elements)
}

fn at<T: Number>(activation: &AnyActivation, level: Level, x: &[T]) -> Vec<T> {
    let mut out = vec![T::nan(); x.len()];
    second::run(activation, level, x, &mut out);
    out
}

#[test]
fn second_derivatives_are_within_their_bounds() {
    let levels: Vec<Level> = Level::available().collect();
    let mut wrong = Vec::new();
    for bound in &second::bounds().collect::<Vec<_>>() {
        let activation = named(bound.name);
        let mut reports = vec![Report::default(); levels.len()];
        second::over_f32(&activation, bound, &levels, &mut reports, sweep::patterns(0..1 << 32, 10_007));
        for (&level, report) in levels.iter().zip(&reports) {
            if let Err(error) = report.within(bound.f32(level)) {
                wrong.push(format!("{}'' f32 at {level}: {error}", bound.name));
            }
            if let Err(error) = second::over_table(&activation, bound, level).within(bound.f64(level)) {
                wrong.push(format!("{}'' f64 at {level}: {error}", bound.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_function_of_one_number_has_a_second_derivative_and_no_function_of_rows() {
    for activation in AnyActivation::all() {
        let is_elementwise = Activation::<f32>::pieces(&activation) == Pieces::Elements;
        assert_eq!(activation.as_second_derivative::<f32>().is_some(), is_elementwise, "{activation}");
        assert_eq!(activation.as_second_derivative::<f64>().is_some(), is_elementwise, "{activation}");
    }
}

#[test]
fn between_the_kinks_of_straight_lines_and_parabolas_it_is_constant() {
    fn check<T: Number>() {
        for activation in elementwise() {
            let name = activation.card().name;
            if Bound::of(name).is_some() {
                continue;
            }
            let (low, high, height) = match name {
                "squared_relu" => (0.0, f64::INFINITY, 2.0),
                "hard_swish" => (-3.0, 3.0, 1.0 / 3.0),
                "sparse_plus" => (-1.0, 1.0, 0.5),
                _ => (0.0, 0.0, 0.0),
            };
            let x = [f64::NEG_INFINITY, -7.0, -3.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 3.0, 6.0, 20.0, f64::INFINITY];
            let expected: Vec<T> = x
                .iter()
                .map(|&x| {
                    let inside = low < x && (x < high || high == f64::INFINITY);
                    T::of(if inside { height } else { 0.0 })
                })
                .collect();
            for level in Level::available() {
                assert_same(&format!("{name}'' at {level}"), &expected, &at(&activation, level, &of::<T>(&x)));
            }
        }
    }
    for_each_type!(check());
}

#[test]
fn nan_gives_nan_and_infinities_the_limit() {
    fn check<T: Number>() {
        for activation in elementwise() {
            for level in Level::available() {
                let got = at(&activation, level, &[T::nan(), T::infinity(), T::neg_infinity()]);
                assert!(got[0].is_nan(), "{activation}'' of NaN at {level}: {:?}", got[0]);
                let expected = match activation.card().name {
                    "exponential" => f64::INFINITY,
                    "squared_relu" => 2.0,
                    "xielu" => T::of(1.6).wide(),
                    _ => 0.0,
                };
                assert_eq!(got[1].wide(), expected, "{activation}''(inf) at {level}");
                assert_eq!(got[2].wide(), 0.0, "{activation}''(-inf) at {level}");
            }
        }
    }
    for_each_type!(check());
}

#[test]
fn bits_depend_on_the_element_and_the_kind_of_level_alone() {
    fn check<T: Number>() {
        for activation in elementwise() {
            let x: Vec<T> = of(&numbers(1, 6.0, 2_100));
            for fused in [true, false] {
                let levels: Vec<Level> = Level::available().filter(|level| level.is_fused() == fused).collect();
                let Some(&first) = levels.first() else { continue };
                let alone: Vec<T> = x.iter().flat_map(|&x| at(&activation, first, &[x])).collect();
                for level in levels {
                    for len in [0, 1, 15, 16, 17, 100, 1_023, 1_024, 1_025, 2_100] {
                        let what = format!("{activation}'' of {len} elements at {level}");
                        assert_same(&what, &alone[..len], &at(&activation, level, &x[..len]));
                    }
                }
            }
        }
    }
    for_each_type!(check());
}

#[test]
fn double_backward_multiplies_what_the_other_methods_give() {
    fn check<T: Number>() {
        for activation in elementwise() {
            for (len, level) in
                [0, 1, 17, 64, 65, 1_500].into_iter().flat_map(|n| Level::available().map(move |l| (n, l)))
            {
                let [x, grad_y, grad_grad_x] = [1, 2, 3].map(|seed| of::<T>(&numbers(seed, 4.0, len)));
                let (mut grad_grad_y, mut grad_x) = (vec![T::nan(); len], vec![T::nan(); len]);
                activation.as_second_derivative::<T>().expect("a second derivative").run_double_backward(
                    level,
                    DoubleBackward {
                        x: &x,
                        grad_y: &grad_y,
                        grad_grad_x: &grad_grad_x,
                        grad_grad_y: &mut grad_grad_y,
                        grad_x: &mut grad_x,
                    },
                );
                let what = format!("double_backward of {activation} at {level}");
                assert_same(&what, &level.with(activation).backward_vec(&x, &grad_grad_x), &grad_grad_y);
                // The second derivative before it is rounded to a half.
                let wide_x: Vec<T::Float> =
                    x.iter().map(|x| <T::Float as num_traits::NumCast>::from(x.wide()).expect("a number")).collect();
                let mut second = vec![<T::Float as num_traits::Zero>::zero(); len];
                second::run(&activation, level, &wide_x, &mut second);
                for i in 0..len {
                    let weight = in_float::<T>(grad_grad_x[i]) * in_float::<T>(grad_y[i]);
                    let expected = T::of((weight * second[i]).into());
                    assert!(same(expected, grad_x[i]), "{what}, {}: {expected:?}, {:?}", T::TYPE, grad_x[i]);
                }
            }
        }
    }
    fn in_float<T: Number>(x: T) -> T::Float {
        <T::Float as num_traits::NumCast>::from(x.wide()).expect("a number")
    }
    for_each_type!(check());
}

#[test]
fn pytorch_gives_the_same() {
    const NAMES: [&str; 26] = [
        "relu",
        "leaky_relu",
        "relu6",
        "squared_relu",
        "sigmoid",
        "tanh",
        "tanhshrink",
        "log_cosh",
        "gelu",
        "gelu_tanh",
        "silu",
        "quick_gelu",
        "elu",
        "selu",
        "celu",
        "softplus",
        "log_sigmoid",
        "mish",
        "snake",
        "hard_swish",
        "hard_tanh",
        "softshrink",
        "hardshrink",
        "softsign",
        "squareplus",
        "exponential",
    ];
    fn check<T: Number>() {
        for name in NAMES {
            let lines = pytorch::<5>("double", name);
            let column = |k: usize| -> Vec<T> { lines.iter().map(|line| T::of(line[k])).collect() };
            let (mut grad_grad_y, mut grad_x) = (column(0), column(0));
            let activation = named(name);
            let second = activation.as_second_derivative::<T>().expect("a second derivative");
            second.double_backward(&column(0), &column(1), &column(2), &mut grad_grad_y, &mut grad_x);
            for (line, (y, x)) in lines.iter().zip(grad_grad_y.iter().zip(&grad_x)) {
                for (expected, got) in [(line[3], y.wide()), (line[4], x.wide())] {
                    let allowed = allowed::<T>(16.0, expected);
                    assert!(
                        (got - expected).abs() <= allowed,
                        "double_backward of {name}, {}, at {}: PyTorch {expected:e}, here {got:e}",
                        T::TYPE,
                        line[0]
                    );
                }
            }
        }
    }
    for_each_type!(check());
}

#[test]
fn second_derivatives_depend_on_the_parameters() {
    // Each is compared with differences of the derivative in f64.
    fn check(f: impl SecondDerivative<f64>, name: &str) {
        for x in numbers(5, 3.0, 100) {
            let h = 1e-5;
            let slope = |x: f64| f.derivative_vec(&[x])[0];
            let expected = (slope(x + h) - slope(x - h)) / (2.0 * h);
            let got = f.second_derivative_vec(&[x])[0];
            assert!((got - expected).abs() < 1e-8 * (1.0 + expected.abs()), "{name} at {x}: {expected:e}, {got:e}");
        }
    }
    check(Swish::new(2.5).expect("a beta"), "swish(2.5)");
    check(Swish::new(-0.5).expect("a beta"), "swish(-0.5)");
    check(Swish::new(0.0).expect("a beta"), "swish(0)");
    check(Softplus::new(3.0).expect("a beta"), "softplus(3)");
    check(activations::Snake::new(2.0).expect("an a"), "snake(2)");
    check(activations::Squareplus::new(0.5).expect("a b"), "squareplus(0.5)");
    check(activations::Laplace::new(-0.5, 1.5).expect("mu and sigma"), "laplace(-0.5, 1.5)");
    // The derivatives of the other functions jump.
    let elu = Elu::new(-2.0).expect("an alpha").second_derivative_vec(&[-1.0_f64, 0.0, 1.0]);
    assert!((elu[0] + 2.0 / 1.0_f64.exp()).abs() < 1e-15);
    assert_eq!(elu[1..], [0.0, 0.0]);
    let celu = activations::Celu::new(0.5).expect("an alpha").second_derivative_vec(&[-1.0_f64, 1e300]);
    assert!((celu[0] - 2.0 * (-2.0_f64).exp()).abs() < 1e-15);
    assert_eq!(celu[1], 0.0);
    assert_eq!(Xielu::new(1.5, 0.25, 0.5).expect("alphas").second_derivative_vec(&[1.0_f32, 0.0]), [3.0, 0.25]);
    let clipped = ClippedGelu::new(-0.1, 1.0).expect("limits").second_derivative_vec(&[-0.5_f32, -0.1, 3.0]);
    assert_eq!((clipped[0], clipped[2]), (0.0, 0.0));
    assert_eq!(clipped[1], activations::Gelu.second_derivative_vec(&[-0.1_f32])[0]);
}

#[test]
fn lengths_that_differ_are_refused_before_anything_is_written() {
    let (x, mut out, mut other) = ([1.0_f32; 3], [9.0; 2], [9.0; 3]);
    let message = |run: &mut dyn FnMut()| {
        let panic = catch_unwind(AssertUnwindSafe(run)).expect_err("a panic");
        panic.downcast_ref::<String>().expect("a message").clone()
    };
    let said = message(&mut || Tanh.second_derivative(&x, &mut out));
    assert_eq!(said, "slices differ in length: `x` has 3 elements, `d2ydx2` has 2");
    let said = message(&mut || Tanh.double_backward(&x, &x, &x[..2], &mut other, &mut [0.0; 3]));
    assert_eq!(said, "slices differ in length: `x` has 3 elements, `grad_grad_x` has 2");
    let said = message(&mut || Tanh.double_backward(&x, &x, &x, &mut other, &mut out));
    assert_eq!(said, "slices differ in length: `x` has 3 elements, `grad_x` has 2");
    assert_eq!((out, other), ([9.0; 2], [9.0; 3]));
}

#[test]
fn a_level_can_be_named() {
    for level in Level::available() {
        assert_eq!(level.with(Silu).second_derivative_vec(&[0.0_f32]), [0.5]);
        let (mut grad_grad_y, mut grad_x) = ([0.0], [0.0]);
        level.with(Silu).double_backward(&[0.0_f32], &[3.0], &[2.0], &mut grad_grad_y, &mut grad_x);
        assert_eq!((grad_grad_y, grad_x), ([1.0], [3.0]));
    }
}

#[test]
fn fast_and_parallel_give_the_same() {
    let [x, grad_y, grad_grad_x] = [1, 2, 3].map(|seed| of::<f32>(&numbers(seed, 4.0, 3_000)));
    let all = |f: &dyn SecondDerivative<f32>| {
        let (mut grad_grad_y, mut grad_x) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        f.double_backward(&x, &grad_y, &grad_grad_x, &mut grad_grad_y, &mut grad_x);
        [f.second_derivative_vec(&x), grad_grad_y, grad_x]
    };
    let expected = all(&Silu);
    assert_eq!(expected, all(&activations::Fast(Silu)));
    #[cfg(feature = "rayon")]
    assert_eq!(expected, all(&activations::IntoParallel::parallel(Silu).with_min_len(64)));
}
