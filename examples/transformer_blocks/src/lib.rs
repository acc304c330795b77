//! The attention and feed-forward blocks of gpt-oss and Gemma 2, compared with PyTorch. See README.md.

pub mod attention;
pub mod blocks;
pub mod check;
pub mod compute;
pub mod gemma_2;
pub mod gpt_oss;
pub mod model;
pub mod near;
pub mod number;
pub mod reference;
pub mod slices;
pub mod weights;
