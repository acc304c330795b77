//! The losses: compared with `f64` and with differences, at extremes, and input that they refuse.

use crate::common::ulp::error_f32;
use crate::log_sum_exp::{log_of_rest, rows_of_f32};
use crate::support::{Bits, Float, assert_same, same, show, wide};
use activations::{BinaryCrossEntropy, CrossEntropy, Level, LogSumExp, Reduction, Targets};
use proptest::prelude::*;

/// Bounds in ULP, as documented. For a row with a class, and for its gradient.
const ROW_LOSS: f64 = 3.0;
const LOSS: f64 = 4.0;
const GRADIENT: f64 = 5.0;

/// The loss of a row with these weights on its classes, term by term, and its gradient.
fn reference(x: &[f64], weights: &[f64]) -> (f64, Vec<f64>) {
    let (max, log) = log_of_rest(x);
    let total = crate::support::sum(weights.iter().copied());
    let terms = x.iter().zip(weights).filter(|(_, w)| **w != 0.0).map(|(x, w)| w * ((max - x) + log));
    let loss = crate::support::sum(terms);
    let p = |x: f64| libm::exp((x - max) - log);
    let rest =
        |i: usize| -> f64 { crate::support::sum(x.iter().enumerate().filter(|&(j, _)| i != j).map(|(_, &x)| p(x))) };
    // p W - w. For the greatest element it is computed as (W - w) - (1 - p) W.
    let slope = |(i, (&x, &w)): (usize, (&f64, &f64))| {
        if x == max { (total - w) - rest(i) * total } else { p(x) * total - w }
    };
    (loss, x.iter().zip(weights).enumerate().map(slope).collect())
}

fn one_hot(classes: usize, class: usize) -> Vec<f64> {
    (0..classes).map(|i| f64::from(u8::from(i == class))).collect()
}

#[test]
fn cross_entropy_of_classes_is_within_its_bound() {
    let (mut of_loss, mut of_gradient) = (0.0_f64, 0.0_f64);
    for (what, x) in rows_of_f32().filter(|(_, x)| x.len() < 3_000 || x.len().is_multiple_of(1_000)) {
        let (wide, n) = (wide(&x), x.len());
        let top = (0..n).fold(0, |top, i| if x[i] > x[top] { i } else { top });
        for class in [0, n / 2, n - 1, top] {
            // For such rows the sums of the reference's gradients would be long.
            let (exact, exact_gradient) = if n < 1_100 {
                reference(&wide, &one_hot(n, class))
            } else {
                let (max, log) = log_of_rest(&wide);
                ((max - wide[class]) + log, Vec::new())
            };
            for level in Level::available() {
                let loss = CrossEntropy::new(n).expect("classes").at(level);
                let mut grad = vec![f32::NAN; n];
                let got = loss.loss_and_gradient(&x, &[class], &mut grad);
                assert!(same(got, loss.loss(&x, &[class])), "{what} at {level}: the loss alone differs");
                let error = error_f32(got, exact, 0.0);
                assert!(error <= ROW_LOSS, "{what} at {level}: {error:.3} ULP, exact {exact:e}, got {}", show(got));
                of_loss = of_loss.max(error);
                for (i, (&got, &exact)) in grad.iter().zip(&exact_gradient).enumerate() {
                    let error = error_f32(got, exact, 0.0);
                    assert!(
                        error <= ROW_LOSS,
                        "{what} at {level}, gradient {i}: {error:.3} ULP, exact {exact:e}, got {}",
                        show(got)
                    );
                    of_gradient = of_gradient.max(error);
                }
            }
        }
    }
    println!("cross-entropy of f32: loss {of_loss:.3}, gradient {of_gradient:.3} ULP");
}

/// A batch with targets and weights, of `f32` numbers, so that both types represent it exactly.
struct Case {
    classes: usize,
    logits: Vec<f32>,
    labels: Vec<i64>,
    distributions: Vec<f32>,
    weights: Vec<f32>,
    smoothing: f64,
}

impl Case {
    fn new(seed: u64, rows: usize, classes: usize) -> Self {
        let mut bits = Bits(seed);
        let logits = (0..rows * classes).map(|_| bits.within(8.0) as f32).collect();
        let labels =
            (0..rows).map(|_| if bits.next().is_multiple_of(4) { -100 } else { (bits.next() % classes as u64) as i64 });
        let labels = labels.collect();
        let mut distributions: Vec<f32> = (0..rows * classes).map(|_| bits.within(1.0).abs() as f32).collect();
        for t in distributions.chunks_mut(classes) {
            let sum: f32 = t.iter().sum();
            t.iter_mut().for_each(|t| *t /= sum);
        }
        let weights = (0..classes).map(|_| 0.1 + bits.within(2.0).abs() as f32).collect();
        let smoothing = if seed.is_multiple_of(2) { 0.0 } else { 0.25 };
        Self { classes, logits, labels, distributions, weights, smoothing }
    }

    /// PyTorch's formulas: the weights on each row's classes, and the divisor of the mean.
    fn pytorch(&self, distributions: bool, weighted: bool) -> (Vec<Option<Vec<f64>>>, f64) {
        let (n, s) = (self.classes as f64, self.smoothing);
        let w = |j: usize| if weighted { f64::from(self.weights[j]) } else { 1.0 };
        if distributions {
            let rows = self.distributions.chunks(self.classes);
            let rows: Vec<_> = rows
                .map(|t| Some(t.iter().enumerate().map(|(j, &t)| w(j) * (f64::from(t) * (1.0 - s) + s / n)).collect()))
                .collect();
            let count = rows.len() as f64;
            return (rows, count);
        }
        let mut divisor = 0.0;
        let rows = self.labels.iter().map(|&label| {
            let label = usize::try_from(label).ok()?;
            divisor += w(label);
            let own = |j: usize| if j == label { (1.0 - s) * w(j) } else { 0.0 };
            Some((0..self.classes).map(|j| own(j) + s / n * w(j)).collect())
        });
        (rows.collect(), divisor)
    }

    fn check<T: Float>(&self, distributions: bool, weighted: bool, level: Level) {
        let of = |x: &[f32]| x.iter().map(|&x| T::of(f64::from(x))).collect::<Vec<T>>();
        let (x, t, w) = (of(&self.logits), of(&self.distributions), of(&self.weights));
        let mut targets = if distributions { Targets::distributions(&t) } else { Targets::from(&self.labels) };
        if weighted {
            targets = targets.weighted(&w);
        }
        let (rows, divisor) = self.pytorch(distributions, weighted);
        let what = format!("{} {}, {distributions}, {weighted}, {level}", T::TYPE, self.classes);
        let loss = CrossEntropy::new(self.classes).unwrap().label_smoothing(self.smoothing).unwrap().at(level);
        let exact: Vec<_> = rows
            .iter()
            .zip(self.logits.chunks(self.classes))
            .map(|(weights, x)| match weights {
                Some(weights) => reference(&wide(x), weights),
                None => (0.0, vec![0.0; self.classes]),
            })
            .collect();
        let total: f64 = crate::support::sum(exact.iter().map(|(loss, _)| *loss));
        let near = |what: &str, got: T, exact: f64, size: f64| {
            let error = (got.wide() - exact).abs() / (T::EPS * size.max(1e-30));
            assert!(error <= LOSS, "{what}: {error:.3} times the spacing at 1, exact {exact:e}, got {got:e}");
        };
        for (reduction, divisor) in [(Reduction::Mean, divisor), (Reduction::Sum, 1.0)] {
            let mut grad = vec![T::nan(); x.len()];
            let got = loss.reduction(reduction).loss_and_gradient(&x, targets, &mut grad);
            assert!(same(got, loss.reduction(reduction).loss(&x, targets)));
            if divisor == 0.0 {
                assert!(got.is_nan() && grad.iter().all(|&g| same(g, T::zero())), "{what}: all ignored");
                continue;
            }
            near(&what, got, total / divisor, (total / divisor).abs());
            for (i, &got) in grad.iter().enumerate() {
                let (row, j) = (i / self.classes, i % self.classes);
                let exact = exact[row].1[j] / divisor;
                // The greater of p W and w, whose difference may cancel.
                let w = rows[row].as_ref().map_or(0.0, |w| w[j] / divisor);
                let size = w.max(exact + w);
                near(&format!("{what}, gradient {i}"), got, exact, size);
            }
        }
        let (mut losses, mut grad) = (vec![T::nan(); rows.len()], vec![T::nan(); x.len()]);
        loss.losses_and_gradient(&x, targets, &mut losses, &mut grad);
        let mut alone = vec![T::nan(); rows.len()];
        loss.losses(&x, targets, &mut alone);
        assert_same(&what, &[], &losses, &alone);
        let mut sum_grad = vec![T::nan(); x.len()];
        loss.reduction(Reduction::Sum).loss_and_gradient(&x, targets, &mut sum_grad);
        assert_same(&what, &[], &sum_grad, &grad);
        for (&got, (exact, _)) in losses.iter().zip(&exact) {
            near(&what, got, *exact, exact.abs());
        }
    }
}

#[test]
fn batches_give_what_pytorch_defines() {
    for (seed, (rows, classes)) in
        [(1, 1), (7, 1), (3, 2), (9, 10), (17, 31), (20, 33), (5, 100), (4, 257), (3, 1_100)].into_iter().enumerate()
    {
        for seed in [2 * seed as u64, 2 * seed as u64 + 1] {
            let case = Case::new(seed + 100, rows, classes);
            for (distributions, weighted) in [(false, false), (false, true), (true, false), (true, true)] {
                for level in Level::available() {
                    case.check::<f32>(distributions, weighted, level);
                }
            }
        }
    }
}

/// f'(x) by central differences, combined so that the errors of order h^2 cancel.
fn difference(f: impl Fn(f64) -> f64, x: f64) -> f64 {
    let h = 1.0 / 1024.0;
    let (coarse, fine) = ((f(x + h) - f(x - h)) / (2.0 * h), (f(x + h / 2.0) - f(x - h / 2.0)) / h);
    (4.0 * fine - coarse) / 3.0
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 20 } else { 200 }))]

    #[test]
    fn gradients_of_cross_entropy_are_the_limits_of_differences(seed: u64, rows in 1..5_usize, classes in 1..40_usize) {
        let case = Case::new(seed, rows, classes);
        let logits: Vec<f64> = wide(&case.logits);
        let (t, w): (Vec<f64>, Vec<f64>) = (wide(&case.distributions), wide(&case.weights));
        let labels: Vec<i64> = case.labels.iter().map(|&label| label.max(0)).collect();
        let loss = CrossEntropy::new(classes).unwrap().label_smoothing(case.smoothing).unwrap();
        for targets in [Targets::from(&labels).weighted(&w), Targets::distributions(&t), Targets::from(&labels)] {
            let mut grad = vec![f64::NAN; logits.len()];
            loss.loss_and_gradient(&logits, targets, &mut grad);
            for (i, &got) in grad.iter().enumerate() {
                let of = |x: f64| {
                    let mut logits = logits.clone();
                    logits[i] = x;
                    loss.loss(&logits, targets)
                };
                let expected = difference(of, logits[i]);
                prop_assert!((got - expected).abs() <= 1e-9, "gradient {i}: {got:e}, by differences {expected:e}");
            }
        }
    }

    #[test]
    fn gradients_of_binary_cross_entropy_are_the_limits_of_differences(
        batch in prop::collection::vec((-20.0..20.0_f64, 0.0..=1.0_f64), 1..200), pos_weight in 0.0..5.0_f64,
    ) {
        let (x, t): (Vec<f64>, Vec<f64>) = batch.into_iter().unzip();
        let loss = BinaryCrossEntropy::new().pos_weight(pos_weight).unwrap().reduction(Reduction::Sum);
        let mut grad = vec![f64::NAN; x.len()];
        loss.loss_and_gradient(&x, &t, &mut grad);
        for (i, &got) in grad.iter().enumerate() {
            let expected = difference(|x| loss.loss(&[x], &[t[i]]), x[i]);
            prop_assert!((got - expected).abs() <= 1e-9, "{}, {}: {got:e}, by differences {expected:e}", x[i], t[i]);
        }
    }
}

#[test]
fn binary_cross_entropy_is_within_its_bound() {
    let mut bits = Bits(31);
    let (mut of_loss, mut of_gradient) = (0.0_f64, 0.0_f64);
    for weight in [1.0, 3.0, 0.25, 0.0] {
        for size in [1e-3, 1.0, 10.0, 100.0, 1e10] {
            for n in [1, 31, 32, 100, 129, 4_000] {
                let x: Vec<f32> = (0..n).map(|_| bits.within(size) as f32).collect();
                let t = |i: usize| [0.0, 1.0, 0.5, 0.9, 0.001][i % 5];
                let t: Vec<f32> =
                    (0..n).map(|i| if i % 7 == 0 { bits.within(1.0).abs() as f32 } else { t(i) }).collect();
                for level in Level::available() {
                    let loss = BinaryCrossEntropy::new().pos_weight(weight).unwrap().at(level);
                    let (mut losses, mut grad) = (vec![f32::NAN; n], vec![f32::NAN; n]);
                    loss.losses_and_gradient(&x, &t, &mut losses, &mut grad);
                    let mut exact_sum = 0.0;
                    for (i, (&x32, &t32)) in x.iter().zip(&t).enumerate() {
                        let (x, t) = (f64::from(x32), f64::from(t32));
                        let softplus = |x: f64| x.max(0.0) + libm::log1p(libm::exp(-x.abs()));
                        let exact = weight * t * softplus(-x) + (1.0 - t) * softplus(x);
                        let e = libm::exp(-x.abs());
                        let (q, rest) = (e / (1.0 + e), 1.0 / (1.0 + e));
                        let (of_one, of_zero) = if x < 0.0 { (rest, q) } else { (q, rest) };
                        let slope = (1.0 - t) * of_zero - weight * t * of_one;
                        let error = error_f32(losses[i], exact, 0.0);
                        assert!(error <= LOSS, "{x:e}, {t}, {weight}, {level}: {error:.3} ULP, got {}", losses[i]);
                        of_loss = of_loss.max(error);
                        // The greater of the two terms, which may cancel.
                        let error = error_f32(grad[i], slope, ((1.0 - t) * of_zero).max(weight * t * of_one));
                        assert!(
                            error <= GRADIENT,
                            "{x:e}, {t}, {weight}, {level}: slope {error:.3} ULP, got {}",
                            grad[i]
                        );
                        of_gradient = of_gradient.max(error);
                        exact_sum += exact;
                    }
                    for (reduction, exact) in [(Reduction::Sum, exact_sum), (Reduction::Mean, exact_sum / n as f64)] {
                        let mut grad = vec![f32::NAN; n];
                        let got = loss.reduction(reduction).loss_and_gradient(&x, &t, &mut grad);
                        assert!(same(got, loss.reduction(reduction).loss(&x, &t)));
                        let error = error_f32(got, exact, 0.0);
                        assert!(error <= LOSS, "{n} within {size:e}, {weight}, {level}: {error:.3} ULP, got {got:e}");
                    }
                }
            }
        }
    }
    println!("binary cross-entropy of f32: loss {of_loss:.3}, gradient {of_gradient:.3} ULP");
}

#[test]
fn extremes_of_cross_entropy() {
    fn check<T: Float>() {
        let of = |x: &[f64]| x.iter().map(|&x| T::of(x)).collect::<Vec<T>>();
        let (inf, max) = (f64::INFINITY, T::max_value().wide());
        let three = CrossEntropy::new(3).unwrap();
        let run = |loss: CrossEntropy, x: &[f64], class: i64| {
            let mut grad = vec![T::of(7.0); 3];
            let loss = loss.loss_and_gradient(&of(x), &[class], &mut grad);
            (loss.wide(), grad.iter().map(|g| g.wide()).collect::<Vec<_>>())
        };
        assert_eq!(run(three, &[max, 0.0, -max], 0), (0.0, vec![0.0, 0.0, 0.0]));
        assert_eq!(run(three, &[max, 0.0, -max], 1), (max, vec![1.0, -1.0, 0.0]));
        assert_eq!(run(three, &[1e4, 1e4, -inf], 0), (T::of(2.0_f64.ln()).wide(), vec![-0.5, 0.5, 0.0]));
        assert_eq!(run(three, &[0.0, -inf, -inf], 1), (inf, vec![1.0, -1.0, 0.0]));
        for bad in [[f64::NAN, 0.0, 0.0], [inf, 0.0, 0.0], [-inf; 3], [inf, -inf, f64::NAN]] {
            let (loss, grad) = run(three, &bad, 0);
            assert!(loss.is_nan() && grad.iter().all(|g| g.is_nan()), "{bad:?}: {loss}, {grad:?}");
            // An ignored row does not count, whatever it contains.
            let (loss, grad) = run(three.reduction(Reduction::Sum), &bad, -100);
            assert_eq!((loss, grad), (0.0, vec![0.0; 3]));
        }
        // All ignored, or no rows.
        let (loss, grad) = run(three, &[1.0, 2.0, 3.0], -100);
        assert!(loss.is_nan() && grad == [0.0; 3]);
        assert!(three.loss::<T>(&[], &[0_u8; 0]).is_nan());
        assert_eq!(three.reduction(Reduction::Sum).loss::<T>(&[], &[0_u8; 0]), T::zero());
        let (loss, grad) = run(three.ignore_index(2), &[1.0, 2.0, 3.0], 2);
        assert!(loss.is_nan() && grad == [0.0; 3]);

        // Masked classes add nothing if their target is 0, and infinity otherwise.
        let x = of(&[1.0, -inf, 1.0]);
        let mut grad = [T::nan(); 3];
        let t = of(&[0.5, 0.0, 0.5]);
        let got = three.loss_and_gradient(&x, Targets::distributions(&t), &mut grad);
        assert!(
            (got.wide() - 2.0_f64.ln()).abs() < 1e-6 && grad.iter().all(|g| g.wide().abs() < 1e-6),
            "{got} {grad:?}"
        );
        let t = of(&[0.5, 1e-6, 0.5]);
        assert_eq!(three.loss(&x, Targets::distributions(&t)), T::infinity());
        assert_eq!(three.label_smoothing(0.1).unwrap().loss(&x, &[0]), T::infinity());
        let weights = of(&[1.0, 0.0, 1.0]);
        let masked = Targets::from(&[0_u8]).weighted(&weights);
        let got = three.label_smoothing(0.1).unwrap().loss(&x, masked).wide();
        assert!((got - (0.9 + 0.2 / 3.0) * 2.0_f64.ln()).abs() < 1e-6, "{got}");
        // The mask is the least number instead.
        let x = of(&[0.0, -max, 0.0]);
        let got = three.label_smoothing(0.3).unwrap().loss(&x, &[0]).wide();
        assert!((got / (0.1 * max) - 1.0).abs() < 1e-6, "{got}");
        // One bad row in a batch.
        let mut losses = [T::zero(); 2];
        three.losses(&of(&[inf, 0.0, 0.0, 1.0, 1.0, 1.0]), &[0, 0], &mut losses);
        assert!(losses[0].is_nan() && (losses[1].wide() - 3.0_f64.ln()).abs() < 1e-6);
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn extremes_of_binary_cross_entropy() {
    fn check<T: Float>() {
        let (inf, loss) = (T::infinity(), BinaryCrossEntropy::new());
        let (zero, one) = (T::zero(), T::one());
        for (x, t, expected, slope) in [
            (inf, one, zero, zero),
            (inf, zero, inf, one),
            (-inf, zero, zero, zero),
            (-inf, one, inf, -one),
            (-inf, T::of(0.5), inf, T::of(-0.5)),
            (T::max_value(), zero, T::max_value(), one),
            (T::max_value(), one, zero, zero),
        ] {
            let mut grad = [T::nan()];
            let got = loss.loss_and_gradient(&[x], &[t], &mut grad);
            assert_eq!((got, grad[0]), (expected, slope), "x = {x}, t = {t}");
            // Between other elements, in the vectors and in the rest.
            for n in [100, 128, 300] {
                let (mut xs, ts) = (vec![T::of(0.5); n], vec![t; n]);
                xs[n / 2] = x;
                let sum = loss.reduction(Reduction::Sum).loss(&xs, &ts);
                assert!(if expected == inf { sum == inf } else { sum.is_finite() }, "{x}, {t}: {sum}");
            }
        }
        assert!(loss.loss(&[T::nan()], &[one]).is_nan() && loss.loss(&[one], &[T::nan()]).is_nan());
        assert!(loss.loss::<T>(&[], &[]).is_nan());
        assert_eq!(loss.reduction(Reduction::Sum).loss::<T>(&[], &[]), zero);
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn losses_do_not_depend_on_the_level_or_on_the_place_of_a_row() {
    fn check<T: Float>() {
        let mut bits = Bits(41);
        for n in (1..70).chain([100, 257, 1_024, 1_025, 9_001]) {
            let rows = 11;
            let x: Vec<T> = (0..rows * n).map(|_| T::of(bits.within(20.0))).collect();
            let t: Vec<T> = (0..rows * n).map(|_| T::of(bits.within(1.0).abs())).collect();
            let labels: Vec<u32> = (0..rows).map(|_| (bits.next() % n as u64) as u32).collect();
            for fused in [true, false] {
                let mut first: Option<Vec<Vec<T>>> = None;
                for level in Level::available().filter(|level| level.is_fused() == fused) {
                    let loss = CrossEntropy::new(n).unwrap().reduction(Reduction::Sum).at(level);
                    let smoothed = loss.label_smoothing(0.1).unwrap();
                    let mut all = Vec::new();
                    for (loss, targets) in [
                        (loss, Targets::from(&labels)),
                        (smoothed, Targets::from(&labels)),
                        (loss, Targets::distributions(&t)),
                    ] {
                        let (mut losses, mut grad) = (vec![T::nan(); rows], vec![T::nan(); x.len()]);
                        loss.losses_and_gradient(&x, targets, &mut losses, &mut grad);
                        for row in 0..rows {
                            let own = row * n..(row + 1) * n;
                            let mut alone = vec![T::nan(); n];
                            let x = &x[own.clone()];
                            let got = if all.len() < 4 {
                                loss.loss_and_gradient(x, &labels[row..=row], &mut alone)
                            } else {
                                loss.loss_and_gradient(x, Targets::distributions(&t[own.clone()]), &mut alone)
                            };
                            let what = format!("row {row} of {n} at {level}");
                            assert_same(&what, x, &losses[row..=row], &[got]);
                            assert_same(&what, x, &grad[own], &alone);
                        }
                        all.extend([losses, grad]);
                    }
                    let (mut losses, mut grad) = (vec![T::nan(); x.len()], vec![T::nan(); x.len()]);
                    let binary = BinaryCrossEntropy::new().at(level);
                    binary.losses_and_gradient(&x, &t, &mut losses, &mut grad);
                    for i in (0..x.len()).step_by(x.len() / 50 + 1) {
                        let (mut one, mut slope) = ([T::nan()], [T::nan()]);
                        binary.losses_and_gradient(&x[i..=i], &t[i..=i], &mut one, &mut slope);
                        assert_same("binary", &x[i..=i], &[losses[i], grad[i]], &[one[0], slope[0]]);
                    }
                    all.extend([losses, grad, vec![binary.loss(&x, &t)]]);
                    let mut sum = LogSumExp::new();
                    sum.push_slice_at(level, &x);
                    let mut p = vec![T::nan(); x.len()];
                    sum.normalise_at(level, &x, &mut p);
                    all.extend([p, vec![sum.finish()]]);
                    match &first {
                        None => first = Some(all),
                        Some(first) => {
                            for (expected, got) in first.iter().zip(&all) {
                                assert_same(&format!("rows of {n} at {level}"), &[], expected, got);
                            }
                        }
                    }
                }
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

/// If probabilities are used as logits, a network that is confident and wrong learns almost nothing.
#[test]
fn the_gradient_of_a_confident_and_wrong_row_is_not_lost() {
    let (loss, logits) = (CrossEntropy::new(3).unwrap(), [0.0_f32, 40.0, 0.0]);
    let mut grad = [0.0; 3];
    assert_eq!(loss.loss_and_gradient(&logits, &[0], &mut grad), 40.0);
    assert_eq!(grad[..2], [-1.0, 1.0]);
}
