//! The same for `Fast`. The kernels for `f64` are the reference for every input, because bounds of 2^-22 need no better one. The
//! oracle judges every [`SAMPLE`]th input, so that the two are compared, and the worst of each chunk.

use std::ops::Range;

use activations::{AnyActivation, Level};
use fearless_simd::dispatch;

use super::{CHUNK, SAMPLE};
use crate::common::fast::{self, Contract, Unit};
use crate::common::{Part, oracle, sweep};

/// The worst error of a level, in units of the contract.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Worst {
    pub(crate) error: f64,
    pub(crate) at: f32,
    pub(crate) got: f32,
    pub(crate) exact: f64,
}

impl Worst {
    fn judge(&mut self, unit: Unit, x: f32, got: f32, exact: f64) {
        let error = fast::error(unit, x, got, exact);
        if error > self.error {
            *self = Self { error, at: x, got, exact };
        }
    }

    pub(crate) fn merge(self, other: Self) -> Self {
        if other.error > self.error { other } else { self }
    }
}

/// Judges the inputs with these bit patterns, whose number must divide into chunks, at each level.
pub(crate) fn add(worst: &mut [Worst], activation: AnyActivation, part: Part, levels: &[Level], patterns: Range<u64>) {
    let contract = Contract::of(activation.card().name).expect("a function with a fast form");
    let oracle = oracle::of(&activation, part).expect("a function of single elements");
    let (unit, n) = (contract.unit(part), CHUNK as usize);
    let (mut x, mut wide_x, mut exact, mut y) = (vec![0.0; n], vec![0.0; n], vec![0.0; n], vec![0.0; n]);
    for start in patterns.step_by(n) {
        for ((x, wide_x), bits) in x.iter_mut().zip(&mut wide_x).zip(start..) {
            *x = f32::from_bits(bits as u32);
            *wide_x = f64::from(*x);
        }
        sweep::run(activation, Level::best(), part, &wide_x, &mut exact);
        let sampled = (start.next_multiple_of(SAMPLE) - start) as usize;
        for (&level, worst) in levels.iter().zip(&mut *worst) {
            fast::run(activation, level, part, &x, &mut y);
            for i in (sampled..n).step_by(SAMPLE as usize) {
                worst.judge(unit, x[i], y[i], oracle(wide_x[i]));
            }
            let greatest = dispatch!(fearless_simd::Level::new(), _simd => greatest(unit, &x, &y, &exact));
            if greatest > worst.error {
                for i in 0..n {
                    if fast::error(unit, x[i], y[i], exact[i]) > worst.error {
                        worst.judge(unit, x[i], y[i], oracle(wide_x[i]));
                    }
                }
            }
        }
    }
}

/// The greatest error, from one vectorised pass.
#[inline(always)]
fn greatest(unit: Unit, x: &[f32], got: &[f32], exact: &[f64]) -> f64 {
    const LANES: usize = 32;
    let mut worst = [0.0; LANES];
    let (x, got, exact) = (x.as_chunks::<LANES>().0, got.as_chunks::<LANES>().0, exact.as_chunks::<LANES>().0);
    for ((x, got), exact) in x.iter().zip(got).zip(exact) {
        for i in 0..LANES {
            let error = fast::error(unit, x[i], got[i], exact[i]);
            worst[i] = if error > worst[i] { error } else { worst[i] };
        }
    }
    worst.into_iter().fold(0.0, f64::max)
}
