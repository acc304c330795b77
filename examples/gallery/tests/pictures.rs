//! The committed pictures are what the program draws.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use activations::Level;
use gallery::Picture;

const DRAW: &str = "cargo run --release --manifest-path examples/gallery/Cargo.toml";

/// # Panics
/// If a file is missing, differs from its picture, or stands in the folder without being one.
fn compare(pictures: &[Picture], folder: &str) {
    if !Level::best().is_fused() {
        eprintln!("not compared: the pictures are of results with fused multiply-add, which this CPU does not have");
        return;
    }
    let stale = |picture: &&Picture| fs::read(gallery::committed().join(&picture.path)).ok().as_ref() != Some(&picture.bytes);
    let stale: Vec<_> = pictures.iter().filter(stale).map(|picture| &picture.path).collect();
    assert!(stale.is_empty(), "out of date: {stale:?}; `{DRAW}` draws them again");

    let folder = gallery::committed().join(folder);
    let drawn: BTreeSet<_> = pictures.iter().map(|picture| gallery::committed().join(&picture.path)).collect();
    let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let surplus: Vec<_> = files.filter(|file| !drawn.contains(file)).collect();
    assert!(surplus.is_empty(), "no picture of this program: {surplus:?}");
}

#[test]
fn functions_are_up_to_date() {
    compare(&gallery::functions(), "");
}

#[test]
fn accuracy_is_up_to_date() {
    compare(&gallery::accuracy(), "accuracy");
}

#[test]
fn pictures_are_small_and_each_is_one_block_of_html() {
    for picture in gallery::functions().into_iter().chain(gallery::accuracy()) {
        if Path::new(&picture.path).extension() != Some("svg".as_ref()) {
            continue;
        }
        let text = String::from_utf8(picture.bytes).unwrap();
        let most = if picture.path.ends_with("overview.svg") { 60_000 } else { 5_000 };
        assert!(text.len() < most, "{}: {} bytes", picture.path, text.len());
        assert!(text.starts_with("<svg ") && text.ends_with("</svg>\n"), "{}", picture.path);
        assert!(text.lines().all(|line| !line.trim().is_empty()), "{}: an empty line", picture.path);
    }
}
