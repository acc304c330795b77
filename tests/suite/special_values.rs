//! NaN, infinities, signed zeros, kinks, the largest numbers and empty slices, at every level, in both types.

use crate::common::entries::{self, Facts};
use crate::kinks::assert_decided;
use crate::special_table::{slopes, values};
use crate::support::{
    Float, Outputs, assert_same, chosen, elementwise, is_chosen, is_elementwise, same, show, slope, value,
};
use activations::{Activation, AnyActivation, Elu, Level, Softmax, Vanishes};

/// Lengths near the loop's blocks of 256, and with a rest.
const LENGTHS: [usize; 4] = [1, 7, 256, 300];

#[test]
fn nan_gives_nan_and_leaves_its_neighbours_alone() {
    fn check<T: Float>() {
        for activation in elementwise() {
            for level in Level::available() {
                let at = level.with(activation);
                for nan in T::quiet_nans() {
                    for len in LENGTHS {
                        let place = len * 2 / 3;
                        let mut x = vec![T::of(0.75); len];
                        let grad_y = vec![T::of(-2.0); len];
                        let clean = Outputs::of(&at, &x, &grad_y);
                        x[place] = nan;
                        for ((method, got), (_, clean)) in
                            Outputs::of(&at, &x, &grad_y).named().into_iter().zip(clean.named())
                        {
                            let mut expected = clean.to_vec();
                            expected[place] = T::nan();
                            assert_same(&format!("{activation} at {level}, {method}"), &x, &expected, got);
                        }
                    }
                }
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn gradient_of_nan_gives_nan() {
    fn check<T: Float>() {
        for activation in chosen() {
            for level in Level::available() {
                for x in [-1e3, -1.0, -0.0, 0.0, 0.75, 1e3] {
                    for nan in T::quiet_nans() {
                        let mut grad_x = [T::zero()];
                        level.with(activation).backward(&[T::of(x)], &[nan], &mut grad_x);
                        assert!(
                            grad_x[0].is_nan(),
                            "{activation} {} at {level}, backward: x = {x}, grad_y = {}: expected NaN, got {}",
                            T::TYPE,
                            show(nan),
                            show(grad_x[0])
                        );
                    }
                }
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

/// A fact of the function's entry; no function of rows has it.
fn has(activation: &AnyActivation, fact: fn(&Facts) -> bool) -> bool {
    entries::facts(activation).is_some_and(|facts| fact(&facts))
}

#[test]
fn documented_values_are_exact() {
    fn check<T: Float>() {
        for (name, x, y) in values() {
            let activation: AnyActivation = name.parse().unwrap();
            for level in Level::available() {
                // The loop's block and its rest are compiled separately, so both are checked.
                let (x, y) = (vec![T::of(x); 257], vec![T::of(y); 257]);
                for (method, got) in Outputs::of(&level.with(activation), &x, &x).values() {
                    assert_same(&format!("{name} at {level}, {method}"), &x, &y, got);
                }
            }
        }
        for (name, x, expected) in slopes() {
            let activation: AnyActivation = name.parse().unwrap();
            for level in Level::available() {
                let x = vec![T::of(x); 257];
                for (method, got) in Outputs::of(&level.with(activation), &x, &x).derivatives() {
                    for &got in got {
                        assert!(
                            got == T::of(expected),
                            "{name} {} at {level}, {method}: x = {}: expected {}, got {}",
                            T::TYPE,
                            show(x[0]),
                            show(T::of(expected)),
                            show(got)
                        );
                    }
                }
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn every_elementwise_function_has_its_limits_in_the_table() {
    for activation in elementwise() {
        for x in [f64::NEG_INFINITY, f64::INFINITY] {
            for (table, what) in [(values(), "value"), (slopes(), "derivative")] {
                let name = activation.card().name;
                assert!(table.iter().any(|t| (t.0, t.1) == (name, x)), "no {what} of {name} at {x} in the table");
            }
        }
    }
}

#[test]
fn limits_at_infinity_are_those_of_the_card() {
    fn check<T: Float>() {
        for activation in elementwise() {
            let card = activation.card();
            let (low, high) = card.range;
            for level in Level::available() {
                let at = level.with(activation);
                let (left, right) = (value(&at, T::neg_infinity()), value(&at, T::infinity()));
                if card.monotone {
                    assert!(left == T::of(low), "{activation} at {level}: f(-inf) is {}, not {low}", show(left));
                    assert!(right == T::of(high), "{activation} at {level}: f(inf) is {}, not {high}", show(right));
                }
                let (vanishes_left, vanishes_right) = match card.vanishes {
                    Vanishes::Never => (false, false),
                    Vanishes::Left => (true, false),
                    Vanishes::Right => (false, true),
                    Vanishes::BothSides => (true, true),
                };
                // A wave has no limit, and gives its mean.
                let (vanishes_left, vanishes_right) =
                    if card.name == "sin" { (true, true) } else { (vanishes_left, vanishes_right) };
                for (x, vanishes) in [(T::neg_infinity(), vanishes_left), (T::infinity(), vanishes_right)] {
                    let got = slope(&at, x);
                    let has_limit = got.is_finite() || got == x && has(&activation, |facts| facts.overflows);
                    assert!(
                        has_limit && (got == T::zero()) == vanishes,
                        "{activation} {} at {level}: f'({x}) is {}, though the card says it vanishes: {:?}",
                        T::TYPE,
                        show(got),
                        card.vanishes
                    );
                }
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

/// Functions that behave as x^2 at 0, not as x.
fn is_even(activation: &AnyActivation) -> bool {
    [0.5, 1.0, 3.0].iter().all(|&x| value(activation, x) == value(activation, -x))
}

#[test]
fn functions_through_the_origin_keep_the_sign_of_zero() {
    let constant = |f: &AnyActivation| has(f, |facts| facts.is_constant_at_zero);
    let odd = |f: &AnyActivation| value(f, 0.0_f64) == 0.0 && !constant(f) && !is_even(f);
    let through_origin: Vec<_> = elementwise().filter(odd).collect();
    let activations = ["relu", "leaky_relu", "tanh", "gelu", "gelu_tanh", "silu", "elu", "clipped_gelu", "xielu"];
    let lines = ["relu6", "rrelu", "identity", "hard_swish", "hard_tanh", "softshrink", "hardshrink", "shrink"];
    let curves =
        ["squared_relu", "softsign", "quick_gelu", "swish", "selu", "celu", "mish", "tanhshrink", "snake", "sin"];
    for name in activations.into_iter().chain(lines).chain(curves).filter(|name| is_chosen(name)) {
        assert!(through_origin.iter().any(|f| f.card().name == name), "{name}(0) is not 0");
    }
    fn check<T: Float>(activation: AnyActivation) {
        for level in Level::available() {
            for zero in [T::zero(), T::neg_zero()] {
                let x = vec![zero; 257];
                for (method, got) in Outputs::of(&level.with(activation), &x, &x).values() {
                    assert_same(&format!("{activation} at {level}, {method}"), &x, &x, got);
                }
            }
        }
    }
    for activation in through_origin {
        check::<f32>(activation);
        check::<f64>(activation);
    }
}

#[test]
fn derivatives_at_kinks_are_as_decided() {
    assert_decided::<f32>();
    assert_decided::<f64>();
}

#[test]
fn derivative_at_a_kink_is_that_of_a_side_and_0_where_one_is_flat() {
    fn check<T: Float>() -> usize {
        let mut kinks = 0;
        for activation in AnyActivation::all().filter(is_elementwise) {
            let card = activation.card();
            for &kink in card.kinks {
                for level in Level::available() {
                    let at = level.with(activation);
                    let step = 1e-3;
                    let sides = [kink - step, kink + step].map(|x| slope(&at, T::of(x)).wide());
                    let [left, right] = sides;
                    for x in if kink == 0.0 { vec![0.0, -0.0] } else { vec![kink] } {
                        let got = slope(&at, T::of(x)).wide();
                        // A curve's slope may change by step * f'' on the way to the kink. A line's does not change.
                        let near = |side: f64| (got - side).abs() <= 2.0 * step.min((left - right).abs());
                        let as_the_rule_says = match card.name {
                            // PyTorch's clip has the derivative of its argument at both ends.
                            "clipped_gelu" => near(if left == 0.0 { right } else { left }),
                            _ if sides.contains(&0.0) => got == 0.0,
                            _ => near(left) || near(right),
                        };
                        assert!(
                            as_the_rule_says,
                            "{activation} {} at {level}: f'({x}) is {got}, left of it {left}, right of it {right}",
                            T::TYPE
                        );
                        kinks += 1;
                    }
                }
            }
        }
        kinks
    }
    assert!(check::<f32>() > 0);
    assert!(check::<f64>() > 0);
}

#[test]
fn largest_numbers_give_the_limits() {
    fn check<T: Float>() {
        for activation in elementwise() {
            let (low, high) = activation.card().range;
            for level in Level::available() {
                let at = level.with(activation);
                for (x, limit) in [(T::max_value(), T::infinity()), (T::min_value(), T::neg_infinity())] {
                    let (y, at_limit) = (value(&at, x), value(&at, limit));
                    let (s, s_limit) = (slope(&at, x), slope(&at, limit));
                    let fails = |what: &str| -> String {
                        format!("{activation} {} at {level}: x = {}: {what} {}", T::TYPE, show(x), show(y))
                    };
                    if has(&activation, |facts| facts.overflows) && x > T::zero() {
                        assert!(y == limit && slope(&at, x) == limit, "{}", fails("value"));
                        continue;
                    }
                    // With a slope above 1, the largest numbers overflow.
                    let beyond = s_limit.wide().abs() > 1.0 && same(y, at_limit);
                    assert!(y.is_finite() || beyond, "{}", fails("value"));
                    if has(&activation, |facts| facts.is_slow) && at_limit.is_finite() {
                        let reciprocal = 1.0 / x.wide().abs();
                        assert!((y - at_limit).wide().abs() <= reciprocal + T::TINY, "{}", fails("value"));
                    } else if at_limit.is_finite() {
                        assert!(same(y, at_limit), "{}, but at infinity {}", fails("value"), show(at_limit));
                    } else {
                        assert!(low <= y.wide() && y.wide() <= high, "{} outside the range", fails("value"));
                        assert!((y / x).wide().abs() >= 0.0099, "{}, which is not of the size of x", fails("value"));
                    }
                    assert!(
                        s == s_limit,
                        "{activation} {} at {level}: f'({}) is {}, but at infinity {}",
                        T::TYPE,
                        show(x),
                        show(s),
                        show(s_limit)
                    );
                }
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn smallest_numbers_give_the_result_of_zero_or_keep_their_sign() {
    fn check<T: Float>() {
        for activation in elementwise() {
            for level in Level::available() {
                let at = level.with(activation);
                let (y0, slope0) = (value(&at, T::zero()), slope(&at, T::zero()));
                for x in [T::TINY, -T::TINY, 7.0 * T::TINY, T::min_positive_value().wide()].map(T::of) {
                    let (y, s) = (value(&at, x), slope(&at, x));
                    let context = format!("{activation} {} at {level}: x = {}", T::TYPE, show(x));
                    // |f'| is near the derivative at 0. There is one rounding to nearest, and a bound of a few ULP.
                    let steepest = slope0.wide().abs().max(1.0) * (1.0 + 4.0 * T::EPS);
                    assert!(
                        (y - y0).wide().abs() <= steepest * x.wide().abs() + T::TINY,
                        "{context}: value {}",
                        show(y)
                    );
                    assert!(y == T::zero() || y0 != T::zero() || (y > T::zero()) == (x > T::zero()), "{context}: sign");
                    if activation.card().name == "squared_relu" {
                        assert!(s.wide() == 2.0 * x.wide().max(0.0), "{context}: derivative {}", show(s));
                    } else if is_even(&activation) && y0 == T::zero() {
                        // The derivative crosses zero where x does.
                        assert!(s == x, "{context}: derivative {}", show(s));
                    } else if activation.card().kinks.is_empty() {
                        assert!(s == slope0, "{context}: derivative {}, at 0 {}", show(s), show(slope0));
                    }
                }
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn empty_slices_are_fine() {
    fn check<T: Float>() {
        for activation in chosen() {
            for level in Level::available() {
                let outputs = Outputs::<T>::of(&level.with(activation), &[], &[]);
                assert!(outputs.named().iter().all(|(_, got)| got.is_empty()));
            }
            assert!(activation.forward_vec(&[] as &[T]).is_empty());
            assert!(activation.derivative_vec(&[] as &[T]).is_empty());
            assert!(activation.backward_vec(&[] as &[T], &[]).is_empty());
        }
        let rows = Softmax::rows(7).unwrap();
        assert!(Outputs::<T>::of(&rows, &[], &[]).named().iter().all(|(_, got)| got.is_empty()));
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn the_alpha_of_elu_scales_its_left_side() {
    fn check<T: Float>() {
        let x: Vec<T> = (-60..60).map(|i| T::of(f64::from(i) / 8.0)).collect();
        let one = Outputs::of(&Elu::default(), &x, &x);
        for alpha in [0.5, 2.0, -4.0] {
            let scaled = Outputs::of(&Elu::new(alpha).unwrap(), &x, &x);
            for ((method, one), (_, scaled)) in one.values().into_iter().zip(scaled.values()) {
                for ((&x, &one), &scaled) in x.iter().zip(one).zip(scaled) {
                    let expected = if x < T::zero() { one * T::of(alpha) } else { one };
                    assert_eq!(scaled, expected, "{method} of elu({alpha}) at {x:?}");
                }
            }
            let (mut one, mut scaled) = (x.clone(), x.clone());
            Elu::default().derivative(&x, &mut one);
            Elu::new(alpha).unwrap().derivative(&x, &mut scaled);
            for ((&x, &one), &scaled) in x.iter().zip(&one).zip(&scaled) {
                let expected = if x > T::zero() { one } else { one * T::of(alpha) };
                assert_eq!(scaled, expected, "derivative of elu({alpha}) at {x:?}");
            }
        }
    }
    check::<f32>();
    check::<f64>();
}
