//! The loops of a binary cross-entropy: they write a weight for each element, and compute losses and gradients.

use super::binary_targets::BinaryTargets;
use super::rounded;
use crate::kernel::abreast::Abreast;
use crate::kernel::dispatch::{Task, dispatch};
use crate::kernel::element::{Element, Float, Lane, kernel, per_element};
use crate::kernel::lanes::Plain;
use crate::kernel::level::Level;
use crate::kernel::real::Real;
use crate::kernel::tiles::{SHORT, TILE, Tile};
use crate::math::{log1p_exp, logistic_abs, power_of_share, sigmoid_neg};
use crate::rows::broadcast::Broadcast;
use crate::rows::reduce::{DEPTH, LANES, Sums, add, total_anything};
use crate::rows::sums::padded;

/// Where the loss of each element goes.
pub(super) enum Losses<'a, T: Element> {
    None,
    OfElements(&'a mut [T]),
    OfFloats(&'a mut [T::Float]),
}

impl<'a, T: Element> Losses<'a, T> {
    /// Splits off the first `len` losses.
    pub(super) fn take(&mut self, len: usize) -> Self {
        match self {
            Self::None => Self::None,
            Self::OfElements(losses) => Self::OfElements(take_first(losses, len)),
            Self::OfFloats(losses) => Self::OfFloats(take_first(losses, len)),
        }
    }
}

/// How many elements have their losses summed together. For longer slices such sums are added in their order, so any number of
/// threads may compute them. This is a whole number of tiles.
pub(super) const SEGMENT: usize = 1 << 16;

/// A sum of losses, to twice the precision.
pub(super) type Sum = (Plain<f64>, Plain<f64>);

/// The sum of sums, in their order, as one number.
pub(super) fn total_of(sums: impl Iterator<Item = Sum>) -> f64 {
    let (mut sum, zero) = ((Plain::of(0.0), Plain::of(0.0)), Plain::of(0.0));
    for (hi, lo) in sums {
        let (all, error) = add(sum, hi);
        sum = (all, error + if lo.0.is_nan() { zero } else { lo });
    }
    let (hi, lo) = (sum.0.wide(), sum.1.wide());
    // The rounding error of infinite losses is NaN.
    if lo.is_nan() { hi } else { hi + lo }
}

/// Some elements of a batch. The lengths of its slices fit.
pub(super) struct BatchOf<'a, T: Element> {
    /// The place of the elements in the batch, at most a [`SEGMENT`] of them.
    pub(super) part: core::ops::Range<usize>,
    pub(super) logits: &'a [T],
    pub(super) targets: BinaryTargets<'a, T>,
    /// Of the part.
    pub(super) losses: Losses<'a, T>,
    pub(super) grad: &'a mut [T],
    /// By which gradients are multiplied.
    pub(super) times: T::Float,
    /// Receives the sum of the losses.
    pub(super) sum: &'a mut Sum,
}

/// Powers with exponents up to this are computed as products. A product adds half an ULP of error, which is less than e^(gamma ln m)
/// has.
const MOST_FACTORS: usize = 4;

/// Looks for a target outside \[0, 1\].
pub(super) struct Check {
    pub(super) level: Level,
}
per_element!(Check: Args<'a, T> = (&'a [T], &'a mut Option<usize>), check);

fn check<T: Element>(&Check { level }: &Check, (targets, outside): (&[T], &mut Option<usize>)) {
    *outside = first_outside(level, targets);
}

/// The losses of a batch.
#[derive(Clone, Copy)]
pub(super) struct OfBatch {
    pub(super) pos_weight: f64,
    pub(super) gamma: f64,
    pub(super) alpha: Option<f64>,
    pub(super) level: Level,
}
per_element!(OfBatch: Args<'a, T> = BatchOf<'a, T>, run);

fn run<T: Element>(of_batch: &OfBatch, batch: BatchOf<'_, T>) {
    let BatchOf { part, logits, targets, losses, grad, times, sum } = batch;
    let (of_elements, of_floats): (&mut [T], &mut [T::Float]) = match losses {
        Losses::None => (&mut [], &mut []),
        Losses::OfElements(losses) => (losses, &mut []),
        Losses::OfFloats(losses) => (&mut [], losses),
    };
    let mut pieces = Pieces { of_batch, of_elements, of_floats, grad, times, sum: (Plain::of(0.0), Plain::of(0.0)) };
    if targets.weights.is_none() && targets.pos_weights.is_none() {
        pieces.take(&logits[part.clone()], &targets.targets[part], &[], &[]);
    } else if logits.len() <= SHORT {
        beside_weights::<T, SHORT>(part, logits, &targets, &mut pieces);
    } else {
        beside_weights::<T, TILE>(part, logits, &targets, &mut pieces);
    }
    *sum = pieces.sum;
}

/// The number of the first target that is outside \[0, 1\] by more than a rounding error, which mixtures of targets may have in any
/// type. NaN is not outside.
fn first_outside<T: Element>(level: Level, targets: &[T]) -> Option<usize> {
    let (mut first, mut at) = (None, 0);
    let (least, most): (T::Float, T::Float) = (Float::of(-1.0 / 64.0), Float::of(1.0 + 1.0 / 64.0));
    T::as_floats(level, [targets], [], false, |[targets], []| {
        // Checks whole blocks, because a loop that may end early is not vectorised.
        for targets in targets.chunks(TILE) {
            let mut any = false;
            for &t in targets {
                any |= t < least || most < t;
            }
            if any && first.is_none() {
                first = targets.iter().position(|&t| t < least || most < t).map(|i| at + i);
            }
            at += targets.len();
        }
    });
    first
}

/// Processes blocks whose weights fit into a tile.
fn beside_weights<T: Element, const N: usize>(
    segment: core::ops::Range<usize>,
    logits: &[T],
    targets: &BinaryTargets<'_, T>,
    pieces: &mut Pieces<'_, T>,
) {
    fn beside<'s, T: Element>(
        numbers: &'s Option<Broadcast<'_, T>>,
        part: core::ops::Range<usize>,
        room: &'s mut [T],
    ) -> &'s [T] {
        numbers.as_ref().map_or(&[], |numbers| numbers.beside(part, room))
    }

    let (mut weights, mut pos_weights) = (Tile::<T, N>::new(), Tile::<T, N>::new());
    for start in segment.clone().step_by(N) {
        let part = start..segment.end.min(start + N);
        let weights = beside(&targets.weights, part.clone(), weights.all());
        let pos_weights = beside(&targets.pos_weights, part.clone(), pos_weights.all());
        pieces.take(&logits[part.clone()], &targets.targets[part], weights, pos_weights);
    }
}

/// The outputs for the remaining pieces, and the sum of the losses so far.
struct Pieces<'a, T: Element> {
    of_batch: &'a OfBatch,
    of_elements: &'a mut [T],
    of_floats: &'a mut [T::Float],
    grad: &'a mut [T],
    times: T::Float,
    sum: Sum,
}

impl<T: Element> Pieces<'_, T> {
    fn take(&mut self, logits: &[T], targets: &[T], weights: &[T], pos_weights: &[T]) {
        let Self { of_batch, of_elements, of_floats, grad, times, sum } = self;
        let (level, times) = (of_batch.level, *times);
        let outputs = [take_first(of_elements, logits.len()), take_first(grad, logits.len())];
        let inputs = [logits, targets, weights, pos_weights];
        T::as_floats(level, inputs, outputs, false, |[logits, targets, weights, pos_weights], [of_elements, grad]| {
            let losses = if of_floats.is_empty() { of_elements } else { take_first(of_floats, logits.len()) };
            let batch = Batch { logits, targets, weights, pos_weights, losses, grad, times };
            *sum = add(*sum, Plain::load(T::Float::run(*of_batch, level, batch)));
        });
    }
}

/// Splits off the first elements of the slice. An empty slice gives an empty slice.
pub(super) fn take_first<'a, F>(slice: &mut &'a mut [F], len: usize) -> &'a mut [F] {
    let all = core::mem::take(slice);
    let (first, rest) = all.split_at_mut(len.min(all.len()));
    *slice = rest;
    first
}

// The sum of the losses.
kernel!(OfBatch: Args<'a, T> = Batch<'a, T>, -> f64, total);

#[inline]
fn total<T: Float>(of_batch: &OfBatch, level: Level, batch: Batch<'_, T>) -> f64 {
    let settings = Settings {
        pos_weight: rounded(of_batch.pos_weight),
        gamma: rounded(of_batch.gamma),
        products: (1..=MOST_FACTORS).find(|&n| of_batch.gamma == n as f64).unwrap_or(0),
        alpha: [of_batch.alpha.unwrap_or(1.0), of_batch.alpha.map_or(1.0, |alpha| 1.0 - alpha)].map(rounded),
    };
    if of_batch.gamma > 0.0 || of_batch.alpha.is_some() {
        // One loop computes both, because the gradient takes little more time.
        dispatch(level, Run::<T, true, true> { batch, settings })
    } else if batch.grad.is_empty() {
        dispatch(level, Run::<T, false, false> { batch, settings })
    } else {
        dispatch(level, Run::<T, true, false> { batch, settings })
    }
}

/// The numbers that all elements have in common.
#[derive(Clone, Copy)]
struct Settings<T> {
    /// Used if the elements have no weights of their own.
    pos_weight: T,
    /// For a focal loss, the exponent and the factors for targets of 1 and 0.
    gamma: T,
    /// The exponent again, if the power is that many factors; otherwise 0.
    products: usize,
    alpha: [T; 2],
}

/// A batch of floats. Empty slices mean that there are no weights, or that losses or gradients are not kept.
pub(super) struct Batch<'a, T> {
    logits: &'a [T],
    targets: &'a [T],
    weights: &'a [T],
    pos_weights: &'a [T],
    losses: &'a mut [T],
    grad: &'a mut [T],
    /// By which gradients are multiplied.
    times: T,
}

struct Run<'a, T, const GRADIENT: bool, const FOCAL: bool> {
    batch: Batch<'a, T>,
    settings: Settings<T>,
}

impl<T: Float, const GRADIENT: bool, const FOCAL: bool> Task<T> for Run<'_, T, GRADIENT, FOCAL> {
    /// The sum of the losses.
    type Output = f64;
    type Home = Self;

    #[inline(always)]
    fn run<R: Lane<T>>(self) -> f64 {
        let Self { batch: Batch { logits, targets, weights, pos_weights, losses, grad, times }, settings } = self;
        let mut sums = [Sums::<R, LANES>::of_anything()];
        let mut of_block = ([[T::zero(); LANES]; DEPTH], [[T::zero(); LANES]; DEPTH]);
        let mut at = 0;
        let mut keep = |count: usize, (of_losses, of_grad): &(Block<T>, Block<T>)| {
            if !losses.is_empty() {
                losses[at..at + count].copy_from_slice(&of_losses.as_flattened()[..count]);
            }
            if GRADIENT && !grad.is_empty() {
                grad[at..at + count].copy_from_slice(&of_grad.as_flattened()[..count]);
            }
            at += count;
        };
        let (x_blocks, x_rest, x_last) = in_blocks::<T, FOCAL>(logits);
        let (t_blocks, t_rest, t_last) = in_blocks::<T, FOCAL>(targets);
        let (w_blocks, w_rest, w_last) = in_blocks::<T, FOCAL>(weights);
        let (p_blocks, p_rest, p_last) = in_blocks::<T, FOCAL>(pos_weights);
        // The weights are loaded for each element, even if they are all the same, so that there is only one loop.
        let (ones, alike) = ([[T::one(); LANES]; DEPTH], [[settings.pos_weight; LANES]; DEPTH]);
        for (i, (x, t)) in x_blocks.iter().zip(t_blocks).enumerate() {
            let weights = (w_blocks.get(i).unwrap_or(&ones), p_blocks.get(i).unwrap_or(&alike));
            block::<T, R, GRADIENT, FOCAL, DEPTH>((x, t), weights, &settings, times, &mut of_block.0, &mut of_block.1);
            add_up(&of_block.0, &mut sums[0]);
            keep(DEPTH * LANES, &of_block);
        }
        for i in 0..=x_rest.len() {
            let (x, t, w, p, count) = if i < x_rest.len() {
                let (w, p) = (w_rest.get(i).unwrap_or(&ones[0]), p_rest.get(i).unwrap_or(&alike[0]));
                (x_rest[i], t_rest[i], *w, *p, LANES)
            } else {
                let w = if w_last.is_empty() { ones[0] } else { padded(w_last, T::zero()) };
                let p = if p_last.is_empty() { alike[0] } else { padded(p_last, T::zero()) };
                (padded(x_last, T::zero()), padded(t_last, T::zero()), w, p, x_last.len())
            };
            let (mut of_losses, mut of_grad) = ([[T::zero(); LANES]], [[T::zero(); LANES]]);
            let (elements, weights) = ((&[x], &[t]), (&[w], &[p]));
            block::<T, R, GRADIENT, FOCAL, 1>(elements, weights, &settings, times, &mut of_losses, &mut of_grad);
            of_losses[0][count..].fill(T::zero());
            add_up(&of_losses, &mut sums[0]);
            (of_block.0[0], of_block.1[0]) = (of_losses[0], of_grad[0]);
            keep(count, &of_block);
        }
        let (hi, lo) = total_anything(&sums);
        let total = hi[0].wide() + lo[0].wide();
        if total.is_nan() {
            // The loss may be infinite. Then its rounding error is NaN.
            let mut total = 0.0;
            for (i, (&x, &t)) in logits.iter().zip(targets).enumerate() {
                let (w, p) = (weights.get(i).copied().unwrap_or(T::one()), pos_weights.get(i).copied());
                let p = p.unwrap_or(settings.pos_weight);
                let (mut of_losses, mut of_grad) = ([[T::zero(); LANES]], [[T::zero(); LANES]]);
                let ([x, t], [w, p]) = ([[[x; LANES]], [[t; LANES]]], [[[w; LANES]], [[p; LANES]]]);
                block::<T, R, GRADIENT, FOCAL, 1>((&x, &t), (&w, &p), &settings, times, &mut of_losses, &mut of_grad);
                total += R::load(of_losses[0][0]).wide();
            }
            return total;
        }
        total
    }
}

impl<T: Float> Settings<T> {
    /// The settings of a focal loss.
    #[inline(always)]
    fn splat<R: Lane<T>>(&self) -> (R, [R; 2]) {
        (R::load(self.gamma), [R::load(self.alpha[0]), R::load(self.alpha[1])])
    }
}

/// Columns that go through a formula together.
type Block<T> = [[T; LANES]; DEPTH];

/// Splits a slice into blocks of columns, single columns, and the rest. A focal loss has no blocks, because it needs too many
/// registers.
#[inline(always)]
fn in_blocks<T, const FOCAL: bool>(of: &[T]) -> (&[Block<T>], &[[T; LANES]], &[T]) {
    let (columns, last) = of.as_chunks();
    let (blocks, rest) = if FOCAL { (&[][..], columns) } else { columns.as_chunks() };
    (blocks, rest, last)
}

/// A function of its own, because LLVM knows only of a function's arguments that they do not overlap.
#[inline(always)]
fn block<T: Float, R: Lane<T>, const GRADIENT: bool, const FOCAL: bool, const K: usize>(
    (x, t): (&[[T; LANES]; K], &[[T; LANES]; K]),
    (w, p): (&[[T; LANES]; K], &[[T; LANES]; K]),
    settings: &Settings<T>,
    times: T,
    losses: &mut [[T; LANES]; K],
    grad: &mut [[T; LANES]; K],
) {
    if FOCAL {
        return focal_column::<T, R>((&x[0], &t[0]), (&w[0], &p[0]), settings, times, &mut losses[0], &mut grad[0]);
    }
    let times = Abreast::<R, K>::splat(R::load(times));
    for i in 0..LANES {
        let (x, t) = (Abreast::<R, K>::gather(x, i), Abreast::gather(t, i));
        let (w, p) = (Abreast::gather(w, i), Abreast::gather(p, i));
        loss(x, t, w, p).scatter(losses, i);
        if GRADIENT {
            (slope(x, t, w, p) * times).scatter(grad, i);
        }
    }
}

/// The same for a focal loss. Its power is a loop of its own, because the exponents that are in use need only products.
#[inline(always)]
fn focal_column<T: Float, R: Lane<T>>(
    (x, t): (&[T; LANES], &[T; LANES]),
    (w, p): (&[T; LANES], &[T; LANES]),
    settings: &Settings<T>,
    times: T,
    losses: &mut [T; LANES],
    grad: &mut [T; LANES],
) {
    let (mut against, mut powers) = ([[T::zero(); LANES]; 2], [T::zero(); LANES]);
    for i in 0..LANES {
        let (q, m) = wrong(R::load(x[i]), R::load(t[i]));
        (against[0][i], against[1][i]) = (q.store(), m.store());
    }
    let [q, m] = &against;
    if settings.products > 0 {
        powers = *m;
        for _ in 1..settings.products {
            for i in 0..LANES {
                powers[i] = (R::load(powers[i]) * R::load(m[i])).store();
            }
        }
    } else {
        for i in 0..LANES {
            powers[i] = power_of_share(R::load(m[i]), R::load(settings.gamma)).store();
        }
    }
    for i in 0..LANES {
        let (x, t, w, p) = (R::load(x[i]), R::load(t[i]), R::load(w[i]), R::load(p[i]));
        let (loss, slope) = focal((x, t, w, p), (R::load(q[i]), R::load(m[i]), R::load(powers[i])), &settings.splat());
        losses[i] = loss.store();
        grad[i] = (slope * R::load(times)).store();
    }
}

#[inline(always)]
fn add_up<T: Float, R: Lane<T>, const K: usize>(losses: &[[T; LANES]; K], sums: &mut Sums<R, LANES>) {
    for i in 0..LANES {
        sums.add(i, (Abreast::gather(losses, i), Abreast::splat(R::of(0.0))));
    }
}

/// sigmoid(-|x|), and m, what the probabilities have against the target: (1 - t) p + t (1 - p).
#[inline(always)]
fn wrong<R: Real>(x: R, t: R) -> (R, R) {
    let (zero, one) = (R::of(0.0), R::of(1.0));
    let (q, rest, negative) = (sigmoid_neg(logistic_abs(x), None), one - t, x.lt(zero));
    let (for_x, against_x) = (R::select(negative, rest, t), R::select(negative, t, rest));
    (q, against_x.mul_add(one - q, for_x * q))
}

/// The loss and its slope times m^gamma, from what [`wrong`] gives, and the power.
///
/// The slope is m^gamma (gamma (1 - 2 t) p (1 - p)/m loss + slope). The quotient p (1 - p)/m is at most 2, because m is a mean of p
/// and 1 - p. So nothing is infinite for gamma below 1, although the derivative of m^gamma is infinite there.
#[inline(always)]
fn focal<R: Real>(
    (x, t, weight, pos_weight): (R, R, R, R),
    (q, m, power): (R, R, R),
    (gamma, [of_one, of_zero]): &(R, [R; 2]),
) -> (R, R) {
    let (zero, one) = (R::of(0.0), R::of(1.0));
    let rest = one - t;
    let weight = weight * of_one.mul_add(t, *of_zero * rest);
    let (loss, slope) = (loss(x, t, weight, pos_weight), slope_from(q, x, t, weight, pos_weight));
    let quotient = R::select(m.le(zero), zero, q * (one - q) / m);
    // The loss of an infinite logit is infinite, and 0 times infinity would be NaN. The quotient is 0 long before that.
    let change = R::select(quotient.le(zero), zero, quotient * loss);
    // An infinite loss stays, even if the power is too small for the type: m is not 0 there.
    let product = R::select(loss.lt(R::of(f64::INFINITY)), power * loss, loss);
    (product, power * (*gamma * (rest - t)).mul_add(change, slope))
}

/// `(k, w)`, so that loss = k |x| + w log(1 + e^-|x|) and gradient = sign(x) (k - w sigmoid(-|x|)). k is the share of the target
/// that contradicts the sign of x, and w is the sum of both shares. Both include the weight.
#[inline(always)]
fn shares<R: Real>(x: R, t: R, weight: R, pos_weight: R) -> (R, R) {
    let (zero, one) = (R::of(0.0), R::of(1.0));
    let rest = one - t;
    let against = R::select(x.lt(zero), pos_weight * t, rest);
    // For a weight below 1, the difference from 1 would lose digits. For other weights, the sum would.
    let both = R::select(pos_weight.lt(one), pos_weight.mul_add(t, rest), (pos_weight - one).mul_add(t, one));
    (weight * against, weight * both)
}

/// Both terms are positive, so nothing cancels.
#[inline(always)]
fn loss<R: Real>(x: R, t: R, weight: R, pos_weight: R) -> R {
    let (zero, (k, w)) = (R::of(0.0), shares(x, t, weight, pos_weight));
    // A share of 0 gives 0, even for an infinite logit.
    let linear = R::select(k.abs().le(zero), zero, k * x.abs());
    log1p_exp(-x.abs()).mul_add(w, linear)
}

#[inline(always)]
fn slope<R: Real>(x: R, t: R, weight: R, pos_weight: R) -> R {
    slope_from(sigmoid_neg(logistic_abs(x), None), x, t, weight, pos_weight)
}

/// From sigmoid(-|x|).
#[inline(always)]
fn slope_from<R: Real>(q: R, x: R, t: R, weight: R, pos_weight: R) -> R {
    let (one, (k, w)) = (R::of(1.0), shares(x, t, weight, pos_weight));
    // Gives the sign to the factors, not to the sum. See `LogProbability` for the reason.
    let minus_sign = R::select(x.lt(R::of(0.0)), one, -one);
    (minus_sign * q).mul_add(w, -minus_sign * k)
}
