//! GELU, and its approximation by tanh.

use std::f64::consts::{FRAC_1_SQRT_2, PI, SQRT_2};

use activations::{Gelu, GeluTanh};

use super::number::{Number, step};
use super::sigmoid::ends;
use super::{Entry, Root, Second};

/// Where the derivatives of GELU's kin are zero.
pub(super) const ROOT: Root = Some((-2.0, -0.3));

pub(super) fn gelu<N: Number>(x: N) -> N {
    x * x.normal()
}

pub(super) fn gelu_slope<N: Number>(x: N) -> N {
    x.normal() + x * x.density()
}

fn density(x: f64) -> f64 {
    libm::exp(-x * x / 2.0) * FRAC_1_SQRT_2 / PI.sqrt()
}

impl Entry for Gelu {
    fn value_of<N: Number>(&self, x: N) -> N {
        gelu(x)
    }

    fn slope_of<N: Number>(&self, x: N) -> N {
        gelu_slope(x)
    }

    fn limits(&self) -> [(f64, f64); 2] {
        [(-0.0, 0.0), (f64::INFINITY, 1.0)]
    }

    const SLOPES: &'static [(f64, f64)] = &[(0.0, 0.5)];

    fn roots(&self) -> (Root, Root) {
        (None, ROOT)
    }

    const SECOND: Option<Second> = Some(Second::within(3.4, 4.0).roots(&[SQRT_2]).tail(38.6));

    fn second_of(x: f64) -> f64 {
        // The correction for the rounding of sqrt(2), without which the result would be inaccurate near the root.
        const SQRT_2_LO: f64 = -9.667_293_313_452_913e-17;
        let at_root = if x.abs() < 2.0 { density(x) * 2.0 * SQRT_2 * SQRT_2_LO } else { 0.0 };
        ends(x, density(x) * (SQRT_2 - x) * (SQRT_2 + x) + at_root)
    }
}

/// Twice the argument of tanh, and the derivative of that.
fn inner<N: Number>(x: N) -> (N, N) {
    let (c, k) = ((N::of(8.0) / N::pi()).sqrt(), N::ratio(44_715.0, 1e6));
    (c * (x + k * x * x * x), c * (N::of(1.0) + N::of(3.0) * k * x * x))
}

impl Entry for GeluTanh {
    fn value_of<N: Number>(&self, x: N) -> N {
        x * inner(x).0.sigmoid()
    }

    fn slope_of<N: Number>(&self, x: N) -> N {
        if x.abs() > N::of(30.0) {
            // Within 2^-1000.
            return step(x > N::of(0.0));
        }
        let (z, dz) = inner(x);
        z.sigmoid() * (N::of(1.0) + x * dz * (-z).sigmoid())
    }

    fn limits(&self) -> [(f64, f64); 2] {
        [(-0.0, 0.0), (f64::INFINITY, 1.0)]
    }

    const SLOPES: &'static [(f64, f64)] = &[(0.0, 0.5)];

    fn roots(&self) -> (Root, Root) {
        (None, ROOT)
    }

    const SECOND: Option<Second> = Some(Second::within(6.8, 8.0).floor(4.0, 0.25).roots(&[1.4185]).tail(21.6));

    fn second_of(x: f64) -> f64 {
        let (c, d) = ((2.0 / PI).sqrt(), 0.044_715);
        let u = c * (x + d * x * x * x);
        let (du, ddu) = (c * (1.0 + 3.0 * d * x * x), 6.0 * c * d * x);
        // (x (1 + tanh u) / 2)''
        ends(x, libm::cosh(u).powi(-2) * (du + x * (ddu / 2.0 - du * du * libm::tanh(u))))
    }
}
