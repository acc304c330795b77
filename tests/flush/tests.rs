//! Compares the functions in the modes with the same functions in the default mode.

use std::hint::black_box;

use crate::mode::{FLUSH, ROUNDING, within};
use crate::support::{Bits, Float, Outputs, elementwise, on_one_row, on_rows, show};
use activations::{
    AnyActivation, BinaryCrossEntropy, CrossEntropy, Level, LogSumExp, Softmax, log_sum_exp, log_sum_exp_backward,
};

/// How far flushing may change this result: by a few times the least normal number, or by one rounding, which a product that is
/// flushed may have decided. In `f32`, `Tanhshrink` adds a correction that is subnormal for inputs near 1e-10. Between 6e-12 and 2e-9,
/// one input in 5,000 is then off by an ULP that is more than 1e-37.
fn limit<T: Float>(y: T) -> f64 {
    let least = if T::WIDTH == 64 { 1e-307 } else { 1e-37 };
    if y.is_finite() { y.spacing().max(least) } else { 0.0 }
}

/// `n` numbers of every exponent and sign, including the least and the greatest, and then numbers of the magnitudes in a network.
fn inputs<T: Float>(n: u64) -> Vec<T> {
    let (mut bits, infinity) = (Bits(91), T::infinity().bits());
    let mantissa = infinity.trailing_zeros();
    let mut x = vec![T::infinity(), T::neg_infinity(), T::nan()];
    for exponent in 0..infinity >> mantissa {
        for i in 0..n {
            let fraction = match i {
                0 => 0,
                1 => u64::MAX,
                _ => bits.next(),
            } & ((1 << mantissa) - 1);
            let magnitude = T::of_bits((exponent << mantissa) | fraction);
            x.extend([magnitude, -magnitude]);
        }
    }
    x.extend((0..500 * n).map(|i| {
        T::of(bits.within(if i % 2 == 0 {
            20.0
        } else if T::WIDTH == 64 {
            760.0
        } else {
            110.0
        }))
    }));
    x
}

/// The incoming gradient of single elements. A gradient above 1 would magnify the loss.
const GRAD_Y: f64 = -0.75;

fn is_subnormal<T: Float>(x: T) -> bool {
    x != T::zero() && x.abs() < T::min_positive_value()
}

/// |a - b|; 0 for the same infinity, and for two NaNs.
fn distance<T: Float>(a: T, b: T) -> f64 {
    if a == b || a.is_nan() && b.is_nan() { 0.0 } else { (a.wide() - b.wide()).abs() }
}

#[test]
fn the_modes_are_those_of_the_cpu() {
    let quotient = |mode| within(mode, || black_box(1.0_f32) / black_box(3.0));
    assert_eq!(quotient(0), 1.0 / 3.0);
    let [down, up, towards_zero] = ROUNDING.map(|(_, mode)| quotient(mode));
    assert_eq!((down, up, towards_zero), ((1.0_f32 / 3.0).next_down(), 1.0 / 3.0, (1.0_f32 / 3.0).next_down()));
    assert_eq!(within(FLUSH, || black_box(f32::MIN_POSITIVE) * black_box(0.5)), 0.0);
    assert_eq!(within(FLUSH, || black_box(1e-40_f32) * black_box(1e30)), 0.0);
    assert_eq!(black_box(f32::MIN_POSITIVE) * black_box(0.5), 0.5 * f32::MIN_POSITIVE, "the mode has not ended");
}

/// The results of each method, and the gradient from the output, if there is one.
fn all_of<T: Float>(activation: AnyActivation, level: Level, x: &[T]) -> Vec<(&'static str, Vec<T>)> {
    let grad_y = vec![T::of(GRAD_Y); x.len()];
    let outputs = Outputs::of(&level.with(activation), x, &grad_y);
    let mut all: Vec<_> = outputs.named().map(|(method, y)| (method, y.to_vec())).into();
    if let Some(from_output) = activation.as_from_output::<T>() {
        let mut grad_x = vec![T::nan(); x.len()];
        from_output.run_from_output(level, x, &grad_y, &mut grad_x);
        all.push(("backward_from_output", grad_x));
    }
    all
}

#[test]
fn flushing_changes_only_subnormal_results_of_functions() {
    fn check<T: Float>() {
        let x = inputs::<T>(4);
        let mut worst = (0.0, String::new());
        for activation in elementwise() {
            for level in Level::available() {
                let default = all_of(activation, level, &x);
                let of_zeros = all_of(activation, level, &[T::zero(), T::neg_zero()]);
                let flushed = within(FLUSH, || all_of(activation, level, &x));
                for (((method, default), (_, of_zeros)), (_, flushed)) in default.iter().zip(of_zeros).zip(flushed) {
                    for ((&x, &y), got) in x.iter().zip(default).zip(flushed) {
                        let what = || {
                            let (x, y, got) = (show(x), show(y), show(got));
                            format!("{activation} {} at {level}, {method}: x = {x}: {y}, flushed {got}", T::TYPE)
                        };
                        let error = distance(got, y);
                        // A subnormal input may act as the zero of its sign.
                        let zero = of_zeros[usize::from(x.is_sign_negative())];
                        let as_zero = is_subnormal(x) && distance(got, zero) <= limit(zero);
                        assert!(error <= limit(y) || as_zero, "{}", what());
                        if error > worst.0 && !as_zero {
                            worst = (error, what());
                        }
                    }
                }
            }
        }
        println!("{}: at most {:e} away: {}", T::TYPE, worst.0, worst.1);
    }
    check::<f32>();
    check::<f64>();
}

/// Rows of scores: near each other, far apart, tiny, large, and masked.
fn rows<T: Float>(len: usize) -> Vec<Vec<T>> {
    let (mut bits, least) = (Bits(92), T::min_positive_value().wide());
    let sizes = [1.0, 20.0, if T::WIDTH == 64 { 760.0 } else { 110.0 }, 8.0 * least, 1e6 * least, 1e-20, 1e9];
    let number = |x: T| if is_subnormal(x) { T::zero() } else { x };
    let mut rows: Vec<Vec<T>> =
        sizes.iter().map(|&size| (0..len).map(|_| number(T::of(bits.within(size)))).collect()).collect();
    let masked = rows[2].iter().enumerate().map(|(i, &x)| if i % 3 == 1 { T::neg_infinity() } else { x }).collect();
    rows.push(masked);
    rows
}

/// Compares all results of `f` for a row.
#[track_caller]
fn same_but_for_subnormal<T: Float>(what: &str, mut f: impl FnMut() -> Vec<T>) {
    let default = f();
    let flushed = within(FLUSH, f);
    for (i, (&y, got)) in default.iter().zip(flushed).enumerate() {
        let error = distance(got, y);
        assert!(error <= limit(y), "{what}, number {i}: {}, flushed {}, {error:e} away", show(y), show(got));
    }
}

#[test]
fn flushing_changes_only_subnormal_results_of_rows() {
    fn check<T: Float>() {
        for len in [1, 2, 7, 33, 300] {
            for (row, x) in rows::<T>(len).iter().enumerate() {
                let grad_y: Vec<T> = (0..len).map(|i| T::of([1.0, -0.75, 0.5][i % 3])).collect();
                // A single row, and several rows together.
                let (many, many_grads) = (x.repeat(9), grad_y.repeat(9));
                for level in Level::available() {
                    let each = on_one_row().into_iter().map(|activation| (activation, x, &grad_y));
                    let together = on_rows(len).into_iter().map(|activation| (activation, &many, &many_grads));
                    for (activation, x, grad_y) in each.chain(together) {
                        let what = format!("{activation} {} at {level}, row {row} of {len}", T::TYPE);
                        same_but_for_subnormal(&what, || {
                            let outputs = Outputs::of(&level.with(activation), x, grad_y);
                            outputs.named().iter().flat_map(|(_, y)| y.to_vec()).collect()
                        });
                    }
                    same_but_for_subnormal(&format!("log_sum_exp {} at {level}, row {row} of {len}", T::TYPE), || {
                        let mut sum = LogSumExp::new();
                        sum.push_slice_at(level, x);
                        sum.merge(&LogSumExp::of(&many));
                        let (mut grad_x, mut p) = (vec![T::nan(); len], vec![T::nan(); len]);
                        log_sum_exp_backward(x, T::one(), &mut grad_x);
                        sum.normalise_at(level, x, &mut p);
                        [sum.finish(), log_sum_exp(x)].into_iter().chain(grad_x).chain(p).collect()
                    });
                }
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn flushing_changes_only_subnormal_results_of_losses() {
    fn check<T: Float>() {
        for classes in [2, 7, 33] {
            for (row, logits) in rows::<T>(classes).iter().enumerate() {
                let logits: Vec<T> = logits.iter().map(|x| if x.is_finite() { *x } else { T::of(-40.0) }).collect();
                let rows = 5;
                let (x, classes_of) = (logits.repeat(rows), [0, 1, 0, 1, 1]);
                let targets: Vec<T> = (0..x.len()).map(|i| T::of([0.0, 1.0, 0.25][i % 3])).collect();
                for level in Level::available() {
                    let what = format!("{} at {level}, logits {row} of {classes} classes", T::TYPE);
                    for smoothing in [0.0, 0.1] {
                        let loss = CrossEntropy::new(classes).unwrap().label_smoothing(smoothing).unwrap().at(level);
                        same_but_for_subnormal(&format!("cross-entropy {what}"), || {
                            let (mut losses, mut grad) = (vec![T::nan(); rows], vec![T::nan(); x.len()]);
                            loss.losses_and_gradient(&x, &classes_of, &mut losses, &mut grad);
                            let mean = loss.loss_and_gradient(&x, &classes_of, &mut grad);
                            losses.into_iter().chain(grad).chain([mean]).collect()
                        });
                    }
                    same_but_for_subnormal(&format!("binary cross-entropy {what}"), || {
                        let (mut losses, mut grad) = (vec![T::nan(); x.len()], vec![T::nan(); x.len()]);
                        let loss = BinaryCrossEntropy::new().at(level);
                        loss.losses_and_gradient(&x, &targets, &mut losses, &mut grad);
                        let mean = loss.loss_and_gradient(&x, &targets, &mut grad);
                        losses.into_iter().chain(grad).chain([mean]).collect()
                    });
                }
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

#[cfg(feature = "half")]
#[test]
fn flushing_changes_nothing_for_f16_and_subnormal_results_for_bf16() {
    use activations::{Activation, Element, Gelu, Tanh};
    use half::{bf16, f16};

    fn of<T: Element>(activation: &impl Activation<T>, x: &[T]) -> [Vec<T>; 3] {
        let one = vec![T::one(); x.len()];
        [activation.forward_vec(x), activation.derivative_vec(x), activation.backward_vec(x, &one)]
    }
    fn check<T: Element>(all: impl Fn(u16) -> T, limit: f64) {
        let x: Vec<T> = (0..=u16::MAX).map(all).collect();
        let wide = |x: T| x.to_f64().expect("a float");
        for level in Level::available() {
            let rows = Softmax::rows(64).expect("a length");
            let all = || [of(&level.with(Tanh), &x), of(&level.with(Gelu), &x), of(&level.with(rows), &x)].concat();
            for (default, flushed) in all().iter().zip(within(FLUSH, all)) {
                for ((&x, default), flushed) in
                    x.iter().zip(default.iter().copied().map(wide)).zip(flushed.into_iter().map(wide))
                {
                    let same = default == flushed || default.is_nan() && flushed.is_nan();
                    assert!(
                        same || (default - flushed).abs() <= limit,
                        "at {level}: x = {}: {default}, flushed {flushed}",
                        wide(x)
                    );
                }
            }
        }
    }
    check(f16::from_bits, 0.0);
    check(bf16::from_bits, 1e-37);
}

#[test]
fn other_directions_of_rounding_keep_half_of_the_digits() {
    fn check<T: Float>(most: f64) {
        let x: Vec<T> = inputs::<T>(2).into_iter().filter(|x| x.is_nan() || x.abs() < T::of(1e18)).collect();
        for (direction, mode) in ROUNDING {
            let mut worst = (0.0, String::new());
            // The sine's reduction needs rounding to nearest, as its documentation says.
            for activation in elementwise().filter(|activation| activation.card().name != "sin") {
                for level in Level::available() {
                    let default = all_of(activation, level, &x);
                    let rounded = within(mode, || all_of(activation, level, &x));
                    for ((method, default), (_, rounded)) in default.iter().zip(rounded) {
                        for ((&x, &y), got) in x.iter().zip(default).zip(rounded) {
                            // A result that overflows in one direction is the greatest number in another.
                            // A product with it is in the same binade or the next.
                            let overflows = |a: T, b: T| a.is_infinite() && b.abs() > T::max_value() / T::of(8.0);
                            if overflows(y, got) || overflows(got, y) {
                                continue;
                            }
                            let error = distance(got, y) / y.wide().abs().max(1.0);
                            let what = || format!("{activation} at {level}, {method}: x = {}: {y:e}, {got:e}", show(x));
                            assert!(error <= most, "{} rounded {direction}: {}", T::TYPE, what());
                            if error > worst.0 {
                                worst = (error, what());
                            }
                        }
                    }
                }
            }
            println!("{} rounded {direction}: at most {:e} of the greater of y and 1: {}", T::TYPE, worst.0, worst.1);
        }
    }
    check::<f32>(1e-3);
    check::<f64>(1e-10);
}

/// What all methods of a softmax give.
fn outputs<T: Float>(level: Level, rows: Softmax, x: &[T]) -> Vec<(&'static str, Vec<T>)> {
    let grad_y = vec![T::of(GRAD_Y); x.len()];
    Outputs::of(&level.with(rows), x, &grad_y).named().map(|(method, y)| (method, y.to_vec())).into()
}

#[test]
fn masked_rows_keep_half_of_the_digits_in_other_directions_of_rounding() {
    fn check<T: Float>(most: f64) {
        for row_len in [2, 10, 40, 63, 100, 128, 1100] {
            let score = |i: usize| if i % row_len % 3 == 1 { T::neg_infinity() } else { T::of((i % 97) as f64 / 8.0) };
            let x: Vec<T> = (0..40 * row_len).map(score).collect();
            let rows = Softmax::rows(row_len).unwrap();
            for level in Level::available() {
                let default = outputs(level, rows, &x);
                for (direction, mode) in ROUNDING {
                    let rounded = within(mode, || outputs(level, rows, &x));
                    for ((method, default), (_, rounded)) in default.iter().zip(rounded) {
                        for (i, (&y, got)) in default.iter().zip(rounded).enumerate() {
                            let error = distance(got, y);
                            assert!(
                                error <= most,
                                "{} rounded {direction}, rows of {row_len} at {level}, {method}: element {i} is {got:e}, not {y:e}",
                                T::TYPE
                            );
                        }
                    }
                }
            }
        }
    }
    check::<f32>(1e-3);
    check::<f64>(1e-10);
}
