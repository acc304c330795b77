//! Makes the targets' inputs of the fuzzer's bytes.

use activations::AnyActivation;

use crate::support::{Bits, Float};

/// The remaining bytes; zeros after the last one.
pub(crate) struct Input<'a>(pub(crate) &'a [u8]);

impl Input<'_> {
    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let (now, after) = self.0.split_at(N.min(self.0.len()));
        self.0 = after;
        let mut bytes = [0; N];
        bytes[..now.len()].copy_from_slice(now);
        bytes
    }

    /// A number below `end`, which is at most 2^16.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let number = if end <= 256 { self.bytes::<1>()[0].into() } else { u16::from_le_bytes(self.bytes()) };
        usize::from(number) % end
    }

    pub(crate) fn flag(&mut self) -> bool {
        self.below(2) == 1
    }

    /// Random bits, or a short decimal number.
    pub(crate) fn number(&mut self) -> f64 {
        if self.flag() { f64::from_le_bytes(self.bytes()) } else { f64::from(i16::from_le_bytes(self.bytes())) / 100.0 }
    }

    /// `len` floats, first from the remaining bytes and then random ones.
    pub(crate) fn floats<T: Float>(&mut self, len: usize) -> Vec<T> {
        let width = T::WIDTH as usize / 8;
        let given = self.0.chunks_exact(width).map(|bytes| {
            let mut bits = [0; 8];
            bits[..width].copy_from_slice(bytes);
            T::of_bits(u64::from_le_bytes(bits))
        });
        let mut floats: Vec<T> = given.take(len).collect();
        self.0 = &self.0[floats.len() * width..];
        let mut bits = Bits(floats.iter().fold(len as u64, |hash, x| hash.rotate_left(7) ^ x.bits()));
        floats.resize_with(len, || bits.float());
        floats
    }

    /// Any activation, with any allowed parameters. Half of the time it has the defaults.
    pub(crate) fn activation(&mut self) -> AnyActivation {
        let default = self.default_activation();
        if self.flag() {
            return default;
        }
        let values: Vec<String> = default.parameters().map(|_| format!("{:?}", self.number())).collect();
        let name = default.card().name;
        format!("{name}({})", values.join(", ")).parse().unwrap_or(default)
    }

    pub(crate) fn default_activation(&mut self) -> AnyActivation {
        let place = self.below(AnyActivation::all().count());
        AnyActivation::all().nth(place).expect("one of those counted")
    }
}
