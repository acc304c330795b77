//! Errors in ULP: |computed - exact| over the spacing of the type at the exact value.

/// The number of ULP of `f32` in 1 at a magnitude: a power of two, and 2^149 below the normal range. Computed from bits, so that
/// loops vectorise.
#[inline(always)]
pub fn per_unit_f32(magnitude: f64) -> f64 {
    const LEAST: u64 = (1023 - 126) << 52;
    let exponent = (magnitude.to_bits() & f64::INFINITY.to_bits()).max(LEAST);
    f64::from_bits(((2 * 1023 + 23) << 52) - exponent)
}

/// The spacing of `f64` at a magnitude: 2^-1074 below the normal range.
fn spacing_f64(magnitude: f64) -> f64 {
    let exponent = (magnitude.to_bits() >> 52) as i32 - 1023;
    // `powi` is not accurate for 2^-1074 on some platforms, so it is made from bits.
    match exponent.max(-1022) - 52 {
        e if e < -1022 => f64::from_bits(1 << (e + 1074)),
        e => f64::from_bits(((e + 1023) as u64) << 52),
    }
}

/// The error of an `f32`. It is infinite if one of the two is NaN or infinite and the other is not, and for a zero of the wrong sign
/// where the exact value is too small for the type.
pub fn error_f32(got: f32, exact: f64, floor: f64) -> f64 {
    // If the exact value rounds to infinity, the result must be infinite.
    let exact = if (exact as f32).is_infinite() { f64::from(exact as f32) } else { exact };
    if let Some(error) = special(f64::from(got), exact, f64::from(f32::from_bits(1))) {
        return error;
    }
    (f64::from(got) - exact).abs() * per_unit_f32(exact.abs().max(floor))
}

/// The error of an `f64` against hi + lo.
pub fn error_f64(got: f64, (hi, lo): (f64, f64), floor: f64) -> f64 {
    if let Some(error) = special(got, hi, f64::from_bits(1)) {
        return error;
    }
    // Both differences are small beside hi, and the first is exact, so no digit of lo is lost.
    ((got - hi) - lo).abs() / spacing_f64(hi.abs().max(floor))
}

/// `least` is the least number above 0 of the type.
fn special(got: f64, exact: f64, least: f64) -> Option<f64> {
    if got.is_nan() || exact.is_nan() {
        return Some(if got.is_nan() == exact.is_nan() { 0.0 } else { f64::INFINITY });
    }
    if got.is_infinite() || exact.is_infinite() {
        return Some(if got == exact { 0.0 } else { f64::INFINITY });
    }
    if got == 0.0 && exact != 0.0 && exact.abs() < least && got.is_sign_negative() != exact.is_sign_negative() {
        return Some(f64::INFINITY);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ulp_is_the_spacing_at_the_exact_value() {
        assert_eq!(error_f32(1.0 + f32::EPSILON, 1.0, 0.0), 1.0);
        assert_eq!(error_f32(1.0 - f32::EPSILON / 2.0, 1.0, 0.0), 0.5);
        assert_eq!(error_f32(f32::from_bits(3), 0.0, 0.0), 3.0);
        assert_eq!(error_f32(f32::from_bits(3), f64::from(f32::from_bits(1)) * 1.5, 0.0), 1.5);
        assert_eq!(error_f64(1.0, (1.0, f64::EPSILON / 4.0), 0.0), 0.25);
        assert_eq!(error_f64(f64::from_bits(3), (0.0, 0.0), 0.0), 3.0);
        assert_eq!(error_f32(0.001, 0.0, 1.0), f64::from(0.001_f32) / f64::from(f32::EPSILON));
    }

    #[test]
    fn errors_that_ulp_cannot_express_are_infinite() {
        assert_eq!(error_f32(f32::NAN, 1.0, 0.0), f64::INFINITY);
        assert_eq!(error_f32(1.0, f64::NAN, 0.0), f64::INFINITY);
        assert_eq!(error_f32(f32::NAN, f64::NAN, 0.0), 0.0);
        assert_eq!(error_f32(f32::INFINITY, 1.0, 0.0), f64::INFINITY);
        assert_eq!(error_f32(0.0, -1e-60, 0.0), f64::INFINITY);
        assert!(error_f32(-0.0, -1e-60, 0.0) < 1e-10);
        assert_eq!(error_f32(f32::INFINITY, 1e39, 0.0), 0.0);
        assert_eq!(error_f32(f32::MAX, 1e39, 0.0), f64::INFINITY);
        assert_eq!(error_f32(f32::INFINITY, f64::from(f32::MAX), 0.0), f64::INFINITY);
        assert!(error_f32(0.0, -1e-9, 1.0) < 0.01);
    }
}
