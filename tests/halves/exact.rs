//! `Exact` for every half.

use activations::{Activation, Level};
use half::{bf16, f16};

use crate::common::{Part, oracle};
use crate::support::elementwise;
use crate::{Half, all, error};

/// How many ULP the oracle may be off, because it computes slopes of lines in `f32`.
const OFF: f64 = 1e-4;

fn every_input<T: Half>() {
    let x = all::<T>();
    let mut y = x.clone();
    for activation in elementwise() {
        for part in Part::BOTH {
            let function = activation.as_exact().expect("a function of single numbers");
            let oracle = oracle::of(&activation, part).expect("an oracle for each function of single elements");
            for level in Level::available() {
                match part {
                    Part::Value => level.with(function).forward(&x, &mut y),
                    Part::Slope => level.with(function).derivative(&x, &mut y),
                }
                for (&x, &y) in x.iter().zip(&y) {
                    // There the oracle gives the mean, as the default does.
                    let beyond = match activation.card().name {
                        "snake" if part == Part::Slope => 1000.0,
                        "sin" => 1e13,
                        _ => f64::INFINITY,
                    };
                    if x.wide().abs() > beyond {
                        continue;
                    }
                    let (exact, bits) = (oracle(x.wide()), x.bits());
                    let error = error(y, exact, 0.0);
                    let what = format!("{activation} {part:?} of {} at {level}", T::TYPE);
                    assert!(
                        error <= 0.5 + OFF,
                        "{what}: {error} ULP at {x} ({bits:#06x}): expected {exact:e}, got {y}"
                    );
                }
            }
        }
    }
}

#[test]
fn every_input_of_f16_is_rounded_once() {
    every_input::<f16>();
}

#[test]
fn every_input_of_bf16_is_rounded_once() {
    every_input::<bf16>();
}

/// `grad_y` times the derivative is rounded once, also below the normal range.
#[test]
fn gradients_are_products_rounded_once() {
    fn check<T: Half>() {
        let x = all::<T>();
        let grad_y: Vec<T> = (0..x.len()).map(|i| T::of_bits((i.wrapping_mul(40_503) & 0xffff) as u16)).collect();
        let (mut dydx, mut grad_x) = (x.clone(), x.clone());
        for activation in elementwise() {
            let function = activation.as_exact().expect("a function of single numbers");
            for level in Level::available() {
                level.with(function).derivative(&x, &mut dydx);
                level.with(function).backward(&x, &grad_y, &mut grad_x);
                for ((&d, &g), &got) in dydx.iter().zip(&grad_y).zip(&grad_x) {
                    let product = d.wide() * g.wide();
                    let error = error(got, product, 0.0);
                    // A product below half of the least number is a zero.
                    assert!(
                        error <= 0.5,
                        "{activation} of {} at {level}: {g} times {d} is {product:e}, not {got}",
                        T::TYPE
                    );
                    let even = error < 0.5 || got.bits() & 1 == 0;
                    assert!(even, "{activation} of {} at {level}: {g} times {d} is a tie, not {got}", T::TYPE);
                }
            }
        }
    }
    check::<f16>();
    check::<bf16>();
}
