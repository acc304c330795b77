//! `Double`: a number of 106 bits, as an unevaluated sum of two `f64`.

use core::ops::{Add, Div, Mul, Neg, Sub};

use crate::kernel::lanes::Plain;
use crate::kernel::real::Real;
use crate::math::{fast_two_sum, two_sum};

/// `hi + lo`, where `hi` is the sum rounded to `f64`.
///
/// The relative error of a product, a quotient, a root, and a sum of numbers with one sign is below 2^-102. The parts may be far
/// apart: 1/2 + 1e-40 is exact, and a product with it keeps both parts. So a tiny part that decides a tie is not lost. No operation
/// uses fused multiply-add, because they are for a few numbers only.
#[derive(Clone, Copy, Debug)]
pub struct Double {
    pub(crate) hi: f64,
    pub(crate) lo: f64,
}

impl Double {
    /// A constant of 106 bits.
    pub(crate) const fn of(hi: f64, lo: f64) -> Self {
        Self { hi, lo }
    }

    /// a + b, exactly.
    pub(crate) fn sum(a: f64, b: f64) -> Self {
        let (hi, lo) = two_sum(Plain(a), Plain(b));
        Self { hi: hi.0, lo: lo.0 }
    }

    /// a b, exactly.
    pub(crate) fn product(a: f64, b: f64) -> Self {
        let (hi, lo) = Plain(a).two_mul(Plain(b));
        Self { hi: hi.0, lo: lo.0 }
    }

    /// The sum of a number and a smaller one.
    fn normal(hi: f64, lo: f64) -> Self {
        let (hi, lo) = fast_two_sum(Plain(hi), Plain(lo));
        Self { hi: hi.0, lo: lo.0 }
    }

    pub(crate) fn abs(self) -> Self {
        if self.hi < 0.0 { -self } else { self }
    }

    /// The magnitude with the sign of `sign`.
    pub(crate) fn copysign(self, sign: f64) -> Self {
        if sign.is_sign_negative() { -self.abs() } else { self.abs() }
    }

    pub(crate) fn square(self) -> Self {
        self * self
    }

    /// The square root of a positive number, by one step of Newton's method from the root of `hi`.
    pub(crate) fn sqrt(self) -> Self {
        let root = Plain(self.hi).sqrt().0;
        let rest = self - Self::product(root, root);
        Self::normal(root, rest.hi / (root + root))
    }

    /// Times 2^n, exactly.
    pub(crate) fn times_power(self, power: f64) -> Self {
        Self { hi: self.hi * power, lo: self.lo * power }
    }

    /// Rounds to `f64` *to odd*: a number between two `f64` becomes the one whose last bit is 1. If that is then rounded to a type
    /// with fewer digits, the result is the same as if the number itself were rounded (Boldo & Melquiond, IEEE Trans. Comput. 57,
    /// 2008).
    pub(crate) fn to_odd(self) -> f64 {
        let bits = self.hi.to_bits();
        if self.lo == 0.0 || bits & 1 == 1 {
            self.hi
        } else if (self.lo < 0.0) == (self.hi < 0.0) {
            f64::from_bits(bits + 1)
        } else {
            f64::from_bits(bits - 1)
        }
    }
}

impl From<f64> for Double {
    fn from(x: f64) -> Self {
        Self { hi: x, lo: 0.0 }
    }
}

impl Neg for Double {
    type Output = Self;

    fn neg(self) -> Self {
        Self { hi: -self.hi, lo: -self.lo }
    }
}

impl<D: Into<Double>> Add<D> for Double {
    type Output = Self;

    fn add(self, other: D) -> Self {
        let other = other.into();
        let (hi, low) = (Self::sum(self.hi, other.hi), Self::sum(self.lo, other.lo));
        let sum = Self::normal(hi.hi, hi.lo + low.hi);
        Self::normal(sum.hi, sum.lo + low.lo)
    }
}

impl<D: Into<Double>> Sub<D> for Double {
    type Output = Self;

    fn sub(self, other: D) -> Self {
        self + -other.into()
    }
}

impl<D: Into<Double>> Mul<D> for Double {
    type Output = Self;

    fn mul(self, other: D) -> Self {
        let other = other.into();
        let product = Self::product(self.hi, other.hi);
        Self::normal(product.hi, product.lo + (self.hi * other.lo + self.lo * other.hi))
    }
}

impl<D: Into<Double>> Div<D> for Double {
    type Output = Self;

    /// Long division, in three digits of 53 bits.
    fn div(self, other: D) -> Self {
        let other = other.into();
        let first = self.hi / other.hi;
        let rest = self - other * first;
        let second = rest.hi / other.hi;
        let rest = rest - other * second;
        Self::normal(first, second) + rest.hi / other.hi
    }
}
