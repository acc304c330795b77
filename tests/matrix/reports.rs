//! Faults of activation functions that people reported elsewhere, and former faults of this crate, as tests with the right values. The
//! faults of numbers, layouts and errors are here. Some of the first twelve are tested elsewhere:
//!
//! - 5, masked stores of PReLU in place: `tests/codegen`;
//! - 6, subnormal numbers flushed to zero: documentation of the crate, "Reproducibility";
//! - 7 and 11, names that must parse, and the error for one that is unknown: `tests/suite/parse.rs`;
//! - 7 and 11, names that must parse, and the error for an unknown name: `tests/suite/parse.rs`;
//! - 12, a package that did not pass its lints: `tools/integrations.sh with_datafusion`.

use activations::{
    Activation, Broadcast, CrossEntropy, LogSoftmax, LogSumExp, Softmax, Softmin, Targets, log_sum_exp,
    log_sum_exp_backward, log_sum_exp_rows,
};

use crate::big::Big;
use crate::cases::Bits;
use crate::judge::Expected;
use crate::number::{Number, for_each_type, stale};
use crate::rows::{Kind, Shape, Terms, exact_row, expected};

#[track_caller]
fn assert_near<T: Number>(what: &str, exact: &[f64], ulp: f64, got: &[T]) {
    let expected: Vec<Expected> = exact.iter().map(|&exact| Expected::of(Big::of(exact), ulp)).collect();
    assert_judged(what, &expected, got);
}

#[track_caller]
fn assert_judged<T: Number>(what: &str, expected: &[Expected], got: &[T]) {
    assert_eq!(expected.len(), got.len(), "{what}: the number of results");
    let wrong = |(i, (expected, &got)): (usize, (&Expected, &T))| {
        expected.judge(got).err().map(|why| format!("\n  {i}: {why}"))
    };
    let wrong: Vec<String> = expected.iter().zip(got).enumerate().filter_map(wrong).collect();
    assert!(wrong.is_empty(), "{what} of {}: {} of {} are wrong:{}", T::TYPE, wrong.len(), got.len(), wrong.concat());
}

fn of<T: Number>(x: &[f64]) -> Vec<T> {
    x.iter().map(|&x| T::of(x)).collect()
}

/// 1: exponentials were stored in the half, lifted beyond its greatest number.
#[test]
fn losses_and_log_sum_exps_of_small_numbers_are_numbers() {
    fn check<T: Number>() {
        let loss = CrossEntropy::new(2).unwrap();
        let (p, log) = (0.268_941_421_369_995_1, 0.313_261_687_518_222_8);
        let (x, mut grad) = (of::<T>(&[1.0, 0.0]), stale(2));
        assert_near("a loss", &[log], 4.0, &[loss.loss_and_gradient(&x, &[0], &mut grad)]);
        assert_near("its gradient", &[-p, p], 4.0, &grad);
        let t = of::<T>(&[1.0, 0.0]);
        assert_near("a loss", &[log], 4.0, &[loss.loss_and_gradient(&x, Targets::distributions(&t), &mut grad)]);
        assert_near("its gradient", &[-p, p], 4.0, &grad);

        let x = of::<T>(&[1.0, 2.0, 3.0]);
        let (exact, p) =
            (3.407_605_964_444_38, [0.090_030_573_170_380_46, 0.244_728_471_054_797_64, 0.665_240_955_774_821_9]);
        assert_near("log_sum_exp", &[exact], 1.5, &[log_sum_exp(&x)]);
        let mut y = stale(1);
        log_sum_exp_rows(&x, 3, &mut y);
        assert_near("log_sum_exp_rows", &[exact], 1.5, &y);
        let mut grad = stale(3);
        log_sum_exp_backward(&x, T::one(), &mut grad);
        assert_near("log_sum_exp_backward", &p, 4.0, &grad);
        let state = LogSumExp::of(&x);
        assert_near("finish", &[exact], 1.5, &[state.finish()]);
        assert_near("probability", &p, 4.0, &[1.0, 2.0, 3.0].map(|x| state.probability(T::of(x))));
        let mut got = stale(3);
        state.normalise(&x, &mut got);
        assert_near("normalise", &p, 4.0, &got);
    }
    for_each_type!(check());
}

/// 2: scaled, biased and masked scores were rounded to the half before the exponential.
#[test]
fn scores_are_not_rounded_before_the_exponential() {
    fn check<T: Number>() {
        let mut bits = Bits(2);
        for size in [30.0, 100.0, 300.0, 1000.0] {
            for (kind, shape) in
                Kind::ALL.into_iter().flat_map(|kind| [(kind, Shape::new(3, 64, 1)), (kind, Shape::new(1, 64, 3))])
            {
                let x = bits.numbers::<T>(shape.size(), size);
                let grad_y = bits.numbers::<T>(shape.size(), 3.0);
                let bias = bits.numbers::<T>(shape.size(), size / 8.0);
                for terms in [Terms::scaled(0.1125), Terms::biased(0.1125, bias)] {
                    let f = crate::rows::function(kind, shape, Some(&terms));
                    let fused = activations::Level::best().is_fused();
                    let expected = expected(kind, shape, &terms, &x, &grad_y, fused);
                    let what = format!("{} of scores up to {size}", kind.name());
                    assert_judged(&what, &expected.values, &f.forward_vec(&x));
                    assert_judged(&format!("{what}, backward"), &expected.grads, &f.backward_vec(&x, &grad_y));
                }
            }
        }
    }
    for_each_type!(check());

    #[cfg(feature = "half")]
    {
        let x = of::<half::bf16>(&[912.0, 904.0, 896.0, 880.0]);
        let p = Softmax::rows(4).unwrap().scaled(1.0 / 80_f64.sqrt()).unwrap().forward_vec(&x);
        assert_near("attention", &[0.623_467_473, 0.254_899_514, 0.104_213_556, 0.017_419_457_5], 3.0, &p);
    }
}

/// 2: the lowest number of the type as an additive mask, beside negative scores.
#[test]
fn an_additive_mask_of_the_lowest_number_hides_a_score() {
    fn check<T: Number>() {
        let lowest = T::of(-T::greatest());
        let (x, bias) = (of::<T>(&[-4.0, -4.0, -8.0, -4.0]), [T::zero(), T::zero(), lowest, lowest]);
        let p = Softmax::rows(4).unwrap().biased(&bias).unwrap().forward_vec(&x);
        assert_eq!(p, of::<T>(&[0.5, 0.5, 0.0, 0.0]), "{}", T::TYPE);
        // If all scores are hidden in this way, their differences remain, as far as the sums can hold them. A sum that is rounded to a half is
        // -inf.
        let (x, shape) = (of::<T>(&[-40.0, -4.0, -44.0, -100.0, -40.0, -40.0, -40.0, -40.0]), Shape::new(2, 4, 1));
        let terms = Terms::biased(1.0, vec![lowest; 4]);
        let f = crate::rows::function(Kind::Softmax, shape, Some(&terms));
        let fused = activations::Level::best().is_fused();
        let p = f.forward_vec(&x);
        assert_judged("all are masked", &expected(Kind::Softmax, shape, &terms, &x, &x, fused).values, &p);
        assert_eq!(p[4..], of::<T>(&[0.25; 4]), "{}", T::TYPE);
    }
    for_each_type!(check());
}

/// 3: the state had no second half, so that sums stagnated.
#[test]
fn a_thousand_states_are_merged_without_loss() {
    fn check<T: Number>() {
        let (mut merged, mut pushed) = (LogSumExp::<T>::new(), LogSumExp::<T>::new());
        for _ in 0..1000 {
            merged.merge(&LogSumExp::of(&[T::zero(); 10]));
            (0..10).for_each(|_| pushed.push(T::zero()));
        }
        let exact = 9.210_340_371_976_184;
        assert_near("merged", &[exact], 1.5, &[merged.finish()]);
        assert_near("pushed", &[exact], 1.5, &[pushed.finish()]);
        assert_near("a probability", &[1e-4], 3.0, &[merged.probability(T::zero())]);
    }
    for_each_type!(check());
}

/// 4: scores beyond the range of the type gave NaN.
#[test]
fn a_temperature_beyond_the_range_gives_the_limit() {
    fn check<T: Number>() {
        let x = of::<T>(&[20.0, 18.0, 19.5]);
        let (one_hot, last) = (of::<T>(&[1.0, 0.0, 0.0]), of::<T>(&[0.0, 1.0, 0.0]));
        let g = of::<T>(&[1.0, 2.0, -3.0]);
        for scale in [1e38, 1e30, 1e300, f64::MAX] {
            if scale > 1e38 && T::TYPE != "f64" {
                // The scale is rounded to the type in which the crate computes, where it is infinite.
                continue;
            }
            let what = format!("{} scaled {scale:e}", T::TYPE);
            let softmax = Softmax::rows(3).unwrap().scaled(scale).unwrap();
            assert_eq!(softmax.forward_vec(&x), one_hot, "softmax, {what}");
            assert_eq!(Softmin::rows(3).unwrap().scaled(scale).unwrap().forward_vec(&x), last, "softmin, {what}");
            let negative: Vec<T> = x.iter().map(|&x| -x).collect();
            assert_eq!(softmax.forward_vec(&negative), last, "softmax of the negatives, {what}");
            let logs = LogSoftmax::rows(3).unwrap().scaled(scale).unwrap().forward_vec(&x);
            let exact = |distance: f64| -> T {
                if scale * distance > T::greatest() { -T::infinity() } else { T::of(-scale * distance) }
            };
            let expected = [0.0, 2.0, 0.5].map(|distance| if distance == 0.0 { T::zero() } else { exact(distance) });
            for (expected, got) in expected.into_iter().zip(logs) {
                let near = (got.wide() - expected.wide()).abs() <= 1e-2 * expected.wide().abs();
                assert!(got == expected || near, "log_softmax, {what}: expected {expected}, got {got}");
            }
            for grad in [softmax.backward_vec(&x, &g), softmax.derivative_vec(&x)] {
                assert!(grad.iter().all(|&grad| grad == T::zero()), "the gradient of softmax, {what}: {grad:?}");
            }
            // Equal greatest numbers have equal probabilities.
            let shared = of::<T>(&[20.0, 20.0, 19.5]);
            assert_eq!(softmax.forward_vec(&shared), of::<T>(&[0.5, 0.5, 0.0]), "softmax, two alike, {what}");
        }
        // At the highest temperature all probabilities are equal.
        let third = T::of(1.0 / 3.0);
        for scale in [1e-30, 1e-38, 1e-45] {
            let p = Softmax::rows(3).unwrap().scaled(scale).unwrap().forward_vec(&x);
            assert_near(&format!("softmax scaled {scale:e}"), &[third.wide(); 3], 3.0, &p);
        }
        // A row of huge scores, without a scale.
        let huge: Vec<T> = [1.0, 0.5, -1.0].map(|part| T::of(part * T::greatest())).to_vec();
        assert_eq!(Softmax::rows(3).unwrap().forward_vec(&huge), one_hot, "{}", T::TYPE);
        assert_eq!(Softmax::rows(3).unwrap().scaled(2.0).unwrap().forward_vec(&huge), one_hot, "{}", T::TYPE);
    }
    for_each_type!(check());
}

/// 9: "log-sum-exps are kept in pairs of `f32`, and rounded once".
#[test]
fn sums_of_halves_are_carried_in_more_digits() {
    fn check<T: Number>() {
        let mut bits = Bits(9);
        let x = bits.numbers::<T>(20_000, 2.0);
        let row = exact_row(&x);
        let exact = Expected::of(row.log_sum_exp, 1.5);
        let mut pieces = LogSumExp::new();
        x.chunks(7).for_each(|x| pieces.merge(&LogSumExp::of(x)));
        let mut sum = LogSumExp::new();
        x.iter().for_each(|&x| sum.push(x));
        let got = [log_sum_exp(&x), pieces.finish(), sum.finish()];
        assert_judged("20,000 numbers", &[exact; 3], &got);
        // A half is the exact sum, rounded, unless the sum is so near a tie that the error of `f32` decides.
        if T::IS_HALF {
            assert_eq!(got, [T::of(row.log_sum_exp.to_f64()); 3], "{}", T::TYPE);
        }
        let (mut loss, n) = (Big::ZERO, x.len() / 2);
        for x in x.chunks(2) {
            loss = loss + exact_row(x).log_sum_exp - x[0].big();
        }
        let got = CrossEntropy::new(2).unwrap().loss(&x, &vec![0; n]);
        assert_near("the mean of 10,000 losses", &[(loss / Big::of(n as f64)).to_f64()], 4.0, &[got]);
    }
    for_each_type!(check());
}

/// 10: a mask or a bias of another shape whose length divides the data was silently repeated. Now it is accepted if it is one row or as
/// long as the data. Any other length is refused without a `Broadcast`.
#[cfg(panic = "unwind")]
#[test]
fn a_mask_of_another_shape_needs_a_broadcast() {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    // [B, H, Q, K], and masks of [B, K], [B, Q, K], and [Q, K].
    let (batch, heads, queries, keys) = (2, 3, 4, 5);
    let mut bits = Bits(10);
    let x = bits.numbers::<f32>(batch * heads * queries * keys, 3.0);
    let softmax = Softmax::rows(keys).unwrap();
    let refused = |len: usize| {
        let (keep, bias) = (vec![true; len], vec![0.0_f32; len]);
        let masked = softmax.masked::<f32>(&keep).map(|f| catch_unwind(AssertUnwindSafe(|| f.forward_vec(&x))));
        let biased = softmax.biased(&bias).map(|f| catch_unwind(AssertUnwindSafe(|| f.forward_vec(&x))));
        [masked, biased].map(|result| !matches!(result, Ok(Ok(_))))
    };
    for len in [batch * keys, batch * queries * keys, queries * keys, heads * keys, 7] {
        assert_eq!(refused(len), [true; 2], "a mask and a bias of {len} for {keys} keys and {} scores", x.len());
    }
    for len in [keys, x.len()] {
        assert_eq!(refused(len), [false; 2], "a mask and a bias of {len} for {keys} keys and {} scores", x.len());
    }

    // A `Broadcast` of a bias or mask must give the same as the whole of it, written out.
    let written_out = |data: &[f32], row_of: &dyn Fn(usize) -> usize| -> Vec<f32> {
        (0..x.len()).map(|i| data[row_of(i / keys) * keys + i % keys]).collect()
    };
    let mut check =
        |what: &str, rows: usize, row_of: &dyn Fn(usize) -> usize, named: fn(&[f32]) -> Broadcast<'_, f32>| {
            let bias = bits.numbers::<f32>(rows * keys, 2.0);
            let bias: Vec<f32> = bias.iter().map(|&b| if b > 1.5 { f32::NEG_INFINITY } else { b }).collect();
            let full = written_out(&bias, row_of);
            let expected = softmax.biased(&full).unwrap().forward_vec(&x);
            let got = softmax.biased(named(&bias)).unwrap().forward_vec(&x);
            for (i, (expected, got)) in expected.iter().zip(&got).enumerate() {
                let same = expected.to_bits() == got.to_bits() || expected.is_nan() && got.is_nan();
                assert!(same, "{what}, element {i}: expected {expected:e}, got {got:e}");
            }
        };
    check("[Q, K]", queries, &|row| row % queries, |bias| Broadcast::cycled(bias));
    check("[B, K]", batch, &|row| row / (heads * queries), |bias| Broadcast::each(bias, 3 * 4));
    // A wrong `Broadcast`: 2 rows for 11 each are 22 rows, not 24.
    let keep = vec![true; batch * keys];
    let wrong = softmax.masked::<f32>(Broadcast::each(&keep, 11)).unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| wrong.forward_vec(&x))).is_err(), "each row for 11");
    let wrong = softmax.masked::<f32>(Broadcast::cycled(&[true; 35])).unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| wrong.forward_vec(&x))).is_err(), "7 rows again and again, for 24");
}
