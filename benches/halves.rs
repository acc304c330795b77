//! Compares halves with `f32`: how many times as long an element of `f16` or `bf16` takes, at each level that the CPU has.
//!
//! `cargo bench --bench halves --features half` prints the ratios first, and then criterion's measurements.

#[path = "shared/config.rs"]
mod config;
#[path = "shared/mod.rs"]
mod shared;

use std::hint::black_box;
use std::time::Instant;

use activations::{Activation, Element, Gelu, Level, Pass, Relu, Sigmoid, Silu};
use config::config;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use half::{bf16, f16};
use shared::{SIZES, inputs};

const SIZE: usize = SIZES[1];

/// An activation over all three types.
trait Typed: Activation<f32> + Activation<f16> + Activation<bf16> {}
impl<A: Activation<f32> + Activation<f16> + Activation<bf16>> Typed for A {}

const FUNCTIONS: [(&str, &dyn Typed); 4] = [("relu", &Relu), ("sigmoid", &Sigmoid), ("silu", &Silu), ("gelu", &Gelu)];

/// The least time of many forward passes, in nanoseconds an element, because the noise of a machine only adds to it.
fn least_time<T: Element, A: Activation<T> + ?Sized>(activation: &A, level: Level) -> f64 {
    const PASSES: usize = 10;
    let x = inputs::<T>(SIZE);
    let mut y = vec![T::zero(); SIZE];
    let mut pass = || {
        let start = Instant::now();
        for _ in 0..PASSES {
            activation.run(level, Pass::Forward { x: black_box(&x), y: black_box(&mut y) });
        }
        start.elapsed().as_secs_f64() * 1e9 / (PASSES * SIZE) as f64
    };
    (0..50).map(|_| pass()).fold(f64::INFINITY, f64::min)
}

fn ratios(_: &mut Criterion) {
    println!("ns an element of f32, and f16 and bf16 over that; forward, {SIZE} elements");
    for level in Level::available() {
        for (name, function) in FUNCTIONS {
            let f32 = least_time::<f32, _>(function, level);
            let (f16, bf16) = (least_time::<f16, _>(function, level), least_time::<bf16, _>(function, level));
            println!("{level:8} {name:8} {f32:.3}  f16 {:.2}  bf16 {:.2}", f16 / f32, bf16 / f32);
        }
    }
}

fn forward<T: Element>(c: &mut Criterion, element: &str)
where
    dyn Typed: Activation<T>,
{
    let x = inputs::<T>(SIZE);
    let mut y = vec![T::zero(); SIZE];
    let mut group = c.benchmark_group(format!("forward/{element}/{SIZE}"));
    group.throughput(Throughput::Elements(SIZE as u64));
    for (name, function) in FUNCTIONS {
        group.bench_function(BenchmarkId::from_parameter(name), |b| {
            b.iter(|| Activation::<T>::forward(function, black_box(&x), &mut y));
        });
    }
    group.finish();
}

fn all(c: &mut Criterion) {
    forward::<f32>(c, "f32");
    forward::<f16>(c, "f16");
    forward::<bf16>(c, "bf16");
}

criterion_group! {
    name = benches;
    config = config();
    targets = ratios, all
}
criterion_main!(benches);
