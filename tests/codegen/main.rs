//! The hot loops are vectorised, as the assembly shows: for every activation, type, pass and level.
//!
//! A crate with one function for each of them is compiled, for x86-64 and for aarch64, and its assembly read. Nothing
//! is run or timed, so the CPU of the machine does not matter. `cargo test --release --test codegen -- --nocapture`
//! shows what was found.

mod asm;
mod probe;

use std::collections::BTreeMap;

use asm::{Function, Kind, Loop, Operation, functions};
use probe::DECOY;

/// What the symbols of the functions contain that pick a level for a pass. A pass may have two: value and derivative.
const DISPATCH: &str = "8dispatch8dispatch";

/// A level: its name, the bits of its vectors, whether it fuses, and what the symbols of its functions contain. A
/// level without that needs no function of its own; its loops are in the one that picks it.
struct Level {
    name: &'static str,
    vector: usize,
    fused: bool,
    symbol: Option<&'static str>,
}

const X86_64: &[Level] = &[
    Level { name: "AVX-512", vector: 512, fused: true, symbol: Some("vectorize_avx512") },
    Level { name: "AVX2", vector: 256, fused: true, symbol: Some("vectorize_avx2") },
    Level { name: "SSE2", vector: 128, fused: false, symbol: None },
];
/// The functions of rows, whose passes are several loops each: names, and how many loops at least.
const ROWS: [(&str, usize); 4] = [("softmax", 4), ("log_softmax", 4), ("sparsemax", 2), ("hardmax", 1)];

/// Functions of rows whose calls that copy memory go through a register at levels with functions of their own, too.
const THROUGH_REGISTERS: [&str; 1] = ["sparsemax"];

/// Functions that run the loops of another, by calls that are not found in their own code.
const SHARING: [&str; 1] = ["softmin"];

/// Copies what it is given: by the library's copy, or not at all.
const COPY: &str = "identity";
/// Functions that have no product to add to: they multiply sums, or quotients of sums.
const UNFUSED: [&str; 4] = ["hard_sigmoid", "hard_swish", "squared_relu", "softsign"];

/// What else has arrays of its own to fill.
const ARRAYS: [&str; 2] = ["swi_glu", "biased_gelu"];

const AARCH64: &[Level] = &[Level { name: "NEON", vector: 128, fused: true, symbol: None }];

#[test]
fn loops_for_x86_64_are_vectorised() {
    every_loop_is_vectorised("x86_64-unknown-linux-gnu", X86_64);
}

#[test]
fn loops_for_aarch64_are_vectorised() {
    every_loop_is_vectorised("aarch64-unknown-linux-gnu", AARCH64);
}

fn every_loop_is_vectorised(target: &str, levels: &[Level]) {
    if !probe::is_installed(target) {
        eprintln!("\nSKIPPED: no code for {target} was looked at. `rustup target add {target}` and run this again.\n");
        let native = target.starts_with(std::env::consts::ARCH) && cfg!(all(target_os = "linux", target_env = "gnu"));
        assert!(!native, "the target of this machine is not installed");
        return;
    }
    let (assembly, path) = probe::assembly(target);
    let functions = functions(&assembly);
    let mut faults = Vec::new();
    for probe in probe::probes().into_iter().filter(|probe| !SHARING.contains(&&*probe.name)) {
        let (name, pass, (element, bits)) = (&*probe.name, probe.pass, probe.element);
        let entry = functions.get(&probe.symbol()).expect("the assembly has every probe");
        let called = |from: &Function, part: &str| -> Vec<&Function> {
            let symbols = from.leaves().map(|(_, symbol)| symbol).filter(|symbol| symbol.contains(part));
            symbols.filter_map(|symbol| functions.get(symbol)).collect()
        };
        let dispatches = called(entry, DISPATCH);
        if name == COPY && pass.starts_with("forward") {
            continue;
        }
        for level in levels {
            let bodies = match level.symbol {
                None => dispatches.clone(),
                Some(part) => dispatches.iter().flat_map(|dispatch| called(dispatch, part)).collect(),
            };
            let missing = bodies.is_empty().then(|| "no function for this level is found".to_owned());
            let found: Vec<String> =
                missing.into_iter().chain(bodies.iter().flat_map(|body| look(body, level, bits, name))).collect();
            let place = format!("{name} {element} {pass} {}", level.name);
            if name == DECOY {
                println!("{place}: {}", found.join("; "));
                assert!(!found.is_empty(), "{place}: the formula that does not vectorise is not found out");
            } else {
                faults.extend(found.into_iter().map(|fault| format!("{place}: {fault}")));
            }
        }
    }
    let count = faults.len();
    assert!(count == 0, "{count} faults in {path}:\n{}", faults.join("\n"));
}

/// What is wrong with a function's code.
fn look(function: &Function, level: &Level, element: usize, name: &str) -> Vec<String> {
    let rows = ROWS.iter().find(|(rows, _)| *rows == name).map(|&(_, loops)| loops);
    let mut faults = Vec::new();

    // Beside panics and the code for a level there is nothing to call. Rows have arrays of their own to fill, and may
    // call their parts where those need no other instructions than the caller.
    let mut known = vec!["vectorize_", "panic", "slice_index_fail"];
    if rows.is_some() || ARRAYS.contains(&name) {
        known.extend(["memset", "memcpy", "memmove"]);
    }
    if rows.is_some() {
        known.extend(level.symbol.is_none().then_some("softmax"));
        // Those through a register, too.
        known.extend((level.symbol.is_none() || THROUGH_REGISTERS.contains(&name)).then_some("%r"));
    }
    let mut called = BTreeMap::<_, Vec<_>>::new();
    for (instruction, symbol) in function.leaves().filter(|(_, symbol)| !known.iter().any(|part| symbol.contains(part)))
    {
        called.entry(symbol).or_default().push(instruction);
    }
    for (symbol, calls) in called {
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
    let has = |kind| full.iter().any(|l| l.operations().any(|(_, op)| op.kind == kind));
    if !UNFUSED.contains(&name) && level.fused && has(Kind::Add) && has(Kind::Mul) && !has(Kind::Fused) {
        faults.push(format!("products and sums, but no fused multiply-add: {}", hottest.body[0].text()));
    }
    if !level.fused && has(Kind::Fused) {
        faults.push(format!("a fused multiply-add: {}", hottest.body[0].text()));
    }

    // A row is searched, exponentiated, summed and scaled; short ones are summed in order, and what is left over of
    // long ones too.
    if let Some(least) = rows {
        if full.len() < least {
            faults.push(format!("only {} loops of full width", full.len()));
        }
        return faults;
    }
    // A loop that is not of full width is for what is left over, or for slices that overlap: the copy of one that is.
    for narrow in other.iter().filter(|narrow| !full.iter().any(|full| is_copy(narrow, full))) {
        let odd = first_odd(narrow, full_width);
        faults.push(format!("a loop that is not of full width, nor left over from one: {odd}"));
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
