//! Facts about a function as data: its card, its parameters, and the error for a parameter that is not allowed.

pub(crate) mod card;
pub(crate) mod error;
pub(crate) mod parameters;
