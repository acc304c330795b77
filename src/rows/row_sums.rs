//! What log-sum-exp and the losses need of rows: the greatest element, the sum of the exponentials, and a weighted sum of
//! the distances from the greatest.
//!
//! Rows of up to [`CHUNK`] go several in step, as those of [`rows`](crate::rows::engine) do, longer ones by chunks. What a row gives
//! depends on the row alone.

use crate::kernel::element::{Float, Lane};
use crate::kernel::real::{Abreast, Real};
use crate::math::{RowExp, lifted_one, log1p_of_sum_unrounded, unlift};
use crate::rows::engine::{GROUP, Row, Scale, greatest_of_row, padded};
use crate::rows::probability::{Complement, Normaliser};
use crate::rows::reduce::{
    CHUNK, DEPTH, Greatest, LANE_CHUNK, LANES, Partial, Sums, across, add, total_anything, total_exponentials,
};

/// Weights of the elements of a row: w (a t + b), the distribution t and the weights w of the classes if there are any.
#[derive(Clone, Copy)]
pub(crate) struct Weights<'a, T> {
    pub(crate) t: Option<&'a [T]>,
    pub(crate) w: Option<&'a [T]>,
    pub(crate) a: T,
    pub(crate) b: T,
}

impl<'a, T: Float> Weights<'a, T> {
    /// For those who ask for no weighted sums.
    pub(crate) fn none() -> Self {
        Self { t: None, w: None, a: T::zero(), b: T::zero() }
    }

    /// Of some elements of the row, to as many of `out`.
    #[inline(always)]
    pub(crate) fn write<R: Lane<T>>(&self, from: usize, out: &mut [T]) {
        let (a, b) = (R::load(self.a), R::load(self.b));
        match self.t {
            Some(t) => {
                for (out, &t) in out.iter_mut().zip(&t[from..]) {
                    *out = R::load(t).mul_add(a, b).store();
                }
            }
            None => out.fill(self.b),
        }
        if let Some(w) = self.w {
            for (out, &w) in out.iter_mut().zip(&w[from..]) {
                *out = (R::load(*out) * R::load(w)).store();
            }
        }
    }

    /// Of the row number i, if the distributions are those of several.
    #[inline(always)]
    pub(crate) fn of_row(self, i: usize, row_len: usize) -> Self {
        Self { t: self.t.map(|t| &t[i * row_len..][..row_len]), ..self }
    }
}

/// What is known of a row.
#[derive(Clone, Copy)]
pub(crate) struct RowSums<R> {
    /// The first sum is that of the exponentials but for the greatest, the second counts it.
    pub(crate) row: Row<R>,
    /// The sum of the weights, and of the weights times the distances from the greatest element.
    pub(crate) weight: R,
    pub(crate) distance: R,
}

impl<R: Real> RowSums<R> {
    /// log(sum of e^(x - greatest)), not rounded. NaN for a row with NaN or +inf, or of nothing but -inf.
    #[inline(always)]
    pub(crate) fn log(&self) -> Partial<R> {
        let Row { scale, first, second } = self.row;
        let (rest, rest_lo) = Normaliser::of((scale.top, R::of(0.0))).ratio(first);
        let (hi, lo) = log1p_of_sum_unrounded(second.0 - R::of(1.0), rest, rest_lo);
        (hi, lo + scale.greatest.abs() * R::of(0.0))
    }
}

/// Sums in the making.
#[derive(Clone, Copy)]
struct Accumulators<R> {
    rest: Sums<R, LANES>,
    tops: [R; LANES],
    weight: Sums<R, LANES>,
    distance: Sums<R, LANES>,
}

impl<R: Real> Accumulators<R> {
    #[inline(always)]
    fn new() -> Self {
        let zero = Sums::of_anything();
        Self { rest: Sums::of_exponentials(), tops: [R::of(0.0); LANES], weight: zero, distance: zero }
    }
}

/// Calls `f` with the sums of each group of up to [`GROUP`] rows (those of longer rows are alone): the index of the first,
/// their elements and their exponentials. These are in `e`, if there is one.
#[inline(always)]
pub(crate) fn for_each_group<T: Float, R: Lane<T>, const WEIGHTED: bool>(
    x: &[T],
    row_len: usize,
    weights: Weights<'_, T>,
    mut e: Option<&mut [T]>,
    mut f: impl FnMut(usize, &[T], Option<&mut [T]>, &[RowSums<R>]),
) {
    if row_len == 0 {
        return;
    }
    let group = if row_len <= CHUNK { GROUP } else { 1 };
    for (g, x) in x.chunks(group * row_len).enumerate() {
        let at = g * group;
        let mut e = e.as_deref_mut().map(|e| &mut e[at * row_len..][..x.len()]);
        let of_rows = |i| weights.of_row(at + i, row_len);
        if row_len <= CHUNK {
            let sums = in_step::<T, R, WEIGHTED>(x, row_len, of_rows, e.as_deref_mut());
            f(at, x, e, &sums[..x.len() / row_len]);
        } else {
            let sums = long::<T, R, WEIGHTED>(x, of_rows(0), e.as_deref_mut());
            f(at, x, e, &[sums]);
        }
    }
}

/// The sums of one row.
#[inline(always)]
pub(crate) fn of_one_row<T: Float, R: Lane<T>>(x: &[T]) -> RowSums<R> {
    let weights = Weights::none();
    if x.len() <= CHUNK {
        in_step::<T, R, false>(x, x.len().max(1), |_| weights, None)[0]
    } else {
        long::<T, R, false>(x, weights, None)
    }
}

/// The greatest of a row in each lane.
#[inline(always)]
fn greatest<T: Float, R: Lane<T>>(x: &[T]) -> [R; LANES] {
    if x.len() >= LANES {
        return greatest_of_row(x);
    }
    let mut greatest = Greatest::new();
    greatest.take(&[padded(x, T::neg_infinity())]);
    greatest.lanes()
}

#[inline(always)]
fn scale_of<R: Real>(greatest: R) -> Scale<R> {
    let exp = RowExp::on_grid(greatest);
    Scale { greatest, exp, top: exp.exp(greatest) }
}

/// Up to G rows of up to `CHUNK` elements, each pass over all of them before the next.
#[inline(always)]
fn in_step<'a, T: Float, R: Lane<T>, const WEIGHTED: bool>(
    x: &[T],
    row_len: usize,
    weights: impl Fn(usize) -> Weights<'a, T>,
    mut e: Option<&mut [T]>,
) -> [RowSums<R>; GROUP] {
    let zero = R::of(0.0);
    let mut max = [[zero; LANES]; GROUP];
    for (x, max) in x.chunks_exact(row_len).zip(&mut max) {
        *max = greatest::<T, R>(x);
    }
    let greatest = across(&max, R::at_least);
    let (mut rest, mut tops) = ([Sums::of_exponentials(); GROUP], [[zero; LANES]; GROUP]);
    let (mut weight, mut distance) = ([Sums::of_anything(); GROUP], [Sums::of_anything(); GROUP]);
    for (i, x) in x.chunks_exact(row_len).enumerate() {
        let e = e.as_deref_mut().map(|e| &mut e[i * row_len..][..row_len]);
        let mut sums = Accumulators::new();
        add_up::<T, R, WEIGHTED>(x, weights(i), 0, e, scale_of(greatest[i]), &mut sums);
        (rest[i], tops[i], weight[i], distance[i]) = (sums.rest, sums.tops, sums.weight, sums.distance);
    }
    let (rest, tops) = (total_exponentials(&rest), across(&tops, R::add));
    let [weight, distance] = if WEIGHTED {
        [total_anything(&weight), total_anything(&distance)]
    } else {
        [([zero; GROUP], [zero; GROUP]); 2]
    };
    let mut all = [row_sums(scale_of(zero), (zero, zero), zero, zero, zero); GROUP];
    for (i, all) in all.iter_mut().enumerate() {
        let rest = (rest.0[i], rest.1[i]);
        let (weight, distance) = (weight.0[i] + weight.1[i], distance.0[i] + distance.1[i]);
        *all = row_sums(scale_of(greatest[i]), rest, tops[i], weight, distance);
    }
    all
}

/// One row of any length, by chunks.
#[inline(always)]
fn long<T: Float, R: Lane<T>, const WEIGHTED: bool>(
    x: &[T],
    weights: Weights<'_, T>,
    mut e: Option<&mut [T]>,
) -> RowSums<R> {
    let scale = scale_of(across(&[greatest::<T, R>(x)], R::at_least)[0]);
    let mut all = Accumulators { rest: Sums::of_anything(), ..Accumulators::new() };
    let chunks = (x.len() / LANE_CHUNK).max(1);
    // From the end, which the search for the greatest has just left in the cache.
    for chunk in (0..chunks).rev() {
        let start = chunk * LANE_CHUNK;
        let end = if chunk + 1 < chunks { start + LANE_CHUNK } else { x.len() };
        let e = e.as_deref_mut().map(|e| &mut e[start..end]);
        let mut sums = Accumulators::new();
        add_up::<T, R, WEIGHTED>(&x[start..end], weights, start, e, scale, &mut sums);
        all.rest.merge(sums.rest.exponentials());
        for (all, tops) in all.tops.iter_mut().zip(sums.tops) {
            *all = *all + tops;
        }
        if WEIGHTED {
            all.weight.merge(sums.weight.anything());
            all.distance.merge(sums.distance.anything());
        }
    }
    let total = |sums| {
        let (hi, lo) = total_anything(&[sums]);
        (hi[0], lo[0])
    };
    let (weight, distance) = (total(all.weight), total(all.distance));
    let (weight, distance) = (weight.0 + weight.1, distance.0 + distance.1);
    row_sums(scale, total(all.rest), across(&[all.tops], R::add)[0], weight, distance)
}

#[inline(always)]
fn row_sums<R: Real>(scale: Scale<R>, rest: Partial<R>, tops: R, weight: R, distance: R) -> RowSums<R> {
    RowSums { row: Row { scale, first: rest, second: (tops, R::of(0.0)) }, weight, distance: distance * lifted_one() }
}

/// Adds up some columns of a row, its elements from number `from` on.
#[inline(always)]
fn add_up<T: Float, R: Lane<T>, const WEIGHTED: bool>(
    x: &[T],
    weights: Weights<'_, T>,
    mut from: usize,
    e: Option<&mut [T]>,
    scale: Scale<R>,
    sums: &mut Accumulators<R>,
) {
    let (x, x_rest) = x.as_chunks::<LANES>();
    let (mut e, e_rest) = e.map(<[T]>::as_chunks_mut::<LANES>).unzip();
    let (blocks, columns) = x.as_chunks::<DEPTH>();
    for (b, x) in blocks.iter().enumerate() {
        let e = e.as_deref_mut().map(|e| &mut e.as_chunks_mut().0[b]);
        block::<T, R, WEIGHTED, DEPTH>(x, weights, from, e, scale, sums);
        from += DEPTH * LANES;
    }
    for (c, x) in columns.iter().enumerate() {
        let e = e.as_deref_mut().map(|e| core::array::from_mut(&mut e[DEPTH * blocks.len() + c]));
        block::<T, R, WEIGHTED, 1>(core::array::from_ref(x), weights, from, e, scale, sums);
        from += LANES;
    }
    if !x_rest.is_empty() {
        let (last, mut own, mut last_e) =
            ([padded(x_rest, T::neg_infinity())], [T::zero(); LANES], [[T::zero(); LANES]]);
        if WEIGHTED {
            weights.write::<R>(from, &mut own[..x_rest.len()]);
        }
        let weights = Weights { t: Some(&own), w: None, a: T::one(), b: T::zero() };
        block::<T, R, WEIGHTED, 1>(&last, weights, 0, Some(&mut last_e), scale, sums);
        if let Some(e) = e_rest {
            for (e, &last) in e.iter_mut().zip(&last_e[0]) {
                *e = last;
            }
        }
    }
}

#[inline(always)]
fn block<T: Float, R: Lane<T>, const WEIGHTED: bool, const K: usize>(
    x: &[[T; LANES]; K],
    weights: Weights<'_, T>,
    from: usize,
    e: Option<&mut [[T; LANES]; K]>,
    scale: Scale<R>,
    sums: &mut Accumulators<R>,
) {
    let Accumulators { rest, tops, weight, distance } = sums;
    match e {
        Some(e) => exponentials::<T, R, K>(x, e, scale, rest, tops),
        None => exponentials::<T, R, K>(x, &mut [[T::zero(); LANES]; K], scale, rest, tops),
    }
    if WEIGHTED {
        let mut own = [[T::zero(); LANES]; K];
        weights.write::<R>(from, own.as_flattened_mut());
        distances(x, &own, scale.greatest, weight, distance);
    }
}

/// A function, for its arguments are known not to overlap.
#[inline(always)]
fn exponentials<T: Float, R: Lane<T>, const K: usize>(
    x: &[[T; LANES]; K],
    e: &mut [[T; LANES]; K],
    scale: Scale<R>,
    rest: &mut Sums<R, LANES>,
    tops: &mut [R; LANES],
) {
    for i in 0..LANES {
        let top = Abreast::splat(scale.top);
        let mut exp = top;
        // One after another: abreast, they would need more registers than there are.
        macro_rules! each {
            ($($n:literal $lane:tt)*) => {$(
                if K > $n {
                    exp.$lane = scale.exp.exp(R::load(x[$n][i]));
                }
            )*};
        }
        each!(0 0 1 1 2 2 3 3);
        rest.add_bounded(i, Complement::below_top(exp, top));
        tops[i] = tops[i] + Complement::is_top(exp, top).0.sum();
        exp.scatter(e, i);
    }
}

/// Weights and weighted distances from the greatest, these times `unlift()`: no difference of two numbers overflows then.
/// That of -inf, which a weight 0 must not make NaN, becomes so large that any other weight makes the sum infinite, lifted.
#[inline(always)]
fn distances<T: Float, R: Lane<T>, const K: usize>(
    x: &[[T; LANES]; K],
    own: &[[T; LANES]; K],
    greatest: R,
    weight: &mut Sums<R, LANES>,
    distance: &mut Sums<R, LANES>,
) {
    let most = Abreast::splat(R::per_type(crate::math::exp2(114) as f32, crate::math::exp2(994)));
    let greatest = Abreast::splat(greatest * unlift());
    for i in 0..LANES {
        let (x, own) = (Abreast::<R, K>::gather(x, i), Abreast::gather(own, i));
        let d = x.mul_add(-Abreast::<R, K>::splat(unlift()), greatest).at_most(most);
        weight.add(i, (own, Abreast::splat(R::of(0.0))));
        distance.add(i, own.two_mul(d));
    }
}

/// A sum in a fixed order.
#[derive(Clone, Copy)]
pub(crate) struct Total<R>(Partial<R>);

impl<R: Real> Total<R> {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        Self((R::of(0.0), R::of(0.0)))
    }

    #[inline(always)]
    pub(crate) fn add(&mut self, term: R) {
        self.0 = add(self.0, term);
    }

    /// As `f64`. Of infinite terms, what was lost is NaN.
    #[inline(always)]
    pub(crate) fn wide<T: Float>(self) -> f64
    where
        R: Lane<T>,
    {
        let (hi, lo) = (self.0.0.wide(), self.0.1.wide());
        if lo.is_nan() { hi } else { hi + lo }
    }
}
