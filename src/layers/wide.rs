//! Half in, float out.

/// Half in, `f32` out.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Wide<A>(pub A);
