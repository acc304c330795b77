//! Top-k softmax: the experts of a mixture that each row of logits chooses, and their weights.

use num_traits::Zero;

use super::function::run as run_rows;
use super::layout::Layout;
use super::log_sum_exp::{LogSumExp, probabilities};
use super::reduce::{Partial, add};
use super::softmax::Softmax;
use super::states::State;
use super::terms::Terms;
use crate::describe::error::ParameterError;
use crate::kernel::element::{Element, Float, Lane, per_element};
use crate::kernel::level::Level;
use crate::kernel::real::Real;
use crate::pass::{Pass, Pieces, same_length};

const NAME: &str = "top_k_softmax";

/// Top-k softmax: the k greatest of each row of logits, and their softmax: the router of a mixture of experts.
///
/// w\[j\] = e^x\[i_j\] / sum of e^x\[i_l\], where i_1, i_2, .. i_k are the places of the k greatest, the greatest first. That is the
/// softmax of all logits, renormalised over the chosen ones: both orders of softmax and choice give the same. With
/// [`over_all`](Self::over_all) nothing is renormalised.
///
/// - Ties: of equal logits the one with the lower index comes first. -0.0 and 0.0 are equal.
/// - Derivative: a Jacobian, dw\[j\]/dx\[i_l\] = w\[j\] (\[j = l\] - w\[l\]), and 0 for logits that were not chosen, because the choice
///   is constant almost everywhere. [`backward`](Self::backward) gives the product with a gradient.
/// - Range: \[0, 1\]; the k weights of a row sum to 1.
/// - Error: at most 3 ULP, as [`Softmax`]. Halves are computed in `f32` and rounded once.
/// - Special values: NaN counts as greater than any number, so `indices` name it first, and all weights of its row are NaN. So
///   are those of a row that chose inf, or nothing but -inf. A chosen -inf has weight 0 otherwise.
/// - Time: a row is read once for the choice; each logit that is among the k greatest so far costs up to k steps. It is meant for
///   k of a few.
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

    /// The softmax of all logits of a row, of which the chosen ones are the weights: not renormalised, they sum to less than 1.
    /// Hugging Face's `norm_topk_prob=False`.
    ///
    /// w\[j\] = p\[i_j\], p the row's softmax. Every logit has a gradient, p\[i\] (g\[i\] - <p, g>), with g\[i\] = 0 if it was not chosen.
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

    /// How many of them are chosen.
    #[must_use]
    pub fn k(&self) -> usize {
        self.k
    }

    /// The places of each row's k greatest logits, the greatest first, and their weights. Both slices have k elements for each
    /// row, one row after another.
    ///
    /// # Panics
    /// If `logits` does not divide into rows, or the others do not have k elements for each, before anything is written.
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

    /// [`forward`](Self::forward) at a level of one's own choice.
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

    /// The gradient with respect to the logits, from that with respect to the weights: `grad_logits` is as long as `logits`, and
    /// is overwritten. `indices` are those of [`forward`](Self::forward).
    ///
    /// # Panics
    /// If `logits` does not divide into rows, the others do not have k elements for each, or an index is not below the number
    /// of experts, before anything is written.
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

    /// [`backward`](Self::backward) at a level of one's own choice.
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

    /// How many are chosen from so many logits.
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

/// What is asked for.
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
                if over_all {
                    normalise(level, LogSumExp::of_at(level, logits).state, weights);
                }
            }
            if let (false, Ok(rows)) = (over_all, Layout::rows(NAME, k)) {
                let terms = Terms::scaled(1.0);
                run_rows::<T, Softmax>(rows, level, terms, Pass::ForwardInPlace { x: weights });
            }
        }
        Asked::Backward { logits, indices, grad_weights, grad_logits } => {
            let rows = logits.chunks_exact(experts).zip(grad_logits.chunks_exact_mut(experts));
            let chosen = indices.chunks_exact(k).zip(grad_weights.chunks_exact(k));
            for ((logits, grad_logits), (indices, grad_weights)) in rows.zip(chosen) {
                Row { level, logits, indices, grad_weights }.backward(over_all, grad_logits);
            }
        }
    }
}

/// Chosen elements that are computed at a time.
const PART: usize = 32;

/// The places of the greatest logits, and these.
fn choose<T: Element>(logits: &[T], indices: &mut [usize], chosen: &mut [T]) {
    let before = |a: T, b: T| a > b || a.is_nan() && !b.is_nan();
    let (mut count, last) = (0, indices.len() - 1);
    for (part, logits) in logits.chunks(PART).enumerate() {
        // Most parts of a long row have nothing to choose: a loop without branches finds that out.
        if count > last && logits.iter().fold(true, |none, &logit| none & (logit <= chosen[last])) {
            continue;
        }
        for (i, &logit) in logits.iter().enumerate() {
            if count > last && !before(logit, chosen[last]) {
                continue;
            }
            let mut at = count.min(last);
            count = (count + 1).min(last + 1);
            while at > 0 && before(logit, chosen[at - 1]) {
                (chosen[at], indices[at]) = (chosen[at - 1], indices[at - 1]);
                at -= 1;
            }
            (chosen[at], indices[at]) = (logit, part * PART + i);
        }
    }
}

/// The probabilities of logits, in their place.
fn normalise<T: Element>(level: Level, state: State<T::Float>, logits: &mut [T]) {
    for part in logits.chunks_mut(PART) {
        let mut copy = [T::zero(); PART];
        let copy = &mut copy[..part.len()];
        copy.copy_from_slice(part);
        probabilities(level, state, T::Float::of(1.0), copy, part);
    }
}

/// A row and the gradient of its weights.
struct Row<'a, T> {
    level: Level,
    logits: &'a [T],
    indices: &'a [usize],
    grad_weights: &'a [T],
}

impl<T: Element> Row<'_, T> {
    /// p (g - <p, g>), where p is of all logits or of the chosen ones, and g is 0 where nothing was chosen.
    fn backward(&self, over_all: bool, grad_logits: &mut [T]) {
        let state = if over_all { LogSumExp::of_at(self.level, self.logits).state } else { self.state_of_chosen() };
        let zero = <T::Float as Float>::Plain::of(0.0);
        let mut sum: Partial<_> = (zero, zero);
        self.each(state, &mut |_, p, g| {
            let (product, error) = <T::Float as Float>::Plain::load(p).two_mul(Lane::load(g));
            sum = add(sum, product);
            sum.1 = sum.1 + error;
        });
        let mean = sum.0 + sum.1;
        if over_all {
            probabilities(self.level, state, (-mean).store(), self.logits, grad_logits);
        } else {
            grad_logits.fill(T::zero());
        }
        self.each(state, &mut |index, p, g| {
            let gradient = <T::Float as Float>::Plain::load(p) * (<T::Float as Float>::Plain::load(g) - mean);
            grad_logits[index] = T::rounded(gradient.store());
        });
    }

    /// Calls `f` with some chosen logits, as many as fit, and where they stand among the chosen.
    fn parts(&self, f: &mut dyn FnMut(usize, &[T::Float])) {
        for (part, indices) in self.indices.chunks(PART).enumerate() {
            let mut logits = [T::Float::zero(); PART];
            for (logit, &index) in logits.iter_mut().zip(indices) {
                *logit = self.logits[index].widened();
            }
            f(part * PART, &logits[..indices.len()]);
        }
    }

    fn state_of_chosen(&self) -> State<T::Float> {
        let mut sum = LogSumExp::<T::Float>::new();
        self.parts(&mut |_, logits| sum.push_slice_at(self.level, logits));
        sum.state
    }

    /// Calls `f` with each chosen index, its probability and its gradient.
    fn each(&self, state: State<T::Float>, f: &mut dyn FnMut(usize, T::Float, T::Float)) {
        self.parts(&mut |start, logits| {
            let mut p = [T::Float::zero(); PART];
            probabilities(self.level, state, T::Float::of(1.0), logits, &mut p[..logits.len()]);
            for (i, &p) in p[..logits.len()].iter().enumerate() {
                f(self.indices[start + i], p, self.grad_weights[start + i].widened());
            }
        });
    }
}
