//! All tests that run the activations, in one program: each program of its own would compile every function again, for
//! every type and level.

#[path = "../common/mod.rs"]
mod common;
mod support;

mod accuracy;
mod bad_input;
mod cards;
mod gradients;
#[cfg(feature = "half")]
mod halves;
mod named;
#[cfg(feature = "rayon")]
mod parallel;
mod parse;
mod properties;
mod reproducibility;
#[cfg(feature = "serde")]
mod serde;
mod special_values;
mod user_defined;
