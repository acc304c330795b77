//! Computes with this crate for a program in another language: `values FUNCTION PASS DTYPE` reads numbers from stdin and writes as many
//! to stdout, as raw bytes in the machine's order. PASS is `forward` or `derivative`, and DTYPE is `f32` or `f64`.

use std::error::Error;
use std::io::{self, Read, Write};
use std::process::ExitCode;

use activations::Element;
use peers::ours;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("values: {error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [function, pass, dtype] = &arguments[..] else { return Err("expected `FUNCTION PASS DTYPE`".into()) };
    match dtype.as_str() {
        "f32" => convert(function, pass, f32::from_ne_bytes, f32::to_ne_bytes),
        "f64" => convert(function, pass, f64::from_ne_bytes, f64::to_ne_bytes),
        _ => Err(format!("unknown type `{dtype}`: known are f32 and f64").into()),
    }
}

fn convert<T: Element, const SIZE: usize>(
    function: &str,
    pass: &str,
    from: fn([u8; SIZE]) -> T,
    to: fn(T) -> [u8; SIZE],
) -> Result<(), Box<dyn Error>> {
    let f = ours::<T>(function, None)?;
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes)?;
    let (numbers, rest) = bytes.as_chunks();
    if !rest.is_empty() {
        return Err(format!("{} bytes do not divide into numbers of {SIZE}", bytes.len()).into());
    }
    let x: Vec<T> = numbers.iter().map(|&number| from(number)).collect();
    let y = match pass {
        "forward" => f.forward_vec(&x),
        "derivative" => f.derivative_vec(&x),
        _ => return Err(format!("unknown pass `{pass}`: known are forward and derivative").into()),
    };
    let bytes: Vec<u8> = y.into_iter().flat_map(to).collect();
    Ok(io::stdout().lock().write_all(&bytes)?)
}
