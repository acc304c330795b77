//! The loops of a cross-entropy: weights and distances of rows, losses, gradients.

use core::array::from_ref;

use num_traits::Zero;
use num_traits::float::FloatCore;

use crate::kernel::abreast::Abreast;
use crate::kernel::dispatch::Task;
use crate::kernel::element::{Float, Lane};
use crate::kernel::real::Real;
use crate::math::{
    bounded_abs, exp_neg, expm1_neg, lifted_one, log1p_of_sum_unrounded, power_of_share, two_sum, two_to, unlift,
};
use crate::rows::finish::results;
use crate::rows::probability::{Complement, Normaliser};
use crate::rows::reduce::{DEPTH, LANES, LaneSums, Partial, Sums, total_anything};
use crate::rows::stats::{Column, GROUP, PerRow, Row, SIDE, Stats};
use crate::rows::sums::padded;

/// How many lanes a group of longer rows uses. With fewer, LLVM makes no vectors.
const FEW: usize = 2 * GROUP;

/// The kind of target that a row has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Ignored,
    Class(usize),
    Distribution,
}

/// The targets of some rows, and their losses.
#[repr(align(64))]
pub(super) struct Rows<T> {
    pub(super) kind: PerRow<Target>,
    /// The weight of the class, if the row has one.
    pub(super) own: PerRow<T>,
    /// The logit of the class.
    pub(super) x: PerRow<T>,
    /// The sum of the weights of all classes, and the sum of the weights times the distances from the greatest logit.
    pub(super) weight: PerRow<T>,
    pub(super) distance: PerRow<T>,
    pub(super) loss: PerRow<T>,
    /// The gradient of the class.
    pub(super) gradient: PerRow<T>,
    /// The z-loss's term in the factor of each probability. Without a z-loss it is -0, which changes nothing.
    pub(super) extra: PerRow<T>,
}

impl<T: Float> Rows<T> {
    pub(super) fn new() -> Self {
        let zeros = [T::zero(); SIDE];
        let kind = [Target::Ignored; SIDE];
        let (own, x, weight, distance, loss, gradient) = (zeros, zeros, zeros, zeros, zeros, zeros);
        Self { kind, own, x, weight, distance, loss, gradient, extra: [-T::zero(); SIDE] }
    }

    pub(super) fn take_class(&mut self, row: usize, logit: impl Fn(usize) -> T) {
        if let Target::Class(class) = self.kind[row] {
            self.x[row] = logit(class);
        }
    }

    pub(super) fn write_class_gradients(&self, row_len: usize, grad: &mut [T]) {
        for (row, grad) in grad.chunks_exact_mut(row_len).enumerate() {
            match self.kind[row] {
                Target::Ignored => grad.fill(T::zero()),
                Target::Class(class) => grad[class] = self.gradient[row],
                Target::Distribution => {}
            }
        }
    }
}

/// Takes the sums of weights and of distances.
pub(super) struct Total<'a, T> {
    pub(super) weight: &'a [LaneSums<T>; GROUP],
    pub(super) distance: &'a [LaneSums<T>; GROUP],
    pub(super) rows: &'a mut Rows<T>,
}

impl<T: Float> Task<T> for Total<'_, T> {
    type Output = ();
    type Home = Self;

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        // Not a closure, because an incremental build would compile a closure without the level's instructions.
        #[inline(always)]
        fn total<T: Float, R: Lane<T>>(sums: &[LaneSums<T>; GROUP]) -> Partial<[R; GROUP]> {
            let mut lanes = [Sums::of_anything(); GROUP];
            for (lanes, sums) in lanes.iter_mut().zip(sums) {
                *lanes = sums.load::<R>();
            }
            total_anything(&lanes)
        }

        let (weight, distance) = (total::<T, R>(self.weight), total::<T, R>(self.distance));
        for i in 0..GROUP {
            self.rows.weight[i] = (weight.0[i] + weight.1[i]).store();
            self.rows.distance[i] = ((distance.0[i] + distance.1[i]) * lifted_one()).store();
        }
    }
}

/// Weights of the elements of rows, or of a part of one: w (a t + b), with the distributions t and the weights w of the classes, if
/// there are any.
#[derive(Clone, Copy)]
pub(super) struct Weights<'a, T> {
    pub(super) t: Option<&'a [T]>,
    pub(super) w: Option<&'a [T]>,
    pub(super) a: T,
    pub(super) b: T,
}

impl<T: Float> Weights<'_, T> {
    /// Writes the weights of as many elements as `out` has, from number `from` of the row on.
    #[inline(always)]
    fn write<R: Lane<T>>(&self, row_start: usize, from: usize, out: &mut [T]) {
        let (a, b) = (R::load(self.a), R::load(self.b));
        match self.t {
            Some(t) => {
                for (out, &t) in out.iter_mut().zip(&t[row_start + from..]) {
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
}

/// Adds to two sums the weights of some rows, or of a part of one, and the weights times the distances from the greatest logit.
pub(super) struct Weigh<'a, T> {
    pub(super) x: &'a [T],
    pub(super) row_len: usize,
    pub(super) weights: Weights<'a, T>,
    pub(super) stats: &'a Stats<T>,
    pub(super) sums: [&'a mut [LaneSums<T>]; 2],
}

impl<T: Float> Task<T> for Weigh<'_, T> {
    type Output = ();
    type Home = Self;

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        let Self { x, row_len, weights, stats, sums: [weight, distance] } = self;
        let row_len = row_len.min(x.len()).max(1);
        for (i, x) in x.chunks_exact(row_len).enumerate() {
            let (mut weight_sums, mut distance_sums) = (weight[i].load::<R>(), distance[i].load::<R>());
            let greatest = R::load(stats.greatest[i]);
            for (block, x) in x.chunks(DEPTH * LANES).enumerate() {
                let mut own = [[Zero::zero(); LANES]; DEPTH];
                let from = block * DEPTH * LANES;
                weights.write::<R>(i * row_len, from, &mut own.as_flattened_mut()[..x.len()]);
                let (columns, rest) = x.as_chunks::<LANES>();
                if let Ok(columns) = columns.try_into() {
                    distances::<_, R, DEPTH>(columns, &own, greatest, &mut weight_sums, &mut distance_sums);
                    continue;
                }
                for (x, own) in columns.iter().zip(&own) {
                    distances(from_ref(x), from_ref(own), greatest, &mut weight_sums, &mut distance_sums);
                }
                if !rest.is_empty() {
                    let last = [padded(rest, FloatCore::neg_infinity())];
                    let own = [own[columns.len()]];
                    distances(&last, &own, greatest, &mut weight_sums, &mut distance_sums);
                }
            }
            weight[i].store(&weight_sums);
            distance[i].store(&distance_sums);
        }
    }
}

/// Weights, and weighted distances from the greatest logit. The distances are multiplied by `unlift()`, so that no difference of
/// two numbers overflows. For `x = -inf` the distance is clamped to a huge finite number: a zero weight then gives 0 instead of
/// NaN, and any other weight overflows to infinity when the result is lifted.
#[inline(always)]
fn distances<T: Float, R: Lane<T>, const K: usize>(
    x: &[[T; LANES]; K],
    own: &[[T; LANES]; K],
    greatest: R,
    weight: &mut Sums<R, LANES>,
    distance: &mut Sums<R, LANES>,
) {
    let most = Abreast::splat(R::per_type(two_to(114) as f32, two_to(994)));
    let greatest = Abreast::splat(greatest * unlift());
    for i in 0..LANES {
        let (x, own) = (Abreast::<R, K>::gather(x, i), Abreast::gather(own, i));
        let d = x.mul_add(-Abreast::<R, K>::splat(unlift()), greatest).at_most(most);
        weight.add(i, (own, Abreast::splat(R::of(0.0))));
        distance.add(i, own.two_mul(d));
    }
}

/// (greatest - x) + log(sum of e^(x - greatest)). Both parts have one sign. They are for the class and, summed already, for all
/// classes.
pub(super) struct Losses<'a, T> {
    pub(super) stats: &'a Stats<T>,
    pub(super) rows: &'a mut Rows<T>,
    /// The number of rows.
    pub(super) count: usize,
    pub(super) weighted: bool,
}

impl<T: Float> Task<T> for Losses<'_, T> {
    type Output = ();
    type Home = Self;

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        // Groups of longer rows are smaller.
        if self.count <= GROUP { self.first_rows::<R, FEW>() } else { self.first_rows::<R, SIDE>() }
    }
}

impl<T: Float> Losses<'_, T> {
    #[inline(always)]
    fn first_rows<R: Lane<T>, const W: usize>(self) {
        let Self { stats, rows, weighted, .. } = self;
        let zero = R::of(0.0);
        for i in 0..W {
            let row = stats.row::<R>(i);
            let (log, log_lo) = log_of_sum(&row);
            let log = log + log_lo;
            let all = R::load(rows.weight[i]).mul_add(log, R::load(rows.distance[i]));
            let all = R::select(if_true::<R>(weighted), all, zero);
            let (x, weight) = (R::load(rows.x[i]), R::load(rows.own[i]));
            let loss = (row.greatest - x) + log;
            // A weight of 0 gives 0, even for an infinite loss.
            rows.loss[i] = (all + R::select(weight.abs().le(zero), zero, weight * loss)).store();
        }
        for (loss, kind) in rows.loss.iter_mut().zip(&rows.kind) {
            if *kind == Target::Ignored {
                *loss = T::zero();
            }
        }
    }
}

/// Applies a focal loss and a z-loss to the losses of rows, and to the weights of their gradients.
pub(super) struct Adjust<'a, T> {
    pub(super) stats: &'a Stats<T>,
    pub(super) rows: &'a mut Rows<T>,
    /// The exponent and the weights of a focal loss. The rows' losses then come without weights.
    pub(super) focal: Option<(T, &'a PerRow<T>)>,
    pub(super) z_loss: T,
}

impl<T: Float> Task<T> for Adjust<'_, T> {
    type Output = ();
    type Home = Self;

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        let Self { stats, rows, focal, z_loss } = self;
        let zero = R::of(0.0);
        if let Some((gamma, weights)) = focal {
            let gamma = R::load(gamma);
            for (i, &weight) in weights.iter().enumerate() {
                let (loss, weight) = (R::load(rows.loss[i]), R::load(weight));
                let (of_loss, of_gradient) = focal_factors(loss, gamma);
                rows.loss[i] = R::select(weight.abs().le(zero), zero, weight * of_loss * loss).store();
                rows.own[i] = (weight * of_gradient).store();
            }
        }
        if z_loss.is_zero() {
            return;
        }
        let z_loss = R::load(z_loss);
        for i in 0..SIDE {
            let row = stats.row::<R>(i);
            let (log, log_lo) = log_of_sum(&row);
            let (sum, error) = two_sum(row.greatest, log);
            let log = sum + (error + log_lo);
            rows.loss[i] = (z_loss * log).mul_add(log, R::load(rows.loss[i])).store();
            rows.extra[i] = (z_loss * (log + log)).store();
        }
        for (loss, kind) in rows.loss.iter_mut().zip(&rows.kind) {
            if *kind == Target::Ignored {
                *loss = T::zero();
            }
        }
    }
}

/// (1 - p)^gamma and the derivative of (1 - p)^gamma l with respect to l, where l = -log p is the loss. The derivative is
/// (1 - p)^gamma (1 + gamma p l/(1 - p)). The quotient l/(1 - p) is 1 where p is 1, so nothing is infinite for gamma below 1.
#[inline(always)]
fn focal_factors<R: Real>(loss: R, gamma: R) -> (R, R) {
    let (zero, one) = (R::of(0.0), R::of(1.0));
    let bounded = bounded_abs(loss);
    // p is not computed as 1 - (1 - p), because the loss would multiply the error.
    let (rest, p) = (-expm1_neg(bounded, None).number(), exp_neg(bounded, None).number());
    let power = power_of_share(rest, gamma);
    let quotient = R::select(rest.le(zero), one, loss / rest);
    // An infinite loss has p = 0.
    let slope = R::select(p.le(zero), zero, gamma * p * quotient);
    (power, power.mul_add(slope, power))
}

/// log(sum of e^(x - greatest)), not rounded. NaN for a row with NaN or +inf, or of nothing but -inf.
#[inline(always)]
fn log_of_sum<R: Real>(row: &Row<R>) -> Partial<R> {
    let (rest, rest_lo) = Normaliser::of((row.top, R::of(0.0))).ratio(row.first);
    let (hi, lo) = log1p_of_sum_unrounded(row.second.0 - R::of(1.0), rest, rest_lo);
    (hi, lo + row.greatest.abs() * R::of(0.0))
}

/// A mask that is the same for all lanes.
#[inline(always)]
fn if_true<R: Real>(truth: bool) -> R::Mask {
    R::of(if truth { -1.0 } else { 1.0 }).lt(R::of(0.0))
}

/// Gradients of the elements of a row in terms of their exponentials.
#[derive(Clone, Copy)]
struct Gradient<R> {
    pub(super) complement: Complement<R>,
    pub(super) normaliser: Normaliser<R>,
    /// The sum of the row's weights.
    pub(super) weight: R,
    pub(super) extra: R,
    pub(super) times: R,
}

impl<R: Real> Gradient<R> {
    #[inline(always)]
    fn of<T: Float>(stats: &Stats<T>, rows: &Rows<T>, weighted: bool, times: R, i: usize) -> Self
    where
        R: Lane<T>,
    {
        let row = stats.row::<R>(i);
        let (complement, mut normaliser) = Complement::of(&row);
        normaliser.factor = normaliser.factor - row.greatest.abs() * R::of(0.0);
        let own = R::load(rows.own[i]);
        let weight = R::select(if_true::<R>(weighted), R::load(rows.weight[i]) + own, own);
        Self { complement, normaliser, weight, extra: R::load(rows.extra[i]), times }
    }

    /// p W - w, plus the extra term p. For p from 1/2 on it is computed as (1 - p) (-W) - (w - W), which keeps more digits where p is
    /// near 1, and keeps the sign of results that underflow. For smaller p the first form does.
    #[inline(always)]
    fn at(&self, e: R, w: R) -> R {
        let p = self.normaliser.probability(e);
        let from_p = p.mul_add(self.weight, -w);
        let from_complement = self.complement.at(e, p).mul_add(-self.weight, -(w - self.weight));
        p.mul_add(self.extra, R::select(p.lt(R::of(0.5)), from_p, from_complement)) * self.times
    }

    /// The same for a weight of 0, as a [`Normaliser`] and a factor of the probabilities.
    #[inline(always)]
    fn factors(&self) -> (R, R, R) {
        (self.normaliser.factor, self.normaliser.factor_lo, (self.weight + self.extra) * self.times)
    }
}

/// p (sum of the weights) - weight, from the exponentials of some rows, or of a part of one from `place` on.
pub(super) struct Gradients<'a, T> {
    pub(super) stats: &'a Stats<T>,
    pub(super) rows: &'a mut Rows<T>,
    pub(super) weighted: bool,
    pub(super) weights: Weights<'a, T>,
    pub(super) place: usize,
    pub(super) times: T,
    pub(super) row_len: usize,
    pub(super) e: &'a mut [T],
}

impl<T: Float> Task<T> for Gradients<'_, T> {
    type Output = ();
    type Home = Self;

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        // A function of its own, because LLVM knows only of a function's arguments that they do not overlap.
        #[inline(always)]
        fn all<F: Float, R: Lane<F>>(formula: &Gradient<R>, e: &mut [F], w: &[F]) {
            for (e, &w) in e.iter_mut().zip(w) {
                *e = formula.at(R::load(*e), R::load(w)).store();
            }
        }

        let Self { stats, rows, weighted, weights, place, times, row_len, e } = self;
        let (times, row_len) = (R::load(times), row_len.min(e.len()).max(1));
        let place_of = |rows: &Rows<T>, i: usize| match rows.kind[i] {
            Target::Class(class) => class.checked_sub(place).filter(|&class| class < row_len),
            _ => None,
        };
        // The gradients of the classes themselves are computed side by side.
        let (mut of_class, mut own) = ([Zero::zero(); FEW], [Zero::zero(); FEW]);
        for (i, e) in e.chunks_exact(row_len).enumerate() {
            if let Some(class) = place_of(rows, i) {
                of_class[i] = e[class];
                if weighted {
                    weights.write::<R>(i * row_len, class, &mut own[i..=i]);
                }
            }
        }
        let mut factors = [[R::of(0.0); FEW]; 3];
        for i in 0..FEW {
            let formula = Gradient::of(stats, rows, weighted, times, i);
            let w = R::load(own[i]) + R::load(rows.own[i]);
            rows.gradient[i] = formula.at(R::load(of_class[i]), w).store();
            (factors[0][i], factors[1][i], factors[2][i]) = formula.factors();
        }
        let mut ends = [[Zero::zero(); LANES]; 2];
        for (i, e) in e.chunks_exact_mut(row_len).enumerate() {
            if rows.kind[i] == Target::Ignored {
                e.fill(Zero::zero());
                continue;
            }
            if weighted {
                let formula = &Gradient::of(stats, rows, weighted, times, i);
                for (block, e) in e.chunks_mut(DEPTH * LANES).enumerate() {
                    let mut own = [Zero::zero(); DEPTH * LANES];
                    weights.write::<R>(i * row_len, block * DEPTH * LANES, &mut own[..e.len()]);
                    all(formula, e, &own);
                }
            } else {
                let normaliser = Normaliser { factor: factors[0][i], factor_lo: factors[1][i] };
                let times = factors[2][i];
                results::<T, R>(
                    #[inline(always)]
                    |e, _| normaliser.probability(e) * times,
                    None,
                    None,
                    e,
                    &mut ends,
                );
            }
            if let Some(class) = place_of(rows, i) {
                e[class] = rows.gradient[i];
            }
        }
    }
}

/// The same for short rows, from the exponentials in columns. The gradients of the classes themselves go to `rows`.
pub(super) struct ColumnGradients<'a, T> {
    pub(super) stats: &'a Stats<T>,
    pub(super) rows: &'a mut Rows<T>,
    pub(super) times: T,
    pub(super) columns: &'a mut [Column<T>],
}

impl<T: Float> Task<T> for ColumnGradients<'_, T> {
    type Output = ();
    type Home = Self;

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        // A function of its own, because LLVM knows only of a function's arguments that they do not overlap.
        #[inline(always)]
        fn block<T: Float, R: Lane<T>>(factors: &[[R; SIDE]; 3], columns: &mut [Column<T>; DEPTH]) {
            for i in 0..SIDE {
                let [factor, factor_lo, times] = factors;
                let (factor, factor_lo) = (Abreast::splat(factor[i]), Abreast::splat(factor_lo[i]));
                let times = Abreast::splat(times[i]);
                let e = Abreast::<R, DEPTH>::gather(columns, i);
                (Normaliser { factor, factor_lo }.probability(e) * times).scatter(columns, i);
            }
        }

        let Self { stats, rows, times, columns } = self;
        let times = R::load(times);
        let mut of_class = [T::zero(); SIDE];
        for (i, (of_class, kind)) in of_class.iter_mut().zip(&rows.kind).enumerate() {
            if let Target::Class(class) = *kind {
                *of_class = columns[class][i];
            }
        }
        let mut factors = [[R::of(0.0); SIDE]; 3];
        for i in 0..SIDE {
            let formula = Gradient::of(stats, rows, false, times, i);
            rows.gradient[i] = formula.at(R::load(of_class[i]), R::of(0.0) + R::load(rows.own[i])).store();
            (factors[0][i], factors[1][i], factors[2][i]) = formula.factors();
        }
        // Several columns at a time, because LLVM would unroll a loop over one column, and use gathers over the columns.
        for columns in columns.as_chunks_mut().0 {
            block::<T, R>(&factors, columns);
        }
    }
}
