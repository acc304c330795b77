//! The unit that the argument of an exponential is counted in.

use super::brief;
use crate::kernel::real::{Coefficients, Real};

/// c(r^2) with e^-r = (m - r)/(m + r), m = r coth(r/2) = 2 + r^2 c(r^2), |r| <= ln(2)/2 and 1 % more.
///
/// Relative error of e^-r: 2^-30.2 (`f32`), 2^-61.4 (`f64`). Fitted with coefficients rounded to the type by
/// `tools/exp.sollya`.
const C: Coefficients = Coefficients {
    f32: &[0.166_666_24, -2.766_520_7e-3],
    f64: &[
        0.166_666_666_666_665_96,
        -2.777_777_777_695_907e-3,
        6.613_756_304_996_735e-5,
        -1.653_388_379_315_634_3e-6,
        4.137_437_766_418_222e-8,
    ],
};

/// ln 2 as a sum whose high part has so few bits (14; `f64`: 32) that n times it is exact, fused or not.
const LN2_HI: (f32, f64) = (0.693_176_27, 0.693_147_180_369_123_8);
const LN2_LO: (f32, f64) = (-2.908_897_1e-5, 1.908_214_929_270_587_7e-10);

/// The unit that the argument of an exponential is counted in, and the constants of the reduction in this unit. If they are in
/// units too, no product with the unit is needed.
pub(crate) struct Unit {
    /// The unit, and what its type rounds away.
    pub(crate) value: (f64, (f32, f64)),
    /// ln 2 in units as a sum whose high part has so few bits (16; `f64`: 42) that n times it is exact.
    ln2: ((f32, f64), (f32, f64)),
    /// [`C`] in units.
    pub(super) c: Coefficients,
    /// [`brief::C`] in units.
    pub(super) brief_c: Coefficients,
}

impl Unit {
    pub(crate) const ONE: Self = Self {
        value: (1.0, (0.0, 0.0)),
        ln2: (LN2_HI, LN2_LO),
        c: C,
        brief_c: Coefficients { f32: &[], f64: &brief::C },
    };

    /// A unit u, with what `f32` and `f64` round away of it; ln 2 / u in two parts; `c[i] u^(2 i + 1)`, and the same for the lane
    /// `Brief`.
    pub(crate) const fn new(
        value: f64,
        value_lo: (f32, f64),
        ln2: ((f32, f64), (f32, f64)),
        c: Coefficients,
        brief_c: Coefficients,
    ) -> Self {
        Self { value: (value, value_lo), ln2, c, brief_c }
    }

    /// The coefficients of [`C`] for a unit.
    pub(crate) const fn c_f32(unit: f64) -> [f32; C.f32.len()] {
        let (mut c, mut power, mut i) = ([0.0; C.f32.len()], unit, 0);
        while i < c.len() {
            c[i] = (C.f32[i] as f64 * power) as f32;
            power *= unit * unit;
            i += 1;
        }
        c
    }

    /// See [`c_f32`](Self::c_f32).
    pub(crate) const fn c_f64(unit: f64) -> [f64; C.f64.len()] {
        Self::in_units([0.0; C.f64.len()], C.f64, unit)
    }

    /// See [`c_f32`](Self::c_f32).
    pub(crate) const fn brief_c(unit: f64) -> [f64; brief::C.len()] {
        Self::in_units([0.0; brief::C.len()], &brief::C, unit)
    }

    const fn in_units<const N: usize>(mut c: [f64; N], from: &[f64], unit: f64) -> [f64; N] {
        let (mut power, mut i) = (unit, 0);
        while i < c.len() {
            c[i] = from[i] * power;
            power *= unit * unit;
            i += 1;
        }
        c
    }

    #[inline(always)]
    pub(super) fn split_ln2<R: Real>(&self) -> (R, R) {
        let (hi, lo) = self.ln2;
        (R::per_type(hi.0, hi.1), R::per_type(lo.0, lo.1))
    }
}
