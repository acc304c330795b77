//! All functions on all cores for as long as you like, over random bits. Checks bounds, equal bits, and that memory does not grow.
//!
//! `cargo run --release --example soak` takes two seconds, and `cargo run --release --example soak -- --minutes 10` takes ten minutes.

#[path = "../tests/common/mod.rs"]
mod common;
#[allow(dead_code, reason = "a part of what the other examples use")]
#[path = "shared/random.rs"]
mod random;
#[allow(dead_code, reason = "a part of what the tests use")]
#[path = "../tests/suite/support.rs"]
mod support;

use std::ops::AddAssign;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use activations::{AnyActivation, Level};
use common::sweep::{self, Report};
use common::{Part, oracle};
use indicatif::{ProgressBar, ProgressStyle};
use random::Random;
use support::{Float, same};

/// How many elements a function gets at a time.
const ELEMENTS: usize = 4_096;

/// How many more bytes the process may hold at the end than after its first second.
const MOST_GROWTH: u64 = 16 << 20;

fn duration() -> Result<Duration, String> {
    let mut arguments = std::env::args().skip(1);
    let Some(first) = arguments.next() else { return Ok(Duration::from_secs(2)) };
    let given = arguments.next().unwrap_or_default();
    if first != "--minutes" || arguments.next().is_some() {
        return Err(format!("unknown arguments, from `{first}` on: known is --minutes N"));
    }
    let minutes = given.parse().ok().filter(|minutes: &f64| minutes.is_finite() && *minutes > 0.0);
    let minutes = minutes.ok_or(format!("--minutes is `{given}`, but must be a number above 0"))?;
    Duration::try_from_secs_f64(60.0 * minutes).map_err(|e| e.to_string())
}

/// Resident memory in bytes, if the system reports it.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim_end_matches("kB").trim().parse::<u64>().ok()? << 10)
}

/// The counts of what was done.
#[derive(Default)]
struct Count {
    values: u64,
    /// Values compared with a reference in `f64`.
    measured: u64,
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.values += other.values;
        self.measured += other.measured;
    }
}

/// Random bits, and numbers of the magnitudes where functions bend.
fn inputs<T: Float>(random: &mut Random) -> Vec<T> {
    let size = [1.0, 10.0, 120.0][random.bits() as usize % 3];
    (0..ELEMENTS)
        .map(|_| match random.bits() % 2 {
            0 => T::of_bits(random.bits()),
            _ => T::of(((random.unit() - 0.5) * 2.0 * size).into()),
        })
        .collect()
}

/// Checks that all levels of a kind give the same bits, and that a slice cut in two gives the bits of the whole slice.
fn check_bits<T: Float>(activation: AnyActivation, part: Part, random: &mut Random) -> Result<Count, String> {
    let x = inputs::<T>(random);
    let elementwise = oracle::of(&activation, part).is_some();
    let cut = if elementwise { random.bits() as usize % ELEMENTS } else { 0 };
    let (mut count, mut of_kinds) = (Count::default(), [const { None::<Vec<T>> }; 2]);
    for level in Level::available() {
        let (mut whole, mut parts) = (vec![T::zero(); ELEMENTS], vec![T::zero(); ELEMENTS]);
        sweep::run(activation, level, part, &x, &mut whole);
        sweep::run(activation, level, part, &x[..cut], &mut parts[..cut]);
        sweep::run(activation, level, part, &x[cut..], &mut parts[cut..]);
        count.values += 2 * ELEMENTS as u64;
        let first = of_kinds[usize::from(level.is_fused())].get_or_insert_with(|| whole.clone());
        for (what, other) in [("in two parts", &parts), ("at another level", &*first)] {
            if let Some(i) = (0..ELEMENTS).find(|&i| !same(whole[i], other[i])) {
                return Err(format!(
                    "{activation} {part:?} at {level}: {:e} ({:#x}) gives {:e}, {what} {:e}",
                    x[i],
                    x[i].bits(),
                    whole[i],
                    other[i]
                ));
            }
        }
    }
    Ok(count)
}

/// Checks that the stated bound holds at the best level of each kind.
fn check_bound(activation: AnyActivation, part: Part, random: &mut Random) -> Result<Count, String> {
    let levels: Vec<Level> = Level::available().collect();
    let mut reports = vec![Report::default(); levels.len()];
    sweep::over_f32(activation, part, &levels, &mut reports, inputs(random).into_iter());
    let mut count = Count::default();
    for (level, report) in levels.iter().zip(reports) {
        let bound = sweep::bound_f32(activation.card().error, *level, part);
        report.within(bound).map_err(|e| format!("{activation} {part:?} at {level}: {e}"))?;
        count += Count { values: report.inputs, measured: report.inputs };
    }
    Ok(count)
}

/// Runs all functions again and again, until one fails or the time is over.
fn work(seed: u64, end: Instant, failed: &AtomicBool) -> Result<Count, String> {
    let mut random = Random(seed);
    let mut count = Count::default();
    loop {
        for (activation, part) in AnyActivation::all().flat_map(|a| Part::BOTH.map(|part| (a, part))) {
            if Instant::now() >= end || failed.load(Ordering::Relaxed) {
                return Ok(count);
            }
            let done = check_bits::<f32>(activation, part, &mut random)
                .and_then(|a| Ok([a, check_bits::<f64>(activation, part, &mut random)?]))
                .and_then(|[a, b]| Ok([a, b, check_bound(activation, part, &mut random)?]))
                .inspect_err(|_| failed.store(true, Ordering::Relaxed))?;
            done.into_iter().for_each(|done| count += done);
        }
    }
}

fn main() -> ExitCode {
    let duration = match duration() {
        Ok(duration) => duration,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    let bar = ProgressBar::new(duration.as_secs().max(1)).with_style(
        ProgressStyle::with_template("{wide_bar} {percent:>3} % {elapsed} of {duration}").expect("a template"),
    );
    let start = Instant::now();
    let (end, failed) = (start + duration, AtomicBool::new(false));
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut before = None;
    let results: Vec<_> = thread::scope(|scope| {
        let failed = &failed;
        let threads: Vec<_> = (0..cores as u64).map(|seed| scope.spawn(move || work(seed, end, failed))).collect();
        while threads.iter().any(|thread| !thread.is_finished()) {
            thread::sleep(Duration::from_millis(200).min(duration));
            bar.set_position(start.elapsed().as_secs());
            if start.elapsed() >= Duration::from_secs(1) {
                before = before.or_else(resident);
            }
        }
        threads.into_iter().map(|thread| thread.join().expect("the checks do not panic")).collect()
    });
    bar.finish_and_clear();

    let mut count = Count::default();
    for result in results {
        match result {
            Ok(done) => count += done,
            Err(message) => eprintln!("FAILED: {message}"),
        }
    }
    let Count { values, measured } = count;
    println!(
        "{} functions, {cores} threads, {:.0} s: {values} values,",
        AnyActivation::all().count(),
        start.elapsed().as_secs_f64()
    );
    println!(
        "{measured} of them within the stated bounds, the others with the same bits in parts and at other levels."
    );
    let mut grown = 0;
    if let (Some(before), Some(after)) = (before, resident()) {
        println!("Resident memory: {} KiB after a second, {} KiB at the end.", before >> 10, after >> 10);
        grown = after.saturating_sub(before);
    }
    if grown > MOST_GROWTH {
        eprintln!("FAILED: memory has grown by {} KiB", grown >> 10);
    }
    if failed.into_inner() || grown > MOST_GROWTH { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
