//! `GateFormula`: a formula of gate and up, and how it becomes a `Gate`.

use super::gate::{Gate, GatePass};
use crate::kernel::dispatch::dispatch;
use crate::kernel::element::{Element, Float, Kernel};
use crate::kernel::level::Level;
use crate::kernel::real::Real;
use crate::kernel::sweep::{over_copies, sweep};
use crate::kernel::tiles::copied_tiles;
use crate::pass::Pieces;

/// A gated unit as a formula of gate and up. The crate makes a vectorised [`Gate`] of it: in place, packed, with gradients, for
/// slices of every [`Element`].
///
/// Write it as [`Elementwise`](crate::Elementwise) describes: without branches, over [`Real`], with `#[inline(always)]`. For a unit
/// of the form f(gate) up you need no formula: use [`Gated`](crate::Gated). The formula may set `ABREAST`, as
/// [`Elementwise`](crate::Elementwise#vectors-abreast) explains.
///
/// - Halves are computed in `f32` and rounded once.
/// - [`Gate`] has the methods, and says when they panic.
///
/// A bilinear unit with a leak, gate up + up/8:
///
/// ```
/// use activations::{Gate, GateFormula, Real};
///
/// #[derive(Clone, Copy)]
/// struct Leaky;
///
/// impl GateFormula for Leaky {
///     #[inline(always)]
///     fn value<R: Real>(&self, gate: R, up: R) -> R {
///         up.mul_add(gate, up * R::of(0.125))
///     }
///
///     #[inline(always)]
///     fn slopes<R: Real>(&self, gate: R, up: R) -> (R, R) {
///         (up, gate + R::of(0.125))
///     }
/// }
///
/// let (gate, up) = ([2.0_f32, -1.0], [4.0, 8.0]);
/// let mut out = [0.0; 2];
/// Leaky.forward(&gate, &up, &mut out);
/// assert_eq!(out, [8.5, -7.0]);
///
/// let (mut grad_gate, mut grad_up) = ([0.0; 2], [0.0; 2]);
/// Leaky.backward(&gate, &up, &[1.0, 10.0], &mut grad_gate, &mut grad_up);
/// assert_eq!(grad_gate, [4.0, 80.0]);
/// assert_eq!(grad_up, [2.125, -8.75]);
/// ```
pub trait GateFormula: Clone {
    /// See `Elementwise`.
    #[doc(hidden)]
    const ABREAST: usize = 4;

    /// The output.
    fn value<R: Real>(&self, gate: R, up: R) -> R;

    /// The derivatives of the output with respect to gate and to up.
    fn slopes<R: Real>(&self, gate: R, up: R) -> (R, R);

    /// Both derivatives times the gradient with respect to the output.
    #[doc(hidden)]
    #[inline(always)]
    fn gradients<R: Real>(&self, gate: R, up: R, grad_out: R) -> (R, R) {
        let (of_gate, of_up) = self.slopes(gate, up);
        (grad_out * of_gate, grad_out * of_up)
    }

    /// Runs a pass over `f32`. This default is compiled in the crate that uses the formula.
    #[doc(hidden)]
    #[inline]
    fn run_f32(&self, level: Level, pass: GatePass<'_, f32>) {
        passes(self, level, pass);
    }

    /// See [`run_f32`](Self::run_f32).
    #[doc(hidden)]
    #[inline]
    fn run_f64(&self, level: Level, pass: GatePass<'_, f64>) {
        passes(self, level, pass);
    }
}

impl<T: Element, F: GateFormula> Gate<T> for F {
    #[inline]
    fn run(&self, level: Level, pass: GatePass<'_, T>) {
        pass.over_floats(level, Pieces::Elements, &mut |pass| T::Float::run(&Passes(self), level, pass));
    }

    #[inline]
    fn pieces(&self) -> Pieces {
        Pieces::Elements
    }
}

/// The passes of a formula.
struct Passes<'f, F>(&'f F);

impl<F: GateFormula> Kernel for Passes<'_, F> {
    type Args<'a, T: Float> = GatePass<'a, T>;
    type Output<T: Float> = ();

    #[inline]
    fn f32(&self, level: Level, pass: GatePass<'_, f32>) {
        self.0.run_f32(level, pass);
    }

    #[inline]
    fn f64(&self, level: Level, pass: GatePass<'_, f64>) {
        self.0.run_f64(level, pass);
    }
}

/// The loops of a formula, compiled where this is called with a type.
#[inline]
pub(crate) fn passes<T: Float, F: GateFormula>(f: &F, level: Level, pass: GatePass<'_, T>) {
    match pass {
        GatePass::Forward { gate, up, out } => dispatch(level, Forward { f, gate, up, out }),
        GatePass::ForwardInPlace { gate, up } => {
            // See `activation::passes`.
            if over_copies::<T>(level, F::ABREAST) {
                let mut ups = up;
                copied_tiles(gate, &mut |gate, out| {
                    let (up, rest) = ups.split_at(out.len());
                    ups = rest;
                    dispatch(level, Forward { f, gate, up, out });
                });
            } else if const { F::ABREAST == 1 || size_of::<T>() == 4 } {
                dispatch(level, ForwardInPlace { f, up, gate });
            }
        }
        GatePass::Backward { gate, up, grad_out, grad_gate, grad_up } => {
            dispatch(level, Backward { f, gate, up, grad_out, grad_gate, grad_up });
        }
        GatePass::ForwardPacked { .. } | GatePass::BackwardPacked { .. } => {
            unreachable!("`GatePass::over_floats` unpacks")
        }
    }
}

/// Compiles the passes of a built-in formula in this crate, once for each float. Write it in the formula's `impl GateFormula`.
macro_rules! compiled_gate {
    () => {
        $crate::kernel::element::compiled! {
            f32: fn run_f32(
                &self,
                level: $crate::kernel::level::Level,
                pass: $crate::layers::gate::GatePass<'_, f32>,
            ) {
                $crate::layers::gate_formula::passes(self, level, pass);
            }
            f64: fn run_f64(
                &self,
                level: $crate::kernel::level::Level,
                pass: $crate::layers::gate::GatePass<'_, f64>,
            ) {
                $crate::layers::gate_formula::passes(self, level, pass);
            }
        }
    };
}
pub(super) use compiled_gate;

sweep!(Forward<GateFormula> |f, gate, up| out = f.value(gate, up));
sweep!(ForwardInPlace<GateFormula> |f, up| mut gate = f.value(gate, up));
sweep!(Backward<GateFormula> |f, gate, up, grad_out| (grad_gate, grad_up) = f.gradients(gate, up, grad_out));
