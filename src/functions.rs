//! Functions of one number, a file for each family.

pub(crate) mod clipped_gelu;
pub(crate) mod elu;
pub(crate) mod exponential;
mod fast;
pub(crate) mod gelu;
pub(crate) mod hard;
mod hinge;
pub(crate) mod identity;
pub(crate) mod laplace;
pub(crate) mod mish;
pub(crate) mod relu;
pub(crate) mod rrelu;
mod same;
mod second;
pub(crate) mod shrink;
pub(crate) mod sigmoid;
pub(crate) mod silu;
pub(crate) mod sin;
pub(crate) mod slopes;
pub(crate) mod snake;
pub(crate) mod softplus;
pub(crate) mod softsign;
pub(crate) mod sparse;
pub(crate) mod squareplus;
mod step;
pub(crate) mod tanh;
pub(crate) mod xielu;
