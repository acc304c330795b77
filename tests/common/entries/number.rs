//! Kinds of numbers that a reference is computed in.

use std::ops::{Add, Div, Mul, Neg, Sub};

/// A number. Results are finite or overflow to infinity.
pub trait Number:
    Copy
    + PartialOrd
    + Neg<Output = Self>
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
{
    /// A constant.
    fn of(x: f64) -> Self;

    /// A parameter, rounded as the crate rounds it for the element's type.
    fn parameter(x: f64) -> Self;

    /// A quotient of parameters, rounded as the crate rounds it.
    fn quotient(p: f64, q: f64) -> Self;

    /// One of these, for `f32` or for `f64`: where the documentation has another end for each type.
    fn per_type(f32: f64, f64: f64) -> Self;

    fn exp(self) -> Self;

    /// e^x - 1, without cancellation.
    fn expm1(self) -> Self;

    /// log(1 + x), without cancellation.
    fn ln_1p(self) -> Self;

    fn sqrt(self) -> Self;
    fn sin(self) -> Self;
    fn cos(self) -> Self;

    /// The normal distribution.
    fn normal(self) -> Self;

    /// Its density.
    fn density(self) -> Self;

    fn pi() -> Self;

    /// SELU's lambda, and lambda alpha: equation 14 of the paper, for mean 0 and variance 1.
    fn selu() -> (Self, Self);

    /// `self * a + b`, rounded once or not at all.
    fn mul_add(self, a: Self, b: Self) -> Self;

    /// A fraction of whole numbers.
    fn ratio(p: f64, q: f64) -> Self {
        Self::of(p) / Self::of(q)
    }

    fn abs(self) -> Self {
        if self < Self::of(0.0) { -self } else { self }
    }

    fn is_negative(self) -> bool {
        self < Self::of(0.0)
    }

    /// With the sign of x.
    fn signed(self, x: Self) -> Self {
        if x.is_negative() { -self.abs() } else { self.abs() }
    }

    /// x, cut off.
    fn clip(self, low: Self, high: Self) -> Self {
        if self < low {
            low
        } else if high < self {
            high
        } else {
            self
        }
    }

    /// 1 / (1 + e^-x).
    fn sigmoid(self) -> Self {
        // e^|x| would overflow while the result is a number yet.
        let (one, e) = (Self::of(1.0), (-self.abs()).exp());
        if self.is_negative() { e / (one + e) } else { one / (one + e) }
    }

    fn tanh(self) -> Self {
        let t = (-(self.abs() + self.abs())).expm1();
        (-t / (Self::of(2.0) + t)).signed(self)
    }

    /// log(1 + e^x).
    fn softplus(self) -> Self {
        let tail = (-self.abs()).exp().ln_1p();
        if self.is_negative() { tail } else { self + tail }
    }

    /// sinh(x).
    fn sinh(self) -> Self {
        let e = self.abs().expm1();
        ((e + e / (e + Self::of(1.0))) / Self::of(2.0)).signed(self)
    }

    /// cosh(x).
    fn cosh(self) -> Self {
        let e = self.abs().exp();
        (e + Self::of(1.0) / e) / Self::of(2.0)
    }

    /// arsinh(x).
    fn asinh(self) -> Self {
        let (a, one) = (self.abs(), Self::of(1.0));
        (a + a * a / (one + (one + a * a).sqrt())).ln_1p().signed(self)
    }
}

/// 1 where the condition holds, else 0.
pub fn step<N: Number>(condition: bool) -> N {
    N::of(if condition { 1.0 } else { 0.0 })
}

/// The sum of `first` and what follows: `next` makes a term of the one before it and the number of terms before.
pub fn series<N: Number>(first: N, next: impl Fn(N, f64) -> N) -> N {
    let (mut term, mut sum, mut n) = (first, first, 0.0);
    loop {
        n += 1.0;
        term = next(term, n);
        if sum + term == sum {
            return sum;
        }
        sum = sum + term;
    }
}

/// A float as a number, with its functions in libm. Constants of the crate are rounded to `f32` for both.
macro_rules! number {
    (
        $(#[$doc:meta])+
        $float:ident: $exp:ident, $expm1:ident, $log1p:ident, $sin:ident, $cos:ident, $erfc:ident, $tanh:ident
    ) => {
        $(#[$doc])+
        impl Number for $float {
            #[inline]
            fn of(x: f64) -> Self {
                x as $float
            }

            fn parameter(x: f64) -> Self {
                (x as f32).into()
            }

            fn quotient(p: f64, q: f64) -> Self {
                ((p / q) as f32).into()
            }

            fn per_type(f32: f64, _f64: f64) -> Self {
                f32 as $float
            }

            #[inline]
            fn exp(self) -> Self {
                libm::$exp(self)
            }

            #[inline]
            fn expm1(self) -> Self {
                libm::$expm1(self)
            }

            #[inline]
            fn ln_1p(self) -> Self {
                libm::$log1p(self)
            }

            #[inline]
            fn sqrt(self) -> Self {
                self.sqrt()
            }

            #[inline]
            fn sin(self) -> Self {
                libm::$sin(self)
            }

            #[inline]
            fn cos(self) -> Self {
                libm::$cos(self)
            }

            #[inline]
            fn normal(self) -> Self {
                libm::$erfc(-self * std::$float::consts::FRAC_1_SQRT_2) / 2.0
            }

            #[inline]
            fn density(self) -> Self {
                libm::$exp(-self * self / 2.0) / std::$float::consts::TAU.sqrt()
            }

            fn pi() -> Self {
                std::$float::consts::PI
            }

            fn selu() -> (Self, Self) {
                (Self::of(1.050_700_987_355_480_5), Self::of(1.758_099_340_847_376_9))
            }

            #[inline]
            fn mul_add(self, a: Self, b: Self) -> Self {
                self.mul_add(a, b)
            }

            #[inline]
            fn tanh(self) -> Self {
                libm::$tanh(self)
            }
        }
    };
}
number! {
    /// For `f32`: 29 bits more.
    f64: exp, expm1, log1p, sin, cos, erfc, tanh
}
number! {
    /// To show what formulas lose in `f32` itself.
    f32: expf, expm1f, log1pf, sinf, cosf, erfcf, tanhf
}
