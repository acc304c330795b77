//! Sets `cfg(compiled)` and `cfg(compiled_f64)` where this crate compiles the loops of its functions: with the features of those
//! names, and with optimisation. Without optimisation that would take minutes and gigabytes for loops that are slow all the same;
//! then each crate compiles what it uses.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(compiled, compiled_f64)");
    let optimised = env::var("OPT_LEVEL").is_ok_and(|level| level != "0");
    for (feature, cfg) in [("CARGO_FEATURE_COMPILED", "compiled"), ("CARGO_FEATURE_COMPILED_F64", "compiled_f64")] {
        if optimised && env::var_os(feature).is_some() {
            println!("cargo::rustc-cfg={cfg}");
        }
    }
}
