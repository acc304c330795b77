//! Compiles to assembly a crate with the loops of each activation, and with the loops of rows, gates, layers and losses.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use activations::AnyActivation;

/// The loops of an activation.
pub(crate) const PASSES: [&str; 5] = ["Forward", "ForwardInPlace", "Derivative", "ForwardWithDerivative", "Backward"];

/// A decoy that the test must detect. Its value calls a function that is not inlined, like a library function. Its slope takes each
/// element through memory, which only scalar code can do.
pub(crate) const DECOY: &str = "Decoy";

/// Activations that together use all of `math`. Some builds look only at these.
const SOME: [&str; 7] = ["Elu", "Gelu", "LogCosh", "Mish", "Snake", "Softplus", "Tanh"];

/// The fast forms, each with a type that has it. They exist for `f32` only.
const FAST: [(&str, &str); 8] = [
    ("FastElu", "Elu"),
    ("FastGelu", "Gelu"),
    ("FastGeluTanh", "GeluTanh"),
    ("FastMish", "Mish"),
    ("FastSigmoid", "Sigmoid"),
    ("FastSoftplus", "Softplus"),
    ("FastSwish", "Silu"),
    ("FastTanh", "Tanh"),
];

/// A float: its letter in symbols, and its bits.
pub(crate) type Float = (char, usize);
pub(crate) const F32: Float = ('f', 32);
pub(crate) const F64: Float = ('d', 64);

/// The target, the float and the options of one compilation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Build {
    pub(crate) target: &'static str,
    pub(crate) float: Float,
    /// Whether tasks are compiled, not only activations.
    pub(crate) tasks: bool,
    /// Whether to compile incrementally, and then only some activations.
    pub(crate) incremental: bool,
}

/// These run the loops of another function.
const WITHOUT_LOOPS: [&str; 2] = ["Relu6", "Rrelu"];

impl Build {
    /// The types of all or some activations of one number, the decoy, and the fast forms.
    pub(crate) fn formulas(&self) -> Vec<String> {
        let mut formulas = vec![DECOY.to_owned()];
        for activation in AnyActivation::all() {
            // The variant is named as the type: `Gelu(Gelu)`.
            let debug = format!("{activation:?}");
            let variant = debug.split('(').next().unwrap_or_default().to_owned();
            let rows = activations::Activation::<f32>::pieces(&activation) != activations::Pieces::Elements;
            if !rows && !WITHOUT_LOOPS.contains(&&*variant) && (!self.incremental || SOME.contains(&&*variant)) {
                formulas.push(variant);
            }
        }
        if self.float == F32 {
            formulas.extend(FAST.iter().map(|(form, _)| (*form).to_owned()));
        }
        formulas
    }

    fn source(&self) -> String {
        let mut source = String::from(
            "#![allow(non_snake_case)]
             use activations::*;
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
        source += &format!("type F = f{};\n", self.float.1);
        for formula in self.formulas() {
            let of_fast = FAST.iter().find(|(form, _)| *form == formula);
            let (f, type_name) = of_fast.map_or(("f", formula.as_str()), |(_, of)| ("Fast(f.clone())", *of));
            source += &format!(
                "pub fn probe_{formula}(f: &{type_name}, level: Level, pass: Pass<'_, F>) {{ {f}.run(level, pass); }}\n"
            );
        }
        if self.tasks {
            source += include_str!("tasks.rs");
        }
        source
    }

    /// The optimised assembly, and the path of its files.
    pub(crate) fn assembly(&self) -> (String, String) {
        let Self { target, float: (_, bits), incremental, .. } = self;
        let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("codegen");
        let activations = |offline: &[&str]| {
            let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
            cargo
                .current_dir(env!("CARGO_MANIFEST_DIR"))
                .args(["build", "--release", "--lib", "--no-default-features", "--features=std", "--target", target])
                .args(offline)
                .env("CARGO_TARGET_DIR", &all)
                .env("CARGO_INCREMENTAL", "0")
                // The caller's flags might allow more instructions than the baseline has.
                .env("RUSTFLAGS", "")
                .env_remove("CARGO_ENCODED_RUSTFLAGS");
            cargo.output().expect("cargo runs")
        };
        let mut out = activations(&["--offline"]);
        if !out.status.success() {
            out = activations(&[]);
        }
        assert!(out.status.success(), "the crate does not compile:\n{}", String::from_utf8_lossy(&out.stderr));

        // Calls the compiler directly, because two runs of cargo would wait for each other.
        let probe = all.join(format!("{target}-f{bits}{}", if *incremental { "-incremental" } else { "" }));
        let _ = fs::remove_dir_all(&probe);
        fs::create_dir_all(&probe).expect("the probe's directory is made");
        fs::write(probe.join("probe.rs"), self.source()).expect("the source is written");
        let release = all.join(target).join("release");
        let mut rustc = rustc();
        rustc
            .current_dir(&probe)
            .args(["--edition=2024", "--crate-type=lib", "--emit=asm", "--target", target, "-C", "opt-level=3"])
            // Such symbols name the types that a function is compiled for.
            .args(["-C", "symbol-mangling-version=v0", "probe.rs", "--extern"])
            .arg(format!("activations={}", release.join("libactivations.rlib").display()))
            .arg(format!("-Ldependency={}", release.join("deps").display()));
        if *incremental {
            // With as many codegen units as cargo uses. By default the compiler makes one unit when it writes assembly, and inlines calls there
            // that it does not inline elsewhere.
            rustc.args(["-C", "codegen-units=256", "-C", "incremental=incremental"]);
        } else {
            rustc.args(["-C", "codegen-units=1"]);
        }
        let out = rustc.output().expect("the compiler runs");
        assert!(out.status.success(), "the probe does not compile:\n{}", String::from_utf8_lossy(&out.stderr));
        let files = fs::read_dir(&probe).expect("the assembly is there").map(|file| file.expect("a file").path());
        let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "s"));
        let assembly = files.map(|file| fs::read_to_string(file).expect("the assembly is text")).collect();
        (assembly, probe.display().to_string())
    }
}

/// The names of the crate's tasks: the types with an `impl Task`, and the tasks that `sweep!` defines. Tasks of halves and of `Exact`
/// are left out, because they convert from one type to another.
pub(crate) fn tasks() -> BTreeSet<String> {
    let mut tasks = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for file in fs::read_dir(folder).expect("the source is there") {
            let path = file.expect("a file").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            for line in fs::read_to_string(path).expect("the source is text").lines() {
                let implemented =
                    line.split_once(" Task<").and_then(|(_, rest)| rest.split_once("> for ")).map(|(_, t)| t);
                let task = implemented.or_else(|| line.strip_prefix("sweep!(")).and_then(|task| task.split_once('<'));
                tasks.extend(
                    task.filter(|_| !line.contains("$half") && !line.contains("Task<f64>"))
                        .map(|(name, _)| name.to_owned()),
                );
            }
        }
    }
    tasks
}

fn rustc() -> Command {
    Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
}

/// Whether the compiler has the standard library of the target.
pub(crate) fn is_installed(target: &str) -> bool {
    let printed = rustc().args(["--print", "target-libdir", "--target", target]).output();
    printed.is_ok_and(|out| out.status.success() && Path::new(String::from_utf8_lossy(&out.stdout).trim()).is_dir())
}
