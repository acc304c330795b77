//! `burn` on its backend `flex`: tensors on the CPU. Each call allocates its output, as in a user's program.

use burn_tensor::{Device, Element, Tensor, TensorData, activation};
use peers::Function;

use super::{Call, allocating};

pub fn any<T: Element>(function: Function, x: &[T]) -> Option<Box<dyn Call<T>>> {
    let f: fn(Tensor<2>) -> Tensor<2> = match function.name {
        "relu" => activation::relu,
        "leaky_relu" => |x| activation::leaky_relu(x, 0.01),
        "sigmoid" => activation::sigmoid,
        "tanh" => activation::tanh,
        "gelu" => activation::gelu,
        "gelu_tanh" => activation::gelu_approximate,
        "silu" => activation::silu,
        "elu" => |x| activation::elu(x, 1.0),
        "softplus" => |x| activation::softplus(x, 1.0),
        "softmax" => |x| activation::softmax(x, 1),
        "log_softmax" => |x| activation::log_softmax(x, 1),
        _ => return None,
    };
    let row_len = function.row_len.unwrap_or(x.len());
    let x = TensorData::new(x.to_vec(), [x.len() / row_len, row_len]);
    let x = Tensor::<2>::from_data(x, (&Device::default(), T::dtype()));
    // A tensor is not overwritten if something else holds it, as the clone holds this one.
    Some(allocating(x, move |x| f(x.clone()), |y| y.into_data().try_into_vec().unwrap()))
}
