//! The functions of `math` in a user's formula, beside a plain loop that calls the library for each number.
//!
//! `cargo bench --bench formulas -- sin` picks a part. Times are for 16,384 numbers, which the cache holds.

#[path = "shared/config.rs"]
mod config;

use std::hint::black_box;

use activations::{Activation, Elementwise, Real, math};
use config::config;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const SIZE: usize = 16_384;

macro_rules! functions {
    ($($type:ident: $name:ident, $f32:expr, $f64:expr);+ $(;)?) => {
        $(
            #[derive(Clone, Copy)]
            struct $type;

            impl Elementwise for $type {
                #[inline(always)]
                fn value<R: Real>(&self, x: R) -> R {
                    math::$name(x)
                }

                #[inline(always)]
                fn slope<R: Real>(&self, x: R) -> R {
                    math::$name(x)
                }
            }
        )+

        fn elementary(c: &mut Criterion) {
            $(
                beside(c, stringify!($name), "f32", $type, $f32, |i| (i as f32).mul_add(4e-4, 0.01));
                beside(c, stringify!($name), "f64", $type, $f64, |i| (i as f64).mul_add(4e-4, 0.01));
            )+
        }
    };
}

functions! {
    Sin: sin, f32::sin, f64::sin;
    Cos: cos, f32::cos, f64::cos;
    Ln: ln, f32::ln, f64::ln;
    Ln1p: ln_1p, f32::ln_1p, f64::ln_1p;
    Exp2: exp2, f32::exp2, f64::exp2;
    Erf: erf, libm::erff, libm::erf;
    Erfc: erfc, libm::erfcf, libm::erfc;
    Rsqrt: rsqrt, |x: f32| 1.0 / x.sqrt(), |x: f64| 1.0 / x.sqrt();
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

criterion_group! {
    name = benches;
    config = config();
    targets = elementary
}
criterion_main!(benches);
