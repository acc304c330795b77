//! Numbers of any precision, with the operations of the formulas: a thin layer over `dashu-float`.

use std::ops::{Add, Div, Mul, Neg, Sub};

use dashu_float::FBig;
use dashu_float::round::mode::HalfEven;

type Number = FBig<HalfEven, 2>;

/// A number with as many bits as the [`Precision`] that made it.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub(crate) struct Big(Number);

/// How many bits the numbers of a formula have.
#[derive(Clone, Copy)]
pub(crate) struct Precision(pub(crate) usize);

impl Precision {
    pub(crate) fn of(self, x: f64) -> Big {
        Big(Number::try_from(x).expect("a finite number").with_precision(self.0).value())
    }
}

impl Big {
    pub(crate) fn of(&self, x: f64) -> Self {
        Precision(self.0.precision()).of(x)
    }

    pub(crate) fn pi(&self) -> Self {
        Self(Number::pi(self.0.precision()))
    }

    /// A number below this, relative to another one, is negligible.
    pub(crate) fn nothing(&self) -> Self {
        Self(Number::from_parts(1.into(), -(self.0.precision() as isize)))
    }

    /// e^self. Below -200 the result is negligible, and above 200 it is greater than all numbers that matter.
    pub(crate) fn exp(&self) -> Self {
        if self.abs() > self.of(200.0) {
            let nothing = self.of(2.0_f64.powi(-288));
            return if self.is_negative() { nothing } else { self.of(1.0) / nothing };
        }
        self.unbounded_exp()
    }

    /// e^self.
    pub(crate) fn unbounded_exp(&self) -> Self {
        Self(self.0.exp())
    }

    pub(crate) fn ln(&self) -> Self {
        Self(self.0.ln())
    }

    pub(crate) fn sqrt(&self) -> Self {
        Self(self.0.sqrt())
    }

    pub(crate) fn sin(&self) -> Self {
        Self(self.0.sin())
    }

    pub(crate) fn cos(&self) -> Self {
        Self(self.0.cos())
    }

    pub(crate) fn powi(&self, n: u32) -> Self {
        (1..n).fold(self.clone(), |power, _| power * self)
    }

    pub(crate) fn abs(&self) -> Self {
        if *self < self.of(0.0) { -self.clone() } else { self.clone() }
    }

    pub(crate) fn is_negative(&self) -> bool {
        *self < self.of(0.0)
    }

    /// Rounds to odd, to 53 bits. If that is rounded again, the result is the same as if this number were rounded once.
    pub(crate) fn to_odd(&self) -> f64 {
        let near = self.0.to_f64().value();
        let exact = Number::try_from(near).expect("a finite number");
        if exact == self.0 || near.to_bits() & 1 == 1 {
            near
        } else if exact < self.0 {
            near.next_up()
        } else {
            near.next_down()
        }
    }
}

macro_rules! operators {
    ($($trait:ident $method:ident $op:tt),*) => {$(
        impl $trait<&Big> for Big {
            type Output = Big;

            fn $method(self, other: &Big) -> Big {
                Big(self.0 $op &other.0)
            }
        }

        impl $trait for Big {
            type Output = Big;

            fn $method(self, other: Big) -> Big {
                Big(self.0 $op other.0)
            }
        }

        impl $trait for &Big {
            type Output = Big;

            fn $method(self, other: &Big) -> Big {
                Big(&self.0 $op &other.0)
            }
        }

        impl $trait<f64> for Big {
            type Output = Big;

            fn $method(self, other: f64) -> Big {
                let other = self.of(other);
                Big(self.0 $op other.0)
            }
        }

        impl $trait<f64> for &Big {
            type Output = Big;

            fn $method(self, other: f64) -> Big {
                let other = self.of(other);
                Big(&self.0 $op other.0)
            }
        }
    )*};
}
operators!(Add add +, Sub sub -, Mul mul *, Div div /);

impl Neg for Big {
    type Output = Big;

    fn neg(self) -> Big {
        Big(-self.0)
    }
}
