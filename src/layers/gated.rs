//! Gates: an activation of one half of the inputs, times the other half.

use crate::activation::Elementwise;
use crate::functions::gelu::{Gelu, GeluTanh};
use crate::functions::relu::Relu;
use crate::functions::sigmoid::Sigmoid;
use crate::functions::silu::Silu;
use crate::kernel::element::{Float, Lane};
use crate::kernel::level::{At, Level, Task, dispatch};
use crate::kernel::sweep::sweep;
use crate::pass::{Pieces, same_length};

/// A gated unit: f(gate) up, with f any formula.
///
/// - [`Glu`](type@Glu), [`SwiGlu`](type@SwiGlu), [`GeGlu`](type@GeGlu), [`GeGluTanh`](type@GeGluTanh) and
///   [`ReGlu`](type@ReGlu) are those of the crate's activations; a formula of your own is gated as `Gated(Formula)`. What
///   they do is in [`Gate`].
/// - Gradients: grad_gate = grad_out up f'(gate), grad_up = grad_out f(gate).
/// - Error: `out` is f's value, rounded, times `up`, rounded: the relative error of the value, and half an ULP. A value
///   that is off by n ULP is so an `out` that is off by at most 2 n + 0.5, as the significands fall out. `grad_up`
///   likewise; `grad_gate` has the relative error of the derivative and two roundings, 2 n + 1.5. The bits are those of
///   f, alone, and products. A subnormal value of f has fewer digits, and a large `up` shows it.
/// - Special values: those of f and of a product. NaN in either gives NaN, and so does an infinite `up` where f(gate) is
///   zero.
/// - Source: Dauphin, Fan, Auli & Grangier, "Language modeling with gated convolutional networks", 2016, arXiv:1612.08083;
///   Shazeer, "GLU variants improve transformer", 2020, arXiv:2002.05202.
///
/// ```
/// use activations::{Gate, Gated, LeakyRelu, SwiGlu};
///
/// let mut out = [0.0_f32; 2];
/// SwiGlu.forward(&[1.0, 0.0], &[2.0, 5.0], &mut out);
/// assert_eq!(out, [1.462_117_2, 0.0]);
/// Gated(LeakyRelu::default()).forward(&[1.0, -1.0], &[2.0, 2.0], &mut out);
/// assert_eq!(out, [2.0, -0.02]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gated<A>(pub A);

/// Gives a gated activation its name: as a type, and as its one value.
macro_rules! gates {
    ($($(#[$attribute:meta])* $name:ident = $activation:ident;)+) => {$(
        $(#[$attribute])*
        pub type $name = Gated<$activation>;

        #[doc = concat!("The value of the type [`", stringify!($name), "`](type@", stringify!($name), ").")]
        ///
        /// ```
        #[doc = concat!("use activations::{Gate, ", stringify!($name), "};")]
        ///
        /// let mut out = [1.0_f32];
        #[doc = concat!(stringify!($name), ".forward(&[0.0], &[0.0], &mut out);")]
        /// assert_eq!(out, [0.0]);
        /// ```
        #[expect(non_upper_case_globals, reason = "named as its type, as a unit struct is")]
        pub const $name: $name = Gated($activation);
    )+};
}

gates! {
    /// The gated linear unit: sigmoid(gate) up.
    ///
    /// Source: Dauphin, Fan, Auli & Grangier, 2016, arXiv:1612.08083.
    #[doc(alias = "GLU")]
    Glu = Sigmoid;
    /// silu(gate) up: the feed-forward layers of Llama, Mistral, Qwen.
    ///
    /// Source: Shazeer, 2020, arXiv:2002.05202.
    #[doc(alias = "SwiGLU")]
    SwiGlu = Silu;
    /// gelu(gate) up.
    ///
    /// Source: Shazeer, 2020, arXiv:2002.05202.
    #[doc(alias = "GEGLU")]
    GeGlu = Gelu;
    /// gelu_tanh(gate) up: the feed-forward layers of Gemma and T5 v1.1.
    ///
    /// Source: Shazeer, 2020, arXiv:2002.05202.
    #[doc(alias = "GEGLU")]
    GeGluTanh = GeluTanh;
    /// relu(gate) up.
    ///
    /// Source: Shazeer, 2020, arXiv:2002.05202.
    #[doc(alias = "ReGLU")]
    ReGlu = Relu;
}

/// How gates and ups lie in one slice.
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
    /// Gates and ups of one row.
    const fn row(self) -> usize {
        match self {
            Self::GateFirst(n) | Self::UpFirst(n) => n,
            Self::Interleaved => 1,
        }
    }

    /// Panics unless the slice is whole rows with an output for each pair.
    #[track_caller]
    fn check(self, x: usize, out_name: &str, out: usize) {
        Pieces::Rows(self.row().saturating_mul(2)).check(x);
        assert!(out == x / 2, "`x` has {x} elements, so `{out_name}` must have {}, but has {out}", x / 2);
    }
}

/// What a gated unit does with slices.
///
/// All methods take one pass over the data, without a temporary, and panic if the slices' lengths do not fit, before
/// anything is written. [`Level::with`] chooses the CPU level. The trait can be made into an object: `Box<dyn Gate<f32>>`.
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
pub trait Gate<T: Float> {
    /// Runs one pass at one CPU level: the one method that an implementation must have. Callers use the others.
    ///
    /// The lengths of the slices fit: the pass was made by one of the methods below, which check.
    fn run(&self, level: Level, pass: GatePass<'_, T>);

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
    /// If `x` does not divide into rows, or `out` is not half as long.
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

    /// [`backward`](Self::backward) with gates and ups in one slice, and their gradients in one that is packed alike.
    ///
    /// # Panics
    /// If `x` does not divide into rows, `grad_out` is not half as long, or `grad_x` not as long.
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

/// One pass of a gated unit: what to compute, where from and where to.
///
/// Only an implementation of [`Gate::run`] needs it.
#[derive(Debug)]
pub enum GatePass<'a, T> {
    /// See [`Gate::forward`].
    Forward {
        /// What f is taken of.
        gate: &'a [T],
        /// What it is multiplied by.
        up: &'a [T],
        /// Receives f(gate) up.
        out: &'a mut [T],
    },
    /// See [`Gate::forward_in_place`].
    ForwardInPlace {
        /// What f is taken of, overwritten by f(gate) up.
        gate: &'a mut [T],
        /// What it is multiplied by.
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

impl<T: Float, A: Elementwise> Gate<T> for Gated<A> {
    #[inline]
    fn run(&self, level: Level, pass: GatePass<'_, T>) {
        let f = &self.0;
        match pass {
            GatePass::Forward { gate, up, out } => dispatch(level, Forward { f, gate, up, out }),
            GatePass::ForwardInPlace { gate, up } => dispatch(level, ForwardInPlace { f, up, gate }),
            GatePass::Backward { gate, up, grad_out, grad_gate, grad_up } => {
                dispatch(level, Backward { f, gate, up, grad_out, grad_gate, grad_up });
            }
            GatePass::ForwardPacked { packing, x, out } => dispatch(level, ForwardPacked { f, packing, x, out }),
            GatePass::BackwardPacked { packing, x, grad_out, grad_x } => {
                dispatch(level, BackwardPacked { f, packing, x, grad_out, grad_x });
            }
        }
    }
}

impl<T: Float, G: Gate<T>> Gate<T> for At<G> {
    #[inline]
    fn run(&self, _: Level, pass: GatePass<'_, T>) {
        self.activation.run(self.level, pass);
    }
}

sweep!(Forward<Elementwise> |f, gate, up| out = f.value(gate) * up);
sweep!(ForwardInPlace<Elementwise> |f, up| mut gate = f.value(gate) * up);
sweep!(Backward<Elementwise> |f, gate, up, grad_out|
    grad_gate = (grad_out * up) * f.slope(gate),
    grad_up = grad_out * f.value(gate));

struct ForwardPacked<'a, F, T> {
    f: &'a F,
    packing: Packing,
    x: &'a [T],
    out: &'a mut [T],
}

impl<T: Float, F: Elementwise> Task<T> for ForwardPacked<'_, F, T> {
    type Output = ();

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        let mut apart = Apart::new();
        let pairs = self.packing.pairs(self.out.len());
        for (x, out) in self.x.chunks(2 * pairs).zip(self.out.chunks_mut(pairs)) {
            let (gate, up) = self.packing.halves(x, &mut apart);
            Forward { f: self.f, gate, up, out }.run::<R>();
        }
    }
}

struct BackwardPacked<'a, F, T> {
    f: &'a F,
    packing: Packing,
    x: &'a [T],
    grad_out: &'a [T],
    grad_x: &'a mut [T],
}

impl<T: Float, F: Elementwise> Task<T> for BackwardPacked<'_, F, T> {
    type Output = ();

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        let Self { f, packing, x, grad_out, grad_x } = self;
        let (mut apart, mut grads_apart) = (Apart::new(), Apart::new());
        let pairs = packing.pairs(grad_out.len());
        for ((x, grad_out), grad_x) in x.chunks(2 * pairs).zip(grad_out.chunks(pairs)).zip(grad_x.chunks_mut(2 * pairs))
        {
            let (gate, up) = packing.halves(x, &mut apart);
            let (grad_gate, grad_up) = packing.halves_mut(grad_x, &mut grads_apart);
            Backward { f, gate, up, grad_out, grad_gate, grad_up }.run::<R>();
            if packing == Packing::Interleaved {
                grads_apart.interleave(grad_x);
            }
        }
    }
}

/// Pairs that are taken apart at a time.
const APART: usize = 256;

/// Interleaved pairs, taken apart: the arithmetic then reads whole vectors, as everywhere, and does not depend on how well
/// the compiler shuffles.
#[repr(align(64))]
struct Apart<T> {
    gate: [T; APART],
    up: [T; APART],
}

impl<T: Float> Apart<T> {
    #[inline(always)]
    fn new() -> Self {
        Self { gate: [T::zero(); APART], up: [T::zero(); APART] }
    }

    #[inline(always)]
    fn take_apart(&mut self, x: &[T]) {
        for (([gate, up], to_gate), to_up) in x.as_chunks().0.iter().zip(&mut self.gate).zip(&mut self.up) {
            (*to_gate, *to_up) = (*gate, *up);
        }
    }

    #[inline(always)]
    fn interleave(&self, x: &mut [T]) {
        for (([to_gate, to_up], gate), up) in x.as_chunks_mut().0.iter_mut().zip(&self.gate).zip(&self.up) {
            (*to_gate, *to_up) = (*gate, *up);
        }
    }
}

impl Packing {
    /// How many pairs are taken at a time, of so many: a row, or what fits when they are taken apart.
    #[inline(always)]
    fn pairs(self, len: usize) -> usize {
        match self {
            // An empty slice has no rows, whatever their length.
            Self::GateFirst(n) | Self::UpFirst(n) => n.max(1),
            Self::Interleaved => APART.min(len).max(1),
        }
    }

    /// Gates and ups of what is taken at a time.
    #[inline(always)]
    fn halves<'a, T: Float>(self, x: &'a [T], apart: &'a mut Apart<T>) -> (&'a [T], &'a [T]) {
        let pairs = x.len() / 2;
        match self {
            Self::GateFirst(_) => x.split_at(pairs),
            Self::UpFirst(_) => {
                let (up, gate) = x.split_at(pairs);
                (gate, up)
            }
            Self::Interleaved => {
                apart.take_apart(x);
                (&apart.gate[..pairs], &apart.up[..pairs])
            }
        }
    }

    /// Where to write them; apart, if they are interleaved.
    #[inline(always)]
    fn halves_mut<'a, T: Float>(self, x: &'a mut [T], apart: &'a mut Apart<T>) -> (&'a mut [T], &'a mut [T]) {
        let pairs = x.len() / 2;
        match self {
            Self::GateFirst(_) => x.split_at_mut(pairs),
            Self::UpFirst(_) => {
                let (up, gate) = x.split_at_mut(pairs);
                (gate, up)
            }
            Self::Interleaved => (&mut apart.gate[..pairs], &mut apart.up[..pairs]),
        }
    }
}
