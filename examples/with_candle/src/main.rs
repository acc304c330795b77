//! Compares candle's activations (before) with this crate's (after): single functions, and the feed-forward block of BERT base.

#[path = "../../shared/before_after.rs"]
mod before_after;
#[path = "../../shared/random.rs"]
mod random;

use activations::{Gelu, Sigmoid, Silu, Softmax, Tanh};
use before_after::{difference, header, row};
use candle_core::{DType, Device, Module, Result, Tensor, Var};
use candle_nn::{Linear, ops};
use random::Random;
use with_candle::Layer;

/// Eight texts of 128 tokens.
const TOKENS: usize = 8 * 128;
const WIDTH: usize = 768;
const INNER: usize = 3072;

fn main() -> Result<()> {
    println!(
        "candle's products of matrices run on {} threads, activations on one.",
        candle_core::utils::get_num_threads()
    );
    let mut random = Random(1);
    let mut tensor = |shape: (usize, usize), scale: f32| {
        Tensor::from_vec(random.normals(shape.0 * shape.1, scale), shape, &Device::Cpu)
    };
    let x = tensor((TOKENS, INNER), 2.0)?;
    let gelu = Layer(Gelu);

    header(&format!("activations, {TOKENS} x {INNER}"));
    forward("gelu, f32", &x, Tensor::gelu_erf, &gelu)?;
    forward("gelu, f64", &x.to_dtype(DType::F64)?, Tensor::gelu_erf, &gelu)?;
    forward("gelu, f16", &x.to_dtype(DType::F16)?, Tensor::gelu_erf, &gelu)?;
    forward("gelu, bf16", &x.to_dtype(DType::BF16)?, Tensor::gelu_erf, &gelu)?;
    forward("silu, f32", &x, Tensor::silu, &Layer(Silu))?;
    forward("sigmoid, f32", &x, ops::sigmoid, &Layer(Sigmoid))?;
    forward("tanh, f32", &x, Tensor::tanh, &Layer(Tanh))?;
    let softmax = Softmax::rows(INNER).map_err(candle_core::Error::wrap)?;
    forward("softmax of the last dimension, f32", &x, ops::softmax_last_dim, &Layer(softmax))?;
    step("gelu, forward and backward, f32", &Var::from_tensor(&x)?, Tensor::gelu_erf, &gelu)?;
    step("silu, forward and backward, f32", &Var::from_tensor(&x)?, Tensor::silu, &Layer(Silu))?;

    let mut linear = |from: usize, to: usize| {
        let weights = Var::from_tensor(&tensor((to, from), (1.0 / from as f32).sqrt())?)?;
        Ok::<_, candle_core::Error>(Linear::new(weights.as_tensor().clone(), None))
    };
    let (up, down) = (linear(WIDTH, INNER)?, linear(INNER, WIDTH)?);
    let x = Var::from_tensor(&tensor((TOKENS, WIDTH), 1.0)?)?;
    let before = |x: &Tensor| down.forward(&up.forward(x)?.gelu_erf()?);
    let after = |x: &Tensor| down.forward(&gelu.forward(&up.forward(x)?)?);
    header(&format!("{WIDTH} -> {INNER} -> {WIDTH}, {TOKENS} tokens"));
    forward("forward", &x.as_detached_tensor(), before, &after)?;
    step("training step", &x, before, &after)
}

fn forward(name: &str, x: &Tensor, before: impl Fn(&Tensor) -> Result<Tensor>, after: &impl Module) -> Result<()> {
    let apart = difference(numbers(&before(x)?)?, numbers(&after.forward(x)?)?);
    row(name, apart, || before(x).unwrap(), || after.forward(x).unwrap());
    Ok(())
}

/// The forward pass, and the gradients of the sum of squares with respect to everything. Compares the gradients of the input.
fn step(name: &str, x: &Var, before: impl Fn(&Tensor) -> Result<Tensor>, after: &impl Module) -> Result<()> {
    let gradients = |y: Tensor| y.sqr()?.sum_all()?.backward();
    let (before, after) = (|| gradients(before(x)?), || gradients(after.forward(x)?));
    let apart = difference(numbers(before()?.get(x).unwrap())?, numbers(after()?.get(x).unwrap())?);
    row(name, apart, || before().unwrap(), || after().unwrap());
    Ok(())
}

fn numbers(x: &Tensor) -> Result<Vec<f64>> {
    x.to_dtype(DType::F64)?.flatten_all()?.to_vec1()
}
