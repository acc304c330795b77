//! Loops of a few functions over slices of odd lengths and alignments, and on threads. They are small enough for Miri and sanitizers
//! (`tools/miri.sh`, `tools/sanitizers.sh`).

use activations::{
    Activation, CrossEntropy, Element, Elementwise, Gate, Level, LogSumExp, Prelu, Relu, Sigmoid, Softmax, SwiGlu,
    log_sum_exp,
};

/// Just below and above the sizes of the loop's strips and blocks, and one above 1024, where stores are aligned.
const LENGTHS: [usize; 8] = [0, 1, 3, 63, 65, 129, 257, 1_031];

/// In Miri a long slice takes seconds.
fn lengths() -> impl Iterator<Item = usize> {
    LENGTHS.into_iter().filter(|&len| !cfg!(miri) || [1, 65, 257].contains(&len))
}

fn numbers<T: Element>(len: usize) -> Vec<T> {
    (0..len).map(|i| T::from((i * 37 % 101) as i16 - 50).expect("a small number") / T::from(16).expect("16")).collect()
}

/// Checks that every pass gives each element the same result as for that element by itself.
fn elements_stand_alone<T: Element, F: Elementwise>(f: &F) {
    for (level, len) in Level::available().flat_map(|level| lengths().map(move |len| (level, len))) {
        let at = level.with(f.clone());
        let all = numbers::<T>(len + 1);
        // A slice that is not aligned with a vector.
        let x = &all[1..];
        let stale = || vec![T::nan(); len + 1];
        let (mut y, mut slope, mut in_place, mut grad_x) = (stale(), stale(), all.clone(), stale());
        at.forward(x, &mut y[1..]);
        at.derivative(x, &mut slope[1..]);
        at.forward_in_place(&mut in_place[1..]);
        at.backward(x, x, &mut grad_x[1..]);
        assert!(y[0].is_nan() && slope[0].is_nan() && grad_x[0].is_nan() && in_place[0] == all[0]);
        let (mut both_y, mut both_slope) = (stale(), stale());
        at.forward_with_derivative(x, &mut both_y[1..], &mut both_slope[1..]);
        assert!(y[1..] == both_y[1..] && slope[1..] == both_slope[1..] && y[1..] == in_place[1..]);
        for i in (1..=len).step_by(if cfg!(miri) { 29 } else { 1 }) {
            let mut one = [T::nan()];
            at.forward(&all[i..=i], &mut one);
            assert!(one[0] == y[i], "{level}, element {i} of {len}: {:?} alone, {:?}", one[0], y[i]);
            assert!(grad_x[i] == all[i] * slope[i], "{level}, element {i} of {len}");
        }
    }
}

#[test]
fn straight_lines() {
    elements_stand_alone::<f32, _>(&Relu);
}

#[test]
fn curves() {
    elements_stand_alone::<f32, _>(&Sigmoid);
    elements_stand_alone::<f64, _>(&Sigmoid);
}

#[test]
fn rows() {
    for (level, n) in Level::available().flat_map(|level| [1, 5, 33, 130].map(|n| (level, n))) {
        let x = numbers::<f32>(2 * n);
        let (mut p, mut grad_x) = (vec![f32::NAN; 2 * n], vec![f32::NAN; 2 * n]);
        let softmax = level.with(Softmax::rows(n).expect("a length"));
        softmax.forward(&x, &mut p);
        softmax.backward(&x, &x, &mut grad_x);
        for (p, grad_x) in p.chunks(n).zip(grad_x.chunks(n)) {
            assert!((p.iter().sum::<f32>() - 1.0).abs() < 1e-6, "{level}, rows of {n}: {p:?}");
            assert!(grad_x.iter().sum::<f32>().abs() < 1e-5, "{level}, rows of {n}: {grad_x:?}");
        }
    }
}

#[test]
fn pieces_of_a_row() {
    let x = numbers::<f32>(75);
    let mut sum = LogSumExp::of(&x[..31]);
    sum.push(x[31]);
    sum.merge(&LogSumExp::of(&x[32..]));
    assert!((sum.finish() - log_sum_exp(&x)).abs() < 1e-6);
}

#[test]
fn slopes_losses_and_gates() {
    let x = numbers::<f32>(66);
    let (mut y, mut grad, mut slopes) = (vec![0.0; 66], vec![0.0; 66], [0.0; 3]);
    Prelu::new(&[0.5, 0.25, 0.125]).backward_with_slopes(&x, &x, &mut grad, &mut slopes);
    assert!(slopes.iter().all(|&slope| slope > 0.0));
    SwiGlu.forward(&x, &x, &mut y);
    assert_eq!(y.len(), x.len());
    let loss = CrossEntropy::new(33).expect("classes").loss_and_gradient(&x, &[0, 32], &mut grad);
    assert!(loss > 0.0 && grad.iter().sum::<f32>().abs() < 1e-6);
}

#[cfg(feature = "rayon")]
#[test]
fn threads() {
    use activations::IntoParallel;

    let pool = rayon::ThreadPoolBuilder::new().num_threads(4).build().expect("a pool of threads");
    let x = numbers::<f32>(1_029);
    let (mut y, mut grad_x) = (vec![f32::NAN; x.len()], vec![f32::NAN; x.len()]);
    let softmax = Softmax::rows(21).expect("a length");
    for _ in 0..if cfg!(miri) { 1 } else { 100 } {
        pool.install(|| {
            let sigmoid = Sigmoid.parallel().with_min_len(64);
            sigmoid.forward(&x, &mut y);
            sigmoid.backward(&x, &x, &mut grad_x);
        });
        assert!(y == Sigmoid.forward_vec(&x) && grad_x == Sigmoid.backward_vec(&x, &x));
        pool.install(|| softmax.parallel().with_min_len(64).forward(&x, &mut y));
        assert!(y == softmax.forward_vec(&x));
    }
}
