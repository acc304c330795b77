//! Leaky lines with a slope for each element: the loops that RReLU in training and PReLU share.

use super::relu::{leaky, side};
use crate::kernel::arithmetic::{Count, Single};
use crate::kernel::dispatch::dispatch;
use crate::kernel::element::{Element, Float, Kernel, kernel};
use crate::kernel::level::Level;
use crate::kernel::real::Real;
use crate::kernel::sweep::sweep;
use crate::parametric::{Parametric, Terms};
use crate::pass::Pass;

/// Runs the pass of a leaky ReLU whose slope for element `i` is `slopes[i]`. There are as many slopes as elements.
pub(crate) fn leaky_pass<T: Element>(level: Level, pass: Pass<'_, T>, slopes: &[T]) {
    pass.over_floats_beside(level, [slopes], &mut |pass, [slopes]| T::Float::run(&LeakyLines, level, (pass, slopes)));
}

/// The parametric ReLU as a formula of its slope. It runs the loops below, also in place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PreluSlope;

impl Parametric<1> for PreluSlope {
    const IS_PRELU: bool = true;

    #[inline(always)]
    fn value<R: Real>(&self, x: R, [slope]: [R; 1]) -> R {
        leaky(x, slope)
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R, [slope]: [R; 1]) -> R {
        side(x, slope)
    }

    #[inline(always)]
    fn partials<R: Real>(&self, x: R, _: [R; 1]) -> [R; 1] {
        [R::select(R::of(0.0).lt(x), R::of(0.0), x)]
    }

    #[inline]
    fn run_f32(&self, level: Level, pass: Pass<'_, f32>, [slopes, _]: [&[f32]; 2]) {
        LeakyLines.f32(level, (pass, slopes));
    }

    #[inline]
    fn run_f64(&self, level: Level, pass: Pass<'_, f64>, [slopes, _]: [&[f64]; 2]) {
        LeakyLines.f64(level, (pass, slopes));
    }

    /// Not needed, because the loop of the sums does the multiplication too.
    fn terms_f32(&self, _: Level, _: Terms<'_, f32>) {}

    fn terms_f64(&self, _: Level, _: Terms<'_, f64>) {}
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
// Multiplies by 1, which is exact, instead of choosing between `x * slopes` and `x`: in place, that choice would become slow masked
// stores with AVX2.
sweep!(ForwardInPlace<Count> |_one, slopes| mut x = x * side(x, slopes));
sweep!(Derivative<Count> |_one, x, slopes| dydx = side(x, slopes));
sweep!(ForwardWithDerivative<Count> |_one, x, slopes| y = leaky(x, slopes), dydx = side(x, slopes));
sweep!(Backward<Count> |_one, x, slopes, grad_y| grad_x = grad_y * side(x, slopes));
