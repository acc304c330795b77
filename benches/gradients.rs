//! The double backward pass, and trained parameters, compared with several passes and plain loops, which one writes without them.
//!
//! A filter picks a part: `cargo bench --bench gradients -- prelu`.

#[path = "shared/config.rs"]
mod config;
#[allow(dead_code, reason = "other benches take several sizes")]
#[path = "shared/mod.rs"]
mod shared;

use std::hint::black_box;

use activations::{Activation, Gelu, PerChannel, Prelu, SecondDerivative, Silu, SnakeA, SwishBeta, Tanh, XieluAlphas};
use config::config;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use shared::inputs;

const SIZE: usize = 65_536;
const CHANNELS: usize = 64;

/// grad_grad_x f' and grad_grad_x grad_y f''.
fn double_backward(c: &mut Criterion) {
    let [x, grad_y, grad_grad_x] = [inputs::<f32>(SIZE), inputs(SIZE), inputs(SIZE)];
    let (mut grad_grad_y, mut grad_x) = (vec![0.0; SIZE], vec![0.0; SIZE]);
    let mut group = c.benchmark_group(format!("double_backward/f32/{SIZE}"));
    group.throughput(Throughput::Elements(SIZE as u64));
    macro_rules! each {
        ($($name:literal: $activation:expr, $second:expr;)*) => {$(
            group.bench_function($name, |b| b.iter(|| {
                $activation.double_backward(black_box(&x), &grad_y, &grad_grad_x, &mut grad_grad_y, &mut grad_x);
            }));
            // The first derivative by the crate, and the second in a plain loop.
            group.bench_function(concat!($name, " by passes"), |b| b.iter(|| {
                let second: fn(f32) -> f32 = $second;
                $activation.backward(black_box(&x), &grad_grad_x, &mut grad_grad_y);
                for (grad_x, &x) in grad_x.iter_mut().zip(&x) {
                    *grad_x = second(x);
                }
                for ((grad_x, &a), &b) in grad_x.iter_mut().zip(&grad_y).zip(&grad_grad_x) {
                    *grad_x *= a * b;
                }
            }));
        )*};
    }
    each! {
        "tanh": Tanh, |x| { let t = x.tanh(); -2.0 * t * (1.0 - t * t) };
        "silu": Silu, |x| { let s = 1.0 / (1.0 + (-x).exp()); s * (1.0 - s) * (2.0 + x * (1.0 - 2.0 * s)) };
        "gelu": Gelu, |x| 0.398_942_3 * (-0.5 * x * x).exp() * (2.0 - x * x);
    }
    group.finish();
}

/// Forward, and backward with the parameters' gradients. Channels last.
fn trained(c: &mut Criterion) {
    let (x, grad_y) = (inputs::<f32>(SIZE), inputs::<f32>(SIZE));
    let parameters: Vec<f32> = (0..CHANNELS).map(|c| 0.5 + c as f32 / 64.0).collect();
    let (mut y, mut grad_x, mut gradient, mut other) =
        (vec![0.0; SIZE], vec![0.0; SIZE], vec![0.0; CHANNELS], vec![0.0; CHANNELS]);
    for inner in [1, 64] {
        let mut group = c.benchmark_group(format!("trained/f32/{SIZE} in {CHANNELS} channels, inner {inner}"));
        group.throughput(Throughput::Elements(SIZE as u64));
        let channel = |i: usize| i / inner % CHANNELS;

        let prelu = Prelu::new(&parameters).inner(inner);
        group.bench_function("prelu forward", |b| b.iter(|| prelu.forward(black_box(&x), &mut y)));
        group.bench_function("prelu forward in place", |b| b.iter(|| prelu.forward_in_place(black_box(&mut y))));
        group.bench_function("prelu backward", |b| b.iter(|| prelu.backward(black_box(&x), &grad_y, &mut grad_x)));
        group.bench_function("prelu backward with slopes", |b| {
            b.iter(|| prelu.backward_with_slopes(black_box(&x), &grad_y, &mut grad_x, &mut gradient));
        });

        macro_rules! each {
            ($($name:literal: $formula:expr, $value:expr, $slopes:expr;)*) => {$(
                let layer = PerChannel::new($formula, [&parameters]).inner(inner);
                group.bench_function(concat!($name, " forward"), |b| b.iter(|| layer.forward(black_box(&x), &mut y)));
                group.bench_function(concat!($name, " forward, plain loop"), |b| b.iter(|| {
                    let value: fn(f32, f32) -> f32 = $value;
                    for (i, (y, &x)) in y.iter_mut().zip(black_box(&x)).enumerate() {
                        *y = value(x, parameters[channel(i)]);
                    }
                }));
                group.bench_function(concat!($name, " backward"), |b| b.iter(|| {
                    layer.backward_with_parameters(black_box(&x), &grad_y, &mut grad_x, [&mut gradient]);
                }));
                group.bench_function(concat!($name, " backward, plain loop"), |b| b.iter(|| {
                    let slopes: fn(f32, f32) -> (f32, f32) = $slopes;
                    gradient.fill(0.0);
                    for (i, ((grad_x, &x), &g)) in grad_x.iter_mut().zip(black_box(&x)).zip(&grad_y).enumerate() {
                        let (of_x, of_p) = slopes(x, parameters[channel(i)]);
                        *grad_x = g * of_x;
                        gradient[channel(i)] += g * of_p;
                    }
                }));
            )*};
        }
        each! {
            "swish": SwishBeta, |x, b| x / (1.0 + (-b * x).exp()), |x, b| {
                let s = 1.0 / (1.0 + (-b * x).exp());
                (s + b * x * s * (1.0 - s), x * x * s * (1.0 - s))
            };
            "snake": SnakeA, |x, a| x + (a * x).sin().powi(2) / a, |x, a| {
                let (sine, cosine) = (a * x).sin_cos();
                (1.0 + 2.0 * sine * cosine, (2.0 * x * sine * cosine - sine * sine / a) / a)
            };
        }
        let xielu = PerChannel::new(XieluAlphas::default(), [&parameters, &parameters]).inner(inner);
        group.bench_function("xielu forward", |b| b.iter(|| xielu.forward(black_box(&x), &mut y)));
        group.bench_function("xielu backward", |b| {
            b.iter(|| {
                let gradients = [&mut gradient[..], &mut other[..]];
                xielu.backward_with_parameters(black_box(&x), &grad_y, &mut grad_x, gradients);
            });
        });
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = config();
    targets = double_backward, trained
}
criterion_main!(benches);
