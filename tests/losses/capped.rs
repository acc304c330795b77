//! Soft-capped logits: the losses of cap tanh(x / cap), and gradients with respect to x.

use activations::{CrossEntropy, Element, Exact, Level, Targets};

use crate::axis::transposed;
use crate::big::Big;
use crate::cases::Bits;
use crate::judge::Expected;
use crate::number::{Number, for_each_type, stale};
use crate::refused::says;

/// Runs a loss: for some logits and targets, it writes losses and a gradient.
type Run<'a, T> = &'a dyn Fn(CrossEntropy, &[T], Targets<'_, T>, &mut [T], &mut [T]);

/// Compares `run` with results of 106 bits, for rows and along an axis, with classes and distributions. Both numbers of `slack` are ULP:
/// the first for each unit of the capped logits, whose errors loss and gradient inherit, and the second for their own roundings.
fn check<T: Number>(what: &str, slack: (f64, f64), run: Run<'_, T>) {
    let mut bits = Bits(9);
    for (outer, classes, inner) in [(40, 3, 1), (2, 60, 3), (1, 1_100, 1), (1, 4_200, 2), (1, 5_000, 1)] {
        for cap in [0.5, 30.0] {
            let what = format!("{what} of {}, {outer} x {classes} x {inner}, cap {cap}", T::TYPE);
            let rows = outer * inner;
            let x: Vec<T> = bits.numbers(rows * classes, 3.0 * cap);
            let labels: Vec<i64> =
                (0..rows).map(|i| if i % 6 == 4 { -100 } else { bits.below(classes) as i64 }).collect();
            let loss = CrossEntropy::axis(classes, inner).unwrap().soft_cap(cap).unwrap();
            let (mut losses, mut grad) = (stale::<T>(rows), stale::<T>(x.len()));
            run(loss, &transposed(&x, classes, inner, true), Targets::from(&labels), &mut losses, &mut grad);
            let grad = transposed(&grad, classes, inner, false);
            for (i, &label) in labels.iter().enumerate() {
                let of_row = i * classes..(i + 1) * classes;
                if label < 0 {
                    assert!(losses[i].is_zero() && grad[of_row].iter().all(|g| g.is_zero()), "{what}");
                    continue;
                }
                let ratios: Vec<Big> = x[of_row.clone()].iter().map(|x| x.big() / Big::of(cap)).collect();
                let capped: Vec<Big> = ratios.iter().map(|t| Big::of(cap) * t.tanh()).collect();
                let greatest = capped.iter().fold(Big::ZERO, |greatest, x| greatest.max(x.abs()));
                let (class, most) = (label as usize, capped.iter().fold(capped[0], |most, &x| most.max(x)));
                let z = most + capped.iter().map(|&x| (x - most).exp()).sum::<Big>().ln();
                let p: Vec<Big> = capped.iter().map(|&x| (x - z).exp()).collect();
                let rest: Big = p[..class].iter().chain(&p[class + 1..]).copied().sum();
                let exact = z - capped[class];
                let expected = Expected::of(exact, slack.0 + slack.1).floor(exact.max(greatest));
                expected.judge(losses[i]).unwrap_or_else(|why| panic!("{what}, row {i}: {why}"));
                for (j, &p) in p.iter().enumerate() {
                    let t = ratios[j].tanh();
                    let exact = if j == class { -rest } else { p } * (Big::ONE - t * t);
                    let bound = slack.0 * (greatest.to_f64() + ratios[j].abs().to_f64()) + slack.1;
                    let expected = Expected::of(exact, bound).any_zero();
                    expected
                        .judge(grad[of_row.start + j])
                        .unwrap_or_else(|why| panic!("{what}, row {i}, gradient {j}: {why}"));
                }
            }
        }
    }
}

fn at_all_levels<T: Number>() {
    for level in Level::available() {
        check::<T>(&level.to_string(), (12.0, 8.0), &|loss, x, targets, losses, grad| {
            loss.at(level).losses_and_gradient(x, targets, losses, grad);
            let mut alone = stale::<T>(losses.len());
            loss.at(level).losses(x, targets, &mut alone);
            assert!(alone.iter().zip(&*losses).all(|(a, b)| a.bits() == b.bits()), "{level}");
        });
    }
}

#[test]
fn capped_losses_are_those_of_the_capped_logits() {
    for_each_type!(at_all_levels());
}

fn exactly<T: Number + Element<Float = f32>>() {
    check::<T>("Exact", (0.0, 0.501), &|loss, x, targets, losses, grad| {
        Exact(loss).losses_and_gradient(x, targets, losses, grad);
    });
}

#[test]
fn exact_capped_losses_are_rounded_once() {
    exactly::<f32>();
    #[cfg(feature = "half")]
    {
        exactly::<half::f16>();
        exactly::<half::bf16>();
    }
}

fn special<T: Number>() {
    let [inf, nan, zero, cap] = [f64::INFINITY, f64::NAN, 0.0, 2.0].map(T::of);
    for level in Level::available() {
        let (capped, plain) =
            (CrossEntropy::new(3).unwrap().soft_cap(2.0).unwrap().at(level), CrossEntropy::new(3).unwrap());
        let mut grad = stale::<T>(3);
        let loss = capped.loss_and_gradient(&[inf, -inf, zero], &[1], &mut grad);
        let expected = plain.at(level).loss(&[cap, -cap, zero], &[1]);
        assert_eq!(loss.bits(), expected.bits(), "{} {level}", T::TYPE);
        assert!(grad[0].is_zero() && grad[1].is_zero() && grad[2] > zero, "{} {level}: {grad:?}", T::TYPE);
        assert!(capped.loss(&[nan, zero, zero], &[1]).is_nan());
    }
}

#[test]
fn an_infinite_logit_becomes_the_cap() {
    for_each_type!(special());
}

#[test]
fn caps_that_are_none_are_refused() {
    for cap in [0.0, -1.0, f64::INFINITY, f64::NAN] {
        let error = CrossEntropy::new(2).unwrap().soft_cap(cap).unwrap_err().to_string();
        says(&error, &["cross_entropy: `soft_cap`", "a finite number above 0"]);
    }
}
