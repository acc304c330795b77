//! `Exact` of losses: within 0.501 ULP of the exact results, in every layout, with the same bits.

use activations::{BinaryCrossEntropy, BinaryTargets, Broadcast, CrossEntropy, Element, Exact, Reduction, Targets};

/// Numbers in `[-size, size]`.
fn numbers<T: Element>(len: usize, size: f64, seed: u64) -> Vec<T> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..len)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            T::from((state >> 11) as f64 * 2.0_f64.powi(-52) * size - size).expect("a number")
        })
        .collect()
}

fn wide<T: Element<Float = f32>>(x: T) -> f64 {
    x.to_f64().expect("a number")
}

/// Rounds once from `f64` to the nearest number of the type.
#[track_caller]
fn check<T: Element<Float = f32>>(what: &str, exact: f64, got: T) {
    let epsilon = wide(T::epsilon());
    let spacing = exact.abs().max(wide(T::min_positive_value())).log2().floor().exp2() * epsilon;
    let error = (wide(got) - exact).abs() / spacing;
    assert!(error <= 0.501 || wide(got) == exact, "{what}: {:e}, exactly {exact:e}: {error} ULP", wide(got));
}

/// log p and 1 - p of each element of a row, in `f64`.
fn row(x: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let at = (0..x.len()).max_by(|&a, &b| x[a].total_cmp(&x[b])).expect("an element");
    let e: Vec<f64> = x.iter().map(|number| (number - x[at]).exp()).collect();
    let rest: f64 = e.iter().enumerate().filter(|&(i, _)| i != at).map(|(_, e)| e).sum();
    let log_p = x.iter().enumerate().map(|(i, number)| (if i == at { 0.0 } else { number - x[at] }) - rest.ln_1p());
    let complement =
        e.iter().enumerate().map(|(i, e)| if i == at { rest / (1.0 + rest) } else { 1.0 - e / (1.0 + rest) });
    (log_p.collect(), complement.collect())
}

fn cross_entropies<T: Element<Float = f32>>() {
    for (classes, rows) in [(2, 40), (10, 31), (33, 9), (100, 5), (2_000, 3)] {
        for size in [0.5, 6.0, 30.0] {
            let logits: Vec<T> = numbers(classes * rows, size, classes as u64);
            let targets: Vec<i64> =
                (0..rows).map(|row| if row % 7 == 6 { -100 } else { (row * 5 % classes) as i64 }).collect();
            let loss = CrossEntropy::new(classes).expect("classes");
            let (mut losses, mut grad) = (vec![T::one(); rows], vec![T::one(); classes * rows]);
            Exact(loss).losses_and_gradient(&logits, &targets, &mut losses, &mut grad);
            let (mut total, mut count) = (0.0, 0);
            for (r, x) in logits.chunks(classes).enumerate() {
                let what = format!("row {r} of {classes}, size {size}");
                let (log_p, complement) = row(&x.iter().map(|&x| wide(x)).collect::<Vec<_>>());
                let grad = &grad[r * classes..][..classes];
                if targets[r] < 0 {
                    assert!(losses[r] == T::zero() && grad.iter().all(|&g| g == T::zero()), "{what}: not ignored");
                    continue;
                }
                let class = targets[r] as usize;
                check(&what, -log_p[class], losses[r]);
                total -= log_p[class];
                count += 1;
                for (i, &g) in grad.iter().enumerate() {
                    let exact = if i == class { -complement[i] } else { log_p[i].exp() };
                    check(&format!("gradient {i}, {what}"), exact, g);
                }
            }
            check("the mean", total / f64::from(count), Exact(loss).loss(&logits, &targets));
            check("the sum", total, Exact(loss.reduction(Reduction::Sum)).loss(&logits, &targets));

            // Along an axis, and the other methods.
            let across: Vec<T> = (0..logits.len()).map(|i| logits[i % rows * classes + i / rows]).collect();
            let axis = Exact(CrossEntropy::axis(classes, rows).expect("an axis"));
            let (mut losses_, mut grad_) = (vec![T::one(); rows], vec![T::one(); classes * rows]);
            axis.losses_and_gradient(&across, &targets, &mut losses_, &mut grad_);
            assert!(losses == losses_);
            let back: Vec<T> = (0..grad.len()).map(|i| grad_[i % classes * rows + i / classes]).collect();
            assert!(grad == back);
            Exact(loss).losses(&logits, &targets, &mut losses_);
            assert!(losses == losses_);
        }
    }
}

fn smoothed_and_weighted<T: Element<Float = f32>>() {
    let (classes, rows) = (7, 12);
    let logits: Vec<T> = numbers(classes * rows, 4.0, 3);
    let weights: Vec<T> = (0..classes).map(|i| T::from(0.5 + i as f64 / 4.0).expect("a weight")).collect();
    let targets: Vec<u8> = (0..rows as u8).map(|row| row % 7).collect();
    let smoothing = 0.125;
    let loss = CrossEntropy::new(classes).and_then(|loss| loss.label_smoothing(smoothing)).expect("a loss");
    let mut losses = vec![T::one(); rows];
    Exact(loss).losses(&logits, Targets::from(&targets).weighted(&weights), &mut losses);
    for (r, x) in logits.chunks(classes).enumerate() {
        let (log_p, _) = row(&x.iter().map(|&x| wide(x)).collect::<Vec<_>>());
        let of =
            |i: usize| if i == usize::from(targets[r]) { 1.0 - smoothing } else { 0.0 } + smoothing / classes as f64;
        let exact: f64 = (0..classes).map(|i| -wide(weights[i]) * of(i) * log_p[i]).sum();
        check(&format!("row {r}"), exact, losses[r]);
    }
    let t: Vec<T> = (0..classes * rows).map(|i| T::from((i % classes) as f64 / 32.0).expect("a share")).collect();
    Exact(CrossEntropy::new(classes).expect("classes")).losses(&logits, Targets::distributions(&t), &mut losses);
    for (r, x) in logits.chunks(classes).enumerate() {
        let (log_p, _) = row(&x.iter().map(|&x| wide(x)).collect::<Vec<_>>());
        let exact: f64 = (0..classes).map(|i| -wide(t[r * classes + i]) * log_p[i]).sum();
        check(&format!("row {r} with a distribution"), exact, losses[r]);
    }
}

fn binary<T: Element<Float = f32>>() {
    for len in [1, 5, 1_024, 3_001] {
        let logits: Vec<T> = numbers(len, 12.0, 9);
        let t: Vec<T> = numbers::<T>(len, 0.5, 10).iter().map(|&t| t.abs()).collect();
        let weights: Vec<T> = (0..len).map(|i| T::from(0.5 + (i % 3) as f64).expect("a weight")).collect();
        let pos = [T::from(2.5).expect("a weight")];
        let targets = BinaryTargets::from(&t).weighted(&weights).pos_weighted(Broadcast::cycled(&pos));
        let loss = Exact(BinaryCrossEntropy::new());
        let (mut losses, mut grad) = (vec![T::one(); len], vec![T::one(); len]);
        loss.losses_and_gradient(&logits, targets, &mut losses, &mut grad);
        let mut total = 0.0;
        for i in 0..len {
            let (x, t, w) = (wide(logits[i]), wide(t[i]), wide(weights[i]));
            let [positive, negative] = [w * 2.5 * t, w * (1.0 - t)];
            let soft = (-x.abs()).exp().ln_1p();
            let against = if x < 0.0 { positive } else { negative };
            let exact = against * x.abs() + (positive + negative) * soft;
            check(&format!("element {i} of {len}"), exact, losses[i]);
            total += exact;
            let slope = negative / (1.0 + (-x).exp()) - positive / (1.0 + x.exp());
            if slope.abs() > 1e-3 {
                check(&format!("gradient {i} of {len}"), slope, grad[i]);
            }
        }
        check(&format!("the mean of {len}"), total / len as f64, loss.loss(&logits, targets));
        let mut again = vec![T::one(); len];
        loss.losses(&logits, targets, &mut again);
        assert!(losses == again);
    }
}

#[test]
fn errors_are_at_most_half_an_ulp() {
    cross_entropies::<f32>();
    smoothed_and_weighted::<f32>();
    binary::<f32>();
    #[cfg(feature = "half")]
    {
        cross_entropies::<half::bf16>();
        cross_entropies::<half::f16>();
        smoothed_and_weighted::<half::bf16>();
        binary::<half::f16>();
    }
}

/// The last bits of these results depend on each operation, so a machine that computes any of them differently is detected.
#[test]
fn bits_are_those_of_every_machine() {
    let hash = |numbers: &[f32]| {
        numbers
            .iter()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, x| (hash ^ u64::from(x.to_bits())).wrapping_mul(0x0100_0000_01b3))
    };
    let (logits, targets) = (numbers::<f32>(50 * 40, 9.0, 5), (0..40).map(|row| row % 50).collect::<Vec<u32>>());
    let (mut losses, mut grad) = (vec![0.0; 40], vec![0.0; 2_000]);
    Exact(CrossEntropy::new(50).expect("classes")).losses_and_gradient(&logits, &targets, &mut losses, &mut grad);
    let (mut of_binary, mut of_grad) = (vec![0.0; 2_000], vec![0.0; 2_000]);
    let t: Vec<f32> = numbers::<f32>(2_000, 0.5, 6).iter().map(|t| t.abs()).collect();
    Exact(BinaryCrossEntropy::new()).losses_and_gradient(&logits, &t, &mut of_binary, &mut of_grad);
    let found = [hash(&losses), hash(&grad), hash(&of_binary), hash(&of_grad)].map(|hash| format!("{hash:016x}"));
    assert_eq!(found, ["a09549d5d9b00d43", "d4218dfd12d9bfec", "a9ef8447ca34afb2", "b19c49405592de6c"]);
}

#[test]
#[should_panic(expected = "row 1 has the class 5, but there are 2 classes")]
fn a_class_out_of_range_panics() {
    let _ = Exact(CrossEntropy::new(2).expect("classes")).loss(&[0.0_f32; 4], &[0, 5]);
}

#[test]
#[should_panic(expected = "target number 1 is 2")]
fn a_target_outside_0_and_1_panics() {
    let _ = Exact(BinaryCrossEntropy::new()).loss(&[0.0_f32; 2], &[0.0, 2.0]);
}
