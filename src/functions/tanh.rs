//! The hyperbolic tangent, x - tanh(x), and the integral of tanh(x).

use super::fast::FastTanh;
use super::second::LogisticBump;
use crate::activation::{Elementwise, compiled_passes, fast_form};
use crate::describe::card::{Card, Described, ErrorBounds, Vanishes};
use crate::describe::parameters::parameters;
use crate::from_output::{SlopeFromOutput, compiled_from_output};
use crate::kernel::real::Real;
use crate::math;
use crate::second::second_slope_of;

/// The hyperbolic tangent, for recurrent networks and outputs in \[-1, 1\]: (e^x - e^-x) / (e^x + e^-x).
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/tanh.svg"))]
///
/// - Derivative: 1 - tanh(x)^2 = 1 / cosh(x)^2, computed without cancellation. Range: [-1, 1].
/// - Error: at most 2.6 ULP, 3.4 for the derivative, in `f32` over all 2^32 inputs (3.5 and 4.0 without fused
///   multiply-add); 3.0 and 3.0 in `f64`, on 20,000 inputs (3.4 and 3.4). Subnormal results are within it.
/// - Special values: odd, keeps the sign of zero; tanh(inf) = 1, NaN gives NaN.
/// - Source: LeCun, Bottou, Orr & Müller, "Efficient BackProp", 1998.
///
/// ```
/// use activations::{Activation, Tanh};
///
/// let mut y = [1.0; 2];
/// Tanh.forward(&[-0.0_f64, f64::INFINITY], &mut y);
/// assert!(y[0] == 0.0 && y[0].is_sign_negative());
/// assert_eq!(y[1], 1.0);
/// ```
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tanh;

parameters!(Tanh);

impl Elementwise for Tanh {
    compiled_passes!();
    fast_form!(|_f| FastTanh);

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        math::tanh(x)
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        math::tanh_slope(x)
    }
}

impl SlopeFromOutput for Tanh {
    compiled_from_output!();

    #[inline(always)]
    fn slope_from_output<R: Real>(&self, y: R) -> R {
        (R::of(1.0) - y) * (R::of(1.0) + y)
    }
}

second_slope_of!(Tanh | _f | LogisticBump::odd(2.0, -8.0));

impl Described for Tanh {
    const CARD: Card = Card {
        name: "tanh",
        aliases: &[],
        formula: "(e^x - e^-x) / (e^x + e^-x)",
        derivative: "1 - tanh(x)^2",
        range: (-1.0, 1.0),
        vanishes: Vanishes::BothSides,
        zero_centred: true,
        monotone: true,
        kinks: &[],
        common_use: "recurrent networks; outputs in [-1, 1]",
        source: "LeCun, Bottou, Orr & Müller, 1998",
        error: ErrorBounds { f32: (2.6, 3.4), f32_plain: (3.5, 4.0), f64: (3.0, 3.0), f64_plain: (3.4, 3.4) },
    };
}

/// Tanhshrink, for sparse coding and denoising: x - tanh(x). Near 0 it is x^3/3, and keeps its full relative accuracy.
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/tanhshrink.svg"))]
///
/// - Derivative: tanh(x)^2. Range: the whole line.
/// - Error: at most 3.0 ULP, 4.0 for the derivative, in `f32` over all 2^32 inputs (3.0 and 5.0 without fused
///   multiply-add); 3.0 and 4.0 in `f64`, on a table (3.0 and 4.0). Subnormal results are within it.
/// - Special values: odd, keeps the sign of zero; tanhshrink(inf) = inf, NaN gives NaN.
/// - Source: PyTorch's `torch.nn.Tanhshrink`, 2016.
///
/// ```
/// use activations::{Activation, Tanhshrink};
///
/// let mut y = [0.0; 3];
/// Tanhshrink.forward(&[-0.001_f32, 0.0, 1.0], &mut y);
/// assert_eq!(y[1], 0.0);
/// assert!((y[0] / -3.333_332e-10 - 1.0).abs() < 1e-6);
/// ```
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tanhshrink;

parameters!(Tanhshrink);

impl Elementwise for Tanhshrink {
    compiled_passes!();

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        let (a, one) = (x.abs(), R::of(1.0));
        let q = math::sigmoid_neg(math::logistic_abs(x + x), None);
        // The sign comes last, so that a result that underflows near 0 keeps it.
        R::select(a.lt(one), math::tanhshrink_near_zero(x), (a - one) + (q + q)).copysign(x)
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        let one = R::of(1.0);
        let q = math::sigmoid_neg(math::logistic_abs(x + x), None);
        let tanh = R::select(x.abs().lt(one), x - math::tanhshrink_near_zero(x), one - (q + q));
        tanh * tanh
    }
}

second_slope_of!(Tanhshrink | _f | LogisticBump::odd(2.0, 8.0));

impl Described for Tanhshrink {
    const CARD: Card = Card {
        name: "tanhshrink",
        aliases: &[],
        formula: "x - tanh(x)",
        derivative: "tanh(x)^2",
        range: (f64::NEG_INFINITY, f64::INFINITY),
        vanishes: Vanishes::Never,
        zero_centred: true,
        monotone: true,
        kinks: &[],
        common_use: "sparse coding, denoising",
        source: "PyTorch, 2016",
        error: ErrorBounds { f32: (3.0, 4.0), f32_plain: (3.0, 5.0), f64: (3.0, 4.0), f64_plain: (3.0, 4.0) },
    };
}

/// The logarithm of the hyperbolic cosine, a smooth |x|, for robust regression: log(cosh(x)). It is near x^2/2 for small x and
/// near |x| - log 2 for large ones.
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/log_cosh.svg"))]
///
/// - Derivative: tanh(x). Range: [0, inf).
/// - Error: at most 2.5 ULP, 2.6 for the derivative, in `f32` over all 2^32 inputs (2.5 and 3.5 without fused
///   multiply-add); 2.5 and 2.5 in `f64`, on a table (2.5 and 3.0). Subnormal results are within it.
/// - Special values: even; log_cosh(0) = 0 for zeros of either sign, log_cosh(inf) = inf, NaN gives NaN.
/// - Source: Huber, "Robust statistics", 1981; as a layer's loss, Keras's `LogCosh`.
///
/// ```
/// use activations::{Activation, LogCosh};
///
/// let mut y = [0.0; 3];
/// LogCosh.forward(&[-0.001_f32, 0.0, 100.0], &mut y);
/// assert_eq!(y[1], 0.0);
/// assert!((y[0] / 4.999_999e-7 - 1.0).abs() < 1e-6);
/// ```
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LogCosh;

parameters!(LogCosh);

impl Elementwise for LogCosh {
    compiled_passes!();

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        let (a, ln2_hi) = (x.abs(), R::of(LN2_HI));
        let tail = math::log1p_exp_neg(math::logistic_abs(x + x), None);
        // a - LN2_HI is exact where it is small.
        let far = (a - ln2_hi) + tail.value.mul_add(tail.unlift, R::of(LN2_HI - core::f64::consts::LN_2));
        R::select(a.lt(R::of(0.75)), math::log_cosh_near_zero(x), far)
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        math::tanh(x)
    }
}

/// log 2 in 10 bits.
const LN2_HI: f64 = 0.693_359_375;

second_slope_of!(LogCosh | _f | LogisticBump::flat(2.0, 4.0));

impl Described for LogCosh {
    const CARD: Card = Card {
        name: "log_cosh",
        aliases: &[],
        formula: "log(cosh(x))",
        derivative: "tanh(x)",
        range: (0.0, f64::INFINITY),
        vanishes: Vanishes::Never,
        zero_centred: false,
        monotone: false,
        kinks: &[],
        common_use: "a smooth |x|: robust regression",
        source: "Huber, 1981",
        error: ErrorBounds { f32: (2.5, 2.6), f32_plain: (2.5, 3.5), f64: (2.5, 2.5), f64_plain: (2.5, 3.0) },
    };
}
