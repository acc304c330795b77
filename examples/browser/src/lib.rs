//! What the page computes: curves, errors and digests. `exports` is how JavaScript calls it; everything else is plain Rust, and
//! the native program and the tests call the same code.

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
