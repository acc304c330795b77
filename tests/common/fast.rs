//! The contracts of `Fast`: for each function that has a fast form, the units of its errors and their bounds.

use activations::{Activation, AnyActivation, Fast, Level};

use super::{Part, ulp};

/// The units of errors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unit {
    /// The spacing of floats at the exact value.
    Ulp,
    /// 1.
    One,
    /// |x|, but no less than the least normal number.
    X,
    /// The greater of 1 and |x|.
    OneOrX,
}

/// The bounds of one function.
#[derive(Clone, Copy, Debug)]
pub struct Contract {
    pub name: &'static str,
    pub unit: Unit,
    /// `(fused, plain)`. Powers of 2 for all units but ULP.
    pub value: (f64, f64),
    /// The same for the derivative, whose errors are absolute.
    pub slope: (f64, f64),
}

/// Each function that has a fast form, as in the documentation of `Fast`.
pub const CONTRACTS: [Contract; 10] = [
    Contract { name: "sigmoid", unit: Unit::One, value: (-23.2, -23.2), slope: (-23.5, -23.5) },
    Contract { name: "tanh", unit: Unit::Ulp, value: (4.0, 4.0), slope: (-21.7, -21.7) },
    Contract { name: "gelu", unit: Unit::X, value: (-22.5, -22.5), slope: (-21.9, -21.8) },
    Contract { name: "gelu_tanh", unit: Unit::X, value: (-22.5, -22.5), slope: (-22.8, -22.8) },
    Contract { name: "silu", unit: Unit::X, value: (-22.5, -22.5), slope: (-22.9, -22.9) },
    Contract { name: "quick_gelu", unit: Unit::X, value: (-22.5, -22.5), slope: (-22.9, -22.9) },
    Contract { name: "swish", unit: Unit::X, value: (-22.5, -22.5), slope: (-22.8, -22.8) },
    Contract { name: "mish", unit: Unit::X, value: (-22.5, -22.5), slope: (-22.0, -22.0) },
    Contract { name: "softplus", unit: Unit::OneOrX, value: (-22.1, -22.1), slope: (-23.2, -23.2) },
    Contract { name: "elu", unit: Unit::One, value: (-23.1, -23.1), slope: (-22.7, -22.7) },
];

impl Contract {
    pub fn of(name: &str) -> Option<&'static Self> {
        CONTRACTS.iter().find(|contract| contract.name == name)
    }

    pub fn unit(&self, part: Part) -> Unit {
        part.of((self.unit, Unit::One))
    }

    /// The bound, in units.
    pub fn bound(&self, part: Part, fused: bool) -> f64 {
        let (of_fused, of_plain) = part.of((self.value, self.slope));
        let bound: f64 = if fused { of_fused } else { of_plain };
        if self.unit(part) == Unit::Ulp { bound } else { bound.exp2() }
    }
}

/// The error of a result in units, infinite if it is NaN or infinite and the exact value is not, or the reverse.
#[inline(always)]
pub fn error(unit: Unit, x: f32, got: f32, exact: f64) -> f64 {
    let x = f64::from(x).abs();
    let per_unit = match unit {
        Unit::Ulp => ulp::per_unit_f32(exact.abs()),
        Unit::One => 1.0,
        Unit::X => 1.0 / x.max(f64::from(f32::MIN_POSITIVE)),
        Unit::OneOrX => 1.0 / x.max(1.0),
    };
    let error = (f64::from(got) - exact).abs() * per_unit;
    let same = (f64::from(got) == exact) | (got.is_nan() & exact.is_nan());
    if same {
        0.0
    } else if error.is_nan() {
        f64::INFINITY
    } else {
        error
    }
}

pub fn run(activation: AnyActivation, level: Level, part: Part, x: &[f32], y: &mut [f32]) {
    match part {
        Part::Value => level.with(Fast(activation)).forward(x, y),
        Part::Slope => level.with(Fast(activation)).derivative(x, y),
    }
}
