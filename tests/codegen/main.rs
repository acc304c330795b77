//! The assembly shows that the hot loops are vectorised: for every activation, type, pass and level, and for all loops of rows,
//! gates, layers and losses.
//!
//! A crate that uses all of this is compiled for x86-64 and for aarch64, and the test reads its assembly. It uses this crate
//! without the features `compiled` and `compiled-f64`, so that the loops are compiled in that crate, as for users' own formulas. With
//! the features, this crate would compile the same loops, but always all of them for both floats, which takes three times as long.
//!
//! Nothing is run or timed, so the CPU of the machine does not matter. `cargo test --release --test codegen -- --nocapture`
//! shows what was found.

mod asm;
#[allow(dead_code, unreachable_pub, reason = "the other tests use the rest")]
#[path = "../common/entries/mod.rs"]
mod entries;
mod probe;

use std::collections::BTreeMap;

use asm::{Function, Instruction, Kind, Loop, Operation, functions};
use probe::{Build, DECOY, F32, F64, Float, PASSES};

/// A level: its name, the bits of its vectors, whether it fuses, and an identifier in the symbol of the function that has its
/// loops.
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

/// Whether the function runs a task of the float: `dispatch::<f32, Forward<Gelu, f32>>`, for example, and the functions that it calls.
fn is_of(symbol: &str, (letter, _): Float) -> bool {
    ["8dispatch", "5plain"].iter().any(|generic| symbol.contains(&format!("{generic}{letter}")))
}

/// Tasks that only copy: they call the library's copy, or have no copy at all.
const COPY: &str = "Identity";

/// Short formulas. LLVM unrolls the loop over the 16 elements at an end before it vectorises it, so some stay scalar: on NEON, with
/// two results of `f64` at once.
const SCALAR_EDGES: [&str; 5] = ["HardTanh", "Hardshrink", "LeakyRelu", "Relu", "Softshrink"];

/// The message of `look` for a loop that neither has full width nor is a copy of a loop that has.
const NARROW: &str = "a loop that is not of full width";

/// Tasks that compute nothing.
const MOVES: [&str; 4] = ["Give", "Interleave", "Take", "TakeApart"];

/// Tasks that find the greatest element of rows. With AVX2 they have a masked store for each vector of a row's last column, but
/// none in their loops.
const MASKED: [&str; 2] = ["FindGreatest", "OfSlice"];

/// Tasks for so few numbers that all their loops may be unrolled.
const UNROLLED: [&str; 5] = ["Logarithms", "Merge", "States", "Total", "Totals"];

/// At old levels the totals of sums are in a function that all tasks share. It is looked at like a task.
const APART: &str = "5apart4call";

/// What loops may call: panics, copies of what is left over, from where a level is chosen the portable loop, and totals.
const CALLED: [&str; 9] =
    ["panic", "slice_index_fail", "expect_failed", "7unequal", "memcpy", "memmove", "memset", "4Home5plain", APART];

/// Functions that compute a part of `f32` in `f64`, so that their loops have operations of both widths.
const IN_F64: [&str; 1] = ["Sin"];

const X86_64_TARGET: &str = "x86_64-unknown-linux-gnu";
const AARCH64_TARGET: &str = "aarch64-unknown-linux-gnu";

/// Incremental compilation may inline only functions that are `#[inline(always)]` or in the same module. A call in a hot loop makes
/// it a hundred times as slow.
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
                // The derivative has a loop of its own, or uses the loop for both.
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
        let apart = |symbol: &str| {
            level.function == "plain" && symbol.contains(APART) && symbol.contains(&format!("5Plain{}E", float.0))
        };
        let of_level = |symbol: &str| is_of(symbol, float) && level.has(symbol) || apart(symbol);
        for (symbol, body) in functions.iter().filter(|(symbol, _)| of_level(symbol)) {
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

/// Whether a symbol contains the identifier, which follows its length there.
fn names(symbol: &str, identifier: &str) -> bool {
    let counted = format!("{}{identifier}", identifier.len());
    symbol.match_indices(&counted).any(|(at, _)| !symbol[..at].ends_with(|c: char| c.is_ascii_digit()))
}

/// The functions that a function calls, except for panics and copies. Any such call is a fault, especially in a loop.
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

/// The faults in the code of a task. Loops over rows, and copies for slices that overlap, may be scalar.
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
    let unrolled = || (is_one(&UNROLLED) || symbol.contains(APART)) && function.operations().any(full_width);
    let elsewhere = || function.leaves().any(|(_, symbol)| symbol.contains(APART));
    if longest == 0 && !unrolled() && !elsewhere() && !is_one(&MOVES) {
        faults.push(format!("no loop of packed {element}-bit arithmetic in {} bits", level.vector));
    }
    faults
}

/// Whether the function of this type has no product to add to, as its entry says.
fn has_nothing_to_fuse(type_name: &str) -> bool {
    entries::all().any(|facts| facts.type_name == type_name && facts.has_nothing_to_fuse)
}

/// The faults in the code of an activation's pass.
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

    // The hottest loop is the one over blocks of vectors, or the only one. Code that the compiler moved after its jump looks like a
    // loop with branches, so a real loop is preferred.
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
    if !has_nothing_to_fuse(name) && level.fused && has(Kind::Add) && has(Kind::Mul) && !has(Kind::Fused) {
        faults.push(format!("products and sums, but no fused multiply-add: {}", hottest.body[0].text()));
    }
    if !level.fused && has(Kind::Fused) {
        faults.push(format!("a fused multiply-add: {}", hottest.body[0].text()));
    }

    // A loop without full width is for the rest of a slice, or it is the copy of a full loop for slices that overlap.
    for narrow in other.iter().filter(|narrow| !full.iter().any(|full| is_copy(narrow, full))) {
        let odd = first_odd(narrow, full_width);
        faults.push(format!("{NARROW}, nor left over from one: {odd}"));
    }
    faults
}

/// The first operation of the loop that does not have full width.
fn first_odd(l: &Loop<'_>, full_width: impl Fn(Operation) -> bool) -> String {
    l.operations().find(|&(_, op)| !full_width(op)).map_or_else(String::new, |(instruction, _)| instruction.text())
}

fn size(l: &Loop<'_>) -> usize {
    l.operations().count()
}

/// Whether the narrow loop is a copy of the full one, or of a part of it: it has no more operations of any kind, except for a quarter
/// more that branches may repeat.
///
/// In scalar code selects become branches. Where the compiler puts a branch after the loop's jump, each part looks like a loop.
fn is_copy(narrow: &Loop<'_>, full: &Loop<'_>) -> bool {
    let count = |l: &Loop<'_>, kind| l.operations().filter(|(_, op)| op.kind == kind).count();
    let kinds = [Kind::Add, Kind::Mul, Kind::Fused, Kind::Other];
    let more: usize = kinds.iter().map(|&kind| count(narrow, kind).saturating_sub(count(full, kind))).sum();
    more * 4 <= size(full)
}
