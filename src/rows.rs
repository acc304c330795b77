//! Functions of rows: softmax and similar functions, the scores of attention, and log-sum-exp.
#![allow(
    clippy::needless_range_loop,
    clippy::too_many_arguments,
    clippy::type_complexity,
    reason = "loops over lanes index several arrays at once; a closure that is given parts of a row says so in its type"
)]

pub(crate) mod affine;
pub(crate) mod broadcast;
pub(crate) mod by_lanes;
pub(crate) mod by_parts;
pub(crate) mod engine;
pub(crate) mod exact;
pub(crate) mod exponentials;
pub(crate) mod finish;
pub(crate) mod formula;
pub(crate) mod function;
pub(crate) mod gather;
pub(crate) mod hardmax;
pub(crate) mod layout;
pub(crate) mod limits;
pub(crate) mod log_softmax;
pub(crate) mod log_sum_exp;
pub(crate) mod probability;
pub(crate) mod reduce;
pub(crate) mod rest;
pub(crate) mod score_tiles;
pub(crate) mod scores;
pub(crate) mod side;
#[cfg(feature = "alloc")]
pub(crate) mod sink;
pub(crate) mod softmax;
pub(crate) mod softmin;
pub(crate) mod sparsemax;
pub(crate) mod states;
pub(crate) mod stats;
pub(crate) mod sums;
mod tails;
pub(crate) mod terms;
pub(crate) mod top_k;
