//! The error for a parameter that is not allowed.

use core::fmt;

/// A parameter that an activation cannot take.
///
/// ```
/// use activations::{Elu, Softmax};
///
/// let error = Elu::new(f64::NAN).unwrap_err();
/// assert_eq!(error.to_string(), "elu: `alpha` is NaN, but must be a finite number");
/// assert!(Softmax::rows(0).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ParameterError {
    activation: &'static str,
    parameter: &'static str,
    given: f64,
    allowed: &'static str,
}

impl ParameterError {
    pub(crate) const fn new(
        activation: &'static str,
        parameter: &'static str,
        given: f64,
        allowed: &'static str,
    ) -> Self {
        Self { activation, parameter, given, allowed }
    }
}

impl fmt::Display for ParameterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { activation, parameter, given, allowed } = self;
        write!(f, "{activation}: `{parameter}` is {given}, but must be {allowed}")
    }
}

impl core::error::Error for ParameterError {}
