//! The logistic sigmoid.

use activations::Sigmoid;

use super::number::Number;
use super::{Entry, Second, from_output};

/// sigmoid'(x), in `f64`.
pub(super) fn sigmoid_slope(x: f64) -> f64 {
    libm::cosh(x / 2.0).powi(-2) / 4.0
}

/// A second derivative that is 0 at both infinities, where formulas are 0 times inf.
pub(super) fn ends(x: f64, y: f64) -> f64 {
    if x.abs() > 300.0 && y.is_nan() || x.is_infinite() { 0.0 } else { y }
}

impl Entry for Sigmoid {
    fn value_of<N: Number>(&self, x: N) -> N {
        x.sigmoid()
    }

    fn slope_of<N: Number>(&self, x: N) -> N {
        x.sigmoid() * (-x).sigmoid()
    }

    fn limits(&self) -> [(f64, f64); 2] {
        [(0.0, 0.0), (1.0, 0.0)]
    }

    const VALUES: &'static [(f64, f64)] = &[(0.0, 0.5), (-0.0, 0.5)];
    const SLOPES: &'static [(f64, f64)] = &[(0.0, 0.25)];
    const SECOND: Option<Second> = Some(Second::within(4.5, 4.5));

    fn second_of(x: f64) -> f64 {
        ends(x, -sigmoid_slope(x) * libm::tanh(x / 2.0))
    }

    fn slope_of_output<N: Number>(&self, y: N) -> Option<(N, f64)> {
        Some((y * (N::of(1.0) - y), 0.0))
    }

    from_output!(Sigmoid);
}
