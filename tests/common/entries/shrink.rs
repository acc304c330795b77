//! Shrinkage: functions that are 0 about 0.

use activations::{Hardshrink, Shrink, Softshrink};

use super::Entry;
use super::number::{Number, step};

/// 0 where |x| is at most lambda; beyond, x moved towards 0.
fn shrunk<N: Number>(x: N, lambda: f64, bias: f64) -> N {
    if x.abs() <= N::parameter(lambda) {
        N::of(0.0).signed(x)
    } else if x.is_negative() {
        x + N::parameter(bias)
    } else {
        x - N::parameter(bias)
    }
}

const LIMITS: [(f64, f64); 2] = [(f64::NEG_INFINITY, 1.0), (f64::INFINITY, 1.0)];

impl Entry for Softshrink {
    fn value_of<N: Number>(&self, x: N) -> N {
        shrunk(x, self.lambda(), self.lambda())
    }

    fn slope_of<N: Number>(&self, x: N) -> N {
        step(x.abs() > N::parameter(self.lambda()))
    }

    fn limits(&self) -> [(f64, f64); 2] {
        LIMITS
    }

    const VALUES: &'static [(f64, f64)] = &[(-0.5, -0.0), (0.25, 0.0), (-0.75, -0.25)];
    const SLOPES: &'static [(f64, f64)] = &[(-0.5, 0.0), (0.5, 0.0)];
    const ONE_ROUNDING: bool = true;

    fn others() -> Vec<Self> {
        vec![Self::new(1.7).expect("a positive number")]
    }
}

impl Entry for Hardshrink {
    fn value_of<N: Number>(&self, x: N) -> N {
        shrunk(x, self.lambda(), 0.0)
    }

    fn slope_of<N: Number>(&self, x: N) -> N {
        step(x.abs() > N::parameter(self.lambda()))
    }

    fn limits(&self) -> [(f64, f64); 2] {
        LIMITS
    }

    const VALUES: &'static [(f64, f64)] = &[(-0.5, -0.0), (0.5, 0.0), (0.75, 0.75)];
    const SLOPES: &'static [(f64, f64)] = &[(-0.5, 0.0), (0.5, 0.0)];
    const ONE_ROUNDING: bool = true;

    fn others() -> Vec<Self> {
        vec![Self::new(0.0).expect("a number that is not negative")]
    }
}

impl Entry for Shrink {
    fn value_of<N: Number>(&self, x: N) -> N {
        shrunk(x, self.lambd(), self.bias())
    }

    fn slope_of<N: Number>(&self, x: N) -> N {
        step(x.abs() > N::parameter(self.lambd()))
    }

    fn limits(&self) -> [(f64, f64); 2] {
        LIMITS
    }

    const VALUES: &'static [(f64, f64)] = &[(-0.5, -0.0), (0.5, 0.0), (0.75, 0.75)];
    const SLOPES: &'static [(f64, f64)] = &[(-0.25, 0.0), (0.5, 0.0)];
    const ONE_ROUNDING: bool = true;
    const KINKS: &'static [(f64, f64)] = &[(-0.5, 0.0), (0.5, 0.0)];

    fn others() -> Vec<Self> {
        [(1.7, 0.3), (0.0, -2.5)].map(|(lambd, bias)| Self::new(lambd, bias).expect("finite numbers")).into()
    }

    const HAS_NOTHING_TO_FUSE: bool = true;
}
