//! A bias before the activation: f(x + bias), over rows as long as the bias.

#[cfg(feature = "rayon")]
use num_traits::Zero;

use super::columns::{Addends, ColumnSums};
use crate::activation::Activation;
use crate::kernel::arithmetic::Arithmetic;
use crate::kernel::element::{Element, per_element};
use crate::kernel::level::{At, Level};
use crate::kernel::repeated::Repeated;
use crate::kernel::tiles::{SHORT, TILE, Tile};
use crate::pass::{Pass, Pieces, same_length};

/// An activation of x + bias: the end of a linear layer. The bias is one row long, and is added to each row.
///
/// It is an [`Activation`] of rows of `bias.len()` elements. It takes any activation, including
/// [`AnyActivation`](crate::AnyActivation), boxed activations and formulas of your own. Its passes run over blocks that stay in the
/// first-level cache, so there is no temporary in memory. [`BiasGradient`] has the gradient with respect to the bias.
///
/// - Error: x + bias is rounded once, in `f32` for halves. The activation of that sum has the same bits, and so the same bounds,
///   as the activation alone. Halves are rounded to their type at the end.
/// - Activations of rows: the length of the bias must be a multiple of the activation's rows. If the activation takes the whole
///   slice as one row, as `Softmax::default()` does, each row of `bias.len()` elements is one row.
/// - Panics: all methods panic if the activation's rows have more than 1024 elements, because a row must fit into a block, or if
///   they do not divide the bias.
/// - Special values: as for the activation, applied to the sum. Infinities of different signs give NaN.
///
/// ```
/// use activations::{Activation, BiasGradient, Biased, Relu};
///
/// let layer = Biased { activation: Relu, bias: &[1.0_f32, -1.0] };
/// let (x, mut y) = ([0.0, 0.5, 1.0, 3.0], [0.0; 4]);
/// layer.forward(&x, &mut y);
/// assert_eq!(y, [1.0, 0.0, 2.0, 2.0]);
///
/// let (mut grad_x, mut grad_bias) = ([0.0; 4], [0.0; 2]);
/// layer.backward_with_bias(&x, &[1.0, 1.0, 1.0, 4.0], &mut grad_x, &mut grad_bias);
/// assert_eq!((grad_x, grad_bias), ([1.0, 0.0, 1.0, 4.0], [2.0, 4.0]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Biased<'a, A, T> {
    /// The activation.
    pub activation: A,
    /// The bias, which is added to each row. If it is empty, the slices must be empty too.
    pub bias: &'a [T],
}

/// The gradient of an activation with respect to its bias.
///
/// ```
/// use activations::{BiasGradient, Biased, Tanh};
///
/// /// The end of any linear layer.
/// fn backward(layer: &impl BiasGradient<f32>, x: &[f32], grad: &mut [f32], grad_bias: &mut [f32]) {
///     layer.backward_with_bias(x, &vec![1.0; x.len()], grad, grad_bias);
/// }
/// let (mut grad_x, mut grad_bias) = ([0.0; 4], [0.0; 2]);
/// backward(&Biased { activation: Tanh, bias: &[0.0, 0.0] }, &[0.0; 4], &mut grad_x, &mut grad_bias);
/// assert_eq!(grad_bias, [2.0, 2.0]);
/// ```
pub trait BiasGradient<T: Element>: Activation<T> {
    /// Runs the pass at one CPU level, on slices whose lengths fit. Callers use
    /// [`backward_with_bias`](Self::backward_with_bias).
    fn run_with_bias(&self, level: Level, x: &[T], grad_y: &[T], grad_x: &mut [T], grad_bias: &mut [T]);

    /// Runs [`backward`](Activation::backward), and in the same pass computes `grad_bias[j]`, the sum of `grad_x` over column j.
    ///
    /// Both gradients are overwritten. To accumulate over batches, add `grad_bias` to your own sums.
    ///
    /// The sums are kept to twice the precision, in an order that depends on the lengths alone. They differ from the exact sums of
    /// `grad_x` by at most half an ULP plus (m u)^2 times the sum of |grad_x|, for m rows and u =
    /// 2^-24 in `f32`, 2^-53 in `f64` (Ogita, Rump & Oishi, "Accurate sum and dot product", SISC 26, 2005). For halves, the
    /// `f32` gradients are summed before they are rounded to halves, and each sum is rounded once, at the end.
    ///
    /// # Panics
    /// If the lengths differ, `grad_bias` is not as long as a row, or the slices do not divide into rows, before anything is written.
    ///
    /// ```
    /// use activations::{BiasGradient, Biased, Relu};
    ///
    /// let (mut grad_x, mut grad_bias) = ([0.0_f32; 4], [0.0; 2]);
    /// Biased { activation: Relu, bias: &[1.0, -1.0] }.backward_with_bias(
    ///     &[0.0, 0.0, 1.0, 2.0],
    ///     &[1.0; 4],
    ///     &mut grad_x,
    ///     &mut grad_bias,
    /// );
    /// assert_eq!(grad_bias, [2.0, 1.0]);
    /// ```
    #[inline]
    #[track_caller]
    fn backward_with_bias(&self, x: &[T], grad_y: &[T], grad_x: &mut [T], grad_bias: &mut [T]) {
        same_length("grad_y", grad_y.len(), "x", x.len());
        same_length("grad_x", grad_x.len(), "x", x.len());
        self.pieces().check(x.len());
        same_length(
            "grad_bias",
            grad_bias.len(),
            "bias",
            match self.pieces() {
                Pieces::Rows(n) => n,
                _ => x.len(),
            },
        );
        self.run_with_bias(Level::best(), x, grad_y, grad_x, grad_bias);
    }
}

impl<T: Element, A: Activation<T::Float>> Activation<T> for Biased<'_, A, T> {
    #[inline]
    fn run(&self, level: Level, pass: Pass<'_, T>) {
        T::call(&Run(level), (Layer { f: &self.activation, bias: self.bias }, pass));
    }

    #[inline]
    fn pieces(&self) -> Pieces {
        Pieces::Rows(self.bias.len())
    }
}

impl<T: Element, A: Activation<T::Float>> BiasGradient<T> for Biased<'_, A, T> {
    #[inline]
    fn run_with_bias(&self, level: Level, x: &[T], grad_y: &[T], grad_x: &mut [T], grad_bias: &mut [T]) {
        run_rows(self, level, Slices { x, grad_y, grad_x }, Receiver::Gradient(grad_bias));
    }
}

impl<T: Element, A: BiasGradient<T>> BiasGradient<T> for At<A> {
    #[inline]
    fn run_with_bias(&self, _: Level, x: &[T], grad_y: &[T], grad_x: &mut [T], grad_bias: &mut [T]) {
        self.activation.run_with_bias(self.level, x, grad_y, grad_x, grad_bias);
    }
}

/// The pass over some rows, and the sums of their columns.
pub(super) fn run_rows<T: Element, A: Activation<T::Float>>(
    biased: &Biased<'_, A, T>,
    level: Level,
    rows: Slices<'_, T>,
    receiver: Receiver<'_, T>,
) {
    T::call(&RunWithBias(level), (Layer { f: &biased.activation, bias: biased.bias }, rows, receiver));
}

/// Merges the sums of segments in their order, and rounds them. The bits are the same as in one pass over all segments.
#[cfg(feature = "rayon")]
pub(super) fn merge_parts<T: Element>(level: Level, (hi, lo): (&[T::Float], &[T::Float]), grad_bias: &mut [T]) {
    let width = grad_bias.len();
    for (number, grad_bias) in grad_bias.chunks_mut(TILE).enumerate() {
        let strip = number * TILE..number * TILE + grad_bias.len();
        let mut total = ColumnSums::<T::Float, TILE>::new(strip.len());
        for (hi, lo) in hi.chunks_exact(width).zip(lo.chunks_exact(width)) {
            total.merge(level, (&hi[strip.clone()], &lo[strip.clone()]));
        }
        T::narrow(level, total.rounded(level), grad_bias);
    }
}

/// A bias, and an activation of any type.
#[derive(Clone, Copy)]
struct Layer<'a, T: Element> {
    f: &'a dyn Activation<T::Float>,
    bias: &'a [T],
}

/// The slices of [`BiasGradient::run_with_bias`], or whole rows of them.
pub(super) struct Slices<'a, T> {
    pub(super) x: &'a [T],
    pub(super) grad_y: &'a [T],
    pub(super) grad_x: &'a mut [T],
}

impl<T> Slices<'_, T> {
    pub(super) fn part(&mut self, range: core::ops::Range<usize>) -> Slices<'_, T> {
        Slices { x: &self.x[range.clone()], grad_y: &self.grad_y[range.clone()], grad_x: &mut self.grad_x[range] }
    }
}

/// How the sums of columns are returned.
pub(super) enum Receiver<'a, T: Element> {
    /// Rounded.
    Gradient(&'a mut [T]),
    /// In two parts, to be merged with the sums of other rows.
    #[cfg(feature = "rayon")]
    Parts(&'a mut [T::Float], &'a mut [T::Float]),
}

/// The number of rows in a segment, whose columns are summed together: as many as have 64 Ki elements, and at least 16, so that
/// merging the sums takes hardly any time beside adding them. The sums of segments are merged in their order. So the order of a sum
/// depends on the lengths alone, on any number of threads.
pub(super) fn segment(width: usize) -> usize {
    ((1 << 16) / width.max(1)).max(16).saturating_mul(width)
}

/// See [`Activation::run`].
struct Run(Level);
per_element!(Run: Args<'a, T> = (Layer<'a, T>, Pass<'a, T>), run);

/// See [`BiasGradient::run_with_bias`].
struct RunWithBias(Level);
type WithBias<'a, T> = (Layer<'a, T>, Slices<'a, T>, Receiver<'a, T>);
per_element!(RunWithBias: Args<'a, T> = WithBias<'a, T>, run_with_bias);

fn run<T: Element>(&Run(level): &Run, (layer, pass): (Layer<'_, T>, Pass<'_, T>)) {
    if pass.len() <= SHORT {
        run_in::<T, SHORT>(level, layer, pass);
    } else {
        run_in::<T, TILE>(level, layer, pass);
    }
}

fn run_in<T: Element, const N: usize>(level: Level, layer: Layer<'_, T>, mut pass: Pass<'_, T>) {
    let mut repeated = Repeated::<T, N>::new(layer.bias, 1, layer.unit());
    let mut shifted = Tile::<T::Float, N>::new();
    let (len, mut at) = (pass.len(), 0);
    while at < len {
        let bias = repeated.piece(at, len);
        let part = at..at + bias.len();
        at = part.end;
        pass.part(part).over_floats_beside(level, [bias], &mut |pass, [bias]| {
            layer.run_shifted(level, pass, bias, shifted.of(bias.len()));
        });
    }
}

fn run_with_bias<T: Element>(
    &RunWithBias(level): &RunWithBias,
    (layer, mut slices, mut receiver): (Layer<'_, T>, Slices<'_, T>, Receiver<'_, T>),
) {
    let (len, width) = (slices.x.len(), layer.bias.len());
    if len == 0 {
        match receiver {
            Receiver::Gradient(grad_bias) => grad_bias.fill(T::zero()),
            #[cfg(feature = "rayon")]
            Receiver::Parts(hi, lo) => {
                hi.fill(Zero::zero());
                lo.fill(Zero::zero());
            }
        }
        return;
    }
    // Strips of columns, whose sums stay in the cache.
    let mut first = 0;
    while first < width {
        let mut total = ColumnSums::<T::Float, TILE>::new(layer.strip(first));
        for start in (0..len).step_by(segment(width)) {
            let rows = slices.part(start..len.min(start + segment(width)));
            layer.add_up(level, first, rows, &mut |sums| total.merge(level, sums));
        }
        let strip = first..first + layer.strip(first);
        first = strip.end;
        match &mut receiver {
            Receiver::Gradient(grad_bias) => T::narrow(level, total.rounded(level), &mut grad_bias[strip]),
            #[cfg(feature = "rayon")]
            Receiver::Parts(hi, lo) => {
                let sums = total.parts();
                hi[strip.clone()].copy_from_slice(sums.0);
                lo[strip].copy_from_slice(sums.1);
            }
        }
    }
}

/// Receives the sums of some columns, in two parts.
type Give<'g, F> = dyn FnMut((&[F], &[F])) + 'g;

impl<T: Element> Layer<'_, T> {
    /// How many columns from `first` on are processed together.
    fn strip(&self, first: usize) -> usize {
        let unit = self.unit();
        (TILE - TILE % unit).min(self.bias.len() - first)
    }

    /// Runs the pass over a strip of columns, from `first` on, of some rows, and gives the sums of the columns.
    fn add_up(
        &self,
        level: Level,
        first: usize,
        Slices { x, grad_y, grad_x }: Slices<'_, T>,
        give: &mut Give<'_, T::Float>,
    ) {
        let (len, width) = (x.len(), self.bias.len());
        let mut repeated = Repeated::<T, TILE>::new(self.bias, 1, self.unit());
        let mut shifted = Tile::<T::Float, TILE>::new();
        let together = repeated.piece(first, len).len();
        let mut sums = ColumnSums::<T::Float, TILE>::new(together);
        for start in (first..len).step_by(together.max(width)) {
            let bias = repeated.piece(start, len);
            let part = start..start + bias.len();
            let inputs = [&x[part.clone()], &grad_y[part.clone()], bias];
            T::as_floats(level, inputs, [&mut grad_x[part]], false, |[x, grad_y, bias], [grad_x]| {
                let pass = Pass::Backward { x, grad_y, grad_x: &mut *grad_x };
                self.run_shifted(level, pass, bias, shifted.of(bias.len()));
                sums.add(level, Addends::Numbers(grad_x));
            });
        }
        // Rows that were processed together have separate columns.
        give(sums.folded(level, together.min(width)));
    }
}

impl<T: Element> Layer<'_, T> {
    /// How many elements the activation needs together. Panics if they do not fit into a block.
    fn unit(&self) -> usize {
        let (width, pieces) = (self.bias.len(), self.f.pieces());
        pieces.check_fit(width, TILE, "activations of x + bias");
        let unit = pieces.part(width, 1);
        assert!(
            width.is_multiple_of(unit),
            "the activation's rows have {unit} elements, which do not divide a bias of {width}"
        );
        unit
    }

    /// Runs a pass over a block, of x + bias.
    fn run_shifted(&self, level: Level, pass: Pass<'_, T::Float>, bias: &[T::Float], shifted: &mut [T::Float]) {
        Arithmetic::Sum { a: pass.inputs(), b: bias, y: shifted }.run(level);
        let (len, mut pass) = (shifted.len(), pass.of_inputs(shifted));
        let row = if self.f.pieces() == Pieces::Whole { self.bias.len() } else { len };
        for start in (0..len).step_by(row) {
            self.f.run(level, pass.part(start..start + row));
        }
    }
}
