//! (x + sqrt(x^2 + b)) / 2.

use activations::Squareplus;

use super::number::Number;
use super::sigmoid::ends;
use super::{Entry, Second};

/// The root of b, and z with 2 sinh(z) = 2 x / root: nothing cancels then.
fn in_sinh<N: Number>(f: &Squareplus, x: N) -> (N, N) {
    let root = N::parameter(f.b()).sqrt();
    (root, (x / root).asinh())
}

impl Entry for Squareplus {
    fn value_of<N: Number>(&self, x: N) -> N {
        let (root, z) = in_sinh(self, x);
        root * z.exp() / N::of(2.0)
    }

    fn slope_of<N: Number>(&self, x: N) -> N {
        let z = in_sinh(self, x).1;
        (z + z).sigmoid()
    }

    fn limits(&self) -> [(f64, f64); 2] {
        [(0.0, 0.0), (f64::INFINITY, 1.0)]
    }

    const VALUES: &'static [(f64, f64)] = &[(0.0, 1.0), (-0.0, 1.0)];
    const SLOPES: &'static [(f64, f64)] = &[(0.0, 0.5)];
    const PLACES: &'static [f64] =
        &[-8.0, -16.0, -3.273_390_607_896_142e150, -2.681_561_585_988_519_4e154, 3.273_390_607_896_142e150];

    fn others() -> Vec<Self> {
        [0.3, 1e20, 1e-30].map(|b| Self::new(b).expect("in its range")).into()
    }

    const SECOND: Option<Second> = Some(Second::within(3.8, 4.6).tail(1000.0));

    fn second_of(x: f64) -> f64 {
        ends(x, libm::cosh(libm::asinh(x / 2.0)).powi(-3) / 4.0)
    }

    const IS_SLOW: bool = true;
}
