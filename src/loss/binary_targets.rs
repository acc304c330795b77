//! The targets of a binary cross-entropy: a probability for each logit, and weights.

#[cfg(feature = "alloc")]
use alloc::vec::Vec;

use crate::kernel::element::Element;
use crate::pass::same_length;
use crate::rows::broadcast::{Broadcast, How};

/// The targets of a [`BinaryCrossEntropy`](crate::BinaryCrossEntropy): a probability from 0 to 1 for each logit, with or without
/// weights.
///
/// Slices, arrays and vectors are targets without weights. There is one weight for all elements, one for each element, or another
/// shape, which needs a [`Broadcast`]. For logits of the shape `[N, C]` or `[N, C, H, W]`, write for PyTorch's shapes:
///
/// | weights | in PyTorch | |
/// |---|---|---|
/// | one for all | `[]`, `[1]` | `&[w]` |
/// | one for each element | `[N, C]` | `&w` |
/// | one for each class | `[C]` | `Broadcast::cycled(&w)` |
/// | one for each row | `[N, 1]` | `Broadcast::each(&w, C)` |
/// | one for each class, the class first | `[C, 1, 1]` | `Broadcast::each_cycled(&w, H * W)` |
///
/// A shorter slice that divides the logits could be meant for classes or for rows. So it panics without a [`Broadcast`].
///
/// ```
/// use activations::{BinaryCrossEntropy, BinaryTargets, Broadcast};
///
/// // Two examples with three labels each. The third label is rare, and the second example counts half.
/// let (logits, labels) = ([0.0_f64; 6], [1.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
/// let targets = BinaryTargets::from(&labels)
///     .pos_weighted(Broadcast::cycled(&[1.0, 1.0, 9.0]))
///     .weighted(Broadcast::each(&[1.0, 0.5], 3));
/// let mut losses = [0.0; 6];
/// BinaryCrossEntropy::new().losses(&logits, targets, &mut losses);
/// assert_eq!(losses, [1.0, 1.0, 1.0, 0.5, 0.5, 4.5].map(|factor| factor * 2.0_f64.ln()));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct BinaryTargets<'a, T> {
    pub(super) targets: &'a [T],
    pub(super) weights: Option<Broadcast<'a, T>>,
    pub(super) pos_weights: Option<Broadcast<'a, T>>,
}

impl<'a, T> BinaryTargets<'a, T> {
    /// Adds weights, by which losses and gradients are multiplied. The mean is still divided by the number of elements, as in
    /// PyTorch. An element of weight 0 has loss 0, even if its logit is infinite.
    ///
    /// ```
    /// use activations::{BinaryCrossEntropy, BinaryTargets};
    ///
    /// // The second element is padding.
    /// let targets = BinaryTargets::from(&[1.0, 0.0]).weighted(&[1.0, 0.0]);
    /// assert_eq!(BinaryCrossEntropy::new().loss(&[0.0_f64, 5.0], targets), 2.0_f64.ln() / 2.0);
    /// ```
    #[must_use]
    pub fn weighted(self, weights: impl Into<Broadcast<'a, T>>) -> Self {
        Self { weights: Some(weights.into()), ..self }
    }

    /// Adds factors of the loss where the target is 1: above 1 for recall, below 1 for precision. They replace the single number of
    /// [`BinaryCrossEntropy::pos_weight`](crate::BinaryCrossEntropy::pos_weight).
    ///
    /// ```
    /// use activations::{BinaryCrossEntropy, BinaryTargets, Broadcast};
    ///
    /// let targets = BinaryTargets::from(&[1.0, 1.0]).pos_weighted(Broadcast::cycled(&[1.0, 3.0]));
    /// assert_eq!(BinaryCrossEntropy::new().loss(&[0.0_f64, 0.0], targets), 2.0 * 2.0_f64.ln());
    /// ```
    #[must_use]
    pub fn pos_weighted(self, pos_weights: impl Into<Broadcast<'a, T>>) -> Self {
        Self { pos_weights: Some(pos_weights.into()), ..self }
    }
}

impl<T: Element> BinaryTargets<'_, T> {
    /// Panics if the lengths do not fit the number of logits.
    #[track_caller]
    pub(super) fn check(&self, logits: usize) {
        same_length("targets", self.targets.len(), "logits", logits);
        for (name, weights) in [("weights", self.weights), ("pos_weights", self.pos_weights)] {
            if let Some(weights) = weights {
                check_weights(name, weights.data.len(), weights.how, logits);
            }
        }
    }
}

#[track_caller]
fn check_weights(name: &str, len: usize, how: How, logits: usize) {
    let (fits, must_be) = match how {
        How::Alike => (
            len == logits || len == 1,
            "one for all or one for each; `Broadcast` names other shapes, as one for each class",
        ),
        How::Cycled => (logits.checked_rem(len) == Some(0), "a number that divides them"),
        How::Each(n) => (len.checked_mul(n) == Some(logits), "one for each so many elements as `Broadcast::each` says"),
        How::EachCycled(n) => (
            len.checked_mul(n).is_some_and(|period| logits.checked_rem(period) == Some(0)),
            "a number that divides them, times the elements that `Broadcast::each_cycled` says",
        ),
    };
    assert!(
        fits || logits == 0,
        "binary_cross_entropy: `{name}` has {len} elements for {logits} logits, but must have {must_be}"
    );
}

impl<'a, T> From<&'a [T]> for BinaryTargets<'a, T> {
    fn from(targets: &'a [T]) -> Self {
        Self { targets, weights: None, pos_weights: None }
    }
}

impl<'a, T, const N: usize> From<&'a [T; N]> for BinaryTargets<'a, T> {
    fn from(targets: &'a [T; N]) -> Self {
        Self::from(targets.as_slice())
    }
}

#[cfg(feature = "alloc")]
impl<'a, T> From<&'a Vec<T>> for BinaryTargets<'a, T> {
    fn from(targets: &'a Vec<T>) -> Self {
        Self::from(targets.as_slice())
    }
}
