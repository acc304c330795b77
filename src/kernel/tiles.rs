//! Passes over elements that take less time to convert by blocks than one by one: a block becomes floats on the stack, the
//! floats' own loop runs over it, and the results are rounded.

use num_traits::Zero;

use crate::activation::{Activation, Elementwise, Pass};
use crate::kernel::element::Element;
use crate::kernel::level::Level;

/// Runs a pass by blocks.
pub(crate) fn by_blocks<T: Element, F: Elementwise>(f: &F, level: Level, pass: Pass<'_, T>) {
    // To fill a block for a few elements would take longer than to compute with them.
    const FEW: usize = 64;
    const MANY: usize = 1024;
    if pass.len() <= FEW { blocks_of::<T, F, FEW>(f, level, pass) } else { blocks_of::<T, F, MANY>(f, level, pass) }
}

fn blocks_of<T: Element, F: Elementwise, const N: usize>(f: &F, level: Level, pass: Pass<'_, T>) {
    #[repr(align(64))]
    struct Block<T, const N: usize>([T; N]);

    /// The elements in floats.
    fn widened<'a, T: Element, const N: usize>(
        level: Level,
        from: &[T],
        block: &'a mut Block<T::Float, N>,
    ) -> &'a mut [T::Float] {
        let block = &mut block.0[..from.len()];
        T::widen(level, from, block);
        block
    }

    let block = || Block([T::Float::zero(); N]);
    match pass {
        Pass::Forward { x, y } => {
            let mut values = block();
            for (x, y) in x.chunks(N).zip(y.chunks_mut(N)) {
                let x = widened(level, x, &mut values);
                f.run(level, Pass::ForwardInPlace { x: &mut *x });
                T::narrow(level, x, y);
            }
        }
        Pass::ForwardInPlace { x } => {
            let mut values = block();
            for y in x.chunks_mut(N) {
                let x = widened(level, y, &mut values);
                f.run(level, Pass::ForwardInPlace { x: &mut *x });
                T::narrow(level, x, y);
            }
        }
        Pass::Derivative { x, dydx } => {
            let (mut values, mut slopes) = (block(), block());
            for (x, dydx) in x.chunks(N).zip(dydx.chunks_mut(N)) {
                let (x, slopes) = (widened(level, x, &mut values), &mut slopes.0[..x.len()]);
                f.run(level, Pass::Derivative { x, dydx: &mut *slopes });
                T::narrow(level, slopes, dydx);
            }
        }
        Pass::ForwardWithDerivative { x, y, dydx } => {
            let (mut inputs, mut values, mut slopes) = (block(), block(), block());
            for ((x, y), dydx) in x.chunks(N).zip(y.chunks_mut(N)).zip(dydx.chunks_mut(N)) {
                let (values, slopes) = (&mut values.0[..x.len()], &mut slopes.0[..x.len()]);
                let x = widened(level, x, &mut inputs);
                f.run(level, Pass::ForwardWithDerivative { x, y: &mut *values, dydx: &mut *slopes });
                T::narrow(level, values, y);
                T::narrow(level, slopes, dydx);
            }
        }
        Pass::Backward { x, grad_y, grad_x } => {
            let (mut inputs, mut grads, mut products) = (block(), block(), block());
            for ((x, grad_y), grad_x) in x.chunks(N).zip(grad_y.chunks(N)).zip(grad_x.chunks_mut(N)) {
                let products = &mut products.0[..x.len()];
                let (x, grad_y) = (widened(level, x, &mut inputs), widened(level, grad_y, &mut grads));
                f.run(level, Pass::Backward { x, grad_y, grad_x: &mut *products });
                T::narrow(level, products, grad_x);
            }
        }
    }
}
