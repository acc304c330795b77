//! An attention block: linear layers, products of queries and keys, softmax, products with values, a linear layer.

use crate::blocks::Parts;
use crate::compute::{Attention, Compute, HEAD_DIM, HEADS, HIDDEN, KEY_HEADS, QUERIES, transposed};

/// The softmax of the attention, and the seeds and sizes of its weights.
#[derive(Clone, Copy, Debug)]
pub struct Layer {
    pub attention: Attention,
    pub hidden: u64,
    /// The seed of the queries' weights. The seeds of keys, values and outputs follow it.
    pub weights: u64,
    /// The size of the queries' weights, and the size of the others.
    pub sizes: [f32; 2],
    pub biases: Option<u64>,
    pub sinks: Option<u64>,
}

impl Layer {
    pub fn run<C: Compute>(self, c: &C) -> Parts {
        let (hidden, upstream) =
            (c.made(self.hidden, QUERIES * HIDDEN, 2.0), c.made(self.hidden + 1, QUERIES * HIDDEN, 1.0));
        let weights = |which, width: usize| {
            let size = self.sizes[usize::from(which > 0)];
            c.made(self.weights + which, width * HIDDEN, size)
        };
        let bias = |which, width| self.biases.map_or(Vec::new(), |seed| c.made(seed + which, width, 0.5));
        let layer = |which, heads| {
            let width = heads * HEAD_DIM;
            c.linear(&hidden, &weights(which, width), &bias(which, width), HIDDEN)
        };
        let (queries, keys, values) = (layer(0, HEADS), layer(1, KEY_HEADS), layer(2, KEY_HEADS));
        let out_weights = weights(3, HEADS * HEAD_DIM);
        let grad_attended = c.linear(&upstream, &transposed(&out_weights, HIDDEN), &[], HIDDEN);
        let sinks = self.sinks.map_or(Vec::new(), |seed| c.made(seed, HEADS, 2.0));

        let (mut x, mut grad_p) = (Vec::new(), Vec::new());
        for head in 0..HEADS {
            let shared = key_head(head);
            x.extend(c.linear(&columns(&queries, HEADS, head), &columns(&keys, KEY_HEADS, shared), &[], HEAD_DIM));
            let grad_attended = columns(&grad_attended, HEADS, head);
            grad_p.extend(c.linear(&grad_attended, &columns(&values, KEY_HEADS, shared), &[], HEAD_DIM));
        }
        let softened = c.attention(self.attention, &x, &sinks, &grad_p);
        let of_heads = softened.p.chunks(QUERIES * QUERIES).enumerate().map(|(head, p)| {
            let values = columns(&values, KEY_HEADS, key_head(head));
            c.linear(p, &transposed(&values, HEAD_DIM), &[], QUERIES)
        });
        let of_heads: Vec<_> = of_heads.collect();
        let attended =
            (0..QUERIES).flat_map(|query| of_heads.iter().flat_map(move |head| &head[query * HEAD_DIM..][..HEAD_DIM]));
        let attended: Vec<_> = attended.copied().collect();

        let mut parts = Parts::default();
        parts.add(c, "p", &softened.p);
        parts.add(c, "out", &c.linear(&attended, &out_weights, &bias(3, HIDDEN), HIDDEN));
        parts.add(c, "grad_x", &softened.grad_x);
        if !sinks.is_empty() {
            parts.add(c, "grad_sinks", &softened.grad_sinks);
        }
        parts
    }
}

/// This many successive query heads share one head of keys and values.
fn key_head(head: usize) -> usize {
    head * KEY_HEADS / HEADS
}

/// One head of a matrix with heads side by side.
fn columns<N: Copy>(matrix: &[N], heads: usize, head: usize) -> Vec<N> {
    matrix.chunks(heads * HEAD_DIM).flat_map(|row| row[head * HEAD_DIM..][..HEAD_DIM].iter().copied()).collect()
}
