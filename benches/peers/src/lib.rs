//! The functions to measure, our form of each, and the inputs. The bench and the programs share this.

#[path = "../../shared/mod.rs"]
mod shared;

use std::error::Error;
use std::fmt;

use activations::{Activation, AnyActivation, Element, LogSoftmax, Softmax};

/// The name under which criterion keeps this crate's own times.
pub const OURS: &str = "activations";

/// The functions to measure, in the order of the table. A new one needs a line here, and one in each library that has it.
pub const FUNCTIONS: [Function; 15] = [
    Function::of("relu"),
    Function::of("leaky_relu"),
    Function::of("sigmoid"),
    Function::of("tanh"),
    Function::of("gelu"),
    Function::of("gelu_tanh"),
    Function::of("silu"),
    Function::of("elu"),
    Function::of("softplus"),
    Function::on_rows("softmax", 10),
    Function::on_rows("softmax", 128),
    Function::on_rows("softmax", 1024),
    Function::on_rows("softmax", 32_768),
    Function::on_rows("log_softmax", 128),
    Function::on_rows("log_softmax", 1024),
];

/// A function, and for functions of rows, their length.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    pub name: &'static str,
    pub row_len: Option<usize>,
}

impl Function {
    const fn of(name: &'static str) -> Self {
        Self { name, row_len: None }
    }

    const fn on_rows(name: &'static str, row_len: usize) -> Self {
        Self { name, row_len: Some(row_len) }
    }

    /// How many elements a call processes: 65,536, rounded down to whole rows.
    pub fn size(&self) -> usize {
        let size = shared::SIZES[1];
        size - size % self.row_len.unwrap_or(1)
    }

    /// The criterion group of this function for one type.
    pub fn group(&self, dtype: &str) -> String {
        format!("{self}, {dtype}")
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        self.row_len.map_or(Ok(()), |n| write!(f, ", rows of {n}"))
    }
}

/// This crate's form of a function.
///
/// # Errors
/// If the crate has no function of this name, or the function does not take rows although a length of rows is given.
pub fn ours<T: Element>(name: &str, row_len: Option<usize>) -> Result<Box<dyn Activation<T>>, Box<dyn Error>> {
    Ok(match (name, row_len) {
        ("softmax", Some(n)) => Box::new(Softmax::rows(n)?),
        ("log_softmax", Some(n)) => Box::new(LogSoftmax::rows(n)?),
        (_, Some(_)) => return Err(format!("`{name}` does not take rows").into()),
        (_, None) => name.parse::<AnyActivation>()?.into(),
    })
}

/// Numbers spread over [-6, 6], as in the benches of the crate itself.
pub fn inputs<T: Element>(size: usize) -> Vec<T> {
    shared::inputs(size)
}
