//! Losses in real use, compared with the several passes that one would write without them.

#[path = "shared/config.rs"]
mod config;
#[allow(dead_code, reason = "a part of what the benches use")]
#[path = "shared/mod.rs"]
mod shared;

use std::hint::black_box;

use activations::{Activation, BinaryCrossEntropy, BinaryTargets, Broadcast, CrossEntropy, Element, Sigmoid, Softplus};
use config::config;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use shared::inputs;

const N: usize = 1 << 18;
const CLASSES: usize = 80;

fn targets<T: Element>(n: usize) -> Vec<T> {
    (0..n).map(|i| if i % 3 == 0 { T::one() } else { T::zero() }).collect()
}

fn weights<T: Element>(n: usize) -> Vec<T> {
    (0..n).map(|i| T::from(0.5 + (i % 7) as f64).unwrap()).collect()
}

fn binary<T: Element>(c: &mut Criterion) {
    let n = N / CLASSES * CLASSES;
    let (x, t): (Vec<T>, Vec<T>) = (inputs(n), targets(n));
    let (each, of_classes): (Vec<T>, Vec<T>) = (weights(n), weights(CLASSES));
    let mut grad = vec![T::zero(); n];
    let loss = BinaryCrossEntropy::new();

    let mut group = c.benchmark_group(format!("binary/{}", std::any::type_name::<T>()));
    group.throughput(Throughput::Elements(n as u64));
    let plain = BinaryTargets::from(&t);
    for (name, targets) in [
        ("plain", plain),
        ("weights of classes", plain.pos_weighted(Broadcast::cycled(&of_classes))),
        ("weights of elements", plain.pos_weighted(&each)),
        ("both", plain.pos_weighted(Broadcast::cycled(&of_classes)).weighted(&each)),
    ] {
        group.bench_function(name, |b| {
            b.iter(|| loss.loss_and_gradient(black_box(&x), black_box(targets), &mut grad));
        });
    }
    // Softplus and sigmoid, and then a loop over their results.
    let (mut softplus, mut sigmoid) = (vec![T::zero(); n], vec![T::zero(); n]);
    group.bench_function("weights of classes, several passes", |b| {
        b.iter(|| {
            Softplus::default().forward(black_box(&x), &mut softplus);
            Sigmoid.forward(black_box(&x), &mut sigmoid);
            let mut total = T::zero();
            for i in 0..n {
                let (t, w) = (t[i], of_classes[i % CLASSES]);
                let (of_one, of_zero) = (w * t, T::one() - t);
                total = total + of_one * (softplus[i] - x[i]) + of_zero * softplus[i];
                grad[i] = of_zero * sigmoid[i] - of_one * (T::one() - sigmoid[i]);
            }
            total
        });
    });
    group.bench_function("weights of classes, a call for each element", |b| {
        let of_class = |&w: &T| loss.pos_weight(w.to_f64().unwrap()).unwrap();
        let losses: Vec<_> = of_classes.iter().map(of_class).collect();
        b.iter(|| {
            let mut total = T::zero();
            for i in 0..n {
                total = total + losses[i % CLASSES].loss_and_gradient(&x[i..=i], &t[i..=i], &mut grad[i..=i]);
            }
            total
        });
    });
    group.finish();
}

/// Focal losses, compared with the cross-entropy and with separate passes that give the same numbers.
fn focal<T: Element>(c: &mut Criterion) {
    let n = N;
    let (x, t): (Vec<T>, Vec<T>) = (inputs(n), targets(n));
    let (mut losses, mut grad) = (vec![T::zero(); n], vec![T::zero(); n]);
    let focal = BinaryCrossEntropy::new().focal(2.0).unwrap().alpha(0.25).unwrap();
    let mut group = c.benchmark_group(format!("focal/{}", std::any::type_name::<T>()));
    group.throughput(Throughput::Elements(n as u64));
    group.bench_function("in one pass", |b| b.iter(|| focal.loss_and_gradient(black_box(&x), &t, &mut grad)));
    let mut sigmoid = vec![T::zero(); n];
    group.bench_function("several passes", |b| {
        b.iter(|| {
            BinaryCrossEntropy::new().losses(black_box(&x), &t, &mut losses);
            Sigmoid.forward(black_box(&x), &mut sigmoid);
            let (one, two) = (T::one(), T::one() + T::one());
            let mut total = T::zero();
            for i in 0..n {
                let (p, t) = (sigmoid[i], t[i]);
                let m = p + t - two * p * t;
                let balance = T::from(0.25).unwrap() * t + T::from(0.75).unwrap() * (one - t);
                total = total + balance * m * m * losses[i];
                grad[i] = balance * (two * m * p * (one - p) * (one - two * t) * losses[i] + m * m * (p - t));
            }
            total
        });
    });
    group.finish();
}

/// Images of 21 classes: along their axis, and by rows after a separate transposition.
fn images<T: Element>(c: &mut Criterion) {
    let (classes, pixels) = (21, 1 << 14);
    let n = classes * pixels;
    let x: Vec<T> = inputs(n);
    let labels: Vec<u8> = (0..pixels).map(|i| (i * 7 % classes) as u8).collect();
    let (mut grad, mut rows, mut of_rows) = (vec![T::zero(); n], vec![T::zero(); n], vec![T::zero(); n]);
    let (along, by_rows) = (CrossEntropy::axis(classes, pixels).unwrap(), CrossEntropy::new(classes).unwrap());
    let mut group = c.benchmark_group(format!("images/{}", std::any::type_name::<T>()));
    group.throughput(Throughput::Elements(n as u64));
    group.bench_function("along the axis", |b| {
        b.iter(|| along.loss_and_gradient(black_box(&x), &labels, &mut grad));
    });
    group.bench_function("rows, without transposing", |b| {
        b.iter(|| by_rows.loss_and_gradient(black_box(&x), &labels, &mut grad));
    });
    group.bench_function("transposed, rows, transposed", |b| {
        b.iter(|| {
            for pixel in 0..pixels {
                for class in 0..classes {
                    rows[pixel * classes + class] = x[class * pixels + pixel];
                }
            }
            let loss = by_rows.loss_and_gradient(black_box(&rows), &labels, &mut of_rows);
            for pixel in 0..pixels {
                for class in 0..classes {
                    grad[class * pixels + pixel] = of_rows[pixel * classes + class];
                }
            }
            loss
        });
    });
    for (name, loss) in [("rows, focal", by_rows.focal(2.0)), ("rows, z-loss", by_rows.z_loss(1e-4))] {
        let loss = loss.unwrap();
        group.bench_function(name, |b| b.iter(|| loss.loss_and_gradient(black_box(&x), &labels, &mut grad)));
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = config();
    targets = binary::<f32>, binary::<f64>, focal::<f32>, focal::<f64>, images::<f32>
}
criterion_main!(benches);
