//! Reductions in an order that does not depend on the CPU, and sums to twice the working precision.
//!
//! Numbers come in columns, arrays with a number for each lane. A reduction lane by lane gives an array again, and [`across`]
//! combines its lanes.

use crate::kernel::abreast::Abreast;
use crate::kernel::element::{Float, Lane};
use crate::kernel::level::OLD;
use crate::kernel::real::Real;
use crate::math::{fast_two_sum, lifted_one, two_sum, unlift};

/// The lanes of a column. This is a whole number of vectors on every CPU, and enough vectors to hide the latency of additions.
pub(crate) const LANES: usize = 32;

/// Half of them.
pub(crate) const HALF: usize = LANES / 2;

/// How many columns are reduced at a time.
pub(crate) const DEPTH: usize = 4;

/// How many exponentials [`Sums`] may take so that the high parts of its lanes add up without rounding.
pub(crate) const CHUNK: usize = 1 << 10;

/// Half the number of exponentials that [`Sums`] may take so that each lane stays in the binade of its seed.
pub(crate) const LANE_CHUNK: usize = 1 << 13;

/// A sum as `(hi, lo)`: its rounded value and the rounding error.
pub(crate) type Partial<R> = (R, R);

/// Adds `term`, which may have any sign and size.
#[inline(always)]
pub(crate) fn add<R: Real>((hi, lo): Partial<R>, term: R) -> Partial<R> {
    let (sum, error) = two_sum(hi, term);
    (sum, lo + error)
}

/// The greatest elements, one in each lane. `NAN` says whether to look for NaN.
#[derive(Clone, Copy)]
pub(crate) struct Greatest<R, const W: usize, const NAN: bool> {
    pub(crate) max: [R; W],
    /// A sum that is NaN if an element is. It is needed because the maximum instructions of most CPUs ignore NaN.
    pub(crate) sum: [R; W],
}

impl<R: Real, const W: usize, const NAN: bool> Greatest<R, W, NAN> {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        Self { max: [R::of(f64::NEG_INFINITY); W], sum: [R::of(0.0); W] }
    }

    #[inline(always)]
    pub(crate) fn take<T: Float>(&mut self, columns: &[[T; W]])
    where
        R: Lane<T>,
    {
        let (blocks, rest) = columns.as_chunks::<DEPTH>();
        for columns in blocks {
            take::<T, R, W, _, NAN>(columns, &mut self.max, &mut self.sum);
        }
        // This loop has nothing left to do. Without it LLVM keeps the maxima in memory in debug builds, which then take 40 % longer.
        let (blocks, rest) = rest.as_chunks::<DEPTH>();
        for columns in blocks {
            take::<T, R, W, _, NAN>(columns, &mut self.max, &mut self.sum);
        }
        for column in rest {
            take::<T, R, W, _, NAN>(&[*column], &mut self.max, &mut self.sum);
        }
    }

    /// The greatest of each lane; infinity for a lane with NaN, if `NAN` is set.
    #[inline(always)]
    pub(crate) fn lanes(&self) -> [R; W] {
        let mut lanes = self.max;
        if NAN {
            for (lane, &sum) in lanes.iter_mut().zip(&self.sum) {
                *lane = marked(*lane, sum);
            }
        }
        lanes
    }
}

/// The greatest; infinity if `sum` is NaN.
#[inline(always)]
pub(crate) fn marked<R: Real>(max: R, sum: R) -> R {
    R::select(sum.le(sum), max, R::of(f64::INFINITY))
}

/// A function of its own, because LLVM knows only of a function's arguments that they do not overlap.
#[inline(always)]
fn take<T: Float, R: Lane<T>, const W: usize, const K: usize, const NAN: bool>(
    columns: &[[T; W]; K],
    max: &mut [R; W],
    sum: &mut [R; W],
) {
    for i in 0..W {
        // Each of four columns has its own chain, so that none waits for another. The order does not matter here.
        let (mut greatest, mut total) = (max[i], sum[i]);
        for four in columns.chunks(4) {
            let (mut chain, mut scaled) = (R::load(four[0][i]), R::of(0.0));
            for column in four {
                let x = R::load(column[i]);
                chain = chain.at_least(x);
                // Scaled down, because large numbers might add up to infinity, and infinity plus a masked score, -inf, is NaN.
                if NAN {
                    scaled = x.mul_add(unlift(), scaled);
                }
            }
            greatest = greatest.at_least(chain);
            if NAN {
                total = total + scaled;
            }
        }
        (max[i], sum[i]) = (greatest, total);
    }
}

/// Sums of up to [`CHUNK`] lifted exponentials in all, or of numbers of any sign: one in each lane.
///
/// Aligned to cache lines, because then the stack of the loops is aligned too. Without that their speed varied.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(crate) struct Sums<R, const W: usize> {
    hi: [R; W],
    lo: [R; W],
}

/// The start value of sums of exponentials. A lane's sum stays in its binade, so all lanes have the same spacing and add without
/// rounding.
#[inline(always)]
pub(crate) fn seed<R: Real>() -> R {
    R::of(2048.0) * lifted_one()
}

/// [`Sums`] of [`LANES`] lanes, in memory between two loops.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(crate) struct LaneSums<T> {
    hi: [T; LANES],
    lo: [T; LANES],
}

impl<T: Float> LaneSums<T> {
    /// See [`Sums::of_exponentials`].
    #[inline]
    pub(crate) fn of_exponentials() -> Self {
        Self { hi: [seed::<T::Plain>().store(); LANES], lo: [T::zero(); LANES] }
    }

    /// See [`Sums::of`].
    #[inline]
    pub(crate) fn of(fast: bool) -> Self {
        if fast { Self::of_anything() } else { Self::of_exponentials() }
    }

    /// See [`Sums::of_anything`].
    #[inline]
    pub(crate) fn of_anything() -> Self {
        Self { hi: [T::zero(); LANES], lo: [T::zero(); LANES] }
    }

    #[inline(always)]
    pub(crate) fn load<R: Lane<T>>(&self) -> Sums<R, LANES> {
        let mut sums = Sums::of_anything();
        for i in 0..LANES {
            (sums.hi[i], sums.lo[i]) = (R::load(self.hi[i]), R::load(self.lo[i]));
        }
        sums
    }

    #[inline(always)]
    pub(crate) fn store<R: Lane<T>>(&mut self, sums: &Sums<R, LANES>) {
        for i in 0..LANES {
            (self.hi[i], self.lo[i]) = (sums.hi[i].store(), sums.lo[i].store());
        }
    }
}

impl<R: Real> Sums<R, LANES> {
    /// The sums of exponentials: the high parts and the low parts. The high parts add without rounding, so their order does not
    /// matter.
    #[inline(always)]
    pub(crate) fn unseeded(&self) -> ([R; HALF], [R; LANES]) {
        let hi = halved(
            &self.hi,
            #[inline(always)]
            |a, b| (a - seed()) + (b - seed()),
        );
        (hi, self.lo)
    }

    /// The counts. They add without rounding, so their order does not matter.
    #[inline(always)]
    pub(crate) fn counts(&self) -> [R; HALF] {
        halved(&self.hi, R::add)
    }
}

impl<R: Real, const W: usize> Sums<R, W> {
    /// The start of sums of exponentials, of [`Fast`](crate::Fast) or not.
    #[inline(always)]
    pub(crate) fn of(fast: bool) -> Self {
        if fast { Self::of_counts() } else { Self::of_exponentials() }
    }

    /// For [`add_bounded`](Self::add_bounded).
    #[inline(always)]
    pub(crate) fn of_exponentials() -> Self {
        Self { hi: [seed(); W], lo: [R::of(0.0); W] }
    }

    /// For [`add`](Self::add).
    #[inline(always)]
    pub(crate) fn of_anything() -> Self {
        Self { hi: [R::of(0.0); W], lo: [R::of(0.0); W] }
    }

    /// For [`count`](Self::count). The counts start at -0.0, because LLVM would write zeros with a call of `memset`, which takes a
    /// hundred nanoseconds to begin.
    #[inline(always)]
    pub(crate) fn of_counts() -> Self {
        Self { hi: [R::of(-0.0); W], lo: [R::of(-0.0); W] }
    }

    /// Adds lifted exponentials to lane i. Only their sum is rounded, by less than an ULP of it.
    #[inline(always)]
    pub(crate) fn add_bounded<const K: usize>(&mut self, i: usize, terms: Abreast<R, K>) {
        let (sum, error) = fast_two_sum(self.hi[i], terms.sum());
        (self.hi[i], self.lo[i]) = (sum, self.lo[i] + error);
    }

    /// Adds numbers of any sign and size to lane i.
    #[inline(always)]
    pub(crate) fn add<const K: usize>(&mut self, i: usize, (hi, lo): Partial<Abreast<R, K>>) {
        (self.hi[i], self.lo[i]) = add((self.hi[i], self.lo[i]), hi.sum());
        self.lo[i] = self.lo[i] + lo.sum();
    }

    /// Adds whole numbers, or exponentials of [`Fast`](crate::Fast), to lane i.
    #[inline(always)]
    pub(crate) fn count<const K: usize>(&mut self, i: usize, terms: Abreast<R, K>) {
        self.hi[i] = self.hi[i] + terms.sum();
    }

    /// Adds another sum to each lane.
    #[inline(always)]
    pub(crate) fn merge(&mut self, (hi, lo): Partial<[R; W]>) {
        for i in 0..W {
            (self.hi[i], self.lo[i]) = add((self.hi[i], self.lo[i]), hi[i]);
            self.lo[i] = self.lo[i] + lo[i];
        }
    }

    /// The sum of each lane, rounded, for terms of any sign.
    #[inline(always)]
    pub(crate) fn rounded(&self) -> [R; W] {
        let mut sum = self.hi;
        for (sum, &lo) in sum.iter_mut().zip(&self.lo) {
            *sum = *sum + lo;
        }
        sum
    }

    /// The sum of each lane, for exponentials.
    #[inline(always)]
    pub(crate) fn exponentials(&self) -> Partial<[R; W]> {
        let mut hi = self.hi;
        for hi in &mut hi {
            *hi = *hi - seed();
        }
        normalised(hi, self.lo)
    }

    /// The sum of each lane, for exponentials of [`Fast`](crate::Fast) or not.
    #[inline(always)]
    pub(crate) fn first(&self, fast: bool) -> Partial<[R; W]> {
        if fast { (self.hi, self.lo) } else { self.exponentials() }
    }

    /// The sum of each lane, for terms of any sign.
    #[inline(always)]
    pub(crate) fn anything(&self) -> Partial<[R; W]> {
        normalised(self.hi, self.lo)
    }
}

/// Computes `f(a)`, at old levels in a function of its own: all loops share it, and each would contain it several times unrolled.
#[inline(always)]
fn apart<R: Real, A, B>(a: &A, f: impl Fn(&A) -> B) -> B {
    #[inline(never)]
    fn call<A, B>(a: &A, f: impl Fn(&A) -> B) -> B {
        f(a)
    }

    if const { OLD && !R::FUSED } { call(a, f) } else { f(a) }
}

/// The sum of all lanes for each of G rows, for terms of any sign.
#[inline(always)]
pub(crate) fn total_anything<R: Real, const G: usize>(sums: &[Sums<R, LANES>; G]) -> Partial<[R; G]> {
    apart::<R, _, _>(
        sums,
        #[inline(always)]
        |sums| total(sums),
    )
}

#[inline(always)]
fn total<R: Real, const G: usize>(sums: &[Sums<R, LANES>; G]) -> Partial<[R; G]> {
    // The lanes are rounded to a grid as coarse as the spacing at twice the sum, and the rounded numbers add without rounding. The
    // remainders are small. A tree of `two_sum` would take three times as long.
    let mut hi = [[R::of(0.0); LANES]; G];
    let mut lo = hi;
    for g in 0..G {
        (hi[g], lo[g]) = (sums[g].hi, sums[g].lo);
    }
    let mut size = hi;
    for size in size.as_flattened_mut() {
        *size = size.abs();
    }
    let grid = across(&size, R::add);
    for g in 0..G {
        let grid = grid[g] + grid[g];
        for i in 0..LANES {
            let on_grid = (hi[g][i] + grid) - grid;
            (hi[g][i], lo[g][i]) = (on_grid, lo[g][i] + (hi[g][i] - on_grid));
        }
    }
    normalised(across(&hi, R::add), across(&lo, R::add))
}

#[inline(always)]
pub(crate) fn normalised<R: Real, const N: usize>(mut hi: [R; N], mut lo: [R; N]) -> Partial<[R; N]> {
    for (hi, lo) in hi.iter_mut().zip(&mut lo) {
        (*hi, *lo) = fast_two_sum(*hi, *lo);
    }
    (hi, lo)
}

/// Combines lane i with lane i + `HALF`. Use it where `f` does not round, because the order then does not matter.
#[inline(always)]
pub(crate) fn halved<R: Real>(lanes: &[R; LANES], f: impl Fn(R, R) -> R) -> [R; HALF] {
    let mut half = [R::of(0.0); HALF];
    for i in 0..HALF {
        half[i] = f(lanes[i], lanes[i + HALF]);
    }
    half
}

/// Combines the lanes of each of G rows by pairs. The trees of several rows run side by side, because one tree is a long chain.
#[inline(always)]
pub(crate) fn across<R: Real, const G: usize>(lanes: &[[R; LANES]; G], f: impl Fn(R, R) -> R + Copy) -> [R; G] {
    across_half(&paired(lanes, f), f)
}

/// The first level of [`across`].
#[inline(always)]
pub(crate) fn paired<R: Real, const G: usize>(lanes: &[[R; LANES]; G], f: impl Fn(R, R) -> R) -> [[R; HALF]; G] {
    // All rows in one loop: a loop over the rows would not vectorise well.
    let mut half = [[R::of(0.0); HALF]; G];
    for (to, pair) in half.as_flattened_mut().iter_mut().zip(lanes.as_flattened().as_chunks::<2>().0) {
        *to = f(pair[0], pair[1]);
    }
    half
}

/// The levels of [`across`] after the first.
#[inline(always)]
pub(crate) fn across_half<R: Real, const G: usize>(lanes: &[[R; HALF]; G], f: impl Fn(R, R) -> R) -> [R; G] {
    macro_rules! levels {
        ($from:ident: $($width:literal)*) => {$(
            let mut to = [[R::of(0.0); $width]; G];
            for (to, pair) in to.as_flattened_mut().iter_mut().zip($from.as_flattened().as_chunks::<2>().0) {
                *to = f(pair[0], pair[1]);
            }
            let $from = to;
        )*};
    }
    let from = lanes;
    levels!(from: 8 4 2);
    let mut all = [R::of(0.0); G];
    for (all, [a, b]) in all.iter_mut().zip(from) {
        *all = f(a, b);
    }
    all
}
