//! `Fast`: its contracts at every CPU level, special values, ranges and tails. All other functions have the bits of the default.
//!
//! All 2^32 inputs: `cargo run --release --example accuracy -- --fast`.

#[path = "../common/mod.rs"]
mod common;
#[allow(dead_code, reason = "a part of what the suite uses")]
#[path = "../suite/support.rs"]
mod support;

mod behaviour;
mod forms;
mod parameters;
mod rows;

use activations::{AnyActivation, Level};
use common::fast::{self, CONTRACTS, Contract, Unit};
use common::{Part, oracle, sweep};

/// Each function that has a fast form, with its contract.
fn with_contracts() -> impl Iterator<Item = (AnyActivation, &'static Contract)> {
    CONTRACTS.iter().map(|contract| (contract.name.parse().expect("an activation"), contract))
}

/// A prime, so that every pattern of bits occurs.
const STRIDE: u64 = if cfg!(debug_assertions) { 65_537 } else { 2_053 };

/// Every nth `f32`, and all near zeros, ends of reductions, clamps, and the places of the worst errors.
fn inputs() -> Vec<f32> {
    const PLACES: [f32; 20] = [
        0.0, 0.0607, 0.1757, 0.25, 0.3465, 0.5205, 0.9, 1.0, 1.04, 2.0, 4.09, 5.6, 10.0, 10.06, 30.0, 44.3, 87.7, 88.0,
        88.7, 1000.0,
    ];
    let near = PLACES.into_iter().flat_map(|place| {
        (-1_000..1_000).flat_map(move |i| {
            let near = f32::from_bits((place.to_bits() as i32).wrapping_add(i).unsigned_abs());
            [near, -near]
        })
    });
    sweep::patterns(0..1 << 32, STRIDE).chain(near).collect()
}

#[test]
fn errors_are_within_the_contracts_at_every_level() {
    let x = inputs();
    let mut y = vec![0.0; x.len()];
    for (activation, contract) in with_contracts() {
        for part in Part::BOTH {
            let exact = oracle::of(&activation, part).expect("a function of single elements");
            let exact: Vec<f64> = x.iter().map(|&x| exact(f64::from(x))).collect();
            for level in Level::available() {
                y.fill(f32::NAN);
                fast::run(activation, level, part, &x, &mut y);
                let (unit, bound) = (contract.unit(part), contract.bound(part, level.is_fused()));
                for ((&x, &got), &exact) in x.iter().zip(&y).zip(&exact) {
                    let error = fast::error(unit, x, got, exact);
                    assert!(
                        error <= bound,
                        "{activation} {part:?} at {level}, x = {x:e} ({:#010x}): expected {exact:e}, got {got:e}, error \
                         {error:e}, bound {bound:e}, in units of {unit:?}",
                        x.to_bits()
                    );
                }
            }
        }
    }
}

/// A test of the test: it detects errors just above a bound.
#[test]
fn errors_are_measured_in_their_units() {
    assert_eq!(fast::error(Unit::One, 4.0, 1.5, 1.0), 0.5);
    assert_eq!(fast::error(Unit::X, -4.0, 1.5, 1.0), 0.125);
    assert_eq!(fast::error(Unit::OneOrX, 0.25, 1.5, 1.0), 0.5);
    assert_eq!(fast::error(Unit::OneOrX, 4.0, 1.5, 1.0), 0.125);
    assert_eq!(fast::error(Unit::Ulp, 4.0, 1.0 + f32::EPSILON, 1.0), 1.0);
    for unit in [Unit::One, Unit::X, Unit::OneOrX, Unit::Ulp] {
        assert_eq!(fast::error(unit, f32::NAN, f32::NAN, f64::NAN), 0.0);
        assert_eq!(fast::error(unit, 1.0, f32::NAN, 1.0), f64::INFINITY);
        assert_eq!(fast::error(unit, f32::NAN, 1.0, f64::NAN), f64::INFINITY);
        assert_eq!(fast::error(unit, 1.0, f32::INFINITY, 1.0), f64::INFINITY);
        assert_eq!(fast::error(unit, f32::INFINITY, 1.0, f64::INFINITY), f64::INFINITY);
        assert_eq!(fast::error(unit, f32::INFINITY, f32::INFINITY, f64::INFINITY), 0.0);
    }
}
