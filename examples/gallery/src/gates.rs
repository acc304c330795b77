//! A picture of each gated unit: its output for some ups, and its derivative with respect to the gate.

use activations::{ClampedSwiGlu, Gate, GeGlu, GeGluTanh, Glu, ReGlu, SwiGlu};

use crate::functions::{Labelled, picture, plot};

/// Name, formula, kinks, and the unit.
type Unit<'a> = (&'a str, &'a str, &'static [f64], &'a dyn Gate<f32>);

/// The name and the picture of each gate.
pub(crate) fn each() -> impl Iterator<Item = (String, String)> {
    let clamped = ClampedSwiGlu::default();
    let units: [Unit<'_>; 6] = [
        ("glu", "sigmoid(gate) up", &[], &Glu),
        ("swi_glu", "silu(gate) up", &[], &SwiGlu),
        ("ge_glu", "gelu(gate) up", &[], &GeGlu),
        ("ge_glu_tanh", "gelu_tanh(gate) up", &[], &GeGluTanh),
        ("re_glu", "relu(gate) up", &[0.0], &ReGlu),
        ("clamped_swi_glu", "g sigmoid(1.702 g) (up + 1), g = min(gate, 7)", &[7.0], &clamped),
    ];
    let pictures = units.map(|(name, formula, kinks, unit)| {
        let chart = plot(name, format!("{formula}, over the gate"), kinks, lines(unit));
        picture(&chart, "its derivative, over the gate")
    });
    pictures.into_iter()
}

/// The outputs for three ups, and the derivative with respect to the gate for the first of them.
fn lines(unit: &dyn Gate<f32>) -> Vec<Labelled<'_>> {
    let output = |up: f32| {
        move |gate: f32| {
            let mut out = [0.0];
            unit.forward(&[gate], &[up], &mut out);
            out[0]
        }
    };
    let derivative = |gate: f32| {
        let (mut grad_gate, mut grad_up) = ([0.0], [0.0]);
        unit.backward(&[gate], &[1.0], &[1.0], &mut grad_gate, &mut grad_up);
        grad_gate[0]
    };
    vec![
        ("up = 1", Box::new(output(1.0))),
        ("d/dgate", Box::new(derivative)),
        ("up = 2", Box::new(output(2.0))),
        ("up = -0.5", Box::new(output(-0.5))),
    ]
}
