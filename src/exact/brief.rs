//! The first step of [`Exact`](super::Exact), for `f32`: the kernel's formula in lanes of [`Brief`], and a rounding test, in one loop.

use super::round::Reach;
use crate::activation::Elementwise;
use crate::kernel::abreast::Abreast;
use crate::kernel::dispatch::{Task, dispatch};
use crate::kernel::element::Lane;
use crate::kernel::lanes::Brief;
use crate::kernel::level::Level;
use crate::math::two_to;

/// Elements that are tested together.
pub(super) const BLOCK: usize = 64;

/// What brief results may be off by: 2^-38 of the result, in units in the last place of an `f64`. They are off by at most half of
/// that: `examples/exact --brief`.
const WINDOW: u64 = 1 << 15;

/// Where the parts of a derivative cancel, what brief results may be off by is 2^-50, so those that are smaller than this are open.
const NEAR_ROOT: f32 = two_to(-12) as f32;

/// The bits of an `f64` that do not fit into an `f32`, and of these the first.
const REST: u64 = (1 << 29) - 1;
const TIE: u64 = 1 << 28;

/// Computes values or derivatives, until there is a block with a result that may be rounded wrongly. Returns how many elements are
/// right.
///
/// The lengths are equal, and whole numbers of blocks.
#[inline(always)]
pub(super) fn run<F: Elementwise, const CANCELS: bool>(
    f: &F,
    reach: Reach,
    level: Level,
    slope: bool,
    x: &[f32],
    y: &mut [f32],
) -> Option<usize> {
    if !level.is_fused() {
        return None;
    }
    Some(if slope {
        dispatch(level, Blocks::<F, true, CANCELS> { f, reach, x, y })
    } else {
        dispatch(level, Blocks::<F, false, false> { f, reach, x, y })
    })
}

/// `CANCELS`: whether `reach` counts.
struct Blocks<'a, F, const SLOPE: bool, const CANCELS: bool> {
    f: &'a F,
    reach: Reach,
    x: &'a [f32],
    y: &'a mut [f32],
}

impl<F: Elementwise, const SLOPE: bool, const CANCELS: bool> Task<f64> for Blocks<'_, F, SLOPE, CANCELS> {
    type Output = usize;
    type Home = F;

    #[inline(always)]
    fn run<R: Lane<f64>>(self) -> usize {
        if !R::FUSED {
            return 0;
        }
        // With another test, fewer vectors fit the registers.
        match if CANCELS { 2 } else { F::ABREAST } {
            1 => self.blocks::<1, 64>(),
            2 => self.blocks::<2, 32>(),
            _ => self.blocks::<4, 16>(),
        }
    }
}

impl<F: Elementwise, const SLOPE: bool, const CANCELS: bool> Blocks<'_, F, SLOPE, CANCELS> {
    #[inline(always)]
    fn blocks<const N: usize, const W: usize>(self) -> usize {
        let f = &self.f.clone();
        let x = self.x.as_chunks::<W>().0.as_chunks::<N>().0;
        let y = &mut self.y.as_chunks_mut::<W>().0.as_chunks_mut::<N>().0[..x.len()];
        for b in 0..x.len() {
            if !block::<F, SLOPE, CANCELS, N, W>(f, self.reach, &x[b], &mut y[b]) {
                return b * BLOCK;
            }
        }
        self.x.len()
    }
}

/// As arguments of a function, the slices are known not to overlap.
#[inline(always)]
fn block<F: Elementwise, const SLOPE: bool, const CANCELS: bool, const N: usize, const W: usize>(
    f: &F,
    reach: Reach,
    x: &[[f32; W]; N],
    y: &mut [[f32; W]; N],
) -> bool {
    let (mut open, mut small) = (false, false);
    for i in 0..W {
        macro_rules! load {
            ($n:tt) => {
                Brief(if $n < N { f64::from(x[$n][i]) } else { 0.0 })
            };
        }
        let lanes = Abreast::<Brief<f64>, N>(load!(0), load!(1), load!(2), load!(3));
        let lanes = if SLOPE { f.slope(lanes) } else { f.value(lanes) };
        macro_rules! store {
            ($n:tt) => {
                if $n < N {
                    let result: f64 = lanes.$n.0;
                    let rounded = result as f32;
                    y[$n][i] = rounded;
                    // Whether the rest is about half of the spacing: one addition and one test.
                    open |= result.to_bits().wrapping_add(TIE + WINDOW) & (REST & !(2 * WINDOW - 1)) == 0;
                    small |= if CANCELS {
                        rounded.abs() < NEAR_ROOT
                    } else {
                        // Whether the exponent is one of the two least: one operation.
                        rounded.to_bits() & 0x7f00_0000 == 0
                    };
                }
            };
        }
        store!(0);
        store!(1);
        store!(2);
        store!(3);
    }
    !open && (!small || are_right::<CANCELS>(reach, x.as_flattened(), y.as_flattened()))
}

/// Whether small results are right as well: none was below the normal range before it was rounded, but those at 0, and none is
/// near the root.
#[inline(always)]
fn are_right<const CANCELS: bool>(reach: Reach, x: &[f32], y: &[f32]) -> bool {
    let mut open = false;
    for (&x, &y) in x.iter().zip(y) {
        open |= (y.abs() <= f32::MIN_POSITIVE) & (x != 0.0);
        open |= CANCELS & (y.abs() < NEAR_ROOT) & (reach.from <= x.into()) & (reach.to >= x.into());
    }
    !open
}

/// Gives a [`Definition`](super::Definition) its short formulas. With `cancels`, its reach counts for derivatives. With `if`, it has
/// them only then.
macro_rules! brief {
    () => {
        $crate::exact::brief::brief!(@ false, |_f| true);
    };
    (cancels) => {
        $crate::exact::brief::brief!(@ true, |_f| true);
    };
    (if |$f:ident| $has_them:expr) => {
        $crate::exact::brief::brief!(@ false, |$f| $has_them);
    };
    (@ $cancels:literal, |$f:ident| $has_them:expr) => {
        $crate::kernel::element::compiled! {
            f64: fn brief(
                &self,
                level: $crate::kernel::level::Level,
                part: $crate::exact::Part,
                x: &[f32],
                y: &mut [f32],
            ) -> Option<usize> {
                let $f = self;
                if $has_them {
                    let slope = matches!(part, $crate::exact::Part::Slope);
                    $crate::exact::brief::run::<Self, $cancels>($f, $f.reach(part), level, slope, x, y)
                } else {
                    None
                }
            }
        }
    };
}
pub(super) use brief;
