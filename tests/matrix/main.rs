//! The matrix runs every public function that takes slices of floats, for every type of element, at every level. The inputs are random,
//! huge, tiny, equal and infinite numbers, NaN, a single number, and no numbers. The results are compared with exact values.
//!
//! The references share nothing with the crate or with the other tests: they are textbook formulas in the arithmetic of `big.rs`. Each
//! module says which public names it covers, and checks that all of them ran. `coverage` checks that no public name is missing.

mod activations_cells;
mod attention;
mod big;
mod cases;
mod choices;
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
