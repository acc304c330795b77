//! Reductions over a row, in an order that does not depend on the CPU: fixed lanes, then a fixed tree.
//!
//! Element i goes to accumulator i mod `LANES`. A row is taken in blocks of `DEPTH` elements for each accumulator, so
//! that the loop over accumulators is the innermost that is left after unrolling, and vectorises.

use crate::element::{Element, Lane};
use crate::math::two_sum;

const LANES: usize = 32;
const DEPTH: usize = 16;
const BLOCK: usize = LANES * DEPTH;

/// The greatest element, passing over NaN; -inf for an empty row.
#[inline(always)]
pub(crate) fn max<T: Element, R: Lane<T>>(row: &[T]) -> R {
    let mut lanes = [R::of(f64::NEG_INFINITY); LANES];
    let (blocks, rest) = row.as_chunks::<BLOCK>();
    for block in blocks {
        for (i, lane) in lanes.iter_mut().enumerate() {
            for k in 0..DEPTH {
                *lane = lane.at_least(R::load(block[k * LANES + i]));
            }
        }
    }
    let (chunks, rest) = rest.as_chunks::<LANES>();
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

/// The sum of the elements below `top`, as [`sum`], and the sum of the others, which must be `top`.
#[inline(always)]
pub(crate) fn sums_below_and_at<T: Element, R: Lane<T>>(row: &[T], top: R) -> ((R, R), R) {
    let zero = R::of(0.0);
    let below = compensated(row, row, |x: R, _| R::select(x.lt(top), x, zero));
    (below, compensated(row, row, |x: R, _| R::select(x.lt(top), zero, x)).0)
}

/// The sum of the products, as [`sum`]; each product is rounded.
#[inline(always)]
pub(crate) fn dot<T: Element, R: Lane<T>>(a: &[T], b: &[T]) -> (R, R) {
    compensated(a, b, |a, b| a * b)
}

/// Adds N / `LANES` terms to each accumulator. A function, for its arguments are known not to overlap.
#[inline(always)]
fn accumulate<T: Element, R: Lane<T>, const N: usize>(
    parts: &mut [R; LANES],
    a: &[T; N],
    b: &[T; N],
    term: &impl Fn(R, R) -> R,
) {
    for (i, part) in parts.iter_mut().enumerate() {
        for k in 0..N / LANES {
            *part = *part + term(R::load(a[k * LANES + i]), R::load(b[k * LANES + i]));
        }
    }
}

#[inline(always)]
fn compensated<T: Element, R: Lane<T>>(a: &[T], b: &[T], term: impl Fn(R, R) -> R) -> (R, R) {
    let zero = R::of(0.0);
    let (mut hi, mut lo) = ([zero; LANES], [zero; LANES]);
    let ((a_blocks, mut a), (b_blocks, mut b)) = (a.as_chunks::<BLOCK>(), b.as_chunks::<BLOCK>());
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for i in 0..LANES {
            let mut part = term(R::load(a[i]), R::load(b[i]));
            for k in 1..DEPTH {
                part = part + term(R::load(a[k * LANES + i]), R::load(b[k * LANES + i]));
            }
            let (sum, error) = two_sum(hi[i], part);
            (hi[i], lo[i]) = (sum, lo[i] + error);
        }
    }
    // What is left of a block, by halves: a loop over the chunks themselves would be unrolled into scalar additions.
    let mut parts = [zero; LANES];
    macro_rules! half {
        ($depth:expr) => {
            if let (Some((a_block, a_rest)), Some((b_block, b_rest))) =
                (a.split_first_chunk::<{ LANES * $depth }>(), b.split_first_chunk::<{ LANES * $depth }>())
            {
                accumulate(&mut parts, a_block, b_block, &term);
                (a, b) = (a_rest, b_rest);
            }
        };
    }
    half!(DEPTH / 2);
    half!(DEPTH / 4);
    half!(DEPTH / 8);
    half!(DEPTH / 16);
    // The addition of zero keeps this from becoming a call that copies memory.
    let mut last = [zero; LANES];
    for ((last, &a), &b) in last.iter_mut().zip(a).zip(b) {
        *last = term(R::load(a), R::load(b)) + zero;
    }
    for (part, last) in parts.iter_mut().zip(last) {
        *part = *part + last;
    }
    for i in 0..LANES {
        let (sum, error) = two_sum(hi[i], parts[i]);
        (hi[i], lo[i]) = (sum, lo[i] + error);
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
