//! Gates, gradients of biases and log-sum-exps have the same bits on several threads, and whatever the number of them.

use activations::{
    BiasGradient, Biased, ClampedSwiGlu, Element, Gate, GateFormula, Gated, Gelu, IntoParallel, Packing, Real, Softmax,
    SwiGlu, Tanh, log_sum_exp, log_sum_exp_parallel, log_sum_exp_rows, log_sum_exp_rows_parallel,
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

/// Slices of equal numbers. Both zeros would be equal, but a zero of the other sign is in no result here.
fn same<T: Element>(what: &str, expected: &[T], got: &[T]) {
    let differs = expected.iter().zip(got).position(|(a, b)| a != b && !(a.is_nan() && b.is_nan()));
    assert!(expected.len() == got.len() && differs.is_none(), "{what}: differs at {differs:?} of {}", expected.len());
}

/// A unit that a user wrote, with a derived `Gate`.
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
    // Narrow rows, of which many are summed together; rows in strips; rows that are longer than a segment's part.
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

#[test]
#[should_panic(expected = "`up`")]
fn gates_of_different_lengths_panic_as_ever() {
    SwiGlu.parallel().forward(&[0.0_f32; 4], &[0.0; 3], &mut [0.0; 4]);
}
