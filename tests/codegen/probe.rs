//! Compiles a crate with the loops of each activation, to assembly.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use activations::AnyActivation;

/// The loops of an activation.
pub(crate) const PASSES: [&str; 5] = ["Forward", "ForwardInPlace", "Derivative", "ForwardWithDerivative", "Backward"];

/// A formula that must be found out. Its value calls a function that is not inlined, as it would one of a library;
/// its slope takes each element through memory, which only scalar code can.
pub(crate) const DECOY: &str = "Decoy";

/// Activations that use all of `math` together, for the builds that need not look at every one.
const SOME: [&str; 7] = ["Elu", "Gelu", "LogCosh", "Mish", "Snake", "Softplus", "Tanh"];

/// How the crate is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// As a whole, all activations.
    Whole,
    /// Incrementally, some activations.
    Incremental,
}

/// Loops to look at: the type of the formula, the float's letter in symbols, and its bits.
pub(crate) struct Probe {
    pub(crate) formula: String,
    pub(crate) float: char,
    pub(crate) bits: usize,
}

/// Every activation of one number for which there is a formula, and the decoy.
pub(crate) fn probes(mode: Mode) -> Vec<Probe> {
    let mut formulas = vec![DECOY.to_owned()];
    for activation in AnyActivation::all() {
        // The variant is named as the type: `Gelu(Gelu)`.
        let debug = format!("{activation:?}");
        let variant = debug.split('(').next().unwrap_or_default().to_owned();
        let rows = activations::Activation::<f32>::pieces(&activation) != activations::Pieces::Elements;
        if !rows && (mode == Mode::Whole || SOME.contains(&&*variant)) {
            formulas.push(variant);
        }
    }
    let floats: &[(char, usize)] = if mode == Mode::Whole { &[('f', 32), ('d', 64)] } else { &[('f', 32)] };
    let probes = formulas
        .iter()
        .flat_map(|formula| floats.iter().map(|&(float, bits)| Probe { formula: formula.clone(), float, bits }));
    probes.collect()
}

fn source(probes: &[Probe]) -> String {
    let mut source = String::from(
        "#![allow(non_snake_case)]
         use activations::{Activation, Elementwise, Level, Pass, Real};
         #[derive(Clone)]
         pub struct Decoy;
         #[inline(never)]
         fn library<R: Real>(x: R) -> R { x * x + x }
         impl Elementwise for Decoy {
             #[inline(always)]
             fn value<R: Real>(&self, x: R) -> R { library(x) }
             #[inline(always)]
             fn slope<R: Real>(&self, x: R) -> R { std::hint::black_box(x * x) + x }
         }\n",
    );
    for Probe { formula, bits, .. } in probes {
        let path = if formula == DECOY { DECOY.to_owned() } else { format!("activations::{formula}") };
        source += &format!(
            "pub fn probe_{formula}_f{bits}(f: &{path}, level: Level, pass: Pass<'_, f{bits}>) {{ f.run(level, pass); }}\n"
        );
    }
    source
}

/// Whether the compiler has the standard library of the target.
pub(crate) fn is_installed(target: &str) -> bool {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let printed = Command::new(rustc).args(["--print", "target-libdir", "--target", target]).output();
    printed.is_ok_and(|out| out.status.success() && Path::new(String::from_utf8_lossy(&out.stdout).trim()).is_dir())
}

/// The assembly for the target, optimised, and the path of its files.
pub(crate) fn assembly(target: &str, mode: Mode, probes: &[Probe]) -> (String, String) {
    let root = env!("CARGO_MANIFEST_DIR");
    let name = if mode == Mode::Whole { target.to_owned() } else { format!("{target}-incremental") };
    let probe = Path::new(env!("CARGO_TARGET_TMPDIR")).join("codegen").join(name);
    fs::create_dir_all(probe.join("src")).expect("the probe's directory is made");
    let manifest = format!(
        "[package]\nname = \"probe\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
         [dependencies]\nactivations = {{ path = {root:?}, default-features = false, features = [\"std\"] }}\n[workspace]\n"
    );
    fs::write(probe.join("Cargo.toml"), manifest).expect("the manifest is written");
    // Written anew, so that cargo compiles it anew.
    fs::write(probe.join("src/lib.rs"), source(probes)).expect("the source is written");
    // The same versions of the dependencies, which are there already.
    let _ = fs::copy(Path::new(root).join("Cargo.lock"), probe.join("Cargo.lock"));

    let output = probe.join("target").join(target).join("release/deps");
    let build = |offline: &[&str]| {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo
            .current_dir(&probe)
            .args(["rustc", "--release", "--lib", "--target", target])
            .args(offline)
            // Such symbols name the types that a function is compiled for.
            .args(["--", "-C", "symbol-mangling-version=v0", "--emit=asm"])
            .env("CARGO_TARGET_DIR", probe.join("target"))
            .env("CARGO_INCREMENTAL", "0")
            // The caller's flags might allow the baseline more than it has.
            .env("RUSTFLAGS", "")
            .env_remove("CARGO_ENCODED_RUSTFLAGS");
        match mode {
            Mode::Whole => cargo.args(["-C", "codegen-units=1"]),
            Mode::Incremental => cargo.arg("-C").arg(format!("incremental={}", probe.join("incremental").display())),
        };
        cargo.output().expect("cargo runs")
    };
    let _ = fs::remove_dir_all(&output);
    let _ = fs::remove_dir_all(probe.join("incremental"));
    let mut out = build(&["--offline"]);
    if !out.status.success() {
        out = build(&[]);
    }
    assert!(out.status.success(), "the probe does not compile:\n{}", String::from_utf8_lossy(&out.stderr));
    let mut assembly = String::new();
    for file in fs::read_dir(&output).expect("the assembly is there") {
        let path = file.expect("a file").path();
        if path.extension().is_some_and(|extension| extension == "s") {
            assembly += &fs::read_to_string(path).expect("the assembly is text");
        }
    }
    (assembly, output.display().to_string())
}
