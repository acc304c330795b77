//! `Exact`: results that are the exact number, rounded once.
//!
//! Ziv's method (ACM Trans. Math. Softw. 17, 1991), in three steps:
//!
//! 1. short formulas in `f64`, with a relative error of at most 2^-39, compute blocks: see `brief`. A result whose lower and upper
//!    bound round to the same number is that number. In one block of 125 there is another result;
//! 2. such a block goes to the kernel for `f64`, whose relative error is far below 2^-44;
//! 3. what that does not decide either, about one result in 2^19 and all ties, is computed by itself with 106 bits, and rounded
//!    once.
//!
//! So the CPU level decides only which results take which step, and not what they are. Without fused multiply-add, for halves, and
//! for functions without short formulas, the second step is the first.

mod brief;
mod definitions;
mod double;
mod elementary;
pub(crate) mod round;

use self::brief::BLOCK;
use self::double::Double;
use self::round::{Format, Products, Reach, Round, Widen, decided};
use crate::activation::Activation;
use crate::kernel::dispatch::dispatch;
use crate::kernel::element::Element;
use crate::kernel::level::Level;
use crate::kernel::tiles::{SHORT, Tile, copied_tiles};
use crate::pass::{Pass, Pieces};

/// An activation whose results are correctly rounded: the exact real number, rounded once, to nearest, ties to even.
///
/// This holds for value and derivative at every input, with the parameters exactly as they are given, in `f32`, `f16` and `bf16`.
/// There is only one correctly rounded result. So it has the same bits at every [`Level`](crate::Level), on every CPU, in
/// WebAssembly, without `std`, and in every version of this crate.
///
/// - It takes every function of one number: [`Definition`] lists them. For slices of `f64` there is no `Exact`, so such code does not
///   compile.
/// - [`Softmax`](crate::Softmax), [`LogSoftmax`](crate::LogSoftmax) and [`Softmin`](crate::Softmin) are computed in `f64` at
///   [`Level::portable`](crate::Level::portable) and rounded once: at most 0.501 ULP, on sampled rows, and the same bits on every
///   machine. So are [`CrossEntropy`](crate::CrossEntropy), [`BinaryCrossEntropy`](crate::BinaryCrossEntropy) and
///   [`log_sum_exp_exact`](crate::log_sum_exp_exact). If the parts of a gradient cancel, its error is relative to the parts.
/// - Derivative: correctly rounded, too. [`backward`](Activation::backward) is `grad_y` times the rounded derivative, rounded once
///   more. [`Snake`](crate::Snake)'s derivative is exact also far from 0, where it oscillates and the default gives its mean.
/// - Error: at most 0.5 ULP, below the normal range too. `examples/exact` compares results with a hundred digits, for every `f32`.
/// - Special values: NaN, infinities, kinks and the signs of zeros are as without `Exact`.
/// - Parameters: used as they are given, within the limits that the type states for `f64`. The default `alpha` of
///   [`HardSigmoid`](crate::HardSigmoid) stands for 1/6.
/// - Time, in `f32`: two to three times the default's for [`Sigmoid`](crate::Sigmoid), [`Tanh`](crate::Tanh),
///   [`GeluTanh`](crate::GeluTanh), [`Silu`](crate::Silu), [`Elu`](crate::Elu), [`Softplus`](crate::Softplus) and
///   [`Mish`](crate::Mish), three to four times for [`Gelu`](crate::Gelu). Three to five times for other functions that are made of
///   exponentials, for halves, and without fused multiply-add; five to fifteen times for functions that are made of straight lines.
///   A result that is a tie, or nearly one, takes some microseconds more. That is one result in 250,000. It is also most results
///   below the normal range if the function halves such numbers, as GELU does.
/// - Source: Ziv, "Fast evaluation of elementary mathematical functions with correctly rounded last bit", ACM Trans. Math. Softw. 17,
///   1991.
///
/// ```
/// use activations::{Activation, Exact, Gelu};
///
/// let x = [-13.0_f32, -1.0, 0.5, 3e-45];
/// let y = Exact(Gelu).forward_vec(&x);
/// assert_eq!(y, [-7.952_314e-38, -0.158_655_26, 0.345_731_23, 1e-45]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Exact<A>(pub A);

impl<T: Element<Float = f32>, A: Definition> Activation<T> for Exact<A> {
    fn run(&self, level: Level, pass: Pass<'_, T>) {
        let format = Format::of::<T>();
        pass.over_floats(level, &mut |pass| run(&self.0, level, format, pass));
    }

    fn pieces(&self) -> Pieces {
        Pieces::Elements
    }
}

/// A function that [`Exact`] can compute: all functions of one number of this crate.
///
/// The trait is sealed, because only this crate has the definitions of its functions.
pub trait Definition: Activation<f64> + Sync {
    /// The value at a finite number.
    #[doc(hidden)]
    fn exact_value(&self, x: Double) -> Double;

    /// The derivative at a finite number.
    #[doc(hidden)]
    fn exact_slope(&self, x: Double) -> Double;

    /// The error of [`approximate`](Self::approximate) in addition to 2^-44 of the result.
    #[doc(hidden)]
    fn reach(&self, _part: Part) -> Reach {
        Reach::RELATIVE
    }

    /// Values or derivatives by short formulas, rounded to `f32`, up to a block that has one which may be wrong. Returns how many
    /// elements are right, `None` if there are no such formulas. The lengths are whole numbers of blocks.
    #[doc(hidden)]
    fn brief(&self, _level: Level, _part: Part, _x: &[f32], _y: &mut [f32]) -> Option<usize> {
        None
    }

    /// Computes values or derivatives in `f64`, or NaN where the kernel does not give them.
    #[doc(hidden)]
    fn approximate(&self, level: Level, part: Part, x: &[f64], y: &mut [f64]) {
        part.run(self, level, x, y);
    }
}

impl Activation<f64> for &(dyn Definition + '_) {
    fn run(&self, level: Level, pass: Pass<'_, f64>) {
        (**self).run(level, pass);
    }

    fn pieces(&self) -> Pieces {
        Pieces::Elements
    }
}

impl Definition for &(dyn Definition + '_) {
    fn exact_value(&self, x: Double) -> Double {
        (**self).exact_value(x)
    }

    fn exact_slope(&self, x: Double) -> Double {
        (**self).exact_slope(x)
    }

    fn reach(&self, part: Part) -> Reach {
        (**self).reach(part)
    }

    fn brief(&self, level: Level, part: Part, x: &[f32], y: &mut [f32]) -> Option<usize> {
        (**self).brief(level, part, x, y)
    }

    fn approximate(&self, level: Level, part: Part, x: &[f64], y: &mut [f64]) {
        (**self).approximate(level, part, x, y);
    }
}

/// Whether values or derivatives are computed.
#[derive(Clone, Copy, Debug)]
pub enum Part {
    /// The value.
    Value,
    /// The derivative.
    Slope,
}

impl Part {
    fn run<A: Activation<f64> + ?Sized>(self, f: &A, level: Level, x: &[f64], y: &mut [f64]) {
        match self {
            Self::Value => f.run(level, Pass::Forward { x, y }),
            Self::Slope => f.run(level, Pass::Derivative { x, dydx: y }),
        }
    }
}

/// Makes results NaN where the condition holds for the input.
fn mark(x: &[f64], y: &mut [f64], condition: impl Fn(f64) -> bool) {
    for (&x, y) in x.iter().zip(y) {
        *y = if condition(x) { f64::NAN } else { *y };
    }
}

/// The number of elements in a tile. Its numbers in `f64` and its results stay in the first-level cache, with the kernel's constants.
const TILE: usize = 512;

#[inline(never)]
fn run(f: &dyn Definition, level: Level, format: Format, mut pass: Pass<'_, f32>) {
    let (len, results) = (pass.len(), Results { f, level, format });
    for start in (0..len).step_by(TILE) {
        match pass.part(start..len.min(start + TILE)) {
            Pass::Forward { x, y } => results.compute(Part::Value, x, y),
            Pass::ForwardInPlace { x } => copied_tiles(x, &mut |x, y| results.compute(Part::Value, x, y)),
            Pass::Derivative { x, dydx } => results.compute(Part::Slope, x, dydx),
            Pass::ForwardWithDerivative { x, y, dydx } => {
                results.compute(Part::Value, x, y);
                results.compute(Part::Slope, x, dydx);
            }
            Pass::Backward { x, grad_y, grad_x } => {
                results.compute(Part::Slope, x, grad_x);
                dispatch(level, Products { format, grad_y, grad_x });
            }
        }
    }
}

/// How results are computed: for at most a tile.
#[derive(Clone, Copy)]
struct Results<'f> {
    f: &'f dyn Definition,
    level: Level,
    format: Format,
}

impl Results<'_> {
    fn compute(self, part: Part, x: &[f32], y: &mut [f32]) {
        let (len, mut at, mut span) = (x.len(), 0, BLOCK);
        while let Some(done) = self.brief(part, &x[at..], &mut y[at..]) {
            if done > 0 {
                span = BLOCK;
            }
            at += done;
            if at == len {
                return;
            }
            // If many blocks are open, the tests of most are saved.
            let end = len.min(at + span);
            self.wide(part, &x[at..end], &mut y[at..end]);
            (at, span) = (end, span * 2);
            if at == len {
                return;
            }
        }
        self.wide(part, x, y);
    }

    /// The short formulas, up to a block with a result that they do not decide. Returns how many results are right, `None` if there are
    /// no short formulas.
    fn brief(self, part: Part, x: &[f32], y: &mut [f32]) -> Option<usize> {
        if !self.format.is_f32() {
            return None;
        }
        let (len, whole) = (x.len(), x.len() / BLOCK * BLOCK);
        let (x, x_rest) = x.split_at(whole);
        let (y, y_rest) = y.split_at_mut(whole);
        let mut done = 0;
        if whole > 0 || len == 0 {
            done = self.f.brief(self.level, part, x, y)?;
        }
        if done == whole && done < len {
            let (mut padded, mut results) = ([x_rest[0]; BLOCK], [0.0; BLOCK]);
            padded[..x_rest.len()].copy_from_slice(x_rest);
            if self.f.brief(self.level, part, &padded, &mut results)? == BLOCK {
                y_rest.copy_from_slice(&results[..x_rest.len()]);
                done = len;
            }
        }
        Some(done)
    }

    fn wide(self, part: Part, x: &[f32], y: &mut [f32]) {
        if x.len() <= SHORT {
            Tiles::<SHORT>::new().run(self, part, x, y);
        } else {
            Tiles::<TILE>::new().run(self, part, x, y);
        }
    }
}

/// A tile of inputs and of results, as `f64`.
struct Tiles<const N: usize> {
    x: Tile<f64, N>,
    y: Tile<f64, N>,
}

impl<const N: usize> Tiles<N> {
    fn new() -> Self {
        Self { x: Tile::new(), y: Tile::new() }
    }

    fn run(&mut self, Results { f, level, format }: Results<'_>, part: Part, from: &[f32], out: &mut [f32]) {
        let (x, y) = (self.x.of(from.len()), self.y.of(from.len()));
        dispatch(level, Widen { from, to: &mut *x });
        f.approximate(level, part, x, y);
        let reach = f.reach(part);
        match reach.parts {
            [0.0, 0.0, 0.0] => finish(f, level, part, Round::<0> { reach, format, x, y, out }),
            [_, 0.0, 0.0] => finish(f, level, part, Round::<1> { reach, format, x, y, out }),
            _ => finish(f, level, part, Round::<3> { reach, format, x, y, out }),
        }
    }
}

/// Rounds the results, and computes those again whose rounding is not decided.
fn finish<const PARTS: usize>(f: &dyn Definition, level: Level, part: Part, round: Round<'_, PARTS>) {
    let Round { reach, format, x, y, out } = round;
    if !dispatch(level, Round::<PARTS> { reach, format, x, y, out: &mut *out }) {
        return;
    }
    for ((&x, &y), out) in x.iter().zip(y).zip(out) {
        if decided::<PARTS>(reach, format, x, y).1 {
            continue;
        }
        let exact = match part {
            // At an infinity the kernel gives the limit, without an error.
            _ if x.is_infinite() => y,
            Part::Value => f.exact_value(x.into()).to_odd(),
            Part::Slope => f.exact_slope(x.into()).to_odd(),
        };
        *out = format.round(exact);
    }
}
