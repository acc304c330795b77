//! Gradients from the output, for functions whose output determines the derivative. Training then need not keep the input.

#[cfg(feature = "alloc")]
use alloc::{vec, vec::Vec};

use crate::activation::{Activation, Elementwise};
use crate::kernel::dispatch::dispatch;
use crate::kernel::element::{Element, Float, Kernel};
use crate::kernel::level::{At, Level};
use crate::kernel::real::Real;
use crate::kernel::sweep::sweep;
use crate::pass::same_length;

/// Activations whose gradient can be computed from the output y = f(x).
///
/// Training then keeps only `y`, which the next layer needs anyway. `x` can be overwritten, as
/// [`forward_in_place`](Activation::forward_in_place) does.
///
/// Rounding may give many inputs the same output. They then get the same gradient, computed from that output. For example, where
/// sigmoid(x) is rounded to 1, the derivative is 0, although the exact 1 - sigmoid(x) is not.
///
/// ```
/// use activations::{Activation, FromOutput, Tanh};
///
/// let mut y = [-0.5_f32, 0.0, 2.0];
/// Tanh.forward_in_place(&mut y);
/// let mut grad_x = [0.0; 3];
/// Tanh.backward_from_output(&y, &[1.0; 3], &mut grad_x);
/// assert_eq!(grad_x[1], 1.0);
/// ```
pub trait FromOutput<T: Element>: Activation<T> {
    /// Runs the pass at one CPU level, on slices of equal lengths. Callers use
    /// [`backward_from_output`](Self::backward_from_output).
    fn run_from_output(&self, level: Level, y: &[T], grad_y: &[T], grad_x: &mut [T]);

    /// The gradient with respect to the input, computed from the output: `grad_x = Jᵀ grad_y`, where J is the Jacobian at the
    /// input that gives `y`.
    ///
    /// # Panics
    /// If the lengths differ, or do not divide into the function's rows, before anything is written.
    ///
    /// ```
    /// use activations::{FromOutput, Relu};
    ///
    /// let mut grad_x = [0.0_f32; 2];
    /// Relu.backward_from_output(&[0.0, 3.0], &[5.0, 7.0], &mut grad_x);
    /// assert_eq!(grad_x, [0.0, 7.0]);
    /// ```
    #[inline]
    #[track_caller]
    fn backward_from_output(&self, y: &[T], grad_y: &[T], grad_x: &mut [T]) {
        same_length("grad_y", grad_y.len(), "y", y.len());
        same_length("grad_x", grad_x.len(), "y", y.len());
        self.pieces().check(y.len());
        self.run_from_output(Level::best(), y, grad_y, grad_x);
    }

    /// [`backward_from_output`](Self::backward_from_output) into a new vector.
    ///
    /// # Panics
    /// If the lengths differ, or do not divide into the function's rows.
    ///
    /// ```
    /// use activations::{FromOutput, Sigmoid};
    ///
    /// assert_eq!(Sigmoid.backward_from_output_vec(&[0.5_f32], &[4.0]), [1.0]);
    /// ```
    #[cfg(feature = "alloc")]
    #[track_caller]
    fn backward_from_output_vec(&self, y: &[T], grad_y: &[T]) -> Vec<T> {
        let mut grad_x = vec![T::zero(); y.len()];
        self.backward_from_output(y, grad_y, &mut grad_x);
        grad_x
    }
}

/// A function of one number whose derivative can be computed from its value.
///
/// ```
/// use activations::{Elementwise, FromOutput, Real, SlopeFromOutput};
///
/// /// x / 2 on the left, x on the right.
/// #[derive(Clone, Copy)]
/// struct Half;
///
/// impl Elementwise for Half {
///     #[inline(always)]
///     fn value<R: Real>(&self, x: R) -> R {
///         x * self.slope(x)
///     }
///
///     #[inline(always)]
///     fn slope<R: Real>(&self, x: R) -> R {
///         R::select(R::of(0.0).lt(x), R::of(1.0), R::of(0.5))
///     }
/// }
///
/// impl SlopeFromOutput for Half {
///     #[inline(always)]
///     fn slope_from_output<R: Real>(&self, y: R) -> R {
///         self.slope(y) // y has the sign of x
///     }
/// }
///
/// assert_eq!(Half.backward_from_output_vec(&[-1.0_f32, 1.0], &[1.0, 1.0]), [0.5, 1.0]);
/// ```
pub trait SlopeFromOutput: Elementwise {
    /// f'(x), where f(x) = y; at a kink, PyTorch's derivative ([`Card::kinks`](crate::Card::kinks)).
    fn slope_from_output<R: Real>(&self, y: R) -> R;

    /// Runs the gradient over `f32`. This default is compiled in the crate that uses the formula.
    #[doc(hidden)]
    #[inline]
    fn run_from_output_f32(&self, level: Level, slices: OfOutput<'_, f32>) {
        backward_from_output(self, level, slices);
    }

    /// See [`run_from_output_f32`](Self::run_from_output_f32).
    #[doc(hidden)]
    #[inline]
    fn run_from_output_f64(&self, level: Level, slices: OfOutput<'_, f64>) {
        backward_from_output(self, level, slices);
    }
}

/// The slices of a gradient from the output.
#[doc(hidden)]
#[derive(Debug)]
pub struct OfOutput<'a, T> {
    pub(crate) y: &'a [T],
    pub(crate) grad_y: &'a [T],
    pub(crate) grad_x: &'a mut [T],
}

/// The gradient of a formula.
struct Gradient<'f, F>(&'f F);

impl<F: SlopeFromOutput> Kernel for Gradient<'_, F> {
    type Args<'a, T: Float> = OfOutput<'a, T>;
    type Output<T: Float> = ();

    #[inline]
    fn f32(&self, level: Level, slices: OfOutput<'_, f32>) {
        self.0.run_from_output_f32(level, slices);
    }

    #[inline]
    fn f64(&self, level: Level, slices: OfOutput<'_, f64>) {
        self.0.run_from_output_f64(level, slices);
    }
}

/// The loop of a formula, compiled where this is called with a type.
#[inline]
pub(crate) fn backward_from_output<T: Float, F: SlopeFromOutput>(f: &F, level: Level, slices: OfOutput<'_, T>) {
    let OfOutput { y, grad_y, grad_x } = slices;
    // Cut so that the compiler copies the slices word by word: see `activation::passes`.
    let (grad_y, grad_x) = (&grad_y[..y.len()], &mut grad_x[..y.len()]);
    dispatch(level, BackwardFromOutput { f, y, grad_y, grad_x });
}

/// See [`compiled_passes`](crate::activation::compiled_passes).
macro_rules! compiled_from_output {
    () => {
        $crate::kernel::element::compiled! {
            f32: fn run_from_output_f32(
                &self,
                level: $crate::kernel::level::Level,
                slices: $crate::from_output::OfOutput<'_, f32>,
            ) {
                $crate::from_output::backward_from_output(self, level, slices);
            }
            f64: fn run_from_output_f64(
                &self,
                level: $crate::kernel::level::Level,
                slices: $crate::from_output::OfOutput<'_, f64>,
            ) {
                $crate::from_output::backward_from_output(self, level, slices);
            }
        }
    };
}
pub(crate) use compiled_from_output;

impl<T: Element, F: SlopeFromOutput> FromOutput<T> for F {
    #[inline]
    fn run_from_output(&self, level: Level, y: &[T], grad_y: &[T], grad_x: &mut [T]) {
        T::as_floats(level, [y, grad_y], [grad_x], false, |[y, grad_y], [grad_x]| {
            T::Float::run(&Gradient(self), level, OfOutput { y, grad_y, grad_x });
        });
    }
}

impl<T: Element, A: FromOutput<T>> FromOutput<T> for At<A> {
    #[inline]
    fn run_from_output(&self, _: Level, y: &[T], grad_y: &[T], grad_x: &mut [T]) {
        self.activation.run_from_output(self.level, y, grad_y, grad_x);
    }
}

sweep!(BackwardFromOutput<SlopeFromOutput> |f, y, grad_y| grad_x = grad_y * f.slope_from_output(y));
