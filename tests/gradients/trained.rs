//! Trained parameters: every pass in every layout, the parameters' gradients, and input that is refused.

use crate::number::{Number, allowed, assert_same, for_each_type, numbers, of, pytorch};
use activations::{
    Activation, Celu, CeluAlpha, Elu, EluAlpha, Level, Parametric, PerChannel, Prelu, Snake, SnakeA, Softplus,
    SoftplusBeta, Swish, SwishBeta, Xielu, XieluAlphas,
};

/// `(channels, inner, outer)`: just below and above the numbers of lanes, and of the pieces in which parameters are written.
const LAYOUTS: [(usize, usize, usize); 17] = [
    (1, 1, 1),
    (1, 1, 1_500),
    (1, 300, 3),
    (2, 1, 5),
    (3, 1, 400),
    (31, 1, 9),
    (33, 1, 9),
    (513, 1, 2),
    (1_100, 1, 2),
    (2, 2, 3),
    (5, 49, 4),
    (16, 33, 2),
    (3, 512, 2),
    (2, 1_300, 2),
    (7, 3, 0),
    (300, 7, 1),
    (700, 2, 2),
];

/// Calls `$check(name, formula, parameters of channels)` for each formula.
macro_rules! for_each_formula {
    ($check:ident $(::<$type:ty>)?) => {
        $check::<$($type,)? _, 1>("swish", SwishBeta, [&|c| [1.0, -0.5, 2.5, 0.0][c % 4]]);
        $check::<$($type,)? _, 1>("snake", SnakeA, [&|c| [1.0, -2.0, 0.125][c % 3]]);
        $check::<$($type,)? _, 1>("softplus", SoftplusBeta, [&|c| [1.0, 4.0, -0.25][c % 3]]);
        $check::<$($type,)? _, 1>("elu", EluAlpha, [&|c| [1.0, 0.25, -2.0][c % 3]]);
        $check::<$($type,)? _, 1>("celu", CeluAlpha, [&|c| [1.0, 0.25, 2.0][c % 3]]);
        let alphas: [&dyn Fn(usize) -> f64; 2] = [&|c| [0.75, 1.0, 0.25][c % 3], &|c| [0.5, 1.5, 0.75][c % 3]];
        $check::<$($type,)? _, 2>("xielu", XieluAlphas::default(), alphas);
    };
}

type OfChannel<'a> = &'a dyn Fn(usize) -> f64;

/// All gradients, and all passes at a level.
struct Results<T> {
    y: Vec<T>,
    slope: Vec<T>,
    grad_x: Vec<T>,
    gradients: Vec<Vec<T>>,
}

fn results<T: Number, F: Parametric<N> + Copy, const N: usize>(
    level: Level,
    layer: PerChannel<'_, F, T, N>,
    x: &[T],
    grad_y: &[T],
) -> Results<T> {
    let channels = layer.parameters()[0].len();
    let mut gradients = vec![vec![T::nan(); channels]; N];
    let mut slices = gradients.iter_mut().map(Vec::as_mut_slice);
    let of_parameters = std::array::from_fn(|_| slices.next().expect("N slices"));
    let layer = level.with(layer);
    let mut grad_x = vec![T::nan(); x.len()];
    layer.backward_with_parameters(x, grad_y, &mut grad_x, of_parameters);
    let (mut y, mut slope) = (vec![T::nan(); x.len()], vec![T::nan(); x.len()]);
    layer.forward_with_derivative(x, &mut y, &mut slope);
    let mut in_place = x.to_vec();
    layer.forward_in_place(&mut in_place);
    assert_same("forward_in_place", &y, &in_place);
    assert_same("forward", &y, &layer.forward_vec(x));
    assert_same("derivative", &slope, &layer.derivative_vec(x));
    assert_same("backward", &grad_x, &layer.backward_vec(x, grad_y));
    Results { y, slope, grad_x, gradients }
}

#[test]
fn in_every_layout_each_element_has_the_parameters_of_its_channel() {
    fn check<T: Number, F: Parametric<N> + Copy, const N: usize>(
        name: &str,
        formula: F,
        of_channel: [OfChannel<'_>; N],
    ) {
        for (channels, inner, outer) in LAYOUTS {
            let len = channels * inner * outer;
            let x: Vec<T> = of(&numbers(11, 4.0, len));
            let grad_y: Vec<T> = of(&numbers(12, 2.0, len));
            let parameters = of_channel.map(|p| (0..channels).map(|c| T::of(p(c))).collect::<Vec<_>>());
            for level in Level::available() {
                let layer = PerChannel::new(formula, parameters.each_ref().map(Vec::as_slice)).inner(inner);
                let got = results(level, layer, &x, &grad_y);
                let what = format!("{name}, {outer} x {channels} x {inner} at {level}");

                // Each channel by itself.
                let mut alone = Results { y: vec![], slope: vec![], grad_x: vec![], gradients: vec![] };
                let mut of_elements = vec![vec![]; N];
                for (i, (&x, &grad_y)) in x.iter().zip(&grad_y).enumerate() {
                    let parameters = parameters.each_ref().map(|p| [p[i / inner % channels]]);
                    let layer = PerChannel::new(formula, parameters.each_ref().map(|p| p.as_slice()));
                    let one = results(level, layer, &[x], &[grad_y]);
                    alone.y.push(one.y[0]);
                    alone.slope.push(one.slope[0]);
                    alone.grad_x.push(one.grad_x[0]);
                    for (of_elements, gradient) in of_elements.iter_mut().zip(one.gradients) {
                        of_elements.push(gradient[0].wide());
                    }
                }
                assert_same(&format!("{what}, forward"), &alone.y, &got.y);
                assert_same(&format!("{what}, derivative"), &alone.slope, &got.slope);
                assert_same(&format!("{what}, backward"), &alone.grad_x, &got.grad_x);
                if !T::IS_FLOAT {
                    // Both are sums of `f32`, rounded.
                    let [x, grad_y] = [&x, &grad_y].map(|numbers| of::<f32>(&wide(numbers)));
                    let parameters = parameters.each_ref().map(|p| of::<f32>(&wide(p)));
                    let layer = PerChannel::new(formula, parameters.each_ref().map(Vec::as_slice)).inner(inner);
                    for (expected, got) in results(level, layer, &x, &grad_y).gradients.iter().zip(&got.gradients) {
                        assert_same(&what, &of::<T>(&wide(expected)), got);
                    }
                    continue;
                }
                for (k, (terms, got)) in of_elements.iter().zip(&got.gradients).enumerate() {
                    for (channel, got) in got.iter().enumerate() {
                        let of_channel = || (0..len).filter(|i| i / inner % channels == channel).map(|i| terms[i]);
                        let (exact, magnitudes): (f64, f64) = (of_channel().sum(), of_channel().map(f64::abs).sum());
                        // The sum here is rounded too.
                        let allowed = 2.0 * T::ROUNDING * exact.abs() + (T::ROUNDING + 1e-15) * magnitudes;
                        assert!(
                            (got.wide() - exact).abs() <= allowed,
                            "{what}, {}, parameter {k} of channel {channel}: expected {exact:e} +- {allowed:e}, got {got:?}",
                            T::TYPE
                        );
                    }
                }
            }
        }
    }
    fn wide<T: Number>(numbers: &[T]) -> Vec<f64> {
        numbers.iter().map(|x| x.wide()).collect()
    }
    for_each_formula!(check::<f32>);
    for_each_formula!(check::<f64>);
    #[cfg(feature = "half")]
    {
        for_each_formula!(check::<half::f16>);
        for_each_formula!(check::<half::bf16>);
    }
}

#[test]
fn bits_of_gradients_depend_on_the_kind_of_level_and_the_channel_alone() {
    fn check<T: Number, F: Parametric<N> + Copy, const N: usize>(
        name: &str,
        formula: F,
        of_channel: [OfChannel<'_>; N],
    ) {
        for (channels, inner, outer) in LAYOUTS.into_iter().filter(|layout| layout.0 > 1 && layout.2 > 0) {
            let len = channels * inner * outer;
            let (x, grad_y) = (of::<T>(&numbers(13, 4.0, len)), of::<T>(&numbers(14, 2.0, len)));
            let parameters = of_channel.map(|p| (0..channels).map(|c| T::of(p(c))).collect::<Vec<_>>());
            let layer = PerChannel::new(formula, parameters.each_ref().map(Vec::as_slice)).inner(inner);
            for fused in [true, false] {
                let mut levels = Level::available().filter(|level| level.is_fused() == fused);
                let Some(first) = levels.next() else { continue };
                let expected = results(first, layer, &x, &grad_y).gradients;
                for level in levels {
                    let got = results(level, layer, &x, &grad_y).gradients;
                    for (expected, got) in expected.iter().zip(&got) {
                        assert_same(&format!("{name}, {outer} x {channels} x {inner} at {level}"), expected, got);
                    }
                }
                let disturbed: Vec<T> =
                    x.iter().enumerate().map(|(i, &x)| if i / inner % channels == 1 { T::nan() } else { x }).collect();
                for (expected, mut got) in expected.iter().zip(results(first, layer, &disturbed, &grad_y).gradients) {
                    assert!(got[1].is_nan(), "{name}, {outer} x {channels} x {inner}");
                    got[1] = expected[1];
                    assert_same(&format!("{name}, {outer} x {channels} x {inner}, with NaN beside"), expected, &got);
                }
            }
        }
    }
    for_each_formula!(check::<f32>);
    for_each_formula!(check::<f64>);
}

#[test]
fn with_one_parameter_for_all_it_is_the_function_without_training() {
    fn check<T: Number>() {
        let x: Vec<T> =
            [&numbers(15, 5.0, 400)[..], &[0.0, -0.0, 1e-30, -1e-30, 90.0, -90.0, 300.0, -300.0, 2e4, -2e4]]
                .concat()
                .into_iter()
                .chain([f64::INFINITY, f64::NEG_INFINITY, f64::NAN])
                .map(T::of)
                .collect();
        let of_trained = |name: &str, trained: &dyn Activation<T>, fixed: &dyn Activation<T>| {
            assert_same(&format!("{name}, forward"), &fixed.forward_vec(&x), &trained.forward_vec(&x));
            assert_same(&format!("{name}, derivative"), &fixed.derivative_vec(&x), &trained.derivative_vec(&x));
        };
        for p in [1.0, 1.5, 0.25, 8.0, 0.0078125] {
            let one = &[T::of(p)][..];
            of_trained("swish", &PerChannel::new(SwishBeta, [one]), &Swish::new(p).expect("a beta"));
            of_trained("snake", &PerChannel::new(SnakeA, [one]), &Snake::new(p).expect("an a"));
            of_trained("softplus", &PerChannel::new(SoftplusBeta, [one]), &Softplus::new(p).expect("a beta"));
            of_trained("elu", &PerChannel::new(EluAlpha, [one]), &Elu::new(p).expect("an alpha"));
            of_trained("celu", &PerChannel::new(CeluAlpha, [one]), &Celu::new(p).expect("an alpha"));
            let alpha_n = [T::of(0.75)];
            let xielu = PerChannel::new(XieluAlphas { beta: 0.25 }, [one, &alpha_n]);
            of_trained("xielu", &xielu, &Xielu::new(p, 0.75, 0.25).expect("alphas"));
        }
        for p in [-1.0, -2.5, 0.0] {
            of_trained("swish", &PerChannel::new(SwishBeta, [&[T::of(p)]]), &Swish::new(p).expect("a beta"));
            of_trained("elu", &PerChannel::new(EluAlpha, [&[T::of(p)]]), &Elu::new(p).expect("an alpha"));
        }
    }
    for_each_type!(check());
}

#[test]
fn gradients_are_differences() {
    fn check<F: Parametric<N> + Copy, const N: usize>(name: &str, formula: F, of_channel: [OfChannel<'_>; N]) {
        let h = 1e-5;
        for channel in 0..3 {
            let p: [f64; N] = of_channel.map(|of| of(channel));
            let value = |x: f64, p: [f64; N]| {
                PerChannel::new(formula, p.each_ref().map(std::slice::from_ref)).forward_vec(&[x])[0]
            };
            for x in numbers(16, 3.0, 60).into_iter().filter(|x| x.abs() > 2.0 * h) {
                let layer = PerChannel::new(formula, p.each_ref().map(std::slice::from_ref));
                let (mut grad_x, mut gradients) = ([0.0], [[0.0]; N]);
                let of_parameters = gradients.each_mut().map(|g| &mut g[..]);
                layer.backward_with_parameters(&[x], &[1.0], &mut grad_x, of_parameters);
                let of_x = (value(x + h, p) - value(x - h, p)) / (2.0 * h);
                assert!((grad_x[0] - of_x).abs() < 1e-8 * (1.0 + of_x.abs()), "{name}, x {x}: {of_x}, {}", grad_x[0]);
                for k in 0..N {
                    let moved = |by: f64| std::array::from_fn(|i| if i == k { p[i] + by } else { p[i] });
                    if p[k] == 0.0 && name == "softplus" {
                        continue;
                    }
                    let of_p = (value(x, moved(h)) - value(x, moved(-h))) / (2.0 * h);
                    let got = gradients[k][0];
                    assert!((got - of_p).abs() < 1e-7 * (1.0 + of_p.abs()), "{name}({p:?}), {k} at {x}: {of_p}, {got}");
                }
            }
        }
    }
    for_each_formula!(check);
}

#[test]
fn pytorch_gives_the_same() {
    /// Runs a layer: parameters, x, grad_y; y, grad_x, the parameters' gradients.
    type Run<'a, T> = &'a dyn Fn(&[Vec<T>], &[T], &[T], &mut [T], &mut [T], &mut [Vec<T>]);

    fn compare<T: Number>(name: &str, run: Run<'_, T>) {
        let elements = pytorch::<4>("element", name);
        let column = |k: usize| -> Vec<T> { elements.iter().map(|line| T::of(line[k])).collect() };
        let mut parameters = Vec::new();
        let mut expected = Vec::new();
        for line in 0..if name == "xielu" { 2 } else { 1 } {
            let of_line = pytorch::<2>("parameter", &format!("{name},{line}"));
            parameters.push(of_line.iter().map(|p| T::of(p[0])).collect::<Vec<_>>());
            expected.push(of_line.iter().map(|p| p[1]).collect::<Vec<_>>());
        }
        let (mut y, mut grad_x, mut gradients) = (column(0), column(0), parameters.clone());
        run(&parameters, &column(0), &column(1), &mut y, &mut grad_x, &mut gradients);
        let near = |what: &str, expected: f64, got: T, roundings: f64| {
            assert!(
                (got.wide() - expected).abs() <= allowed::<T>(roundings, expected),
                "{what} of {name}, {}: PyTorch {expected:e}, here {got:?}",
                T::TYPE
            );
        };
        for (line, (&y, &grad_x)) in elements.iter().zip(y.iter().zip(&grad_x)) {
            near("value", line[2], y, 12.0);
            near("gradient", line[3], grad_x, 16.0);
        }
        for (expected, got) in expected.iter().flatten().zip(gradients.iter().flatten()) {
            // The sum of 20 terms.
            near("parameter's gradient", *expected, *got, 200.0);
        }
    }
    fn check<T: Number>() {
        fn of_layer<T: Number, F: Parametric<1> + Copy>(name: &str, formula: F) {
            compare::<T>(name, &|p, x, grad_y, y, grad_x, gradients| {
                let layer = PerChannel::new(formula, [&p[0]]).inner(5);
                layer.forward(x, y);
                layer.backward_with_parameters(x, grad_y, grad_x, [&mut gradients[0]]);
            });
        }
        of_layer::<T, _>("swish", SwishBeta);
        of_layer::<T, _>("snake", SnakeA);
        of_layer::<T, _>("softplus", SoftplusBeta);
        of_layer::<T, _>("elu", EluAlpha);
        of_layer::<T, _>("celu", CeluAlpha);
        compare::<T>("xielu", &|p, x, grad_y, y, grad_x, gradients| {
            let layer = PerChannel::new(XieluAlphas::default(), [&p[0], &p[1]]).inner(5);
            layer.forward(x, y);
            let (first, second) = gradients.split_at_mut(1);
            layer.backward_with_parameters(x, grad_y, grad_x, [&mut first[0], &mut second[0]]);
        });
        compare::<T>("prelu", &|p, x, grad_y, y, grad_x, gradients| {
            let layer = Prelu::new(&p[0]).inner(5);
            layer.forward(x, y);
            layer.backward_with_slopes(x, grad_y, grad_x, &mut gradients[0]);
        });
    }
    for_each_type!(check());
}

#[test]
fn empty_slices_give_empty_slices() {
    let none: [f32; 0] = [];
    for inner in [0, 1, usize::MAX] {
        let (mut first, mut second) = ([9.0_f32; 3], [9.0; 3]);
        let layer = PerChannel::new(XieluAlphas::default(), [&[0.5; 3], &[0.5; 3]]).inner(inner);
        layer.backward_with_parameters(&none, &none, &mut [], [&mut first, &mut second]);
        assert_eq!((first, second), ([0.0; 3], [0.0; 3]));
    }
    let layer = PerChannel::new(EluAlpha, [&none[..]]);
    layer.backward_with_parameters(&none, &none, &mut [], [&mut []]);
    layer.forward_in_place(&mut []);
}

#[test]
fn it_can_be_boxed_and_printed_and_compared() {
    let betas = [0.0_f32, 1.0];
    let layer = PerChannel::new(SwishBeta, [&betas]);
    let boxed: Box<dyn Activation<f32> + '_> = Box::new(layer);
    assert_eq!(boxed.forward_vec(&[1.0, 0.0]), [0.5, 0.0]);
    assert_eq!(layer, PerChannel::new(SwishBeta, [&betas]).inner(1));
    assert_eq!(format!("{layer:?}"), "PerChannel { formula: SwishBeta, parameters: [[0.0, 1.0]], inner: 1 }");
}

#[test]
#[should_panic(expected = "slices of 5 elements do not divide into rows of 6")]
fn a_length_that_does_not_fit_the_channels_is_refused() {
    PerChannel::new(SwishBeta, [&[0.5_f32; 2]]).inner(3).forward_in_place(&mut [1.0; 5]);
}

#[test]
#[should_panic(expected = "`parameters` has 2 elements, `grad_parameters` has 3")]
fn gradients_need_the_length_of_the_parameters() {
    let layer = PerChannel::new(SwishBeta, [&[0.5_f32; 2]]);
    layer.backward_with_parameters(&[1.0; 4], &[1.0; 4], &mut [0.0; 4], [&mut [0.0; 3]]);
}

#[test]
#[should_panic(expected = "`the first parameters` has 2 elements, `the second parameters` has 3")]
fn parameters_of_different_lengths_are_refused() {
    let _ = PerChannel::new(XieluAlphas::default(), [&[0.5_f32; 2][..], &[0.5; 3]]);
}
