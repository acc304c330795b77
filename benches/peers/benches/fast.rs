//! Compares `Fast` with the default at each CPU level, and with `rten-vecmath` if it has the function. Prints ratios of medians.
//!
//! They run in turns, so that noise affects all of them. `cargo bench --bench fast`; a filter picks functions: `-- gelu`.

#[allow(dead_code, reason = "one library of several")]
mod libraries;

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use activations::{Activation, AnyActivation, Fast, Level, Softmax};
use libraries::{Call, into_buffer, rten};
use peers::{FAST, Function, inputs};

/// The rows of softmax. Only its values have a fast form.
const ROWS: [usize; 4] = [10, 64, 128, 1024];

/// Sizes that fit into the first-level cache, into the second, and into memory only; and the number of turns for each.
const SIZES: [(usize, usize); 3] = [(1 << 10, 300), (1 << 16, 100), (1 << 24, 7)];

/// A turn processes at least this many elements, so that the clock is precise enough.
const TURN: usize = 1 << 16;

fn main() -> Result<(), Box<dyn Error>> {
    let filter: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    println!("ns an element of the default and of Fast, then ratios of medians: below 1, Fast is faster.\n");
    println!("| function | pass | level | elements | default | Fast | Fast/default | Fast/rten-vecmath |");
    println!("|---|---|---|--:|--:|--:|--:|--:|");
    let wanted = |name: &&str| *name != "softmax" && (filter.is_empty() || filter.iter().any(|f| f == name));
    for name in FAST.into_iter().filter(wanted) {
        let activation: AnyActivation = name.parse()?;
        for (level, (size, turns)) in Level::available().flat_map(|level| SIZES.map(|size| (level, size))) {
            let (default, fast) = (level.with(activation), level.with(Fast(activation)));
            let x = inputs::<f32>(size);
            let mut calls = vec![forward(&x, default), forward(&x, fast)];
            calls.extend(rten::f32(Function { name, row_len: None }, &x));
            line(name, "forward", level, size, turns, &mut calls);
            let mut calls = vec![backward(&x, default), backward(&x, fast)];
            line(name, "backward", level, size, turns, &mut calls);
            let mut calls = vec![both(&x, default), both(&x, fast)];
            line(name, "both", level, size, turns, &mut calls);
        }
    }
    for n in ROWS.into_iter().filter(|_| filter.is_empty() || filter.iter().any(|f| f == "softmax")) {
        let softmax = Softmax::rows(n)?;
        for (level, (size, turns)) in Level::available().flat_map(|level| SIZES.map(|size| (level, size))) {
            let x = inputs::<f32>(size / n * n);
            let mut calls = vec![forward(&x, level.with(softmax)), forward(&x, level.with(Fast(softmax)))];
            calls.extend(rten::f32(Function { name: "softmax", row_len: Some(n) }, &x));
            line(&format!("softmax, rows of {n}"), "forward", level, x.len(), turns, &mut calls);
        }
    }
    Ok(())
}

fn forward(x: &[f32], f: impl Activation<f32> + 'static) -> Box<dyn Call<f32>> {
    into_buffer(x, move |x, y| f.forward(x, y))
}

fn backward(x: &[f32], f: impl Activation<f32> + 'static) -> Box<dyn Call<f32>> {
    let grad_y = x.to_vec();
    into_buffer(x, move |x, grad_x| f.backward(x, black_box(&grad_y), grad_x))
}

fn both(x: &[f32], f: impl Activation<f32> + 'static) -> Box<dyn Call<f32>> {
    let mut dydx = vec![0.0; x.len()];
    into_buffer(x, move |x, y| f.forward_with_derivative(x, y, black_box(&mut dydx)))
}

/// Measures the default, `Fast`, and the library if it has the function, and prints a line of the table.
fn line(name: &str, pass: &str, level: Level, size: usize, turns: usize, calls: &mut [Box<dyn Call<f32>>]) {
    let answers: Vec<Vec<f32>> = calls.iter_mut().map(|call| call.answer()).collect();
    for (&ours, &theirs) in answers.iter().skip(1).flat_map(|answer| answers[0].iter().zip(answer)) {
        assert!((ours - theirs).abs() <= 1e-5, "{name}, {pass}: {ours} and {theirs}");
    }
    let repeated = TURN.div_ceil(size);
    let mut times = vec![Vec::new(); calls.len()];
    for _ in 0..turns {
        for (call, times) in calls.iter_mut().zip(&mut times) {
            let start = Instant::now();
            (0..repeated).for_each(|_| call.run());
            times.push(start.elapsed());
        }
    }
    let median = |times: &mut Vec<Duration>| {
        times.sort_unstable();
        times[times.len() / 2].as_nanos() as f64 / (size * repeated) as f64
    };
    let medians: Vec<f64> = times.iter_mut().map(median).collect();
    let to_library = medians.get(2).map_or(String::new(), |theirs| format!("{:.2}", medians[1] / theirs));
    let (default, fast) = (medians[0], medians[1]);
    println!(
        "| {name} | {pass} | {level} | {size} | {default:.3} | {fast:.3} | {:.2} | {to_library} |",
        fast / default
    );
}
