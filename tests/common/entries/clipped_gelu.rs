//! GELU between two limits.

use std::f64::consts::SQRT_2;

use activations::{ClippedGelu, Gelu};

use super::gelu::{ROOT, gelu, gelu_slope};
use super::number::Number;
use super::{Entry, Root, Second};

impl Entry for ClippedGelu {
    fn value_of<N: Number>(&self, x: N) -> N {
        gelu(x).clip(N::parameter(self.min()), N::parameter(self.max()))
    }

    fn slope_of<N: Number>(&self, x: N) -> N {
        let y = gelu(x);
        if y < N::parameter(self.min()) || N::parameter(self.max()) < y { N::of(0.0) } else { gelu_slope(x) }
    }

    fn limits(&self) -> [(f64, f64); 2] {
        [(-0.0, 0.0), (self.max(), 0.0)]
    }

    const VALUES: &'static [(f64, f64)] = &[(10.0, 10.0), (9.5, 9.5)];
    const SLOPES: &'static [(f64, f64)] = &[(0.0, 0.5), (9.5, 1.0), (10.0, 1.0), (10.000_001, 0.0)];

    fn roots(&self) -> (Root, Root) {
        (None, ROOT)
    }

    // The gradient of `torch.clip`, which Hugging Face's function calls, is 1 at its ends.
    const KINKS: &'static [(f64, f64)] = &[(10.0, 1.0)];
    const PLACES: &'static [f64] = &[10.0];

    fn others() -> Vec<Self> {
        [(-0.1, 3.5), (0.0, 0.7)].map(|(min, max)| Self::new(min, max).expect("in order")).into()
    }

    const SECOND: Option<Second> = Some(Second::within(3.4, 4.0).roots(&[SQRT_2]).tail(38.6));

    fn second_of(x: f64) -> f64 {
        if x > 10.0 { 0.0 } else { Gelu::second_of(x) }
    }
}
