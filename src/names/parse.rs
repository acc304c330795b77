//! Activations from text, `leaky_relu(0.2)`, and what can be wrong with it.

use core::fmt;
use core::iter;
use core::str::FromStr;

use crate::describe::error::ParameterError;
use crate::describe::parameters::Parameter;
use crate::names::any::{AnyActivation, UnknownName};

/// The characters of a name that count.
pub(crate) fn letters(name: &str) -> impl Iterator<Item = char> + Clone + '_ {
    name.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).map(|c| c.to_ascii_lowercase())
}

fn same(a: &str, b: &str) -> bool {
    letters(a).eq(letters(b))
}

/// Up to N bytes of text: there may be no allocator.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Text<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Text<N> {
    pub(crate) const EMPTY: Self = Self { bytes: [0; N], len: 0 };

    /// The text, cut where it is longer.
    pub(crate) fn of(text: &str) -> Self {
        let mut cut = Self::EMPTY;
        cut.push(text);
        cut
    }

    fn push(&mut self, text: &str) {
        let most = text.len().min(N - self.len);
        let len = (0..=most).rev().find(|&len| text.is_char_boundary(len)).unwrap_or(0);
        self.bytes[self.len..self.len + len].copy_from_slice(&text.as_bytes()[..len]);
        self.len += len;
    }

    pub(crate) fn as_str(&self) -> &str {
        core::str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }
}

impl<const N: usize> fmt::Write for Text<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text);
        Ok(())
    }
}

impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// The beginning of a text that was given, for a message.
///
/// ```
/// use activations::{AnyActivation, ParseError};
///
/// let Err(ParseError::Parentheses(given)) = "elu(1".parse::<AnyActivation>() else { unreachable!() };
/// assert_eq!(given.as_str(), "elu(1");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Excerpt(Text<48>);

impl Excerpt {
    pub(crate) fn of(text: &str) -> Self {
        Self(Text::of(text))
    }

    /// The text, cut at 48 bytes.
    ///
    /// ```
    /// use activations::{AnyActivation, ParseError};
    ///
    /// let Err(ParseError::Parentheses(given)) = "elu(1) + 1".parse::<AnyActivation>() else { unreachable!() };
    /// assert_eq!(given.as_str(), "elu(1) + 1");
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a text is no activation.
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
    /// A name that is no activation's.
    UnknownName(UnknownName),
    /// A parenthesis that is not closed, or text behind it.
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
        /// What was given.
        given: Excerpt,
    },
    /// A value that the parameter cannot take.
    NotAllowed(ParameterError),
}

impl ParseError {
    /// The known name nearest to an unknown one, if one is near.
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

/// Parameters by name, for a message.
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

/// What is given for a parameter.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'a> {
    Number(f64),
    Word(&'a str),
}

impl<'a> Value<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        let text = text.trim_matches(' ');
        text.parse().map_or_else(|_| Self::Word(text.trim_matches(['\'', '"'])), Self::Number)
    }
}

/// Names of parameters elsewhere, and here: PyTorch's, and ONNX's for the slope of its `LeakyRelu` and the threshold of its
/// `ThresholdedRelu`.
const SYNONYMS: &[(&str, &str)] =
    &[("lambd", "lambda"), ("min_val", "min"), ("max_val", "max"), ("alpha", "negative_slope"), ("alpha", "threshold")];

/// The word that PyTorch has for GELU's two forms, `GELU(approximate='tanh')`: here it is a part of the name.
const FORM: &str = "approximate";

/// Activations have fewer parameters.
const MOST: usize = 8;

/// The activation with this name and these arguments: by the parameter's name, or by their place.
pub(crate) fn build<'a>(
    name: &str,
    arguments: impl Iterator<Item = (Option<&'a str>, Value<'a>)> + Clone,
) -> Result<AnyActivation, ParseError> {
    let is_form = |key: Option<&str>| key.is_some_and(|key| same(key, FORM));
    let form = arguments.clone().find_map(|argument| match argument {
        (key, Value::Word(form)) if is_form(key) => AnyActivation::by_letters(letters(name).chain(letters(form))),
        _ => None,
    });
    let Some(activation) = form.or_else(|| AnyActivation::by_letters(letters(name))) else {
        return Err(ParseError::UnknownName(UnknownName::new(name)));
    };

    let (name, known) = (activation.card().name, activation.parameter_list());
    let (mut values, mut given) = ([0.0; MOST], [false; MOST]);
    for (i, value) in values.iter_mut().enumerate().take(known.len()) {
        *value = activation.parameter(i);
    }
    for (place, (key, value)) in arguments.enumerate() {
        if form.is_some() && is_form(key) || says_nothing(name, known, key, value)? {
            continue;
        }
        let index = match key {
            None if place < known.len() => place,
            None => return Err(ParseError::TooManyParameters { activation: name, known }),
            Some(key) => index_of(known, key).ok_or_else(|| ParseError::UnknownParameter {
                activation: name,
                given: Excerpt::of(key.trim_matches(' ')),
                known,
            })?,
        };
        let parameter = known[index].name;
        if core::mem::replace(&mut given[index], true) {
            return Err(ParseError::Repeated { activation: name, parameter });
        }
        values[index] = match value {
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

fn index_of(known: &[Parameter], key: &str) -> Option<usize> {
    let place = |name: &str| known.iter().position(|parameter| same(parameter.name, name));
    let synonym = || SYNONYMS.iter().filter(|(theirs, _)| same(theirs, key)).find_map(|(_, ours)| place(ours));
    place(key).or_else(synonym)
}

/// Whether an argument is one that PyTorch prints and that makes no difference to the function: `inplace`, and the
/// threshold of its softplus beyond which that is not computed exactly.
fn says_nothing(
    activation: &'static str,
    known: &[Parameter],
    key: Option<&str>,
    value: Value<'_>,
) -> Result<bool, ParseError> {
    const THRESHOLD: &str = "threshold";
    let Some(key) = key.filter(|key| index_of(known, key).is_none()) else { return Ok(false) };
    match value {
        Value::Word(word) => Ok(same(key, "inplace") && (same(word, "true") || same(word, "false"))),
        Value::Number(given) if activation == "softplus" && same(key, THRESHOLD) => {
            // There the line x and softplus are nearer to each other than two floats of `f32`.
            if given >= 20.0 {
                return Ok(true);
            }
            let allowed = "20 or above, where it makes no difference: softplus is exact here";
            Err(ParseError::NotAllowed(ParameterError::new(activation, THRESHOLD, given, allowed)))
        }
        Value::Number(_) => Ok(false),
    }
}

impl FromStr for AnyActivation {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let Some((name, rest)) = text.split_once('(') else { return build(text, iter::empty()) };
        let Some(list) = rest.trim_end_matches(' ').strip_suffix(')').filter(|list| !list.contains(['(', ')'])) else {
            return Err(ParseError::Parentheses(Excerpt::of(text)));
        };
        let arguments = list.split(',').map(|argument| match argument.split_once('=') {
            Some((key, value)) => (Some(key), Value::of(value)),
            None => (None, Value::of(argument)),
        });
        let none = list.trim_matches(' ').is_empty();
        build(name, arguments.skip(usize::from(none)))
    }
}
