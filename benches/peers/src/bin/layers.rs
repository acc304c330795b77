//! Times losses, layers, routers, second gradients and the functions of `math`, in one pass and in the passes that one would write
//! without it: a line each, with a name and two times in nanoseconds an element. `layers.py` measures PyTorch beside them.

use std::hint::black_box;
use std::time::{Duration, Instant};

use activations::{
    Activation, BinaryCrossEntropy, BinaryTargets, Broadcast, ClampedSwiGlu, CrossEntropy, Elementwise, Gate, Gelu,
    LogSoftmax, PerChannel, Prelu, Real, SecondDerivative, Sigmoid, Softmax, Softplus, Swish, SwishBeta, Tanh,
    TopKSoftmax, log_sum_exp_backward, log_sum_exp_rows, math,
};
use peers::inputs;

/// The least time of a call, in half a second.
fn least(f: &mut dyn FnMut()) -> f64 {
    let (mut least, end) = (f64::MAX, Instant::now() + Duration::from_millis(500));
    while Instant::now() < end {
        let start = Instant::now();
        f();
        least = least.min(start.elapsed().as_secs_f64());
    }
    least * 1e9
}

fn line(name: &str, n: usize, mut ours: impl FnMut(), mut passes: impl FnMut()) {
    println!("{name}\t{:.4}\t{:.4}", least(&mut ours) / n as f64, least(&mut passes) / n as f64);
}

/// Rows of `len` elements that are `inner` apart, made adjacent, or back.
fn transpose(x: &[f32], len: usize, inner: usize, y: &mut [f32]) {
    for i in 0..inner {
        for k in 0..len {
            y[i * len + k] = x[k * inner + i];
        }
    }
}

fn attention() {
    let (heads, n) = (4, 512);
    let (x, mut y) = (inputs::<f32>(heads * n * n), vec![0.0; heads * n * n]);
    let sinks = [0.5, -1.0, 0.0, 2.0];
    let scores = Softmax::rows(n).unwrap().scaled(0.125).unwrap().causal(n, 0).unwrap();
    let scores = scores.sink(Broadcast::each(&sinks, n)).unwrap();
    let whole = Softmax::rows(n + 1).unwrap();
    let (mut wide, mut p) = (vec![0.0; heads * n * (n + 1)], vec![0.0; heads * n * (n + 1)]);
    line(
        "attention, causal, with sinks",
        x.len(),
        || scores.forward(black_box(&x), &mut y),
        || {
            for (row, (wide, x)) in wide.chunks_mut(n + 1).zip(black_box(&x).chunks(n)).enumerate() {
                for (i, (wide, x)) in wide.iter_mut().zip(x).enumerate() {
                    *wide = if i <= row % n { x * 0.125 } else { f32::NEG_INFINITY };
                }
                wide[n] = sinks[row / n];
            }
            whole.forward(&wide, &mut p);
            black_box(&p);
        },
    );
}

fn axis() {
    let (len, inner) = (9_000, 64);
    let x = inputs::<f32>(len * inner);
    let [mut y, mut rows, mut of_rows, mut again] = [(); 4].map(|()| vec![0.0; x.len()]);
    let (along, by_rows) = (Softmax::axis(len, inner).unwrap(), Softmax::rows(len).unwrap());
    line(
        "softmax of 9000 x 64 along the first axis",
        x.len(),
        || along.forward(black_box(&x), &mut y),
        || {
            transpose(black_box(&x), len, inner, &mut rows);
            by_rows.forward(&rows, &mut of_rows);
            transpose(&of_rows, inner, len, &mut again);
        },
    );
}

fn binary() {
    let (n, classes) = (1 << 18, 64);
    let (x, weights) = (inputs::<f32>(n), inputs::<f32>(classes).iter().map(|w| w.abs() + 0.1).collect::<Vec<f32>>());
    let t: Vec<f32> = (0..n).map(|i| if i % 3 == 0 { 1.0 } else { 0.0 }).collect();
    let [mut grad, mut losses, mut softplus, mut sigmoid] = [(); 4].map(|()| vec![0.0; n]);
    let plain = BinaryCrossEntropy::new();
    let targets = BinaryTargets::from(&t).pos_weighted(Broadcast::cycled(&weights));
    line(
        "binary cross-entropy, weights of classes, gradient",
        n,
        || _ = black_box(plain.loss_and_gradient(black_box(&x), targets, &mut grad)),
        || {
            Softplus::default().forward(black_box(&x), &mut softplus);
            Sigmoid.forward(&x, &mut sigmoid);
            let mut total = 0.0;
            for i in 0..n {
                let (of_one, of_zero) = (weights[i % classes] * t[i], 1.0 - t[i]);
                total += of_one * (softplus[i] - x[i]) + of_zero * softplus[i];
                losses[i] = of_zero * sigmoid[i] - of_one * (1.0 - sigmoid[i]);
            }
            black_box((total, &losses));
        },
    );
    let focal = plain.focal(2.0).unwrap().alpha(0.25).unwrap();
    line(
        "binary focal loss, gradient",
        n,
        || _ = black_box(focal.loss_and_gradient(black_box(&x), &t, &mut grad)),
        || {
            plain.losses(black_box(&x), &t, &mut losses);
            Sigmoid.forward(&x, &mut sigmoid);
            let mut total = 0.0;
            for i in 0..n {
                let (p, t) = (sigmoid[i], t[i]);
                let (m, balance) = (p + t - 2.0 * p * t, 0.25 * t + 0.75 * (1.0 - t));
                total += balance * m * m * losses[i];
                softplus[i] = balance * (2.0 * m * p * (1.0 - p) * (1.0 - 2.0 * t) * losses[i] + m * m * (p - t));
            }
            black_box((total, &softplus));
        },
    );
}

fn classes() {
    let (classes, pixels) = (21, 1 << 14);
    let x = inputs::<f32>(classes * pixels);
    let labels: Vec<u8> = (0..pixels).map(|i| (i * 7 % classes) as u8).collect();
    let [mut grad, mut rows, mut of_rows, mut again] = [(); 4].map(|()| vec![0.0; x.len()]);
    let (along, by_rows) = (CrossEntropy::axis(classes, pixels).unwrap(), CrossEntropy::new(classes).unwrap());
    line(
        "cross-entropy of images of 21 classes, gradient",
        x.len(),
        || _ = black_box(along.loss_and_gradient(black_box(&x), &labels, &mut grad)),
        || {
            transpose(black_box(&x), classes, pixels, &mut rows);
            by_rows.loss_and_gradient(&rows, &labels, &mut of_rows);
            transpose(&of_rows, pixels, classes, &mut again);
        },
    );
    let (classes, tokens) = (4_096, 128);
    let x = inputs::<f32>(classes * tokens);
    let labels: Vec<u32> = (0..tokens).map(|i| (i * 31 % classes) as u32).collect();
    let [mut grad, mut tanh, mut p, mut z] = [(); 4].map(|()| vec![0.0; x.len()]);
    let plain = CrossEntropy::new(classes).unwrap();
    let capped = plain.soft_cap(30.0).unwrap();
    line(
        "cross-entropy of 4096 classes, soft-capped, gradient",
        x.len(),
        || _ = black_box(capped.loss_and_gradient(black_box(&x), &labels, &mut grad)),
        || {
            z.iter_mut().zip(black_box(&x)).for_each(|(z, x)| *z = x / 30.0);
            Tanh.forward(&z, &mut tanh);
            z.iter_mut().zip(&tanh).for_each(|(z, t)| *z = 30.0 * t);
            plain.loss_and_gradient(&z, &labels, &mut p);
            p.iter_mut().zip(&tanh).for_each(|(p, t)| *p *= 1.0 - t * t);
        },
    );
    let (with_z, softmax) = (plain.z_loss(1e-4).unwrap(), Softmax::rows(classes).unwrap());
    let mut logs = vec![0.0; tokens];
    line(
        "cross-entropy of 4096 classes, z-loss, gradient",
        x.len(),
        || _ = black_box(with_z.loss_and_gradient(black_box(&x), &labels, &mut grad)),
        || {
            plain.loss_and_gradient(black_box(&x), &labels, &mut z);
            log_sum_exp_rows(&x, classes, &mut logs);
            softmax.forward(&x, &mut p);
            for ((z, p), log) in z.chunks_mut(classes).zip(p.chunks(classes)).zip(&logs) {
                let factor = 2e-4 * log / tokens as f32;
                z.iter_mut().zip(p).for_each(|(z, p)| *z += factor * p);
            }
        },
    );
}

fn sums() {
    let (len, rows) = (1_024, 256);
    let x = inputs::<f32>(len * rows);
    let [mut grad, mut p, mut logs] = [x.len(), x.len(), rows].map(|n| vec![0.0; n]);
    let separately = |x: &[f32], p: &mut [f32]| {
        for (x, p) in x.chunks(len).zip(p.chunks_mut(len)) {
            let greatest = x.iter().fold(f32::NEG_INFINITY, |a, &b| a.max(b));
            p.iter_mut().zip(x).for_each(|(p, x)| *p = (x - greatest).exp());
            black_box(greatest + p.iter().sum::<f32>().ln());
        }
    };
    line(
        "log-sum-exp, rows of 1024",
        x.len(),
        || log_sum_exp_rows(black_box(&x), len, &mut logs),
        || separately(black_box(&x), &mut p),
    );
    let softmax = Softmax::rows(len).unwrap();
    line(
        "log-sum-exp, rows of 1024, and gradient",
        x.len(),
        || {
            log_sum_exp_rows(black_box(&x), len, &mut logs);
            let rows = black_box(&x).chunks(len).zip(grad.chunks_mut(len));
            rows.for_each(|(x, grad)| log_sum_exp_backward(x, 0.5, grad));
        },
        || {
            separately(black_box(&x), &mut p);
            softmax.forward(&x, &mut p);
            p.chunks_mut(len).for_each(|p| p.iter_mut().for_each(|p| *p *= 0.5));
            black_box(&p);
        },
    );
}

fn smoothed() {
    let (classes, tokens, smoothing) = (1_000, 256, 0.1_f32);
    let x = inputs::<f32>(classes * tokens);
    let labels: Vec<u32> = (0..tokens).map(|i| (i * 31 % classes) as u32).collect();
    let [mut grad, mut p, mut logs] = [(); 3].map(|()| vec![0.0; x.len()]);
    let plain = CrossEntropy::new(classes).unwrap();
    let (loss, log_softmax) = (plain.label_smoothing(smoothing.into()).unwrap(), LogSoftmax::rows(classes).unwrap());
    line(
        "cross-entropy of 1000 classes, smoothed labels, gradient",
        x.len(),
        || _ = black_box(loss.loss_and_gradient(black_box(&x), &labels, &mut grad)),
        || {
            let of_labels = plain.loss_and_gradient(black_box(&x), &labels, &mut p);
            log_softmax.forward(&x, &mut logs);
            let of_all = logs.iter().sum::<f32>() / x.len() as f32;
            let share = smoothing / x.len() as f32;
            for (row, p) in p.chunks_mut(classes).enumerate() {
                p.iter_mut().for_each(|p| *p -= share);
                p[labels[row] as usize] += smoothing / tokens as f32;
            }
            black_box(((1.0 - smoothing) * of_labels - smoothing * of_all, &p));
        },
    );
}

fn second() {
    let n = 1 << 16;
    let (x, grad_y, v) = (inputs::<f32>(n), inputs::<f32>(n), inputs::<f32>(n));
    let [mut of_grad_y, mut of_x, mut slope, mut bell] = [(); 4].map(|()| vec![0.0; n]);
    line(
        "gelu, double backward",
        n,
        || Gelu.double_backward(black_box(&x), &grad_y, &v, &mut of_grad_y, &mut of_x),
        || {
            Gelu.derivative(black_box(&x), &mut slope);
            bell.iter_mut().zip(&x).for_each(|(bell, x)| *bell = 0.398_942_3 * (-0.5 * x * x).exp());
            for i in 0..n {
                bell[i] = v[i] * grad_y[i] * (2.0 - x[i] * x[i]) * bell[i];
                slope[i] *= v[i];
            }
            black_box((&slope, &bell));
        },
    );
    line(
        "tanh, double backward",
        n,
        || Tanh.double_backward(black_box(&x), &grad_y, &v, &mut of_grad_y, &mut of_x),
        || {
            Tanh.forward(black_box(&x), &mut slope);
            for i in 0..n {
                let (y, dydx) = (slope[i], 1.0 - slope[i] * slope[i]);
                bell[i] = -2.0 * v[i] * grad_y[i] * y * dydx;
                slope[i] = v[i] * dydx;
            }
            black_box((&slope, &bell));
        },
    );
}

/// 64 channels, the last axis.
fn channels() {
    let (n, channels) = (1 << 18, 64);
    let (x, grad_y) = (inputs::<f32>(n), inputs::<f32>(n));
    let parameters: Vec<f32> = inputs::<f32>(channels).iter().map(|a| 0.25 + a / 64.0).collect();
    let [mut grad_x, mut others, mut y, mut z, mut s] = [(); 5].map(|()| vec![0.0; n]);
    let mut grad_a = vec![0.0; channels];
    let (prelu, swish) = (Prelu::new(&parameters), PerChannel::new(SwishBeta, [&parameters]));
    line(
        "prelu of 64 channels, and gradients of x and slopes",
        n,
        || {
            prelu.forward(black_box(&x), &mut others);
            prelu.backward_with_slopes(&x, &grad_y, &mut grad_x, &mut grad_a);
        },
        || {
            let mut sums = vec![0.0; channels];
            for (i, (y, x)) in y.iter_mut().zip(black_box(&x)).enumerate() {
                *y = x * if *x < 0.0 { parameters[i % channels] } else { 1.0 };
            }
            for (i, (z, x)) in z.iter_mut().zip(&x).enumerate() {
                let (negative, c) = (*x < 0.0, i % channels);
                *z = grad_y[i] * if negative { parameters[c] } else { 1.0 };
                sums[c] += if negative { grad_y[i] * x } else { 0.0 };
            }
            black_box((&y, &z, sums));
        },
    );
    line(
        "swish of 64 trained betas, and gradients of x and betas",
        n,
        || {
            swish.forward(black_box(&x), &mut others);
            swish.backward_with_parameters(&x, &grad_y, &mut grad_x, [&mut grad_a]);
        },
        || {
            let mut sums = vec![0.0; channels];
            for (i, (z, x)) in z.iter_mut().zip(black_box(&x)).enumerate() {
                *z = parameters[i % channels] * x;
            }
            Sigmoid.forward(&z, &mut s);
            y.iter_mut().zip(&x).zip(&s).for_each(|((y, x), s)| *y = x * s);
            for i in 0..n {
                let (bell, c) = (s[i] * (1.0 - s[i]), i % channels);
                sums[c] += grad_y[i] * x[i] * x[i] * bell;
                z[i] = grad_y[i] * (s[i] + z[i] * bell);
            }
            black_box((&y, &z, sums));
        },
    );
}

/// A formula that calls one function of `math`.
macro_rules! formulas {
    ($($name:ident: $function:ident),+) => {
        $(
            #[derive(Clone, Copy)]
            struct $name;

            impl Elementwise for $name {
                #[inline(always)]
                fn value<R: Real>(&self, x: R) -> R {
                    math::$function(x)
                }

                #[inline(always)]
                fn slope<R: Real>(&self, _: R) -> R {
                    R::of(f64::NAN)
                }
            }
        )+
    };
}

formulas!(Sine: sin, Erf: erf, Exp2: exp2, Ln1p: ln_1p, Rsqrt: rsqrt);

/// The several passes are one, with the functions of the standard library or of `libm`.
fn functions() {
    let x = inputs::<f32>(1 << 16);
    let positive: Vec<f32> = x.iter().map(|x| x.abs() + 0.01).collect();
    function("math::sin", Sine, &x, f32::sin);
    function("math::erf", Erf, &x, libm::erff);
    function("math::exp2", Exp2, &x, f32::exp2);
    function("math::ln_1p", Ln1p, &positive, f32::ln_1p);
    function("math::rsqrt", Rsqrt, &positive, |x| 1.0 / x.sqrt());
}

fn function(name: &str, formula: impl Activation<f32>, x: &[f32], scalar: impl Fn(f32) -> f32) {
    let [mut y, mut of_scalar] = [(); 2].map(|()| vec![0.0; x.len()]);
    line(
        name,
        x.len(),
        || formula.forward(black_box(x), &mut y),
        || {
            of_scalar.iter_mut().zip(black_box(x)).for_each(|(y, x)| *y = scalar(*x));
            black_box(&of_scalar);
        },
    );
}

fn gate() {
    let n = 1 << 18;
    let (gate, up) = (inputs::<f32>(n), inputs::<f32>(n));
    let [mut out, mut g, mut u, mut s] = [(); 4].map(|()| vec![0.0; n]);
    let (unit, swish) = (ClampedSwiGlu::default(), Swish::new(1.702).unwrap());
    line(
        "clamped SwiGLU",
        n,
        || unit.forward(black_box(&gate), &up, &mut out),
        || {
            g.iter_mut().zip(black_box(&gate)).for_each(|(g, gate)| *g = gate.min(7.0));
            u.iter_mut().zip(&up).for_each(|(u, up)| *u = up.clamp(-7.0, 7.0) + 1.0);
            swish.forward(&g, &mut s);
            s.iter_mut().zip(&u).for_each(|(s, u)| *s *= u);
        },
    );
}

fn router() {
    let (experts, k, tokens) = (128, 8, 1024);
    let x = inputs::<f32>(experts * tokens);
    let (mut places, mut weights) = (vec![0; k * tokens], vec![0.0; k * tokens]);
    let (router, softmax) = (TopKSoftmax::new(experts, k).unwrap(), Softmax::rows(k).unwrap());
    let mut chosen = weights.clone();
    line(
        "top 8 of 128, softmax",
        x.len(),
        || router.forward(black_box(&x), &mut places, &mut weights),
        || {
            for (x, chosen) in black_box(&x).chunks(experts).zip(chosen.chunks_mut(k)) {
                let mut places: Vec<usize> = (0..experts).collect();
                places.select_nth_unstable_by(k, |&a, &b| x[b].total_cmp(&x[a]));
                chosen.iter_mut().zip(places).for_each(|(chosen, place)| *chosen = x[place]);
            }
            softmax.forward_in_place(&mut chosen);
        },
    );
}

fn main() {
    attention();
    axis();
    binary();
    classes();
    gate();
    router();
    sums();
    smoothed();
    second();
    channels();
    functions();
}
