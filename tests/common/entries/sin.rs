//! sin(omega x).

use activations::Sin;

use super::number::Number;
use super::{Entry, Second};

/// As the documentation has it: beyond, the mean.
const FAR: f64 = (1_u64 << 45) as f64;

impl Entry for Sin {
    fn value_of<N: Number>(&self, x: N) -> N {
        let z = N::parameter(self.omega()) * x;
        if z.abs() > N::per_type(FAR, FAR) { N::of(0.0).signed(x) } else { z.sin() }
    }

    fn slope_of<N: Number>(&self, x: N) -> N {
        let omega = N::parameter(self.omega());
        let z = omega * x;
        if z.abs() > N::per_type(FAR, FAR) { N::of(0.0) } else { omega * z.cos() }
    }

    fn limits(&self) -> [(f64, f64); 2] {
        [(-0.0, 0.0), (0.0, 0.0)]
    }

    const SLOPES: &'static [(f64, f64)] = &[(0.0, 1.0)];

    fn others() -> Vec<Self> {
        [0.7, 1e25].map(|omega| Self::new(omega).expect("a frequency")).into()
    }

    const SECOND: Option<Second> =
        Some(Second::within(1.3, 1.5).roots(&[3.141_592_653_589_793, 314.159_265_358_979_3]).tail(1000.0));

    fn second_of(x: f64) -> f64 {
        if x.abs() > FAR { 0.0_f64.copysign(-x) } else { -libm::sin(x) }
    }
}
