//! x sigmoid(beta x).

use activations::{QuickGelu, Silu, Swish};

use super::gelu::ROOT;
use super::number::Number;
use super::sigmoid::{ends, sigmoid_slope};
use super::{Entry, Root, Second};

fn swish<N: Number>(x: N, beta: N) -> N {
    x * (beta * x).sigmoid()
}

fn swish_slope<N: Number>(x: N, beta: N) -> N {
    let z = beta * x;
    z.sigmoid() * (N::of(1.0) + z * (-z).sigmoid())
}

/// Of swish for beta = 1 at z; for another beta it is beta times that at beta x.
fn swish_second(z: f64) -> f64 {
    sigmoid_slope(z) * (2.0 - z * libm::tanh(z / 2.0))
}

const LIMITS: [(f64, f64); 2] = [(-0.0, 0.0), (f64::INFINITY, 1.0)];
const SECOND: Second = Second::within(4.4, 4.8).floor(4.0, 0.25).roots(&[2.399_357_280_520_548]);

impl Entry for Silu {
    fn value_of<N: Number>(&self, x: N) -> N {
        swish(x, N::of(1.0))
    }

    fn slope_of<N: Number>(&self, x: N) -> N {
        swish_slope(x, N::of(1.0))
    }

    fn limits(&self) -> [(f64, f64); 2] {
        LIMITS
    }

    const SLOPES: &'static [(f64, f64)] = &[(0.0, 0.5)];

    fn roots(&self) -> (Root, Root) {
        (None, ROOT)
    }

    const SECOND: Option<Second> = Some(SECOND);

    fn second_of(x: f64) -> f64 {
        ends(x, swish_second(x))
    }
}

impl Entry for QuickGelu {
    fn value_of<N: Number>(&self, x: N) -> N {
        swish(x, N::ratio(1_702.0, 1e3))
    }

    fn slope_of<N: Number>(&self, x: N) -> N {
        swish_slope(x, N::ratio(1_702.0, 1e3))
    }

    fn limits(&self) -> [(f64, f64); 2] {
        LIMITS
    }

    const SLOPES: &'static [(f64, f64)] = &[(0.0, 0.5)];

    fn roots(&self) -> (Root, Root) {
        (None, ROOT)
    }

    const PLACES: &'static [f64] = &[-0.751_154_255_441_288_9, -439.0, -464.0, -62.0];
    const SECOND: Option<Second> = Some(Second::within(5.8, 5.8).floor(4.0, 0.25).roots(&[1.4097]).tail(440.0));

    fn second_of(x: f64) -> f64 {
        ends(x, 1.702 * swish_second(1.702 * x))
    }
}

impl Entry for Swish {
    fn value_of<N: Number>(&self, x: N) -> N {
        swish(x, N::parameter(self.beta()))
    }

    fn slope_of<N: Number>(&self, x: N) -> N {
        swish_slope(x, N::parameter(self.beta()))
    }

    fn limits(&self) -> [(f64, f64); 2] {
        let [left, right] = LIMITS;
        if self.beta() < 0.0 { [(f64::NEG_INFINITY, 1.0), (0.0, 0.0)] } else { [left, right] }
    }

    const SLOPES: &'static [(f64, f64)] = &[(0.0, 0.5)];

    fn roots(&self) -> (Root, Root) {
        let ends = (-2.0 / self.beta(), -0.3 / self.beta());
        (None, Some(if self.beta() < 0.0 { (ends.1, ends.0) } else { ends }))
    }

    fn others() -> Vec<Self> {
        [-1.7, 0.005, 1e-30, -0.0, 1e300].map(|beta| Self::new(beta).expect("a finite number")).into()
    }

    const SECOND: Option<Second> = Some(SECOND);

    fn second_of(x: f64) -> f64 {
        Silu::second_of(x)
    }
}
