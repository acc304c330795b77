//! The instructions that convert `f16`: F16C's, which every CPU with AVX2 has, and AVX-512's. Rust 1.89 has no names for NEON's.

#[cfg(target_arch = "x86")]
use core::arch::x86::{_MM_FROUND_TO_NEAREST_INT, _mm256_cvtph_ps, _mm256_cvtps_ph, _mm512_cvtph_ps, _mm512_cvtps_ph};
#[cfg(target_arch = "x86_64")]
use core::arch::x86_64::{
    _MM_FROUND_TO_NEAREST_INT, _mm256_cvtph_ps, _mm256_cvtps_ph, _mm512_cvtph_ps, _mm512_cvtps_ph,
};

use fearless_simd::{SimdInto, f32x8, f32x16, u16x8, u16x16};
use half::f16;

use super::level::Level;

/// Defines both conversions of slices of equal length at a level, from a conversion of arrays. The last array is padded.
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

/// Defines the conversion at any level. AVX-512, if the level has it, converts whole vectors, and AVX2 the rest.
macro_rules! at_any_level {
    ($(#[$doc:meta])* $name:ident: $from:ident -> $to:ident by $avx512:ident, $avx2:ident) => {
        $(#[$doc])*
        #[inline]
        pub(crate) fn $name(level: Level, from: &[$from], to: &mut [$to]) -> bool {
            let Some(token) = level.simd.as_avx2() else { return false };
            let mut whole = 0;
            if let Some(token) = level.simd.as_avx512() {
                whole = from.len() & !15;
                $avx512(token, &from[..whole], &mut to[..whole]);
            }
            $avx2(token, &from[whole..], &mut to[whole..]);
            true
        }
    };
}
at_any_level! {
    /// Converts the slice if the level has instructions for it. Returns whether it has.
    widen: f16 -> f32 by widen_avx512, widen_avx2
}
at_any_level! {
    /// See [`widen`]. Rounds to nearest, ties to even.
    narrow: f32 -> f16 by narrow_avx512, narrow_avx2
}
