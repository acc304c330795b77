//! Functions of rows: gradients from outputs, rows along another axis, softmin, sparsemax, hardmax.

use crate::support::{Bits, Float, Outputs, assert_same, show, sum, wide};
use activations::{Activation, FromOutput, Hardmax, Level, LogSoftmax, Softmax, Softmin, Sparsemax};

/// Just below and above the sizes of rows side by side, columns, groups of rows, and chunks.
const LENGTHS: [usize; 16] = [1, 2, 3, 7, 31, 32, 33, 64, 100, 255, 256, 600, 1_000, 1_024, 1_025, 9_000];

pub(crate) fn random<T: Float>(bits: &mut Bits, len: usize, size: f64) -> Vec<T> {
    (0..len).map(|_| T::of(bits.within(size))).collect()
}

pub(crate) fn from_output<T: Float>(f: &impl FromOutput<T>, y: &[T], grad_y: &[T]) -> Vec<T> {
    let mut grad_x = vec![T::nan(); y.len()];
    f.backward_from_output(y, grad_y, &mut grad_x);
    grad_x
}

pub(crate) fn forward<T: Float>(f: &impl Activation<T>, x: &[T]) -> Vec<T> {
    let mut y = vec![T::nan(); x.len()];
    f.forward(x, &mut y);
    y
}

fn backward<T: Float>(f: &impl Activation<T>, x: &[T], grad_y: &[T]) -> Vec<T> {
    let mut grad_x = vec![T::nan(); x.len()];
    f.backward(x, grad_y, &mut grad_x);
    grad_x
}

#[track_caller]
pub(crate) fn assert_near<T: Float>(what: &str, expected: &[f64], noise: impl Fn(usize) -> f64, got: &[T]) {
    for (i, (&expected, &got)) in expected.iter().zip(got).enumerate() {
        let (error, noise) = ((got.wide() - expected).abs(), noise(i));
        assert!(
            error <= noise,
            "{what} {}, element {i}: expected {expected:e} +- {noise:e}, got {}",
            T::TYPE,
            show(got)
        );
    }
}

#[test]
fn gradients_from_outputs_are_those_from_inputs() {
    fn check<T: Float>() {
        let mut bits = Bits(101);
        for (level, n) in Level::available().flat_map(|level| LENGTHS.map(|n| (level, n))) {
            for size in [1.0, 10.0] {
                let (x, grad_y) = (random::<T>(&mut bits, n, size), random::<T>(&mut bits, n, 3.0));
                let g = wide(&grad_y);

                let softmax = level.with(Softmax::default());
                let y = forward(&softmax, &x);
                let p = wide(&y);
                let mean = sum(p.iter().zip(&g).map(|(p, g)| p * g));
                let size: f64 = p.iter().zip(&g).map(|(p, g)| (p * g).abs()).sum();
                let exact: Vec<f64> = p.iter().zip(&g).map(|(p, g)| p * (g - mean)).collect();
                let got = from_output(&softmax, &y, &grad_y);
                let what = format!("softmax from output at {level}, row of {n}");
                assert_near(&what, &exact, |i| 5.0 * T::EPS * p[i] * (g[i].abs() + size) + T::TINY, &got);
                let by_input = wide(&backward(&softmax, &x, &grad_y));
                assert_near(&what, &by_input, |i| 16.0 * T::EPS * p[i] * (g[i].abs() + size) + T::TINY, &got);

                // Softmin gives the same with the other sign.
                let minus: Vec<T> = got.iter().map(|&g| -g).collect();
                let of_softmin = from_output(&level.with(Softmin::default()), &y, &grad_y);
                assert_same(&format!("softmin from output at {level}"), &y, &minus, &of_softmin);

                let log_softmax = level.with(LogSoftmax::default());
                let y = forward(&log_softmax, &x);
                let (log_p, total) = (wide(&y), sum(g.iter().copied()));
                let size: f64 = g.iter().map(|g| g.abs()).sum();
                let exact: Vec<f64> = log_p.iter().zip(&g).map(|(y, g)| g - y.exp() * total).collect();
                let got = from_output(&log_softmax, &y, &grad_y);
                let what = format!("log_softmax from output at {level}, row of {n}");
                let noise = |i: usize, ulp: f64| {
                    T::EPS * (g[i].abs() + log_p[i].exp() * (ulp * total.abs() + 5.0 * size)) + T::TINY
                };
                assert_near(&what, &exact, |i| noise(i, 3.0), &got);
                let by_input = wide(&backward(&log_softmax, &x, &grad_y));
                assert_near(&what, &by_input, |i| noise(i, 8.0 + 2.0 * log_p[i].abs()), &got);

                let sparsemax = level.with(Sparsemax::default());
                let y = forward(&sparsemax, &x);
                let what = format!("sparsemax from output at {level}, row of {n}");
                assert_same(&what, &x, &backward(&sparsemax, &x, &grad_y), &from_output(&sparsemax, &y, &grad_y));
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn gradients_from_outputs_do_not_depend_on_the_level_or_on_where_the_row_starts() {
    fn check<T: Float, F: FromOutput<T> + Copy>(name: &str, whole: F, rows: impl Fn(usize) -> F) {
        let mut bits = Bits(102);
        for fused in [true, false] {
            let levels: Vec<Level> = Level::available().filter(|level| level.is_fused() == fused).collect();
            let Some(first) = levels.first() else { continue };
            for n in (1..=140).chain([255, 256, 1_000, 1_024, 1_025, 4_099, 17_000]) {
                let before = n * (1 + n % 3);
                let x = random::<T>(&mut bits, before + 2 * n, 5.0);
                let (y, g) = (forward(&rows(n), &x), random::<T>(&mut bits, x.len(), 2.0));
                let own = before..before + n;
                let expected = from_output(&first.with(whole), &y[own.clone()], &g[own.clone()]);
                for level in &levels {
                    let what = format!("{name} from output at {level}, row of {n}");
                    let alone = from_output(&level.with(whole), &y[own.clone()], &g[own.clone()]);
                    assert_same(&what, &y[own.clone()], &expected, &alone);
                    let row = from_output(&level.with(rows(n)), &y, &g);
                    assert_same(&format!("{what} between others"), &y[own.clone()], &expected, &row[own.clone()]);
                }
            }
        }
    }
    check::<f32, _>("softmax", Softmax::default(), |n| Softmax::rows(n).unwrap());
    check::<f64, _>("softmax", Softmax::default(), |n| Softmax::rows(n).unwrap());
    check::<f32, _>("log_softmax", LogSoftmax::default(), |n| LogSoftmax::rows(n).unwrap());
    check::<f64, _>("log_softmax", LogSoftmax::default(), |n| LogSoftmax::rows(n).unwrap());
    check::<f32, _>("sparsemax", Sparsemax::default(), |n| Sparsemax::rows(n).unwrap());
}

#[test]
fn nan_in_an_output_is_nan_in_the_rows_gradient_and_in_no_other() {
    for level in Level::available() {
        for n in [1, 5, 32, 100, 1_500] {
            let (mut y, g) = (vec![1.0 / n as f32; 3 * n], vec![0.5; 3 * n]);
            y[n + n / 2] = f32::NAN;
            let got = from_output(&level.with(Softmax::rows(n).unwrap()), &y, &g);
            for (i, got) in got.iter().enumerate() {
                assert_eq!(got.is_nan(), i / n == 1, "softmax at {level}, rows of {n}, element {i}: {got}");
            }
            let got = from_output(&level.with(LogSoftmax::rows(n).unwrap()), &y, &g);
            assert!(got[n + n / 2].is_nan() && got[..n].iter().chain(&got[2 * n..]).all(|g| g.is_finite()));
        }
    }
}

/// `outer x len x inner` to `outer x inner x len`.
fn transposed<T: Float>(x: &[T], len: usize, inner: usize) -> Vec<T> {
    let mut rows = Vec::new();
    for block in x.chunks_exact(len * inner) {
        rows.extend((0..inner).flat_map(|i| block.iter().skip(i).step_by(inner).copied()));
    }
    rows
}

#[test]
fn rows_along_another_axis_have_the_bits_of_adjacent_ones() {
    fn check<T: Float, A: Activation<T> + FromOutput<T>, B: Activation<T> + FromOutput<T>>(
        name: &str,
        along: impl Fn(usize, usize) -> A,
        adjacent: impl Fn(usize) -> B,
    ) {
        let mut bits = Bits(103);
        for (outer, len, inner) in [
            (1, 1, 1),
            (3, 1, 5),
            (2, 5, 1),
            (2, 5, 3),
            (5, 10, 8),
            (3, 31, 33),
            (2, 40, 17),
            (1, 100, 100),
            (3, 300, 10),
            (70, 16, 9),
            (1, 1_024, 21),
            (2, 3_000, 5),
            (1, 1_025, 3),
            (1, 8_192, 2),
            (1, 20_000, 11),
        ] {
            let n = outer * len * inner;
            let (x, g) = (random::<T>(&mut bits, n, 6.0), random::<T>(&mut bits, n, 3.0));
            for level in Level::available() {
                let (along, adjacent) = (level.with(along(len, inner)), level.with(adjacent(len)));
                let got = Outputs::of(&along, &x, &g);
                let expected = Outputs::of(&adjacent, &transposed(&x, len, inner), &transposed(&g, len, inner));
                for ((method, expected), (_, got)) in expected.named().into_iter().zip(got.named()) {
                    let what = format!("{name} at {level}, {method}, {outer} x {len} x {inner}");
                    assert_same(&what, &[], expected, &transposed(got, len, inner));
                }
                let expected = from_output(&adjacent, &expected.forward, &transposed(&g, len, inner));
                let got = transposed(&from_output(&along, &got.forward, &g), len, inner);
                assert_same(
                    &format!("{name} at {level}, from output, {outer} x {len} x {inner}"),
                    &[],
                    &expected,
                    &got,
                );
            }
        }
    }
    check::<f32, _, _>("softmax", |n, inner| Softmax::axis(n, inner).unwrap(), |n| Softmax::rows(n).unwrap());
    check::<f64, _, _>("softmax", |n, inner| Softmax::axis(n, inner).unwrap(), |n| Softmax::rows(n).unwrap());
    check::<f32, _, _>("log_softmax", |n, inner| LogSoftmax::axis(n, inner).unwrap(), |n| LogSoftmax::rows(n).unwrap());
    check::<f64, _, _>("softmin", |n, inner| Softmin::axis(n, inner).unwrap(), |n| Softmin::rows(n).unwrap());
    check::<f32, _, _>(
        "softmax of scaled scores",
        |n, inner| Softmax::axis(n, inner).unwrap().scaled(0.3).unwrap(),
        |n| Softmax::rows(n).unwrap().scaled(0.3).unwrap(),
    );
}

/// f'(x) of `f` along each element by central differences, times the gradient.
fn by_differences(f: &impl Activation<f64>, x: &[f64], g: &[f64]) -> Vec<f64> {
    let h = 2.0_f64.powi(-12);
    (0..x.len())
        .map(|j| {
            let at = |step: f64| {
                let mut x = x.to_vec();
                x[j] += step;
                let y = forward(f, &x);
                sum(y.iter().zip(g).filter(|(_, g)| **g != 0.0).map(|(y, g)| y * g))
            };
            (4.0 * (at(h / 2.0) - at(-h / 2.0)) / h - (at(h) - at(-h)) / (2.0 * h)) / 3.0
        })
        .collect()
}

/// The gradient by differences, the gradient, and the Jacobian's diagonal.
type Gradients = (Vec<f64>, Vec<f64>, Vec<f64>);

#[test]
fn gradients_are_the_limits_of_differences() {
    let mut bits = Bits(109);
    for level in Level::available() {
        for n in [1, 2, 5, 33, 70] {
            let (x, g) = (random::<f64>(&mut bits, n, 3.0), random::<f64>(&mut bits, n, 3.0));
            let bias = random::<f64>(&mut bits, n, 2.0);
            let mut keep: Vec<bool> = (0..n).map(|_| !bits.next().is_multiple_of(3)).collect();
            keep[0] = true;
            // The logarithm of a masked element is -inf, whatever x is.
            let kept: Vec<f64> = g.iter().zip(&keep).map(|(g, keep)| if *keep { *g } else { 0.0 }).collect();
            let check = |what: &str, f: &dyn Fn(&[f64], &[f64]) -> Gradients, g: &[f64]| {
                let (expected, got, diagonal) = f(&x, g);
                assert_near(&format!("{what} at {level}, row of {n}"), &expected, |_| 1e-8, &got);
                for i in 0..n {
                    let mut unit = vec![0.0; n];
                    unit[i] = 1.0;
                    let (expected, ..) = f(&x, &unit);
                    if keep[i] {
                        let what = format!("{what}, diagonal at {level}, row of {n}, {i}");
                        assert_near(&what, &expected[i..=i], |_| 1e-8, &diagonal[i..=i]);
                    }
                }
            };
            macro_rules! check {
                ($what:literal, $f:expr, $g:expr) => {
                    let f = level.with($f);
                    let all = |x: &[f64], g: &[f64]| {
                        let mut diagonal = vec![f64::NAN; x.len()];
                        f.derivative(x, &mut diagonal);
                        (by_differences(&f, x, g), backward(&f, x, g), diagonal)
                    };
                    check($what, &all, $g);
                };
            }
            check!("softmin", Softmin::default(), &g);
            let softmax = Softmax::default().scaled(0.7).unwrap().biased(&bias).unwrap().masked(&keep).unwrap();
            check!("softmax of scores", softmax, &g);
            let log_softmax = LogSoftmax::default().scaled(0.7).unwrap().biased(&bias).unwrap().masked(&keep).unwrap();
            check!("log_softmax of scores", log_softmax, &kept);
            // The function is linear except at the ends of the support, which the steps do not reach.
            let p = forward(&Sparsemax::default(), &x);
            let tau = x[p.iter().position(|&p| p > 0.0).unwrap()] - p.iter().copied().find(|&p| p > 0.0).unwrap();
            if x.iter().all(|x| (x - tau).abs() > 1e-3) {
                check!("sparsemax", Sparsemax::default(), &g);
            }
        }
    }
}

#[test]
fn softmin_is_softmax_of_the_negatives() {
    fn check<T: Float>() {
        let mut bits = Bits(110);
        for (level, n) in Level::available().flat_map(|level| LENGTHS.map(|n| (level, n))) {
            let (x, g) = (random::<T>(&mut bits, 2 * n, 30.0), random::<T>(&mut bits, 2 * n, 3.0));
            let minus: Vec<T> = x.iter().map(|&x| -x).collect();
            let softmin = Outputs::of(&level.with(Softmin::rows(n).unwrap()), &x, &g);
            let softmax = Outputs::of(&level.with(Softmax::rows(n).unwrap()), &minus, &g);
            for ((method, got), (_, expected)) in softmin.values().into_iter().zip(softmax.values()) {
                assert_same(&format!("softmin at {level}, {method}"), &x, expected, got);
            }
            let slopes = |outputs: Outputs<T>| [outputs.derivative, outputs.both.1, outputs.backward];
            for (got, expected) in slopes(softmin).into_iter().zip(slopes(softmax)) {
                let expected: Vec<T> = expected.into_iter().map(|d| -d).collect();
                assert_same(&format!("softmin at {level}, derivatives"), &x, &expected, &got);
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

/// Sparsemax of numbers `m / 2^q`, exactly: p as an unevaluated sum.
fn exact_sparsemax(m: &[i64], q: u32) -> Vec<(f64, f64)> {
    let (one, unit) = (1_i128 << q, 2.0_f64.powi(-(q as i32)));
    let mut sorted: Vec<i128> = m.iter().map(|&m| i128::from(m)).collect();
    sorted.sort_unstable_by(|a, b| b.cmp(a));
    let (mut total, mut support) = (0, (1, 0));
    for (k, &m) in (1..).zip(&sorted) {
        total += m;
        if one + k * m > total {
            support = (k, total);
        }
    }
    let (k, total) = support;
    m.iter()
        .map(|&m| {
            let times_k = (k * i128::from(m) - (total - one)).max(0);
            ((times_k / k) as f64 * unit, (times_k % k) as f64 / k as f64 * unit)
        })
        .collect()
}

#[test]
fn sparsemax_is_within_its_bound_of_the_exact_projection() {
    fn check<T: Float>(q: u32, exact_above: f64) {
        let mut bits = Bits(111);
        let mut worst = 0.0_f64;
        for (level, n) in Level::available().flat_map(|level| LENGTHS.map(|n| (level, n))) {
            for (size, offset) in [(0.01, 0.0), (1.0, 0.0), (3.0, -0.3), (1.0, 3.0), (100.0, 0.0)] {
                // Numbers that the type represents exactly: q bits after the binary point, and not too many before it.
                let q = q - if size + offset > 4.0 { 8 } else { 3 };
                let m: Vec<i64> =
                    (0..n).map(|_| ((offset + bits.within(size)) * 2.0_f64.powi(q as i32)).round() as i64).collect();
                let x: Vec<T> = m.iter().map(|&m| T::of(m as f64 * 2.0_f64.powi(-(q as i32)))).collect();
                let outputs = Outputs::of(&level.with(Sparsemax::default()), &x, &x);
                let exact = exact_sparsemax(&m, q);
                let count = exact.iter().filter(|p| p.0 + p.1 > 0.0).count() as f64;
                for (method, p) in outputs.values() {
                    for (i, (&p, &(hi, lo))) in p.iter().zip(&exact).enumerate() {
                        let error = ((p.wide() - hi) - lo).abs();
                        let ulp = error / T::of(hi + lo).spacing();
                        let what = format!(
                            "sparsemax {} at {level}, {method}, row of {n} to {size} about {offset}, element {i}: \
                             expected {:e}, got {}, {ulp} ULP",
                            T::TYPE,
                            hi + lo,
                            show(p)
                        );
                        assert!(if hi > exact_above { ulp <= 2.0 } else { error <= exact_above * T::EPS }, "{what}");
                        assert!(hi != 0.0 || lo != 0.0 || p == T::zero(), "{what}");
                        worst = if hi > exact_above { worst.max(ulp) } else { worst };
                    }
                    let total = sum(wide(p).into_iter());
                    assert!((total - 1.0).abs() <= T::EPS * count.sqrt().max(2.0), "sparsemax, {n}: sums to {total}");
                }
                for (method, d) in outputs.derivatives() {
                    for (d, p) in d.iter().zip(&outputs.forward) {
                        let exact = if *p > T::zero() { (count - 1.0) / count } else { 0.0 };
                        assert!((d.wide() - exact).abs() <= T::of(exact).spacing(), "{method}: {}, {exact}", show(*d));
                    }
                }
            }
        }
        println!("sparsemax {}: {worst:.3} ULP", T::TYPE);
    }
    check::<f32>(24, 2.0_f64.powi(-20));
    check::<f64>(53, 2.0_f64.powi(-49));
}

#[test]
fn sparsemax_gradient_is_centred_on_the_support() {
    fn check<T: Float>() {
        let mut bits = Bits(112);
        for (level, n) in Level::available().flat_map(|level| LENGTHS.map(|n| (level, n))) {
            let (x, g) = (random::<T>(&mut bits, n, 1.5), random::<T>(&mut bits, n, 3.0));
            let sparsemax = level.with(Sparsemax::default());
            let (p, got) = (forward(&sparsemax, &x), backward(&sparsemax, &x, &g));
            let support = || p.iter().zip(&g).filter(|(p, _)| **p > T::zero()).map(|(_, g)| g.wide());
            let mean = sum(support()) / support().count() as f64;
            let exact: Vec<f64> =
                p.iter().zip(&g).map(|(p, g)| if *p > T::zero() { g.wide() - mean } else { 0.0 }).collect();
            let what = format!("sparsemax at {level}, backward, row of {n}");
            assert_near(&what, &exact, |i| if exact[i] == 0.0 { 2.0 } else { 1.0 } * T::EPS * 3.0, &got);
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn sparsemax_of_special_rows() {
    fn check<T: Float>() {
        for level in Level::available() {
            let of = |x: &[f64]| -> Vec<f64> {
                let x: Vec<T> = x.iter().map(|&x| T::of(x)).collect();
                wide(&forward(&level.with(Sparsemax::default()), &x))
            };
            for n in [1, 2, 31, 33, 1_025] {
                for score in [-1e30, -1.0, 0.3, -0.7, 0.999_999, 3.7, 1e30] {
                    let mut x = vec![f64::NEG_INFINITY; n];
                    x[n / 2] = score;
                    let mut expected = vec![0.0; n];
                    expected[n / 2] = 1.0;
                    assert_eq!(of(&x), expected, "{score} alone, row of {n} at {level}");
                }
            }
            assert_eq!(of(&[5.0; 4]), [0.25; 4]);
            assert_eq!(of(&[1e6, 1e6, -1e6]), [0.5, 0.5, 0.0]);
            // A number that is 1 below the greatest gets 0. One that is just above that gets half of the difference.
            assert_eq!(of(&[0.25, -0.75]), [1.0, 0.0]);
            let near = -0.75 + 4.0 * T::EPS;
            assert_eq!(of(&[0.25, near]), [1.0 - 2.0 * T::EPS, 2.0 * T::EPS]);
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn hardmax_is_one_at_the_first_of_the_greatest() {
    fn check<T: Float>() {
        let mut bits = Bits(113);
        for (level, n) in Level::available().flat_map(|level| LENGTHS.map(|n| (level, n))) {
            // Few different values, so that the greatest occurs several times.
            let pick = [f64::NEG_INFINITY, -1.0, 0.0, 1.0, f64::INFINITY];
            for most in 1..=pick.len() {
                let x: Vec<T> = (0..3 * n).map(|_| T::of(pick[bits.next() as usize % most])).collect();
                let mut expected = vec![T::zero(); 3 * n];
                for (x, y) in x.chunks(n).zip(expected.chunks_mut(n)) {
                    let greatest = x.iter().fold(T::neg_infinity(), |m, &x| if x > m { x } else { m });
                    y[x.iter().position(|&x| x == greatest).unwrap()] = T::one();
                }
                let outputs = Outputs::of(&level.with(Hardmax::rows(n).unwrap()), &x, &vec![T::of(2.0); 3 * n]);
                for (method, got) in outputs.values() {
                    assert_same(&format!("hardmax at {level}, {method}, rows of {n}"), &x, &expected, got);
                }
                for got in [&outputs.derivative, &outputs.both.1, &outputs.backward] {
                    assert!(got.iter().all(|&d| d == T::zero()), "hardmax at {level}, rows of {n}: a derivative");
                }
            }
        }
    }
    check::<f32>();
    check::<f64>();
}
