//! The named gated units f(gate) up, whose loops are fused and compiled in this crate.

use super::gate_formula::{GateFormula, compiled_gate};
use crate::activation::Elementwise;
use crate::functions::gelu::{Gelu, GeluTanh};
use crate::functions::relu::Relu;
use crate::functions::sigmoid::Sigmoid;
use crate::functions::silu::Silu;
use crate::kernel::real::Real;

/// Defines gated units: each is a type, with a formula that is compiled in this crate.
macro_rules! gates {
    ($($(#[$attribute:meta])* $name:ident = $activation:ident;)+) => {$(
        $(#[$attribute])*
        #[cfg_attr(doc, doc = include_str!("gate_methods.md"))]
        #[derive(Clone, Copy, Debug, Default, PartialEq)]
        pub struct $name;

        impl GateFormula for $name {
            compiled_gate!();

            const ABREAST: usize = $activation::ABREAST;

            #[inline(always)]
            fn value<R: Real>(&self, gate: R, up: R) -> R {
                $activation.value(gate) * up
            }

            #[inline(always)]
            fn slopes<R: Real>(&self, gate: R, up: R) -> (R, R) {
                (up * $activation.slope(gate), $activation.value(gate))
            }

            // Multiplied in the order of `Gated`, so that the bits are the same.
            #[inline(always)]
            fn gradients<R: Real>(&self, gate: R, up: R, grad_out: R) -> (R, R) {
                ((grad_out * up) * $activation.slope(gate), grad_out * $activation.value(gate))
            }
        }
    )+};
}

gates! {
    /// The gated linear unit, for gated convolutional networks, also in Conformer: sigmoid(gate) up.
    ///
    #[cfg_attr(doc, doc = include_str!("../../docs/pictures/glu.svg"))]
    ///
    /// - Gradients: grad_gate = grad_out up sigmoid(gate) (1 - sigmoid(gate)), grad_up = grad_out sigmoid(gate). Range: the whole
    ///   line.
    /// - Error: [`Sigmoid`](crate::Sigmoid)'s value is rounded, and its product with `up` too; see [`Gated`](crate::Gated). Halves are
    ///   computed in `f32` and rounded once, at the end.
    /// - Special values: NaN in gate or up gives NaN. A gate of -inf gives 0 with the sign of `up`, or NaN if `up` is infinite.
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
    /// SwiGLU, for the feed-forward layers of Llama, Mistral and Qwen: silu(gate) up.
    ///
    #[cfg_attr(doc, doc = include_str!("../../docs/pictures/swi_glu.svg"))]
    ///
    /// - Gradients: grad_gate = grad_out up silu'(gate), grad_up = grad_out silu(gate). Range: the whole line.
    /// - Error: [`Silu`](crate::Silu)'s value is rounded, and its product with `up` too; see [`Gated`](crate::Gated). Halves are
    ///   computed in `f32` and rounded once, at the end.
    /// - Special values: NaN in gate or up gives NaN. A gate of -inf gives 0 with the sign of -up, or NaN if `up` is infinite.
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
    /// GEGLU, for the feed-forward layers of transformers: gelu(gate) up.
    ///
    #[cfg_attr(doc, doc = include_str!("../../docs/pictures/ge_glu.svg"))]
    ///
    /// - Gradients: grad_gate = grad_out up gelu'(gate), grad_up = grad_out gelu(gate). Range: the whole line.
    /// - Error: [`Gelu`](crate::Gelu)'s value is rounded, and its product with `up` too; see [`Gated`](crate::Gated). Halves are
    ///   computed in `f32` and rounded once, at the end.
    /// - Special values: NaN in gate or up gives NaN. A gate of -inf gives 0 with the sign of -up, or NaN if `up` is infinite.
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
    /// GEGLU with GELU's tanh form, for the feed-forward layers of Gemma and T5 v1.1: gelu_tanh(gate) up.
    ///
    #[cfg_attr(doc, doc = include_str!("../../docs/pictures/ge_glu_tanh.svg"))]
    ///
    /// - Gradients: grad_gate = grad_out up gelu_tanh'(gate), grad_up = grad_out gelu_tanh(gate). Range: the whole line.
    /// - Error: [`GeluTanh`](crate::GeluTanh)'s value is rounded, and its product with `up` too; see [`Gated`](crate::Gated). Halves
    ///   are computed in `f32` and rounded once, at the end.
    /// - Special values: NaN in gate or up gives NaN. A gate of -inf gives 0 with the sign of -up, or NaN if `up` is infinite.
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
    /// ReGLU, for feed-forward layers whose hidden units are sparse: relu(gate) up.
    ///
    #[cfg_attr(doc, doc = include_str!("../../docs/pictures/re_glu.svg"))]
    ///
    /// - Gradients: grad_gate = grad_out up for gate > 0, else 0; grad_up = grad_out relu(gate). Range: the whole line.
    /// - Error: one rounding, 0.5 ULP, in `out` and `grad_up`; two roundings in `grad_gate`. For halves the first of these two is
    ///   exact.
    /// - Special values: NaN in gate or up gives NaN. A gate of 0 or below gives 0 with the sign of `up`, or NaN if `up` is infinite.
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
