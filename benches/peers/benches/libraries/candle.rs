//! `candle`: tensors on the CPU. Each call allocates its output, as in a user's program.

use candle_core::{Device, Result, Tensor, WithDType};
use candle_nn::ops;
use peers::Function;

use super::{Call, allocating};

pub fn any<T: WithDType>(function: Function, x: &[T]) -> Option<Box<dyn Call<T>>> {
    assert_eq!(candle_core::utils::get_num_threads(), 1, "RAYON_NUM_THREADS is not 1: run this in benches/peers");
    let f: fn(&Tensor) -> Result<Tensor> = match function.name {
        "relu" => Tensor::relu,
        "leaky_relu" => |x| ops::leaky_relu(x, 0.01),
        "sigmoid" => ops::sigmoid,
        "tanh" => Tensor::tanh,
        "gelu" => Tensor::gelu_erf,
        "gelu_tanh" => Tensor::gelu,
        "silu" => Tensor::silu,
        "elu" => |x| x.elu(1.0),
        "softmax" => ops::softmax_last_dim,
        "log_softmax" => |x| ops::log_softmax(x, 1),
        _ => return None,
    };
    let row_len = function.row_len.unwrap_or(x.len());
    let x = Tensor::from_slice(x, (x.len() / row_len, row_len), &Device::Cpu).unwrap();
    Some(allocating(x, move |x| f(x).unwrap(), |y| y.flatten_all().unwrap().to_vec1().unwrap()))
}
