//! The results as a table in Markdown.

use crate::train::Outcome;

/// A row for each depth, a column for each function.
pub(crate) fn markdown(by_depth: &[Vec<Outcome>]) -> String {
    let names = by_depth.iter().take(1).flatten().map(|outcome| format!(" {} |", outcome.function));
    let names: Vec<String> = names.collect();
    let mut table = format!("| hidden layers |{}\n|--:|{}\n", names.concat(), "--:|".repeat(names.len()));
    for outcomes in by_depth {
        table += &format!("| {} |{}\n", outcomes[0].depth, outcomes.iter().map(cell).collect::<String>());
    }
    table
}

fn cell(outcome: &Outcome) -> String {
    let last = outcome.last();
    format!(" {:.1} %, {:.4} |", 100.0 * last.accuracy, last.loss)
}
