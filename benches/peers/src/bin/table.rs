//! Prints the measurements of `cargo bench` as one Markdown table: our time, and each library's time divided by ours.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

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

fn print(rows: &[(String, usize, Times)]) {
    let mut log_ratios: BTreeMap<&str, Vec<f64>> =
        rows.iter().flat_map(|(_, _, times)| times.keys()).map(|library| (library.as_str(), Vec::new())).collect();
    log_ratios.remove(OURS);

    let names: Vec<_> = log_ratios.keys().copied().collect();
    println!("| | ours, ns an element | {} |", names.join(" | "));
    println!("|---|--:|{}", "--:|".repeat(names.len()));
    for (group, size, times) in rows {
        let ours = times[OURS];
        print!("| {group} | {:.3} |", ours / *size as f64);
        for (library, log_ratios) in &mut log_ratios {
            match times.get(*library) {
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
    for log_ratios in log_ratios.values() {
        print!(" {:.2} |", (log_ratios.iter().sum::<f64>() / log_ratios.len() as f64).exp());
    }
    println!();
}
