//! The inputs: eight cases for every function and type.

use crate::number::Number;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Case {
    Random,
    Huge,
    Tiny,
    Equal,
    One,
    Infinities,
    Nan,
    Empty,
}

impl Case {
    pub(crate) const ALL: [Self; 8] =
        [Self::Random, Self::Huge, Self::Tiny, Self::Equal, Self::One, Self::Infinities, Self::Nan, Self::Empty];

    /// These lengths, and for the random case one that is longer than any loop processes at a time.
    pub(crate) fn lengths(self, lengths: &[usize]) -> Vec<usize> {
        let long = if self == Self::Random { vec![1_100] } else { Vec::new() };
        [lengths, &long].concat().into_iter().map(|len| self.len(len)).collect()
    }

    /// As many of the inputs as the case has: none, one, or all.
    pub(crate) fn len(self, len: usize) -> usize {
        match self {
            Self::Empty => 0,
            Self::One => 1,
            _ => len,
        }
    }
}

/// Random bits, the same in every run (Steele, Lea & Flood, "SplitMix", 2014).
pub(crate) struct Bits(pub(crate) u64);

impl Bits {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// Uniform in [-size, size).
    pub(crate) fn within(&mut self, size: f64) -> f64 {
        ((self.next() >> 11) as f64 * 2.0_f64.powi(-52) - 1.0) * size
    }

    fn sign(&mut self) -> f64 {
        if self.next().is_multiple_of(2) { 1.0 } else { -1.0 }
    }

    /// Uniform in the type's numbers up to the size.
    pub(crate) fn numbers<T: Number>(&mut self, len: usize, size: f64) -> Vec<T> {
        (0..len).map(|_| T::of(self.within(size))).collect()
    }

    /// The inputs of a case. 0 is the only kink among them, because a derivative at a kink is a convention.
    pub(crate) fn inputs<T: Number>(&mut self, case: Case, len: usize) -> Vec<T> {
        let one = |i: usize| match case {
            Case::Random | Case::One => self.ordinary(i),
            Case::Huge => match i % 4 {
                0 => self.sign() * T::greatest(),
                1 => self.sign() * T::greatest() / 2.0,
                2 => self.within(T::greatest()),
                _ => self.sign() * 2.0_f64.powi(self.below(T::GREATEST as usize) as i32),
            },
            Case::Tiny => match i % 4 {
                0 => self.sign() * 0.0,
                // The least subnormal number and more.
                1 => self.sign() * 2.0_f64.powi((T::LEAST - T::DIGITS + 1) as i32 / 2).powi(2) * 4.0 * (i + 1) as f64,
                2 => self.within(2.0_f64.powi(T::LEAST as i32)),
                _ => self.within(2.0_f64.powi(-(T::DIGITS as i32))),
            },
            Case::Equal => -1.25,
            Case::Infinities if i % 7 == 3 => self.sign() * f64::INFINITY,
            Case::Nan if i % 7 == 3 => f64::NAN,
            Case::Nan if i % 31 == 5 => f64::INFINITY,
            Case::Infinities | Case::Nan => self.ordinary(i),
            Case::Empty => 0.0,
        };
        let kinks = [-3.0, -1.0, -0.5, 0.5, 1.0, 3.0, 6.0];
        let inputs = (0..case.len(len)).map(one).map(|x| T::of(x));
        inputs.map(|x| if kinks.contains(&x.wide()) { T::of(x.wide() * 1.0625) } else { x }).collect()
    }

    /// Numbers of the magnitudes in a network.
    fn ordinary(&mut self, i: usize) -> f64 {
        match i % 5 {
            0 => self.within(1.0),
            1 => self.within(80.0),
            2 => self.within(1.0) * 2.0_f64.powi(-(self.below(30) as i32)),
            _ => self.within(6.0),
        }
    }
}
