//! A layer's outputs, computed without an allocator or the standard library, and the bits that they must have.
#![no_std]

use activations::{Activation, Gelu, Level, Sigmoid, Softmax};

/// The inputs.
pub const X: [f32; 4] = [-3.0, -0.5, 0.5, 3.0];

/// One function of [`X`].
pub struct Row {
    /// The function's name.
    pub name: &'static str,
    /// Its outputs here.
    pub y: [f32; 4],
    /// The bits of its outputs on every CPU, in every build without `std`.
    pub expected: [u32; 4],
}

impl Row {
    fn of(name: &'static str, function: &impl Activation<f32>, expected: [u32; 4]) -> Self {
        let mut y = X;
        function.forward_in_place(&mut y);
        Self { name, y, expected }
    }

    /// Whether the bits are those expected.
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.y.map(f32::to_bits) == self.expected
    }
}

/// The functions, at the given level.
#[must_use]
pub fn rows(level: Level) -> [Row; 3] {
    [
        Row::of("sigmoid", &level.with(Sigmoid), [0x3d42_41a1, 0x3ec1_4d03, 0x3f1f_597e, 0x3f73_dbe6]),
        Row::of("gelu", &level.with(Gelu), [0xbb84_b34c, 0xbe1d_f8a2, 0x3eb1_03af, 0x403f_bda6]),
        Row::of("softmax", &level.with(Softmax::default()), [0x3b11_b95b, 0x3cdd_e909, 0x3d96_cdbe, 0x3f65_a547]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_those_of_the_device_at_every_level() {
        for level in Level::available() {
            for row in rows(level) {
                assert!(row.is_right(), "{} at {level}: {:08x?}", row.name, row.y.map(f32::to_bits));
            }
        }
    }
}
