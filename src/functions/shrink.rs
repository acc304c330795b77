//! The shrinkage family: 0 in a zone about 0; outside it x, or x moved towards 0.

use super::step::Step;
use crate::activation::{Elementwise, compiled_passes};
use crate::describe::card::{Card, Described, ErrorBounds, Vanishes};
use crate::describe::parameters::parameters;
use crate::kernel::real::Real;
use crate::second::second_slope_of;

/// Soft shrinkage, for sparse coding and denoising (a step of ISTA): x - `lambda` for x > `lambda`, x + `lambda`
/// for x < -`lambda`, 0 between.
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/softshrink.svg"))]
///
/// ONNX's operator [`Shrink`] is this function for bias = lambd, and [`Hardshrink`] for bias 0, its default.
///
/// - Derivative: 0 for -lambda <= x <= lambda, else 1. Range: the whole line. Not differentiable at -lambda and lambda,
///   where the derivative is set to 0, as in PyTorch and Keras.
/// - Error: one rounding, 0.5 ULP; lambda is rounded to the element's type first.
/// - Special values: odd; NaN gives NaN, also in the derivative; in the zone the result is a zero with the sign of x.
/// - Source: Donoho, "De-noising by soft-thresholding", IEEE Trans. Inf. Theory 41, 1995: the proximal operator of
///   lambda |x|.
///
/// ```
/// use activations::{Activation, Softshrink};
///
/// let mut y = [0.0; 3];
/// Softshrink::default().forward(&[-2.0_f32, 0.25, 2.0], &mut y);
/// assert_eq!(y, [-1.5, 0.0, 1.5]);
/// ```
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[doc(alias = "soft_shrink")]
#[doc(alias = "soft thresholding")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Softshrink {
    lambda: f64,
}

parameters! {
    Softshrink {
        /// Half the width of the zone of zeros. The default is PyTorch's.
        lambda: NotNegative = 0.5,
    }
}

impl Elementwise for Softshrink {
    compiled_passes!();

    const ABREAST: usize = 1;

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        (x.abs() - R::of(self.lambda)).at_least(R::of(0.0)).copysign(x)
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        outside(x, R::of(self.lambda))
    }
}

second_slope_of!(Softshrink | _f | Step::ZERO);

impl Described for Softshrink {
    const CARD: Card = Card {
        name: "softshrink",
        aliases: &[],
        formula: "sign(x) max(|x| - lambda, 0)",
        derivative: "0 if |x| <= lambda, else 1",
        range: (f64::NEG_INFINITY, f64::INFINITY),
        vanishes: Vanishes::Never,
        zero_centred: true,
        monotone: true,
        kinks: &[-0.5, 0.5],
        common_use: "sparse coding, denoising: a step of ISTA",
        source: "Donoho, IEEE Trans. Inf. Theory 41, 1995",
        error: ErrorBounds::EXACT,
    };
}

/// Hard shrinkage, for sparse coding and denoising: x for |x| > `lambda`, 0 for |x| <= `lambda`.
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/hardshrink.svg"))]
///
/// ONNX's operator [`Shrink`] is this function for bias 0, its default, and [`Softshrink`] for bias = lambd.
///
/// - Derivative: 0 for -lambda <= x <= lambda, else 1. The function jumps at -lambda and lambda, where the derivative is
///   set to 0, as in PyTorch and Keras. Range: 0, and |y| > lambda.
/// - Error: none; lambda is rounded to the element's type.
/// - Special values: odd; NaN gives NaN, also in the derivative; in the zone the result is a zero with the sign of x.
/// - Source: Donoho & Johnstone, "Ideal spatial adaptation by wavelet shrinkage", Biometrika 81, 1994.
///
/// ```
/// use activations::{Activation, Hardshrink};
///
/// let mut y = [0.0; 3];
/// Hardshrink::default().forward(&[-2.0_f32, 0.25, 2.0], &mut y);
/// assert_eq!(y, [-2.0, 0.0, 2.0]);
/// ```
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[doc(alias = "hard_shrink")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hardshrink {
    lambda: f64,
}

parameters! {
    Hardshrink {
        /// Half the width of the zone of zeros. The default is PyTorch's and ONNX's.
        lambda: NotNegative = 0.5,
    }
}

impl Elementwise for Hardshrink {
    compiled_passes!();

    const ABREAST: usize = 1;

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        R::select(x.abs().le(R::of(self.lambda)), R::of(0.0).copysign(x), x)
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        outside(x, R::of(self.lambda))
    }
}

second_slope_of!(Hardshrink | _f | Step::ZERO);

impl Described for Hardshrink {
    const CARD: Card = Card {
        name: "hardshrink",
        aliases: &[],
        formula: "x if |x| > lambda, else 0",
        derivative: "0 if |x| <= lambda, else 1",
        range: (f64::NEG_INFINITY, f64::INFINITY),
        vanishes: Vanishes::Never,
        zero_centred: true,
        monotone: true,
        kinks: &[-0.5, 0.5],
        common_use: "sparse coding, denoising",
        source: "Donoho & Johnstone, Biometrika 81, 1994",
        error: ErrorBounds::EXACT,
    };
}

/// 0 for -lambda <= x <= lambda, 1 outside, NaN for NaN.
#[inline(always)]
fn outside<R: Real>(x: R, lambda: R) -> R {
    let a = x.abs();
    R::select(a.le(lambda), R::of(0.0), R::select(lambda.lt(a), R::of(1.0), x))
}

/// ONNX's `Shrink`, for sparse coding and denoising: x + `bias` for x < -`lambd`, x - `bias` for x > `lambd`, 0 between.
/// [`Hardshrink`] is this function with bias = 0, its default, and [`Softshrink`] with bias = lambd.
///
#[cfg_attr(doc, doc = include_str!("../../docs/pictures/shrink.svg"))]
///
/// - Derivative: 0 for -lambd <= x <= lambd, else 1. Unless bias = lambd, the function jumps at -lambd and lambd. The
///   derivative there is set to 0, as for [`Hardshrink`]. Range: by default 0, and |y| > lambd.
/// - Error: one rounding, 0.5 ULP; lambd and bias are rounded to the element's type first.
/// - Special values: odd; NaN gives NaN, also in the derivative; in the zone the result is a zero with the sign of x.
/// - Source: the operator `Shrink` of ONNX, version 9, 2018; Donoho & Johnstone, "Ideal spatial adaptation by wavelet
///   shrinkage", Biometrika 81, 1994.
///
/// ```
/// use activations::{Activation, Shrink};
///
/// let mut y = [9.0; 3];
/// Shrink::new(1.0, 0.25)?.forward(&[-2.0_f32, 0.75, 1.5], &mut y);
/// assert_eq!(y, [-1.75, 0.0, 1.25]);
/// # Ok::<(), activations::ParameterError>(())
/// ```
#[cfg_attr(doc, doc = include_str!("../methods.md"))]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shrink {
    lambd: f64,
    bias: f64,
}

parameters! {
    Shrink {
        /// Half the width of the zone of zeros. The default and the spelling are ONNX's.
        lambd: NotNegative = 0.5,
        /// How far the numbers outside the zone are moved towards 0. The default is ONNX's.
        bias: Finite = 0.0,
    }
}

impl Elementwise for Shrink {
    compiled_passes!();

    const ABREAST: usize = 1;

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        // The product with 1 or -1 is exact, so the result is rounded once, and the function is odd.
        let moved = (x.abs() - R::of(self.bias)) * R::of(1.0).copysign(x);
        R::select(x.abs().le(R::of(self.lambd)), R::of(0.0).copysign(x), moved)
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        outside(x, R::of(self.lambd))
    }
}

second_slope_of!(Shrink | _f | Step::ZERO);

impl Described for Shrink {
    const CARD: Card = Card {
        name: "shrink",
        aliases: &[],
        formula: "x + bias if x < -lambd, x - bias if x > lambd, else 0",
        derivative: "0 if |x| <= lambd, else 1",
        range: (f64::NEG_INFINITY, f64::INFINITY),
        vanishes: Vanishes::Never,
        zero_centred: true,
        monotone: true,
        kinks: &[-0.5, 0.5],
        common_use: "sparse coding, denoising",
        source: "ONNX, operator Shrink, 2018",
        error: ErrorBounds::EXACT,
    };
}
