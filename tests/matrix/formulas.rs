//! The activations of one number by the formulas of their entries, in the arithmetic of `big.rs`.

use std::cell::Cell;

use activations::AnyActivation;

use crate::big::{Big, LAMBDA, LAMBDA_ALPHA, PI};
use crate::common::entries::{self, Entry, Visit};
use crate::number::Number;

/// f(x) and f'(x).
pub(crate) type Pair = (Big, Big);

/// An activation for one type of element.
pub(crate) struct Formula {
    activation: AnyActivation,
    element: Type,
}

/// The crate rounds parameters to the type, so its results depend on this.
#[derive(Clone, Copy)]
struct Type {
    round: fn(f64) -> f64,
    is_f64: bool,
}

thread_local! {
    /// For what type of element the references are computed at this moment. A number that is `Copy` has no place for it.
    static ELEMENT: Cell<Type> = const { Cell::new(Type { round: |x| x, is_f64: true }) };
}

fn rounded(x: f64) -> f64 {
    (ELEMENT.get().round)(x)
}

impl Formula {
    /// `None` for functions of rows.
    pub(crate) fn of<T: Number>(activation: &AnyActivation) -> Option<Self> {
        let element = Type { round: T::computed, is_f64: T::TYPE == "f64" };
        (!entries::is_of_rows(activation)).then_some(Self { activation: *activation, element })
    }

    fn visit<V: Visit>(&self, visitor: V) -> V::Out {
        ELEMENT.set(self.element);
        entries::visit(&self.activation, visitor).expect("a function of one number")
    }

    fn roots(&self) -> (bool, bool) {
        let (value, slope) = entries::facts(&self.activation).expect("a function of one number").roots;
        (value.is_some(), slope.is_some())
    }

    /// The least magnitude whose ULP is used for a derivative: the documentation's 1/16 near the roots.
    pub(crate) fn slope_floor(&self) -> Big {
        if self.roots().1 { Big::ONE.scaled(-4) } else { Big::ZERO }
    }

    /// The same for a value.
    pub(crate) fn value_floor(&self) -> Big {
        if self.roots().0 { Big::ONE.scaled(-4) } else { Big::ZERO }
    }

    pub(crate) fn at(&self, x: Big) -> Pair {
        struct At(Big);
        impl Visit for At {
            type Out = Pair;

            fn visit<E: Entry>(self, function: &E) -> Pair {
                let x = self.0;
                if x.is_infinite() {
                    let (value, slope) = function.limits()[usize::from(!x.is_negative())];
                    return (Big::of(rounded(value)), Big::of(rounded(slope)));
                }
                (function.value_of(x), function.slope_of(x))
            }
        }
        if x.is_nan() { (x, x) } else { self.visit(At(x)) }
    }

    /// f'(x) where f(x) = y, by the documented formula of the output, and the error that its cancellation may have.
    pub(crate) fn slope_of_output(&self, y: Big, eps: Big) -> (Big, Big) {
        struct OfOutput(Big);
        impl Visit for OfOutput {
            type Out = Option<(Big, f64)>;

            fn visit<E: Entry>(self, function: &E) -> Option<(Big, f64)> {
                function.slope_of_output(self.0)
            }
        }
        if y.is_nan() {
            return (y, Big::ZERO);
        }
        let found = self.visit(OfOutput(y));
        let (slope, roundings) =
            found.unwrap_or_else(|| panic!("{}: its entry has no slope_of_output", self.activation));
        (slope, Big::of(roundings) * eps)
    }
}

impl entries::number::Number for Big {
    fn of(x: f64) -> Self {
        Self::of(x)
    }

    fn parameter(x: f64) -> Self {
        Self::of(rounded(x))
    }

    fn quotient(p: f64, q: f64) -> Self {
        Self::of(rounded(p / q))
    }

    fn per_type(f32: f64, f64: f64) -> Self {
        Self::of(if ELEMENT.get().is_f64 { f64 } else { f32 })
    }

    fn exp(self) -> Self {
        self.exp()
    }

    fn expm1(self) -> Self {
        self.expm1()
    }

    fn ln_1p(self) -> Self {
        self.ln_1p()
    }

    fn sqrt(self) -> Self {
        self.sqrt()
    }

    fn sin(self) -> Self {
        // From there on the number has too few digits behind the point. A wave beside it is less than half an ULP.
        if self.exponent() > 55 { Self::ZERO } else { self.sin_cos().0 }
    }

    fn cos(self) -> Self {
        if self.exponent() > 55 { Self::ZERO } else { self.sin_cos().1 }
    }

    fn normal(self) -> Self {
        self.normal_distribution()
    }

    fn density(self) -> Self {
        self.density()
    }

    fn pi() -> Self {
        PI
    }

    fn selu() -> (Self, Self) {
        (LAMBDA, LAMBDA_ALPHA)
    }

    fn mul_add(self, a: Self, b: Self) -> Self {
        self * a + b
    }

    fn abs(self) -> Self {
        self.abs()
    }

    fn is_negative(self) -> bool {
        self.is_negative()
    }
}

pub(crate) fn softplus(x: Big) -> Big {
    let tail = (-x.abs()).exp().ln_1p();
    if x.is_negative() { tail } else { x + tail }
}

pub(crate) fn swish(x: Big, beta: Big) -> Pair {
    let z = beta * x;
    (x * z.sigmoid(), z.sigmoid() * (Big::ONE + z * (-z).sigmoid()))
}
