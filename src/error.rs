//! What can be wrong with a parameter.

use core::fmt;

/// A parameter that an activation cannot take.
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
