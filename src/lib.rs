//! Neural-network activation functions over slices of floats.
#![forbid(unsafe_code)]
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod activation;
mod card;
mod dispatch;
mod element;
mod error;
mod functions;
pub mod math;
mod named;
mod real;
mod reduce;
mod softmax;
mod sweep;

pub use activation::{Activation, Elementwise, Pass};
pub use card::{Card, Described, ErrorBounds, Vanishes};
pub use dispatch::{At, Level};
pub use element::Element;
pub use error::ParameterError;
pub use functions::*;
pub use named::{AnyActivation, UnknownName};
#[cfg(feature = "std")]
pub use real::Fused;
pub use real::{Coefficients, Plain, Real};

mod sealed {
    /// Keeps a trait's implementations inside the crate.
    pub trait Sealed {}
}
