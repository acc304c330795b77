//! `Compute`: the operations of the blocks. `slices.rs` implements them with this crate on slices, and `model/` as an error analysis.

use crate::near::Near;

/// The shapes in `reference.py`.
pub const QUERIES: usize = 12;
pub const WINDOW: usize = 5;
pub const HIDDEN: usize = 32;
pub const HEADS: usize = 4;
pub const KEY_HEADS: usize = 2;
pub const HEAD_DIM: usize = 8;
pub const EXPERTS: usize = 4;
pub const EXPERTS_PER_TOKEN: usize = 2;
pub const VOCABULARY: usize = 24;

/// The softmax of an attention.
#[derive(Clone, Copy, Debug)]
pub enum Attention {
    /// With a sliding window, and a sink for each head.
    GptOss,
    /// Soft-capped; every other layer has a sliding window.
    Gemma2 { sliding: bool },
}

/// The results of a softmax.
#[derive(Debug)]
pub struct Softened<N> {
    pub p: Vec<N>,
    pub grad_x: Vec<N>,
    /// Empty without sinks.
    pub grad_sinks: Vec<N>,
}

/// Numbers, matrix products, and the activation functions with their gradients.
pub trait Compute {
    type Number: Copy;

    /// Numbers of the type.
    fn load(&self, numbers: &[f64]) -> Vec<Self::Number>;

    fn read(&self, number: Self::Number) -> Near;

    /// Weights and inputs: see `weights.rs`.
    fn made(&self, seed: u64, len: usize, size: f32) -> Vec<Self::Number>;

    /// `a` times the transpose of `b`, plus a bias, if it is not empty: `[n, k]`, `[m, k]`, `[m]`, `[n, m]`. It is accumulated in `f32` and
    /// rounded once.
    fn linear(&self, a: &[Self::Number], b: &[Self::Number], bias: &[Self::Number], k: usize) -> Vec<Self::Number>;

    /// Element by element; `b` repeats.
    fn plus(&self, a: &[Self::Number], b: &[Self::Number]) -> Vec<Self::Number>;

    /// Element by element. Each number of `b` is for `each` elements of `a`.
    fn times(&self, a: &[Self::Number], b: &[Self::Number], each: usize) -> Vec<Self::Number>;

    /// Probabilities `[heads, queries, keys]` from products of queries and keys, and the gradients from the probabilities' gradients.
    fn attention(
        &self,
        attention: Attention,
        x: &[Self::Number],
        sinks: &[Self::Number],
        grad_p: &[Self::Number],
    ) -> Softened<Self::Number>;

    /// The experts of each token, the best one first, and their weights.
    fn route(&self, logits: &[Self::Number]) -> (Vec<usize>, Vec<Self::Number>);

    fn route_gradient(
        &self,
        logits: &[Self::Number],
        experts: &[usize],
        grad_weights: &[Self::Number],
    ) -> Vec<Self::Number>;

    /// For interleaved gates and ups: the output, and the gradient, which is interleaved too.
    fn clamped_swi_glu(
        &self,
        gate_up: &[Self::Number],
        grad_gated: &[Self::Number],
    ) -> (Vec<Self::Number>, Vec<Self::Number>);

    /// The output, and the gradients with respect to gate and up.
    fn ge_glu_tanh(
        &self,
        gate: &[Self::Number],
        up: &[Self::Number],
        grad_gated: &[Self::Number],
    ) -> [Vec<Self::Number>; 3];

    fn capped(&self, x: &[Self::Number]) -> Vec<Self::Number>;

    fn capped_gradient(&self, x: &[Self::Number], grad: &[Self::Number]) -> Vec<Self::Number>;

    /// The mean loss, in `f32`, and the gradient.
    fn cross_entropy(&self, logits: &[Self::Number], targets: &[i64]) -> (Near, Vec<Self::Number>);
}

/// The transpose of a matrix with rows of `columns` numbers.
pub fn transposed<N: Copy>(matrix: &[N], columns: usize) -> Vec<N> {
    (0..columns).flat_map(|column| matrix.iter().skip(column).step_by(columns).copied()).collect()
}
