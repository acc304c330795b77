//! Reductions over a row, in an order that does not depend on the CPU: fixed lanes, then a fixed tree.

use crate::element::{Element, Lane};
use crate::math::two_sum;

/// Accumulators of a reduction: element i goes to accumulator i mod LANES, on every CPU.
const LANES: usize = 32;

/// Elements that an accumulator takes up before the sum so far is put away without error.
const DEPTH: usize = 16;

/// The greatest element, passing over NaN; -inf for an empty row.
#[inline(always)]
pub(crate) fn max<T: Element, R: Lane<T>>(row: &[T]) -> R {
    let (chunks, rest) = row.as_chunks::<LANES>();
    let mut lanes = [R::of(f64::NEG_INFINITY); LANES];
    for chunk in chunks {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane = lane.at_least(R::load(x));
        }
    }
    for (lane, &x) in lanes.iter_mut().zip(rest) {
        *lane = lane.at_least(R::load(x));
    }
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] = lanes[i].at_least(lanes[i + width]);
        }
        width /= 2;
    }
    lanes[0]
}

/// The sum as an unevaluated `(hi, lo)`; zero for an empty row.
///
/// Error: an accumulator takes 16 terms at a time by plain addition, which costs at most 7.5 half-ulps where all terms
/// are alike and much less on average; everything after is exact to twice the precision.
#[inline(always)]
pub(crate) fn sum<T: Element, R: Lane<T>>(row: &[T]) -> (R, R) {
    compensated(row, row, |x, _| x)
}

/// The sum of the products, as [`sum`]; each product is rounded.
#[inline(always)]
pub(crate) fn dot<T: Element, R: Lane<T>>(a: &[T], b: &[T]) -> (R, R) {
    compensated(a, b, |a, b| a * b)
}

#[inline(always)]
fn compensated<T: Element, R: Lane<T>>(a: &[T], b: &[T], term: impl Fn(R, R) -> R) -> (R, R) {
    let zero = R::of(0.0);
    let (mut hi, mut lo) = ([zero; LANES], [zero; LANES]);
    for (a, b) in a.chunks(LANES * DEPTH).zip(b.chunks(LANES * DEPTH)) {
        let mut part = [zero; LANES];
        let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
        for (a, b) in a.iter().zip(b) {
            for ((part, &a), &b) in part.iter_mut().zip(a).zip(b) {
                *part = *part + term(R::load(a), R::load(b));
            }
        }
        for ((part, &a), &b) in part.iter_mut().zip(a_rest).zip(b_rest) {
            *part = *part + term(R::load(a), R::load(b));
        }
        for ((hi, lo), part) in hi.iter_mut().zip(&mut lo).zip(part) {
            let (sum, error) = two_sum(*hi, part);
            (*hi, *lo) = (sum, *lo + error);
        }
    }
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            let (sum, error) = two_sum(hi[i], hi[i + width]);
            (hi[i], lo[i]) = (sum, lo[i] + lo[i + width] + error);
        }
        width /= 2;
    }
    two_sum(hi[0], lo[0])
}
