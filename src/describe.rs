//! What is known of a function, as data: its card, its parameters, and what can be wrong with one.

pub(crate) mod card;
pub(crate) mod error;
pub(crate) mod parameters;
