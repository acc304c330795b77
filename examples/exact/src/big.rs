//! Numbers of any precision, and what the formulas of the entries need of them: a thin layer over `dashu-float`.
//!
//! Formulas take numbers that are `Copy`. These are, because they are places in a store, which [`Setting::within`] empties.

use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::ops::{Add, Div, Mul, Neg, Sub};

use dashu_float::FBig;
use dashu_float::round::mode::HalfEven;

use crate::entries::number::{Number, series};

type Float = FBig<HalfEven, 2>;

/// A number, with so many bits as the [`Setting`] has in which it was made.
#[derive(Clone, Copy)]
pub(crate) struct Big(usize);

/// How formulas are computed.
#[derive(Clone, Copy)]
pub(crate) struct Setting {
    pub(crate) bits: usize,
    /// Beyond, exponentials are nothing beside other numbers, or greater than all.
    pub(crate) far: f64,
    /// The exponents of what is nothing: of an exponential, and of a normal tail.
    pub(crate) nothing: (isize, isize),
    /// Whether there are ends that the documentation has for `f64`, such as where a sine becomes its mean.
    pub(crate) has_ends: bool,
}

impl Setting {
    /// For results that `Exact` gives for an `f32`. Powers of a small x may cancel.
    pub(crate) fn of_exact(x: f64) -> Self {
        let bits = 400.0 + 4.0 * (-x.abs().log2()).clamp(0.0, 200.0) + x.abs().log2().max(0.0);
        Self { bits: bits as usize, far: 200.0, nothing: (-288, -1000), has_ends: false }
    }

    /// For tables, whose results may be any `f64`.
    pub(crate) fn of_table(x: f64, digits: f64) -> Self {
        let size = if x == 0.0 { 0.0 } else { x.abs().log2() };
        let bits = 100.0 + 3.33 * digits + 4.0 * (-size).max(0.0) + size.max(0.0);
        Self { bits: bits as usize, far: 6000.0, nothing: (-9000, -9000), has_ends: true }
    }

    /// Computes. No number may outlive this.
    pub(crate) fn within<T>(self, compute: impl FnOnce() -> T) -> T {
        SETTING.set(self);
        NUMBERS.with_borrow_mut(Vec::clear);
        compute()
    }
}

thread_local! {
    static NUMBERS: RefCell<Vec<Float>> = const { RefCell::new(Vec::new()) };
    static SETTING: Cell<Setting> =
        const { Cell::new(Setting { bits: 0, far: 0.0, nothing: (0, 0), has_ends: false }) };
}

fn keep(number: Float) -> Big {
    NUMBERS.with_borrow_mut(|numbers| {
        numbers.push(number);
        Big(numbers.len() - 1)
    })
}

fn float(x: f64, bits: usize) -> Float {
    Float::try_from(x).expect("a finite number").with_precision(bits).value()
}

impl Big {
    fn get(self) -> Float {
        NUMBERS.with_borrow(|numbers| numbers[self.0].clone())
    }

    fn power_of_two(exponent: isize) -> Self {
        keep(Float::from_parts(1.into(), exponent).with_precision(SETTING.get().bits).value())
    }

    /// Whether 1 + self would cancel.
    fn is_small(self) -> bool {
        self.abs() < Self::of(0.125)
    }

    fn powi(self, n: u32) -> Self {
        (1..n).fold(self, |power, _| power * self)
    }

    /// e^self, however small or great.
    fn unbounded_exp(self) -> Self {
        keep(self.get().exp())
    }

    /// The nearest.
    pub(crate) fn to_f64(self) -> f64 {
        let near = self.get().to_f64().value();
        // `dashu-float` gives an infinity for all that is above the greatest number.
        let rounds_down =
            near.is_infinite() && self.abs() < Self::of(f64::MAX) * Self::of(1.0 + 2.0_f64.powi(-52)).sqrt();
        if rounds_down { f64::MAX.copysign(near) } else { near }
    }

    /// This number as a sum of two.
    pub(crate) fn to_pair(self) -> (f64, f64) {
        let near = self.to_f64();
        if near.is_finite() { (near, (self - Self::of(near)).to_f64()) } else { (near, 0.0) }
    }

    /// Rounds to odd, to 53 bits. If that is rounded again, the result is the same as if this number were rounded once.
    pub(crate) fn to_odd(self) -> f64 {
        let number = self.get();
        let near = number.to_f64().value();
        let exact = Float::try_from(near).expect("a finite number");
        if exact == number || near.to_bits() & 1 == 1 {
            near
        } else if exact < number {
            near.next_up()
        } else {
            near.next_down()
        }
    }
}

impl Number for Big {
    fn of(x: f64) -> Self {
        keep(float(x, SETTING.get().bits))
    }

    fn parameter(x: f64) -> Self {
        Self::of(x)
    }

    fn quotient(p: f64, q: f64) -> Self {
        Self::of(p) / Self::of(q)
    }

    fn per_type(_f32: f64, f64: f64) -> Self {
        Self::of(if SETTING.get().has_ends { f64 } else { f64::MAX })
    }

    fn exp(self) -> Self {
        let Setting { far, nothing, .. } = SETTING.get();
        if self.abs() > Self::of(far) {
            return Self::power_of_two(if self.is_negative() { nothing.0 } else { -nothing.0 });
        }
        self.unbounded_exp()
    }

    fn expm1(self) -> Self {
        if self.is_small() {
            return series(self, |term, n| term * self / Self::of(n + 1.0));
        }
        self.exp() - Self::of(1.0)
    }

    fn ln_1p(self) -> Self {
        let (one, two) = (Self::of(1.0), Self::of(2.0));
        if self.is_small() {
            // 2 artanh(s).
            let s = self / (two + self);
            let term = |term, n| term * s * s * Self::of(2.0 * n - 1.0) / Self::of(2.0 * n + 1.0);
            return two * series(s, term);
        }
        keep((self + one).get().ln())
    }

    fn sqrt(self) -> Self {
        keep(self.get().sqrt())
    }

    fn sin(self) -> Self {
        keep(self.get().sin())
    }

    fn cos(self) -> Self {
        keep(self.get().cos())
    }

    /// 1/2 + density (x + x^3 / 3 + x^5 / (3 5) + ...), with the bits that cancel in a tail.
    fn normal(self) -> Self {
        let setting = SETTING.get();
        // Beyond, the rest is nothing beside any other number.
        if self.abs() > Self::of(40.0) {
            let rest = Self::power_of_two(setting.nothing.1);
            return if self.is_negative() { rest } else { Self::of(1.0) - rest };
        }
        let more = setting.bits + (1.5 * self.to_f64().powi(2)) as usize + 20;
        SETTING.set(Setting { bits: more, ..setting });
        let x = keep(self.get().with_precision(more).value());
        let square = x * x;
        let sum = series(x, |term, n| term * square / Self::of(2.0 * n + 1.0));
        let normal = sum * x.density() + Self::of(0.5);
        SETTING.set(setting);
        keep(normal.get().with_precision(setting.bits).value())
    }

    fn density(self) -> Self {
        if self.abs() > Self::of(40.0) {
            return Self::power_of_two(SETTING.get().nothing.1);
        }
        (-(self * self) / Self::of(2.0)).unbounded_exp() / (Self::pi() * Self::of(2.0)).sqrt()
    }

    fn pi() -> Self {
        keep(Float::pi(SETTING.get().bits))
    }

    fn selu() -> (Self, Self) {
        // erfc(z) = 2 (1 - normal(z sqrt 2)).
        let erfc = |a: Self| (Self::of(1.0) - a.normal()) * Self::of(2.0);
        let (one, two) = (Self::of(1.0), Self::of(2.0));
        let (near, far) = (erfc(one), erfc(two));
        let e = one.exp();
        let (root_e, pi) = (e.sqrt(), Self::pi());
        let m = one - near * root_e;
        let alpha = (two / pi).sqrt() / m;
        let sum = far * two * e.powi(2) + near.powi(2) * pi * e - (pi + two) * two * near * root_e + pi + two;
        let lambda = m * (pi * two).sqrt() / sum.sqrt();
        (lambda, lambda * alpha)
    }

    fn mul_add(self, a: Self, b: Self) -> Self {
        self * a + b
    }
}

macro_rules! operators {
    ($($trait:ident $method:ident $op:tt),*) => {$(
        impl $trait for Big {
            type Output = Big;

            fn $method(self, other: Big) -> Big {
                keep(self.get() $op other.get())
            }
        }
    )*};
}
operators!(Add add +, Sub sub -, Mul mul *, Div div /);

impl Neg for Big {
    type Output = Big;

    fn neg(self) -> Big {
        keep(-self.get())
    }
}

impl PartialEq for Big {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl PartialOrd for Big {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.get().partial_cmp(&other.get())
    }
}
