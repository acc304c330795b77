//! The parametric ReLU: a leaky ReLU with a trained slope for each channel.

use crate::activation::Activation;
use crate::functions::relu::LeakyRelu;
use crate::functions::slopes;
use crate::kernel::element::{Float, Lane};
use crate::kernel::level::{At, Level, Task, dispatch};
use crate::kernel::real::Real;
use crate::pass::{Pass, Pieces, same_length};
use crate::rows::reduce::{LANES, Partial, add};

/// The parametric ReLU: x for x > 0, a\[c\] x for x <= 0, with a slope a\[c\] for each channel c.
///
/// The slopes are trained, so they stay with the caller. Data is laid out as outer x channels x inner: by default inner
/// is 1, so that the channel is the last axis. For images with the channel first, inner is height times width. One slope
/// is one for all elements, as PyTorch's default has it.
///
/// - Derivative: a\[c\] for x <= 0, 1 for x > 0. [`backward_with_slopes`](Self::backward_with_slopes) gives the slopes'
///   gradient too.
/// - Error: one rounding, 0.5 ULP; none in the derivative.
/// - Special values: those of [`LeakyRelu`](crate::LeakyRelu). What the slopes are is not checked.
/// - Panics: the methods of [`Activation`] panic if a slice's length is no multiple of channels x inner; without
///   channels, unless it is empty.
/// - Source: He, Zhang, Ren & Sun, "Delving deep into rectifiers", ICCV 2015, arXiv:1502.01852.
///
/// It borrows, so it is not among [`AnyActivation`](crate::AnyActivation).
///
/// ```
/// use activations::{Activation, Prelu};
///
/// let slopes = [0.25_f32, 0.5];
/// let x = [-1.0, -1.0, 2.0, -2.0];
/// let mut y = [0.0; 4];
/// Prelu::new(&slopes).forward(&x, &mut y);
/// assert_eq!(y, [-0.25, -0.5, 2.0, -1.0]);
/// Prelu::new(&slopes).inner(2).forward(&x, &mut y);
/// assert_eq!(y, [-0.25, -0.25, 2.0, -1.0]);
///
/// let (mut grad_x, mut grad_slopes) = ([0.0; 4], [0.0; 2]);
/// Prelu::new(&slopes).backward_with_slopes(&x, &[1.0; 4], &mut grad_x, &mut grad_slopes);
/// assert_eq!(grad_x, [0.25, 0.5, 1.0, 0.5]);
/// assert_eq!(grad_slopes, [-1.0, -3.0]);
/// ```
#[doc(alias = "PReLU")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prelu<'a, T> {
    slopes: &'a [T],
    inner: usize,
}

impl<'a, T: Float> Prelu<'a, T> {
    /// A slope for each channel; the channel is the last axis, unless [`inner`](Self::inner) says otherwise.
    ///
    /// ```
    /// use activations::{Activation, Prelu};
    ///
    /// let mut x = [-1.0_f32, -1.0, 2.0, -2.0];
    /// Prelu::new(&[0.25, 0.5]).forward_in_place(&mut x);
    /// assert_eq!(x, [-0.25, -0.5, 2.0, -1.0]);
    /// ```
    #[must_use]
    pub const fn new(slopes: &'a [T]) -> Self {
        Self { slopes, inner: 1 }
    }

    /// The same with `inner` elements next to each other for each channel: the product of the axes after the channel.
    /// If that is 0, only empty slices fit.
    ///
    /// ```
    /// use activations::{Activation, Prelu};
    ///
    /// // Two channels of two pixels each.
    /// let mut x = [-1.0_f32, -1.0, -1.0, -1.0];
    /// Prelu::new(&[0.25, 0.5]).inner(2).forward_in_place(&mut x);
    /// assert_eq!(x, [-0.25, -0.25, -0.5, -0.5]);
    /// ```
    #[must_use]
    pub const fn inner(self, inner: usize) -> Self {
        Self { inner, ..self }
    }

    /// The slopes.
    ///
    /// ```
    /// assert_eq!(activations::Prelu::new(&[0.25_f32]).slopes(), [0.25]);
    /// ```
    #[must_use]
    pub const fn slopes(&self) -> &'a [T] {
        self.slopes
    }

    /// [`backward`](Activation::backward), and the gradient of the slopes: `grad_slopes[c]` is the sum of
    /// x\[i\] grad_y\[i\] over those i of channel c with x\[i\] <= 0. It is written, not added to what was there.
    ///
    /// The order of the sum is fixed: the bits depend neither on the CPU, within its kind, nor on the other channels'
    /// numbers. Its error is at most 1 ULP plus half the type's epsilon times the sum of the magnitudes, for channels of up
    /// to 2^20 elements.
    ///
    /// # Panics
    /// If the lengths differ, or do not fit the channels, before anything is written.
    ///
    /// ```
    /// use activations::Prelu;
    ///
    /// let (x, grad_y) = ([-1.0_f32, 2.0, -3.0], [1.0; 3]);
    /// let (mut grad_x, mut grad_slopes) = ([0.0; 3], [0.0]);
    /// Prelu::new(&[0.5]).backward_with_slopes(&x, &grad_y, &mut grad_x, &mut grad_slopes);
    /// assert_eq!((grad_x, grad_slopes), ([0.5, 1.0, 0.5], [-4.0]));
    /// ```
    #[track_caller]
    pub fn backward_with_slopes(&self, x: &[T], grad_y: &[T], grad_x: &mut [T], grad_slopes: &mut [T]) {
        Level::best().with(*self).backward_with_slopes(x, grad_y, grad_x, grad_slopes);
    }

    /// Elements of all channels.
    fn period(&self) -> usize {
        self.slopes.len().saturating_mul(self.inner)
    }
}

impl<T: Float> At<Prelu<'_, T>> {
    /// See [`Prelu::backward_with_slopes`].
    ///
    /// # Panics
    /// If the lengths differ, or do not fit the channels, before anything is written.
    #[track_caller]
    pub fn backward_with_slopes(&self, x: &[T], grad_y: &[T], grad_x: &mut [T], grad_slopes: &mut [T]) {
        let prelu = self.activation;
        same_length("grad_y", grad_y.len(), "x", x.len());
        same_length("grad_x", grad_x.len(), "x", x.len());
        same_length("grad_slopes", grad_slopes.len(), "slopes", prelu.slopes.len());
        Pieces::Rows(prelu.period()).check(x.len());
        prelu.run(self.level, Pass::Backward { x, grad_y, grad_x });
        dispatch(self.level, GradSlopes { inner: prelu.inner, x, grad_y, grad_slopes });
    }
}

impl<T: Float> Activation<T> for Prelu<'_, T> {
    fn run(&self, level: Level, pass: Pass<'_, T>) {
        dispatch(level, ByPieces { prelu: *self, pass });
    }

    fn pieces(&self) -> Pieces {
        Pieces::Rows(self.period())
    }
}

/// A pass, piece by piece, each with a slope for each of its elements.
struct ByPieces<'a, T> {
    prelu: Prelu<'a, T>,
    pass: Pass<'a, T>,
}

impl<T: Float> Task<T> for ByPieces<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        let _like = &LeakyRelu::default();
        let mut expanded = Expanded::of(self.prelu);
        // The loop over the pieces for one pass: which slices are cut, and the task for a piece of them.
        macro_rules! pieces {
            ($task:ident $first:ident; $($input:ident)*; $($output:ident)*) => {{
                let len = $first.len();
                let mut at = 0;
                while at < len {
                    let slopes = expanded.piece(at, len);
                    let piece = at..at + slopes.len();
                    at = piece.end;
                    $(let $input = &$input[piece.clone()];)*
                    $(let $output = &mut $output[piece.clone()];)*
                    slopes::$task { _like, slopes, $($input,)* $($output,)* }.run::<R>();
                }
            }};
        }
        match self.pass {
            Pass::Forward { x, y } => pieces!(Forward x; x; y),
            Pass::ForwardInPlace { x } => pieces!(ForwardInPlace x;; x),
            Pass::Derivative { x, dydx } => pieces!(Derivative x; x; dydx),
            Pass::ForwardWithDerivative { x, y, dydx } => pieces!(ForwardWithDerivative x; x; y dydx),
            Pass::Backward { x, grad_y, grad_x } => pieces!(Backward x; x grad_y; grad_x),
        }
    }
}

/// The longest piece of slopes that is written out.
const PIECE: usize = 512;

/// Slopes written out, one for each element of a piece.
struct Expanded<'a, T> {
    prelu: Prelu<'a, T>,
    piece: [T; PIECE],
}

impl<'a, T: Float> Expanded<'a, T> {
    #[inline(always)]
    fn of(prelu: Prelu<'a, T>) -> Self {
        Self { prelu, piece: [T::zero(); PIECE] }
    }

    /// The slopes of the elements from `at` on, of as many as are taken together. Called with ever later pieces, from 0 on.
    #[inline(always)]
    fn piece(&mut self, at: usize, len: usize) -> &[T] {
        let Prelu { slopes, inner } = self.prelu;
        let period = self.prelu.period();
        if inner == 1 && period >= PIECE {
            return slopes;
        }
        if period <= PIECE {
            // As many periods as fit, written once.
            let n = (PIECE - PIECE % period).min(len - at);
            if at == 0 {
                self.write(0, n);
            }
            return &self.piece[..n];
        }
        if inner < PIECE {
            let n = PIECE.min(len - at);
            self.write(at, n);
            return &self.piece[..n];
        }
        // One channel; its slope is written for its first piece, which is no shorter than the others.
        let n = PIECE.min(inner - at % inner);
        if at.is_multiple_of(inner) {
            self.write(at, n);
        }
        &self.piece[..n]
    }

    /// Writes out the slopes of `n` elements from `at` on.
    #[inline(always)]
    fn write(&mut self, at: usize, n: usize) {
        let Prelu { slopes, inner } = self.prelu;
        let (mut channel, mut left) = (at / inner % slopes.len(), inner - at % inner);
        let mut rest = &mut self.piece[..n];
        while !rest.is_empty() {
            let (run, after) = rest.split_at_mut(left.min(rest.len()));
            run.fill(slopes[channel]);
            channel = if channel + 1 == slopes.len() { 0 } else { channel + 1 };
            (rest, left) = (after, inner);
        }
    }
}

/// The gradient of the slopes.
struct GradSlopes<'a, T> {
    inner: usize,
    x: &'a [T],
    grad_y: &'a [T],
    grad_slopes: &'a mut [T],
}

impl<T: Float> Task<T> for GradSlopes<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        let Self { inner, x, grad_y, grad_slopes } = self;
        if x.is_empty() {
            grad_slopes.fill(T::zero());
            return;
        }
        let channels = grad_slopes.len();
        let inner = if channels == 1 { x.len() } else { inner };
        let period = channels * inner;
        if inner > LANES {
            // Each channel's runs, in as many lanes as there are.
            for (channel, grad_slope) in grad_slopes.iter_mut().enumerate() {
                let mut sums = Sums::<R>::new();
                for start in (channel * inner..x.len()).step_by(period) {
                    sums.add_run(&x[start..start + inner], &grad_y[start..start + inner]);
                }
                *grad_slope = sums.total(0, LANES, LANES, LANES).store();
            }
            return;
        }
        // Lanes for each of as many channels as fit; if all do, for several periods. Lanes that are left over sum what
        // nobody asks for.
        let together = channels.min(LANES / inner);
        for (first, grad_slopes) in (0..).step_by(together * inner).zip(grad_slopes.chunks_mut(together)) {
            let block = grad_slopes.len() * inner;
            let width = if block == period { LANES - LANES % period } else { block };
            let mut sums = Sums::<R>::new();
            for start in (first..x.len()).step_by(width.max(period)) {
                let end = x.len().min(start + LANES);
                sums.add_run(&x[start..end], &grad_y[start..end]);
            }
            for (channel, grad_slope) in grad_slopes.iter_mut().enumerate() {
                *grad_slope = sums.total(channel * inner, inner, block, width).store();
            }
        }
    }
}

/// Less than a column, with zeros behind.
#[inline(always)]
fn padded<T: Float>(slice: &[T]) -> [T; LANES] {
    let mut column = [T::zero(); LANES];
    column[..slice.len()].copy_from_slice(slice);
    column
}

/// Sums of x grad_y over x <= 0, one in each lane.
struct Sums<R> {
    hi: [R; LANES],
    lo: [R; LANES],
}

impl<R: Real> Sums<R> {
    #[inline(always)]
    fn new() -> Self {
        Self { hi: [R::of(0.0); LANES], lo: [R::of(0.0); LANES] }
    }

    #[inline(always)]
    fn add<T: Float>(&mut self, x: &[T; LANES], grad_y: &[T; LANES])
    where
        R: Lane<T>,
    {
        for i in 0..LANES {
            let (x, grad_y) = (R::load(x[i]), R::load(grad_y[i]));
            let term = R::select(R::of(0.0).lt(x), R::of(0.0), x * grad_y);
            (self.hi[i], self.lo[i]) = add((self.hi[i], self.lo[i]), term);
        }
    }

    /// A stretch of any length, each [`LANES`] of its elements to the lanes in turn.
    #[inline(always)]
    fn add_run<T: Float>(&mut self, x: &[T], grad_y: &[T])
    where
        R: Lane<T>,
    {
        let ((columns, rest), (g_columns, g_rest)) = (x.as_chunks(), grad_y.as_chunks());
        for (x, grad_y) in columns.iter().zip(g_columns) {
            self.add(x, grad_y);
        }
        if !rest.is_empty() {
            self.add(&padded(rest), &padded(g_rest));
        }
    }

    /// The sum of `n` lanes from `first` on, and again in steps of `step`, below `width`.
    #[inline(always)]
    fn total(&self, first: usize, n: usize, step: usize, width: usize) -> R {
        let lanes = (first..width).step_by(step).flat_map(|from| from..from + n);
        let (hi, lo) = lanes.fold((R::of(0.0), R::of(0.0)), |(hi, lo): Partial<R>, i| {
            let (hi, lo) = add((hi, lo), self.hi[i]);
            (hi, lo + self.lo[i])
        });
        // Where a sum is infinite, what was rounded away is NaN.
        R::select(lo.le(lo), hi + lo, hi)
    }
}
