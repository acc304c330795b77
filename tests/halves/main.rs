//! `f16` and `bf16`: every activation at every input, and rows.
//!
//! A program of its own, so that it compiles on another core than the other tests.
#![cfg(feature = "half")]

mod conversions;
mod exact;

#[path = "../common/mod.rs"]
mod common;
#[path = "../suite/digest.rs"]
mod digest;
#[path = "../suite/kinks.rs"]
mod kinks;
#[allow(dead_code, reason = "a part of what the suite uses")]
#[path = "../suite/support.rs"]
mod support;

use std::fmt;

use crate::common::{Part, oracle};
use crate::support::{Bits, Outputs, elementwise};
use activations::{Activation, AnyActivation, Element, Elementwise, Level, LogSoftmax, Pass, Real, Softmax};
use half::{bf16, f16};

trait Half: Element<Float = f32> + fmt::Display {
    const TYPE: &'static str;
    /// The number of digits after the leading one.
    const MANTISSA: i32;
    const LEAST_EXPONENT: i32;
    const GREATEST_EXPONENT: i32;
    fn of_bits(bits: u16) -> Self;
    fn bits(self) -> u16;
    fn wide(self) -> f64;
}

macro_rules! half {
    ($half:ident, $mantissa:literal, $exponents:expr) => {
        impl Half for $half {
            const TYPE: &'static str = stringify!($half);
            const MANTISSA: i32 = $mantissa;
            const LEAST_EXPONENT: i32 = $exponents.0;
            const GREATEST_EXPONENT: i32 = $exponents.1;

            fn of_bits(bits: u16) -> Self {
                Self::from_bits(bits)
            }

            fn bits(self) -> u16 {
                self.to_bits()
            }

            fn wide(self) -> f64 {
                self.to_f64()
            }
        }
    };
}
half!(f16, 10, (-14, 15));
half!(bf16, 7, (-126, 127));

fn all<T: Half>() -> Vec<T> {
    (0..=u16::MAX).map(T::of_bits).collect()
}

/// |got - exact| divided by the spacing of the type. Infinity counts as the power of two that would come next.
fn error<T: Half>(got: T, exact: f64, floor: f64) -> f64 {
    let overflow = 2.0_f64.powi(T::GREATEST_EXPONENT + 1);
    let number = |x: f64| if x.is_infinite() { overflow.copysign(x) } else { x };
    if got.is_nan() || exact.is_nan() {
        return if got.is_nan() && exact.is_nan() { 0.0 } else { f64::INFINITY };
    }
    let exact_number = if exact.abs() > overflow { number(f64::INFINITY.copysign(exact)) } else { exact };
    let least = 2.0_f64.powi(T::LEAST_EXPONENT - T::MANTISSA);
    let tiny = exact != 0.0 && exact.abs() < least;
    if floor == 0.0 && got.is_zero() && tiny && got.is_sign_negative() != exact.is_sign_negative() {
        return f64::INFINITY;
    }
    let magnitude = exact_number.abs().max(floor).min(overflow * 0.75);
    let exponent = ((magnitude.to_bits() >> 52) as i32 - 1023).max(T::LEAST_EXPONENT);
    (number(got.wide()) - exact_number).abs() / 2.0_f64.powi(exponent - T::MANTISSA)
}

#[test]
fn derivatives_at_kinks_are_as_decided() {
    kinks::assert_decided::<f16>();
    kinks::assert_decided::<bf16>();
}

#[test]
fn errors_are_counted_in_ulp_of_the_half() {
    assert_eq!(error(f16::from_bits(0x3c01), 1.0, 0.0), 1.0);
    assert_eq!(error(bf16::from_bits(0x3f7f), 1.0, 0.0), 0.5);
    assert_eq!(error(f16::from_bits(3), 0.0, 0.0), 3.0);
    assert_eq!(error(f16::INFINITY, 65_520.0, 0.0), 0.5);
    assert_eq!(error(f16::MAX, 65_504.0, 0.0), 0.0);
    assert_eq!(error(f16::MAX, 1e30, 0.0), 1.0);
    assert_eq!(error(f16::INFINITY, 1e30, 0.0), 0.0);
    assert_eq!(error(f16::ZERO, -1e-9, 0.0), f64::INFINITY);
    assert_eq!(error(f16::NAN, 1.0, 0.0), f64::INFINITY);
}

fn run<T: Half>(activation: AnyActivation, level: Level, part: Part, x: &[T], y: &mut [T]) {
    match part {
        Part::Value => level.with(activation).forward(x, y),
        Part::Slope => level.with(activation).derivative(x, y),
    }
}

/// At most one result in a thousand is not correctly rounded, and no result is off by more than an ULP.
fn every_input<T: Half>() {
    let x = all::<T>();
    let mut y = x.clone();
    for (activation, part) in elementwise().flat_map(|a| Part::BOTH.map(|part| (a, part))) {
        let exact = oracle::of(&activation, part).expect("an oracle for each function of single elements");
        let floor = part.floor(activation.card().name);
        for level in Level::available() {
            let what = format!("{activation} {part:?} of {} at {level}", T::TYPE);
            run(activation, level, part, &x, &mut y);
            let (mut rounded, mut worst) = (0_u32, 0.0_f64);
            for (&x, &y) in x.iter().zip(&y) {
                let exact = exact(x.wide());
                let error = error(y, exact, floor);
                assert!(error <= 1.0, "{what}: {error} ULP at {x} ({:#06x}): expected {exact:e}, got {y}", x.bits());
                assert!(!y.is_nan() || y.bits() & (1 << (T::MANTISSA - 1)) != 0, "{what}: a signalling NaN at {x}");
                rounded += u32::from(error <= 0.5);
                worst = worst.max(error);
            }
            let share = f64::from(rounded) / 65_536.0;
            println!("{what}: {:.3} % correctly rounded, at most {worst:.5} ULP", 100.0 * share);
            if TIES.contains(&activation.card().name) && part == Part::Value {
                assert!(worst < 0.5 + 1e-3, "{what}: at most {worst:.5} ULP");
                continue;
            }
            assert!(share >= 0.999, "{what}: {:.3} % correctly rounded", 100.0 * share);
        }
    }
}

/// A function with more exact products that are ties, or nearly ties, than one in a thousand: the mean of RReLU's slopes is 11/48, and
/// a third of all inputs are divisible by 3. A tie may be rounded to either of its two neighbours.
const TIES: [&str; 1] = ["rrelu"];

#[test]
fn every_input_of_f16_is_rounded_correctly() {
    every_input::<f16>();
}

#[test]
fn every_input_of_bf16_is_rounded_correctly() {
    every_input::<bf16>();
}

/// Exponentials of a row and their sum, in `f64`.
fn row_is_within_an_ulp<T: Half>(what: &str, x: &[T]) {
    let wide: Vec<f64> = x.iter().map(|x| x.wide()).collect();
    let max = wide.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let first = wide.iter().position(|&x| x == max).unwrap();
    let others: f64 = wide.iter().enumerate().filter(|&(i, _)| i != first).map(|(_, x)| libm::exp(x - max)).sum();
    let log = libm::log1p(others);
    let probability: Vec<f64> = wide.iter().map(|x| libm::exp(x - max) / (1.0 + others)).collect();
    let left = |i: usize| if i == first { others / (1.0 + others) } else { 1.0 - probability[i] };
    let grad_y: Vec<T> = (0..x.len()).map(|i| T::from((i % 7) as f64 / 4.0 - 0.5).unwrap()).collect();
    let (mean, sum) = (
        grad_y.iter().zip(&probability).map(|(g, p)| g.wide() * p).sum::<f64>(),
        grad_y.iter().map(|g| g.wide()).sum::<f64>(),
    );
    for (level, log_of) in Level::available().flat_map(|level| [false, true].map(|log_of| (level, log_of))) {
        let activation: AnyActivation =
            if log_of { LogSoftmax::rows(x.len()).unwrap().into() } else { Softmax::rows(x.len()).unwrap().into() };
        let outputs = Outputs::of(&level.with(activation), x, &grad_y);
        for (method, output) in outputs.named() {
            for i in 0..x.len() {
                let (p, g) = (probability[i], grad_y[i].wide());
                // Parts that cancel in gradients are rounded in `f32`, so the error depends on the magnitude of the sum's parts.
                let (exact, floor) = match (method, log_of) {
                    ("backward", false) => (p * (g - mean), p * 1e-2),
                    ("backward", true) => (g - p * sum, 0.05),
                    (_, false) if method.contains("derivative") && !method.contains("value") => (p * left(i), 0.0),
                    (_, true) if method.contains("derivative") && !method.contains("value") => (left(i), 0.0),
                    (_, false) => (p, 0.0),
                    (_, true) => ((wide[i] - max) - log, 0.0),
                };
                let (error, got) = (error(output[i], exact, floor), output[i]);
                assert!(
                    error <= 1.0,
                    "{activation} {method} of {} at {level}, {what}: {error} ULP at element {i}, {}: expected {exact:e}, \
                     got {got}",
                    T::TYPE,
                    x[i]
                );
            }
        }
    }
}

#[test]
fn rows_are_within_an_ulp() {
    fn check<T: Half>() {
        let mut bits = Bits(31);
        for len in [1, 2, 3, 7, 30, 31, 32, 33, 64, 100, 1_000, 1_025, 10_001] {
            for size in [1e-3, 1.0, 10.0, 100.0, 1e4] {
                let x: Vec<T> = (0..len).map(|_| T::from(bits.within(size)).unwrap()).collect();
                row_is_within_an_ulp(&format!("{len} numbers up to {size:e}"), &x);
            }
            let alike: Vec<T> = (0..len).map(|i| T::from(if i % 3 == 0 { 0.0 } else { -2.0 }).unwrap()).collect();
            row_is_within_an_ulp(&format!("{len} numbers, two values"), &alike);
        }
    }
    check::<f16>();
    check::<bf16>();
}

#[test]
fn rows_side_by_side_and_alone_have_the_same_bits() {
    fn check<T: Half>() {
        let mut bits = Bits(32);
        for n in [1, 5, 31, 32, 100, 1_500] {
            let x: Vec<T> = (0..n * 37).map(|_| T::from(bits.within(9.0)).unwrap()).collect();
            for activation in crate::support::on_rows(n) {
                let mut all = x.clone();
                activation.forward_in_place(&mut all);
                for (row, together) in x.chunks(n).zip(all.chunks(n)) {
                    let mut alone = row.to_vec();
                    activation.forward(row, &mut alone);
                    assert_eq!(
                        alone.iter().map(|y| y.bits()).collect::<Vec<_>>(),
                        together.iter().map(|y| y.bits()).collect::<Vec<_>>(),
                        "{activation} of {}, rows of {n}",
                        T::TYPE
                    );
                }
            }
        }
    }
    check::<f16>();
    check::<bf16>();
}

#[test]
fn rows_with_nan_or_infinity_are_nan() {
    fn check<T: Half>() {
        for n in [3, 40, 2_000] {
            for bad in [T::nan(), T::infinity()] {
                let mut x = vec![T::one(); 2 * n];
                for activation in crate::support::on_rows(n) {
                    if activation.card().name == "hardmax" && !bad.is_nan() {
                        // Infinity is the greatest element, which any number may be.
                        continue;
                    }
                    x[n + 1] = if activation.card().name == "softmin" { -bad } else { bad };
                    let mut y = x.clone();
                    activation.forward(&x, &mut y);
                    assert!(y[..n].iter().all(|y| y.is_finite()), "{activation} of {}", T::TYPE);
                    assert!(y[n..].iter().all(|y| y.is_nan()), "{activation} of {}", T::TYPE);
                }
            }
        }
    }
    check::<f16>();
    check::<bf16>();
}

/// The input, and twice the input, which may overflow.
#[derive(Clone)]
struct Twice;

impl Elementwise for Twice {
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        x
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        x + x
    }
}

#[test]
fn what_goes_in_comes_out_at_every_level() {
    fn check<T: Half>() {
        let x = all::<T>();
        let (mut y, mut twice) = (x.clone(), x.clone());
        for level in Level::available() {
            Twice.run(level, Pass::Forward { x: &x, y: &mut y });
            Twice.run(level, Pass::Derivative { x: &x, dydx: &mut twice });
            for ((&x, &y), &twice) in x.iter().zip(&y).zip(&twice) {
                if x.is_nan() {
                    assert!(y.is_nan() && y.bits() & (1 << (T::MANTISSA - 1)) != 0, "{} {:#06x}", T::TYPE, x.bits());
                } else {
                    assert_eq!(y.bits(), x.bits(), "{} at {level}", T::TYPE);
                    assert_eq!(error(twice, 2.0 * x.wide(), 0.0), 0.0, "{} {x} doubled at {level}: {twice}", T::TYPE);
                }
            }
        }
    }
    check::<f16>();
    check::<bf16>();
}

#[test]
fn bits_of_f16_equal_the_committed_ones() {
    digest::assert_committed::<f16>();
}

#[test]
fn bits_of_bf16_equal_the_committed_ones() {
    digest::assert_committed::<bf16>();
}

#[test]
fn parameters_are_rounded_to_f32_not_to_the_half() {
    // 1.0197, rounded to bf16. If 0.0099 were rounded to bf16 first, it would be 0.009888, and the product 1.0156.
    let mut y = [bf16::ZERO];
    activations::LeakyRelu::new(0.009_9).unwrap().forward(&[bf16::from_f32(-103.0)], &mut y);
    assert_eq!(y, [bf16::from_f32(-1.023_437_5)]);
}
