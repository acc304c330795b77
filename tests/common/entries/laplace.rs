//! The normal distribution with mean mu and deviation sigma, whose parameters are not rounded.

use activations::Laplace;

use super::number::Number;
use super::{Entry, Second};

/// (x - mu) / sigma as an unevaluated sum: the tail magnifies its relative error, as far as `f32` reaches.
fn standard<N: Number>(f: &Laplace, x: N) -> (N, N) {
    let (mu, sigma) = (N::of(f.mu()), N::of(f.sigma()));
    let d = x - mu;
    let part = d - x;
    let d_lo = (x - (d - part)) + (-mu - part);
    let t = d / sigma;
    if t.abs() > N::of(39.0) { (t, N::of(0.0)) } else { (t, ((-t).mul_add(sigma, d) + d_lo) / sigma) }
}

impl Entry for Laplace {
    fn value_of<N: Number>(&self, x: N) -> N {
        let (t, t_lo) = standard(self, x);
        t.normal() + t_lo * t.density()
    }

    fn slope_of<N: Number>(&self, x: N) -> N {
        let (t, t_lo) = standard(self, x);
        // The density's own derivative is -t times it.
        t.density() * (N::of(1.0) - t * t_lo) / N::of(self.sigma())
    }

    fn limits(&self) -> [(f64, f64); 2] {
        [(0.0, 0.0), (1.0, 0.0)]
    }

    const PLACES: &'static [f64] = &[
        0.707_107,
        0.707_106_999_717_905,
        0.425_012,
        0.989_202,
        -0.421_273,
        1.835_487,
        -2.931_918_5,
        -9.871_455_5,
        -10.125_341,
        3.048_495_5,
        -9.899_665,
        11.539_555,
    ];

    fn others() -> Vec<Self> {
        [(-3.3, 7.7), (1e300, 1e-300)].map(|(mu, sigma)| Self::new(mu, sigma).expect("a positive sigma")).into()
    }

    const SECOND: Option<Second> = Some(Second::within(4.7, 4.7).roots(&[0.707_107]).tail(11.6));

    fn second_of(x: f64) -> f64 {
        let f = Self::default();
        let slope = if x.is_infinite() { 0.0 } else { f.slope_of(x) };
        if slope == 0.0 { -0.0_f64.copysign(x) } else { -slope * (x - f.mu()) / (f.sigma() * f.sigma()) }
    }
}
