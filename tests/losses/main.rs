//! The losses as people use them: weights, axes, focal losses, z-losses. Against references with 106 bits, at every level, for
//! every type, and beside what PyTorch, JAX and optax compute.

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
