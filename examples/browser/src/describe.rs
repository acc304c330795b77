//! Describes each function as JSON for the page: the crate's card and parameters.

use std::fmt::Display;

use activations::{Allowed, AnyActivation, Parameter};

use crate::errors::bound;
use crate::evaluate::is_of_rows;

/// Steps of a parameter's slider on either side of 0.
const STEPS: f64 = 300.0;

/// All functions, in the order of the crate's documentation.
#[must_use]
pub fn functions() -> String {
    array(AnyActivation::all().map(|activation| function(&activation)))
}

fn function(activation: &AnyActivation) -> String {
    let card = activation.card();
    let parameters = array(activation.parameter_list().iter().map(parameter));
    let bounds = [false, true].map(|slope| bound(activation, slope));
    format!(
        r#"{{"name":{},"formula":{},"derivative":{},"range":{},"use":{},"source":{},"parameters":{parameters},"rows":{},"bounds":{}}}"#,
        quoted(card.name),
        quoted(card.formula),
        quoted(card.derivative),
        array([card.range.0, card.range.1].map(|end| quoted(&end.to_string()))),
        quoted(card.common_use),
        quoted(card.source),
        is_of_rows(activation),
        array(bounds),
    )
}

/// A parameter with the ends and the step of a slider, which stays among the allowed values and is wide enough for the usual ones.
fn parameter(parameter: &Parameter) -> String {
    let high = 3.0 * parameter.default.abs().ceil().max(1.0);
    let step = high / STEPS;
    let low = match parameter.allowed {
        Allowed::Positive => step,
        Allowed::NotNegative => 0.0,
        _ => -high,
    };
    format!(
        r#"{{"name":{},"default":{:?},"allowed":{},"low":{low:?},"high":{high:?},"step":{step:?}}}"#,
        quoted(parameter.name),
        parameter.default,
        quoted(&parameter.allowed.to_string()),
    )
}

/// A string of JSON.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted += &format!("\\u{:04x}", u32::from(c)),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

fn array<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    format!("[{}]", items.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_has_a_slider_within_the_allowed_values() {
        for activation in AnyActivation::all() {
            let names: Vec<&str> = activation.parameter_list().iter().map(|parameter| parameter.name).collect();
            assert!(activation.parameters().map(|(name, _)| name).eq(names), "{activation}");
        }
    }

    #[test]
    fn text_is_quoted_as_json_has_it() {
        assert_eq!(quoted("a \"b\" \\ \u{1} é"), r#""a \"b\" \\ \u0001 é""#);
    }
}
