//! All tests that run the activations are one program, because separate programs would each compile every function again, for every
//! type and level.

#[path = "../common/mod.rs"]
mod common;
#[allow(dead_code, reason = "a part of what the program `accuracy` uses")]
#[path = "../exhaustive/mod.rs"]
mod exhaustive;
mod support;

mod accuracy;
mod attention;
mod attention_table;
mod bad_input;
mod biased;
mod cards;
mod curves;
mod digest;
mod exact;
mod exact_rows;
mod gates;
mod gradients;
mod kinks;
mod lines;
mod log_sum_exp;
mod losses;
mod losses_refuse;
mod named;
mod names;
#[cfg(feature = "rayon")]
mod parallel;
mod parity;
mod parse;
mod properties;
mod reproducibility;
mod rowwise;
mod scores;
#[cfg(feature = "serde")]
mod serde;
mod special_rows;
mod special_table;
mod special_values;
mod top_k;
mod user_defined;
#[cfg(feature = "half")]
mod wide;
