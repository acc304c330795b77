//! Digests of correctly rounded results, which the page computes again and compares.

use activations::{Activation, AnyActivation};

use crate::random::Random;

/// How many inputs a digest has.
pub const INPUTS: usize = 1_000_000;

/// Every second input has random bits, so that all magnitudes, subnormal numbers, infinities and NaN occur. The others lie between -20
/// and 20, where functions bend.
#[must_use]
pub fn inputs() -> Vec<f32> {
    let mut random = Random(1);
    let mut next = |i: usize| {
        if i.is_multiple_of(2) { f32::from_bits(random.bits() as u32) } else { 40.0 * random.unit() - 20.0 }
    };
    (0..INPUTS).map(&mut next).collect()
}

/// The digest of [`Exact`](activations::Exact) of the function, or of its derivative; `None` for functions of rows.
///
/// It is FNV-1a over the bits of the results, lowest byte first. All NaNs have the same bits in it.
#[must_use]
pub fn digest(activation: &AnyActivation, slope: bool, x: &[f32]) -> Option<u64> {
    let exact = activation.as_exact()?;
    let y = if slope { exact.derivative_vec(x) } else { exact.forward_vec(x) };
    let bits = y.into_iter().map(|y| if y.is_nan() { f32::NAN.to_bits() } else { y.to_bits() });
    Some(
        bits.flat_map(u32::to_le_bytes)
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)),
    )
}

/// The text of the file `digests.csv`: a line for each function and each derivative, with default parameters. If there are names,
/// the lines of all other functions are the committed ones.
#[must_use]
pub fn table(names: &[&str], committed: &str) -> String {
    let x = inputs();
    let mut text = String::from("function,part,digest\n");
    for activation in AnyActivation::all() {
        let name = activation.card().name;
        for (part, slope) in [("value", false), ("derivative", true)] {
            let start = format!("{name},{part},");
            let known = committed.lines().find(|line| line.starts_with(&start));
            if let Some(line) = known.filter(|_| !names.is_empty() && !names.contains(&name)) {
                text += &format!("{line}\n");
            } else if let Some(digest) = digest(&activation, slope, &x) {
                text += &format!("{start}{digest:016x}\n");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_digests_are_those_of_this_machine() {
        let committed = include_str!("../digests.csv");
        assert!(
            committed == table(&[], ""),
            "`cargo run --release -- digests` writes digests.csv anew: compare the lines"
        );
    }

    #[test]
    fn inputs_are_of_all_kinds() {
        let x = inputs();
        assert_eq!(x.len(), INPUTS);
        assert!(x.iter().any(|x| x.is_nan()) && x.iter().any(|x| x.is_subnormal()));
        assert!(x.iter().filter(|x| x.abs() <= 20.0).count() > INPUTS / 2);
    }

    #[test]
    fn another_function_has_another_digest() {
        let x = inputs();
        let of = |name: &str, slope| digest(&name.parse().unwrap(), slope, &x[..1000]);
        assert!(of("gelu", false).is_some() && of("gelu", false) != of("gelu_tanh", false));
        assert_ne!(of("gelu", false), of("gelu", true));
        assert_eq!(of("silu", false), of("swish", false));
        assert_eq!(of("softmax", false), None);
    }
}
