//! The reference's arithmetic: sums of two `f64` with an exponent of their own. They have about 100 bits and do not overflow. Functions
//! use textbook series; `libm` gives only first guesses.

use std::cmp::Ordering;
use std::fmt;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// (hi + lo) 2^e with |hi| in [1, 2), or a zero, an infinity or NaN in `hi`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Big {
    hi: f64,
    lo: f64,
    e: i64,
}

/// The result of an exponential that no type can distinguish from 0 or infinity.
const FAR: i64 = 1 << 41;

const LN_2: Big = Big { hi: 1.386_294_361_119_890_6, lo: 4.638_093_627_692_599e-17, e: -1 };
pub(crate) const PI: Big = Big { hi: std::f64::consts::FRAC_PI_2, lo: 6.123_233_995_736_766e-17, e: 1 };
const PI_REST: f64 = -2.994_769_809_718_339_7e-33;
/// SELU's lambda, and lambda alpha, from the equations of its paper.
pub(crate) const LAMBDA: Big = Big { hi: 1.050_700_987_355_480_5, lo: 3.987_484_766_715_415e-17, e: 0 };
pub(crate) const LAMBDA_ALPHA: Big = Big { hi: 1.758_099_340_847_376_9, lo: 1.415_351_938_008_446e-17, e: 0 };

/// 2^k. The result must be normal.
fn power(k: i64) -> f64 {
    f64::from_bits(((k + 1023) as u64) << 52)
}

fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let of_b = sum - a;
    (sum, (a - (sum - of_b)) + (b - of_b))
}

fn two_mul(a: f64, b: f64) -> (f64, f64) {
    let product = a * b;
    (product, a.mul_add(b, -product))
}

impl Big {
    pub(crate) const ZERO: Self = Self { hi: 0.0, lo: 0.0, e: 0 };
    pub(crate) const ONE: Self = Self { hi: 1.0, lo: 0.0, e: 0 };
    pub(crate) const NAN: Self = Self { hi: f64::NAN, lo: 0.0, e: 0 };

    pub(crate) fn of(x: f64) -> Self {
        if x == 0.0 || !x.is_finite() {
            return Self { hi: x, lo: 0.0, e: 0 };
        }
        // In two factors, because a power of two near the ends of the range would not be normal.
        let k = if x.abs() < 1.0 { 100 } else { -100 };
        Self::normal(x * power(k), 0.0, -k)
    }

    /// A fraction of two whole numbers.
    pub(crate) fn ratio(p: f64, q: f64) -> Self {
        Self::of(p) / Self::of(q)
    }

    /// `hi` is neither subnormal nor near overflow.
    fn normal(hi: f64, lo: f64, e: i64) -> Self {
        let (hi, lo) = two_sum(hi, lo);
        if hi == 0.0 || !hi.is_finite() {
            return Self { hi, lo: 0.0, e: 0 };
        }
        let k = (hi.to_bits() >> 52 & 0x7ff) as i64 - 1023;
        let scale = power(-k);
        Self { hi: hi * scale, lo: lo * scale, e: e + k }
    }

    /// Times 2^k.
    pub(crate) fn scaled(self, k: i64) -> Self {
        if self.is_ordinary() { Self { e: self.e + k, ..self } } else { self }
    }

    /// Neither zero nor infinite nor NaN.
    pub(crate) fn is_ordinary(self) -> bool {
        self.hi != 0.0 && self.hi.is_finite()
    }

    pub(crate) fn is_nan(self) -> bool {
        self.hi.is_nan()
    }

    pub(crate) fn is_infinite(self) -> bool {
        self.hi.is_infinite()
    }

    pub(crate) fn is_finite(self) -> bool {
        self.hi.is_finite()
    }

    pub(crate) fn is_negative(self) -> bool {
        self.hi.is_sign_negative()
    }

    pub(crate) fn is_zero(self) -> bool {
        self.hi == 0.0
    }

    /// The exponent of the leading digit.
    pub(crate) fn exponent(self) -> i64 {
        self.e
    }

    pub(crate) fn abs(self) -> Self {
        if self.is_negative() { -self } else { self }
    }

    pub(crate) fn max(self, other: Self) -> Self {
        if self < other { other } else { self }
    }

    pub(crate) fn min(self, other: Self) -> Self {
        if other < self { other } else { self }
    }

    /// Rounded twice at most.
    pub(crate) fn to_f64(self) -> f64 {
        if !self.is_ordinary() {
            return self.hi;
        }
        match self.e {
            1024.. => f64::INFINITY.copysign(self.hi),
            -1000.. => (self.hi + self.lo) * power(self.e - 1) * 2.0,
            -1100.. => (self.hi + self.lo) * power(self.e + 200) * power(-200),
            _ => 0.0_f64.copysign(self.hi),
        }
    }

    pub(crate) fn sqrt(self) -> Self {
        if self.hi <= 0.0 || !self.hi.is_finite() {
            return Self::of(self.hi.sqrt());
        }
        let odd = self.e.rem_euclid(2);
        let x = Self { e: odd, ..self };
        let root = Self::of((self.hi * power(odd)).sqrt());
        (root + (x - root * root) / (root + root)).scaled((self.e - odd) / 2)
    }

    pub(crate) fn exp(self) -> Self {
        self.exponential().0
    }

    /// e^x - 1.
    pub(crate) fn expm1(self) -> Self {
        let (e, less_one) = self.exponential();
        less_one.unwrap_or(e - Self::ONE)
    }

    /// The exponential, and for small arguments the exponential minus 1.
    fn exponential(self) -> (Self, Option<Self>) {
        if self.hi == f64::NEG_INFINITY {
            return (Self::ZERO, None);
        }
        if !self.hi.is_finite() {
            return (self, None);
        }
        if self.is_zero() {
            return (Self::ONE, Some(self));
        }
        if self.e >= 40 {
            return (Self { hi: 1.0, lo: 0.0, e: if self.is_negative() { -FAR } else { FAR } }, None);
        }
        let k = (self.to_f64() / std::f64::consts::LN_2).round();
        let r = (self - LN_2 * Self::of(k)).scaled(-8);
        let mut sum = Self::ZERO;
        for i in (1..=12).rev() {
            sum = (Self::ONE + sum) * r / Self::of(f64::from(i));
        }
        for _ in 0..8 {
            sum = sum + sum + sum * sum;
        }
        ((Self::ONE + sum).scaled(k as i64), (k == 0.0).then_some(sum))
    }

    /// The natural logarithm: `libm`'s, corrected by one step.
    pub(crate) fn ln(self) -> Self {
        if self.hi <= 0.0 || !self.hi.is_finite() {
            return Self::of(libm::log(self.hi));
        }
        let guess = Self::of(libm::log(self.hi + self.lo)) + LN_2 * Self::of(self.e as f64);
        let rest = self * (-guess).exp() - Self::ONE;
        guess + (rest - (rest * rest).scaled(-1) + rest * rest * rest / Self::of(3.0))
    }

    /// log(1 + x).
    pub(crate) fn ln_1p(self) -> Self {
        if !self.is_ordinary() || self.e >= -3 {
            return if self.is_zero() { self } else { (Self::ONE + self).ln() };
        }
        // 2 atanh(x / (2 + x)).
        let s = self / (Self::of(2.0) + self);
        let square = s * s;
        let mut sum = Self::ZERO;
        for i in (0..16).rev() {
            sum = sum * square + Self::ratio(1.0, f64::from(2 * i + 1));
        }
        (s * sum).scaled(1)
    }

    /// 1 / (1 + e^-x).
    pub(crate) fn sigmoid(self) -> Self {
        Self::ONE / (Self::ONE + (-self).exp())
    }

    pub(crate) fn tanh(self) -> Self {
        let t = (-self.abs().scaled(1)).expm1();
        let y = -t / (Self::of(2.0) + t);
        if self.is_negative() { -y } else { y }
    }

    /// sin and cos.
    pub(crate) fn sin_cos(self) -> (Self, Self) {
        let half_pi = PI.scaled(-1);
        let k = (self / half_pi).to_f64().round();
        let r = self - half_pi * Self::of(k) - Self::of(PI_REST).scaled(-1) * Self::of(k);
        let square = r * r;
        let (mut sin, mut cos) = (Self::ZERO, Self::ZERO);
        for i in (0..15).rev() {
            let (even, odd) =
                (f64::from(2 * i + 1) * f64::from(2 * i + 2), f64::from(2 * i + 2) * f64::from(2 * i + 3));
            cos = -(Self::ONE + cos) * square / Self::of(even);
            sin = -(Self::ONE + sin) * square / Self::of(odd);
        }
        let (sin, cos) = ((Self::ONE + sin) * r, Self::ONE + cos);
        match k.rem_euclid(4.0) as u8 {
            0 => (sin, cos),
            1 => (cos, -sin),
            2 => (-sin, -cos),
            _ => (-cos, sin),
        }
    }

    /// The density of the normal distribution.
    pub(crate) fn density(self) -> Self {
        (-(self * self).scaled(-1)).exp() / PI.scaled(1).sqrt()
    }

    /// The normal distribution: a series of positive terms near 0, Laplace's continued fraction in the tails.
    pub(crate) fn normal_distribution(self) -> Self {
        let (a, density) = (self.abs(), self.density());
        let half = Self::ONE.scaled(-1);
        if a < Self::of(3.0) {
            let (mut term, mut sum, mut n) = (a, a, 1.0);
            while term.e > -120 && term.is_ordinary() {
                n += 2.0;
                term = term * a * a / Self::of(n);
                sum = sum + term;
            }
            let beside = density * sum;
            return if self.is_negative() { half - beside } else { half + beside };
        }
        let fraction = (1..=150).rev().fold(a, |f, n| a + Self::of(f64::from(n)) / f);
        let tail = density / fraction;
        if self.is_negative() { tail } else { Self::ONE - tail }
    }
}

impl Neg for Big {
    type Output = Self;
    fn neg(self) -> Self {
        Self { hi: -self.hi, lo: -self.lo, e: self.e }
    }
}

impl Add for Big {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        if !self.is_finite() || !other.is_finite() || (self.is_zero() && other.is_zero()) {
            return Self::of(self.hi + other.hi);
        }
        if self.is_zero() || (other.is_ordinary() && self.e < other.e) {
            return if self.is_zero() { other } else { other + self };
        }
        let d = self.e - other.e;
        if other.is_zero() || d > 300 {
            return self;
        }
        let scale = power(-d);
        let (hi, error) = two_sum(self.hi, other.hi * scale);
        let (lo, lo_error) = two_sum(self.lo, other.lo * scale);
        let (hi, error) = two_sum(hi, error + lo);
        Self::normal(hi, error + lo_error, self.e)
    }
}

impl Sub for Big {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Big {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        if !self.is_ordinary() || !other.is_ordinary() {
            return Self::of(self.hi * other.hi);
        }
        let (hi, lo) = two_mul(self.hi, other.hi);
        Self::normal(hi, lo + (self.hi * other.lo + self.lo * other.hi), self.e + other.e)
    }
}

impl Div for Big {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        if !self.is_ordinary() || !other.is_ordinary() {
            return Self::of(self.hi / other.hi);
        }
        let (x, y) = (Self { e: 0, ..self }, Self { e: 0, ..other });
        let first = Self::of(x.hi / y.hi);
        let rest = x - first * y;
        let second = Self::of(rest.to_f64() / y.hi);
        let third = Self::of((rest - second * y).to_f64() / y.hi);
        (first + (second + third)).scaled(self.e - other.e)
    }
}

impl PartialEq for Big {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for Big {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        if !self.is_finite() || !other.is_finite() {
            return self.hi.partial_cmp(&other.hi);
        }
        (*self - *other).hi.partial_cmp(&0.0)
    }
}

impl std::iter::Sum for Big {
    fn sum<I: Iterator<Item = Self>>(terms: I) -> Self {
        terms.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Big {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let near = self.to_f64();
        if self.is_ordinary() && (near == 0.0 || near.is_infinite()) {
            return write!(f, "{} * 2^{}", self.hi, self.e);
        }
        write!(f, "{near:e}")
    }
}

#[cfg(test)]
mod tests {
    use super::Big;

    /// Whether two numbers agree to 2^-90.
    #[track_caller]
    fn near(a: Big, b: Big) {
        let error = (a - b).abs();
        assert!(error.is_zero() || error.exponent() < b.exponent() - 88, "{a} against {b}: {error}");
    }

    #[test]
    fn functions_fit_together() {
        for x in [1e-12, 0.003, 0.2, 0.34, 0.5, 1.0, 2.9, 3.1, 20.0, 700.0] {
            let x = Big::of(x) / Big::of(3.0);
            if Big::ONE.scaled(-3) < x {
                near(x.exp().ln(), x);
            }
            near(x.expm1().ln_1p(), x);
            near(x.sqrt() * x.sqrt(), x);
            near((Big::ONE / x) * x, Big::ONE);
            near((-x).expm1(), -x.expm1() / x.exp());
            near(x.sigmoid(), (x.scaled(-1).tanh() + Big::ONE).scaled(-1));
            near(x.normal_distribution() + (-x).normal_distribution(), Big::ONE);
            let ((sin, cos), (sin_twice, _)) = (x.sin_cos(), x.scaled(1).sin_cos());
            near(sin * sin + cos * cos, Big::ONE);
            near((sin * cos).scaled(1), sin_twice);
        }
        // On both sides of the places where the forms of the normal distribution meet.
        for (x, hi, lo) in [
            (-2.9, 0.0018658133003840384, 6.93219472685457e-20),
            (-3.1, 0.0009676032132183566, -3.655588161173309e-20),
            (-12.0, 1.776482112077679e-33, -4.0152796184693646e-50),
        ] {
            near(Big::of(x).normal_distribution(), Big::of(hi) + Big::of(lo));
        }
        assert_eq!(Big::of(1.0).exp().to_f64(), std::f64::consts::E);
        assert_eq!(Big::of(2.0).ln().to_f64(), std::f64::consts::LN_2);
        assert_eq!(Big::of(-1.0).normal_distribution().to_f64(), 0.158_655_253_931_457_05);
        assert_eq!(Big::of(5e-324).to_f64(), 5e-324);
    }
}
