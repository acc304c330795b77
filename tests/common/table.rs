//! The committed tables of exact values for `f64` inputs, written by `tools/tables.py`.

use super::Part;

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

/// Functions that need at most one rounding.
const ONE_ROUNDING: [&str; 12] = [
    "relu",
    "leaky_relu",
    "relu6",
    "squared_relu",
    "threshold",
    "rrelu",
    "identity",
    "hard_tanh",
    "softshrink",
    "hardshrink",
    "shrink",
    "sparse_sigmoid",
];

/// The table of the activation with this name; `None` for functions with at most one rounding, and for rows.
///
/// # Panics
/// If a table is missing or malformed.
pub fn of(name: &str) -> Option<Vec<Line>> {
    let of_rows = matches!(name, "softmax" | "log_softmax" | "softmin" | "sparsemax" | "hardmax");
    if of_rows || ONE_ROUNDING.contains(&name) {
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
