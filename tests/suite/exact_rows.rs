//! `Exact` of rows: within 0.501 ULP of the exact results, with the same bits at every level.

use activations::{
    Activation, Element, Exact, Level, LogSoftmax, Softmax, Softmin, log_sum_exp_exact, log_sum_exp_rows_exact,
};

use crate::support::{Bits, Outputs, assert_same};

/// The exact results of a row, in `f64`.
struct Row {
    p: Vec<f64>,
    /// 1 - p, and -log p. Where p is near 1, both are computed from the other probabilities.
    complement: Vec<f64>,
    log_p: Vec<f64>,
    log_sum_exp: f64,
}

impl Row {
    fn of(x: &[f64]) -> Self {
        let at = (0..x.len()).max_by(|&a, &b| x[a].total_cmp(&x[b])).expect("an element");
        let e: Vec<f64> = x.iter().map(|number| (number - x[at]).exp()).collect();
        let rest: f64 = e.iter().enumerate().filter(|&(i, _)| i != at).map(|(_, e)| e).sum();
        let (sum, log) = (1.0 + rest, rest.ln_1p());
        let complement = e.iter().enumerate().map(|(i, e)| if i == at { rest / sum } else { 1.0 - e / sum }).collect();
        let log_p = x.iter().enumerate().map(|(i, number)| if i == at { -log } else { number - x[at] - log }).collect();
        Self { p: e.iter().map(|e| e / sum).collect(), complement, log_p, log_sum_exp: x[at] + log }
    }
}

trait Exactly: Element<Float = f32> {
    /// The distance from the number to the next one.
    fn spacing(exact: f64) -> f64;
    fn wide(self) -> f64;
}

macro_rules! exactly {
    ($($number:ty: $digits:literal, $least:literal;)*) => {$(
        impl Exactly for $number {
            fn spacing(exact: f64) -> f64 {
                2.0_f64.powi((exact.abs().log2().floor() as i32 + 1 - $digits).max($least))
            }

            fn wide(self) -> f64 {
                f64::from(self)
            }
        }
    )*};
}
exactly! { f32: 24, -149; }
#[cfg(feature = "half")]
exactly! { half::f16: 11, -24; half::bf16: 8, -133; }

#[track_caller]
fn check<T: Exactly>(what: &str, exact: f64, got: T) {
    let got = got.wide();
    let error = if got == exact { 0.0 } else { (got - exact).abs() / T::spacing(exact) };
    assert!(error <= 0.501, "{what}: {got:e}, exactly {exact:e}: {error} ULP");
}

/// Rows of all lengths and sizes.
fn each_row<T: Exactly>(f: &mut dyn FnMut(&[T], &[T])) {
    let mut bits = Bits(51);
    for n in [1, 2, 3, 10, 31, 32, 33, 64, 100, 1000, 1024, 1025, 5000] {
        for spread in [0.1, 1.0, 8.0, 60.0] {
            let mut number = |size| T::from(bits.within(size)).expect("a number");
            let x: Vec<T> = (0..n).map(|_| number(spread)).collect();
            let grad_y: Vec<T> = (0..n).map(|_| number(1.0)).collect();
            f(&x, &grad_y);
        }
    }
}

fn within_half_an_ulp<T: Exactly>() {
    each_row::<T>(&mut |x, grad_y| {
        let wide: Vec<f64> = x.iter().map(|x| x.wide()).collect();
        let gradients: Vec<f64> = grad_y.iter().map(|g| g.wide()).collect();
        let row = Row::of(&wide);
        let negative = Row::of(&wide.iter().map(|x| -x).collect::<Vec<_>>());
        for level in Level::available() {
            let softmax = Outputs::of(&level.with(Exact(Softmax::default())), x, grad_y);
            let log_softmax = Outputs::of(&level.with(Exact(LogSoftmax::default())), x, grad_y);
            let softmin = level.with(Exact(Softmin::default())).forward_vec(x);
            let mean: f64 = row.p.iter().zip(&gradients).map(|(p, g)| p * g).sum();
            for i in 0..x.len() {
                let what = |function: &str| format!("{function}, {level}, element {i} of {}", x.len());
                check(&what("softmax"), row.p[i], softmax.forward[i]);
                check(&what("softmax's diagonal"), row.p[i] * row.complement[i], softmax.derivative[i]);
                check(&what("softmin"), negative.p[i], softmin[i]);
                check(&what("log-softmax"), row.log_p[i], log_softmax.forward[i]);
                check(&what("log-softmax's diagonal"), row.complement[i], log_softmax.derivative[i]);
                // If the parts cancel, the oracle is no more accurate than the function.
                if (gradients[i] - mean).abs() > 1e-4 {
                    check(&what("softmax's gradient"), row.p[i] * (gradients[i] - mean), softmax.backward[i]);
                }
            }
            check(&format!("log-sum-exp of {}", x.len()), row.log_sum_exp, log_sum_exp_exact(x));
            for (got, what) in [(&softmax.in_place, "in place"), (&softmax.both.0, "with the derivative")] {
                assert!(got == &softmax.forward, "softmax {what}");
            }
            assert!(softmax.both.1 == softmax.derivative);
        }
    });
}

#[test]
fn errors_are_at_most_half_an_ulp() {
    within_half_an_ulp::<f32>();
}

#[cfg(feature = "half")]
#[test]
fn errors_of_halves_are_at_most_half_an_ulp() {
    within_half_an_ulp::<half::f16>();
    within_half_an_ulp::<half::bf16>();
}

#[test]
fn a_row_has_the_same_bits_at_every_level_and_in_every_layout() {
    let x: Vec<f32> = Bits(52).floats::<f32>(60 * 7).into_iter().map(|x| x.clamp(-50.0, 50.0)).collect();
    let expected = Exact(Softmax::rows(60).expect("rows")).forward_vec(&x);
    for level in Level::available() {
        let rows = level.with(Exact(Softmax::rows(60).expect("rows")));
        assert_same("all rows", &x, &expected, &rows.forward_vec(&x));
        for (x, expected) in x.chunks(60).zip(expected.chunks(60)) {
            assert_same("one row", x, expected, &rows.forward_vec(x));
        }
        let across: Vec<f32> = (0..x.len()).map(|i| x[(i % 7) * 60 + i / 7]).collect();
        let p = level.with(Exact(Softmax::axis(60, 7).expect("an axis"))).forward_vec(&across);
        let back: Vec<f32> = (0..x.len()).map(|i| p[(i % 60) * 7 + i / 60]).collect();
        assert_same("along the first axis", &x, &expected, &back);
    }
    let mut sums = [0.0; 7];
    log_sum_exp_rows_exact(&x, 60, &mut sums);
    let alone: Vec<f32> = x.chunks(60).map(log_sum_exp_exact).collect();
    assert_same("log-sum-exps", &[], &alone, &sums);
}

#[test]
fn special_rows_are_those_of_the_default() {
    let (nan, inf) = (f32::NAN, f32::INFINITY);
    for x in [vec![nan, 1.0], vec![inf, 1.0], vec![-inf, 1.0], vec![-inf; 3], vec![1.0; 40], vec![3e38, -3e38, 3e38]] {
        let both = [
            (Softmax::default().forward_vec(&x), Exact(Softmax::default()).forward_vec(&x)),
            (LogSoftmax::default().forward_vec(&x), Exact(LogSoftmax::default()).forward_vec(&x)),
            (vec![activations::log_sum_exp(&x)], vec![log_sum_exp_exact(&x)]),
        ];
        for (default, exact) in both {
            for (a, b) in default.iter().zip(&exact) {
                assert!(a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= a.abs() * 1e-6, "{x:?}: {a} and {b}");
            }
        }
    }
    assert_eq!(log_sum_exp_exact::<f32>(&[]), -inf);
}
