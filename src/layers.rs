//! What stands around activations: gates, biases, trained slopes, threads, pointers, other precisions.

pub(crate) mod biased;
pub(crate) mod clamped_swi_glu;
mod columns;
pub(crate) mod fast;
pub(crate) mod gate;
pub(crate) mod gate_formula;
pub(crate) mod gated;
pub(crate) mod glu;
#[cfg(feature = "rayon")]
pub(crate) mod parallel;
#[cfg(feature = "rayon")]
mod parallel_layers;
#[cfg(feature = "rayon")]
pub(crate) mod parallel_sums;
pub(crate) mod per_channel;
mod pointers;
pub(crate) mod prelu;
pub(crate) mod wide;
