//! The gated unit of gpt-oss.

use super::gate_formula::{GateFormula, compiled_gate};
use crate::activation::Elementwise;
use crate::describe::card::{Card, Described, ErrorBounds, Vanishes};
use crate::describe::parameters::parameters;
use crate::functions::silu::Swish;
use crate::kernel::real::Real;

/// Clamped SwiGLU, for the feed-forward layers of gpt-oss: g sigmoid(alpha g) (u + up_offset), where g = min(gate, limit) and u is
/// up, clamped to \[-limit, limit\].
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/clamped_swi_glu.svg"))]
///
/// The default parameters are gpt-oss's. In gpt-oss the pairs are [interleaved](crate::Packing::Interleaved). With `alpha` 1 and
/// `up_offset` 0 it is [`SwiGlu`](crate::SwiGlu) of clamped inputs. A `limit` beyond the range of the type clamps nothing.
///
/// | model | `alpha` | `limit` | `up_offset` | |
/// |---|---|---|---|---|
/// | gpt-oss, MiniMax-M3 | 1.702 | 7 | 1 | `swigluoai` in vLLM |
/// | DeepSeek-V4, GLM-5.3 | 1 | 10 | 0 | `SiluAndMulWithClamp` in vLLM, `swiglu_limit` in configurations |
///
/// `tools/gates.py` compares these with PyTorch. Step-3.5 clamps silu(gate) instead of the gate (`SwigluStepAndMul` in vLLM). Write
/// that as a [`GateFormula`]: see the second example.
///
/// - Gradients: grad_gate = grad_out (u + up_offset) swish'(g) for gate < limit, else 0; grad_up = grad_out swish(g) for |up| <
///   limit, else 0, with swish(g) = g sigmoid(alpha g). At a limit they are 0, as with PyTorch's `clamp`. Range: the whole line for
///   `out`, but bounded by the limits from above.
/// - Error: [`Swish`]'s value, u + up_offset and their product are rounded. If the value is off by n ULP, `out` is off by
///   at most 2 n + 1.5 ULP, and `grad_up` by 2 n + 0.5. `grad_gate` has the relative error of the derivative and three roundings:
///   2 n + 2.5. Halves are computed in `f32` and rounded once, at the end.
/// - Special values: NaN in gate or up gives NaN. For a positive `alpha`, a gate of -inf gives 0 with the sign of -(u + up_offset).
/// - Source: OpenAI, "gpt-oss-120b & gpt-oss-20b model card", 2025, arXiv:2508.10925, and its reference implementation.
///
/// ```
/// use activations::{ClampedSwiGlu, Gate, Packing};
///
/// // Gate 0 and up 3, gate 100 and up 2, gate 100 and up 100.
/// let x = [0.0_f32, 3.0, 100.0, 2.0, 100.0, 100.0];
/// let mut out = [0.0; 3];
/// ClampedSwiGlu::default().forward_packed(Packing::Interleaved, &x, &mut out);
/// assert_eq!(out, [0.0, 20.999_859, 55.999_626]);
///
/// let mut grad_x = [0.0; 6];
/// ClampedSwiGlu::default().backward_packed(Packing::Interleaved, &x, &[1.0; 3], &mut grad_x);
/// assert_eq!(grad_x, [2.0, 0.0, 0.0, 6.999_953_3, 0.0, 0.0]);
/// ```
///
/// The unit of Step-3.5, min(silu(gate), limit) u:
///
/// ```
/// use activations::{Elementwise, Gate, GateFormula, Real, Silu};
///
/// #[derive(Clone, Copy)]
/// struct SwiGluStep {
///     limit: f64,
/// }
///
/// impl GateFormula for SwiGluStep {
///     #[inline(always)]
///     fn value<R: Real>(&self, gate: R, up: R) -> R {
///         let limit = R::of(self.limit);
///         Silu.value(gate).at_most(limit) * up.at_least(-limit).at_most(limit)
///     }
///
///     #[inline(always)]
///     fn slopes<R: Real>(&self, gate: R, up: R) -> (R, R) {
///         let (limit, zero, silu) = (R::of(self.limit), R::of(0.0), Silu.value(gate));
///         let of_gate = up.at_least(-limit).at_most(limit) * Silu.slope(gate);
///         (R::select(limit.le(silu), zero, of_gate), R::select(limit.le(up.abs()), zero, silu.at_most(limit)))
///     }
/// }
///
/// let mut out = [0.0_f32; 2];
/// SwiGluStep { limit: 7.0 }.forward(&[0.0, 100.0], &[3.0, 100.0], &mut out);
/// assert_eq!(out, [0.0, 49.0]);
/// ```
#[cfg_attr(doc, doc = include_str!("gate_methods.md"))]
#[doc(alias = "swigluoai")]
#[doc(alias = "SiluAndMulWithClamp")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClampedSwiGlu {
    alpha: f64,
    limit: f64,
    up_offset: f64,
}

parameters! {
    ClampedSwiGlu {
        /// How sharply the gate opens.
        alpha: Finite = 1.702,
        /// The greatest gate, and the greatest magnitude of ups.
        limit: Positive = 7.0,
        /// The number that is added to the up.
        up_offset: Finite = 1.0,
    }
}

impl ClampedSwiGlu {
    /// The clamped gate, and the factor u + up_offset.
    #[inline(always)]
    fn clamped<R: Real>(&self, gate: R, up: R) -> (R, R) {
        let limit = R::of(self.limit);
        (gate.at_most(limit), up.at_least(-limit).at_most(limit) + R::of(self.up_offset))
    }

    /// `inside`, or 0 from the limit on. NaN stays.
    #[inline(always)]
    fn within<R: Real>(&self, x: R, inside: R) -> R {
        R::select(R::of(self.limit).le(x), R::of(0.0), inside)
    }
}

impl GateFormula for ClampedSwiGlu {
    compiled_gate!();

    #[inline(always)]
    fn value<R: Real>(&self, gate: R, up: R) -> R {
        let (gate, factor) = self.clamped(gate, up);
        Swish::of(self.alpha).value(gate) * factor
    }

    #[inline(always)]
    fn slopes<R: Real>(&self, gate: R, up: R) -> (R, R) {
        let (swish, (clamped, factor)) = (Swish::of(self.alpha), self.clamped(gate, up));
        (self.within(gate, factor * swish.slope(clamped)), self.within(up.abs(), swish.value(clamped)))
    }
}

impl Described for ClampedSwiGlu {
    const CARD: Card = Card {
        name: "clamped_swi_glu",
        aliases: &[],
        formula: "g sigmoid(alpha g) (u + up_offset), g = min(gate, limit), u = min(max(up, -limit), limit)",
        derivative: "swish'(g) (u + up_offset) with respect to gate, swish(g) with respect to up, 0 from the limits on",
        range: (f64::NEG_INFINITY, f64::INFINITY),
        vanishes: Vanishes::BothSides,
        zero_centred: false,
        monotone: false,
        kinks: &[7.0],
        common_use: "feed-forward layers of gpt-oss",
        source: "OpenAI, 2025, arXiv:2508.10925",
        error: ErrorBounds { f32: (7.5, 10.5), f32_plain: (9.1, 12.1), f64: (6.5, 7.5), f64_plain: (7.5, 8.5) },
    };
}
