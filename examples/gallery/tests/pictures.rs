//! The committed pictures are equal to the program's.

use std::collections::BTreeSet;
use std::fs;

use activations::Level;
use gallery::Picture;

const DRAW: &str = "cargo run --release --manifest-path examples/gallery/Cargo.toml";

/// # Panics
/// If a picture cannot be part of a page, if a file is missing or differs from its picture, or if the folder has another file.
fn compare(pictures: &[Picture], folder: &str) {
    for Picture { path, bytes } in pictures {
        let text = str::from_utf8(bytes).unwrap();
        let (start, end) = if path.ends_with(".html") { ("<div ", "</div>\n") } else { ("<svg ", "</svg>\n") };
        let one_block = text.starts_with(start) && text.ends_with(end) && !text.contains("\n\n");
        assert!(one_block, "{path}: Markdown would end it at an empty line");
        let most = if path.starts_with("overview.") || path.ends_with("overview.svg") { 36_000 } else { 5_000 };
        assert!(text.len() < most, "{path}: {} bytes", text.len());
    }
    if !Level::best().is_fused() {
        eprintln!("not compared: the pictures are of results with fused multiply-add, which this CPU does not have");
        return;
    }
    let stale =
        |picture: &&Picture| fs::read(gallery::committed().join(&picture.path)).ok().as_ref() != Some(&picture.bytes);
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
