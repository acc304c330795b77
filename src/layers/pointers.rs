//! Activations behind a pointer, and activations with a chosen CPU level.

#[cfg(feature = "alloc")]
use alloc::boxed::Box;

use crate::activation::Activation;
use crate::kernel::element::Element;
use crate::kernel::level::{At, Level};
use crate::pass::{Pass, Pieces};

impl<T: Element, A: Activation<T>> Activation<T> for At<A> {
    #[inline]
    fn run(&self, _: Level, pass: Pass<'_, T>) {
        self.activation.run(self.level, pass);
    }

    #[inline]
    fn run_fast(&self, _: Level, pass: Pass<'_, T>) {
        self.activation.run_fast(self.level, pass);
    }

    #[inline]
    fn pieces(&self) -> Pieces {
        self.activation.pieces()
    }
}

/// Makes `Box<dyn Activation<T>>` and `&dyn Activation<T>` activations, also with `+ Send` or `+ Sync` or both.
macro_rules! objects {
    ($([$($marker:ident)*])+) => {$(
        #[cfg(feature = "alloc")]
        objects!(Box<dyn Activation<T> $(+ $marker)* + 'a>);
        objects!(&(dyn Activation<T> $(+ $marker)* + 'a));
    )+};
    ($pointer:ty) => {
        impl<'a, T: Element> Activation<T> for $pointer {
            #[inline]
            fn run(&self, level: Level, pass: Pass<'_, T>) {
                (**self).run(level, pass);
            }

            #[inline]
            fn run_fast(&self, level: Level, pass: Pass<'_, T>) {
                (**self).run_fast(level, pass);
            }

            #[inline]
            fn pieces(&self) -> Pieces {
                (**self).pieces()
            }
        }
    };
}
objects!([] [Send] [Sync] [Send Sync]);
