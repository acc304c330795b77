//! The functions of `math` are within the errors that their documentation states.
//!
//! `STRIDE=1 cargo test --release --test loops elementary -- --no-capture` takes every `f32`, and prints the errors.

use activations::{Activation, Described, Elementwise, ErrorBounds, Level, Real, math};

use crate::common::sweep::{self, Report};
use crate::common::{Part, table, ulp};

macro_rules! functions {
    ($($type:ident: $name:ident),*) => {$(
        #[derive(Clone, Copy)]
        struct $type;

        impl Elementwise for $type {
            #[inline(always)]
            fn value<R: Real>(&self, x: R) -> R {
                math::$name(x)
            }

            #[inline(always)]
            fn slope<R: Real>(&self, x: R) -> R {
                math::$name(x)
            }
        }
    )*};
}
functions!(Exp: exp, Expm1: expm1, Sigmoid: sigmoid, Tanh: tanh, Log1pExp: log1p_exp);

/// A prime, unless the environment has another.
fn stride() -> u64 {
    const DEFAULT: u64 = if cfg!(debug_assertions) { 65_537 } else { 1_009 };
    std::env::var("STRIDE").map_or(DEFAULT, |stride| stride.parse().expect("STRIDE is a number"))
}

/// Of `f32`, a sweep over the numbers; of `f64`, the table of a function whose value or derivative it is. The bounds are
/// those of fused and of plain lanes.
fn check(name: &str, f: impl Elementwise, exact: fn(f64) -> f64, of: (&str, Part), [f32, f64]: [(f64, f64); 2]) {
    const PIECE: usize = 1 << 16;
    let bound = |level: Level, (fused, plain)| if level.is_fused() { fused } else { plain };
    let (mut y, mut exacts) = (vec![0.0; PIECE], Vec::with_capacity(PIECE));
    let mut reports: Vec<(Level, Report<f32>)> = Level::available().map(|level| (level, Report::default())).collect();
    let mut inputs = sweep::patterns(0..1 << 32, stride()).peekable();
    while inputs.peek().is_some() {
        let x: Vec<f32> = inputs.by_ref().take(PIECE).collect();
        exacts.clear();
        exacts.extend(x.iter().map(|&x| exact(f64::from(x))));
        for (level, report) in &mut reports {
            level.with(f.clone()).forward(&x, &mut y[..x.len()]);
            for ((&x, &got), &exact) in x.iter().zip(&y).zip(&exacts) {
                report.judge(x, got, exact, ulp::error_f32(got, exact, 0.0));
            }
        }
    }
    for (level, report) in reports {
        println!("{name} f32 {level}: {:.3} ULP at {:e}", report.worst, report.at);
        report.within(bound(level, f32)).unwrap_or_else(|e| panic!("{name} of f32 at {level}: {e}"));
    }

    let (table, part) = (table::of(of.0).expect("a table"), of.1);
    let x: Vec<f64> = table.iter().map(|line| line.x).collect();
    for level in Level::available() {
        let (mut y, mut report) = (vec![0.0; x.len()], Report::default());
        level.with(f.clone()).forward(&x, &mut y);
        for (line, got) in table.iter().zip(y) {
            let exact = line.exact(part);
            report.judge(line.x, got, exact.0, ulp::error_f64(got, exact, 0.0));
        }
        println!("{name} f64 {level}: {:.3} ULP at {:e}", report.worst, report.at);
        report.within(bound(level, f64)).unwrap_or_else(|e| panic!("{name} of f64 at {level}: {e}"));
    }
}

/// The bounds of an activation's value.
fn of_card(error: ErrorBounds) -> [(f64, f64); 2] {
    [(error.f32.0, error.f32_plain.0), (error.f64.0, error.f64_plain.0)]
}

#[test]
fn exp_is_within_its_bound() {
    check("exp", Exp, libm::exp, ("expm1", Part::Slope), [(1.1, 1.1); 2]);
}

#[test]
fn expm1_is_within_its_bound() {
    check("expm1", Expm1, libm::expm1, ("expm1", Part::Value), [(1.5, 1.6), (1.3, 1.3)]);
}

#[test]
fn sigmoid_is_within_its_bound() {
    let bounds = of_card(activations::Sigmoid::CARD.error);
    check("sigmoid", Sigmoid, |x| 1.0 / (1.0 + libm::exp(-x)), ("sigmoid", Part::Value), bounds);
}

#[test]
fn tanh_is_within_its_bound() {
    check("tanh", Tanh, libm::tanh, ("tanh", Part::Value), of_card(activations::Tanh::CARD.error));
}

#[test]
fn log1p_exp_is_within_its_bound() {
    fn exact(x: f64) -> f64 {
        if x.is_nan() { x } else { x.max(0.0) + libm::log1p(libm::exp(-x.abs())) }
    }
    check("log1p_exp", Log1pExp, exact, ("softplus", Part::Value), of_card(activations::Softplus::CARD.error));
}
