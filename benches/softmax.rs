//! Softmax by the length of its rows: 64 K elements in short rows, and one long row. Then the softmax of attention, and routers of
//! experts, compared with the separate passes that they replace.

#[path = "shared/config.rs"]
mod config;
#[path = "shared/mod.rs"]
mod shared;

use std::hint::black_box;

use activations::{Activation, Broadcast, Element, SinkGradient, Softmax, Tanh, TopKSoftmax};
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

/// Heads with these numbers of queries and keys, causal, with sinks or soft caps.
const HEADS: usize = 4;

fn attention<T: Element>(c: &mut Criterion) {
    let name = std::any::type_name::<T>();
    for n in [64, 512, 2048] {
        let size = HEADS * n * n;
        let (x, grad_y) = (inputs::<T>(size), inputs::<T>(size));
        let (mut y, mut grad_sinks) = (vec![T::zero(); size], [T::zero(); HEADS]);
        let sinks = inputs::<T>(HEADS);
        let mask: Vec<bool> = (0..n * n).map(|i| i % n <= i / n).collect();
        let scaled = Softmax::rows(n).unwrap().scaled(0.125).unwrap();
        let plain = Softmax::rows(n).unwrap();
        let masked = scaled.masked(Broadcast::cycled(&mask)).unwrap();
        let causal = scaled.causal(n, 0).unwrap();
        let window = causal.window(128).unwrap();
        let with_sink = causal.sink(Broadcast::each_cycled(&sinks, n)).unwrap();
        let capped = causal.soft_cap(50.0).unwrap();

        let mut group = c.benchmark_group(format!("attention/{name}/{HEADS} x {n} x {n}"));
        group.throughput(Throughput::Elements(size as u64));
        for (what, scores) in [
            ("mask", &masked),
            ("causal", &causal),
            ("window of 128", &window),
            ("sinks", &with_sink),
            ("soft cap", &capped),
        ] {
            group.bench_function(what, |b| b.iter(|| scores.forward(black_box(&x), &mut y)));
            group.bench_function(format!("{what}, backward"), |b| {
                b.iter(|| scores.backward(black_box(&x), black_box(&grad_y), &mut y));
            });
        }
        group.bench_function("sinks, backward with sinks", |b| {
            b.iter(|| with_sink.backward_with_sink(black_box(&x), black_box(&grad_y), &mut y, &mut grad_sinks));
        });
        group.bench_function("plain, without scale and mask", |b| b.iter(|| plain.forward(black_box(&x), &mut y)));
        let mut longer = vec![T::zero(); HEADS * n * (n + 1)];
        let scale = T::from(0.125).unwrap();
        group.bench_function("sinks by passes", |b| {
            b.iter(|| {
                for (row, (longer, x)) in longer.chunks_mut(n + 1).zip(black_box(&x).chunks(n)).enumerate() {
                    for (i, (longer, &x)) in longer.iter_mut().zip(x).enumerate() {
                        *longer = if mask[row % n * n + i] { x * scale } else { T::neg_infinity() };
                    }
                    longer[n] = sinks[row / n];
                }
                Softmax::rows(n + 1).unwrap().forward_in_place(&mut longer);
                for (y, longer) in y.chunks_mut(n).zip(longer.chunks(n + 1)) {
                    y.copy_from_slice(&longer[..n]);
                }
            });
        });
        group.bench_function("soft cap by passes", |b| {
            let (down, up) = (T::from(0.125 / 50.0).unwrap(), T::from(50.0).unwrap());
            b.iter(|| {
                for (y, &x) in y.iter_mut().zip(black_box(&x)) {
                    *y = x * down;
                }
                Tanh.forward_in_place(&mut y);
                for (row, y) in y.chunks_mut(n).enumerate() {
                    for (y, &keep) in y.iter_mut().zip(&mask[row % n * n..][..n]) {
                        *y = if keep { *y * up } else { T::neg_infinity() };
                    }
                }
                Softmax::rows(n).unwrap().forward_in_place(&mut y);
            });
        });
        group.finish();
    }
}

fn routers<T: Element>(c: &mut Criterion) {
    let name = std::any::type_name::<T>();
    const TOKENS: usize = 1024;
    for (experts, k) in [(8, 2), (64, 6), (128, 8)] {
        let logits = inputs::<T>(TOKENS * experts);
        let (mut indices, mut weights) = (vec![0; TOKENS * k], vec![T::zero(); TOKENS * k]);
        let mut grad = vec![T::zero(); TOKENS * experts];
        let chosen = TopKSoftmax::new(experts, k).unwrap();

        let mut group = c.benchmark_group(format!("router/{name}/{k} of {experts}"));
        group.throughput(Throughput::Elements(TOKENS as u64));
        for (what, router) in [("chosen", chosen), ("over all", chosen.over_all())] {
            group.bench_function(what, |b| b.iter(|| router.forward(black_box(&logits), &mut indices, &mut weights)));
            group.bench_function(format!("{what}, backward"), |b| {
                b.iter(|| router.backward(black_box(&logits), &indices, black_box(&weights), &mut grad));
            });
        }
        let mut p = vec![T::zero(); logits.len()];
        group.bench_function("by passes", |b| {
            b.iter(|| {
                Softmax::rows(experts).unwrap().forward(black_box(&logits), &mut p);
                let mut order: Vec<usize> = Vec::with_capacity(experts);
                let chosen = indices.chunks_mut(k).zip(weights.chunks_mut(k));
                for (p, (indices, weights)) in p.chunks(experts).zip(chosen) {
                    order.clear();
                    order.extend(0..experts);
                    order.select_nth_unstable_by(k - 1, |&a, &b| p[b].partial_cmp(&p[a]).unwrap());
                    order[..k].sort_by(|&a, &b| p[b].partial_cmp(&p[a]).unwrap());
                    indices.copy_from_slice(&order[..k]);
                    let total = indices.iter().fold(T::zero(), |sum, &i| sum + p[i]);
                    for (weight, &i) in weights.iter_mut().zip(&*indices) {
                        *weight = p[i] / total;
                    }
                }
            });
        });
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = config();
    targets = rows::<f32>, rows::<f64>, attention::<f32>, routers::<f32>
}
criterion_main!(benches);
