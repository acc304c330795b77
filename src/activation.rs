//! `Activation` works on slices, `Elementwise` is a formula of one number, and every `Elementwise` becomes an `Activation`.

#[cfg(feature = "alloc")]
use alloc::{vec, vec::Vec};
use core::hint::black_box;

use crate::kernel::dispatch::run_at;
use crate::kernel::element::{Element, Float, Kernel};
use crate::kernel::level::Level;
use crate::kernel::real::Real;
use crate::kernel::sweep::{EDGE, over_copies, sweep};
use crate::kernel::tiles::{copied_tiles, in_tiles};
use crate::pass::{Pass, Pieces, same_length};

/// An activation function over slices.
///
/// Every function of this crate implements it, for every [`Element`]. A formula of your own gets it by implementing
/// [`Elementwise`]. Trait objects such as `Box<dyn Activation<f32>>` work.
///
/// All methods take one pass over the data, without a temporary array. They panic before writing anything if the slices' lengths
/// differ or do not divide into [`pieces`](Self::pieces). Empty slices are allowed.
///
/// ```
/// use activations::{Activation, Relu, Sigmoid};
///
/// let layers: [Box<dyn Activation<f32>>; 2] = [Box::new(Relu), Box::new(Sigmoid)];
/// let mut x = [-1.0, 0.0];
/// for layer in &layers {
///     layer.forward_in_place(&mut x);
/// }
/// assert_eq!(x, [0.5, 0.5]);
/// ```
pub trait Activation<T: Element> {
    /// Runs one pass at one CPU level. This is the only method that an implementation must have. Callers use the others.
    ///
    /// The slices of a [`Pass`] have equal lengths, because the methods below check them before they make the pass.
    ///
    /// ```
    /// use activations::{Activation, Element, Level, Pass, Tanh};
    ///
    /// /// Tanh, with a note of each pass.
    /// struct Traced;
    ///
    /// impl<T: Element> Activation<T> for Traced {
    ///     fn run(&self, level: Level, pass: Pass<'_, T>) {
    ///         if let Pass::Backward { x, .. } = &pass {
    ///             println!("backward of {} elements at {level}", x.len());
    ///         }
    ///         Tanh.run(level, pass);
    ///     }
    /// }
    ///
    /// let mut grad_x = [0.0_f32; 2];
    /// Traced.backward(&[0.0, 0.0], &[1.0, 2.0], &mut grad_x);
    /// assert_eq!(grad_x, [1.0, 2.0]);
    /// ```
    fn run(&self, level: Level, pass: Pass<'_, T>);

    /// Runs one pass of the fast form, if there is one: see [`Fast`](crate::Fast).
    #[doc(hidden)]
    #[inline]
    fn run_fast(&self, level: Level, pass: Pass<'_, T>) {
        self.run(level, pass);
    }

    /// The independent pieces that a slice divides into. The length of every slice must be a whole number of pieces.
    ///
    /// ```
    /// use activations::{Activation, Pieces, Relu, Softmax};
    ///
    /// assert_eq!(Activation::<f32>::pieces(&Relu), Pieces::Elements);
    /// assert_eq!(Activation::<f32>::pieces(&Softmax::rows(10)?), Pieces::Rows(10));
    /// assert_eq!(Activation::<f32>::pieces(&Softmax::default()), Pieces::Whole);
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    fn pieces(&self) -> Pieces {
        Pieces::Whole
    }

    /// `y[i] = f(x[i])`.
    ///
    /// # Panics
    /// If the lengths differ, or do not divide into the function's rows.
    ///
    /// ```
    /// use activations::{Activation, Relu};
    ///
    /// let mut y = [0.0_f32; 2];
    /// Relu.forward(&[-1.0, 2.0], &mut y);
    /// assert_eq!(y, [0.0, 2.0]);
    /// ```
    #[inline]
    #[track_caller]
    fn forward(&self, x: &[T], y: &mut [T]) {
        same_length("y", y.len(), "x", x.len());
        self.pieces().check(x.len());
        self.run(Level::best(), Pass::Forward { x, y });
    }

    /// `x[i] = f(x[i])`.
    ///
    /// # Panics
    /// If the length does not divide into the function's rows.
    ///
    /// ```
    /// use activations::{Activation, Relu};
    ///
    /// let mut x = [-1.0_f64, 2.0];
    /// Relu.forward_in_place(&mut x);
    /// assert_eq!(x, [0.0, 2.0]);
    /// ```
    #[inline]
    #[track_caller]
    fn forward_in_place(&self, x: &mut [T]) {
        self.pieces().check(x.len());
        self.run(Level::best(), Pass::ForwardInPlace { x });
    }

    /// `dydx[i] = f'(x[i])`; at a kink, PyTorch's derivative ([`Card::kinks`](crate::Card::kinks)).
    ///
    /// # Panics
    /// If the lengths differ, or do not divide into the function's rows.
    ///
    /// ```
    /// use activations::{Activation, Tanh};
    ///
    /// let mut dydx = [0.0_f32; 2];
    /// Tanh.derivative(&[0.0, f32::INFINITY], &mut dydx);
    /// assert_eq!(dydx, [1.0, 0.0]);
    /// ```
    #[inline]
    #[track_caller]
    fn derivative(&self, x: &[T], dydx: &mut [T]) {
        same_length("dydx", dydx.len(), "x", x.len());
        self.pieces().check(x.len());
        self.run(Level::best(), Pass::Derivative { x, dydx });
    }

    /// `y[i] = f(x[i])` and `dydx[i] = f'(x[i])`, sharing what both need.
    ///
    /// # Panics
    /// If the lengths differ, or do not divide into the function's rows.
    ///
    /// ```
    /// use activations::{Activation, Sigmoid};
    ///
    /// let (mut y, mut dydx) = ([0.0_f32], [0.0]);
    /// Sigmoid.forward_with_derivative(&[0.0], &mut y, &mut dydx);
    /// assert_eq!((y, dydx), ([0.5], [0.25]));
    /// ```
    #[inline]
    #[track_caller]
    fn forward_with_derivative(&self, x: &[T], y: &mut [T], dydx: &mut [T]) {
        same_length("y", y.len(), "x", x.len());
        same_length("dydx", dydx.len(), "x", x.len());
        self.pieces().check(x.len());
        self.run(Level::best(), Pass::ForwardWithDerivative { x, y, dydx });
    }

    /// The gradient with respect to the input: `grad_x = Jᵀ grad_y`, J the Jacobian at `x`.
    ///
    /// For an elementwise function that is `grad_x[i] = grad_y[i] * f'(x[i])`.
    ///
    /// # Panics
    /// If the lengths differ, or do not divide into the function's rows.
    ///
    /// ```
    /// use activations::{Activation, Softmax};
    ///
    /// // A softmax stays the same if all of its inputs move alike, so its gradient sums to 0.
    /// let mut grad_x = [0.0_f32; 2];
    /// Softmax::default().backward(&[0.0, 0.0], &[1.0, 0.0], &mut grad_x);
    /// assert_eq!(grad_x, [0.25, -0.25]);
    /// ```
    #[inline]
    #[track_caller]
    fn backward(&self, x: &[T], grad_y: &[T], grad_x: &mut [T]) {
        same_length("grad_y", grad_y.len(), "x", x.len());
        same_length("grad_x", grad_x.len(), "x", x.len());
        self.pieces().check(x.len());
        self.run(Level::best(), Pass::Backward { x, grad_y, grad_x });
    }

    /// [`forward`](Self::forward) into a new vector.
    ///
    /// # Panics
    /// If the length does not divide into the function's rows.
    ///
    /// ```
    /// use activations::{Activation, Sigmoid};
    ///
    /// assert_eq!(Sigmoid.forward_vec(&[0.0_f32, f32::INFINITY]), [0.5, 1.0]);
    /// ```
    #[cfg(feature = "alloc")]
    #[track_caller]
    fn forward_vec(&self, x: &[T]) -> Vec<T> {
        let mut y = vec![T::zero(); x.len()];
        self.forward(x, &mut y);
        y
    }

    /// [`forward`](Self::forward) onto the end of a vector.
    ///
    /// # Panics
    /// If the length does not divide into the function's rows.
    ///
    /// ```
    /// use activations::{Activation, Relu};
    ///
    /// let mut y = vec![7.0_f32];
    /// Relu.forward_extend(&[-1.0, 1.0], &mut y);
    /// assert_eq!(y, [7.0, 0.0, 1.0]);
    /// ```
    #[cfg(feature = "alloc")]
    #[track_caller]
    fn forward_extend(&self, x: &[T], y: &mut Vec<T>) {
        self.pieces().check(x.len());
        // Appending zeros first is faster than copying `x` in pieces that fit the cache and working in place: GELU of 64 Ki
        // elements takes 33 us instead of 50.
        let start = y.len();
        y.resize(start + x.len(), T::zero());
        self.run(Level::best(), Pass::Forward { x, y: &mut y[start..] });
    }

    /// [`derivative`](Self::derivative) into a new vector.
    ///
    /// # Panics
    /// If the length does not divide into the function's rows.
    ///
    /// ```
    /// use activations::{Activation, Relu};
    ///
    /// assert_eq!(Relu.derivative_vec(&[-1.0_f32, 1.0]), [0.0, 1.0]);
    /// ```
    #[cfg(feature = "alloc")]
    #[track_caller]
    fn derivative_vec(&self, x: &[T]) -> Vec<T> {
        let mut dydx = vec![T::zero(); x.len()];
        self.derivative(x, &mut dydx);
        dydx
    }

    /// [`backward`](Self::backward) into a new vector.
    ///
    /// # Panics
    /// If the lengths differ, or do not divide into the function's rows.
    ///
    /// ```
    /// use activations::{Activation, Relu};
    ///
    /// assert_eq!(Relu.backward_vec(&[-1.0_f32, 1.0], &[5.0, 7.0]), [0.0, 7.0]);
    /// ```
    #[cfg(feature = "alloc")]
    #[track_caller]
    fn backward_vec(&self, x: &[T], grad_y: &[T]) -> Vec<T> {
        let mut grad_x = vec![T::zero(); x.len()];
        self.backward(x, grad_y, &mut grad_x);
        grad_x
    }
}

/// A function of one number: a formula and its derivative. The crate derives the rest: slices, element types, gradients and
/// SIMD.
///
/// Write the formula once, generic over [`Real`]. Use [`Real::select`] instead of branches, and mark it `#[inline(always)]`, so
/// that the loop around it vectorises:
///
/// ```
/// use activations::{Activation, Elementwise, Real, math};
///
/// /// x sigmoid(1.702 x): the fast approximation of GELU.
/// #[derive(Clone, Copy)]
/// struct QuickGelu;
///
/// impl Elementwise for QuickGelu {
///     #[inline(always)]
///     fn value<R: Real>(&self, x: R) -> R {
///         x * math::sigmoid(R::of(1.702) * x)
///     }
///
///     #[inline(always)]
///     fn slope<R: Real>(&self, x: R) -> R {
///         let z = R::of(1.702) * x;
///         math::sigmoid(z) * (z * math::sigmoid(-z) + R::of(1.0))
///     }
/// }
///
/// let x = [-2.0_f32, 0.0, 2.0];
/// let mut y = [0.0; 3];
/// QuickGelu.forward(&x, &mut y);
/// assert_eq!(y[1], 0.0);
/// assert!((y[2] - 1.935_66).abs() < 1e-5);
///
/// let mut grad_x = [0.0; 3];
/// QuickGelu.backward(&x, &[1.0; 3], &mut grad_x);
/// assert_eq!(grad_x[1], 0.5);
/// ```
///
/// # Vectors abreast
///
/// An implementation may set two constants, which change the speed but no result. `const ABREAST: usize` is the number of vectors
/// that go through the formula side by side, from 1 to 4; the default is 4. Several vectors hide the latency of a chain of
/// operations. Fewer are faster if the formula has few operations, or so many constants that no registers are left.
/// `const ABREAST_OF_BOTH: usize` is the same for [`forward_with_derivative`](Activation::forward_with_derivative), which needs
/// more registers.
pub trait Elementwise: Clone {
    /// See "Vectors abreast" above. Hidden, because it would come first on the page of each type.
    #[doc(hidden)]
    const ABREAST: usize = 4;

    /// See "Vectors abreast" above.
    #[doc(hidden)]
    const ABREAST_OF_BOTH: usize = Self::ABREAST;

    /// f(x).
    fn value<R: Real>(&self, x: R) -> R;

    /// f'(x). At a kink the crate's own functions give PyTorch's derivative ([`Card::kinks`](crate::Card::kinks)).
    fn slope<R: Real>(&self, x: R) -> R;

    /// Runs a pass over `f32`. This default is compiled in the crate that uses the formula.
    #[doc(hidden)]
    #[inline]
    fn run_f32(&self, level: Level, pass: Pass<'_, f32>) {
        passes(self, level, pass);
    }

    /// See [`run_f32`](Self::run_f32).
    #[doc(hidden)]
    #[inline]
    fn run_f64(&self, level: Level, pass: Pass<'_, f64>) {
        passes(self, level, pass);
    }

    /// Runs a pass of the fast form over `f32`. A type sets its fast form with [`fast_form`].
    #[doc(hidden)]
    #[inline]
    fn run_fast_f32(&self, level: Level, pass: Pass<'_, f32>) {
        self.run_f32(level, pass);
    }
}

impl<T: Element, F: Elementwise> Activation<T> for F {
    #[inline]
    fn run(&self, level: Level, pass: Pass<'_, T>) {
        pass.over_floats(level, &mut |pass| T::Float::run(&Passes::<_, false>(self), level, pass));
    }

    #[inline]
    fn run_fast(&self, level: Level, pass: Pass<'_, T>) {
        pass.over_floats(level, &mut |pass| T::Float::run(&Passes::<_, true>(self), level, pass));
    }

    #[inline]
    fn pieces(&self) -> Pieces {
        Pieces::Elements
    }
}

/// The passes of a formula, or of its fast form, which exists for `f32` only.
struct Passes<'f, F, const FAST: bool>(&'f F);

impl<F: Elementwise, const FAST: bool> Kernel for Passes<'_, F, FAST> {
    type Args<'a, T: Float> = Pass<'a, T>;
    type Output<T: Float> = ();

    #[inline]
    fn f32(&self, level: Level, pass: Pass<'_, f32>) {
        if FAST { self.0.run_fast_f32(level, pass) } else { self.0.run_f32(level, pass) }
    }

    #[inline]
    fn f64(&self, level: Level, pass: Pass<'_, f64>) {
        self.0.run_f64(level, pass);
    }
}

/// The loops of a formula, compiled where this is called with a type.
#[inline]
pub(crate) fn passes<T: Float, F: Elementwise>(f: &F, level: Level, mut pass: Pass<'_, T>) {
    if pass.len() < EDGE {
        // The loops pad short slices too, but each on its own, which takes more code.
        return pass.padded(&mut |pass| passes(f, level, pass));
    }
    // The caller has just stored each slice as two words. A copy of both words at once would wait 5 ns for these stores. Cutting
    // the slice makes the compiler copy it word by word.
    match pass {
        Pass::Forward { x, y } => run_at(level, Forward { f, x, y: &mut y[..x.len()] }),
        Pass::ForwardInPlace { x } => {
            if over_copies::<T>(level, F::ABREAST) {
                copied_tiles(x, &mut |x, y| run_at(level, Forward { f, x, y }));
            } else if const { F::ABREAST == 1 || size_of::<T>() == 4 } {
                // `const`, so that the loop is not compiled where it is never needed.
                run_at(level, ForwardInPlace { f: &Over { f: f.clone(), nothing: black_box(0.0) }, x });
            }
        }
        Pass::Derivative { x, dydx } => {
            // This saves a loop: the derivative is the gradient for ones. Reading the ones costs nothing beside a slow formula.
            if const { F::ABREAST > 1 } {
                in_tiles(x, dydx, &mut [], &mut |x, grad_x, _| {
                    let (grad_y, grad_x) = (&T::ONES[..x.len()], &mut grad_x[..x.len()]);
                    run_at(level, Backward { f, x, grad_y, grad_x });
                });
            } else {
                run_at(level, Derivative { f, x, dydx: &mut dydx[..x.len()] });
            }
        }
        Pass::ForwardWithDerivative { x, y, dydx } => {
            if const { F::ABREAST == 1 } {
                // For a cheap formula, two passes over a tile take no longer than one pass that writes two slices.
                in_tiles(x, dydx, y, &mut |x, dydx, y| {
                    run_at(level, Forward { f, x, y: &mut y[..x.len()] });
                    run_at(level, Derivative { f, x, dydx: &mut dydx[..x.len()] });
                });
            } else {
                let (y, dydx) = (&mut y[..x.len()], &mut dydx[..x.len()]);
                run_at(level, ForwardWithDerivative { f, x, y, dydx });
            }
        }
        Pass::Backward { x, grad_y, grad_x } => {
            let (grad_y, grad_x) = (&grad_y[..x.len()], &mut grad_x[..x.len()]);
            run_at(level, Backward { f, x, grad_y, grad_x });
        }
    }
}

/// Compiles the passes of a built-in formula in this crate, once for each float. Write it in the formula's `impl Elementwise`.
macro_rules! compiled_passes {
    () => {
        $crate::kernel::element::compiled! {
            f32: fn run_f32(&self, level: $crate::kernel::level::Level, pass: $crate::pass::Pass<'_, f32>) {
                $crate::activation::passes(self, level, pass);
            }
            f64: fn run_f64(&self, level: $crate::kernel::level::Level, pass: $crate::pass::Pass<'_, f64>) {
                $crate::activation::passes(self, level, pass);
            }
        }
    };
}
pub(crate) use compiled_passes;

/// Sets the formula that [`Fast`](crate::Fast) runs over `f32`: `fast_form!(|f| FastElu { alpha: f.alpha })`. Write it in the
/// `impl Elementwise` of a type. After `if` may stand a condition; where it is false, `Fast` runs the usual formula.
macro_rules! fast_form {
    (|$f:ident| $form:expr $(, if $has_one:expr)?) => {
        $crate::kernel::element::compiled! {
            f32: fn run_fast_f32(&self, level: $crate::kernel::level::Level, pass: $crate::pass::Pass<'_, f32>) {
                let $f = self;
                $(if !$has_one {
                    return $f.run_f32(level, pass);
                })?
                $crate::activation::passes(&$form, level, pass);
            }
        }
    };
}
pub(crate) use fast_form;

/// A formula that runs in place.
///
/// If a formula selects between the element and something else, LLVM would compile that to a masked store, which takes ten times
/// as long on some CPUs with AVX2. So this adds to the element's bits a zero that LLVM does not know to be zero.
#[derive(Clone)]
struct Over<F> {
    f: F,
    nothing: f64,
}

impl<F: Elementwise> Elementwise for Over<F> {
    const ABREAST: usize = F::ABREAST;

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        self.f.value(x.raise(R::of(self.nothing)))
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        self.f.slope(x)
    }
}

sweep!(Forward<Elementwise> |f, x| y = f.value(x));
sweep!(ForwardInPlace<Elementwise> |f| mut x = f.value(x));
sweep!(Derivative<Elementwise> |f, x| dydx = f.slope(x));
sweep!(ForwardWithDerivative<Elementwise::ABREAST_OF_BOTH> |f, x| y = f.value(x), dydx = f.slope(x));
sweep!(Backward<Elementwise> |f, x, grad_y| grad_x = grad_y * f.slope(x));
