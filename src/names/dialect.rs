//! How frameworks differ: the modules that their names come from, their defaults, their words for parameters, and the
//! arguments that choose another function or none.

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

/// Where a name comes from, if it says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It does not say so, or it is PyTorch, whose defaults the crate has.
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

/// A name without the module before it, and where it comes from; `None` if no such module is known. `otherwise` is
/// what a name without a module gets.
pub(crate) fn unqualified(name: &str, otherwise: Origin) -> Option<(&str, Origin)> {
    match split_module(name) {
        (None, name) => Some((name, otherwise)),
        (Some(module), name) => {
            MODULES.iter().find(|(known, _)| *known == module.trim_matches(' ')).map(|&(_, origin)| (name, origin))
        }
    }
}

/// Defaults that are not this crate's: `(origin, function, parameter, value)`.
const DEFAULTS: &[(Origin, &str, &str, Value<'static>)] = &[
    (Origin::Jax, "gelu", "approximate", Value::Word("true")),
    (Origin::TensorFlow, "leaky_relu", "negative_slope", Value::Number(0.2)),
    (Origin::KerasFunction, "leaky_relu", "negative_slope", Value::Number(0.2)),
    (Origin::KerasLayer, "leaky_relu", "negative_slope", Value::Number(0.3)),
    (Origin::Onnx, "hard_sigmoid", "alpha", Value::Number(0.2)),
];

/// The origin's default of a parameter that is left out, if the crate has another default.
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

/// Other words for parameters: `(function, theirs, ours)`. PyTorch's and Keras's, ONNX's for the slope of `LeakyRelu` and the
/// threshold of `ThresholdedRelu`, and BigVGAN's letter of snake.
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

/// The crate's word for a parameter of this function.
pub(crate) fn translated<'a>(function: &str, key: &'a str) -> &'a str {
    let found = SYNONYMS.iter().find(|(of, theirs, _)| *of == function && same(theirs, key));
    found.map_or(key, |&(_, _, ours)| ours)
}

/// An argument of a function that is no parameter of it here.
pub(crate) struct Rule {
    /// The functions, or all if there are none.
    of: &'static [&'static str],
    pub(crate) key: &'static str,
    given: Given,
    pub(crate) means: Means,
}

/// Which values a rule is for.
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
    /// It makes no difference.
    Nothing,
    /// The value is refused: what it must be.
    Refused(&'static str),
    /// The function is this one.
    Function(&'static str),
    /// The function is this one with the argument as its parameter, and with these others.
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

/// The first one that fits is taken.
const RULES: &[Rule] = &[
    rule(&[], "inplace", Given::Flag, Means::Nothing),
    // How data lie is no parameter: the functions of rows take the whole slice as one, or `rows` and `axis` say how.
    rule(ROWS, "dim", Given::AnyNumber, Means::Nothing),
    rule(ROWS, "dim", Given::Nothing, Means::Nothing),
    rule(ROWS, "axis", Given::AnyNumber, Means::Nothing),
    // GELU's two forms: PyTorch's words and ONNX's, and the flag of JAX, TensorFlow and Keras.
    rule(&["gelu"], "approximate", Given::Word("none"), Means::Function("gelu")),
    rule(&["gelu"], "approximate", Given::Word("false"), Means::Function("gelu")),
    rule(&["gelu"], "approximate", Given::Word("tanh"), Means::Function("gelu_tanh")),
    rule(&["gelu"], "approximate", Given::Word("true"), Means::Function("gelu_tanh")),
    // ONNX Runtime writes x sigmoid(alpha x) so, SiLU with alpha = 1.
    rule(&["quick_gelu"], "alpha", Given::Number(1.702), Means::Nothing),
    rule(&["quick_gelu"], "alpha", Given::AnyNumber, Means::ParameterOf("swish", &[])),
    rule(&["silu"], "beta", Given::Number(1.0), Means::Nothing),
    rule(&["silu"], "beta", Given::AnyNumber, Means::ParameterOf("swish", &[])),
    rule(&["selu"], "alpha", Given::Number(SELU.0), Means::Nothing),
    rule(&["selu"], "alpha", Given::AnyNumber, Means::Refused(SELU_ALONE)),
    rule(&["selu"], "gamma", Given::Number(SELU.1), Means::Nothing),
    rule(&["selu"], "gamma", Given::AnyNumber, Means::Refused(SELU_ALONE)),
    // Beyond PyTorch's threshold softplus is x there. From 20 on the two are nearer to each other than two floats of `f32`.
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
