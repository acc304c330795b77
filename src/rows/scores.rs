//! Functions of rows over scores: scaled, biased, masked.

use core::marker::PhantomData;
use core::num::NonZeroUsize;

use super::broadcast::Broadcast;
use super::formula::{RowFormula, Rows, Run, Slices};
use super::gather::{ByTiles, Stage, Terms, Work};
use super::layout::Layout;
use crate::activation::Activation;
use crate::describe::card::Described;
use crate::describe::error::ParameterError;
use crate::from_output::FromOutput;
use crate::kernel::element::{Element, Float};
use crate::kernel::level::Level;
use crate::pass::{Pass, Pieces};

/// A function of rows in terms of exponentials.
pub(crate) trait RowFunction: Described + Copy {
    /// Its scores are the elements times this.
    const SIGN: f64;
    type Value: RowFormula + Default;
    /// Its fast form.
    type Fast: RowFormula + Default;
    /// The Jacobian's diagonal.
    type Diagonal: RowFormula + Default;
    /// The product of the transposed Jacobian with a gradient.
    type Gradient: RowFormula + Default;
    /// The same from outputs.
    type FromOutput: RowFormula + Default;

    fn layout(&self) -> Layout;
}

/// Runs a pass of the function.
#[inline]
pub(crate) fn run<T: Element, F: RowFunction>(layout: Layout, level: Level, terms: Terms<'_, T>, pass: Pass<'_, T>) {
    // A formula for each result, not for each pass.
    let (mut value, mut diagonal) = (None, None);
    match pass {
        Pass::Forward { x, y } => value = Some((Some(x), y)),
        Pass::ForwardInPlace { x } => value = Some((None, x)),
        Pass::Derivative { x, dydx } => diagonal = Some((x, dydx)),
        Pass::ForwardWithDerivative { x, y, dydx } => (value, diagonal) = (Some((Some(x), y)), Some((x, dydx))),
        Pass::Backward { x, grad_y, grad_x } => {
            let formula = F::Gradient::default();
            return run_formula(layout, level, terms, Stage::Slope, formula, Some(x), Some(grad_y), grad_x);
        }
    }
    if let Some((x, y)) = value {
        run_formula(layout, level, terms, Stage::Value, F::Value::default(), x, None, y);
    }
    if let Some((x, y)) = diagonal {
        run_formula(layout, level, terms, Stage::Slope, F::Diagonal::default(), Some(x), None, y);
    }
}

/// Runs a pass of the function's fast form. Derivatives and gradients have none.
#[inline]
pub(crate) fn run_fast<T: Element, F: RowFunction>(
    layout: Layout,
    level: Level,
    terms: Terms<'_, T>,
    pass: Pass<'_, T>,
) {
    let (x, y) = match pass {
        Pass::Forward { x, y } => (Some(x), y),
        Pass::ForwardInPlace { x } => (None, x),
        _ => return run::<T, F>(layout, level, terms, pass),
    };
    run_formula(layout, level, terms, Stage::Value, F::Fast::default(), x, None, y);
}

/// Runs a formula: over the slices as they are, or by tiles.
#[inline]
#[expect(clippy::too_many_arguments, reason = "what a formula is run over has as many parts")]
fn run_formula<T: Element, F: RowFormula>(
    layout: Layout,
    level: Level,
    terms: Terms<'_, T>,
    stage: Stage,
    formula: F,
    x: Option<&[T]>,
    grad_y: Option<&[T]>,
    y: &mut [T],
) {
    if y.is_empty() {
        return;
    }
    let row_len = layout.row_len(y.len());
    let mut run = |rows: Rows<'_, T::Float>| T::Float::run(&Run(formula), level, rows);
    if T::IS_FLOAT && layout.inner() == 1 && terms.are_nothing() {
        match (x, grad_y) {
            (None, None) => T::as_floats(level, [], [y], true, |[], [y]| {
                run(Rows::Slices(Slices { row_len, x: None, grad_y: None, y }));
            }),
            (None, Some(grad_y)) => T::as_floats(level, [grad_y], [y], true, |[grad_y], [y]| {
                run(Rows::Slices(Slices { row_len, x: None, grad_y: Some(grad_y), y }));
            }),
            (Some(x), None) => T::as_floats(level, [x], [y], false, |[x], [y]| {
                run(Rows::Slices(Slices { row_len, x: Some(x), grad_y: None, y }));
            }),
            (Some(x), Some(grad_y)) => T::as_floats(level, [x, grad_y], [y], false, |[x, grad_y], [y]| {
                run(Rows::Slices(Slices { row_len, x: Some(x), grad_y: Some(grad_y), y }));
            }),
        }
    } else {
        T::call(&ByTiles, Work { level, layout, terms, stage, x, grad_y, y, formula: &mut run });
    }
}

/// A function of rows whose elements are scaled, biased and masked first: scores as attention has them.
///
/// Made by the methods of [`Softmax`](crate::Softmax), [`LogSoftmax`](crate::LogSoftmax) and
/// [`Softmin`](crate::Softmin), in any order. The function takes `x[i] * scale + bias[i]`, and -inf where the mask is
/// false, whatever `x[i]` is there. Softmin is the softmax of -x, of which these are the scores: `bias[i] - x[i] * scale`.
///
/// - A bias or a mask is one row for all rows, or as long as the data; other shapes are named by [`Broadcast`]. If the
///   function's rows have no length, they have that of the bias or the mask. The methods panic if a slice does not fit.
/// - [`derivative`](crate::Activation::derivative) and [`backward`](crate::Activation::backward) are with respect to x:
///   they have the scale as a factor, and are 0 where the mask is false.
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
/// let causal = [true, false, false, true, true, false, true, true, true];
/// let mut p = [0.0; 2 * 3 * 3];
/// Softmax::rows(3)?.scaled(0.25)?.masked(Broadcast::cycled(&causal))?.forward(&scores, &mut p);
/// let third = 1.0 / 3.0;
/// assert_eq!(p[..9], [1.0, 0.0, 0.0, 0.5, 0.5, 0.0, third, third, third]);
/// assert_eq!(p[9..], p[..9]);
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
        let (divisor, exact) = self.lengths();
        let goes =
            self.periods().all(|(period, whole)| if whole { period == divisor } else { is_multiple(divisor, period) });
        if goes {
            Ok(self)
        } else {
            let allowed = if exact {
                "as long as the data that the other is for"
            } else {
                "a multiple of the other's, or divide it"
            };
            Err(ParameterError::new(F::CARD.name, what, len as f64, allowed))
        }
    }

    /// What bias and mask say of the data's length: see [`Broadcast::period`].
    fn periods(&self) -> impl Iterator<Item = (usize, bool)> {
        let unit = self.layout.unit().unwrap_or(0);
        let (bias, keep) = (self.terms.bias, self.terms.keep);
        bias.map(|bias| bias.period(unit)).into_iter().chain(keep.map(|keep| keep.period(unit)))
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
    fn check(&self, len: usize) {
        let (period, exact) = self.lengths();
        assert!(
            !exact || len == period || len == 0,
            "{}: the bias or mask is for data of {period} elements, the slices have {len}; one that repeats is named by \
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
        from_output::<T, F>(self.layout, level, self.terms, y, grad_y, grad_x);
    }
}

/// Runs the gradient from outputs.
#[inline]
pub(crate) fn from_output<T: Element, F: RowFunction>(
    layout: Layout,
    level: Level,
    terms: Terms<'_, T>,
    y: &[T],
    grad_y: &[T],
    grad_x: &mut [T],
) {
    let formula = F::FromOutput::default();
    run_formula(layout, level, terms, Stage::FromOutput, formula, Some(y), Some(grad_y), grad_x);
}

/// Gives a [`RowFunction`] its constructors and what it does: methods of its own, which need no trait in scope.
macro_rules! row_function {
    ($name:ident, sign: $sign:literal, $value:ident, fast: $fast:ident, $diagonal:ident, $gradient:ident, $from_output:ident) => {
        $crate::rows::layout::rows_of_length!($name);

        impl $crate::rows::scores::RowFunction for $name {
            const SIGN: f64 = $sign;
            type Value = $value;
            type Fast = $fast;
            type Diagonal = $diagonal;
            type Gradient = $gradient;
            type FromOutput = $from_output;

            #[inline]
            fn layout(&self) -> $crate::rows::layout::Layout {
                self.layout
            }
        }

        impl $name {
            /// Rows along an axis that is not the last: each has `len` elements, `inner` apart.
            ///
            /// The data is `outer x len x inner`, as a tensor whose last axes have `inner` elements together. Slices whose
            /// length is not a multiple of `len * inner` make the methods panic. A row has the bits that it would have
            /// with its elements adjacent.
            ///
            /// # Errors
            /// If one of them is 0, or their product is no length of a slice.
            pub fn axis(len: usize, inner: usize) -> Result<Self, $crate::describe::error::ParameterError> {
                let name = <Self as $crate::describe::card::Described>::CARD.name;
                $crate::rows::layout::Layout::axis(name, len, inner).map(|layout| Self { layout })
            }

            /// With the scores, x or for softmin -x, times a number first. See [`Scores::scaled`](crate::Scores::scaled).
            ///
            /// # Errors
            /// If `scale` is not a finite number above 0.
            pub fn scaled<'a, T: $crate::kernel::element::Element>(
                self,
                scale: f64,
            ) -> Result<$crate::rows::scores::Scores<'a, Self, T>, $crate::describe::error::ParameterError> {
                $crate::rows::scores::scores(self).scaled(scale)
            }

            /// With a number added to each score first, x or for softmin -x. See
            /// [`Scores::biased`](crate::Scores::biased).
            ///
            /// # Errors
            /// If the bias's length is not a whole number of rows.
            pub fn biased<'a, T: $crate::kernel::element::Element>(
                self,
                bias: impl Into<$crate::rows::broadcast::Broadcast<'a, T>>,
            ) -> Result<$crate::rows::scores::Scores<'a, Self, T>, $crate::describe::error::ParameterError> {
                $crate::rows::scores::scores(self).biased(bias)
            }

            /// With a score of -inf, the probability 0, where `keep` is false. See
            /// [`Scores::masked`](crate::Scores::masked).
            ///
            /// # Errors
            /// If the mask's length is not a whole number of rows.
            pub fn masked<'a, T: $crate::kernel::element::Element>(
                self,
                keep: impl Into<$crate::rows::broadcast::Broadcast<'a, bool>>,
            ) -> Result<$crate::rows::scores::Scores<'a, Self, T>, $crate::describe::error::ParameterError> {
                $crate::rows::scores::scores(self).masked(keep)
            }

            /// With zeros for rows whose scores are nothing but -inf. See
            /// [`Scores::empty_rows_are_zeros`](crate::Scores::empty_rows_are_zeros).
            #[must_use]
            pub fn empty_rows_are_zeros<'a, T: $crate::kernel::element::Element>(
                self,
            ) -> $crate::rows::scores::Scores<'a, Self, T> {
                $crate::rows::scores::scores(self).empty_rows_are_zeros()
            }
        }

        impl<T: $crate::kernel::element::Element> $crate::activation::Activation<T> for $name {
            #[inline]
            fn run(&self, level: $crate::kernel::level::Level, pass: $crate::pass::Pass<'_, T>) {
                let terms = $crate::rows::gather::Terms::scaled($sign);
                $crate::rows::scores::run::<T, Self>(self.layout, level, terms, pass);
            }

            #[inline]
            fn run_fast(&self, level: $crate::kernel::level::Level, pass: $crate::pass::Pass<'_, T>) {
                let terms = $crate::rows::gather::Terms::scaled($sign);
                $crate::rows::scores::run_fast::<T, Self>(self.layout, level, terms, pass);
            }

            #[inline]
            fn pieces(&self) -> $crate::pass::Pieces {
                self.layout.pieces()
            }
        }

        impl<T: $crate::kernel::element::Element> $crate::from_output::FromOutput<T> for $name {
            #[inline]
            fn run_from_output(&self, level: $crate::kernel::level::Level, y: &[T], grad_y: &[T], grad_x: &mut [T]) {
                let terms = $crate::rows::gather::Terms::scaled($sign);
                $crate::rows::scores::from_output::<T, Self>(self.layout, level, terms, y, grad_y, grad_x);
            }
        }
    };
}
pub(crate) use row_function;
