//! `Number`: the element types that are compared.

use activations::Element;
use half::bf16;

/// `f32` or bf16.
pub trait Number: Element + Default {
    /// The name in the file of reference values.
    const NAME: &'static str;
    /// The greatest relative error of rounding to the type.
    const UNIT: f64;

    /// Rounds to nearest, ties to even.
    fn of(number: f32) -> Self;

    /// Widens exactly.
    fn wide(self) -> f32;

    /// Makes a number of the bits in the file; `None` if there are too many bits.
    fn from_bits(bits: u32) -> Option<Self>;
}

impl Number for f32 {
    const NAME: &'static str = "f32";
    const UNIT: f64 = 1.0 / (1 << 24) as f64;

    fn of(number: f32) -> Self {
        number
    }

    fn wide(self) -> f32 {
        self
    }

    fn from_bits(bits: u32) -> Option<Self> {
        Some(Self::from_bits(bits))
    }
}

impl Number for bf16 {
    const NAME: &'static str = "bf16";
    const UNIT: f64 = 1.0 / (1 << 8) as f64;

    fn of(number: f32) -> Self {
        Self::from_f32(number)
    }

    fn wide(self) -> f32 {
        self.to_f32()
    }

    fn from_bits(bits: u32) -> Option<Self> {
        Some(Self::from_bits(u16::try_from(bits).ok()?))
    }
}

/// The numbers, exactly.
pub fn exactly<T: Number>(numbers: &[T]) -> Vec<f64> {
    numbers.iter().map(|number| f64::from(number.wide())).collect()
}
