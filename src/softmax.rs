//! Softmax: rows of scores to rows of probabilities.

use core::num::NonZeroUsize;

use crate::activation::{Activation, Pass};
use crate::card::{Card, Described, ErrorBounds, Vanishes};
use crate::dispatch::{Level, Task, dispatch};
use crate::element::{Element, Lane};
use crate::error::ParameterError;
use crate::math::{RowExp, fast_two_sum, lifted_one, two_sum, unlift};
use crate::real::Real;
use crate::reduce::{self, LANES, Partial, Sums, add, add_bounded, total};
use crate::sweep::sweep;

/// Softmax: p\[i\] = e^x\[i\] / sum of e^x\[j\], over each row.
///
/// - [`Softmax::default()`] takes the whole slice as one row; [`Softmax::rows(n)`](Self::rows) each n elements.
/// - Derivative: a Jacobian, dp\[i\]/dx\[j\] = p\[i\] (\[i = j\] - p\[j\]). [`derivative`](Activation::derivative) gives its
///   diagonal, p (1 - p); [`backward`](Activation::backward) the true product, p (g - <p, g>).
/// - Range: \[0, 1\]; a row sums to 1. The maximum is subtracted first: nothing overflows.
/// - Error: at most 3 ULP, and 4 for the diagonal (5 without fused multiply-add), on rows up to a million, whatever their
///   numbers; subnormal probabilities are within it.
/// - Special values: a row with NaN or +inf is NaN, and so is a row of nothing but -inf; otherwise softmax(-inf) = 0.
/// - Source: Boltzmann's distribution; as a network's output, Bridle, "Probabilistic interpretation of feedforward
///   classification network outputs", 1990.
///
/// Do not feed its output to a loss that expects scores ("logits") and applies softmax itself.
///
/// ```
/// use activations::{Activation, Softmax};
///
/// let mut p = [0.0_f32; 4];
/// Softmax::default().forward(&[1.0, 1.0, 1.0, 1.0], &mut p);
/// assert_eq!(p, [0.25; 4]);
///
/// Softmax::rows(2)?.forward(&[1000.0, 1000.0, f32::NEG_INFINITY, -1000.0], &mut p);
/// assert_eq!(p, [0.5, 0.5, 0.0, 1.0]);
/// # Ok::<(), activations::ParameterError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Softmax {
    row_len: Option<NonZeroUsize>,
}

impl Softmax {
    /// Each `len` elements are a row of their own.
    ///
    /// Slices whose length is not a multiple of `len` make the methods panic.
    ///
    /// # Errors
    /// If `len` is 0.
    pub fn rows(len: usize) -> Result<Self, ParameterError> {
        match NonZeroUsize::new(len) {
            None => Err(ParameterError::new("softmax", "rows", 0.0, "at least 1")),
            row_len => Ok(Self { row_len }),
        }
    }
}

impl<T: Element> Activation<T> for Softmax {
    #[inline]
    fn run(&self, level: Level, pass: Pass<'_, T>) {
        let row_len = self.row_len.map(NonZeroUsize::get);
        match pass {
            Pass::Forward { x, y } => dispatch(level, Forward { row_len, x: Some(x), y }),
            Pass::ForwardInPlace { x } => dispatch(level, Forward { row_len, x: None, y: x }),
            Pass::Derivative { x, dydx } => dispatch(level, Diagonal { row_len, x, dydx }),
            Pass::ForwardWithDerivative { x, y, dydx } => {
                dispatch(level, Diagonal { row_len, x, dydx });
                dispatch(level, Forward { row_len, x: Some(x), y });
            }
            Pass::Backward { x, grad_y, grad_x } => dispatch(level, Backward { row_len, x, grad_y, grad_x }),
        }
    }

    #[inline]
    fn row_len(&self) -> Option<usize> {
        self.row_len.map(NonZeroUsize::get)
    }
}

impl Described for Softmax {
    const CARD: Card = Card {
        name: "softmax",
        aliases: &[],
        formula: "e^x[i] / sum of e^x[j] over the row",
        derivative: "p[i] ([i = j] - p[j]), a Jacobian; its diagonal is p (1 - p)",
        range: (0.0, 1.0),
        vanishes: Vanishes::BothSides,
        zero_centred: false,
        monotone: true,
        kinks: &[],
        common_use: "the output of a classifier; attention",
        source: "Bridle, 1990",
        error: ErrorBounds { f32: (3.0, 4.0), f32_plain: (3.0, 5.0), f64: (3.0, 4.0), f64_plain: (3.0, 5.0) },
    };
}

/// Elements of a row that are taken at a time, so that what one pass wrote the next finds in the cache.
const CHUNK: usize = 1 << 10;

/// Rows that are taken in step.
const GROUP: usize = 8;

/// Rows of up to this length are summed in order, one row to a lane where there are enough of them.
const SHORT: usize = 32;

/// What the sums of exponentials begin with: no pair of exponentials is greater.
#[inline(always)]
fn seed<R: Real>() -> R {
    R::of(4.0) * lifted_one()
}

/// The exponentials of a row: a formula for the loop over elements, which is the same for lanes of any kind.
#[derive(Clone)]
struct Exp(RowExp<f64>);

trait RowFormula: Clone {
    const ABREAST: usize;
    fn of<R: Real>(&self, x: R) -> R;
}

impl RowFormula for Exp {
    const ABREAST: usize = 4;
    #[inline(always)]
    fn of<R: Real>(&self, x: R) -> R {
        RowExp { offset: R::of(self.0.offset), most: R::of(self.0.most), lift: R::of(self.0.lift) }.exp(x)
    }
}

sweep!(Map<RowFormula> |f, x| y = f.of(x));
sweep!(MapInPlace<RowFormula> |f| y = f.of(y));

/// Writes the lifted exponentials of `x`, or of `y` itself, to `y`. Each chunk is handed to `then`.
#[inline(always)]
fn exponentials<T: Element, R: Lane<T>>(exp: RowExp<R>, x: Option<&[T]>, y: &mut [T], mut then: impl FnMut(&[T])) {
    let f = &Exp(RowExp { offset: exp.offset.wide(), most: exp.most.wide(), lift: exp.lift.wide() });
    // From the end, which the search for the greatest has just left in the cache.
    for (chunk, y) in y.chunks_mut(CHUNK).enumerate().rev() {
        let start = chunk * CHUNK;
        match x {
            Some(x) => Map { f, x: &x[start..start + y.len()], y }.run::<R>(),
            None => MapInPlace { f, y }.run::<R>(),
        }
        then(y);
    }
}

/// The reciprocal of a row's sum, which makes probabilities of its exponentials.
struct Normaliser<R> {
    factor: R,
    factor_lo: R,
}

impl<R: Real> Normaliser<R> {
    #[inline(always)]
    fn of((hi, lo): Partial<R>) -> Self {
        let one = R::of(1.0);
        let factor = one / hi;
        let (product, product_lo) = factor.two_mul(hi);
        Self { factor, factor_lo: factor * (((one - product) - product_lo) - factor * lo) }
    }

    /// What makes the product of two probabilities of a product of exponentials, lifted once.
    #[inline(always)]
    fn square(&self) -> Self {
        let lifted = self.factor * lifted_one();
        let (factor, rounded) = lifted.two_mul(self.factor);
        Self { factor, factor_lo: rounded + (lifted + lifted) * self.factor_lo }
    }

    #[inline(always)]
    fn probability(&self, e: R) -> R {
        if R::FUSED {
            e.mul_add(self.factor, e * self.factor_lo)
        } else {
            // A rounded product would leave the only probability of a row of one short of 1 at times. Lifted, for its
            // error is lost below the normal range.
            let (p, p_lo) = e.two_mul(self.factor * lifted_one());
            (p + (p_lo + e * (self.factor_lo * lifted_one()))) * unlift()
        }
    }

    #[inline(always)]
    fn apply<T: Element>(&self, y: &mut [T])
    where
        R: Lane<T>,
    {
        for y in y {
            *y = self.probability(R::load(*y)).store();
        }
    }
}

/// The sum of a row's exponentials.
#[inline(always)]
fn sum<T: Element, R: Lane<T>>(e: &[T]) -> Partial<R> {
    if e.len() <= SHORT {
        let sum = e.iter().fold(
            (seed(), R::of(0.0)),
            #[inline(always)]
            |sum, &e| add_bounded(sum, R::load(e)),
        );
        return total(sum, seed());
    }
    let mut sums = Sums::new(seed());
    add_up(&mut sums, e);
    sums.total()
}

/// Adds exponentials to the sums, in pairs whose rounding counts: the one error of the sum, half an ulp of it at most.
#[inline(always)]
fn add_up<T: Element, R: Lane<T>>(sums: &mut Sums<R>, e: &[T]) {
    let (pairs, odd) = e.split_at(e.len() / 2 * 2);
    let (a, b) = pairs.split_at(pairs.len() / 2);
    sums.add(
        a,
        b,
        #[inline(always)]
        |sum, a: R, b| add_bounded(sum, a + b),
    );
    sums.add(
        odd,
        odd,
        #[inline(always)]
        |sum, e: R, _| add_bounded(sum, e),
    );
}

/// Softmax of up to `GROUP` rows, each step for all of them before the next: their reductions, long chains of operations
/// each, then overlap.
#[inline(always)]
fn in_step<T: Element, R: Lane<T>>(row_len: usize, x: Option<&[T]>, y: &mut [T]) {
    let mut max = [R::of(0.0); GROUP];
    for (max, x) in max.iter_mut().zip(x.unwrap_or(y).chunks_exact(row_len)) {
        *max = reduce::max::<T, R>(x);
    }
    for (i, (y, &max)) in y.chunks_exact_mut(row_len).zip(&max).enumerate() {
        let x = x.map(|x| &x[i * row_len..][..row_len]);
        exponentials(RowExp::below(max), x, y, |_| {});
    }
    let (mut factor, mut factor_lo) = (max, max);
    for (i, e) in y.chunks_exact(row_len).enumerate() {
        let normaliser = Normaliser::of(sum::<T, R>(e));
        (factor[i], factor_lo[i]) = (normaliser.factor, normaliser.factor_lo);
    }
    for (i, y) in y.chunks_exact_mut(row_len).enumerate() {
        Normaliser { factor: factor[i], factor_lo: factor_lo[i] }.apply(y);
    }
}

/// Softmax of one row, whose exponentials are added up while they are in the cache.
#[inline(always)]
fn one_row<T: Element, R: Lane<T>>(x: Option<&[T]>, y: &mut [T]) {
    let mut sums = Sums::new(seed::<R>());
    exponentials(
        RowExp::below(reduce::max::<T, R>(x.unwrap_or(y))),
        x,
        y,
        #[inline(always)]
        |e| add_up(&mut sums, e),
    );
    Normaliser::of(sums.total()).apply(y);
}

/// Softmax of up to `LANES` rows side by side, each in a lane of its own: the same bits as one by one.
#[inline(always)]
fn side_by_side<T: Element, R: Lane<T>>(columns: &mut [[T; LANES]], x: Option<&[T]>, y: &mut [T]) {
    let row_len = columns.len();
    for (lane, row) in x.unwrap_or(y).chunks_exact(row_len).enumerate() {
        for (column, &x) in columns.iter_mut().zip(row) {
            column[lane] = x;
        }
    }
    let mut max = [R::of(f64::NEG_INFINITY); LANES];
    for column in &*columns {
        for (max, &x) in max.iter_mut().zip(column) {
            *max = max.at_least(R::load(x));
        }
    }
    // An array for each part of a structure: an array of structures would not vectorise.
    let (mut offset, mut most, mut lift) = (max, max, max);
    for lane in 0..LANES {
        let exp = RowExp::below(max[lane]);
        (offset[lane], most[lane], lift[lane]) = (exp.offset, exp.most, exp.lift);
    }
    let mut sums = Sums::new(seed());
    for column in &mut *columns {
        for (lane, x) in column.iter_mut().enumerate() {
            let exp = RowExp { offset: offset[lane], most: most[lane], lift: lift[lane] };
            *x = exp.exp(R::load(*x)).store();
        }
        sums.add_to_each(
            column,
            #[inline(always)]
            |sum, e: R| add_bounded(sum, e),
        );
    }
    let (mut factor, mut factor_lo) = (max, max);
    for lane in 0..LANES {
        let normaliser = Normaliser::of(sums.lane(lane));
        (factor[lane], factor_lo[lane]) = (normaliser.factor, normaliser.factor_lo);
    }
    for column in &mut *columns {
        for (lane, e) in column.iter_mut().enumerate() {
            let normaliser = Normaliser { factor: factor[lane], factor_lo: factor_lo[lane] };
            *e = normaliser.probability(R::load(*e)).store();
        }
    }
    for (lane, row) in y.chunks_exact_mut(row_len).enumerate() {
        for (column, y) in columns.iter().zip(row) {
            *y = column[lane];
        }
    }
}

/// Rows of `row_len` elements; of the whole slice if there is none.
struct Forward<'a, T> {
    row_len: Option<usize>,
    /// `None`: in place.
    x: Option<&'a [T]>,
    y: &'a mut [T],
}

impl<T: Element> Task<T> for Forward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        // An empty slice has no rows, whatever their length.
        let row_len = self.row_len.unwrap_or(self.y.len()).max(1);
        let rows = self.y.len() / row_len;
        if row_len <= SHORT && rows >= LANES / 4 {
            let mut columns = [[T::zero(); LANES]; SHORT];
            by_groups(
                self.x,
                self.y,
                row_len * LANES,
                #[inline(always)]
                |x, y| side_by_side::<T, R>(&mut columns[..row_len], x, y),
            );
        } else if row_len <= CHUNK {
            let rows = (2 * CHUNK / row_len).min(GROUP);
            by_groups(
                self.x,
                self.y,
                row_len * rows,
                #[inline(always)]
                |x, y| in_step::<T, R>(row_len, x, y),
            );
        } else {
            by_groups(
                self.x,
                self.y,
                row_len,
                #[inline(always)]
                |x, y| one_row::<T, R>(x, y),
            );
        }
    }
}

/// Calls `f` for each `len` elements of both slices, and for the rest.
#[inline(always)]
fn by_groups<T>(x: Option<&[T]>, y: &mut [T], len: usize, mut f: impl FnMut(Option<&[T]>, &mut [T])) {
    for (i, y) in y.chunks_mut(len).enumerate() {
        f(x.map(|x| &x[i * len..][..y.len()]), y);
    }
}

struct Diagonal<'a, T> {
    row_len: Option<usize>,
    x: &'a [T],
    dydx: &'a mut [T],
}

impl<T: Element> Task<T> for Diagonal<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        let row_len = self.row_len.unwrap_or(self.x.len()).max(1);
        for (x, dydx) in self.x.chunks_exact(row_len).zip(self.dydx.chunks_exact_mut(row_len)) {
            let max = reduce::max::<T, R>(x);
            let exp = RowExp::below(max);
            exponentials(exp, Some(x), dydx, |_| {});
            let top = exp.exp(max);
            // 1 - p as the sum of the others, so that it keeps its digits where p is near 1: of the greatest, which
            // are all alike, and of the rest.
            let (mut greatest, mut rest, zero) = (Sums::new(seed()), Sums::new(seed()), R::of(0.0));
            rest.add(
                dydx,
                dydx,
                #[inline(always)]
                |sum, e: R, _| add_bounded(sum, R::select(e.lt(top), e, zero)),
            );
            greatest.add(
                dydx,
                dydx,
                #[inline(always)]
                |sum, e: R, _| add_bounded(sum, R::select(e.lt(top), zero, e)),
            );
            let (greatest, rest) = (greatest.total(), rest.total());
            let beside_top = (greatest.0 - top + rest.0) + (greatest.1 + rest.1);
            let (hi, lo) = two_sum(greatest.0, rest.0);
            let (hi, lo) = fast_two_sum(hi, lo + (greatest.1 + rest.1));
            let square = Normaliser::of((hi, lo)).square();
            for y in dydx {
                let e = R::load(*y);
                let others = R::select(e.lt(top), (hi - e) + lo, beside_top);
                *y = square.probability(e * (others * unlift())).store();
            }
        }
    }
}

struct Backward<'a, T> {
    row_len: Option<usize>,
    x: &'a [T],
    grad_y: &'a [T],
    grad_x: &'a mut [T],
}

impl<T: Element> Task<T> for Backward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        let row_len = self.row_len.unwrap_or(self.x.len()).max(1);
        let rows = self.x.chunks_exact(row_len).zip(self.grad_y.chunks_exact(row_len));
        for ((x, grad_y), grad_x) in rows.zip(self.grad_x.chunks_exact_mut(row_len)) {
            let mut sums = Sums::new(seed::<R>());
            exponentials(
                RowExp::below(reduce::max::<T, R>(x)),
                Some(x),
                grad_x,
                #[inline(always)]
                |e| add_up(&mut sums, e),
            );
            let normaliser = Normaliser::of(sums.total());
            let mut dot = Sums::new(R::of(0.0));
            for (p, grad_y) in grad_x.chunks_mut(CHUNK).zip(grad_y.chunks(CHUNK)) {
                normaliser.apply(p);
                dot.add(
                    p,
                    grad_y,
                    #[inline(always)]
                    |sum, p: R, grad| add(sum, p * grad),
                );
            }
            let mean = dot.total().0;
            for (grad_x, &grad) in grad_x.iter_mut().zip(grad_y) {
                *grad_x = (R::load(*grad_x) * (R::load(grad) - mean)).store();
            }
        }
    }
}
