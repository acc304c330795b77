//! Every activation, pass, type and size, compared with a plain scalar loop and with a copy, the limit of any pass over memory.
//!
//! The whole bench takes about half an hour. A filter picks a part: `cargo bench --bench elementwise -- forward/f32/65536`.

#[path = "shared/config.rs"]
mod config;
#[path = "shared/mod.rs"]
mod shared;

use std::hint::black_box;

use activations::{Activation, AnyActivation, Element, Elementwise, Real, Sigmoid, Silu, math};
use config::config;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use shared::{SIZES, inputs};

/// A number, with the functions that a user's own scalar loop would call.
trait Scalar: Element {
    const NAME: &'static str;
    /// Runs the plain loop of an activation. False if there is no loop for it here.
    fn naive(name: &str, x: &[Self], y: &mut [Self]) -> bool;
}

macro_rules! scalar {
    ($float:ident, $erf:path) => {
        impl Scalar for $float {
            const NAME: &'static str = stringify!($float);

            fn naive(name: &str, x: &[Self], y: &mut [Self]) -> bool {
                const SQRT_2_OVER_PI: $float = std::$float::consts::FRAC_2_SQRT_PI * std::$float::consts::FRAC_1_SQRT_2;
                match name {
                    "relu" => each(x, y, |x| x.max(0.0)),
                    "leaky_relu" => each(x, y, |x| if x > 0.0 { x } else { 0.01 * x }),
                    "sigmoid" => each(x, y, |x| 1.0 / (1.0 + (-x).exp())),
                    "tanh" => each(x, y, |x| x.tanh()),
                    "gelu" => each(x, y, |x| 0.5 * x * (1.0 + $erf(x * std::$float::consts::FRAC_1_SQRT_2))),
                    "gelu_tanh" => {
                        each(x, y, |x| 0.5 * x * (1.0 + (SQRT_2_OVER_PI * (x + 0.044_715 * x * x * x)).tanh()))
                    }
                    "silu" => each(x, y, |x| x / (1.0 + (-x).exp())),
                    "elu" => each(x, y, |x| if x > 0.0 { x } else { x.exp_m1() }),
                    "softplus" => each(x, y, |x| x.max(0.0) + (-x.abs()).exp().ln_1p()),
                    _ => return false,
                }
                true
            }
        }
    };
}
scalar!(f32, libm::erff);
scalar!(f64, libm::erf);

fn each<T: Copy>(x: &[T], y: &mut [T], f: impl Fn(T) -> T) {
    for (y, &x) in y.iter_mut().zip(x) {
        *y = f(x);
    }
}

fn passes<T: Scalar>(c: &mut Criterion) {
    for size in SIZES {
        let x = inputs::<T>(size);
        let grad_y = inputs::<T>(size);
        let (mut y, mut dydx) = (vec![T::zero(); size], vec![T::zero(); size]);
        let id = |name: &str| BenchmarkId::from_parameter(name);

        let mut group = c.benchmark_group(format!("forward/{}/{size}", T::NAME));
        group.throughput(Throughput::Elements(size as u64));
        group.bench_function(id("copy"), |b| b.iter(|| y.copy_from_slice(black_box(&x))));
        for activation in AnyActivation::all() {
            let name = activation.card().name;
            group.bench_function(id(name), |b| b.iter(|| activation.forward(black_box(&x), &mut y)));
            if T::naive(name, &x, &mut y) {
                group
                    .bench_function(id(&format!("{name} naive")), |b| b.iter(|| T::naive(name, black_box(&x), &mut y)));
            }
        }
        group.finish();

        let mut group = c.benchmark_group(format!("derivative/{}/{size}", T::NAME));
        group.throughput(Throughput::Elements(size as u64));
        for activation in AnyActivation::all() {
            group.bench_function(id(activation.card().name), |b| {
                b.iter(|| activation.derivative(black_box(&x), &mut y))
            });
        }
        group.finish();

        let mut group = c.benchmark_group(format!("backward/{}/{size}", T::NAME));
        group.throughput(Throughput::Elements(size as u64));
        for activation in AnyActivation::all() {
            group.bench_function(id(activation.card().name), |b| {
                b.iter(|| activation.backward(black_box(&x), black_box(&grad_y), &mut y))
            });
        }
        group.finish();

        let mut group = c.benchmark_group(format!("forward_with_derivative/{}/{size}", T::NAME));
        group.throughput(Throughput::Elements(size as u64));
        for activation in AnyActivation::all() {
            group.bench_function(id(activation.card().name), |b| {
                b.iter(|| activation.forward_with_derivative(black_box(&x), &mut y, &mut dydx))
            });
        }
        group.finish();
    }
}

/// SiLU and sigmoid as a user would write them, on the crate's public functions.
#[derive(Clone, Copy)]
struct UserSilu;

impl Elementwise for UserSilu {
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        x * math::sigmoid(x)
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        let s = math::sigmoid(x);
        s * (x * math::sigmoid(-x) + R::of(1.0))
    }
}

#[derive(Clone, Copy)]
struct UserSigmoid;

impl Elementwise for UserSigmoid {
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        math::sigmoid(x)
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        Sigmoid.slope(x)
    }
}

/// A user's formula and the built-in one. `sigmoid` is the same formula, so any difference comes from the crate.
fn user_defined(c: &mut Criterion) {
    let size = 65_536;
    let x = inputs::<f32>(size);
    let mut y = vec![0.0; size];
    let mut group = c.benchmark_group("user_defined/f32/65536");
    group.throughput(Throughput::Elements(size as u64));
    group.bench_function("sigmoid built in", |b| b.iter(|| Sigmoid.forward(black_box(&x), &mut y)));
    group.bench_function("sigmoid by a user", |b| b.iter(|| UserSigmoid.forward(black_box(&x), &mut y)));
    group.bench_function("sigmoid' built in", |b| b.iter(|| Sigmoid.derivative(black_box(&x), &mut y)));
    group.bench_function("sigmoid' by a user", |b| b.iter(|| UserSigmoid.derivative(black_box(&x), &mut y)));
    group.bench_function("silu built in", |b| b.iter(|| Silu.forward(black_box(&x), &mut y)));
    group.bench_function("silu by a user", |b| b.iter(|| UserSilu.forward(black_box(&x), &mut y)));
    group.finish();
}

/// Times calls on few elements.
fn small(c: &mut Criterion) {
    let x = inputs::<f32>(8);
    let mut y = [0.0; 8];
    let mut group = c.benchmark_group("small/f32/8");
    for activation in AnyActivation::all() {
        group.bench_function(activation.card().name, |b| {
            b.iter(|| activation.forward(black_box(&x), black_box(&mut y)))
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = config();
    targets = user_defined, small, passes::<f32>, passes::<f64>
}
criterion_main!(benches);
