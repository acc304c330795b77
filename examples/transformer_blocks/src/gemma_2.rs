//! Gemma 2: soft-capped attention with and without a sliding window, a feed-forward block with GeGLU, soft-capped logits.

use crate::attention::Layer;
use crate::blocks::Parts;
use crate::compute::{Attention, Compute, HIDDEN, QUERIES, VOCABULARY, transposed};

/// An attention block, from its weights.
pub fn attention<C: Compute>(c: &C, sliding: bool) -> Parts {
    let weights = if sliding { 50 } else { 60 };
    let attention = Attention::Gemma2 { sliding };
    Layer { attention, hidden: 3, weights, sizes: [1.0, 0.5], biases: None, sinks: None }.run(c)
}

/// The feed-forward block, from its weights. It has the same width inside and outside.
pub fn feed_forward<C: Compute>(c: &C) -> Parts {
    let (hidden, upstream) = (c.made(7, QUERIES * HIDDEN, 2.0), c.made(8, QUERIES * HIDDEN, 1.0));
    let [gate, up, down] = [(80, 0.5), (81, 0.5), (82, 0.25)].map(|(seed, size)| c.made(seed, HIDDEN * HIDDEN, size));
    let (gate, up) = (c.linear(&hidden, &gate, &[], HIDDEN), c.linear(&hidden, &up, &[], HIDDEN));
    let grad_gated = c.linear(&upstream, &transposed(&down, HIDDEN), &[], HIDDEN);
    let [gated, grad_gate, grad_up] = c.ge_glu_tanh(&gate, &up, &grad_gated);
    let mut parts = Parts::default();
    parts.add(c, "gated", &gated);
    parts.add(c, "out", &c.linear(&gated, &down, &[], HIDDEN));
    parts.add(c, "grad_gate", &grad_gate);
    parts.add(c, "grad_up", &grad_up);
    parts
}

/// The classes that the logits should predict.
pub fn targets() -> Vec<i64> {
    (0..QUERIES as i64).map(|query| query * 7 % VOCABULARY as i64).collect()
}

/// The last logits and their loss, from the weights.
pub fn logits<C: Compute>(c: &C) -> Parts {
    let x = c.linear(&c.made(9, QUERIES * HIDDEN, 2.0), &c.made(90, VOCABULARY * HIDDEN, 4.0), &[], HIDDEN);
    let capped = c.capped(&x);
    let (loss, grad_capped) = c.cross_entropy(&capped, &targets());
    let mut parts = Parts::default();
    parts.add(c, "capped", &capped);
    parts.0.push(("loss", vec![loss]));
    parts.add(c, "grad_x", &c.capped_gradient(&x, &grad_capped));
    parts
}
