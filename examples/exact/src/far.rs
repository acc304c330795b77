//! The sine far from 0, by integers of 128 bits: a reference that is fast enough for every `f32`, and shares nothing with the crate.

use std::f64::consts::FRAC_PI_2;
use std::sync::OnceLock;

/// The first 320 bits of 2/pi.
const TWO_OVER_PI: [u64; 5] =
    [0xa2f9_836e_4e44_1529, 0xfc27_57d1_f534_ddc0, 0xdb62_9599_3c43_9041, 0xfe51_63ab_debb_c561, 0xb724_6e3a_424d_d2e0];

/// An eighth of a turn, in the units of [`turns`].
pub(crate) const EIGHTH: u128 = 1 << 125;

/// sin(x + rest) and cos(x + rest), each to a few times 2^-52 of itself. x is an `f32` with 2^19 <= |x|; the rest is in 2^-126 quarter
/// turns.
pub(crate) fn sin_cos(x: f64, rest: u128) -> (f64, f64) {
    let turns = turns(x.abs());
    let turns = if x < 0.0 { turns.wrapping_neg() } else { turns }.wrapping_add(rest);
    let quarter = turns.wrapping_add(EIGHTH) >> 126;
    let angle = turns.wrapping_sub(quarter << 126).cast_signed() as f64 * 2.0_f64.powi(-126) * FRAC_PI_2;
    let (sin, cos) = angle.sin_cos();
    match quarter {
        0 => (sin, cos),
        1 => (cos, -sin),
        2 => (-sin, -cos),
        _ => (-cos, sin),
    }
}

/// The quarter turns in x, modulo 4, in units of 2^-126, to 2^24 units.
fn turns(x: f64) -> u128 {
    let m = x.to_bits() & ((1 << 52) - 1) | 1 << 52;
    let power = (x.to_bits() >> 52) as usize + m.trailing_zeros() as usize - (1075 - LEAST);
    u128::from(m >> m.trailing_zeros()).wrapping_mul(of_powers()[power])
}

/// The last bit of an `f32` from 2^19 on is at least 2^-`LEAST`.
const LEAST: usize = 4;

/// The quarter turns in 2^-`LEAST`, and in each greater power of two that is an `f32`.
fn of_powers() -> &'static [u128; 128 + LEAST] {
    static TURNS: OnceLock<[u128; 128 + LEAST]> = OnceLock::new();
    TURNS.get_or_init(|| {
        // Bit number i behind the point.
        let bit = |i: usize| if i == 0 { 0 } else { u128::from(TWO_OVER_PI[(i - 1) / 64] >> (63 - (i - 1) % 64) & 1) };
        // The turns in 2^e are the bits up to number e + 126. Those before the last 128 are whole turns.
        std::array::from_fn(|power| {
            (0..128).fold(0, |turns, i| turns << 1 | bit((power + i).saturating_sub(LEAST + 1)))
        })
    })
}
