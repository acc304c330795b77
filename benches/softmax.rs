//! Softmax by the length of its rows: 64 K elements in short rows, and one long row.

#[path = "shared/config.rs"]
mod config;
#[path = "shared/mod.rs"]
mod shared;

use std::hint::black_box;

use activations::{Activation, Element, Softmax};
use config::config;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use shared::{SIZES, inputs};

fn rows<T: Element>(c: &mut Criterion) {
    let name = std::any::type_name::<T>();
    for row in [10, 128, 1 << 10, 1 << 15, 1 << 20] {
        let size = row * (SIZES[1] / row).max(1);
        let (x, grad_y) = (inputs::<T>(size), inputs::<T>(size));
        let mut y = vec![T::zero(); size];
        let softmax = Softmax::rows(row).unwrap();

        let mut group = c.benchmark_group(format!("softmax/{name}/rows of {row}"));
        group.throughput(Throughput::Elements(size as u64));
        group.bench_function("forward", |b| b.iter(|| softmax.forward(black_box(&x), &mut y)));
        group.bench_function("backward", |b| b.iter(|| softmax.backward(black_box(&x), black_box(&grad_y), &mut y)));
        group.bench_function(BenchmarkId::from_parameter("forward naive"), |b| {
            b.iter(|| {
                for (x, y) in black_box(&x).chunks(row).zip(y.chunks_mut(row)) {
                    naive(x, y);
                }
            })
        });
        group.finish();
    }
}

/// Softmax as a user would write it with the standard library. It computes in `f64` for every type.
fn naive<T: Element>(x: &[T], y: &mut [T]) {
    let max = x.iter().fold(T::neg_infinity(), |max, &x| max.max(x));
    let mut sum = 0.0;
    for (y, &x) in y.iter_mut().zip(x) {
        let e = (x - max).to_f64().unwrap().exp();
        sum += e;
        *y = T::from(e).unwrap();
    }
    let scale = T::from(1.0 / sum).unwrap();
    for y in y {
        *y = *y * scale;
    }
}

criterion_group! {
    name = benches;
    config = config();
    targets = rows::<f32>, rows::<f64>
}
criterion_main!(benches);
