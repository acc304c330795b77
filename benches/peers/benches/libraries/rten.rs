//! `rten-vecmath`: its operations from one slice to another. It has no ReLU. Its log-softmax is left out, because if both are called,
//! the compiler does not inline the closures of its softmax, which then takes three times as long.

use std::mem::MaybeUninit;

use peers::Function;
use rten_simd::{SimdOp, SimdUnaryOp};
use rten_vecmath::{ApproxGelu, Elu, ExtendInit, Gelu, LeakyRelu, Sigmoid, Silu, Softmax, Tanh};

use super::{Call, into_buffer};

pub fn f32(function: Function, x: &[f32]) -> Option<Box<dyn Call<f32>>> {
    Some(match (function.name, function.row_len) {
        ("leaky_relu", None) => map(x, LeakyRelu { alpha: 0.01 }),
        ("sigmoid", None) => map(x, Sigmoid {}),
        ("tanh", None) => map(x, Tanh {}),
        ("gelu", None) => map(x, Gelu {}),
        ("gelu_tanh", None) => map(x, ApproxGelu {}),
        ("silu", None) => map(x, Silu {}),
        ("elu", None) => map(x, Elu { alpha: 1.0 }),
        ("softmax", Some(n)) => on_rows(x, n, |x, y| Softmax::new(x, y).dispatch()),
        _ => return None,
    })
}

fn map(x: &[f32], op: impl SimdUnaryOp<f32> + 'static) -> Box<dyn Call<f32>> {
    on_rows(x, x.len(), move |x, y| op.map(x, y))
}

/// Outputs are written through `ExtendInit`, which is the library's way to fill an uninitialised `Vec`.
fn on_rows(
    x: &[f32],
    row_len: usize,
    op: impl for<'y> Fn(&[f32], &'y mut [MaybeUninit<f32>]) -> &'y [f32] + 'static,
) -> Box<dyn Call<f32>> {
    into_buffer(x, move |x, y| {
        y.clear();
        for x in x.chunks_exact(row_len) {
            y.extend_init(|y| op(x, &mut y[..row_len]));
        }
    })
}
