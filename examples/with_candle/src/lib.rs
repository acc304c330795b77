//! Activations as candle's operations and layers, with their gradients: `Layer(Gelu)` instead of `Tensor::gelu_erf`.
//!
//! They run on the CPU, for tensors of `f32`, `f64`, `f16` and `bf16`. candle first makes tensors with strides contiguous.
//! There is only the first gradient: a gradient has no gradient of its own.

use std::any::type_name;

use activations::{Activation, Element, Pieces};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Module, Result, Shape, Tensor, bail};
use half::{bf16, f16};

/// An activation over every type of float that a tensor may hold.
pub trait AnyFloat: Activation<f32> + Activation<f64> + Activation<f16> + Activation<bf16> {}
impl<A: Activation<f32> + Activation<f64> + Activation<f16> + Activation<bf16>> AnyFloat for A {}

/// An activation as a layer.
///
/// Functions of rows work along the last dimension, and must be made for its length, as `Softmax::rows(10)` is for 10.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Layer<A>(pub A);

impl<A: AnyFloat + Clone + Send + Sync + 'static> Module for Layer<A> {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.contiguous()?.apply_op1(Forward(self.0.clone()))
    }
}

struct Forward<A>(A);

impl<A: AnyFloat + Clone> CustomOp1 for Forward<A> {
    fn name(&self) -> &'static str {
        type_name::<A>()
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let f = &self.0;
        check(f, layout)?;
        let y = match x {
            CpuStorage::F32(x) => CpuStorage::F32(f.forward_vec(contiguous(x, layout)?)),
            CpuStorage::F64(x) => CpuStorage::F64(f.forward_vec(contiguous(x, layout)?)),
            CpuStorage::F16(x) => CpuStorage::F16(f.forward_vec(contiguous(x, layout)?)),
            CpuStorage::BF16(x) => CpuStorage::BF16(f.forward_vec(contiguous(x, layout)?)),
            _ => bail!("{} is a function of f32, f64, f16 and bf16 only", self.name()),
        };
        Ok((y, layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad_y: &Tensor) -> Result<Option<Tensor>> {
        // The gradient of a sum is broadcast, so it is one number with strides of 0.
        x.contiguous()?.apply_op2_no_bwd(&grad_y.contiguous()?, &Backward(self.0.clone())).map(Some)
    }
}

struct Backward<A>(A);

impl<A: AnyFloat> CustomOp2 for Backward<A> {
    fn name(&self) -> &'static str {
        type_name::<Self>()
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        layout: &Layout,
        grad_y: &CpuStorage,
        grad_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let f = &self.0;
        check(f, layout)?;
        if layout.shape() != grad_layout.shape() {
            bail!("the gradient of {:?} has the shape {:?}", layout.shape(), grad_layout.shape());
        }
        let grad_x = match (x, grad_y) {
            (CpuStorage::F32(x), CpuStorage::F32(g)) => CpuStorage::F32(backward(f, x, layout, g, grad_layout)?),
            (CpuStorage::F64(x), CpuStorage::F64(g)) => CpuStorage::F64(backward(f, x, layout, g, grad_layout)?),
            (CpuStorage::F16(x), CpuStorage::F16(g)) => CpuStorage::F16(backward(f, x, layout, g, grad_layout)?),
            (CpuStorage::BF16(x), CpuStorage::BF16(g)) => CpuStorage::BF16(backward(f, x, layout, g, grad_layout)?),
            _ => bail!("{} takes numbers and gradients of one type, f32, f64, f16 or bf16", self.name()),
        };
        Ok((grad_x, layout.shape().clone()))
    }
}

fn backward<T: Element>(
    f: &impl Activation<T>,
    x: &[T],
    layout: &Layout,
    grad_y: &[T],
    grad_layout: &Layout,
) -> Result<Vec<T>> {
    Ok(f.backward_vec(contiguous(x, layout)?, contiguous(grad_y, grad_layout)?))
}

fn contiguous<'a, T>(x: &'a [T], layout: &Layout) -> Result<&'a [T]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&x[start..end]),
        None => bail!("a tensor with the strides {:?} is not contiguous: call `contiguous` first", layout.stride()),
    }
}

/// If the rows are not as long as the last dimension, they would mix unrelated elements.
fn check<A: Activation<f32>>(f: &A, layout: &Layout) -> Result<()> {
    let last = layout.dims().last().copied().unwrap_or(1);
    match f.pieces() {
        Pieces::Elements => Ok(()),
        Pieces::Rows(len) if len == last => Ok(()),
        Pieces::Rows(len) => bail!("{} takes rows of {len}, and the last dimension is {last}", type_name::<A>()),
        Pieces::Whole => bail!("{} takes all numbers as one row: say how long a row is, here {last}", type_name::<A>()),
    }
}
