//! Documented values and derivatives at special places, from the entries.

use crate::common::entries::{self, Facts};

/// `(name, x, f(x))` where the documentation states the value exactly.
pub(crate) fn values() -> Vec<(&'static str, f64, f64)> {
    entries::all().flat_map(|facts| places(&facts, facts.values, |limit| limit.0)).collect()
}

/// `(name, x, f'(x))`. A derivative of zero may have either sign.
pub(crate) fn slopes() -> Vec<(&'static str, f64, f64)> {
    entries::all().flat_map(|facts| places(&facts, facts.slopes, |limit| limit.1)).collect()
}

/// The infinities, and what else the entry has.
fn places(facts: &Facts, others: &[(f64, f64)], part: fn((f64, f64)) -> f64) -> Vec<(&'static str, f64, f64)> {
    let infinities = [f64::NEG_INFINITY, f64::INFINITY].into_iter().zip(facts.limits.map(part));
    infinities.chain(others.iter().copied()).map(|(x, y)| (facts.name, x, y)).collect()
}
