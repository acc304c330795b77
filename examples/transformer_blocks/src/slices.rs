//! The blocks' activation functions with this crate. This is the file to copy from.

use core::marker::PhantomData;

use activations::{
    Activation, Broadcast, ClampedSwiGlu, CrossEntropy, Elementwise, Gate, GeGluTanh, Packing, ParameterError, Real,
    Scores, SinkGradient, Softmax, Tanh, TopKSoftmax, Wide,
};

use crate::compute::{Attention, Compute, EXPERTS, EXPERTS_PER_TOKEN, HEAD_DIM, QUERIES, Softened, VOCABULARY, WINDOW};
use crate::near::Near;
use crate::number::Number;
use crate::weights::numbers;

/// Attention's softmax in gpt-oss: sinks `[heads]`, for scores `[heads, queries, keys]`.
pub fn gpt_oss_softmax<T: Number>(sinks: &[T]) -> Result<Scores<'_, Softmax, T>, ParameterError> {
    Softmax::rows(QUERIES)?
        .scaled((HEAD_DIM as f64).powf(-0.5))?
        .causal(QUERIES, 0)?
        .window(WINDOW)?
        .sink(Broadcast::each_cycled(sinks, QUERIES))
}

/// Attention's softmax in Gemma 2: every other layer has a sliding window.
pub fn gemma_2_softmax<T: Number>(sliding: bool) -> Result<Scores<'static, Softmax, T>, ParameterError> {
    let softmax = Softmax::rows(QUERIES)?.scaled((HEAD_DIM as f64).powf(-0.5))?.soft_cap(50.0)?.causal(QUERIES, 0)?;
    if sliding { softmax.window(WINDOW) } else { Ok(softmax) }
}

/// The cap of Gemma 2's last logits, cap tanh(x / cap): your own formula, made with a function of the crate.
#[derive(Clone, Copy, Debug)]
pub struct SoftCap(pub f64);

impl Elementwise for SoftCap {
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        R::of(self.0) * Tanh.value(x / R::of(self.0))
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        Tanh.slope(x / R::of(self.0))
    }
}

/// Computes with slices of `T`.
#[derive(Debug, Default)]
pub struct Slices<T>(PhantomData<T>);

/// Unwraps the result for parameters that are constants of the models.
const VALID: &str = "the models' parameters are valid";

impl<T: Number> Compute for Slices<T> {
    type Number = T;

    fn attention(&self, attention: Attention, x: &[T], sinks: &[T], grad_p: &[T]) -> Softened<T> {
        let (mut p, mut grad_x) = (zeros(x.len()), zeros(x.len()));
        let mut grad_sinks = zeros(sinks.len());
        match attention {
            Attention::GptOss => {
                let softmax = gpt_oss_softmax(sinks).expect(VALID);
                softmax.forward(x, &mut p);
                softmax.backward_with_sink(x, grad_p, &mut grad_x, &mut grad_sinks);
            }
            Attention::Gemma2 { sliding } => {
                let softmax = gemma_2_softmax(sliding).expect(VALID);
                softmax.forward(x, &mut p);
                softmax.backward(x, grad_p, &mut grad_x);
            }
        }
        Softened { p, grad_x, grad_sinks }
    }

    fn route(&self, logits: &[T]) -> (Vec<usize>, Vec<T>) {
        let router = TopKSoftmax::new(EXPERTS, EXPERTS_PER_TOKEN).expect(VALID);
        let chosen = logits.len() / EXPERTS * EXPERTS_PER_TOKEN;
        let (mut experts, mut weights) = (vec![0; chosen], zeros(chosen));
        router.forward(logits, &mut experts, &mut weights);
        (experts, weights)
    }

    fn route_gradient(&self, logits: &[T], experts: &[usize], grad_weights: &[T]) -> Vec<T> {
        let router = TopKSoftmax::new(EXPERTS, EXPERTS_PER_TOKEN).expect(VALID);
        let mut grad_logits = zeros(logits.len());
        router.backward(logits, experts, grad_weights, &mut grad_logits);
        grad_logits
    }

    fn clamped_swi_glu(&self, gate_up: &[T], grad_gated: &[T]) -> (Vec<T>, Vec<T>) {
        let (mut gated, mut grad_gate_up) = (zeros(grad_gated.len()), zeros(gate_up.len()));
        let gate = ClampedSwiGlu::default();
        gate.forward_packed(Packing::Interleaved, gate_up, &mut gated);
        gate.backward_packed(Packing::Interleaved, gate_up, grad_gated, &mut grad_gate_up);
        (gated, grad_gate_up)
    }

    fn ge_glu_tanh(&self, gate: &[T], up: &[T], grad_gated: &[T]) -> [Vec<T>; 3] {
        let [mut gated, mut grad_gate, mut grad_up] = [(); 3].map(|()| zeros(gate.len()));
        GeGluTanh.forward(gate, up, &mut gated);
        GeGluTanh.backward(gate, up, grad_gated, &mut grad_gate, &mut grad_up);
        [gated, grad_gate, grad_up]
    }

    fn capped(&self, x: &[T]) -> Vec<T> {
        SoftCap(30.0).forward_vec(x)
    }

    fn capped_gradient(&self, x: &[T], grad: &[T]) -> Vec<T> {
        let mut grad_x = zeros(x.len());
        SoftCap(30.0).backward(x, grad, &mut grad_x);
        grad_x
    }

    fn cross_entropy(&self, logits: &[T], targets: &[i64]) -> (Near, Vec<T>) {
        let mut grad = zeros(logits.len());
        // The loss is a float for halves too.
        let loss = Wide(CrossEntropy::new(VOCABULARY).expect(VALID)).loss_and_gradient(logits, targets, &mut grad);
        (Near::exactly(loss.into()), grad)
    }

    fn load(&self, numbers: &[f64]) -> Vec<T> {
        numbers.iter().map(|&number| T::of(number as f32)).collect()
    }

    fn read(&self, number: T) -> Near {
        Near::exactly(number.wide().into())
    }

    fn made(&self, seed: u64, len: usize, size: f32) -> Vec<T> {
        numbers(seed, len, size)
    }

    fn linear(&self, a: &[T], b: &[T], bias: &[T], k: usize) -> Vec<T> {
        let dot = |a: &[T], b: &[T]| a.iter().zip(b).map(|(a, b)| a.wide() * b.wide()).sum::<f32>();
        let bias = |column: usize| bias.get(column).map_or(0.0, |bias| bias.wide());
        let row = |a| b.chunks(k).enumerate().map(move |(column, b)| T::of(dot(a, b) + bias(column)));
        a.chunks(k).flat_map(row).collect()
    }

    fn plus(&self, a: &[T], b: &[T]) -> Vec<T> {
        a.iter().zip(b.iter().cycle()).map(|(a, b)| T::of(a.wide() + b.wide())).collect()
    }

    fn times(&self, a: &[T], b: &[T], each: usize) -> Vec<T> {
        a.chunks(each).zip(b).flat_map(|(a, b)| a.iter().map(|a| T::of(a.wide() * b.wide()))).collect()
    }
}

fn zeros<T: Number>(len: usize) -> Vec<T> {
    vec![T::zero(); len]
}
