//! Log-sum-exp and its states: compared with `f64`, at special values, and split in any way.

use crate::common::ulp::{error_f32, error_f64};
use crate::support::{Bits, Float, assert_same, same, wide};
use activations::{CrossEntropy, Level, LogSumExp, log_sum_exp, log_sum_exp_backward, log_sum_exp_rows};
use proptest::prelude::*;

/// Bounds in ULP, as documented.
const LOG_SUM_EXP: f64 = 1.5;
const PROBABILITY: f64 = 3.0;
/// For a row with a class, and for its gradient.
const ROW_LOSS: f64 = 3.0;

/// The greatest element, and log(sum of e^(x - max)) to the precision of `f64`, by log1p of the sum of the others.
pub(crate) fn log_of_rest(x: &[f64]) -> (f64, f64) {
    let max = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let top = x.iter().position(|&x| x == max).expect("an element");
    let rest = x.iter().enumerate().filter(|&(i, _)| i != top).map(|(_, x)| libm::exp(x - max));
    (max, libm::log1p(crate::support::sum(rest)))
}

/// Rows of `f32` as in a network, and worse ones, with descriptions.
pub(crate) fn rows_of_f32() -> impl Iterator<Item = (String, Vec<f32>)> {
    let mut bits = Bits(21);
    let long = if cfg!(debug_assertions) { 10_000 } else { 1_000_000 };
    let lengths = (1..70).chain([127, 128, 129, 1_000, 1_023, 1_024, 1_025, 8_191, 8_192, 8_193, 50_257, long]);
    lengths.flat_map(move |len| {
        [(0.0, 1e-3), (0.0, 1.0), (0.0, 20.0), (0.0, 100.0), (0.0, 1e4), (0.0, 1e30)]
            .into_iter()
            .chain([-300.0, -255.9, 255.9, 256.0, 320.0, 1e5].map(|offset| (offset, 60.0)))
            // Sums near 1, whose logarithm is near 0.
            .chain([(-libm::log(len as f64), 1.0), (-libm::log(len as f64), 1e-4)])
            .map(|(offset, size)| {
                let x = (0..len).map(|_| (offset + bits.within(size)) as f32).collect();
                (format!("{len} numbers within {size:e} of {offset:.3}"), x)
            })
            .collect::<Vec<_>>()
    })
}

#[test]
fn log_sum_exp_is_within_its_bound() {
    let mut worst = 0.0_f64;
    for (what, x) in rows_of_f32() {
        let (max, log) = log_of_rest(&wide(&x));
        for level in Level::available() {
            let mut sum = LogSumExp::new();
            sum.push_slice_at(level, &x);
            let error = error_f32(sum.finish(), max + log, 1.0);
            assert!(
                error <= LOG_SUM_EXP,
                "{what} at {level}: {error:.3} ULP, exact {}, got {}",
                max + log,
                sum.finish()
            );
            worst = worst.max(error);
        }
    }
    println!("log_sum_exp of f32: {worst:.3} ULP");
}

/// The committed rows of `f64`: the numbers, their probabilities p, log p, and 1 - p, as hi + lo.
fn rows_of_f64() -> Vec<Vec<[f64; 9]>> {
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tables/rows.csv")).expect("rows.csv");
    let mut rows: Vec<Vec<[f64; 9]>> = Vec::new();
    for line in text.lines() {
        let (number, numbers) = line.split_once(',').expect("a number and numbers");
        let bits = numbers.split(',').map(|f| u64::from_str_radix(f, 16).expect("hexadecimal digits"));
        let number: usize = number.parse().expect("the row's number");
        rows.resize(rows.len().max(number + 1), Vec::new());
        let numbers: Vec<f64> = bits.map(f64::from_bits).collect();
        rows[number].push(numbers.try_into().expect("nine numbers"));
    }
    assert!(rows.len() > 50);
    rows
}

#[test]
fn rows_of_f64_are_within_the_bounds() {
    let (mut of_sum, mut of_loss, mut of_gradient) = (0.0_f64, 0.0_f64, 0.0_f64);
    for row in rows_of_f64() {
        let x: Vec<f64> = row.iter().map(|line| line[0]).collect();
        let (n, level_count) = (x.len(), Level::available().count());
        for (class, level) in (0..n).step_by((n / 40).max(1)).flat_map(|c| Level::available().map(move |l| (c, l))) {
            let line = row[class];
            // x - log p, where both parts include their rounding errors.
            let (hi, lo) = (line[0] - line[5], line[0] - (line[0] - line[5]) - line[5] - line[6]);
            let mut sum = LogSumExp::new();
            sum.push_slice_at(level, &x);
            let error = error_f64(sum.finish(), (hi, lo), 1.0);
            assert!(error <= LOG_SUM_EXP, "log_sum_exp of {n} at {level}: {error:.3} ULP, exact {hi:e}");
            of_sum = of_sum.max(error);

            let loss = CrossEntropy::new(n).expect("classes").at(level);
            let mut grad = vec![f64::NAN; n];
            let error = error_f64(loss.loss_and_gradient(&x, &[class], &mut grad), (-line[5], -line[6]), 0.0);
            assert!(error <= ROW_LOSS, "loss of {n} at {level}: {error:.3} ULP, exact {:e}", -line[5]);
            of_loss = of_loss.max(error);
            for (i, (&got, line)) in grad.iter().zip(&row).enumerate() {
                let exact = if i == class { (-line[7], -line[8]) } else { (line[1], line[2]) };
                let error = error_f64(got, exact, 0.0);
                assert!(
                    error <= ROW_LOSS,
                    "gradient {i} of {n}, class {class}, at {level}: {error:.3} ULP, got {got:e}"
                );
                of_gradient = of_gradient.max(error);
            }
        }
        assert!(level_count > 0);
    }
    println!("f64: log_sum_exp {of_sum:.3}, loss {of_loss:.3}, gradient {of_gradient:.3} ULP");
}

#[test]
fn log_sum_exp_of_equal_numbers_is_the_nearest_float_or_nearly() {
    let mut worst = 0.0_f64;
    for x in [0.0_f32, 1.0, -1e-30, 3.7, 255.0, 256.0, 300.0, -300.0, 1e5, -1e30, f32::MAX, f32::MIN] {
        assert_eq!(log_sum_exp(&[x]), x);
        let mut sum = LogSumExp::new();
        for n in 1..=2_000_u32 {
            sum.push(x);
            let exact = f64::from(x) + f64::from(n).ln();
            for got in [sum.finish(), log_sum_exp(&vec![x; n as usize])] {
                let error = error_f32(got, exact, 0.0);
                assert!(error <= 0.6, "{n} times {x:e}: {error:.3} ULP, got {got:e}, exact {exact:e}");
                worst = worst.max(error);
            }
        }
    }
    println!("equal numbers of f32: {worst:.3} ULP");
}

#[test]
fn log_sum_exp_of_special_values() {
    fn check<T: Float>() {
        let (inf, nan) = (T::infinity(), T::nan());
        let x = |values: &[f64]| values.iter().map(|&x| T::of(x)).collect::<Vec<T>>();
        for (values, expected) in [
            (x(&[]), -inf),
            (x(&[f64::NEG_INFINITY]), -inf),
            (x(&[f64::NEG_INFINITY; 100]), -inf),
            (x(&[f64::NEG_INFINITY, 2.0, f64::NEG_INFINITY]), T::of(2.0)),
            (x(&[f64::INFINITY]), inf),
            (x(&[f64::NEG_INFINITY, f64::INFINITY, 3.0]), inf),
            (x(&[f64::INFINITY; 40]), inf),
            (x(&[f64::NAN]), nan),
            (x(&[f64::INFINITY, f64::NAN, f64::NEG_INFINITY]), nan),
            (x(&[1.0, f64::NAN]), nan),
        ] {
            let mut one_by_one = LogSumExp::new();
            values.iter().for_each(|&x| one_by_one.push(x));
            let mut merged = LogSumExp::of(&values[..values.len() / 2]);
            merged.merge(&LogSumExp::of(&values[values.len() / 2..]));
            for got in [log_sum_exp(&values), one_by_one.finish(), merged.finish()] {
                assert!(same(got, expected), "{values:?}: expected {expected}, got {got}");
            }
            if !values.is_empty() {
                let mut y = [T::zero(); 2];
                log_sum_exp_rows(&[values.clone(), values.clone()].concat(), values.len(), &mut y);
                assert!(y.iter().all(|&y| same(y, expected)), "{values:?} by rows: expected {expected}, got {y:?}");
            }
            let mut p = vec![T::zero(); values.len()];
            one_by_one.normalise(&values, &mut p);
            assert!(expected.is_finite() || p.iter().all(|p| p.is_nan()), "{values:?}: probabilities {p:?}");
        }
        let sum = LogSumExp::of(&[T::of(1.0), T::of(2.0)]);
        assert!(sum.probability(T::of(3.0)).is_nan() && sum.probability(nan).is_nan());
        assert_eq!(sum.probability(T::neg_infinity()), T::zero());
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn a_state_is_restored_from_its_parts() {
    fn check<T: Float>() {
        for values in [&[][..], &[f64::NEG_INFINITY], &[f64::INFINITY], &[f64::NAN], &[0.0, 1.0], &[-700.0, 88.5, 88.5]]
        {
            let state = LogSumExp::of(&values.iter().map(|&x| T::of(x)).collect::<Vec<T>>());
            let parts = state.to_parts();
            let again = LogSumExp::from_parts(parts);
            assert!(
                again.to_parts().iter().zip(parts).all(|(a, b): (&T, T)| a.bits() == b.bits()),
                "{values:?}: {again:?}"
            );
            let (mut merged, mut expected) = (again, state);
            merged.merge(&LogSumExp::of(&[T::one()]));
            expected.merge(&LogSumExp::of(&[T::one()]));
            assert!(same(merged.finish(), expected.finish()), "{values:?}: {expected:?}, got {merged:?}");
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn states_of_any_parts_do_not_panic() {
    fn check<T: Float>() {
        let values = [0.0, -0.0, 1.0, -1e30, f64::MAX, T::TINY, f64::INFINITY, f64::NEG_INFINITY, f64::NAN].map(T::of);
        let mut bits = Bits(24);
        let mut any = || LogSumExp::from_parts([(); 4].map(|()| values[bits.next() as usize % values.len()]));
        for _ in 0..20_000 {
            let mut state = any();
            state.merge(&any());
            state.push(T::one());
            let _ = (state.finish(), state.probability(T::one()));
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn log_sum_exp_of_rows_has_the_bits_of_each() {
    let mut bits = Bits(22);
    for n in (1..130).chain([1_024, 1_025, 9_000]) {
        let x: Vec<f32> = (0..11 * n).map(|_| bits.within(50.0) as f32).collect();
        let mut y = [0.0; 11];
        log_sum_exp_rows(&x, n, &mut y);
        let each: Vec<f32> = x.chunks(n).map(log_sum_exp).collect();
        assert_same(&format!("rows of {n}"), &[], &each, &y);
    }
}

#[test]
fn the_gradient_of_log_sum_exp_is_softmax() {
    let mut bits = Bits(23);
    let x: Vec<f64> = (0..300).map(|_| bits.within(5.0)).collect();
    let mut grad = vec![f64::NAN; 300];
    for factor in [1.0, -3.0, 1e-300] {
        log_sum_exp_backward(&x, factor, &mut grad);
        for i in 0..300 {
            let (max, log) = log_of_rest(&x);
            let exact = factor * libm::exp((x[i] - max) - log);
            assert!((grad[i] - exact).abs() <= 1e-14 * exact.abs(), "{i}: {} against {exact}", grad[i]);
        }
    }
}

/// Numbers in pieces: some are pushed one by one, and then states are merged in a random order.
fn split<T: Float>(x: &[T], seed: u64) -> LogSumExp<T> {
    let mut bits = Bits(seed);
    let mut states = Vec::new();
    let mut rest = x;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(1 + bits.next() as usize % rest.len().min(1 << (bits.next() % 12)));
        let mut state = LogSumExp::new();
        if bits.next().is_multiple_of(4) {
            piece.iter().for_each(|&x| state.push(x));
        } else {
            state.push_slice(piece);
        }
        states.push(state);
        rest = after;
    }
    while states.len() > 1 {
        let mut a = states.swap_remove(bits.next() as usize % states.len());
        let other = bits.next() as usize % states.len();
        let mut b = states[other];
        let was = a;
        a.merge(&b);
        b.merge(&was);
        assert_eq!(a, b, "merging is not commutative");
        states[other] = a;
    }
    states[0]
}

fn a_split_is_within_the_bounds(x: &[f32], seed: u64) -> Result<(), TestCaseError> {
    let (max, log) = log_of_rest(&wide(x));
    let sum = split(x, seed);
    let error = error_f32(sum.finish(), max + log, 1.0);
    prop_assert!(error <= LOG_SUM_EXP, "log_sum_exp: {:.3} ULP, got {:e}, exact {:e}", error, sum.finish(), max + log);
    let mut p = vec![f32::NAN; x.len()];
    sum.normalise(x, &mut p);
    for (i, (&x, &p)) in x.iter().zip(&p).enumerate() {
        let exact = libm::exp((f64::from(x) - max) - log);
        let error = error_f32(p, exact, 0.0);
        prop_assert!(error <= PROBABILITY, "probability {i} of {x:e}: {error:.3} ULP, got {p:e}, exact {exact:e}");
        prop_assert!(same(sum.probability(x), p));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 30 } else { 400 }))]

    #[test]
    fn a_softmax_may_be_split(
        offset in prop_oneof![Just(0.0_f32), -400.0..400.0_f32, -3e4..3e4_f32, Just(256.0), Just(-256.0), Just(320.0), Just(1e9)],
        size in prop_oneof![0.01..1.0_f32, 1.0..100.0_f32, 100.0..1000.0_f32],
        len in 1..3000_usize,
        seed: u64,
    ) {
        let mut bits = Bits(seed);
        let x: Vec<f32> = (0..len).map(|_| offset + bits.within(f64::from(size)) as f32).collect();
        a_split_is_within_the_bounds(&x, seed)?;
    }
}

#[test]
fn splits_of_committed_rows_of_f64_are_within_the_bounds() {
    for (seed, row) in rows_of_f64().iter().enumerate() {
        let x: Vec<f64> = row.iter().map(|line| line[0]).collect();
        let sum = split(&x, seed as u64);
        let mut p = vec![f64::NAN; x.len()];
        sum.normalise(&x, &mut p);
        for (&p, line) in p.iter().zip(row) {
            let error = error_f64(p, (line[1], line[2]), 0.0);
            assert!(error <= PROBABILITY, "row {seed}: {error:.3} ULP at {:e}", line[0]);
            let (hi, lo) = (line[0] - line[5], line[0] - (line[0] - line[5]) - line[5] - line[6]);
            let error = error_f64(sum.finish(), (hi, lo), 1.0);
            assert!(error <= LOG_SUM_EXP, "row {seed}: log_sum_exp {error:.3} ULP, exact {hi:e}");
        }
    }
}

/// A state whose numbers go from one range of scales to the next, upwards and downwards.
#[test]
fn scales_far_apart_merge() {
    for base in [0.0_f32, -1000.0, 1000.0] {
        for direction in [1.0, -1.0] {
            let x: Vec<f32> = (0..1200).map(|i| base + direction * (i as f32 - 600.0)).collect();
            let mut sum = LogSumExp::new();
            for (i, &last) in x.iter().enumerate() {
                sum.push(last);
                let (max, log) = log_of_rest(&wide(&x[..=i]));
                let error = error_f32(sum.finish(), max + log, 1.0);
                assert!(error <= LOG_SUM_EXP, "{i} numbers up to {last}: {error:.3} ULP, got {}", sum.finish());
            }
        }
    }
    let x = [1e300_f64, 1e300, 3.0, -1e300, 4000.0];
    assert_eq!(split(&x, 1).finish(), 1e300);
    assert_eq!(split(&x, 2).probability(1e300), 0.5);
}
