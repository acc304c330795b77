//! Scores that are scaled, biased and masked, for all rows or by `Broadcast`, and input that is refused.

use crate::rowwise::{assert_near, forward, from_output, random};
use crate::support::{Bits, Float, Outputs, assert_same, sum};
use activations::{Activation, Broadcast, FromOutput, Level, LogSoftmax, Pieces, Scores, Softmax, Softmin};

/// Scores with any number of -inf among them, and where to keep them.
fn scores<T: Float>(bits: &mut Bits, len: usize) -> (Vec<T>, Vec<T>, Vec<bool>) {
    let x = random(bits, len, 20.0);
    let bias = (0..len)
        .map(|_| if bits.next().is_multiple_of(5) { T::neg_infinity() } else { T::of(bits.within(4.0)) })
        .collect();
    let keep = (0..len).map(|_| !bits.next().is_multiple_of(4)).collect();
    (x, bias, keep)
}

#[test]
fn scaled_biased_and_masked_is_the_function_of_those_scores() {
    // An eighth is exact, so scores are rounded once at every level, and gradients are not rounded again.
    const SCALE: f64 = 0.125;
    fn check<T: Float, F: Activation<T>>(
        name: &str,
        plain: F,
        scores_of: impl for<'a> Fn(Option<&'a [T]>, Option<&'a [bool]>) -> Box<dyn Activation<T> + 'a>,
        n: usize,
    ) {
        let mut bits = Bits(104 + n as u64);
        let rows = 1 + 3_000 / n;
        let (x, bias, keep) = scores::<T>(&mut bits, rows * n);
        let g = random::<T>(&mut bits, rows * n, 3.0);
        for (with_bias, with_mask) in [(false, false), (true, false), (false, true), (true, true)] {
            let prepared: Vec<T> = (0..x.len())
                .map(|i| match (with_bias, with_mask && !keep[i]) {
                    (_, true) => T::neg_infinity(),
                    (true, false) => x[i] * T::of(SCALE) + bias[i],
                    (false, false) => x[i] * T::of(SCALE),
                })
                .collect();
            let scores = scores_of(with_bias.then_some(&*bias), with_mask.then_some(&*keep));
            let (expected, got) = (Outputs::of(&plain, &prepared, &g), Outputs::of(&Boxed(scores), &x, &g));
            for ((method, expected), (_, got)) in expected.named().into_iter().zip(got.named()) {
                let mut expected = expected.to_vec();
                if !(method.contains("forward") && !method.contains("derivative") || method.ends_with("value")) {
                    for (i, d) in expected.iter_mut().enumerate() {
                        *d = if with_mask && !keep[i] { T::zero() } else { *d * T::of(SCALE) };
                    }
                }
                // A derivative of zero may have either sign.
                let no_sign =
                    |y: &[T]| y.iter().map(|&y| if y == T::zero() { T::zero() } else { y }).collect::<Vec<_>>();
                let what = format!("{name}, {method}, rows of {n}, bias {with_bias}, mask {with_mask}");
                assert_same(&what, &x, &no_sign(&expected), &no_sign(got));
            }
        }
    }
    struct Boxed<'a, T>(Box<dyn Activation<T> + 'a>);
    impl<T: Float> Activation<T> for Boxed<'_, T> {
        fn run(&self, level: Level, pass: activations::Pass<'_, T>) {
            self.0.run(level, pass);
        }
        fn pieces(&self) -> Pieces {
            self.0.pieces()
        }
    }
    macro_rules! check {
        ($function:ident, $float:ident) => {
            for n in [1, 3, 16, 33, 128, 1_000, 3_000] {
                let rows = $function::rows(n).unwrap();
                check::<$float, _>(
                    stringify!($function),
                    rows,
                    |bias, keep| {
                        let mut scores = rows.scaled(SCALE).unwrap();
                        if let Some(bias) = bias {
                            scores = scores.biased(bias).unwrap();
                        }
                        if let Some(keep) = keep {
                            scores = scores.masked(keep).unwrap();
                        }
                        Box::new(scores)
                    },
                    n,
                );
            }
        };
    }
    check!(Softmax, f32);
    check!(Softmax, f64);
    check!(LogSoftmax, f32);
    check!(LogSoftmax, f64);
}

#[test]
fn any_scale_is_within_the_rounding_of_the_scores() {
    fn check<T: Float>() {
        let mut bits = Bits(105);
        for (level, scale) in Level::available().flat_map(|l| [0.1, 1.0 / 3.0, 0.7, 1.1, 5.0].map(|s| (l, s))) {
            for n in [2, 20, 100, 2_000] {
                let x = random::<T>(&mut bits, n, 20.0);
                let bias = random::<T>(&mut bits, n, 5.0);
                let rows = Softmax::rows(n).unwrap().scaled(scale).unwrap().biased(&bias).unwrap();
                let got = forward(&level.with(rows), &x);
                let s: Vec<f64> = x.iter().zip(&bias).map(|(x, b)| x.wide() * T::of(scale).wide() + b.wide()).collect();
                let max = s.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let total = sum(s.iter().map(|s| (s - max).exp()));
                let p: Vec<f64> = s.iter().map(|s| (s - max).exp() / total).collect();
                // Each score is off by an ULP at most, in two roundings, and the greatest score's error is in all results.
                let largest = s.iter().fold(0.0_f64, |m, s| m.max(s.abs())).max(20.0 * scale);
                let what = format!("softmax of x * {scale} + bias at {level}, row of {n}");
                assert_near(&what, &p, |i| T::EPS * p[i] * (4.0 + 2.0 * largest) + T::TINY, &got);
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn a_broadcast_repeats_a_bias_or_mask_as_documented() {
    let mut bits = Bits(106);
    for (rows, n) in [(4, 5), (6, 64), (4, 1_000), (400, 30), (8, 9_000)] {
        let (x, bias, keep) = scores::<f32>(&mut bits, rows * n);
        let softmax = Softmax::rows(n).unwrap();
        let check = |what: &str, short: Scores<'_, Softmax, f32>, row_of: &dyn Fn(usize) -> usize, pieces: usize| {
            let full_bias: Vec<f32> = (0..rows * n).map(|i| bias[row_of(i / n) * n + i % n]).collect();
            let full_keep: Vec<bool> = (0..rows * n).map(|i| keep[row_of(i / n) * n + i % n]).collect();
            let full = softmax.masked(&full_keep).unwrap().biased(&full_bias).unwrap();
            let (expected, got) = (Outputs::of(&full, &x, &x), Outputs::of(&short, &x, &x));
            for ((method, expected), (_, got)) in expected.named().into_iter().zip(got.named()) {
                assert_same(&format!("{method}, {rows} rows of {n}, {what}"), &x, expected, got);
            }
            assert_eq!(Activation::<f32>::pieces(&short), Pieces::Rows(pieces), "{rows} rows of {n}, {what}");
        };
        // One row, and as many rows as the data, need no `Broadcast`.
        let one = softmax.biased(&bias[..n]).unwrap().masked(&keep[..n]).unwrap();
        check("one row", one, &|_| 0, n);
        let all = softmax.biased(&bias[..rows * n]).unwrap().masked(&keep[..rows * n]).unwrap();
        check("all rows", all, &|row| row, rows * n);
        let two = 2 * n;
        let cycled = softmax.biased(Broadcast::cycled(&bias[..two])).unwrap();
        let cycled = cycled.masked(Broadcast::cycled(&keep[..two])).unwrap();
        check("two rows again and again", cycled, &|row| row % 2, two);
        let each = softmax.biased(Broadcast::each(&bias[..two], rows / 2)).unwrap();
        let each = each.masked(Broadcast::each(&keep[..two], rows / 2)).unwrap();
        check("two rows, each for half of all", each, &|row| row / (rows / 2), rows * n);
        // Without a row length, the mask is one row.
        let one = Softmax::default().masked(&keep[..n]).unwrap();
        let by_rows = softmax.masked(&keep[..n]).unwrap();
        assert_same("mask of default rows", &x, &forward(&by_rows, &x), &forward(&one, &x));
    }
}

#[test]
fn masked_elements_do_not_matter() {
    let mut bits = Bits(107);
    for level in Level::available() {
        for n in [3, 31, 40, 500, 2_000] {
            let (x, _, mut keep) = scores::<f64>(&mut bits, 3 * n);
            (0..3).for_each(|row| keep[row * n] = true);
            let mut other = x.clone();
            for (other, _) in other.iter_mut().zip(&keep).filter(|(_, keep)| !**keep) {
                *other = [f64::NAN, f64::INFINITY, 1e300, -1e300][(bits.next() % 4) as usize];
            }
            let masked = level.with(Softmax::rows(n).unwrap().masked(&keep).unwrap());
            let (expected, got) = (Outputs::of(&masked, &x, &x), Outputs::of(&masked, &other, &x));
            for ((method, expected), (_, got)) in expected.named().into_iter().zip(got.named()) {
                assert_same(&format!("masked softmax at {level}, {method}, rows of {n}"), &x, expected, got);
                assert!(expected.iter().zip(&keep).all(|(y, keep)| *keep || *y == 0.0), "{method}: masked, but not 0");
            }
        }
    }
}

#[test]
fn empty_rows_are_nan_or_zeros_and_leave_the_others_alone() {
    fn check<F: FromOutput<f32>, G: FromOutput<f32>>(name: &str, n: usize, nan: &F, zeros: &G, keep: &[bool]) {
        let mut bits = Bits(108);
        let (x, g) = (random::<f32>(&mut bits, keep.len(), 5.0), random::<f32>(&mut bits, keep.len(), 5.0));
        let (with_nan, with_zeros) = (Outputs::of(nan, &x, &g), Outputs::of(zeros, &x, &g));
        for ((method, with_nan), (_, with_zeros)) in with_nan.named().into_iter().zip(with_zeros.named()) {
            for (row, (a, b)) in with_nan.chunks(n).zip(with_zeros.chunks(n)).enumerate() {
                let what = format!("{name}, {method}, row {row} of {n}");
                if keep[row * n..][..n].contains(&true) {
                    assert_same(&what, &[], a, b);
                } else {
                    assert_same(&what, &[], &vec![0.0; n], b);
                    let slopes = method.contains("derivative") && !method.ends_with("value") || method == "backward";
                    assert!(slopes || a.iter().all(|y| y.is_nan()), "{what}: {a:?}");
                }
            }
        }
        let from_output = from_output(zeros, &with_zeros.forward, &g);
        for (row, grad) in from_output.chunks(n).enumerate().filter(|(row, _)| !keep[row * n..][..n].contains(&true)) {
            assert!(grad.iter().all(|g| *g == 0.0), "{name}, from output, row {row} of {n}: {grad:?}");
        }
    }
    for n in [1, 4, 33, 700, 5_000] {
        for empty in [vec![0], vec![1, 2], vec![4], vec![0, 1, 2, 3, 4], vec![]] {
            let keep: Vec<bool> = (0..5 * n).map(|i| !empty.contains(&(i / n)) && (i % n == 0 || i % 3 == 0)).collect();
            let masked = Softmax::rows(n).unwrap().masked(&keep).unwrap();
            check("softmax", n, &masked, &masked.empty_rows_are_zeros(), &keep);
            let masked = LogSoftmax::rows(n).unwrap().masked(&keep).unwrap();
            check("log_softmax", n, &masked, &masked.empty_rows_are_zeros(), &keep);
        }
    }
    // Without a mask, too.
    let mut y = [1.0_f64; 4];
    let x = [f64::NEG_INFINITY, f64::NEG_INFINITY, 0.0, 0.0];
    Softmax::rows(2).unwrap().empty_rows_are_zeros().forward(&x, &mut y);
    assert_eq!(y, [0.0, 0.0, 0.5, 0.5]);
    let mut y = [1.0_f64; 2];
    Softmin::default().empty_rows_are_zeros().forward(&[f64::INFINITY; 2], &mut y);
    assert_eq!(y, [0.0; 2]);
    // NaN is not empty.
    Softmax::default().empty_rows_are_zeros().forward(&[f64::NAN, f64::NEG_INFINITY], &mut y);
    assert!(y.iter().all(|y| y.is_nan()));
}

#[test]
fn scores_refuse_input_that_does_not_fit() {
    let softmax = Softmax::rows(4).unwrap();
    for scale in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let text = softmax.scaled::<f32>(scale).unwrap_err().to_string();
        assert!(text.contains("softmax") && text.contains("scale") && text.contains("above 0"), "{text}");
    }
    assert!(softmax.masked::<f32>(&[true; 6]).unwrap_err().to_string().contains("whole number of rows"));
    assert!(softmax.biased(&[0.0_f32; 6]).is_err());
    let eight = softmax.masked::<f32>(&[true; 8]).unwrap();
    for len in [12, 16] {
        let text = eight.biased(&vec![0.0; len]).unwrap_err().to_string();
        assert!(text.contains(&len.to_string()) && text.contains("as long as the data"), "{text}");
    }
    assert!(eight.biased(&[0.0; 4]).is_ok() && eight.biased(&[0.0; 8]).is_ok());
    let cycled = softmax.masked::<f32>(Broadcast::cycled(&[true; 8])).unwrap();
    assert!(cycled.biased(Broadcast::cycled(&[0.0; 12])).unwrap_err().to_string().contains("multiple"));
    assert!(cycled.biased(&[0.0; 4]).is_ok() && cycled.biased(&[0.0; 16]).is_ok());
    for (len, inner) in [(0, 1), (1, 0), (usize::MAX, 2), (5, usize::MAX)] {
        assert!(Softmax::axis(len, inner).is_err(), "{len} x {inner}");
    }
    assert!(Softmax::axis(8_193, 1).is_ok() && Softmax::axis(8_193, 2).is_ok());
    let panics = |scores: Scores<'_, Softmax, f32>, len: usize| {
        std::panic::catch_unwind(|| scores.forward(&vec![0.0; len], &mut vec![0.0; len])).is_err()
    };
    assert!(panics(eight, 4) && panics(eight, 12) && panics(eight, 16) && !panics(eight, 8) && !panics(eight, 0));
    assert!(panics(cycled, 4) && panics(cycled, 12) && !panics(cycled, 8) && !panics(cycled, 16));
    let message = std::panic::catch_unwind(|| eight.forward(&[0.0; 16], &mut [0.0; 16])).unwrap_err();
    let message = message.downcast_ref::<String>().unwrap();
    assert!(message.contains("8 elements") && message.contains("16") && message.contains("Broadcast"), "{message}");
    assert!(panics(softmax.masked(&[]).unwrap(), 4) && !panics(softmax.masked(&[]).unwrap(), 0));
}
