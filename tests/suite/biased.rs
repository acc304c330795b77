//! Activations with a bias: the bits of a sum and an activation, the gradient of the bias, and input that is refused.

use crate::bad_input::{mark, refusal, refused, untouched};
use crate::support::{Bits, Float, Outputs, assert_same, show};
use activations::{
    Activation, AnyActivation, BiasGradient, Biased, Elementwise, Elu, Gelu, LeakyRelu, Level, Relu, Silu, Softmax,
    Tanh,
};

/// Lengths and numbers of rows: short rows that are processed together, in whole groups and not, and long rows, in strips.
const SHAPES: [(usize, usize); 17] = [
    (1, 0),
    (1, 1),
    (1, 700),
    (2, 9),
    (3, 400),
    (7, 73),
    (8, 200),
    (64, 33),
    (100, 11),
    (255, 3),
    (256, 5),
    (257, 3),
    (512, 2),
    (513, 3),
    (600, 1),
    (1_025, 4),
    (2_100, 2),
];

macro_rules! each_activation {
    ($check:ident: $($T:ty),+) => {$(
        $check::<$T, _>("relu", Relu);
        $check::<$T, _>("leaky_relu", LeakyRelu::default());
        $check::<$T, _>("tanh", Tanh);
        $check::<$T, _>("gelu", Gelu);
        $check::<$T, _>("silu", Silu);
        $check::<$T, _>("elu", Elu::default());
    )+};
}

/// The sums of the columns, rounded once. They are computed in twice the precision, with the rounding error of each addition.
fn column_sums<T: Float>(rows: &[T], width: usize) -> Vec<f64> {
    (0..width).map(|j| crate::support::sum(rows.iter().skip(j).step_by(width).map(|g| g.wide()))).collect()
}

#[test]
fn an_activation_with_a_bias_has_the_bits_of_a_sum_and_the_activation() {
    fn check<T: Float, A: Elementwise + Copy>(name: &str, activation: A) {
        for level in Level::available() {
            let mut bits = Bits(31);
            for (width, rows) in SHAPES {
                let (bias, x): (Vec<T>, Vec<T>) = (bits.floats(width), bits.floats(width * rows));
                let grad_y: Vec<T> = bits.floats(width * rows);
                let sums: Vec<T> = x.iter().zip(bias.iter().cycle()).map(|(&x, &b)| x + b).collect();
                let expected = Outputs::of(&level.with(activation), &sums, &grad_y);
                let layer = level.with(Biased { activation, bias: &bias });
                let got = Outputs::of(&layer, &x, &grad_y);
                let what = format!("{name} at {level}, {rows} rows of {width}");
                for ((method, expected), (_, got)) in expected.named().into_iter().zip(got.named()) {
                    assert_same(&format!("{what}, {method}"), &sums, expected, got);
                }
                let (mut grad_x, mut grad_bias) = (vec![T::nan(); x.len()], vec![T::nan(); width]);
                layer.backward_with_bias(&x, &grad_y, &mut grad_x, &mut grad_bias);
                assert_same(&format!("{what}, backward_with_bias"), &sums, &expected.backward, &grad_x);
            }
        }
    }
    each_activation!(check: f32, f64);
}

#[test]
fn the_gradient_of_the_bias_is_the_sum_of_the_columns_within_the_stated_bound() {
    fn check<T: Float, A: Elementwise + Copy>(name: &str, activation: A) {
        for level in Level::available() {
            let mut bits = Bits(32);
            for (width, rows) in SHAPES {
                let mut small = |n: usize| (0..n).map(|_| T::of(bits.within(3.0))).collect::<Vec<T>>();
                let (bias, x, grad_y) = (small(width), small(width * rows), small(width * rows));
                let (mut grad_x, mut grad_bias) = (vec![T::nan(); x.len()], vec![T::nan(); width]);
                let layer = level.with(Biased { activation, bias: &bias });
                layer.backward_with_bias(&x, &grad_y, &mut grad_x, &mut grad_bias);
                let (sums, sizes) = (
                    column_sums(&grad_x, width),
                    column_sums(&grad_x.iter().map(|g| g.abs()).collect::<Vec<T>>(), width),
                );
                for (j, ((&got, sum), size)) in grad_bias.iter().zip(sums).zip(sizes).enumerate() {
                    // The sum to compare with is also rounded.
                    let tolerance = 0.5 * T::of(sum).spacing()
                        + (rows as f64 * T::EPS / 2.0).powi(2) * size
                        + 2.0 * f64::EPSILON * sum.abs();
                    let error = (got.wide() - sum).abs();
                    assert!(
                        error <= tolerance,
                        "{name} at {level}, {rows} rows of {width}: column {j} sums to {}, not {sum:e}",
                        show(got)
                    );
                }
            }
        }
    }
    each_activation!(check: f32, f64);
}

#[test]
fn sums_that_cancel_keep_their_digits() {
    // The slope is 1, as for identity and for ReLU on the right. A column of 2^30, 1, -2^30 sums to 1.
    for level in Level::available() {
        let layer = level.with(Biased { activation: Relu, bias: &[1.0_f32; 3] });
        let grad_y = [[2.0_f32.powi(30); 3], [1.0; 3], [-2.0_f32.powi(30); 3]].concat();
        let (mut grad_x, mut grad_bias) = ([0.0; 9], [0.0; 3]);
        layer.backward_with_bias(&[1.0; 9], &grad_y, &mut grad_x, &mut grad_bias);
        assert_eq!(grad_bias, [1.0; 3], "{level}");
    }
}

#[test]
fn infinite_gradients_sum_to_infinity_and_nan_to_nan() {
    for width in [3, 700] {
        let bias = vec![1.0_f32; width];
        let layer = Biased { activation: Relu, bias: &bias };
        let mut grad_y = vec![1.0; 3 * width];
        (grad_y[0], grad_y[1], grad_y[width + 2]) = (f32::INFINITY, f32::NEG_INFINITY, f32::NAN);
        let (mut grad_x, mut grad_bias) = (vec![0.0; 3 * width], vec![0.0; width]);
        layer.backward_with_bias(&vec![1.0; 3 * width], &grad_y, &mut grad_x, &mut grad_bias);
        assert_eq!(grad_bias[..2], [f32::INFINITY, f32::NEG_INFINITY]);
        assert!(grad_bias[2].is_nan());
        assert!(grad_bias[3..].iter().all(|&g| g == 3.0));
    }
}

#[test]
fn bits_of_the_gradient_of_the_bias_do_not_depend_on_the_level() {
    fn check<T: Float, A: Elementwise + Copy>(name: &str, activation: A) {
        for fused in [true, false] {
            let mut bits = Bits(33);
            for (width, rows) in SHAPES {
                let (bias, x): (Vec<T>, Vec<T>) = (bits.floats(width), bits.floats(width * rows));
                let grad_y: Vec<T> = bits.floats(width * rows);
                let mut first: Option<Vec<T>> = None;
                for level in Level::available().filter(|level| level.is_fused() == fused) {
                    let (mut grad_x, mut grad_bias) = (vec![T::nan(); x.len()], vec![T::nan(); width]);
                    let layer = level.with(Biased { activation, bias: &bias });
                    layer.backward_with_bias(&x, &grad_y, &mut grad_x, &mut grad_bias);
                    let expected = first.get_or_insert_with(|| grad_bias.clone());
                    let what = format!("{name} at {level}, {rows} rows of {width}, grad_bias");
                    assert_same(&what, &bias, expected, &grad_bias);
                }
            }
        }
    }
    each_activation!(check: f32, f64);
}

#[test]
fn slices_that_do_not_fit_the_bias_panic_naming_both_and_nothing_is_written() {
    fn check<T: Float, A: Elementwise + Copy>(name: &str, activation: A) {
        let layer = Biased { activation, bias: &[T::of(1.0); 3] };
        let (x, mut y, mut grad_bias) = (vec![T::of(0.5); 6], vec![mark::<T>(); 6], vec![mark::<T>(); 3]);
        refused!(name, layer.forward(&x[..5], &mut y[..5]), "5 elements", "rows of 3");
        refused!(name, layer.forward_in_place(&mut y[..4]), "4 elements", "rows of 3");
        refused!(name, layer.forward(&x, &mut y[..3]), "6 elements", "has 3");
        let g = &mut grad_bias;
        refused!(name, layer.backward_with_bias(&x[..5], &x[..5], &mut y[..5], g), "5 elements", "rows of 3");
        refused!(name, layer.backward_with_bias(&x, &x[..3], &mut y, g), "6 elements", "`grad_y`");
        refused!(name, layer.backward_with_bias(&x, &x, &mut y[..3], g), "6 elements", "`grad_x`");
        refused!(name, layer.backward_with_bias(&x, &x, &mut y, &mut g[..2]), "`bias` has 3", "`grad_bias`", "has 2");
        untouched(name, &y);
        untouched(name, &grad_bias);
        // Without a bias there are no rows.
        let empty = Biased { activation, bias: &[] as &[T] };
        empty.backward_with_bias(&[], &[], &mut [], &mut []);
        empty.forward(&[], &mut []);
        assert!(refusal(|| empty.forward(&x, &mut y)).is_some());
        // Without elements there are no rows either, and the sums are 0.
        layer.backward_with_bias(&[], &[], &mut [], &mut grad_bias);
        assert_eq!(grad_bias, [T::zero(); 3]);
    }
    each_activation!(check: f32, f64);
}

#[test]
fn any_activation_takes_a_bias() {
    let mut bits = Bits(34);
    for (width, rows) in SHAPES {
        let (bias, x): (Vec<f32>, Vec<f32>) = (bits.floats(width), bits.floats(width * rows));
        let expected = Outputs::of(&Biased { activation: Gelu, bias: &bias }, &x, &x);
        let by_name = AnyActivation::from(Gelu);
        let boxed: Box<dyn Activation<f32>> = Box::new(Gelu);
        let borrowed: &dyn Activation<f32> = &Gelu;
        for got in [
            Outputs::of(&Biased { activation: by_name, bias: &bias }, &x, &x),
            Outputs::of(&Biased { activation: boxed, bias: &bias }, &x, &x),
            Outputs::of(&Biased { activation: borrowed, bias: &bias }, &x, &x),
        ] {
            for ((method, expected), (_, got)) in expected.named().into_iter().zip(got.named()) {
                assert_same(&format!("{rows} rows of {width}, {method}"), &x, expected, got);
            }
        }
    }
}

#[test]
fn rows_of_an_activation_are_those_of_the_bias_or_divide_it() {
    let mut bits = Bits(35);
    for width in [4, 12, 300, 1_024] {
        let (bias, x): (Vec<f64>, Vec<f64>) = (bits.floats(width), bits.floats(width * 3));
        let sums: Vec<f64> = x.iter().zip(bias.iter().cycle()).map(|(&x, &b)| x + b).collect();
        for (softmax, n) in [(Softmax::default(), width), (Softmax::rows(4).unwrap(), 4)] {
            let expected = Outputs::of(&Softmax::rows(n).unwrap(), &sums, &x);
            let got = Outputs::of(&Biased { activation: softmax, bias: &bias }, &x, &x);
            for ((method, expected), (_, got)) in expected.named().into_iter().zip(got.named()) {
                assert_same(&format!("softmax of {n} of {width}, {method}"), &sums, expected, got);
            }
        }
    }
    let refused = |n: usize, width: usize| {
        let (bias, mut x) = (vec![0.0_f32; width], vec![mark::<f32>(); width]);
        let layer = Biased { activation: Softmax::rows(n).unwrap(), bias: &bias };
        let message = refusal(|| layer.forward_in_place(&mut x)).expect("refused").message;
        untouched("biased softmax", &x);
        message
    };
    assert!(refused(5, 12).contains("rows have 5 elements, which do not divide a bias of 12"));
    assert!(refused(1_025, 1_025).contains("rows of at most 1024 elements, but the activation's rows have 1025"));
}

/// Halves are `f32` from load to the one rounding at the end. Gradients are summed before they are rounded.
#[cfg(feature = "half")]
#[test]
fn halves_with_a_bias_are_f32_rounded_once() {
    fn check<H: activations::Element<Float = f32>>(of: fn(f32) -> H, wide: fn(H) -> f32) {
        for (width, rows) in SHAPES {
            let mut bits = Bits(36);
            let mut halves = |n: usize| (0..n).map(|_| of(bits.within(4.0) as f32)).collect::<Vec<H>>();
            let (bias, x, grad_y) = (halves(width), halves(width * rows), halves(width * rows));
            let widened = |x: &[H]| x.iter().map(|&x| wide(x)).collect::<Vec<f32>>();
            let rounded = |x: &[f32]| x.iter().map(|&x| of(x)).collect::<Vec<H>>();
            let (wide_bias, wide_x, wide_grad) = (widened(&bias), widened(&x), widened(&grad_y));
            let layer = Biased { activation: Gelu, bias: &bias };
            let expected = Outputs::of(&Biased { activation: Gelu, bias: &wide_bias }, &wide_x, &wide_grad);
            let got = Outputs::of(&layer, &x, &grad_y);
            for ((method, expected), (_, got)) in expected.named().into_iter().zip(got.named()) {
                assert_eq!(got, &rounded(expected), "{rows} rows of {width}, {method}");
            }
            let (mut grad_x, mut grad_bias) = (vec![H::nan(); x.len()], vec![H::nan(); width]);
            layer.backward_with_bias(&x, &grad_y, &mut grad_x, &mut grad_bias);
            let (mut wide_grad_x, mut wide_grad_bias) = (vec![0.0; x.len()], vec![0.0; width]);
            Biased { activation: Gelu, bias: &wide_bias }.backward_with_bias(
                &wide_x,
                &wide_grad,
                &mut wide_grad_x,
                &mut wide_grad_bias,
            );
            assert_eq!(grad_x, rounded(&wide_grad_x), "{rows} rows of {width}");
            assert_eq!(grad_bias, rounded(&wide_grad_bias), "{rows} rows of {width}");
        }
    }
    check(half::f16::from_f32, half::f16::to_f32);
    check(half::bf16::from_f32, half::bf16::to_f32);
}
