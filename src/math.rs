//! Elementary functions over lanes, for formulas of your own: branch-free, vectorisable, each with its bound.
//!
//! They are what the activations are made of. Unlike the methods of `f32`, which are calls into a library, they
//! leave the loop around them vectorisable.

mod exp;

mod logistic;


pub use exp::{exp, expm1};
pub(crate) use exp::{exp_nonpositive, lifted_one, unlift};
pub(crate) use logistic::sigmoid_nonpositive;
pub use logistic::{sigmoid, tanh};
