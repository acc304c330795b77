//! Promises beside the bounds: limits, NaN, signs of zeros, ranges, tails, and the same bits by every method.

use activations::{Activation, AnyActivation, Element, Fast, Level, Pass, Sigmoid, Tanh};

use crate::support::{Bits, Float, Outputs, assert_same, same, show, slope, value};
use crate::{inputs, with_contracts};

#[test]
fn nan_gives_nan_and_leaves_its_neighbours_alone() {
    for (activation, level) in with_contracts().flat_map(|(a, _)| Level::available().map(move |level| (a, level))) {
        let at = level.with(Fast(activation));
        for (nan, len) in f32::quiet_nans().into_iter().zip([1, 7, 256, 300].into_iter().cycle()) {
            let place = len * 2 / 3;
            let (mut x, grad_y) = (vec![0.75; len], vec![-2.0; len]);
            let clean = Outputs::of(&at, &x, &grad_y);
            x[place] = nan;
            for ((method, got), (_, clean)) in Outputs::of(&at, &x, &grad_y).named().into_iter().zip(clean.named()) {
                let mut expected = clean.to_vec();
                expected[place] = f32::NAN;
                assert_same(&format!("{activation} at {level}, {method}"), &x, &expected, got);
            }
        }
    }
}

#[test]
fn at_infinities_there_are_the_limits_and_zeros_keep_their_sign() {
    for (activation, level) in with_contracts().flat_map(|(a, _)| Level::available().map(move |level| (a, level))) {
        let (fast, default) = (level.with(Fast(activation)), level.with(activation));
        for x in [f32::NEG_INFINITY, f32::INFINITY, f32::MIN, f32::MAX, -1e30, 1e30] {
            let (expected, got) = (value(&default, x), value(&fast, x));
            assert!(
                same(expected, got),
                "{activation} of {x} at {level}: expected {}, got {}",
                show(expected),
                show(got)
            );
            let (expected, got) = (slope(&default, x), slope(&fast, x));
            assert!(expected == got, "{activation}' of {x} at {level}: expected {}, got {}", show(expected), show(got));
        }
        let vanishes = value(&default, 0.0) == 0.0;
        for x in [-0.0, 0.0] {
            let got = value(&fast, x);
            assert!(!vanishes || same(x, got), "{activation} of {} at {level}: got {}", show(x), show(got));
        }
    }
}

#[test]
fn values_stay_in_their_range() {
    let x = inputs();
    for (activation, level) in with_contracts().flat_map(|(a, _)| Level::available().map(move |level| (a, level))) {
        let (low, high) = activation.card().range;
        // Functions with a least value attain the ends of their range, up to roundings.
        let slack = if low < 0.0 && low > -1.0 { 1e-7 } else { 0.0 };
        for (&x, y) in x.iter().zip(level.with(Fast(activation)).forward_vec(&x)) {
            let y = f64::from(y);
            assert!(x.is_nan() || (low - slack..=high).contains(&y), "{activation} of {x:e} at {level}: {y:e}");
        }
    }
}

/// From 6 on, values approach their limits. Where they are near 1 they may fall by two ULP, and nowhere else.
#[test]
fn tails_are_monotone() {
    let far: Vec<f32> = (0..2_000).map(|i| 6.0 + i as f32 / 16.0).collect();
    for (activation, level) in with_contracts().flat_map(|(a, _)| Level::available().map(move |level| (a, level))) {
        let at = level.with(Fast(activation));
        let left: Vec<f32> = far.iter().map(|x| -x).collect();
        for (y, increases) in [(at.forward_vec(&far), true), (at.forward_vec(&left), false)] {
            // GELU and similar functions rise towards -0.0 on the left.
            let increases = increases || (y[0] < 0.0 && y[0] > -0.5);
            for (i, pair) in y.windows(2).enumerate() {
                let back = if increases { pair[0] - pair[1] } else { pair[1] - pair[0] };
                let near_one = (0.99..=1.0).contains(&pair[0].abs());
                let allowed = if near_one { f32::EPSILON } else { 0.0 };
                let what = format!("{activation} at {level}, |x| = {}", far[i]);
                assert!(back <= allowed, "{what}: {:e}, then {:e}", pair[0], pair[1]);
            }
        }
    }
}

#[test]
fn tanh_is_odd_and_sigmoid_attains_its_limits() {
    let x = inputs();
    let minus: Vec<f32> = x.iter().map(|x| -x).collect();
    for level in Level::available() {
        let tanh = level.with(Fast(Tanh));
        for ((&x, y), minus) in x.iter().zip(tanh.forward_vec(&x)).zip(tanh.forward_vec(&minus)) {
            // The two sides of the fused formula are rounded differently.
            let near =
                (f64::from(y) + f64::from(minus)).abs() <= 8.0 * f64::from(y.abs().max(f32::MIN_POSITIVE)) * 6e-8;
            assert!(x.is_nan() || near, "tanh of {x:e} at {level}: {y:e}, and of -x {minus:e}");
            assert!(x.is_nan() || y.is_sign_negative() == x.is_sign_negative(), "tanh of {x:e} at {level}: {y:e}");
        }
        let sigmoid = level.with(Fast(Sigmoid));
        assert_eq!(sigmoid.forward_vec(&[-1e3_f32, -89.0, 0.0, 20.0]), [0.0, 0.0, 0.5, 1.0]);
    }
}

const LENGTHS: [usize; 14] = [0, 1, 2, 15, 16, 17, 63, 64, 65, 255, 1_023, 1_024, 1_025, 3_000];

#[test]
fn each_way_gives_the_same_bits() {
    let mut bits = Bits(71);
    for (activation, _) in with_contracts() {
        for len in LENGTHS {
            let x: Vec<f32> = bits.floats(len);
            let x: Vec<f32> = x.into_iter().map(|x| if x.abs() > 100.0 { x % 100.0 } else { x }).collect();
            let grad_y: Vec<f32> = (0..len).map(|_| bits.within(3.0) as f32).collect();
            for level in Level::available() {
                let outputs = Outputs::of(&level.with(Fast(activation)), &x, &grad_y);
                for (method, got) in outputs.values() {
                    assert_same(&format!("{activation} at {level}, {method}"), &x, &outputs.forward, got);
                }
                for (method, got) in outputs.derivatives() {
                    assert_same(&format!("{activation} at {level}, {method}"), &x, &outputs.derivative, got);
                }
                let product: Vec<f32> = outputs.derivative.iter().zip(&grad_y).map(|(d, g)| g * d).collect();
                assert_same(&format!("{activation} at {level}, backward"), &x, &product, &outputs.backward);
                // Each element by itself.
                for (i, &x) in x.iter().enumerate().step_by(97) {
                    let alone = value(&level.with(Fast(activation)), x);
                    assert!(same(alone, outputs.forward[i]), "{activation} of {x:e} at {level}, element {i} of {len}");
                }
            }
        }
    }
}

#[test]
fn levels_of_a_kind_have_the_same_bits() {
    let x = inputs();
    for (activation, _) in with_contracts() {
        for fused in [true, false] {
            let mut levels = Level::available().filter(|level| level.is_fused() == fused);
            let Some(first) = levels.next() else { continue };
            let expected = Outputs::of(&first.with(Fast(activation)), &x, &x);
            for level in levels {
                let got = Outputs::of(&level.with(Fast(activation)), &x, &x);
                for ((method, expected), (_, got)) in expected.named().into_iter().zip(got.named()) {
                    assert_same(&format!("{activation} at {level} and {first}, {method}"), &x, expected, got);
                }
            }
        }
    }
}

#[cfg(feature = "half")]
#[test]
fn halves_are_the_results_of_f32_rounded_once() {
    use half::{bf16, f16};

    fn check<H: Element<Float = f32>>(of_bits: fn(u16) -> H, wide: fn(H) -> f32, rounded: fn(f32) -> H) {
        let x: Vec<H> = (0..=u16::MAX).map(of_bits).collect();
        let widened: Vec<f32> = x.iter().map(|&x| wide(x)).collect();
        for (activation, _) in with_contracts() {
            let fast = Fast(activation);
            let (got, expected) = (Outputs::of(&fast, &x, &x), Outputs::of(&fast, &widened, &widened));
            for ((method, got), (_, expected)) in got.named().into_iter().zip(expected.named()) {
                for ((x, &got), &expected) in widened.iter().zip(got).zip(expected) {
                    let expected = rounded(expected);
                    assert!(got == expected || got.is_nan() && expected.is_nan(), "{activation} {method} of {x:e}");
                }
            }
        }
    }
    check(f16::from_bits, f16::to_f32, f16::from_f32);
    check(bf16::from_bits, bf16::to_f32, bf16::from_f32);
}

#[test]
fn lengths_that_differ_panic_and_nothing_is_written() {
    for (activation, _) in with_contracts() {
        let mut y = [77.0_f32; 4];
        for call in 0..3 {
            let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| match call {
                0 => Fast(activation).forward(&[1.0; 3], &mut y),
                1 => Fast(activation).derivative(&[1.0; 5], &mut y),
                _ => Fast(activation).backward(&[1.0; 4], &[1.0; 3], &mut y),
            }));
            let message = *caught.expect_err("slices that differ").downcast::<String>().expect("a message");
            assert!(message.contains("slices differ in length"), "{message}");
        }
        assert_eq!(y, [77.0; 4], "{activation}");
    }
}

/// A pass that is called directly.
#[test]
fn a_pass_at_a_level_has_the_same_bits() {
    let x = [-3.0_f32, -0.5, 0.0, 2.0];
    for level in Level::available() {
        let mut y = [f32::NAN; 4];
        Fast(AnyActivation::from(Tanh)).run(level, Pass::Forward { x: &x, y: &mut y });
        assert_same("tanh", &x, &level.with(Fast(Tanh)).forward_vec(&x), &y);
    }
}
