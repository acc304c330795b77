//! Computes the page's curves, errors and digests. JavaScript calls it through `exports`. Everything else is plain Rust, which the native
//! program and the tests call too.

#[path = "../../../tests/common/mod.rs"]
mod common;
#[path = "../../shared/random.rs"]
#[allow(dead_code, reason = "this program uses a part of it")]
mod random;

pub mod curve;
pub mod describe;
pub mod digest;
pub mod errors;
pub mod evaluate;
pub mod exports;
pub mod page;
pub mod textbook;
