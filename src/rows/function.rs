//! A function of rows: its formulas, its passes, and the methods of its type.

use super::formula::{PARTED, RowFormula, Rows, Run, Slices};
use super::gather::{ByTiles, Work};
use super::layout::Layout;
use super::terms::{OfSink, Stage, Terms};
use crate::describe::card::Described;
use crate::kernel::element::{Element, Float};
use crate::kernel::level::Level;
use crate::pass::Pass;

/// A function of rows in terms of exponentials.
pub(crate) trait RowFunction: Described + Copy {
    /// The scores are the elements times this.
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
    // There is a formula for each kind of result, not for each pass.
    let (mut value, mut diagonal) = (None, None);
    match pass {
        Pass::Forward { x, y } => value = Some((Some(x), y)),
        Pass::ForwardInPlace { x } => value = Some((None, x)),
        Pass::Derivative { x, dydx } => diagonal = Some((x, dydx)),
        Pass::ForwardWithDerivative { x, y, dydx } => (value, diagonal) = (Some((Some(x), y)), Some((x, dydx))),
        Pass::Backward { x, grad_y, grad_x } => {
            let formula = F::Gradient::default();
            return run_formula(
                layout,
                level,
                terms,
                Stage::Slope,
                formula,
                Some(x),
                Some(grad_y),
                grad_x,
                &mut |_, _| {},
            );
        }
    }
    if let Some((x, y)) = value {
        run_formula(layout, level, terms, Stage::Value, F::Value::default(), x, None, y, &mut |_, _| {});
    }
    if let Some((x, y)) = diagonal {
        run_formula(layout, level, terms, Stage::Slope, F::Diagonal::default(), Some(x), None, y, &mut |_, _| {});
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
    run_formula(layout, level, terms, Stage::Value, F::Fast::default(), x, None, y, &mut |_, _| {});
}

/// Runs a formula over the slices directly, or by tiles.
#[inline]
#[expect(clippy::too_many_arguments, reason = "what a formula is run over has as many parts")]
fn run_formula<T: Element, F: RowFormula>(
    layout: Layout,
    level: Level,
    mut terms: Terms<'_, T>,
    stage: Stage,
    formula: F,
    x: Option<&[T]>,
    grad_y: Option<&[T]>,
    y: &mut [T],
    of_sink: OfSink<'_, T::Float>,
) {
    if y.is_empty() {
        return;
    }
    if let Some(causal) = &mut terms.causal {
        causal.whole = F::SUMS_GRADIENTS;
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
        T::call(
            &ByTiles,
            Work {
                level,
                layout,
                terms,
                stage,
                x,
                grad_y,
                y,
                of_sink: &mut |row, g| of_sink(row, g),
                parted: PARTED,
                formula: &mut run,
            },
        );
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
    run_formula(layout, level, terms, Stage::FromOutput, formula, Some(y), Some(grad_y), grad_x, &mut |_, _| {});
}

/// Runs the gradient, and calls `f` with each row's number and the gradient with respect to its sink.
#[cfg(feature = "alloc")]
pub(crate) fn with_sink<T: Element, F: RowFunction>(
    layout: Layout,
    level: Level,
    terms: Terms<'_, T>,
    [x, grad_y]: [&[T]; 2],
    grad_x: &mut [T],
    f: OfSink<'_, T::Float>,
) {
    let formula = F::Gradient::default();
    run_formula(layout, level, terms, Stage::Slope, formula, Some(x), Some(grad_y), grad_x, f);
}

/// Gives a [`RowFunction`] its constructors and its methods. They are inherent methods, so they need no trait in scope.
macro_rules! row_function {
    ($name:ident, sign: $sign:literal, $value:ident, fast: $fast:ident, $diagonal:ident, $gradient:ident, $from_output:ident) => {
        $crate::rows::layout::rows_of_length!($name);
        $crate::rows::layout::rows_along_axis!($name);

        impl $crate::rows::function::RowFunction for $name {
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
            /// Multiplies the scores by a number first. The scores are x, or -x for softmin. See
            /// [`Scores::scaled`](crate::Scores::scaled).
            ///
            /// # Errors
            /// If `scale` is not a finite number above 0.
            pub fn scaled<'a, T: $crate::kernel::element::Element>(
                self,
                scale: f64,
            ) -> Result<$crate::rows::scores::Scores<'a, Self, T>, $crate::describe::error::ParameterError> {
                $crate::rows::scores::scores(self).scaled(scale)
            }

            /// Adds a number to each score first. The scores are x, or -x for softmin. See
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

            /// Replaces the scores by -inf where `keep` is false, so that their probability is 0. See
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

            /// Soft-caps the scores: `cap * tanh(score / cap)`. See [`Scores::soft_cap`](crate::Scores::soft_cap).
            ///
            /// # Errors
            /// If `cap` is not a finite number above 0.
            pub fn soft_cap<'a, T: $crate::kernel::element::Element>(
                self,
                cap: f64,
            ) -> Result<$crate::rows::scores::Scores<'a, Self, T>, $crate::describe::error::ParameterError> {
                $crate::rows::scores::scores(self).soft_cap(cap)
            }

            /// Adds a causal mask: in each group of `queries` rows, row i sees its elements up to number i + `offset`. See
            /// [`Scores::causal`](crate::Scores::causal).
            ///
            /// # Errors
            /// If `queries` is 0, or the rows have no length.
            pub fn causal<'a, T: $crate::kernel::element::Element>(
                self,
                queries: usize,
                offset: isize,
            ) -> Result<$crate::rows::scores::Scores<'a, Self, T>, $crate::describe::error::ParameterError> {
                $crate::rows::scores::scores(self).causal(queries, offset)
            }

            /// Adds a sink: one more score in each row, which counts in the sum but has no output. See
            /// [`Scores::sink`](crate::Scores::sink).
            ///
            /// # Errors
            /// If there are several sinks, and the rows have no length.
            pub fn sink<'a, T: $crate::kernel::element::Element>(
                self,
                sinks: impl Into<$crate::rows::broadcast::Broadcast<'a, T>>,
            ) -> Result<$crate::rows::scores::Scores<'a, Self, T>, $crate::describe::error::ParameterError> {
                $crate::rows::scores::scores(self).sink(sinks)
            }

            /// Makes rows whose scores are all -inf zeros instead of NaN. See
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
                let terms = $crate::rows::terms::Terms::scaled($sign);
                $crate::rows::function::run::<T, Self>(self.layout, level, terms, pass);
            }

            #[inline]
            fn run_fast(&self, level: $crate::kernel::level::Level, pass: $crate::pass::Pass<'_, T>) {
                let terms = $crate::rows::terms::Terms::scaled($sign);
                $crate::rows::function::run_fast::<T, Self>(self.layout, level, terms, pass);
            }

            #[inline]
            fn pieces(&self) -> $crate::pass::Pieces {
                self.layout.pieces()
            }
        }

        impl<T: $crate::kernel::element::Element> $crate::from_output::FromOutput<T> for $name {
            #[inline]
            fn run_from_output(&self, level: $crate::kernel::level::Level, y: &[T], grad_y: &[T], grad_x: &mut [T]) {
                let terms = $crate::rows::terms::Terms::scaled($sign);
                $crate::rows::function::from_output::<T, Self>(self.layout, level, terms, y, grad_y, grad_x);
            }
        }
    };
}
pub(crate) use row_function;
