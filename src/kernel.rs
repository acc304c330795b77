//! The machinery under every function: numbers and lanes, element types, CPU levels, and the loops over slices.

pub(crate) mod abreast;
pub(crate) mod arithmetic;
pub(crate) mod dispatch;
pub(crate) mod element;
pub(crate) mod error_free;
#[cfg(all(feature = "half", any(target_arch = "x86", target_arch = "x86_64")))]
pub(crate) mod f16;
#[cfg(feature = "half")]
pub(crate) mod half;
pub(crate) mod lanes;
pub(crate) mod level;
pub(crate) mod quarter_turns;
pub(crate) mod real;
pub(crate) mod repeated;
pub(crate) mod sweep;
pub(crate) mod tiles;

pub(crate) mod sealed {
    /// Keeps a trait's implementations inside the crate.
    pub trait Sealed {}
}
