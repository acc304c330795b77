//! Gated units: apart, in place and packed, with their gradients.

use activations::{
    Activation, AnyActivation, Elementwise, Gate, Gated, GeGlu, GeGluTanh, Gelu, GeluTanh, Glu, LeakyRelu, Level,
    Packing, ReGlu, Real, Relu, Sigmoid, Silu, Softplus, SwiGlu, Tanh,
};

use crate::activations_cells::{computed, names};
use crate::big::Big;
use crate::cases::{Bits, Case};
use crate::formulas::{Formula, Pair};
use crate::judge::{Expected, Judge};
use crate::number::{Number, big, for_each_type, stale};

/// x^2, as a user writes it.
#[derive(Clone, Copy)]
struct Square;

impl Elementwise for Square {
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        x * x
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        x + x
    }
}

/// An object.
fn boxed<T: Number>() -> Box<dyn Activation<T::Float> + Send + Sync> {
    Box::new(Softplus::default())
}

/// Each gate, at a level or at the best one, with the activation of its gate; none stands for the user's formula.
type Gates<T> = Vec<(&'static str, Option<AnyActivation>, Box<dyn Gate<T>>)>;

fn gates<T: Number>(level: Option<Level>) -> Gates<T> {
    macro_rules! all {
        ($($name:literal: $gate:expr, $activation:expr;)*) => {
            vec![$({
                let gate: Box<dyn Gate<T>> = match level {
                    Some(level) => Box::new(level.with($gate)),
                    None => Box::new($gate),
                };
                ($name, $activation, gate)
            },)*]
        };
    }
    let leaky = LeakyRelu::new(0.2).expect("a slope");
    all! {
        "Glu": Glu, Some(Sigmoid.into());
        "SwiGlu": SwiGlu, Some(Silu.into());
        "GeGlu": GeGlu, Some(Gelu.into());
        "GeGluTanh": GeGluTanh, Some(GeluTanh.into());
        "ReGlu": ReGlu, Some(Relu.into());
        "Gated(LeakyRelu)": Gated(leaky), Some(leaky.into());
        "Gated(by name)": Gated(AnyActivation::from(Tanh)), Some(Tanh.into());
        "Gated(boxed)": Gated(boxed::<T>()), Some(Softplus::default().into());
        "Gated(x^2)": Gated(Square), None;
    }
}

/// The value and the derivative that a gate computes, with its documented bounds.
fn activation<T: Number>(of: Option<AnyActivation>, x: Big, fused: bool) -> (Expected, Expected) {
    let Some(of) = of else {
        let two_x = if x.is_nan() { x } else { x + x };
        return (Expected::of(computed::<T>(x * x), 0.5), Expected::of(computed::<T>(two_x), 0.5));
    };
    let formula = Formula::of::<T>(&of).expect("a function of single numbers");
    let (value, slope): Pair = formula.at(x);
    let (of_value, of_slope) = T::bounds(&of.card().error, fused);
    (
        Expected::of(value, of_value).floor(formula.value_floor()),
        Expected::of(slope, of_slope).floor(formula.slope_floor()),
    )
}

fn cells<T: Number>(judge: &mut Judge) {
    const ROW: usize = 11;
    for case in Case::ALL {
        let mut bits = Bits(51);
        let n = if case == Case::One { 1 } else { ROW };
        let gate = bits.inputs::<T>(case, 6 * ROW);
        let len = gate.len();
        let (up, grad_out) = (bits.numbers::<T>(len, 2.0), bits.numbers::<T>(len, 3.0));
        for level in Level::available().map(Some).chain([None]) {
            let place = level.map_or("best", Level::name);
            let fused = level.unwrap_or_else(Level::best).is_fused();
            for (what, of, function) in gates::<T>(level) {
                let (mut outs, mut grad_gates, mut grad_ups) = (Vec::new(), Vec::new(), Vec::new());
                for ((gate, up), grad) in big(&gate).into_iter().zip(big(&up)).zip(big(&grad_out)) {
                    let (value, slope) = activation::<T>(of, gate, fused);
                    outs.push(value.times::<T>(up));
                    // Two roundings.
                    grad_gates.push(slope.times::<T>(grad * up).ulps(1.5));
                    grad_ups.push(value.times::<T>(grad));
                }
                // Each gate is called as an object.
                let owner = what.split('(').next().unwrap_or(what);
                let owners: &[&str] = if level.is_some() { &["At"] } else { &[owner, "Gate"] };
                let mut check = |method: &str, place: &str, expected: &[Expected], got: &[T]| {
                    for name in owners {
                        judge.slice((&format!("{name}::{method}"), what, case), place, &[], expected, got);
                    }
                };
                let mut out = stale(len);
                function.forward(&gate, &up, &mut out);
                check("forward", place, &outs, &out);
                let mut out = gate.clone();
                function.forward_in_place(&mut out, &up);
                check("forward_in_place", place, &outs, &out);
                let (mut grad_gate, mut grad_up) = (stale(len), stale(len));
                function.backward(&gate, &up, &grad_out, &mut grad_gate, &mut grad_up);
                check("backward", place, &grad_gates, &grad_gate);
                check("backward", place, &grad_ups, &grad_up);

                for packing in [Packing::GateFirst(n), Packing::UpFirst(n), Packing::Interleaved] {
                    let place = format!("{packing:?} at {place}");
                    let x = packed(packing, &gate, &up);
                    let mut out = stale(len);
                    function.forward_packed(packing, &x, &mut out);
                    check("forward_packed", &place, &outs, &out);
                    let mut grad_x = stale(2 * len);
                    function.backward_packed(packing, &x, &grad_out, &mut grad_x);
                    check("backward_packed", &place, &packed(packing, &grad_gates, &grad_ups), &grad_x);
                }
            }
        }
    }
}

/// Gates and ups in one slice.
fn packed<V: Copy>(packing: Packing, gate: &[V], up: &[V]) -> Vec<V> {
    let rows = |n: usize| gate.chunks(n).zip(up.chunks(n));
    match packing {
        Packing::GateFirst(n) => rows(n).flat_map(|(gate, up)| [gate, up].concat()).collect(),
        Packing::UpFirst(n) => rows(n).flat_map(|(gate, up)| [up, gate].concat()).collect(),
        _ => rows(1).flat_map(|(gate, up)| [gate, up].concat()).collect(),
    }
}

const GATE_METHODS: [&str; 5] = ["forward", "forward_in_place", "backward", "forward_packed", "backward_packed"];

pub(crate) fn covered() -> Vec<String> {
    names(&["Gate", "Gated", "At", "Glu", "SwiGlu", "GeGlu", "GeGluTanh", "ReGlu"], &GATE_METHODS)
}

#[test]
fn gates_are_within_their_bounds() {
    let mut judge = Judge::new("gates");
    for_each_type!(cells(&mut judge));
    judge.finish(&covered());
}
