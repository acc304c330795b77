//! The named gated units, whose loops are fused and compiled in this crate.

use super::gate::{Gate, GatePass};
use crate::activation::Elementwise;
use crate::functions::gelu::{Gelu, GeluTanh};
use crate::functions::relu::Relu;
use crate::functions::sigmoid::Sigmoid;
use crate::functions::silu::Silu;
use crate::kernel::dispatch::dispatch;
use crate::kernel::element::{Element, Float, kernel};
use crate::kernel::level::Level;
use crate::kernel::sweep::sweep;
use crate::pass::Pieces;

/// Defines gated units: each is a type, with loops that are compiled here.
///
/// `SwiGlu = Silu;` becomes
///
/// ```text
/// pub struct SwiGlu;
/// impl<T: Element> Gate<T> for SwiGlu { .. } // by the kernel, and by tiles for halves
/// kernel!(SwiGlu: ..);                       // the loops of `run`, with Silu, for f32 and f64
/// ```
macro_rules! gates {
    ($($(#[$attribute:meta])* $name:ident = $activation:ident;)+) => {$(
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, Default, PartialEq)]
        pub struct $name;

        impl<T: Element> Gate<T> for $name {
            #[inline]
            fn run(&self, level: Level, pass: GatePass<'_, T>) {
                pass.over_floats(level, Pieces::Elements, &mut |pass| T::Float::run(self, level, pass));
            }
        }

        kernel!($name: Args<'a, T> = GatePass<'a, T>, -> (), |_, level, pass| run(&$activation, level, pass));
    )+};
}

gates! {
    /// The gated linear unit: sigmoid(gate) up.
    ///
    /// - Gradients: grad_gate = grad_out up sigmoid(gate) (1 - sigmoid(gate)), grad_up = grad_out sigmoid(gate). Range: the whole
    ///   line.
    /// - Error: [`Sigmoid`](crate::Sigmoid)'s value, rounded, times `up`, rounded; see [`Gated`](crate::Gated). Halves are computed in
    ///   `f32` and rounded once, at the end.
    /// - Special values: NaN in either gives NaN. For gate -inf, 0 with the sign of `up`; NaN if `up` is infinite.
    /// - Source: Dauphin, Fan, Auli & Grangier, "Language modeling with gated convolutional networks", 2016,
    ///   arXiv:1612.08083.
    ///
    /// ```
    /// use activations::{Gate, Glu};
    ///
    /// let mut out = [0.0_f32; 2];
    /// Glu.forward(&[0.0, f32::INFINITY], &[3.0, 4.0], &mut out);
    /// assert_eq!(out, [1.5, 4.0]);
    /// ```
    #[doc(alias = "GLU")]
    Glu = Sigmoid;
    /// silu(gate) up: the feed-forward layers of Llama, Mistral, Qwen.
    ///
    /// - Gradients: grad_gate = grad_out up silu'(gate), grad_up = grad_out silu(gate). Range: the whole line.
    /// - Error: [`Silu`](crate::Silu)'s value, rounded, times `up`, rounded; see [`Gated`](crate::Gated). Halves are computed in
    ///   `f32` and rounded once, at the end.
    /// - Special values: NaN in either gives NaN. For gate -inf, 0 with the sign of -up; NaN if `up` is infinite.
    /// - Source: Shazeer, "GLU variants improve transformer", 2020, arXiv:2002.05202.
    ///
    /// ```
    /// use activations::{Gate, SwiGlu};
    ///
    /// let mut out = [0.0_f32; 2];
    /// SwiGlu.forward(&[1.0, 0.0], &[2.0, 5.0], &mut out);
    /// assert_eq!(out, [1.462_117_2, 0.0]);
    /// ```
    #[doc(alias = "SwiGLU")]
    SwiGlu = Silu;
    /// gelu(gate) up.
    ///
    /// - Gradients: grad_gate = grad_out up gelu'(gate), grad_up = grad_out gelu(gate). Range: the whole line.
    /// - Error: [`Gelu`](crate::Gelu)'s value, rounded, times `up`, rounded; see [`Gated`](crate::Gated). Halves are computed in
    ///   `f32` and rounded once, at the end.
    /// - Special values: NaN in either gives NaN. For gate -inf, 0 with the sign of -up; NaN if `up` is infinite.
    /// - Source: Shazeer, "GLU variants improve transformer", 2020, arXiv:2002.05202.
    ///
    /// ```
    /// use activations::{Gate, GeGlu};
    ///
    /// let mut out = [0.0_f32; 2];
    /// GeGlu.forward(&[20.0, 0.0], &[3.0, 5.0], &mut out);
    /// assert_eq!(out, [60.0, 0.0]);
    /// ```
    #[doc(alias = "GEGLU")]
    GeGlu = Gelu;
    /// gelu_tanh(gate) up: the feed-forward layers of Gemma and T5 v1.1.
    ///
    /// - Gradients: grad_gate = grad_out up gelu_tanh'(gate), grad_up = grad_out gelu_tanh(gate). Range: the whole line.
    /// - Error: [`GeluTanh`](crate::GeluTanh)'s value, rounded, times `up`, rounded; see [`Gated`](crate::Gated). Halves are computed
    ///   in `f32` and rounded once, at the end.
    /// - Special values: NaN in either gives NaN. For gate -inf, 0 with the sign of -up; NaN if `up` is infinite.
    /// - Source: Shazeer, "GLU variants improve transformer", 2020, arXiv:2002.05202.
    ///
    /// ```
    /// use activations::{Gate, GeGluTanh};
    ///
    /// let mut out = [0.0_f32; 2];
    /// GeGluTanh.forward(&[20.0, 0.0], &[3.0, 5.0], &mut out);
    /// assert_eq!(out, [60.0, 0.0]);
    /// ```
    #[doc(alias = "GEGLU")]
    GeGluTanh = GeluTanh;
    /// relu(gate) up.
    ///
    /// - Gradients: grad_gate = grad_out up for gate > 0, 0 else; grad_up = grad_out relu(gate). Range: the whole line.
    /// - Error: one rounding, 0.5 ULP, in `out` and `grad_up`; two in `grad_gate`. For halves the first of the two is exact.
    /// - Special values: NaN in either gives NaN. For a gate of 0 or below, 0 with the sign of `up`; NaN if `up` is infinite.
    /// - Source: Shazeer, "GLU variants improve transformer", 2020, arXiv:2002.05202.
    ///
    /// ```
    /// use activations::{Gate, ReGlu};
    ///
    /// let mut out = [0.0_f32; 2];
    /// ReGlu.forward(&[2.0, -2.0], &[10.0, 10.0], &mut out);
    /// assert_eq!(out, [20.0, 0.0]);
    /// ```
    #[doc(alias = "ReGLU")]
    ReGlu = Relu;
}

/// The loops of a formula's gate.
#[inline]
fn run<T: Float, F: Elementwise>(f: &F, level: Level, pass: GatePass<'_, T>) {
    match pass {
        GatePass::Forward { gate, up, out } => dispatch(level, Forward { f, gate, up, out }),
        GatePass::ForwardInPlace { gate, up } => dispatch(level, ForwardInPlace { f, up, gate }),
        GatePass::Backward { gate, up, grad_out, grad_gate, grad_up } => {
            dispatch(level, Backward { f, gate, up, grad_out, grad_gate, grad_up });
        }
        GatePass::ForwardPacked { .. } | GatePass::BackwardPacked { .. } => {
            unreachable!("`GatePass::over_floats` unpacks")
        }
    }
}

sweep!(Forward<Elementwise> |f, gate, up| out = f.value(gate) * up);
sweep!(ForwardInPlace<Elementwise> |f, up| mut gate = f.value(gate) * up);
sweep!(Backward<Elementwise> |f, gate, up, grad_out|
    grad_gate = (grad_out * up) * f.slope(gate),
    grad_up = grad_out * f.value(gate));
