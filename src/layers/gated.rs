//! `Gated`: a gated unit of any activation, by tiles.

use super::gate::{Gate, GatePass};
use crate::activation::Activation;
use crate::kernel::arithmetic::Arithmetic;
use crate::kernel::element::{Element, Float};
use crate::kernel::level::Level;
use crate::kernel::tiles::TILE;
use crate::pass::{Pass, Pieces};

/// A gated unit: f(gate) up. f may be any [`Activation`]: one of this crate, [`AnyActivation`](crate::AnyActivation), a boxed
/// activation, or a formula of your own.
///
/// [`Glu`](crate::Glu), [`SwiGlu`](crate::SwiGlu), [`GeGlu`](crate::GeGlu), [`GeGluTanh`](crate::GeGluTanh) and
/// [`ReGlu`](crate::ReGlu) give the same bits in one loop each. `Gated` runs first the activation and then the product, over blocks
/// that stay in the first-level cache. That takes up to a third longer.
///
/// - [`Gate`] has its methods. Gradients: grad_gate = grad_out up f'(gate), grad_up = grad_out f(gate).
/// - Error: f's value is rounded, multiplied by `up`, and rounded again. So `out` has the relative error of the value, and half an
///   ULP more. If the value is off by n ULP, `out` is off by at most 2 n + 0.5, because an ULP of the product may be half as
///   large. The same holds for `grad_up`. `grad_gate` has the relative error of the derivative and two roundings, 2 n + 1.5. A
///   subnormal value of f has fewer digits, so a product with a large `up` has few right digits. Halves are computed in `f32` and
///   rounded once, at the end.
/// - Special values: as for f, and then as for a product. NaN in gate or up gives NaN. An infinite `up` gives NaN where f(gate) is
///   zero.
/// - Activations of rows: the gates divide into the activation's rows. If the activation takes the whole slice as one row, all
///   gates that lie next to each other are one row.
/// - Panics: the methods panic before writing anything if the gates do not divide into the activation's rows. For halves they
///   also panic if a row has more than 1024 elements, and for [interleaved](crate::Packing::Interleaved) pairs if it has more than
///   512, because a row must fit into a block.
/// - Source: Dauphin, Fan, Auli & Grangier, "Language modeling with gated convolutional networks", 2016, arXiv:1612.08083;
///   Shazeer, "GLU variants improve transformer", 2020, arXiv:2002.05202.
///
/// ```
/// use activations::{AnyActivation, Gate, Gated, LeakyRelu};
///
/// let mut out = [0.0_f32; 2];
/// Gated(LeakyRelu::default()).forward(&[1.0, -1.0], &[2.0, 2.0], &mut out);
/// assert_eq!(out, [2.0, -0.02]);
///
/// let by_name: AnyActivation = "softsign".parse()?;
/// Gated(by_name).forward(&[1.0, -1.0], &[2.0, 2.0], &mut out);
/// assert_eq!(out, [1.0, -1.0]);
/// # Ok::<(), activations::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gated<A>(pub A);

impl<T: Element, A: Activation<T::Float>> Gate<T> for Gated<A> {
    #[inline]
    fn run(&self, level: Level, pass: GatePass<'_, T>) {
        run(&self.0, level, pass);
    }

    #[inline]
    fn pieces(&self) -> Pieces {
        self.0.pieces()
    }
}

/// Takes any activation as a trait object, so that it is compiled only once for each type of elements.
fn run<T: Element>(f: &dyn Activation<T::Float>, level: Level, pass: GatePass<'_, T>) {
    let pieces = f.pieces();
    pass.over_floats(level, pieces, &mut |pass| {
        let part = pieces.part(pass.gates(), TILE);
        pass.by_parts(part, &mut |pass| block(f, level, pass));
    });
}

/// The pass over a block.
fn block<F: Float>(f: &dyn Activation<F>, level: Level, pass: GatePass<'_, F>) {
    match pass {
        GatePass::Forward { gate, up, out } => {
            f.run(level, Pass::Forward { x: gate, y: &mut *out });
            Arithmetic::ProductInPlace { a: up, y: out }.run(level);
        }
        GatePass::ForwardInPlace { gate, up } => {
            f.run(level, Pass::ForwardInPlace { x: &mut *gate });
            Arithmetic::ProductInPlace { a: up, y: gate }.run(level);
        }
        GatePass::Backward { gate, up, grad_out, grad_gate, grad_up } => {
            // `grad_up` first holds the gradient with respect to f's value.
            Arithmetic::Product { a: grad_out, b: up, y: &mut *grad_up }.run(level);
            f.run(level, Pass::Backward { x: gate, grad_y: grad_up, grad_x: grad_gate });
            f.run(level, Pass::Forward { x: gate, y: &mut *grad_up });
            Arithmetic::ProductInPlace { a: grad_out, y: grad_up }.run(level);
        }
        packed => packed.by_parts(TILE, &mut |pass| block(f, level, pass)),
    }
}
