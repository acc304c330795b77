//! The state of the page: the chosen function, and the buffers through which text and numbers go.

use activations::{Activation, AnyActivation, Level, Relu};

use crate::describe::{functions, quoted};
use crate::digest;
use crate::errors::{Errors, error, errors, pick};
use crate::evaluate::{Curve, evaluate, reference};
use crate::{curve, textbook};

pub struct Page {
    activation: AnyActivation,
    /// The text that JavaScript wrote last, or that it shall read.
    pub text: Vec<u8>,
    /// The numbers that JavaScript shall read.
    pub numbers: Vec<f32>,
}

impl Page {
    #[must_use]
    pub const fn new() -> Self {
        // The page chooses a function before it asks for anything.
        Self { activation: AnyActivation::Relu(Relu), text: Vec::new(), numbers: Vec::new() }
    }

    /// Descriptions of all functions, and the CPU level of this build, as JSON.
    pub fn describe(&mut self) {
        self.text = format!(r#"{{"level":{},"functions":{}}}"#, quoted(Level::best().name()), functions()).into();
    }

    /// Chooses the function that the text names, with its parameters. The text then is empty, or the crate's error.
    pub fn choose(&mut self) {
        let parsed = String::from_utf8_lossy(&self.text).parse::<AnyActivation>();
        self.text = match parsed {
            Ok(activation) => {
                self.activation = activation;
                Vec::new()
            }
            Err(error) => error.to_string().into(),
        };
    }

    /// The points of a curve, x and y in turn.
    pub fn curve(&mut self, curve: Curve<f32>, from: f64, to: f64, count: u16) {
        self.numbers = curve::points(&self.activation, curve, from, to, count).into_iter().flatten().collect();
    }

    /// The greatest errors in each column: first this crate's, then the textbook formula's.
    pub fn errors(&mut self, slope: bool, from: f64, to: f64, columns: u16) {
        let Errors { ours, textbook } = errors(&self.activation, slope, from, to, columns);
        self.numbers = [ours, textbook].concat();
    }

    /// The results at one x, as JSON. Each row has a name, a number, and the error in ULP, if the number is an `f32`.
    pub fn at(&mut self, slope: bool, x: f32) {
        let activation = &self.activation;
        let wide = f64::from(x);
        let exact = evaluate(&reference(activation), Curve::of(slope), &[wide])[0];
        let mut rows = Vec::new();
        let mut row = |what: &str, number: String, error: String| {
            rows.push(format!("[{},{},{}]", quoted(what), quoted(&number), quoted(&error)));
        };
        let mut f32_row = |what: &str, got: f32| {
            row(what, format!("{got:?}"), in_ulp(error(activation, slope, got, exact)));
        };
        f32_row("this crate, f32", evaluate(activation, Curve::of(slope), &[x])[0]);
        if let Some(exactly) = activation.as_exact() {
            let result = if slope { exactly.derivative_vec(&[x]) } else { exactly.forward_vec(&[x]) };
            f32_row("Exact, f32", result[0]);
        }
        f32_row("textbook, f32", pick(slope, textbook::formula::<f32>(activation)(x)));
        row("textbook, f64", format!("{:?}", pick(slope, textbook::formula::<f64>(activation)(wide))), String::new());
        row("this crate, f64", format!("{exact:?}"), String::new());
        self.text = format!("[{}]", rows.join(",")).into();
    }

    /// The digest of the chosen function, or 0 if there is none.
    #[must_use]
    pub fn digest(&self, slope: bool) -> u64 {
        digest::digest(&self.activation, slope, &digest::inputs()).unwrap_or(0)
    }
}

impl Default for Page {
    fn default() -> Self {
        Self::new()
    }
}

/// A few digits, or the reason why there is no number.
fn in_ulp(error: f64) -> String {
    match error {
        e if e.is_infinite() => "no digit".into(),
        e if e < 1000.0 => format!("{e:.3}"),
        e => format!("{e:.1e}"),
    }
}
