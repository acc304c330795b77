//! A bias before the activation: f(x + bias), over rows as long as the bias.

use crate::activation::{Activation, Elementwise};
use crate::kernel::element::{Float, Lane};
use crate::kernel::level::{At, Level, Task, dispatch};
use crate::kernel::sweep::sweep;
use crate::pass::{Pass, Pieces, same_length};

const STRIP: usize = 64;
use crate::rows::reduce::Sums;

/// An activation of x + bias, the bias being one row long and added to each row: the end of a linear layer.
///
/// It is an [`Activation`] of rows of `bias.len()` elements, whose passes form no temporary; [`BiasGradient`] has its
/// gradient with respect to the bias.
///
/// - Error: x + bias is rounded to the element's type, once. Of that number the value and the derivative have the bits, and
///   so the bounds, of the activation alone.
/// - Special values: the activation's, of the sum; infinities of different signs give NaN.
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
    /// What is added to each row. If it is empty, so must be the slices.
    pub bias: &'a [T],
}

/// Activations with a bias, and the gradient with respect to it.
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
pub trait BiasGradient<T: Float>: Activation<T> {
    /// Runs the pass at one CPU level, on slices of lengths that fit. Callers use
    /// [`backward_with_bias`](Self::backward_with_bias).
    fn run_with_bias(&self, level: Level, x: &[T], grad_y: &[T], grad_x: &mut [T], grad_bias: &mut [T]);

    /// [`backward`](Activation::backward), and `grad_bias[j]`, the sum of `grad_x` over column j, in the same pass.
    ///
    /// The sums are carried to twice the precision and in an order that depends on the lengths alone. They are off the
    /// exact ones of the `grad_x` given by at most half an ULP, and (m u)^2 times the sum of |grad_x|, for m rows and u =
    /// 2^-24 in `f32`, 2^-53 in `f64` (Ogita, Rump & Oishi, "Accurate sum and dot product", SISC 26, 2005).
    ///
    /// # Panics
    /// If the lengths differ, `grad_bias` is not a row, or there are parts of rows, before anything is written.
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

impl<T: Float, A: Elementwise> Activation<T> for Biased<'_, A, T> {
    #[inline]
    fn run(&self, level: Level, pass: Pass<'_, T>) {
        let (f, bias) = (&self.activation, self.bias);
        match pass {
            Pass::Forward { x, y } => dispatch(level, ForwardRows { f, bias, x, y }),
            Pass::ForwardInPlace { x } => dispatch(level, ForwardInPlaceRows { f, bias, x }),
            Pass::Derivative { x, dydx } => dispatch(level, DerivativeRows { f, bias, x, dydx }),
            Pass::ForwardWithDerivative { x, y, dydx } => {
                dispatch(level, ForwardWithDerivativeRows { f, bias, x, y, dydx });
            }
            Pass::Backward { x, grad_y, grad_x } => dispatch(level, BackwardRows { f, bias, x, grad_y, grad_x }),
        }
    }

    #[inline]
    fn pieces(&self) -> Pieces {
        Pieces::Rows(self.bias.len())
    }
}

impl<T: Float, A: Elementwise> BiasGradient<T> for Biased<'_, A, T> {
    #[inline]
    fn run_with_bias(&self, level: Level, x: &[T], grad_y: &[T], grad_x: &mut [T], grad_bias: &mut [T]) {
        let (f, bias) = (&self.activation, self.bias);
        dispatch(level, BackwardWithBias { f, bias, x, grad_y, grad_x, grad_bias });
    }
}

impl<T: Float, A: BiasGradient<T>> BiasGradient<T> for At<A> {
    #[inline]
    fn run_with_bias(&self, _: Level, x: &[T], grad_y: &[T], grad_x: &mut [T], grad_bias: &mut [T]) {
        self.activation.run_with_bias(self.level, x, grad_y, grad_x, grad_bias);
    }
}

/// Elements that are taken at a time if rows are short.
const TILE: usize = 512;

/// Columns that are summed at a time.
const COLUMNS: usize = 1024;

/// The bias of as many rows as are taken at a time: a short one again and again, so that loops are long.
struct Tile<T>([T; TILE]);

impl<T: Float> Tile<T> {
    #[inline(always)]
    fn new() -> Self {
        Self([T::zero(); TILE])
    }

    /// A whole number of rows, at least one, if there are any.
    #[inline(always)]
    fn of<'a>(&'a mut self, bias: &'a [T]) -> &'a [T] {
        let rows = TILE.checked_div(bias.len()).unwrap_or(0);
        if rows <= 1 {
            return bias;
        }
        let tile = &mut self.0[..rows * bias.len()];
        for tile in tile.chunks_exact_mut(bias.len()) {
            tile.copy_from_slice(bias);
        }
        tile
    }
}

/// Defines a pass over a row, and one over rows.
macro_rules! rows {
    ($task:ident of $row:ident |$f:ident, $bias:ident| mut $output:ident = $formula:expr) => {
        sweep!($row<Elementwise> |$f, $bias| mut $output = $formula);
        rows!(@ $task of $row |$f, $bias| $output);
    };
    ($task:ident of $row:ident |$f:ident, $bias:ident $(, $input:ident)*| $($output:ident = $formula:expr),+) => {
        sweep!($row<Elementwise> |$f, $bias $(, $input)*| $($output = $formula),+);
        rows!(@ $task of $row |$f, $bias $(, $input)*| $($output),+);
    };
    (@ $task:ident of $row:ident |$f:ident, $bias:ident $(, $input:ident)*| $($output:ident),+) => {

        struct $task<'a, F, T> {
            f: &'a F,
            bias: &'a [T],
            $($input: &'a [T],)*
            $($output: &'a mut [T],)+
        }

        impl<T: Float, F: Elementwise> Task<T> for $task<'_, F, T> {
            type Output = ();

            #[inline(always)]
            fn run<R: Lane<T>>(self) {
                let mut tile = Tile::new();
                let bias = tile.of(self.bias);
                let len = [$(self.$output.len()),+][0];
                for start in (0..len).step_by(bias.len().max(1)) {
                    let end = len.min(start + bias.len());
                    $(let $input = &self.$input[start..end];)*
                    $(let $output = &mut self.$output[start..end];)+
                    $row { $f: self.f, $bias: &bias[..end - start] $(, $input)* $(, $output)+ }.run::<R>();
                }
            }
        }
    };
}

rows!(ForwardRows of ForwardRow |f, bias, x| y = f.value(x + bias));
rows!(ForwardInPlaceRows of ForwardInPlaceRow |f, bias| mut x = f.value(x + bias));
rows!(DerivativeRows of DerivativeRow |f, bias, x| dydx = f.slope(x + bias));
rows!(ForwardWithDerivativeRows of ForwardWithDerivativeRow |f, bias, x|
    y = f.value(x + bias), dydx = f.slope(x + bias));
rows!(BackwardRows of BackwardRow |f, bias, x, grad_y| grad_x = grad_y * f.slope(x + bias));

struct BackwardWithBias<'a, F, T> {
    f: &'a F,
    bias: &'a [T],
    x: &'a [T],
    grad_y: &'a [T],
    grad_x: &'a mut [T],
    grad_bias: &'a mut [T],
}

impl<T: Float, F: Elementwise> Task<T> for BackwardWithBias<'_, F, T> {
    type Output = ();

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        let Self { f, x, grad_y, grad_x, grad_bias, .. } = self;
        let mut tile = Tile::new();
        let bias = tile.of(self.bias);
        let width = bias.len();
        // Strips of columns, about equally wide, whose sums stay in the cache.
        let strip = width.div_ceil(width.div_ceil(COLUMNS).max(1)).next_multiple_of(STRIP).max(STRIP);
        for first in (0..width).step_by(strip) {
            let columns = strip.min(width - first);
            let mut sums = Sums::<R, COLUMNS>::of_anything();
            for start in (first..x.len()).step_by(width) {
                let end = x.len().min(start + columns);
                let (bias, grad_x) = (&bias[first..][..end - start], &mut grad_x[start..end]);
                BackwardRow { f, bias, x: &x[start..end], grad_y: &grad_y[start..end], grad_x }.run::<R>();
                sums.add_row(grad_x);
            }
            // Of rows that were taken together, each has its own lanes.
            let sums = sums.folded(columns.min(grad_bias.len()));
            for (grad_bias, sum) in grad_bias[first..].iter_mut().zip(&sums[..columns]) {
                *grad_bias = sum.store();
            }
        }
    }
}
