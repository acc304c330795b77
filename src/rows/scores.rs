//! Functions of rows over scores, which are scaled, capped, biased and masked, and may have a sink.

use core::marker::PhantomData;
use core::num::NonZeroUsize;

use super::broadcast::Broadcast;
use super::function::{RowFunction, from_output, run, run_fast};
use super::layout::Layout;
use super::terms::{Causal, Terms};
use crate::activation::Activation;
use crate::describe::card::Described;
use crate::describe::error::ParameterError;
use crate::from_output::FromOutput;
use crate::kernel::element::Element;
use crate::kernel::level::Level;
use crate::pass::{Pass, Pieces};

/// A function of rows over the scores of attention: its elements are first scaled, soft-capped, biased and masked, and a sink may
/// be added.
///
/// Call the methods of [`Softmax`](crate::Softmax), [`LogSoftmax`](crate::LogSoftmax) or [`Softmin`](crate::Softmin) in any order;
/// they return this type. The score is `x[i] * scale + bias[i]`, or -inf where the mask is false, whatever `x[i]` is there. Softmin
/// is the softmax of -x, so its score is `bias[i] - x[i] * scale`.
///
/// | | | |
/// |---|---|---|
/// | 1. | [`scaled`](Self::scaled) | s = x scale |
/// | 2. | [`soft_cap`](Self::soft_cap) | s = cap tanh(s / cap) |
/// | 3. | [`biased`](Self::biased) | s = s + bias |
/// | 4. | [`masked`](Self::masked), [`causal`](Self::causal), [`window`](Self::window) | s = -inf where hidden |
/// | 5. | [`sink`](Self::sink) | one more score in each row, without an output |
///
/// - Bias and mask: one row for all rows, or as long as the data. For other shapes see [`Broadcast`]. If the function's rows have
///   no length, they get the length of the bias or the mask. The methods panic if a slice does not fit.
/// - [`derivative`](crate::Activation::derivative) and [`backward`](crate::Activation::backward) are with respect to x. They have
///   the scale as a factor, and are 0 where an element is hidden. `SinkGradient` (feature `alloc`) has the gradient of the sink.
/// - [`backward_from_output`](crate::FromOutput::backward_from_output) panics if scores are soft-capped, because the outputs do
///   not determine the derivative of the cap. Use `backward`, which computes the scores again.
/// - Error: scores are computed in `f32`, for halves too (`f64`: in `f64`). The scale is rounded to that type. A score is rounded
///   once, or twice without fused multiply-add. The results have the function's error bound for these rounded scores. An error of
///   half an ULP in a score s is a relative error of |s| 2^-24 (`f64`: |s| 2^-53) in e^s. Gradients have half an ULP more.
/// - Memory: there is no temporary array as long as the data, because scores are made a few thousand at a time.
///
/// ```
/// use activations::{Activation, Broadcast, Softmax};
///
/// // Two heads of three queries of 16 numbers each, causal: no query sees the keys after its own.
/// let scores = [4.0_f32; 2 * 3 * 3];
/// let mut p = [0.0; 2 * 3 * 3];
/// Softmax::rows(3)?.scaled(0.25)?.causal(3, 0)?.forward(&scores, &mut p);
/// let third = 1.0 / 3.0;
/// assert_eq!(p[..9], [1.0, 0.0, 0.0, 0.5, 0.5, 0.0, third, third, third]);
/// assert_eq!(p[9..], p[..9]);
///
/// // Any other mask is an array.
/// let causal = [true, false, false, true, true, false, true, true, true];
/// let masked = Softmax::rows(3)?.scaled(0.25)?.masked(Broadcast::cycled(&causal))?.forward_vec(&scores);
/// assert_eq!(masked, p);
///
/// // Where all keys are masked a query has NaN, or zeros.
/// let padding = [false; 3];
/// Softmax::rows(3)?.masked(&padding)?.empty_rows_are_zeros().forward(&scores, &mut p);
/// assert_eq!(p, [0.0; 18]);
/// # Ok::<(), activations::ParameterError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Scores<'a, F, T> {
    pub(crate) function: PhantomData<F>,
    pub(crate) layout: Layout,
    pub(crate) terms: Terms<'a, T>,
}

/// The function, with the elements themselves as scores.
pub(crate) fn scores<'a, F: RowFunction, T: Element>(function: F) -> Scores<'a, F, T> {
    Scores { function: PhantomData, layout: function.layout(), terms: Terms::scaled(F::SIGN) }
}

impl<'a, F: Described, T: Element> Scores<'a, F, T> {
    /// Multiplies the scores by a number, such as 1/sqrt(d) in attention, or the reciprocal of a temperature. Several scales are
    /// multiplied.
    ///
    /// If the scale is so great that scores leave the range of the type, the result is the limit: the greatest score of a row has
    /// probability 1.
    ///
    /// # Errors
    /// If `scale` is not a finite number above 0.
    ///
    /// ```
    /// use activations::{Activation, Softmax};
    ///
    /// // A temperature of 2.
    /// let p = Softmax::rows(2)?.scaled(0.5)?.forward_vec(&[4.0_f32, 0.0]);
    /// assert_eq!(p, Softmax::rows(2)?.forward_vec(&[2.0_f32, 0.0]));
    /// assert!(Softmax::rows(2)?.scaled::<f32>(0.0).is_err());
    ///
    /// let p = Softmax::rows(3)?.scaled(1e38)?.forward_vec(&[20.0_f32, 18.0, 19.5]);
    /// assert_eq!(p, [1.0, 0.0, 0.0]);
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    pub fn scaled(mut self, scale: f64) -> Result<Self, ParameterError> {
        if !(scale.is_finite() && scale > 0.0) {
            return Err(ParameterError::new(F::CARD.name, "scale", scale, "a finite number above 0"));
        }
        let product = self.terms.scale * scale;
        self.terms.scale = product.abs().clamp(f64::from_bits(1), f64::MAX).copysign(product);
        Ok(self)
    }

    /// Adds a number to each score, after the scale: the bias of a position, or a mask of 0 and -inf. It replaces an earlier bias.
    /// The bias is one row, as long as the data, or a [`Broadcast`].
    ///
    /// A bias of -inf does not hide a NaN or +inf in x, but [`masked`](Self::masked) does.
    ///
    /// # Errors
    /// If its length is not a whole number of rows, or does not fit the mask's length.
    ///
    /// ```
    /// use activations::{Activation, Softmax};
    ///
    /// let p = Softmax::rows(2)?.biased(&[0.0, f32::NEG_INFINITY])?.forward_vec(&[1.0_f32, 5.0, 2.0, 3.0]);
    /// assert_eq!(p, [1.0, 0.0, 1.0, 0.0]);
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    pub fn biased(mut self, bias: impl Into<Broadcast<'a, T>>) -> Result<Self, ParameterError> {
        let bias = bias.into();
        self.terms.bias = Some(bias);
        self.with_length("the bias's length", bias.data.len())
    }

    /// Replaces the scores by -inf where `keep` is false. It replaces an earlier mask. The mask is one row, as long as the data,
    /// or a [`Broadcast`].
    ///
    /// # Errors
    /// If its length is not a whole number of rows, or does not fit the bias's length.
    ///
    /// ```
    /// use activations::{Activation, Softmax};
    ///
    /// let p = Softmax::rows(3)?.masked(&[true, true, false])?.forward_vec(&[1.0_f32, 1.0, f32::NAN]);
    /// assert_eq!(p, [0.5, 0.5, 0.0]);
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    pub fn masked(mut self, keep: impl Into<Broadcast<'a, bool>>) -> Result<Self, ParameterError> {
        let keep = keep.into();
        self.terms.keep = Some(keep);
        self.with_length("the mask's length", keep.data.len())
    }

    /// Soft-caps the scores: `cap * tanh(score / cap)`, between -cap and cap. This happens after the scale and before the bias and
    /// the mask, which are not capped. It replaces an earlier cap.
    ///
    /// - An infinite score becomes the cap, with its sign, so that -inf no longer hides an element. NaN stays.
    /// - Gradients have 1 - tanh(score / cap)^2 as a factor, computed from x without cancellation. The outputs do not give this
    ///   factor, so [`backward_from_output`](FromOutput::backward_from_output) panics.
    /// - To cap logits without a softmax, write a formula of your own: see [`guide::rows`](crate::guide::rows).
    /// - Error: at most 6 ULP of the score before the bias, and 4 + 3 |score / cap| ULP of the factor of the gradients.
    /// - Source: Gemma Team, "Gemma 2: improving open language models at a practical size", 2024, arXiv:2408.00118, with caps
    ///   of 50 in attention and 30 for the last logits.
    ///
    /// # Errors
    /// If `cap` is not a finite number above 0.
    ///
    /// ```
    /// use activations::{Activation, LogSoftmax, Softmax};
    ///
    /// let p = Softmax::rows(2)?.soft_cap(2.0)?.forward_vec(&[1000.0_f64, 0.0]);
    /// assert_eq!(p, Softmax::rows(2)?.forward_vec(&[2.0_f64, 0.0]));
    /// assert!(Softmax::rows(2)?.soft_cap::<f32>(0.0).is_err());
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    pub fn soft_cap(mut self, cap: f64) -> Result<Self, ParameterError> {
        self.terms.cap = Some(checked_cap(F::CARD.name, cap)?);
        Ok(self)
    }

    /// Adds a causal mask, which needs no array: in each group of `queries` rows, row i sees its elements up to number i +
    /// `offset`. With [`masked`](Self::masked) too, an element must pass both masks. It replaces an earlier causal mask and its
    /// window.
    ///
    /// - `offset` is the number of keys before the first query: 0 in training, the length of the cache in decoding. It is negative
    ///   if the keys are a later block of the sequence than the queries.
    /// - A row that sees nothing gives the same as a row that is masked completely: NaN, or zeros
    ///   ([`empty_rows_are_zeros`](Self::empty_rows_are_zeros)).
    /// - Time: hidden elements are not computed, except up to the next multiple of 32. Gradients of log-softmax compute all
    ///   elements, because they depend on all of `grad_y`.
    /// - Along an axis that is not the last, rows are counted in the order of memory, and `queries` must be a divisor or a multiple
    ///   of the number of rows that lie side by side.
    ///
    /// # Errors
    /// If `queries` is 0, if the rows have no length (set it by [`rows`](crate::Softmax::rows), or by a bias or mask first), or if
    /// the length does not fit the bias or the mask.
    ///
    /// ```
    /// use activations::{Activation, Softmax};
    ///
    /// // Two new queries, after two keys that a cache has.
    /// let p = Softmax::rows(4)?.causal(2, 2)?.forward_vec(&[0.0_f32; 8]);
    /// let third = 1.0 / 3.0;
    /// assert_eq!(p, [third, third, third, 0.0, 0.25, 0.25, 0.25, 0.25]);
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    pub fn causal(mut self, queries: usize, offset: isize) -> Result<Self, ParameterError> {
        let inner = self.layout.inner();
        let error = |allowed| Err(ParameterError::new(F::CARD.name, "queries", queries as f64, allowed));
        if queries == 0 {
            return error("at least 1");
        }
        if self.layout.len.is_none() {
            return error("preceded by `rows` or `axis`: the whole slice is one row");
        }
        if !is_multiple(queries, inner) && !is_multiple(inner, queries) {
            return error("a multiple of the rows that lie side by side, or divide their number");
        }
        self.terms.causal = Some(Causal { queries, offset, window: None, whole: false });
        self.fits("the causal mask's queries", queries)
    }

    /// Adds a sliding window: a row sees only the last `window` of the elements that the causal mask leaves.
    ///
    /// Source: Beltagy, Peters & Cohan, "Longformer: the long-document transformer", 2020, arXiv:2004.05150.
    ///
    /// # Errors
    /// If `window` is 0, or there is no causal mask yet.
    ///
    /// ```
    /// use activations::{Activation, Softmax};
    ///
    /// let p = Softmax::rows(3)?.causal(3, 0)?.window(2)?.forward_vec(&[0.0_f32; 9]);
    /// assert_eq!(p, [1.0, 0.0, 0.0, 0.5, 0.5, 0.0, 0.0, 0.5, 0.5]);
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    pub fn window(mut self, window: usize) -> Result<Self, ParameterError> {
        let error = |allowed| Err(ParameterError::new(F::CARD.name, "window", window as f64, allowed));
        match &mut self.terms.causal {
            _ if window == 0 => error("at least 1"),
            None => error("preceded by `causal`"),
            Some(causal) => {
                causal.window = Some(window);
                Ok(self)
            }
        }
    }

    /// Adds an attention sink: one more score in each row, which counts in the sum but has no output, so that the probabilities of
    /// a row sum to less than 1. It replaces an earlier sink.
    ///
    /// p\[i\] = e^s\[i\] / (e^sink + sum of e^s\[j\]). The sink may be the greatest score of the row. It is not scaled, capped,
    /// biased or masked.
    ///
    /// - Shapes: one number for all rows, one number for each row, or a [`Broadcast`]. For sinks `[H]` of heads and data of the
    ///   shape `[B, H, Q, K]`, use `Broadcast::each_cycled(&sinks, Q)`. Along an axis that is not the last, give `inner` sinks
    ///   instead of one number: one for each of the rows side by side.
    /// - Softmax-off-by-one, e^x\[i\] / (1 + sum of e^x\[j\]), is a sink of 0 (Miller, "Attention is off by one", 2023).
    /// - A row with a sink whose elements are all masked has zeros as results (log-softmax: -inf). It is empty only if the sink is
    ///   -inf.
    /// - [`backward`](crate::Activation::backward) and [`backward_from_output`](crate::FromOutput::backward_from_output) give the
    ///   gradient with respect to x. `SinkGradient::backward_with_sink` also gives the gradient with respect to the sinks.
    /// - A sink of NaN or +inf makes its rows NaN.
    /// - Source: Xiao et al., "Efficient streaming language models with attention sinks", 2023, arXiv:2309.17453; as a learnt
    ///   logit for each head, gpt-oss, 2025.
    ///
    /// # Errors
    /// If the number of sinks does not fit the rows, or there are several sinks and the rows have no length.
    ///
    /// ```
    /// use activations::{Activation, Softmax};
    ///
    /// // Off by one.
    /// let softmax = Softmax::rows(3)?.sink(&[0.0])?;
    /// assert_eq!(softmax.forward_vec(&[0.0_f32; 3]), [0.25; 3]);
    /// assert_eq!(softmax.forward_vec(&[f32::NEG_INFINITY; 3]), [0.0; 3]);
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    pub fn sink(mut self, sinks: impl Into<Broadcast<'a, T>>) -> Result<Self, ParameterError> {
        let sinks = sinks.into();
        let (what, count) = ("the number of sinks", sinks.data.len());
        self.terms.sink = Some(sinks);
        if !is_multiple(count, self.layout.inner()) {
            return Err(ParameterError::new(F::CARD.name, what, count as f64, "one for each of the rows side by side"));
        }
        if self.layout.len.is_none() && count != 1 {
            return Err(ParameterError::new(F::CARD.name, what, count as f64, "1, or preceded by `rows` or `axis`"));
        }
        self.fits(what, count)
    }

    /// Makes the results of rows of nothing but -inf zeros, and their derivatives and gradients too. Without this call they are
    /// NaN. A row that is masked completely is such a row.
    ///
    /// ```
    /// use activations::{Activation, Softmax};
    ///
    /// let softmax = Softmax::rows(2)?.masked(&[false, false])?;
    /// assert!(softmax.forward_vec(&[1.0_f32, 2.0])[0].is_nan());
    /// assert_eq!(softmax.empty_rows_are_zeros().forward_vec(&[1.0_f32, 2.0]), [0.0, 0.0]);
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    #[must_use]
    pub fn empty_rows_are_zeros(mut self) -> Self {
        self.terms.empty_rows_are_zeros = true;
        self
    }

    fn with_length(mut self, what: &'static str, len: usize) -> Result<Self, ParameterError> {
        self.layout.len = self.layout.len.or(NonZeroUsize::new(len));
        if self.layout.unit().is_some_and(|unit| !len.is_multiple_of(unit)) {
            return Err(ParameterError::new(F::CARD.name, what, len as f64, "a whole number of rows"));
        }
        self.fits(what, len)
    }

    /// Checks that rows, bias, mask and sinks fit one another.
    fn fits(self, what: &'static str, len: usize) -> Result<Self, ParameterError> {
        let (divisor, exact) = self.lengths();
        let goes =
            self.periods().all(|(period, whole)| if whole { period == divisor } else { is_multiple(divisor, period) });
        if goes {
            Ok(self)
        } else {
            let allowed = if exact {
                "as long as the data that the others are for"
            } else {
                "a multiple of the others', or divide it"
            };
            Err(ParameterError::new(F::CARD.name, what, len as f64, allowed))
        }
    }

    /// The periods of bias, mask and sinks: see [`Broadcast::period`].
    fn periods(&self) -> impl Iterator<Item = (usize, bool)> {
        let Terms { bias, keep, sink, causal, .. } = self.terms;
        let (unit, inner) = (self.layout.unit().unwrap_or(0), self.layout.inner());
        let row_len = self.layout.len.map_or(0, NonZeroUsize::get);
        // If the rows have no length, there is only one sink, and it fits any data.
        let sink = sink.filter(|_| row_len > 0).map(|sink| {
            let (sinks, exact) = sink.period(inner);
            (sinks.saturating_mul(row_len), exact)
        });
        let causal = causal.map(|causal| (causal.queries.max(inner).saturating_mul(row_len), false));
        [bias.map(|bias| bias.period(unit)), keep.map(|keep| keep.period(unit)), sink, causal].into_iter().flatten()
    }

    /// The common period. It must divide the length of the data, or, if the flag is true, be equal to it.
    fn lengths(&self) -> (usize, bool) {
        let exact = self.periods().find(|&(_, exact)| exact);
        // An empty mask fits only empty data.
        let empty = self.periods().find(|&(period, _)| period == 0);
        let longest = self.periods().max_by_key(|&(period, _)| period);
        exact.or(empty).or(longest).unwrap_or((self.layout.unit().unwrap_or(0), false))
    }

    #[track_caller]
    pub(super) fn check(&self, len: usize) {
        let (period, exact) = self.lengths();
        assert!(
            !exact || len == period || len == 0,
            "{}: the bias, mask or sinks are for data of {period} elements, the slices have {len}; one that repeats is named by \
             `Broadcast`",
            F::CARD.name
        );
    }
}

fn is_multiple(number: usize, of: usize) -> bool {
    number.checked_rem(of).is_none_or(|rest| rest == 0)
}

impl<T: Element, F: RowFunction> Activation<T> for Scores<'_, F, T> {
    #[inline]
    #[track_caller]
    fn run(&self, level: Level, pass: Pass<'_, T>) {
        self.check(pass.len());
        run::<T, F>(self.layout, level, self.terms, pass);
    }

    #[inline]
    #[track_caller]
    fn run_fast(&self, level: Level, pass: Pass<'_, T>) {
        self.check(pass.len());
        run_fast::<T, F>(self.layout, level, self.terms, pass);
    }

    #[inline]
    fn pieces(&self) -> Pieces {
        if self.layout.len.is_none() && self.periods().next().is_none() {
            return Pieces::Whole;
        }
        Pieces::Rows(self.lengths().0)
    }
}

impl<T: Element, F: RowFunction> FromOutput<T> for Scores<'_, F, T> {
    #[inline]
    #[track_caller]
    fn run_from_output(&self, level: Level, y: &[T], grad_y: &[T], grad_x: &mut [T]) {
        self.check(y.len());
        let name = F::CARD.name;
        assert!(
            self.terms.cap.is_none(),
            "{name}: outputs of soft-capped scores do not give the gradient: use `backward`"
        );
        from_output::<T, F>(self.layout, level, self.terms, y, grad_y, grad_x);
    }
}

/// The limit of a soft cap, if it is one.
pub(crate) fn checked_cap(function: &'static str, cap: f64) -> Result<f64, ParameterError> {
    if cap.is_finite() && cap > 0.0 {
        Ok(cap)
    } else {
        Err(ParameterError::new(function, "soft_cap", cap, "a finite number above 0"))
    }
}
