//! Fuzzing: `tools/fuzz.sh`. The variable `TARGET` names the target. Without it the first byte chooses.
#![no_main]

#[path = "../../tests/common/mod.rs"]
mod common;
#[allow(dead_code, reason = "a part of what the tests use")]
#[path = "../../tests/suite/support.rs"]
mod support;

mod accuracy;
mod elementwise;
mod input;
mod layers;
mod names;
mod rows;

use std::env;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

use crate::input::Input;

type Target = (&'static str, fn(Input<'_>));

const TARGETS: [Target; 5] = [
    ("elementwise", elementwise::run),
    ("rows", rows::run),
    ("layers", layers::run),
    ("names", names::run),
    ("accuracy", accuracy::run),
];

static CHOSEN: LazyLock<Option<usize>> = LazyLock::new(|| {
    let name = env::var("TARGET").ok()?;
    let place = TARGETS.iter().position(|(known, _)| *known == name);
    Some(place.unwrap_or_else(|| panic!("no target `{name}`: there are {:?}", TARGETS.map(|(known, _)| known))))
});

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let target = CHOSEN.unwrap_or_else(|| input.below(TARGETS.len()));
    TARGETS[target].1(input);
});
