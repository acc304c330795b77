//! Activations by name: chosen at run time, parsed, and in configuration files. The modules, lowest first:

pub(crate) mod text;

pub(crate) mod any;
pub(crate) mod unknown;

pub(crate) mod dialect;
pub(crate) mod error;

pub(crate) mod parse;
#[cfg(feature = "serde")]
pub(crate) mod serde;
