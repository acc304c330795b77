//! The loops around the kernels of [`Exact`](super::Exact): they convert to `f64`, and back with one rounding.

use crate::kernel::dispatch::Task;
use crate::kernel::element::{Element, Lane};
use crate::math::two_to;

/// The assumed relative error of the kernels for `f64`. It is 16 times their actual error.
const RELATIVE: f64 = two_to(-44);

/// The absolute error of the kernel for x in a range: `parts[0] + parts[1] |x| + parts[2] x^2`. It is for results that are small
/// because their parts cancel.
#[derive(Clone, Copy, Debug)]
pub struct Reach {
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) parts: [f64; 3],
}

impl Reach {
    /// An empty range.
    pub(super) const RELATIVE: Self = Self { from: f64::INFINITY, to: f64::NEG_INFINITY, parts: [0.0; 3] };
}

/// The format to which results are rounded. They are always stored as `f32`.
#[derive(Clone, Copy)]
pub(crate) struct Format {
    /// The least normal number; 0 for `f32`, because the CPU itself rounds to it.
    least_normal: f64,
    /// The greatest number.
    greatest: f64,
    /// A factor for powers of two. A sum with such a product has the spacing of the format at that power.
    coarse: f64,
}

impl Format {
    pub(crate) fn of<T: Element<Float = f32>>() -> Self {
        if T::IS_FLOAT {
            return Self { least_normal: 0.0, greatest: 0.0, coarse: 0.0 };
        }
        // 1.5 2^52 has the spacing 1.
        let coarse = 1.5 / f64::EPSILON * f64::from(T::epsilon().widened());
        let [least_normal, greatest] = [T::min_positive_value(), T::max_value()].map(|x| f64::from(x.widened()));
        Self { least_normal, greatest, coarse }
    }

    pub(super) fn is_f32(self) -> bool {
        self.least_normal == 0.0
    }

    /// Rounds to nearest, ties to even.
    #[inline(always)]
    pub(crate) fn round(self, y: f64) -> f32 {
        if self.is_f32() {
            return y as f32;
        }
        // Above 2^200 a number becomes infinite anyway, and an infinity must not become NaN.
        let magnitude = f64::from_bits(y.to_bits() & 0x7ff0_0000_0000_0000).max(self.least_normal).min(1e60);
        let coarse = magnitude * self.coarse;
        let rounded = (y + coarse) - coarse;
        let overflowing = if rounded.abs() > self.greatest { f64::INFINITY } else { rounded };
        overflowing.copysign(y) as f32
    }
}

/// The rounded result, and whether it is decided, which it is if the lower and the upper bound round to the same number.
///
/// `PARTS` is the number of parts of `reach` that are used. With one part, results must be finite.
#[inline(always)]
pub(super) fn decided<const PARTS: usize>(reach: Reach, format: Format, x: f64, y: f64) -> (f32, bool) {
    if PARTS == 0 {
        let (low, high) = (format.round(y * (1.0 - RELATIVE)), format.round(y * (1.0 + RELATIVE)));
        return (low, low == high || x.is_nan());
    }
    let [constant, line, square] = reach.parts;
    let (relative, absolute) = if PARTS == 1 {
        (y.abs() * RELATIVE, constant)
    } else {
        // An infinite x or y must not make these infinite, because the difference of two infinities is NaN.
        let a = x.abs().min(1e60);
        (y.abs().min(1e300) * RELATIVE, constant + a * (line + a * square))
    };
    let by = relative + if reach.from <= x && x <= reach.to { absolute } else { 0.0 };
    let (low, high) = (format.round(y - by), format.round(y + by));
    // Compares bits, because 0.0 and -0.0 are equal as numbers.
    (low, (low == high && by <= y.abs()) || x.is_nan())
}

/// Numbers as `f64`.
pub(super) struct Widen<'a> {
    pub(super) from: &'a [f32],
    pub(super) to: &'a mut [f64],
}

impl Task<f64> for Widen<'_> {
    type Output = ();
    type Home = Self;

    #[inline(always)]
    fn run<R: Lane<f64>>(self) {
        for (to, &from) in self.to.iter_mut().zip(self.from) {
            *to = from.into();
        }
    }
}

/// Rounds the results that are decided. Returns whether any result is not.
pub(super) struct Round<'a, const PARTS: usize> {
    pub(super) reach: Reach,
    pub(super) format: Format,
    pub(super) x: &'a [f64],
    pub(super) y: &'a [f64],
    pub(super) out: &'a mut [f32],
}

impl<const PARTS: usize> Task<f64> for Round<'_, PARTS> {
    type Output = bool;
    type Home = Self;

    #[inline(always)]
    fn run<R: Lane<f64>>(self) -> bool {
        let Self { reach, format, x, y, out } = self;
        let mut undecided = 0_u32;
        for ((out, &x), &y) in out.iter_mut().zip(x).zip(y) {
            let (rounded, is_decided) = decided::<PARTS>(reach, format, x, y);
            *out = rounded;
            undecided |= u32::from(!is_decided);
        }
        undecided != 0
    }
}

/// Derivatives times the gradients of outputs, rounded once.
pub(super) struct Products<'a> {
    pub(super) format: Format,
    pub(super) grad_y: &'a [f32],
    pub(super) grad_x: &'a mut [f32],
}

impl Task<f64> for Products<'_> {
    type Output = ();
    type Home = Self;

    #[inline(always)]
    fn run<R: Lane<f64>>(self) {
        for (grad_x, &grad_y) in self.grad_x.iter_mut().zip(self.grad_y) {
            // The product of two `f32` is exact in `f64`.
            *grad_x = self.format.round(f64::from(grad_y) * f64::from(*grad_x));
        }
    }
}
