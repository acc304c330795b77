//! The functions of `math` as formulas, for the tests and the benches. Only values are tested, so the slope is anything. `ABREAST` in the
//! module above says how many vectors go side by side.

use activations::{Elementwise, Real, math};

macro_rules! functions {
    ($($type:ident: $name:ident),*) => {$(
        #[derive(Clone, Copy)]
        pub(crate) struct $type;

        impl Elementwise for $type {
            const ABREAST: usize = super::ABREAST;

            #[inline(always)]
            fn value<R: Real>(&self, x: R) -> R {
                math::$name(x)
            }

            #[inline(always)]
            fn slope<R: Real>(&self, x: R) -> R {
                x
            }
        }
    )*};
}
functions!(Exp: exp, Expm1: expm1, Sigmoid: sigmoid, Tanh: tanh, Log1pExp: log1p_exp);
functions!(Sin: sin, Cos: cos, Ln: ln, Ln1p: ln_1p, Exp2: exp2, Erf: erf, Erfc: erfc, Rsqrt: rsqrt);
