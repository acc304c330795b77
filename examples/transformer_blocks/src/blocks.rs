//! The blocks that are compared, and their functions separately, on PyTorch's own inputs.

use crate::compute::{Attention, Compute, HEADS};
use crate::near::Near;
use crate::{gemma_2, gpt_oss};

/// Named results.
#[derive(Debug, Default)]
pub struct Parts(pub Vec<(&'static str, Vec<Near>)>);

impl Parts {
    pub fn add<C: Compute>(&mut self, c: &C, name: &'static str, numbers: &[C::Number]) {
        self.0.push((name, numbers.iter().map(|&number| c.read(number)).collect()));
    }
}

/// A block, with the name in the file of reference values: [`Block::name`].
#[derive(Clone, Copy, Debug)]
pub enum Block {
    GptOssAttention,
    GptOssFeedForward,
    Gemma2Attention { sliding: bool },
    Gemma2FeedForward,
    Gemma2Logits,
}

impl Block {
    pub const ALL: [Self; 6] = [
        Self::GptOssAttention,
        Self::GptOssFeedForward,
        Self::Gemma2Attention { sliding: true },
        Self::Gemma2Attention { sliding: false },
        Self::Gemma2FeedForward,
        Self::Gemma2Logits,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::GptOssAttention => "gpt-oss attention",
            Self::GptOssFeedForward => "gpt-oss feed-forward",
            Self::Gemma2Attention { sliding: true } => "Gemma 2 sliding attention",
            Self::Gemma2Attention { sliding: false } => "Gemma 2 full attention",
            Self::Gemma2FeedForward => "Gemma 2 feed-forward",
            Self::Gemma2Logits => "Gemma 2 logits",
        }
    }

    /// The whole block, from its weights.
    pub fn from_weights<C: Compute>(self, c: &C) -> Parts {
        match self {
            Self::GptOssAttention => gpt_oss::attention(c),
            Self::GptOssFeedForward => gpt_oss::feed_forward(c),
            Self::Gemma2Attention { sliding } => gemma_2::attention(c, sliding),
            Self::Gemma2FeedForward => gemma_2::feed_forward(c),
            Self::Gemma2Logits => gemma_2::logits(c),
        }
    }

    /// Only the activation functions, with the inputs and the gradients of outputs that they had in PyTorch.
    pub fn from_inputs<C: Compute>(self, c: &C, input: impl Fn(&str) -> Vec<f64>) -> Parts {
        let input = |name| c.load(&input(name));
        let mut parts = Parts::default();
        match self {
            Self::GptOssAttention | Self::Gemma2Attention { .. } => {
                let (attention, sinks) = match self {
                    Self::Gemma2Attention { sliding } => (Attention::Gemma2 { sliding }, Vec::new()),
                    _ => (Attention::GptOss, c.made(30, HEADS, 2.0)),
                };
                let softened = c.attention(attention, &input("x"), &sinks, &input("grad_p"));
                parts.add(c, "p", &softened.p);
                parts.add(c, "grad_x", &softened.grad_x);
                if !sinks.is_empty() {
                    parts.add(c, "grad_sinks", &softened.grad_sinks);
                }
            }
            Self::GptOssFeedForward => {
                let logits = input("logits");
                let (experts, weights) = c.route(&logits);
                parts.add(c, "weights", &weights);
                parts.add(c, "grad_logits", &c.route_gradient(&logits, &experts, &input("grad_weights")));
                let (gated, gradients) = c.clamped_swi_glu(&input("gate_up"), &input("grad_gated"));
                parts.add(c, "gated", &gated);
                parts.add(c, "grad_gate_up", &gradients);
            }
            Self::Gemma2FeedForward => {
                let [gated, gate, up] = c.ge_glu_tanh(&input("gate"), &input("up"), &input("grad_gated"));
                parts.add(c, "gated", &gated);
                parts.add(c, "grad_gate", &gate);
                parts.add(c, "grad_up", &up);
            }
            Self::Gemma2Logits => {
                parts.add(c, "capped", &c.capped(&input("x")));
                let (loss, grad_capped) = c.cross_entropy(&input("capped"), &gemma_2::targets());
                parts.0.push(("loss", vec![loss]));
                parts.add(c, "grad_capped", &grad_capped);
                parts.add(c, "grad_x", &c.capped_gradient(&input("x"), &input("grad_capped")));
            }
        }
        parts
    }
}
