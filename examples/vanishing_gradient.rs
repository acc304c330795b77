//! Why deep stacks of sigmoids do not learn: the gradient layer by layer, first by arithmetic and then by measurement.

#[path = "shared/random.rs"]
mod random;

use activations::{Activation, AnyActivation, ParseError, Sigmoid};
use random::Random;

const LAYERS: usize = 10;
const WIDTH: usize = 64;
const BATCH: usize = 64;

fn main() -> Result<(), ParseError> {
    arithmetic();
    measured()
}

/// Only the slopes, multiplied by the chain rule.
fn arithmetic() {
    let mut greatest = [0.0_f64];
    Sigmoid.derivative(&[0.0], &mut greatest);
    println!("1. Arithmetic\n");
    println!("The chain rule multiplies the slopes of all layers on the way back.");
    println!("Sigmoid's slope is at most {}, at x = 0. ReLU's is 1 wherever the unit is active.\n", greatest[0]);
    println!("{:>6}{:>14}{:>8}", "layers", "sigmoid", "relu");
    for layers in 1..=LAYERS {
        println!("{layers:>6}{:>14.1e}{:>8}", greatest[0].powi(layers as i32), 1);
    }
}

/// A stack of dense layers, `h = f(W h)`, with one activation for all.
struct Stack {
    activation: AnyActivation,
    /// Each layer's weights, row by row.
    weights: Vec<Vec<f32>>,
}

impl Stack {
    /// Weights whose variance keeps the signal's size: Glorot's 1/n, or He's 2/n for functions that are 0 for half of their inputs.
    fn new(activation: AnyActivation, gain: f32) -> Self {
        let mut random = Random(7);
        let scale = (gain / WIDTH as f32).sqrt();
        Self { activation, weights: (0..LAYERS).map(|_| random.normals(WIDTH * WIDTH, scale)).collect() }
    }

    /// The length of the gradient after each layer, first layer first, if the gradient has length 1 at the output.
    fn gradient_lengths(&self) -> Vec<f64> {
        let mut random = Random(8);
        let mut h = random.normals(BATCH * WIDTH, 1.0);
        let mut sums = Vec::new();
        for weights in &self.weights {
            let z = multiply(&h, weights, WIDTH, 1);
            self.activation.forward(&z, &mut h);
            sums.push(z);
        }

        let mut grad = random.normals(BATCH * WIDTH, 1.0);
        let scale = 1.0 / length(&grad) as f32;
        grad.iter_mut().for_each(|g| *g *= scale);
        let mut lengths = Vec::new();
        let mut grad_z = vec![0.0; BATCH * WIDTH];
        for (weights, z) in self.weights.iter().zip(&sums).rev() {
            self.activation.backward(z, &grad, &mut grad_z);
            grad = multiply(&grad_z, weights, 1, WIDTH);
            lengths.push(length(&grad));
        }
        lengths.reverse();
        lengths
    }
}

/// Each row of `h` times a matrix whose element (output i, input j) is at `i * step_out + j * step_in`.
fn multiply(h: &[f32], weights: &[f32], step_out: usize, step_in: usize) -> Vec<f32> {
    let dot =
        |row: &[f32], i: usize| row.iter().enumerate().map(|(j, h)| h * weights[i * step_out + j * step_in]).sum();
    h.chunks_exact(WIDTH).flat_map(|row| (0..WIDTH).map(move |i| dot(row, i))).collect()
}

fn length(v: &[f32]) -> f64 {
    v.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt()
}

fn measured() -> Result<(), ParseError> {
    let stacks: [(&str, f32); 4] = [("sigmoid", 1.0), ("tanh", 1.0), ("relu", 2.0), ("gelu", 2.0)];
    let lengths: Vec<_> = stacks
        .iter()
        .map(|&(name, gain)| Ok(Stack::new(name.parse()?, gain).gradient_lengths()))
        .collect::<Result<_, ParseError>>()?;

    println!("\n2. Measured\n");
    println!("{LAYERS} dense layers of {WIDTH} units, {BATCH} random inputs, random weights of variance 1/n (Glorot;");
    println!("sigmoid, tanh) or 2/n (He; relu, gelu). A gradient of length 1 enters at the output.");
    println!("Its length behind each layer; each # is a factor of ten above 1e-8:\n");
    let names = stacks.map(|(name, _)| format!("  {name:<19}")).concat();
    println!("layer{}", names.trim_end());
    for layer in (0..LAYERS).rev() {
        let cells = lengths.iter().map(|of| format!("  {:<9.1e}{:<10}", of[layer], bar(of[layer])));
        println!("{:>5}{}", layer + 1, cells.collect::<String>().trim_end());
    }

    println!();
    for ((name, _), of) in stacks.iter().zip(&lengths) {
        let a_layer = of[0].powf(1.0 / LAYERS as f64);
        println!("{name:<8} each layer multiplies by {a_layer:.2}; the first layer gets {:.1e} of the gradient", of[0]);
    }
    assert!(lengths[0][0] < 1e-5 && lengths[2][0] > 0.1, "not what the text says");
    println!(
        "\nWith one learning rate for all layers, sigmoid's first layer all but stands still while its last one learns."
    );
    Ok(())
}

fn bar(length: f64) -> String {
    "#".repeat((8.5 + length.log10()).clamp(0.0, 10.0) as usize)
}
