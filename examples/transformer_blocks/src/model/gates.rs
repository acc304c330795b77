//! Gated units of gpt-oss and Gemma 2.

use core::f64::consts::{FRAC_2_SQRT_PI, SQRT_2};

use activations::{ClampedSwiGlu, Described, GeluTanh};

use super::{Model, sigmoid, tanh};
use crate::near::Near;

const ALPHA: f64 = 1.702;
const LIMIT: f64 = 7.0;

impl Model {
    /// `GptOssExperts._apply_gate`. The crate has the bounds of the card without fused multiply-add, which are the greater ones.
    pub(super) fn swi_glu_value(self, gate: Near, up: Near) -> Near {
        let [_, _, glu, factor] = self.parts(gate, up);
        let gated = self.inside().stored(factor * glu);
        self.result(ClampedSwiGlu::CARD.error.f32_plain.0, gated)
    }

    /// Its gradients with respect to gate and up.
    pub(super) fn swi_glu_gradients(self, gate: Near, up: Near, grad: Near) -> [Near; 2] {
        let r = self.inside();
        let [gated, open, glu, factor] = self.parts(gate, up);
        let grad_up = r.stored(grad * glu);
        let grad_glu = r.stored(grad * factor);
        let (through_product, grad_open) = (r.stored(grad_glu * open), r.stored(grad_glu * gated));
        // sigmoid_backward, from the stored output: g (1 - s) s.
        let closed = r.float(Near { exact: sigmoid(-ALPHA * gated.exact), off: open.off });
        let through_sigmoid = r.stored(r.float(grad_open * closed) * open);
        let through_sigmoid = r.stored(through_sigmoid * Near::parameter(ALPHA));
        let grad_gate = r.stored(through_product + through_sigmoid);
        let error = ClampedSwiGlu::CARD.error.f32_plain;
        let size = Near { exact: up.exact.abs(), ..up };
        [self.result(error.1, grad_gate).up_to(LIMIT, gate), self.result(error.0, grad_up).up_to(LIMIT, size)]
    }

    /// The clamped gate, its sigmoid, their product, and the clamped up plus 1: each of them a tensor.
    fn parts(self, gate: Near, up: Near) -> [Near; 4] {
        let r = self.inside();
        let gate = gate.increasing(|gate| gate.min(LIMIT));
        let up = up.increasing(|up| up.clamp(-LIMIT, LIMIT));
        let scaled = r.stored(gate * Near::parameter(ALPHA));
        // exp with an error of 1 ULP, a sum, a quotient.
        let open = r.floats(3.0, scaled.increasing(sigmoid));
        let open = r.stored(open);
        [gate, open, r.stored(gate * open), r.stored(up + Near::exactly(1.0))]
    }

    /// `Gemma2MLP`, without its last product. The crate has the documented error of `Gated`: 2 n + 0.5 ULP if GELU has n.
    pub(super) fn ge_glu_value(self, gate: Near, up: Near) -> Near {
        let (value, _) = self.gelu_tanh(gate);
        self.result(2.0 * GeluTanh::CARD.error.f32_plain.0 + 0.5, self.inside().stored(value * up))
    }

    /// The gradients with respect to gate and up. The crate has 2 n + 1.5 ULP if the derivative has n, and 2 n + 0.5 if GELU has n.
    pub(super) fn ge_glu_gradients(self, gate: Near, up: Near, grad: Near) -> [Near; 2] {
        let r = self.inside();
        let (value, slope) = self.gelu_tanh(gate);
        let error = GeluTanh::CARD.error.f32_plain;
        [
            self.result(2.0 * error.1 + 1.5, r.stored(r.stored(grad * up) * slope)),
            self.result(2.0 * error.0 + 0.5, r.stored(grad * value)),
        ]
    }

    /// PyTorch has one kernel for `gelu(approximate="tanh")` and one for its gradient. They store only the value and the gradient.
    fn gelu_tanh(self, x: Near) -> (Near, Near) {
        let r = self.inside();
        let (beta, kappa) = (Near::parameter(SQRT_2 * FRAC_2_SQRT_PI * 0.5), Near::parameter(0.044715));
        let square = r.float(x * x);
        let cube = r.float(square * x);
        let inner = r.float(beta * r.float(x + r.float(kappa * cube)));
        let [_, right, tanh_slope] = tanh(r, inner, false);
        let left = Near::exactly(0.5) * x;
        let value = r.stored(left * right);
        let three = Near::exactly(3.0);
        let inner_slope = r.float(beta * r.float(Near::exactly(1.0) + r.float(r.float(three * kappa) * square)));
        let through_tanh = r.float(r.float(left * tanh_slope) * inner_slope);
        (value, r.float(Near::exactly(0.5) * right + through_tanh))
    }
}
