//! The comparison with PyTorch, and whether it detects wrong numbers.

use std::process::Command;

use activations::{Activation, ClampedSwiGlu, Gate, Packing};
use half::bf16;
use transformer_blocks::blocks::Block;
use transformer_blocks::check::{Line, compare};
use transformer_blocks::compute::{HEADS, QUERIES, WINDOW};
use transformer_blocks::number::Number;
use transformer_blocks::reference::Reference;
use transformer_blocks::slices::{SoftCap, gemma_2_softmax, gpt_oss_softmax};
use transformer_blocks::weights::numbers;

const TEXT: &str = include_str!("../data/reference.csv");

fn describe(line: &Line) -> String {
    let Line { block, part, number, from_weights, difference, pytorch, this_crate } = line;
    let of = if *from_weights { "from weights" } else { "function" };
    let name = block.name();
    format!("{name} {part} {number}, {of}: from PyTorch {difference}; PyTorch {pytorch}; this crate {this_crate}")
}

#[test]
fn everything_is_as_near_to_pytorch_as_its_roundings_allow() {
    let lines = compare(&Reference::committed());
    assert_eq!(lines.len(), 80);
    let failed: Vec<_> = lines.iter().filter(|line| line.fails()).map(describe).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

/// The bounds of a whole block assume that all roundings are as large as possible and in one direction. Real roundings partly cancel. These
/// figures are measured, and may only fall.
#[test]
fn everything_is_as_near_to_pytorch_as_it_was() {
    for line in compare(&Reference::committed()) {
        let limit = if line.number == "f32" { 18.0 } else { 6.0 };
        assert!(line.difference.error <= limit, "{}", describe(&line));
    }
}

/// No result of a function is off by more than one rounding of its greatest number, because it is computed in `f32` and rounded once.
#[test]
fn bf16_is_rounded_once() {
    for line in compare(&Reference::committed()).iter().filter(|line| line.number == "bf16" && !line.from_weights) {
        let one = 1.0 + 1.0 / 256.0;
        assert!(line.part == "loss" || line.this_crate.error <= one, "{}", describe(line));
    }
}

#[test]
fn a_number_that_pytorch_did_not_compute_is_found() {
    for (block, part) in
        [("gpt-oss attention", "p"), ("gpt-oss feed-forward", "grad_gate_up"), ("Gemma 2 logits", "grad_x")]
    {
        for (number, changed_bits) in [("f32", 1 << 10), ("bf16", 1 << 4)] {
            let start = format!("{block},{number},{part},");
            let change = |line: &str| match line.strip_prefix(&start) {
                Some(numbers) => {
                    let mut bits: Vec<_> =
                        numbers.split(',').map(|bits| u32::from_str_radix(bits, 16).unwrap()).collect();
                    *bits.iter_mut().rev().find(|bits| **bits > 0).unwrap() ^= changed_bits;
                    start.clone() + &bits.iter().map(|bits| format!("{bits:x}")).collect::<Vec<_>>().join(",")
                }
                None => line.to_owned(),
            };
            let text: Vec<_> = TEXT.lines().map(change).collect();
            let lines = compare(&Reference::parsed(&text.join("\n")).unwrap());
            let failed = |line: &&Line| line.fails() && !line.from_weights;
            let failed: Vec<_> =
                lines.iter().filter(failed).map(|line| (line.block.name(), line.number, line.part)).collect();
            assert_eq!(failed, [(block, number, part)]);
        }
    }
}

#[test]
fn a_file_that_is_not_whole_is_named() {
    let error = |text| Reference::parsed(text).unwrap_err();
    assert_eq!(error(""), "no versions");
    assert_eq!(error("versions,torch 1\nblock,f32"), "a line of too few fields: \"block,f32\"");
    assert!(error("versions,torch 1\nblock,bf16,x,1ffff").contains("\"1ffff\", which is no finite number of the type"));
    assert!(error("versions,torch 1\nblock,f32,x,7fc00000").contains("no finite number"));
    assert!(error("versions,torch 1\nblock,f16,x,0").contains("no finite number"));
    assert!(error("versions,torch 1\nblock,f32,x,0\nblock,f32,x,0").ends_with("twice"));
}

/// With these weights every branch of the functions is taken.
#[test]
fn limits_caps_windows_and_sinks_are_reached() {
    let reference = Reference::committed();
    let part = |block, part| reference.part::<f32>(block, part).iter().map(|&x| x as f32).collect::<Vec<_>>();

    let gate_up = part(Block::GptOssFeedForward, "gate_up");
    let count = |beyond: &dyn Fn(&[f32]) -> bool| gate_up.chunks(2).filter(|pair| beyond(pair)).count();
    assert!(
        count(&|pair| pair[0] > 7.0) >= 5 && count(&|pair| pair[1] > 7.0) >= 5 && count(&|pair| pair[1] < -7.0) >= 5
    );
    let other_limit = ClampedSwiGlu::new(1.702, 8.0, 1.0).unwrap();
    let mut gated = vec![0.0; gate_up.len() / 2];
    other_limit.forward_packed(Packing::Interleaved, &gate_up, &mut gated);
    assert_ne!(gated, part(Block::GptOssFeedForward, "gated"));

    for (block, window) in [(Block::GptOssAttention, WINDOW), (Block::Gemma2Attention { sliding: true }, WINDOW)] {
        for of in ["p", "grad_x"] {
            for (row, p) in part(block, of).chunks(QUERIES).enumerate() {
                let query = row % QUERIES;
                let seen = (query + 1).saturating_sub(window)..=query;
                assert!(p.iter().enumerate().all(|(key, &p)| seen.contains(&key) || p == 0.0), "{} {of}", block.name());
            }
        }
    }

    let x = part(Block::GptOssAttention, "x");
    let p = gpt_oss_softmax(&numbers::<f32>(30, HEADS, 2.0)).unwrap().forward_vec(&x);
    let greatest_sink = p.chunks(QUERIES).map(|p| 1.0 - p.iter().sum::<f32>()).fold(0.0, f32::max);
    assert!(greatest_sink > 0.5, "{greatest_sink}");

    for sliding in [true, false] {
        let x = part(Block::Gemma2Attention { sliding }, "x");
        let capped = gemma_2_softmax(sliding).unwrap();
        let (with, without) = (capped.forward_vec(&x), capped.soft_cap(1e6).unwrap().forward_vec(&x));
        let change = with.iter().zip(&without).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(change > 0.01, "{change}");
    }
    let x = part(Block::Gemma2Logits, "x");
    let change = SoftCap(30.0).forward_vec(&x).iter().zip(&x).map(|(y, x)| (y - x).abs()).fold(0.0, f32::max);
    assert!(change > 10.0, "{change}");
}

/// Both types are then compared on the same block.
#[test]
fn weights_are_numbers_of_both_types() {
    let (wide, narrow) = (numbers::<f32>(1, 1000, 2.0), numbers::<bf16>(1, 1000, 2.0));
    assert!(wide.iter().zip(&narrow).all(|(wide, narrow)| *wide == narrow.wide()));
    assert!(
        wide.iter().all(|x| (-2.0..2.0).contains(x)) && wide.iter().any(|&x| x < -1.9) && wide.iter().any(|&x| x > 1.9)
    );
}

#[test]
fn the_program_prints_a_table() {
    let output = Command::new(env!("CARGO_BIN_EXE_transformer_blocks")).output().expect("the program starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("torch 2.15.0") && said.ends_with("All 80 comparisons are within their bounds.\n"), "{said}");
    assert_eq!(said.lines().filter(|line| line.contains(" %")).count(), 80, "{said}");
}
