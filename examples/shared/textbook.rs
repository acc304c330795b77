//! The formulas that people write without a library.

use std::f32::consts::{FRAC_1_SQRT_2, TAU};

pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

pub(crate) fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + libm::erff(x * FRAC_1_SQRT_2))
}

pub(crate) fn gelu_slope(x: f32) -> f32 {
    let density = (-0.5 * x * x).exp() / TAU.sqrt();
    0.5 * (1.0 + libm::erff(x * FRAC_1_SQRT_2)) + x * density
}
