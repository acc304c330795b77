//! x / (1 + |x|).

use activations::Softsign;

use super::number::Number;
use super::{Entry, Second, from_output};

impl Entry for Softsign {
    fn value_of<N: Number>(&self, x: N) -> N {
        let one = N::of(1.0);
        if x == N::of(0.0) { x } else { (one / (one / x.abs() + one)).signed(x) }
    }

    fn slope_of<N: Number>(&self, x: N) -> N {
        let sum = N::of(1.0) + x.abs();
        N::of(1.0) / (sum * sum)
    }

    fn limits(&self) -> [(f64, f64); 2] {
        [(-1.0, 0.0), (1.0, 0.0)]
    }

    const VALUES: &'static [(f64, f64)] = &[(-3.0, -0.75)];
    const SLOPES: &'static [(f64, f64)] = &[(-0.0, 1.0), (1.0, 0.25)];
    const CORNERS: &'static [f64] = &[0.0];
    const PLACES: &'static [f64] = &[6.703_903_964_971_299e153, -3.273_390_607_896_142e150];

    fn slope_of_output<N: Number>(&self, y: N) -> Option<(N, f64)> {
        let rest = N::of(1.0) - y.abs();
        Some((rest * rest, 0.0))
    }

    from_output!(Softsign);

    const SECOND: Option<Second> = Some(Second::within(2.3, 2.3).tail(1000.0));

    fn second_of(x: f64) -> f64 {
        if x == 0.0 { 0.0 } else { (2.0 * (1.0 + x.abs()).powi(-3)).copysign(-x) }
    }

    const HAS_NOTHING_TO_FUSE: bool = true;
}
