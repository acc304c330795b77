//! The hyperbolic tangent, what it leaves of x, and its integral.

use activations::{LogCosh, Tanh, Tanhshrink};

use super::number::{Number, series};
use super::sigmoid::ends;
use super::{Entry, Second, from_output};

impl Entry for Tanh {
    fn value_of<N: Number>(&self, x: N) -> N {
        x.tanh()
    }

    fn slope_of<N: Number>(&self, x: N) -> N {
        let twice = x + x;
        N::of(4.0) * twice.sigmoid() * (-twice).sigmoid()
    }

    fn limits(&self) -> [(f64, f64); 2] {
        [(-1.0, 0.0), (1.0, 0.0)]
    }

    const SLOPES: &'static [(f64, f64)] = &[(0.0, 1.0)];
    const SECOND: Option<Second> = Some(Second::within(4.5, 4.5).tail(370.0));

    fn second_of(x: f64) -> f64 {
        ends(x, -2.0 * libm::tanh(x) / libm::cosh(x).powi(2))
    }

    fn slope_of_output<N: Number>(&self, y: N) -> Option<(N, f64)> {
        Some(((N::of(1.0) - y) * (N::of(1.0) + y), 0.0))
    }

    from_output!(Tanh);
}

impl Entry for Tanhshrink {
    fn value_of<N: Number>(&self, x: N) -> N {
        if x.abs() > N::of(1.0) {
            return x - x.tanh();
        }
        // (x cosh x - sinh x) / cosh x, whose numerator is the sum of 2 n x^(2 n + 1) / (2 n + 1)!.
        let square = x * x;
        let sum = series(x * square / N::of(3.0), |term, n| term * square / N::of(2.0 * n * (2.0 * n + 3.0)));
        sum / x.cosh()
    }

    fn slope_of<N: Number>(&self, x: N) -> N {
        x.tanh() * x.tanh()
    }

    fn limits(&self) -> [(f64, f64); 2] {
        [(f64::NEG_INFINITY, 1.0), (f64::INFINITY, 1.0)]
    }

    const SLOPES: &'static [(f64, f64)] = &[(0.0, 0.0)];
    const PLACES: &'static [f64] = &[0.999, -1.001, 1e-103, -1e-108];
    const SECOND: Option<Second> = Some(Second::within(4.5, 4.5).tail(370.0));

    fn second_of(x: f64) -> f64 {
        ends(x, 2.0 * libm::tanh(x) / libm::cosh(x).powi(2))
    }
}

impl Entry for LogCosh {
    fn value_of<N: Number>(&self, x: N) -> N {
        let (a, two) = (x.abs(), N::of(2.0));
        if a < N::of(0.5) {
            let sinh = (a / two).sinh();
            return (two * sinh * sinh).ln_1p();
        }
        a + (-(a + a)).exp().ln_1p() - N::of(1.0).ln_1p()
    }

    fn slope_of<N: Number>(&self, x: N) -> N {
        x.tanh()
    }

    fn limits(&self) -> [(f64, f64); 2] {
        [(f64::INFINITY, -1.0), (f64::INFINITY, 1.0)]
    }

    const VALUES: &'static [(f64, f64)] = &[(0.0, 0.0), (-0.0, 0.0)];
    const SLOPES: &'static [(f64, f64)] = &[(0.0, 0.0)];
    const PLACES: &'static [f64] = &[0.749, -0.751, 0.6931, 1e-154, -1e-162];
    const SECOND: Option<Second> = Some(Second::within(3.5, 3.5).tail(370.0));

    fn second_of(x: f64) -> f64 {
        ends(x, libm::cosh(x).powi(-2))
    }
}
