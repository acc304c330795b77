//! Scores from elements: scaled, biased, masked. And the gradients of that.

use crate::kernel::dispatch::{Task, dispatch};
use crate::kernel::element::{Float, Lane, kernel};

/// `y[i] * scale + bias[i]`, or `masked` where `keep[i]` is false.
pub(crate) struct Affine<'a, T> {
    pub(crate) scale: f64,
    pub(crate) bias: Option<&'a [T]>,
    pub(crate) keep: Option<&'a [bool]>,
    pub(crate) masked: T,
    pub(crate) y: &'a mut [T],
}

impl<T: Float> Task<T> for Affine<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        // A function, because LLVM knows only of its arguments that they do not overlap.
        #[inline(always)]
        fn biased<T: Float, R: Lane<T>>(scale: R, bias: &[T], y: &mut [T]) {
            for (y, &bias) in y.iter_mut().zip(bias) {
                *y = R::load(*y).mul_add(scale, R::load(bias)).store();
            }
        }

        let scale = R::of(self.scale);
        match self.bias {
            Some(bias) => biased(scale, bias, self.y),
            None if self.scale == 1.0 => {}
            None => {
                for y in &mut *self.y {
                    *y = (R::load(*y) * scale).store();
                }
            }
        }
        if let Some(keep) = self.keep {
            for (y, &keep) in self.y.iter_mut().zip(keep) {
                *y = if keep { *y } else { self.masked };
            }
        }
    }
}

/// Runs an [`Affine`].
pub(crate) struct Apply;

kernel!(Apply: Args<'a, T> = Affine<'a, T>, -> (), |_, level, affine| dispatch(level, affine));
