//! Halves, `f16` and `bf16`: computed in `f32`, tile by tile, and rounded once, at the end.
//!
//! The conversions are branch-free operations on bits, so that they vectorise. For `f16` some CPUs have instructions.

use half::{bf16, f16};

use super::dispatch::{Task, dispatch};
use super::element::{Element, Lane, PerElement, compiled};
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
use super::f16 as instructions;
use super::level::Level;
use super::sealed::Sealed;
use super::tiles::by_tiles;

/// Implements `Element` for halves. Single numbers are converted by operations on bits, slices by the named functions.
macro_rules! half {
    ($half:ident: $widen:ident, $narrow:ident, slices by $widen_all:ident, $narrow_all:ident) => {
        impl Sealed for $half {}

        impl Element for $half {
            type Float = f32;

            #[inline]
            fn widened(self) -> f32 {
                $widen(self.to_bits())
            }

            #[inline]
            fn rounded(float: f32) -> Self {
                Self::from_bits($narrow(float))
            }

            compiled! {
                f32: fn widen(level: Level, from: &[Self], to: &mut [f32]) {
                    $widen_all(level, from, to);
                }

                f32: fn narrow(level: Level, from: &[f32], to: &mut [Self]) {
                    $narrow_all(level, from, to);
                }
            }

            #[inline]
            fn as_floats<const I: usize, const O: usize>(
                level: Level,
                inputs: [&[Self]; I],
                outputs: [&mut [Self]; O],
                read: bool,
                mut f: impl FnMut([&[f32]; I], [&mut [f32]; O]),
            ) {
                by_tiles(level, inputs, outputs, read, &mut f);
            }

            const IS_FLOAT: bool = false;

            #[inline]
            fn call<J: PerElement>(job: &J, args: J::Args<'_, Self>) {
                job.$half(args);
            }
        }

        impl Task<f32> for Widen<'_, $half> {
            type Output = ();
            type Home = Self;

            #[inline(always)]
            fn run<R: Lane<f32>>(self) {
                for (to, from) in self.to.iter_mut().zip(self.from) {
                    *to = $widen(from.to_bits());
                }
            }
        }

        impl Task<f32> for Narrow<'_, $half> {
            type Output = ();
            type Home = Self;

            #[inline(always)]
            fn run<R: Lane<f32>>(self) {
                for (to, &from) in self.to.iter_mut().zip(self.from) {
                    *to = $half::from_bits($narrow(from));
                }
            }
        }
    };
}
half!(f16: widen_f16, narrow_f16, slices by widen_all_f16, narrow_all_f16);
half!(bf16: widen_bf16, narrow_bf16, slices by widen_by_bits, narrow_by_bits);

/// Converts a slice by operations on bits.
struct Widen<'a, T> {
    from: &'a [T],
    to: &'a mut [f32],
}

/// See [`Widen`].
struct Narrow<'a, T> {
    from: &'a [f32],
    to: &'a mut [T],
}

fn widen_by_bits<'a, T>(level: Level, from: &'a [T], to: &'a mut [f32])
where
    Widen<'a, T>: Task<f32, Output = ()>,
{
    dispatch(level, Widen { from, to });
}

fn narrow_by_bits<'a, T>(level: Level, from: &'a [f32], to: &'a mut [T])
where
    Narrow<'a, T>: Task<f32, Output = ()>,
{
    dispatch(level, Narrow { from, to });
}

fn widen_all_f16(level: Level, from: &[f16], to: &mut [f32]) {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    if instructions::widen(level, from, to) {
        return;
    }
    widen_by_bits(level, from, to);
}

fn narrow_all_f16(level: Level, from: &[f32], to: &mut [f16]) {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    if instructions::narrow(level, from, to) {
        return;
    }
    narrow_by_bits(level, from, to);
}

/// How many bits of the mantissa `f16` does not have.
const DROPPED: u32 = 23 - 10;

/// The exponent of 2^-14, the least normal `f16`, in the bits of `f32`.
const LEAST_NORMAL: u32 = (127 - 14) << 23;

const EXPONENT: u32 = 0x7f80_0000;

#[inline(always)]
fn widen_bf16(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

/// To nearest, ties to even.
#[inline(always)]
fn narrow_bf16(x: f32) -> u16 {
    let bits = x.to_bits();
    // Testing the bit and selecting takes less time than shifting, masking and adding it.
    let rounded = bits.wrapping_add(if bits & 0x1_0000 == 0 { 0x7fff } else { 0x8000 });
    // The payload of a NaN may be in the bits that are dropped, so another bit is set.
    let quiet = bits | 0x0040_0000;
    low(if x.is_nan() { quiet } else { rounded } >> 16)
}

#[inline(always)]
fn widen_f16(bits: u16) -> f32 {
    // The difference of the exponents' biases.
    const REBIAS: u32 = (127 - 15) << 23;
    let bits = u32::from(bits);
    let magnitude = (bits & 0x7fff) << DROPPED;
    let normal = f32::from_bits(magnitude + REBIAS);
    // A subnormal has no implicit bit, and the exponent of the next binade. So it is 2 normal - 2^-14 instead of `normal`.
    let excess = normal - f32::from_bits(LEAST_NORMAL);
    let finite = normal + if excess < 0.0 { excess } else { 0.0 };
    let special = if magnitude < 31 << 23 { 0 } else { EXPONENT };
    f32::from_bits(finite.to_bits() | special).copysign(f32::from_bits(bits << 16))
}

/// To nearest, ties to even.
#[inline(always)]
fn narrow_f16(x: f32) -> u16 {
    // 2^16 becomes infinity. The minimum is of integers, where every NaN is greater. For a minimum of floats, LLVM would use an
    // instruction of aarch64 that returns signalling NaNs.
    let magnitude = f32::from_bits(x.abs().to_bits().min(65_536.0_f32.to_bits()));
    let exponent = (magnitude.to_bits() & EXPONENT).max(LEAST_NORMAL);
    // The spacing at `coarse` is the spacing of the halves. So the sum is rounded to a half, and its low bits are the half's mantissa
    // with the implicit bit. `coarse` also contains the difference of the exponents' biases, which costs nothing here.
    let coarse = exponent + (DROPPED << 23) + (0x1_0000 - (LEAST_NORMAL >> DROPPED & 0xffff));
    let coarse = f32::from_bits(coarse + if x.is_nan() { 0x200 } else { 0 });
    let half = (magnitude + coarse).to_bits().wrapping_add(exponent >> DROPPED);
    low(half & 0x7fff | x.to_bits() >> 16 & 0x8000)
}

/// The low half of the bits.
#[inline(always)]
fn low(bits: u32) -> u16 {
    (bits & 0xffff) as u16
}
