//! How the CPU's floating-point modes change the functions: subnormal numbers flushed to zero, and the four directions of
//! rounding. A library that a program loads may have set them. For example, `-ffast-math` links code that does.
//!
//! The modes are bits of MXCSR, so this is for x86-64. Rust does not define floating-point code in another mode than the default.
//! This test shows how the loops behave as they are compiled today. They get their inputs at run time, through calls that are not
//! inlined, so that the compiler cannot compute results in advance or move the computation out of the mode.

#[cfg(not(target_arch = "x86_64"))]
#[test]
fn modes_are_those_of_x86_64() {
    eprintln!("\nSKIPPED: no floating-point mode was tried, for this is not an x86-64.\n");
    assert!(!cfg!(target_arch = "x86_64"));
}

#[cfg(target_arch = "x86_64")]
mod mode;
#[cfg(target_arch = "x86_64")]
#[allow(dead_code, reason = "a part of what the suite uses")]
#[path = "../suite/support.rs"]
mod support;

#[cfg(target_arch = "x86_64")]
mod tests;
