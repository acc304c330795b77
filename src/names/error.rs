//! The errors of parsing an activation.

use core::fmt;

use crate::describe::error::ParameterError;
use crate::describe::parameters::Parameter;
use crate::names::text::Excerpt;
use crate::names::unknown::UnknownName;

/// Why a text does not name an activation.
///
/// ```
/// use activations::{AnyActivation, ParseError};
///
/// let error = "leaky_relu(slope=0.2)".parse::<AnyActivation>().unwrap_err();
/// assert_eq!(error.to_string(), "leaky_relu: unknown parameter `slope`; it has `negative_slope`");
/// let error = "leaky_relu(nan)".parse::<AnyActivation>().unwrap_err();
/// assert!(matches!(error, ParseError::NotAllowed(_)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum ParseError {
    /// A name that no activation has.
    UnknownName(UnknownName),
    /// A parenthesis that is not closed, or text after it.
    Parentheses(Excerpt),
    /// A parameter that the activation does not have.
    UnknownParameter {
        /// The activation's name.
        activation: &'static str,
        /// The parameter's name as it was given.
        given: Excerpt,
        /// The parameters that there are.
        known: &'static [Parameter],
    },
    /// More parameters than the activation has.
    TooManyParameters {
        /// The activation's name.
        activation: &'static str,
        /// The parameters that there are.
        known: &'static [Parameter],
    },
    /// A parameter that is given twice.
    Repeated {
        /// The activation's name.
        activation: &'static str,
        /// The parameter's name.
        parameter: &'static str,
    },
    /// A value that is not a number.
    NotANumber {
        /// The activation's name.
        activation: &'static str,
        /// The parameter's name.
        parameter: &'static str,
        /// The text that was given.
        given: Excerpt,
    },
    /// A value that the parameter cannot take.
    NotAllowed(ParameterError),
}

impl ParseError {
    /// The known name nearest to the unknown one, if there is one near.
    ///
    /// ```
    /// let error = "reluu".parse::<activations::AnyActivation>().unwrap_err();
    /// assert_eq!(error.nearest(), Some("relu"));
    /// ```
    #[must_use]
    pub const fn nearest(&self) -> Option<&'static str> {
        match self {
            Self::UnknownName(unknown) => unknown.nearest(),
            _ => None,
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownName(unknown) => unknown.fmt(f),
            Self::Parentheses(given) => {
                write!(f, "`{given}`: the parenthesis is not closed at the end, as in `leaky_relu(0.2)`")
            }
            Self::UnknownParameter { activation, given, known } => {
                write!(f, "{activation}: unknown parameter `{given}`; it has {}", List(known))
            }
            Self::TooManyParameters { activation, known } => {
                write!(f, "{activation}: too many parameters; it has {}", List(known))
            }
            Self::Repeated { activation, parameter } => write!(f, "{activation}: `{parameter}` is given twice"),
            Self::NotANumber { activation, parameter, given } => {
                write!(f, "{activation}: `{parameter}` is `{given}`, but must be a number")
            }
            Self::NotAllowed(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for ParseError {}

/// Writes the names of parameters into a message.
struct List(&'static [Parameter]);

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        for (i, parameter) in self.0.iter().enumerate() {
            write!(f, "{}`{}`", if i == 0 { "" } else { ", " }, parameter.name)?;
        }
        Ok(())
    }
}
