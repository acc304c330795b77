//! The blocks, as an error analysis.

use super::Model;
use super::rows::{Row, Scores};
use crate::compute::{Attention, Compute, EXPERTS, EXPERTS_PER_TOKEN, HEAD_DIM, QUERIES, Softened, VOCABULARY, WINDOW};
use crate::near::Near;
use crate::number::exactly;
use crate::weights::numbers;

impl Compute for Model {
    type Number = Near;

    fn load(&self, numbers: &[f64]) -> Vec<Near> {
        numbers.iter().map(|&number| Near::exactly(number)).collect()
    }

    fn read(&self, number: Near) -> Near {
        number
    }

    fn made(&self, seed: u64, len: usize, size: f32) -> Vec<Near> {
        self.load(&exactly(&numbers::<f32>(seed, len, size)))
    }

    fn linear(&self, a: &[Near], b: &[Near], bias: &[Near], k: usize) -> Vec<Near> {
        let r = self.tensors;
        let sum = |a: &[Near], b: &[Near], bias: Option<&Near>| {
            let products = a.iter().zip(b).map(|(&a, &b)| r.float(a * b));
            r.to_type(r.sum(products.chain(bias.copied())))
        };
        a.chunks(k).flat_map(|a| b.chunks(k).enumerate().map(move |(i, b)| sum(a, b, bias.get(i)))).collect()
    }

    fn plus(&self, a: &[Near], b: &[Near]) -> Vec<Near> {
        a.iter().zip(b.iter().cycle()).map(|(&a, &b)| self.tensors.stored(a + b)).collect()
    }

    fn times(&self, a: &[Near], b: &[Near], each: usize) -> Vec<Near> {
        a.chunks(each).zip(b).flat_map(|(a, &b)| a.iter().map(move |&a| self.tensors.stored(a * b))).collect()
    }

    fn attention(&self, attention: Attention, x: &[Near], sinks: &[Near], grad_p: &[Near]) -> Softened<Near> {
        let scale = (HEAD_DIM as f64).powf(-0.5);
        let (scores, window) = match attention {
            Attention::GptOss => (Scores { scale, cap: None, shifted: true, wide: false }, WINDOW),
            Attention::Gemma2 { sliding } => {
                (Scores { scale, cap: Some(50.0), shifted: false, wide: true }, if sliding { WINDOW } else { QUERIES })
            }
        };
        let mut all = Softened { p: Vec::new(), grad_x: Vec::new(), grad_sinks: Vec::new() };
        let mut of_sinks = vec![Vec::new(); sinks.len()];
        for (row, (x, grad_p)) in x.chunks(QUERIES).zip(grad_p.chunks(QUERIES)).enumerate() {
            let (head, query) = (row / QUERIES, row % QUERIES);
            let seen = (query + 1).saturating_sub(window)..query + 1;
            let sink = sinks.get(head).copied();
            let Row { p, grad_x, grad_sink } = self.softmax(scores, &x[seen.clone()], sink, &grad_p[seen.clone()]);
            for (all, of_seen) in [(&mut all.p, p), (&mut all.grad_x, grad_x)] {
                let mut whole = [Near::exactly(0.0); QUERIES];
                whole[seen.clone()].copy_from_slice(&of_seen);
                all.extend(whole);
            }
            if let Some(grad_sink) = grad_sink {
                of_sinks[head].push(grad_sink);
            }
        }
        all.grad_sinks = of_sinks.into_iter().map(|terms| self.tensors.to_type(self.tensors.sum(terms))).collect();
        all
    }

    fn route(&self, logits: &[Near]) -> (Vec<usize>, Vec<Near>) {
        let (mut experts, mut weights) = (Vec::new(), Vec::new());
        for row in logits.chunks(EXPERTS) {
            // `reference.py` asserts that there are no near ties.
            let mut order: Vec<_> = (0..EXPERTS).collect();
            order.sort_by(|&a, &b| row[b].exact.total_cmp(&row[a].exact));
            order.truncate(EXPERTS_PER_TOKEN);
            let chosen: Vec<_> = order.iter().map(|&expert| row[expert]).collect();
            weights.extend(self.softmax(Scores::LOGITS, &chosen, None, &chosen).p);
            experts.extend(order);
        }
        (experts, weights)
    }

    fn route_gradient(&self, logits: &[Near], experts: &[usize], grad_weights: &[Near]) -> Vec<Near> {
        let mut grad = vec![Near::exactly(0.0); logits.len()];
        let of_tokens = experts.chunks(EXPERTS_PER_TOKEN).zip(grad_weights.chunks(EXPERTS_PER_TOKEN));
        for ((logits, grad), (experts, grad_weights)) in
            logits.chunks(EXPERTS).zip(grad.chunks_mut(EXPERTS)).zip(of_tokens)
        {
            let chosen: Vec<_> = experts.iter().map(|&expert| logits[expert]).collect();
            let of_chosen = self.softmax(Scores::LOGITS, &chosen, None, grad_weights).grad_x;
            for (&expert, of_chosen) in experts.iter().zip(of_chosen) {
                grad[expert] = of_chosen;
            }
        }
        grad
    }

    fn clamped_swi_glu(&self, gate_up: &[Near], grad_gated: &[Near]) -> (Vec<Near>, Vec<Near>) {
        let pairs = gate_up.chunks(2).zip(grad_gated);
        let gradients = |(pair, &grad): (&[Near], &Near)| self.swi_glu_gradients(pair[0], pair[1], grad);
        let gated = gate_up.chunks(2).map(|pair| self.swi_glu_value(pair[0], pair[1])).collect();
        (gated, pairs.flat_map(gradients).collect())
    }

    fn ge_glu_tanh(&self, gate: &[Near], up: &[Near], grad_gated: &[Near]) -> [Vec<Near>; 3] {
        let pairs = || gate.iter().copied().zip(up.iter().copied());
        let gradients = pairs().zip(grad_gated).map(|((gate, up), &grad)| self.ge_glu_gradients(gate, up, grad));
        let (grad_gate, grad_up) = gradients.map(|[gate, up]| (gate, up)).unzip();
        [pairs().map(|(gate, up)| self.ge_glu_value(gate, up)).collect(), grad_gate, grad_up]
    }

    fn capped(&self, x: &[Near]) -> Vec<Near> {
        x.iter().map(|&x| self.cap(x)).collect()
    }

    fn capped_gradient(&self, x: &[Near], grad: &[Near]) -> Vec<Near> {
        x.iter().zip(grad).map(|(&x, &grad)| self.cap_gradient(x, grad)).collect()
    }

    fn cross_entropy(&self, logits: &[Near], targets: &[i64]) -> (Near, Vec<Near>) {
        self.mean_loss(logits, VOCABULARY, targets)
    }
}
