//! Top-k softmax: the experts of a mixture that each row of logits chooses, and their weights.

use core::cmp::Ordering;
use core::ops::Range;

use num_traits::Zero;

use super::formula::{OfPart, RowFormula, Rows, Run, Slices};
use super::function::run as run_rows;
use super::layout::Layout;
use super::softmax::{Gradient, Probability, Softmax};
use super::terms::Terms;
use crate::describe::error::ParameterError;
use crate::kernel::element::{Element, Float, per_element};
use crate::kernel::level::Level;
use crate::kernel::tiles::{TILE, Tile};
use crate::pass::{Pass, Pieces, same_length};

const NAME: &str = "top_k_softmax";

/// Top-k softmax, for the router of a mixture of experts: the k greatest logits of each row, and their softmax.
///
/// w\[j\] = e^x\[i_j\] / sum of e^x\[i_l\], where i_1, i_2, .. i_k are the places of the k greatest, the greatest first. This equals
/// the softmax of all logits, renormalised over the chosen ones. [`over_all`](Self::over_all) leaves out the renormalisation.
///
/// - Ties: of equal logits the one with the lower index comes first. -0.0 and 0.0 are equal.
/// - Derivative: a Jacobian, dw\[j\]/dx\[i_l\] = w\[j\] (\[j = l\] - w\[l\]), and 0 for logits that were not chosen, because the choice
///   is constant almost everywhere. [`backward`](Self::backward) gives the product with a gradient.
/// - Range: \[0, 1\]; the k weights of a row sum to 1.
/// - Error: at most 3 ULP, as [`Softmax`]. Halves are computed in `f32` and rounded once.
/// - Special values: NaN counts as greater than any number, so `indices` name it first, and all weights of its row are NaN. The
///   weights are also NaN if inf was chosen, or nothing but -inf. Otherwise a chosen -inf has weight 0.
/// - Time: a row is read once for the choice, and each logit that is among the k greatest so far costs up to k steps. So k should
///   be small.
/// - Source: Shazeer et al., "Outrageously large neural networks: the sparsely-gated mixture-of-experts layer", 2017,
///   arXiv:1701.06538; Jiang et al., "Mixtral of experts", 2024, arXiv:2401.04088.
///
/// ```
/// use activations::TopKSoftmax;
///
/// // Two tokens, four experts, two of them for each token.
/// let router = TopKSoftmax::new(4, 2)?;
/// let logits = [1.0_f32, 5.0, 5.0, -2.0, 0.0, f32::NEG_INFINITY, 0.0, 3.0];
/// let (mut experts, mut weights) = ([0; 4], [0.0; 4]);
/// router.forward(&logits, &mut experts, &mut weights);
/// assert_eq!(experts, [1, 2, 3, 0]);
/// assert_eq!(weights[..2], [0.5, 0.5]);
///
/// let mut grad_logits = [0.0; 8];
/// router.backward(&logits, &experts, &[1.0, 0.0, 0.0, 0.0], &mut grad_logits);
/// assert_eq!(grad_logits, [0.0, 0.25, -0.25, 0.0, 0.0, 0.0, 0.0, 0.0]);
/// # Ok::<(), activations::ParameterError>(())
/// ```
#[doc(alias = "router")]
#[doc(alias = "mixture of experts")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopKSoftmax {
    experts: usize,
    k: usize,
    over_all: bool,
}

impl TopKSoftmax {
    /// Chooses `k` of the `experts` logits of each row.
    ///
    /// # Errors
    /// If `k` is 0, or greater than `experts`.
    ///
    /// ```
    /// use activations::TopKSoftmax;
    ///
    /// let error = TopKSoftmax::new(8, 9).unwrap_err();
    /// assert_eq!(error.to_string(), "top_k_softmax: `k` is 9, but must be at least 1, and at most the number of experts");
    /// ```
    pub fn new(experts: usize, k: usize) -> Result<Self, ParameterError> {
        if k == 0 || k > experts {
            let allowed = "at least 1, and at most the number of experts";
            return Err(ParameterError::new(NAME, "k", k as f64, allowed));
        }
        Ok(Self { experts, k, over_all: false })
    }

    /// Makes the weights the chosen probabilities of the softmax of all logits, without renormalisation, so that they sum to less
    /// than 1. This is Hugging Face's `norm_topk_prob=False`.
    ///
    /// w\[j\] = p\[i_j\], where p is the row's softmax. Every logit has a gradient, p\[i\] (g\[i\] - <p, g>), with g\[i\] = 0 if it was
    /// not chosen.
    ///
    /// ```
    /// use activations::TopKSoftmax;
    ///
    /// let (mut expert, mut weight) = ([0], [0.0_f32]);
    /// TopKSoftmax::new(4, 1)?.over_all().forward(&[7.0; 4], &mut expert, &mut weight);
    /// assert_eq!((expert, weight), ([0], [0.25]));
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    #[must_use]
    pub fn over_all(mut self) -> Self {
        self.over_all = true;
        self
    }

    /// The number of logits of a row.
    #[must_use]
    pub fn experts(&self) -> usize {
        self.experts
    }

    /// The number of logits that are chosen in each row.
    #[must_use]
    pub fn k(&self) -> usize {
        self.k
    }

    /// The places of each row's k greatest logits, the greatest first, and their weights. Both slices have k elements for each
    /// row, one row after another.
    ///
    /// # Panics
    /// If `logits` does not divide into rows, or the other slices do not have k elements for each row, before anything is written.
    ///
    /// ```
    /// use activations::TopKSoftmax;
    ///
    /// let (mut experts, mut weights) = ([0; 2], [0.0_f64; 2]);
    /// TopKSoftmax::new(3, 2)?.forward(&[2.0, 9.0, 9.0], &mut experts, &mut weights);
    /// assert_eq!((experts, weights), ([1, 2], [0.5, 0.5]));
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    #[inline]
    #[track_caller]
    pub fn forward<T: Element>(&self, logits: &[T], indices: &mut [usize], weights: &mut [T]) {
        self.forward_at(Level::best(), logits, indices, weights);
    }

    /// [`forward`](Self::forward) at a given level.
    ///
    /// # Panics
    /// As [`forward`](Self::forward).
    #[track_caller]
    pub fn forward_at<T: Element>(&self, level: Level, logits: &[T], indices: &mut [usize], weights: &mut [T]) {
        let chosen = self.chosen(logits.len());
        same_length("indices", indices.len(), "k for each row", chosen);
        same_length("weights", weights.len(), "k for each row", chosen);
        T::call(&Job { router: *self, level }, Asked::Forward { logits, indices, weights });
    }

    /// The gradient with respect to the logits, from the gradient with respect to the weights. `indices` must come from
    /// [`forward`](Self::forward). `grad_logits` is as long as `logits`, and is overwritten.
    ///
    /// # Panics
    /// If `logits` does not divide into rows, the other slices do not have k elements for each row, or an index is not below the
    /// number of experts, before anything is written.
    ///
    /// ```
    /// use activations::TopKSoftmax;
    ///
    /// let mut grad_logits = [0.0_f64; 3];
    /// TopKSoftmax::new(3, 2)?.backward(&[2.0, 9.0, 9.0], &[1, 2], &[0.0, 4.0], &mut grad_logits);
    /// assert_eq!(grad_logits, [0.0, -1.0, 1.0]);
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    #[inline]
    #[track_caller]
    pub fn backward<T: Element>(&self, logits: &[T], indices: &[usize], grad_weights: &[T], grad_logits: &mut [T]) {
        self.backward_at(Level::best(), logits, indices, grad_weights, grad_logits);
    }

    /// [`backward`](Self::backward) at a given level.
    ///
    /// # Panics
    /// As [`backward`](Self::backward).
    #[track_caller]
    pub fn backward_at<T: Element>(
        &self,
        level: Level,
        logits: &[T],
        indices: &[usize],
        grad_weights: &[T],
        grad_logits: &mut [T],
    ) {
        let chosen = self.chosen(logits.len());
        same_length("indices", indices.len(), "k for each row", chosen);
        same_length("grad_weights", grad_weights.len(), "k for each row", chosen);
        same_length("grad_logits", grad_logits.len(), "logits", logits.len());
        if let Some(index) = indices.iter().find(|index| **index >= self.experts) {
            panic!("{NAME}: the index {index} is out of range of {} experts", self.experts);
        }
        T::call(&Job { router: *self, level }, Asked::Backward { logits, indices, grad_weights, grad_logits });
    }

    /// The number of chosen logits, where `logits` is the length of the slice.
    #[track_caller]
    fn chosen(&self, logits: usize) -> usize {
        Pieces::Rows(self.experts).check(logits);
        logits / self.experts * self.k
    }
}

/// A router at a level.
struct Job {
    router: TopKSoftmax,
    level: Level,
}

/// The results that a caller wants.
enum Asked<'a, T> {
    Forward { logits: &'a [T], indices: &'a mut [usize], weights: &'a mut [T] },
    Backward { logits: &'a [T], indices: &'a [usize], grad_weights: &'a [T], grad_logits: &'a mut [T] },
}

per_element!(Job: Args<'a, T> = Asked<'a, T>, run);

fn run<T: Element>(job: &Job, asked: Asked<'_, T>) {
    let Job { router: TopKSoftmax { experts, k, over_all }, level } = *job;
    match asked {
        Asked::Forward { logits, indices, weights } => {
            let chosen = indices.chunks_exact_mut(k).zip(weights.chunks_exact_mut(k));
            for (logits, (indices, weights)) in logits.chunks_exact(experts).zip(chosen) {
                choose(logits, indices, weights);
            }
            if over_all {
                let mut load = |row: usize, part: Range<usize>, x: &mut [T::Float], _: &mut [T::Float]| {
                    T::widen(level, &logits[row * experts..][part], x);
                };
                by_tiles(level, Probability, (logits.len() / experts, experts), &mut load, &mut |row, part, p| {
                    let chosen = row * k..(row + 1) * k;
                    for (weight, index) in weights[chosen.clone()].iter_mut().zip(&indices[chosen]) {
                        if part.contains(index) {
                            *weight = T::rounded(p[index - part.start]);
                        }
                    }
                });
            } else if let Ok(rows) = Layout::rows(NAME, k) {
                let terms = Terms::scaled(1.0);
                run_rows::<T, Softmax>(rows, level, terms, Pass::ForwardInPlace { x: weights });
            }
        }
        Asked::Backward { logits, indices, grad_weights, grad_logits } => {
            let rows = logits.len() / experts;
            if over_all {
                let mut load = |row: usize, part: Range<usize>, x: &mut [T::Float], grad: &mut [T::Float]| {
                    T::widen(level, &logits[row * experts..][part.clone()], x);
                    // A logit that was not chosen has gradient 0.
                    grad.fill(Zero::zero());
                    for (index, grad_weight) in indices[row * k..][..k].iter().zip(&grad_weights[row * k..]) {
                        if part.contains(index) {
                            grad[index - part.start] = grad_weight.widened();
                        }
                    }
                };
                by_tiles(level, Gradient, (rows, experts), &mut load, &mut |row, part, gradient| {
                    T::narrow(level, gradient, &mut grad_logits[row * experts..][part]);
                });
            } else {
                let mut load = |row: usize, part: Range<usize>, x: &mut [T::Float], grad: &mut [T::Float]| {
                    for (x, &index) in x.iter_mut().zip(&indices[row * k..][part.clone()]) {
                        *x = logits[row * experts + index].widened();
                    }
                    for (grad, grad_weight) in grad.iter_mut().zip(&grad_weights[row * k..][part]) {
                        *grad = grad_weight.widened();
                    }
                };
                grad_logits.fill(T::zero());
                by_tiles(level, Gradient, (rows, k), &mut load, &mut |row, part, gradient| {
                    for (&index, &gradient) in indices[row * k..][part].iter().zip(gradient) {
                        grad_logits[row * experts + index] = T::rounded(gradient);
                    }
                });
            }
        }
    }
}

/// Writes the places of the greatest logits, and the logits.
fn choose<T: Element>(logits: &[T], indices: &mut [usize], chosen: &mut [T]) {
    let before = |a: T, b: T| a > b || a.is_nan() && !b.is_nan();
    let (k, mut count) = (indices.len(), 0);
    let mut take = |i: usize| {
        let logit = logits[i];
        if count == k && !before(logit, chosen[k - 1]) {
            return;
        }
        // The place among the chosen logits. Of equal ones, the first stays before the others.
        let at = chosen[..count].iter().map(|&other| usize::from(!before(logit, other))).sum::<usize>();
        // Goes over all places and moves those after `at`, so that the loop's length is easy to predict.
        count = (count + 1).min(k);
        for j in (1..count).rev() {
            let moves = j > at;
            chosen[j] = if moves { chosen[j - 1] } else { chosen[j] };
            indices[j] = if moves { indices[j - 1] } else { indices[j] };
        }
        (chosen[at], indices[at]) = (logit, i);
    };
    if k <= COLUMN && logits.len() >= 2 * COLUMN {
        let mut candidates = [0; CANDIDATES];
        if let Some(count) = find_candidates(logits, k, &mut candidates) {
            return candidates[..count].iter().for_each(|&i| take(i));
        }
    }
    (0..logits.len()).for_each(take);
}

/// How many candidates are kept, at most.
const CANDIDATES: usize = 64;

/// The number of lanes in which the greatest logits are found.
const COLUMN: usize = 16;

/// Writes the places of the logits that may be among the k greatest, in order, and returns their number; `None` if there are too
/// many. Each lane has a greatest logit. At least k logits are as great as the kth greatest of these, so lesser ones are out. There
/// are no branches, because a CPU could not predict them.
fn find_candidates<T: Element>(logits: &[T], k: usize, candidates: &mut [usize; CANDIDATES]) -> Option<usize> {
    let mut lanes = [T::neg_infinity(); COLUMN];
    for column in logits.as_chunks::<COLUMN>().0 {
        for i in 0..COLUMN {
            lanes[i] = if column[i] > lanes[i] { column[i] } else { lanes[i] };
        }
    }
    let mut floor = T::infinity();
    for lane in lanes {
        let greater = lanes.iter().map(|&other| usize::from(other > lane)).sum::<usize>();
        floor = if greater < k && lane < floor { lane } else { floor };
    }
    let mut count = 0;
    for (i, &logit) in logits.iter().enumerate() {
        candidates[count % CANDIDATES] = i;
        // NaN is a candidate.
        count += usize::from(!matches!(logit.partial_cmp(&floor), Some(Ordering::Less)));
    }
    (count <= CANDIDATES).then_some(count)
}

/// Fills tiles with a part of a row: elements and gradients.
type Load<'a, F> = &'a mut dyn FnMut(usize, Range<usize>, &mut [F], &mut [F]);

/// Runs a formula over rows, which `load` reads and `store` writes.
fn by_tiles<F: Float, R: RowFormula>(
    level: Level,
    formula: R,
    (rows, row_len): (usize, usize),
    load: Load<'_, F>,
    store: &mut dyn FnMut(usize, Range<usize>, &[F]),
) {
    let (mut x, mut grad_y) = (Tile::<F, TILE>::new(), Tile::<F, TILE>::new());
    let at_once = TILE / row_len;
    for first in (0..rows).step_by(at_once.max(1)) {
        if at_once == 0 {
            let mut part = |range: Range<usize>, written, f: OfPart<'_, F>| {
                for start in range.clone().step_by(TILE) {
                    let part = start..range.end.min(start + TILE);
                    let (x, grad_y) = (x.of(part.len()), grad_y.of(part.len()));
                    load(first, part.clone(), x, grad_y);
                    f(0, Slices { row_len: part.len(), x: None, grad_y: Some(grad_y), y: &mut *x });
                    if written {
                        store(first, part, x);
                    }
                }
            };
            F::run(&Run(formula), level, Rows::Parts { rows: 1, row_len, part: &mut part });
            continue;
        }
        let rows = first..rows.min(first + at_once);
        let (x, grad_y) = (x.of(rows.len() * row_len), grad_y.of(rows.len() * row_len));
        let each = rows.clone().zip(x.chunks_exact_mut(row_len)).zip(grad_y.chunks_exact_mut(row_len));
        each.for_each(|((row, x), grad_y)| load(row, 0..row_len, x, grad_y));
        F::run(&Run(formula), level, Rows::Slices(Slices { row_len, x: None, grad_y: Some(grad_y), y: &mut *x }));
        rows.zip(x.chunks_exact(row_len)).for_each(|(row, x)| store(row, 0..row_len, x));
    }
}
