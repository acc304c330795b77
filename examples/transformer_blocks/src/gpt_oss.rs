//! gpt-oss: attention with sinks and a sliding window, and a feed-forward block of experts with clamped SwiGLU.

use crate::attention::Layer;
use crate::blocks::Parts;
use crate::compute::{Attention, Compute, EXPERTS, EXPERTS_PER_TOKEN, HIDDEN, QUERIES, transposed};

/// Width of an expert.
const INTERMEDIATE: usize = 16;

/// An attention block, from its weights.
pub fn attention<C: Compute>(c: &C) -> Parts {
    Layer { attention: Attention::GptOss, hidden: 1, weights: 10, sizes: [0.25; 2], biases: Some(20), sinks: Some(30) }
        .run(c)
}

/// The feed-forward block, from its weights. The tokens' gates are in the order of their experts.
pub fn feed_forward<C: Compute>(c: &C) -> Parts {
    let (hidden, upstream) = (c.made(5, QUERIES * HIDDEN, 2.0), c.made(6, QUERIES * HIDDEN, 1.0));
    let (router, router_bias) = (c.made(129, EXPERTS * HIDDEN, 0.25), c.made(71, EXPERTS, 0.5));
    let gate_up_weights = c.made(72, EXPERTS * HIDDEN * 2 * INTERMEDIATE, 1.0);
    let gate_up_biases = c.made(73, EXPERTS * 2 * INTERMEDIATE, 1.0);
    let down_weights = c.made(74, EXPERTS * INTERMEDIATE * HIDDEN, 0.25);
    let down_biases = c.made(75, EXPERTS * HIDDEN, 0.5);

    let logits = c.linear(&hidden, &router, &router_bias, HIDDEN);
    let (experts, weights) = c.route(&logits);
    let mut out = vec![None::<Vec<_>>; QUERIES];
    let mut grad_weights = c.load(&[0.0; QUERIES * EXPERTS_PER_TOKEN]);
    let (mut all_gated, mut all_gradients) = (Vec::new(), Vec::new());
    for expert in 0..EXPERTS {
        // First the tokens whose first choice it was, and then those whose second choice it was.
        let chosen =
            (0..EXPERTS_PER_TOKEN).flat_map(|k| (0..QUERIES).map(move |token| (token, token * EXPERTS_PER_TOKEN + k)));
        let (tokens, places): (Vec<_>, Vec<_>) = chosen.filter(|&(_, place)| experts[place] == expert).unzip();
        let rows_of = |matrix: &[C::Number]| -> Vec<_> {
            tokens.iter().flat_map(|token| matrix[token * HIDDEN..][..HIDDEN].iter().copied()).collect()
        };
        let weights: Vec<_> = places.iter().map(|&place| weights[place]).collect();
        let gate_up = &gate_up_weights[expert * HIDDEN * 2 * INTERMEDIATE..][..HIDDEN * 2 * INTERMEDIATE];
        let down = &down_weights[expert * INTERMEDIATE * HIDDEN..][..INTERMEDIATE * HIDDEN];

        let grad_out = c.times(&rows_of(&upstream), &weights, HIDDEN);
        let grad_gated = c.linear(&grad_out, down, &[], HIDDEN);
        let gate_up = c.linear(&rows_of(&hidden), &transposed(gate_up, 2 * INTERMEDIATE), &[], HIDDEN);
        let gate_up = c.plus(&gate_up, &gate_up_biases[expert * 2 * INTERMEDIATE..][..2 * INTERMEDIATE]);
        let (gated, gradients) = c.clamped_swi_glu(&gate_up, &grad_gated);
        let of_expert = c.linear(&gated, &transposed(down, HIDDEN), &[], INTERMEDIATE);
        let of_expert = c.plus(&of_expert, &down_biases[expert * HIDDEN..][..HIDDEN]);
        let weighted = c.times(&of_expert, &weights, HIDDEN);
        for (token, row) in tokens.iter().zip(weighted.chunks(HIDDEN)) {
            let sum = out[*token].as_ref().map_or_else(|| row.to_vec(), |before| c.plus(before, row));
            out[*token] = Some(sum);
        }
        let products = c.times(&rows_of(&upstream), &of_expert, 1);
        for (place, sum) in places.iter().zip(c.linear(&products, &c.load(&[1.0; HIDDEN]), &[], HIDDEN)) {
            grad_weights[*place] = sum;
        }
        all_gated.extend(gated);
        all_gradients.extend(gradients);
    }
    let mut parts = Parts::default();
    parts.add(c, "weights", &weights);
    parts.add(c, "gated", &all_gated);
    parts.add(c, "out", &out.into_iter().flatten().flatten().collect::<Vec<_>>());
    parts.add(c, "grad_logits", &c.route_gradient(&logits, &experts, &grad_weights));
    parts.add(c, "grad_gate_up", &all_gradients);
    parts
}
