//! `Exact`: results that are the exact number, rounded once.
//!
//! Ziv's method (ACM Trans. Math. Softw. 17, 1991), tile by tile:
//!
//! 1. the kernel for `f64` computes a tile, with a relative error that is far below 2^-44;
//! 2. if the lower and the upper bound of a result round to the same number, that number is the result;
//! 3. the other results, about one in 2^19 and all ties, are computed one by one with 106 bits, and rounded once.
//!
//! So the CPU level decides only which results need the third step, but does not change them.

mod definitions;
mod double;
mod elementary;
pub(crate) mod round;

use self::double::Double;
use self::round::{Format, Products, Reach, Round, Widen, decided};
use crate::activation::Activation;
use crate::kernel::dispatch::dispatch;
use crate::kernel::element::Element;
use crate::kernel::level::Level;
use crate::kernel::tiles::{SHORT, Tile};
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
/// - Time: three to five times the default's for functions with exponentials, and five to fifteen times for piecewise linear
///   functions. A tie, or nearly a tie, takes some microseconds more. One result in 250,000 is such a tie. So are most results below
///   the normal range if the function halves such numbers, as GELU does.
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
fn run(f: &dyn Definition, level: Level, format: Format, pass: Pass<'_, f32>) {
    if pass.len() <= SHORT {
        Tiles::<SHORT>::new().run(f, level, format, pass);
    } else {
        Tiles::<TILE>::new().run(f, level, format, pass);
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

    fn run(&mut self, f: &dyn Definition, level: Level, format: Format, mut pass: Pass<'_, f32>) {
        let len = pass.len();
        for start in (0..len).step_by(N) {
            let pass = pass.part(start..len.min(start + N));
            let n = pass.len();
            dispatch(level, Widen { from: pass.inputs(), to: self.x.of(n) });
            let mut store = |part, out: &mut [f32]| self.store(f, level, format, part, out);
            match pass {
                Pass::Forward { y, .. } => store(Part::Value, y),
                Pass::ForwardInPlace { x } => store(Part::Value, x),
                Pass::Derivative { dydx, .. } => store(Part::Slope, dydx),
                Pass::ForwardWithDerivative { y, dydx, .. } => {
                    store(Part::Value, y);
                    store(Part::Slope, dydx);
                }
                Pass::Backward { grad_y, grad_x, .. } => {
                    store(Part::Slope, grad_x);
                    dispatch(level, Products { format, grad_y, grad_x });
                }
            }
        }
    }

    /// The results for the inputs in the tile.
    fn store(&mut self, f: &dyn Definition, level: Level, format: Format, part: Part, out: &mut [f32]) {
        let (x, y) = (self.x.of(out.len()), self.y.of(out.len()));
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
