//! What stands around activations: gates, biases, trained slopes, threads.

pub(crate) mod biased;
pub(crate) mod clamped_swi_glu;
mod columns;
pub(crate) mod gate;
pub(crate) mod gate_formula;
pub(crate) mod gated;
pub(crate) mod glu;
#[cfg(feature = "rayon")]
pub(crate) mod parallel;
pub(crate) mod prelu;
pub(crate) mod wide;
