//! The functions of `math` in a user's formula, compared with a plain loop that calls the library for each number. And a gated unit of
//! two inputs, compared with the passes that one writes without it.
//!
//! `cargo bench --bench formulas -- sin` picks a part. Times are for 16,384 numbers, which fit into the cache.

#[path = "shared/config.rs"]
mod config;
#[allow(dead_code, reason = "a part of what the tests use")]
#[path = "../tests/common/elementary.rs"]
mod functions;

use std::hint::black_box;

use activations::{Activation, ClampedSwiGlu, Gate, Swish};
use config::config;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const SIZE: usize = 16_384;
/// The default.
const ABREAST: usize = 4;

fn elementary(c: &mut Criterion) {
    macro_rules! each {
        ($($type:ident: $name:literal, $f32:expr, $f64:expr;)+) => {$(
            beside(c, $name, "f32", functions::$type, $f32, |i| (i as f32).mul_add(4e-4, 0.01));
            beside(c, $name, "f64", functions::$type, $f64, |i| (i as f64).mul_add(4e-4, 0.01));
        )+};
    }
    each! {
        Sin: "sin", f32::sin, f64::sin;
        Cos: "cos", f32::cos, f64::cos;
        Ln: "ln", f32::ln, f64::ln;
        Ln1p: "ln_1p", f32::ln_1p, f64::ln_1p;
        Exp2: "exp2", f32::exp2, f64::exp2;
        Erf: "erf", libm::erff, libm::erf;
        Erfc: "erfc", libm::erfcf, libm::erfc;
        Rsqrt: "rsqrt", |x: f32| 1.0 / x.sqrt(), |x: f64| 1.0 / x.sqrt();
    }
}

fn beside<T: activations::Element>(
    c: &mut Criterion,
    name: &str,
    float: &str,
    ours: impl Activation<T>,
    library: impl Fn(T) -> T,
    x: impl Fn(usize) -> T,
) {
    let x: Vec<T> = (0..SIZE).map(x).collect();
    let mut y = vec![T::zero(); SIZE];
    let mut group = c.benchmark_group(format!("{name}/{float}"));
    group.throughput(Throughput::Elements(SIZE as u64));
    group.bench_function("activations", |b| b.iter(|| ours.forward(black_box(&x), &mut y)));
    group.bench_function("library, plain loop", |b| {
        b.iter(|| {
            for (y, &x) in y.iter_mut().zip(black_box(&x)) {
                *y = library(x);
            }
        });
    });
    group.finish();
}

/// The unit of gpt-oss, forward and backward.
fn gates(c: &mut Criterion) {
    let number = |i: usize| (i * 7_919 % 10_007) as f32 / 500.0 - 10.0;
    let (gate, up): (Vec<f32>, Vec<f32>) = (0..SIZE).map(|i| (number(i), number(i + 5))).unzip();
    let grad_out = vec![0.5_f32; SIZE];
    let [mut out, mut g, mut u, mut swish, mut grad_gate, mut grad_up] = [(); 6].map(|()| vec![0.0_f32; SIZE]);
    let (unit, silu) = (ClampedSwiGlu::default(), Swish::new(1.702).expect("a beta"));

    let mut group = c.benchmark_group("clamped_swi_glu forward/f32");
    group.throughput(Throughput::Elements(SIZE as u64));
    group.bench_function("activations, one pass", |b| b.iter(|| unit.forward(black_box(&gate), &up, &mut out)));
    group.bench_function("activations, passes of clamps, Swish and a product", |b| {
        b.iter(|| {
            for (g, gate) in g.iter_mut().zip(black_box(&gate)) {
                *g = gate.min(7.0);
            }
            for (u, up) in u.iter_mut().zip(&up) {
                *u = up.clamp(-7.0, 7.0) + 1.0;
            }
            silu.forward(&g, &mut swish);
            for ((out, swish), u) in out.iter_mut().zip(&swish).zip(&u) {
                *out = swish * u;
            }
        });
    });
    group.bench_function("library, plain loop", |b| {
        b.iter(|| {
            for ((out, gate), up) in out.iter_mut().zip(black_box(&gate)).zip(&up) {
                let g = gate.min(7.0);
                *out = g / (1.0 + (-1.702 * g).exp()) * (up.clamp(-7.0, 7.0) + 1.0);
            }
        });
    });
    group.finish();

    let mut group = c.benchmark_group("clamped_swi_glu backward/f32");
    group.throughput(Throughput::Elements(SIZE as u64));
    group.bench_function("activations, one pass", |b| {
        b.iter(|| unit.backward(black_box(&gate), &up, &grad_out, &mut grad_gate, &mut grad_up));
    });
    group.bench_function("library, plain loop", |b| {
        b.iter(|| {
            let inputs = black_box(&gate).iter().zip(&up).zip(&grad_out);
            for (((gate, up), grad), (of_gate, of_up)) in inputs.zip(grad_gate.iter_mut().zip(&mut grad_up)) {
                let (g, u) = (gate.min(7.0), up.clamp(-7.0, 7.0) + 1.0);
                let s = 1.0 / (1.0 + (-1.702 * g).exp());
                *of_gate = if *gate < 7.0 { grad * u * s * (1.0 + 1.702 * g * (1.0 - s)) } else { 0.0 };
                *of_up = if up.abs() < 7.0 { grad * g * s } else { 0.0 };
            }
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = config();
    targets = elementary, gates
}
criterion_main!(benches);
