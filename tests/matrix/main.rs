//! The matrix runs every public function that takes slices of floats, for every type of element, at every level. The inputs are random,
//! huge, tiny, equal and infinite numbers, NaN, a single number, and no numbers. The results are compared with exact values.
//!
//! The references share nothing with the crate: the formulas of the tests' entries, and the textbook's for rows and losses, in
//! the arithmetic of `big.rs`.
//! A module of functions says which public names it covers and checks that all of them ran, `coverage` that these are all
//! that there are.

mod activations_cells;
mod attention;
mod big;
mod cases;
mod choices;
#[path = "../common/mod.rs"]
mod common;
mod coverage;
mod formulas;
mod gates;
mod judge;
mod layers;
mod losses;
mod number;
mod reports;
mod row_reference;
mod rows;
mod sums;
mod wide;
