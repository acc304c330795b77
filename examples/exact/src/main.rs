//! Checks for every `f32` and every half that the results of `Exact` are the exact numbers, rounded once.
//!
//! `cargo run --release` takes every nth input, `cargo run --release -- --exhaustive` takes all. `--help` lists the options.

#[allow(dead_code, reason = "the program `tables` uses the rest")]
mod big;
mod brief;
#[allow(dead_code, unreachable_pub, reason = "the tests use the rest")]
#[path = "../../../tests/common/entries/mod.rs"]
mod entries;
mod far;
mod reference;

use std::ops::Range;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use activations::{Activation, AnyActivation, Definition, Element, Exact, Level};
use fearless_simd::dispatch;
use half::{bf16, f16};
use indicatif::{ProgressBar, ProgressStyle};
use reference::Part;

const PATTERNS: u64 = 1 << 32;
/// A prime.
const STRIDE: u64 = 4_099;
/// How many bit patterns a thread takes at a time. They go through the loops together.
const PIECE: u64 = 1 << 22;
const CHUNK: usize = 1 << 13;
/// The reference checks every nth input in any case. This is n, a prime.
const SAMPLE: u64 = 262_147;

/// The kernels for `f64` are right to a few times 2^-52. If a change of this size does not change the rounded result, it is right.
const RELATIVE: f64 = 1.0 / (1_u64 << 40) as f64;
/// The same near the root of a derivative, where its parts cancel.
const ABSOLUTE: f64 = 1.0 / (1_u64 << 48) as f64;

const HELP: &str = "\
exact [--stride N | --exhaustive] [--levels] [--brief] [NAME...]

Counts the results of `Exact` that are not the exact number rounded once, and fails if there are any.

  --stride N    every Nth f32. 4099 by default. Halves are always taken all.
  --exhaustive  every f32.
  --brief       instead, what the short formulas are off by, of the functions that have one.
  --levels      at every CPU level. Otherwise at the best one.
  NAME          only these functions, with parameters if you like: `elu(alpha=0.3)`; all without one.

A result is taken as right if the crate's own kernel for f64 gives the same with 2^-40 more and with 2^-40 less. All others, and a
sample of all, are decided by a reference with more than 90 decimal digits, which shares nothing with the crate. Where x/2 is a tie
below the normal range, the sign of what is added to it decides. Far from 0, where the kernels for f64 set sines to their mean, whole
numbers of 128 bits take the kernels' place.
";

struct Options {
    stride: u64,
    levels: Vec<Level>,
    brief: bool,
    of: Vec<AnyActivation>,
}

/// `None` if help is requested.
fn options() -> Result<Option<Options>, String> {
    let mut options = Options {
        stride: STRIDE,
        levels: vec![Level::best()],
        brief: false,
        of: AnyActivation::all().filter(reference::knows).collect(),
    };
    let mut named = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--help" | "-h" => return Ok(None),
            "--exhaustive" => options.stride = 1,
            "--brief" => options.brief = true,
            "--levels" => options.levels = Level::available().collect(),
            "--stride" => {
                let given = arguments.next().unwrap_or_default();
                let stride = given.parse().ok().filter(|&stride| stride > 0);
                options.stride = stride.ok_or(format!("--stride is `{given}`, but must be a whole number above 0"))?;
            }
            flag if flag.starts_with('-') => return Err(format!("unknown argument `{flag}`: see --help")),
            name => {
                let activation = name.parse::<AnyActivation>().map_err(|e| e.to_string())?;
                if !reference::knows(&activation) {
                    return Err(format!("{activation} is a function of rows"));
                }
                named.push(activation);
            }
        }
    }
    if !named.is_empty() {
        options.of = named;
    }
    Ok(Some(options))
}

/// The findings for a function, or for a part of its inputs.
#[derive(Default)]
struct Found {
    inputs: u64,
    judged: u64,
    misrounded: u64,
    example: Option<String>,
}

impl Found {
    fn merge(mut self, other: Self) -> Self {
        self.inputs += other.inputs;
        self.judged += other.judged;
        self.misrounded += other.misrounded;
        self.example = self.example.or(other.example);
        self
    }
}

/// One function with value or derivative.
#[derive(Clone, Copy)]
struct Task {
    activation: AnyActivation,
    part: Part,
    /// Where the result crosses zero beside the origin.
    root: Option<(f64, f64)>,
    /// Whether it is x/2 + c x^2 at 0, with c > 0.
    is_half_and_more: bool,
    /// Beyond this the kernel for `f64` gives something else on purpose.
    known_to: f64,
    /// Whether all parameters, if there are any, are 1.
    is_default: bool,
    is_snake: bool,
}

/// The type of the results.
trait Number: Element<Float = f32> {
    fn of(x: f64) -> Self;
    fn wide(self) -> f64;
    fn bits(self) -> u32;

    /// Whether all results are right, as far as the kernel for `f64` can decide. If it cannot, the answer is no.
    fn are_settled(_near: &[f64], _y: &[Self]) -> bool {
        false
    }
}

/// Without a branch, so that the loop is fast.
#[inline(always)]
fn settled(near: &[f64], y: &[f32]) -> bool {
    let mut open = 0_u32;
    for (&near, &y) in near.iter().zip(y) {
        let (low, high) = ((near * (1.0 - RELATIVE)) as f32, (near * (1.0 + RELATIVE)) as f32);
        let same = low.to_bits() == y.to_bits() && low == high;
        open |= u32::from(!(same || (near.is_nan() && y.is_nan())));
    }
    open == 0
}

impl Number for f32 {
    fn are_settled(near: &[f64], y: &[Self]) -> bool {
        dispatch!(fearless_simd::Level::new(), _simd => settled(near, y))
    }

    fn of(x: f64) -> Self {
        x as f32
    }

    fn wide(self) -> f64 {
        f64::from(self)
    }

    fn bits(self) -> u32 {
        self.to_bits()
    }
}

macro_rules! half {
    ($half:ident) => {
        impl Number for $half {
            /// Finds the nearest number by a search, so that the crate's method is not repeated here.
            fn of(x: f64) -> Self {
                if x.is_nan() {
                    return Self::NAN;
                }
                let (infinity, a) = (Self::INFINITY.to_bits(), x.abs());
                // Infinity counts as the power of two that would come next.
                let value = |bits: u16| {
                    if bits < infinity {
                        Self::from_bits(bits).to_f64()
                    } else {
                        2.0 * Self::from_bits(infinity - (1 << (Self::MANTISSA_DIGITS - 1))).to_f64()
                    }
                };
                let (mut low, mut high) = (0, infinity);
                while low < high {
                    let middle = low + (high - low).div_ceil(2);
                    if value(middle) <= a { low = middle } else { high = middle - 1 }
                }
                let next = if low == infinity { low } else { low + 1 };
                let (below, above) = (a - value(low), value(next) - a);
                let bits = if below < above || (below == above && low & 1 == 0) { low } else { next };
                Self::from_bits(bits | if x.is_sign_negative() { 0x8000 } else { 0 })
            }

            fn wide(self) -> f64 {
                self.to_f64()
            }

            fn bits(self) -> u32 {
                u32::from(self.to_bits())
            }
        }
    };
}
half!(f16);
half!(bf16);

impl Task {
    fn run<T: Element>(self, f: &dyn Activation<T>, level: Level, x: &[T], y: &mut [T]) {
        match self.part {
            Part::Value => level.with(f).forward(x, y),
            Part::Slope => level.with(f).derivative(x, y),
        }
    }

    fn name(self) -> String {
        format!("{}{}", self.activation, if self.part == Part::Slope { "'" } else { "" })
    }

    /// The exact result, rounded. The kernel for `f64` gives it where its result decides the rounding.
    fn judge<T: Number>(self, x: T, near: f64, sampled: bool, found: &mut Found) -> T {
        let wide = x.wide();
        let by = near.abs() * RELATIVE + if self.cancels_at(wide) { ABSOLUTE } else { 0.0 };
        let known = !self.is_not_known_at(wide) || self.far(wide).is_some();
        let decided = known && T::of(near - by) == T::of(near + by);
        if !near.is_finite() || wide == 0.0 || wide.is_infinite() || (decided && !sampled) {
            return T::of(near);
        }
        if let Some(beside_tie) = self.beside_tie(wide) {
            return T::of(beside_tie);
        }
        found.judged += 1;
        let exact = reference::exact(&self.activation, self.part, wide);
        // The sign of a zero is a convention, which the reference does not know.
        T::of(if exact == 0.0 && near == 0.0 { near } else { exact })
    }

    /// Some results are a number of at most 25 bits plus something tiny, whose sign decides a tie. This returns the number, moved a little
    /// in the direction of the tiny part.
    fn beside_tie(self, x: f64) -> Option<f64> {
        if self.part == Part::Value && self.activation.card().name == "tanhshrink" && x.abs() > 100.0 {
            // |x| - tanh |x| is above |x| - 1.
            return Some((x.abs() - 1.0).next_up().copysign(x));
        }
        (self.is_half_and_more && x.abs() < 2.0_f64.powi(-110)).then(|| (x / 2.0).next_up())
    }

    /// Whether the kernel for `f64` gives something else on purpose.
    fn is_not_known_at(self, x: f64) -> bool {
        x.abs() > self.known_to
    }

    /// The result there, with default parameters, from a formula of our own.
    fn far(self, x: f64) -> Option<f64> {
        (self.is_default && x.is_finite() && self.is_not_known_at(x)).then(|| {
            if self.is_snake {
                // 1 + sin 2x, without cancellation.
                2.0 * far::sin_cos(x, far::EIGHTH).0.powi(2)
            } else {
                self.part.of(far::sin_cos(x, 0))
            }
        })
    }

    fn new(activation: AnyActivation, part: Part) -> Self {
        let facts = entries::facts(&activation).expect("a function of one number");
        // c x, for two small x.
        let more = |x: f64| reference::at(&activation, Part::Value, x) / x - 0.5;
        let (near, nearer) = (2.0_f64.powi(-20), 2.0_f64.powi(-30));
        let is_half = [1.0, -1.0].into_iter().all(|side| {
            let (more, less) = (side * more(side * near), side * more(side * nearer));
            less > 0.0 && (512.0..2048.0).contains(&(more / less))
        });
        let name = activation.card().name;
        let known_to = match (name, part) {
            ("snake", Part::Slope) => 1e6,
            ("sin", _) => 1e13,
            _ => f64::INFINITY,
        };
        Self {
            activation,
            part,
            root: part.of(facts.roots),
            is_half_and_more: is_half && part == Part::Value,
            known_to,
            is_default: activation.parameters().all(|(_, value)| value == 1.0),
            is_snake: name == "snake",
        }
    }

    #[inline(always)]
    fn cancels_at(self, x: f64) -> bool {
        self.root.is_some_and(|(from, to)| from < x && x < to)
    }

    /// Checks inputs at a level.
    fn over<T: Number>(self, level: Level, x: &[T], sampled: impl Fn(usize) -> bool, found: &mut Found) {
        let exact: Exact<&dyn Definition> = self.activation.as_exact().expect("a function of single numbers");
        let (mut y, mut near) = (vec![T::zero(); x.len()], vec![0.0; x.len()]);
        let wide: Vec<f64> = x.iter().map(|x| x.wide()).collect();
        self.run::<T>(&exact, level, x, &mut y);
        self.run::<f64>(&self.activation, Level::best(), &wide, &mut near);
        let mut are_far = true;
        for (near, &x) in near.iter_mut().zip(&wide) {
            if let Some(far) = self.far(x) {
                *near = far;
            } else {
                are_far = false;
            }
        }
        found.inputs += x.len() as u64;
        // The inputs are neighbours, so checking every 64th and the last is enough.
        let special = |x: f64| self.cancels_at(x) || (self.is_not_known_at(x) && !are_far);
        let settled = T::are_settled(&near, &y) && !wide.iter().step_by(64).chain(wide.last()).any(|&x| special(x));
        for (i, ((&x, &y), &near)) in x.iter().zip(&y).zip(&near).enumerate() {
            if settled && !sampled(i) {
                continue;
            }
            let right = self.judge(x, near, sampled(i), found);
            if right.bits() != y.bits() && !(right.is_nan() && y.is_nan()) {
                found.misrounded += 1;
                found.example.get_or_insert_with(|| {
                    format!(
                        "at {:e} ({:#x}), {level}: {:e} instead of {:e}",
                        x.wide(),
                        x.bits(),
                        y.wide(),
                        right.wide()
                    )
                });
            }
        }
    }

    fn over_f32(self, patterns: Range<u64>, options: &Options, found: &mut Found) {
        let inputs: Vec<f32> =
            patterns.clone().step_by(options.stride as usize).map(|bits| f32::from_bits(bits as u32)).collect();
        let start = patterns.start / options.stride;
        for &level in &options.levels {
            for (i, x) in inputs.chunks(CHUNK).enumerate() {
                let first = start + (i * CHUNK) as u64;
                self.over(level, x, |i| (first + i as u64).is_multiple_of(SAMPLE), found);
            }
        }
    }

    fn over_halves<T: Number>(self, of: fn(u16) -> T, options: &Options, found: &mut Found) {
        let inputs: Vec<T> = (0..=u16::MAX).map(of).collect();
        for &level in &options.levels {
            self.over(level, &inputs, |i| i % 4_099 == 0, found);
        }
    }
}

/// All inputs, on all cores.
fn sweep(task: Task, options: &Options, bar: &ProgressBar) -> Found {
    let next = AtomicU64::new(0);
    let work = || {
        let mut found = Found::default();
        loop {
            let start = next.fetch_add(PIECE, Ordering::Relaxed);
            if start >= PATTERNS {
                return found;
            }
            task.over_f32(start.next_multiple_of(options.stride)..start + PIECE, options, &mut found);
            bar.inc(1);
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut found = thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        let found = threads.into_iter().map(|thread| thread.join().expect("a sweep does not panic"));
        found.fold(Found::default(), Found::merge)
    });
    task.over_halves(f16::from_bits, options, &mut found);
    task.over_halves(bf16::from_bits, options, &mut found);
    found
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
    if options.brief {
        return if brief::measure_all(options.stride) { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let bar = ProgressBar::new(options.of.len() as u64 * 2 * (PATTERNS / PIECE)).with_style(
        ProgressStyle::with_template("{msg:>20} {wide_bar} {percent:>3} % {elapsed} of {duration}")
            .expect("a template"),
    );
    let levels: Vec<&str> = options.levels.iter().map(|level| level.name()).collect();
    println!("f32: every {}; f16 and bf16: all. At {}.\n", ordinal(options.stride), levels.join(", "));
    let mut wrong = 0;
    for &activation in &options.of {
        for part in Part::BOTH {
            let task = Task::new(activation, part);
            bar.set_message(task.name());
            let found = sweep(task, &options, &bar);
            wrong += found.misrounded;
            let Found { inputs, judged, misrounded, example } = found;
            let example = example.map_or_else(String::new, |example| format!(": {example}"));
            bar.suspend(|| {
                println!(
                    "{:<18} {misrounded} misrounded of {inputs}, {judged} decided by the reference{example}",
                    task.name()
                );
            });
        }
    }
    bar.finish_and_clear();
    println!("\n{wrong} misrounded in all.");
    if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn ordinal(stride: u64) -> String {
    if stride == 1 { "one".into() } else { format!("{stride}th") }
}
