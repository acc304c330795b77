//! The tests' entries: for each function of one number, what it is by the textbook, and the facts that no card has.
//!
//! A function is written once here, for any kind of number. `f64` measures `f32`; the matrix has numbers of 100 bits; the
//! package `examples/exact` has any number of digits, writes the tables, and judges `Exact`.

#![allow(
    clippy::approx_constant,
    reason = "inputs of tables, with the digits that they had, and rounded constants of others"
)]

mod clipped_gelu;
mod elu;
mod exponential;
mod gelu;
mod hard;
mod identity;
mod laplace;
#[path = "../../../src/list.rs"]
pub mod list;
mod mish;
pub mod number;
mod relu;
mod rrelu;
mod shrink;
mod sigmoid;
mod silu;
mod sin;
mod snake;
mod softplus;
mod softsign;
mod sparse;
mod squareplus;
mod tanh;
mod xielu;

use activations::{AnyActivation, Described, Elementwise, Parameters, Real};

use number::Number;

/// Where a function is zero beside the origin: between these inputs, if anywhere.
pub type Root = Option<(f64, f64)>;

/// The test entry of a function.
///
/// The formulas must differ from the crate's, and nothing may cancel in them by more than a few bits, because `f64` has only
/// 29 bits more than `f32`. They take finite numbers.
pub trait Entry: Elementwise + Described + Parameters + Default + Copy + Into<AnyActivation> + 'static {
    /// f(x).
    fn value_of<N: Number>(&self, x: N) -> N;

    /// f'(x).
    fn slope_of<N: Number>(&self, x: N) -> N;

    /// Value and derivative at -inf and at inf.
    fn limits(&self) -> [(f64, f64); 2];

    /// `(x, f(x))` with the defaults, where the documentation states the value to the bit. The infinities are in `limits`.
    const VALUES: &'static [(f64, f64)] = &[];

    /// `(x, f'(x))`, by number: the sign of a derivative that is zero is left open.
    const SLOPES: &'static [(f64, f64)] = &[];

    /// Whether at most one rounding is needed, so that there is no table of exact results.
    const ONE_ROUNDING: bool = false;

    /// The roots of value and derivative beside the origin. Errors there are measured in the spacing
    /// at 1/16.
    fn roots(&self) -> (Root, Root) {
        (None, None)
    }

    /// Whether it grows faster than x on the right: values overflow, and the derivative has no finite limit.
    const OVERFLOWS: bool = false;

    /// Whether the value at the largest numbers is not yet that at infinity: it falls off as 1 / |x|.
    const IS_SLOW: bool = false;

    /// Whether it is a constant about 0, not c x.
    const IS_CONSTANT_AT_ZERO: bool = false;

    /// Whether nothing is added to a product, so that there is nothing to fuse: sums are multiplied, or quotients of sums.
    const HAS_NOTHING_TO_FUSE: bool = false;

    /// Where the derivative has a corner.
    const CORNERS: &'static [f64] = &[];

    /// The derivatives at kinks, if PyTorch does not have the function.
    const KINKS: &'static [(f64, f64)] = &[];

    /// Places that the table has inputs about, beside those that all tables have: roots, kinks, ends of tails.
    const PLACES: &'static [f64] = &[];

    /// Other parameters than the defaults, whose results are committed as digests.
    fn others() -> Vec<Self> {
        Vec::new()
    }

    /// The derivative for an output, and how many roundings of a constant it may be off by. For a `SlopeFromOutput`.
    fn slope_of_output<N: Number>(&self, _y: N) -> Option<(N, f64)> {
        None
    }

    /// The crate's own: `from_output!` writes this and the next.
    fn slope_from_output_of<R: Real>(&self, _y: R) -> Option<R> {
        None
    }

    /// The parameters for which digests of the derivative from outputs are committed.
    fn outputs() -> Vec<Self> {
        Vec::new()
    }

    /// The second derivative's bounds, if it is not constant between kinks.
    const SECOND: Option<Second> = None;

    /// f''(x) with the defaults, for `f32` inputs; infinite ones too.
    fn second_of(_x: f64) -> f64 {
        unreachable!("{} has no second derivative", Self::CARD.name)
    }
}

/// The bounds and the places of a second derivative's test.
#[derive(Clone, Copy, Debug)]
pub struct Second {
    /// In ULP, `(fused, plain)`, as in the documentation of `SecondDerivative`.
    pub f32: (f64, f64),
    pub f64: (f64, f64),
    /// Roots away from 0 are at |x| below the first number. There the spacing at the second counts, if it is greater.
    pub floor: (f64, f64),
    /// The roots. The table has inputs about them.
    pub roots: &'static [f64],
    /// Where the tail leaves the normal range of `f64`, or where the table ends.
    pub tail: f64,
}

impl Second {
    /// With these bounds for both types, and no root.
    pub const fn within(fused: f64, plain: f64) -> Self {
        Self { f32: (fused, plain), f64: (fused, plain), floor: (0.0, 0.0), roots: &[], tail: 740.0 }
    }

    pub const fn floor(self, below: f64, floor: f64) -> Self {
        Self { floor: (below, floor), ..self }
    }

    pub const fn roots(self, roots: &'static [f64]) -> Self {
        Self { roots, ..self }
    }

    pub const fn tail(self, tail: f64) -> Self {
        Self { tail, ..self }
    }
}

/// The methods that all functions with a derivative from their output share. `from_output!(Elu::default(), ..);` names the parameters
/// whose digests are committed.
macro_rules! from_output {
    ($($activation:expr),+) => {
        fn slope_from_output_of<R: activations::Real>(&self, y: R) -> Option<R> {
            Some(activations::SlopeFromOutput::slope_from_output(self, y))
        }

        fn outputs() -> Vec<Self> {
            vec![$($activation),+]
        }
    };
}
use from_output;

/// Does something with an entry, whatever its type.
pub trait Visit {
    type Out;
    fn visit<E: Entry>(self, function: &E) -> Self::Out;
}

/// Calls `visit` with the function's entry; `None` for functions of rows.
pub fn visit<V: Visit>(activation: &AnyActivation, visitor: V) -> Option<V::Out> {
    macro_rules! in_folder {
        (functions, $function:ident) => {
            Some(visitor.visit($function))
        };
        (rows, $function:ident) => {{
            let _ = $function;
            None
        }};
    }
    macro_rules! by_type {
        ($($folder:ident::$file:ident: $($name:ident),+;)+) => {
            match activation {
                $($(AnyActivation::$name(function) => in_folder!($folder, function),)+)+
                other => panic!("{other} is not in src/list.rs"),
            }
        };
    }
    list::for_each_activation!(by_type)
}

/// Whether it is a function of whole rows, which has no entry.
pub fn is_of_rows(activation: &AnyActivation) -> bool {
    facts(activation).is_none()
}

/// The facts of an entry that do not depend on a kind of number.
#[derive(Clone, Debug)]
pub struct Facts {
    pub name: &'static str,
    pub type_name: &'static str,
    pub overflows: bool,
    pub is_slow: bool,
    pub is_constant_at_zero: bool,
    pub has_nothing_to_fuse: bool,
    pub limits: [(f64, f64); 2],
    pub values: &'static [(f64, f64)],
    pub slopes: &'static [(f64, f64)],
    pub one_rounding: bool,
    pub roots: (Root, Root),
    pub corners: &'static [f64],
    pub kinks: &'static [(f64, f64)],
    pub places: &'static [f64],
    pub second: Option<Second>,
    pub second_of: fn(f64) -> f64,
}

pub fn facts(activation: &AnyActivation) -> Option<Facts> {
    struct OfEntry;
    impl Visit for OfEntry {
        type Out = Facts;

        fn visit<E: Entry>(self, function: &E) -> Facts {
            Facts {
                name: E::CARD.name,
                type_name: std::any::type_name::<E>().rsplit("::").next().expect("a path"),
                overflows: E::OVERFLOWS,
                is_slow: E::IS_SLOW,
                is_constant_at_zero: E::IS_CONSTANT_AT_ZERO,
                has_nothing_to_fuse: E::HAS_NOTHING_TO_FUSE,
                limits: function.limits(),
                values: E::VALUES,
                slopes: E::SLOPES,
                one_rounding: E::ONE_ROUNDING,
                roots: function.roots(),
                corners: E::CORNERS,
                kinks: E::KINKS,
                places: E::PLACES,
                second: E::SECOND,
                second_of: E::second_of,
            }
        }
    }
    visit(activation, OfEntry)
}

/// The facts of all functions with their defaults.
pub fn all() -> impl Iterator<Item = Facts> {
    AnyActivation::all().filter_map(|activation| facts(&activation))
}

/// The facts of the function with this name; `None` for functions of rows.
pub fn named(name: &str) -> Option<Facts> {
    all().find(|facts| facts.name == name)
}
