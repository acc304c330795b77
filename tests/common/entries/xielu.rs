//! xIELU, whose parameters are not rounded.

use activations::Xielu;

use super::number::Number;
use super::{Entry, Root, Second};

impl Entry for Xielu {
    fn value_of<N: Number>(&self, x: N) -> N {
        let beta = N::of(self.beta());
        if x > N::of(0.0) {
            return x * (N::of(self.alpha_p()) * x + beta);
        }
        N::of(self.alpha_n()) * (x.expm1() - x) + beta * x
    }

    fn slope_of<N: Number>(&self, x: N) -> N {
        let (beta, two) = (N::of(self.beta()), N::of(2.0));
        if x > N::of(0.0) { two * N::of(self.alpha_p()) * x + beta } else { N::of(self.alpha_n()) * x.expm1() + beta }
    }

    fn limits(&self) -> [(f64, f64); 2] {
        let slope = self.beta() - self.alpha_n();
        [(-slope.signum() * f64::INFINITY, slope), (f64::INFINITY, f64::INFINITY)]
    }

    const VALUES: &'static [(f64, f64)] = &[(0.5, 0.45)];
    const SLOPES: &'static [(f64, f64)] = &[(0.0, 0.5), (-0.0, 0.5)];

    fn roots(&self) -> (Root, Root) {
        (Some((-5.0, -0.5)), Some((-5.0, -0.5)))
    }

    const CORNERS: &'static [f64] = &[0.0];
    const PLACES: &'static [f64] = &[
        -0.980_829_253_011_726_1,
        -2.432_484_276_931_448,
        -0.346_573_590_279_972_6,
        -1.039_720_770_839_917_9,
        80.0,
        -1e9,
        -1e18,
    ];

    fn others() -> Vec<Self> {
        [(0.0, 1.3, 0.1), (1.7, -0.7, -0.3), (0.3, 0.7, 0.7), (1e300, 1e300, -1e300)]
            .map(|(alpha_p, alpha_n, beta)| Self::new(alpha_p, alpha_n, beta).expect("finite numbers"))
            .into()
    }

    const SECOND: Option<Second> = Some(Second::within(1.8, 1.8));

    fn second_of(x: f64) -> f64 {
        if x > 0.0 { 1.6 } else { 0.8 * libm::exp(x) }
    }

    const OVERFLOWS: bool = true;
}
