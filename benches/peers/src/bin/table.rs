//! Prints what `cargo bench` measured as one Markdown table: our time, and of each other form and library the ratio to it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use activations::Level;
use peers::{FUNCTIONS, OURS};
use serde_json::Value;

/// Times of a call by library, in nanoseconds.
type Times = BTreeMap<String, f64>;

fn main() {
    let criterion = criterion_folder();
    let rows: Vec<(String, usize, Times)> = ["f32", "f64"]
        .into_iter()
        .flat_map(|dtype| FUNCTIONS.map(|function| (function.group(dtype), function.size())))
        .map(|(group, size)| (group.clone(), size, times(&criterion.join(group))))
        .filter(|(_, _, times)| times.contains_key(OURS))
        .collect();
    if rows.is_empty() {
        eprintln!("nothing measured in {}: run `cargo bench` first", criterion.display());
        std::process::exit(1);
    }
    print(&rows);
}

/// The folder where criterion writes. Criterion reads the same variables.
fn criterion_folder() -> PathBuf {
    if let Some(folder) = std::env::var_os("CRITERION_HOME") {
        return folder.into();
    }
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from).join("criterion")
}

/// The median of each library in a group; empty if the group was not measured.
fn times(group: &Path) -> Times {
    let libraries = fs::read_dir(group).into_iter().flatten().flatten();
    libraries
        .filter_map(|library| {
            let estimates = fs::read_to_string(library.path().join("new/estimates.json")).ok()?;
            let estimates: Value = serde_json::from_str(&estimates).ok()?;
            let median = estimates["median"]["point_estimate"].as_f64()?;
            Some((library.file_name().into_string().ok()?, median))
        })
        .collect()
}

/// The order of the columns: first our own forms, then libraries. Anything else that was measured comes last.
const COLUMNS: [&str; 9] = ["Fast", "Exact", "avx2", "neon", "baseline", "rten-vecmath", "candle", "burn", "libm"];

fn print(rows: &[(String, usize, Times)]) {
    let mut names: Vec<&str> = rows.iter().flat_map(|(_, _, times)| times.keys().map(String::as_str)).collect();
    names.retain(|name| *name != OURS);
    names.sort_by_key(|name| (COLUMNS.iter().position(|column| column == name).unwrap_or(COLUMNS.len()), *name));
    names.dedup();

    println!("{}, {}, one thread.", machine(), Level::best());
    println!(
        "The first column of numbers is our time. All others are ratios, their time over ours: above 1, ours is faster.\n"
    );
    println!("| | ours, ns an element | {} / ours |", names.join(" / ours | "));
    println!("|---|--:|{}", "--:|".repeat(names.len()));
    let mut log_ratios = vec![Vec::new(); names.len()];
    for (group, size, times) in rows {
        let ours = times[OURS];
        print!("| {group} | {:.3} |", ours / *size as f64);
        for (name, log_ratios) in names.iter().zip(&mut log_ratios) {
            match times.get(*name) {
                Some(theirs) => {
                    log_ratios.push((theirs / ours).ln());
                    print!(" {:.2} |", theirs / ours);
                }
                None => print!(" |"),
            }
        }
        println!();
    }
    print!("| geometric mean | |");
    for log_ratios in log_ratios {
        print!(" {:.2} |", (log_ratios.iter().sum::<f64>() / log_ratios.len() as f64).exp());
    }
    println!();
}

/// The CPU's name, as Linux gives it.
fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name =
        cpu.lines().find_map(|line| line.strip_prefix("model name")).map(|name| name.trim_matches(['\t', ':', ' ']));
    name.map_or_else(|| std::env::consts::ARCH.to_owned(), str::to_owned)
}
