//! The instructions that convert `f16`: F16C, which comes with AVX2, and AVX-512's. NEON's have no name in Rust 1.89.

#[cfg(target_arch = "x86")]
use core::arch::x86::{_MM_FROUND_TO_NEAREST_INT, _mm256_cvtph_ps, _mm256_cvtps_ph, _mm512_cvtph_ps, _mm512_cvtps_ph};
#[cfg(target_arch = "x86_64")]
use core::arch::x86_64::{
    _MM_FROUND_TO_NEAREST_INT, _mm256_cvtph_ps, _mm256_cvtps_ph, _mm512_cvtph_ps, _mm512_cvtps_ph,
};

use fearless_simd::{SimdInto, f32x8, f32x16, u16x8, u16x16};
use half::f16;

use super::Level;

/// Defines both conversions at a level, of slices of equal length, by one of an array. The last elements are padded.
macro_rules! conversions {
    (
        $level:ident: $width:literal, $bits:ident, $floats:ident,
        $widen:ident by $ph_ps:ident, $narrow:ident by $ps_ph:ident
    ) => {
        conversions!($level: $width, $widen |token, halves: f16| -> f32 {
            let bits: $bits<_> = halves.map(f16::to_bits).simd_into(token);
            let floats: $floats<_> = $ph_ps(bits.into()).simd_into(token);
            <[f32; $width]>::from(floats)
        });
        conversions!($level: $width, $narrow |token, floats: f32| -> f16 {
            let floats: $floats<_> = (*floats).simd_into(token);
            let bits: $bits<_> = $ps_ph::<_MM_FROUND_TO_NEAREST_INT>(floats.into()).simd_into(token);
            <[u16; $width]>::from(bits).map(f16::from_bits)
        });
    };
    ($level:ident: $width:literal, $name:ident |$token:ident, $elements:ident: $from:ident| -> $to:ident $convert:expr) => {
        fearless_simd::kernel! {
            fn $name($token: $level, from: &[$from], to: &mut [$to]) {
                let (from, from_rest) = from.as_chunks::<$width>();
                let (to, to_rest) = to.as_chunks_mut::<$width>();
                for (to, $elements) in to.iter_mut().zip(from) {
                    *to = $convert;
                }
                if !from_rest.is_empty() {
                    let mut last = [$from::default(); $width];
                    for (last, &from) in last.iter_mut().zip(from_rest) {
                        *last = from;
                    }
                    let $elements = &last;
                    for (to, last) in to_rest.iter_mut().zip($convert) {
                        *to = last;
                    }
                }
            }
        }
    };
}
conversions!(Avx2: 8, u16x8, f32x8, widen_avx2 by _mm256_cvtph_ps, narrow_avx2 by _mm256_cvtps_ph);
conversions!(Avx512: 16, u16x16, f32x16, widen_avx512 by _mm512_cvtph_ps, narrow_avx512 by _mm512_cvtps_ph);

/// Whether the level has instructions for it; then they have converted the slice.
#[inline]
pub(crate) fn widen(level: Level, from: &[f16], to: &mut [f32]) -> bool {
    if let Some(avx2) = level.0.as_avx2() {
        let ((from, from_rest), (to, to_rest)) = (from.split_at(wide(level, from)), to.split_at_mut(wide(level, to)));
        if let Some(avx512) = level.0.as_avx512() {
            widen_avx512(avx512, from, to);
        }
        widen_avx2(avx2, from_rest, to_rest);
        return true;
    }
    false
}

/// See [`widen`]. To nearest, ties to even.
#[inline]
pub(crate) fn narrow(level: Level, from: &[f32], to: &mut [f16]) -> bool {
    if let Some(avx2) = level.0.as_avx2() {
        let ((from, from_rest), (to, to_rest)) = (from.split_at(wide(level, from)), to.split_at_mut(wide(level, to)));
        if let Some(avx512) = level.0.as_avx512() {
            narrow_avx512(avx512, from, to);
        }
        narrow_avx2(avx2, from_rest, to_rest);
        return true;
    }
    false
}

/// How many elements AVX-512's vectors take; AVX2's, half as long, take the rest.
fn wide<T>(level: Level, slice: &[T]) -> usize {
    if level.0.as_avx512().is_some() { slice.len() & !15 } else { 0 }
}
