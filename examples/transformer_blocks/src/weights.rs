//! Weights and inputs, the same as in `reference.py`.

use crate::number::Number;

/// Multiples of size / 64 from [-size, size), by SplitMix64 (Steele, Lea & Flood, OOPSLA 2014). If the size is a power of two, they are
/// numbers of both `f32` and bf16.
pub fn numbers<T: Number>(seed: u64, len: usize, size: f32) -> Vec<T> {
    let mut random = Random(seed);
    (0..len).map(|_| T::of((f32::from((random.bits() >> 57) as u8) - 64.0) / 64.0 * size)).collect()
}

#[path = "../../shared/random.rs"]
#[expect(dead_code, reason = "other examples use the rest")]
mod random;
use random::Random;
