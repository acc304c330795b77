//! Activations by name: chosen at run time, parsed, and in configuration files.

pub(crate) mod any;
pub(crate) mod parse;
#[cfg(feature = "serde")]
pub(crate) mod serde;
