//! Compares values and gradients with PyTorch's and JAX's in f64, from a committed table (`tools/parity.py`).
//!
//! Both libraries compute the same inputs. So the test finds a function of ours that differs from theirs, because of its name, a
//! default parameter or its derivative. It does not check the last digits, which `accuracy` does. `WORTH` lists the places where a
//! library is off by more than its last digits, or has another derivative.

use std::collections::BTreeMap;

use crate::common::Part;
use crate::support::{Float, is_elementwise};
use activations::{Activation, AnyActivation, Card, Gate, GeGlu, GeGluTanh, Glu, Level, Packing, Prelu, ReGlu, SwiGlu};

/// The relative error that all numbers of the libraries may have.
const RELATIVE: f64 = 1e-12;

/// A place where a library is off by more, or means something else: the absolute difference, and the inputs. Measured by comparison with
/// mpmath, with 120 digits.
struct Worth {
    library: &'static str,
    function: &'static str,
    part: &'static str,
    absolute: f64,
    at: fn(f64) -> bool,
}

const fn worth(
    library: &'static str,
    function: &'static str,
    part: &'static str,
    absolute: f64,
    at: fn(f64) -> bool,
) -> Worth {
    Worth { library, function, part, absolute, at }
}

const WORTH: &[Worth] = &[
    // y (1 - y), where 1 - y cancels on the right.
    worth("torch", "sigmoid", "gradient", 2e-16, |x| x > 0.0),
    worth("jax", "sigmoid", "gradient", 2e-16, |x| x > 0.0),
    // 1 - y^2 cancels on both sides.
    worth("torch", "tanh", "gradient", 2e-16, |x| x != 0.0),
    worth("jax", "tanh", "gradient", 2e-15, |x| x != 0.0),
    // x (1 + erf) cancels on the left. From -8.3 on the result is 0.
    worth("torch", "gelu", "value", 1e-15, |x| x < 0.0),
    worth("torch", "gelu", "gradient", 1e-15, |x| x < 0.0),
    // x (1 + tanh) cancels on the left.
    worth("torch", "gelu_tanh", "value", 2e-15, |x| x < 0.0),
    worth("torch", "gelu_tanh", "gradient", 4e-15, |x| x < 0.0),
    worth("jax", "gelu_tanh", "value", 4e-15, |x| x < 0.0),
    worth("jax", "gelu_tanh", "gradient", 4e-14, |x| x < 0.0),
    // The derivative of expm1 is computed as expm1 + 1, which cancels on the left.
    // PyTorch's 1/6 is a number of f32.
    worth("torch", "hard_sigmoid", "gradient", 5e-9, |x| x.abs() < 3.0),
    worth("jax", "elu", "gradient", 2e-16, |x| x < 0.0),
    worth("jax", "celu", "gradient", 2e-16, |x| x < 0.0),
    worth("jax", "selu", "gradient", 4e-16, |x| x < 0.0),
    // PyTorch returns x for softplus(x) above its threshold, 20: log1p(e^-20) is 2.1e-9.
    worth("torch", "softplus", "value", 2.1e-9, |x| x > 20.0),
    worth("torch", "softplus", "gradient", 2.1e-9, |x| x > 20.0),
    // x - tanh x, computed as written.
    worth("torch", "tanhshrink", "value", 1e-15, |x| x != 0.0),
    worth("torch", "tanhshrink", "gradient", 2e-16, |x| x != 0.0),
    // (x + sqrt(x^2 + 4)) / 2 cancels on the left.
    worth("jax", "squareplus", "value", 1e-13, |x| x < 0.0),
    worth("jax", "squareplus", "gradient", 2e-16, |x| x < 0.0),
];

/// One line of the table, of a function.
struct Line {
    function: String,
    library: String,
    call: String,
    inputs: String,
    part: String,
    y: Vec<f64>,
}

struct Table {
    versions: String,
    inputs: BTreeMap<String, Vec<f64>>,
    weights: BTreeMap<String, Vec<f64>>,
    lines: Vec<Line>,
}

fn table() -> Table {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tables/parity.csv");
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let numbers = |fields: &[&str]| -> Vec<f64> {
        fields.iter().map(|hex| f64::from_bits(u64::from_str_radix(hex, 16).expect("sixteen digits"))).collect()
    };
    let (mut inputs, mut weights, mut lines, mut versions) =
        (BTreeMap::new(), BTreeMap::new(), Vec::new(), String::new());
    for line in text.lines() {
        match line.split(',').collect::<Vec<&str>>()[..] {
            ["versions", ref of @ ..] => versions = of.join(", "),
            ["inputs", name, ref x @ ..] => drop(inputs.insert(name.to_owned(), numbers(x))),
            ["weights", name, ref w @ ..] => drop(weights.insert(name.to_owned(), numbers(w))),
            [function, library, call, inputs, part, ref y @ ..] => {
                let [function, library, call, inputs, part] =
                    [function, library, call, inputs, part].map(str::to_owned);
                lines.push(Line { function, library, call, inputs, part, y: numbers(y) });
            }
            _ => panic!("not a line of the table: {line}"),
        }
    }
    Table { versions, inputs, weights, lines }
}

impl Line {
    /// Our numbers for the same inputs; `None` if the function is not known.
    fn ours<T: Float>(&self, table: &Table) -> Option<Vec<T>> {
        let narrow = |numbers: &[f64]| numbers.iter().map(|&x| T::of(x)).collect::<Vec<T>>();
        let (x, weights) = (narrow(&table.inputs[&self.inputs]), narrow(&table.weights[&self.inputs]));
        let mut y = vec![T::nan(); self.y.len()];
        if self.inputs == "up_first" {
            let gate: Box<dyn Gate<T>> = match self.function.as_str() {
                "glu" => Box::new(Glu),
                "swi_glu" => Box::new(SwiGlu),
                "ge_glu" => Box::new(GeGlu),
                "ge_glu_tanh" => Box::new(GeGluTanh),
                "re_glu" => Box::new(ReGlu),
                _ => return None,
            };
            let packing = Packing::UpFirst(x.len() / 2);
            match self.part.as_str() {
                "value" => gate.forward_packed(packing, &x, &mut y),
                _ => gate.backward_packed(packing, &x, &weights, &mut y),
            }
        } else {
            let slope = [T::of(0.25)];
            let (by_name, prelu) = (self.function.parse::<AnyActivation>(), Prelu::new(&slope));
            let activation: &dyn Activation<T> = match &by_name {
                Ok(activation) => activation,
                Err(_) if self.function == "prelu" => &prelu,
                Err(_) => return None,
            };
            match self.part.as_str() {
                "value" => activation.forward(&x, &mut y),
                _ => activation.backward(&x, &weights, &mut y),
            }
        }
        Some(y)
    }

    /// How far our results may be off.
    fn tolerances<T: Float>(&self, x: &[f64], card: Option<Card>) -> Vec<f64> {
        let largest = self.y.iter().fold(0.0_f64, |largest, y| largest.max(y.abs()));
        let single = card.filter(|_| self.inputs == "points");
        let each = |(i, &y): (usize, &f64)| {
            // For single elements these are the stated bounds. A row's gradient cancels, and a gate has two factors.
            let ours = match single {
                Some(card) => {
                    let part = if self.part == "value" { Part::Value } else { Part::Slope };
                    let bound = part.of(T::bounds(&card.error, Level::best().is_fused()));
                    bound * T::of(y.abs().max(part.floor(card.name))).spacing()
                }
                None => 8.0 * T::EPS * largest,
            };
            let theirs = WORTH.iter().filter(|worth| {
                (worth.library, worth.function, worth.part) == (&*self.library, &*self.function, &*self.part)
                    && x.get(i).is_some_and(|&x| (worth.at)(x))
            });
            // Our parameters are rounded to the type, and theirs are f64.
            let parameter = T::EPS / 2.0 * y.abs();
            ours + parameter + RELATIVE * y.abs() + theirs.map(|worth| worth.absolute).sum::<f64>()
        };
        self.y.iter().enumerate().map(each).collect()
    }

    fn check<T: Float>(&self, table: &Table) {
        let Some(ours) = self.ours::<T>(table) else {
            panic!("{}, that is {}.{}, is no function of the crate", self.function, self.library, self.call);
        };
        let x = &table.inputs[&self.inputs];
        let activation = self.function.parse::<AnyActivation>().ok();
        let card = activation.map(|activation| activation.card());
        let what = format!("{} {}, {} of {}.{}", self.function, T::TYPE, self.part, self.library, self.call);
        assert_eq!(ours.len(), self.y.len(), "{what}");
        if self.inputs == "points" {
            let alone = activation.as_ref().map_or(self.function == "prelu", is_elementwise);
            assert!(alone, "{what}: on single elements");
        }
        let mut worst = 0.0_f64;
        for (i, ((&got, &y), tolerance)) in ours.iter().zip(&self.y).zip(self.tolerances::<T>(x, card)).enumerate() {
            // Our derivative is PyTorch's. JAX may have another one (`tests/suite/kinks.rs`).
            let at_kink = self.library != "torch"
                && self.part == "gradient"
                && card.is_some_and(|card| card.kinks.contains(&x[i]));
            if let Some(activation) = activation.filter(|_| at_kink) {
                let around = [-1e-6, 1e-6].map(|step| crate::support::slope(&activation, T::of(x[i] + step)).wide());
                let (least, most) = (around[0].min(around[1]) - 1e-5, around[0].max(around[1]) + 1e-5);
                assert!(
                    (least..=most).contains(&y),
                    "{what}, at the kink {:e}: {y:e}, ours around it {around:?}",
                    x[i]
                );
                continue;
            }
            let error = (got.wide() - y).abs();
            assert!(
                error <= tolerance,
                "{what}, element {i}, x = {:e}: theirs is {y:e}, ours {got:e}, {error:e} away, where {tolerance:e} is \
                 allowed",
                x[i]
            );
            worst = worst.max(if y == 0.0 { 0.0 } else { error / y.abs() });
        }
        println!("{what}: {} numbers, at most {worst:.1e} away, relatively", self.y.len());
    }
}

#[test]
fn functions_are_those_of_pytorch_and_jax() {
    let table = table();
    println!("{}", table.versions);
    assert!(table.lines.len() >= 100, "a table cut short");
    for line in &table.lines {
        line.check::<f32>(&table);
        line.check::<f64>(&table);
    }
}

#[test]
fn each_exception_is_for_a_line_of_the_table_and_needed() {
    let table = table();
    for worth in WORTH {
        let line = table
            .lines
            .iter()
            .find(|line| (&*line.library, &*line.function, &*line.part) == (worth.library, worth.function, worth.part))
            .unwrap_or_else(|| panic!("no line for {} {} {}", worth.library, worth.function, worth.part));
        let Some(ours) = line.ours::<f64>(&table) else { continue };
        let x = &table.inputs[&line.inputs];
        let needed = ours
            .iter()
            .zip(&line.y)
            .zip(x)
            .any(|((ours, y), &x)| (worth.at)(x) && (ours - y).abs() > RELATIVE * y.abs());
        assert!(needed, "{} {} {}: no exception is needed", worth.library, worth.function, worth.part);
    }
}
