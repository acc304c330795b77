//! No public function is missing: if a function of the committed interface takes or returns numbers of an element's type, a module
//! must cover it.

use std::collections::BTreeSet;

use activations::AnyActivation;

use crate::cases::Case;
use crate::number::TYPES;
use crate::{activations_cells, attention, choices, gates, layers, losses, rows, sums, wide};

const INTERFACE: &str = include_str!("../public-api.txt");

/// Functions that compute nothing.
const NOT_COMPUTED: [&str; 3] = ["BinaryTargets::from", "Prelu::new", "Prelu::slopes"];

/// The names of public functions with a slice, an array or a number of an element's type.
fn public() -> BTreeSet<String> {
    let functions = INTERFACE.lines().filter_map(|line| {
        line.strip_prefix("pub ")?.strip_prefix("const ").or(line.strip_prefix("pub "))?.strip_prefix("fn ")
    });
    // Trait objects are left out, because they are called through the methods of their traits, which are covered.
    let is_object = |function: &&str| function.starts_with('&') || function.starts_with("alloc::boxed::Box<");
    functions.filter(|function| takes_numbers(function) && !is_object(function)).map(name).collect()
}

fn takes_numbers(function: &str) -> bool {
    let number = ["[T]", "[T; ", "(T", ", T,", ", T)", "-> T", "Vec<T>", ", T>>", "Element>::Float"];
    let signature = &function[function.find('(').unwrap_or(0)..];
    number.iter().any(|number| signature.contains(number))
}

/// `activations::At<activations::Prelu<'_, T>>::backward(..)` is `At<Prelu>::backward`.
fn name(function: &str) -> String {
    let path = function[..function.find('(').expect("parameters")].replace("activations::", "");
    // The function's own parameters.
    let path = match path.strip_suffix('>') {
        Some(_) => &path[..opening(&path)],
        None => &path,
    };
    let Some((owner, method)) = path.rsplit_once("::") else { return path.to_owned() };
    let Some((owner, parameters)) = owner.split_once('<') else { return format!("{owner}::{method}") };
    let words = parameters.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '\''));
    // Letters stand for any type, but a type is named.
    let named: Vec<&str> = words.filter(|word| word.len() > 1 && !word.starts_with('\'')).collect();
    if named.is_empty() { format!("{owner}::{method}") } else { format!("{owner}<{}>::{method}", named.join(", ")) }
}

/// Where the last pair of angle brackets opens.
fn opening(path: &str) -> usize {
    let mut depth = 0;
    for (i, c) in path.char_indices().rev() {
        depth += i32::from(c == '>') - i32::from(c == '<');
        if depth == 0 {
            return i;
        }
    }
    0
}

fn covered() -> BTreeSet<String> {
    let modules = [
        activations_cells::covered(),
        rows::covered(),
        attention::covered(),
        choices::covered(),
        sums::covered(),
        losses::covered(),
        gates::covered(),
        layers::covered(),
        wide::covered(),
    ];
    modules.into_iter().flatten().collect()
}

/// Whether it belongs to `Exact`, so that it has no error that the matrix could bound. `tests/suite/exact.rs` and `tests/halves/exact.rs`
/// test the bits for all functions of [`AnyActivation`], and `tests/suite/exact_rows.rs` and `tests/losses/exact.rs` for rows and losses.
fn is_of_exact(name: &str) -> bool {
    name.starts_with("Exact::") || name.starts_with("Exact<") || name.ends_with("_exact")
}

/// Whether it has the bits of another function that is covered. `tests/loops/threads.rs` compares the bits.
fn is_threaded(name: &str) -> bool {
    name.ends_with("_parallel")
        || name.starts_with("Parallel::") && name.ends_with("_packed")
        || ["CrossEntropy", "BinaryCrossEntropy", "Biased"]
            .iter()
            .any(|owner| name.starts_with(&format!("Parallel<{owner}>::")))
}

/// Whether it is a method of an activation of single numbers. All of these run the same code, so covering one type is enough.
fn is_of_any_formula(name: &str, covered: &BTreeSet<String>) -> bool {
    let Some((owner, method)) = name.split_once("::") else { return false };
    let plain = |name: &str| name.replace('_', "").to_lowercase();
    let is_one = AnyActivation::all().any(|activation| plain(activation.card().name) == plain(owner));
    is_one && covered.contains(&format!("F::{method}"))
}

/// Whether it is a method of `Scores`. Each function of rows with scores covers these.
fn is_of_all_scores(name: &str, covered: &BTreeSet<String>) -> bool {
    let Some(method) = name.strip_prefix("Scores::") else { return false };
    ["Softmax", "LogSoftmax", "Softmin"].iter().all(|f| covered.contains(&format!("Scores<{f}>::{method}")))
}

/// Whether it is a method of second derivatives or of trained parameters. `tests/gradients` runs them for every type, at every level.
fn is_of_gradients(name: &str) -> bool {
    let method = name.rsplit("::").next().unwrap_or(name);
    let second = [
        "second_derivative",
        "second_derivative_vec",
        "run_second_derivative",
        "double_backward",
        "run_double_backward",
    ];
    second.contains(&method) || name.starts_with("PerChannel::") || name.starts_with("At<PerChannel>::")
}

#[test]
fn every_public_function_is_in_the_matrix() {
    let (public, covered) = (public(), covered());
    assert!(public.len() > 150, "the interface was not understood: {public:?}");
    let missing: Vec<&String> = public
        .iter()
        .filter(|name| !NOT_COMPUTED.contains(&name.as_str()) && !covered.contains(*name))
        .filter(|name| cfg!(feature = "rayon") || !name.starts_with("Parallel"))
        .filter(|name| !is_of_any_formula(name, &covered) && !is_of_all_scores(name, &covered) && !is_of_exact(name))
        .filter(|name| !is_threaded(name) && !is_of_gradients(name))
        .collect();
    assert!(missing.is_empty(), "public functions that no module of tests/matrix covers: {missing:#?}");
    let (functions, cases) = (covered.len(), Case::ALL.len());
    println!(
        "the matrix: {functions} public functions x {TYPES} types x {cases} cases; {} in the interface",
        public.len()
    );
}

#[test]
fn names_are_those_of_the_interface() {
    for (line, expected) in [
        ("activations::At<activations::Prelu<'_, T>>::backward(&self, &[T])", "At<Prelu>::backward"),
        ("activations::log_sum_exp<T: activations::Element>(&[T]) -> T", "log_sum_exp"),
        ("activations::CrossEntropy::loss<'a, T: activations::Element>(&self, &[T]) -> T", "CrossEntropy::loss"),
        ("activations::Scores<'_, activations::Softmax, T>::forward(&self, &[T])", "Scores<Softmax>::forward"),
        ("activations::LogSumExp<T>::of(&[T]) -> Self", "LogSumExp::of"),
        (
            "activations::LogSumExp<T>::finish_wide(&self) -> <T as activations::Element>::Float",
            "LogSumExp::finish_wide",
        ),
        (
            "activations::Wide<activations::CrossEntropy>::loss<'a, T: activations::Element>(&self, &[T])",
            "Wide<CrossEntropy>::loss",
        ),
    ] {
        assert_eq!(name(line), expected);
        assert!(takes_numbers(line), "{line}");
    }
}
