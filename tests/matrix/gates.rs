//! Gated units: with separate slices, in place and packed, with their gradients.

use activations::{
    Activation, AnyActivation, ClampedSwiGlu, Elementwise, Gate, GateFormula, Gated, GeGlu, GeGluTanh, Gelu, GeluTanh,
    Glu, LeakyRelu, Level, Packing, ReGlu, Real, Relu, Sigmoid, Silu, Softplus, SwiGlu, Swish, Tanh,
};

use crate::activations_cells::{computed, names};
use crate::big::Big;
use crate::cases::{Bits, Case};
use crate::formulas::{Formula, Pair};
use crate::judge::{Expected, Judge};
use crate::number::{Number, big, for_each_type, stale};

/// A user's x^2.
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

/// A user's unit: the greater of gate and up.
#[derive(Clone, Copy)]
struct Greater;

impl GateFormula for Greater {
    #[inline(always)]
    fn value<R: Real>(&self, gate: R, up: R) -> R {
        gate.at_least(up)
    }

    #[inline(always)]
    fn slopes<R: Real>(&self, gate: R, up: R) -> (R, R) {
        let (mask, zero, one) = (gate.lt(up), R::of(0.0), R::of(1.0));
        (R::select(mask, zero, one), R::select(mask, one, zero))
    }
}

/// The formula of a gate.
#[derive(Clone)]
enum Unit {
    /// f(gate) up.
    Of(AnyActivation),
    /// gate^2 up, by the user's activation.
    Square,
    /// The greater of gate and up, by the user's formula.
    Greater,
    /// [`ClampedSwiGlu`].
    Clamped,
}

/// A gate as a trait object.
fn boxed<T: Number>() -> Box<dyn Activation<T::Float> + Send + Sync> {
    Box::new(Softplus::default())
}

/// Each gate, at a given level or at the best one, with its formula.
type Gates<T> = Vec<(&'static str, Unit, Box<dyn Gate<T>>)>;

fn gates<T: Number>(level: Option<Level>) -> Gates<T> {
    macro_rules! all {
        ($($name:literal: $gate:expr, $unit:expr;)*) => {
            vec![$({
                let gate: Box<dyn Gate<T>> = match level {
                    Some(level) => Box::new(level.with($gate)),
                    None => Box::new($gate),
                };
                ($name, $unit, gate)
            },)*]
        };
    }
    let leaky = LeakyRelu::new(0.2).expect("a slope");
    all! {
        "Glu": Glu, Unit::Of(Sigmoid.into());
        "SwiGlu": SwiGlu, Unit::Of(Silu.into());
        "GeGlu": GeGlu, Unit::Of(Gelu.into());
        "GeGluTanh": GeGluTanh, Unit::Of(GeluTanh.into());
        "ReGlu": ReGlu, Unit::Of(Relu.into());
        "Gated(LeakyRelu)": Gated(leaky), Unit::Of(leaky.into());
        "Gated(by name)": Gated(AnyActivation::from(Tanh)), Unit::Of(Tanh.into());
        "Gated(boxed)": Gated(boxed::<T>()), Unit::Of(Softplus::default().into());
        "Gated(x^2)": Gated(Square), Unit::Square;
        "F(greater)": Greater, Unit::Greater;
        "ClampedSwiGlu": ClampedSwiGlu::default(), Unit::Clamped;
    }
}

/// The value and the derivative of an activation, with its documented bounds.
fn activation<T: Number>(of: &AnyActivation, x: Big, fused: bool) -> (Expected, Expected) {
    let formula = Formula::of::<T>(of).expect("a function of single numbers");
    let (value, slope): Pair = formula.at(x);
    let (of_value, of_slope) = T::bounds(&of.card().error, fused);
    (
        Expected::of(value, of_value).floor(formula.value_floor()),
        Expected::of(slope, of_slope).floor(formula.slope_floor()),
    )
}

/// The square of a number, and its derivative.
fn square<T: Number>(x: Big) -> (Expected, Expected) {
    let two_x = if x.is_nan() { x } else { x + x };
    (Expected::of(computed::<T>(x * x), 0.5), Expected::of(computed::<T>(two_x), 0.5))
}

/// Output and gradients of a gate. The ULP are the documented ones in addition to the error of the activation.
fn unit<T: Number>(unit: &Unit, [gate, up, grad]: [Big; 3], fused: bool) -> [Expected; 3] {
    let of_activation = |(value, slope): (Expected, Expected)| {
        [value.times::<T>(up), slope.times::<T>(grad * up).ulps(1.5), value.times::<T>(grad)]
    };
    match unit {
        Unit::Of(activation_of) => of_activation(activation::<T>(activation_of, gate, fused)),
        Unit::Square => of_activation(square::<T>(gate)),
        Unit::Greater => {
            let exact = |x: Big| Expected::of(x, 0.0).any_zero();
            let (of_gate, of_up) = if gate < up { (Big::ZERO, grad) } else { (grad, Big::ZERO) };
            [exact(if gate < up { up } else { gate }), exact(of_gate), exact(of_up)]
        }
        Unit::Clamped => {
            let (swish, limit) = (Swish::new(1.702).expect("a beta").into(), Big::of(7.0));
            let clamp = |x: Big| if x.is_nan() { x } else { x.min(limit) };
            let (value, slope) = activation::<T>(&swish, clamp(gate), fused);
            let factor = if up.is_nan() { up } else { clamp(up).max(-limit) + Big::ONE };
            let inside = |x: Big, expected: Expected| {
                if limit <= x { Expected::of(Big::ZERO, 0.0).any_zero() } else { expected }
            };
            [
                value.times::<T>(factor).ulps(1.5),
                inside(gate, slope.times::<T>(grad * factor).ulps(2.5)),
                inside(up.abs(), value.times::<T>(grad)),
            ]
        }
    }
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
                    let [out, grad_gate, grad_up] = unit::<T>(&of, [gate, up, grad], fused);
                    outs.push(out);
                    grad_gates.push(grad_gate);
                    grad_ups.push(grad_up);
                }
                // Each gate is called as a trait object.
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
    names(&["Gate", "F", "Gated", "At", "Glu", "SwiGlu", "GeGlu", "GeGluTanh", "ReGlu", "ClampedSwiGlu"], &GATE_METHODS)
}

#[test]
fn gates_are_within_their_bounds() {
    let mut judge = Judge::new("gates");
    for_each_type!(cells(&mut judge));
    judge.finish(&covered());
}
