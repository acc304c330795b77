//! Names that no activation has: the nearest known name, or what to use instead.

use core::fmt;

use crate::names::any::AnyActivation;
use crate::names::text::{Excerpt, letters, same, split_module};

/// Names of things that are not functions of one slice, or not in the crate, and what to use instead.
const ELSEWHERE: &[(&str, &str)] = &[
    ("prelu", "its slopes are trained, and stay with the caller in `Prelu`"),
    ("glu", "it has two inputs, so it is the gate `Glu`"),
    ("swiglu", "it has two inputs, so it is the gate `SwiGlu`"),
    ("swigluoai", "it has two inputs, so it is the gate `ClampedSwiGlu`"),
    ("geglu", "it has two inputs, so it is the gate `GeGlu`"),
    ("geglu_tanh", "it has two inputs, so it is the gate `GeGluTanh`"),
    ("reglu", "it has two inputs, so it is the gate `ReGlu`"),
    ("bias_gelu", "it adds a bias, so it is `Biased` with `Gelu`"),
    ("bias_split_gelu", "it has two inputs and a bias: add the bias, then use the gate `GeGlu`"),
    ("crelu", "it has two outputs, relu(x) and relu(-x): call `Relu` for each"),
    ("gumbel_softmax", "it draws random numbers: add them to the input, then use `Softmax`"),
    ("log_sum_exp", "it gives one number of a row: use the function `log_sum_exp`"),
    ("multihead_attention", "it is a layer with weights, whose scores go through `Softmax`"),
    ("adaptive_log_softmax_with_loss", "it is a layer with weights, whose scores go through `LogSoftmax`"),
    ("cross_entropy_loss", "it is a loss: `CrossEntropy`"),
    ("bce_with_logits_loss", "it is a loss: `BinaryCrossEntropy`"),
    ("sigmoid_focal_loss", "it is a loss: `BinaryCrossEntropy`, with its method `focal`"),
    ("sqrt_softplus", "it is not in the crate: sqrt(softplus(x)) can be written as an `Elementwise`"),
];

/// A name that means different functions in Flax and in MLX.
const AMBIGUOUS: (&str, &str) =
    ("nn.gelu", "it is the tanh form in Flax and the exact one in MLX: write `flax.linen.gelu` or `gelu`");

/// A name that no activation has.
///
/// ```
/// use activations::{AnyActivation, ParseError};
///
/// let Err(ParseError::UnknownName(unknown)) = "geluu".parse::<AnyActivation>() else { unreachable!() };
/// assert_eq!(unknown.nearest(), Some("gelu"));
/// assert!(unknown.to_string().starts_with("unknown activation `geluu`; did you mean `gelu`?"));
///
/// let error = "swiglu".parse::<AnyActivation>().unwrap_err();
/// assert_eq!(error.to_string(), "no activation is called `swiglu`: it has two inputs, so it is the gate `SwiGlu`");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownName {
    given: Excerpt,
    nearest: Option<&'static str>,
    /// What to use instead, if the name is known to mean something else.
    instead: Option<&'static str>,
}

impl UnknownName {
    pub(crate) fn new(given: &str) -> Self {
        let name = split_module(given).1;
        let instead = ELSEWHERE.iter().find(|(elsewhere, _)| same(elsewhere, name)).map(|&(_, instead)| instead);
        let nearest = AnyActivation::all()
            .flat_map(|activation| activation.names())
            .map(|known| (distance(known, name), known))
            .filter(|&(distance, known)| distance <= 1 + known.len() / 4 && instead.is_none())
            .min_by_key(|&(distance, _)| distance)
            .map(|(_, known)| known);
        Self { given: Excerpt::of(given), nearest, instead }
    }

    /// The error, if the name means two functions.
    pub(crate) fn ambiguous(given: &str) -> Option<Self> {
        let (name, instead) = AMBIGUOUS;
        (given.trim_matches(' ') == name).then(|| Self {
            given: Excerpt::of(given),
            nearest: None,
            instead: Some(instead),
        })
    }

    /// The known name nearest to the given one, if there is one near.
    ///
    /// ```
    /// let error = "softmaxx".parse::<activations::AnyActivation>().unwrap_err();
    /// assert_eq!(error.nearest(), Some("softmax"));
    /// ```
    #[must_use]
    pub const fn nearest(&self) -> Option<&'static str> {
        self.nearest
    }
}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { given, nearest, instead } = self;
        if let Some(instead) = instead {
            return write!(f, "no activation is called `{given}`: {instead}");
        }
        write!(f, "unknown activation `{given}`")?;
        match nearest {
            Some(nearest) => write!(f, "; did you mean `{nearest}`?")?,
            None => f.write_str(".")?,
        }
        f.write_str(" `AnyActivation::all()` lists the functions; the guide's page `coming_from` lists their names")
    }
}

impl core::error::Error for UnknownName {}

/// The number of edits between two names: a letter inserted, deleted, changed, or swapped with its neighbour.
fn distance(a: &str, b: &str) -> usize {
    // One row of the dynamic programme for each letter of b, as long as the longest known name.
    const LONGEST: usize = 32;
    let len = letters(a).count().min(LONGEST);
    let mut before = [0; LONGEST + 1];
    let mut previous: [usize; LONGEST + 1] = core::array::from_fn(|i| i);
    let mut last_b = None;
    for (j, b) in letters(b).enumerate() {
        let mut row = [j + 1; LONGEST + 1];
        let mut last_a = None;
        for (i, a) in letters(a).take(len).enumerate() {
            let change = previous[i] + usize::from(a != b);
            row[i + 1] = change.min(previous[i + 1] + 1).min(row[i] + 1);
            if last_a == Some(b) && last_b == Some(a) {
                row[i + 1] = row[i + 1].min(before[i - 1] + 1);
            }
            last_a = Some(a);
        }
        (before, previous, last_b) = (previous, row, Some(b));
    }
    previous[len]
}
