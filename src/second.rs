//! Second derivatives, and gradients of the backward pass, for gradient penalties and for networks that solve differential equations.

#[cfg(feature = "alloc")]
use alloc::{vec, vec::Vec};

use crate::activation::{Activation, Elementwise};
use crate::kernel::arithmetic::Arithmetic;
use crate::kernel::dispatch::dispatch;
use crate::kernel::element::{Element, Float, Kernel};
use crate::kernel::level::{At, Level};
use crate::kernel::real::Real;
use crate::kernel::sweep::sweep;
use crate::kernel::tiles::{SHORT, TILE, Tile};
use crate::pass::{Pass, same_length};

/// Activations with a second derivative: all functions of one number.
///
/// Some losses contain a gradient, such as a gradient penalty (WGAN-GP) or the residual of a differential equation (PINN). Training
/// then needs the gradient of that gradient, which [`double_backward`](Self::double_backward) gives.
///
/// - Second derivative: jumps of the first derivative are ignored, as in PyTorch. So piecewise linear functions have 0 everywhere.
///   At 0 it is 0 for [`Elu`](crate::Elu), [`Selu`](crate::Selu), [`Celu`](crate::Celu), [`SquaredRelu`](crate::SquaredRelu) and
///   [`Softsign`](crate::Softsign), as in PyTorch, and `alpha_n` for [`Xielu`](crate::Xielu).
/// - Error: at most as in the table, in ULP, for `f32` and `f64`, with default parameters. A second number is for CPUs without
///   fused multiply-add. Subnormal results are within the bounds.
///
/// | function | ULP | near roots |
/// |---|--:|---|
/// | [`Sigmoid`](crate::Sigmoid), [`Tanh`](crate::Tanh), [`Tanhshrink`](crate::Tanhshrink) | 4.5 | |
/// | [`LogCosh`](crate::LogCosh), [`Softplus`](crate::Softplus), [`LogSigmoid`](crate::LogSigmoid) | 3.5 | |
/// | [`Gelu`](crate::Gelu), [`ClippedGelu`](crate::ClippedGelu) | 3.4, 4.0 | |
/// | [`GeluTanh`](crate::GeluTanh) | 6.8, 8.0 | for \|x\| < 4 the spacing at 1/4 |
/// | [`Silu`](crate::Silu), [`Swish`](crate::Swish) | 4.4, 4.8 | for \|x\| < 4 the spacing at 1/4 |
/// | [`QuickGelu`](crate::QuickGelu) | 5.8 | for \|x\| < 4 the spacing at 1/4 |
/// | [`Mish`](crate::Mish) | 8.5 | for \|x\| < 8 the spacing at 1/4 |
/// | [`Snake`](crate::Snake) | 2.0 | everywhere the spacing at 1 |
/// | [`Laplace`](crate::Laplace) | 4.7 | |
/// | [`Elu`](crate::Elu), [`Celu`](crate::Celu), [`Exponential`](crate::Exponential) | 1.1 | |
/// | [`Selu`](crate::Selu) | 2.0 | |
/// | [`Xielu`](crate::Xielu) | 1.8 | |
/// | [`Softsign`](crate::Softsign) | 2.3 | |
/// | [`Squareplus`](crate::Squareplus) | 3.8, 4.6 | |
/// | all others: constants between kinks | 0.5 | |
///
///   Near a root away from 0 the error is bounded absolutely: it is in units of the spacing at the number in the last column, if
///   that spacing is greater. The functions without an entry there keep their relative accuracy at their roots.
/// - Special values: at an infinity the result is the limit, which is 0, except for parabolas and for
///   [`Exponential`](crate::Exponential). NaN gives NaN. [`Snake`](crate::Snake)'s is right for |a x| up to 1600 (`f64`: 3e6).
///   Beyond, it is set to 0, its mean.
/// - Other parameters: as for the derivative.
/// - Halves are computed in `f32` and rounded once.
///
/// ```
/// use activations::{SecondDerivative, Tanh};
///
/// let mut d2ydx2 = [9.0_f32; 3];
/// Tanh.second_derivative(&[-1.0, 0.0, f32::INFINITY], &mut d2ydx2);
/// assert!((d2ydx2[0] - 0.639_700_0).abs() < 1e-6);
/// assert_eq!(d2ydx2[1..], [0.0, 0.0]);
/// ```
pub trait SecondDerivative<T: Element>: Activation<T> {
    /// Runs [`second_derivative`](Self::second_derivative), which callers use, at one CPU level, on slices of equal lengths.
    fn run_second_derivative(&self, level: Level, x: &[T], d2ydx2: &mut [T]);

    /// Runs [`double_backward`](Self::double_backward), which callers use, at one CPU level, on slices of equal lengths.
    fn run_double_backward(&self, level: Level, slices: DoubleBackward<'_, T>);

    /// `d2ydx2[i] = f''(x[i])`.
    ///
    /// # Panics
    /// If the lengths differ, before anything is written.
    ///
    /// ```
    /// use activations::{SecondDerivative, SquaredRelu};
    ///
    /// let mut d2ydx2 = [9.0_f32; 2];
    /// SquaredRelu.second_derivative(&[-1.0, 3.0], &mut d2ydx2);
    /// assert_eq!(d2ydx2, [0.0, 2.0]);
    /// ```
    #[inline]
    #[track_caller]
    fn second_derivative(&self, x: &[T], d2ydx2: &mut [T]) {
        same_length("d2ydx2", d2ydx2.len(), "x", x.len());
        self.run_second_derivative(Level::best(), x, d2ydx2);
    }

    /// The backward pass of [`backward`](Activation::backward), which computes `grad_x = grad_y f'(x)`. It takes `grad_grad_x`, the
    /// gradient with respect to that result, and computes the gradients with respect to both inputs. They are overwritten:
    ///
    /// - of grad_y: `grad_grad_y[i] = grad_grad_x[i] f'(x[i])`
    /// - of x: `grad_x[i] = grad_grad_x[i] grad_y[i] f''(x[i])`
    ///
    /// Each product is rounded, for halves to `f32`.
    ///
    /// # Panics
    /// If the lengths differ, before anything is written.
    ///
    /// ```
    /// use activations::{Activation, SecondDerivative, Softplus};
    ///
    /// // The penalty p = (dy/dx)^2 of y = softplus(x), and its gradient dp/dx = 2 f'(x) f''(x).
    /// let (softplus, x, ones) = (Softplus::default(), [-1.0_f64, 0.0, 2.0], [1.0; 3]);
    /// let dydx = softplus.backward_vec(&x, &ones);
    /// let grad_dydx: Vec<f64> = dydx.iter().map(|d| 2.0 * d).collect();
    /// let (mut grad_ones, mut grad_x) = ([0.0; 3], [0.0; 3]);
    /// softplus.double_backward(&x, &ones, &grad_dydx, &mut grad_ones, &mut grad_x);
    /// assert_eq!(grad_x[1], 0.25);
    /// ```
    #[inline]
    #[track_caller]
    fn double_backward(&self, x: &[T], grad_y: &[T], grad_grad_x: &[T], grad_grad_y: &mut [T], grad_x: &mut [T]) {
        same_length("grad_y", grad_y.len(), "x", x.len());
        same_length("grad_grad_x", grad_grad_x.len(), "x", x.len());
        same_length("grad_grad_y", grad_grad_y.len(), "x", x.len());
        same_length("grad_x", grad_x.len(), "x", x.len());
        self.run_double_backward(Level::best(), DoubleBackward { x, grad_y, grad_grad_x, grad_grad_y, grad_x });
    }

    /// [`second_derivative`](Self::second_derivative) into a new vector.
    ///
    /// ```
    /// use activations::{SecondDerivative, Sigmoid};
    ///
    /// assert_eq!(Sigmoid.second_derivative_vec(&[0.0_f32, f32::NEG_INFINITY]), [0.0, 0.0]);
    /// ```
    #[cfg(feature = "alloc")]
    #[track_caller]
    fn second_derivative_vec(&self, x: &[T]) -> Vec<T> {
        let mut d2ydx2 = vec![T::zero(); x.len()];
        self.second_derivative(x, &mut d2ydx2);
        d2ydx2
    }
}

/// The slices of [`SecondDerivative::double_backward`], which have equal lengths.
///
/// Only an implementation of [`SecondDerivative`] needs it.
#[derive(Debug)]
pub struct DoubleBackward<'a, T> {
    /// The inputs.
    pub x: &'a [T],
    /// The gradient with respect to the outputs.
    pub grad_y: &'a [T],
    /// The gradient with respect to the gradient of the inputs.
    pub grad_grad_x: &'a [T],
    /// Receives the gradient with respect to `grad_y`.
    pub grad_grad_y: &'a mut [T],
    /// Receives the gradient with respect to `x`.
    pub grad_x: &'a mut [T],
}

/// The second derivative of a function of one number, as a formula.
///
/// An [`Elementwise`] formula that implements it gets [`SecondDerivative`], for all element types. It may set
/// `const ABREAST_OF_SECOND: usize`, which is 2 by default: see [vectors abreast](Elementwise#vectors-abreast).
///
/// ```
/// use activations::{Elementwise, Real, SecondDerivative, SecondSlope};
///
/// #[derive(Clone, Copy)]
/// struct Cube;
///
/// impl Elementwise for Cube {
///     #[inline(always)]
///     fn value<R: Real>(&self, x: R) -> R {
///         x * x * x
///     }
///
///     #[inline(always)]
///     fn slope<R: Real>(&self, x: R) -> R {
///         R::of(3.0) * x * x
///     }
/// }
///
/// impl SecondSlope for Cube {
///     #[inline(always)]
///     fn second_slope<R: Real>(&self, x: R) -> R {
///         R::of(6.0) * x
///     }
/// }
///
/// assert_eq!(Cube.second_derivative_vec(&[2.0_f32]), [12.0]);
/// let (mut grad_grad_y, mut grad_x) = ([0.0], [0.0]);
/// Cube.double_backward(&[2.0_f32], &[10.0], &[1.0], &mut grad_grad_y, &mut grad_x);
/// assert_eq!((grad_grad_y, grad_x), ([12.0], [120.0]));
/// ```
pub trait SecondSlope: Clone {
    /// How many vectors of elements go through the formula side by side.
    #[doc(hidden)]
    const ABREAST_OF_SECOND: usize = 2;

    /// f''(x).
    fn second_slope<R: Real>(&self, x: R) -> R;

    /// Runs the loop over `f32`. This default is compiled in the crate that uses the formula.
    #[doc(hidden)]
    #[inline]
    fn run_second_f32(&self, level: Level, slices: Weighted<'_, f32>) {
        weighted(self, level, slices);
    }

    /// See [`run_second_f32`](Self::run_second_f32).
    #[doc(hidden)]
    #[inline]
    fn run_second_f64(&self, level: Level, slices: Weighted<'_, f64>) {
        weighted(self, level, slices);
    }
}

/// The slices of `out[i] = weights[i] f''(x[i])`.
#[doc(hidden)]
#[derive(Debug)]
pub struct Weighted<'a, T> {
    pub(crate) x: &'a [T],
    pub(crate) weights: &'a [T],
    pub(crate) out: &'a mut [T],
}

/// The loop of a formula.
struct Second<'f, F>(&'f F);

impl<F: SecondSlope> Kernel for Second<'_, F> {
    type Args<'a, T: Float> = Weighted<'a, T>;
    type Output<T: Float> = ();

    #[inline]
    fn f32(&self, level: Level, slices: Weighted<'_, f32>) {
        self.0.run_second_f32(level, slices);
    }

    #[inline]
    fn f64(&self, level: Level, slices: Weighted<'_, f64>) {
        self.0.run_second_f64(level, slices);
    }
}

/// The loop of a formula, compiled where this is called with a type.
#[inline]
pub(crate) fn weighted<T: Float, F: SecondSlope>(f: &F, level: Level, slices: Weighted<'_, T>) {
    let Weighted { x, weights, out } = slices;
    // Cut so that the compiler copies the slices word by word: see `activation::passes`.
    let (weights, out) = (&weights[..x.len()], &mut out[..x.len()]);
    dispatch(level, WeightedSecond { f, x, weights, out });
}

// There is one loop for both, because the second derivative is the loop's result for weights of 1.
sweep!(WeightedSecond<SecondSlope::ABREAST_OF_SECOND> |f, x, weights| out = weights * f.second_slope(x));

/// See [`compiled_passes`](crate::activation::compiled_passes).
macro_rules! compiled_second {
    () => {
        $crate::kernel::element::compiled! {
            f32: fn run_second_f32(
                &self,
                level: $crate::kernel::level::Level,
                slices: $crate::second::Weighted<'_, f32>,
            ) {
                $crate::second::weighted(self, level, slices);
            }
            f64: fn run_second_f64(
                &self,
                level: $crate::kernel::level::Level,
                slices: $crate::second::Weighted<'_, f64>,
            ) {
                $crate::second::weighted(self, level, slices);
            }
        }
    };
}
pub(crate) use compiled_second;

/// Implements [`SecondSlope`] for a type with another formula, whose loops are compiled once for all types that use it:
/// `second_slope_of!(Tanh |_f| LogisticBump::odd(2.0, -8.0))`.
macro_rules! second_slope_of {
    ($name:ident |$f:ident| $form:expr) => {
        impl $crate::second::SecondSlope for $name {
            #[inline(always)]
            fn second_slope<R: $crate::kernel::real::Real>(&self, x: R) -> R {
                let $f = self;
                $form.second_slope(x)
            }

            #[inline]
            fn run_second_f32(&self, level: $crate::kernel::level::Level, slices: $crate::second::Weighted<'_, f32>) {
                let $f = self;
                $form.run_second_f32(level, slices);
            }

            #[inline]
            fn run_second_f64(&self, level: $crate::kernel::level::Level, slices: $crate::second::Weighted<'_, f64>) {
                let $f = self;
                $form.run_second_f64(level, slices);
            }
        }
    };
}
pub(crate) use second_slope_of;

impl<T: Element, F: Elementwise + SecondSlope> SecondDerivative<T> for F {
    #[inline]
    fn run_second_derivative(&self, level: Level, x: &[T], d2ydx2: &mut [T]) {
        T::as_floats(level, [x], [d2ydx2], false, |[x], [out]| {
            for (x, out) in x.chunks(TILE).zip(out.chunks_mut(TILE)) {
                let weights = &T::Float::ONES[..x.len()];
                T::Float::run(&Second(self), level, Weighted { x, weights, out });
            }
        });
    }

    #[inline]
    fn run_double_backward(&self, level: Level, slices: DoubleBackward<'_, T>) {
        if slices.x.len() <= SHORT {
            double_backward::<T, F, SHORT>(self, level, slices);
        } else {
            double_backward::<T, F, TILE>(self, level, slices);
        }
    }
}

fn double_backward<T: Element, F: Elementwise + SecondSlope, const N: usize>(
    f: &F,
    level: Level,
    slices: DoubleBackward<'_, T>,
) {
    let DoubleBackward { x, grad_y, grad_grad_x, grad_grad_y, grad_x } = slices;
    let mut weights = Tile::<T::Float, N>::new();
    T::as_floats(level, [x, grad_y, grad_grad_x], [grad_grad_y, grad_x], false, |[x, grad_y, ggx], [ggy, out]| {
        for start in (0..x.len()).step_by(N) {
            let part = start..x.len().min(start + N);
            let (x, grad_y, ggx) = (&x[part.clone()], &grad_y[part.clone()], &ggx[part.clone()]);
            let weights = weights.of(x.len());
            Arithmetic::Product { a: ggx, b: grad_y, y: weights }.run(level);
            Activation::<T::Float>::run(f, level, Pass::Backward { x, grad_y: ggx, grad_x: &mut ggy[part.clone()] });
            T::Float::run(&Second(f), level, Weighted { x, weights, out: &mut out[part] });
        }
    });
}

impl<T: Element, A: SecondDerivative<T>> SecondDerivative<T> for At<A> {
    #[inline]
    fn run_second_derivative(&self, _: Level, x: &[T], d2ydx2: &mut [T]) {
        self.activation.run_second_derivative(self.level, x, d2ydx2);
    }

    #[inline]
    fn run_double_backward(&self, _: Level, slices: DoubleBackward<'_, T>) {
        self.activation.run_double_backward(self.level, slices);
    }
}
