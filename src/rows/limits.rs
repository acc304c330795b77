//! Scores that leave the range of the type, because a temperature is very low or a bias very large. Their rows are shifted first,
//! so that the results are the limits and not NaN. A shift does not change the value of a function of rows.

use num_traits::float::FloatCore;

use crate::kernel::dispatch::{Task, dispatch};
use crate::kernel::element::{Float, Lane, kernel};
use crate::kernel::level::Level;
use crate::kernel::real::Real;

/// The scale, in the range of the type: neither 0, which would make NaN of -inf, nor infinite, which would make NaN of 0.
pub(crate) fn in_range<T: Float>(scale: f64) -> f64 {
    let least = T::Plain::per_type(f32::from_bits(1), f64::from_bits(1)).wide();
    scale.abs().clamp(least, T::max_value().into()).copysign(scale)
}

/// The greatest magnitude of finite elements; 0 if there is none.
pub(crate) fn magnitude<T: Float>(level: Level, x: &[T]) -> T {
    T::run(&Magnitude, level, x)
}

struct Magnitude;

kernel!(Magnitude: Args<'a, T> = &'a [T], -> T, |_, level, x| dispatch(level, OfSlice(x)));

struct OfSlice<'a, T>(&'a [T]);

impl<T: Float> Task<T> for OfSlice<'_, T> {
    type Output = T;
    type Home = Self;

    #[inline(always)]
    fn run<R: Lane<T>>(self) -> T {
        const LANES: usize = 32;
        let (zero, infinity) = (R::of(0.0), R::of(f64::INFINITY));
        let finite = |x: &T| {
            let x = R::load(*x).abs();
            R::select(x.lt(infinity), x, zero)
        };
        let mut lanes = [zero; LANES];
        let (columns, rest) = self.0.as_chunks::<LANES>();
        for column in columns {
            for i in 0..LANES {
                lanes[i] = lanes[i].at_least(finite(&column[i]));
            }
        }
        for x in rest {
            lanes[0] = lanes[0].at_least(finite(x));
        }
        let mut greatest = zero;
        for lane in lanes {
            greatest = greatest.at_least(lane);
        }
        greatest.store()
    }
}

/// The best score of a row. It decides whether the row is shifted, and by how much.
#[derive(Clone, Copy)]
pub(crate) struct Best<T> {
    scale: T,
    /// The element whose score is the greatest without its bias, times the sign of the scale.
    element: T,
    score: T,
}

impl<T: Float> Best<T> {
    pub(crate) fn new(scale: f64) -> Self {
        Self { scale: Float::of(in_range::<T>(scale)), element: T::neg_infinity(), score: T::neg_infinity() }
    }

    /// Looks at more elements and their biases. Masked elements do not count.
    pub(crate) fn take(&mut self, x: &[T], bias: Option<&[T]>, keep: Option<&[bool]>) {
        for (i, &x) in x.iter().enumerate() {
            let bias = bias.map_or(T::zero(), |bias| bias[i]);
            if x.is_finite() && bias != T::neg_infinity() && keep.is_none_or(|keep| keep[i]) {
                self.element = FloatCore::max(self.element, x * self.scale.signum());
                self.score = FloatCore::max(self.score, x * self.scale + bias);
            }
        }
    }

    /// The number to subtract from each element. `None` unless the best score is infinite although its element is finite.
    pub(crate) fn shift(&self) -> Option<T> {
        (self.score.is_infinite() && self.element.is_finite()).then(|| self.element * self.scale.signum())
    }
}

/// Subtracts the shift from each element. An element that is greater than the shift is masked, or has a bias of -inf. It becomes
/// 0, so that its score does not become NaN.
pub(crate) fn shift_all<T: Float>(x: &mut [T], shift: T, scale: f64) {
    for x in x {
        let shifted = *x - shift;
        let masked = shifted * Float::of(scale.signum()) > T::zero() && x.is_finite();
        *x = if masked { T::zero() } else { shifted };
    }
}
