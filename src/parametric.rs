//! Functions of one number with trained parameters: formulas, and their loops over slices of elements and of parameters.

use crate::kernel::dispatch::dispatch;
use crate::kernel::element::{Float, Kernel};
use crate::kernel::level::Level;
use crate::kernel::real::Real;
use crate::kernel::sweep::sweep;
use crate::kernel::tiles::{TILE, Tile};
use crate::pass::Pass;

/// A function of one number whose parameters are trained, for [`PerChannel`](crate::PerChannel). It has one or two parameters, `N`.
///
/// Write it like an [`Elementwise`](crate::Elementwise): over any [`Real`], without branches, and marked `#[inline(always)]`. The
/// parameters are lanes too, because they differ from element to element. `partials` are the derivatives with respect to the
/// parameters. The formula may set `const ABREAST: usize`, which is 2 by default: see
/// [vectors abreast](crate::Elementwise#vectors-abreast).
///
/// ```
/// use activations::{Activation, Parametric, PerChannel, Real};
///
/// /// a x^2.
/// #[derive(Clone, Copy)]
/// struct Parabola;
///
/// impl Parametric<1> for Parabola {
///     #[inline(always)]
///     fn value<R: Real>(&self, x: R, [a]: [R; 1]) -> R {
///         a * x * x
///     }
///
///     #[inline(always)]
///     fn slope<R: Real>(&self, x: R, [a]: [R; 1]) -> R {
///         (a + a) * x
///     }
///
///     #[inline(always)]
///     fn partials<R: Real>(&self, x: R, _: [R; 1]) -> [R; 1] {
///         [x * x]
///     }
/// }
///
/// let layer = PerChannel::new(Parabola, [&[1.0_f32, 10.0]]);
/// assert_eq!(layer.forward_vec(&[1.0, 2.0, 3.0, 4.0]), [1.0, 40.0, 9.0, 160.0]);
/// let (mut grad_x, mut grad_a) = ([0.0; 4], [0.0; 2]);
/// layer.backward_with_parameters(&[1.0, 2.0, 3.0, 4.0], &[1.0; 4], &mut grad_x, [&mut grad_a]);
/// assert_eq!((grad_x, grad_a), ([2.0, 40.0, 6.0, 80.0], [10.0, 20.0]));
/// ```
pub trait Parametric<const N: usize>: Clone {
    /// How many vectors of elements go through the formula side by side.
    #[doc(hidden)]
    const ABREAST: usize = 2;

    /// f(x).
    fn value<R: Real>(&self, x: R, parameters: [R; N]) -> R;

    /// The derivative with respect to x.
    fn slope<R: Real>(&self, x: R, parameters: [R; N]) -> R;

    /// The derivatives with respect to the parameters.
    fn partials<R: Real>(&self, x: R, parameters: [R; N]) -> [R; N];

    /// Whether it is the parametric ReLU, whose gradient of the slopes is summed by a loop of its own.
    #[doc(hidden)]
    const IS_PRELU: bool = false;

    /// Runs a pass over `f32`. This default is compiled in the crate that uses the formula.
    #[doc(hidden)]
    #[inline]
    fn run_f32(&self, level: Level, pass: Pass<'_, f32>, parameters: [&[f32]; 2]) {
        passes::<f32, Self, N>(self, level, pass, parameters);
    }

    /// See [`run_f32`](Self::run_f32).
    #[doc(hidden)]
    #[inline]
    fn run_f64(&self, level: Level, pass: Pass<'_, f64>, parameters: [&[f64]; 2]) {
        passes::<f64, Self, N>(self, level, pass, parameters);
    }

    /// Computes the terms of the parameters' gradients in `f32`.
    #[doc(hidden)]
    #[inline]
    fn terms_f32(&self, level: Level, terms: Terms<'_, f32>) {
        self::terms::<f32, Self, N>(self, level, terms);
    }

    /// See [`terms_f32`](Self::terms_f32).
    #[doc(hidden)]
    #[inline]
    fn terms_f64(&self, level: Level, terms: Terms<'_, f64>) {
        self::terms::<f64, Self, N>(self, level, terms);
    }
}

/// The slices of `terms[k][i] = grad_y[i] partials(x[i])[k]`. With one parameter the second slices are not used.
#[doc(hidden)]
#[derive(Debug)]
pub struct Terms<'a, T> {
    pub(crate) x: &'a [T],
    pub(crate) parameters: [&'a [T]; 2],
    pub(crate) grad_y: &'a [T],
    pub(crate) terms: [&'a mut [T]; 2],
}

/// The loops of a formula over one float as an object, so that what walks over the data is compiled once for all formulas.
pub(crate) trait Loops<T> {
    fn is_prelu(&self) -> bool;
    fn run(&self, level: Level, pass: Pass<'_, T>, parameters: [&[T]; 2]);
    fn terms(&self, level: Level, terms: Terms<'_, T>);
}

/// A formula with the number of its parameters.
#[derive(Clone)]
pub(crate) struct Of<F, const N: usize>(pub(crate) F);

impl<T: Float, F: Parametric<N>, const N: usize> Loops<T> for Of<F, N> {
    fn is_prelu(&self) -> bool {
        F::IS_PRELU
    }

    fn run(&self, level: Level, pass: Pass<'_, T>, parameters: [&[T]; 2]) {
        T::run(&Passes::<F, N>(&self.0), level, (pass, parameters));
    }

    fn terms(&self, level: Level, terms: Terms<'_, T>) {
        T::run(&AllTerms::<F, N>(&self.0), level, terms);
    }
}

/// The passes of a formula.
struct Passes<'f, F, const N: usize>(&'f F);

impl<F: Parametric<N>, const N: usize> Kernel for Passes<'_, F, N> {
    type Args<'a, T: Float> = (Pass<'a, T>, [&'a [T]; 2]);
    type Output<T: Float> = ();

    #[inline]
    fn f32(&self, level: Level, (pass, parameters): Self::Args<'_, f32>) {
        self.0.run_f32(level, pass, parameters);
    }

    #[inline]
    fn f64(&self, level: Level, (pass, parameters): Self::Args<'_, f64>) {
        self.0.run_f64(level, pass, parameters);
    }
}

/// The terms of the parameters' gradients.
struct AllTerms<'f, F, const N: usize>(&'f F);

impl<F: Parametric<N>, const N: usize> Kernel for AllTerms<'_, F, N> {
    type Args<'a, T: Float> = Terms<'a, T>;
    type Output<T: Float> = ();

    #[inline]
    fn f32(&self, level: Level, terms: Terms<'_, f32>) {
        self.0.terms_f32(level, terms);
    }

    #[inline]
    fn f64(&self, level: Level, terms: Terms<'_, f64>) {
        self.0.terms_f64(level, terms);
    }
}

/// A formula of up to two parameters, as the loops see it.
trait Formula: Clone {
    const ABREAST: usize;
    fn value<R: Real>(&self, x: R, a: R, b: R) -> R;
    fn slope<R: Real>(&self, x: R, a: R, b: R) -> R;
    fn first<R: Real>(&self, x: R, a: R) -> R;
    fn both<R: Real>(&self, x: R, a: R, b: R) -> (R, R);
}

impl<F: Parametric<N>, const N: usize> Formula for Of<F, N> {
    const ABREAST: usize = F::ABREAST;

    #[inline(always)]
    fn value<R: Real>(&self, x: R, a: R, b: R) -> R {
        self.0.value(x, parameters(a, b))
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R, a: R, b: R) -> R {
        self.0.slope(x, parameters(a, b))
    }

    #[inline(always)]
    fn first<R: Real>(&self, x: R, a: R) -> R {
        self.0.partials(x, parameters(a, a))[0]
    }

    #[inline(always)]
    fn both<R: Real>(&self, x: R, a: R, b: R) -> (R, R) {
        let partials = self.0.partials(x, parameters(a, b));
        (partials[0], partials[N - 1])
    }
}

#[inline(always)]
fn parameters<R: Real, const N: usize>(a: R, b: R) -> [R; N] {
    let mut parameters = [a; N];
    parameters[N - 1] = if N > 1 { b } else { a };
    parameters
}

/// The loops of a formula, compiled where this is called with a type. Slices are at most as long as a tile.
#[inline]
pub(crate) fn passes<T: Float, F: Parametric<N>, const N: usize>(
    f: &F,
    level: Level,
    pass: Pass<'_, T>,
    [a, b]: [&[T]; 2],
) {
    let f = &Of::<F, N>(f.clone());
    let (n, ones) = (a.len(), &T::ONES[..a.len()]);
    match pass {
        Pass::Forward { x, y } => dispatch(level, Forward { f, x, a, b, y }),
        Pass::ForwardInPlace { x } => {
            let mut copy = Tile::<T, TILE>::new();
            let copy = copy.of(n);
            copy.copy_from_slice(x);
            dispatch(level, Forward { f, x: copy, a, b, y: x });
        }
        Pass::Derivative { x, dydx } => dispatch(level, Backward { f, x, a, b, grad_y: ones, grad_x: dydx }),
        Pass::ForwardWithDerivative { x, y, dydx } => {
            dispatch(level, Forward { f, x, a, b, y });
            dispatch(level, Backward { f, x, a, b, grad_y: ones, grad_x: dydx });
        }
        Pass::Backward { x, grad_y, grad_x } => dispatch(level, Backward { f, x, a, b, grad_y, grad_x }),
    }
}

/// See [`passes`].
#[inline]
pub(crate) fn terms<T: Float, F: Parametric<N>, const N: usize>(f: &F, level: Level, terms: Terms<'_, T>) {
    let Terms { x, parameters: [a, b], grad_y, terms: [first, second] } = terms;
    let f = &Of::<F, N>(f.clone());
    // `const`, so that the other loop is not compiled.
    if const { N > 1 } {
        dispatch(level, BothTerms { f, x, a, b, grad_y, first, second });
    } else {
        dispatch(level, FirstTerms { f, x, a, grad_y, first });
    }
}

sweep!(Forward<Formula> |f, x, a, b| y = f.value(x, a, b));
sweep!(Backward<Formula> |f, x, a, b, grad_y| grad_x = grad_y * f.slope(x, a, b));
sweep!(FirstTerms<Formula> |f, x, a, grad_y| first = grad_y * f.first(x, a));
sweep!(BothTerms<Formula::ABREAST> |f, x, a, b, grad_y| (first, second) = {
    let (of_first, of_second) = f.both(x, a, b);
    (grad_y * of_first, grad_y * of_second)
});

/// See [`compiled_passes`](crate::activation::compiled_passes). Write it in the formula's `impl Parametric`.
macro_rules! compiled_parametric {
    ($n:literal) => {
        $crate::kernel::element::compiled! {
            f32: fn run_f32(
                &self,
                level: $crate::kernel::level::Level,
                pass: $crate::pass::Pass<'_, f32>,
                parameters: [&[f32]; 2],
            ) {
                $crate::parametric::passes::<f32, Self, $n>(self, level, pass, parameters);
            }
            f64: fn run_f64(
                &self,
                level: $crate::kernel::level::Level,
                pass: $crate::pass::Pass<'_, f64>,
                parameters: [&[f64]; 2],
            ) {
                $crate::parametric::passes::<f64, Self, $n>(self, level, pass, parameters);
            }
            f32: fn terms_f32(
                &self,
                level: $crate::kernel::level::Level,
                terms: $crate::parametric::Terms<'_, f32>,
            ) {
                $crate::parametric::terms::<f32, Self, $n>(self, level, terms);
            }
            f64: fn terms_f64(
                &self,
                level: $crate::kernel::level::Level,
                terms: $crate::parametric::Terms<'_, f64>,
            ) {
                $crate::parametric::terms::<f64, Self, $n>(self, level, terms);
            }
        }
    };
}
pub(crate) use compiled_parametric;
