//! The scores of attention: sinks, causal masks without an array, windows, soft caps, and all their gradients.

use crate::rowwise::{forward, from_output, random};
use crate::support::{Bits, Float, Outputs, assert_same, show, sum, ulps, wide};
use activations::{Activation, Broadcast, FromOutput, Level, LogSoftmax, Scores, SinkGradient, Softmax, Softmin};

/// Just below and above the sizes of rows side by side, columns, groups, chunks and tiles, without and with a sink.
const LENGTHS: [usize; 14] = [1, 2, 31, 32, 33, 56, 57, 128, 1_000, 1_023, 1_024, 4_095, 4_096, 9_000];

/// Exact scales, so that scores are rounded once at every level, and gradients are not rounded again.
const SCALE: f64 = 0.125;

/// Zeros that a mask makes may have either sign.
fn without_signs<T: Float>(y: &[T]) -> Vec<T> {
    y.iter().map(|&y| if y == T::zero() { T::zero() } else { y }).collect()
}

fn is_slope(method: &str) -> bool {
    method.contains("derivative") && !method.ends_with("value") || method == "backward"
}

/// The sink is one more element, after scores that are scaled, biased and masked. A function of rows with that element has the same
/// bits.
#[test]
fn a_sink_is_one_more_element() {
    fn check<T: Float, A: Activation<T>, S: SinkGradient<T> + FromOutput<T>>(
        (name, sign): (&str, f64),
        n: usize,
        longer: &A,
        scores: impl Fn(&[T], &[T], &[bool]) -> S,
    ) {
        let mut bits = Bits(700 + n as u64);
        let rows = 2 * (1 + 600 / n);
        let (x, g): (Vec<T>, Vec<T>) = (random(&mut bits, rows * n, 20.0), random(&mut bits, rows * n, 3.0));
        let bias: Vec<T> = random(&mut bits, n, 2.0);
        let keep: Vec<bool> = (0..n).map(|_| !bits.next().is_multiple_of(4)).collect();
        let sinks = [T::of(1.5), T::of(-40.0)];
        let (mut long_x, mut long_g) = (Vec::new(), Vec::new());
        for (row, (x, g)) in x.chunks(n).zip(g.chunks(n)).enumerate() {
            let score = |i: usize| T::of(sign * SCALE) * x[i] + bias[i];
            let kept = |i: usize| if keep[i] { T::of(sign) * score(i) } else { T::of(-sign * f64::INFINITY) };
            long_x.extend((0..n).map(kept).chain([T::of(sign) * sinks[row / (rows / 2)]]));
            long_g.extend(g.iter().copied().chain([T::zero()]));
        }
        let shorter = |y: &[T]| y.chunks(n + 1).flat_map(|row| row[..n].to_vec()).collect::<Vec<T>>();
        let scores = scores(&sinks, &bias, &keep);
        let (expected, got) = (Outputs::of(longer, &long_x, &long_g), Outputs::of(&scores, &x, &g));
        for ((method, expected), (_, got)) in expected.named().into_iter().zip(got.named()) {
            let mut expected = shorter(expected);
            if is_slope(method) {
                for (i, y) in expected.iter_mut().enumerate() {
                    *y = if keep[i % n] { *y * T::of(SCALE) } else { T::zero() };
                }
            }
            let what = format!("{name} with a sink, {method}, rows of {n}");
            assert_same(&what, &x, &without_signs(&expected), &without_signs(got));
        }
        let (mut grad_x, mut grad_sink) = (vec![T::nan(); x.len()], [T::nan(); 2]);
        scores.backward_with_sink(&x, &g, &mut grad_x, &mut grad_sink);
        assert_same(&format!("{name} with a sink, rows of {n}"), &x, &got.backward, &grad_x);
        let last: Vec<f64> = expected.backward.chunks(n + 1).map(|row| sign * row[n].wide()).collect();
        for (i, (grad_sink, terms)) in grad_sink.iter().zip(last.chunks(rows / 2)).enumerate() {
            let exact = sum(terms.iter().copied());
            let got = ulps(T::of(exact), *grad_sink);
            assert!(got <= 1, "{name}, rows of {n}, sink {i}: expected {exact:e}, got {}", show(*grad_sink));
        }
    }
    macro_rules! check {
        ($($function:ident $sign:literal $float:ident)*) => {$(
            for (level, n) in Level::available().flat_map(|level| LENGTHS.map(|n| (level, n))) {
                check::<$float, _, _>(
                    (stringify!($function), $sign),
                    n,
                    &level.with($function::rows(n + 1).unwrap()),
                    |sinks, bias, keep| {
                        // Leaked, because a closure's type cannot say that its result borrows.
                        let (sinks, bias, keep) = (sinks.to_vec().leak(), bias.to_vec().leak(), keep.to_vec().leak());
                        let rows = 1 + 600 / n;
                        let scores = $function::rows(n).unwrap().sink(Broadcast::each(&*sinks, rows)).unwrap();
                        let scores = scores.masked(&*keep).unwrap().biased(&*bias).unwrap();
                        level.with(scores.scaled(SCALE).unwrap())
                    },
                );
            }
        )*};
    }
    check!(Softmax 1.0 f32 Softmax 1.0 f64 LogSoftmax 1.0 f32 LogSoftmax 1.0 f64 Softmin -1.0 f32);
}

/// Which elements row number `row` sees.
fn seen(row: usize, column: usize, queries: usize, offset: isize, window: Option<usize>) -> bool {
    let last = (row % queries) as isize + offset;
    let column = column as isize;
    column <= last && window.is_none_or(|window| column > last - window as isize)
}

#[test]
fn a_causal_mask_is_the_mask_of_an_array() {
    fn check<T: Float>() {
        let mut bits = Bits(701);
        for (n, queries, offset) in [
            (1, 1, 0),
            (5, 5, 0),
            (31, 3, 28),
            (33, 40, 0),
            (64, 64, 0),
            (100, 100, 0),
            (130, 7, 123),
            (200, 230, -30),
            (1_000, 10, 990),
            (1_100, 8, 500),
            (5_000, 2, 4_998),
            (9_000, 3, 4_200),
            (9_000, 2, -1),
        ] {
            for (window, level) in [None, Some(1), Some(20), Some(n / 2 + 1)]
                .into_iter()
                .flat_map(|w| Level::available().map(move |l| (w, l)))
            {
                let rows = 2 * queries;
                let mut x: Vec<T> = random(&mut bits, rows * n, 10.0);
                let g: Vec<T> = random(&mut bits, rows * n, 3.0);
                let keep: Vec<bool> = (0..rows * n).map(|i| seen(i / n, i % n, queries, offset, window)).collect();
                // A hidden NaN does not matter, but a NaN that is seen makes its row NaN.
                for (i, x) in x.iter_mut().enumerate().filter(|&(i, _)| !keep[i]) {
                    *x = [T::nan(), T::infinity(), T::zero()][i % 3];
                }
                if let Some(i) = (0..rows * n).rev().find(|&i| keep[i]) {
                    x[i] = T::nan();
                }
                let what = format!("{queries} queries of {n} keys, offset {offset}, window {window:?}, at {level}");
                let causal = |scores: Scores<'static, Softmax, T>| match window {
                    None => scores.causal(queries, offset).unwrap(),
                    Some(window) => scores.causal(queries, offset).unwrap().window(window).unwrap(),
                };
                let sums: Vec<f64> = g.chunks(n).map(|g| g.iter().map(|g| g.wide().abs()).sum()).collect();
                let log = LogSoftmax::rows(n).unwrap().scaled::<T>(SCALE).unwrap();
                let with_window = |scores: Scores<'static, LogSoftmax, T>| match window {
                    None => scores,
                    Some(window) => scores.window(window).unwrap(),
                };
                let a = Outputs::of(&level.with(log.masked(&keep).unwrap()), &x, &g);
                let b = Outputs::of(&level.with(with_window(log.causal(queries, offset).unwrap())), &x, &g);
                for ((method, expected), (_, got)) in a.named().into_iter().zip(b.named()) {
                    for (i, (&e, &y)) in expected.iter().zip(got).enumerate() {
                        // The gradient contains the sum of all of `grad_y`, hidden or not.
                        let sum = sums[i / n];
                        let within = match method {
                            "backward" => {
                                (e - y).wide().abs() <= 8.0 * T::EPS * (sum + 4.0) || e.is_nan() && y.is_nan()
                            }
                            _ => ulps(e, y) <= 6,
                        };
                        assert!(within, "log-softmax, {what}, {method}, row {}, {}: {e:e}, {y:e}", i / n, i % n);
                    }
                }
                let softmax = Softmax::rows(n).unwrap();
                let scores = softmax.scaled::<T>(SCALE).unwrap();
                for (a, b) in [
                    (scores.masked(&keep).unwrap(), causal(scores)),
                    (scores.masked(&keep).unwrap().empty_rows_are_zeros(), causal(scores.empty_rows_are_zeros())),
                ] {
                    let (expected, got) = (Outputs::of(&level.with(a), &x, &g), Outputs::of(&level.with(b), &x, &g));
                    for ((method, expected), (_, got)) in expected.named().into_iter().zip(got.named()) {
                        for (i, (&e, &y)) in expected.iter().zip(got).enumerate() {
                            // Both are within 3 ULP of the exact value; a gradient is a difference.
                            let within = match method {
                                "backward" => (e - y).wide().abs() <= 16.0 * T::EPS || e.is_nan() && y.is_nan(),
                                _ => ulps(e, y) <= 6,
                            };
                            assert!(within, "{what}, {method}, row {}, {}: {e:e}, {y:e}", i / n, i % n);
                        }
                    }
                    let y = &expected.forward;
                    let (expected, got) = (from_output(&a, y, &g), from_output(&b, y, &g));
                    for (i, (&e, &y)) in expected.iter().zip(&got).enumerate() {
                        let within = (e - y).wide().abs() <= 16.0 * T::EPS || e.is_nan() && y.is_nan();
                        assert!(within, "{what}, from output, row {}, {}: {e:e}, {y:e}", i / n, i % n);
                    }
                }
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

/// Compares with soft-capped scores in `f64`.
#[test]
fn soft_capped_scores_are_within_their_rounding() {
    let mut bits = Bits(702);
    for (level, n) in Level::available().flat_map(|level| [1, 2, 33, 500, 5_000].map(|n| (level, n))) {
        for (cap, scale, size) in
            [(50.0, 1.0, 100.0), (30.0, 0.3, 20.0), (2.0, 1.0, 1e-3), (1e30, 1.0, 5.0), (1e-3, 7.0, 5.0)]
        {
            let (x, g): (Vec<f32>, Vec<f32>) = (random(&mut bits, 2 * n, size), random(&mut bits, 2 * n, 3.0));
            let keep: Vec<bool> = (0..n).map(|i| i == 0 || !bits.next().is_multiple_of(5)).collect();
            let softmax = Softmax::rows(n).unwrap().scaled(scale).unwrap().soft_cap(cap).unwrap();
            let softmax = level.with(softmax.masked(&keep).unwrap());
            let got = Outputs::of(&softmax, &x, &g);
            for row in 0..2 {
                let at = |i: usize| row * n + i;
                let u: Vec<f64> = (0..n).map(|i| x[at(i)].wide() * scale / cap).collect();
                let s: Vec<f64> = (0..n).map(|i| if keep[i] { cap * u[i].tanh() } else { f64::NEG_INFINITY }).collect();
                let max = s.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let total = sum(s.iter().map(|s| (s - max).exp()));
                let p: Vec<f64> = s.iter().map(|s| (s - max).exp() / total).collect();
                let mean = sum((0..n).map(|i| p[i] * g[at(i)].wide()));
                // The errors of a score and of the greatest score, 6 ULP each.
                let largest = (0..n).filter(|&i| keep[i]).fold(0.0_f64, |m, i| m.max(s[i].abs()));
                let relative = f64::from(f32::EPSILON) * (3.0 + 12.0 * largest);
                for i in 0..n {
                    // sech^2, which does not cancel.
                    let flat = if keep[i] { scale / u[i].cosh().powi(2) } else { 0.0 };
                    let what = format!("cap {cap}, scale {scale}, {n} numbers at {level}, element {i}");
                    let near = |part: &str, expected: f64, noise: f64, got: f32| {
                        let error = (expected - got.wide()).abs();
                        assert!(
                            error <= noise + (1.0 + scale) * f32::TINY,
                            "{part}, {what}: {expected:e}, got {got:e}"
                        );
                    };
                    near("forward", p[i], p[i] * relative, got.forward[at(i)]);
                    near("in place", p[i], p[i] * relative, got.in_place[at(i)]);
                    let diagonal = p[i] * (1.0 - p[i]) * flat;
                    // 1 - p has the errors of all other probabilities, and sech^2 the rounding errors of its argument.
                    let relative = relative + f64::from(f32::EPSILON) * (4.0 + 3.0 * u[i].abs());
                    near("derivative", diagonal, p[i] * flat * 2.0 * relative, got.derivative[at(i)]);
                    let size = g[at(i)].wide().abs() + sum((0..n).map(|j| p[j] * g[at(j)].wide().abs()));
                    let gradient = p[i] * (g[at(i)].wide() - mean) * flat;
                    near("backward", gradient, p[i] * flat * size * 3.0 * relative, got.backward[at(i)]);
                }
            }
        }
    }
    // The limits: infinities become the cap, and NaN stays.
    let softmax = Softmax::rows(2).unwrap().soft_cap(3.0).unwrap();
    let expected = forward(&Softmax::rows(2).unwrap(), &[3.0_f64, -3.0]);
    assert_eq!(forward(&softmax, &[f64::INFINITY, f64::NEG_INFINITY]), expected);
    assert!(forward(&softmax, &[f64::NAN, 0.0]).iter().all(|p| p.is_nan()));
    let grad = softmax.backward_vec(&[f64::INFINITY, 0.0], &[1.0, 2.0]);
    assert!(grad[0] == 0.0 && grad[1] > 0.0, "{grad:?}");
}

/// If rows are shifted because their scores leave the range, their sinks are shifted too.
#[test]
fn sinks_of_scores_beyond_the_range_are_the_limit() {
    let p = |x: &[f32], scale: f64, sink: f32| {
        let sink = [sink];
        let softmax = Softmax::rows(x.len()).unwrap().sink(&sink).unwrap().scaled(scale).unwrap();
        forward(&softmax, x)
    };
    assert_eq!(p(&[20.0, 18.0], 1e38, 0.0), [1.0, 0.0]);
    assert_eq!(p(&[20.0, 20.0], 1e38, 3e38), [0.5, 0.5]);
    assert_eq!(p(&[-20.0, -18.0], 1e38, 0.0), [0.0, 0.0]);
    assert_eq!(p(&[-20.0, -18.0], 1e38, f32::NEG_INFINITY), [0.0, 1.0]);
    assert_eq!(p(&[-1.0, 3.0], 1e38, f32::MAX), [0.0, 0.0]);
    assert_eq!(p(&[-1.0, 0.0], 1e38, 0.0), [0.0, 0.5]);
    // Rows side by side, each with its own shift, and one row without a shift.
    let (n, top) = (5_000, |lane: usize| 100 * lane + 7);
    let x: Vec<f32> = (0..3 * n).map(|i| if i / 3 == top(i % 3) { 20.0 } else { [1.0, 19.0, -0.5][i % 3] }).collect();
    let softmax = Softmax::axis(n, 3).unwrap().scaled(1e38).unwrap().sink(&[0.0, f32::MAX, f32::NEG_INFINITY]).unwrap();
    for (i, p) in forward(&softmax, &x).into_iter().enumerate() {
        assert_eq!(p, if i / 3 == top(i % 3) { 1.0 } else { 0.0 }, "element {i}");
    }
    let long: Vec<f32> = (0..9_000).map(|i| if i == 7 { 20.0 } else { 1.0 }).collect();
    let p = p(&long, 1e38, 5.0);
    assert!(p[7] == 1.0 && p.iter().filter(|&&p| p == 0.0).count() == 8_999);
}

#[test]
fn a_sink_keeps_a_row_from_being_empty() {
    let x = [f64::NEG_INFINITY; 4];
    for sink in [[-3.0], [0.0], [700.0]] {
        let softmax = Softmax::rows(2).unwrap().sink(&sink).unwrap();
        for softmax in [softmax, softmax.empty_rows_are_zeros(), softmax.masked(&[false; 2]).unwrap()] {
            assert_eq!(forward(&softmax, &x), [0.0; 4]);
            let (mut grad_x, mut grad_sink) = ([f64::NAN; 4], [f64::NAN]);
            softmax.backward_with_sink(&x, &[1.0, 2.0, 3.0, 4.0], &mut grad_x, &mut grad_sink);
            assert_eq!((grad_x, grad_sink), ([0.0; 4], [0.0]));
        }
        let log = LogSoftmax::rows(2).unwrap().sink(&sink).unwrap();
        assert_eq!(forward(&log, &x), x);
    }
    let none = Softmax::rows(2).unwrap().sink(&[f64::NEG_INFINITY]).unwrap();
    assert!(forward(&none, &x).iter().all(|p| p.is_nan()));
    assert_eq!(forward(&none.empty_rows_are_zeros(), &x), [0.0; 4]);
    assert_eq!(forward(&none, &[1.0, 1.0, 2.0, 2.0]), [0.5; 4]);
    for n in [2, 5_000] {
        let zeros = Softmax::axis(n, 2).unwrap().sink(&[f64::NEG_INFINITY, 0.0]).unwrap().empty_rows_are_zeros();
        let (x, mut grad_x, mut grad_sink) = (vec![f64::NEG_INFINITY; 2 * n], vec![f64::NAN; 2 * n], [f64::NAN; 2]);
        zeros.backward_with_sink(&x, &vec![1.0; 2 * n], &mut grad_x, &mut grad_sink);
        assert!(grad_x.iter().all(|g| *g == 0.0) && grad_sink == [0.0; 2], "{grad_sink:?}");
    }
    for sink in [[f64::NAN], [f64::INFINITY]] {
        let softmax = Softmax::rows(2).unwrap().sink(&sink).unwrap();
        assert!(forward(&softmax, &[0.0; 4]).iter().all(|p| p.is_nan()));
    }
}

#[test]
fn rows_along_another_axis_have_the_same_sinks_and_causal_masks() {
    let mut bits = Bits(703);
    for (outer, n, inner) in [(1, 3, 2), (4, 5, 3), (2, 40, 8), (2, 1_000, 4), (1, 5_000, 4)] {
        let rows = outer * inner;
        let adjacent: Vec<f32> = random(&mut bits, rows * n, 8.0);
        // The element c of row (o, k) is at (o n + c) inner + k.
        let place = |row: usize, c: usize| (row / inner * n + c) * inner + row % inner;
        let mut x = vec![0.0_f32; rows * n];
        (0..rows).for_each(|row| (0..n).for_each(|c| x[place(row, c)] = adjacent[row * n + c]));
        let sinks: Vec<f32> = random(&mut bits, inner, 4.0);
        let keep: Vec<bool> = (0..rows * n).map(|i| seen(i / n, i % n, inner, 1, Some(30))).collect();
        // Rows of masks as arrays, because rows of causal masks are only computed up to a column.
        let a = Softmax::rows(n).unwrap().masked(&keep).unwrap().sink(Broadcast::each_cycled(&sinks, 1)).unwrap();
        let b = Softmax::axis(n, inner).unwrap().causal(inner, 1).unwrap().window(30).unwrap().sink(&sinks).unwrap();
        let (a_out, b_out) = (Outputs::of(&a, &adjacent, &adjacent), Outputs::of(&b, &x, &x));
        for ((method, expected), (_, got)) in a_out.named().into_iter().zip(b_out.named()) {
            let got: Vec<f32> = (0..rows * n).map(|i| got[place(i / n, i % n)]).collect();
            assert_same(&format!("{method}, {outer} x {n} x {inner}"), &adjacent, expected, &got);
        }
        let (mut grad, mut expected, mut got) = (vec![0.0; x.len()], vec![0.0; inner], vec![0.0; inner]);
        a.backward_with_sink(&adjacent, &adjacent, &mut grad, &mut expected);
        b.backward_with_sink(&x, &x, &mut grad, &mut got);
        assert_same(&format!("sinks, {outer} x {n} x {inner}"), &[], &expected, &got);
    }
}

/// Halves are computed in `f32` and rounded once. So are the sinks' gradients.
#[cfg(feature = "half")]
#[test]
fn halves_are_rounded_once() {
    use half::{bf16, f16};

    fn check<T: activations::Element<Float = f32> + Into<f32>>(of: fn(f32) -> T) {
        let mut bits = Bits(704);
        for (n, queries, offset) in [(3, 3, 0), (40, 5, 35), (600, 10, 590), (5_000, 2, 100)] {
            let rows = 2 * queries;
            let half = |numbers: Vec<f32>| numbers.into_iter().map(of).collect::<Vec<T>>();
            let wide = |numbers: &[T]| numbers.iter().map(|&x| x.into()).collect::<Vec<f32>>();
            let x = half(random(&mut bits, rows * n, 8.0));
            let g = half(random(&mut bits, rows * n, 3.0));
            let sinks = half(random(&mut bits, queries, 3.0));
            let (wide_x, wide_g, wide_sinks) = (wide(&x), wide(&g), wide(&sinks));
            macro_rules! scores {
                ($sinks:expr) => {
                    Softmax::rows(n)
                        .unwrap()
                        .scaled(0.3)
                        .unwrap()
                        .soft_cap(5.0)
                        .unwrap()
                        .causal(queries, offset)
                        .unwrap()
                        .window(n / 2 + 1)
                        .unwrap()
                        .sink(Broadcast::each_cycled($sinks, 1))
                        .unwrap()
                };
            }
            let (halves, floats) = (scores!(&sinks), scores!(&wide_sinks));
            let (got, expected) = (Outputs::of(&halves, &x, &g), Outputs::of(&floats, &wide_x, &wide_g));
            for ((method, expected), (_, got)) in expected.named().into_iter().zip(got.named()) {
                let expected = wide(&half(expected.to_vec()));
                assert_same(&format!("{method}, {queries} queries of {n}"), &wide_x, &expected, &wide(got));
            }
            let (mut grad, mut grad_sink) = (vec![T::nan(); x.len()], vec![T::nan(); queries]);
            halves.backward_with_sink(&x, &g, &mut grad, &mut grad_sink);
            let (mut wide_grad, mut wide_grad_sink) = (vec![f32::NAN; x.len()], vec![f32::NAN; queries]);
            floats.backward_with_sink(&wide_x, &wide_g, &mut wide_grad, &mut wide_grad_sink);
            assert_same("grad_x", &wide_x, &wide(&half(wide_grad)), &wide(&grad));
            assert_same("grad_sink", &wide_sinks, &wide(&half(wide_grad_sink)), &wide(&grad_sink));
        }
    }
    check::<f16>(f16::from_f32);
    check::<bf16>(bf16::from_f32);
}

#[test]
fn a_sink_for_each_row_has_a_gradient_for_each() {
    let mut bits = Bits(705);
    for (rows, n) in [(1, 5), (7, 64), (130, 40), (3, 5_000)] {
        let (x, g): (Vec<f64>, Vec<f64>) = (random(&mut bits, rows * n, 5.0), random(&mut bits, rows * n, 3.0));
        let sinks: Vec<f64> = random(&mut bits, rows, 5.0);
        let softmax = Softmax::rows(n).unwrap().sink(&sinks).unwrap();
        let (mut grad, mut grad_sink) = (vec![f64::NAN; rows * n], vec![f64::NAN; rows]);
        softmax.backward_with_sink(&x, &g, &mut grad, &mut grad_sink);
        assert_eq!(SinkGradient::<f64>::sinks(&softmax), rows);
        for row in 0..rows {
            // The gradients of all scores and the sink sum to 0.
            let total = sum(grad[row * n..][..n].iter().copied()) + grad_sink[row];
            assert!(total.abs() <= 1e-15 * wide(&g[row * n..][..n]).iter().map(|g| g.abs()).sum::<f64>(), "{total:e}");
        }
    }
    // A function without sinks has no gradients of sinks.
    let mut grad = [0.0_f32; 2];
    Softmax::rows(2).unwrap().scaled(1.0).unwrap().backward_with_sink(&[0.0; 2], &[1.0, 0.0], &mut grad, &mut []);
    assert_eq!(grad, [0.25, -0.25]);
    let off = Softmax::default().sink(&[0.0_f32]).unwrap();
    assert_eq!(forward(&off, &[0.0; 4]), [0.2; 4]);
    assert!(forward(&off, &[]).is_empty());
}

#[test]
fn input_that_does_not_fit_is_refused() {
    let softmax = Softmax::rows(4).unwrap();
    let text = |scores: Result<Scores<'_, Softmax, f32>, activations::ParameterError>| scores.unwrap_err().to_string();
    for cap in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let text = text(softmax.soft_cap(cap));
        assert!(text.contains("softmax") && text.contains("soft_cap") && text.contains("above 0"), "{text}");
    }
    assert!(text(softmax.causal(0, 0)).contains("queries"));
    assert!(text(Softmax::default().causal(3, 0)).contains("one row"));
    assert!(text(Softmax::axis(4, 6).unwrap().causal(4, 0)).contains("side by side"));
    assert!(Softmax::axis(4, 6).unwrap().causal::<f32>(3, 0).is_ok());
    assert!(text(softmax.causal(2, 0).unwrap().window(0)).contains("window"));
    assert!(text(softmax.scaled(1.0).unwrap().window(3)).contains("causal"));
    assert!(text(Softmax::default().sink(&[0.0; 2])).contains("number of sinks"));
    assert!(text(Softmax::axis(4, 3).unwrap().sink(&[0.0; 4])).contains("side by side"));
    let two = softmax.causal::<f32>(2, 0).unwrap();
    assert!(text(two.masked(Broadcast::cycled(&[true; 12]))).contains("multiple"));
    assert!(text(two.sink(Broadcast::each_cycled(&[0.0; 3], 1))).contains("multiple"));
    assert!(two.sink(Broadcast::each_cycled(&[0.0; 3], 2)).is_ok() && two.sink(&[0.0; 2]).is_ok());
    let panics = |f: &dyn Fn()| {
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f));
        *result.expect_err("a panic").downcast::<String>().expect("a message")
    };
    let message = panics(&|| two.forward(&[0.0; 12], &mut [0.0; 12]));
    assert!(message.contains("12") && message.contains('8'), "{message}");
    let message = panics(&|| softmax.sink(&[0.0; 2]).unwrap().forward(&[0.0; 16], &mut [0.0; 16]));
    assert!(message.contains("sinks are for data of 8"), "{message}");
    let capped = softmax.soft_cap(1.0).unwrap();
    let message = panics(&|| capped.backward_from_output(&[0.25; 4], &[1.0; 4], &mut [0.0; 4]));
    assert!(message.contains("soft-capped") && message.contains("backward"), "{message}");
    let one = softmax.sink(&[0.0]).unwrap();
    let message = panics(&|| one.backward_with_sink(&[0.0; 4], &[1.0; 4], &mut [0.0; 4], &mut [0.0; 2]));
    assert!(message.contains("grad_sink") && message.contains('2'), "{message}");
    let message = panics(&|| one.backward_with_sink(&[0.0; 4], &[1.0; 3], &mut [0.0; 4], &mut [0.0]));
    assert!(message.contains("grad_y") && message.contains('3'), "{message}");
}
