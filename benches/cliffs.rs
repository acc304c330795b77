//! Compares the cost of a row of n elements, n = 1 to 300, with a row of the next multiple of 16. No length should be a cliff.
//!
//! ```text
//! cargo bench --bench cliffs [-- LEVEL]
//! ```
//!
//! prints nanoseconds a row for each n, and the ratio to the time of the next multiple of 16. At the end it prints the lengths that
//! break a rule: no ratio above 1.1, and a cross-entropy with its gradient takes at most 1.7 times as long as a softmax. Each time is
//! the least of many, so that other work on the machine hardly matters.

#[allow(dead_code, reason = "a part of what the benches use")]
#[path = "shared/mod.rs"]
mod shared;

use std::hint::black_box;
use std::time::Instant;

use activations::{Activation, CrossEntropy, Gelu, Level, LogSoftmax, Softmax};
use shared::inputs;

const LONGEST: usize = 300;
const STEP: usize = 16;
const MOST: f64 = 1.1;
const MOST_OF_SOFTMAX: f64 = 1.7;

const SOFTMAX: usize = 0;
const CROSS_ENTROPY: usize = 4;
const COLUMNS: [&str; 6] = ["softmax", "its backward", "log-softmax", "its backward", "cross-entropy", "GELU"];

/// How many elements all rows of a call have. They stay in the first-level cache.
const TOTAL: usize = 1 << 12;
/// Passes over all lengths, and measurements in each pass.
const PASSES: usize = 5;
const TIMES: usize = 5;

fn main() {
    // `cargo bench` adds flags.
    let name = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let level = Level::available().find(|level| name.as_deref().is_none_or(|name| level.name() == name));
    let Some(level) = level else {
        let names: Vec<_> = Level::available().map(Level::name).collect();
        panic!("this CPU has no level {name:?}; it has {names:?}");
    };

    let longest = LONGEST.next_multiple_of(STEP);
    let mut costs = vec![[f64::INFINITY; COLUMNS.len()]; longest + 1];
    for _ in 0..PASSES {
        for (n, least) in costs.iter_mut().enumerate().skip(1) {
            for (least, cost) in least.iter_mut().zip(row_costs(level, n)) {
                *least = least.min(cost);
            }
        }
    }

    println!("{level}: ns a row, and times a row of the next multiple of {STEP}\n");
    print!("{:>4}", "n");
    COLUMNS.iter().for_each(|column| print!("{column:>20}"));
    println!();
    let ratio = |n: usize, column: usize| costs[n][column] / costs[n.next_multiple_of(STEP)][column];
    for (n, of_row) in costs.iter().enumerate().skip(1).take(LONGEST) {
        print!("{n:>4}");
        of_row.iter().enumerate().for_each(|(column, cost)| print!("{cost:>13.1} ({:.2})", ratio(n, column)));
        println!();
    }

    println!("\nRows that cost more than {MOST} times a row of the next multiple of {STEP}:");
    for (column, name) in COLUMNS.iter().enumerate() {
        let steep: Vec<_> = (1..=LONGEST).filter(|&n| ratio(n, column) > MOST).collect();
        println!("    {name}: {steep:?}");
    }
    let dear = |&n: &usize| costs[n][CROSS_ENTROPY] > MOST_OF_SOFTMAX * costs[n][SOFTMAX];
    let dear: Vec<_> = (1..=LONGEST).filter(dear).collect();
    println!("Rows whose cross-entropy costs more than {MOST_OF_SOFTMAX} times their softmax: {dear:?}");
}

/// The nanoseconds that a row of n elements takes, one number for each column of the table.
fn row_costs(level: Level, n: usize) -> [f64; COLUMNS.len()] {
    let rows = TOTAL / n;
    let (x, grad_y) = (inputs::<f32>(n * rows), inputs::<f32>(n * rows));
    let mut y = vec![0.0; n * rows];
    let classes: Vec<u32> = (0..rows).map(|row| (7 * row % n) as u32).collect();
    let softmax = level.with(Softmax::rows(n).unwrap());
    let log_softmax = level.with(LogSoftmax::rows(n).unwrap());
    let gelu = level.with(Gelu);
    let cross_entropy = CrossEntropy::new(n).unwrap().at(level);
    [
        cost(rows, || softmax.forward(black_box(&x), black_box(&mut y))),
        cost(rows, || softmax.backward(black_box(&x), black_box(&grad_y), black_box(&mut y))),
        cost(rows, || log_softmax.forward(black_box(&x), black_box(&mut y))),
        cost(rows, || log_softmax.backward(black_box(&x), black_box(&grad_y), black_box(&mut y))),
        cost(rows, || {
            black_box(cross_entropy.loss_and_gradient(black_box(&x), &classes, black_box(&mut y)));
        }),
        // One call for each row.
        cost(rows, || {
            for (x, y) in black_box(&x).chunks_exact(n).zip(y.chunks_exact_mut(n)) {
                gelu.forward(x, black_box(y));
            }
        }),
    ]
}

/// The least time of several runs, in nanoseconds a row.
fn cost(rows: usize, mut run: impl FnMut()) -> f64 {
    let times = (0..TIMES).map(|_| {
        let start = Instant::now();
        run();
        run();
        start.elapsed().as_nanos() as f64 / (2 * rows) as f64
    });
    times.fold(f64::INFINITY, f64::min)
}
