//! NaN, infinities, signed zeros, kinks, the largest numbers and empty slices, at every level, in both types.

use crate::kinks::assert_decided;
use crate::support::{
    Float, Outputs, assert_same, chosen, elementwise, is_chosen, is_elementwise, on_rows, same, show, slope, value,
};
use activations::{Activation, AnyActivation, Elu, Level, LogSoftmax, Softmax, Vanishes};

/// Around the loop's blocks of 256, and with a rest.
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

/// `(name, x, f(x))` where the documentation states the value to the bit.
const VALUES: &[(&str, f64, f64)] = &[
    ("relu", f64::NEG_INFINITY, 0.0),
    ("relu", f64::INFINITY, f64::INFINITY),
    ("relu", -1.0, 0.0),
    ("relu", 1.0, 1.0),
    ("leaky_relu", f64::NEG_INFINITY, f64::NEG_INFINITY),
    ("leaky_relu", f64::INFINITY, f64::INFINITY),
    ("leaky_relu", -1.0, -0.01),
    ("leaky_relu", 1.0, 1.0),
    ("sigmoid", f64::NEG_INFINITY, 0.0),
    ("sigmoid", f64::INFINITY, 1.0),
    ("sigmoid", 0.0, 0.5),
    ("sigmoid", -0.0, 0.5),
    ("tanh", f64::NEG_INFINITY, -1.0),
    ("tanh", f64::INFINITY, 1.0),
    ("gelu", f64::NEG_INFINITY, -0.0),
    ("gelu", f64::INFINITY, f64::INFINITY),
    ("gelu_tanh", f64::NEG_INFINITY, -0.0),
    ("gelu_tanh", f64::INFINITY, f64::INFINITY),
    ("silu", f64::NEG_INFINITY, -0.0),
    ("silu", f64::INFINITY, f64::INFINITY),
    ("elu", f64::NEG_INFINITY, -1.0),
    ("elu", f64::INFINITY, f64::INFINITY),
    ("elu", 2.0, 2.0),
    ("softplus", f64::NEG_INFINITY, 0.0),
    ("softplus", f64::INFINITY, f64::INFINITY),
    ("softplus", 0.0, std::f64::consts::LN_2),
    ("softplus", -0.0, std::f64::consts::LN_2),
    ("relu6", f64::NEG_INFINITY, 0.0),
    ("relu6", f64::INFINITY, 6.0),
    ("relu6", 6.0, 6.0),
    ("squared_relu", f64::NEG_INFINITY, 0.0),
    ("squared_relu", f64::INFINITY, f64::INFINITY),
    ("squared_relu", 3.0, 9.0),
    ("threshold", f64::NEG_INFINITY, 0.0),
    ("threshold", f64::INFINITY, f64::INFINITY),
    ("threshold", -0.0, 0.0),
    ("threshold", 1.0, 0.0),
    ("threshold", 1.5, 1.5),
    ("rrelu", f64::NEG_INFINITY, f64::NEG_INFINITY),
    ("rrelu", f64::INFINITY, f64::INFINITY),
    ("rrelu", -1.0, -11.0 / 48.0),
    ("identity", f64::NEG_INFINITY, f64::NEG_INFINITY),
    ("identity", f64::INFINITY, f64::INFINITY),
    ("identity", -0.3, -0.3),
    ("hard_sigmoid", f64::NEG_INFINITY, 0.0),
    ("hard_sigmoid", f64::INFINITY, 1.0),
    ("hard_sigmoid", -3.0, 0.0),
    ("hard_sigmoid", 0.0, 0.5),
    ("hard_sigmoid", 1.5, 0.75),
    ("hard_sigmoid", 3.0, 1.0),
    ("hard_swish", f64::NEG_INFINITY, -0.0),
    ("hard_swish", f64::INFINITY, f64::INFINITY),
    ("hard_swish", -3.0, -0.0),
    ("hard_swish", -1.5, -0.375),
    ("hard_swish", 3.0, 3.0),
    ("hard_tanh", f64::NEG_INFINITY, -1.0),
    ("hard_tanh", f64::INFINITY, 1.0),
    ("hard_tanh", 0.3, 0.3),
    ("softshrink", f64::NEG_INFINITY, f64::NEG_INFINITY),
    ("softshrink", f64::INFINITY, f64::INFINITY),
    ("softshrink", -0.5, -0.0),
    ("softshrink", 0.25, 0.0),
    ("softshrink", -0.75, -0.25),
    ("hardshrink", f64::NEG_INFINITY, f64::NEG_INFINITY),
    ("hardshrink", f64::INFINITY, f64::INFINITY),
    ("hardshrink", -0.5, -0.0),
    ("hardshrink", 0.5, 0.0),
    ("hardshrink", 0.75, 0.75),
    ("shrink", f64::NEG_INFINITY, f64::NEG_INFINITY),
    ("shrink", f64::INFINITY, f64::INFINITY),
    ("shrink", -0.5, -0.0),
    ("shrink", 0.5, 0.0),
    ("shrink", 0.75, 0.75),
    ("sparse_plus", f64::NEG_INFINITY, 0.0),
    ("sparse_plus", f64::INFINITY, f64::INFINITY),
    ("sparse_plus", -1.0, 0.0),
    ("sparse_plus", 0.0, 0.25),
    ("sparse_plus", 1.0, 1.0),
    ("sparse_sigmoid", f64::NEG_INFINITY, 0.0),
    ("sparse_sigmoid", f64::INFINITY, 1.0),
    ("sparse_sigmoid", -1.0, 0.0),
    ("sparse_sigmoid", 0.5, 0.75),
    ("softsign", f64::NEG_INFINITY, -1.0),
    ("softsign", f64::INFINITY, 1.0),
    ("softsign", -3.0, -0.75),
    ("squareplus", f64::NEG_INFINITY, 0.0),
    ("squareplus", f64::INFINITY, f64::INFINITY),
    ("squareplus", 0.0, 1.0),
    ("squareplus", -0.0, 1.0),
    ("quick_gelu", f64::NEG_INFINITY, -0.0),
    ("quick_gelu", f64::INFINITY, f64::INFINITY),
    ("swish", f64::NEG_INFINITY, -0.0),
    ("swish", f64::INFINITY, f64::INFINITY),
    ("mish", f64::NEG_INFINITY, -0.0),
    ("mish", f64::INFINITY, f64::INFINITY),
    ("log_sigmoid", f64::NEG_INFINITY, f64::NEG_INFINITY),
    ("log_sigmoid", f64::INFINITY, -0.0),
    ("log_sigmoid", 0.0, -std::f64::consts::LN_2),
    ("selu", f64::NEG_INFINITY, -1.758_099_340_847_376_9),
    ("selu", f64::INFINITY, f64::INFINITY),
    ("celu", f64::NEG_INFINITY, -1.0),
    ("celu", f64::INFINITY, f64::INFINITY),
    ("celu", 2.0, 2.0),
    ("tanhshrink", f64::NEG_INFINITY, f64::NEG_INFINITY),
    ("tanhshrink", f64::INFINITY, f64::INFINITY),
    ("log_cosh", f64::NEG_INFINITY, f64::INFINITY),
    ("log_cosh", f64::INFINITY, f64::INFINITY),
    ("log_cosh", 0.0, 0.0),
    ("log_cosh", -0.0, 0.0),
    ("snake", f64::NEG_INFINITY, f64::NEG_INFINITY),
    ("snake", f64::INFINITY, f64::INFINITY),
    ("clipped_gelu", f64::NEG_INFINITY, -0.0),
    ("clipped_gelu", f64::INFINITY, 10.0),
    ("clipped_gelu", 10.0, 10.0),
    ("clipped_gelu", 9.5, 9.5),
    ("laplace", f64::NEG_INFINITY, 0.0),
    ("laplace", f64::INFINITY, 1.0),
    ("xielu", f64::NEG_INFINITY, f64::INFINITY),
    ("xielu", f64::INFINITY, f64::INFINITY),
    ("xielu", 0.5, 0.45),
    ("exponential", f64::NEG_INFINITY, 0.0),
    ("exponential", f64::INFINITY, f64::INFINITY),
    ("exponential", 0.0, 1.0),
    ("exponential", -0.0, 1.0),
];

/// `(name, x, f'(x))`, by number: the sign of a derivative that is zero is left open.
const SLOPES: &[(&str, f64, f64)] = &[
    ("relu", f64::NEG_INFINITY, 0.0),
    ("relu", f64::INFINITY, 1.0),
    ("relu", -0.0, 0.0),
    ("relu", 0.0, 0.0),
    ("leaky_relu", f64::NEG_INFINITY, 0.01),
    ("leaky_relu", f64::INFINITY, 1.0),
    ("leaky_relu", -0.0, 0.01),
    ("leaky_relu", 0.0, 0.01),
    ("sigmoid", f64::NEG_INFINITY, 0.0),
    ("sigmoid", f64::INFINITY, 0.0),
    ("sigmoid", 0.0, 0.25),
    ("tanh", f64::NEG_INFINITY, 0.0),
    ("tanh", f64::INFINITY, 0.0),
    ("tanh", 0.0, 1.0),
    ("gelu", f64::NEG_INFINITY, 0.0),
    ("gelu", f64::INFINITY, 1.0),
    ("gelu", 0.0, 0.5),
    ("gelu_tanh", f64::NEG_INFINITY, 0.0),
    ("gelu_tanh", f64::INFINITY, 1.0),
    ("gelu_tanh", 0.0, 0.5),
    ("silu", f64::NEG_INFINITY, 0.0),
    ("silu", f64::INFINITY, 1.0),
    ("silu", 0.0, 0.5),
    ("elu", f64::NEG_INFINITY, 0.0),
    ("elu", f64::INFINITY, 1.0),
    ("elu", -0.0, 1.0),
    ("elu", 0.0, 1.0),
    ("softplus", f64::NEG_INFINITY, 0.0),
    ("softplus", f64::INFINITY, 1.0),
    ("softplus", 0.0, 0.5),
    ("relu6", f64::NEG_INFINITY, 0.0),
    ("relu6", f64::INFINITY, 0.0),
    ("relu6", 6.0, 0.0),
    ("squared_relu", f64::NEG_INFINITY, 0.0),
    ("squared_relu", f64::INFINITY, f64::INFINITY),
    ("squared_relu", 3.0, 6.0),
    ("threshold", f64::NEG_INFINITY, 0.0),
    ("threshold", f64::INFINITY, 1.0),
    ("threshold", 1.0, 0.0),
    ("rrelu", f64::NEG_INFINITY, 11.0 / 48.0),
    ("rrelu", f64::INFINITY, 1.0),
    ("rrelu", 0.0, 11.0 / 48.0),
    ("identity", f64::NEG_INFINITY, 1.0),
    ("identity", f64::INFINITY, 1.0),
    ("hard_sigmoid", f64::NEG_INFINITY, 0.0),
    ("hard_sigmoid", f64::INFINITY, 0.0),
    ("hard_sigmoid", -3.0, 0.0),
    ("hard_sigmoid", 3.0, 0.0),
    ("hard_swish", f64::NEG_INFINITY, 0.0),
    ("hard_swish", f64::INFINITY, 1.0),
    ("hard_swish", -3.0, 0.0),
    ("hard_swish", -1.5, 0.0),
    ("hard_swish", 0.0, 0.5),
    ("hard_swish", 3.0, 1.0),
    ("hard_tanh", f64::NEG_INFINITY, 0.0),
    ("hard_tanh", f64::INFINITY, 0.0),
    ("hard_tanh", -1.0, 0.0),
    ("hard_tanh", 1.0, 0.0),
    ("softshrink", f64::NEG_INFINITY, 1.0),
    ("softshrink", f64::INFINITY, 1.0),
    ("softshrink", -0.5, 0.0),
    ("softshrink", 0.5, 0.0),
    ("hardshrink", f64::NEG_INFINITY, 1.0),
    ("hardshrink", f64::INFINITY, 1.0),
    ("hardshrink", -0.5, 0.0),
    ("hardshrink", 0.5, 0.0),
    ("shrink", f64::NEG_INFINITY, 1.0),
    ("shrink", f64::INFINITY, 1.0),
    ("shrink", -0.25, 0.0),
    ("shrink", 0.5, 0.0),
    ("sparse_plus", f64::NEG_INFINITY, 0.0),
    ("sparse_plus", f64::INFINITY, 1.0),
    ("sparse_plus", 0.0, 0.5),
    ("sparse_sigmoid", f64::NEG_INFINITY, 0.0),
    ("sparse_sigmoid", f64::INFINITY, 0.0),
    ("sparse_sigmoid", -1.0, 0.0),
    ("sparse_sigmoid", 1.0, 0.0),
    ("softsign", f64::NEG_INFINITY, 0.0),
    ("softsign", f64::INFINITY, 0.0),
    ("softsign", -0.0, 1.0),
    ("softsign", 1.0, 0.25),
    ("squareplus", f64::NEG_INFINITY, 0.0),
    ("squareplus", f64::INFINITY, 1.0),
    ("squareplus", 0.0, 0.5),
    ("quick_gelu", f64::NEG_INFINITY, 0.0),
    ("quick_gelu", f64::INFINITY, 1.0),
    ("swish", f64::NEG_INFINITY, 0.0),
    ("swish", f64::INFINITY, 1.0),
    ("mish", f64::NEG_INFINITY, 0.0),
    ("mish", f64::INFINITY, 1.0),
    ("quick_gelu", 0.0, 0.5),
    ("swish", 0.0, 0.5),
    ("log_sigmoid", f64::NEG_INFINITY, 1.0),
    ("log_sigmoid", f64::INFINITY, 0.0),
    ("log_sigmoid", 0.0, 0.5),
    ("selu", f64::NEG_INFINITY, 0.0),
    ("selu", f64::INFINITY, 1.050_700_987_355_480_5),
    ("selu", 0.0, 1.758_099_340_847_376_9),
    ("selu", -0.0, 1.758_099_340_847_376_9),
    ("celu", f64::NEG_INFINITY, 0.0),
    ("celu", f64::INFINITY, 1.0),
    ("celu", -0.0, 1.0),
    ("celu", 0.0, 1.0),
    ("tanhshrink", f64::NEG_INFINITY, 1.0),
    ("tanhshrink", f64::INFINITY, 1.0),
    ("tanhshrink", 0.0, 0.0),
    ("log_cosh", f64::NEG_INFINITY, -1.0),
    ("log_cosh", f64::INFINITY, 1.0),
    ("log_cosh", 0.0, 0.0),
    ("snake", f64::NEG_INFINITY, 1.0),
    ("snake", f64::INFINITY, 1.0),
    ("snake", 0.0, 1.0),
    ("clipped_gelu", f64::NEG_INFINITY, 0.0),
    ("clipped_gelu", f64::INFINITY, 0.0),
    ("clipped_gelu", 0.0, 0.5),
    ("clipped_gelu", 9.5, 1.0),
    ("clipped_gelu", 10.0, 1.0),
    ("clipped_gelu", 10.000_001, 0.0),
    ("laplace", f64::NEG_INFINITY, 0.0),
    ("laplace", f64::INFINITY, 0.0),
    ("xielu", f64::NEG_INFINITY, 0.5 - 0.8),
    ("xielu", f64::INFINITY, f64::INFINITY),
    ("xielu", 0.0, 0.5),
    ("xielu", -0.0, 0.5),
    ("exponential", f64::NEG_INFINITY, 0.0),
    ("exponential", f64::INFINITY, f64::INFINITY),
    ("exponential", 0.0, 1.0),
];

/// Functions that grow faster than x on the right: their values overflow, and their derivatives have no finite limit.
const OVERFLOWING: [&str; 3] = ["squared_relu", "xielu", "exponential"];

/// Functions whose value at the largest numbers is not yet that at infinity: they fall off as 1 / |x|.
const SLOW: [&str; 1] = ["squareplus"];

/// Functions that are a constant about 0, not c x: 0 by default, without a sign.
const CONSTANT_AT_ZERO: [&str; 1] = ["threshold"];

#[test]
fn documented_values_are_exact() {
    fn check<T: Float>() {
        for &(name, x, y) in VALUES {
            let activation: AnyActivation = name.parse().unwrap();
            for level in Level::available() {
                // The block of the loop and its rest are compiled apart: both must agree.
                let (x, y) = (vec![T::of(x); 257], vec![T::of(y); 257]);
                for (method, got) in Outputs::of(&level.with(activation), &x, &x).values() {
                    assert_same(&format!("{name} at {level}, {method}"), &x, &y, got);
                }
            }
        }
        for &(name, x, expected) in SLOPES {
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
            for (table, what) in [(VALUES, "value"), (SLOPES, "derivative")] {
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
                for (x, vanishes) in [(T::neg_infinity(), vanishes_left), (T::infinity(), vanishes_right)] {
                    let got = slope(&at, x);
                    let has_limit = got.is_finite() || got == x && OVERFLOWING.contains(&card.name);
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

/// Behaves as x^2 at 0, not as x.
fn is_even(activation: &AnyActivation) -> bool {
    [0.5, 1.0, 3.0].iter().all(|&x| value(activation, x) == value(activation, -x))
}

#[test]
fn functions_through_the_origin_keep_the_sign_of_zero() {
    let constant = |f: &AnyActivation| CONSTANT_AT_ZERO.contains(&f.card().name);
    let odd = |f: &AnyActivation| value(f, 0.0_f64) == 0.0 && !constant(f) && !is_even(f);
    let through_origin: Vec<_> = elementwise().filter(odd).collect();
    let activations = ["relu", "leaky_relu", "tanh", "gelu", "gelu_tanh", "silu", "elu", "clipped_gelu", "xielu"];
    let lines = ["relu6", "rrelu", "identity", "hard_swish", "hard_tanh", "softshrink", "hardshrink", "shrink"];
    let curves = ["squared_relu", "softsign", "quick_gelu", "swish", "selu", "celu", "mish", "tanhshrink", "snake"];
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
                        // A curve's slope may change by step * f'' on the way to the kink; a line's does not.
                        let near = |side: f64| (got - side).abs() <= 2.0 * step.min((left - right).abs());
                        // Its kink is that of `torch.clip`, whose gradient at an end is the inner side's.
                        let clipped = card.name == "clipped_gelu";
                        let as_the_rule_says =
                            if sides.contains(&0.0) && !clipped { got == 0.0 } else { near(left) || near(right) };
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
                    if OVERFLOWING.contains(&activation.card().name) && x > T::zero() {
                        assert!(y == limit && slope(&at, x) == limit, "{}", fails("value"));
                        continue;
                    }
                    // A slope above 1 takes the largest numbers beyond the type.
                    let beyond = s_limit.wide().abs() > 1.0 && same(y, at_limit);
                    assert!(y.is_finite() || beyond, "{}", fails("value"));
                    if SLOW.contains(&activation.card().name) && at_limit.is_finite() {
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
fn smallest_numbers_give_what_zero_gives_or_keep_their_sign() {
    fn check<T: Float>() {
        for activation in elementwise() {
            for level in Level::available() {
                let at = level.with(activation);
                let (y0, slope0) = (value(&at, T::zero()), slope(&at, T::zero()));
                for x in [T::TINY, -T::TINY, 7.0 * T::TINY, T::min_positive_value().wide()].map(T::of) {
                    let (y, s) = (value(&at, x), slope(&at, x));
                    let context = format!("{activation} {} at {level}: x = {}", T::TYPE, show(x));
                    // |f'| is about the one at 0, one rounding to the nearest, and a bound of a few ULP.
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
                        // The derivative goes through zero as x does.
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

/// Row lengths on both sides of the reduction's 32 lanes and the loop's blocks of 256.
const ROWS: [usize; 9] = [1, 2, 3, 31, 32, 33, 255, 257, 600];

const ALL_OF_ROWS: [&str; 5] = ["softmax", "log_softmax", "softmin", "sparsemax", "hardmax"];

/// Those that rise with their element, and have no limit where it is infinite.
const RISING: [&str; 3] = ["softmax", "log_softmax", "sparsemax"];

/// Three rows of `n` ordinary scores, and outputs of a function of rows for them, with the middle row changed by `change`.
fn middle_row<T: Float>(at: &impl Activation<T>, n: usize, change: impl Fn(&mut [T])) -> (Outputs<T>, Outputs<T>) {
    let x: Vec<T> = (0..3 * n).map(|i| T::of((i * 7 % 11) as f64 * 0.5 - 2.0)).collect();
    let grad_y: Vec<T> = (0..3 * n).map(|i| T::of((i * 5 % 13) as f64 - 6.0)).collect();
    let clean = Outputs::of(at, &x, &grad_y);
    let mut x = x;
    change(&mut x[n..2 * n]);
    (clean, Outputs::of(at, &x, &grad_y))
}

fn whole_middle_row_is_nan<T: Float>(names: &[&str], what: &str, change: impl Fn(&mut [T], usize)) {
    for level in Level::available() {
        let functions = ROWS.into_iter().flat_map(|n| on_rows(n).into_iter().map(move |function| (n, function)));
        for (n, function) in functions.filter(|(_, function)| names.contains(&function.card().name)) {
            for place in [0, n / 2, n - 1] {
                let (clean, got) = middle_row::<T>(&level.with(function), n, |row| change(row, place));
                for ((method, clean), (_, got)) in clean.named().into_iter().zip(got.named()) {
                    let mut expected = clean.to_vec();
                    expected[n..2 * n].fill(T::nan());
                    assert_same(&format!("{function} at {level}, rows of {n}, {what}, {method}"), &[], &expected, got);
                }
            }
        }
    }
}

#[test]
fn row_with_nan_is_nan_and_other_rows_are_untouched() {
    for nan in f32::quiet_nans() {
        whole_middle_row_is_nan::<f32>(&ALL_OF_ROWS, "NaN", |row, place| row[place] = nan);
    }
    for nan in f64::quiet_nans() {
        whole_middle_row_is_nan::<f64>(&ALL_OF_ROWS, "NaN", |row, place| row[place] = nan);
    }
}

#[test]
fn row_with_infinity_is_nan_and_other_rows_are_untouched() {
    whole_middle_row_is_nan::<f32>(&RISING, "inf", |row, place| row[place] = f32::INFINITY);
    whole_middle_row_is_nan::<f64>(&RISING, "inf", |row, place| row[place] = f64::INFINITY);
    whole_middle_row_is_nan::<f32>(&["softmin"], "-inf", |row, place| row[place] = f32::NEG_INFINITY);
}

#[test]
fn row_of_nothing_but_negative_infinity_is_nan() {
    whole_middle_row_is_nan::<f32>(&RISING, "-inf", |row, _| row.fill(f32::NEG_INFINITY));
    whole_middle_row_is_nan::<f64>(&RISING, "-inf", |row, _| row.fill(f64::NEG_INFINITY));
    whole_middle_row_is_nan::<f32>(&["softmin"], "inf", |row, _| row.fill(f32::INFINITY));
}

#[test]
fn softmax_of_negative_infinity_is_zero_and_has_no_gradient() {
    fn check<T: Float>() {
        for level in Level::available() {
            for n in ROWS.into_iter().filter(|&n| n > 1) {
                for place in [0, n / 2, n - 1] {
                    let softmax = level.with(Softmax::rows(n).unwrap());
                    let (_, got) = middle_row::<T>(&softmax, n, |row| row[place] = T::neg_infinity());
                    for (method, got) in got.named() {
                        let what = format!("softmax {} at {level}, rows of {n}, {method}", T::TYPE);
                        assert!(got.iter().all(|p| p.is_finite()), "{what}: not finite");
                        let masked = got[n + place];
                        assert!(masked == T::zero(), "{what}: -inf gives {}", show(masked));
                    }
                    for (method, got) in got.values() {
                        let p = got[n + place];
                        assert!(p.is_sign_positive(), "softmax at {level}, rows of {n}, {method}: {}", show(p));
                    }
                }
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn log_softmax_of_negative_infinity_is_that_and_the_others_are_as_without_it() {
    fn check<T: Float>() {
        for level in Level::available() {
            for n in ROWS.into_iter().filter(|&n| n > 1) {
                let at = level.with(LogSoftmax::default());
                let mut x: Vec<T> = (0..n).map(|i| T::of((i * 7 % 11) as f64 * 0.5 - 2.0)).collect();
                x[n - 1] = T::neg_infinity();
                let outputs = Outputs::of(&at, &x, &vec![T::one(); n]);
                let without = Outputs::of(&at, &x[..n - 1], &vec![T::one(); n - 1]);
                let bound =
                    2.0 * T::bounds(&AnyActivation::from(LogSoftmax::default()).card().error, level.is_fused()).0;
                for ((method, got), (_, without)) in outputs.values().into_iter().zip(without.values()) {
                    assert!(
                        got[n - 1] == T::neg_infinity(),
                        "log_softmax at {level}, {n}, {method}: {}",
                        show(got[n - 1])
                    );
                    for (&got, &without) in got.iter().zip(without) {
                        let ulp = (got.wide() - without.wide()).abs() / without.spacing();
                        assert!(
                            ulp <= bound,
                            "log_softmax at {level}, {n}, {method}: {}, {}",
                            show(got),
                            show(without)
                        );
                    }
                }
                for (method, got) in outputs.derivatives() {
                    assert!(got[n - 1] == T::one(), "log_softmax at {level}, {n}, {method}: {}", show(got[n - 1]));
                }
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn log_softmax_keeps_the_sign_of_what_is_too_small() {
    for level in Level::available() {
        let mut y = [1.0_f32; 2];
        level.with(LogSoftmax::default()).forward(&[0.0, -1e4], &mut y);
        assert_eq!(y.map(f32::to_bits), [(-0.0_f32).to_bits(), (-1e4_f32).to_bits()], "{level}");
    }
}

#[test]
fn softmax_with_all_but_one_score_masked_is_that_one() {
    fn check<T: Float>() {
        for level in Level::available() {
            for n in ROWS {
                for score in [-1e30, -1.0, 0.0, 3.5, 1e30] {
                    let mut x = vec![T::neg_infinity(); n];
                    let mut expected = vec![T::zero(); n];
                    x[n / 2] = T::of(score);
                    expected[n / 2] = T::one();
                    for (method, got) in Outputs::of(&level.with(Softmax::default()), &x, &x.clone()).values() {
                        assert_same(&format!("softmax at {level}, row of {n}, {method}"), &x, &expected, got);
                    }
                }
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn huge_scores_do_not_overflow_softmax() {
    fn check<T: Float>() {
        let (max, min) = (T::max_value(), T::min_value());
        for level in Level::available() {
            let softmax = level.with(Softmax::rows(4).unwrap());
            let x = [max, max, min, T::zero(), min, min, min, min, max, max, max, max];
            let p = [0.5, 0.5, 0.0, 0.0, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25].map(T::of);
            for (method, got) in Outputs::of(&softmax, &x, &[T::one(); 12]).values() {
                assert_same(&format!("softmax at {level}, {method}"), &x, &p, got);
            }
            let d = p.map(|p| p * (T::one() - p));
            for (method, got) in Outputs::of(&softmax, &x, &[T::one(); 12]).derivatives() {
                assert_same(&format!("softmax at {level}, {method}"), &x, &d, got);
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn softmax_of_scores_far_apart_is_zero_and_one_at_any_size() {
    fn check<T: Float>() {
        for level in Level::available() {
            for k in 10..=127 {
                // 0 and -x are both far below x, more so than any probability is small.
                let x = 2.0_f64.powi(k);
                let row = [0.0, x, -x].map(T::of);
                let expected = [0.0, 1.0, 0.0].map(T::of);
                let outputs = Outputs::of(&level.with(Softmax::default()), &row, &[T::one(); 3]);
                for (method, got) in outputs.values() {
                    assert_same(&format!("softmax of [0, 2^{k}, -2^{k}] at {level}, {method}"), &row, &expected, got);
                }
                let flat = outputs.derivatives().into_iter().chain([("backward", &outputs.backward[..])]);
                for (method, got) in flat {
                    let zero = got.iter().all(|&d| d == T::zero());
                    assert!(zero, "softmax of [0, 2^{k}, -2^{k}] {} at {level}, {method}: {got:?}", T::TYPE);
                }
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn softmax_of_rows_of_one_is_exactly_one_and_has_no_gradient() {
    fn check<T: Float>() {
        for level in Level::available() {
            let softmax = level.with(Softmax::rows(1).unwrap());
            let x = [-1e300, -1.0, -0.0, 0.0, T::TINY, 0.3, 88.0, 1e30].map(T::of).map(|x| x.max(T::min_value()));
            let outputs = Outputs::of(&softmax, &x, &[T::of(3.0); 8]);
            for (method, got) in outputs.values() {
                assert_same(&format!("softmax at {level}, rows of 1, {method}"), &x, &[T::one(); 8], got);
            }
            for (method, got) in outputs.derivatives().into_iter().chain([("backward", &outputs.backward[..])]) {
                let zero = got.iter().all(|&d| d == T::zero());
                assert!(zero, "softmax {} at {level}, rows of 1, {method}: {got:?} for {x:?}", T::TYPE);
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn softmax_of_equal_scores_is_uniform() {
    fn check<T: Float>() {
        for level in Level::available() {
            for n in [1, 2, 4, 8, 64, 256, 1024] {
                for score in [-700.0, -0.1, 0.0, 55.5] {
                    let (x, p) = (vec![T::of(score); n], vec![T::of(1.0 / n as f64); n]);
                    for (method, got) in Outputs::of(&level.with(Softmax::default()), &x, &x).values() {
                        assert_same(&format!("softmax at {level}, row of {n}, {method}"), &x, &p, got);
                    }
                }
            }
        }
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
