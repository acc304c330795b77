//! The bits of every function, as committed digests: the same on every CPU of a kind, in every build.
//!
//! `reproducibility` compares the levels of one machine; this compares machines. After a change of bits that is
//! meant (and listed in the changelog), `UPDATE_DIGESTS=1 cargo test --release --test suite digest` writes the file anew
//! on a machine that has both kinds.

use std::collections::BTreeMap;
use std::fmt::Write;

use activations::{AnyActivation, Level};

use crate::support::{Bits, Float, Outputs, digest, digest_inputs, is_elementwise};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tables/digests.csv");

/// Rows of scores of several lengths, one after the other.
fn rows<T: Float>() -> Vec<Vec<T>> {
    let mut bits = Bits(22);
    [1, 2, 7, 10, 31, 32, 33, 100, 128, 200, 1000, 1024, 1025, 3000, 10_000]
        .map(|len| {
            let size = [1.0, 10.0, 100.0, 1e4][len % 4];
            (0..len)
                .map(|_| if bits.next().is_multiple_of(50) { T::neg_infinity() } else { T::of(bits.within(size)) })
                .collect()
        })
        .into()
}

fn digests<T: Float>(digests: &mut BTreeMap<String, u64>) {
    let (inputs, rows) = (vec![digest_inputs::<T>()], rows::<T>());
    for activation in AnyActivation::all() {
        let x = if is_elementwise(&activation) { &inputs } else { &rows };
        for level in Level::available() {
            let outputs: Vec<_> = x
                .iter()
                .map(|x| {
                    let grad_y: Vec<T> = x.iter().rev().map(|x| if x.is_finite() { *x } else { T::one() }).collect();
                    Outputs::of(&level.with(activation), x, &grad_y)
                })
                .collect();
            let kind = if level.is_fused() { "fused" } else { "plain" };
            for (what, numbers) in [
                ("forward", outputs.iter().flat_map(|o| o.forward.clone()).collect::<Vec<T>>()),
                ("derivative", outputs.iter().flat_map(|o| o.derivative.clone()).collect()),
                ("backward", outputs.iter().flat_map(|o| o.backward.clone()).collect()),
            ] {
                let (line, digest) = (format!("{activation},{},{kind},{what}", T::TYPE), digest(&numbers));
                let before = digests.insert(line.clone(), digest);
                assert!(before.is_none_or(|before| before == digest), "{line}: other bits at {level}");
            }
        }
    }
}

#[test]
fn bits_are_those_that_are_committed() {
    let mut found = BTreeMap::new();
    digests::<f32>(&mut found);
    digests::<f64>(&mut found);
    if std::env::var_os("UPDATE_DIGESTS").is_some() {
        let text = found.iter().fold(String::new(), |mut text, (line, digest)| {
            writeln!(text, "{line},{digest:016x}").expect("a string takes all");
            text
        });
        return std::fs::write(PATH, text).expect("the file of digests is written");
    }
    let committed = std::fs::read_to_string(PATH).expect(PATH);
    let committed: BTreeMap<&str, &str> = committed.lines().filter_map(|line| line.rsplit_once(',')).collect();
    let differ: Vec<String> = found
        .iter()
        .filter(|(line, digest)| committed.get(line.as_str()) != Some(&format!("{digest:016x}").as_str()))
        .map(|(line, digest)| format!("{line}: {digest:016x}, committed {:?}", committed.get(line.as_str())))
        .collect();
    assert!(differ.is_empty(), "{} of {} digests differ:\n{}", differ.len(), found.len(), differ.join("\n"));
    for kind in ["fused", "plain"] {
        let here = found.keys().filter(|line| line.contains(kind)).count();
        let all = committed.keys().filter(|line| line.contains(kind)).count();
        assert!(here == 0 || here == all, "{kind}: {all} digests are committed, {here} functions exist");
        println!("{kind}: {here} digests equal those committed{}", if here == 0 { ", NOT TESTED" } else { "" });
    }
}
