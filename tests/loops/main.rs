//! Loops of the few functions that are not formulas of one number: rows, and functions with a slope for each channel or element. Also
//! the errors of the elementary functions.
//!
//! Nothing here is compiled for each function of the list, so this takes seconds to compile, while the suite takes minutes. Together
//! with `values` it is what mutation testing runs (`tools/mutants.sh`).

#[path = "../common/mod.rs"]
mod common;
#[allow(dead_code, reason = "a part of what the suite uses")]
#[path = "../suite/digest.rs"]
mod digest;
mod elementary;
#[path = "../common/elementary.rs"]
mod functions;
mod gates;
mod prelu;
mod rows;
mod rrelu;
#[allow(dead_code, reason = "a part of what the suite uses")]
#[path = "../suite/support.rs"]
mod support;
#[cfg(feature = "rayon")]
mod threads;

use std::cmp::Ordering;

use crate::support::Float;

/// One vector at a time has the same bits as several, and compiles in seconds instead of half a minute.
const ABREAST: usize = 1;

/// max(x, 0) + slope min(x, 0).
fn leaky<T: Float>(x: T, slope: T) -> T {
    if x > T::zero() { x } else { x * slope }
}

/// Its derivative. NaN gives NaN.
fn leaky_slope<T: Float>(x: T, slope: T) -> T {
    match x.partial_cmp(&T::zero()) {
        None => x,
        Some(Ordering::Greater) => T::one(),
        Some(_) => slope,
    }
}
