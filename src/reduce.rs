//! Reductions over rows, in an order that does not depend on the CPU, and to twice the working precision.
//!
//! Element i goes to accumulator i mod [`LANES`], then a fixed tree. Rows side by side have an accumulator each. A row is
//! taken in blocks of `DEPTH` elements for each accumulator, so that the loop over accumulators is the innermost that is
//! left after unrolling, and vectorises.

use crate::element::{Element, Lane};
use crate::math::{fast_two_sum, two_sum};
use crate::real::Real;

pub(crate) const LANES: usize = 32;
const DEPTH: usize = 16;
const BLOCK: usize = LANES * DEPTH;

/// The greatest element, -inf for an empty row. A NaN may be passed over or be the result.
#[inline(always)]
pub(crate) fn max<T: Element, R: Lane<T>>(row: &[T]) -> R {
    let mut lanes = [R::of(f64::NEG_INFINITY); LANES];
    let (blocks, rest) = row.as_chunks::<BLOCK>();
    for block in blocks {
        for (i, lane) in lanes.iter_mut().enumerate() {
            // Four chains, so that none waits for another: the order does not matter here.
            let mut chains = [*lane; 4];
            for k in 0..DEPTH {
                chains[k % 4] = chains[k % 4].at_least(R::load(block[k * LANES + i]));
            }
            *lane = chains[0].at_least(chains[1]).at_least(chains[2].at_least(chains[3]));
        }
    }
    let (chunks, rest) = rest.as_chunks::<LANES>();
    for chunk in chunks {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane = lane.at_least(R::load(x));
        }
    }
    if !rest.is_empty() {
        let mut last = [R::of(f64::NEG_INFINITY); LANES];
        for (last, &x) in last.iter_mut().zip(rest) {
            *last = last.at_least(R::load(x));
        }
        for (lane, last) in lanes.iter_mut().zip(last) {
            *lane = lane.at_least(last);
        }
    }
    tree(lanes, R::at_least)
}

/// A sum in progress: its rounded value, and what the rounding took away.
pub(crate) type Partial<R> = (R, R);

/// `term` more, for terms from 0 up to what the sum began with.
#[inline(always)]
pub(crate) fn add_bounded<R: Real>((hi, lo): Partial<R>, term: R) -> Partial<R> {
    let (sum, error) = fast_two_sum(hi, term);
    (sum, lo + error)
}

/// `term` more, of any sign and size.
#[inline(always)]
pub(crate) fn add<R: Real>((hi, lo): Partial<R>, term: R) -> Partial<R> {
    let (sum, error) = two_sum(hi, term);
    (sum, lo + error)
}

/// Sums, one in each lane, that began with `seed`.
pub(crate) struct Sums<R> {
    hi: [R; LANES],
    lo: [R; LANES],
    seed: R,
}

impl<R: Real> Sums<R> {
    #[inline(always)]
    pub(crate) fn new(seed: R) -> Self {
        Self { hi: [seed; LANES], lo: [R::of(0.0); LANES], seed }
    }

    /// Element i of both slices, of equal length, to lane i mod `LANES`, by `step`.
    #[inline(always)]
    pub(crate) fn add<T: Element>(&mut self, a: &[T], b: &[T], step: impl Fn(Partial<R>, R, R) -> Partial<R>)
    where
        R: Lane<T>,
    {
        let ((a_blocks, mut a), (b_blocks, mut b)) = (a.as_chunks::<BLOCK>(), b.as_chunks::<BLOCK>());
        for (a, b) in a_blocks.iter().zip(b_blocks) {
            accumulate(&mut self.hi, &mut self.lo, a, b, &step);
        }
        // What is left of a block, by halves: a loop over the chunks themselves would be unrolled into scalar additions.
        macro_rules! half {
            ($depth:expr) => {
                if let (Some((a_block, a_rest)), Some((b_block, b_rest))) =
                    (a.split_first_chunk::<{ LANES * $depth }>(), b.split_first_chunk::<{ LANES * $depth }>())
                {
                    accumulate(&mut self.hi, &mut self.lo, a_block, b_block, &step);
                    (a, b) = (a_rest, b_rest);
                }
            };
        }
        half!(DEPTH / 2);
        half!(DEPTH / 4);
        half!(DEPTH / 8);
        half!(DEPTH / 16);
        if !a.is_empty() {
            let (mut last_a, mut last_b) = ([R::of(0.0); LANES], [R::of(0.0); LANES]);
            // The additions keep these from becoming calls that copy memory.
            for ((last_a, last_b), (&a, &b)) in last_a.iter_mut().zip(&mut last_b).zip(a.iter().zip(b)) {
                (*last_a, *last_b) = (*last_a + R::load(a), *last_b + R::load(b));
            }
            for i in 0..LANES {
                (self.hi[i], self.lo[i]) = step((self.hi[i], self.lo[i]), last_a[i], last_b[i]);
            }
        }
    }

    /// An element to each lane, by `step`.
    #[inline(always)]
    pub(crate) fn add_to_each<T: Element>(&mut self, terms: &[T; LANES], step: impl Fn(Partial<R>, R) -> Partial<R>)
    where
        R: Lane<T>,
    {
        for ((hi, lo), &term) in self.hi.iter_mut().zip(&mut self.lo).zip(terms) {
            (*hi, *lo) = step((*hi, *lo), R::load(term));
        }
    }

    /// The sum in lane i.
    #[inline(always)]
    pub(crate) fn lane(&self, i: usize) -> Partial<R> {
        total((self.hi[i], self.lo[i]), self.seed)
    }

    /// The sum of all lanes.
    #[inline(always)]
    pub(crate) fn total(&self) -> Partial<R> {
        // On a grid as coarse as the spacing at twice the sum, the lanes add without rounding; what is off the grid is
        // small. A tree of `two_sum` takes three times as long.
        let (mut size, mut hi, mut lo) = (self.hi, self.hi, self.lo);
        for size in &mut size {
            *size = size.abs();
        }
        let grid = tree(size, R::add) * R::of(2.0);
        for i in 0..LANES {
            hi[i] = (self.hi[i] + grid) - grid;
            lo[i] = lo[i] + (self.hi[i] - hi[i]);
        }
        total((tree(hi, R::add), tree(lo, R::add)), self.seed * R::of(LANES as f64))
    }
}

/// The lanes put together by halves.
#[inline(always)]
fn tree<R: Real>(lanes: [R; LANES], f: impl Fn(R, R) -> R) -> R {
    macro_rules! halves {
        ($lanes:ident: $($width:literal)*) => {$(
            let (low, high) = $lanes.split_at($width);
            let mut halved = [R::of(0.0); $width];
            for i in 0..$width {
                halved[i] = f(low[i], high[i]);
            }
            let $lanes = halved;
        )*};
    }
    halves!(lanes: 16 8 4 2 1);
    lanes[0]
}

/// The sum without the seed.
#[inline(always)]
pub(crate) fn total<R: Real>((hi, lo): Partial<R>, seed: R) -> Partial<R> {
    let (sum, error) = two_sum(hi, -seed);
    fast_two_sum(sum, lo + error)
}

/// N / `LANES` terms to each lane. A function, for its arguments are known not to overlap.
#[inline(always)]
fn accumulate<T: Element, R: Lane<T>, const N: usize>(
    hi: &mut [R; LANES],
    lo: &mut [R; LANES],
    a: &[T; N],
    b: &[T; N],
    step: &impl Fn(Partial<R>, R, R) -> Partial<R>,
) {
    for i in 0..LANES {
        let mut partial = (hi[i], lo[i]);
        for k in 0..N / LANES {
            partial = step(partial, R::load(a[k * LANES + i]), R::load(b[k * LANES + i]));
        }
        (hi[i], lo[i]) = partial;
    }
}
