//! Parses activations from text, such as `torch.nn.LeakyReLU(negative_slope=0.2)`.

use core::str::FromStr;

use crate::describe::error::ParameterError;
use crate::describe::parameters::Parameter;
use crate::names::any::AnyActivation;
use crate::names::dialect::{Argument, Means, Origin, Value, default, rule_for, translated, unqualified};
use crate::names::error::ParseError;
use crate::names::text::{Excerpt, letters, same};
use crate::names::unknown::UnknownName;

/// No activation has this many parameters.
const MOST: usize = 8;

/// The function of this name, and the framework that the name comes from.
fn named(name: &str, otherwise: Origin) -> Result<(AnyActivation, Origin), ParseError> {
    if let Some(ambiguous) = UnknownName::ambiguous(name) {
        return Err(ParseError::UnknownName(ambiguous));
    }
    unqualified(name, otherwise)
        .and_then(|(name, origin)| AnyActivation::by_letters(letters(name)).map(|activation| (activation, origin)))
        .ok_or_else(|| ParseError::UnknownName(UnknownName::new(name)))
}

/// The activation with this name and these arguments, which are given by name or by position.
pub(crate) fn build<'a>(
    name: &str,
    origin: Origin,
    arguments: impl Iterator<Item = Argument<'a>> + Clone,
) -> Result<AnyActivation, ParseError> {
    let (named, origin) = named(name, origin)?;
    let theirs = named.name();
    let arguments = arguments.clone().chain(default(origin, theirs, arguments));
    let (activation, others) = chosen(named, arguments.clone())?;

    let (name, known) = (activation.name(), activation.parameter_list());
    let (mut values, mut given) = ([0.0; MOST], [false; MOST]);
    for (i, value) in values.iter_mut().enumerate().take(known.len()) {
        *value = activation.parameter(i);
    }
    for &(other, value) in others {
        if let Some(index) = index_of(name, known, other) {
            (values[index], given[index]) = (value, true);
        }
    }
    for (place, argument) in arguments.enumerate() {
        if rule_for(theirs, argument).is_some_and(|rule| !matches!(rule.means, Means::ParameterOf(..))) {
            continue;
        }
        let index = match argument.0 {
            None if place < known.len() => place,
            None => return Err(ParseError::TooManyParameters { activation: name, known }),
            Some(key) => index_of(name, known, key).ok_or_else(|| ParseError::UnknownParameter {
                activation: name,
                given: Excerpt::of(key.trim_matches(' ')),
                known,
            })?,
        };
        let parameter = known[index].name;
        if core::mem::replace(&mut given[index], true) {
            return Err(ParseError::Repeated { activation: name, parameter });
        }
        values[index] = match argument.1 {
            Value::Number(number) => number,
            Value::Word(word) => {
                return Err(ParseError::NotANumber { activation: name, parameter, given: Excerpt::of(word) });
            }
        };
    }
    if given == [false; MOST] {
        return Ok(activation);
    }
    activation.with_values(&values[..known.len()]).map_err(ParseError::NotAllowed)
}

fn index_of(activation: &str, known: &[Parameter], key: &str) -> Option<usize> {
    let place = |name: &str| known.iter().position(|parameter| same(parameter.name, name));
    place(key).or_else(|| place(translated(activation, key)))
}

/// Parameters that an argument implies.
type Others = &'static [(&'static str, f64)];

/// The function that the arguments select, as in `GELU(approximate='tanh')` or `ReLU(max_value=6)`.
fn chosen<'a>(
    named: AnyActivation,
    arguments: impl Iterator<Item = Argument<'a>>,
) -> Result<(AnyActivation, Others), ParseError> {
    let activation = named.name();
    let mut choice: Option<(&str, &str, Others)> = None;
    for argument in arguments {
        let Some(rule) = rule_for(activation, argument) else { continue };
        let number = if let Value::Number(number) = argument.1 { number } else { f64::NAN };
        let refused = |allowed| ParseError::NotAllowed(ParameterError::new(activation, rule.key, number, allowed));
        let (function, others) = match rule.means {
            Means::Nothing => continue,
            Means::Refused(allowed) => return Err(refused(allowed)),
            Means::Function(function) => (function, [].as_slice()),
            Means::ParameterOf(function, others) => (function, others),
        };
        match choice.replace((rule.key, function, others)) {
            Some((key, ..)) if key == rule.key => return Err(ParseError::Repeated { activation, parameter: key }),
            Some(_) => return Err(refused("left out beside another parameter that changes the function")),
            None => (),
        }
    }
    let Some((_, function, others)) = choice else { return Ok((named, &[])) };
    let function = AnyActivation::by_letters(letters(function))
        .ok_or_else(|| ParseError::UnknownName(UnknownName::new(function)))?;
    Ok((function, others))
}

/// The activation that a text names.
pub(crate) fn parse(text: &str, origin: Origin) -> Result<AnyActivation, ParseError> {
    let (name, rest) = text.split_once('(').unwrap_or((text, ")"));
    let Some(list) = rest.trim_end_matches(' ').strip_suffix(')').filter(|list| !list.contains(['(', ')'])) else {
        // An unknown name is reported before other errors, because PyTorch prints modules within modules, as in
        // `MultiheadAttention`.
        return named(name, origin).and(Err(ParseError::Parentheses(Excerpt::of(text))));
    };
    let arguments = list.split(',').map(|argument| match argument.split_once('=') {
        Some((key, value)) => (Some(key), Value::of(value)),
        None => (None, Value::of(argument)),
    });
    let none = list.trim_matches(' ').is_empty();
    build(name, origin, arguments.skip(usize::from(none)))
}

impl FromStr for AnyActivation {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        parse(text, Origin::Any)
    }
}
