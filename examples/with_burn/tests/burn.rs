//! Values and gradients, compared with burn's own; layouts; input that is refused.

use activations::{Gelu, Relu, Sigmoid, Silu, Softmax, Tanh};
use burn::tensor::{DType, Device, Tensor, TensorData, activation};
use with_burn::Layer;

fn numbers<const D: usize>(shape: [usize; D], device: &Device, dtype: DType) -> Tensor<D> {
    let len: usize = shape.iter().product();
    let x: Vec<f64> = (0..len).map(|i| 8.0 * ((i as f64 + 0.5) * 0.618_034 % 1.0) - 4.0).collect();
    Tensor::from_data(TensorData::new(x, shape), (device, dtype))
}

fn elements<const D: usize>(x: Tensor<D>) -> Vec<f64> {
    x.into_data().convert::<f64>().try_into_vec().unwrap()
}

fn difference<const D: usize>(these: Tensor<D>, those: Tensor<D>) -> f64 {
    assert_eq!((these.dims(), these.dtype()), (those.dims(), those.dtype()));
    let apart = elements(these).into_iter().zip(elements(those)).map(|(this, that)| (this - that).abs());
    // NaN stays NaN, and is within no tolerance.
    apart.fold(0.0, |greatest, apart| if greatest.is_nan() || apart <= greatest { greatest } else { apart })
}

fn gradient<const D: usize>(f: impl Fn(Tensor<D>) -> Tensor<D>, shape: [usize; D], dtype: DType) -> Tensor<D> {
    let device = Device::flex().autodiff();
    let x = numbers(shape, &device, dtype).require_grad();
    let y = f(x.clone());
    let weights = y.clone().detach().powf_scalar(2.0) + 0.5;
    x.grad(&(y * weights).sum().backward()).unwrap()
}

/// Values and gradients of both types differ from burn's by at most this many roundings.
fn same(layer: Layer, theirs: impl Fn(Tensor<2>) -> Tensor<2>) {
    for (dtype, tolerance) in [(DType::F32, 1e-5), (DType::F64, 1e-13)] {
        let x = numbers([7, 11], &Device::flex(), dtype);
        let value = difference(layer.forward(x.clone()), theirs(x));
        assert!(value <= tolerance, "values of {layer:?}, {dtype:?}, differ by {value}");
        let ours = gradient(|x| layer.forward(x), [7, 11], dtype);
        let gradient = difference(ours, gradient(&theirs, [7, 11], dtype));
        assert!(gradient <= 10.0 * tolerance, "gradients of {layer:?}, {dtype:?}, differ by {gradient}");
    }
}

#[test]
fn values_and_gradients_are_burns() {
    same(Layer::new(Gelu), activation::gelu);
    same(Layer::new(Relu), activation::relu);
    same(Layer::new(Silu), activation::silu);
    same(Layer::new(Sigmoid), activation::sigmoid);
    same(Layer::new(Tanh), activation::tanh);
    same(Layer::new(Softmax::rows(11).unwrap()), |x| activation::softmax(x, 1));
}

#[test]
fn strides_do_not_change_the_result() {
    let layer = Layer::new(Gelu);
    let x = numbers([4, 6], &Device::flex(), DType::F32);
    let y = layer.forward(x.clone());
    assert_eq!(difference(layer.forward(x.clone().transpose()).transpose(), y.clone()), 0.0);
    assert_eq!(difference(layer.forward(x.clone().flip([0, 1])).flip([0, 1]), y.clone()), 0.0);
    assert_eq!(difference(layer.forward(x.clone().narrow(1, 2, 3)), y.clone().narrow(1, 2, 3)), 0.0);
    assert_eq!(difference(layer.forward(x.clone().narrow(0, 1, 2)), y.clone().narrow(0, 1, 2)), 0.0);
    let column = x.narrow(1, 0, 1);
    assert_eq!(difference(layer.forward(column.expand([4, 5])), y.narrow(1, 0, 1).expand([4, 5])), 0.0);

    // The gradient goes back to the tensor's original places.
    let through = gradient(|x: Tensor<2>| layer.forward(x.transpose()).transpose(), [4, 6], DType::F64);
    assert_eq!(difference(through, gradient(|x| layer.forward(x), [4, 6], DType::F64)), 0.0);
}

#[test]
fn a_tensor_that_is_held_elsewhere_is_not_overwritten() {
    let x = numbers([3, 5], &Device::flex(), DType::F32);
    let before = elements(x.clone());
    let y = elements(Layer::new(Gelu).forward(x.clone()));
    assert_eq!(elements(x.clone()), before);
    // Nobody else holds this one.
    assert_eq!(elements(Layer::new(Gelu).forward(x)), y);
}

#[test]
#[should_panic(expected = "takes rows of 4, and the last dimension is 6")]
fn rows_of_another_length_are_refused() {
    Layer::new(Softmax::rows(4).unwrap()).forward(numbers([4, 6], &Device::flex(), DType::F32));
}

#[test]
#[should_panic(expected = "is a function of f32 and f64 here, not of F16")]
fn halves_are_refused() {
    Layer::new(Gelu).forward(numbers([2, 2], &Device::flex(), DType::F16));
}
