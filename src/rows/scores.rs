//! Functions of rows over scores: scaled, capped, biased, masked, with a sink.

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

/// A function of rows whose elements are made scores first, as attention has them: scaled, soft-capped, biased, masked, with a
/// sink.
///
/// Made by the methods of [`Softmax`](crate::Softmax), [`LogSoftmax`](crate::LogSoftmax) and
/// [`Softmin`](crate::Softmin), in any order. The function takes `x[i] * scale + bias[i]`, and -inf where the mask is
/// false, whatever `x[i]` is there. Softmin is the softmax of -x, of which these are the scores: `bias[i] - x[i] * scale`.
///
/// | | | |
/// |---|---|---|
/// | 1. | [`scaled`](Self::scaled) | s = x scale |
/// | 2. | [`soft_cap`](Self::soft_cap) | s = cap tanh(s / cap) |
/// | 3. | [`biased`](Self::biased) | s = s + bias |
/// | 4. | [`masked`](Self::masked), [`causal`](Self::causal), [`window`](Self::window) | s = -inf where hidden |
/// | 5. | [`sink`](Self::sink) | one score more of each row, without an output |
///
/// - A bias or a mask is one row for all rows, or as long as the data; other shapes are named by [`Broadcast`]. If the
///   function's rows have no length, they have that of the bias or the mask. The methods panic if a slice does not fit.
/// - [`derivative`](crate::Activation::derivative) and [`backward`](crate::Activation::backward) are with respect to x:
///   they have the scale as a factor, and are 0 where an element is hidden. `SinkGradient` (feature `alloc`) has the gradient of
///   the sink.
/// - [`backward_from_output`](crate::FromOutput::backward_from_output) panics if scores are soft-capped, because outputs do
///   not determine how flat the cap was: use `backward`, which computes the scores again.
/// - Error: scores are computed in `f32`, for halves too (`f64`: in `f64`). The scale is rounded to that type, and the score
///   once, without fused multiply-add twice; of these scores the results are as good as those of the function. An error of half an ulp of a score s is one of
///   |s| 2^-24 (`f64`: |s| 2^-53) in e^s. Gradients have half an ULP more.
/// - No temporary as long as the data: scores are made a few thousand at a time.
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

/// The function of its elements as they are.
pub(crate) fn scores<'a, F: RowFunction, T: Element>(function: F) -> Scores<'a, F, T> {
    Scores { function: PhantomData, layout: function.layout(), terms: Terms::scaled(F::SIGN) }
}

impl<'a, F: Described, T: Element> Scores<'a, F, T> {
    /// The scores times a number: 1/sqrt(d) in attention, the reciprocal of a temperature. Scales multiply.
    ///
    /// A scale so great that scores leave the range of the type gives the limit: the greatest score of a row has
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

    /// The scores plus a number each, after the scale: a position's bias, a mask of 0 and -inf. Replaces an earlier one.
    /// The bias is one row, as long as the data, or a [`Broadcast`].
    ///
    /// A NaN or +inf in x stays, whatever is added: [`masked`](Self::masked) hides them.
    ///
    /// # Errors
    /// If its length is not a whole number of rows, or does not go with the mask's.
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

    /// The scores where `keep` is true, -inf elsewhere. Replaces an earlier one. The mask is one row, as long as the data,
    /// or a [`Broadcast`].
    ///
    /// # Errors
    /// If its length is not a whole number of rows, or does not go with the bias's.
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

    /// The scores soft-capped: `cap * tanh(score / cap)`, between -cap and cap. After the scale, before a bias and a mask, which
    /// stay as they are. Replaces an earlier cap.
    ///
    /// - An infinite score becomes the cap, with its sign, so that -inf no longer hides an element. NaN stays.
    /// - Gradients have 1 - tanh(score / cap)^2 as a factor, computed from x without cancellation.
    /// - Logits that are capped without a softmax are a formula of your own: see [`guide::rows`](crate::guide::rows).
    /// - Error: at most 6 ULP of the score, before the bias; 4 + 3 |score / cap| ULP of that factor.
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

    /// A causal mask that needs no array: row i of each `queries` rows sees its elements up to number i + `offset`. Goes with
    /// [`masked`](Self::masked): an element must pass both. Replaces an earlier one, and its window.
    ///
    /// - `offset` is how many keys precede the first query: 0 in training, the length of the cache in decoding. It is below 0 if
    ///   the keys are a later block of the sequence than the queries.
    /// - A row that sees nothing is as one that is masked completely: NaN, or zeros
    ///   ([`empty_rows_are_zeros`](Self::empty_rows_are_zeros)).
    /// - Time: what is hidden is not computed, up to the next multiple of 32 elements; but in gradients of log-softmax, which
    ///   depend on all of `grad_y`.
    /// - Along an axis that is not the last, rows are counted as they lie in memory, and `queries` must divide the rows that lie
    ///   side by side, or be a multiple of them.
    ///
    /// # Errors
    /// If `queries` is 0, the rows have no length ([`rows`](crate::Softmax::rows), or a bias or mask before), or the length
    /// does not go with that of the bias or the mask.
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

    /// A sliding window: of the elements that the causal mask lets a row see only the last `window`.
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

    /// An attention sink: one score more of each row, which has its share of the sum but no output, so that the probabilities
    /// of a row sum to less than 1. Replaces an earlier one.
    ///
    /// p\[i\] = e^s\[i\] / (e^sink + sum of e^s\[j\]), and the sink is a term as good as the others: the greatest may be it. It is a
    /// score as it is: not scaled, capped, biased or masked.
    ///
    /// - One number is for all rows. Others have a number for each row, or are named by [`Broadcast`]: sinks `[H]` of heads, for
    ///   data of the shape `[B, H, Q, K]`, are `Broadcast::each_cycled(&sinks, Q)`. Along an axis that is not the last, `inner`
    ///   sinks are what one number is here: one for each of the rows side by side.
    /// - Softmax-off-by-one, e^x\[i\] / (1 + sum of e^x\[j\]), is the sink 0 (Miller, "Attention is off by one", 2023).
    /// - A row that is masked completely has zeros (log-softmax: -inf) beside a sink. It is empty only if the sink is -inf.
    /// - [`backward`](crate::Activation::backward) and [`backward_from_output`](crate::FromOutput::backward_from_output) give the
    ///   gradient with respect to x. `SinkGradient::backward_with_sink` gives that of the sinks, too.
    /// - A sink of NaN or +inf makes its rows NaN.
    /// - Source: Xiao et al., "Efficient streaming language models with attention sinks", 2023, arXiv:2309.17453; as a learnt
    ///   logit for each head, gpt-oss, 2025.
    ///
    /// # Errors
    /// If the number of sinks does not go with the rows, or there are several and the rows have no length.
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

    /// Rows of nothing but -inf, as where everything is masked, become zeros, and so do their derivatives and gradients.
    /// They are NaN otherwise.
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

    /// Whether what there is goes with one another.
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

    /// What bias, mask and sinks say of the data's length: see [`Broadcast::period`].
    fn periods(&self) -> impl Iterator<Item = (usize, bool)> {
        let Terms { bias, keep, sink, causal, .. } = self.terms;
        let (unit, inner) = (self.layout.unit().unwrap_or(0), self.layout.inner());
        let row_len = self.layout.len.map_or(0, NonZeroUsize::get);
        // Without a length of rows the sink is one number, for any.
        let sink = sink.filter(|_| row_len > 0).map(|sink| {
            let (sinks, exact) = sink.period(inner);
            (sinks.saturating_mul(row_len), exact)
        });
        let causal = causal.map(|causal| (causal.queries.max(inner).saturating_mul(row_len), false));
        [bias.map(|bias| bias.period(unit)), keep.map(|keep| keep.period(unit)), sink, causal].into_iter().flatten()
    }

    /// What must divide the length of the data, and whether it must be that length.
    fn lengths(&self) -> (usize, bool) {
        let exact = self.periods().find(|&(_, exact)| exact);
        // Nothing is as long as a mask of nothing.
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
