//! The same bits in any place, in a slice of any length, and at every level of the same kind.

use crate::digest;
use crate::support::{
    Bits, Float, Outputs, assert_same, chosen, elementwise, is_elementwise, levels, on_one_row, on_rows,
};
use activations::Level;

/// The levels of this CPU, grouped by kind: levels of a kind promise the same bits. Prints them.
fn kinds() -> Vec<Vec<Level>> {
    let mut kinds = Vec::new();
    for fused in [true, false] {
        let levels: Vec<Level> = levels().filter(|level| level.is_fused() == fused).collect();
        let kind = if fused { "fused" } else { "plain" };
        if levels.is_empty() {
            println!("{kind}: no level on this machine, NOT TESTED");
            continue;
        }
        let alone = if levels.len() == 1 { " (only one: nothing to compare it with)" } else { "" };
        println!("{kind}: {}{alone}", levels.iter().map(Level::to_string).collect::<Vec<_>>().join(", "));
        kinds.push(levels);
    }
    kinds
}

#[test]
fn every_level_of_the_machine_is_in_one_kind() {
    let kinds = kinds();
    assert_eq!(kinds.iter().map(Vec::len).sum::<usize>(), levels().count());
    let best = Level::best();
    assert!(Level::available().any(|level| level.name() == best.name()), "the best level is not among those available");
    #[cfg(target_arch = "x86_64")]
    assert!(Level::available().any(|level| !level.is_fused()), "every x86-64 has its baseline");
}

/// If it is the only level of the kind "plain", the committed digests of that kind also hold for it.
#[test]
fn portable_bits_are_those_of_levels_without_fused_multiply_add() {
    let x: Vec<f32> = Bits(10).floats(600);
    assert!(!Level::portable().is_fused());
    for activation in chosen() {
        let portable = Outputs::of(&Level::portable().with(activation), &x, &x);
        for level in Level::available().filter(|level| !level.is_fused()) {
            let plain = Outputs::of(&level.with(activation), &x, &x);
            for ((method, expected), (_, got)) in portable.named().into_iter().zip(plain.named()) {
                assert_same(&format!("{activation} at {level}, {method}"), &x, expected, got);
            }
        }
    }
}

/// Lengths just below and above a vector, the loop's strips of 64 and blocks of 256, with and without a rest.
fn lengths() -> impl Iterator<Item = usize> {
    (1..=70).chain([127, 129, 255, 256, 257, 320, 511, 513, 1023, 1025])
}

#[test]
fn bits_do_not_depend_on_position() {
    fn check<T: Float>(kinds: &[Vec<Level>]) {
        let mut bits = Bits(11);
        let (x, grad_y): (Vec<T>, Vec<T>) = (bits.floats(1_100), bits.floats(1_100));
        for activation in elementwise() {
            for levels in kinds {
                // The expected bits: each element by itself, at the first level.
                let alone: Vec<Outputs<T>> = x
                    .iter()
                    .zip(&grad_y)
                    .map(|(&x, &g)| Outputs::of(&levels[0].with(activation), &[x], &[g]))
                    .collect();
                let expected: Vec<Vec<T>> = (0..alone[0].named().len())
                    .map(|method| alone.iter().map(|outputs| outputs.named()[method].1[0]).collect())
                    .collect();
                for level in levels {
                    let at = level.with(activation);
                    let compare = |from: usize, to: usize| {
                        let outputs = Outputs::of(&at, &x[from..to], &grad_y[from..to]);
                        for ((method, got), expected) in outputs.named().into_iter().zip(&expected) {
                            let what = format!("{activation} at {level}, {method}, elements {from}..{to}");
                            assert_same(&what, &x[from..to], &expected[from..to], got);
                        }
                    };
                    for place in 0..x.len() {
                        compare(place, place + 1);
                    }
                    for offset in [0, 1, 2, 3, 5, 8, 15, 33] {
                        for len in lengths() {
                            compare(offset, offset + len);
                        }
                    }
                }
            }
        }
    }
    let kinds = kinds();
    check::<f32>(&kinds);
    check::<f64>(&kinds);
}

/// Rows of scores as in a network, some of them far from 0 and some masked.
fn scores<T: Float>(bits: &mut Bits, len: usize) -> Vec<T> {
    (0..len)
        .map(|_| match bits.next() % 16 {
            0 => T::neg_infinity(),
            1 | 2 => T::of(bits.within(200.0)),
            _ => T::of(bits.within(10.0)),
        })
        .collect()
}

#[test]
fn bits_of_rows_do_not_depend_on_the_level_or_on_where_the_row_starts() {
    fn check<T: Float>(kinds: &[Vec<Level>]) {
        let mut bits = Bits(12);
        for n in (1..=600).chain([1_000, 1_023, 1_025, 2_048, 4_099]) {
            // The row between others, so that it starts at any alignment.
            let before = n * (1 + n % 3);
            let (x, g): (Vec<T>, Vec<T>) = (scores(&mut bits, before + 2 * n), scores(&mut bits, before + 2 * n));
            let own = before..before + n;
            let g: Vec<T> = g.iter().map(|&g| if g.is_finite() { g } else { T::zero() }).collect();
            let functions = on_one_row().into_iter().zip(on_rows(n));
            for ((whole, rows), levels) in functions.flat_map(|f| kinds.iter().map(move |levels| (f, levels))) {
                let expected = Outputs::of(&levels[0].with(whole), &x[own.clone()], &g[own.clone()]);
                for level in levels {
                    let alone = Outputs::of(&level.with(whole), &x[own.clone()], &g[own.clone()]);
                    let row = Outputs::of(&level.with(rows), &x, &g);
                    for (((method, expected), (_, alone)), (_, row)) in
                        expected.named().into_iter().zip(alone.named()).zip(row.named())
                    {
                        let what = format!("{whole} at {level}, {method}, row of {n}");
                        let x = &x[own.clone()];
                        assert_same(&what, x, expected, alone);
                        assert_same(&format!("{what} between others"), x, expected, &row[own.clone()]);
                    }
                }
            }
        }
    }
    let kinds = kinds();
    check::<f32>(&kinds);
    check::<f64>(&kinds);
}

#[test]
fn in_place_and_one_pass_give_the_bits_of_forward_and_derivative() {
    fn check<T: Float>() {
        let mut bits = Bits(13);
        for activation in chosen() {
            for level in Level::available() {
                for len in lengths() {
                    let x: Vec<T> = if is_elementwise(&activation) { bits.floats(len) } else { scores(&mut bits, len) };
                    let outputs = Outputs::of(&level.with(activation), &x, &x);
                    for (method, got) in outputs.values() {
                        assert_same(&format!("{activation} at {level}, {method}"), &x, &outputs.forward, got);
                    }
                    for (method, got) in outputs.derivatives() {
                        assert_same(&format!("{activation} at {level}, {method}"), &x, &outputs.derivative, got);
                    }
                }
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn bits_do_not_change_from_call_to_call_or_from_thread_to_thread() {
    let mut bits = Bits(14);
    let x: Vec<f32> = (0..1_500).map(|_| bits.within(20.0) as f32).collect();
    for activation in chosen() {
        let expected = Outputs::of(&activation, &x, &x);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let again = Outputs::of(&activation, &x, &x);
                    for ((method, expected), (_, got)) in expected.named().into_iter().zip(again.named()) {
                        assert_same(&format!("{activation}, {method}, in a thread"), &x, expected, got);
                    }
                });
            }
        });
    }
}

#[test]
fn bits_of_f32_equal_the_committed_ones() {
    digest::assert_committed::<f32>();
}

#[test]
fn bits_of_f64_equal_the_committed_ones() {
    digest::assert_committed::<f64>();
}
