//! The tables of exact results for `f64`, `tests/tables/NAME.csv` and the lines of `tests/tables/second.csv`: computes each line
//! that is there again, and writes the tables that are not. Remove a table to have it written anew.
//!
//!     cargo run --release --no-default-features --bin tables -- [NAME...]
//!
//! A line is x, f(x), f'(x), or the function's name, x and f''(x): x as the bits of an `f64` in hex, the others as two `f64` in hex
//! whose sum is the exact number to about 106 bits (less where the low part would be subnormal).

#[allow(dead_code, reason = "the program `exact` uses the rest")]
mod big;
#[allow(dead_code, unreachable_pub, reason = "the tests use the rest")]
#[path = "../../../tests/common/entries/mod.rs"]
mod entries;
#[allow(dead_code, reason = "the program `exact` uses the rest")]
mod reference;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;

use activations::AnyActivation;

use big::{Big, Setting};
use entries::Facts;
use entries::number::Number;
use reference::{Part, at, knows};

/// The greatest relative difference from a committed line. The oldest lines were written with 60 digits only.
const TOLERANCE: f64 = 1e-30;

/// Roots of derivatives, kinks, and where results of common functions become subnormal or vanish.
const PLACES: [f64; 25] = [
    0.0,
    -0.751_791_524_693_564_5,
    -0.752_461_422_071_026_2,
    -1.278_464_542_761_074,
    1.0,
    -1.0,
    20.0,
    -20.0,
    -18.4,
    18.4,
    -37.5,
    -38.4,
    -38.5,
    -21.3,
    -21.5,
    -354.2,
    354.2,
    -372.5,
    372.5,
    -708.4,
    708.4,
    -745.1,
    745.1,
    -751.7,
    -709.8,
];

/// Random numbers, the same in every run (Steele, Lea & Flood, "SplitMix", 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * ((self.next() >> 11) as f64 * 2.0_f64.powi(-53))
    }

    fn sign(&mut self) -> f64 {
        if self.next().is_multiple_of(2) { 1.0 } else { -1.0 }
    }

    /// Near a place, at a distance of any size.
    fn beside(&mut self, place: f64, least: f64, most: f64) -> f64 {
        place * (1.0 + self.between(-1.0, 1.0) * self.between(least, most).exp2())
    }
}

fn inputs(facts: &Facts) -> Vec<f64> {
    let mut random = Random(1);
    let mut x = Vec::new();
    for sign in [0, 1 << 63] {
        for exponent in (0..2047_u64).filter(|exponent| (960..=1034).contains(exponent) || exponent % 8 == 0) {
            for _ in 0..if (1000..=1033).contains(&exponent) { 12 } else { 1 } {
                x.push(f64::from_bits(sign | exponent << 52 | random.next() >> 12));
            }
        }
        x.extend([0, 1, f64::MAX.to_bits()].map(|bits| f64::from_bits(sign | bits)));
    }
    for place in PLACES.into_iter().chain(facts.places.iter().copied()) {
        x.extend((0..20).map(|_| random.beside(place, -52.0, -3.0)));
    }
    x.extend((0..12).map(|_| random.sign() * random.between(-60.0, -4.0).exp2()));
    for (count, size) in [(600, 8.0), (200, 45.0), (200, 760.0)] {
        x.extend((0..count).map(|_| random.between(-size, size)));
    }
    sorted(x)
}

/// Inputs of second derivatives.
fn inputs_of_second(facts: &Facts) -> Vec<f64> {
    let second = facts.second.expect("a second derivative");
    let (mut random, tail) = (Random(2), second.tail);
    let mut x: Vec<f64> = (-60..4).map(|e| random.sign() * f64::from(e).exp2() * random.between(1.0, 2.0)).collect();
    x.extend((0..60).map(|_| random.between(-6.0, 6.0)));
    x.extend((0..24).map(|_| random.between(-tail, tail)));
    x.extend((0..16).map(|_| random.sign() * tail * random.between(0.9, 1.03)));
    for &root in second.roots {
        x.extend((0..12).map(|_| random.beside(root, -52.0, -3.0)));
    }
    sorted(x)
}

/// In order, and one zero for the two.
fn sorted(mut x: Vec<f64>) -> Vec<f64> {
    x.sort_by(f64::total_cmp);
    x.dedup_by(|a, b| a == b);
    x
}

type Exact = (f64, f64);

fn value_and_slope(activation: &AnyActivation, x: f64) -> [Exact; 2] {
    Part::BOTH.map(|part| Setting::of_table(x, 100.0).within(|| at(activation, part, Big::of(x)).to_pair()))
}

/// The difference of two derivatives: no formula of a second derivative is written down here.
fn second(activation: &AnyActivation, x: f64) -> [Exact; 1] {
    let exact = Setting::of_table(x, 900.0).within(|| {
        let x = Big::of(x);
        let h = x.abs() * (Big::of(-100.0) * Big::of(9.0).ln_1p()).exp();
        let slope = |x| at(activation, Part::Slope, x);
        ((slope(x + h) - slope(x - h)) / (h + h)).to_pair()
    });
    [exact]
}

/// Computes results for all inputs, on all cores.
fn all<const N: usize>(x: &[f64], compute: impl Fn(f64) -> [Exact; N] + Sync) -> Vec<[Exact; N]> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let work = |part: usize| {
            let compute = &compute;
            scope.spawn(move || x.iter().skip(part).step_by(cores).map(|&x| compute(x)).collect::<Vec<_>>())
        };
        let threads: Vec<_> = (0..cores).map(work).collect();
        let mut parts: Vec<_> =
            threads.into_iter().map(|thread| thread.join().expect("a formula does not panic").into_iter()).collect();
        (0..x.len()).map(|i| parts[i % cores].next().expect("a result for each input")).collect()
    })
}

fn hex(x: f64) -> String {
    format!("{:016x}", x.to_bits())
}

fn line<const N: usize>(x: f64, exact: [Exact; N]) -> String {
    exact.into_iter().fold(hex(x), |line, (hi, lo)| line + "," + &hex(hi) + "," + &hex(lo))
}

/// The numbers of a line.
fn numbers(line: &str) -> Vec<f64> {
    line.split(',').map(|bits| f64::from_bits(u64::from_str_radix(bits, 16).expect("sixteen digits"))).collect()
}

/// Whether both are the same number, as far as two `f64` can tell.
fn agree(committed: &[f64], exact: Exact) -> bool {
    let (hi, lo) = (committed[0], committed[1]);
    let difference = (hi - exact.0) + (lo - exact.1);
    hi == exact.0 && hi.is_infinite() || difference.abs() <= TOLERANCE * hi.abs() + 1e-323
}

/// Compares lines with what is computed again, and gives what differs.
fn differences<const N: usize>(what: &str, lines: &[&str], compute: impl Fn(f64) -> [Exact; N] + Sync) -> Vec<String> {
    let x: Vec<f64> = lines.iter().map(|line| numbers(line)[0]).collect();
    let mut wrong = Vec::new();
    for (committed, exact) in lines.iter().zip(all(&x, compute)) {
        let committed = numbers(committed);
        if !committed[1..].chunks(2).zip(exact).all(|(committed, exact)| agree(committed, exact)) {
            wrong.push(format!("{what} at {:e}: {:?} is committed, {exact:?} computed", committed[0], &committed[1..]));
        }
    }
    wrong
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/tables")
}

fn read(path: &Path) -> std::io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        text => text.map(Some),
    }
}

/// Prints how many lines of a table are wrong, and which.
fn report(what: &str, lines: usize, wrong: Vec<String>) -> bool {
    println!("{what}: {lines} lines, {} differ", wrong.len());
    wrong.iter().take(5).for_each(|wrong| println!("    {wrong}"));
    wrong.is_empty()
}

/// Checks or writes the tables of these functions; whether all lines were right.
fn run(activations: &[AnyActivation]) -> std::io::Result<bool> {
    let mut right = true;
    for activation in activations {
        let facts = entries::facts(activation).expect("a function of one number");
        let compute = |x| value_and_slope(activation, x);
        let path = folder().join(format!("{}.csv", facts.name));
        match read(&path)? {
            _ if facts.one_rounding => println!("{}: no table, because its results are rounded once", facts.name),
            Some(text) => {
                let lines: Vec<&str> = text.lines().collect();
                right &= report(facts.name, lines.len(), differences(facts.name, &lines, compute));
            }
            None => {
                let x = inputs(&facts);
                let lines = x.iter().zip(all(&x, compute)).map(|(&x, exact)| line(x, exact) + "\n");
                fs::write(&path, lines.collect::<String>())?;
                println!("{}: {} lines written", facts.name, x.len());
            }
        }
        right &= second_derivatives(activation, &facts)?;
    }
    Ok(right)
}

/// The same for the lines of second derivatives.
fn second_derivatives(activation: &AnyActivation, facts: &Facts) -> std::io::Result<bool> {
    if facts.second.is_none() {
        return Ok(true);
    }
    let path = folder().join("second.csv");
    let text = read(&path)?.unwrap_or_default();
    let lines: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix(facts.name)?.strip_prefix(',')).collect();
    let compute = |x| second(activation, x);
    if !lines.is_empty() {
        let what = format!("{}''", facts.name);
        return Ok(report(&what, lines.len(), differences(&what, &lines, compute)));
    }
    let x = inputs_of_second(facts);
    let mut text = text;
    for (&x, exact) in x.iter().zip(all(&x, compute)) {
        writeln!(text, "{},{}", facts.name, line(x, exact)).expect("a string takes all");
    }
    fs::write(&path, text)?;
    println!("{}'': {} lines written", facts.name, x.len());
    Ok(true)
}

fn main() -> ExitCode {
    let mut named = Vec::new();
    for name in std::env::args().skip(1) {
        match name.parse::<AnyActivation>() {
            Ok(activation) if knows(&activation) => named.push(activation),
            Ok(activation) => println!("{activation}: no table, because it is a function of rows"),
            Err(error) => {
                eprintln!("{error}");
                return ExitCode::from(2);
            }
        }
    }
    if std::env::args().len() == 1 {
        named = AnyActivation::all().filter(knows).collect();
    }
    match run(&named) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("the tables: {error}");
            ExitCode::FAILURE
        }
    }
}
