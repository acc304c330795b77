//! The functions to measure, our form of each, and the inputs. The bench and the programs share this.

#[path = "../../shared/mod.rs"]
mod shared;

use std::error::Error;
use std::fmt;

use activations::{
    Activation, AnyActivation, Element, Exact, Fast, FromOutput, Level, LogSoftmax, Sigmoid, Softmax, Tanh,
};

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

    /// How many elements a call processes: 65,536, or as many as the variable `PEERS_ELEMENTS` says. The number is rounded down to
    /// whole rows, but there is at least one row.
    pub fn size(&self) -> usize {
        let size = std::env::var("PEERS_ELEMENTS").map_or(shared::SIZES[1], |given| {
            given.parse().unwrap_or_else(|_| panic!("PEERS_ELEMENTS is `{given}`, but must be a whole number"))
        });
        let row_len = self.row_len.unwrap_or(1);
        (size - size % row_len).max(row_len)
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

/// The functions that have a faster form.
pub const FAST: [&str; 10] =
    ["sigmoid", "tanh", "gelu", "gelu_tanh", "silu", "quick_gelu", "softplus", "elu", "mish", "softmax"];

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

/// The gradient of a function from its output, `(y, grad_y, grad_x)`, at a level.
///
/// # Errors
/// As [`ours`], and if the output does not determine the function's derivative.
pub fn from_output<T: Element>(
    level: Level,
    name: &str,
    row_len: Option<usize>,
) -> Result<FromOutputCall<T>, Box<dyn Error>> {
    fn call<T: Element>(f: impl FromOutput<T> + 'static) -> FromOutputCall<T> {
        Box::new(move |y, grad_y, grad_x| f.backward_from_output(y, grad_y, grad_x))
    }
    Ok(match (name, row_len) {
        ("sigmoid", None) => call(level.with(Sigmoid)),
        ("tanh", None) => call(level.with(Tanh)),
        ("softmax", Some(n)) => call(level.with(Softmax::rows(n)?)),
        _ => return Err(format!("`{name}` has no gradient from the output").into()),
    })
}

/// A gradient from the output: `y`, `grad_y`, `grad_x`.
pub type FromOutputCall<T> = Box<dyn Fn(&[T], &[T], &mut [T])>;

/// Forms of this crate, by the names that they have in the table.
pub type Forms<T> = Vec<(String, Box<dyn Activation<T>>)>;

/// The other forms of a function: the two modes, if it has them, and the default at the lower levels of this CPU.
///
/// # Errors
/// As [`ours`].
pub fn other_forms(name: &str, row_len: Option<usize>) -> Result<Forms<f32>, Box<dyn Error>> {
    let mut forms = Vec::new();
    if FAST.contains(&name) {
        forms.push(("Fast".to_owned(), in_mode("fast", name, row_len)?));
    }
    forms.push(("Exact".to_owned(), in_mode("exact", name, row_len)?));
    forms.extend(lower_levels(name, row_len)?);
    Ok(forms)
}

/// The function at the levels below the best one of this CPU, by the levels' names.
///
/// # Errors
/// As [`ours`].
pub fn lower_levels<T: Element>(name: &str, row_len: Option<usize>) -> Result<Forms<T>, Box<dyn Error>> {
    Level::available()
        .skip(1)
        .map(|level| Ok((level.name().to_owned(), Box::new(level.with(ours::<T>(name, row_len)?)) as _)))
        .collect()
}

/// The function in the mode `default`, `fast` or `exact`.
///
/// # Errors
/// As [`ours`], and if the mode is another one.
pub fn in_mode(mode: &str, name: &str, row_len: Option<usize>) -> Result<Box<dyn Activation<f32>>, Box<dyn Error>> {
    Ok(match (mode, name, row_len) {
        ("default", ..) => ours(name, row_len)?,
        ("fast", "softmax", Some(n)) => Box::new(Fast(Softmax::rows(n)?)),
        ("fast", _, None) => Box::new(Fast(name.parse::<AnyActivation>()?)),
        ("exact", "softmax", Some(n)) => Box::new(Exact(Softmax::rows(n)?)),
        ("exact", "log_softmax", Some(n)) => Box::new(Exact(LogSoftmax::rows(n)?)),
        ("exact", _, None) => {
            // `Exact` of a name borrows. The programs live as long as their few functions.
            let activation: &'static AnyActivation = Box::leak(Box::new(name.parse()?));
            Box::new(activation.as_exact().ok_or("this function has no exact form")?)
        }
        ("fast" | "exact", ..) => return Err(format!("`{name}` has no form `{mode}` of rows").into()),
        _ => return Err(format!("unknown mode `{mode}`: known are default, fast and exact").into()),
    })
}

/// Numbers spread over [-6, 6], as in the benches of the crate itself.
pub fn inputs<T: Element>(size: usize) -> Vec<T> {
    shared::inputs(size)
}
