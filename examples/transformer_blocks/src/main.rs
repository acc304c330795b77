//! Prints how much this crate and PyTorch differ, and fails if that is more than their roundings explain.

use std::process::ExitCode;

use transformer_blocks::check::compare;
use transformer_blocks::reference::Reference;

fn main() -> ExitCode {
    let reference = Reference::committed();
    println!(
        "Reference: {}.\n\
         The largest error in roundings of the type, its bound, and how much of its bound the error of any element takes.\n",
        reference.versions
    );
    let lines = compare(&reference);
    for from_weights in [false, true] {
        let what = if from_weights { "blocks, from their weights" } else { "functions, on PyTorch's inputs" };
        println!(
            "{what:33} {:12} {:4} {:>22} {:>22} {:>22}",
            "", "type", "crate from PyTorch", "PyTorch from exact", "crate from exact"
        );
        for line in lines.iter().filter(|line| line.from_weights == from_weights) {
            let (block, failed) = (line.block.name(), if line.fails() { "  EXCEEDED" } else { "" });
            let [a, b, c] = [line.difference, line.pytorch, line.this_crate];
            println!("{block:33} {:12} {:4} {a:>22} {b:>22} {c:>22}{failed}", line.part, line.number);
        }
        println!();
    }
    let failed = lines.iter().filter(|line| line.fails()).count();
    if failed > 0 {
        eprintln!("{failed} of {} comparisons are beyond their bound", lines.len());
        return ExitCode::FAILURE;
    }
    println!("All {} comparisons are within their bounds.", lines.len());
    ExitCode::SUCCESS
}
