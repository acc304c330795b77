//! Every stated bound holds: for `f32` on a sweep of all exponents, for `f64` on the committed tables, and for rows of softmax.
//!
//! All 2^32 inputs: `cargo run --release --example accuracy -- --exhaustive`.

use std::collections::BTreeMap;

use crate::common::Part;
use crate::common::sweep::{self, Report};
use crate::exhaustive::{self, Exhaustive};
use crate::support::{Float, chosen};
use activations::{Activation, AnyActivation, Level, LogSoftmax, Softmax};

/// A prime, so that every pattern of bits occurs.
const STRIDE: u64 = if cfg!(debug_assertions) { 65_537 } else { 4_099 };

/// Special places: roots, kinks, ends of reductions, thresholds of underflow.
const PLACES: [f32; 40] = [
    0.0, 0.35, 0.5, 0.694, 0.7518, 0.7525, 1.0, 1.04, 1.2785, 2.0, 4.0, 9.0, 10.0, 10.9, 12.8, 13.2, 14.5, 14.75, 17.0,
    20.0, 44.0, 52.0, 87.0, 88.0, 104.0, 112.0, 1.5, 3.0, 6.0, // QuickGelu, Mish, Tanhshrink and LogCosh, Snake.
    0.7512, 65.0, 67.4, 1.1925, 0.75, 0.693, 0.785, 1.1656, 1.571, 2.3562, 1600.0,
];

fn near_places() -> impl Iterator<Item = f32> {
    PLACES.into_iter().flat_map(|place| {
        (-2_000..2_000).flat_map(move |i| {
            let bits = (place.to_bits() as i32).wrapping_add(i).unsigned_abs();
            [f32::from_bits(bits), -f32::from_bits(bits)]
        })
    })
}

fn assert_within<T: Float>(activation: AnyActivation, part: Part, level: Level, report: Report<T>, bound: f64) {
    report.within(bound).unwrap_or_else(|e| panic!("{activation} {part:?} of {} at {level}: {e}", T::TYPE));
}

#[test]
fn f32_is_within_its_bound_at_every_level() {
    let levels: Vec<Level> = Level::available().collect();
    for activation in chosen() {
        for part in Part::BOTH {
            let mut reports = vec![Report::default(); levels.len()];
            let inputs = sweep::patterns(0..1 << 32, STRIDE).chain(near_places());
            sweep::over_f32(activation, part, &levels, &mut reports, inputs);
            for (level, report) in levels.iter().zip(reports) {
                let bound = sweep::bound_f32(activation.card().error, *level, part);
                assert_within(activation, part, *level, report, bound);
            }
        }
    }
}

/// The program `accuracy --exhaustive` relies on this: on a few ranges, its two references find the same errors as the oracle.
#[test]
fn the_kernels_of_f64_and_the_oracle_see_the_same_errors() {
    const LEN: u64 = 1 << 14;
    const NORMAL: u64 = 0x0080_0000;
    // Zero, subnormal to normal, near 2^-12, 1, 1.5, 13, 100; the greatest, infinity and NaN; and the negative of each.
    let starts = [0, 0x007f_e000, 0x3980_0000, 0x3f80_0000, 0x3fc0_0000, 0x4150_0000, 0x42c8_0000, 0x7f7f_e000];
    let starts = starts.into_iter().flat_map(|start| [start, start | 1 << 31]);
    let levels: Vec<Level> = Level::available().collect();
    for (activation, start) in chosen().flat_map(|a| starts.clone().map(move |start| (a, start))) {
        for part in Part::BOTH {
            let range = start..start + LEN;
            let mut alone = vec![Report::default(); levels.len()];
            sweep::over_f32(activation, part, &levels, &mut alone, sweep::patterns(range.clone(), 1));
            let mut both = Exhaustive::new(&levels);
            both.add(activation, part, &levels, range);
            let what = format!("{activation} {part:?} from {start:#x}");
            let (apart, at) = both.apart;
            assert!(apart <= exhaustive::APART, "{what}: {apart:e} ULP apart at {at:e}");
            for (alone, both) in alone.iter().zip(&both.reports) {
                // The references may differ by this much. Smaller errors count as 0.
                if alone.worst > exhaustive::APART {
                    assert_eq!(alone.worst, both.worst, "{what}: {alone:?}, {both:?}");
                } else {
                    assert!(both.worst <= exhaustive::APART, "{what}: {alone:?}, {both:?}");
                }
                assert_eq!(alone.inputs, both.inputs, "{what}");
                // For a subnormal x, x/2 may lie halfway between two floats, and an error of 2^-53 of it decides which one is nearer.
                if start & 0x7fff_ffff >= NORMAL {
                    assert_eq!(alone.correctly_rounded, both.correctly_rounded, "{what}");
                }
            }
        }
    }
}

#[test]
fn f64_is_within_its_bound_at_every_level() {
    let mut tables = 0;
    for activation in AnyActivation::all() {
        for (part, level) in Part::BOTH.into_iter().flat_map(|part| Level::available().map(move |level| (part, level)))
        {
            let Some(report) = sweep::over_table(activation, part, level) else { continue };
            tables += 1;
            let bound = sweep::bound_f64(activation.card().error, level, part);
            assert_within(activation, part, level, report, bound);
        }
    }
    assert!(tables > 0);
}

/// The exact probabilities of a row of `f32`, their logarithms, and the diagonals of both Jacobians, in `f64`. The sum of a million terms
/// has an error of 2^-43 at most.
fn exact_row(x: &[f32]) -> Vec<[(f64, f64); 2]> {
    let max = x.iter().fold(f64::NEG_INFINITY, |max, &x| max.max(f64::from(x)));
    let e: Vec<f64> = x.iter().map(|&x| libm::exp(f64::from(x) - max)).collect();
    let sum: f64 = e.iter().sum();
    let largest = e.iter().position(|&e| e == 1.0).unwrap_or(0);
    let others: f64 = e.iter().enumerate().filter(|&(i, _)| i != largest).map(|(_, e)| e).sum();
    e.iter()
        .enumerate()
        .map(|(i, e)| {
            let rest = if i == largest { others } else { sum - e };
            let log = (f64::from(x[i]) - max) - libm::log1p(others);
            [(e / sum, e / sum * (rest / sum)), (log, rest / sum)]
        })
        .collect()
}

/// Checks one row, value and diagonal, of both functions, at every level.
fn check_row(what: &str, x: &[f32], worst: &mut BTreeMap<String, f64>) {
    let exact = exact_row(x);
    let mut y = vec![0.0; x.len()];
    let functions = [AnyActivation::from(Softmax::default()), AnyActivation::from(LogSoftmax::default())];
    for ((f, function), level) in functions.iter().enumerate().flat_map(|f| Level::available().map(move |l| (f, l))) {
        for part in Part::BOTH {
            sweep::run(*function, level, part, x, &mut y);
            let bound = sweep::bound_f32(function.card().error, level, part);
            let worst = worst.entry(format!("{function} {part:?} of f32 at {level}")).or_default();
            for ((&x, &got), exact) in x.iter().zip(&y).zip(&exact) {
                let exact = part.of(exact[f]);
                let error = crate::common::ulp::error_f32(got, exact, 0.0);
                assert!(
                    error <= bound,
                    "{function} {part:?} of {what} at {level}: {error:.3} ULP at {x:e}, bound {bound}: expected \
                     {exact:e}, got {got:e}"
                );
                *worst = worst.max(error);
            }
            if (f, part) == (0, Part::Value) {
                let sum: f64 = y.iter().map(|&p| f64::from(p)).sum();
                assert!((sum - 1.0).abs() < 1e-6, "probabilities of {what} at {level} sum to {sum}");
            }
        }
    }
}

/// The committed rows of `f64`, with values and diagonals of both functions to 106 bits.
#[test]
fn rows_of_f64_are_within_their_bounds_at_every_level() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tables/rows.csv");
    let text = std::fs::read_to_string(path).expect("tests/tables/rows.csv");
    let mut rows: Vec<Vec<[f64; 9]>> = Vec::new();
    for line in text.lines() {
        let mut fields = line.split(',');
        let number: usize = fields.next().and_then(|number| number.parse().ok()).expect("the row's number");
        let numbers: Vec<f64> =
            fields.map(|f| f64::from_bits(u64::from_str_radix(f, 16).expect("sixteen hexadecimal digits"))).collect();
        rows.resize(number + 1, Vec::new());
        rows[number].push(numbers.try_into().expect("nine numbers"));
    }
    assert!(rows.len() > 50);
    let functions = [AnyActivation::from(Softmax::default()), AnyActivation::from(LogSoftmax::default())];
    for (f, function) in functions.into_iter().enumerate() {
        for (part, level) in Part::BOTH.into_iter().flat_map(|p| Level::available().map(move |l| (p, l))) {
            let (bound, mut worst) = (sweep::bound_f64(function.card().error, level, part), 0.0_f64);
            for row in &rows {
                let x: Vec<f64> = row.iter().map(|line| line[0]).collect();
                let mut y = vec![f64::NAN; x.len()];
                sweep::run(function, level, part, &x, &mut y);
                for (&got, line) in y.iter().zip(row) {
                    let column = 4 * f + part.of((1, 3));
                    let error = crate::common::ulp::error_f64(got, (line[column], line[column + 1]), 0.0);
                    assert!(
                        error <= bound,
                        "{function} {part:?} of f64 at {level}, row of {}: {error:.3} ULP at {:e}, bound {bound}: \
                         expected {:e}, got {got:e}",
                        x.len(),
                        line[0],
                        line[column]
                    );
                    worst = worst.max(error);
                }
            }
            println!("{function} {part:?} of f64 at {level}: {worst:.3} ULP");
        }
    }
}

fn uniform() -> impl FnMut() -> f64 {
    let mut state = 1_u32;
    move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state) / f64::from(u32::MAX) * 2.0 - 1.0
    }
}

#[test]
fn rows_of_softmax_and_log_softmax_are_within_their_bound() {
    let (mut uniform, mut worst) = (uniform(), BTreeMap::new());
    let long = if cfg!(debug_assertions) { 10_000 } else { 1_000_000 };
    for len in (1..70).chain([511, 512, 513, 1_000, 4_096, 100_001, long]) {
        for magnitude in [1e-3, 1.0, 20.0, 100.0, 1e4, 1e30] {
            let x: Vec<f32> = (0..len).map(|_| (uniform() * magnitude) as f32).collect();
            check_row(&format!("{len} numbers up to {magnitude:e}"), &x, &mut worst);
        }
        // Rows far from 0, whose numbers are shifted before the exponential.
        for offset in [-300.0, -255.9, 255.9, 256.0, 1e5] {
            let x: Vec<f32> = (0..len).map(|_| (offset + uniform() * 60.0) as f32).collect();
            check_row(&format!("{len} numbers near {offset}"), &x, &mut worst);
        }
    }
    println!("{worst:.3?}");
}

/// Rows whose sums are rounded in the same direction at every addition. With plain sums by lanes they were 15 ULP off.
#[test]
fn rows_of_similar_numbers_are_within_their_bound() {
    let (mut uniform, mut worst) = (uniform(), BTreeMap::new());
    for len in [8, 32, 100, 511, 512, 600, 1_024, 4_096, 32_768] {
        for _ in 0..if cfg!(debug_assertions) { 2 } else { 30 } {
            let below = (3.0 + 3.0 * uniform()) as f32;
            let mut row = |what: &str, x: &dyn Fn(usize) -> f32| {
                check_row(&format!("{what}, {len}, {below}"), &(0..len).map(x).collect::<Vec<_>>(), &mut worst);
            };
            row("one above the others", &|i| if i == 0 { 0.0 } else { -below });
            row("two values, by halves", &|i| if i < len / 2 { 0.0 } else { -below });
            row("two values in turn", &|i| if i % 2 == 0 { 0.0 } else { -below });
            row("32 of 512 far above the others", &|i| if i / 32 % 16 == 0 { 0.0 } else { -below - 14.0 });
            row("steps of 32", &|i| -(i as f32 / 32.0).floor() * below / 5.0);
            row("falling", &|i| -(i as f32) * below / 20.0);
        }
    }
    println!("{worst:.3?}");
}

#[test]
fn probabilities_below_the_normal_range_are_right() {
    let x = [0.0_f32, -88.0, -95.0, -100.0, -103.0, -104.5, -1e30, f32::NEG_INFINITY];
    let mut p = [1.0; 8];
    Softmax::default().forward(&x, &mut p);
    for (x, p) in x.into_iter().zip(p) {
        let exact = libm::exp(f64::from(x));
        assert!(crate::common::ulp::error_f32(p, exact, 0.0) <= 1.0, "e^{x}: expected {exact:e}, got {p:e}");
    }
    assert_eq!(p[5..].iter().map(|p| p.to_bits()).collect::<Vec<_>>(), [0, 0, 0]);
}
