//! The gradient with respect to the sinks of scores.

use alloc::{vec, vec::Vec};

use super::function::{RowFunction, with_sink};
use super::reduce::{Partial, add};
use super::scores::Scores;
use crate::activation::Activation;
use crate::kernel::element::{Element, Float, Lane};
use crate::kernel::level::{At, Level};
use crate::kernel::real::Real;
use crate::pass::same_length;

/// The gradient with respect to the sinks of a function of rows. See [`Scores::sink`].
///
/// ```
/// use activations::{SinkGradient, Softmax};
///
/// // p = 1/3, and the sink's share is 1/3, too: its gradient is -1/3 <p, g>.
/// let (mut grad_x, mut grad_sink) = ([0.0_f32; 2], [0.0]);
/// let softmax = Softmax::rows(2)?.sink(&[0.0])?;
/// softmax.backward_with_sink(&[0.0; 2], &[9.0, 0.0], &mut grad_x, &mut grad_sink);
/// assert_eq!((grad_x, grad_sink), ([2.0, -1.0], [-1.0]));
/// # Ok::<(), activations::ParameterError>(())
/// ```
pub trait SinkGradient<T: Element>: Activation<T> {
    /// The number of sinks; 0 for a function without sinks.
    fn sinks(&self) -> usize;

    /// Runs the pass at one CPU level, on slices whose lengths fit. Callers use
    /// [`backward_with_sink`](Self::backward_with_sink).
    fn run_with_sink(&self, level: Level, x: &[T], grad_y: &[T], grad_x: &mut [T], grad_sink: &mut [T]);

    /// Runs [`backward`](Activation::backward), and in the same pass computes the gradient with respect to each sink, summed over
    /// the sink's rows. `grad_sink` has a number for each sink. Both gradients are overwritten.
    ///
    /// In a row the sink's gradient is -s <p, g>, where s is the sink's share of the sum; for log-softmax it is -s (sum of g). The
    /// sums over rows are kept to twice the precision, in an order that depends on the lengths alone. For halves the `f32`
    /// gradients are summed, and each sum is rounded once.
    ///
    /// # Panics
    /// If the lengths differ, `grad_sink` does not have a number for each sink, or the data does not divide into rows, before
    /// anything is written.
    ///
    /// ```
    /// use activations::{Broadcast, LogSoftmax, SinkGradient};
    ///
    /// // Two heads of one query each, in two sequences.
    /// let heads = Broadcast::each_cycled(&[0.0, f32::NEG_INFINITY], 1);
    /// let (mut grad_x, mut grad_sink) = ([0.0_f32; 4], [0.0; 2]);
    /// LogSoftmax::rows(1)?.sink(heads)?.backward_with_sink(&[0.0; 4], &[1.0; 4], &mut grad_x, &mut grad_sink);
    /// assert_eq!((grad_x, grad_sink), ([0.5, 0.0, 0.5, 0.0], [-1.0, 0.0]));
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    #[inline]
    #[track_caller]
    fn backward_with_sink(&self, x: &[T], grad_y: &[T], grad_x: &mut [T], grad_sink: &mut [T]) {
        same_length("grad_y", grad_y.len(), "x", x.len());
        same_length("grad_x", grad_x.len(), "x", x.len());
        same_length("grad_sink", grad_sink.len(), "sinks", self.sinks());
        self.pieces().check(x.len());
        self.run_with_sink(Level::best(), x, grad_y, grad_x, grad_sink);
    }
}

impl<T: Element, F: RowFunction> SinkGradient<T> for Scores<'_, F, T> {
    fn sinks(&self) -> usize {
        self.terms.sink.map_or(0, |sinks| sinks.data.len())
    }

    #[inline]
    #[track_caller]
    fn run_with_sink(&self, level: Level, x: &[T], grad_y: &[T], grad_x: &mut [T], grad_sink: &mut [T]) {
        self.check(x.len());
        let Self { layout, terms, .. } = *self;
        let (inner, mut sums) = (layout.inner(), Sums::of(grad_sink.len()));
        with_sink::<T, F>(layout, level, terms, [x, grad_y], grad_x, &mut |row, gradient| {
            if let Some(sinks) = terms.sink {
                sums.add(sinks.start(row / inner, inner) + row % inner, gradient);
            }
        });
        for (grad_sink, sum) in grad_sink.iter_mut().zip(sums.rounded()) {
            *grad_sink = T::rounded(sum);
        }
    }
}

impl<T: Element, A: SinkGradient<T>> SinkGradient<T> for At<A> {
    fn sinks(&self) -> usize {
        self.activation.sinks()
    }

    #[inline]
    fn run_with_sink(&self, _: Level, x: &[T], grad_y: &[T], grad_x: &mut [T], grad_sink: &mut [T]) {
        self.activation.run_with_sink(self.level, x, grad_y, grad_x, grad_sink);
    }
}

/// A sum for each sink.
struct Sums<F: Float>(Vec<Partial<F::Plain>>);

impl<F: Float> Sums<F> {
    fn of(len: usize) -> Self {
        let zero = F::Plain::of(0.0);
        Self(vec![(zero, zero); len])
    }

    fn add(&mut self, sink: usize, term: F) {
        self.0[sink] = add(self.0[sink], F::Plain::load(term));
    }

    fn rounded(&self) -> impl Iterator<Item = F> {
        // If a sum is infinite, its rounding error is NaN.
        self.0.iter().map(|&(hi, lo)| if hi.store().is_finite() { (hi + lo).store() } else { hi.store() })
    }
}
