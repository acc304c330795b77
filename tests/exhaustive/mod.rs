//! Compares every `f32` with two references: a fast one for all inputs, and an independent one, the oracle, where it matters.
//!
//! The oracle takes 15 to 120 ns for an input. 2^32 inputs of every function would take hours. The crate's own kernels for `f64`
//! take 1 ns. The committed tables show that they are within a few ULP of `f64`, so as a reference for `f32` they are right to
//! 10^-8 ULP. But they share their algorithm with the kernels that they judge. Therefore the oracle judges too:
//!
//! - every [`SAMPLE`]th input,
//! - every input below the normal range of `f32`, and every result below it,
//! - NaN, infinities, overflow and wrong signs, which no number of ULP describes,
//! - every input whose error is above [`NEAR`] of the worst so far. So the oracle judges each worst case.
//!
//! Where both judge, they are compared. The oracle alone judges functions without a table of `f64`, and the one whose `f64` is
//! another function ([`has_fast_reference`]).

pub(crate) mod fast;

use std::ops::Range;

use activations::{AnyActivation, Level};
use fearless_simd::dispatch;

use crate::common::sweep::{self, Report};
use crate::common::{Part, oracle, table, ulp};

/// A prime, so it divides no period of the bits.
pub(crate) const SAMPLE: u64 = 61;
pub(crate) const NEAR: f64 = 0.9;
/// How far apart the references may be, in ULP of `f32`.
pub(crate) const APART: f64 = 1e-5;

/// Inputs that go through the kernels at once: their slices stay in the second-level cache.
const CHUNK: u64 = 1 << 14;
/// If one of so many inputs needs the oracle, each of them is looked at again.
const BLOCK: usize = 256;

/// The findings of a sweep over every `f32`.
pub(crate) struct Exhaustive {
    /// One for each level.
    pub(crate) reports: Vec<Report<f32>>,
    /// Inputs that the oracle judged.
    pub(crate) judged: u64,
    /// The greatest difference of the references, in ULP of `f32`, and its input.
    pub(crate) apart: (f64, f32),
}

impl Exhaustive {
    pub(crate) fn new(levels: &[Level]) -> Self {
        Self { reports: vec![Report::default(); levels.len()], judged: 0, apart: (0.0, 0.0) }
    }

    /// Starts with the errors of a sample, so that few inputs come near the worst so far.
    pub(crate) fn forewarned(activation: AnyActivation, part: Part, levels: &[Level]) -> Self {
        const STRIDE: u64 = 4_099;
        let mut found = Self::new(levels);
        let inputs = sweep::patterns(0..1 << 32, STRIDE);
        sweep::over_f32(activation, part, levels, &mut found.reports, inputs);
        // These inputs come again, so they must not count twice.
        found.reports.iter_mut().for_each(|report| (report.inputs, report.correctly_rounded) = (0, 0));
        found
    }

    pub(crate) fn merge(self, other: Self) -> Self {
        let reports = self.reports.into_iter().zip(other.reports).map(|(a, b)| a.merge(b)).collect();
        let apart = if other.apart.0 > self.apart.0 { other.apart } else { self.apart };
        Self { reports, judged: self.judged + other.judged, apart }
    }

    /// Adds the inputs with these bit patterns, whose number must divide into chunks.
    #[allow(clippy::needless_range_loop)] // Several slices at one index.
    pub(crate) fn add(&mut self, activation: AnyActivation, part: Part, levels: &[Level], patterns: Range<u64>) {
        let Some(oracle) = oracle::of(&activation, part) else { return };
        let floor = part.floor(activation.card().name);
        let fast = has_fast_reference(&activation, part);
        let n = CHUNK as usize;
        let (mut x, mut wide_x, mut exact) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
        let mut results = vec![vec![0.0; n]; levels.len()];
        let mut glances = vec![vec![Glance::default(); n / BLOCK]; levels.len()];
        for start in patterns.step_by(n) {
            for ((x, wide_x), bits) in x.iter_mut().zip(&mut wide_x).zip(start..) {
                *x = f32::from_bits(bits as u32);
                *wide_x = f64::from(*x);
            }
            if fast {
                sweep::run(activation, Level::best(), part, &wide_x, &mut exact);
            } else {
                exact.iter_mut().zip(&wide_x).for_each(|(exact, &x)| *exact = oracle(x));
            }
            for (((&level, y), glances), report) in
                levels.iter().zip(&mut results).zip(&mut glances).zip(&mut self.reports)
            {
                sweep::run(activation, level, part, &x, y);
                dispatch!(fearless_simd::Level::new(), _simd => glance(&x, y, &exact, floor, glances));
                report.count(CHUNK, glances.iter().map(|seen| seen.correctly_rounded).sum());
            }

            let sampled = (start.next_multiple_of(SAMPLE) - start) as usize;
            for i in (sampled..n).step_by(SAMPLE as usize) {
                self.judge(x[i], exact[i], oracle(wide_x[i]), floor, results.iter().map(|y| y[i]));
            }
            for block in 0..n / BLOCK {
                let seen = self.reports.iter().zip(&glances).any(|(report, glances)| {
                    let seen = glances[block];
                    seen.unusual > 0 || seen.worst > NEAR * report.worst
                });
                if !seen {
                    continue;
                }
                for i in block * BLOCK..(block + 1) * BLOCK {
                    let seen = self.reports.iter().zip(&results).any(|(report, y)| {
                        is_unusual(x[i], y[i], exact[i]) || error(y[i], exact[i], floor) > NEAR * report.worst
                    });
                    if seen {
                        self.judge(x[i], exact[i], oracle(wide_x[i]), floor, results.iter().map(|y| y[i]));
                    }
                }
            }
        }
    }

    /// Compares the oracle's result for one input with the results of all levels, and with the fast reference.
    fn judge(&mut self, x: f32, fast: f64, truth: f64, floor: f64, results: impl Iterator<Item = f32>) {
        self.judged += 1;
        for (report, got) in self.reports.iter_mut().zip(results) {
            report.judge(x, got, truth, ulp::error_f32(got, truth, floor));
        }
        let apart = match (fast - truth).abs() * ulp::per_unit_f32(truth.abs().max(floor)) {
            _ if fast == truth || fast.is_nan() && truth.is_nan() => 0.0,
            apart if apart.is_nan() => f64::INFINITY,
            apart => apart,
        };
        if apart > self.apart.0 {
            self.apart = (apart, x);
        }
    }
}

/// Whether the kernel for `f64` is a reference for `f32`: a table must check it, and it must be the same function. Snake's
/// derivative is not the same, because beyond 1600 it is a constant in `f32` alone.
pub(crate) fn has_fast_reference(activation: &AnyActivation, part: Part) -> bool {
    let name = activation.card().name;
    table::of(name).is_some() && (name, part) != ("snake", Part::Slope)
}

/// A summary of a block, from one vectorised pass.
#[derive(Clone, Copy, Default)]
struct Glance {
    worst: f64,
    correctly_rounded: u64,
    unusual: u64,
}

/// Has an array for the lanes, because `max` of floats does not vectorise as a reduction: 0.75 ns an input instead of 3.5.
#[inline(always)]
#[allow(clippy::needless_range_loop)] // Several slices at one index.
fn glance(x: &[f32], got: &[f32], exact: &[f64], floor: f64, glances: &mut [Glance]) {
    const LANES: usize = 32;
    let blocks = x.chunks_exact(BLOCK).zip(got.chunks_exact(BLOCK)).zip(exact.chunks_exact(BLOCK));
    for (((x, got), exact), seen) in blocks.zip(glances) {
        let (mut worst, mut correctly_rounded, mut unusual) = ([0.0; LANES], [0; LANES], [0; LANES]);
        let (x, got, exact) = (x.as_chunks::<LANES>().0, got.as_chunks::<LANES>().0, exact.as_chunks::<LANES>().0);
        for ((x, got), exact) in x.iter().zip(got).zip(exact) {
            for i in 0..LANES {
                let error = error(got[i], exact[i], floor);
                worst[i] = if error > worst[i] { error } else { worst[i] };
                correctly_rounded[i] += u64::from(sweep::is_rounded(got[i], exact[i] as f32));
                unusual[i] += u64::from(is_unusual(x[i], got[i], exact[i]));
            }
        }
        *seen = Glance {
            worst: worst.into_iter().fold(0.0, f64::max),
            correctly_rounded: correctly_rounded.iter().sum(),
            unusual: unusual.iter().sum(),
        };
    }
}

/// The error in ULP. It means nothing if a number is unusual.
#[inline(always)]
fn error(got: f32, exact: f64, floor: f64) -> f64 {
    (f64::from(got) - exact).abs() * ulp::per_unit_f32(exact.abs().max(floor))
}

/// Whether the oracle must judge, however small the error is.
#[inline(always)]
fn is_unusual(x: f32, got: f32, exact: f64) -> bool {
    let least = f64::from(f32::MIN_POSITIVE);
    let magnitude = exact.abs();
    let finite = (magnitude <= f64::from(f32::MAX)) & (got.abs() <= f32::MAX);
    // Results below half of the least number are zeros. Only their sign is compared.
    let small = (magnitude >= f64::from(f32::from_bits(1)) / 2.0) & (magnitude < least) | (x.abs() < f32::MIN_POSITIVE);
    let other_sign = (exact != 0.0) & (got.is_sign_negative() != exact.is_sign_negative());
    !finite | small | other_sign
}
