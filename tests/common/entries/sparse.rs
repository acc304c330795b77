//! Sparse-plus, and its derivative.

use activations::{SparsePlus, SparseSigmoid};

use super::number::{Number, step};
use super::{Entry, from_output};

fn line<N: Number>(x: N) -> N {
    ((x + N::of(1.0)) / N::of(2.0)).clip(N::of(0.0), N::of(1.0))
}

impl Entry for SparsePlus {
    fn value_of<N: Number>(&self, x: N) -> N {
        if x >= N::of(1.0) { x } else { line(x) * line(x) }
    }

    fn slope_of<N: Number>(&self, x: N) -> N {
        line(x)
    }

    fn limits(&self) -> [(f64, f64); 2] {
        [(0.0, 0.0), (f64::INFINITY, 1.0)]
    }

    const VALUES: &'static [(f64, f64)] = &[(-1.0, 0.0), (0.0, 0.25), (1.0, 1.0)];
    const SLOPES: &'static [(f64, f64)] = &[(0.0, 0.5)];
    const CORNERS: &'static [f64] = &[-1.0, 1.0];
    const KINKS: &'static [(f64, f64)] = &[(-1.0, 0.0), (1.0, 1.0)];

    fn slope_of_output<N: Number>(&self, y: N) -> Option<(N, f64)> {
        let root = y.sqrt();
        Some((if root > N::of(1.0) { N::of(1.0) } else { root }, 0.0))
    }

    from_output!(SparsePlus);
}

impl Entry for SparseSigmoid {
    fn value_of<N: Number>(&self, x: N) -> N {
        line(x)
    }

    fn slope_of<N: Number>(&self, x: N) -> N {
        step::<N>(x.abs() < N::of(1.0)) / N::of(2.0)
    }

    fn limits(&self) -> [(f64, f64); 2] {
        [(0.0, 0.0), (1.0, 0.0)]
    }

    const VALUES: &'static [(f64, f64)] = &[(-1.0, 0.0), (0.5, 0.75)];
    const SLOPES: &'static [(f64, f64)] = &[(-1.0, 0.0), (1.0, 0.0)];
    const ONE_ROUNDING: bool = true;
    // Keras gives the derivative of a hard sigmoid there.
    const KINKS: &'static [(f64, f64)] = &[(-1.0, 0.0), (1.0, 0.0)];

    fn slope_of_output<N: Number>(&self, y: N) -> Option<(N, f64)> {
        Some((step::<N>(N::of(0.0) < y && y < N::of(1.0)) / N::of(2.0), 0.0))
    }

    from_output!(SparseSigmoid);
}
