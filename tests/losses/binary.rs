//! Binary cross-entropy with weights: one for all elements, or one for each element, class, row or channel.

use activations::{BinaryCrossEntropy, BinaryTargets, Broadcast, Level, Reduction, Wide};

use crate::big::Big;
use crate::cases::Bits;
use crate::judge::Expected;
use crate::number::{Number, for_each_type, stale};

/// log(1 + e^x).
pub(crate) fn softplus(x: Big) -> Big {
    let tail = (-x.abs()).exp().ln_1p();
    if x.is_negative() { tail } else { x + tail }
}

/// The layout of weights: which weight belongs to an element.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    All,
    Each,
    Classes(usize),
    Rows(usize),
    Channels(usize, usize),
}

impl Shape {
    fn len(self, n: usize) -> usize {
        match self {
            Self::All => 1,
            Self::Each => n,
            Self::Classes(c) => c,
            Self::Rows(len) => n / len,
            Self::Channels(c, _) => c,
        }
    }

    fn index(self, i: usize) -> usize {
        match self {
            Self::All => 0,
            Self::Each => i,
            Self::Classes(c) => i % c,
            Self::Rows(len) => i / len,
            Self::Channels(c, inner) => i / inner % c,
        }
    }

    fn broadcast<T>(self, numbers: &[T]) -> Broadcast<'_, T> {
        match self {
            Self::All | Self::Each => Broadcast::from(numbers),
            Self::Classes(_) => Broadcast::cycled(numbers),
            Self::Rows(len) => Broadcast::each(numbers, len),
            Self::Channels(_, inner) => Broadcast::each_cycled(numbers, inner),
        }
    }
}

/// The loss and the gradient of an element by PyTorch's formula, and the greater of the two terms of the gradient.
fn exact(x: Big, t: Big, weight: Big, pos_weight: Big) -> (Big, Big, Big) {
    let (of_one, of_zero) = (weight * pos_weight * t, weight * (Big::ONE - t));
    let (up, down) = (of_zero * x.sigmoid(), of_one * (-x).sigmoid());
    (of_one * softplus(-x) + of_zero * softplus(x), up - down, up.max(down))
}

fn check<T: Number<Float: Number>>(n: usize, weights: Option<Shape>, pos_weights: Option<Shape>) {
    let mut bits = Bits(n as u64);
    let x: Vec<T> = (0..n).map(|i| T::of(bits.within(if i % 3 == 0 { 30.0 } else { 3.0 }))).collect();
    let t: Vec<T> = (0..n).map(|i| T::of([0.0, 1.0, bits.within(1.0).abs()][i % 3])).collect();
    let mut numbers = |shape: Option<Shape>| -> Vec<T> {
        let len = shape.map_or(0, |shape| shape.len(n));
        (0..len).map(|i| T::of(if i % 6 == 5 { 0.0 } else { bits.within(3.0).abs() })).collect()
    };
    let (w, p) = (numbers(weights), numbers(pos_weights));
    let mut targets = BinaryTargets::from(&t);
    if let Some(shape) = weights {
        targets = targets.weighted(shape.broadcast(&w));
    }
    if let Some(shape) = pos_weights {
        targets = targets.pos_weighted(shape.broadcast(&p));
    }
    let setting = 1.5;
    let exact: Vec<_> = (0..n)
        .map(|i| {
            let weight = weights.map_or(Big::ONE, |shape| w[shape.index(i)].big());
            let pos_weight = pos_weights.map_or(Big::of(setting), |shape| p[shape.index(i)].big());
            exact(x[i].big(), t[i].big(), weight, pos_weight)
        })
        .collect();
    let total: Big = exact.iter().map(|(loss, ..)| *loss).sum();
    for level in Level::available() {
        let what = format!("{} {n} {weights:?} {pos_weights:?} at {level}", T::TYPE);
        let loss = BinaryCrossEntropy::new().pos_weight(setting).unwrap().at(level);
        let bound = if level.is_fused() { 6.0 } else { 8.0 };
        let (mut losses, mut grad) = (stale::<T>(n), stale::<T>(n));
        loss.losses_and_gradient(&x, targets, &mut losses, &mut grad);
        for (i, &(loss, slope, floor)) in exact.iter().enumerate() {
            let (of_loss, of_slope) = (Expected::of(loss, 5.0), Expected::of(slope, bound).floor(floor).any_zero());
            of_loss.judge(losses[i]).unwrap_or_else(|why| panic!("{what}, loss {i}: {why}"));
            of_slope.judge(grad[i]).unwrap_or_else(|why| panic!("{what}, gradient {i}: {why}"));
        }
        let mut alone = stale::<T>(n);
        loss.losses(&x, targets, &mut alone);
        assert!(alone.iter().zip(&losses).all(|(a, b)| a.bits() == b.bits()), "{what}");
        let mut wide = vec![<T::Float as Number>::of(f64::NAN); n];
        Wide(loss).losses(&x, targets, &mut wide);
        assert!(wide.iter().zip(&losses).all(|(&a, b)| T::rounded(a).bits() == b.bits()), "{what}");
        for (reduction, divisor) in [(Reduction::Sum, Big::ONE), (Reduction::Mean, Big::of(n as f64))] {
            let loss = loss.reduction(reduction);
            let mut grad = stale::<T>(n);
            let got = loss.loss_and_gradient(&x, targets, &mut grad);
            assert_eq!(got.bits(), loss.loss(&x, targets).bits(), "{what}");
            let got = Wide(loss).loss_and_gradient(&x, targets, &mut grad);
            let of_total = Expected::of(total / divisor, 5.0);
            of_total.judge(got).unwrap_or_else(|why| panic!("{what}, {reduction:?}: {why}"));
            for (i, &(_, slope, floor)) in exact.iter().enumerate() {
                let expected = Expected::of(slope / divisor, bound + 1.5).floor(floor / divisor).any_zero();
                expected.judge(grad[i]).unwrap_or_else(|why| panic!("{what}, {reduction:?}, gradient {i}: {why}"));
            }
        }
    }
}

fn weights<T: Number<Float: Number>>() {
    for n in [1, 6, 30, 36, 96, 132, 300, 1_026, 2_100] {
        for shape in [Shape::All, Shape::Each, Shape::Classes(n / 3 + n % 3), Shape::Classes(3), Shape::Rows(3)] {
            if n % shape.len(n).max(1) != 0 || (n == 1 && !matches!(shape, Shape::All | Shape::Each)) {
                continue;
            }
            check::<T>(n, Some(shape), None);
            check::<T>(n, None, Some(shape));
            check::<T>(n, Some(shape), Some(Shape::Each));
        }
    }
    // Images, with channels that fill a tile, that do not, and that are shorter than a vector.
    for (n, channels, inner) in [(3 * 1_100, 3, 1_100), (2 * 5 * 130, 5, 130), (4 * 7 * 9, 7, 9), (600, 300, 2)] {
        check::<T>(n, Some(Shape::Channels(channels, inner)), Some(Shape::Classes(inner)));
        check::<T>(n, Some(Shape::Rows(inner)), Some(Shape::Channels(channels, inner)));
    }
}

#[test]
fn weights_of_every_shape_are_those_of_their_elements() {
    for_each_type!(weights());
}

fn weights_of_one<T: Number>() {
    let mut bits = Bits(7);
    for n in [5, 64, 1_500] {
        let (x, t): (Vec<T>, Vec<T>) = (bits.numbers(n, 20.0), (0..n).map(|i| T::of((i % 2) as f64)).collect());
        for level in Level::available() {
            let loss = BinaryCrossEntropy::new().at(level);
            let run = |loss: BinaryCrossEntropy, targets: BinaryTargets<'_, T>| {
                let (mut losses, mut grad) = (stale::<T>(n), stale::<T>(n));
                loss.losses_and_gradient(&x, targets, &mut losses, &mut grad);
                losses.into_iter().chain(grad).map(Number::bits).collect::<Vec<_>>()
            };
            let targets = BinaryTargets::from(&t);
            assert_eq!(run(loss, targets.weighted(&[T::one()])), run(loss, targets), "{} {n}", T::TYPE);
            let three = loss.pos_weight(3.0).unwrap();
            assert_eq!(run(loss, targets.pos_weighted(&[T::of(3.0)])), run(three, targets), "{} {n}", T::TYPE);
            // The weight of each element replaces the single number.
            assert_eq!(run(three, targets.pos_weighted(&[T::one()])), run(loss, targets), "{} {n}", T::TYPE);
        }
    }
}

#[test]
fn weights_of_1_do_not_change_a_bit() {
    for_each_type!(weights_of_one());
}

fn weights_of_zero<T: Number>() {
    let (inf, zero, one) = (T::infinity(), T::zero(), T::one());
    let (x, t) = ([inf, -inf, T::of(3.0), T::max_value()], [zero, one, one, zero]);
    let (mut losses, mut grad) = ([T::nan(); 4], [T::nan(); 4]);
    let loss = BinaryCrossEntropy::new();
    loss.losses_and_gradient(&x, BinaryTargets::from(&t).weighted(&[zero]), &mut losses, &mut grad);
    assert!(losses.iter().chain(&grad).all(|y| y.is_zero()), "{losses:?} {grad:?}");
    let got = loss.loss(&x, BinaryTargets::from(&t).weighted(&[zero, zero, one, zero]));
    assert!((got.wide() - 0.048_587_351_573_742_06 / 4.0).abs() < 1e-4, "{got}");
    // Elements with a target of 1 do not count.
    loss.losses_and_gradient(&x, BinaryTargets::from(&t).pos_weighted(&[zero]), &mut losses, &mut grad);
    assert!(losses[0] == inf && losses[1].is_zero() && losses[2].is_zero() && losses[3] == T::max_value());
    let weights = [one, T::nan(), one, one];
    assert!(loss.loss(&x, BinaryTargets::from(&t).weighted(&weights)).is_nan());
}

#[test]
fn elements_of_weight_0_add_nothing_even_at_infinity() {
    for_each_type!(weights_of_zero());
}
