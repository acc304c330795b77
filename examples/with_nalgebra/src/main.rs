//! Compares nalgebra's idioms (before) with this crate's functions (after), and trains a network.

#[path = "../../shared/before_after.rs"]
mod before_after;
#[path = "../../shared/random.rs"]
mod random;
#[path = "../../shared/textbook.rs"]
mod textbook;

use activations::{Gelu, Sigmoid, Silu, Softmax, Tanh};
use before_after::{difference, header, row};
use nalgebra::{DMatrix, DVector};
use random::Random;
use textbook::{gelu, gelu_slope, sigmoid};
use with_nalgebra::network::Weights;
use with_nalgebra::{backward, columns, forward, rows};

const SIZE: usize = 1024;

fn main() {
    let mut random = Random(1);
    let mut matrix = |rows, columns, scale| DMatrix::from_vec(rows, columns, random.normals(rows * columns, scale));
    let (x, grad_y) = (matrix(SIZE, SIZE, 2.0), matrix(SIZE, SIZE, 1.0));

    header(&format!("f32, {SIZE} x {SIZE}, one thread"));
    compared("sigmoid", || x.map(sigmoid), || forward(&Sigmoid, &x));
    compared("tanh", || x.map(f32::tanh), || forward(&Tanh, &x));
    compared("silu", || x.map(|x| x * sigmoid(x)), || forward(&Silu, &x));
    compared("gelu", || x.map(gelu), || forward(&Gelu, &x));
    compared("gelu backward", || x.zip_map(&grad_y, |x, g| g * gelu_slope(x)), || backward(&Gelu, &x, &grad_y));
    let of_columns = columns(Softmax::axis, x.shape()).unwrap();
    compared("softmax of columns", || softmax_columns(&x), || forward(&of_columns, &x));
    let of_rows = rows(Softmax::axis, x.shape()).unwrap();
    compared("softmax of rows", || softmax_columns(&x.transpose()).transpose(), || forward(&of_rows, &x));

    // A sample has the class whose random weights give the greatest sum of the magnitudes of its numbers.
    let (x, ten) = (matrix(64, 512, 1.0), matrix(10, 64, 1.0));
    let classes: Vec<usize> = (&ten * x.map(f32::abs)).column_iter().map(|of| of.argmax().0).collect();
    let mut weights =
        Weights { first: matrix(256, 64, 0.125), bias: DVector::zeros(256), second: matrix(10, 256, 0.06) };
    println!("\nA network, 64 -> 256 -> 10, GELU, 512 samples: the loss");
    for step in 0..=200 {
        let (loss, gradients) = weights.loss_and_gradients(Gelu, &x, &classes);
        weights.descend(&gradients, 0.5);
        if step % 50 == 0 {
            println!("{step:>4} steps{loss:>10.4}");
        }
    }
}

fn compared(name: &str, before: impl Fn() -> DMatrix<f32>, after: impl Fn() -> DMatrix<f32>) {
    row(name, difference(before().iter().copied(), after().iter().copied()), before, after);
}

fn softmax_columns(x: &DMatrix<f32>) -> DMatrix<f32> {
    let mut p = x.clone();
    for mut column in p.column_iter_mut() {
        let greatest = column.max();
        column.apply(|x| *x = (*x - greatest).exp());
        let sum = column.sum();
        column /= sum;
    }
    p
}
