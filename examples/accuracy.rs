//! Measures the errors of every activation in ULP: the worst error, its place, and the share of correctly rounded results.
//!
//! `cargo run --release --example accuracy` takes every nth f32, and the committed tables for f64.
//! `cargo run --release --example accuracy -- --exhaustive` takes every f32. `--fast` measures the fast forms, and `--second` measures
//! second derivatives. `--help` lists all options.

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/exhaustive/mod.rs"]
mod exhaustive;
#[path = "shared/second_derivatives.rs"]
mod second_derivatives;

use std::fmt;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use activations::{AnyActivation, Level};
use common::Part;
use common::fast::{Contract, Unit};
use common::sweep::{self, Report};
use exhaustive::Exhaustive;
use exhaustive::fast::Worst;
use indicatif::{ProgressBar, ProgressStyle};

const PATTERNS: u64 = 1 << 32;
/// A prime.
const STRIDE: u64 = 1_009;
/// How many bit patterns a thread takes at a time.
const PIECE: u64 = 1 << 24;

const HELP: &str = "\
accuracy [--stride N | --exhaustive] [--markdown] [--fast | --second] [NAME...]

Measures the errors of activations and derivatives in ULP, on all cores, and fails if one is above its bound.

  --stride N    every Nth f32 against the oracle: formulas of the crate libm in f64. 1009 by default.
  --exhaustive  every f32, against two references. The crate's own kernels for f64, which the tables hold to a few ULP
                of f64, find where the errors are. The oracle, which shares nothing with them, judges every 61st input,
                inputs and results below the normal range, infinities, NaN, overflow, results of the other sign, and
                every error above 9/10 of the worst so far, so that a worst case is always the oracle's. Where both
                judge they must agree. Functions that round once have the oracle alone.
  --fast        the forms that Fast runs, against their contracts, always with every f32. The kernels for f64 judge all
                inputs, the oracle every 61st and every worst case.
  --second      second derivatives, against their bounds. With --exhaustive, the kernels for f64 judge every f32, and the
                oracle every 61st.
  --markdown    prints a Markdown table.
  NAME          only these functions; all without one.
";

struct Options {
    /// Every f32, with two references.
    exhaustive: bool,
    stride: u64,
    markdown: bool,
    /// Whether to measure the fast forms.
    fast: bool,
    /// Whether to measure second derivatives.
    second: bool,
    /// The functions; all of them if this is empty.
    of: Vec<AnyActivation>,
}

/// `None` if help is requested.
fn options() -> Result<Option<Options>, String> {
    let mut options =
        Options { exhaustive: false, stride: STRIDE, markdown: false, fast: false, second: false, of: Vec::new() };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--help" | "-h" => return Ok(None),
            "--exhaustive" => options.exhaustive = true,
            "--stride" => {
                let given = arguments.next().unwrap_or_default();
                let stride = given.parse().ok().filter(|&stride| stride > 0);
                options.stride = stride.ok_or(format!("--stride is `{given}`, but must be a whole number above 0"))?;
            }
            "--markdown" => options.markdown = true,
            "--fast" => options.fast = true,
            "--second" => options.second = true,
            flag if flag.starts_with('-') => {
                return Err(format!(
                    "unknown argument `{flag}`: known are --exhaustive, --stride N, --markdown, --fast, --second, --help and names"
                ));
            }
            name => {
                let activation = name.parse::<AnyActivation>().map_err(|e| e.to_string())?;
                if common::oracle::of(&activation, Part::Value).is_none() {
                    return Err(format!("{activation} is a function of rows: see tests/suite/accuracy.rs"));
                }
                options.of.push(activation);
            }
        }
    }
    Ok(Some(options))
}

/// The best level of each kind of lane. The other levels of a kind have the same bits.
fn kinds() -> Vec<Level> {
    let mut kinds: Vec<Level> = Vec::new();
    for level in Level::available() {
        if kinds.iter().all(|kind| kind.is_fused() != level.is_fused()) {
            kinds.push(level);
        }
    }
    kinds
}

/// The sweep over f32 on all cores.
fn sweep_f32(
    activation: AnyActivation,
    part: Part,
    levels: &[Level],
    options: &Options,
    bar: &ProgressBar,
) -> Exhaustive {
    let work = |next: &AtomicU64| {
        let mut found =
            if options.exhaustive { Exhaustive::forewarned(activation, part, levels) } else { Exhaustive::new(levels) };
        loop {
            let start = next.fetch_add(PIECE, Ordering::Relaxed);
            if start >= PATTERNS {
                return found;
            }
            if options.exhaustive {
                found.add(activation, part, levels, start..start + PIECE);
            } else {
                let first = start.next_multiple_of(options.stride);
                let inputs = sweep::patterns(first..start + PIECE, options.stride);
                sweep::over_f32(activation, part, levels, &mut found.reports, inputs);
            }
            bar.inc(1);
        }
    };
    on_all_cores(work, Exhaustive::merge)
}

/// Runs the work on each core. The cores share a counter of the patterns that have been taken.
fn on_all_cores<T: Send>(work: impl Fn(&AtomicU64) -> T + Sync, merge: impl FnMut(T, T) -> T) -> T {
    let next = AtomicU64::new(0);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(|| work(&next))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("a sweep does not panic"))
            .reduce(merge)
            .expect("at least one thread")
    })
}

/// The worst error of a fast form over every f32, at each level.
fn sweep_fast(activation: AnyActivation, part: Part, levels: &[Level], bar: &ProgressBar) -> Vec<Worst> {
    let work = |next: &AtomicU64| {
        let mut worst = vec![Worst::default(); levels.len()];
        loop {
            let start = next.fetch_add(PIECE, Ordering::Relaxed);
            if start >= PATTERNS {
                return worst;
            }
            exhaustive::fast::add(&mut worst, activation, part, levels, start..start + PIECE);
            bar.inc(1);
        }
    };
    on_all_cores(work, |a, b| a.into_iter().zip(b).map(|(a, b)| a.merge(b)).collect())
}

/// Measures the fast forms, and returns whether all are within their contracts.
fn fast_forms(levels: &[Level], options: &Options) -> bool {
    let swept: Vec<AnyActivation> = AnyActivation::all()
        .filter(|activation| Contract::of(activation.card().name).is_some())
        .filter(|activation| options.of.is_empty() || options.of.contains(activation))
        .collect();
    let bar = bar(swept.len());
    println!("Fast, f32: all 2^32 inputs. Errors are in units: ULP, 1, |x|, or the greater of 1 and |x|.\n");
    let (gap, edge) = if options.markdown { (" | ", "| ") } else { ("  ", "") };
    let line = |cells: [String; 6]| println!("{edge}{}{}", cells.join(gap), edge.trim_end());
    line(["function       ", "lanes   ", "unit  ", "worst   ", "at              ", "bound   "].map(String::from));
    if options.markdown {
        println!("|---|---|---|--:|--:|--:|");
    }
    let mut within = true;
    for (&activation, part) in swept.iter().flat_map(|activation| Part::BOTH.map(|part| (activation, part))) {
        let contract = Contract::of(activation.card().name).expect("a fast form");
        let function = format!("{activation}{}", if part == Part::Slope { "'" } else { "" });
        bar.set_message(function.clone());
        let found = sweep_fast(activation, part, levels, &bar);
        for (level, worst) in levels.iter().zip(found) {
            let bound = contract.bound(part, level.is_fused());
            let unit = contract.unit(part);
            let number = |error: f64| match unit {
                Unit::Ulp => format!("{error:.3}"),
                _ => format!("2^{:.3}", error.log2()),
            };
            let verdict = if worst.error <= bound {
                String::new()
            } else {
                format!(" EXCEEDED: expected {:e}, got {:e}", worst.exact, worst.got)
            };
            within &= verdict.is_empty();
            bar.suspend(|| {
                line([
                    format!("{function:<15}"),
                    format!("{:<8}", level.name()),
                    format!("{:<6}", format!("{unit:?}")),
                    format!("{:>8}", number(worst.error)),
                    format!("{:>16e}", worst.at),
                    format!("{:>8}{verdict}", number(bound)),
                ]);
            });
        }
    }
    bar.finish_and_clear();
    within
}

/// The progress of a sweep over this many functions and their derivatives.
fn bar(functions: usize) -> ProgressBar {
    ProgressBar::new(functions as u64 * 2 * (PATTERNS / PIECE)).with_style(
        ProgressStyle::with_template("{msg:>20} {wide_bar} {percent:>3} % {elapsed} of {duration}")
            .expect("a template"),
    )
}

/// How many inputs the oracle checked, and how far it was from the fast reference at most.
#[derive(Default)]
struct Second {
    judged: u64,
    apart: f64,
    at: String,
}

impl Second {
    fn add(&mut self, function: &str, found: &Exhaustive) {
        self.judged += found.judged;
        let (apart, x) = found.apart;
        if apart > self.apart {
            (self.apart, self.at) = (apart, format!(", {function} at {x:e}"));
        }
    }

    fn agrees(&self) -> bool {
        self.apart <= exhaustive::APART
    }
}

impl fmt::Display for Second {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { judged, apart, at } = self;
        let verdict = if self.agrees() { "" } else { ": TOO FAR" };
        write!(f, "The oracle judged {judged} times beside the kernels: {apart:.1e} ULP apart at most{at}{verdict}.")
    }
}

struct Row {
    function: String,
    lanes: String,
    worst: f64,
    at: String,
    share: f64,
    bound: f64,
}

fn row<T: activations::Element + std::fmt::LowerExp>(
    function: &str,
    lanes: String,
    report: Report<T>,
    bound: f64,
) -> Row {
    let at = format!("{:e}", report.at);
    Row { function: function.into(), lanes, worst: report.worst, at, share: report.share(), bound }
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    let levels = kinds();
    if options.fast {
        return if fast_forms(&levels, &options) { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    if options.second {
        return if second_derivatives::measure(&levels, &options) { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let swept: Vec<AnyActivation> = AnyActivation::all()
        .filter(|activation| common::oracle::of(activation, Part::Value).is_some())
        .filter(|activation| options.of.is_empty() || options.of.contains(activation))
        .collect();
    let bar = bar(swept.len());

    let mut rows = Vec::new();
    let mut second = Second::default();
    for &activation in &swept {
        for part in Part::BOTH {
            let function = format!("{activation}{}", if part == Part::Slope { "'" } else { "" });
            bar.set_message(function.clone());
            let error = activation.card().error;
            let found = sweep_f32(activation, part, &levels, &options, &bar);
            if exhaustive::has_fast_reference(&activation, part) {
                second.add(&function, &found);
            }
            for (&level, report) in levels.iter().zip(found.reports) {
                rows.push(row(&function, format!("f32 {level}"), report, sweep::bound_f32(error, level, part)));
            }
            for &level in &levels {
                if let Some(report) = sweep::over_table(activation, part, level) {
                    rows.push(row(&function, format!("f64 {level}"), report, sweep::bound_f64(error, level, part)));
                }
            }
        }
    }
    bar.finish_and_clear();

    if options.exhaustive {
        println!(
            "f32: all 2^32 inputs, against the kernels for f64; worst cases, and all that is unusual, by the oracle."
        );
    } else {
        println!("f32: one in {} of all inputs, against the oracle.", options.stride);
    }
    println!("f64: the tables in tests/tables.");
    println!("Error: |computed - exact| / spacing of the type at the exact value.\n");
    let (gap, edge) = if options.markdown { (" | ", "| ") } else { ("  ", "") };
    let line = |cells: [String; 6]| println!("{edge}{}{}", cells.join(gap), edge.trim_end());
    let heading = ["function", "lanes", "worst ULP", "at", "correctly rounded", "bound"];
    let widths = [15, 12, 9, 16, 17, 6];
    line(std::array::from_fn(|i| format!("{:<1$}", heading[i], widths[i])));
    if options.markdown {
        println!("|---|---|--:|--:|--:|--:|");
    }
    let mut exceeded = 0;
    for row in &rows {
        let verdict = if row.worst <= row.bound { "" } else { " EXCEEDED" };
        exceeded += u32::from(!verdict.is_empty());
        line([
            format!("{:<15}", row.function),
            format!("{:<12}", row.lanes),
            format!("{:>9.3}", row.worst),
            format!("{:>16}", row.at),
            format!("{:>15.2} %", row.share),
            format!("{:>6}{verdict}", row.bound),
        ]);
    }
    println!("\n{} rows, {exceeded} over their bound.", rows.len());
    if options.exhaustive {
        println!("{second}");
    }
    if exceeded == 0 && second.agrees() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
