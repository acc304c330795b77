//! How frameworks differ: their modules, their defaults, their names of parameters, and arguments that select another function or
//! are refused.

use crate::names::text::{same, split_module};

/// A value that is given for a parameter.
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

/// An argument: the parameter's name, if it is given, and the value.
pub(crate) type Argument<'a> = (Option<&'a str>, Value<'a>);

/// The framework that a name comes from, if the name says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The name does not say so, or it is PyTorch's, whose defaults the crate has.
    Any,
    Jax,
    TensorFlow,
    KerasFunction,
    KerasLayer,
    Onnx,
}

/// Modules before a name, as people write and import them. `nn` is PyTorch's and Flax's.
const MODULES: &[(&str, Origin)] = &[
    ("nn", Origin::Any),
    ("F", Origin::Any),
    ("nn.functional", Origin::Any),
    ("torch", Origin::Any),
    ("torch.nn", Origin::Any),
    ("torch.nn.functional", Origin::Any),
    ("torch.nn.modules.activation", Origin::Any),
    ("transformers.activations", Origin::Any),
    ("jax.nn", Origin::Jax),
    ("jax.numpy", Origin::Jax),
    ("jnp", Origin::Jax),
    ("flax.linen", Origin::Jax),
    ("linen", Origin::Jax),
    ("flax.nnx", Origin::Jax),
    ("nnx", Origin::Jax),
    ("tf", Origin::TensorFlow),
    ("tf.nn", Origin::TensorFlow),
    ("tf.math", Origin::TensorFlow),
    ("keras.activations", Origin::KerasFunction),
    ("tf.keras.activations", Origin::KerasFunction),
    ("keras.layers", Origin::KerasLayer),
    ("tf.keras.layers", Origin::KerasLayer),
    ("layers", Origin::KerasLayer),
    ("ai.onnx", Origin::Onnx),
    ("com.microsoft", Origin::Onnx),
];

/// The name without its module, and the framework; `None` if the module is not known. A name without a module gets `otherwise`.
pub(crate) fn unqualified(name: &str, otherwise: Origin) -> Option<(&str, Origin)> {
    match split_module(name) {
        (None, name) => Some((name, otherwise)),
        (Some(module), name) => {
            MODULES.iter().find(|(known, _)| *known == module.trim_matches(' ')).map(|&(_, origin)| (name, origin))
        }
    }
}

/// Defaults that differ from this crate's: `(origin, function, parameter, value)`.
const DEFAULTS: &[(Origin, &str, &str, Value<'static>)] = &[
    (Origin::Jax, "gelu", "approximate", Value::Word("true")),
    (Origin::TensorFlow, "leaky_relu", "negative_slope", Value::Number(0.2)),
    (Origin::KerasFunction, "leaky_relu", "negative_slope", Value::Number(0.2)),
    (Origin::KerasLayer, "leaky_relu", "negative_slope", Value::Number(0.3)),
    (Origin::Onnx, "hard_sigmoid", "alpha", Value::Number(0.2)),
];

/// The origin's default of a parameter that is left out, if it differs from the crate's.
pub(crate) fn default<'a>(
    origin: Origin,
    function: &str,
    mut given: impl Iterator<Item = Argument<'a>>,
) -> Option<Argument<'a>> {
    let &(_, _, parameter, value) = DEFAULTS.iter().find(|(from, of, ..)| (*from, *of) == (origin, function))?;
    let is_given =
        given.any(|(key, _)| key.is_none_or(|key| same(key, parameter) || translated(function, key) == parameter));
    (!is_given).then_some((Some(parameter), value))
}

/// Other names of parameters: `(function, theirs, ours)`. They are PyTorch's and Keras's, ONNX's for the slope of `LeakyRelu` and
/// the threshold of `ThresholdedRelu`, and BigVGAN's for the parameter of snake.
const SYNONYMS: &[(&str, &str, &str)] = &[
    ("leaky_relu", "alpha", "negative_slope"),
    ("threshold", "alpha", "threshold"),
    ("threshold", "theta", "threshold"),
    ("threshold", "default_value", "value"),
    ("hard_tanh", "min_val", "min"),
    ("hard_tanh", "max_val", "max"),
    ("hard_tanh", "max_value", "max"),
    ("softshrink", "lambd", "lambda"),
    ("softshrink", "threshold", "lambda"),
    ("hardshrink", "lambd", "lambda"),
    ("hardshrink", "threshold", "lambda"),
    ("shrink", "lambda", "lambd"),
    ("swish", "alpha", "beta"),
    ("snake", "alpha", "a"),
];

/// The crate's name for a parameter of this function.
pub(crate) fn translated<'a>(function: &str, key: &'a str) -> &'a str {
    let found = SYNONYMS.iter().find(|(of, theirs, _)| *of == function && same(theirs, key));
    found.map_or(key, |&(_, _, ours)| ours)
}

/// An argument that is not a parameter of the function in this crate.
pub(crate) struct Rule {
    /// The functions; all functions if the list is empty.
    of: &'static [&'static str],
    pub(crate) key: &'static str,
    given: Given,
    pub(crate) means: Means,
}

/// The values that a rule is for.
#[derive(Clone, Copy)]
enum Given {
    Word(&'static str),
    Flag,
    /// `None` in Python, `null` in JSON.
    Nothing,
    /// This number, when both are rounded to `f32`, in which ONNX keeps attributes.
    Number(f64),
    AtLeast(f64),
    AnyNumber,
}

/// The meaning of an argument.
#[derive(Clone, Copy)]
pub(crate) enum Means {
    /// The argument makes no difference.
    Nothing,
    /// The value is refused. The text says what it must be.
    Refused(&'static str),
    /// The function is this one.
    Function(&'static str),
    /// The function is this one. The argument is its parameter, and these are the others.
    ParameterOf(&'static str, &'static [(&'static str, f64)]),
}

const fn rule(of: &'static [&'static str], key: &'static str, given: Given, means: Means) -> Rule {
    Rule { of, key, given, means }
}

const ROWS: &[&str] = &["softmax", "log_softmax", "softmin", "sparsemax", "hardmax"];

/// SELU's constants, to the digits of an `f64`.
const SELU: (f64, f64) = (1.673_263_242_354_377_2, 1.050_700_987_355_480_5);

const SELU_ALONE: &str =
    "SELU's own constant, 1.6732632 for `alpha` and 1.0507010 for `gamma`: others make another function";

/// The first rule that fits applies.
const RULES: &[Rule] = &[
    rule(&[], "inplace", Given::Flag, Means::Nothing),
    // The layout of data is not a parameter: functions of rows take the whole slice as one row, and `rows` and `axis` change that.
    rule(ROWS, "dim", Given::AnyNumber, Means::Nothing),
    rule(ROWS, "dim", Given::Nothing, Means::Nothing),
    rule(ROWS, "axis", Given::AnyNumber, Means::Nothing),
    // GELU's two forms: the words of PyTorch and ONNX, and the flag of JAX, TensorFlow and Keras.
    rule(&["gelu"], "approximate", Given::Word("none"), Means::Function("gelu")),
    rule(&["gelu"], "approximate", Given::Word("false"), Means::Function("gelu")),
    rule(&["gelu"], "approximate", Given::Word("tanh"), Means::Function("gelu_tanh")),
    rule(&["gelu"], "approximate", Given::Word("true"), Means::Function("gelu_tanh")),
    // ONNX Runtime's name of x sigmoid(alpha x), which is SiLU for alpha = 1.
    rule(&["quick_gelu"], "alpha", Given::Number(1.702), Means::Nothing),
    rule(&["quick_gelu"], "alpha", Given::AnyNumber, Means::ParameterOf("swish", &[])),
    rule(&["silu"], "beta", Given::Number(1.0), Means::Nothing),
    rule(&["silu"], "beta", Given::AnyNumber, Means::ParameterOf("swish", &[])),
    rule(&["selu"], "alpha", Given::Number(SELU.0), Means::Nothing),
    rule(&["selu"], "alpha", Given::AnyNumber, Means::Refused(SELU_ALONE)),
    rule(&["selu"], "gamma", Given::Number(SELU.1), Means::Nothing),
    rule(&["selu"], "gamma", Given::AnyNumber, Means::Refused(SELU_ALONE)),
    // Beyond PyTorch's threshold its softplus is x. From 20 on the difference is less than the spacing of `f32`.
    rule(&["softplus"], "threshold", Given::AtLeast(20.0), Means::Nothing),
    rule(
        &["softplus"],
        "threshold",
        Given::AnyNumber,
        Means::Refused("20 or above, where it makes no difference: softplus is exact here"),
    ),
    // Keras's ReLU is four functions.
    rule(&["relu"], "negative_slope", Given::Number(0.0), Means::Nothing),
    rule(&["relu"], "negative_slope", Given::AnyNumber, Means::ParameterOf("leaky_relu", &[])),
    rule(&["relu"], "max_value", Given::Nothing, Means::Nothing),
    rule(&["relu"], "max_value", Given::Number(6.0), Means::Function("relu6")),
    rule(&["relu"], "max_value", Given::AnyNumber, Means::ParameterOf("hard_tanh", &[("min", 0.0)])),
    rule(&["relu"], "threshold", Given::Number(0.0), Means::Nothing),
    rule(&["relu"], "threshold", Given::AnyNumber, Means::ParameterOf("threshold", &[("value", 0.0)])),
];

/// The rule for this argument, if there is one.
pub(crate) fn rule_for(function: &str, (key, value): Argument<'_>) -> Option<&'static Rule> {
    let key = key?;
    RULES.iter().find(|rule| {
        (rule.of.is_empty() || rule.of.contains(&function)) && same(rule.key, key) && rule.given.fits(value)
    })
}

impl Given {
    fn fits(self, value: Value<'_>) -> bool {
        match (self, value) {
            (Self::Word(wanted), Value::Word(word)) => same(word, wanted),
            (Self::Flag, Value::Word(word)) => same(word, "true") || same(word, "false"),
            (Self::Nothing, Value::Word(word)) => same(word, "none") || same(word, "null"),
            (Self::Number(wanted), Value::Number(number)) => number as f32 == wanted as f32,
            (Self::AtLeast(least), Value::Number(number)) => number >= least,
            (Self::AnyNumber, Value::Number(_)) => true,
            _ => false,
        }
    }
}
