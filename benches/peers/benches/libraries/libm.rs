//! `libm`: plain loops over its scalar functions. It has no ReLU, because nobody would call `fmax` instead of a comparison.

use peers::Function;

use super::{Call, into_buffer};

macro_rules! scalar {
    ($float:ident, $exp:path, $tanh:path, $erf:path, $expm1:path, $log1p:path) => {
        pub fn $float(function: Function, x: &[$float]) -> Option<Box<dyn Call<$float>>> {
            use std::$float::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};
            const SQRT_2_OVER_PI: $float = FRAC_2_SQRT_PI * FRAC_1_SQRT_2;
            Some(match (function.name, function.row_len) {
                ("sigmoid", None) => each(x, |x| 1.0 / (1.0 + $exp(-x))),
                ("tanh", None) => each(x, $tanh),
                ("gelu", None) => each(x, |x| 0.5 * x * (1.0 + $erf(x * FRAC_1_SQRT_2))),
                ("gelu_tanh", None) => {
                    each(x, |x| 0.5 * x * (1.0 + $tanh(SQRT_2_OVER_PI * (x + 0.044_715 * x * x * x))))
                }
                ("silu", None) => each(x, |x| x / (1.0 + $exp(-x))),
                ("elu", None) => each(x, |x| if x > 0.0 { x } else { $expm1(x) }),
                ("softplus", None) => each(x, |x| x.max(0.0) + $log1p($exp(-x.abs()))),
                ("softmax", Some(n)) => into_buffer(x, move |x, y| {
                    for (x, y) in x.chunks_exact(n).zip(y.chunks_exact_mut(n)) {
                        let max = x.iter().fold($float::NEG_INFINITY, |max, &x| max.max(x));
                        let mut sum = 0.0;
                        for (y, &x) in y.iter_mut().zip(x) {
                            *y = $exp(x - max);
                            sum += *y;
                        }
                        for y in y {
                            *y /= sum;
                        }
                    }
                }),
                _ => return None,
            })
        }
    };
}
scalar!(f32, libm::expf, libm::tanhf, libm::erff, libm::expm1f, libm::log1pf);
scalar!(f64, libm::exp, libm::tanh, libm::erf, libm::expm1, libm::log1p);

fn each<T: Copy + Default + 'static>(x: &[T], f: impl Fn(T) -> T + 'static) -> Box<dyn Call<T>> {
    into_buffer(x, move |x, y| {
        for (y, &x) in y.iter_mut().zip(x) {
            *y = f(x);
        }
    })
}
