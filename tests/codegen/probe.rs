//! Compiles a crate with one function for each activation, type and pass, to assembly.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use activations::AnyActivation;

const TYPES: [(&str, usize); 2] = [("f32", 32), ("f64", 64)];

/// The passes: name, parameters, variant of `Pass`.
const PASSES: [(&str, &str, &str); 5] = [
    ("forward", "x: &[T], y: &mut [T]", "Forward { x, y }"),
    ("derivative", "x: &[T], dydx: &mut [T]", "Derivative { x, dydx }"),
    ("backward", "x: &[T], grad_y: &[T], grad_x: &mut [T]", "Backward { x, grad_y, grad_x }"),
    ("forward_with_derivative", "x: &[T], y: &mut [T], dydx: &mut [T]", "ForwardWithDerivative { x, y, dydx }"),
    ("forward_in_place", "x: &mut [T]", "ForwardInPlace { x }"),
];

/// Passes of gates: name, parameters, variant of `GatePass`.
const GATE_PASSES: [(&str, &str, &str); 4] = [
    ("forward", "gate: &[T], up: &[T], out: &mut [T]", "Forward { gate, up, out }"),
    (
        "backward",
        "gate: &[T], up: &[T], grad_out: &[T], grad_gate: &mut [T], grad_up: &mut [T]",
        "Backward { gate, up, grad_out, grad_gate, grad_up }",
    ),
    ("forward_packed", "packing: Packing, x: &[T], out: &mut [T]", "ForwardPacked { packing, x, out }"),
    (
        "backward_packed",
        "packing: Packing, x: &[T], grad_out: &[T], grad_x: &mut [T]",
        "BackwardPacked { packing, x, grad_out, grad_x }",
    ),
];

/// A formula that must be found out. Its value calls a function that is not inlined, as it would one of a library;
/// its slope takes each element through memory, which only scalar code can.
pub(crate) const DECOY: &str = "decoy";

/// A function of the probe: what it is of, its element type and pass, and its code.
pub(crate) struct Probe {
    pub(crate) name: String,
    pub(crate) element: (&'static str, usize),
    pub(crate) pass: &'static str,
    parameters: String,
    body: String,
}

/// Every activation, and the decoy, in every pass; a gate and an activation with a bias in theirs.
pub(crate) fn probes() -> Vec<Probe> {
    let mut probes = Vec::new();
    let mut add = |name: &str, f: &str, passes: &[(&'static str, &str, &str)], call: &str| {
        for element in TYPES {
            for &(pass, parameters, variant) in passes {
                let parameters =
                    format!("f: &{f}, level: Level, {parameters}").replace("[T]", &format!("[{}]", element.0));
                let parameters = parameters.replace("ELEMENT", element.0);
                let (name, body) = (name.to_owned(), call.replace("VARIANT", variant));
                probes.push(Probe { name, element, pass, parameters, body });
            }
        }
    };
    for activation in AnyActivation::all() {
        // The variant is named as the type: `Gelu(Gelu)`.
        let debug = format!("{activation:?}");
        let variant = debug.split('(').next().unwrap_or_default();
        add(activation.card().name, &format!("activations::{variant}"), &PASSES, "f.run(level, Pass::VARIANT)");
    }
    add(DECOY, "Decoy", &PASSES, "f.run(level, Pass::VARIANT)");
    add("swi_glu", "activations::SwiGlu", &GATE_PASSES, "Gate::run(f, level, GatePass::VARIANT)");
    add("biased_gelu", "Biased<'_, activations::Gelu, ELEMENT>", &PASSES, "f.run(level, Pass::VARIANT)");
    let sums = ("backward_with_bias", "x: &[T], grad_y: &[T], grad_x: &mut [T], grad_bias: &mut [T]", "");
    let call = "f.run_with_bias(level, x, grad_y, grad_x, grad_bias)";
    add("biased_gelu", "Biased<'_, activations::Gelu, ELEMENT>", &[sums], call);
    probes
}

impl Probe {
    pub(crate) fn symbol(&self) -> String {
        format!("probe_{}_{}_{}", self.name, self.element.0, self.pass)
    }
}

fn source() -> String {
    let mut source = String::from(
        "use activations::{
             Activation, BiasGradient, Biased, Elementwise, Gate, GatePass, Level, Packing, Pass, Real,
         };
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
    for probe in probes() {
        let Probe { parameters, body, .. } = &probe;
        let symbol = probe.symbol();
        source += &format!("#[unsafe(no_mangle)]\n#[inline(never)]\npub fn {symbol}({parameters}) {{ {body} }}\n");
    }
    source
}

/// Whether the compiler has the standard library of the target.
pub(crate) fn is_installed(target: &str) -> bool {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let printed = Command::new(rustc).args(["--print", "target-libdir", "--target", target]).output();
    printed.is_ok_and(|out| out.status.success() && Path::new(String::from_utf8_lossy(&out.stdout).trim()).is_dir())
}

/// The assembly for the target, optimised, and the path of the file.
pub(crate) fn assembly(target: &str) -> (String, String) {
    let root = env!("CARGO_MANIFEST_DIR");
    let probe = Path::new(env!("CARGO_TARGET_TMPDIR")).join("codegen").join(target);
    fs::create_dir_all(probe.join("src")).expect("the probe's directory is made");
    let manifest = format!(
        "[package]\nname = \"probe\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
         [dependencies]\nactivations = {{ path = {root:?}, default-features = false, features = [\"std\"] }}\n[workspace]\n"
    );
    fs::write(probe.join("Cargo.toml"), manifest).expect("the manifest is written");
    // Written anew, so that cargo compiles it anew.
    fs::write(probe.join("src/lib.rs"), source()).expect("the source is written");
    // The same versions of the dependencies, which are there already.
    let _ = fs::copy(Path::new(root).join("Cargo.lock"), probe.join("Cargo.lock"));

    let path = probe.join("probe.s");
    let build = |offline: &[&str]| {
        Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .current_dir(&probe)
            .args(["rustc", "--release", "--lib", "--target", target])
            .args(offline)
            // With this threshold `run` is inlined into each function above, which leaves it the calls of its own pass.
            .args(["--", "-C", "codegen-units=1", "-C", "llvm-args=-inline-threshold=2000"])
            .arg(format!("--emit=asm={}", path.display()))
            .env("CARGO_TARGET_DIR", probe.join("target"))
            // The caller's flags might allow the baseline more than it has.
            .env("RUSTFLAGS", "")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .output()
            .expect("cargo runs")
    };
    let _ = fs::remove_file(&path);
    let mut out = build(&["--offline"]);
    if !out.status.success() {
        out = build(&[]);
    }
    assert!(out.status.success(), "the probe does not compile:\n{}", String::from_utf8_lossy(&out.stderr));
    (fs::read_to_string(&path).expect("the assembly is there"), path.display().to_string())
}
