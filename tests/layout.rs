//! The layout of `src`. Folders are floors: no file imports from a floor above its own, and no files of a floor import one another in
//! a circle. And no file is too long for a reader.
//!
//! Imports are the paths in a file's `use` lines. A module that only exports an item of a child stands for the child. Definitions of
//! macros are left out, because the names in their expansion belong to the file that expands them.

// WebAssembly has no files to read.
#![cfg(not(target_family = "wasm"))]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The lowest first.
const FLOORS: [&str; 17] = [
    "describe",
    "kernel",
    "math",
    "pass",
    "activation",
    "from_output",
    "second",
    "parametric",
    "functions",
    "exact",
    "rows",
    "layers",
    "loss",
    "list",
    "listed",
    "names",
    "lib",
];

/// Documentation only, so not a part of the architecture.
const NO_FLOOR: [&str; 1] = ["guide"];

const LONGEST: usize = 500;

/// Files that may be longer, each with the reason.
const LONGER: [(&str, &str); 0] = [];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Rust files below a folder, except in build folders.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("an entry of a folder").path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// `rows::softmax` for `src/rows/softmax.rs`, `rows` for `src/rows.rs`.
fn module(file: &Path) -> String {
    let file = file.strip_prefix(root().join("src")).expect("a file of src").with_extension("");
    file.iter().map(|part| part.to_str().expect("a name in ASCII")).collect::<Vec<_>>().join("::")
}

/// A source without comments, and without the bodies of `macro_rules!`.
fn without_comments_and_macros(source: &str) -> String {
    let mut text = String::new();
    let mut within_macro = None;
    for line in source.lines() {
        let code = line.split("//").next().unwrap_or("");
        let indent = line.len() - line.trim_start().len();
        if let Some(of_macro) = within_macro {
            // In formatted code, a macro's closing brace has the indentation of its first line.
            if indent == of_macro && code.trim() == "}" {
                within_macro = None;
            }
        } else if code.trim_start().starts_with("macro_rules!") {
            within_macro = Some(indent);
        } else {
            text.push_str(code);
            text.push('\n');
        }
    }
    assert!(within_macro.is_none(), "a macro without an end");
    text
}

/// One path of a `use` line.
struct Used {
    path: String,
    /// `pub use` or `pub(crate) use`.
    exported: bool,
}

/// The paths in the `use` lines of a file, without braces: `use a::{b, c::d}` is `a::b` and `a::c::d`.
fn used_paths(source: &str) -> Vec<Used> {
    let source = without_comments_and_macros(source);
    let mut paths = Vec::new();
    for statement in source.split_inclusive(';') {
        let Some(statement) = statement.strip_suffix(';') else { continue };
        let uses = statement.rmatch_indices("use ").find_map(|(at, word)| {
            let before = statement[..at].rsplit('\n').next().unwrap_or("").trim();
            let is_use = ["", "pub", "pub(crate)", "pub(super)"].contains(&before);
            is_use.then_some((&statement[at + word.len()..], !before.is_empty()))
        });
        if let Some((tree, exported)) = uses {
            let mut of_tree = Vec::new();
            written_out("", tree, &mut of_tree);
            paths.extend(of_tree.into_iter().map(|path| Used { path, exported }));
        }
    }
    paths
}

fn written_out(before: &str, tree: &str, paths: &mut Vec<String>) {
    let mut depth = 0;
    let mut start = 0;
    let mut parts = Vec::new();
    for (at, c) in tree.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&tree[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&tree[start..]);
    for part in parts.into_iter().map(str::trim).filter(|part| !part.is_empty()) {
        match part.split_once('{') {
            Some((prefix, rest)) => {
                let inner = rest.trim_end().strip_suffix('}').expect("a closing brace");
                written_out(&format!("{before}{}", prefix.trim()), inner, paths);
            }
            None => paths.push(format!("{before}{}", part.split(" as ").next().unwrap_or(part).trim())),
        }
    }
}

/// The path from `crate`'s root. In `rows::softmax`, `super::engine::run` is `rows::engine::run`. In `rows`, which has that module,
/// `engine::run` is the same. `None` for other crates.
fn from_root(path: &str, module: &str, modules: &BTreeSet<String>) -> Option<String> {
    let mut place: Vec<&str> = module.split("::").collect();
    if let Some(rest) = path.strip_prefix("crate::") {
        return Some(rest.to_owned());
    }
    if let Some(rest) = path.strip_prefix("self::") {
        return Some(format!("{module}::{rest}"));
    }
    let first = path.split("::").next().unwrap_or(path);
    if modules.contains(&format!("{module}::{first}")) {
        return Some(format!("{module}::{path}"));
    }
    let mut rest = path;
    while let Some(further) = rest.strip_prefix("super::") {
        place.pop();
        rest = further;
    }
    if rest.len() == path.len() {
        return None;
    }
    place.push(rest);
    Some(place.join("::"))
}

/// The module of a path from the root: the longest one that fits, or the one from which that module exports the item again.
fn module_of(path: &str, exports: &BTreeMap<String, BTreeMap<String, String>>) -> String {
    let mut module = path;
    loop {
        if let Some(exported) = exports.get(module) {
            let item = path[module.len()..].trim_start_matches("::").split("::").next().unwrap_or("");
            return exported.get(item).map_or(module, String::as_str).to_owned();
        }
        match module.rsplit_once("::") {
            Some((parent, _)) => module = parent,
            // An item of the root.
            None => return "lib".to_owned(),
        }
    }
}

/// The modules, and the modules that each one imports. If a parent exports items of its children again, that is not an import.
fn imports() -> BTreeMap<String, BTreeSet<String>> {
    let files = rust_files(&root().join("src"));
    let modules: BTreeSet<String> = files.iter().map(|file| module(file)).collect();
    let used: BTreeMap<String, Vec<Used>> = files
        .iter()
        .map(|file| {
            let (name, source) = (module(file), fs::read_to_string(file).expect("a source"));
            let used = used_paths(&source)
                .into_iter()
                .filter_map(|used| Some(Used { path: from_root(&used.path, &name, &modules)?, ..used }));
            (name.clone(), used.collect())
        })
        .collect();

    // For each module, the items that it exports from its children, and the children.
    let mut exports: BTreeMap<String, BTreeMap<String, String>> =
        modules.iter().map(|module| (module.clone(), BTreeMap::new())).collect();
    for (module, used) in &used {
        for used in used.iter().filter(|used| used.path.starts_with(&format!("{module}::"))) {
            let (child, item) = used.path.rsplit_once("::").expect("an item");
            if modules.contains(child) {
                exports.get_mut(module).expect("a module").insert(item.to_owned(), child.to_owned());
            }
        }
    }

    let mut imports = BTreeMap::new();
    for (module, used) in used {
        let used = used.iter().filter(|used| !(used.exported && used.path.starts_with(&format!("{module}::"))));
        let of_modules = used.map(|used| module_of(&used.path, &exports)).filter(|used| *used != module);
        imports.insert(module.clone(), of_modules.collect());
    }
    imports
}

fn floor(module: &str) -> Option<usize> {
    let folder = module.split("::").next().unwrap_or(module);
    if NO_FLOOR.contains(&folder) {
        return None;
    }
    let floor = FLOORS.iter().position(|floor| *floor == folder);
    Some(floor.unwrap_or_else(|| panic!("src/{folder} has no floor: give it one in tests/layout.rs")))
}

#[test]
fn no_file_imports_from_a_floor_above_its_own() {
    let imports = imports();
    assert!(imports.values().map(BTreeSet::len).sum::<usize>() > 100, "the imports were not understood: {imports:?}");
    let mut upwards = Vec::new();
    for (module, used) in &imports {
        let Some(own) = floor(module) else { continue };
        upwards.extend(used.iter().filter(|used| floor(used) > Some(own)).map(|used| format!("{module} uses {used}")));
    }
    assert!(upwards.is_empty(), "imports upwards: {upwards:#?}");
}

#[test]
fn no_files_import_one_another_in_a_circle() {
    let imports = imports();
    // Removes modules that import nothing that is left, until nothing is left, or only circles and the modules that depend on them.
    let mut left = imports.clone();
    loop {
        let free: Vec<String> = left
            .iter()
            .filter(|(_, used)| used.iter().all(|used| !left.contains_key(used)))
            .map(|(module, _)| module.clone())
            .collect();
        if free.is_empty() {
            break;
        }
        free.iter().for_each(|module| drop(left.remove(module)));
    }
    // Follows any import that is left, until a module comes again.
    let Some(first) = left.keys().next() else { return };
    let mut way = vec![first.clone()];
    loop {
        let last = way.last().expect("a module");
        let next = left[last].iter().find(|used| left.contains_key(*used)).expect("an import that is left").clone();
        if let Some(start) = way.iter().position(|module| *module == next) {
            panic!("a circle: {} -> {next}; {} files hang on circles", way[start..].join(" -> "), left.len());
        }
        way.push(next);
    }
}

#[test]
fn no_file_is_too_long() {
    let folders = ["src", "tests", "examples", "benches", "fuzz", "tools"].map(|folder| root().join(folder));
    let mut long = Vec::new();
    let mut longer: BTreeSet<&str> = LONGER.iter().map(|(file, _)| *file).collect();
    for file in folders.iter().flat_map(|folder| rust_files(folder)) {
        let lines = fs::read_to_string(&file).expect("a source").lines().count();
        let name =
            file.strip_prefix(root()).expect("a file here").to_str().expect("a name in ASCII").replace('\\', "/");
        if lines > LONGEST && !longer.remove(name.as_str()) {
            long.push(format!("{name}: {lines} lines"));
        }
    }
    assert!(long.is_empty(), "files of more than {LONGEST} lines: {long:#?}");
    assert!(longer.is_empty(), "no longer longer than {LONGEST} lines: {longer:?}");
}

#[test]
fn imports_are_read_as_they_are_written() {
    let source = "\
use core::fmt;
use crate::kernel::{element::{Element, Float as Lane}, level::Level};
pub(crate) use super::engine::run; // use crate::none::at_all;
#[cfg(test)]
    use self::inner::{
        One,
        Two,
    };
macro_rules! m {
    () => {
        use crate::names::any::AnyActivation;
    };
}
fn because() { let _ = 1; }
use crate::pass::*;
pub use inner::three;
";
    let modules = ["rows", "rows::softmax", "rows::softmax::inner"].map(str::to_owned).into();
    let of_rows = |used: Used| from_root(&used.path, "rows::softmax", &modules);
    let paths: Vec<Option<String>> = used_paths(source).into_iter().map(of_rows).collect();
    let expected = [
        None,
        Some("kernel::element::Element"),
        Some("kernel::element::Float"),
        Some("kernel::level::Level"),
        Some("rows::engine::run"),
        Some("rows::softmax::inner::One"),
        Some("rows::softmax::inner::Two"),
        Some("pass::*"),
        Some("rows::softmax::inner::three"),
    ];
    assert_eq!(paths, expected.map(|path| path.map(str::to_owned)));
}
