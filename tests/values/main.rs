//! Each formula on single numbers, in both kinds of lane: the bits of the loops, other parameters, derivatives from outputs, and the
//! elementary functions.
//!
//! No loop is compiled, so this takes seconds to compile, while the suite takes minutes. Mutation testing runs it (`tools/mutants.sh`).
//! After an intended change of bits, `UPDATE_DIGESTS=1 cargo test --test values` writes `tests/tables/values.csv` again.

mod cards;
#[path = "../common/mod.rs"]
mod common;
mod errors;
#[allow(dead_code, reason = "a part of what the suite uses")]
#[path = "../suite/support.rs"]
mod support;

use std::collections::BTreeMap;
use std::fmt::{Debug, Write};
use std::marker::PhantomData;
use std::str::FromStr;

use crate::common::entries::{self, Entry, Visit};
use crate::support::{Bits, Float, digest_inputs, fnv};
use activations::{AnyActivation, Elementwise, Fused, LogSumExp, Plain, Real, math};

/// A formula in lanes of one kind.
struct Formula<T> {
    name: String,
    kind: &'static str,
    /// Which part of it: `forward`, `derivative`.
    what: &'static str,
    at: Box<dyn Fn(T) -> T>,
}

/// The number in a lane. The only access to it is `Debug`, which prints `Plain(0.5)`.
fn number<T: FromStr<Err: Debug>>(lane: impl Debug) -> T {
    let text = format!("{lane:?}");
    text["Plain(".len()..text.len() - 1].parse().expect("a number in a lane")
}

fn formula<T, R, F>(name: &str, what: &'static str, f: F) -> Formula<T>
where
    T: Float + FromStr<Err: Debug>,
    R: Real + Debug,
    F: Fn(R) -> R + 'static,
{
    let kind = if R::FUSED { "fused" } else { "plain" };
    Formula { name: name.into(), kind, what, at: Box::new(move |x| number(f(R::of(x.wide())))) }
}

/// Value and derivative in one kind of lane.
fn both<T, R, A>(name: &str, activation: &A) -> [Formula<T>; 2]
where
    T: Float + FromStr<Err: Debug>,
    R: Real + Debug + 'static,
    A: Elementwise + 'static,
{
    let (f, g) = (activation.clone(), activation.clone());
    [formula(name, "forward", move |x: R| f.value(x)), formula(name, "derivative", move |x: R| g.slope(x))]
}

/// The formulas of an entry, in both kinds of lane: of the defaults, or of other parameters and from outputs.
struct Formulas<T> {
    defaults: bool,
    float: PhantomData<T>,
}

impl<T> Visit for Formulas<T>
where
    T: Float + FromStr<Err: Debug>,
    Plain<T>: Real + Debug,
    Fused<T>: Real + Debug,
{
    type Out = Vec<Formula<T>>;

    fn visit<E: Entry>(self, _: &E) -> Vec<Formula<T>> {
        let in_both = |name: &str, f: &E| {
            [both::<T, Plain<T>, E>(name, f), both::<T, Fused<T>, E>(name, f)].into_iter().flatten()
        };
        if self.defaults {
            return in_both(E::CARD.name, &E::default()).collect();
        }
        let name = |f: E| f.into().to_string().replace(", ", " ");
        let mut all: Vec<_> = E::others().into_iter().flat_map(|f| in_both(&name(f), &f)).collect();
        for f in E::outputs() {
            const NONE: &str = "a derivative from the output";
            all.push(formula(&name(f), "from_output", move |y: Plain<T>| f.slope_from_output_of(y).expect(NONE)));
            all.push(formula(&name(f), "from_output", move |y: Fused<T>| f.slope_from_output_of(y).expect(NONE)));
        }
        all
    }
}

fn of_entries<T>(defaults: bool) -> Vec<Formula<T>>
where
    T: Float + FromStr<Err: Debug>,
    Plain<T>: Real + Debug,
    Fused<T>: Real + Debug,
{
    AnyActivation::all()
        .filter_map(|activation| entries::visit(&activation, Formulas { defaults, float: PhantomData }))
        .flatten()
        .collect()
}

fn formulas_f32() -> Vec<Formula<f32>> {
    of_entries(true)
}

fn formulas_f64() -> Vec<Formula<f64>> {
    of_entries(true)
}

/// Functions with parameters other than the defaults, derivatives from outputs, elementary functions.
macro_rules! others_of {
    ($float:ident) => {{
        let mut all: Vec<Formula<$float>> = of_entries(false);
        macro_rules! elementary {
            ($name:ident) => {
                all.push(formula(stringify!($name), "math", math::$name::<Plain<$float>>));
                all.push(formula(stringify!($name), "math", math::$name::<Fused<$float>>));
            };
        }
        elementary!(exp);
        elementary!(expm1);
        elementary!(cos);
        elementary!(erf);
        elementary!(erfc);
        elementary!(exp2);
        elementary!(ln);
        elementary!(ln_1p);
        elementary!(log1p_exp);
        elementary!(rsqrt);
        elementary!(sigmoid);
        elementary!(sin);
        elementary!(tanh);
        all.extend(merged());
        all
    }};
}

/// The states of log-sum-exp for two pieces, on both sides of the places where the scale of their sums changes.
fn merged<T: Float>() -> [Formula<T>; 2] {
    let of = |what, part: usize| Formula {
        name: "log_sum_exp".into(),
        kind: "plain",
        what,
        at: Box::new(move |x: T| {
            // From 200 (`f64`: 1600) on, in both directions; the scale changes at 256, 320, 448 and so on.
            let place = (200.0 + (x.bits() % 4_096) as f64 * 0.37) * if T::WIDTH == 64 { 8.0 } else { 1.0 };
            let place = if x.is_sign_negative() { -place } else { place };
            let [mut sum, other] = [[-0.9, 0.0, 0.3], [2.1, 9.7, -11.3]].map(|steps| {
                let mut sum = LogSumExp::new();
                steps.into_iter().for_each(|step| sum.push(T::of(place + step)));
                sum
            });
            sum.merge(&other);
            sum.to_parts()[part]
        }),
    };
    [of("merged_hi", 2), of("merged_lo", 3)]
}

/// Calls `f` with each line's name, `celu,f32,fused,forward`, and digest.
fn digests<T: Float>(inputs: &[T], formulas: &[Formula<T>], mut found: impl FnMut(String, u64)) {
    for Formula { name, kind, what, at } in formulas {
        // All NaNs have the same digest.
        let patterns = inputs.iter().map(|&x| at(x)).map(|y| if y.is_nan() { u64::MAX } else { y.bits() });
        found(format!("{name},{},{kind},{what}", T::TYPE), fnv(patterns));
    }
}

fn committed(path: &str) -> BTreeMap<String, u64> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{path}: {e}"));
    text.lines()
        .filter_map(|line| line.rsplit_once(','))
        .map(|(line, digest)| (line.into(), u64::from_str_radix(digest, 16).expect("sixteen hexadecimal digits")))
        .collect()
}

fn the_loops_bits<T: Float>(formulas: &[Formula<T>]) {
    let committed = committed(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tables/digests.csv"));
    digests(&digest_inputs(), formulas, |line, digest| {
        assert_eq!(committed.get(&line), Some(&digest), "{line}: other bits than the loops'");
    });
}

#[test]
fn single_f32_have_the_loops_bits() {
    the_loops_bits(&formulas_f32());
}

#[test]
fn single_f64_have_the_loops_bits() {
    the_loops_bits(&formulas_f64());
}

#[test]
fn every_function_of_single_elements_is_in_the_list() {
    let formulas = formulas_f64();
    for activation in AnyActivation::all() {
        let name = activation.card().name;
        let of_rows = activation.as_exact().is_none();
        assert!(of_rows != formulas.iter().any(|formula| formula.name == name), "{name}");
    }
}

/// Fewer inputs than for the defaults: numbers of every magnitude, and special values.
fn few<T: Float>() -> Vec<T> {
    let every = digest_inputs::<T>().into_iter().step_by(7);
    every.chain(Bits(71).floats::<T>(2_000)).collect()
}

#[test]
fn other_bits_equal_the_committed_ones() {
    const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tables/values.csv");
    if std::env::var_os("UPDATE_DIGESTS").is_some() {
        let mut lines = BTreeMap::new();
        digests(&few(), &others_of!(f32), |line, digest| assert_eq!(lines.insert(line, digest), None));
        digests(&few(), &others_of!(f64), |line, digest| assert_eq!(lines.insert(line, digest), None));
        let text = lines.iter().fold(String::new(), |mut text, (line, digest)| {
            writeln!(text, "{line},{digest:016x}").expect("a string takes all");
            text
        });
        return std::fs::write(PATH, text).expect("the file of digests is written");
    }
    let committed = committed(PATH);
    let check = |line: String, digest| assert_eq!(committed.get(&line), Some(&digest), "{line}: other bits");
    digests(&few(), &others_of!(f32), check);
    digests(&few(), &others_of!(f64), check);
}
