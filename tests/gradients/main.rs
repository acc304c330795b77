//! Gradients of gradients, and gradients of trained parameters.

#[path = "../common/mod.rs"]
mod common;
mod number;
mod second;
mod trained;
mod trained_errors;
