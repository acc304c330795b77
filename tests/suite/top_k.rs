//! Top-k softmax: which logits are chosen, their weights, and the gradients of both kinds of weights.

use crate::support::{Bits, Float, show, sum};
use activations::{Level, TopKSoftmax};

/// The places of the k greatest, by sorting all logits: NaN first, and equal ones by their index.
fn sorted(x: &[f64], k: usize) -> Vec<usize> {
    let mut places: Vec<usize> = (0..x.len()).collect();
    places.sort_by(|&a, &b| match (x[a].is_nan(), x[b].is_nan()) {
        (true, true) => a.cmp(&b),
        (true, false) => std::cmp::Ordering::Less,
        (false, true) => std::cmp::Ordering::Greater,
        _ => x[b].partial_cmp(&x[a]).expect("numbers").then(a.cmp(&b)),
    });
    places.truncate(k);
    places
}

/// Weights, and the gradient with respect to the logits.
fn exact(x: &[f64], chosen: &[usize], g: &[f64], over_all: bool) -> (Vec<f64>, Vec<f64>) {
    let max = x[chosen[0]];
    let places: Vec<usize> = if over_all { (0..x.len()).collect() } else { chosen.to_vec() };
    let total = sum(places.iter().map(|&i| (x[i] - max).exp()));
    let p = |i: usize| (x[i] - max).exp() / total;
    let mean = sum(chosen.iter().zip(g).map(|(&i, g)| p(i) * g));
    let mut grad = vec![0.0; x.len()];
    places.iter().for_each(|&i| grad[i] = -p(i) * mean);
    chosen.iter().zip(g).for_each(|(&i, g)| grad[i] += p(i) * g);
    (chosen.iter().map(|&i| p(i)).collect(), grad)
}

const SHAPES: [(usize, usize); 13] = [
    (1, 1),
    (2, 1),
    (3, 3),
    (8, 2),
    (31, 4),
    (64, 6),
    (65, 8),
    (128, 8),
    (300, 40),
    (2_000, 3),
    (70, 70),
    (1_500, 1_200),
    (9_000, 2),
];

#[test]
fn the_greatest_are_chosen_and_ties_go_to_the_lower_index() {
    let mut bits = Bits(710);
    for (n, k) in SHAPES {
        for kind in 0..4 {
            let x: Vec<f32> = (0..3 * n)
                .map(|_| match kind {
                    // Few different values, so that many are equal.
                    0 => (bits.next() % 3) as f32 - 1.0,
                    1 => [0.0, -0.0, 1.0, -1.0, f32::NEG_INFINITY][bits.next() as usize % 5],
                    2 => [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 2.0, -f32::NAN][bits.next() as usize % 5],
                    _ => bits.within(9.0) as f32,
                })
                .collect();
            let (mut indices, mut weights) = (vec![usize::MAX; 3 * k], vec![-1.0; 3 * k]);
            TopKSoftmax::new(n, k).unwrap().forward(&x, &mut indices, &mut weights);
            for ((x, indices), weights) in x.chunks(n).zip(indices.chunks(k)).zip(weights.chunks(k)) {
                let wide: Vec<f64> = x.iter().map(|&x| x.into()).collect();
                assert_eq!(indices, sorted(&wide, k), "{k} of {x:?}");
                let first = x[indices[0]];
                let is_nan = first.is_nan() || first.is_infinite();
                assert!(weights.iter().all(|w| w.is_nan() == is_nan), "{weights:?} of {x:?}");
                let zero = |(w, &i): (&f32, &usize)| is_nan || (*w == 0.0) == (x[i] == f32::NEG_INFINITY);
                assert!(weights.iter().zip(indices).all(zero), "{weights:?} of {x:?}");
            }
        }
    }
}

#[test]
fn weights_and_gradients_are_within_their_bounds() {
    fn check<T: Float>() {
        let mut bits = Bits(711);
        for ((n, k), level) in SHAPES.into_iter().flat_map(|shape| Level::available().map(move |level| (shape, level)))
        {
            for over_all in [false, true] {
                let router = TopKSoftmax::new(n, k).unwrap();
                let router = if over_all { router.over_all() } else { router };
                let rows = 5;
                let x: Vec<T> = (0..rows * n).map(|_| T::of(bits.within(6.0))).collect();
                let g: Vec<T> = (0..rows * k).map(|_| T::of(bits.within(3.0))).collect();
                let (mut indices, mut weights) = (vec![0; rows * k], vec![T::nan(); rows * k]);
                router.forward_at(level, &x, &mut indices, &mut weights);
                let mut grad = vec![T::nan(); rows * n];
                router.backward_at(level, &x, &indices, &g, &mut grad);
                for row in 0..rows {
                    let wide = |y: &[T], n: usize| y[row * n..][..n].iter().map(|y| y.wide()).collect::<Vec<f64>>();
                    let (x, g) = (wide(&x, n), wide(&g, k));
                    let indices = &indices[row * k..][..k];
                    assert_eq!(indices, sorted(&x, k));
                    let (w, dx) = exact(&x, indices, &g, over_all);
                    let size = g.iter().fold(0.0_f64, |size, g| size.max(g.abs()));
                    for (w, &got) in w.iter().zip(&weights[row * k..][..k]) {
                        // The reference has the error of an exponential, which matters in f64.
                        let noise = 3.0 * T::EPS * w + 20.0 * f64::EPSILON * w;
                        assert!((w - got.wide()).abs() <= noise, "{k} of {n} at {level}: {w:e}, got {}", show(got));
                    }
                    for (i, (dx, &got)) in dx.iter().zip(&grad[row * n..][..n]).enumerate() {
                        let p = if over_all || indices.contains(&i) { 1.0 } else { 0.0 };
                        let noise = p * 16.0 * T::EPS * size;
                        assert!((dx - got.wide()).abs() <= noise, "{k} of {n} at {level}: {dx:e}, got {}", show(got));
                    }
                }
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

#[cfg(feature = "half")]
#[test]
fn halves_are_rounded_once() {
    use activations::Element;
    use half::{bf16, f16};

    fn check<T: Element<Float = f32> + Into<f32>>(of: fn(f32) -> T) {
        let mut bits = Bits(712);
        for ((n, k), over_all) in SHAPES.into_iter().flat_map(|shape| [(shape, false), (shape, true)]) {
            let router = TopKSoftmax::new(n, k).unwrap();
            let router = if over_all { router.over_all() } else { router };
            let half = |numbers: &[f32]| numbers.iter().map(|&x| of(x)).collect::<Vec<T>>();
            let wide = |numbers: &[T]| numbers.iter().map(|&x| x.into()).collect::<Vec<f32>>();
            let x = half(&(0..4 * n).map(|_| bits.within(6.0) as f32).collect::<Vec<_>>());
            let g = half(&(0..4 * k).map(|_| bits.within(3.0) as f32).collect::<Vec<_>>());
            let (mut indices, mut weights, mut grad) = (vec![0; 4 * k], vec![T::nan(); 4 * k], vec![T::nan(); 4 * n]);
            router.forward(&x, &mut indices, &mut weights);
            router.backward(&x, &indices, &g, &mut grad);
            let (mut wide_indices, mut wide_weights, mut wide_grad) =
                (vec![0; 4 * k], vec![f32::NAN; 4 * k], vec![f32::NAN; 4 * n]);
            router.forward(&wide(&x), &mut wide_indices, &mut wide_weights);
            router.backward(&wide(&x), &wide_indices, &wide(&g), &mut wide_grad);
            assert_eq!(indices, wide_indices);
            assert_eq!(wide(&weights), wide(&half(&wide_weights)), "{k} of {n}");
            assert_eq!(wide(&grad), wide(&half(&wide_grad)), "{k} of {n}");
        }
    }
    check::<f16>(f16::from_f32);
    check::<bf16>(bf16::from_f32);
}

#[test]
fn a_row_of_nan_leaves_the_others_alone() {
    let x = [1.0, f64::NAN, 3.0, 1.0, 2.0, 3.0];
    let (mut indices, mut weights, mut grad) = ([9; 4], [0.0; 4], [0.0; 6]);
    for router in [TopKSoftmax::new(3, 2).unwrap(), TopKSoftmax::new(3, 2).unwrap().over_all()] {
        router.forward(&x, &mut indices, &mut weights);
        assert_eq!(indices, [1, 2, 2, 1]);
        assert!(weights[..2].iter().all(|w| w.is_nan()) && weights[2..].iter().all(|w| w.is_finite()), "{weights:?}");
        router.backward(&x, &indices, &[1.0; 4], &mut grad);
        assert!(grad[1].is_nan() && grad[2].is_nan() && grad[3..].iter().all(|g| g.is_finite()), "{grad:?}");
    }
}

#[test]
fn input_that_does_not_fit_is_refused_before_anything_is_written() {
    assert!(TopKSoftmax::new(0, 0).is_err() && TopKSoftmax::new(4, 0).is_err() && TopKSoftmax::new(4, 5).is_err());
    let router = TopKSoftmax::new(4, 2).unwrap();
    assert_eq!((router.experts(), router.k()), (4, 2));
    let message = |f: &dyn Fn()| {
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f));
        *result.expect_err("a panic").downcast::<String>().expect("a message")
    };
    let forward = |logits: usize, indices: usize, weights: usize| {
        message(&|| router.forward(&vec![0.0_f32; logits], &mut vec![0; indices], &mut vec![0.0; weights]))
    };
    assert!(forward(6, 2, 2).contains("rows of 4"));
    assert!(forward(8, 3, 4).contains("indices") && forward(8, 4, 5).contains("weights"));
    let backward = |indices: &[usize], g: usize, grad: usize| {
        message(&|| router.backward(&[0.0_f32; 4], indices, &vec![0.0; g], &mut vec![0.0; grad]))
    };
    assert!(backward(&[0, 4], 2, 4).contains("index 4 is out of range of 4"));
    assert!(backward(&[0, 1], 1, 4).contains("grad_weights") && backward(&[0, 1], 2, 5).contains("grad_logits"));
    router.forward::<f32>(&[], &mut [], &mut []);
    router.backward::<f32>(&[], &[], &[], &mut []);
}
