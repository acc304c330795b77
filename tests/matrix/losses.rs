//! Cross-entropy and binary cross-entropy: the loss of a batch, the losses of rows or elements, and gradients.

use activations::{BinaryCrossEntropy, BinaryTargets, CrossEntropy, Level, Reduction, Targets};

use crate::activations_cells::{computed, names};
use crate::big::Big;
use crate::cases::{Bits, Case};
use crate::formulas::softplus;
use crate::judge::{Expected, Judge};
use crate::number::{Number, big, for_each_type, stale};
use crate::rows::exact_row;

/// The results that all losses must give.
pub(crate) struct Loss {
    pub(crate) losses: Vec<Expected>,
    pub(crate) grads: Vec<Expected>,
    /// The sum of the losses, and the divisor of the mean.
    pub(crate) total: Big,
    pub(crate) divisor: Big,
}

/// The bound of a batch.
const BATCH: f64 = 4.0;

impl Loss {
    /// If the sum overflows the type in which it is computed, it is infinite, and the mean may be too.
    pub(crate) fn reduced<T: Number>(&self, reduction: Reduction) -> Expected {
        let exact = if reduction == Reduction::Mean { self.total / self.divisor } else { self.total };
        let is_beyond = computed::<T>(self.total).is_infinite() && self.total.is_finite();
        Expected::between(exact, if is_beyond { Big::of(f64::INFINITY) } else { exact }, BATCH)
    }

    pub(crate) fn reduced_grads<T: Number>(&self, reduction: Reduction) -> Vec<Expected> {
        let times = if reduction == Reduction::Mean { Big::ONE / self.divisor } else { Big::ONE };
        // The factor and the product are rounded.
        let one = |grad: &Expected| if times == Big::ONE { *grad } else { grad.times::<T>(times).ulps(1.5) };
        self.grads.iter().map(one).collect()
    }
}

/// A batch for a cross-entropy, with targets and weights.
pub(crate) struct Batch<T> {
    pub(crate) what: &'static str,
    pub(crate) loss: CrossEntropy,
    pub(crate) classes: usize,
    pub(crate) smoothing: f64,
    pub(crate) ignored: i64,
    pub(crate) labels: Vec<i64>,
    pub(crate) distributions: Option<Vec<T>>,
    pub(crate) weights: Option<Vec<T>>,
}

impl<T: Number> Batch<T> {
    pub(crate) fn all(bits: &mut Bits, rows: usize, classes: usize) -> Vec<Self> {
        let (ignored, default) = (-1, -100);
        let mut labels = |ignored: i64| -> Vec<i64> {
            let label = |row| if row % 4 == 2 { ignored } else { bits.below(classes) as i64 };
            (0..rows).map(label).collect()
        };
        let (with_default, with_ignored) = (labels(default), labels(ignored));
        let weights = || (0..classes).map(|j| T::of(0.3 + (j % 5) as f64 * 0.7)).collect::<Vec<T>>();
        let mut distributions = || -> Vec<T> {
            let mut t = |i: usize| if i % 5 == 1 { 0.0 } else { bits.within(1.0).abs() * 1.5 / classes as f64 };
            (0..rows * classes).map(|i| T::of(t(i))).collect()
        };
        let (once, again) = (distributions(), distributions());
        let new = |what, smoothing: f64, ignored, labels: &[i64]| {
            let loss = CrossEntropy::new(classes).and_then(|loss| loss.label_smoothing(smoothing)).expect("settings");
            let (labels, loss) = (labels.to_vec(), loss.ignore_index(ignored));
            Self { what, loss, classes, smoothing, ignored, labels, distributions: None, weights: None }
        };
        vec![
            new("classes", 0.0, default, &with_default),
            new("ignored -1", 0.0, ignored, &with_ignored),
            Self { weights: Some(weights()), ..new("weighted", 0.0, default, &with_default) },
            new("smoothed", 0.1, default, &with_default),
            Self { weights: Some(weights()), ..new("weighted, smoothed", 0.1, ignored, &with_ignored) },
            Self { distributions: Some(once), ..new("distributions", 0.0, default, &[]) },
            Self {
                distributions: Some(again),
                weights: Some(weights()),
                ..new("distributions, all", 0.25, default, &[])
            },
        ]
    }

    pub(crate) fn targets(&self) -> Targets<'_, T> {
        let targets = match &self.distributions {
            Some(t) => Targets::distributions(t),
            None => Targets::from(&self.labels),
        };
        match &self.weights {
            Some(weights) => targets.weighted(weights),
            None => targets,
        }
    }

    /// PyTorch's formulas.
    pub(crate) fn exact(&self, logits: &[T]) -> Loss {
        let n = self.classes;
        let (keep, spread) = (Big::of(1.0 - self.smoothing), Big::of(self.smoothing) / Big::of(n as f64));
        let class_weight = |j: usize| self.weights.as_ref().map_or(Big::ONE, |w| w[j].big());
        let (mut losses, mut grads, mut total, mut divisor) = (Vec::new(), Vec::new(), Big::ZERO, Big::ZERO);
        for (row, x) in logits.chunks(n).enumerate() {
            let label = self.labels.get(row).copied();
            if self.distributions.is_none() && label == Some(self.ignored) {
                losses.push(Expected::of(Big::ZERO, 0.0));
                grads.extend(x.iter().map(|_| Expected::of(Big::ZERO, 0.0)));
                continue;
            }
            let target = |j: usize| match &self.distributions {
                Some(t) => t[row * n + j].big(),
                None => {
                    if label == Some(j as i64) {
                        Big::ONE
                    } else {
                        Big::ZERO
                    }
                }
            };
            let weights: Vec<Big> = (0..n).map(|j| class_weight(j) * (keep * target(j) + spread)).collect();
            divisor = divisor + if let Some(label) = label { class_weight(label as usize) } else { Big::ONE };
            let one_class = self.distributions.is_none() && self.smoothing == 0.0;
            let bound = if one_class && self.weights.is_none() { 3.0 } else { 4.0 };
            let row = exact_row(x);
            let sum: Big = weights.iter().copied().sum();
            let loss: Big = if row.p[0].0.is_nan() {
                Big::NAN
            } else {
                weights.iter().zip(&row.log).map(|(&w, &(log, _))| if w.is_zero() { w } else { -w * log }).sum()
            };
            total = total + loss;
            losses.push(Expected::of(loss, bound));
            for (j, &w) in weights.iter().enumerate() {
                let (p, rest) = (row.p[j].0, row.rest[j].0);
                grads.push(if one_class {
                    Expected::of(if w.is_zero() { p * sum } else { -rest * w }, bound)
                } else {
                    Expected::of(p * sum - w, bound).floor((p * sum).max(w))
                });
            }
        }
        Loss { losses, grads, total, divisor }
    }
}

fn cross_entropy<T: Number>(judge: &mut Judge) {
    for case in Case::ALL {
        let mut bits = Bits(41);
        let long = if case == Case::Random { 1_100 } else { 300 };
        for (rows, classes) in [(9, 5), (3, 40), (2, long), (5, 2)] {
            let (rows, classes) = if case == Case::One { (1, 1) } else { (case.len(rows), classes) };
            let x = bits.inputs::<T>(case, rows * classes);
            for batch in Batch::all(&mut bits, rows, classes) {
                let exact = batch.exact(&x);
                for level in Level::available().map(Some).chain([None]) {
                    let loss = level.map_or(batch.loss, |level| batch.loss.at(level));
                    let place = format!("{rows} rows of {classes} at {}", level.map_or("best", Level::name));
                    for reduction in [Reduction::Mean, Reduction::Sum] {
                        let (loss, place) = (loss.reduction(reduction), || format!("{place}, {reduction:?}"));
                        let (expected, grads) = (exact.reduced::<T>(reduction), exact.reduced_grads::<T>(reduction));
                        judge.check(
                            ("CrossEntropy::loss", batch.what, case),
                            place,
                            expected,
                            loss.loss(&x, batch.targets()),
                        );
                        let mut grad = stale(x.len());
                        let got = loss.loss_and_gradient(&x, batch.targets(), &mut grad);
                        judge.check(("CrossEntropy::loss_and_gradient", batch.what, case), place, expected, got);
                        judge.slice(("CrossEntropy::loss_and_gradient", batch.what, case), &place(), &x, &grads, &grad);
                    }
                    let (mut losses, mut grad) = (stale(rows), stale(x.len()));
                    loss.losses(&x, batch.targets(), &mut losses);
                    judge.slice(("CrossEntropy::losses", batch.what, case), &place, &[], &exact.losses, &losses);
                    let mut losses = stale(rows);
                    loss.losses_and_gradient(&x, batch.targets(), &mut losses, &mut grad);
                    judge.slice(
                        ("CrossEntropy::losses_and_gradient", batch.what, case),
                        &place,
                        &[],
                        &exact.losses,
                        &losses,
                    );
                    judge.slice(
                        ("CrossEntropy::losses_and_gradient", batch.what, case),
                        &place,
                        &x,
                        &exact.grads,
                        &grad,
                    );
                    if batch.distributions.is_some() {
                        judge.slice(("Targets::distributions", batch.what, case), &place, &[], &exact.losses, &losses);
                    }
                    if batch.weights.is_some() {
                        judge.slice(("Targets::weighted", batch.what, case), &place, &[], &exact.losses, &losses);
                    }
                }
            }
            every_integer(judge, case, &x, rows, classes);
        }
    }
}

/// Classes in any type of integer, as slices, arrays and vectors, have the same bits.
fn every_integer<T: Number>(judge: &mut Judge, case: Case, x: &[T], rows: usize, classes: usize) {
    let loss = CrossEntropy::new(classes).expect("classes");
    let labels: Vec<i64> = (0..rows).map(|row| (row % classes) as i64).collect();
    let mut expected = stale(rows);
    loss.losses(x, &labels, &mut expected);
    macro_rules! each {
        ($($integer:ident)*) => {$(
            let narrow: Vec<$integer> = labels.iter().map(|&label| label as $integer).collect();
            let mut got = stale(rows);
            loss.losses(x, &narrow, &mut got);
            judge.same(("CrossEntropy::losses", stringify!($integer), case), "a vector", &expected, &got);
            got = stale(rows);
            loss.losses(x, narrow.as_slice(), &mut got);
            judge.same(("CrossEntropy::losses", stringify!($integer), case), "a slice", &expected, &got);
        )*};
    }
    each!(u8 u16 u32 u64 usize i32 i64);
}

/// PyTorch's formula, with the weight of the positive target.
pub(crate) fn exact_binary<T: Number>(x: &[T], t: &[T], pos_weight: f64, fused: bool) -> Loss {
    let bound = if fused { 5.0 } else { 7.0 };
    let weight = Big::of(T::computed(pos_weight));
    let (mut losses, mut grads, mut total) = (Vec::new(), Vec::new(), Big::ZERO);
    for (x, t) in big(x).into_iter().zip(big(t)) {
        let (of_one, of_zero) = (weight * t, Big::ONE - t);
        // A share of 0 gives 0, even for an infinite logit.
        let term = |share: Big, x: Big| if share.is_zero() && !x.is_nan() { share } else { share * softplus(x) };
        let loss = term(of_one, -x) + term(of_zero, x);
        let (up, down) = (of_zero * x.sigmoid(), of_one * (-x).sigmoid());
        losses.push(Expected::of(loss, 4.0));
        grads.push(Expected::of(up - down, bound).floor(up.max(down)).any_zero());
        total = total + loss;
    }
    Loss { losses, grads, total, divisor: Big::of(x.len() as f64) }
}

fn binary<T: Number>(judge: &mut Judge) {
    for case in Case::ALL {
        let mut bits = Bits(42);
        for (len, pos_weight) in [(67, 1.0), (67, 3.3), (300, 0.3), (40, 0.0)] {
            let x = bits.inputs::<T>(case, case.len(len));
            let target = |i: usize| if i % 4 < 2 { (i % 2) as f64 } else { bits.within(1.0).abs() };
            let t: Vec<T> = (0..x.len()).map(target).map(T::of).collect();
            let what = if pos_weight == 1.0 { "plain" } else { "pos_weight" };
            let [plain, fused] = [false, true].map(|fused| exact_binary(&x, &t, pos_weight, fused));
            let weighted = BinaryCrossEntropy::new().pos_weight(pos_weight).expect("a weight");
            for level in Level::available().map(Some).chain([None]) {
                let loss = level.map_or(weighted, |level| weighted.at(level));
                let exact = if level.unwrap_or(Level::best()).is_fused() { &fused } else { &plain };
                let place = format!("{len} logits, weight {pos_weight}, at {}", level.map_or("best", Level::name));
                for reduction in [Reduction::Mean, Reduction::Sum] {
                    let (loss, place) = (loss.reduction(reduction), || format!("{place}, {reduction:?}"));
                    let (expected, grads) = (exact.reduced::<T>(reduction), exact.reduced_grads::<T>(reduction));
                    judge.check(("BinaryCrossEntropy::loss", what, case), place, expected, loss.loss(&x, &t));
                    let mut grad = stale(x.len());
                    let got = loss.loss_and_gradient(&x, &t, &mut grad);
                    judge.check(("BinaryCrossEntropy::loss_and_gradient", what, case), place, expected, got);
                    judge.slice(("BinaryCrossEntropy::loss_and_gradient", what, case), &place(), &x, &grads, &grad);
                }
                let (mut losses, mut grad) = (stale(x.len()), stale(x.len()));
                loss.losses(&x, &t, &mut losses);
                judge.slice(("BinaryCrossEntropy::losses", what, case), &place, &x, &exact.losses, &losses);
                let mut losses = stale(x.len());
                loss.losses_and_gradient(&x, &t, &mut losses, &mut grad);
                judge.slice(
                    ("BinaryCrossEntropy::losses_and_gradient", what, case),
                    &place,
                    &x,
                    &exact.losses,
                    &losses,
                );
                judge.slice(("BinaryCrossEntropy::losses_and_gradient", what, case), &place, &x, &exact.grads, &grad);
                // A weight for each element, which is the same for all.
                let weights = (vec![T::of(2.0); x.len()], vec![T::of(pos_weight); x.len()]);
                let (targets, plain) = (BinaryTargets::from(&t), loss.pos_weight(1.0).expect("a weight"));
                let rounded = exact_binary(&x, &t, T::of(pos_weight).wide(), level.unwrap_or(Level::best()).is_fused());
                plain.losses_and_gradient(&x, targets.pos_weighted(&weights.1), &mut losses, &mut grad);
                judge.slice(("BinaryTargets::pos_weighted", what, case), &place, &x, &rounded.losses, &losses);
                judge.slice(("BinaryTargets::pos_weighted", what, case), &place, &x, &rounded.grads, &grad);
                loss.losses(&x, targets.weighted(&weights.0), &mut losses);
                let twice: Vec<_> = exact.losses.iter().map(|loss| loss.times::<T>(Big::of(2.0))).collect();
                judge.slice(("BinaryTargets::weighted", what, case), &place, &x, &twice, &losses);
            }
        }
    }
}

pub(crate) fn covered() -> Vec<String> {
    let methods = ["loss", "loss_and_gradient", "losses", "losses_and_gradient"];
    let of_targets =
        [names(&["Targets"], &["distributions", "weighted"]), names(&["BinaryTargets"], &["weighted", "pos_weighted"])];
    [names(&["CrossEntropy", "BinaryCrossEntropy"], &methods), of_targets.concat()].concat()
}

#[test]
fn losses_are_within_their_bounds() {
    let mut judge = Judge::new("losses");
    for_each_type!(cross_entropy(&mut judge));
    for_each_type!(binary(&mut judge));
    judge.finish(&covered());
}
