//! Writes the pictures.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use gallery::Picture;

const USAGE: &str = "\
usage: gallery [functions | accuracy] [--out FOLDER]

Draws each function with its derivative, and the errors of this crate beside those of plain formulas; both, if none is
named. FOLDER is the repository's docs/pictures, unless another is given.";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut folder = gallery::committed().to_path_buf();
    let mut which = None;
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match (arg.as_str(), which) {
            ("--out", _) => folder = PathBuf::from(args.next().ok_or("--out needs a folder")?),
            ("functions", None) => which = Some(gallery::functions as fn() -> Vec<Picture>),
            ("accuracy", None) => which = Some(gallery::accuracy as fn() -> Vec<Picture>),
            ("--help" | "-h", _) => {
                println!("{USAGE}");
                return Ok(());
            }
            _ => return Err(format!("what is `{arg}`?\n{USAGE}").into()),
        }
    }
    match which {
        Some(draw) => write(&folder, &draw()),
        None => write(&folder, &gallery::functions()).and_then(|()| write(&folder, &gallery::accuracy())),
    }
}

fn write(folder: &Path, pictures: &[Picture]) -> Result<(), Box<dyn Error>> {
    for picture in pictures {
        let path = folder.join(&picture.path);
        let parent = path.parent().expect("a file is in a folder");
        std::fs::create_dir_all(parent)
            .and_then(|()| std::fs::write(&path, &picture.bytes))
            .map_err(|e| format!("cannot write {}: {e}", path.display()))?;
        println!("{} {} bytes", picture.path, picture.bytes.len());
    }
    Ok(())
}
