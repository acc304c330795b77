//! Gates, and the gradients of biases, on several threads.

use std::vec;
use std::vec::Vec;

use num_traits::Zero;

use super::biased::{BiasGradient, Biased, Receiver, Slices, merge_parts, run_rows, segment};
use super::gate::{Gate, GatePass, Packing};
use super::parallel::{Cut, Parallel};
use crate::activation::Activation;
use crate::kernel::element::Element;
use crate::kernel::level::Level;
use crate::pass::Pieces;

impl<T: Element> Cut for GatePass<'_, T> {
    fn len(&self) -> usize {
        match self {
            GatePass::Forward { gate, .. } | GatePass::Backward { gate, .. } => gate.len(),
            GatePass::ForwardInPlace { gate, .. } => gate.len(),
            GatePass::ForwardPacked { x, .. } | GatePass::BackwardPacked { x, .. } => x.len() / 2,
        }
    }

    fn cut(self, at: usize) -> (Self, Self) {
        /// The same variant twice: with the first parts of its slices, and with the second parts.
        macro_rules! halves {
            ($variant:ident $({ $packing:ident })?: $($read:ident $from:expr),+; $($written:ident $to:expr),+) => {{
                $(let $read = $read.split_at($from);)+
                $(let $written = $written.split_at_mut($to);)+
                (
                    GatePass::$variant { $($packing,)? $($read: $read.0,)+ $($written: $written.0),+ },
                    GatePass::$variant { $($packing,)? $($read: $read.1,)+ $($written: $written.1),+ },
                )
            }};
        }
        match self {
            GatePass::Forward { gate, up, out } => halves!(Forward: gate at, up at; out at),
            GatePass::ForwardInPlace { gate, up } => halves!(ForwardInPlace: up at; gate at),
            GatePass::Backward { gate, up, grad_out, grad_gate, grad_up } => {
                halves!(Backward: gate at, up at, grad_out at; grad_gate at, grad_up at)
            }
            GatePass::ForwardPacked { packing, x, out } => halves!(ForwardPacked { packing }: x 2 * at; out at),
            GatePass::BackwardPacked { packing, x, grad_out, grad_x } => {
                halves!(BackwardPacked { packing }: x 2 * at, grad_out at; grad_x 2 * at)
            }
        }
    }
}

/// Packed rows are not cut.
impl<T: Element, G: Gate<T> + Sync> Gate<T> for Parallel<G> {
    fn run(&self, level: Level, pass: GatePass<'_, T>) {
        let pieces = match &pass {
            GatePass::ForwardPacked { packing, .. } | GatePass::BackwardPacked { packing, .. }
                if *packing != Packing::Interleaved =>
            {
                Pieces::Rows(packing.row())
            }
            _ => Gate::<T>::pieces(self),
        };
        self.share(pass, pieces, |pass| self.activation.run(level, pass));
    }

    fn pieces(&self) -> Pieces {
        self.activation.pieces()
    }
}

/// Segments of rows, and the column sums of each segment.
struct Segments<'a, T: Element> {
    slices: Slices<'a, T>,
    width: usize,
    hi: &'a mut [T::Float],
    lo: &'a mut [T::Float],
}

impl<T: Element> Cut for Segments<'_, T> {
    fn len(&self) -> usize {
        self.slices.x.len()
    }

    fn cut(self, at: usize) -> (Self, Self) {
        let Self { slices: Slices { x, grad_y, grad_x }, width, hi, lo } = self;
        let sums = at / segment(width) * width;
        let (x, grad_y, grad_x) = (x.split_at(at), grad_y.split_at(at), grad_x.split_at_mut(at));
        let (hi, lo) = (hi.split_at_mut(sums), lo.split_at_mut(sums));
        (
            Self { slices: Slices { x: x.0, grad_y: grad_y.0, grad_x: grad_x.0 }, width, hi: hi.0, lo: lo.0 },
            Self { slices: Slices { x: x.1, grad_y: grad_y.1, grad_x: grad_x.1 }, width, hi: hi.1, lo: lo.1 },
        )
    }
}

impl<T: Element, A: Activation<T::Float> + Sync> BiasGradient<T> for Parallel<Biased<'_, A, T>> {
    fn run_with_bias(&self, level: Level, x: &[T], grad_y: &[T], grad_x: &mut [T], grad_bias: &mut [T]) {
        let (len, width) = (x.len(), grad_bias.len());
        if len < self.min_len() || len <= segment(width) {
            return self.activation.run_with_bias(level, x, grad_y, grad_x, grad_bias);
        }
        let sums = || -> Vec<T::Float> { vec![Zero::zero(); len.div_ceil(segment(width)) * width] };
        let (mut hi, mut lo) = (sums(), sums());
        let work = Segments { slices: Slices { x, grad_y, grad_x }, width, hi: &mut hi, lo: &mut lo };
        self.share_units(work, segment(width), |Segments { mut slices, width, hi, lo }| {
            let sums = hi.chunks_mut(width).zip(lo.chunks_mut(width));
            for (number, (hi, lo)) in sums.enumerate() {
                let start = number * segment(width);
                let rows = slices.part(start..slices.x.len().min(start + segment(width)));
                run_rows(&self.activation, level, rows, Receiver::Parts(hi, lo));
            }
        });
        merge_parts(level, (&hi, &lo), grad_bias);
    }
}
