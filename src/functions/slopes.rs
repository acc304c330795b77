//! Leaky lines with a slope for each element: the loops that RReLU in training and PReLU share.

use super::relu::{leaky, side};
use crate::kernel::arithmetic::{Count, Single};
use crate::kernel::dispatch::dispatch;
use crate::kernel::element::{Element, Float, kernel};
use crate::kernel::level::Level;
use crate::kernel::sweep::sweep;
use crate::pass::Pass;

/// Runs the pass of a leaky ReLU whose slope for element `i` is `slopes[i]`. There are as many slopes as elements.
pub(crate) fn leaky_pass<T: Element>(level: Level, pass: Pass<'_, T>, slopes: &[T]) {
    pass.over_floats_beside(level, slopes, &mut |pass, slopes| T::Float::run(&LeakyLines, level, (pass, slopes)));
}

/// A pass, and its slopes.
struct LeakyLines;

kernel!(LeakyLines: Args<'a, T> = (Pass<'a, T>, &'a [T]), -> (), run);

#[inline]
fn run<T: Float>(_: &LeakyLines, level: Level, (pass, slopes): (Pass<'_, T>, &[T])) {
    let _one = &Single;
    match pass {
        Pass::Forward { x, y } => dispatch(level, Forward { _one, x, slopes, y }),
        Pass::ForwardInPlace { x } => dispatch(level, ForwardInPlace { _one, slopes, x }),
        Pass::Derivative { x, dydx } => dispatch(level, Derivative { _one, x, slopes, dydx }),
        Pass::ForwardWithDerivative { x, y, dydx } => {
            dispatch(level, ForwardWithDerivative { _one, x, slopes, y, dydx });
        }
        Pass::Backward { x, grad_y, grad_x } => dispatch(level, Backward { _one, x, slopes, grad_y, grad_x }),
    }
}

sweep!(Forward<Count> |_one, x, slopes| y = leaky(x, slopes));
// The product with 1 is exact. A choice between `x * slopes` and `x` would leave `x` where it is, which AVX2 compiles to slow
// masked stores.
sweep!(ForwardInPlace<Count> |_one, slopes| mut x = x * side(x, slopes));
sweep!(Derivative<Count> |_one, x, slopes| dydx = side(x, slopes));
sweep!(ForwardWithDerivative<Count> |_one, x, slopes| y = leaky(x, slopes), dydx = side(x, slopes));
sweep!(Backward<Count> |_one, x, slopes, grad_y| grad_x = grad_y * side(x, slopes));
