//! The hot loops are vectorised, as the assembly shows: for every activation, type, pass and level.
//!
//! A crate that uses the formulas of all activations is compiled, for x86-64 and for aarch64, and its assembly read. It uses
//! this crate without the feature `compiled`, so that the loops are compiled there, as those of users' own formulas are.
//! Nothing is run or timed, so the CPU of the machine does not matter. `cargo test --release --test codegen -- --nocapture`
//! shows what was found.

mod asm;
mod probe;

use std::collections::BTreeMap;

use asm::{Function, Kind, Loop, Operation, functions};
use probe::{DECOY, Mode, PASSES, Probe};

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

/// Copies what it is given: by the library's copy, or not at all.
const COPY: &str = "Identity";

/// Short formulas whose 16 elements at an end are unrolled before they are vectorised, so that some stay scalar: on NEON, two
/// results of `f64` at once.
const SCALAR_EDGES: [&str; 7] = ["HardTanh", "Hardshrink", "LeakyRelu", "Relu", "Relu6", "Rrelu", "Softshrink"];

/// What `look` says of a loop that is neither of full width nor a copy of one that is.
const NARROW: &str = "a loop that is not of full width";

/// Functions that have no product to add to: they multiply sums, or quotients of sums.
const UNFUSED: [&str; 5] = ["HardSigmoid", "HardSwish", "Shrink", "SquaredRelu", "Softsign"];

#[test]
fn loops_for_x86_64_are_vectorised() {
    every_loop_is_vectorised("x86_64-unknown-linux-gnu", X86_64, Mode::Whole);
}

#[test]
fn loops_for_aarch64_are_vectorised() {
    every_loop_is_vectorised("aarch64-unknown-linux-gnu", AARCH64, Mode::Whole);
}

/// Incremental compilation inlines no function that is not `#[inline(always)]` or of the same module. A call in a hot loop
/// costs a factor of a hundred.
#[test]
fn loops_compiled_incrementally_are_vectorised() {
    every_loop_is_vectorised("x86_64-unknown-linux-gnu", X86_64, Mode::Incremental);
}

fn every_loop_is_vectorised(target: &str, levels: &[Level], mode: Mode) {
    if !probe::is_installed(target) {
        eprintln!("\nSKIPPED: no code for {target} was looked at. `rustup target add {target}` and run this again.\n");
        let native = target.starts_with(std::env::consts::ARCH) && cfg!(all(target_os = "linux", target_env = "gnu"));
        assert!(!native, "the target of this machine is not installed");
        return;
    }
    let probes = probe::probes(mode);
    let (assembly, path) = probe::assembly(target, mode, &probes);
    let functions = functions(&assembly);
    let mut faults = Vec::new();
    for Probe { formula, float, bits } in &probes {
        for pass in PASSES {
            if formula == COPY && pass.starts_with("Forward") {
                continue;
            }
            for level in levels {
                let place = format!("{formula} f{bits} {pass} {}", level.name);
                // dispatch::<f32, Forward<Gelu, f32>>, say, and what it hands its task to.
                let of_task = |(symbol, _): &(&String, &Function)| {
                    names(symbol, formula)
                        && names(symbol, pass)
                        && ["8dispatch", "5plain"].iter().any(|generic| symbol.contains(&format!("{generic}{float}")))
                };
                let at_level = |symbol: &str| {
                    names(symbol, level.function) && (level.function != "dispatch" || !symbol.contains("vectorize"))
                };
                let mut bodies: Vec<_> = functions
                    .iter()
                    .filter(of_task)
                    .filter(|(symbol, _)| at_level(symbol))
                    .map(|(_, body)| body)
                    .collect();
                if bodies.is_empty() {
                    // Two tasks with the same code share it.
                    let symbols = functions.iter().filter(of_task).flat_map(|(_, body)| body.leaves());
                    bodies = symbols.filter(|(_, s)| at_level(s)).filter_map(|(_, s)| functions.get(s)).collect();
                }
                let none = bodies.is_empty();
                let found: Vec<String> =
                    bodies.into_iter().flat_map(|body| look(body, level, *bits, formula, mode)).collect();
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
    let count = faults.len();
    assert!(count == 0, "{count} faults in {path}:\n{}", faults.join("\n"));
}

/// Whether a symbol has the identifier, which stands behind its length there.
fn names(symbol: &str, identifier: &str) -> bool {
    let counted = format!("{}{identifier}", identifier.len());
    symbol.match_indices(&counted).any(|(at, _)| !symbol[..at].ends_with(|c: char| c.is_ascii_digit()))
}

/// What is wrong with a function's code.
fn look(function: &Function, level: &Level, element: usize, name: &str, mode: Mode) -> Vec<String> {
    let mut faults = Vec::new();

    // Beside panics and what short slices need there is nothing to call, and in a loop nothing at all.
    let known = ["panic", "slice_index_fail", "expect_failed", "copy_short", "memcpy"];
    let mut called = BTreeMap::<_, Vec<_>>::new();
    for (instruction, symbol) in function.leaves().filter(|(_, symbol)| !known.iter().any(|part| symbol.contains(part)))
    {
        called.entry(symbol).or_default().push(instruction);
    }
    // Compiled incrementally, there are calls outside of loops, too.
    for (symbol, calls) in called.into_iter().filter(|_| mode == Mode::Whole) {
        faults.push(format!("calls {symbol} from {} places, the first at {}", calls.len(), calls[0].text()));
    }

    let full_width = |op: Operation| op.vector == level.vector && op.element == element;
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
    for call in full.iter().flat_map(|l| l.calls()).filter(|call| !known.iter().any(|part| call.text().contains(part)))
    {
        faults.push(format!("a call in a loop: {}", call.text()));
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
