//! Checks the README and the pages under docs/, as far as a test can. `tools/readme.sh` runs their code.
//!
//! Words are counted as by `wc -w`, in prose and tables: pieces between white space. Blocks of code do not count. Pieces without a letter
//! or a digit, such as the lines of a table, do not count either.

// WebAssembly has no files to read.
#![cfg(not(target_family = "wasm"))]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use activations::{AnyActivation, ErrorBounds};

/// A stranger reads at most this much.
const README_WORDS: usize = 1500;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The Markdown files, except those in build folders.
fn pages() -> Vec<String> {
    fn collect(folder: &Path, pages: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("an entry of a folder").path();
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name in ASCII");
            if path.is_dir() && !name.starts_with('.') && name != "target" {
                collect(&path, pages);
            } else if name.ends_with(".md") {
                pages.push(path);
            }
        }
    }
    let mut pages = Vec::new();
    collect(root(), &mut pages);
    let mut pages: Vec<String> = pages
        .iter()
        .map(|page| {
            page.strip_prefix(root()).expect("a file here").to_str().expect("a name in ASCII").replace('\\', "/")
        })
        .collect();
    pages.sort();
    pages
}

/// A fenced block of code: the text after its fence, and its lines.
struct Block {
    info: String,
    lines: Vec<String>,
}

/// The lines outside of fenced blocks, and the blocks.
fn prose_and_blocks(text: &str) -> (Vec<&str>, Vec<Block>) {
    let (mut prose, mut blocks, mut within) = (Vec::new(), Vec::new(), None);
    for line in text.lines() {
        match (line.trim_start().strip_prefix("```"), &mut within) {
            (Some(info), None) => within = Some(Block { info: info.to_owned(), lines: Vec::new() }),
            (Some(_), open) => blocks.extend(open.take()),
            (None, Some(block)) => block.lines.push(line.to_owned()),
            (None, None) => prose.push(line),
        }
    }
    assert!(within.is_none(), "a block without an end");
    (prose, blocks)
}

/// The text between this heading and the next one of the same or a higher level.
fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let start = page.find(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no heading {heading}")) + 1;
    let body = start + heading.len();
    let hashes = heading.chars().take_while(|c| *c == '#').count();
    let end = (1..=hashes).filter_map(|n| page[body..].find(&format!("\n{} ", "#".repeat(n)))).min();
    &page[start..end.map_or(page.len(), |end| body + end)]
}

/// The rows of the table with this first line, as cells.
fn table<'a>(page: &'a str, header: &str) -> Vec<Vec<&'a str>> {
    let mut lines = page.lines().skip_while(|line| *line != header).skip(2);
    let rows: Vec<_> = lines
        .by_ref()
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    assert!(!rows.is_empty(), "no table under {header}");
    rows
}

/// The pieces of text in back quotes.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The only number that fits the pattern `before NUMBER after`. Line ends count as spaces.
fn number(text: &str, before: &str, after: &str) -> f64 {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let found: Vec<f64> = text
        .split(before)
        .skip(1)
        .filter_map(|rest| {
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',')?;
            let digits = rest[..end].trim_end_matches(['.', ',']);
            rest[digits.len()..].starts_with(after).then(|| digits.replace(',', "").parse().ok()).flatten()
        })
        .collect();
    let [number] = found[..] else { panic!("not one number in `{before}..{after}`: {found:?}") };
    number
}

fn manifest(section: &str) -> Vec<String> {
    let text = read("Cargo.toml");
    let lines = text.lines().skip_while(|line| *line != section).skip(1).take_while(|line| !line.starts_with('['));
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

#[test]
fn the_readme_is_short() {
    let readme = read("README.md");
    let (prose, _) = prose_and_blocks(&readme);
    let words = prose
        .iter()
        .flat_map(|line| line.split_whitespace())
        .filter(|word| word.contains(char::is_alphanumeric))
        .count();
    assert!(words <= README_WORDS, "the README has {words} words, {README_WORDS} at most");
}

/// The guide's pages are left out, because they are documentation of modules, where rustdoc hides lines.
#[test]
fn blocks_of_code_are_programs_that_can_be_copied() {
    for page in ["README.md", "docs/first_model.md", "docs/your_function.md"] {
        let text = read(page);
        let (_, blocks) = prose_and_blocks(&text);
        let rust: Vec<&Block> = blocks.iter().filter(|block| block.info.starts_with("rust")).collect();
        assert!(!rust.is_empty(), "{page} has no code");
        for block in rust {
            let hidden = block.lines.iter().find(|line| line.trim_start().starts_with("# ") || line.trim() == "#");
            assert!(hidden.is_none(), "{page}: rustdoc would hide {hidden:?}");
            assert!(
                block.lines.iter().any(|line| line.starts_with("fn main()")),
                "{page}: no program:\n{}",
                block.lines.join("\n")
            );
        }
    }
}

#[test]
fn links_lead_to_files_and_headings() {
    // The name of a heading in a link: lower case, hyphens for spaces, without other signs.
    let anchor = |heading: &str| -> String {
        let kept = heading.trim_start_matches('#').trim().to_lowercase();
        kept.chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect()
    };
    let mut dead = Vec::new();
    for page in pages() {
        let text = read(&page);
        let (prose, _) = prose_and_blocks(&text);
        let prose = prose.join("\n");
        for link in prose.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path_of_item = link.contains("::") || link.starts_with("crate");
            if link.starts_with("http") || path_of_item {
                continue;
            }
            let (path, fragment) = link.split_once('#').unwrap_or((link, ""));
            let folder = Path::new(&page).parent().expect("a folder");
            let target = if path.is_empty() { PathBuf::from(&page) } else { folder.join(path) };
            let file = root().join(&target);
            let has_heading = || {
                let text = fs::read_to_string(&file).unwrap_or_default();
                text.lines().filter(|line| line.starts_with('#')).any(|heading| anchor(heading) == fragment)
            };
            if !file.exists() || (!fragment.is_empty() && !has_heading()) {
                dead.push(format!("{page}: {link}"));
            }
        }
    }
    assert!(dead.is_empty(), "dead links: {dead:#?}");
}

/// Checks the examples, scripts and manifests that the pages tell the reader to run.
#[test]
fn commands_name_existing_files() {
    let mut missing = Vec::new();
    for page in pages() {
        let text = read(&page);
        let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || "`()|,;".contains(c)).collect();
        for (word, next) in words.iter().zip(words.iter().skip(1)) {
            let path = match *word {
                "--example" => format!("examples/{next}.rs"),
                "--manifest-path" => (*next).to_owned(),
                _ if word.starts_with("tools/") && word.ends_with(".sh") => (*word).to_owned(),
                _ => continue,
            };
            if !path.contains("NAME") && !root().join(&path).exists() {
                missing.push(format!("{page}: {word} {next}"));
            }
        }
    }
    assert!(missing.is_empty(), "no such files: {missing:#?}");
}

#[test]
fn every_example_is_in_the_table_of_examples() {
    let table = read("examples/README.md");
    for entry in fs::read_dir(root().join("examples")).expect("examples") {
        let path = entry.expect("an entry of a folder").path();
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name in ASCII").to_owned();
        let is_program =
            path.extension().is_some_and(|extension| extension == "rs") || path.join("Cargo.toml").exists();
        assert!(!is_program || table.contains(&format!("`{name}`")), "examples/README.md: no {name}");
    }
}

#[test]
fn every_function_is_in_the_readme_and_in_the_table_of_functions() {
    let readme = read("README.md");
    let functions = read("docs/functions.md");
    let listed: BTreeSet<&str> = quoted(section(&readme, "## What it has")).into_iter().collect();
    let rows = table(&functions, "| type | f(x) | other names |");
    let types: BTreeSet<&str> = rows.iter().flat_map(|row| quoted(row[0])).collect();
    let name = |text: &str| text.parse::<AnyActivation>().ok().map(|any| any.card().name);
    for activation in AnyActivation::all() {
        let card = activation.card().name;
        assert!(listed.iter().any(|text| name(text) == Some(card)), "README, What it has: no {card}");
        assert!(types.iter().any(|text| name(text) == Some(card)), "docs/functions.md: no {card}");
    }
    for row in &rows {
        for alias in quoted(row[2]) {
            assert!(quoted(row[0]).iter().any(|text| name(text) == name(alias)), "docs/functions.md: {row:?}");
        }
    }
    let count = AnyActivation::all().count();
    for (page, text) in [("README.md", &readme), ("docs/functions.md", &functions)] {
        assert!(text.contains(&format!("{count} functions")), "{page} does not say that there are {count} functions");
    }
    // Text in quotes may have line ends; the first line is the header, and two are inputs.
    let lines =
        read("tests/tables/names.csv").split('"').step_by(2).flat_map(str::bytes).filter(|b| *b == b'\n').count();
    let names = lines - 3;
    assert_eq!(number(&functions, "reads ", " names") as usize, names, "docs/functions.md");
}

/// The items that `src/lib.rs` exports, without hidden ones.
fn exported(code: &str) -> Vec<&str> {
    let uses = code.split(';').filter(|statement| !statement.contains("#[doc(hidden)]"));
    let paths = uses.filter_map(|statement| statement.split_once("pub use ")).map(|(_, path)| path);
    let items = paths.flat_map(|path| path.rsplit("::").next().expect("an item").split(','));
    let names = items.map(|item| item.trim_matches(|c: char| c.is_whitespace() || "{}".contains(c)));
    names.filter(|name| !name.is_empty()).collect()
}

#[test]
fn everything_is_on_the_front_page_of_the_documentation() {
    let library = read("src/lib.rs");
    let (front, code) = library.split_once("#![forbid").expect("the documentation comes first");
    let curves = read("docs/pictures/overview.html");
    let mut items: BTreeSet<String> = exported(code).into_iter().map(str::to_owned).collect();
    assert!(items.remove("*") && items.contains("SwiGlu") && items.contains("log_sum_exp"), "{items:?}");
    for activation in AnyActivation::all() {
        let variant = format!("{activation:?}");
        let (name, _) = variant.split_once('(').expect("a type in a variant of its name");
        assert!(curves.contains(&format!("\"struct.{name}.html\"")), "docs/pictures/overview.html: no {name}");
        items.insert(name.to_owned());
    }
    items.retain(|item| !front.contains(&format!("[`{item}`]")));
    assert!(items.is_empty(), "src/lib.rs: no link in any group to {items:?}");
}

/// Value and derivative, as `0.50, 0`.
fn errors(cell: &str) -> Option<(f64, f64)> {
    let (value, slope) = cell.split_once(", ")?;
    Some((value.parse().expect("a number"), slope.parse().expect("a number")))
}

#[test]
fn measured_errors_are_within_the_bounds_that_the_crate_states() {
    let page = read("docs/accuracy.md");
    for row in table(&page, "| | `f32` fused | `f32` plain | `f64` fused | `f64` plain |") {
        let any: AnyActivation = row[0].trim_matches('`').parse().expect("a function");
        let ErrorBounds { f32, f32_plain, f64, f64_plain, .. } = any.card().error;
        for (cell, bound) in row[1..].iter().zip([f32, f32_plain, f64, f64_plain]) {
            let Some(measured) = errors(cell) else { continue };
            assert!(measured.0 <= bound.0 && measured.1 <= bound.1, "{}: {cell}, but the bound is {bound:?}", row[0]);
        }
    }
}

#[test]
fn the_readme_states_the_bounds_of_the_crate() {
    let readme = read("README.md");
    let worst =
        |part: fn(&ErrorBounds) -> f64| AnyActivation::all().map(|any| part(&any.card().error)).fold(0.0, f64::max);
    assert_eq!(worst(|error| error.f32.0), number(&readme, "off by more than ", " ULP"));
    assert_eq!(worst(|error| error.f32.1), number(&readme, "no derivative by more than ", ". On CPUs"));
    let plain = number(&readme, "multiply-add it is ", " for both");
    assert!(worst(|error| error.f32_plain.0) <= plain && worst(|error| error.f32_plain.1) == plain);
    let script = read("tools/bits.sh");
    let builds = script.split("\nall=(").nth(1).and_then(|rest| rest.split(')').next()).expect("the builds");
    assert_eq!(number(&readme, "threads. ", " builds") as usize, builds.split(' ').count());
}

/// The README's figures of speed must be on the page with date, machine and command.
#[test]
fn the_readme_has_the_speeds_of_the_page() {
    let (readme, page) = (read("README.md"), read("docs/speed.md"));
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let header = |text: &str, with: &str| {
        let line = text.lines().find(|line| line.starts_with("| | ours, ns an element |") && line.contains(with));
        line.unwrap_or_else(|| panic!("no table with {with}")).to_owned()
    };
    let (short, long) = (header(&readme, "libm"), header(&page, "libm"));
    let measured = table(&page, &long);
    let column = |name: &String| cells(&long).iter().position(|column| column == name).expect("a column");
    for row in table(&readme, &short) {
        let of_page = measured.iter().find(|measured| measured[0] == row[0]).expect("a row");
        for (name, cell) in cells(&short).iter().zip(&row) {
            assert_eq!(cell, &of_page[column(name)], "README: {}, {name}", row[0]);
        }
    }
    let gelu = measured.iter().find(|row| row[0] == "gelu, f32").expect("GELU");
    assert_eq!(number(&readme, "GELU takes ", " ns an element"), gelu[1].parse::<f64>().expect("a number"));
    let slow = ["candle / ours", "burn / ours", "libm / ours"].map(|name| &gelu[column(&name.to_owned())]);
    let times = slow.map(|cell| cell.parse::<f64>().expect("a number"));
    let (least, most) = times.iter().fold((f64::MAX, 0.0_f64), |(least, most), &x| (least.min(x), most.max(x)));
    assert!(readme.contains(&format!("take {:.0} to {:.0} times as long", least.round(), most.round())), "{times:?}");

    let of_others = header(&page, "PyTorch");
    let means = table(&page, &of_others);
    let means = means.last().expect("the means");
    assert_eq!(means[0], "geometric mean");
    for library in ["PyTorch", "ONNX Runtime", "NumPy"] {
        let place = cells(&of_others).iter().position(|column| column.starts_with(library)).expect("a column");
        let mean = means[place].parse::<f64>().expect("a number");
        assert_eq!(number(&readme, &format!("{library} takes "), " times"), mean);
    }
    let date = page.lines().find_map(|line| line.strip_prefix("| date | ")).expect("a date").trim_matches([' ', '|']);
    assert!(readme.contains(date), "README: the speeds are of {date}");
}

#[test]
fn the_readme_has_the_features_the_dependencies_and_the_version_of_the_manifest() {
    let readme = read("README.md");
    let key = |line: &String| line.split(' ').next().expect("a key").to_owned();
    let mut features: BTreeSet<String> = manifest("[features]").iter().map(key).collect();
    assert!(features.remove("default"));
    let rows = table(&readme, "| feature | default | |");
    assert_eq!(rows.iter().map(|row| row[0].trim_matches('`').to_owned()).collect::<BTreeSet<_>>(), features);
    let default = manifest("[features]").iter().find(|line| line.starts_with("default ")).expect("default").clone();
    for row in rows {
        assert_eq!(row[1] == "yes", default.contains(&format!("\"{}\"", row[0].trim_matches('`'))), "{row:?}");
    }

    let always = manifest("[dependencies]").iter().filter(|line| !line.contains("optional = true")).count();
    let words = BTreeMap::from([(1, "one small dependency"), (2, "two small dependencies")]);
    assert!(readme.contains(words[&always]), "README: there are {always} dependencies");
    let rust = manifest("[package]").iter().find_map(|line| Some(line.strip_prefix("rust-version = \"")?.to_owned()));
    let rust = rust.expect("a version");
    assert!(readme.contains(&format!("Rust {} or newer", rust.trim_matches('"'))), "README: Rust {rust}");
}

#[test]
fn the_citation_has_the_version_of_the_manifest() {
    let package = manifest("[package]");
    let version = package.iter().find_map(|line| line.strip_prefix("version = ")).expect("a version").trim_matches('"');
    assert!(read("CITATION.cff").lines().any(|line| line == format!("version: {version}")), "CITATION.cff: {version}");
}

/// A figure without its date, its machine and the command that makes it again is a rumour.
#[test]
fn pages_with_measurements_say_when_where_and_how() {
    for page in ["docs/accuracy.md", "docs/speed.md"] {
        let text = read(page);
        let facts: BTreeMap<&str, &str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | "))
            .filter(|(key, _)| ["date", "machine", "again"].contains(key))
            .collect();
        assert_eq!(facts.len(), 3, "{page}: date, machine, again: {facts:?}");
        assert!(facts["date"].starts_with("20") && facts["again"].contains('`'), "{page}: {facts:?}");
    }
    let checks = read("docs/checks.md");
    for row in table(&checks, "| check | command | date | found |") {
        assert!(row[2].starts_with("20") || row[2] == "each change", "docs/checks.md: no date: {row:?}");
    }
}
