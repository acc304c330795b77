//! The committed tables of exact values for `f64` inputs. `examples/exact` writes the tables of activations, and `tools/tables.py` writes
//! the tables of `math` and of rows.

use activations::AnyActivation;

use super::{Part, entries};

/// One line: the input, and value and slope as unevaluated sums.
pub struct Line {
    pub x: f64,
    value: (f64, f64),
    slope: (f64, f64),
}

impl Line {
    pub fn exact(&self, part: Part) -> (f64, f64) {
        part.of((self.value, self.slope))
    }
}

/// The table of the activation with this name; `None` for functions with at most one rounding, and for rows.
///
/// # Panics
/// If a table is missing or malformed.
pub fn of(name: &str) -> Option<Vec<Line>> {
    let is_of_rows =
        AnyActivation::all().any(|activation| activation.card().name == name && entries::is_of_rows(&activation));
    if is_of_rows || entries::named(name).is_some_and(|facts| facts.one_rounding) {
        return None;
    }
    let path = format!("{}/tests/tables/{name}.csv", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("no table for {name}: {path}: {e}"));
    Some(text.lines().map(line).collect())
}

fn line(text: &str) -> Line {
    let fields: Vec<f64> = text
        .split(',')
        .map(|bits| f64::from_bits(u64::from_str_radix(bits, 16).expect("sixteen hexadecimal digits")))
        .collect();
    let [x, value_hi, value_lo, slope_hi, slope_lo] = fields[..] else { panic!("not five numbers: {text}") };
    Line { x, value: (value_hi, value_lo), slope: (slope_hi, slope_lo) }
}
