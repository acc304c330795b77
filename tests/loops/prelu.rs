//! PReLU: every pass in every layout, the slopes' gradient, and input that is refused.

use crate::support::{Bits, Float, Outputs, assert_same, show, sum};
use crate::{leaky, leaky_slope};
use activations::{Activation, Level, Prelu};

/// `(channels, inner, outer)`: just below and above the numbers of lanes, and of the pieces in which slopes are written.
const LAYOUTS: [(usize, usize, usize); 25] = [
    (1, 1, 1),
    (1, 1, 1_500),
    (1, 300, 3),
    (2, 1, 5),
    (3, 1, 700),
    (31, 1, 9),
    (32, 1, 9),
    (33, 1, 9),
    (100, 1, 13),
    (511, 1, 3),
    (512, 1, 2),
    (513, 1, 2),
    (700, 1, 2),
    (2, 2, 3),
    (4, 4, 50),
    (5, 49, 4),
    (16, 32, 2),
    (16, 33, 2),
    (700, 2, 2),
    (3, 511, 2),
    (3, 512, 2),
    (2, 513, 2),
    (2, 1_300, 2),
    (7, 3, 0),
    (300, 7, 1),
];

/// The slope of element i.
fn slope_of<T: Float>(slopes: &[T], inner: usize, i: usize) -> T {
    slopes[i / inner % slopes.len()]
}

fn inputs<T: Float>(bits: &mut Bits, channels: usize, len: usize) -> [Vec<T>; 3] {
    let slopes = (0..channels).map(|_| T::of(bits.within(1.0))).collect();
    [slopes, bits.floats(len), bits.floats(len)]
}

#[test]
fn every_pass_takes_the_slope_of_the_channel() {
    fn check<T: Float>() {
        let mut bits = Bits(51);
        for (channels, inner, outer) in LAYOUTS {
            let [slopes, x, grad_y] = inputs::<T>(&mut bits, channels, channels * inner * outer);
            let at = |i| slope_of(&slopes, inner, i);
            let value: Vec<T> = x.iter().enumerate().map(|(i, &x)| leaky(x, at(i))).collect();
            let slope: Vec<T> = x.iter().enumerate().map(|(i, &x)| leaky_slope(x, at(i))).collect();
            let gradient: Vec<T> = slope.iter().zip(&grad_y).map(|(&s, &g)| g * s).collect();
            for level in Level::available() {
                let outputs = Outputs::of(&level.with(Prelu::new(&slopes).inner(inner)), &x, &grad_y);
                let what = format!("prelu, {outer} x {channels} x {inner} at {level}");
                for (method, got) in outputs.values() {
                    assert_same(&format!("{what}, {method}"), &x, &value, got);
                }
                for (method, got) in outputs.derivatives() {
                    assert_same(&format!("{what}, {method}"), &x, &slope, got);
                }
                assert_same(&format!("{what}, backward"), &x, &gradient, &outputs.backward);
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

/// The gradients of a layout's slopes at a level. Also checks the gradients of the inputs.
fn grad_slopes<T: Float>(level: Level, prelu: Prelu<'_, T>, x: &[T], grad_y: &[T]) -> Vec<T> {
    let (mut grad_x, mut grad_slopes) = (vec![T::nan(); x.len()], vec![T::nan(); prelu.slopes().len()]);
    let prelu = level.with(prelu);
    prelu.backward_with_slopes(x, grad_y, &mut grad_x, &mut grad_slopes);
    assert_same("prelu, backward_with_slopes", x, &prelu.backward_vec(x, grad_y), &grad_x);
    grad_slopes
}

#[test]
fn gradient_of_the_slopes_is_the_sum_over_the_channel_within_its_bound() {
    fn check<T: Float>() {
        let mut bits = Bits(52);
        for (channels, inner, outer) in LAYOUTS {
            let len = channels * inner * outer;
            let [slopes, ..] = inputs::<T>(&mut bits, channels, 0);
            // Terms of different magnitudes, so that a plain sum would lose digits.
            let mut number = |i: usize| T::of(bits.within(8.0) * if i.is_multiple_of(7) { 1e4 } else { 1.0 });
            let x: Vec<T> = (0..len).map(&mut number).collect();
            let grad_y: Vec<T> = (0..len).map(&mut number).collect();
            for level in Level::available() {
                let got = grad_slopes(level, Prelu::new(&slopes).inner(inner), &x, &grad_y);
                for (channel, &got) in got.iter().enumerate() {
                    let of_channel = (0..len).filter(|i| i / inner % channels == channel && x[*i] <= T::zero());
                    // For f64 the products are rounded here too.
                    let terms: Vec<f64> = of_channel.map(|i| x[i].wide() * grad_y[i].wide()).collect();
                    let exact = sum(terms.iter().copied());
                    let magnitudes = sum(terms.iter().map(|t| t.abs()));
                    let allowed = T::of(exact).spacing() + T::EPS / 2.0 * magnitudes;
                    assert!(
                        (got.wide() - exact).abs() <= allowed,
                        "prelu {}, {outer} x {channels} x {inner} at {level}, slope {channel}: expected {exact:e} +- \
                         {allowed:e}, got {}",
                        T::TYPE,
                        show(got)
                    );
                }
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn bits_of_the_slopes_gradient_depend_on_the_kind_of_level_alone() {
    fn check<T: Float>() {
        let mut bits = Bits(53);
        for (channels, inner, outer) in LAYOUTS {
            let [slopes, x, grad_y] = inputs::<T>(&mut bits, channels, channels * inner * outer);
            let prelu = Prelu::new(&slopes).inner(inner);
            // Products and sums are rounded in the same way at all levels.
            let expected = grad_slopes(Level::best(), prelu, &x, &grad_y);
            for level in Level::available() {
                let got = grad_slopes(level, prelu, &x, &grad_y);
                assert_same(&format!("prelu, {outer} x {channels} x {inner} at {level}"), &[], &expected, &got);
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn one_channel_of_the_slopes_gradient_is_not_changed_by_another() {
    for (channels, inner, outer) in LAYOUTS.into_iter().filter(|&(channels, _, outer)| channels > 1 && outer > 0) {
        let [slopes, x, grad_y] = inputs::<f32>(&mut Bits(54), channels, channels * inner * outer);
        let prelu = Prelu::new(&slopes).inner(inner);
        let before = grad_slopes(Level::best(), prelu, &x, &grad_y);
        let disturbed: Vec<f32> =
            x.iter().enumerate().map(|(i, &x)| if i / inner % channels == 1 { f32::NAN } else { x }).collect();
        let mut after = grad_slopes(Level::best(), prelu, &disturbed, &grad_y);
        assert!(after[1].is_nan(), "prelu, {outer} x {channels} x {inner}");
        after[1] = before[1];
        assert_same(&format!("prelu, {outer} x {channels} x {inner}"), &[], &before, &after);
    }
}

#[test]
fn infinite_sums_of_the_slopes_gradient_are_infinite() {
    for level in Level::available() {
        for inner in [1, 40] {
            let x: Vec<f32> = (0..80).map(|i| [-1.0, f32::NEG_INFINITY, -3e38][i % 3]).collect();
            let got = grad_slopes(level, Prelu::new(&[0.5; 2]).inner(inner), &x, &[2.0; 80]);
            assert_eq!(got, [f32::NEG_INFINITY; 2], "{level}, inner {inner}");
        }
    }
}

#[test]
fn empty_slices_give_empty_slices() {
    let none: [f32; 0] = [];
    for level in Level::available() {
        assert_eq!(grad_slopes(level, Prelu::new(&[0.5; 3]), &[], &[]), [0.0; 3]);
        assert_eq!(grad_slopes(level, Prelu::new(&[0.5; 3]).inner(0), &[], &[]), [0.0; 3]);
        assert_eq!(grad_slopes(level, Prelu::new(&[0.5; 3]).inner(usize::MAX), &[], &[]), [0.0; 3]);
        assert_eq!(grad_slopes(level, Prelu::new(&none), &[], &[]), none);
    }
    assert_eq!(Prelu::new(&[0.5]).slopes(), [0.5]);
}

#[test]
#[should_panic(expected = "slices of 5 elements do not divide into rows of 6")]
fn a_length_that_does_not_fit_the_channels_is_refused() {
    Prelu::new(&[0.5_f32; 2]).inner(3).forward_in_place(&mut [1.0; 5]);
}

#[test]
#[should_panic(expected = "slices of 5 elements do not divide into rows of 0")]
fn without_channels_only_empty_slices_fit() {
    Prelu::new(&[]).forward_in_place(&mut [1.0_f32; 5]);
}

#[test]
#[should_panic(expected = "`slopes` has 2 elements, `grad_slopes` has 3")]
fn gradients_need_the_length_of_the_slopes() {
    Prelu::new(&[0.5_f32; 2]).backward_with_slopes(&[1.0; 4], &[1.0; 4], &mut [0.0; 4], &mut [0.0; 3]);
}

#[test]
fn it_can_be_boxed() {
    let slopes = [0.5_f32, 0.25];
    let boxed: Box<dyn Activation<f32> + '_> = Box::new(Prelu::new(&slopes));
    assert_eq!(boxed.forward_vec(&[-1.0, -1.0]), [-0.5, -0.25]);
}
