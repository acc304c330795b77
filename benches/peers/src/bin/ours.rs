//! Times this crate for a program that measures libraries of other languages. It reads a request and prints an answer on each line.
//!
//! A request is `mode level function pass dtype size rowlen repetitions`, with rowlen 0 for a function without rows. The mode is
//! `default`, `fast` or `exact`, the level `best` or a level's name. The answer is the median of the repetitions in nanoseconds
//! an element, or `error: ` and what is wrong.

use std::error::Error;
use std::hint::black_box;
use std::io::{self, BufRead, Write};
use std::time::Instant;

use activations::{Activation, Element, Level};
use peers::{from_output, in_mode, inputs, ours};

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        match answer(&line?) {
            Ok(time) => writeln!(out, "{time}")?,
            Err(error) => writeln!(out, "error: {error}")?,
        }
        out.flush()?;
    }
    Ok(())
}

fn answer(line: &str) -> Result<f64, Box<dyn Error>> {
    let [mode, level, function, pass, dtype, size, row_len, repetitions] =
        line.split_whitespace().collect::<Vec<_>>()[..]
    else {
        return Err("expected `mode level function pass dtype size rowlen repetitions`".into());
    };
    let (size, row_len, repetitions): (usize, usize, usize) = (size.parse()?, row_len.parse()?, repetitions.parse()?);
    let row_len = (row_len > 0).then_some(row_len);
    if size == 0 || repetitions == 0 {
        return Err("size and repetitions must not be 0".into());
    }
    if !size.is_multiple_of(row_len.unwrap_or(1)) {
        return Err(format!("{size} elements do not divide into rows of {}", row_len.unwrap_or(1)).into());
    }
    let median = match dtype {
        "f32" => median::<f32>(in_mode(mode, function, row_len)?, level, (function, row_len), pass, size, repetitions),
        "f64" if mode == "default" => {
            median::<f64>(ours(function, row_len)?, level, (function, row_len), pass, size, repetitions)
        }
        "f64" => Err(format!("the mode `{mode}` is measured in f32").into()),
        _ => Err(format!("unknown type `{dtype}`").into()),
    }?;
    Ok(median / size as f64)
}

/// The time of one call in nanoseconds.
fn median<T: Element>(
    f: Box<dyn Activation<T>>,
    level: &str,
    (function, row_len): (&str, Option<usize>),
    pass: &str,
    size: usize,
    repetitions: usize,
) -> Result<f64, Box<dyn Error>> {
    let level = match level {
        "best" => Level::best(),
        name => Level::available().find(|level| level.name() == name).ok_or("this CPU has no such level")?,
    };
    let f = level.with(f);
    let (x, grad_y) = (inputs::<T>(size), inputs::<T>(size));
    let (mut y, mut dydx) = (vec![T::zero(); size], vec![T::zero(); size]);
    let mut call: Box<dyn FnMut()> = match pass {
        "forward" => Box::new(|| f.forward(black_box(&x), black_box(&mut y))),
        "backward" => Box::new(|| f.backward(black_box(&x), black_box(&grad_y), black_box(&mut dydx))),
        "backward_from_output" => {
            let backward = from_output::<T>(level, function, row_len)?;
            f.forward(&x, &mut y);
            Box::new(move || backward(black_box(&y), black_box(&grad_y), black_box(&mut dydx)))
        }
        "forward_with_derivative" => {
            Box::new(|| f.forward_with_derivative(black_box(&x), black_box(&mut y), black_box(&mut dydx)))
        }
        _ => return Err(format!("unknown pass `{pass}`").into()),
    };
    // The first call meets cold caches and pages that are not mapped yet.
    call();
    let mut times: Vec<_> = (0..repetitions)
        .map(|_| {
            let start = Instant::now();
            call();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    Ok(times[repetitions / 2].as_nanos() as f64)
}
