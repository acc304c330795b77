//! Gates, gradients of biases, log-sum-exps and losses have the same bits on any number of threads.

use activations::{
    BiasGradient, Biased, BinaryCrossEntropy, BinaryTargets, Broadcast, ClampedSwiGlu, CrossEntropy, Element, Gate,
    GateFormula, Gated, Gelu, IntoParallel, Packing, Real, Reduction, Softmax, SwiGlu, Tanh, Targets, log_sum_exp,
    log_sum_exp_parallel, log_sum_exp_rows, log_sum_exp_rows_parallel,
};

/// On one thread and on five, which cut slices differently.
fn on_pools(run: impl Fn() + Sync + Send) {
    for threads in [1, 2, 5] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool of threads");
        pool.install(&run);
    }
}

fn numbers<T: Element>(len: usize, scale: f64) -> Vec<T> {
    (0..len).map(|i| T::from(((i * 7_919 % 10_007) as f64 / 5_003.5 - 1.0) * scale).expect("a number")).collect()
}

/// Slices of equal numbers. 0.0 and -0.0 would count as equal, but no result here can be a zero of the wrong sign.
fn same<T: Element>(what: &str, expected: &[T], got: &[T]) {
    let differs = expected.iter().zip(got).position(|(a, b)| a != b && !(a.is_nan() && b.is_nan()));
    assert!(expected.len() == got.len() && differs.is_none(), "{what}: differs at {differs:?} of {}", expected.len());
}

/// A user's unit, with a derived `Gate`.
#[derive(Clone, Copy)]
struct Bilinear;

impl GateFormula for Bilinear {
    #[inline(always)]
    fn value<R: Real>(&self, gate: R, up: R) -> R {
        gate * up
    }

    #[inline(always)]
    fn slopes<R: Real>(&self, gate: R, up: R) -> (R, R) {
        (up, gate)
    }
}

impl IntoParallel for Bilinear {}

fn gate_is_the_same<T: Element>(name: &str, unit: impl Gate<T> + IntoParallel + Clone + Sync + Send, rows: usize) {
    let n = 24;
    let (gate, up) = (numbers::<T>(n * rows, 6.0), numbers::<T>(n * rows, 9.0));
    let (x, grad_out) = (numbers::<T>(2 * n * rows, 9.0), numbers::<T>(n * rows, 1.0));
    let zeros = |len: usize| vec![T::zero(); len];
    let all = |unit: &dyn Gate<T>| {
        let mut results = Vec::new();
        let (mut out, mut grad_gate, mut grad_up) = (zeros(n * rows), zeros(n * rows), zeros(n * rows));
        unit.forward(&gate, &up, &mut out);
        unit.backward(&gate, &up, &grad_out, &mut grad_gate, &mut grad_up);
        let mut in_place = gate.clone();
        unit.forward_in_place(&mut in_place, &up);
        results.extend([out, grad_gate, grad_up, in_place]);
        for packing in [Packing::GateFirst(n), Packing::UpFirst(n), Packing::Interleaved] {
            let (mut out, mut grad_x) = (zeros(n * rows), zeros(2 * n * rows));
            unit.forward_packed(packing, &x, &mut out);
            unit.backward_packed(packing, &x, &grad_out, &mut grad_x);
            results.extend([out, grad_x]);
        }
        results
    };
    let expected = all(&unit);
    on_pools(|| {
        for min_len in [0, 100, 1_000_000] {
            for (number, (expected, got)) in
                expected.iter().zip(all(&unit.clone().parallel().with_min_len(min_len))).enumerate()
            {
                same(&format!("{name}, {rows} rows, at least {min_len}, result {number}"), expected, &got);
            }
        }
    });
}

fn gates<T: Element>() {
    for rows in [0, 1, 2, 37, 200] {
        gate_is_the_same::<T>("SwiGlu", SwiGlu, rows);
        gate_is_the_same::<T>("ClampedSwiGlu", ClampedSwiGlu::default(), rows);
        gate_is_the_same::<T>("a user's", Bilinear, rows);
        gate_is_the_same::<T>("of softmax", Gated(Softmax::rows(8).expect("rows of 8")), rows);
    }
}

#[test]
fn gates_have_the_bits_of_one_thread() {
    gates::<f32>();
    gates::<f64>();
    #[cfg(feature = "half")]
    {
        gates::<half::f16>();
        gates::<half::bf16>();
    }
}

fn biases<T: Element>() {
    // Narrow rows are summed many at a time, wider ones in strips. The widest are longer than a segment's part.
    for (width, rows) in [(1, 200_001), (3, 70_000), (64, 4_000), (700, 300), (5_000, 40), (0, 0)] {
        let bias = numbers::<T>(width, 1.0);
        let (x, grad_y) = (numbers::<T>(width * rows, 4.0), numbers::<T>(width * rows, 1.0));
        let layer = Biased { activation: Tanh, bias: &bias };
        let all = |layer: &dyn BiasGradient<T>| {
            let (mut grad_x, mut grad_bias) = (vec![T::zero(); x.len()], vec![T::one(); width]);
            layer.backward_with_bias(&x, &grad_y, &mut grad_x, &mut grad_bias);
            (grad_x, grad_bias)
        };
        let expected = all(&layer);
        on_pools(|| {
            let got = all(&layer.parallel().with_min_len(10));
            same(&format!("grad_x of {rows} rows of {width}"), &expected.0, &got.0);
            same(&format!("grad_bias of {rows} rows of {width}"), &expected.1, &got.1);
        });
    }
}

#[test]
fn gradients_of_biases_have_the_bits_of_one_thread() {
    biases::<f32>();
    biases::<f64>();
    #[cfg(feature = "half")]
    {
        biases::<half::f16>();
        biases::<half::bf16>();
    }
}

#[test]
fn gradients_of_biases_over_many_segments_are_the_exact_sums() {
    let (width, rows) = (5, 100_000);
    let (x, grad_y) = (numbers::<f32>(width * rows, 4.0), numbers::<f32>(width * rows, 1.0));
    let bias = vec![0.5; width];
    let (mut grad_x, mut grad_bias) = (vec![0.0; x.len()], vec![0.0; width]);
    let layer = Biased { activation: Gelu, bias: &bias };
    layer.parallel().backward_with_bias(&x, &grad_y, &mut grad_x, &mut grad_bias);
    for (column, &got) in grad_bias.iter().enumerate() {
        let exact: f64 = grad_x.iter().skip(column).step_by(width).map(|&x| f64::from(x)).sum();
        assert!((f64::from(got) - exact).abs() <= exact.abs() * 1e-7, "column {column}: {got} for {exact}");
    }
}

fn sums<T: Element>() {
    for len in [0, 1, 1_000, 400_001] {
        let x = numbers::<T>(len, 9.0);
        on_pools(|| same(&format!("log_sum_exp of {len}"), &[log_sum_exp(&x)], &[log_sum_exp_parallel(&x)]));
    }
    for (row_len, rows) in [(1, 300_000), (7, 50_000), (1_500, 300), (200_000, 3)] {
        let x = numbers::<T>(row_len * rows, 9.0);
        let (mut expected, mut got) = (vec![T::zero(); rows], vec![T::zero(); rows]);
        log_sum_exp_rows(&x, row_len, &mut expected);
        let got = std::sync::Mutex::new(&mut got);
        on_pools(|| {
            let mut got = got.lock().expect("one at a time");
            log_sum_exp_rows_parallel(&x, row_len, &mut got);
            same(&format!("log_sum_exp of {rows} rows of {row_len}"), &expected, &got);
        });
    }
}

#[test]
fn log_sum_exps_have_the_bits_of_one_thread() {
    sums::<f32>();
    sums::<f64>();
    #[cfg(feature = "half")]
    {
        sums::<half::f16>();
        sums::<half::bf16>();
    }
}

fn losses_are_the_same<T: Element>(loss: CrossEntropy, targets: Targets<'_, T>, logits: &[T], rows: usize) {
    let zeros = |len: usize| vec![T::zero(); len];
    let (mut grad, mut losses, mut grads) = (zeros(logits.len()), zeros(rows), zeros(logits.len()));
    let of_batch = [loss.loss(logits, targets), loss.loss_and_gradient(logits, targets, &mut grad)];
    loss.losses_and_gradient(logits, targets, &mut losses, &mut grads);
    on_pools(|| {
        for min_len in [0, 500, 10_000_000] {
            let threaded = loss.parallel().with_min_len(min_len);
            let (mut grad_, mut losses_, mut grads_) = (zeros(logits.len()), zeros(rows), zeros(logits.len()));
            let of_batch_ = [threaded.loss(logits, targets), threaded.loss_and_gradient(logits, targets, &mut grad_)];
            same(&format!("loss of {rows} rows"), &of_batch, &of_batch_);
            same(&format!("gradient of {rows} rows"), &grad, &grad_);
            threaded.losses_and_gradient(logits, targets, &mut losses_, &mut grads_);
            same(&format!("losses of {rows} rows"), &losses, &losses_);
            same(&format!("gradients of {rows} losses"), &grads, &grads_);
            threaded.losses(logits, targets, &mut losses_);
            same(&format!("losses alone of {rows} rows"), &losses, &losses_);
        }
    });
}

fn cross_entropies<T: Element>() {
    for (classes, rows) in [(2, 3_001), (10, 500), (1_000, 21), (5_000, 3), (4, 0)] {
        let logits = numbers::<T>(classes * rows, 8.0);
        let of_rows: Vec<i64> = (0..rows).map(|row| if row % 7 == 3 { -100 } else { (row % classes) as i64 }).collect();
        let weights: Vec<T> = (0..classes).map(|i| T::from(0.5 + (i % 3) as f64 / 4.0).expect("a number")).collect();
        let distributions = vec![T::from(1.0 / classes as f64).expect("a number"); classes * rows];
        let plain = CrossEntropy::new(classes).expect("classes");
        let smooth = plain.label_smoothing(0.1).expect("a share").reduction(Reduction::Sum);
        let along_axis = CrossEntropy::axis(classes, 3).expect("classes");
        let losses = if rows % 3 == 0 { vec![plain, smooth, along_axis] } else { vec![plain, smooth] };
        for loss in losses {
            losses_are_the_same(loss, Targets::from(&of_rows), &logits, rows);
            losses_are_the_same(loss, Targets::from(&of_rows).weighted(&weights), &logits, rows);
            losses_are_the_same(loss, Targets::distributions(&distributions), &logits, rows);
        }
    }
}

#[test]
fn cross_entropies_have_the_bits_of_one_thread() {
    cross_entropies::<f32>();
    cross_entropies::<f64>();
    #[cfg(feature = "half")]
    {
        cross_entropies::<half::f16>();
        cross_entropies::<half::bf16>();
    }
}

fn binary_is_the_same<T: Element>(what: &str, targets: BinaryTargets<'_, T>, logits: &[T]) {
    let loss = BinaryCrossEntropy::new().pos_weight(2.5).expect("a weight");
    let zeros = || vec![T::zero(); logits.len()];
    let (mut grad, mut losses, mut grads) = (zeros(), zeros(), zeros());
    let of_batch = [loss.loss(logits, targets), loss.loss_and_gradient(logits, targets, &mut grad)];
    loss.losses_and_gradient(logits, targets, &mut losses, &mut grads);
    on_pools(|| {
        let threaded = loss.parallel().with_min_len(10);
        let (mut grad_, mut losses_, mut grads_) = (zeros(), zeros(), zeros());
        let of_batch_ = [threaded.loss(logits, targets), threaded.loss_and_gradient(logits, targets, &mut grad_)];
        same(&format!("loss of {what}"), &of_batch, &of_batch_);
        same(&format!("gradient of {what}"), &grad, &grad_);
        threaded.losses_and_gradient(logits, targets, &mut losses_, &mut grads_);
        same(&format!("losses of {what}"), &losses, &losses_);
        same(&format!("gradients of losses of {what}"), &grads, &grads_);
        threaded.losses(logits, targets, &mut losses_);
        same(&format!("losses alone of {what}"), &losses, &losses_);
    });
}

fn binary<T: Element>() {
    for len in [0, 1, 70_000, 200_001] {
        let logits = numbers::<T>(len, 9.0);
        let targets: Vec<T> = (0..len).map(|i| if i % 3 == 0 { T::one() } else { T::zero() }).collect();
        let weights: Vec<T> = (0..len).map(|i| T::from((i % 5) as f64 / 4.0).expect("a number")).collect();
        binary_is_the_same(&format!("{len}"), BinaryTargets::from(&targets), &logits);
        binary_is_the_same(&format!("{len} with weights"), BinaryTargets::from(&targets).weighted(&weights), &logits);
        if len == 200_001 {
            let classes = BinaryTargets::from(&targets).pos_weighted(Broadcast::cycled(&weights[..3]));
            binary_is_the_same("classes with weights", classes, &logits);
        }
    }
}

#[test]
fn binary_cross_entropies_have_the_bits_of_one_thread() {
    binary::<f32>();
    binary::<f64>();
    #[cfg(feature = "half")]
    {
        binary::<half::f16>();
        binary::<half::bf16>();
    }
}

#[test]
#[should_panic(expected = "row 1 has the class 5, but there are 2 classes")]
fn a_class_out_of_range_panics_on_threads_too() {
    let _ = CrossEntropy::new(2).expect("classes").parallel().loss(&[0.0_f32; 4], &[0, 5]);
}

#[test]
#[should_panic(expected = "`up`")]
fn gates_of_different_lengths_panic_on_threads_too() {
    SwiGlu.parallel().forward(&[0.0_f32; 4], &[0.0; 3], &mut [0.0; 4]);
}
