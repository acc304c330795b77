//! Softmax and related functions of a row, from their definitions.

use crate::big::Big;

/// Probabilities p, 1 - p, and log p. Each is a range, because each score may be off by a given amount. All are NaN if the row is.
pub(crate) struct Row {
    pub(crate) p: Vec<(Big, Big)>,
    pub(crate) rest: Vec<(Big, Big)>,
    pub(crate) log: Vec<(Big, Big)>,
    /// log(sum of e^score), for scores without an error.
    pub(crate) log_sum_exp: Big,
    /// Whether the row is nothing but -inf.
    pub(crate) is_empty: bool,
}

impl Row {
    pub(crate) fn of(scores: &[Big], off: &[Big]) -> Self {
        let n = scores.len();
        let top = scores.iter().copied().fold(Big::of(f64::NEG_INFINITY), Big::max);
        let bad = scores.iter().any(|s| s.is_nan()) || !top.is_finite();
        if bad {
            let nan = vec![(Big::NAN, Big::NAN); n];
            let is_empty = scores.iter().all(|s| s.is_infinite() && s.is_negative());
            let log_sum_exp = if scores.iter().any(|s| s.is_nan()) { Big::NAN } else { top };
            return Self { p: nan.clone(), rest: nan.clone(), log: nan, log_sum_exp, is_empty };
        }
        let exps = |sign: Big| -> Vec<Big> {
            let at = |(&s, &off): (&Big, &Big)| if s.is_finite() { ((s - top) + sign * off).exp() } else { Big::ZERO };
            scores.iter().zip(off).map(at).collect()
        };
        let (less, more) = (exps(-Big::ONE), exps(Big::ONE));
        let (others_less, others_more) = (others(&less), others(&more));
        let (mut p, mut rest, mut log) = (Vec::new(), Vec::new(), Vec::new());
        let off_top = scores.iter().zip(off).find(|(s, _)| **s == top).map_or(Big::ZERO, |(_, off)| *off);
        for i in 0..n {
            let part = |own: Big, others: Big| own / (own + others);
            let bounds = (part(less[i], others_more[i]), part(more[i], others_less[i]));
            p.push(bounds);
            rest.push((part(others_less[i], more[i]), part(others_more[i], less[i])));
            let down = top - scores[i];
            log.push(if down.is_infinite() {
                (-down, -down)
            } else if down.is_ordinary() && down.exponent() > 20 {
                let off = off[i] + off_top;
                (-down - off - (Big::ONE + others_more[i]).ln(), -down + off)
            } else {
                (-(others_more[i] / less[i]).ln_1p(), -(others_less[i] / more[i]).ln_1p())
            });
        }
        let rest_of_top = scores.iter().position(|&s| s == top).map_or(Big::ZERO, |i| {
            let exps: Vec<Big> =
                scores.iter().map(|&s| if s.is_finite() { (s - top).exp() } else { Big::ZERO }).collect();
            others(&exps)[i]
        });
        Self { p, rest, log, log_sum_exp: top + rest_of_top.ln_1p(), is_empty: false }
    }

    /// For exact scores.
    pub(crate) fn exact(scores: &[Big]) -> Self {
        Self::of(scores, &vec![Big::ZERO; scores.len()])
    }

    /// p (1 - p).
    pub(crate) fn diagonal(&self, i: usize) -> (Big, Big) {
        let ((p_lo, p_hi), (rest_lo, rest_hi)) = (self.p[i], self.rest[i]);
        if p_lo.is_nan() {
            return (Big::NAN, Big::NAN);
        }
        let (a, b) = (p_lo * rest_hi, p_hi * rest_lo);
        let half = Big::ONE.scaled(-1);
        let most = if p_lo < half && half < p_hi { half * half } else { a.max(b) };
        (a.min(b), most)
    }
}

/// For each term, the sum of the others.
fn others(terms: &[Big]) -> Vec<Big> {
    let mut sums = vec![Big::ZERO; terms.len()];
    let mut before = Big::ZERO;
    for (sum, &term) in sums.iter_mut().zip(terms) {
        *sum = before;
        before = before + term;
    }
    let mut after = Big::ZERO;
    for (sum, &term) in sums.iter_mut().zip(terms).rev() {
        *sum = *sum + after;
        after = after + term;
    }
    sums
}

/// The point of the simplex that a function of rows gives.
pub(crate) struct Simplex {
    pub(crate) p: Vec<Big>,
    /// How many elements are above 0.
    pub(crate) count: usize,
}

/// Sparsemax, by sorting; `None` for a row that is NaN.
pub(crate) fn sparsemax(x: &[Big]) -> Option<Simplex> {
    let top = x.iter().copied().fold(Big::of(f64::NEG_INFINITY), Big::max);
    if !top.is_finite() || x.iter().any(|x| x.is_nan()) {
        return None;
    }
    let down: Vec<Big> = x.iter().map(|&x| if x.is_finite() { x - top } else { Big::of(f64::NEG_INFINITY) }).collect();
    let mut sorted = down.clone();
    sorted.sort_by(|a, b| b.partial_cmp(a).expect("no NaN"));
    let (mut sum, mut tau, mut count) = (Big::ZERO, Big::ZERO, 0);
    for &z in &sorted {
        let n = Big::of((count + 1) as f64);
        // The greatest k for which 1 + k z > the sum of the k greatest.
        if !z.is_finite() || Big::ONE + n * z <= sum + z {
            break;
        }
        (sum, count) = (sum + z, count + 1);
        tau = (sum - Big::ONE) / n;
    }
    let p = down.iter().map(|&z| if z.is_finite() { (z - tau).max(Big::ZERO) } else { Big::ZERO }).collect();
    Some(Simplex { p, count })
}
