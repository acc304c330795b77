//! Makes scores of elements by scaling, biasing and masking them, and scales their gradients.

use crate::kernel::dispatch::{Task, dispatch};
use crate::kernel::element::{Float, Lane, kernel};

/// `y[i] * factor[i] * scale + bias[i]`, or `masked` where `keep[i]` is false.
pub(crate) struct Affine<'a, T> {
    pub(crate) scale: f64,
    pub(crate) factor: Option<&'a [T]>,
    pub(crate) bias: Option<&'a [T]>,
    pub(crate) keep: Option<&'a [bool]>,
    pub(crate) masked: T,
    pub(crate) y: &'a mut [T],
}

impl<T: Float> Task<T> for Affine<'_, T> {
    type Output = ();
    type Home = Self;

    #[inline(always)]
    fn run<R: Lane<T>>(self) {
        // A function of its own, because LLVM knows only of a function's arguments that they do not overlap.
        #[inline(always)]
        fn beside<T: Float, R: Lane<T>>(f: impl Fn(R, R) -> R, beside: &[T], y: &mut [T]) {
            for (y, &beside) in y.iter_mut().zip(beside) {
                *y = f(R::load(*y), R::load(beside)).store();
            }
        }

        let Self { scale, factor, bias, keep, masked, y } = self;
        if let Some(factor) = factor {
            beside(
                #[inline(always)]
                |y: R, factor| y * factor,
                factor,
                y,
            );
        }
        if let Some(bias) = bias {
            let scale = R::of(scale);
            beside(
                #[inline(always)]
                |y: R, bias| y.mul_add(scale, bias),
                bias,
                y,
            );
        }
        // With a bias, the scores are already scaled.
        let scale = if bias.is_some() { 1.0 } else { scale };
        match keep {
            // Multiplies even by 1, because AVX2 would otherwise keep the unmasked scores with slow masked stores.
            Some(keep) => {
                for (y, &keep) in y.iter_mut().zip(keep) {
                    let scaled = (R::load(*y) * R::of(scale)).store();
                    *y = if keep { scaled } else { masked };
                }
            }
            None if scale == 1.0 => {}
            None => {
                for y in y {
                    *y = (R::load(*y) * R::of(scale)).store();
                }
            }
        }
    }
}

/// Runs an [`Affine`].
pub(crate) struct Apply;

kernel!(Apply: Args<'a, T> = Affine<'a, T>, -> (), |_, level, affine| dispatch(level, affine));
