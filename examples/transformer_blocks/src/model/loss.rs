//! The last logits of Gemma 2, and their loss.

use activations::{Described, Tanh};

use super::{Model, of_ulp, tanh};
use crate::near::Near;

const CAP: f64 = 30.0;

impl Model {
    /// cap tanh(x / cap) of `Gemma2ForCausalLM`. The crate has the error of the card's tanh, and two roundings. The first one is of the argument.
    /// The relative error that it causes in the tanh is no greater than the argument's.
    pub(super) fn cap(self, x: Near) -> Near {
        let r = self.inside();
        let [t, ..] = tanh(r, r.stored(x * Near::exactly(1.0 / CAP)), true);
        self.result(Tanh::CARD.error.f32_plain.0 + 1.0, r.stored(t * Near::exactly(CAP)))
    }

    /// The gradient of that. The crate has the error of the card's derivative, a rounding of the argument, which the derivative magnifies by up
    /// to 2 |x / cap|, and a rounding of the product.
    pub(super) fn cap_gradient(self, x: Near, grad: Near) -> Near {
        let r = self.inside();
        let part = r.stored(x * Near::exactly(1.0 / CAP));
        let [_, _, slope] = tanh(r, part, true);
        let grad = r.stored(grad * Near::exactly(CAP));
        let grad = r.stored(r.stored(grad * slope) * Near::exactly(1.0 / CAP));
        self.result(Tanh::CARD.error.f32_plain.1 + part.greatest() + 0.5, grad)
    }

    /// The mean cross-entropy of rows of logits, and its gradient. PyTorch computes it in `f32` from logits of the type. The crate has errors of
    /// up to 4 ULP; in the gradient these are ULP of the greater of p and its target.
    pub(super) fn mean_loss(self, logits: &[Near], classes: usize, targets: &[i64]) -> (Near, Vec<Near>) {
        let r = self.inside();
        let mean = 1.0 / targets.len() as f64;
        let (mut losses, mut grad) = (Vec::new(), Vec::new());
        for (row, &target) in logits.chunks(classes).zip(targets) {
            let greatest = row.iter().map(|x| x.exact).fold(f64::NEG_INFINITY, f64::max);
            let less: Vec<_> = row.iter().map(|&x| r.float(Near { exact: x.exact - greatest, ..x })).collect();
            let sum = r.floats(
                classes as f64 + 2.0,
                less.iter().fold(Near::exactly(0.0), |sum, x| sum + x.increasing(f64::exp)),
            );
            let log = r.floats(2.0, sum.increasing(f64::ln));
            for (i, &x) in less.iter().enumerate() {
                let surprise = r.float(log - x);
                let p = r.floats(2.0, (-surprise).increasing(f64::exp));
                let is_target = usize::try_from(target) == Ok(i);
                // The factor of the mean, and the product with it.
                let share = r.floats(2.0, p);
                let mut slope = if is_target { r.float(share - r.float(Near::exactly(1.0))) } else { share };
                if self.by_crate {
                    slope.off += of_ulp(4.0) * if is_target { 1.0 } else { p.greatest() };
                }
                grad.push(self.tensors.to_type(slope * Near::exactly(mean)));
                if is_target {
                    losses.push(surprise);
                }
            }
        }
        let loss = r.floats(2.0, r.sum(losses) * Near::exactly(mean));
        (if self.by_crate { loss.rounded(of_ulp(4.0)) } else { loss }, grad)
    }
}
