//! The conversions between halves and `f32`, one by one and by slices, at every level.

use activations::{Element, Level};
use half::{bf16, f16};

/// Bit patterns of `f32`: in steps of a prime, and around every half and every tie between two.
fn patterns() -> impl Iterator<Item = u32> {
    let around = (0..=u32::MAX >> 12).flat_map(|high| (-1..=1).map(move |i| (high << 12).wrapping_add_signed(i)));
    (0..=u32::MAX).step_by(4_099).chain(around)
}

/// The results of all ways to widen.
fn widened<T: Element<Float = f32>>(halves: &[T]) -> Vec<Vec<f32>> {
    let mut all = vec![halves.iter().map(|half| half.widened()).collect()];
    for level in Level::available() {
        let mut to = vec![0.0; halves.len()];
        T::widen(level, halves, &mut to);
        all.push(to);
    }
    all
}

/// The results of all ways to round.
fn rounded<T: Element<Float = f32>>(floats: &[f32]) -> Vec<Vec<T>> {
    let mut all = vec![floats.iter().map(|&float| T::rounded(float)).collect()];
    for level in Level::available() {
        let mut to = vec![T::zero(); floats.len()];
        T::narrow(level, floats, &mut to);
        all.push(to);
    }
    all
}

#[test]
fn halves_widen_exactly() {
    let bits: Vec<u16> = (0..=u16::MAX).collect();
    let halves: (Vec<f16>, Vec<bf16>) = bits.iter().map(|&bits| (f16::from_bits(bits), bf16::from_bits(bits))).unzip();
    let expected: (Vec<f64>, Vec<f64>) = halves.0.iter().zip(&halves.1).map(|(f, b)| (f.to_f64(), b.to_f64())).unzip();
    let same = |got: &[f32], expected: &[f64]| {
        for ((&got, &expected), bits) in got.iter().zip(expected).zip(&bits) {
            let same = f64::from(got).to_bits() == expected.to_bits();
            assert!(same || got.is_nan() && expected.is_nan(), "{bits:#06x}: expected {expected:e}, got {got:e}");
        }
    };
    widened(&halves.0).iter().for_each(|got| same(got, &expected.0));
    widened(&halves.1).iter().for_each(|got| same(got, &expected.1));
}

#[test]
fn narrowing_is_to_nearest_even_and_keeps_nan() {
    let floats: Vec<f32> = patterns().map(f32::from_bits).collect();
    for got in rounded::<f16>(&floats) {
        for (&x, half) in floats.iter().zip(got) {
            let bits = x.to_bits();
            if x.is_nan() {
                assert!(half.is_nan() && half.to_bits() & 0x200 != 0, "{bits:#010x}: no quiet NaN");
            } else {
                assert_eq!(half.to_bits(), f16::from_f32_const(x).to_bits(), "{bits:#010x} to f16");
            }
        }
    }
    for got in rounded::<bf16>(&floats) {
        for (&x, half) in floats.iter().zip(got) {
            let bits = x.to_bits();
            if x.is_nan() {
                assert!(half.is_nan() && half.to_bits() & 0x40 != 0, "{bits:#010x}: no quiet NaN");
            } else {
                assert_eq!(half.to_bits(), bf16::from_f32_const(x).to_bits(), "{bits:#010x} to bf16");
            }
        }
    }
}
