//! `Near`: a number in exact arithmetic, and how far off a computation with roundings may be. This is running error analysis, after
//! Wilkinson ("Rounding errors in algebraic processes", 1963).

use core::ops::{Add, Mul, Neg, Sub};

use crate::number::Number;

/// The result without roundings, and the greatest distance from it of a result with roundings. The first is computed in `f64`, whose
/// roundings are far below those that are analysed.
#[derive(Clone, Copy, Debug)]
pub struct Near {
    pub exact: f64,
    pub off: f64,
}

impl Near {
    pub fn exactly(exact: f64) -> Self {
        Self { exact, off: 0.0 }
    }

    /// A parameter of a formula, rounded to `f32`.
    pub fn parameter(exact: f64) -> Self {
        Self::exactly(exact).rounded(f32::UNIT)
    }

    /// After a rounding, or others, with this relative error.
    pub fn rounded(self, relative: f64) -> Self {
        Self { off: self.off + relative * self.greatest(), ..self }
    }

    /// The greatest magnitude that the number may have.
    pub fn greatest(self) -> f64 {
        self.exact.abs() + self.off
    }

    /// An increasing function of the number.
    pub fn increasing(self, f: impl Fn(f64) -> f64) -> Self {
        Self::between(f(self.exact), f(self.exact - self.off), f(self.exact + self.off))
    }

    pub fn between(exact: f64, low: f64, high: f64) -> Self {
        Self { exact, off: (high - exact).max(exact - low) }
    }

    /// 0 if `x` is beyond the limit. If `x` may be on either side, the result may be either.
    pub fn up_to(self, limit: f64, x: Self) -> Self {
        let either = self.greatest();
        match (x.exact - x.off > limit, x.exact + x.off <= limit) {
            (true, _) => Self::exactly(0.0),
            (_, true) => self,
            _ if x.exact > limit => Self { exact: 0.0, off: either },
            _ => Self { off: either.max(self.off), ..self },
        }
    }
}

impl Add for Near {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { exact: self.exact + other.exact, off: self.off + other.off }
    }
}

impl Neg for Near {
    type Output = Self;

    fn neg(self) -> Self {
        Self { exact: -self.exact, ..self }
    }
}

impl Sub for Near {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Near {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let off = self.exact.abs() * other.off + other.greatest() * self.off;
        Self { exact: self.exact * other.exact, off }
    }
}

/// The roundings of a computation: to `f32` after each operation, and to the type for each stored result.
#[derive(Clone, Copy, Debug)]
pub struct Rounding {
    float: f64,
    stored: f64,
}

impl Rounding {
    pub const NONE: Self = Self { float: 0.0, stored: 0.0 };

    /// PyTorch's kernels for bf16 widen to `f32`, compute, and round the results that they store.
    pub fn to<T: Number>() -> Self {
        Self { float: f32::UNIT, stored: if T::UNIT > f32::UNIT { T::UNIT } else { 0.0 } }
    }

    /// An operation's result in a register.
    pub fn float(self, x: Near) -> Near {
        x.rounded(self.float)
    }

    /// A number that was rounded to `f32`, when it is stored.
    pub fn to_type(self, x: Near) -> Near {
        x.rounded(self.stored)
    }

    /// An operation's result in memory.
    pub fn stored(self, x: Near) -> Near {
        self.to_type(self.float(x))
    }

    /// `count` operations in `f32`, each with a relative error, or one operation with an error of that size.
    pub fn floats(self, count: f64, x: Near) -> Near {
        // (1 + u)^n - 1 < n u / (1 - n u)
        x.rounded(count * self.float / (1.0 - count * self.float))
    }

    /// A sum in any order. A product that is fused into the sum counts as a term.
    pub fn sum(self, terms: impl IntoIterator<Item = Near>) -> Near {
        let (mut sum, mut size, mut n) = (Near::exactly(0.0), 0.0, 0.0);
        for term in terms {
            sum = sum + term;
            size += term.greatest();
            n += 1.0;
        }
        Near { off: sum.off + n * self.float / (1.0 - n * self.float) * size, ..sum }
    }

    /// A sum of products.
    pub fn dot(self, a: impl IntoIterator<Item = Near>, b: impl IntoIterator<Item = Near>) -> Near {
        self.sum(a.into_iter().zip(b).map(|(a, b)| self.float(a * b)))
    }
}
