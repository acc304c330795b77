//! Before and after: two ways to do the same run in turns, and a row of a table has the median of each.

use std::hint::black_box;
use std::time::Instant;

/// The number of turns. It is odd, so that there is a middle one.
const TURNS: usize = 15;

pub(crate) fn header(title: &str) {
    println!("\n{title:<38}{:>12}{:>10}{:>10}{:>8}", "difference", "before", "after", "ratio");
}

/// Times two ways to do the same, whose results differ by `difference`.
pub(crate) fn row<A, B>(name: &str, difference: f64, mut before: impl FnMut() -> A, mut after: impl FnMut() -> B) {
    let mut times = [[0.0; TURNS]; 2];
    // The first turn warms up, and is overwritten by the last one.
    for turn in (0..TURNS).chain([0]) {
        times[0][turn] = seconds(&mut before);
        times[1][turn] = seconds(&mut after);
    }
    let [before, after] = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[TURNS / 2]
    });
    println!("{name:<38}{difference:>12.1e}{:>7.2} ms{:>7.2} ms{:>7.1}x", before * 1e3, after * 1e3, before / after);
}

fn seconds<T>(run: &mut impl FnMut() -> T) -> f64 {
    let start = Instant::now();
    // The time includes freeing the result, as in a program.
    black_box(run());
    start.elapsed().as_secs_f64()
}

/// The greatest difference between two corresponding elements. NaN equals only NaN, and an infinity only the same infinity.
pub(crate) fn difference<T: Into<f64>>(these: impl IntoIterator<Item = T>, those: impl IntoIterator<Item = T>) -> f64 {
    let (mut these, mut those) = (these.into_iter(), those.into_iter());
    let mut greatest = 0.0_f64;
    loop {
        match (these.next(), those.next()) {
            (None, None) => return greatest,
            (Some(this), Some(that)) => {
                let (this, that): (f64, f64) = (this.into(), that.into());
                let alike = this == that || (this.is_nan() && that.is_nan());
                let apart = if alike { 0.0 } else { (this - that).abs() };
                greatest = greatest.max(if apart.is_nan() { f64::INFINITY } else { apart });
            }
            _ => panic!("one has more elements than the other"),
        }
    }
}
