//! Exponential linear units.

use activations::{Celu, Elu, Selu};

use super::number::Number;
use super::{Entry, Second, from_output};

/// How many roundings of a constant the derivative from the output may be off by.
const ROUNDINGS: f64 = 4.0;

impl Entry for Elu {
    fn value_of<N: Number>(&self, x: N) -> N {
        if x > N::of(0.0) { x } else { N::parameter(self.alpha()) * x.expm1() }
    }

    fn slope_of<N: Number>(&self, x: N) -> N {
        if x > N::of(0.0) { N::of(1.0) } else { N::parameter(self.alpha()) * x.exp() }
    }

    fn limits(&self) -> [(f64, f64); 2] {
        [(-self.alpha(), 0.0), (f64::INFINITY, 1.0)]
    }

    const VALUES: &'static [(f64, f64)] = &[(2.0, 2.0)];
    const SLOPES: &'static [(f64, f64)] = &[(-0.0, 1.0), (0.0, 1.0)];
    const CORNERS: &'static [f64] = &[0.0];

    fn others() -> Vec<Self> {
        vec![Self::new(-1.3).expect("a finite number")]
    }

    fn slope_of_output<N: Number>(&self, y: N) -> Option<(N, f64)> {
        if y > N::of(0.0) {
            return Some((N::of(1.0), 0.0));
        }
        Some((y + N::parameter(self.alpha()), ROUNDINGS))
    }

    from_output!(Self::default(), Self::new(0.7).expect("a finite number"));

    const SECOND: Option<Second> = Some(Second::within(1.1, 1.1));

    fn second_of(x: f64) -> f64 {
        if x >= 0.0 { 0.0 } else { libm::exp(x) }
    }
}

impl Entry for Selu {
    fn value_of<N: Number>(&self, x: N) -> N {
        let (lambda, lambda_alpha) = N::selu();
        if x > N::of(0.0) { lambda * x } else { lambda_alpha * x.expm1() }
    }

    fn slope_of<N: Number>(&self, x: N) -> N {
        let (lambda, lambda_alpha) = N::selu();
        if x > N::of(0.0) { lambda } else { lambda_alpha * x.exp() }
    }

    fn limits(&self) -> [(f64, f64); 2] {
        let (lambda, lambda_alpha) = <f64 as Number>::selu();
        [(-lambda_alpha, 0.0), (f64::INFINITY, lambda)]
    }

    const SLOPES: &'static [(f64, f64)] = &[(0.0, 1.758_099_340_847_376_9), (-0.0, 1.758_099_340_847_376_9)];

    fn slope_of_output<N: Number>(&self, y: N) -> Option<(N, f64)> {
        let (lambda, lambda_alpha) = N::selu();
        Some(if y > N::of(0.0) { (lambda, 0.0) } else { (y + lambda_alpha, ROUNDINGS) })
    }

    from_output!(Selu);

    const SECOND: Option<Second> = Some(Second::within(2.0, 2.0));

    fn second_of(x: f64) -> f64 {
        if x >= 0.0 { 0.0 } else { <f64 as Number>::selu().1 * libm::exp(x) }
    }
}

impl Entry for Celu {
    fn value_of<N: Number>(&self, x: N) -> N {
        let alpha = N::parameter(self.alpha());
        if x > N::of(0.0) { x } else { alpha * (x / alpha).expm1() }
    }

    fn slope_of<N: Number>(&self, x: N) -> N {
        if x > N::of(0.0) { N::of(1.0) } else { (x / N::parameter(self.alpha())).exp() }
    }

    fn limits(&self) -> [(f64, f64); 2] {
        [(-self.alpha(), 0.0), (f64::INFINITY, 1.0)]
    }

    const VALUES: &'static [(f64, f64)] = &[(2.0, 2.0)];
    const SLOPES: &'static [(f64, f64)] = &[(-0.0, 1.0), (0.0, 1.0)];
    const CORNERS: &'static [f64] = &[0.0];

    fn others() -> Vec<Self> {
        [0.7, 1e200, 1e-200].map(|alpha| Self::new(alpha).expect("a positive number")).into()
    }

    fn slope_of_output<N: Number>(&self, y: N) -> Option<(N, f64)> {
        if y > N::of(0.0) {
            return Some((N::of(1.0), 0.0));
        }
        let alpha = N::parameter(self.alpha());
        Some(((y + alpha) / alpha, ROUNDINGS))
    }

    from_output!(Self::new(0.7).expect("a positive number"));

    const SECOND: Option<Second> = Some(Second::within(1.1, 1.1));

    fn second_of(x: f64) -> f64 {
        Elu::second_of(x)
    }
}
