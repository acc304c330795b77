//! Values and gradients, compared with candle's own; layouts and types; input that is refused.

use activations::{Gelu, GeluTanh, Relu, Sigmoid, Silu, Softmax, Tanh};
use candle_core::{DType, Device, IndexOp, Module, Result, Tensor, Var};
use candle_nn::ops;
use with_candle::Layer;

fn numbers(shape: &[usize], dtype: DType) -> Result<Tensor> {
    let len: usize = shape.iter().product();
    let x: Vec<f64> = (0..len).map(|i| 8.0 * ((i as f64 + 0.5) * 0.618_034 % 1.0) - 4.0).collect();
    Tensor::from_vec(x, shape, &Device::Cpu)?.to_dtype(dtype)
}

fn difference(these: &Tensor, those: &Tensor) -> Result<f64> {
    assert_eq!((these.dims(), these.dtype()), (those.dims(), those.dtype()));
    (these.to_dtype(DType::F64)? - those.to_dtype(DType::F64)?)?.abs()?.max_all()?.to_scalar()
}

fn gradient(x: &Tensor, weights: &Tensor, f: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
    let x = Var::from_tensor(x)?;
    Ok((f(&x)? * weights)?.sum_all()?.backward()?.get(&x).unwrap().clone())
}

/// Value and gradient in `f64` differ from candle's by at most `of_value` and `of_gradient`.
fn same(layer: impl Module, theirs: impl Fn(&Tensor) -> Result<Tensor>, of_value: f64, of_gradient: f64) -> Result<()> {
    let x = numbers(&[7, 11], DType::F64)?;
    let value = difference(&layer.forward(&x)?, &theirs(&x)?)?;
    assert!(value <= of_value, "the values differ by {value}");
    let weights = numbers(&[11, 7], DType::F64)?.t()?;
    let gradient = difference(&gradient(&x, &weights, |x| layer.forward(x))?, &gradient(&x, &weights, theirs)?)?;
    assert!(gradient <= of_gradient, "the gradients differ by {gradient}");
    Ok(())
}

#[test]
fn gelu_is_candles() -> Result<()> {
    // candle's derivative uses 0.398942 for 1/sqrt(2 pi), which is 2.8e-7 too small. It is multiplied by up to 0.61 and by weights of up to 4.
    same(Layer(Gelu), Tensor::gelu_erf, 1e-14, 7e-7)
}

#[test]
fn others_are_candles() -> Result<()> {
    same(Layer(Relu), Tensor::relu, 0.0, 0.0)?;
    same(Layer(Silu), Tensor::silu, 1e-14, 1e-14)?;
    same(Layer(Sigmoid), ops::sigmoid, 1e-14, 1e-14)?;
    same(Layer(Tanh), Tensor::tanh, 1e-14, 1e-14)?;
    same(Layer(Softmax::rows(11).unwrap()), |x| ops::softmax(x, 1), 1e-14, 1e-14)
}

#[test]
fn gelu_tanh_has_the_slope_of_its_values() -> Result<()> {
    let (x, ones) = (numbers(&[50], DType::F64)?, Tensor::ones(50, DType::F64, &Device::Cpu)?);
    let layer = Layer(GeluTanh);
    let h = 1e-5;
    let slope = ((layer.forward(&(&x + h)?)? - layer.forward(&(&x - h)?)?)? / (2.0 * h))?;
    assert!(difference(&gradient(&x, &ones, |x| layer.forward(x))?, &slope)? < 1e-9);
    Ok(())
}

#[test]
fn every_float_keeps_its_type() -> Result<()> {
    for (dtype, tolerance) in
        [(DType::F64, 0.0), (DType::F32, 1e-6), (DType::F16, 2.0_f64.powi(-9)), (DType::BF16, 2.0_f64.powi(-6))]
    {
        let x = numbers(&[64], dtype)?;
        let wide = Layer(Gelu).forward(&x.to_dtype(DType::F64)?)?.to_dtype(dtype)?;
        assert!(difference(&Layer(Gelu).forward(&x)?, &wide)? <= tolerance, "{dtype:?}");
        let of_wide = gradient(&x.to_dtype(DType::F64)?, &x.to_dtype(DType::F64)?, |x| Layer(Gelu).forward(x))?;
        let of_x = gradient(&x, &x, |x| Layer(Gelu).forward(x))?;
        assert!(difference(&of_x, &of_wide.to_dtype(dtype)?)? <= 4.0 * tolerance, "gradient, {dtype:?}");
    }
    Ok(())
}

#[test]
fn strides_do_not_change_the_result() -> Result<()> {
    let x = numbers(&[4, 6, 5], DType::F32)?;
    let views = [x.transpose(0, 2)?, x.i((1.., 2..5))?, x.i((.., .., 3))?, x.i((0, 0))?.broadcast_as((3, 5))?];
    for view in views {
        let copy = view.force_contiguous()?;
        assert_eq!(difference(&Layer(Gelu).forward(&view)?, &Layer(Gelu).forward(&copy)?)?, 0.0);
        let weights = numbers(&view.dims().iter().rev().copied().collect::<Vec<_>>(), DType::F32)?;
        let weights = if view.rank() == 3 { weights.transpose(0, 2)? } else { weights.t()? };
        let of_view = gradient(&view, &weights, |x| Layer(Gelu).forward(x))?;
        let of_copy = gradient(&copy, &weights.force_contiguous()?, |x| Layer(Gelu).forward(x))?;
        assert_eq!(difference(&of_view, &of_copy)?, 0.0);
    }

    // The gradient goes back through the transposition to the tensor's original places.
    let (x, weights) = (numbers(&[3, 4], DType::F64)?, numbers(&[4, 3], DType::F64)?);
    let transposed = gradient(&x, &weights, |x| Layer(Gelu).forward(&x.t()?))?;
    assert_eq!(difference(&transposed, &gradient(&x, &weights.t()?, |x| Layer(Gelu).forward(x))?)?, 0.0);
    Ok(())
}

#[test]
fn what_cannot_be_right_is_an_error() -> Result<()> {
    let refused = |layer: &dyn Module, x: &Tensor| layer.forward(x).unwrap_err().to_string();
    let x = numbers(&[4, 6], DType::F32)?;
    assert!(refused(&Layer(Softmax::rows(4).unwrap()), &x).contains("takes rows of 4, and the last dimension is 6"));
    assert!(refused(&Layer(Softmax::default()), &x).contains("say how long a row is, here 6"));
    let integers = x.to_dtype(DType::I64)?;
    assert!(refused(&Layer(Gelu), &integers).contains("is a function of f32, f64, f16 and bf16 only"));
    Ok(())
}
