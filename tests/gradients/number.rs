//! The element types, and the table of results of PyTorch's autograd.

use activations::Element;

pub(crate) trait Number: Element {
    const TYPE: &'static str;
    /// Half the spacing at 1: the error of one rounding.
    const ROUNDING: f64;
    fn of(x: f64) -> Self;
    fn wide(self) -> f64;
}

macro_rules! number {
    ($type:ty, $rounding:expr, |$x:ident| $of:expr, |$y:ident| $wide:expr) => {
        impl Number for $type {
            const TYPE: &'static str = stringify!($type);
            const ROUNDING: f64 = $rounding;

            fn of($x: f64) -> Self {
                $of
            }

            fn wide(self) -> f64 {
                let $y = self;
                $wide
            }
        }
    };
}
number!(f32, f32::EPSILON as f64 / 2.0, |x| x as f32, |x| f64::from(x));
number!(f64, f64::EPSILON / 2.0, |x| x, |x| x);
#[cfg(feature = "half")]
number!(half::f16, 1.0 / 2048.0, |x| half::f16::from_f32(x as f32), |x| x.to_f64());
#[cfg(feature = "half")]
number!(half::bf16, 1.0 / 256.0, |x| half::bf16::from_f32(x as f32), |x| x.to_f64());

/// Calls a generic function for each type.
macro_rules! for_each_type {
    ($function:ident($($argument:expr),*)) => {
        $function::<f32>($($argument),*);
        $function::<f64>($($argument),*);
        #[cfg(feature = "half")]
        $function::<half::f16>($($argument),*);
        #[cfg(feature = "half")]
        $function::<half::bf16>($($argument),*);
    };
}
pub(crate) use for_each_type;

/// The same bits, or both NaN.
pub(crate) fn same<T: Number>(a: T, b: T) -> bool {
    let (a, b) = (a.wide(), b.wide());
    a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
}

#[track_caller]
pub(crate) fn assert_same<T: Number>(what: &str, expected: &[T], got: &[T]) {
    assert_eq!(expected.len(), got.len(), "{what}");
    for (i, (&expected, &got)) in expected.iter().zip(got).enumerate() {
        assert!(same(expected, got), "{what}, {}, element {i}: expected {expected:?}, got {got:?}", T::TYPE);
    }
}

pub(crate) fn of<T: Number>(numbers: &[f64]) -> Vec<T> {
    numbers.iter().map(|&x| T::of(x)).collect()
}

/// How far a result may differ from PyTorch's in `f64`, whose formulas cancel too: by this many roundings of a number of this size, or
/// by one rounding of a half.
pub(crate) fn allowed<T: Number>(roundings: f64, expected: f64) -> f64 {
    let of_float = if T::IS_FLOAT { T::ROUNDING } else { f64::from(f32::EPSILON) / 2.0 };
    let of_half = if T::IS_FLOAT { 0.0 } else { T::ROUNDING };
    1e-14 + roundings * of_float * expected.abs().max(0.25) + of_half * expected.abs().max(1.0 / 16_384.0)
}

/// The lines of the table with this kind and name, each as its numbers.
pub(crate) fn pytorch<const N: usize>(kind: &str, name: &str) -> Vec<[f64; N]> {
    let number = |bits| f64::from_bits(u64::from_str_radix(bits, 16).expect("hexadecimal digits"));
    let start = format!("{kind},{name},");
    let lines: Vec<[f64; N]> = include_str!("../tables/autograd.csv")
        .lines()
        .filter_map(|line| line.strip_prefix(&start))
        .map(|line| line.split(',').map(number).collect::<Vec<_>>().try_into().expect("a line's numbers"))
        .collect();
    assert!(!lines.is_empty(), "no lines {start}");
    lines
}

/// Pseudorandom numbers, the same each time.
pub(crate) fn numbers(seed: u64, size: f64, len: usize) -> Vec<f64> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / (1u64 << 24) as f64
    };
    (0..len).map(|_| (2.0 * next() - 1.0) * size).collect()
}
