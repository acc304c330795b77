//! Compares burn's activations (before) with this crate's (after): single functions, and the feed-forward block of BERT base.

#[path = "../../shared/before_after.rs"]
mod before_after;
#[path = "../../shared/random.rs"]
mod random;

use activations::{Gelu, Sigmoid, Silu, Softmax, Tanh};
use before_after::{difference, header, row};
use burn::tensor::activation;
use burn::tensor::{DType, Device, Tensor, TensorData};
use random::Random;
use with_burn::Layer;

/// Eight texts of 128 tokens.
const TOKENS: usize = 8 * 128;
const WIDTH: usize = 768;
const INNER: usize = 3072;

type Function = fn(Tensor<2>) -> Tensor<2>;

fn main() {
    let device = Device::flex();
    let mut random = Random(1);
    let mut numbers = |rows: usize, columns: usize, scale: f32| {
        TensorData::new(random.normals(rows * columns, scale), [rows, columns])
    };
    let data = numbers(TOKENS, INNER, 2.0);
    let x = Tensor::<2>::from_data(data.clone(), &device);
    let wide = Tensor::<2>::from_data(data.clone(), (&device, DType::F64));
    let gelu = Layer::new(Gelu);

    header(&format!("activations, {TOKENS} x {INNER}, one thread"));
    forward("gelu, f32", &x, activation::gelu, |x| gelu.forward(x));
    forward("gelu, f64", &wide, activation::gelu, |x| gelu.forward(x));
    let functions: [(&str, Function, Layer); 4] = [
        ("silu, f32", activation::silu, Layer::new(Silu)),
        ("sigmoid, f32", activation::sigmoid, Layer::new(Sigmoid)),
        ("tanh, f32", activation::tanh, Layer::new(Tanh)),
        (
            "softmax of the last dimension, f32",
            |x| activation::softmax(x, 1),
            Layer::new(Softmax::rows(INNER).unwrap()),
        ),
    ];
    for (name, before, after) in functions {
        forward(name, &x, before, |x| after.forward(x));
    }
    let autodiff = device.clone().autodiff();
    let leaf = |data: TensorData| Tensor::<2>::from_data(data, &autodiff).require_grad();
    let x = leaf(data);
    step("gelu, forward and backward, f32", &x, activation::gelu, |x| gelu.forward(x));
    let silu = Layer::new(Silu);
    step("silu, forward and backward, f32", &x, activation::silu, |x| silu.forward(x));

    // Weights have the layout of burn's linear layers: inputs by outputs.
    let up = leaf(numbers(WIDTH, INNER, (1.0 / WIDTH as f32).sqrt()));
    let down = leaf(numbers(INNER, WIDTH, (1.0 / INNER as f32).sqrt()));
    let x = leaf(numbers(TOKENS, WIDTH, 1.0));
    header(&format!("{WIDTH} -> {INNER} -> {WIDTH}, {TOKENS} tokens"));
    let block = |x: Tensor<2>, [up, down]: [&Tensor<2>; 2], f: &dyn Fn(Tensor<2>) -> Tensor<2>| {
        f(x.matmul(up.clone())).matmul(down.clone())
    };
    let (up_inner, down_inner) = (up.clone().inner(), down.clone().inner());
    let inner = [&up_inner, &down_inner];
    let before = |x| block(x, inner, &activation::gelu);
    forward("forward", &x.clone().inner(), before, |x| block(x, inner, &|x| gelu.forward(x)));
    let weights = [&up, &down];
    let before = |x| block(x, weights, &activation::gelu);
    step("training step", &x, before, |x| block(x, weights, &|x| gelu.forward(x)));
}

fn forward(name: &str, x: &Tensor<2>, before: impl Fn(Tensor<2>) -> Tensor<2>, after: impl Fn(Tensor<2>) -> Tensor<2>) {
    let apart = difference(elements(before(x.clone())), elements(after(x.clone())));
    // A tensor that is held elsewhere is not overwritten.
    row(name, apart, || before(x.clone()), || after(x.clone()));
}

/// The forward pass, and the gradients of the sum of squares with respect to everything. Compares the gradients of the input.
fn step(name: &str, x: &Tensor<2>, before: impl Fn(Tensor<2>) -> Tensor<2>, after: impl Fn(Tensor<2>) -> Tensor<2>) {
    let gradient = |y: Tensor<2>| x.grad(&(y.clone() * y).sum().backward()).expect("a leaf's gradient");
    let (before, after) = (|| gradient(before(x.clone())), || gradient(after(x.clone())));
    row(name, difference(elements(before()), elements(after())), before, after);
}

fn elements(x: Tensor<2>) -> Vec<f64> {
    x.into_data().convert::<f64>().try_into_vec().expect("converted")
}
