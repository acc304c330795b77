//! Derivatives exactly at kinks, corners and jumps: they are PyTorch's, from a committed table (`tools/kinks.py`).
//!
//! The table has what PyTorch, JAX, Keras and ONNX Runtime give. PyTorch decides; where it has no such function,
//! its entry does, and `DIFFERENT` lists the libraries that give another number. The tests for `f32` and `f64` are in
//! `special_values`, those for halves beside their own tests, so that no loop is compiled twice.

use std::fmt::Debug;
use std::sync::LazyLock;

use crate::common::entries;
use crate::support::is_chosen;
use activations::{Activation, AnyActivation, Element, Level, Prelu};

/// A row of the table: a library's result.
pub(crate) struct Row {
    function: &'static str,
    parameters: &'static str,
    x: f64,
    library: &'static str,
    derivative: f64,
}

static TABLE: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let lines = include_str!("../tables/kinks.csv").lines().skip(1);
    lines
        .map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            let [function, parameters, x, library, _version, derivative] = fields[..] else {
                panic!("not a line of the table: {line}")
            };
            let number = |text: &str| text.parse().unwrap_or_else(|e| panic!("{line}: {text}: {e}"));
            Row { function, parameters, x: number(x), library, derivative: number(derivative) }
        })
        .collect()
});

/// Function, x and derivative, for functions of rows that PyTorch does not have. Functions of one number have this in their entries.
/// Sparsemax follows entmax, the package of its authors. Nothing is learnt through a hardmax.
const OF_ROWS: &[(&str, f64, f64)] = &[("sparsemax", -1.0, 0.0), ("sparsemax", 1.0, 0.0), ("hardmax", 0.0, 0.0)];

/// The derivative that was decided for a function that PyTorch does not have.
fn without_pytorch(function: &str, x: f64) -> Option<f64> {
    let of_rows = OF_ROWS.iter().find(|row| (row.0, row.1) == (function, x)).map(|row| row.2);
    let in_entry = || entries::named(function)?.kinks.iter().find(|kink| kink.0 == x).map(|kink| kink.1);
    of_rows.or_else(in_entry)
}

/// Library, function, x and derivative, if the derivative differs from this crate's.
const DIFFERENT: &[(&str, &str, f64, f64)] = &[
    // For x >= 0 it is the right side's.
    ("jax", "leaky_relu", 0.0, 1.0),
    // A clamp whose ends count as inside.
    ("jax", "hard_tanh", -1.0, 1.0),
    ("jax", "hard_tanh", 1.0, 1.0),
    ("keras", "hard_tanh", -1.0, 1.0),
    ("keras", "hard_tanh", 1.0, 1.0),
    ("onnxruntime", "hard_tanh", -1.0, 1.0),
    ("onnxruntime", "hard_tanh", 1.0, 1.0),
    ("onnxruntime", "hard_tanh", -0.5, 1.0),
    ("onnxruntime", "hard_tanh", 2.25, 1.0),
    ("onnxruntime", "relu6", 0.0, 1.0),
    ("onnxruntime", "relu6", 6.0, 1.0),
    // The mean of both sides.
    ("jax", "sparse_sigmoid", -1.0, 0.25),
    ("jax", "sparse_sigmoid", 1.0, 0.25),
    // The right side's derivative.
    ("keras", "selu", 0.0, 1.050_700_987_355_480_5),
    // max(x, 0) + alpha expm1(min(x, 0) / alpha): the derivatives of both sides are added.
    ("keras", "celu", 0.0, 2.0),
    // Both elements count as within the support.
    ("keras", "sparsemax", -1.0, 1.0),
];

impl Row {
    /// The derivative that the crate gives.
    fn decided(&self) -> f64 {
        let same = |row: &&Self| {
            (row.function, row.parameters, row.x.to_bits()) == (self.function, self.parameters, self.x.to_bits())
        };
        let torch = TABLE.iter().filter(same).find(|row| row.library == "torch");
        torch.map(|row| row.derivative).unwrap_or_else(|| {
            let decision = without_pytorch(self.function, self.x);
            decision.unwrap_or_else(|| panic!("{} at {} is not decided", self.function, self.x))
        })
    }

    /// The text to parse: `hard_tanh(min=-0.5, max=2.25)`.
    fn name(&self) -> String {
        format!("{}({})", self.function, self.parameters.replace(' ', ", "))
    }
}

/// The nearest number of the type.
fn number<T: Element>(x: f64) -> T {
    T::from(x).expect("every element has a number near it")
}

/// Whether the numbers are equal up to the rounding of a library's constants: PyTorch's lambda alpha of SELU is a product.
fn is_decided<T: Element>(got: T, row: &Row) -> bool {
    let decided = number::<T>(row.decided());
    (got - decided).abs() <= T::epsilon() * decided.abs()
}

/// Inputs, and the outputs that matter. The loop's block and its rest are compiled separately; a row is [x, 0].
fn inputs<T: Element>(row: &Row) -> (Vec<T>, Vec<T>) {
    if ["sparsemax", "hardmax"].contains(&row.function) {
        return (vec![number(row.x), T::zero()], vec![T::one(), T::zero()]);
    }
    (vec![number(row.x); 257], vec![T::one(); 257])
}

/// Compares each derivative of the function at x with the expected one.
fn check<T: Element + Debug>(activation: &dyn Activation<T>, row: &Row, what: &str) {
    let (x, counts) = inputs::<T>(row);
    let grad_y: Vec<T> = counts.iter().map(|&one| one * number(4.0)).collect();
    let mut found = [(); 3].map(|()| vec![T::nan(); x.len()]);
    let [given, both, scaled] = &mut found;
    activation.derivative(&x, given);
    activation.forward_with_derivative(&x, &mut vec![T::nan(); x.len()], both);
    activation.backward(&x, &grad_y, scaled);
    for i in (0..x.len()).filter(|&i| counts[i] == T::one()) {
        let got = [given[i], both[i], scaled[i] / number(4.0)];
        let fine = got.iter().all(|&got| is_decided(got, row));
        assert!(fine, "{what} at {}: {got:?}, but {} was decided", row.x, row.decided());
    }
}

/// Checks each row of the table for one type, at all levels, from the input and from the output.
pub(crate) fn assert_decided<T: Element + Debug>() {
    for row in TABLE.iter().filter(|row| row.function == "prelu" || is_chosen(row.function)) {
        for level in Level::available() {
            let what = format!("{} at {level}", row.name());
            if row.function == "prelu" {
                check::<T>(&level.with(Prelu::new(&[number(0.25)])), row, &what);
                continue;
            }
            let activation: AnyActivation = row.name().parse().unwrap_or_else(|e| panic!("{what}: {e}"));
            check::<T>(&level.with(activation), row, &what);
            // If two inputs have the same output, the derivative does not follow from the output.
            let folds = row.parameters == "negative_slope=-0.5";
            if let Some(from_output) = activation.as_from_output::<T>().filter(|_| !folds) {
                let (mut y, grad_y) = inputs::<T>(row);
                activation.forward_in_place(&mut y);
                let mut grad_x = vec![T::nan(); y.len()];
                from_output.run_from_output(level, &y, &grad_y, &mut grad_x);
                for (&got, _) in grad_x.iter().zip(&grad_y).filter(|(_, counts)| **counts == T::one()) {
                    let decided = row.decided();
                    assert!(is_decided(got, row), "{what} at {}, from the output: {got:?}, not {decided}", row.x);
                }
            }
        }
    }
}

#[test]
fn libraries_give_the_same_derivatives_at_kinks_unless_listed() {
    for row in TABLE.iter().filter(|row| row.library != "torch") {
        let listed = DIFFERENT
            .iter()
            .find(|(library, function, x, _)| (*library, *function, *x) == (row.library, row.function, row.x));
        let expected = listed.map_or_else(|| row.decided(), |listed| listed.3);
        assert!(
            listed.is_none_or(|listed| listed.3 != row.decided()),
            "{} of {} at {} differs no longer",
            row.library,
            row.function,
            row.x
        );
        assert_eq!(row.derivative, expected, "{} of {} at {}", row.library, row.name(), row.x);
    }
    for (library, function, x, _) in DIFFERENT {
        let found = TABLE.iter().any(|row| (row.library, row.function, row.x) == (*library, *function, *x));
        assert!(found, "{library} of {function} at {x} is not in the table");
    }
}

#[test]
fn every_kink_of_a_card_is_decided() {
    for activation in AnyActivation::all() {
        let card = activation.card();
        for &kink in card.kinks {
            let in_table = TABLE.iter().any(|row| (row.function, row.x) == (card.name, kink));
            assert!(
                in_table || without_pytorch(card.name, kink).is_some(),
                "{} has a kink at {kink}: add it to tools/kinks.py, or to KINKS of its entry",
                card.name
            );
        }
    }
}
