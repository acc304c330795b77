//! `Element`: what a slice may hold, and the lanes that compute with it.

use core::fmt::Debug;

use num_traits::float::FloatCore;

use crate::kernel::level::Level;
#[cfg(feature = "std")]
use crate::kernel::real::Fused;
use crate::kernel::real::{Ieee, Plain, Real};
use crate::kernel::sealed::Sealed;

/// A number that slices hold: `f32` or `f64`; with the feature `half` also `half::f16` and `half::bf16`.
///
/// Halves are computed in lanes of `f32` and rounded once, at the end. What stands between, parameters and the
/// exponentials of a row among it, keeps the precision of `f32`.
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
    /// The lane for CPUs with fused multiply-add.
    #[doc(hidden)]
    type Fused: Lane<Self>;
    /// The lane for all others.
    #[doc(hidden)]
    type Plain: Lane<Self>;
    /// What the lanes hold.
    #[doc(hidden)]
    type Float: Element;
    /// Whether the lanes have more digits than the element, so that what is stored is not what was computed.
    #[doc(hidden)]
    const WIDENED: bool = false;
    /// Whether a pass of a formula with so many vectors abreast converts blocks of elements as a whole, not each of them as it
    /// is loaded and stored.
    #[doc(hidden)]
    #[inline]
    fn by_blocks(level: Level, abreast: usize) -> bool {
        let _ = (level, abreast);
        false
    }

    /// A block of elements as what the lanes hold.
    #[doc(hidden)]
    fn widen(level: Level, from: &[Self], to: &mut [Self::Float]);
    /// Rounds a block of what the lanes hold, as storing it would.
    #[doc(hidden)]
    fn narrow(level: Level, from: &[Self::Float], to: &mut [Self]);
}

/// A lane that an element can be loaded into and stored from.
pub trait Lane<T>: Real {
    fn load(x: T) -> Self;
    fn store(self) -> T;
    /// The number, exactly.
    fn wide(self) -> f64;
}

macro_rules! lane {
    ($lane:ident) => {
        impl<T: Ieee> Lane<T> for $lane<T> {
            #[inline(always)]
            fn load(x: T) -> Self {
                Self(x)
            }

            #[inline(always)]
            fn store(self) -> T {
                self.0
            }

            #[inline(always)]
            fn wide(self) -> f64 {
                self.0.into()
            }
        }
    };
}
lane!(Plain);
#[cfg(feature = "std")]
lane!(Fused);

/// Makes a type an element that is computed in lanes of another, with what else its blocks need.
macro_rules! element {
    ($($element:ident in $float:ident { $($items:item)* })*) => {$(
        impl $crate::kernel::sealed::Sealed for $element {}

        impl $crate::kernel::element::Element for $element {
            #[cfg(feature = "std")]
            type Fused = $crate::kernel::real::Fused<$float>;
            // `mul_add` is not in `core`: without `std` every CPU computes in plain lanes.
            #[cfg(not(feature = "std"))]
            type Fused = $crate::kernel::real::Plain<$float>;
            type Plain = $crate::kernel::real::Plain<$float>;
            type Float = $float;
            $($items)*
        }
    )*};
}
#[cfg(feature = "half")]
pub(crate) use element;

macro_rules! float {
    ($($float:ident)*) => {$(
        element! {
            $float in $float {
                #[inline]
                fn widen(_: Level, from: &[Self], to: &mut [Self]) {
                    to.copy_from_slice(from);
                }

                #[inline]
                fn narrow(_: Level, from: &[Self], to: &mut [Self]) {
                    to.copy_from_slice(from);
                }
            }
        }
    )*};
}
float!(f32 f64);
