//! Second derivatives in the accuracy program.

use std::sync::atomic::Ordering;

use activations::{AnyActivation, Level};

use crate::common::second::{self, Bound};
use crate::common::sweep::{self, Report};
use crate::{Options, PATTERNS, PIECE, exhaustive, on_all_cores};

/// Measures them, and returns whether all are within their bounds.
pub(crate) fn measure(levels: &[Level], options: &Options) -> bool {
    println!("Second derivatives. Errors are in ULP. Near roots, the spacing at the number after `at` is one ULP.\n");
    println!("function        lanes               worst  at                 bound");
    let mut within = true;
    for bound in &second::bounds().collect::<Vec<_>>() {
        let activation: AnyActivation = bound.name.parse().expect("a name of the list");
        if !options.of.is_empty() && !options.of.contains(&activation) {
            continue;
        }
        let reports = sweep_f32(&activation, bound, levels, options);
        for (&level, report) in levels.iter().zip(&reports) {
            within &= line(bound, &format!("f32 {level}"), report.worst, f64::from(report.at), bound.f32(level));
        }
        for &level in levels {
            let report = second::over_table(&activation, bound, level);
            within &= line(bound, &format!("f64 {level}"), report.worst, report.at, bound.f64(level));
        }
    }
    within
}

fn line(bound: &Bound, lanes: &str, worst: f64, at: f64, limit: f64) -> bool {
    // A worst error of NaN is over the bound too.
    let verdict = if worst <= limit { "" } else { " EXCEEDED" };
    let floor =
        if bound.floor_beside_roots() > 0.0 { format!(" at {}", bound.floor_beside_roots()) } else { String::new() };
    println!("{:<15} {lanes:<14} {worst:>10.3}  {at:<17e} {limit:>6}{verdict}{floor}", bound.name);
    verdict.is_empty()
}

fn sweep_f32(activation: &AnyActivation, bound: &Bound, levels: &[Level], options: &Options) -> Vec<Report<f32>> {
    let merged = |a: Vec<Report<f32>>, b: Vec<Report<f32>>| a.into_iter().zip(b).map(|(a, b)| a.merge(b)).collect();
    let work = |next: &std::sync::atomic::AtomicU64| {
        let mut reports = vec![Report::default(); levels.len()];
        loop {
            let start = next.fetch_add(PIECE, Ordering::Relaxed);
            if start >= PATTERNS {
                return reports;
            }
            let end = start + PIECE;
            let stride = if options.exhaustive { exhaustive::SAMPLE } else { options.stride };
            let inputs = sweep::patterns(start.next_multiple_of(stride)..end, stride);
            second::over_f32(activation, bound, levels, &mut reports, inputs);
            // Only in `f32`, Snake's second derivative is constant beyond 1600. So the oracle measures it at every nth input.
            if options.exhaustive && bound.name != "snake" {
                by_kernels_for_f64(activation, bound, levels, &mut reports, start..end);
            }
        }
    };
    on_all_cores(work, merged)
}

/// Every `f32` of a range, compared with the kernel for `f64`.
fn by_kernels_for_f64(
    activation: &AnyActivation,
    bound: &Bound,
    levels: &[Level],
    reports: &mut [Report<f32>],
    range: std::ops::Range<u64>,
) {
    const CHUNK: usize = 1 << 14;
    let mut exacts = vec![0.0; CHUNK];
    for start in range.step_by(CHUNK) {
        let x: Vec<f32> = sweep::patterns(start..start + CHUNK as u64, 1).collect();
        let wide: Vec<f64> = x.iter().map(|&x| f64::from(x)).collect();
        second::run(activation, Level::best(), &wide, &mut exacts);
        second::judge(activation, bound, levels, reports, &x, &exacts);
    }
}
