//! Functions of rows: softmax, log-softmax and softmin, plain and with scores that are scaled, biased and masked.

use activations::{FromOutput, Level, LogSoftmax, Softmax, Softmin};

use crate::activations_cells::{Leveled, METHODS, OUTPUT_METHODS, Passes, check_from_output, names};
use crate::big::Big;
use crate::cases::{Bits, Case};
use crate::judge::{Expected, Judge};
use crate::number::{Number, big, for_each_type};
use crate::row_reference::Row;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Softmax,
    LogSoftmax,
    Softmin,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Softmax, Self::LogSoftmax, Self::Softmin];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Softmax => "Softmax",
            Self::LogSoftmax => "LogSoftmax",
            Self::Softmin => "Softmin",
        }
    }
}

/// Rows of `len`, `inner` side by side, `outer` times.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) outer: usize,
    pub(crate) len: usize,
    pub(crate) inner: usize,
}

impl Shape {
    pub(crate) const fn new(outer: usize, len: usize, inner: usize) -> Self {
        Self { outer, len, inner }
    }

    /// The shapes of a case.
    pub(crate) fn of(case: Case) -> Vec<Self> {
        match case {
            Case::Empty => vec![Self::new(0, 5, 1), Self::new(0, 5, 3)],
            Case::One => vec![Self::new(1, 1, 1)],
            // Long rows are computed in another way than short ones.
            Case::Random => vec![Self::new(4, 7, 1), Self::new(2, 33, 1), Self::new(1, 1_100, 1), Self::new(2, 5, 3)],
            _ => vec![Self::new(4, 7, 1), Self::new(2, 33, 1), Self::new(1, 300, 1), Self::new(2, 5, 3)],
        }
    }

    pub(crate) fn size(self) -> usize {
        self.outer * self.len * self.inner
    }

    /// The places of each row's elements.
    pub(crate) fn rows(self) -> Vec<Vec<usize>> {
        let Self { outer, len, inner } = self;
        let row = |o: usize, k: usize| (0..len).map(|i| (o * len + i) * inner + k).collect();
        (0..outer).flat_map(|o| (0..inner).map(move |k| (o, k))).map(|(o, k)| row(o, k)).collect()
    }
}

/// How the scores are changed first.
#[derive(Clone, Debug)]
pub(crate) struct Terms<T> {
    what: &'static str,
    scale: f64,
    bias: Option<Vec<T>>,
    keep: Option<Vec<bool>>,
    zeros: bool,
}

impl<T: Number> Terms<T> {
    pub(crate) fn plain() -> Self {
        Self { what: "plain", scale: 1.0, bias: None, keep: None, zeros: false }
    }

    pub(crate) fn scaled(scale: f64) -> Self {
        Self { what: "scaled", scale, ..Self::plain() }
    }

    pub(crate) fn biased(scale: f64, bias: Vec<T>) -> Self {
        Self { what: "biased", scale, bias: Some(bias), ..Self::plain() }
    }

    /// A bias or a mask is one row, or as long as the data.
    fn all(bits: &mut Bits, shape: Shape) -> Vec<Self> {
        let one_row = |n: usize| if shape.inner == 1 && shape.outer > 0 { n } else { shape.size() };
        let mut bias = |len: usize| -> Vec<T> {
            let mut bias = bits.numbers::<T>(len, 5.0);
            bias.iter_mut().skip(2).step_by(9).for_each(|bias| *bias = T::neg_infinity());
            bias
        };
        let (row_bias, whole_bias) = (bias(one_row(shape.len)), bias(shape.size()));
        let mut keep = |len: usize| (0..len).map(|i| i % shape.len.max(2) == 0 || bits.below(3) > 0).collect();
        let (row_keep, mut whole_keep): (_, Vec<bool>) = (keep(one_row(shape.len)), keep(shape.size()));
        if shape.outer > 1 {
            whole_keep[..shape.len * shape.inner].fill(false);
        }
        vec![
            Self::scaled(0.1125),
            Self::biased(3.7, row_bias),
            Self { what: "masked, zeros", keep: Some(whole_keep), zeros: true, ..Self::plain() },
            Self { what: "all", scale: 0.5, bias: Some(whole_bias), keep: Some(row_keep), zeros: false },
        ]
    }
}

/// The function, with its terms.
pub(crate) fn function<'a, T: Number>(
    kind: Kind,
    shape: Shape,
    terms: Option<&'a Terms<T>>,
) -> Box<dyn FromOutput<T> + 'a> {
    const OK: &str = "lengths that fit";
    macro_rules! of {
        ($function:ident) => {{
            let rows =
                if shape.inner == 1 { $function::rows(shape.len) } else { $function::axis(shape.len, shape.inner) };
            let rows = rows.expect(OK);
            let Some(terms) = terms else { return Box::new(rows) };
            let mut scores = rows.scaled::<T>(terms.scale).expect(OK);
            if let Some(bias) = &terms.bias {
                scores = scores.biased(bias).expect(OK);
            }
            if let Some(keep) = &terms.keep {
                scores = scores.masked(keep).expect(OK);
            }
            if terms.zeros {
                scores = scores.empty_rows_are_zeros();
            }
            Box::new(scores)
        }};
    }
    match kind {
        Kind::Softmax => of!(Softmax),
        Kind::LogSoftmax => of!(LogSoftmax),
        Kind::Softmin => of!(Softmin),
    }
}

/// The documented bound of values and diagonals.
pub(crate) const BOUND: f64 = 3.0;

/// The expected results of the passes, at a level that is fused or plain.
pub(crate) fn expected<'a, T: Number>(
    kind: Kind,
    shape: Shape,
    terms: &Terms<T>,
    x: &'a [T],
    grad_y: &'a [T],
    fused: bool,
) -> Passes<'a, T> {
    let nothing = vec![Expected::of(Big::ZERO, 0.0); x.len()];
    let (mut values, mut slopes, mut grads) = (nothing.clone(), nothing.clone(), nothing);
    let scale = Big::of(T::computed(terms.scale));
    let factor = if kind == Kind::Softmin { -scale } else { scale };
    for places in shape.rows() {
        // A mask or a bias of one row is repeated.
        let kept = |i: usize| terms.keep.as_ref().is_none_or(|keep| keep[i % keep.len()]);
        let (mut scores, mut off) = (Vec::new(), Vec::new());
        for &i in &places {
            let product = factor * x[i].big();
            let score = terms.bias.as_ref().map_or(product, |bias| product + bias[i % bias.len()].big());
            let score = if kept(i) { score } else { Big::of(f64::NEG_INFINITY) };
            // Half an ULP of the score, and without fused multiply-add half an ULP of the product. A power of two is exact.
            let half_ulp = |x: Big| if x.is_finite() { T::spacing_of_computation(x).scaled(-1) } else { Big::ZERO };
            let rounds = terms.bias.is_some() || scale != Big::ONE;
            let own = if rounds { half_ulp(score) } else { Big::ZERO };
            off.push(own + if terms.bias.is_some() && !fused { half_ulp(product) } else { Big::ZERO });
            scores.push(score);
        }
        let row = Row::of(&scores, &off);
        if row.is_empty && terms.zeros {
            continue;
        }
        let g: Vec<Big> = places.iter().map(|&i| grad_y[i].big()).collect();
        let gradient = Gradient::of::<T>(kind, &row, &g);
        for (j, &i) in places.iter().enumerate() {
            let ((lo, hi), slope) = match kind {
                Kind::LogSoftmax => (row.log[j], row.rest[j]),
                _ => (row.p[j], row.diagonal(j)),
            };
            values[i] = Expected::between(lo, hi, BOUND);
            if !kept(i) {
                continue;
            }
            let slope = Expected::between(slope.0, slope.1, BOUND);
            slopes[i] = if scale == Big::ONE { slope.signed(factor) } else { slope.times::<T>(factor) };
            let (grad, noise) = gradient.at(j);
            grads[i] = Expected::of(grad, 1.0).within(noise).times::<T>(factor);
        }
    }
    Passes { x, grad_y, values, slopes, grads }
}

/// The product of the transposed Jacobian with a gradient, and the rounding errors of its terms.
pub(crate) struct Gradient<'a> {
    kind: Kind,
    row: &'a Row,
    g: &'a [Big],
    /// The sum of p g, or of g; the sum of the magnitudes; and the part of the scores' errors.
    sum: Big,
    size: Big,
    off: Big,
    eps: Big,
    least: Big,
}

impl<'a> Gradient<'a> {
    pub(crate) fn of<T: Number>(kind: Kind, row: &'a Row, g: &'a [Big]) -> Self {
        let weight = |j: usize| if kind == Kind::LogSoftmax { Big::ONE } else { row.p[j].0 };
        let of = |f: &dyn Fn(usize) -> Big| (0..g.len()).map(f).sum::<Big>();
        Self {
            kind,
            row,
            g,
            sum: of(&|j| weight(j) * g[j]),
            size: of(&|j| weight(j) * g[j].abs()),
            off: of(&|j| if kind == Kind::LogSoftmax { Big::ZERO } else { (row.p[j].1 - row.p[j].0) * g[j].abs() }),
            eps: T::eps(),
            least: T::spacing_of_computation(Big::ZERO),
        }
    }

    pub(crate) fn at(&self, j: usize) -> (Big, Big) {
        let ((p, p_hi), g, eight) = (self.row.p[j], self.g[j], Big::of(8.0));
        let (grad, scale, g_alone) = match self.kind {
            Kind::LogSoftmax => (g - p * self.sum, self.size, g.abs() * self.eps),
            _ => (p * (g - self.sum), g.abs() + self.size, Big::ZERO),
        };
        let noise = (eight * self.eps * p_hi + (p_hi - p) + self.least) * scale + p_hi * self.off + g_alone;
        (grad, noise)
    }
}

/// Gradients from outputs.
fn from_output<T: Number>(kind: Kind, shape: Shape, terms: &Terms<T>, y: &[T], grad_y: &[T]) -> Vec<Expected> {
    let mut expected = vec![Expected::of(Big::ZERO, 0.0); y.len()];
    let scale = Big::of(T::computed(terms.scale));
    let factor = if kind == Kind::Softmin { -scale } else { scale };
    for places in shape.rows() {
        let (y, g): (Vec<Big>, Vec<Big>) = places.iter().map(|&i| (y[i].big(), grad_y[i].big())).unzip();
        if y.iter().all(|y| y.is_zero()) && terms.zeros {
            continue;
        }
        let log_of = kind == Kind::LogSoftmax;
        let p: Vec<Big> = if log_of { y.iter().map(|y| y.exp()).collect() } else { y.clone() };
        let weights: Vec<Big> = if log_of { vec![Big::ONE; g.len()] } else { p.clone() };
        let sum: Big = weights.iter().zip(&g).map(|(&w, &g)| w * g).sum();
        let size: Big = weights.iter().zip(&g).map(|(&w, &g)| w.abs() * g.abs()).sum();
        for (j, &i) in places.iter().enumerate() {
            if terms.keep.as_ref().is_some_and(|keep| !keep[i % keep.len()]) {
                continue;
            }
            let least = T::spacing_of_computation(Big::ZERO);
            let (grad, noise) = if log_of {
                let noise = T::eps() * (g[j].abs() + p[j] * (Big::of(3.0) * sum.abs() + Big::of(5.0) * size));
                (g[j] - p[j] * sum, noise)
            } else {
                (p[j] * (g[j] - sum), Big::of(5.0) * T::eps() * p[j].abs() * (g[j].abs() + size))
            };
            expected[i] = Expected::of(grad, 0.5).within(noise + least * size).times::<T>(factor);
        }
    }
    expected
}

fn cells<T: Number>(judge: &mut Judge) {
    for (case, kind) in Case::ALL.into_iter().flat_map(|case| Kind::ALL.map(|kind| (case, kind))) {
        let mut bits = Bits(7);
        for shape in Shape::of(case) {
            let x = bits.inputs::<T>(case, shape.size());
            let grad_y = bits.numbers::<T>(x.len(), 3.0);
            check(judge, case, kind, shape, None, (&x, &grad_y));
            for terms in Terms::all(&mut bits, shape) {
                check(judge, case, kind, shape, Some(&terms), (&x, &grad_y));
            }
        }
    }
}

fn check<T: Number>(
    judge: &mut Judge,
    case: Case,
    kind: Kind,
    shape: Shape,
    terms: Option<&Terms<T>>,
    (x, grad_y): (&[T], &[T]),
) {
    let f = function(kind, shape, terms);
    let scores = format!("Scores<{}>", kind.name());
    let name = if terms.is_some() { &scores } else { kind.name() };
    let plain = Terms::plain();
    let terms = terms.unwrap_or(&plain);
    let cell = (name, terms.what, case);
    let of = |fused| expected(kind, shape, terms, x, grad_y, fused);
    // Only the sum with a bias is fused.
    let (fused, not_fused) = (of(true), terms.bias.is_some().then(|| of(false)));
    let at = |level: Level| not_fused.as_ref().filter(|_| !level.is_fused()).unwrap_or(&fused);
    let Shape { outer, len, inner } = shape;
    let place = |level: &str| format!("{outer} x {len} x {inner} at {level}");
    at(Level::best()).check(judge, cell, &place("best"), &*f);
    let y = f.forward_vec(x);
    let grads = from_output(kind, shape, terms, &y, grad_y);
    check_from_output(judge, cell, &place("best"), &*f, None, &y, grad_y, &grads);
    for level in Level::available() {
        at(level).check(judge, cell, &place(level.name()), &Leveled(level, &*f));
        check_from_output(judge, cell, &place(level.name()), &*f, Some(level), &y, grad_y, &grads);
    }
    if terms.bias.is_some() {
        let name = format!("{}::biased", kind.name());
        for name in [&name, "Scores::biased"] {
            judge.slice((name, terms.what, case), &place("best"), x, &at(Level::best()).values, &y);
        }
    }
}

/// Without terms each row has exact scores, as `big` has them.
pub(crate) fn exact_row<T: Number>(x: &[T]) -> Row {
    Row::exact(&big(x))
}

pub(crate) fn covered() -> Vec<String> {
    let types: Vec<String> =
        Kind::ALL.iter().flat_map(|kind| [kind.name().into(), format!("Scores<{}>", kind.name())]).collect();
    let types: Vec<&str> = types.iter().map(String::as_str).collect();
    let biased: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).chain(["Scores"]).collect();
    [names(&types, &METHODS), names(&types, &OUTPUT_METHODS), names(&biased, &["biased"])].concat()
}

#[test]
fn functions_of_rows_are_within_their_bounds() {
    let mut judge = Judge::new("rows");
    for_each_type!(cells(&mut judge));
    judge.finish(&covered());
}
