//! `Element`: what a slice may hold, and the lanes that compute with it.

use core::fmt::Debug;

use num_traits::float::FloatCore;

#[cfg(feature = "std")]
use crate::real::Fused;
use crate::real::{Ieee, Plain, Real};
use crate::sealed::Sealed;

/// A number that slices hold: `f32` or `f64`.
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

macro_rules! element {
    ($($float:ident),*) => {$(
        impl Sealed for $float {}

        impl Element for $float {
            #[cfg(feature = "std")]
            type Fused = Fused<$float>;
            // `mul_add` is not in `core`: without `std` every CPU computes in plain lanes.
            #[cfg(not(feature = "std"))]
            type Fused = Plain<$float>;
            type Plain = Plain<$float>;
        }
    )*};
}
element!(f32, f64);
