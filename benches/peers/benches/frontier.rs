//! Time against worst error of this crate's modes and of Rust libraries: CSV for `frontier.py`, which draws the picture.
//!
//! `cargo bench --bench frontier`. All forms of a function take turns. Errors are in ULP of `f32`, against `f64`.

#[allow(dead_code, reason = "some helpers serve the other benches")]
mod libraries;

use std::error::Error;
use std::f64::consts::FRAC_1_SQRT_2;
use std::time::{Duration, Instant};

use libraries::{Call, burn, candle, into_buffer, libm as scalar, rten};
use peers::{Function, OURS, in_mode, inputs};

const FUNCTIONS: [Function; 4] = [
    Function { name: "sigmoid", row_len: None },
    Function { name: "tanh", row_len: None },
    Function { name: "gelu", row_len: None },
    Function { name: "softmax", row_len: Some(1024) },
];

const TURNS: usize = 60;

fn main() -> Result<(), Box<dyn Error>> {
    println!("function,library,nanoseconds,worst");
    for function in FUNCTIONS {
        let (x, wide) = (inputs(function.size()), wide_inputs(function));
        let exact = exact(function, &wide);
        let mut times = vec![Vec::new(); forms(function, &x)?.len()];
        let mut timed = forms(function, &x)?;
        for _ in 0..TURNS {
            for ((_, call), times) in timed.iter_mut().zip(&mut times) {
                let start = Instant::now();
                call.run();
                times.push(start.elapsed());
            }
        }
        for ((name, mut call), times) in forms(function, &wide)?.into_iter().zip(times) {
            let worst = call.answer().into_iter().zip(&exact).map(|(y, &exact)| error(y, exact)).fold(0.0, f64::max);
            println!("{},{name},{:.4},{worst:.4}", function.name, median(times).as_nanos() as f64 / x.len() as f64);
        }
    }
    Ok(())
}

/// The forms of a function on these inputs.
fn forms(function: Function, x: &[f32]) -> Result<Vec<(&'static str, Box<dyn Call<f32>>)>, Box<dyn Error>> {
    let mut forms = Vec::new();
    for (name, mode) in [(OURS, "default"), ("Fast", "fast"), ("Exact", "exact")] {
        let f = in_mode(mode, function.name, function.row_len)?;
        forms.push((name, into_buffer(x, move |x, y| f.forward(x, y))));
    }
    let libraries: [libraries::Library<f32>; 4] =
        [("rten-vecmath", rten::f32), ("candle", candle::any), ("burn", burn::any), ("libm", scalar::f32)];
    forms.extend(libraries.into_iter().filter_map(|(name, call)| Some((name, call(function, x)?))));
    Ok(forms)
}

/// Every 65,521st finite `f32`, so all exponents and both signs. Rows are spread over [-6, 6] and over [-60, 60] in turn.
fn wide_inputs(function: Function) -> Vec<f32> {
    match function.row_len {
        None => (0..=u32::MAX).step_by(65_521).map(f32::from_bits).filter(|x| x.is_finite()).collect(),
        Some(n) => {
            let scale = |i: usize| if i / n % 2 == 0 { 1.0 } else { 10.0 };
            inputs::<f32>(function.size()).into_iter().enumerate().map(|(i, x)| x * scale(i)).collect()
        }
    }
}

fn exact(function: Function, x: &[f32]) -> Vec<f64> {
    let each = |f: fn(f64) -> f64| x.iter().map(|&x| f(x.into())).collect();
    match function.name {
        "sigmoid" => each(|x| if x < 0.0 { libm::exp(x) / (1.0 + libm::exp(x)) } else { 1.0 / (1.0 + libm::exp(-x)) }),
        "tanh" => each(libm::tanh),
        "gelu" => each(|x| x * 0.5 * libm::erfc(-x * FRAC_1_SQRT_2)),
        name => {
            assert_eq!(name, "softmax");
            let rows = x.chunks_exact(function.row_len.expect("rows"));
            let softmax = |row: &[f32]| {
                let max = row.iter().copied().fold(f32::MIN, f32::max);
                let e: Vec<f64> = row.iter().map(|&x| libm::exp(f64::from(x) - f64::from(max))).collect();
                let sum: f64 = e.iter().sum();
                e.into_iter().map(move |e| e / sum)
            };
            rows.flat_map(softmax).collect()
        }
    }
}

/// |y - exact| over the spacing of `f32` at the exact number; NaN is as wrong as zero.
fn error(y: f32, exact: f64) -> f64 {
    let exponent = if exact == 0.0 { -126 } else { libm::ilogb(exact).max(-126) };
    let error = (f64::from(y) - exact).abs() / libm::ldexp(1.0, exponent - 23);
    if error.is_nan() { libm::ldexp(1.0, 24) } else { error }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
