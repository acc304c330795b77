//! Measures accuracy: ULP, exact values to compare with, and sweeps over inputs.

// Each of the programs that share this module uses a part of it.
#![allow(dead_code, unreachable_pub)]

pub mod fast;
pub mod oracle;
pub mod second;
pub mod sweep;
pub mod table;
pub mod ulp;

/// One of the two formulas of an activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Value,
    Slope,
}

impl Part {
    pub const BOTH: [Self; 2] = [Self::Value, Self::Slope];

    /// This part of a `(value, slope)` pair.
    pub fn of<T>(self, (value, slope): (T, T)) -> T {
        match self {
            Self::Value => value,
            Self::Slope => slope,
        }
    }

    /// The least magnitude whose spacing is used. Near a root away from 0, a derivative is measured in the spacing at 1/16.
    /// xIELU's value has such a root too, so it is measured in the same way.
    pub fn floor(self, name: &str) -> f64 {
        match (self, name) {
            (Self::Slope, "gelu" | "gelu_tanh" | "clipped_gelu" | "silu" | "quick_gelu" | "swish" | "mish") => {
                1.0 / 16.0
            }
            (_, "xielu") => 1.0 / 16.0,
            _ => 0.0,
        }
    }
}
