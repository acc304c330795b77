//! The four types, as the tests need them.

use std::fmt::Display;

use activations::{Element, ErrorBounds};

use crate::big::Big;

/// A type of element.
pub(crate) trait Number: Element + Display {
    const TYPE: &'static str;
    /// Digits of the significand, and exponents of the least normal number and of the greatest.
    const DIGITS: i64;
    const LEAST: i64;
    const GREATEST: i64;
    /// Whether the crate computes in `f32` and rounds once.
    const IS_HALF: bool;

    /// Rounded to the type.
    fn of(x: f64) -> Self;
    fn wide(self) -> f64;
    /// Rounded to the type in which the crate computes.
    fn computed(x: f64) -> f64;
    fn bits(self) -> u64;
    /// `(value, derivative)` of a card's bounds.
    fn bounds(error: &ErrorBounds, fused: bool) -> (f64, f64);

    fn big(self) -> Big {
        Big::of(self.wide())
    }

    /// The greatest number.
    fn greatest() -> f64 {
        Self::max_value().wide()
    }

    /// The spacing of the type at a number.
    fn spacing(x: Big) -> Big {
        spacing(x, Self::DIGITS, Self::LEAST)
    }

    /// The spacing, at a number, of the type in which the crate computes.
    fn spacing_of_computation(x: Big) -> Big {
        if Self::IS_HALF { spacing(x, 24, -126) } else { Self::spacing(x) }
    }

    /// The spacing at 1 of the type of computation.
    fn eps() -> Big {
        Self::spacing_of_computation(Big::ONE)
    }
}

fn spacing(x: Big, digits: i64, least: i64) -> Big {
    let exponent = if x.is_ordinary() { x.exponent().max(least) } else { least };
    Big::ONE.scaled(exponent - digits + 1)
}

macro_rules! number {
    ($type:ident: $digits:literal, $least:literal to $greatest:literal, $half:literal, $of:expr, $computed:ty, $fused:ident, $plain:ident) => {
        impl Number for $type {
            const TYPE: &'static str = stringify!($type);
            const DIGITS: i64 = $digits;
            const LEAST: i64 = $least;
            const GREATEST: i64 = $greatest;
            const IS_HALF: bool = $half;

            fn of(x: f64) -> Self {
                $of(x)
            }

            fn wide(self) -> f64 {
                self.into()
            }

            fn computed(x: f64) -> f64 {
                f64::from(x as $computed)
            }

            fn bits(self) -> u64 {
                self.to_bits().into()
            }

            fn bounds(error: &ErrorBounds, fused: bool) -> (f64, f64) {
                if fused { error.$fused } else { error.$plain }
            }
        }
    };
}
number!(f32: 24, -126 to 127, false, |x| x as f32, f32, f32, f32_plain);
number!(f64: 53, -1022 to 1023, false, |x| x, f64, f64, f64_plain);
#[cfg(feature = "half")]
use half::{bf16, f16};
#[cfg(feature = "half")]
number!(f16: 11, -14 to 15, true, f16::from_f64, f32, f32, f32_plain);
#[cfg(feature = "half")]
number!(bf16: 8, -126 to 127, true, bf16::from_f64, f32, f32, f32_plain);

/// Calls `$check::<T>($arguments)` for each type.
macro_rules! for_each_type {
    ($check:ident($($argument:expr),*)) => {
        $check::<f32>($($argument),*);
        $check::<f64>($($argument),*);
        #[cfg(feature = "half")]
        $check::<half::f16>($($argument),*);
        #[cfg(feature = "half")]
        $check::<half::bf16>($($argument),*);
    };
}
pub(crate) use for_each_type;

pub(crate) const TYPES: usize = if cfg!(feature = "half") { 4 } else { 2 };

/// A used buffer, whose contents must not matter.
pub(crate) fn stale<T: Number>(len: usize) -> Vec<T> {
    vec![T::nan(); len]
}

pub(crate) fn big<T: Number>(x: &[T]) -> Vec<Big> {
    x.iter().map(|x| x.big()).collect()
}

/// Decimal and bits.
pub(crate) fn show<T: Number>(x: T) -> String {
    format!("{x:?} ({:#x})", x.bits())
}
