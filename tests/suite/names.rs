//! Names in use: those that PyTorch, transformers, ONNX, ONNX Runtime, Keras, JAX, Flax and TensorFlow print, write and are called by,
//! from a committed table (`tools/names.py`).
//!
//! The table also has the values that the frameworks compute. So the test detects a name that means another function here, or has
//! another default.

use std::collections::BTreeMap;

use crate::support::Bits;
use activations::{Activation, AnyActivation};

/// The greatest difference between a framework's value and ours, relative to 1 + |x|. ONNX Runtime computes in f32, ONNX stores
/// attributes in f32, and PyTorch's softplus is x above 20. Different functions, such as GELU and its tanh form, differ by 1e-4 or more
/// somewhere.
const TOLERANCE: f64 = 1e-7;

/// One line of the table.
struct Line {
    source: String,
    text: String,
    expected: String,
    reason: String,
    inputs: String,
    values: Vec<f64>,
}

struct Table {
    inputs: BTreeMap<String, Vec<f64>>,
    lines: Vec<Line>,
}

/// Records of fields, as written by Python's `csv`: a field is quoted if it has a quote, a comma or a new line.
fn records(text: &str) -> Vec<Vec<String>> {
    let (mut records, mut record, mut field, mut quoted) = (vec![], vec![], String::new(), false);
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '"' if quoted && characters.peek() == Some(&'"') => field.extend(characters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                record.push(std::mem::take(&mut field));
                records.push(std::mem::take(&mut record));
            }
            c => field.push(c),
        }
    }
    assert!(!quoted && record.is_empty(), "the table ends within a line");
    records
}

fn table() -> Table {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tables/names.csv");
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let numbers = |hexes: &str| -> Vec<f64> {
        let number = |hex| f64::from_bits(u64::from_str_radix(hex, 16).expect("sixteen digits"));
        hexes.split_whitespace().map(number).collect()
    };
    let (mut inputs, mut lines) = (BTreeMap::new(), Vec::new());
    for record in records(&text).into_iter().skip(1) {
        let [source, version, text, expected, reason, named, values] = record.try_into().expect("seven fields");
        let values = numbers(&values);
        if source == "inputs" {
            inputs.insert(text, values);
        } else {
            let source = format!("{source} {version}");
            lines.push(Line { source, text, expected, reason, inputs: named, values });
        }
    }
    Table { inputs, lines }
}

impl Line {
    /// The text, parsed or read as JSON; `None` if this build does not read JSON.
    fn parsed(&self) -> Option<Result<AnyActivation, String>> {
        if self.text.starts_with('{') {
            #[cfg(feature = "serde")]
            return Some(serde_json::from_str(&self.text).map_err(|error| error.to_string()));
            #[cfg(not(feature = "serde"))]
            return None;
        }
        Some(self.text.parse::<AnyActivation>().map_err(|error| error.to_string()))
    }

    /// Checks that `got` is the expected function with its parameters, and has the framework's values. Returns how far off those are.
    fn check(&self, got: AnyActivation, inputs: &BTreeMap<String, Vec<f64>>) -> f64 {
        let Self { source, text, expected, .. } = self;
        let wanted: AnyActivation = expected.parse().unwrap_or_else(|error| panic!("`{expected}`: {error}"));
        assert_eq!(got.card().name, wanted.card().name, "{source}: `{text}` is {expected}");
        for ((name, got), (_, wanted)) in got.parameters().zip(wanted.parameters()) {
            // ONNX stores attributes as numbers of f32.
            assert_eq!(got as f32, wanted as f32, "{source}: `{text}` is {expected}: `{name}`");
        }
        // There are no values if the framework is wrong, as with Keras's sparsemax.
        let none = Vec::new();
        let x = inputs.get(&self.inputs).unwrap_or(&none);
        assert_eq!(x.len(), self.values.len(), "{source}: `{text}`");
        let mut worst = 0.0_f64;
        for ((&x, ours), &theirs) in x.iter().zip(got.forward_vec(x)).zip(&self.values) {
            let error = (ours - theirs).abs() / (1.0 + x.abs());
            assert!(error <= TOLERANCE, "{source}: `{text}`, which is {got}, of {x}: {theirs:e} there, {ours:e} here");
            worst = worst.max(error);
        }
        worst
    }
}

#[test]
fn names_of_frameworks_mean_the_same_here() {
    let Table { inputs, lines } = table();
    let (mut read, mut worst, mut others) = (0, BTreeMap::<&str, f64>::new(), Vec::new());
    for line in &lines {
        let Line { source, text, expected, reason, .. } = line;
        let Some(parsed) = line.parsed() else { continue };
        match parsed {
            Ok(got) if expected == "-" => panic!("{source}: `{text}` is {got} here, but: {reason}"),
            Ok(got) => {
                let error = line.check(got, &inputs);
                let worst = worst.entry(source).or_default();
                *worst = worst.max(error);
                read += 1;
            }
            Err(error) if expected == "-" => {
                // The message says what to use instead, if there is something.
                if let Some((_, instead)) = reason.split_once(": ") {
                    assert!(error.contains(&format!("`{instead}`")), "{source}: `{text}`: {error}");
                }
                let first = text.split(['(', '\n']).next().unwrap_or_default();
                others.push(format!("{source}: {first}: {reason}"));
            }
            Err(error) => panic!("{source}: `{text}` is {expected}: {error}"),
        }
    }
    println!("{} names, {read} read", lines.len());
    worst.iter().for_each(|(source, worst)| println!("{source}: at most {worst:.1e} (1 + |x|) away"));
    others.iter().for_each(|other| println!("not read: {other}"));
    let compared = lines.iter().filter(|line| !line.values.is_empty()).count();
    assert!(lines.len() >= 500 && compared >= 480, "a table cut short: {} lines, {compared} with values", lines.len());
}

/// The names in backticks in a cell of the page's table.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// Checks the guide's page of names: each name of PyTorch and JAX in its table, and each text in quotes, means what the page says.
#[test]
fn the_names_of_the_guide_are_read() {
    let page = include_str!("../../docs/guide/coming_from.md");
    let mut checked = 0;
    for row in page.lines().filter(|line| line.starts_with("| [")) {
        let cells: Vec<&str> = row.split(" |").map(|cell| cell.trim_start_matches("| ")).collect();
        let types: Vec<&str> = quoted(cells[0]).map(|name| name.split(':').next().unwrap_or(name)).collect();
        for (cell, prefixes) in [(cells[1], ["", "nn.", "torch.nn."].as_slice()), (cells[2], &["jax.nn."])] {
            for (name, prefix) in quoted(cell).flat_map(|name| prefixes.iter().map(move |prefix| (name, prefix))) {
                if name.starts_with("optax") || name.contains('.') && !prefix.is_empty() {
                    continue;
                }
                match format!("{prefix}{name}").parse::<AnyActivation>() {
                    Ok(activation) => {
                        let got = format!("{activation:?}");
                        let got = got.split('(').next().unwrap_or_default();
                        assert!(types.contains(&got), "{prefix}{name} is {got} here, and on the page one of {types:?}");
                    }
                    // If the name is not an activation's, the message must say which type to use.
                    Err(error) => {
                        let said = error.to_string();
                        let instead = types.iter().any(|name| said.contains(&format!("`{name}`")));
                        assert!(instead, "{prefix}{name}, on the page one of {types:?}: {said}");
                    }
                }
                checked += 1;
            }
        }
    }
    assert!(checked > 80, "{checked} names: the table has another form");
    let prose =
        page.split("```").step_by(2).flat_map(quoted).filter_map(|text| text.strip_prefix('"')?.strip_suffix('"'));
    let mut texts = 0;
    for text in prose {
        text.parse::<AnyActivation>().unwrap_or_else(|error| panic!("`{text}`, on the page: {error}"));
        texts += 1;
    }
    assert!(texts > 5, "{texts} texts in quotes: the page has another form");
}

/// Combines words of the fuzzer's dictionary to calls. Nothing panics. If a call parses, its text parses again.
#[test]
fn words_in_any_order_are_read_or_refused() {
    const VALUES: [&str; 10] = ["0.5", "6", "20", "-0.0", "1e30", "1e-30", "True", "None", "'tanh'", "nan"];
    let words: Vec<&str> = include_str!("../../fuzz/names.dict")
        .lines()
        .filter_map(|line| line.strip_prefix('"')?.strip_suffix('"'))
        .collect();
    let names: Vec<&str> = AnyActivation::all().map(|activation| activation.card().name).collect();
    let modules: Vec<&str> = words.iter().copied().filter(|word| word.len() > 1 && word.ends_with('.')).collect();
    let keys = ["negative_slope", "alpha", "beta", "lambda", "max_value", "threshold", "approximate", "dim", "inplace"];
    let mut bits = Bits(27);
    let mut of = |list: &[&'static str]| list[bits.next() as usize % list.len()];
    let mut read = 0;
    for i in 0..20_000 {
        let mut text = if i % 4 == 0 { of(&modules).to_owned() } else { String::new() };
        text += if i % 7 == 0 { of(&words) } else { of(&names) };
        text += "(";
        for _ in 0..i % 3 {
            text += &format!("{}={}, ", if i % 5 == 0 { of(&words) } else { of(&keys) }, of(&VALUES));
        }
        text += if i % 2 == 0 { "inplace=False" } else { of(&words) };
        text += ")";
        match text.parse::<AnyActivation>() {
            Ok(activation) => {
                assert_eq!(activation.to_string().parse(), Ok(activation), "`{text}`");
                read += 1;
            }
            Err(error) => assert!(error.to_string().len() < 400, "`{text}`: {error}"),
        }
    }
    println!("{read} of 20000 texts were read");
    assert!(read > 2_000, "{read} of 20000 texts were read");
}
