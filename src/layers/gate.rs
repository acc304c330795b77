//! `Gate`: an activation of one half of the inputs, times the other half. Also its passes, and how packed slices become floats.

use crate::kernel::arithmetic::Arithmetic;
use crate::kernel::element::{Element, Float, per_element};
use crate::kernel::level::{At, Level};
use crate::kernel::tiles::{TILE, Tile};
use crate::pass::{Pieces, same_length};

/// The order of gates and ups in one slice.
///
/// ```
/// use activations::{Gate, Packing, ReGlu};
///
/// // Gate 1 and up 5, in three ways: with another gate -1 and up 7 beside.
/// let mut out = [0.0_f32; 2];
/// for (packing, x) in [
///     (Packing::GateFirst(2), [1.0, -1.0, 5.0, 7.0]),
///     (Packing::UpFirst(2), [5.0, 7.0, 1.0, -1.0]),
///     (Packing::Interleaved, [1.0, 5.0, -1.0, 7.0]),
/// ] {
///     ReGlu.forward_packed(packing, &x, &mut out);
///     assert_eq!(out, [5.0, 0.0]);
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Packing {
    /// Rows of n gates, then n ups: the fused `gate_up_proj` of Hugging Face's models, `silu_and_mul` of vLLM, `ggml_swiglu`
    /// of llama.cpp.
    GateFirst(usize),
    /// Rows of n ups, then n gates: `torch.nn.functional.glu` and `jax.nn.glu`, and `GEGLU` of diffusers.
    UpFirst(usize),
    /// Gate, up, gate, up: gpt-oss.
    Interleaved,
}

impl Packing {
    /// The number of gates and ups in a row.
    pub(super) const fn row(self) -> usize {
        match self {
            Self::GateFirst(n) | Self::UpFirst(n) => n,
            Self::Interleaved => 1,
        }
    }

    /// Panics unless the slice divides into rows and there is an output for each pair.
    #[track_caller]
    fn check(self, x: usize, out_name: &str, out: usize) {
        Pieces::Rows(self.row().saturating_mul(2)).check(x);
        assert!(out == x / 2, "`x` has {x} elements, so `{out_name}` must have {}, but has {out}", x / 2);
    }
}

/// A gated unit over slices: f(gate) up, and its gradients.
///
/// [`SwiGlu`](crate::SwiGlu) and the other named units are compiled in this crate. [`Gated`](crate::Gated) makes a unit of any
/// activation. All methods take one pass over the data, without a temporary in memory. If the slices' lengths do not fit, they
/// panic before they write anything. [`Level::with`] chooses the CPU level. Trait objects such as `Box<dyn Gate<f32>>` work.
///
/// ```
/// use activations::{Gate, Glu, Packing};
///
/// let x = [0.0_f32, 0.0, 3.0, 4.0];
/// let (mut out, mut grad_x) = ([0.0; 2], [0.0; 4]);
/// Glu.forward_packed(Packing::GateFirst(2), &x, &mut out);
/// assert_eq!(out, [1.5, 2.0]);
/// Glu.backward_packed(Packing::GateFirst(2), &x, &[1.0, 10.0], &mut grad_x);
/// assert_eq!(grad_x, [0.75, 10.0, 0.5, 5.0]);
/// ```
pub trait Gate<T: Element> {
    /// Runs one pass at one CPU level. This is the only method that an implementation must have. Callers use the others.
    ///
    /// The lengths of the slices fit, because the methods below check them before they make the pass.
    fn run(&self, level: Level, pass: GatePass<'_, T>);

    /// How passes over gates may be cut: the activation's [`pieces`](crate::Activation::pieces).
    #[doc(hidden)]
    #[inline]
    fn pieces(&self) -> Pieces {
        Pieces::Whole
    }

    /// `out[i] = f(gate[i]) * up[i]`.
    ///
    /// # Panics
    /// If the lengths differ.
    ///
    /// ```
    /// use activations::{Gate, ReGlu};
    ///
    /// let mut out = [0.0_f32; 2];
    /// ReGlu.forward(&[2.0, -2.0], &[10.0, 10.0], &mut out);
    /// assert_eq!(out, [20.0, 0.0]);
    /// ```
    #[inline]
    #[track_caller]
    fn forward(&self, gate: &[T], up: &[T], out: &mut [T]) {
        same_length("up", up.len(), "gate", gate.len());
        same_length("out", out.len(), "gate", gate.len());
        self.run(Level::best(), GatePass::Forward { gate, up, out });
    }

    /// `gate[i] = f(gate[i]) * up[i]`.
    ///
    /// # Panics
    /// If the lengths differ.
    ///
    /// ```
    /// use activations::{Gate, ReGlu};
    ///
    /// let mut gate = [2.0_f32, -2.0];
    /// ReGlu.forward_in_place(&mut gate, &[10.0, 10.0]);
    /// assert_eq!(gate, [20.0, 0.0]);
    /// ```
    #[inline]
    #[track_caller]
    fn forward_in_place(&self, gate: &mut [T], up: &[T]) {
        same_length("up", up.len(), "gate", gate.len());
        self.run(Level::best(), GatePass::ForwardInPlace { gate, up });
    }

    /// Both gradients, sharing what both need: `grad_gate[i] = grad_out[i] * up[i] * f'(gate[i])` and
    /// `grad_up[i] = grad_out[i] * f(gate[i])`.
    ///
    /// # Panics
    /// If the lengths differ.
    ///
    /// ```
    /// use activations::{Gate, ReGlu};
    ///
    /// let (mut grad_gate, mut grad_up) = ([0.0_f32], [0.0]);
    /// ReGlu.backward(&[2.0], &[10.0], &[1.0], &mut grad_gate, &mut grad_up);
    /// assert_eq!((grad_gate, grad_up), ([10.0], [2.0]));
    /// ```
    #[inline]
    #[track_caller]
    fn backward(&self, gate: &[T], up: &[T], grad_out: &[T], grad_gate: &mut [T], grad_up: &mut [T]) {
        same_length("up", up.len(), "gate", gate.len());
        same_length("grad_out", grad_out.len(), "gate", gate.len());
        same_length("grad_gate", grad_gate.len(), "gate", gate.len());
        same_length("grad_up", grad_up.len(), "gate", gate.len());
        self.run(Level::best(), GatePass::Backward { gate, up, grad_out, grad_gate, grad_up });
    }

    /// [`forward`](Self::forward) with gates and ups in one slice, twice as long as `out`.
    ///
    /// # Panics
    /// If `x` does not divide into rows, or `out` is not half as long as `x`.
    ///
    /// ```
    /// use activations::{Gate, Packing, ReGlu};
    ///
    /// let mut out = [0.0_f32; 1];
    /// ReGlu.forward_packed(Packing::Interleaved, &[2.0, 10.0], &mut out);
    /// assert_eq!(out, [20.0]);
    /// ```
    #[inline]
    #[track_caller]
    fn forward_packed(&self, packing: Packing, x: &[T], out: &mut [T]) {
        packing.check(x.len(), "out", out.len());
        self.run(Level::best(), GatePass::ForwardPacked { packing, x, out });
    }

    /// [`backward`](Self::backward) with gates and ups in one slice, and their gradients in another one with the same packing.
    ///
    /// # Panics
    /// If `x` does not divide into rows, `grad_out` is not half as long as `x`, or `grad_x` is not as long as `x`.
    ///
    /// ```
    /// use activations::{Gate, Packing, ReGlu};
    ///
    /// let mut grad_x = [0.0_f32; 2];
    /// ReGlu.backward_packed(Packing::Interleaved, &[2.0, 10.0], &[1.0], &mut grad_x);
    /// assert_eq!(grad_x, [10.0, 2.0]);
    /// ```
    #[inline]
    #[track_caller]
    fn backward_packed(&self, packing: Packing, x: &[T], grad_out: &[T], grad_x: &mut [T]) {
        packing.check(x.len(), "grad_out", grad_out.len());
        same_length("grad_x", grad_x.len(), "x", x.len());
        self.run(Level::best(), GatePass::BackwardPacked { packing, x, grad_out, grad_x });
    }
}

/// One pass of a gated unit: what to compute, and which slices to read and to write.
///
/// Only an implementation of [`Gate::run`] needs it.
#[derive(Debug)]
pub enum GatePass<'a, T> {
    /// See [`Gate::forward`].
    Forward {
        /// The inputs of f.
        gate: &'a [T],
        /// The factors of f(gate).
        up: &'a [T],
        /// Receives f(gate) up.
        out: &'a mut [T],
    },
    /// See [`Gate::forward_in_place`].
    ForwardInPlace {
        /// The inputs of f, overwritten by f(gate) up.
        gate: &'a mut [T],
        /// The factors of f(gate).
        up: &'a [T],
    },
    /// See [`Gate::backward`].
    Backward {
        /// The gates of the forward pass.
        gate: &'a [T],
        /// Its ups.
        up: &'a [T],
        /// The gradient with respect to its outputs.
        grad_out: &'a [T],
        /// Receives the gradient with respect to the gates.
        grad_gate: &'a mut [T],
        /// Receives the gradient with respect to the ups.
        grad_up: &'a mut [T],
    },
    /// See [`Gate::forward_packed`].
    ForwardPacked {
        /// How `x` is packed.
        packing: Packing,
        /// Gates and ups.
        x: &'a [T],
        /// Receives f(gate) up.
        out: &'a mut [T],
    },
    /// See [`Gate::backward_packed`].
    BackwardPacked {
        /// How `x` and `grad_x` are packed.
        packing: Packing,
        /// Gates and ups of the forward pass.
        x: &'a [T],
        /// The gradient with respect to its outputs.
        grad_out: &'a [T],
        /// Receives the gradients with respect to gates and ups.
        grad_x: &'a mut [T],
    },
}

impl<T: Element, G: Gate<T>> Gate<T> for At<G> {
    #[inline]
    fn run(&self, _: Level, pass: GatePass<'_, T>) {
        self.activation.run(self.level, pass);
    }

    #[inline]
    fn pieces(&self) -> Pieces {
        self.activation.pieces()
    }
}

/// How many interleaved pairs are separated at a time: as many as fit into a tile.
const PAIRS: usize = TILE / 2;

/// Passes over halves and over interleaved pairs run part by part. These are their names in the message of a row that does not fit.
const WHAT: [&str; 2] = ["gated units of interleaved pairs", "gated units of halves"];

impl<T: Element> GatePass<'_, T> {
    /// Calls `run` with the pass over floats that are not packed: once with the whole slices, or part by part. No part ends within
    /// one of the activation's `pieces`.
    ///
    /// Panics, before anything is written, if the gates do not divide into pieces, or if a piece does not fit into a part that is
    /// copied.
    #[inline]
    pub(super) fn over_floats(self, level: Level, pieces: Pieces, run: &mut dyn FnMut(GatePass<'_, T::Float>)) {
        T::call(&OverFloats { level, pieces }, (self, run));
    }

    fn unpack(self, level: Level, pieces: Pieces, run: &mut dyn FnMut(GatePass<'_, T::Float>)) {
        let gates = self.gates();
        pieces.check(gates);
        if let Self::ForwardPacked { packing: Packing::Interleaved, .. }
        | Self::BackwardPacked { packing: Packing::Interleaved, .. } = self
        {
            pieces.check_fit(gates, PAIRS, WHAT[0]);
            return self.taken_apart(level, pieces.part(gates, PAIRS), run);
        }
        if !T::IS_FLOAT {
            pieces.check_fit(gates, TILE, WHAT[1]);
        }
        self.by_rows(&mut |pass| {
            if T::IS_FLOAT || pieces == Pieces::Elements {
                pass.plain_over_floats(level, run);
            } else {
                pass.by_parts(pieces.part(gates, TILE), &mut |pass| pass.plain_over_floats(level, run));
            }
        });
    }

    /// How many gates lie next to each other.
    pub(super) fn gates(&self) -> usize {
        match self {
            Self::Forward { gate, .. } | Self::Backward { gate, .. } => gate.len(),
            Self::ForwardInPlace { gate, .. } => gate.len(),
            Self::ForwardPacked { packing, x, .. } | Self::BackwardPacked { packing, x, .. } => match packing {
                Packing::GateFirst(n) | Packing::UpFirst(n) => *n.min(&(x.len() / 2)),
                Packing::Interleaved => x.len() / 2,
            },
        }
    }

    /// Calls `run` with each row of a pass over packed rows, or once with any other pass.
    fn by_rows(self, run: &mut dyn FnMut(GatePass<'_, T>)) {
        match self {
            Self::ForwardPacked { packing, x, out } => {
                let n = packing.row().clamp(1, x.len().max(1));
                for (x, out) in x.chunks(2 * n).zip(out.chunks_mut(n)) {
                    let (gate, up) = packing.halves(x.split_at(n));
                    run(GatePass::Forward { gate, up, out });
                }
            }
            Self::BackwardPacked { packing, x, grad_out, grad_x } => {
                let n = packing.row().clamp(1, x.len().max(1));
                for ((x, grad_out), grad_x) in x.chunks(2 * n).zip(grad_out.chunks(n)).zip(grad_x.chunks_mut(2 * n)) {
                    let (gate, up) = packing.halves(x.split_at(n));
                    let (grad_gate, grad_up) = packing.halves(grad_x.split_at_mut(n));
                    run(GatePass::Backward { gate, up, grad_out, grad_gate, grad_up });
                }
            }
            plain => run(plain),
        }
    }

    /// Calls `run` with parts of a pass that is not packed, each of `len` elements, the last one shorter.
    pub(super) fn by_parts(self, len: usize, run: &mut dyn FnMut(GatePass<'_, T>)) {
        match self {
            Self::Forward { gate, up, out } => {
                for ((gate, up), out) in gate.chunks(len).zip(up.chunks(len)).zip(out.chunks_mut(len)) {
                    run(GatePass::Forward { gate, up, out });
                }
            }
            Self::ForwardInPlace { gate, up } => {
                for (gate, up) in gate.chunks_mut(len).zip(up.chunks(len)) {
                    run(GatePass::ForwardInPlace { gate, up });
                }
            }
            Self::Backward { gate, up, grad_out, grad_gate, grad_up } => {
                let inputs = gate.chunks(len).zip(up.chunks(len)).zip(grad_out.chunks(len));
                for (((gate, up), grad_out), (grad_gate, grad_up)) in
                    inputs.zip(grad_gate.chunks_mut(len).zip(grad_up.chunks_mut(len)))
                {
                    run(GatePass::Backward { gate, up, grad_out, grad_gate, grad_up });
                }
            }
            packed => packed.by_rows(&mut |pass| pass.by_parts(len, run)),
        }
    }

    /// Calls `run` with a pass that is not packed, over floats: once with the whole slices, or tile by tile.
    fn plain_over_floats(self, level: Level, run: &mut dyn FnMut(GatePass<'_, T::Float>)) {
        match self {
            Self::Forward { gate, up, out } => {
                T::as_floats(level, [gate, up], [out], false, |[gate, up], [out]| {
                    run(GatePass::Forward { gate, up, out })
                });
            }
            Self::ForwardInPlace { gate, up } => {
                T::as_floats(level, [up], [gate], true, |[up], [gate]| run(GatePass::ForwardInPlace { gate, up }));
            }
            Self::Backward { gate, up, grad_out, grad_gate, grad_up } => {
                let outputs = [grad_gate, grad_up];
                T::as_floats(
                    level,
                    [gate, up, grad_out],
                    outputs,
                    false,
                    |[gate, up, grad_out], [grad_gate, grad_up]| {
                        run(GatePass::Backward { gate, up, grad_out, grad_gate, grad_up });
                    },
                );
            }
            packed => packed.by_rows(&mut |pass| pass.plain_over_floats(level, run)),
        }
    }

    /// Calls `run` with `pairs` separated pairs at a time of a pass over interleaved pairs, so that the arithmetic reads whole
    /// vectors.
    fn taken_apart(self, level: Level, pairs: usize, run: &mut dyn FnMut(GatePass<'_, T::Float>)) {
        let (mut apart, mut grads) = (Apart::new(), Apart::new());
        match self {
            Self::ForwardPacked { x, out, .. } => {
                for (x, out) in x.chunks(2 * pairs).zip(out.chunks_mut(pairs)) {
                    T::as_floats(level, [x], [out], false, |[x], [out]| {
                        let (gate, up) = apart.of(level, x);
                        run(GatePass::Forward { gate, up, out });
                    });
                }
            }
            Self::BackwardPacked { x, grad_out, grad_x, .. } => {
                for ((x, grad_out), grad_x) in
                    x.chunks(2 * pairs).zip(grad_out.chunks(pairs)).zip(grad_x.chunks_mut(2 * pairs))
                {
                    T::as_floats(level, [x, grad_out], [grad_x], false, |[x, grad_out], [grad_x]| {
                        let (gate, up) = apart.of(level, x);
                        let (grad_gate, grad_up) = (grads.first.of(gate.len()), grads.second.of(gate.len()));
                        run(GatePass::Backward {
                            gate,
                            up,
                            grad_out,
                            grad_gate: &mut *grad_gate,
                            grad_up: &mut *grad_up,
                        });
                        Arithmetic::Interleave { first: grad_gate, second: grad_up, pairs: grad_x }.run(level);
                    });
                }
            }
            plain => plain.plain_over_floats(level, run),
        }
    }
}

/// See [`GatePass::over_floats`].
struct OverFloats {
    level: Level,
    pieces: Pieces,
}

fn over_floats<T: Element>(OverFloats { level, pieces }: &OverFloats, (pass, run): PassAndRun<'_, T>) {
    pass.unpack(*level, *pieces, run);
}

type PassAndRun<'a, T> = (GatePass<'a, T>, &'a mut dyn FnMut(GatePass<'_, <T as Element>::Float>));

per_element!(OverFloats: Args<'a, T> = PassAndRun<'a, T>, over_floats);

/// Interleaved pairs, separated.
struct Apart<F> {
    first: Tile<F, PAIRS>,
    second: Tile<F, PAIRS>,
}

impl<F: Float> Apart<F> {
    fn new() -> Self {
        Self { first: Tile::new(), second: Tile::new() }
    }

    fn of(&mut self, level: Level, pairs: &[F]) -> (&[F], &[F]) {
        let n = pairs.len() / 2;
        let (first, second) = (self.first.of(n), self.second.of(n));
        Arithmetic::TakeApart { pairs, first: &mut *first, second: &mut *second }.run(level);
        (first, second)
    }
}

impl Packing {
    /// The gates and the ups, from the two halves of a row.
    fn halves<S>(self, (first, second): (S, S)) -> (S, S) {
        if let Self::UpFirst(_) = self { (second, first) } else { (first, second) }
    }
}
