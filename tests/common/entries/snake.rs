//! x + sin(a x)^2 / a.

use activations::Snake;

use super::number::Number;
use super::{Entry, Second};

impl Entry for Snake {
    fn value_of<N: Number>(&self, x: N) -> N {
        let a = N::parameter(self.a());
        let sin = (a * x).sin();
        x + sin * sin / a
    }

    fn slope_of<N: Number>(&self, x: N) -> N {
        let z = N::parameter(self.a()) * x;
        // As the documentation has it: the mean.
        if z.abs() > N::per_type(1600.0, 3e6) {
            return N::of(1.0);
        }
        // 1 + sin 2 z, whose sum would cancel.
        let both = z.sin() + z.cos();
        both * both
    }

    fn limits(&self) -> [(f64, f64); 2] {
        [(f64::NEG_INFINITY, 1.0), (f64::INFINITY, 1.0)]
    }

    const SLOPES: &'static [(f64, f64)] = &[(0.0, 1.0)];
    const PLACES: &'static [f64] = &[
        -0.785_398_163_397_448_3,
        2.356_194_490_192_345,
        -3.926_990_816_987_241,
        21.205_750_411_731_1,
        -95.033_177_771_091_25,
        1_570.010_928_631_499,
        314_158.480_191_115_9,
        -1.1656,
        1.570_796_3,
        100.0,
        -1600.0,
        9e5,
        3e6,
    ];

    fn others() -> Vec<Self> {
        [3.7, 1e25].map(|a| Self::new(a).expect("a positive number")).into()
    }

    const SECOND: Option<Second> = Some(
        Second::within(2.0, 2.0)
            .floor(f64::INFINITY, 1.0)
            .roots(&[0.785_398_163_397_448_3, 2.356_194_490_192_345, -600.043_196_7])
            .tail(1000.0),
    );

    fn second_of(x: f64) -> f64 {
        if x.abs() > 1600.0 { 0.0 } else { 2.0 * libm::cos(2.0 * x) }
    }
}
