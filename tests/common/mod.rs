//! Measures accuracy: ULP, exact values to compare with, and sweeps over inputs.

// Each of the programs that share this module uses a part of it.
#![allow(dead_code, unreachable_pub)]

pub mod entries;
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

    /// The least magnitude whose spacing counts: near a root away from 0, errors are measured in the spacing at 1/16.
    pub fn floor(self, name: &str) -> f64 {
        let roots = entries::named(name).map(|facts| facts.roots);
        if roots.and_then(|roots| self.of(roots)).is_some() { 1.0 / 16.0 } else { 0.0 }
    }
}
