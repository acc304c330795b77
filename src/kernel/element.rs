//! `Element`, the numbers in slices, and `Float`, the numbers in computations. Also how one becomes the other, and how they reach the
//! compiled loops.

use core::fmt::Debug;

use num_traits::float::FloatCore;

#[cfg(feature = "std")]
use super::lanes::Fused;
use super::lanes::Plain;
use super::level::Level;
use super::real::Real;
use super::sealed::Sealed;

/// The number of elements in a tile: see [`tiles`](super::tiles).
pub(crate) const TILE: usize = 1024;

/// A number that slices hold: `f32` or `f64`; with the feature `half` also `half::f16` and `half::bf16`.
///
/// Halves are computed in `f32`, from the moment they are loaded to the one rounding at the end, in every function.
///
/// The trait is sealed. Generic code gets the basic operations of a float from its supertrait
/// [`num_traits::float::FloatCore`].
///
/// ```
/// use activations::{Activation, Element, Silu};
///
/// fn silu_sum<T: Element>(x: &[T]) -> T {
///     let mut y = vec![T::zero(); x.len()];
///     Silu.forward(x, &mut y);
///     y.into_iter().fold(T::zero(), |sum, y| sum + y)
/// }
/// assert_eq!(silu_sum(&[0.0_f32, -0.0]), 0.0);
/// ```
pub trait Element: FloatCore + Debug + Send + Sync + Sealed + 'static {
    /// The type of the computations: `f32` for halves, the type itself for `f32` and `f64`.
    type Float: Float;

    /// The number, exactly.
    #[doc(hidden)]
    fn widened(self) -> Self::Float;

    /// The nearest element, ties to even.
    #[doc(hidden)]
    fn rounded(float: Self::Float) -> Self;

    /// A slice of elements as floats, exactly. The lengths are equal.
    #[doc(hidden)]
    fn widen(level: Level, from: &[Self], to: &mut [Self::Float]);

    /// Rounds a slice of floats, each as [`rounded`](Self::rounded). The lengths are equal.
    #[doc(hidden)]
    fn narrow(level: Level, from: &[Self::Float], to: &mut [Self]);

    /// Calls `f` with slices of equal length as floats. Slices of floats are passed on in one call. Other slices go tile by tile:
    /// inputs are widened before the call, and outputs are rounded after it. If the outputs are `read`, they are widened before too.
    #[doc(hidden)]
    fn as_floats<const I: usize, const O: usize>(
        level: Level,
        inputs: [&[Self]; I],
        outputs: [&mut [Self]; O],
        read: bool,
        f: impl FnMut([&[Self::Float]; I], [&mut [Self::Float]; O]),
    );

    /// Whether the type is its own [`Float`](Self::Float).
    #[doc(hidden)]
    const IS_FLOAT: bool;

    /// Runs the job's entry for this element.
    #[doc(hidden)]
    fn call<J: PerElement>(job: &J, args: J::Args<'_, Self>);
}

/// The type of computations: `f32` or `f64`.
///
/// In code that is generic over [`Element`] it is `T::Float`. The trait is sealed.
pub trait Float: Element<Float = Self> + Into<f64> {
    /// The nearest number.
    #[doc(hidden)]
    fn of(number: f64) -> Self;

    /// The lane for CPUs with fused multiply-add.
    #[doc(hidden)]
    type Fused: Lane<Self>;
    /// The lane for all other CPUs.
    #[doc(hidden)]
    type Plain: Lane<Self>;

    /// A tile of ones.
    #[doc(hidden)]
    const ONES: &'static [Self; TILE];

    /// Runs the kernel that is compiled for this float.
    #[doc(hidden)]
    fn run<K: Kernel>(kernel: &K, level: Level, args: K::Args<'_, Self>) -> K::Output<Self>;
}

/// Loops with an entry point for each float. The entry points are not generic, so this crate compiles them, and not each crate that
/// uses them.
pub trait Kernel {
    type Args<'a, T: Float>;
    type Output<T: Float>;
    fn f32(&self, level: Level, args: Self::Args<'_, f32>) -> Self::Output<f32>;
    fn f64(&self, level: Level, args: Self::Args<'_, f64>) -> Self::Output<f64>;
}

/// Code with an entry point for each element, which is not generic: see [`Kernel`].
pub trait PerElement {
    type Args<'a, T: Element>;
    fn f32(&self, args: Self::Args<'_, f32>);
    fn f64(&self, args: Self::Args<'_, f64>);
    #[cfg(feature = "half")]
    fn f16(&self, args: Self::Args<'_, half::f16>);
    #[cfg(feature = "half")]
    fn bf16(&self, args: Self::Args<'_, half::bf16>);
}

/// Implements [`PerElement`] for a type, from a function that is generic over the element.
///
/// `per_element!(AnyActivation: Args<'a, T> = Pass<'a, T>, run)` becomes, for each element,
///
/// ```text
/// #[inline(never)]
/// fn f32(&self, args: Pass<'_, f32>) { run(self, args) }
/// ```
macro_rules! per_element {
    ($type:ty: Args<$life:lifetime, $element:ident> = $args:ty, $function:path) => {
        impl $crate::kernel::element::PerElement for $type {
            type Args<$life, $element: $crate::kernel::element::Element> = $args;

            $crate::kernel::element::compiled! {
                f32: fn f32(&self, args: Self::Args<'_, f32>) {
                    $function(self, args);
                }
                f64: fn f64(&self, args: Self::Args<'_, f64>) {
                    $function(self, args);
                }
                #[cfg(feature = "half")]
                f32: fn f16(&self, args: Self::Args<'_, half::f16>) {
                    $function(self, args);
                }
                #[cfg(feature = "half")]
                f32: fn bf16(&self, args: Self::Args<'_, half::bf16>) {
                    $function(self, args);
                }
            }
        }
    };
}
pub(crate) use per_element;

/// Implements [`Kernel`] with a function of the kernel, the level and the arguments. This crate compiles it once for each float.
///
/// `kernel!(Apply: Args<'a, T> = Affine<'a, T>, -> (), run);` becomes
///
/// ```text
/// impl Kernel for Apply {
///     type Args<'a, T: Float> = Affine<'a, T>;
///     type Output<T: Float> = ();
///     fn f32(&self, level: Level, args: Affine<'_, f32>) { run(self, level, args) }
///     fn f64(&self, level: Level, args: Affine<'_, f64>) { run(self, level, args) }
/// }
/// ```
macro_rules! kernel {
    ($type:ty: Args<$life:lifetime, $float:ident> = $args:ty, -> $output:ty, $function:expr) => {
        impl $crate::kernel::element::Kernel for $type {
            type Args<$life, $float: $crate::kernel::element::Float> = $args;
            type Output<$float: $crate::kernel::element::Float> = $output;

            $crate::kernel::element::compiled! {
                f32: fn f32(&self, level: $crate::kernel::level::Level, args: Self::Args<'_, f32>) -> Self::Output<f32> {
                    $function(self, level, args)
                }
                f64: fn f64(&self, level: $crate::kernel::level::Level, args: Self::Args<'_, f64>) -> Self::Output<f64> {
                    $function(self, level, args)
                }
            }
        }
    };
}
pub(crate) use kernel;

/// Functions that this crate compiles once. Before each stands the float that its loops run in: `f32: fn widen(..) {..}`. Without the
/// feature `compiled` (for `f64`: `compiled-f64`), the crates that use the functions compile them instead.
macro_rules! compiled {
    (@ f32 $($function:tt)+) => {
        #[cfg_attr(compiled, inline(never))]
        #[cfg_attr(not(compiled), inline)]
        $($function)+
    };
    (@ f64 $($function:tt)+) => {
        #[cfg_attr(compiled_f64, inline(never))]
        #[cfg_attr(not(compiled_f64), inline)]
        $($function)+
    };
    ($(
        $(#[$attribute:meta])*
        $float:ident: fn $name:ident($($parameters:tt)*) $(-> $output:ty)? $body:block
    )+) => {$(
        $crate::kernel::element::compiled! {
            @ $float $(#[$attribute])* fn $name($($parameters)*) $(-> $output)? $body
        }
    )+};
}
pub(crate) use compiled;

/// A lane of a float.
pub trait Lane<T>: Real {
    fn load(x: T) -> Self;
    fn store(self) -> T;
    /// The number, exactly.
    fn wide(self) -> f64;
}

macro_rules! lane {
    ($($lane:ident<$float:ident>)*) => {$(
        impl Lane<$float> for $lane<$float> {
            #[inline(always)]
            fn load(x: $float) -> Self {
                Self(x)
            }

            #[inline(always)]
            fn store(self) -> $float {
                self.0
            }

            #[inline(always)]
            fn wide(self) -> f64 {
                self.0.into()
            }
        }
    )*};
}
lane!(Plain<f32> Plain<f64>);
#[cfg(feature = "std")]
lane!(Fused<f32> Fused<f64>);

macro_rules! float {
    ($($float:ident)*) => {$(
        impl Sealed for $float {}

        impl Element for $float {
            type Float = Self;

            #[inline]
            fn widened(self) -> Self {
                self
            }

            #[inline]
            fn rounded(float: Self) -> Self {
                float
            }

            #[inline]
            fn widen(_: Level, from: &[Self], to: &mut [Self]) {
                to.copy_from_slice(from);
            }

            #[inline]
            fn narrow(_: Level, from: &[Self], to: &mut [Self]) {
                to.copy_from_slice(from);
            }

            #[inline]
            fn as_floats<const I: usize, const O: usize>(
                _: Level,
                inputs: [&[Self]; I],
                outputs: [&mut [Self]; O],
                _: bool,
                mut f: impl FnMut([&[Self]; I], [&mut [Self]; O]),
            ) {
                f(inputs, outputs);
            }

            const IS_FLOAT: bool = true;

            #[inline]
            fn call<J: PerElement>(job: &J, args: J::Args<'_, Self>) {
                job.$float(args);
            }
        }

        impl Float for $float {
            #[cfg(feature = "std")]
            type Fused = Fused<Self>;
            // `mul_add` is not in `core`, so without `std` every CPU computes in plain lanes.
            #[cfg(not(feature = "std"))]
            type Fused = Plain<Self>;
            type Plain = Plain<Self>;

            const ONES: &'static [Self; TILE] = &[1.0; TILE];

            #[inline]
            fn of(number: f64) -> Self {
                number as Self
            }

            #[inline]
            fn run<K: Kernel>(kernel: &K, level: Level, args: K::Args<'_, Self>) -> K::Output<Self> {
                kernel.$float(level, args)
            }
        }
    )*};
}
float!(f32 f64);
