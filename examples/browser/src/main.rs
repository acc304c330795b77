//! Compiles the page's WebAssembly and serves the page to this machine.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

mod build;
mod server;

const USAGE: &str = "\
usage: browser [--port PORT]      compiles the page and serves it on http://127.0.0.1:8080/, or on that port; 0 takes a free one
       browser build FOLDER       compiles the page and writes its files to the folder, for any server of files
       browser digests [NAME...]  computes the native digests, or only those of these functions, and writes digests.csv";

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
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        [] => server::serve(8080, &build::wasm()?),
        ["--port", port] => {
            let port = port.parse().map_err(|_| format!("`{port}` is no port"))?;
            server::serve(port, &build::wasm()?)
        }
        ["build", folder] => build::write(Path::new(folder), &build::wasm()?),
        ["digests", ref names @ ..] => {
            let path = build::package().join("digests.csv");
            std::fs::write(&path, browser::digest::table(names, &std::fs::read_to_string(&path)?))?;
            println!("{}", path.display());
            Ok(())
        }
        ["--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => Err(format!("what is `{}`?\n{USAGE}", args.join(" ")).into()),
    }
}
