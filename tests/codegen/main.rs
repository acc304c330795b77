//! The hot loops are vectorised, as the assembly shows: for every activation, type, pass and level, and for all that rows,
//! gates, layers and losses are made of.
//!
//! A crate that uses all of this is compiled, for x86-64 and for aarch64, and its assembly read. It uses this crate without
//! the features `compiled` and `compiled-f64`, so that the loops are compiled there, as those of users' own formulas are. With
//! them this crate compiles the same loops itself, but always all of them in both floats, which takes three times as long.
//!
//! Nothing is run or timed, so the CPU of the machine does not matter. `cargo test --release --test codegen -- --nocapture`
//! shows what was found.

mod asm;
mod probe;

use std::collections::BTreeMap;

use asm::{Function, Instruction, Kind, Loop, Operation, functions};
use probe::{Build, DECOY, F32, F64, Float, PASSES};

/// A level: its name, the bits of its vectors, whether it fuses, and which function has its loops: an identifier of its
/// symbol.
struct Level {
    name: &'static str,
    vector: usize,
    fused: bool,
    function: &'static str,
}

const X86_64: &[Level] = &[
    Level { name: "AVX-512", vector: 512, fused: true, function: "vectorize_avx512" },
    Level { name: "AVX2", vector: 256, fused: true, function: "vectorize_avx2" },
    Level { name: "SSE2", vector: 128, fused: false, function: "plain" },
];
const AARCH64: &[Level] = &[Level { name: "NEON", vector: 128, fused: true, function: "dispatch" }];

impl Level {
    /// Whether the function has loops of this level.
    fn has(&self, symbol: &str) -> bool {
        let elsewhere = ["vectorize", "4Home5plain"].iter().any(|other| symbol.contains(other));
        names(symbol, self.function) && (self.function != "dispatch" || !elsewhere)
    }
}

/// Whether the function runs a task of the float: `dispatch::<f32, Forward<Gelu, f32>>`, say, and what that hands its task to.
fn is_of(symbol: &str, (letter, _): Float) -> bool {
    ["8dispatch", "5plain"].iter().any(|generic| symbol.contains(&format!("{generic}{letter}")))
}

/// Copies what it is given: by the library's copy, or not at all.
const COPY: &str = "Identity";

/// Short formulas whose 16 elements at an end are unrolled before they are vectorised, so that some stay scalar: on NEON, two
/// results of `f64` at once.
const SCALAR_EDGES: [&str; 7] = ["HardTanh", "Hardshrink", "LeakyRelu", "Relu", "Relu6", "Rrelu", "Softshrink"];

/// What `look` says of a loop that is neither of full width nor a copy of one that is.
const NARROW: &str = "a loop that is not of full width";

/// Tasks that compute nothing.
const MOVES: [&str; 4] = ["Give", "Interleave", "Take", "TakeApart"];

/// Tasks that find the greatest element of rows. With AVX2 they have a masked store for each vector of a row's last column,
/// and none in their loops.
const MASKED: [&str; 2] = ["FindGreatest", "OfSlice"];

/// Tasks for so few numbers that no loop may be left of them.
const UNROLLED: [&str; 5] = ["Logarithms", "Merge", "States", "Total", "Totals"];

/// What loops may call: panics, copies of what is left over, and, from where a level is chosen, the portable loop.
const CALLED: [&str; 8] =
    ["panic", "slice_index_fail", "expect_failed", "7unequal", "memcpy", "memmove", "memset", "4Home5plain"];

/// Functions that compute a part of `f32` in `f64`, so that the operations of a loop are of both widths.
const IN_F64: [&str; 1] = ["Sin"];

/// Functions that have no product to add to: they multiply sums, or quotients of sums.
const UNFUSED: [&str; 5] = ["HardSigmoid", "HardSwish", "Shrink", "SquaredRelu", "Softsign"];

const X86_64_TARGET: &str = "x86_64-unknown-linux-gnu";
const AARCH64_TARGET: &str = "aarch64-unknown-linux-gnu";

/// Incremental compilation may inline nothing but what is `#[inline(always)]` or of the same module. A call in a hot loop
/// costs a factor of a hundred.
#[test]
fn loops_compiled_incrementally_are_vectorised() {
    every_loop_is_vectorised(X86_64, Build { target: X86_64_TARGET, float: F64, tasks: true, incremental: true });
}

#[test]
fn loops_for_aarch64_in_f32_are_vectorised() {
    every_loop_is_vectorised(AARCH64, Build { target: AARCH64_TARGET, float: F32, tasks: false, incremental: false });
}

#[test]
fn loops_for_aarch64_in_f64_are_vectorised() {
    every_loop_is_vectorised(AARCH64, Build { target: AARCH64_TARGET, float: F64, tasks: false, incremental: false });
}

#[test]
fn loops_for_x86_64_in_f32_are_vectorised() {
    every_loop_is_vectorised(X86_64, Build { target: X86_64_TARGET, float: F32, tasks: true, incremental: false });
}

#[test]
fn loops_for_x86_64_in_f64_are_vectorised() {
    every_loop_is_vectorised(X86_64, Build { target: X86_64_TARGET, float: F64, tasks: false, incremental: false });
}

fn every_loop_is_vectorised(levels: &[Level], build: Build) {
    let Build { target, float, .. } = build;
    if !probe::is_installed(target) {
        eprintln!("\nSKIPPED: no code for {target} was looked at. `rustup target add {target}` and run this again.\n");
        let native = target.starts_with(std::env::consts::ARCH) && cfg!(all(target_os = "linux", target_env = "gnu"));
        assert!(!native, "the target of this machine is not installed");
        return;
    }
    let (assembly, path) = build.assembly();
    let functions = functions(&assembly);
    let mut faults = Vec::new();
    for formula in &build.formulas() {
        for pass in PASSES {
            if formula == COPY && pass.starts_with("Forward") {
                continue;
            }
            for level in levels {
                let place = format!("{formula} f{} {pass} {}", float.1, level.name);
                let of_task = |(symbol, _): &(&String, &Function)| is_task(symbol, float, pass, formula);
                let of_pass = || functions.iter().filter(of_task);
                let mut bodies: Vec<_> = of_pass().filter(|(s, _)| level.has(s)).map(|(_, body)| body).collect();
                if bodies.is_empty() {
                    // Two tasks with the same code share it.
                    let symbols = of_pass().flat_map(|(_, body)| body.leaves());
                    bodies = symbols.filter(|(_, s)| level.has(s)).filter_map(|(_, s)| functions.get(s)).collect();
                }
                // The derivative is a loop of its own, or else both at once.
                let other = match pass {
                    "Derivative" => Some("ForwardWithDerivative"),
                    "ForwardWithDerivative" => Some("Derivative"),
                    // In `f64` and at old levels smooth functions run forward over copies.
                    "ForwardInPlace" if float == F64 || level.name == "SSE2" => Some("Forward"),
                    _ => None,
                };
                if bodies.is_empty()
                    && other.is_some_and(|other| functions.keys().any(|s| is_task(s, float, other, formula)))
                {
                    continue;
                }
                let none = bodies.is_empty();
                let found: Vec<String> =
                    bodies.into_iter().flat_map(|body| look(body, level, float.1, formula)).collect();
                if none {
                    faults.push(format!("{place}: no function for this level is found"));
                } else if formula == DECOY {
                    println!("{place}: {}", found.join("; "));
                    assert!(!found.is_empty(), "{place}: the formula that does not vectorise is not found out");
                } else {
                    let known = |fault: &String| {
                        fault.starts_with(NARROW)
                            && place.ends_with("f64 ForwardWithDerivative NEON")
                            && SCALAR_EDGES.contains(&formula.as_str())
                    };
                    faults.extend(found.into_iter().filter(|f| !known(f)).map(|fault| format!("{place}: {fault}")));
                }
            }
        }
    }
    for level in levels.iter().filter(|_| build.tasks) {
        let mut missing = probe::tasks();
        for (symbol, body) in functions.iter().filter(|(symbol, _)| is_of(symbol, float) && level.has(symbol)) {
            missing.retain(|task| !names(symbol, task));
            if !names(symbol, "activation") {
                let found = look_at_task(symbol, body, level, float.1);
                faults.extend(found.into_iter().map(|fault| format!("{symbol}: {fault}")));
            }
        }
        faults.extend(missing.iter().map(|task| format!("{task} {}: nothing in tasks.rs calls it", level.name)));
    }
    let count = faults.len();
    assert!(count == 0, "{count} faults in {path}:\n{}", faults.join("\n"));
}

/// Whether the function runs the formula's pass.
fn is_task(symbol: &str, float: Float, pass: &str, formula: &str) -> bool {
    is_of(symbol, float) && ["activation", pass, formula].iter().all(|part| names(symbol, part))
}

/// Whether a symbol has the identifier, which stands behind its length there.
fn names(symbol: &str, identifier: &str) -> bool {
    let counted = format!("{}{identifier}", identifier.len());
    symbol.match_indices(&counted).any(|(at, _)| !symbol[..at].ends_with(|c: char| c.is_ascii_digit()))
}

/// What a function calls, other than panics and copies: there, and all the more in a loop, that is a fault.
fn calls(function: &Function) -> Vec<String> {
    let mut called = BTreeMap::<_, Vec<_>>::new();
    for (instruction, symbol) in
        function.leaves().filter(|(_, symbol)| !CALLED.iter().any(|part| symbol.contains(part)))
    {
        called.entry(symbol).or_default().push(instruction);
    }
    let fault = |(symbol, calls): (&str, Vec<&Instruction>)| {
        format!("calls {symbol} from {} places, the first at {}", calls.len(), calls[0].text())
    };
    called.into_iter().map(fault).collect()
}

fn masked_stores(function: &Function) -> impl Iterator<Item = String> {
    function.masked_stores().map(|store| format!("a masked store: {}", store.text()))
}

/// What is wrong with the code of a task. Some of its loops may be scalar: those over rows, and copies for slices that overlap.
fn look_at_task(symbol: &str, function: &Function, level: &Level, element: usize) -> Vec<String> {
    let mut faults = calls(function);
    let full_width = |op: Operation| op.vector == level.vector && op.element == element;
    let loops = function.innermost_loops().into_iter().filter(|l| l.operations().all(|(_, op)| full_width(op)));
    let longest = loops.map(|l| size(&l)).max().unwrap_or(0);
    println!("{longest:4} operations: {symbol}");
    let is_one = |tasks: &[&str]| tasks.iter().any(|task| names(symbol, task));
    if !is_one(&MASKED) {
        faults.extend(masked_stores(function));
    }
    let unrolled = || is_one(&UNROLLED) && function.operations().any(full_width);
    if longest == 0 && !unrolled() && !is_one(&MOVES) {
        faults.push(format!("no loop of packed {element}-bit arithmetic in {} bits", level.vector));
    }
    faults
}

/// What is wrong with the code of an activation's pass.
fn look(function: &Function, level: &Level, element: usize, name: &str) -> Vec<String> {
    let mut faults = calls(function);
    faults.extend(masked_stores(function));
    let full_width = |op: Operation| op.vector == level.vector && op.element == element;
    if element == 32 && IN_F64.contains(&name) {
        let wide = |op: Operation| op.vector == level.vector && op.element == 64;
        if !function.innermost_loops().iter().any(|l| l.operations().any(|(_, op)| wide(op))) {
            faults.push(format!("no loop with packed 64-bit arithmetic in {} bits", level.vector));
        }
        return faults;
    }
    let loops = function.innermost_loops().into_iter().filter(|l| size(l) > 0);
    let (full, other): (Vec<_>, Vec<_>) = loops.partition(|l| l.operations().all(|(_, op)| full_width(op)));

    // The hottest loop is the block of elements abreast, or the only one. Code that the compiler moved behind its jump
    // looks like a loop with branches: a real one is preferred.
    let Some(hottest) = full.iter().max_by_key(|l| (l.branches().next().is_none(), size(l))) else {
        let longest = other.iter().max_by_key(|l| size(l));
        let odd = longest.map_or_else(|| "no arithmetic in any loop".to_owned(), |l| first_odd(l, full_width));
        faults.push(format!("no loop of packed {element}-bit arithmetic in {} bits: {odd}", level.vector));
        return faults;
    };
    println!("{:4} operations, {:2} to or from the stack: {}", size(hottest), hottest.spills(), hottest.body[0].text());
    for branch in hottest.branches() {
        faults.push(format!("a branch in the hottest loop: {}", branch.text()));
    }
    let has = |kind| full.iter().any(|l| l.operations().any(|(_, op)| op.kind == kind));
    if !UNFUSED.contains(&name) && level.fused && has(Kind::Add) && has(Kind::Mul) && !has(Kind::Fused) {
        faults.push(format!("products and sums, but no fused multiply-add: {}", hottest.body[0].text()));
    }
    if !level.fused && has(Kind::Fused) {
        faults.push(format!("a fused multiply-add: {}", hottest.body[0].text()));
    }

    // A loop that is not of full width is for what is left over, or for slices that overlap: the copy of one that is.
    for narrow in other.iter().filter(|narrow| !full.iter().any(|full| is_copy(narrow, full))) {
        let odd = first_odd(narrow, full_width);
        faults.push(format!("{NARROW}, nor left over from one: {odd}"));
    }
    faults
}

/// The first operation of the loop that is not of full width.
fn first_odd(l: &Loop<'_>, full_width: impl Fn(Operation) -> bool) -> String {
    l.operations().find(|&(_, op)| !full_width(op)).map_or_else(String::new, |(instruction, _)| instruction.text())
}

fn size(l: &Loop<'_>) -> usize {
    l.operations().count()
}

/// Whether the narrow loop is the full one again, or a part of it: no more operations of any kind, but for a quarter that
/// branches may repeat.
///
/// In scalar code selections become branches, and where the compiler puts a branch behind the loop's jump, each part looks
/// like a loop.
fn is_copy(narrow: &Loop<'_>, full: &Loop<'_>) -> bool {
    let count = |l: &Loop<'_>, kind| l.operations().filter(|(_, op)| op.kind == kind).count();
    let kinds = [Kind::Add, Kind::Mul, Kind::Fused, Kind::Other];
    let more: usize = kinds.iter().map(|&kind| count(narrow, kind).saturating_sub(count(full, kind))).sum();
    more * 4 <= size(full)
}
