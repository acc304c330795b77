//! Compares derivatives with finite differences, and the backward pass with derivatives.

use crate::common::entries;
use crate::support::{Bits, Float, Outputs, assert_same, chosen, elementwise, same, show, slope, sum, ulps, value};
use activations::{Activation, Level, LogSoftmax, Softmax};
use approx::relative_eq;

/// The relative error that a finite difference may have in addition to the rounding of its values.
const TRUNCATION: f64 = 1e-8;

/// Inputs for finite differences: all multiples of 1/256 in [-40, 40]. With a step that is a power of two, x + h and
/// x - h are exact.
fn grid() -> impl Iterator<Item = f64> {
    (-40 * 256..=40 * 256).map(|i| f64::from(i) / 256.0)
}

/// A step for central differences at x. It is shorter for large x, where tails fall off like e^(-x^2).
fn step(x: f64) -> f64 {
    let shrink = x.abs().max(1.0).log2().ceil() as i32;
    2.0_f64.powi(-10 - shrink)
}

/// f'(x) by central differences with steps h and h/2, combined so that the error of order h^2 cancels (Richardson), and a bound of the
/// error from rounding, if the values are right to `bound` ULP.
fn difference(f: impl Fn(f64) -> f64, x: f64, h: f64, bound: f64) -> (f64, f64) {
    let y = [x + h, x - h, x + h / 2.0, x - h / 2.0].map(f);
    let coarse = (y[0] - y[1]) / (2.0 * h);
    let fine = (y[2] - y[3]) / h;
    let largest = y.iter().fold(0.0_f64, |m, y| m.max(y.abs()));
    // (4 fine - coarse) / 3 has at most 3 h^-1 of each value's error.
    ((4.0 * fine - coarse) / 3.0, 3.0 * bound * (largest * f64::EPSILON + f64::TINY) / h)
}

#[test]
fn derivative_is_the_limit_of_differences() {
    for activation in elementwise() {
        let card = activation.card();
        // Differences across a corner err by an order of h more than Richardson's method takes care of.
        let corners = entries::named(card.name).map_or(&[][..], |facts| facts.corners);
        for level in Level::available() {
            let at = level.with(activation);
            let bound = f64::bounds(&card.error, level.is_fused()).0;
            let mut compared = 0;
            for x in grid() {
                let h = step(x);
                if card.kinks.iter().chain(corners).any(|kink| (x - kink).abs() <= h) {
                    continue;
                }
                let (expected, noise) = difference(|x| value(&at, x), x, h, bound);
                // Where the derivative is 0 and has a kink, the remaining error of Richardson's method is not relative to it.
                let noise = if x == 0.0 { noise + h.powi(4) } else { noise };
                let got = slope(&at, x);
                assert!(
                    relative_eq!(got, expected, epsilon = noise, max_relative = TRUNCATION),
                    "{activation} at {level}, derivative: x = {}: by differences {expected:e} +- {noise:e}, got {}, \
                     relative error {:e}",
                    show(x),
                    show(got),
                    (got - expected).abs() / expected.abs()
                );
                // Where f is flat, equal values have no noise.
                compared += usize::from(noise < 1e-6 * expected.abs() || (expected, got) == (0.0, 0.0));
            }
            // If f' is far below the rounding of f, as tanh' = 4 e^-2|x| is even for moderate x, the comparison means nothing.
            assert!(compared > 3_000, "{activation} at {level}: only {compared} comparisons are sharper than 1e-6");
        }
    }
}

#[test]
fn derivative_in_f32_is_the_one_in_f64() {
    for activation in elementwise() {
        for level in Level::available() {
            let at = level.with(activation);
            let bound = f32::bounds(&activation.card().error, level.is_fused()).1;
            for x in grid() {
                let (exact, got) = (slope(&at, x), slope(&at, x as f32));
                // Where a derivative crosses zero, a card's errors are in units of the spacing at 1/16 or above.
                let near_root = !activation.card().monotone && x.abs() < 4.0;
                let spacing = f32::of(if near_root { exact.abs().max(1.0 / 16.0) } else { exact }).spacing();
                let error = (f64::from(got) - exact).abs() / spacing;
                assert!(
                    error <= bound + 0.001,
                    "{activation} f32 at {level}, derivative: x = {}: expected {exact:e}, got {}, {error:.2} ULP",
                    show(x as f32),
                    show(got)
                );
            }
        }
    }
}

#[test]
fn backward_is_the_incoming_gradient_times_the_derivative() {
    fn check<T: Float>() {
        let mut bits = Bits(1);
        for activation in elementwise() {
            for level in Level::available() {
                let (x, grad_y) = (bits.floats::<T>(3_000), bits.floats::<T>(3_000));
                let outputs = Outputs::of(&level.with(activation), &x, &grad_y);
                for (i, &x) in x.iter().enumerate() {
                    let expected = grad_y[i] * outputs.derivative[i];
                    let got = outputs.backward[i];
                    let signs = expected.is_nan() || expected.is_sign_negative() == got.is_sign_negative();
                    assert!(
                        signs && ulps(expected, got) <= 1,
                        "{activation} {} at {level}, backward: x = {}, grad_y = {}: expected {}, got {}, {} ULP",
                        T::TYPE,
                        show(x),
                        show(grad_y[i]),
                        show(expected),
                        show(got),
                        ulps(expected, got)
                    );
                }
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn both_in_one_pass_are_the_value_and_the_derivative_to_the_bit() {
    fn check<T: Float>() {
        let mut bits = Bits(2);
        for activation in chosen() {
            for level in Level::available() {
                for len in [1, 5, 256, 1_000] {
                    let x = bits.floats::<T>(len);
                    let outputs = Outputs::of(&level.with(activation), &x, &x);
                    let what = format!("{activation} at {level}, forward_with_derivative");
                    assert_same(&format!("{what}, value"), &x, &outputs.forward, &outputs.both.0);
                    assert_same(&format!("{what}, derivative"), &x, &outputs.derivative, &outputs.both.1);
                }
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

/// Rows of scores and gradients: `n` multiples of 1/256, so that steps are exact.
fn row(bits: &mut Bits, n: usize, size: f64) -> (Vec<f64>, Vec<f64>) {
    let scores = (0..n).map(|_| (bits.within(size) * 256.0).round() / 256.0).collect();
    (scores, (0..n).map(|_| bits.within(3.0)).collect())
}

fn softmax(level: Level, x: &[f64]) -> Vec<f64> {
    let mut p = vec![f64::NAN; x.len()];
    level.with(Softmax::default()).forward(x, &mut p);
    p
}

/// dp[i]/dx[j] by finite differences, with a bound of its rounding error.
fn jacobian_entry(level: Level, x: &[f64], i: usize, j: usize) -> (f64, f64) {
    let p_of = |xj: f64| {
        let mut x = x.to_vec();
        x[j] = xj;
        softmax(level, &x)[i]
    };
    difference(p_of, x[j], 2.0_f64.powi(-10), 5.0)
}

#[test]
fn softmax_backward_is_the_transposed_jacobian_times_the_gradient() {
    let mut bits = Bits(3);
    for level in Level::available() {
        for n in [1, 2, 3, 10, 33] {
            for size in [1.0, 10.0] {
                let (x, g) = row(&mut bits, n, size);
                let mut grad_x = vec![f64::NAN; n];
                level.with(Softmax::default()).backward(&x, &g, &mut grad_x);
                for (j, &got) in grad_x.iter().enumerate() {
                    let (mut expected, mut noise, mut magnitude) = (0.0, 0.0, 0.0);
                    for (i, g) in g.iter().enumerate() {
                        let (entry, entry_noise) = jacobian_entry(level, &x, i, j);
                        expected += g * entry;
                        noise += g.abs() * entry_noise;
                        magnitude += (g * entry).abs();
                    }
                    // The terms may cancel, but their truncation errors do not.
                    assert!(
                        relative_eq!(got, expected, epsilon = noise + TRUNCATION * magnitude, max_relative = 0.0),
                        "softmax at {level}, backward, row of {n}, element {j}: x = {x:?}, grad_y = {g:?}: \
                         by differences {expected:e} +- {noise:e}, got {:e}",
                        got
                    );
                }
            }
        }
    }
}

#[test]
fn softmax_backward_is_the_probability_times_the_centred_gradient() {
    fn check<T: Float>() {
        let mut bits = Bits(4);
        for level in Level::available() {
            for n in [1, 2, 3, 10, 33, 256, 1_000] {
                for size in [0.1, 10.0, 100.0] {
                    let (x, g) = row(&mut bits, n, size);
                    let (narrow_x, narrow_g): (Vec<T>, Vec<T>) =
                        x.iter().zip(&g).map(|(&x, &g)| (T::of(x), T::of(g))).unzip();
                    let (x, g): (Vec<f64>, Vec<f64>) =
                        narrow_x.iter().zip(&narrow_g).map(|(x, g)| (x.wide(), g.wide())).unzip();
                    let mut got = vec![T::nan(); n];
                    level.with(Softmax::default()).backward(&narrow_x, &narrow_g, &mut got);
                    let p = reference_softmax(&x);
                    let mean = sum(p.iter().zip(&g).map(|(p, g)| p * g));
                    let mean_magnitude: f64 = p.iter().zip(&g).map(|(p, g)| p * g.abs()).sum();
                    for i in 0..n {
                        let expected = p[i] * (g[i] - mean);
                        // p and each term of the mean are right to 5 ULP. The difference may cancel.
                        let noise = 8.0 * T::EPS * p[i] * (g[i].abs() + mean_magnitude) + 2.0 * T::TINY;
                        assert!(
                            relative_eq!(got[i].wide(), expected, epsilon = noise, max_relative = 0.0),
                            "softmax {} at {level}, backward, row of {n}, element {i}: x = {}, p = {:e}, grad_y = {:e}, \
                             mean {mean:e}: expected {expected:e} +- {noise:e}, got {}",
                            T::TYPE,
                            show(narrow_x[i]),
                            p[i],
                            g[i],
                            show(got[i])
                        );
                    }
                }
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

/// Softmax by the standard library's exp, within 2 ULP, because differences of scores are exact here.
fn reference_softmax(x: &[f64]) -> Vec<f64> {
    let max = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum = sum(x.iter().map(|x| (x - max).exp()));
    x.iter().map(|x| (x - max).exp() / sum).collect()
}

#[test]
fn softmax_derivative_is_the_diagonal_of_its_jacobian() {
    let mut bits = Bits(5);
    for level in Level::available() {
        for n in [1, 2, 3, 10, 40] {
            for size in [1.0, 10.0] {
                let (x, _) = row(&mut bits, n, size);
                let mut diagonal = vec![f64::NAN; n];
                level.with(Softmax::default()).derivative(&x, &mut diagonal);
                let p = softmax(level, &x);
                for i in 0..n {
                    let (expected, noise) = jacobian_entry(level, &x, i, i);
                    assert!(
                        relative_eq!(diagonal[i], expected, epsilon = noise, max_relative = TRUNCATION),
                        "softmax at {level}, derivative, row of {n}, element {i}: x = {x:?}: by differences \
                         {expected:e} +- {noise:e}, got {:e}",
                        diagonal[i]
                    );
                    // The product of the Jacobian with the i-th unit vector has the diagonal's element at place i.
                    let mut unit = vec![0.0; n];
                    unit[i] = 1.0;
                    let mut column = vec![f64::NAN; n];
                    level.with(Softmax::default()).backward(&x, &unit, &mut column);
                    let noise = 8.0 * f64::EPSILON * p[i];
                    assert!(
                        relative_eq!(diagonal[i], column[i], epsilon = noise, max_relative = 0.0),
                        "softmax at {level}, row of {n}, element {i}: x = {x:?}: derivative {:e}, backward {:e}",
                        diagonal[i],
                        column[i]
                    );
                }
            }
        }
    }
}

#[test]
fn softmax_derivative_keeps_its_digits_where_one_probability_is_near_1() {
    for level in Level::available() {
        for k in 1..60 {
            let k = f64::from(k);
            let mut diagonal = [0.0; 2];
            level.with(Softmax::default()).derivative(&[k, 0.0], &mut diagonal);
            let expected = (-k).exp() / (1.0 + (-k).exp()).powi(2);
            for got in diagonal {
                assert!(
                    relative_eq!(got, expected, epsilon = 0.0, max_relative = 10.0 * f64::EPSILON),
                    "softmax at {level}, derivative of [{k}, 0]: expected {expected:e}, got {got:e}"
                );
            }
        }
    }
}

#[test]
fn softmax_gradient_of_a_constant_is_zero_within_rounding() {
    // Adding a constant to all scores changes nothing, so grad_x sums to zero; and J 1 = 0.
    let mut bits = Bits(6);
    for level in Level::available() {
        for n in [1, 2, 10, 300] {
            let (x, g) = row(&mut bits, n, 8.0);
            let (mut of_ones, mut grad_x) = (vec![f64::NAN; n], vec![f64::NAN; n]);
            level.with(Softmax::default()).backward(&x, &vec![1.0; n], &mut of_ones);
            level.with(Softmax::default()).backward(&x, &g, &mut grad_x);
            for (i, (d, p)) in of_ones.iter().zip(softmax(level, &x)).enumerate() {
                assert!(
                    d.abs() <= 8.0 * f64::EPSILON * p,
                    "softmax at {level}, row of {n}, element {i}: {d:e}, p {p:e}"
                );
            }
            let sum = sum(grad_x.iter().copied());
            assert!(sum.abs() <= 100.0 * f64::EPSILON, "softmax at {level}, row of {n}: grad_x sums to {sum:e}");
        }
    }
}

#[test]
fn log_softmax_backward_is_the_transposed_jacobian_times_the_gradient() {
    let mut bits = Bits(8);
    for (level, n) in Level::available().flat_map(|level| [1, 2, 3, 10, 33].map(|n| (level, n))) {
        let (x, g) = row(&mut bits, n, 5.0);
        let log_softmax = level.with(LogSoftmax::default());
        let (mut grad_x, mut diagonal) = (vec![f64::NAN; n], vec![f64::NAN; n]);
        log_softmax.backward(&x, &g, &mut grad_x);
        log_softmax.derivative(&x, &mut diagonal);
        for j in 0..n {
            let (mut expected, mut noise, mut magnitude) = (0.0, 0.0, 0.0);
            for (i, g) in g.iter().enumerate() {
                let of = |xj: f64| {
                    let (mut x, mut y) = (x.clone(), vec![f64::NAN; n]);
                    x[j] = xj;
                    log_softmax.forward(&x, &mut y);
                    y[i]
                };
                let (entry, entry_noise) = difference(of, x[j], 2.0_f64.powi(-10), 5.0);
                if i == j {
                    assert!(
                        relative_eq!(diagonal[j], entry, epsilon = entry_noise, max_relative = TRUNCATION),
                        "log_softmax at {level}, derivative, row of {n}, element {j}: {entry:e}, {:e}",
                        diagonal[j]
                    );
                }
                expected += g * entry;
                noise += g.abs() * entry_noise;
                magnitude += (g * entry).abs();
            }
            assert!(
                relative_eq!(grad_x[j], expected, epsilon = noise + TRUNCATION * magnitude, max_relative = 0.0),
                "log_softmax at {level}, backward, row of {n}, element {j}: x = {x:?}, grad_y = {g:?}: \
                 by differences {expected:e} +- {noise:e}, got {:e}",
                grad_x[j]
            );
        }
    }
}

#[test]
fn log_softmax_backward_is_the_gradient_minus_the_probability_times_its_sum() {
    fn check<T: Float>() {
        let mut bits = Bits(9);
        for (level, n) in Level::available().flat_map(|level| [1, 2, 10, 33, 256, 1_000, 20_000].map(|n| (level, n))) {
            let (x, g) = row(&mut bits, n, 10.0);
            let (narrow_x, narrow_g): (Vec<T>, Vec<T>) = x.iter().zip(&g).map(|(&x, &g)| (T::of(x), T::of(g))).unzip();
            let (x, g): (Vec<f64>, Vec<f64>) =
                narrow_x.iter().zip(&narrow_g).map(|(x, g)| (x.wide(), g.wide())).unzip();
            let mut got = vec![T::nan(); n];
            level.with(LogSoftmax::default()).backward(&narrow_x, &narrow_g, &mut got);
            let (p, total) = (reference_softmax(&x), sum(g.iter().copied()));
            let magnitude: f64 = g.iter().map(|g| g.abs()).sum();
            for i in 0..n {
                let expected = g[i] - p[i] * total;
                let noise = T::EPS * (g[i].abs() + p[i] * (8.0 * total.abs() + magnitude));
                assert!(
                    relative_eq!(got[i].wide(), expected, epsilon = noise, max_relative = 0.0),
                    "log_softmax {} at {level}, backward, row of {n}, element {i}: {expected:e} +- {noise:e}, got {}",
                    T::TYPE,
                    show(got[i])
                );
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn levels_agree_on_gradients_within_their_bounds() {
    let mut bits = Bits(7);
    let x = bits.floats::<f64>(2_000);
    for activation in elementwise() {
        let (fused, plain) =
            (f64::bounds(&activation.card().error, true).1, f64::bounds(&activation.card().error, false).1);
        let levels: Vec<Level> = Level::available().collect();
        for &x in &x {
            let at_levels: Vec<f64> = levels.iter().map(|level| slope(&level.with(activation), x)).collect();
            for (level, &got) in levels.iter().zip(&at_levels) {
                let first = at_levels[0];
                let spacing = if activation.card().monotone { first } else { first.abs().max(1.0 / 16.0) }.spacing();
                assert!(
                    same(first, got) || (first - got).abs() <= (fused + plain) * spacing,
                    "{activation}, derivative: x = {}: {} at {}, {} at {level}",
                    show(x),
                    show(first),
                    levels[0],
                    show(got)
                );
            }
        }
    }
}
