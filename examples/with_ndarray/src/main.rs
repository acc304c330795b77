//! Compares ndarray's idioms (before) with this crate's functions (after): differences and times over a million numbers.

#[path = "../../shared/before_after.rs"]
mod before_after;
#[path = "../../shared/random.rs"]
mod random;
#[path = "../../shared/textbook.rs"]
mod textbook;

use activations::{Activation, Gelu, Sigmoid, Silu, Softmax, Tanh};
use before_after::{difference, header, row};
use ndarray::{Array2, ArrayView2, Axis, Zip, s};
use random::Random;
use textbook::{gelu, gelu_slope, sigmoid};
use with_ndarray::{along_axis, backward, forward};

const ROWS: usize = 1024;
const COLUMNS: usize = 1024;

fn main() {
    let mut random = Random(1);
    let mut array = || Array2::from_shape_vec((ROWS, COLUMNS), random.normals(ROWS * COLUMNS, 2.0)).unwrap();
    let (x, grad_y) = (array(), array());

    header(&format!("f32, {ROWS} x {COLUMNS}, one thread"));
    mapped("sigmoid", x.view(), sigmoid, &Sigmoid);
    mapped("tanh", x.view(), f32::tanh, &Tanh);
    mapped("silu", x.view(), |x| x * sigmoid(x), &Silu);
    mapped("gelu", x.view(), gelu, &Gelu);
    mapped("gelu, transposed", x.t(), gelu, &Gelu);
    mapped("gelu, every other column", x.slice(s![.., ..;2]), gelu, &Gelu);
    mapped("gelu, left half, rows reversed", x.slice(s![..;-1, ..COLUMNS / 2]), gelu, &Gelu);

    let before = || Zip::from(&x).and(&grad_y).map_collect(|&x, &grad_y| grad_y * gelu_slope(x));
    compared("gelu backward", before, || backward(&Gelu, x.view(), grad_y.view()));
    for (name, axis) in [("softmax along axis 1", Axis(1)), ("softmax along axis 0", Axis(0))] {
        compared(name, || softmax(x.view(), axis), || along_axis(Softmax::axis, x.view(), axis));
    }
}

fn mapped(name: &str, x: ArrayView2<'_, f32>, f: fn(f32) -> f32, activation: &impl Activation<f32>) {
    compared(name, || x.mapv(f), || forward(activation, x));
}

fn compared(name: &str, before: impl Fn() -> Array2<f32>, after: impl Fn() -> Array2<f32>) {
    row(name, difference(before(), after()), before, after);
}

/// Written with ndarray's own functions.
fn softmax(x: ArrayView2<'_, f32>, axis: Axis) -> Array2<f32> {
    let greatest = x.fold_axis(axis, f32::NEG_INFINITY, |greatest, x| greatest.max(*x)).insert_axis(axis);
    let e = (&x - &greatest).mapv_into(f32::exp);
    let sum = e.sum_axis(axis).insert_axis(axis);
    e / sum
}
