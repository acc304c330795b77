//! Each formula on single numbers, in both kinds of lane: the bits of the loops, other parameters, derivatives from outputs, and the
//! elementary functions.
//!
//! No loop is compiled, so this takes seconds to compile, while the suite takes minutes. Mutation testing runs it (`tools/mutants.sh`).
//! After an intended change of bits, `UPDATE_DIGESTS=1 cargo test --test values` writes `tests/tables/values.csv` again.

mod cards;
#[path = "../common/mod.rs"]
mod common;
#[allow(dead_code, reason = "a part of what the suite uses")]
#[path = "../suite/support.rs"]
mod support;

use std::collections::BTreeMap;
use std::fmt::{Debug, Write};
use std::str::FromStr;

use crate::support::{Bits, Float, digest_inputs, fnv};
use activations::{
    AnyActivation, Celu, ClippedGelu, Described, Elementwise, Elu, Exponential, Fused, Gelu, GeluTanh, HardSigmoid,
    HardSwish, HardTanh, Hardshrink, Identity, Laplace, LeakyRelu, LogCosh, LogSigmoid, LogSumExp, Mish, Plain,
    QuickGelu, Real, Relu, Relu6, Rrelu, Selu, Shrink, Sigmoid, Silu, Sin, SlopeFromOutput, Snake, Softplus,
    Softshrink, Softsign, SparsePlus, SparseSigmoid, SquaredRelu, Squareplus, Swish, Tanh, Tanhshrink, Threshold,
    Xielu, math,
};

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

/// Calls `$use` with the arguments and each function of single elements.
macro_rules! each_elementwise {
    ($use:ident $($given:ident)*) => {
        $use! {
            $($given)*: Relu, LeakyRelu, Relu6, SquaredRelu, Threshold, Sigmoid, Tanh, Tanhshrink, LogCosh, Gelu, GeluTanh,
            Silu, QuickGelu, Swish, Elu, Selu, Celu, Softplus, LogSigmoid, Mish, Snake, Sin, Rrelu, Identity, HardSigmoid,
            HardSwish, HardTanh, Softshrink, Hardshrink, SparsePlus, SparseSigmoid, Softsign, Squareplus, Shrink,
            ClippedGelu, Laplace, Xielu, Exponential
        }
    };
}

macro_rules! names {
    (: $($name:ident),+) => { [$($name::CARD.name),+] };
}

/// Functions in both kinds of lane, with their defaults.
macro_rules! formulas {
    ($float:ident: $($name:ident),+) => {
        [$(
            both::<_, Plain<$float>, _>($name::CARD.name, &$name::default()),
            both::<_, Fused<$float>, _>($name::CARD.name, &$name::default()),
        )+]
        .into_iter()
        .flatten()
        .collect()
    };
}

fn formulas_f32() -> Vec<Formula<f32>> {
    each_elementwise!(formulas f32)
}

fn formulas_f64() -> Vec<Formula<f64>> {
    each_elementwise!(formulas f64)
}

/// Functions with parameters other than the defaults, derivatives from outputs, elementary functions.
macro_rules! others_of {
    ($float:ident) => {{
        let mut all: Vec<Formula<$float>> = Vec::new();
        macro_rules! with {
            ($activation:expr) => {{
                let activation = $activation.expect("parameters in their range");
                let name = AnyActivation::from(activation).to_string().replace(", ", " ");
                all.extend(both::<_, Plain<$float>, _>(&name, &activation));
                all.extend(both::<_, Fused<$float>, _>(&name, &activation));
            }};
        }
        with!(LeakyRelu::new(-0.3));
        with!(Threshold::new(-0.5, 2.5));
        with!(Rrelu::new(-0.5, 0.7));
        with!(HardTanh::new(-0.3, 7.0));
        with!(HardSigmoid::new(0.7, -3.1));
        with!(Ok::<_, ()>(HardSigmoid::onnx()));
        with!(Softshrink::new(1.7));
        with!(Hardshrink::new(0.0));
        with!(Elu::new(-1.3));
        with!(Celu::new(0.7));
        with!(Celu::new(1e200));
        with!(Celu::new(1e-200));
        with!(Softplus::new(0.3));
        with!(Softplus::new(1e-300));
        with!(Swish::new(-1.7));
        with!(Swish::new(0.005));
        with!(Swish::new(1e-30));
        with!(Swish::new(-0.0));
        with!(Swish::new(1e300));
        with!(Snake::new(3.7));
        with!(Snake::new(1e25));
        with!(Sin::new(0.7));
        with!(Sin::new(1e25));
        with!(Squareplus::new(0.3));
        with!(Squareplus::new(1e20));
        with!(Squareplus::new(1e-30));
        with!(Shrink::new(1.7, 0.3));
        with!(Shrink::new(0.0, -2.5));
        with!(ClippedGelu::new(-0.1, 3.5));
        with!(ClippedGelu::new(0.0, 0.7));
        with!(Laplace::new(-3.3, 7.7));
        with!(Laplace::new(1e300, 1e-300));
        with!(Xielu::new(0.0, 1.3, 0.1));
        with!(Xielu::new(1.7, -0.7, -0.3));
        with!(Xielu::new(0.3, 0.7, 0.7));
        with!(Xielu::new(1e300, 1e300, -1e300));

        macro_rules! from_output {
            ($activation:expr) => {{
                let activation = $activation;
                let name = AnyActivation::from(activation).to_string().replace(", ", " ");
                all.push(formula(&name, "from_output", move |y: Plain<$float>| activation.slope_from_output(y)));
                all.push(formula(&name, "from_output", move |y: Fused<$float>| activation.slope_from_output(y)));
            }};
        }
        from_output!(Relu);
        from_output!(LeakyRelu::default());
        from_output!(LeakyRelu::new(0.0).unwrap());
        from_output!(LeakyRelu::new(-0.3).unwrap());
        from_output!(Relu6);
        from_output!(SquaredRelu);
        from_output!(Sigmoid);
        from_output!(Tanh);
        from_output!(Elu::default());
        from_output!(Elu::new(0.7).unwrap());
        from_output!(Selu);
        from_output!(Celu::new(0.7).unwrap());
        from_output!(Softplus::new(0.7).unwrap());
        from_output!(LogSigmoid);
        from_output!(Identity);
        from_output!(HardSigmoid::default());
        from_output!(HardTanh::new(-0.3, 7.0).unwrap());
        from_output!(SparsePlus);
        from_output!(SparseSigmoid);
        from_output!(Softsign);
        from_output!(Exponential);

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
    let names = each_elementwise!(names);
    for activation in AnyActivation::all() {
        let name = activation.card().name;
        let of_rows = matches!(name, "softmax" | "log_softmax" | "softmin" | "sparsemax" | "hardmax");
        assert!(of_rows != names.contains(&name), "{name}");
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
