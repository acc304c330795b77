//! NaN, infinities, the largest numbers and equal ones in functions of rows, at every level, in both types.

use crate::support::{Float, Outputs, assert_same, on_rows, show};
use activations::{Activation, AnyActivation, Level, LogSoftmax, Softmax};

/// Row lengths just below and above the reduction's 32 lanes and the loop's blocks of 256.
const ROWS: [usize; 9] = [1, 2, 3, 31, 32, 33, 255, 257, 600];

const ALL_OF_ROWS: [&str; 5] = ["softmax", "log_softmax", "softmin", "sparsemax", "hardmax"];

/// Functions that rise with their element and have no limit at infinity.
const RISING: [&str; 3] = ["softmax", "log_softmax", "sparsemax"];

/// The outputs of a function for three rows of `n` ordinary scores, whose middle row `change` has changed.
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
fn log_softmax_of_negative_infinity_is_negative_infinity_and_changes_no_other() {
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
fn log_softmax_keeps_the_sign_of_results_that_underflow() {
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
                // 0 and -x are so far below x that their probabilities underflow.
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
