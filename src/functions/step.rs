//! Functions that are constant between two numbers: derivatives of clamped lines, second derivatives of parabolas.

use crate::kernel::real::Real;
use crate::second::{SecondSlope, compiled_second};

/// `slope` for low < x < high, 0 elsewhere, NaN for NaN: the derivative of a line that is flat outside. At `low` and `high` it is
/// 0, so the derivative from the output is the same as from the input.
#[inline(always)]
pub(super) fn between<R: Real>(x: R, low: R, high: R, slope: R) -> R {
    let zero = R::of(0.0);
    R::select(x.le(low), zero, R::select(x.lt(high), slope, R::select(high.le(x), zero, x)))
}

/// `height` for low < x < high, 0 elsewhere, NaN for NaN: the second derivative of a parabola between straight lines.
#[derive(Clone, Copy)]
pub(super) struct Step {
    low: f64,
    high: f64,
    height: f64,
}

impl Step {
    /// For piecewise linear functions.
    pub(super) const ZERO: Self = Self::between(0.0, 0.0, 0.0);

    pub(super) const fn between(low: f64, high: f64, height: f64) -> Self {
        Self { low, high, height }
    }
}

impl SecondSlope for Step {
    compiled_second!();

    const ABREAST_OF_SECOND: usize = 1;

    #[inline(always)]
    fn second_slope<R: Real>(&self, x: R) -> R {
        // If there is no upper end, infinity is inside.
        let x = x.at_most(R::per_type(f32::MAX, f64::MAX));
        between(x, R::of(self.low), R::of(self.high), R::of(self.height))
    }
}
