//! Losses of classifiers, from logits: value and gradient in one pass.
//!
//! They take logits, the unchanged scores of the last layer, and apply softmax or sigmoid themselves. Otherwise they would have to
//! take logarithms of probabilities that may be rounded to 0 or 1. No function takes probabilities.

mod binary;
mod binary_loops;
mod binary_targets;
mod cross_entropy;
mod cross_entropy_batch;
mod cross_entropy_rows;
mod cross_entropy_tasks;
mod exact;
mod methods;
#[cfg(feature = "rayon")]
mod parallel;
mod targets;
mod wide;

use crate::describe::error::ParameterError;
use crate::kernel::element::{Float, Lane};
use crate::kernel::real::Real;

pub use binary::BinaryCrossEntropy;
pub use binary_targets::BinaryTargets;
pub use cross_entropy::CrossEntropy;
pub use targets::{IntoTargets, Targets};

/// How the losses of a batch become one number.
///
/// The methods [`CrossEntropy::losses`] and [`BinaryCrossEntropy::losses`] give the loss of each row or element instead.
///
/// ```
/// use activations::{CrossEntropy, Reduction};
///
/// let (logits, classes) = ([0.0_f64, 0.0, 0.0, 0.0], [0, 1]);
/// let mean = CrossEntropy::new(2)?;
/// assert_eq!(mean.loss(&logits, &classes), 2.0_f64.ln());
/// assert_eq!(mean.reduction(Reduction::Sum).loss(&logits, &classes), 2.0 * 2.0_f64.ln());
/// # Ok::<(), activations::ParameterError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reduction {
    /// Their mean; NaN if there are no losses.
    #[default]
    Mean,
    /// Their sum.
    Sum,
}

impl Reduction {
    /// The divisor of the sum of `count` losses.
    fn denominator(self, count: f64) -> f64 {
        match self {
            Self::Mean => count,
            Self::Sum => 1.0,
        }
    }
}

/// The settings that all losses have.
macro_rules! settings {
    () => {
        /// Mean or sum. [`Reduction::Mean`] if not set.
        #[must_use]
        pub const fn reduction(self, reduction: $crate::Reduction) -> Self {
            Self { reduction, ..self }
        }

        /// Runs at this level instead of the best one.
        #[must_use]
        pub const fn at(self, level: $crate::Level) -> Self {
            Self { level: Some(level), ..self }
        }
    };
}
use settings;

/// Checks the exponent of a focal loss. Beyond 1000 the rounding errors of p would matter more than p itself.
fn checked_gamma(loss: &'static str, gamma: f64) -> Result<f64, ParameterError> {
    if (0.0..=1000.0).contains(&gamma) {
        Ok(gamma)
    } else {
        Err(ParameterError::new(loss, "gamma", gamma, "from 0 to 1000"))
    }
}

/// Rounded to the type.
fn rounded<T: Float>(number: f64) -> T {
    <T::Plain as Real>::of(number).store()
}
