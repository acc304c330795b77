//! x tanh(softplus(x)).

use activations::Mish;

use super::gelu::ROOT;
use super::number::Number;
use super::sigmoid::ends;
use super::{Entry, Root, Second};

/// t = tanh(softplus(x)) and 1 - t, by the exponential of -|x|.
fn tanh_softplus<N: Number>(x: N) -> (N, N) {
    let (q, two) = ((-x.abs()).exp(), N::of(2.0));
    if x.is_negative() {
        let u = q * (q + two);
        return (u / (u + two), two / (u + two));
    }
    let (top, rest) = (N::of(1.0) + two * q, two * q * q);
    (top / (top + rest), rest / (top + rest))
}

impl Entry for Mish {
    fn value_of<N: Number>(&self, x: N) -> N {
        x * tanh_softplus(x).0
    }

    fn slope_of<N: Number>(&self, x: N) -> N {
        let (t, rest) = tanh_softplus(x);
        t + x * x.sigmoid() * rest * (N::of(1.0) + t)
    }

    fn limits(&self) -> [(f64, f64); 2] {
        [(-0.0, 0.0), (f64::INFINITY, 1.0)]
    }

    fn roots(&self) -> (Root, Root) {
        (None, ROOT)
    }

    const PLACES: &'static [f64] = &[-1.192_431_214_515_495_2];
    const SECOND: Option<Second> = Some(Second::within(8.5, 8.5).floor(8.0, 0.25).roots(&[1.4906, -2.2564]));

    /// x T with T = tanh(softplus(x)): 2 T' + x T''.
    fn second_of(x: f64) -> f64 {
        let e = libm::exp(x.min(300.0));
        let w = 1.0 + e;
        let s = e / w;
        let d = w * w + 1.0;
        let first = 4.0 * (e / d) * (w / d);
        ends(x, first * (2.0 + x * (1.0 + s - 4.0 * (e / d) * w)))
    }
}
