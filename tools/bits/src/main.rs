//! Compares the bits of every function with the committed digests, in this build and on this CPU. This is a part of the tests
//! that compiles in a fraction of their time. `tools/bits.sh` runs it for many builds.
//!
//! `bits FILE` writes the digests to the file instead. If the environment variable `ONLY` names functions, only their digests
//! are written, and the others stay.

#[path = "../../../tests/suite/digest.rs"]
mod digest;
#[allow(dead_code, reason = "a part of what the suite uses")]
#[path = "../../../tests/suite/support.rs"]
mod support;

use activations::Level;

/// Calls the function for each type of element, and returns the results.
macro_rules! each {
    ($function:ident) => {{
        vec![
            digest::$function::<f32>(),
            digest::$function::<f64>(),
            #[cfg(feature = "half")]
            digest::$function::<half::f16>(),
            #[cfg(feature = "half")]
            digest::$function::<half::bf16>(),
        ]
    }};
}

fn main() -> std::io::Result<()> {
    if let Some(path) = std::env::args().nth(1) {
        let mut digests = digest::committed();
        digests.retain(|line, _| !digest::is_compared(line));
        digests.extend(each!(found).into_iter().flatten());
        let lines: Vec<String> = digests.iter().map(|(line, digest)| format!("{line},{digest:016x}\n")).collect();
        return std::fs::write(path, lines.concat());
    }
    let levels: Vec<String> = Level::available().map(|level| level.to_string()).collect();
    println!("levels: {}", levels.join(", "));
    each!(assert_committed);
    Ok(())
}
