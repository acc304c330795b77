//! Focal losses and z-losses: they are within their bounds, finite at both ends, and their gradients are limits of differences.

use activations::{BinaryCrossEntropy, BinaryTargets, CrossEntropy, Level, Reduction, Targets};

use crate::big::Big;
use crate::binary::softplus;
use crate::cases::Bits;
use crate::judge::Expected;
use crate::number::{Number, for_each_type, stale};
use crate::refused::{refused, says};

/// c^gamma.
fn power(c: Big, gamma: f64) -> Big {
    if gamma == 0.0 {
        Big::ONE
    } else if c.is_zero() {
        Big::ZERO
    } else {
        (Big::of(gamma) * c.ln()).exp()
    }
}

/// The focal loss of a logit, its gradient, and the greatest part of the gradient. The definition is differentiated by hand, in other
/// terms than the crate's.
fn binary(x: Big, t: Big, gamma: f64, alpha: Option<f64>) -> (Big, Big, Big) {
    let one = Big::ONE;
    let (p, q) = (x.sigmoid(), (-x).sigmoid());
    let cross_entropy = t * softplus(-x) + (one - t) * softplus(x);
    let m = (one - t) * p + t * q;
    let balance = alpha.map_or(one, |alpha| Big::of(alpha) * t + (one - Big::of(alpha)) * (one - t));
    // The derivative of m is p q (1 - 2 t).
    let change = if gamma == 0.0 || m.is_zero() {
        Big::ZERO
    } else {
        Big::of(gamma) * power(m, gamma) / m * p * q * (one - t - t) * cross_entropy
    };
    let (of_zero, of_one) = (power(m, gamma) * (one - t) * p, power(m, gamma) * t * q);
    let greatest = change.abs().max(of_zero).max(of_one);
    (balance * power(m, gamma) * cross_entropy, balance * (change + of_zero - of_one), balance * greatest)
}

const GAMMAS: [f64; 6] = [0.0, 0.25, 0.5, 1.0, 2.0, 5.0];

fn binary_within_bounds<T: Number>() {
    let mut bits = Bits(3);
    let sizes = [1e-3, 1.0, 6.0, 30.0, 100.0, 700.0];
    for n in [1, 33, 300] {
        for gamma in GAMMAS {
            for alpha in [None, Some(0.25), Some(1.0)] {
                let x: Vec<T> = (0..n).map(|i| T::of(bits.within(sizes[i % 6]))).collect();
                let t: Vec<T> = (0..n).map(|i| T::of([0.0, 1.0, bits.within(1.0).abs(), 1.0, 0.0][i % 5])).collect();
                let exact: Vec<_> = (0..n).map(|i| binary(x[i].big(), t[i].big(), gamma, alpha)).collect();
                let total: Big = exact.iter().map(|(loss, ..)| *loss).sum();
                for level in Level::available() {
                    let mut loss = BinaryCrossEntropy::new().focal(gamma).unwrap().at(level);
                    if let Some(alpha) = alpha {
                        loss = loss.alpha(alpha).unwrap();
                    }
                    let what = format!("{} {gamma} {alpha:?} at {level}", T::TYPE);
                    let (mut losses, mut grad) = (stale::<T>(n), stale::<T>(n));
                    loss.losses_and_gradient(&x, &t, &mut losses, &mut grad);
                    let bound = 6.0 + 4.0 * gamma;
                    for (i, &(of_loss, slope, floor)) in exact.iter().enumerate() {
                        let what = format!("{what}, x = {}, t = {}", x[i], t[i]);
                        let expected = Expected::of(of_loss, bound).any_zero();
                        expected.judge(losses[i]).unwrap_or_else(|why| panic!("{what}: {why}"));
                        let expected = Expected::of(slope, bound).floor(floor).any_zero();
                        expected.judge(grad[i]).unwrap_or_else(|why| panic!("{what}, gradient: {why}"));
                    }
                    let mut alone = stale::<T>(n);
                    loss.losses(&x, &t, &mut alone);
                    assert!(alone.iter().zip(&losses).all(|(a, b)| a.bits() == b.bits()), "{what}");
                    let loss = loss.reduction(Reduction::Sum);
                    let got = loss.loss(&x, &t);
                    assert_eq!(got.bits(), loss.loss_and_gradient(&x, &t, &mut grad).bits());
                    Expected::of(total, bound).judge(got).unwrap_or_else(|why| panic!("{what}, sum: {why}"));
                }
            }
        }
    }
}

#[test]
fn binary_focal_losses_are_within_their_bounds() {
    for_each_type!(binary_within_bounds());
}

fn binary_at_the_ends<T: Number>() {
    let (inf, max, zero, one) = (T::infinity(), T::max_value(), T::zero(), T::one());
    for gamma in [0.0, 1e-3, 0.5, 1.0, 2.0, 1e3] {
        for level in Level::available() {
            let loss = BinaryCrossEntropy::new().focal(gamma).unwrap().at(level);
            let run = |x: T, t: T| {
                let (mut losses, mut grad) = ([T::nan()], [T::nan()]);
                loss.losses_and_gradient(&[x], &[t], &mut losses, &mut grad);
                (losses[0], grad[0])
            };
            for x in [inf, max] {
                // If the prediction is wrong, the loss is the logit and the slope is 1. If it is right, both are 0.
                assert_eq!(run(x, zero), (x, one), "{} {gamma} {level}", T::TYPE);
                assert_eq!(run(-x, one), (x, -one), "{} {gamma} {level}", T::TYPE);
                assert_eq!(run(x, one), (zero, zero), "{} {gamma} {level}", T::TYPE);
                assert_eq!(run(-x, zero), (zero, zero), "{} {gamma} {level}", T::TYPE);
            }
            // Also where a quarter to the power of 1000 is too small for the type.
            assert_eq!(run(-inf, T::of(0.25)).0, inf, "{} {gamma} {level}", T::TYPE);
            for x in [5.0, 20.0, 88.0, 95.0, 103.0, 110.0, 300.0, 745.0, 1_000.0] {
                for (x, t) in [(x, 0.0), (x, 1.0), (-x, 0.0), (-x, 1.0), (x, 0.3), (-x, 1e-30)] {
                    let (loss, slope) = run(T::of(x), T::of(t));
                    assert!(loss.is_finite() && slope.is_finite() && loss >= zero, "{gamma} {x} {t}: {loss} {slope}");
                }
            }
            assert!(run(T::nan(), one).0.is_nan() && run(T::nan(), zero).1.is_nan());
            assert!(run(one, T::nan()).0.is_nan() && run(one, T::nan()).1.is_nan());
        }
    }
    for bad in [-1.0, f64::NAN, f64::INFINITY, 1001.0] {
        says(&BinaryCrossEntropy::new().focal(bad).unwrap_err().to_string(), &["binary_cross_entropy: `gamma`"]);
        says(&CrossEntropy::new(2).unwrap().focal(bad).unwrap_err().to_string(), &["cross_entropy: `gamma`"]);
    }
    for bad in [-1.0, f64::NAN, f64::INFINITY] {
        says(&CrossEntropy::new(2).unwrap().z_loss(bad).unwrap_err().to_string(), &["cross_entropy: `z_loss`"]);
    }
    says(&BinaryCrossEntropy::new().alpha(1.1).unwrap_err().to_string(), &["`alpha` is 1.1", "from 0 to 1"]);
}

#[test]
fn binary_focal_losses_are_right_at_both_ends() {
    for_each_type!(binary_at_the_ends());
}

/// The losses of a row, term by term: p, log p and 1 - p of each class, and the log-sum-exp.
fn row(x: &[Big]) -> (Vec<(Big, Big, Big)>, Big) {
    let greatest = x.iter().fold(x[0], |greatest, &x| greatest.max(x));
    let sum: Big = x.iter().map(|&x| (x - greatest).exp()).sum();
    let z = greatest + sum.ln();
    let p: Vec<Big> = x.iter().map(|&x| (x - z).exp()).collect();
    let rest = |i: usize| p[..i].iter().chain(&p[i + 1..]).copied().sum();
    ((0..x.len()).map(|i| (p[i], x[i] - z, rest(i))).collect(), z)
}

fn focal_rows<T: Number>() {
    let mut bits = Bits(4);
    for (rows, classes) in [(1, 1), (40, 2), (40, 5), (7, 33), (3, 60), (1, 1_100)] {
        for (gamma, z_loss) in [(0.25, 0.0), (1.0, 0.0), (2.0, 0.0), (2.0, 0.01), (0.0, 1e-4), (0.0, 0.5)] {
            let x: Vec<T> =
                (0..rows * classes).map(|i| T::of(bits.within([2.0, 30.0, 0.1][i / classes % 3]))).collect();
            let labels: Vec<i64> =
                (0..rows).map(|i| if i % 6 == 4 { -100 } else { bits.below(classes) as i64 }).collect();
            let w: Vec<T> = (0..classes).map(|i| T::of(0.25 + (i % 4) as f64)).collect();
            let exact: Vec<_> =
                x.chunks(classes).map(|x| row(&x.iter().map(|x| x.big()).collect::<Vec<_>>())).collect();
            for weighted in [false, true] {
                let targets = Targets::from(&labels);
                let targets = if weighted { targets.weighted(&w) } else { targets };
                for level in Level::available() {
                    let what = format!("{} {rows} x {classes}, {gamma}, {z_loss}, {weighted}, {level}", T::TYPE);
                    let loss = CrossEntropy::new(classes).unwrap().focal(gamma).unwrap().z_loss(z_loss).unwrap();
                    let (mut losses, mut grad) = (stale::<T>(rows), stale::<T>(x.len()));
                    loss.at(level).losses_and_gradient(&x, targets, &mut losses, &mut grad);
                    let mut alone = stale::<T>(rows);
                    loss.at(level).losses(&x, targets, &mut alone);
                    assert!(alone.iter().zip(&losses).all(|(a, b)| a.bits() == b.bits()), "{what}");
                    for (i, &label) in labels.iter().enumerate() {
                        let of_row = i * classes..(i + 1) * classes;
                        if label < 0 {
                            assert!(losses[i].is_zero() && grad[of_row].iter().all(|g| g.is_zero()), "{what}");
                            continue;
                        }
                        let class = label as usize;
                        let (terms, z) = &exact[i];
                        let ((p, log, rest), z) = (terms[class], *z);
                        let weight = if weighted { w[class].big() } else { Big::ONE };
                        let (log, coefficient) = (-log, Big::of(T::computed(z_loss)));
                        let focal = weight * power(rest, gamma) * log;
                        let bound = 4.0 + 4.0 * gamma;
                        let exact = focal + coefficient * z * z;
                        let expected = Expected::of(exact, bound + 3.0).floor(exact.max(coefficient));
                        expected.judge(losses[i]).unwrap_or_else(|why| panic!("{what}, row {i}: {why}"));
                        // d/dl of (1 - p)^gamma l.
                        let change = if gamma == 0.0 || rest.is_zero() {
                            Big::ZERO
                        } else {
                            Big::of(gamma) * power(rest, gamma) / rest * p * log
                        };
                        let factor = weight * (power(rest, gamma) + change);
                        for (j, &(p, _, rest)) in terms.iter().enumerate() {
                            let of_focal = if j == class { -factor * rest } else { factor * p };
                            let of_z = Big::of(2.0) * coefficient * z * p;
                            let floor = of_focal.abs().max(of_z.abs()).max(coefficient * p);
                            let expected = Expected::of(of_focal + of_z, bound + 3.0).floor(floor).any_zero();
                            let got = grad[of_row.start + j];
                            expected.judge(got).unwrap_or_else(|why| panic!("{what}, row {i}, gradient {j}: {why}"));
                        }
                    }
                    // The mean is divided by the sum of the weights.
                    let divisor: f64 = labels
                        .iter()
                        .filter(|&&label| label >= 0)
                        .fold(0.0, |sum, &label| sum + if weighted { w[label as usize].wide() } else { 1.0 });
                    let total: f64 = losses.iter().map(|loss| loss.wide()).sum();
                    let got = loss.at(level).loss(&x, targets).wide();
                    let slack = if T::IS_HALF { 0.01 } else { 1e-5 };
                    assert!((got - total / divisor).abs() <= slack * got.abs() + 1e-9, "{what}: {got}");
                }
            }
        }
    }
}

#[test]
fn focal_and_z_losses_of_rows_are_within_their_bounds() {
    for_each_type!(focal_rows());
}

fn rows_at_the_ends<T: Number>() {
    let (inf, max) = (f64::INFINITY, T::greatest());
    for gamma in [1e-3, 0.5, 1.0, 2.0, 1e3] {
        for level in Level::available() {
            let loss = CrossEntropy::new(3).unwrap().focal(gamma).unwrap().at(level);
            let run = |x: [f64; 3], class: u8| {
                let mut grad = [T::nan(); 3];
                let loss = loss.loss_and_gradient(&x.map(T::of), &[class], &mut grad);
                (loss.wide(), grad.map(Number::wide))
            };
            assert_eq!(run([max, 0.0, -max], 0), (0.0, [0.0; 3]), "{gamma} {level}");
            assert_eq!(run([max, 0.0, -max], 1), (max, [1.0, -1.0, 0.0]), "{gamma} {level}");
            assert_eq!(run([0.0, -inf, -inf], 1), (inf, [1.0, -1.0, 0.0]), "{gamma} {level}");
            assert_eq!(run([0.0, -inf, -inf], 0), (0.0, [0.0; 3]), "{gamma} {level}");
            for bad in [[f64::NAN, 0.0, 0.0], [inf, 0.0, 0.0], [-inf; 3]] {
                let (loss, grad) = run(bad, 0);
                assert!(loss.is_nan() && grad.iter().all(|g| g.is_nan()), "{bad:?}");
            }
            for size in [10.0, 50.0, 95.0, 110.0, 300.0, 800.0] {
                for class in [0, 1] {
                    let (loss, grad) = run([size, 0.0, 0.0], class);
                    assert!(loss.is_finite() && grad.iter().all(|g| g.is_finite()), "{size} {class} {grad:?}");
                }
            }
        }
    }
    // A z-loss of 0 adds nothing, whatever the logits are.
    let plain = CrossEntropy::new(2).unwrap().z_loss(0.0).unwrap();
    assert_eq!(plain.loss(&[T::max_value(), T::zero()], &[0]), T::zero());
    let loss = CrossEntropy::new(2).unwrap().focal(2.0).unwrap();
    says(&refused(|| loss.loss(&[0.5_f32; 2], Targets::distributions(&[0.5; 2]))), &["focal", "classes"]);
    says(&loss.label_smoothing(0.1).unwrap_err().to_string(), &["`label_smoothing` is 0.1", "focal"]);
    let smoothed = CrossEntropy::new(2).unwrap().label_smoothing(0.1).unwrap();
    says(&smoothed.focal(2.0).unwrap_err().to_string(), &["`gamma` is 2", "label smoothing"]);
}

#[test]
fn focal_losses_of_rows_are_right_at_both_ends() {
    for_each_type!(rows_at_the_ends());
}

/// The loss of these logits, and its gradient.
type LossAndGradient<'a> = dyn Fn(&[f64], &mut [f64]) -> f64 + 'a;

#[test]
fn gradients_are_the_limits_of_differences() {
    let mut bits = Bits(9);
    for gamma in [0.5, 1.0, 2.0, 3.5] {
        let (n, classes) = (60, 5);
        let x: Vec<f64> = bits.numbers(n, 6.0);
        let t: Vec<f64> = (0..n).map(|i| [0.0, 1.0, bits.within(1.0).abs()][i % 3]).collect();
        let (w, p): (Vec<f64>, Vec<f64>) = (bits.numbers(n, 1.0), bits.numbers(n, 1.0));
        let (w, p): (Vec<f64>, Vec<f64>) = (w.iter().map(|w| w.abs()).collect(), p.iter().map(|p| p.abs()).collect());
        let targets = BinaryTargets::from(&t).weighted(&w).pos_weighted(&p);
        let binary = BinaryCrossEntropy::new().focal(gamma).unwrap().alpha(0.3).unwrap();
        let labels: Vec<u32> = (0..n / classes).map(|_| bits.below(classes) as u32).collect();
        let of_rows = CrossEntropy::axis(classes, 4).unwrap().focal(gamma).unwrap().z_loss(0.02).unwrap();
        let class_weights = [1.0, 0.5, 2.0, 0.0, 3.0];
        let classes = Targets::from(&labels).weighted(&class_weights);
        let smoothed = CrossEntropy::axis(5, 4).unwrap().label_smoothing(1.0).unwrap().z_loss(0.3).unwrap();
        let losses: [&LossAndGradient<'_>; 3] = [
            &|x, grad| binary.loss_and_gradient(x, targets, grad),
            &|x, grad| of_rows.loss_and_gradient(x, classes, grad),
            &|x, grad| smoothed.loss_and_gradient(x, classes, grad),
        ];
        for (number, loss) in losses.into_iter().enumerate() {
            let (mut grad, mut other) = (vec![f64::NAN; n], vec![f64::NAN; n]);
            loss(&x, &mut grad);
            for (i, &got) in grad.iter().enumerate() {
                let mut of = |at: f64| {
                    let mut x = x.clone();
                    x[i] = at;
                    loss(&x, &mut other)
                };
                // By central differences, combined so that the errors of order h^2 cancel.
                let h = 1.0 / 1024.0;
                let (coarse, fine) =
                    ((of(x[i] + h) - of(x[i] - h)) / (2.0 * h), (of(x[i] + h / 2.0) - of(x[i] - h / 2.0)) / h);
                let expected = (4.0 * fine - coarse) / 3.0;
                assert!((got - expected).abs() <= 1e-9, "{number}, {gamma}, {i}: {got:e}, by differences {expected:e}");
            }
        }
    }
}
