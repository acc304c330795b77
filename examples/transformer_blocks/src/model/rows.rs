//! The softmax of attention's scores, and the softmax of a router.

use super::{Model, of_ulp, tanh};
use crate::near::Near;
use crate::number::Number;

/// How products of queries and keys become scores, and where PyTorch rounds to the type.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scores {
    pub(super) scale: f64,
    pub(super) cap: Option<f64>,
    /// gpt-oss subtracts a row's greatest score as an operation on tensors, before the softmax. The others subtract it inside the softmax.
    pub(super) shifted: bool,
    /// Gemma 2 computes the softmax from bf16 to `f32`, so the probabilities in its gradient were not rounded to bf16.
    pub(super) wide: bool,
}

impl Scores {
    /// A router's scores are the logits, unchanged.
    pub(super) const LOGITS: Self = Self { scale: 1.0, cap: None, shifted: false, wide: false };
}

/// A row: the probabilities without the sink's, and the gradients.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) p: Vec<Near>,
    pub(super) grad_x: Vec<Near>,
    pub(super) grad_sink: Option<Near>,
}

impl Model {
    /// The scores, the cap's factor of the gradient, and the crate's error of that factor.
    fn score(self, of: Scores, x: Near) -> (Near, Near) {
        let r = self.inside();
        let by_crate = |error, x: Near| if self.by_crate { x.rounded(error) } else { x };
        let scaled = if of.scale == 1.0 { x } else { r.stored(x * Near::parameter(of.scale)) };
        // One rounding, of the product.
        let scaled = by_crate(f32::UNIT, scaled);
        let Some(cap) = of.cap else { return (scaled, Near::exactly(1.0)) };
        let part = r.stored(scaled * Near::exactly(1.0 / cap));
        let [t, _, slope] = tanh(r, part, true);
        // Documented: 6 ULP of the score, 4 + 3 |score / cap| ULP of the factor.
        let score = by_crate(of_ulp(6.0), r.stored(t * Near::exactly(cap)));
        (score, by_crate(of_ulp(4.0 + 3.0 * part.greatest()), slope))
    }

    /// A softmax of scores and a sink, and its gradient, where `grad_p` is the gradient with respect to the probabilities.
    pub(super) fn softmax(self, of: Scores, x: &[Near], sink: Option<Near>, grad_p: &[Near]) -> Row {
        let r = self.inside();
        let (scores, slopes): (Vec<_>, Vec<_>) = x.iter().map(|&x| self.score(of, x)).unzip();
        let all: Vec<_> = scores.into_iter().chain(sink).collect();
        // An error that all scores share, such as an error of the greatest, does not change a softmax. But roundings depend on the scores' size.
        let greatest = all.iter().fold(Near::exactly(f64::NEG_INFINITY), |a, &b| if b.exact > a.exact { b } else { a });
        let less = all.iter().map(|&s| {
            let difference = Near { exact: s.exact - greatest.exact, off: s.off };
            let seen = Near { off: s.off + greatest.off, ..difference };
            let rounded = if of.shifted { r.stored(seen) } else { r.float(seen) };
            Near { off: rounded.off - greatest.off, ..difference }
        });
        let less: Vec<_> = less.collect();
        // An exponential with an error of 1 ULP, the sum, its reciprocal, and the product. The crate has 3 ULP.
        let count = less.len() as f64 + 4.0;
        let y =
            shares(&less).into_iter().map(|y| if self.by_crate { y.rounded(of_ulp(3.0)) } else { r.floats(count, y) });
        let y: Vec<_> = y.collect();
        let mut p: Vec<_> = y.iter().map(|&y| self.tensors.to_type(y)).collect();
        let y = if self.by_crate || of.wide { y } else { p.clone() };
        p.truncate(x.len());

        // y (g - sum of g y) for all scores. The sink's g is 0.
        let zero = Near::exactly(0.0);
        let g: Vec<_> = grad_p.iter().copied().chain(sink.map(|_| zero)).collect();
        let float = self.tensors;
        let sum = float.dot(g.iter().copied(), y.iter().copied());
        let mut grad: Vec<_> = y.iter().zip(&g).map(|(&y, &g)| float.float(y * float.float(g - sum))).collect();
        if !self.by_crate {
            grad = grad.into_iter().map(|grad| r.stored(grad)).collect();
            if of.shifted {
                // The gradient flows through the maximum, too. There the sum of all gradients is subtracted, which is 0 up to roundings.
                let rest = r.stored(r.sum(grad.iter().copied()));
                let rest = Near { exact: 0.0, ..rest };
                let low = greatest.exact - greatest.off;
                for (grad, s) in grad.iter_mut().zip(&all) {
                    if s.exact + s.off >= low {
                        *grad = r.stored(*grad - rest);
                    }
                }
            }
        }
        let grad_sink = sink.and_then(|_| grad.pop());
        let grad_x = grad.into_iter().zip(slopes).map(|(grad, slope)| self.through_scores(of, grad, slope)).collect();
        Row { p, grad_x, grad_sink }
    }

    /// Converts a gradient with respect to a score to the gradient with respect to x.
    fn through_scores(self, of: Scores, grad: Near, slope: Near) -> Near {
        let r = self.inside();
        let mut grad = grad;
        if let Some(cap) = of.cap {
            grad = r.stored(grad * Near::exactly(cap));
            grad = r.stored(grad * slope);
            grad = r.stored(grad * Near::exactly(1.0 / cap));
        }
        if of.scale != 1.0 {
            grad = r.stored(grad * Near::parameter(of.scale));
        }
        // The factors are multiplied to one number, and the gradient by it: two roundings.
        self.result(1.0, grad)
    }
}

/// The shares e^s / (sum of e^s). A share grows with its own score, and falls with the others.
fn shares(scores: &[Near]) -> Vec<Near> {
    let share = |i: usize, sign: f64| {
        let own = scores[i].exact + sign * scores[i].off;
        let others = scores.iter().enumerate().filter(|&(j, _)| j != i);
        1.0 / (1.0 + others.map(|(_, s)| (s.exact - sign * s.off - own).exp()).sum::<f64>())
    };
    (0..scores.len()).map(|i| Near::between(share(i, 0.0), share(i, -1.0), share(i, 1.0))).collect()
}
