//! The files of the page: those in the package's folder, and the WebAssembly that Cargo compiles of its library.

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-unknown-unknown";

/// The path under which the page asks for the WebAssembly.
pub(crate) const WASM: &str = "browser.wasm";

/// The files that are not compiled, by the path under which the page asks for them. They are in the package's folder.
pub(crate) const FILES: [(&str, &str); 5] = [
    ("index.html", "page/index.html"),
    ("page.css", "page/page.css"),
    ("page.js", "page/page.js"),
    ("chart.js", "page/chart.js"),
    ("digests.csv", "digests.csv"),
];

/// The folder of this package.
pub(crate) fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Compiles the library to WebAssembly, and returns the path of the file.
pub(crate) fn wasm() -> Result<PathBuf, Box<dyn Error>> {
    install_target()?;
    let targets = env::var_os("CARGO_TARGET_DIR").map_or_else(|| package().join("target"), PathBuf::from);
    println!("compiling the WebAssembly; that takes a minute or two the first time");
    run(Command::new(cargo())
        .args(["rustc", "--locked", "--lib", "--crate-type", "cdylib", "--profile", "page", "--target", TARGET])
        .arg("--manifest-path")
        .arg(package().join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&targets)
        // 128-bit vectors: every browser has had them since 2023.
        .env("RUSTFLAGS", "-C target-feature=+simd128")
        .env_remove("CARGO_ENCODED_RUSTFLAGS"))?;
    Ok(targets.join(TARGET).join("page").join(WASM))
}

/// Writes all files of the page to a folder.
pub(crate) fn write(folder: &Path, wasm: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    let files = FILES.iter().map(|(name, path)| (*name, package().join(path)));
    for (name, path) in files.chain([(WASM, wasm.to_path_buf())]) {
        let bytes = fs::copy(&path, folder.join(name)).map_err(|error| format!("{}: {error}", path.display()))?;
        println!("{} {bytes} bytes", folder.join(name).display());
    }
    Ok(())
}

fn cargo() -> PathBuf {
    env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from)
}

/// Makes sure that the standard library of the target is installed; otherwise rustup installs it.
fn install_target() -> Result<(), Box<dyn Error>> {
    let output = Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]).output()?;
    let library = String::from_utf8(output.stdout)?;
    if Path::new(library.trim()).is_dir() {
        return Ok(());
    }
    run(Command::new("rustup").args(["target", "add", TARGET]))
}

fn run(command: &mut Command) -> Result<(), Box<dyn Error>> {
    let status = command.status().map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}").into()) }
}
