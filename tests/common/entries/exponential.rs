//! e^x.

use activations::Exponential;

use super::number::Number;
use super::{Entry, Second, from_output};

impl Entry for Exponential {
    fn value_of<N: Number>(&self, x: N) -> N {
        x.exp()
    }

    fn slope_of<N: Number>(&self, x: N) -> N {
        x.exp()
    }

    fn limits(&self) -> [(f64, f64); 2] {
        [(0.0, 0.0), (f64::INFINITY, f64::INFINITY)]
    }

    const VALUES: &'static [(f64, f64)] = &[(0.0, 1.0), (-0.0, 1.0)];
    const SLOPES: &'static [(f64, f64)] = &[(0.0, 1.0)];

    fn slope_of_output<N: Number>(&self, y: N) -> Option<(N, f64)> {
        Some((y, 0.0))
    }

    from_output!(Exponential);

    const SECOND: Option<Second> = Some(Second::within(1.1, 1.1));

    fn second_of(x: f64) -> f64 {
        libm::exp(x)
    }

    const OVERFLOWS: bool = true;
}
