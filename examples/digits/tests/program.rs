//! Runs the program: its files, and its messages for wrong arguments.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn digits(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_digits")).args(arguments).output().expect("the program starts")
}

#[track_caller]
fn fails(arguments: &[&str], with: &str) {
    let output = digits(arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains(with), "{arguments:?}: {said}");
}

#[test]
fn wrong_arguments_are_named() {
    fails(&["--functions", "relu,gleu"], "invalid value 'gleu' for '--functions");
    fails(&["--depths", "0"], "0 is not in 1..=100");
    fails(&["--epochs", "0"], "0 is not in 1..=10000");
    fails(&["--epochs", "many"], "invalid value 'many' for '--epochs");
    fails(&["--learning-rate=-1"], "must be a number above 0");
    fails(&["--learning-rate", "NaN"], "must be a number above 0");
    fails(&["--speed"], "unexpected argument '--speed'");
}

#[test]
fn a_place_that_cannot_be_written_to_is_named() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("a_file");
    fs::write(&file, "").unwrap();
    fails(&["--out", file.to_str().unwrap()], &format!("cannot make the folder {}", file.display()));
}

#[test]
fn a_short_run_prints_a_table_and_draws_pictures_twice_the_same() {
    let run = |name| {
        let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let arguments = ["--functions", "gelu,relu", "--depths", "2,1", "--epochs", "1", "--out"];
        let output = digits(&[&arguments[..], &[out.to_str().unwrap()]].concat());
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        let table: Vec<String> = said.lines().filter(|line| line.starts_with('|')).map(str::to_owned).collect();
        assert_eq!(table[..2], ["| hidden layers | relu | gelu |", "|--:|--:|--:|"]);
        assert!(table[2].starts_with("| 1 |") && table[3].starts_with("| 2 |"), "{said}");
        let pictures = ["curves.svg", "gradients.svg"].map(|name| fs::read_to_string(out.join(name)).unwrap());
        assert!(pictures.iter().all(|svg| svg.starts_with("<svg") && svg.contains("gelu")));
        (table, pictures)
    };
    assert_eq!(run("once"), run("twice"));
}
