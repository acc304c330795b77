//! Trains networks on handwritten digits, with six functions at four depths, and shows how large the gradients are.

mod data;
mod functions;
mod network;
mod plots;
mod table;
mod train;

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use activations::ParameterError;
use clap::builder::RangedU64ValueParser;
use clap::{Parser, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;

use crate::data::{Images, Split};
use crate::functions::Function;
use crate::train::{Outcome, Recipe, train};

/// Trains networks on images of handwritten digits, prints how well they read held-out images, and draws curves and gradients.
#[derive(Parser)]
struct Arguments {
    /// Functions of the hidden layers
    #[arg(long, value_delimiter = ',', default_values_t = Function::value_variants().to_vec())]
    functions: Vec<Function>,

    /// Numbers of hidden layers
    #[arg(long, value_delimiter = ',', default_values_t = [2, 5, 10, 20], value_parser = from_1_to(100))]
    depths: Vec<usize>,

    /// Number of passes over the images
    #[arg(long, default_value_t = 25, value_parser = from_1_to(10_000))]
    epochs: usize,

    /// Number of images in a step
    #[arg(long, default_value_t = 32, value_parser = from_1_to(1000))]
    batch: usize,

    /// Learning rate of the first step; it falls to 0
    #[arg(long, default_value_t = 0.01, value_parser = learning_rate)]
    learning_rate: f32,

    /// Seed of the initial weights and of the order of the images
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Folder for the pictures
    #[arg(long, value_name = "DIR", default_value = "target/digits")]
    out: PathBuf,
}

fn from_1_to(most: u64) -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=most)
}

fn learning_rate(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(rate) if rate > 0.0 && f32::is_finite(rate) => Ok(rate),
        _ => Err("must be a number above 0".to_owned()),
    }
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let &Arguments { epochs, batch, learning_rate, seed, .. } = arguments;
    let start = Instant::now();
    // Creates the folder before the work, so that a folder that cannot be written to is reported at once.
    let out = &arguments.out;
    fs::create_dir_all(out).map_err(|error| format!("cannot make the folder {}: {error}", out.display()))?;

    let data = Split::of(Images::load()?);
    println!(
        "{} images to learn from, {} held out; {epochs} epochs, seed {seed}",
        data.learn.len(),
        data.held_out.len()
    );
    let recipe = Recipe { epochs, batch, learning_rate, momentum: 0.9, seed };
    let by_depth = train_all(arguments, &data, &recipe)?;

    println!("\nRight answers for images held out, and mean loss in the last epoch:\n\n{}", table::markdown(&by_depth));
    let deepest = by_depth.last().expect("there is at least one depth");
    for (name, svg) in [("curves.svg", plots::curves(&by_depth)?), ("gradients.svg", plots::gradients(deepest)?)] {
        let path = out.join(name);
        fs::write(&path, svg).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        println!("{}", path.display());
    }
    println!("{:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// All functions at all depths, on all cores. Returns a list for each depth, the smallest first.
fn train_all(arguments: &Arguments, data: &Split<f32>, recipe: &Recipe) -> Result<Vec<Vec<Outcome>>, ParameterError> {
    let mut depths = arguments.depths.clone();
    depths.sort_unstable();
    depths.dedup();
    let functions = || Function::value_variants().iter().filter(|function| arguments.functions.contains(function));
    let trainings: Vec<_> = depths.iter().flat_map(|&depth| functions().map(move |&of| (of, depth))).collect();

    // For the progress, an epoch counts as many steps as the network has layers to train.
    let steps: usize = trainings.iter().map(|(_, depth)| recipe.epochs * (depth + 1)).sum();
    let style = ProgressStyle::with_template("{bar:40} {percent:>3} %, {elapsed}, {eta} to go").expect("is a template");
    let bar = ProgressBar::new(steps as u64).with_style(style);
    let outcomes: Result<Vec<_>, _> = trainings
        .par_iter()
        .with_max_len(1)
        .map(|&(function, depth)| train(function, depth, data, recipe, || bar.inc(depth as u64 + 1)))
        .collect();
    bar.finish_and_clear();
    Ok(outcomes?.chunk_by(|a, b| a.depth == b.depth).map(<[_]>::to_vec).collect())
}
