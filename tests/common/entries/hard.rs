//! Sigmoid, swish and tanh made of lines.

use activations::{HardSigmoid, HardSwish, HardTanh};

use super::number::{Number, step};
use super::{Entry, from_output};

/// The line: its slope, and where it is 0 and 1. The default's slope is 1/6, which is no float.
fn line<N: Number>(f: &HardSigmoid) -> [N; 3] {
    let (alpha, beta) = (f.alpha(), f.beta());
    if alpha == 1.0 / 6.0 {
        return [N::ratio(1.0, 6.0), N::quotient(-6.0 * beta, 1.0), N::quotient(6.0 * (1.0 - beta), 1.0)];
    }
    [N::parameter(alpha), N::quotient(-beta, alpha), N::quotient(1.0 - beta, alpha)]
}

impl Entry for HardSigmoid {
    fn value_of<N: Number>(&self, x: N) -> N {
        let [slope, left, right] = line(self);
        if right <= x { N::of(1.0) } else { ((x - left) * slope).clip(N::of(0.0), N::of(1.0)) }
    }

    fn slope_of<N: Number>(&self, x: N) -> N {
        let [slope, left, right] = line(self);
        if left < x && x < right { slope } else { N::of(0.0) }
    }

    fn limits(&self) -> [(f64, f64); 2] {
        [(0.0, 0.0), (1.0, 0.0)]
    }

    const VALUES: &'static [(f64, f64)] = &[(-3.0, 0.0), (0.0, 0.5), (1.5, 0.75), (3.0, 1.0)];
    const SLOPES: &'static [(f64, f64)] = &[(-3.0, 0.0), (3.0, 0.0)];
    const PLACES: &'static [f64] = &[-3.0, 3.0];

    fn others() -> Vec<Self> {
        vec![Self::new(0.7, -3.1).expect("a slope"), Self::onnx()]
    }

    fn slope_of_output<N: Number>(&self, y: N) -> Option<(N, f64)> {
        let inside = N::of(0.0) < y && y < N::of(1.0);
        Some((if inside { N::parameter(self.alpha()) } else { N::of(0.0) }, 0.0))
    }

    from_output!(Self::default());

    const HAS_NOTHING_TO_FUSE: bool = true;
}

impl Entry for HardSwish {
    fn value_of<N: Number>(&self, x: N) -> N {
        let three = N::of(3.0);
        if x <= -three {
            -N::of(0.0)
        } else if three < x {
            x
        } else {
            x * (x + three) / N::of(6.0)
        }
    }

    fn slope_of<N: Number>(&self, x: N) -> N {
        let three = N::of(3.0);
        if x.abs() < three { (x + x + three) / N::of(6.0) } else { step(x >= three) }
    }

    fn limits(&self) -> [(f64, f64); 2] {
        [(-0.0, 0.0), (f64::INFINITY, 1.0)]
    }

    const VALUES: &'static [(f64, f64)] = &[(-3.0, -0.0), (-1.5, -0.375), (3.0, 3.0)];
    const SLOPES: &'static [(f64, f64)] = &[(-3.0, 0.0), (-1.5, 0.0), (0.0, 0.5), (3.0, 1.0)];
    const PLACES: &'static [f64] = &[-3.0, -1.5, 3.0];

    const HAS_NOTHING_TO_FUSE: bool = true;
}

impl Entry for HardTanh {
    fn value_of<N: Number>(&self, x: N) -> N {
        x.clip(N::parameter(self.min()), N::parameter(self.max()))
    }

    fn slope_of<N: Number>(&self, x: N) -> N {
        step(N::parameter(self.min()) < x && x < N::parameter(self.max()))
    }

    fn limits(&self) -> [(f64, f64); 2] {
        [(self.min(), 0.0), (self.max(), 0.0)]
    }

    const VALUES: &'static [(f64, f64)] = &[(0.3, 0.3)];
    const SLOPES: &'static [(f64, f64)] = &[(-1.0, 0.0), (1.0, 0.0)];
    const ONE_ROUNDING: bool = true;

    fn others() -> Vec<Self> {
        vec![Self::new(-0.3, 7.0).expect("in order")]
    }

    fn slope_of_output<N: Number>(&self, y: N) -> Option<(N, f64)> {
        Some((step(N::parameter(self.min()) < y && y < N::parameter(self.max())), 0.0))
    }

    from_output!(Self::new(-0.3, 7.0).expect("in order"));
}
