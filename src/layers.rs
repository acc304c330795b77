//! What stands around activations: gates, biases, trained slopes, threads.

pub(crate) mod biased;
mod columns;
pub(crate) mod gated;
#[cfg(feature = "rayon")]
pub(crate) mod parallel;
pub(crate) mod prelu;
