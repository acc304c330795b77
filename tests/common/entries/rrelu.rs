//! Randomised leaky ReLU, as it is in inference.

use activations::Rrelu;

use super::Entry;
use super::number::Number;
use super::relu::{leaky, leaky_slope};

impl Entry for Rrelu {
    fn value_of<N: Number>(&self, x: N) -> N {
        leaky(x, N::quotient(self.lower() + self.upper(), 2.0))
    }

    fn slope_of<N: Number>(&self, x: N) -> N {
        leaky_slope(x, N::quotient(self.lower() + self.upper(), 2.0))
    }

    fn limits(&self) -> [(f64, f64); 2] {
        let slope = (self.lower() + self.upper()) / 2.0;
        [(-slope * f64::INFINITY, slope), (f64::INFINITY, 1.0)]
    }

    const VALUES: &'static [(f64, f64)] = &[(-1.0, -11.0 / 48.0)];
    const SLOPES: &'static [(f64, f64)] = &[(0.0, 11.0 / 48.0)];
    const ONE_ROUNDING: bool = true;

    fn others() -> Vec<Self> {
        vec![Self::new(-0.5, 0.7).expect("in order")]
    }
}
