//! The tour: every function and its derivative on five points, softmax, and the speed compared with a plain loop.

#[path = "shared/random.rs"]
mod random;

use std::f32::consts::{FRAC_1_SQRT_2, FRAC_2_PI};
use std::hint::black_box;
use std::time::Instant;

use activations::{Activation, AnyActivation, Level, Softmax};
use random::Random;

fn main() {
    values();
    softmax();
    speed();
}

fn values() {
    let x = [-2.0_f32, -1.0, 0.0, 1.0, 2.0];
    println!("Each function f and its derivative f', for f32\n");
    println!("{:<19}{}", "x", row(&x, 0));
    for activation in AnyActivation::all() {
        let card = activation.card();
        let (mut y, mut dydx) = ([0.0; 5], [0.0; 5]);
        activation.forward_with_derivative(&x, &mut y, &mut dydx);
        println!("{:<15}f   {}   {}", card.name, row(&y, 4), card.formula);
        println!("{:<15}f'  {}   {}", "", row(&dydx, 4), card.derivative);
    }
    println!("\nSoftmax takes the five points together, as one row; f' is then the diagonal of its Jacobian.");
}

fn row(values: &[f32], digits: usize) -> String {
    values.iter().map(|v| format!("{v:>9.digits$}")).collect()
}

fn softmax() {
    let logits = [2.0_f32, 1.0, 0.1];
    let mut p = [0.0; 3];
    Softmax::default().forward(&logits, &mut p);
    println!("\nsoftmax({logits:?}) = {p:?}, sum {}", p.iter().sum::<f32>());
}

const LEN: usize = 1_000_000;
const RUNS: usize = 9;

fn speed() {
    let x = Random(1).normals(LEN, 2.0);
    let mut y = vec![0.0; LEN];

    println!("\nSpeed on {LEN} f32, CPU level `{}`: nanoseconds an element, median of {RUNS} runs\n", Level::best());
    println!("{:<15}{:>12}{:>12}{:>9}", "", "this crate", "plain loop", "ratio");
    for activation in AnyActivation::all() {
        let name = activation.card().name;
        let ours = time(|| activation.forward(black_box(&x), black_box(&mut y)));
        match plain_loop(name) {
            Some(plain) => {
                let plain = time(|| plain(black_box(&x), black_box(&mut y)));
                println!("{name:<15}{ours:>12.2}{plain:>12.2}{:>8.1}x", plain / ours);
            }
            None => println!("{name:<15}{ours:>12.2}{:>12}{:>9}", "-", "-"),
        }
    }
    let copy = time(|| black_box(&mut y[..]).copy_from_slice(black_box(&x)));
    println!("{:<15}{copy:>12.2}", "(a copy)");
}

/// Nanoseconds an element.
fn time(mut run: impl FnMut()) -> f64 {
    run();
    let mut times: [f64; RUNS] = std::array::from_fn(|_| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64() * 1e9 / LEN as f64
    });
    times.sort_by(f64::total_cmp);
    times[RUNS / 2]
}

type Loop = fn(&[f32], &mut [f32]);

/// The loop that one would write without a library: the textbook's formula, element by element.
fn plain_loop(name: &str) -> Option<Loop> {
    fn each(x: &[f32], y: &mut [f32], f: impl Fn(f32) -> f32) {
        for (y, &v) in y.iter_mut().zip(x) {
            *y = f(v);
        }
    }
    Some(match name {
        "relu" => |x, y| each(x, y, |v| v.max(0.0)),
        "leaky_relu" => |x, y| each(x, y, |v| if v > 0.0 { v } else { 0.01 * v }),
        "sigmoid" => |x, y| each(x, y, |v| 1.0 / (1.0 + (-v).exp())),
        "tanh" => |x, y| each(x, y, |v| v.tanh()),
        "gelu" => |x, y| each(x, y, |v| 0.5 * v * (1.0 + libm::erff(v * FRAC_1_SQRT_2))),
        "gelu_tanh" => |x, y| each(x, y, |v| 0.5 * v * (1.0 + (FRAC_2_PI.sqrt() * (v + 0.044715 * v * v * v)).tanh())),
        "silu" => |x, y| each(x, y, |v| v / (1.0 + (-v).exp())),
        "elu" => |x, y| each(x, y, |v| if v > 0.0 { v } else { v.exp_m1() }),
        "softplus" => |x, y| each(x, y, |v| v.max(0.0) + (-v.abs()).exp().ln_1p()),
        "softmax" => |x, y| {
            let max = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            each(x, y, |v| (v - max).exp());
            let sum: f32 = y.iter().sum();
            y.iter_mut().for_each(|p| *p /= sum);
        },
        _ => return None,
    })
}
