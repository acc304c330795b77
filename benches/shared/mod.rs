//! Sizes and data that the benches share.

use activations::Element;

/// Sizes that fit into the first-level cache, into the second, and into memory only.
pub(crate) const SIZES: [usize; 3] = [1 << 10, 1 << 16, 1 << 24];

/// Numbers spread over [-6, 6], in an order that a branch predictor cannot learn.
pub(crate) fn inputs<T: Element>(size: usize) -> Vec<T> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    (0..size)
        .map(|_| {
            // SplitMix64.
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let unit = (z ^ (z >> 31)) as f64 / u64::MAX as f64;
            T::from(unit * 12.0 - 6.0).unwrap()
        })
        .collect()
}
