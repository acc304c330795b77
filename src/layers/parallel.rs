//! `Parallel`: the passes of a function on several threads.

use std::boxed::Box;

use super::biased::Biased;
use super::clamped_swi_glu::ClampedSwiGlu;
use super::fast::Fast;
use super::gated::Gated;
use super::glu::{GeGlu, GeGluTanh, Glu, ReGlu, SwiGlu};
use super::prelu::Prelu;
use crate::activation::{Activation, Elementwise};
use crate::exact::Exact;
use crate::from_output::FromOutput;
use crate::kernel::element::Element;
use crate::kernel::level::{At, Level};
use crate::pass::{Pass, Pieces};
use crate::rows::scores::Scores;
use crate::second::{DoubleBackward, SecondDerivative};

/// A function whose passes run on the threads of `rayon`, made by [`IntoParallel::parallel`].
///
/// The slices are cut between elements, or between rows, and each piece runs as it would alone. So the bits are the same as on
/// one thread. Sums of losses and of gradients of biases are combined in an order that depends on the lengths alone. A function
/// that takes the whole slice as one row, such as `Softmax::default()`, runs on one thread.
///
/// - An activation gets the methods of [`Activation`], and also the methods of [`FromOutput`] if it has them.
/// - A gate gets the methods of [`Gate`](crate::Gate).
/// - [`Biased`](crate::Biased) gets [`BiasGradient`](crate::BiasGradient).
/// - [`CrossEntropy`](crate::CrossEntropy) and [`BinaryCrossEntropy`](crate::BinaryCrossEntropy) get their own methods.
/// - For log-sum-exps there are the functions [`log_sum_exp_parallel`](crate::log_sum_exp_parallel) and
///   [`log_sum_exp_rows_parallel`](crate::log_sum_exp_rows_parallel).
///
/// Slices of fewer than [`min_len`](Self::min_len) elements, by default 256 Ki, run on the calling thread.
///
/// ```
/// use activations::{Activation, Gelu, IntoParallel};
///
/// let x: Vec<f32> = (0..500_000).map(|i| i as f32 / 50_000.0 - 5.0).collect();
/// assert_eq!(Gelu.parallel().forward_vec(&x), Gelu.forward_vec(&x));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parallel<A> {
    pub(crate) activation: A,
    min_len: usize,
}

/// Makes functions run on several threads: activations, gates and losses of this crate, and formulas of your own.
///
/// ```
/// use activations::{Activation, IntoParallel, Softmax};
///
/// // Rows stay whole.
/// let softmax = Softmax::rows(100)?.parallel();
/// let x: Vec<f32> = (0..300_000).map(|i| (i as f32).sin()).collect();
/// assert_eq!(softmax.forward_vec(&x), Softmax::rows(100)?.forward_vec(&x));
/// # Ok::<(), activations::ParameterError>(())
/// ```
///
/// If your type implements [`Activation`], [`Gate`](crate::Gate) or [`GateFormula`](crate::GateFormula) itself, write
/// `impl IntoParallel for Mine {}` to get the method. Other types do not have it:
///
/// ```compile_fail
/// use activations::IntoParallel;
///
/// let _ = 5.parallel();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no passes to run on threads",
    note = "activations, formulas, gates and losses of this crate have; for a type of your own write `impl IntoParallel for {Self} {{}}`"
)]
pub trait IntoParallel: Sized {
    /// The same function, on the threads of `rayon`.
    ///
    /// ```
    /// use activations::{Activation, IntoParallel, Relu};
    ///
    /// assert_eq!(Relu.parallel().forward_vec(&[-1.0_f32, 1.0]), [0.0, 1.0]);
    /// ```
    fn parallel(self) -> Parallel<Self> {
        Parallel::of(self)
    }
}

impl<F: Elementwise> IntoParallel for F {}

/// `into_parallel!([] Glu, [A: IntoParallel] At<A>);` implements the trait.
macro_rules! into_parallel {
    ($([$($generics:tt)*] $name:ty),+ $(,)?) => {
        $(impl<$($generics)*> IntoParallel for $name {})+
    };
}
into_parallel!(
    [A: IntoParallel] At<A>,
    [A: IntoParallel] Fast<A>,
    [A] Exact<A>,
    [A] Gated<A>,
    ['a, A, T] Biased<'a, A, T>,
    ['a, T] Prelu<'a, T>,
    ['a, F, T] Scores<'a, F, T>,
    ['a, T] Box<dyn Activation<T> + Sync + 'a>,
    ['a, T] Box<dyn Activation<T> + Send + Sync + 'a>,
    ['a, T] &'a (dyn Activation<T> + Sync + 'a),
    ['a, T] &'a (dyn Activation<T> + Send + Sync + 'a),
    [] Glu,
    [] SwiGlu,
    [] GeGlu,
    [] GeGluTanh,
    [] ReGlu,
    [] ClampedSwiGlu,
);

/// Measured on two cores with `f32`: waking a thread and waiting for it takes 20 to 25 us. For 256 Ki elements ReLU takes 22 us and
/// becomes a little slower, and SiLU takes 65 us and becomes 1.4 times as fast. For 1 Mi elements they become 1.4 and 1.8 times as
/// fast, and GELU 1.8 to 2.0 times. For 32 Ki elements all would be slower.
const MIN_LEN: usize = 1 << 18;

/// How many pieces each thread has on average. If a thread is late, the others take some of its pieces.
const PIECES: usize = 4;

/// A piece has at least the least length divided by this.
const PARTS: usize = 4;

impl<A> Parallel<A> {
    pub(crate) const fn of(activation: A) -> Self {
        Self { activation, min_len: MIN_LEN }
    }

    /// Sets the least length of slices that run on several threads. Make it lower for a slow formula, and higher for one that is
    /// about as fast as a copy.
    ///
    /// ```
    /// use activations::{Activation, Gelu, IntoParallel};
    ///
    /// let x = vec![1.0_f64; 100_000];
    /// assert_eq!(Gelu.parallel().with_min_len(50_000).forward_vec(&x), Gelu.forward_vec(&x));
    /// ```
    #[must_use]
    pub fn with_min_len(self, min_len: usize) -> Self {
        Self { min_len, ..self }
    }

    /// The least length of slices that run on several threads.
    ///
    /// ```
    /// use activations::{IntoParallel, Relu};
    ///
    /// assert_eq!(Relu.parallel().with_min_len(1000).min_len(), 1000);
    /// ```
    #[must_use]
    pub const fn min_len(&self) -> usize {
        self.min_len
    }
}

/// Work on slices that can be cut.
pub(crate) trait Cut: Sized + Send {
    /// How many elements there are.
    fn len(&self) -> usize;
    /// The first `at` elements, and the others.
    fn cut(self, at: usize) -> (Self, Self);
}

impl<T: Element> Cut for Pass<'_, T> {
    fn len(&self) -> usize {
        Pass::len(self)
    }

    fn cut(self, at: usize) -> (Self, Self) {
        /// The same variant twice: with the first parts of its slices, and with the second parts.
        macro_rules! halves {
            ($variant:ident: $($read:ident),*; $($written:ident),+) => {{
                $(let $read = $read.split_at(at);)*
                $(let $written = $written.split_at_mut(at);)+
                (
                    Pass::$variant { $($read: $read.0,)* $($written: $written.0),+ },
                    Pass::$variant { $($read: $read.1,)* $($written: $written.1),+ },
                )
            }};
        }
        match self {
            Pass::Forward { x, y } => halves!(Forward: x; y),
            Pass::ForwardInPlace { x } => halves!(ForwardInPlace: ; x),
            Pass::Derivative { x, dydx } => halves!(Derivative: x; dydx),
            Pass::ForwardWithDerivative { x, y, dydx } => halves!(ForwardWithDerivative: x; y, dydx),
            Pass::Backward { x, grad_y, grad_x } => halves!(Backward: x, grad_y; grad_x),
        }
    }
}

/// The slices of [`FromOutput`].
struct Output<'a, T> {
    y: &'a [T],
    grad_y: &'a [T],
    grad_x: &'a mut [T],
}

impl<T: Element> Cut for Output<'_, T> {
    fn len(&self) -> usize {
        self.y.len()
    }

    fn cut(self, at: usize) -> (Self, Self) {
        let (y, grad_y, grad_x) = (self.y.split_at(at), self.grad_y.split_at(at), self.grad_x.split_at_mut(at));
        (Self { y: y.0, grad_y: grad_y.0, grad_x: grad_x.0 }, Self { y: y.1, grad_y: grad_y.1, grad_x: grad_x.1 })
    }
}

/// Inputs and second derivatives.
struct Second<'a, T> {
    x: &'a [T],
    d2ydx2: &'a mut [T],
}

impl<T: Element> Cut for Second<'_, T> {
    fn len(&self) -> usize {
        self.x.len()
    }

    fn cut(self, at: usize) -> (Self, Self) {
        let (x, d2ydx2) = (self.x.split_at(at), self.d2ydx2.split_at_mut(at));
        (Self { x: x.0, d2ydx2: d2ydx2.0 }, Self { x: x.1, d2ydx2: d2ydx2.1 })
    }
}

impl<T: Element> Cut for DoubleBackward<'_, T> {
    fn len(&self) -> usize {
        self.x.len()
    }

    fn cut(self, at: usize) -> (Self, Self) {
        let (x, grad_y, ggx) = (self.x.split_at(at), self.grad_y.split_at(at), self.grad_grad_x.split_at(at));
        let (ggy, grad_x) = (self.grad_grad_y.split_at_mut(at), self.grad_x.split_at_mut(at));
        (
            Self { x: x.0, grad_y: grad_y.0, grad_grad_x: ggx.0, grad_grad_y: ggy.0, grad_x: grad_x.0 },
            Self { x: x.1, grad_y: grad_y.1, grad_grad_x: ggx.1, grad_grad_y: ggy.1, grad_x: grad_x.1 },
        )
    }
}

/// Runs the work in pieces of `piece` elements or fewer, cut at multiples of `unit`.
fn share<C: Cut>(work: C, piece: usize, unit: usize, run: &(impl Fn(C) + Sync)) {
    let len = work.len();
    let at = len / 2 / unit * unit;
    if len <= piece || at == 0 {
        return run(work);
    }
    let (first, second) = work.cut(at);
    rayon::join(|| share(first, piece, unit, run), || share(second, piece, unit, run));
}

impl<A> Parallel<A> {
    /// Runs the work in pieces of whole units, on several threads if it is long enough.
    pub(crate) fn share_units<C: Cut>(&self, work: C, unit: usize, run: impl Fn(C) + Sync) {
        let (len, threads) = (work.len(), rayon::current_num_threads());
        let unit = unit.max(1);
        if len >= self.min_len && threads > 1 && unit < len {
            let piece = (len / (threads * PIECES)).max(self.min_len / PARTS).max(1);
            share(work, piece, unit, &run);
        } else {
            run(work);
        }
    }

    pub(super) fn share<C: Cut>(&self, work: C, pieces: Pieces, run: impl Fn(C) + Sync) {
        let unit = match pieces {
            Pieces::Elements => 1,
            Pieces::Rows(n) => n,
            Pieces::Whole => work.len(),
        };
        self.share_units(work, unit, run);
    }
}

impl<T: Element, A: Activation<T> + Sync> Activation<T> for Parallel<A> {
    fn run(&self, level: Level, pass: Pass<'_, T>) {
        self.share(pass, self.activation.pieces(), |pass| self.activation.run(level, pass));
    }

    fn run_fast(&self, level: Level, pass: Pass<'_, T>) {
        self.share(pass, self.activation.pieces(), |pass| self.activation.run_fast(level, pass));
    }

    fn pieces(&self) -> Pieces {
        self.activation.pieces()
    }
}

impl<T: Element, A: FromOutput<T> + Sync> FromOutput<T> for Parallel<A> {
    fn run_from_output(&self, level: Level, y: &[T], grad_y: &[T], grad_x: &mut [T]) {
        self.share(Output { y, grad_y, grad_x }, self.activation.pieces(), |Output { y, grad_y, grad_x }| {
            self.activation.run_from_output(level, y, grad_y, grad_x);
        });
    }
}

impl<T: Element, A: SecondDerivative<T> + Sync> SecondDerivative<T> for Parallel<A> {
    fn run_second_derivative(&self, level: Level, x: &[T], d2ydx2: &mut [T]) {
        self.share(Second { x, d2ydx2 }, self.activation.pieces(), |Second { x, d2ydx2 }| {
            self.activation.run_second_derivative(level, x, d2ydx2);
        });
    }

    fn run_double_backward(&self, level: Level, slices: DoubleBackward<'_, T>) {
        self.share(slices, self.activation.pieces(), |slices| self.activation.run_double_backward(level, slices));
    }
}
