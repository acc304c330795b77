//! ReLU and its kin.

use activations::{LeakyRelu, Relu, Relu6, SquaredRelu, Threshold};

use super::number::{Number, step};
use super::{Entry, from_output};

impl Entry for Relu {
    fn value_of<N: Number>(&self, x: N) -> N {
        if x.is_negative() { N::of(0.0) } else { x }
    }

    fn slope_of<N: Number>(&self, x: N) -> N {
        step(x > N::of(0.0))
    }

    fn limits(&self) -> [(f64, f64); 2] {
        [(0.0, 0.0), (f64::INFINITY, 1.0)]
    }

    const VALUES: &'static [(f64, f64)] = &[(-1.0, 0.0), (1.0, 1.0)];
    const SLOPES: &'static [(f64, f64)] = &[(-0.0, 0.0), (0.0, 0.0)];
    const ONE_ROUNDING: bool = true;

    fn slope_of_output<N: Number>(&self, y: N) -> Option<(N, f64)> {
        Some((step(y > N::of(0.0)), 0.0))
    }

    from_output!(Relu);
}

/// x on the right, c x on the left.
pub(super) fn leaky<N: Number>(x: N, c: N) -> N {
    if x.is_negative() { c * x } else { x }
}

pub(super) fn leaky_slope<N: Number>(x: N, c: N) -> N {
    if x > N::of(0.0) { N::of(1.0) } else { c }
}

impl Entry for LeakyRelu {
    fn value_of<N: Number>(&self, x: N) -> N {
        leaky(x, N::parameter(self.negative_slope()))
    }

    fn slope_of<N: Number>(&self, x: N) -> N {
        leaky_slope(x, N::parameter(self.negative_slope()))
    }

    fn limits(&self) -> [(f64, f64); 2] {
        [(-self.negative_slope() * f64::INFINITY, self.negative_slope()), (f64::INFINITY, 1.0)]
    }

    const VALUES: &'static [(f64, f64)] = &[(-1.0, -0.01), (1.0, 1.0)];
    const SLOPES: &'static [(f64, f64)] = &[(-0.0, 0.01), (0.0, 0.01)];
    const ONE_ROUNDING: bool = true;

    fn others() -> Vec<Self> {
        vec![Self::new(-0.3).expect("a slope")]
    }

    fn slope_of_output<N: Number>(&self, y: N) -> Option<(N, f64)> {
        Some((leaky_slope(y, N::parameter(self.negative_slope())), 0.0))
    }

    from_output!(Self::default(), Self::new(0.0).expect("a slope"), Self::new(-0.3).expect("a slope"));
}

impl Entry for Relu6 {
    fn value_of<N: Number>(&self, x: N) -> N {
        x.clip(N::of(0.0), N::of(6.0))
    }

    fn slope_of<N: Number>(&self, x: N) -> N {
        step(N::of(0.0) < x && x < N::of(6.0))
    }

    fn limits(&self) -> [(f64, f64); 2] {
        [(0.0, 0.0), (6.0, 0.0)]
    }

    const VALUES: &'static [(f64, f64)] = &[(6.0, 6.0)];
    const SLOPES: &'static [(f64, f64)] = &[(6.0, 0.0)];
    const ONE_ROUNDING: bool = true;

    fn slope_of_output<N: Number>(&self, y: N) -> Option<(N, f64)> {
        Some((step(N::of(0.0) < y && y < N::of(6.0)), 0.0))
    }

    from_output!(Relu6);
}

impl Entry for SquaredRelu {
    fn value_of<N: Number>(&self, x: N) -> N {
        if x.is_negative() { N::of(0.0) } else { x * x }
    }

    fn slope_of<N: Number>(&self, x: N) -> N {
        if x.is_negative() { N::of(0.0) } else { x + x }
    }

    fn limits(&self) -> [(f64, f64); 2] {
        [(0.0, 0.0), (f64::INFINITY, f64::INFINITY)]
    }

    const VALUES: &'static [(f64, f64)] = &[(3.0, 9.0)];
    const SLOPES: &'static [(f64, f64)] = &[(3.0, 6.0)];
    const ONE_ROUNDING: bool = true;
    const CORNERS: &'static [f64] = &[0.0];

    fn slope_of_output<N: Number>(&self, y: N) -> Option<(N, f64)> {
        Some((y.sqrt() + y.sqrt(), 0.0))
    }

    from_output!(SquaredRelu);

    const OVERFLOWS: bool = true;

    const HAS_NOTHING_TO_FUSE: bool = true;
}

impl Entry for Threshold {
    fn value_of<N: Number>(&self, x: N) -> N {
        if x > N::parameter(self.threshold()) { x } else { N::parameter(self.value()) }
    }

    fn slope_of<N: Number>(&self, x: N) -> N {
        step(x > N::parameter(self.threshold()))
    }

    fn limits(&self) -> [(f64, f64); 2] {
        [(self.value(), 0.0), (f64::INFINITY, 1.0)]
    }

    const VALUES: &'static [(f64, f64)] = &[(-0.0, 0.0), (1.0, 0.0), (1.5, 1.5)];
    const SLOPES: &'static [(f64, f64)] = &[(1.0, 0.0)];
    const ONE_ROUNDING: bool = true;

    fn others() -> Vec<Self> {
        vec![Self::new(-0.5, 2.5).expect("finite numbers")]
    }

    const IS_CONSTANT_AT_ZERO: bool = true;
}
