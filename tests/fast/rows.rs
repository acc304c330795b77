//! Rows: the fast form of softmax.

use activations::{Activation, Fast, Level, LogSoftmax, Softmax, Softmin};

use crate::support::show;

/// `n` numbers in `[-spread, spread]`.
fn numbers(len: usize, spread: f64, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..len)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (((state >> 32) as f64 / 2.0_f64.powi(31) - 1.0) * spread) as f32
        })
        .collect()
}

/// The softmax of a row, in `f64`.
fn exact(row: &[f32]) -> Vec<f64> {
    let greatest = row.iter().fold(f32::NEG_INFINITY, |a, &b| a.max(b));
    let e: Vec<f64> = row.iter().map(|&x| (f64::from(x) - f64::from(greatest)).exp()).collect();
    let sum: f64 = e.iter().sum();
    e.into_iter().map(|e| e / sum).collect()
}

#[test]
fn errors_of_softmax_are_within_its_contract() {
    let lengths = [1, 2, 3, 9, 10, 31, 32, 33, 56, 57, 63, 64, 65, 100, 128, 1000, 1024, 1025, 5000, 20_000];
    for (seed, n) in lengths.into_iter().enumerate() {
        for (spread, offset) in [(1.0, 0.0_f32), (6.0, 0.0), (40.0, 0.0), (90.0, -255.0), (20.0, 1e4), (1e4, 0.0)] {
            let x: Vec<f32> = numbers(3 * n, spread, seed as u64).into_iter().map(|x| x + offset).collect();
            for level in Level::available() {
                let p = level.with(Fast(Softmax::rows(n).unwrap())).forward_vec(&x);
                for (row, p) in x.chunks(n).zip(p.chunks(n)) {
                    for ((exact, &p), x) in exact(row).into_iter().zip(p).zip(row) {
                        let error = (f64::from(p) - exact).abs();
                        let normal = exact >= f64::from(f32::MIN_POSITIVE);
                        let allowed = (2.0_f64.powf(-22.0)).min(if normal { exact * 2.0_f64.powi(-17) } else { 1.0 });
                        assert!(error <= allowed, "{level}, rows of {n}, {}: {p:e}, exactly {exact:e}", show(*x));
                    }
                }
            }
        }
    }
}

#[test]
fn special_rows_are_as_without_fast() {
    let (nan, inf) = (f32::NAN, f32::INFINITY);
    for level in Level::available() {
        for n in [1, 2, 5, 31, 40, 64, 100, 1500] {
            for (specials, filler) in [
                (&[nan][..], 1.0),
                (&[inf], 1.0),
                (&[-inf], 1.0),
                (&[-inf], -inf),
                (&[nan, -inf], -inf),
                (&[inf, nan], 0.0),
            ] {
                for at in [0, n / 2, n - 1] {
                    let mut x = vec![filler; n];
                    for (i, &special) in specials.iter().enumerate() {
                        x[(at + i) % n] = special;
                    }
                    // The rows before and after must not be touched.
                    let rows: Vec<f32> = [vec![0.5; n], x.clone(), vec![0.5; n]].concat();
                    let (default, fast) = (Softmax::rows(n).unwrap(), Fast(Softmax::rows(n).unwrap()));
                    let (default, fast) = (level.with(default).forward_vec(&rows), level.with(fast).forward_vec(&rows));
                    for (i, (a, b)) in default.iter().zip(&fast).enumerate() {
                        let same = a.is_nan() == b.is_nan() && (a.is_nan() || (a == &0.0) == (b == &0.0));
                        assert!(same, "{level}, rows of {n}, {specials:?} among {filler} at {at}: {a} and {b} at {i}");
                    }
                }
            }
        }
    }
}

#[test]
fn bits_of_a_row_do_not_depend_on_the_rows_beside_it_nor_on_their_layout() {
    for level in Level::available() {
        for n in [3, 17, 31, 32, 45, 57, 64, 100, 1024, 1500] {
            let x = numbers(40 * n, 8.0, n as u64);
            let fast = level.with(Fast(Softmax::rows(n).unwrap()));
            let all = fast.forward_vec(&x);
            for (row, p) in x.chunks(n).zip(all.chunks(n)) {
                assert_eq!(fast.forward_vec(row), p, "{level}, a row of {n} alone");
            }
            let mut in_place = x.clone();
            fast.forward_in_place(&mut in_place);
            assert_eq!(in_place, all, "{level}, rows of {n} in place");
            let across: Vec<f32> = (0..x.len()).map(|i| x[(i % 40) * n + i / 40]).collect();
            let p = level.with(Fast(Softmax::axis(n, 40).unwrap())).forward_vec(&across);
            let back: Vec<f32> = (0..x.len()).map(|i| p[(i % n) * 40 + i / n]).collect();
            assert_eq!(back, all, "{level}, rows of {n} along the first axis");
            let scores = Softmax::rows(n).unwrap().scaled::<f32>(1.0).unwrap();
            assert_eq!(level.with(Fast(scores)).forward_vec(&x), all, "{level}, rows of {n} as scores");
        }
    }
}

#[test]
fn other_passes_and_functions_of_rows_are_the_default() {
    let (x, grad_y) = (numbers(640, 5.0, 1), numbers(640, 1.0, 2));
    for level in Level::available() {
        let softmax = Softmax::rows(64).unwrap();
        let (mut fast, mut default) = (vec![0.0; 640], vec![0.0; 640]);
        level.with(Fast(softmax)).backward(&x, &grad_y, &mut fast);
        level.with(softmax).backward(&x, &grad_y, &mut default);
        assert_eq!(fast, default);
        level.with(Fast(softmax)).derivative(&x, &mut fast);
        level.with(softmax).derivative(&x, &mut default);
        assert_eq!(fast, default);
        let log_softmax = LogSoftmax::rows(64).unwrap();
        assert_eq!(level.with(Fast(log_softmax)).forward_vec(&x), level.with(log_softmax).forward_vec(&x));
        let wide: Vec<f64> = x.iter().map(|&x| x.into()).collect();
        assert_eq!(level.with(Fast(softmax)).forward_vec(&wide), level.with(softmax).forward_vec(&wide));
    }
}

#[test]
fn softmin_is_softmax_of_the_negatives() {
    let x = numbers(6400, 5.0, 3);
    let negative: Vec<f32> = x.iter().map(|x| -x).collect();
    for level in Level::available() {
        for n in [10, 40, 64, 1600] {
            let softmin = level.with(Fast(Softmin::rows(n).unwrap())).forward_vec(&x);
            assert_eq!(softmin, level.with(Fast(Softmax::rows(n).unwrap())).forward_vec(&negative));
        }
    }
}
