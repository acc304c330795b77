//! The parametric ReLU: a leaky ReLU with a trained slope for each channel.

use super::per_channel::PerChannel;
use crate::activation::Activation;
use crate::functions::slopes::PreluSlope;
use crate::kernel::element::Element;
use crate::kernel::level::{At, Level};
use crate::pass::{Pass, Pieces, same_length};

/// The parametric ReLU: x for x > 0, a\[c\] x for x <= 0, with a slope a\[c\] for each channel c.
///
/// The slopes are trained, so they stay with the caller. Data is laid out as outer x channels x inner. By default inner
/// is 1, so the channel is the last axis. For images with the channel first, inner is height times width. If there is only one
/// slope, it is for all elements, as by default in PyTorch.
///
/// - Derivative: a\[c\] for x <= 0, 1 for x > 0. [`backward_with_slopes`](Self::backward_with_slopes) gives the slopes'
///   gradient too.
/// - Error: one rounding, 0.5 ULP; none in the derivative. Halves are rounded once too, because a product of two halves is exact in
///   `f32`.
/// - Special values: the same as for [`LeakyRelu`](crate::LeakyRelu). The slopes are not checked.
/// - Panics: the methods of [`Activation`] panic if a slice's length is not a multiple of channels x inner. Without channels,
///   only empty slices fit.
/// - Source: He, Zhang, Ren & Sun, "Delving deep into rectifiers", ICCV 2015, arXiv:1502.01852.
///
/// [`AnyActivation`](crate::AnyActivation) does not have it, because it borrows its slopes.
///
/// ```
/// use activations::{Activation, Prelu};
///
/// let slopes = [0.25_f32, 0.5];
/// let x = [-1.0, -1.0, 2.0, -2.0];
/// let mut y = [0.0; 4];
/// Prelu::new(&slopes).forward(&x, &mut y);
/// assert_eq!(y, [-0.25, -0.5, 2.0, -1.0]);
/// Prelu::new(&slopes).inner(2).forward(&x, &mut y);
/// assert_eq!(y, [-0.25, -0.25, 2.0, -1.0]);
///
/// let (mut grad_x, mut grad_slopes) = ([0.0; 4], [0.0; 2]);
/// Prelu::new(&slopes).backward_with_slopes(&x, &[1.0; 4], &mut grad_x, &mut grad_slopes);
/// assert_eq!(grad_x, [0.25, 0.5, 1.0, 0.5]);
/// assert_eq!(grad_slopes, [-1.0, -3.0]);
/// ```
#[doc(alias = "PReLU")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prelu<'a, T>(PerChannel<'a, PreluSlope, T>);

impl<'a, T: Element> Prelu<'a, T> {
    /// Makes the activation from a slope for each channel. The channel is the last axis, unless [`inner`](Self::inner) says
    /// otherwise.
    ///
    /// ```
    /// use activations::{Activation, Prelu};
    ///
    /// let mut x = [-1.0_f32, -1.0, 2.0, -2.0];
    /// Prelu::new(&[0.25, 0.5]).forward_in_place(&mut x);
    /// assert_eq!(x, [-0.25, -0.5, 2.0, -1.0]);
    /// ```
    #[must_use]
    pub const fn new(slopes: &'a [T]) -> Self {
        Self(PerChannel::of(PreluSlope, [slopes]))
    }

    /// Sets how many elements of a channel lie next to each other: the product of the axes after the channel. If it is 0, only
    /// empty slices fit.
    ///
    /// ```
    /// use activations::{Activation, Prelu};
    ///
    /// // Two channels of two pixels each.
    /// let mut x = [-1.0_f32, -1.0, -1.0, -1.0];
    /// Prelu::new(&[0.25, 0.5]).inner(2).forward_in_place(&mut x);
    /// assert_eq!(x, [-0.25, -0.25, -0.5, -0.5]);
    /// ```
    #[must_use]
    pub const fn inner(self, inner: usize) -> Self {
        Self(self.0.with_inner(inner))
    }

    /// The slopes.
    ///
    /// ```
    /// assert_eq!(activations::Prelu::new(&[0.25_f32]).slopes(), [0.25]);
    /// ```
    #[must_use]
    pub const fn slopes(&self) -> &'a [T] {
        self.0.first()
    }

    /// Runs [`backward`](Activation::backward), and computes the gradient of the slopes: `grad_slopes[c]` is the sum of
    /// x\[i\] grad_y\[i\] over those i of channel c with x\[i\] <= 0. Both gradients are overwritten.
    ///
    /// The order of the sum is fixed, so the bits do not depend on the CPU, within its kind, nor on the other channels' numbers. The
    /// sum's error is at most 1 ULP plus half the type's epsilon times the sum of the terms' magnitudes, for channels of up to 2^20
    /// elements. For halves, products and sums are computed in `f32`, and rounded once, at the end.
    ///
    /// # Panics
    /// If the lengths differ, or do not fit the channels, before anything is written.
    ///
    /// ```
    /// use activations::Prelu;
    ///
    /// let (x, grad_y) = ([-1.0_f32, 2.0, -3.0], [1.0; 3]);
    /// let (mut grad_x, mut grad_slopes) = ([0.0; 3], [0.0]);
    /// Prelu::new(&[0.5]).backward_with_slopes(&x, &grad_y, &mut grad_x, &mut grad_slopes);
    /// assert_eq!((grad_x, grad_slopes), ([0.5, 1.0, 0.5], [-4.0]));
    /// ```
    #[track_caller]
    pub fn backward_with_slopes(&self, x: &[T], grad_y: &[T], grad_x: &mut [T], grad_slopes: &mut [T]) {
        Level::best().with(*self).backward_with_slopes(x, grad_y, grad_x, grad_slopes);
    }
}

impl<T: Element> At<Prelu<'_, T>> {
    /// See [`Prelu::backward_with_slopes`].
    ///
    /// # Panics
    /// If the lengths differ, or do not fit the channels, before anything is written.
    #[track_caller]
    pub fn backward_with_slopes(&self, x: &[T], grad_y: &[T], grad_x: &mut [T], grad_slopes: &mut [T]) {
        let Prelu(layer) = self.activation;
        same_length("grad_y", grad_y.len(), "x", x.len());
        same_length("grad_x", grad_x.len(), "x", x.len());
        same_length("grad_slopes", grad_slopes.len(), "slopes", layer.parameters()[0].len());
        layer.backward_at(self.level, x, grad_y, grad_x, [grad_slopes]);
    }
}

impl<T: Element> Activation<T> for Prelu<'_, T> {
    fn run(&self, level: Level, pass: Pass<'_, T>) {
        self.0.run(level, pass);
    }

    fn pieces(&self) -> Pieces {
        self.0.pieces()
    }
}
