//! Compares clamped SwiGLU with PyTorch's results in `tests/tables/gates.csv`, which `tools/gates.py` writes.

use activations::{ClampedSwiGlu, Described, Element, Gate, Level};

use crate::common::ulp;

/// A line of the table: three parameters, three inputs, and PyTorch's results for them in `f64`, `f32` and `bf16`.
struct Line {
    parameters: [f64; 3],
    inputs: [f64; 3],
    wide: [f64; 3],
    f32: [f64; 3],
    bf16: [f64; 3],
}

fn lines() -> Vec<Line> {
    let path = format!("{}/tests/tables/gates.csv", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let number = |bits: &str| f64::from_bits(u64::from_str_radix(bits, 16).expect("sixteen hexadecimal digits"));
    text.lines()
        .skip(1)
        .map(|line| {
            let fields: Vec<f64> = line.split(',').map(number).collect();
            let three = |i: usize| [fields[3 * i], fields[3 * i + 1], fields[3 * i + 2]];
            Line { parameters: three(0), inputs: three(1), wide: three(2), f32: three(3), bf16: three(4) }
        })
        .collect()
}

/// `out`, `grad_gate` and `grad_up` of all lines with these parameters.
fn run<T: Element>(level: Level, parameters: [f64; 3], lines: &[&Line]) -> Vec<[T; 3]> {
    let [alpha, limit, up_offset] = parameters;
    let unit = level.with(ClampedSwiGlu::new(alpha, limit, up_offset).expect("parameters in their range"));
    let column = |i: usize| lines.iter().map(|line| T::from(line.inputs[i]).expect("a number")).collect::<Vec<T>>();
    let (gate, up, grad_out) = (column(0), column(1), column(2));
    let zeros = || vec![T::zero(); lines.len()];
    let (mut out, mut grad_gate, mut grad_up) = (zeros(), zeros(), zeros());
    unit.forward(&gate, &up, &mut out);
    unit.backward(&gate, &up, &grad_out, &mut grad_gate, &mut grad_up);
    (0..lines.len()).map(|i| [out[i], grad_gate[i], grad_up[i]]).collect()
}

/// Calls `f` with a level, the lines of a variant, and their results.
fn each<T: Element>(mut check: impl FnMut(Level, &Line, [T; 3])) {
    let lines = lines();
    let mut variants: Vec<[f64; 3]> = lines.iter().map(|line| line.parameters).collect();
    variants.dedup();
    assert_eq!(variants.len(), 5, "the variants of tools/gates.py");
    for parameters in variants {
        let lines: Vec<&Line> = lines.iter().filter(|line| line.parameters == parameters).collect();
        for level in Level::available() {
            for (line, got) in lines.iter().zip(run::<T>(level, parameters, &lines)) {
                check(level, line, got);
            }
        }
    }
}

/// Near the root of the derivative, errors are measured relative to a number of this size.
const FLOOR: f64 = 1.0;

#[test]
fn clamped_swi_glu_equals_pytorchs() {
    let bounds = ClampedSwiGlu::CARD.error;
    each::<f32>(|level, line, got| {
        let (value, slope) = if level.is_fused() { bounds.f32 } else { bounds.f32_plain };
        for (part, bound) in [value, slope, value].into_iter().enumerate() {
            // The derivative has a root, and near it PyTorch's `f32` has no right digits.
            let floor = if part == 1 { FLOOR } else { 0.0 };
            let exact = line.wide[part];
            // `alpha` is rounded to `f32`, and the exponential magnifies that.
            let ([alpha, ..], [gate, ..]) = (line.parameters, line.inputs);
            let bound = bound + (gate * (f64::from(alpha as f32) - alpha)).abs() * 2.0_f64.powi(24);
            let (ours, theirs) =
                (ulp::error_f32(got[part], exact, floor), ulp::error_f32(line.f32[part] as f32, exact, FLOOR));
            assert!(ours <= bound, "part {part} of {:?} at {level}: {} is {ours} ULP off", line.inputs, got[part]);
            assert!(theirs <= 256.0, "PyTorch's part {part} of {:?} is {theirs} ULP off", line.inputs);
        }
    });
    each::<f64>(|level, line, got| {
        for (part, (got, exact)) in got.into_iter().zip(line.wide).enumerate() {
            let error = (got - exact).abs() / exact.abs().max(FLOOR);
            assert!(error <= 1e-14, "part {part} of {:?} at {level}: {:e}", line.inputs, error);
        }
    });
}

#[cfg(feature = "half")]
#[test]
fn clamped_swi_glu_of_bf16_is_nearer_to_the_exact_number_than_pytorchs() {
    use half::bf16;
    each::<bf16>(|level, line, got| {
        for (part, ((got, exact), theirs)) in got.into_iter().zip(line.wide).zip(line.bf16).enumerate() {
            // One rounding from `f32`. PyTorch rounds five operations.
            let spacing = f64::from(bf16::EPSILON) * 2.0_f64.powi(exact.abs().max(1e-30).log2().floor() as i32);
            let (ours, theirs) = ((got.to_f64() - exact).abs(), (theirs - exact).abs());
            assert!(ours <= 0.51 * spacing, "part {part} of {:?} at {level}: {got} for {exact}", line.inputs);
            assert!(ours <= theirs + 0.01 * spacing, "part {part} of {:?}: PyTorch is nearer", line.inputs);
        }
    });
}

#[cfg(feature = "half")]
#[test]
fn clamped_swi_glu_of_f16_is_the_result_of_f32_rounded() {
    use half::f16;
    let (mut halves, mut floats) = (Vec::new(), Vec::new());
    each::<f16>(|_, line, got| halves.push((line.inputs, got)));
    each::<f32>(|_, _, got| floats.push(got));
    for ((inputs, half), float) in halves.into_iter().zip(floats) {
        // If `f16` rounds the inputs, they differ from PyTorch's.
        if inputs.iter().all(|&x| f16::from_f64(x).to_f64() == x) {
            assert_eq!(half.map(f16::to_bits), float.map(|x| f16::from_f32(x).to_bits()), "of {inputs:?}");
        }
    }
}
