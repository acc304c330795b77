//! Sets `cfg(compiled)` where this crate compiles the loops of its functions: with the feature of that name, and with
//! optimisation. Without optimisation that would take minutes and gigabytes for loops that are slow all the same; then each
//! crate compiles what it uses.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(compiled)");
    let optimised = env::var("OPT_LEVEL").is_ok_and(|level| level != "0");
    if optimised && env::var_os("CARGO_FEATURE_COMPILED").is_some() {
        println!("cargo::rustc-cfg=compiled");
    }
}
