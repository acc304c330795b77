//! Softplus, and the logarithm of the sigmoid.

use std::f64::consts::LN_2;

use activations::{LogSigmoid, Softplus};

use super::number::Number;
use super::sigmoid::{ends, sigmoid_slope};
use super::{Entry, Second, from_output};

impl Entry for Softplus {
    fn value_of<N: Number>(&self, x: N) -> N {
        let beta = N::parameter(self.beta());
        (beta * x).softplus() / beta
    }

    fn slope_of<N: Number>(&self, x: N) -> N {
        (N::parameter(self.beta()) * x).sigmoid()
    }

    fn limits(&self) -> [(f64, f64); 2] {
        [(0.0, 0.0), (f64::INFINITY, 1.0)]
    }

    const VALUES: &'static [(f64, f64)] = &[(0.0, LN_2), (-0.0, LN_2)];
    const SLOPES: &'static [(f64, f64)] = &[(0.0, 0.5)];

    fn others() -> Vec<Self> {
        [0.3, 1e-300].map(|beta| Self::new(beta).expect("a positive number")).into()
    }

    fn slope_of_output<N: Number>(&self, y: N) -> Option<(N, f64)> {
        Some((-(-y * N::parameter(self.beta())).expm1(), 0.0))
    }

    from_output!(Self::new(0.7).expect("a positive number"));

    const SECOND: Option<Second> = Some(Second::within(3.5, 3.5));

    fn second_of(x: f64) -> f64 {
        ends(x, sigmoid_slope(x))
    }
}

impl Entry for LogSigmoid {
    fn value_of<N: Number>(&self, x: N) -> N {
        -(-x).softplus()
    }

    fn slope_of<N: Number>(&self, x: N) -> N {
        (-x).sigmoid()
    }

    fn limits(&self) -> [(f64, f64); 2] {
        [(f64::NEG_INFINITY, 1.0), (-0.0, 0.0)]
    }

    const VALUES: &'static [(f64, f64)] = &[(0.0, -LN_2)];
    const SLOPES: &'static [(f64, f64)] = &[(0.0, 0.5)];

    fn slope_of_output<N: Number>(&self, y: N) -> Option<(N, f64)> {
        Some((-y.expm1(), 0.0))
    }

    from_output!(LogSigmoid);

    const SECOND: Option<Second> = Some(Second::within(3.5, 3.5));

    fn second_of(x: f64) -> f64 {
        ends(x, -sigmoid_slope(x))
    }
}
