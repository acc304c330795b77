//! The losses in real use: weights, axes, focal losses, z-losses. They are compared with references with 106 bits, at every level and
//! for every type, and with results of PyTorch, JAX and optax.

#[allow(dead_code, reason = "a part of what the matrix uses")]
#[path = "../matrix/big.rs"]
mod big;
#[allow(dead_code, reason = "a part of what the matrix uses")]
#[path = "../matrix/cases.rs"]
mod cases;
#[allow(dead_code, reason = "a part of what the matrix uses")]
#[path = "../matrix/judge.rs"]
mod judge;
#[allow(dead_code, reason = "a part of what the matrix uses")]
#[path = "../matrix/number.rs"]
mod number;

mod axis;
mod binary;
mod capped;
mod exact;
mod focal;
mod parity;
mod refused;
