//! All tests that run the activations, in one program: each program of its own would compile every function again, for
//! every type and level.

#[path = "../common/mod.rs"]
mod common;
mod support;

mod accuracy;
mod bad_input;
mod cards;
mod curves;
mod gradients;
mod named;
mod properties;
mod reproducibility;
mod special_values;
mod user_defined;
