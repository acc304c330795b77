//! Neural-network activation functions, their derivatives and their gradients, over slices of `f32`, `f64`, `f16` or `bf16`.
//!
//! ```
//! use activations::{Activation, Gelu};
//!
//! let x = [-1.0_f32, 0.0, 1.0];
//! let (mut y, mut grad_x) = ([0.0; 3], [0.0; 3]);
//! Gelu.forward(&x, &mut y);
//! Gelu.backward(&x, &[1.0; 3], &mut grad_x);
//! assert_eq!((y[1], grad_x[1]), (0.0, 0.5));
//! ```
//!
//! The [`guide`] says [which activation](guide::choosing) to take, how to [train](guide::training), and what things are
//! [called](guide::coming_from) in PyTorch, JAX, NNlib.jl, candle and burn.
//!
//! ## Functions
//!
//! Each function is a type. [`Activation`] has the methods: [`forward`](Activation::forward),
//! [`derivative`](Activation::derivative), [`backward`](Activation::backward). [`FromOutput`] and [`SecondDerivative`] have
//! further gradients. The [curves](#curves) are below.
//!
//! - Like ReLU: [`Relu`], [`LeakyRelu`], [`Relu6`], [`SquaredRelu`], [`Rrelu`], [`Threshold`], [`Identity`]
//! - Like GELU and SiLU: [`Gelu`], [`GeluTanh`], [`QuickGelu`], [`ClippedGelu`], [`Silu`], [`Swish`], [`Mish`],
//!   [`HardSwish`], [`Xielu`]
//! - Like ELU: [`Elu`], [`Selu`], [`Celu`], [`Exponential`]
//! - S-shaped: [`Sigmoid`], [`Tanh`], [`HardSigmoid`], [`HardTanh`], [`Softsign`], [`SparseSigmoid`], [`Laplace`]
//! - Smooth ReLUs and logarithms: [`Softplus`], [`Squareplus`], [`SparsePlus`], [`LogSigmoid`], [`LogCosh`]
//! - Shrinking: [`Softshrink`], [`Hardshrink`], [`Shrink`], [`Tanhshrink`]
//! - Periodic: [`Snake`], [`Sin`]
//!
//! ## Rows
//!
//! Each output depends on a whole row. Rows lie one after another, or along an axis. [`Scores`] scales, soft-caps, biases and
//! masks rows first, as attention does; see the guide on [rows](guide::rows).
//!
//! - Activations: [`Softmax`], [`LogSoftmax`], [`Softmin`], [`Sparsemax`], [`Hardmax`]
//! - Attention and experts: [`Scores`], [`Broadcast`], [`SinkGradient`], [`TopKSoftmax`]
//! - Log-sum-exp: [`log_sum_exp`], [`log_sum_exp_rows`], [`log_sum_exp_axis`] and [`log_sum_exp_backward`]; [`LogSumExp`] for
//!   numbers that come in pieces
//! - Log-sum-exp of halves, returned as `f32`: [`log_sum_exp_wide`], [`log_sum_exp_rows_wide`], [`log_sum_exp_axis_wide`]
//! - Log-sum-exp with the same bits on every CPU: [`log_sum_exp_exact`], [`log_sum_exp_rows_exact`]
//!
//! ## Gates and layers
//!
//! These follow a matrix product: gated units of two inputs, f(gate) up; a bias; parameters that are trained. The backward
//! passes give the gradients of inputs, biases and parameters.
//!
//! - Gated units: [`SwiGlu`], [`GeGlu`], [`GeGluTanh`], [`Glu`], [`ReGlu`], [`ClampedSwiGlu`], and [`Gated`] for any activation.
//!   [`Gate`] has their methods, and [`Packing`] says how gate and up lie in one slice.
//! - Bias: [`Biased`], with [`BiasGradient`]
//! - Trained parameters: [`Prelu`], and [`PerChannel`] with [`SwishBeta`], [`SnakeA`], [`SoftplusBeta`], [`EluAlpha`],
//!   [`CeluAlpha`] or [`XieluAlphas`]
//!
//! ## Losses
//!
//! They take logits, apply softmax or sigmoid themselves, and give the gradient in the same pass. Labels may be smoothed,
//! weighted and ignored.
//!
//! - Classes: [`CrossEntropy`] takes [`Targets`], and [`IntoTargets`] makes them from slices
//! - Yes or no: [`BinaryCrossEntropy`] takes [`BinaryTargets`]
//! - Mean or sum: [`Reduction`]
//!
//! ## By name
//!
//! You can choose an activation at run time, by the name in a model's configuration. Each activation has a card with its formula,
//! range, kinks and error bounds.
//!
//! - [`AnyActivation`], and the types of its errors: [`ParseError`], [`UnknownName`], [`Excerpt`]
//! - Facts: [`Card`], [`Described`], [`ErrorBounds`], [`Vanishes`]
//! - Parameters: [`Parameters`], [`Parameter`], [`Allowed`], [`ParameterError`]
//!
//! ## Your own formula
//!
//! You write two methods, the formula and its derivative. The crate derives everything else from them, at the speed of the
//! built-in functions. See the guide on [your own](guide::your_own).
//!
//! - Of one number: [`Elementwise`], over any [`Real`], with [`Coefficients`] of polynomials; [`SlopeFromOutput`], [`SecondSlope`]
//! - Of gate and up: [`GateFormula`]. With trained parameters: [`Parametric`]
//! - Without a formula, implement [`Activation::run`] for a [`Pass`] over [`Pieces`], [`Gate::run`] for a [`GatePass`], or
//!   [`SecondDerivative::run_double_backward`] for a [`DoubleBackward`]
//!
//! ## Precision
//!
//! By default errors are bounded in ULP, by [`Card::error`]. A wrapper around the function selects other bounds; see the guide
//! on [accuracy](guide::accuracy).
//!
//! - [`Exact`]`(Gelu)` is correctly rounded. It takes any function with a [`Definition`].
//! - [`Fast`]`(Gelu)` is faster, with absolute bounds.
//! - [`Wide`]`(Gelu)` takes halves and gives `f32`. [`Element`] lists the types of numbers.
//!
//! ## Levels and threads
//!
//! Each call runs on one thread, at the best level of the CPU. You can name another level, and the feature `rayon` runs a call
//! on several threads, with the same bits.
//!
//! - [`Level`] names the CPU's instruction set, and [`At`] is a function that runs at a given level
#![cfg_attr(
    feature = "rayon",
    doc = "- [`IntoParallel`] makes [`Parallel`] of a function; [`log_sum_exp_parallel`], [`log_sum_exp_rows_parallel`]"
)]
//!
//! ## Math
//!
//! The module [`math`] has the elementary functions that formulas of your own need. Unlike the methods of `f32`, they vectorise.
//! Each states its error bound.
//!
//! - [`exp`](math::exp()), [`exp2`](math::exp2()), [`expm1`](math::expm1()), [`ln`](math::ln()), [`ln_1p`](math::ln_1p()),
//!   [`log1p_exp`](math::log1p_exp()), [`sigmoid`](math::sigmoid()), [`tanh`](math::tanh()), [`erf`](math::erf()),
//!   [`erfc`](math::erfc()), [`sin`](math::sin()), [`cos`](math::cos()), [`rsqrt`](math::rsqrt())
//!
//! # Curves
//!
//! Functions are blue, their derivatives orange. A function of rows is drawn for the row (x, 0, 1). Each curve is a link to the
//! function's page.
//!
#![cfg_attr(doc, doc = include_str!("../docs/pictures/overview.html"))]
//!
//! # A tour
//!
//! ```
//! use activations::{Activation, Gelu, Relu};
//!
//! let x = [-1.0_f32, 0.0, 2.0];
//! let (mut y, mut dydx, mut grad_x) = ([0.0; 3], [0.0; 3], [0.0; 3]);
//!
//! Relu.forward(&x, &mut y);
//! assert_eq!(y, [0.0, 0.0, 2.0]);
//! Relu.derivative(&x, &mut dydx);
//! assert_eq!(dydx, [0.0, 0.0, 1.0]);
//! Relu.backward(&x, &[0.5; 3], &mut grad_x);
//! assert_eq!(grad_x, [0.0, 0.0, 0.5]);
//!
//! Gelu.forward_with_derivative(&x, &mut y, &mut dydx);
//! assert_eq!((y[1], dydx[1]), (0.0, 0.5));
//! ```
//!
//! [`Softmax`] works on rows. Its `backward` multiplies by the whole Jacobian; its `derivative` is the diagonal.
//!
//! ```
//! use activations::{Activation, Softmax};
//!
//! let mut p = [0.0_f64; 4];
//! Softmax::rows(2)?.forward(&[3.0, 3.0, f64::NEG_INFINITY, 0.0], &mut p);
//! assert_eq!(p, [0.5, 0.5, 0.0, 1.0]);
//! # Ok::<(), activations::ParameterError>(())
//! ```
//!
//! A gated unit applies an activation to one half of its inputs and multiplies the result by the other half.
//!
//! ```
//! use activations::{Gate, SwiGlu};
//!
//! let (gate, up) = ([0.0_f32, 20.0], [3.0, 2.0]);
//! let mut out = [0.0; 2];
//! SwiGlu.forward(&gate, &up, &mut out);
//! assert_eq!(out, [0.0, 40.0]);
//! ```
//!
//! A loss takes logits, and gives its mean and its gradient.
//!
//! ```
//! use activations::CrossEntropy;
//!
//! let (logits, mut grad) = ([0.0_f32, 0.0, -50.0, 50.0], [0.0; 4]);
//! let mean = CrossEntropy::new(2)?.loss_and_gradient(&logits, &[0, 0], &mut grad);
//! assert_eq!(mean, (100.0 + 2.0_f32.ln()) / 2.0);
//! assert_eq!(grad, [-0.25, 0.25, -0.5, 0.5]);
//! # Ok::<(), activations::ParameterError>(())
//! ```
//!
//! An [`AnyActivation`] is read at run time, from the name in a model's configuration, and has a [`Card`].
//!
//! ```
//! use activations::{Activation, AnyActivation};
//!
//! let act: AnyActivation = "LeakyReLU(negative_slope=0.2)".parse()?;
//! let mut x = [-1.0, 1.0];
//! act.forward_in_place(&mut x);
//! assert_eq!(x, [-0.2, 1.0]);
//! assert_eq!(act.card().kinks, [0.0]);
//! # Ok::<(), activations::ParseError>(())
//! ```
//!
//! A formula of your own is two methods of [`Elementwise`], over any [`Real`]. The built-in functions are written in the same
//! way. [`math`] has exponentials and other functions that vectorise.
//!
//! ```
//! use activations::{Activation, Elementwise, Real};
//!
//! #[derive(Clone, Copy)]
//! struct Square;
//!
//! impl Elementwise for Square {
//!     #[inline(always)]
//!     fn value<R: Real>(&self, x: R) -> R {
//!         x * x
//!     }
//!
//!     #[inline(always)]
//!     fn slope<R: Real>(&self, x: R) -> R {
//!         x + x
//!     }
//! }
//!
//! let mut grad_x = [0.0_f32; 2];
//! Square.backward(&[3.0, 4.0], &[1.0, 10.0], &mut grad_x);
//! assert_eq!(grad_x, [6.0, 80.0]);
//! ```
//!
//! Each call runs at the best [`Level`] of the CPU. To compare levels, name them. All levels with fused multiply-add give the
//! same bits, and all levels without it give the same bits.
//!
//! ```
//! use activations::{Activation, Level, Tanh};
//!
//! let (x, mut best, mut y) = ([0.3_f32; 5], [0.0; 5], [0.0; 5]);
//! Tanh.forward(&x, &mut best);
//! for level in Level::available().filter(|level| level.is_fused() == Level::best().is_fused()) {
//!     level.with(Tanh).forward(&x, &mut y);
//!     assert_eq!(y, best);
//! }
//! ```
//!
//! # Reproducibility
//!
//! An element's result depends on the element, the function with its parameters, and the kind of [`Level`]: fused or plain
//! ([`Level::is_fused`]). It is the same, to the bit,
//!
//! - at any place of a slice of any length, in place or not, in one pass with the derivative or alone;
//! - on any number of threads;
//! - on every CPU of the kind. With the feature `std`, CPUs with AVX2 or AVX-512 and fused multiply-add, and those with NEON, are
//!   fused. All other CPUs are plain, including WebAssembly with `simd128` or without. Without `std`, as on bare metal, every CPU
//!   is plain;
//! - in debug and release builds, for any `target-cpu`.
//!
//! Results of rows depend on the row alone. Sums depend on their terms and on the lengths, because the lengths fix the order of
//! the terms. Halves are computed in `f32`, in every function, and rounded once, to nearest, ties to even. So they have the same
//! two kinds.
//!
//! With [`Exact`] the result depends on the element and the function alone: it is the exact number, rounded once.
//!
//! Not promised, without [`Exact`]:
//!
//! - that both kinds have the same bits: each has bounds of its own, [`Card::error`];
//! - the sign and the payload of a NaN;
//! - anything for WebAssembly with `relaxed-simd`: there LLVM uses the relaxed minimum and maximum, and NaN may become a number
//!   (`Relu6` gives 6);
//! - anything for 32-bit x86 without SSE2, because that CPU computes with more digits;
//! - that a [`LogSumExp`] of other pieces, or merged in another order, has the same bits: its state is rounded;
//! - the same bits in the next version. The changelog lists each change.
//!
//! `tools/bits.sh` compares nine builds with committed digests of every function. `docs/checks.md` says when it last ran.
//!
//! All of this, and every error bound, is for the default floating-point mode, the only one that Rust defines: rounding to
//! nearest, with subnormal numbers. Another library in the program may have set another mode, as `-ffast-math` does.
//! `tests/flush` shows, on x86-64 and at every level, how the functions then behave:
//!
//! - *Flush to zero*: subnormal results and operands become zeros. Results change by no more than 1e-37 in `f32` and 1e-307 in
//!   `f64`, or by one ULP. This includes gradients of rows and losses, for incoming gradients of up to 1. The relative error of so
//!   small a result may be large: GELU of 2.5e-38 is 2.5e-38 instead of half of it. A subnormal input acts as itself or as the
//!   zero of its sign. With `f16`, tanh, GELU and softmax were tried, and no result changed.
//! - *Rounding down, up or towards zero*: nothing is promised, because the exponentials find the nearest integer by an addition
//!   that rounds. In measurements with inputs below 1e18, no number became NaN, and results were off by up to 4e-4 in `f32` and
//!   2e-11 in `f64`, relative to the greater of the result and 1. The worst were the derivative of [`Snake`] and the value of
//!   [`Selu`].
//!
//! # Special values
//!
//! - NaN in, NaN out, in every function; the NaN's payload is not specified.
//! - At an infinity the result is the limit: sigmoid(-inf) is 0, gelu(-inf) is -0.0. [`Sin`] has no limit, and gives 0.
//! - Odd functions, and those that behave as c x at 0, keep the sign of zero.
//! - At a kink the derivative is PyTorch's, which each function's page and [`Card::kinks`] state. It is 0 where the function is
//!   flat on one side, as for [`Relu`] at 0 and [`HardTanh`] at -1 and 1. 0.0 and -0.0 have the same derivative, also from the
//!   output.
//! - A row of [`Softmax`] with NaN or +inf, or with nothing but -inf, is NaN. A row of [`Softmin`] with NaN or -inf, or with
//!   nothing but inf, is NaN. [`Hardmax`] takes an infinity as a number like others.
//! - The mean of no losses is NaN. The log-sum-exp of no numbers is -inf.
//! - Empty slices are allowed.
//!
//! # Errors and panics
//!
//! A parameter out of its range gives a [`ParameterError`]. A text that does not name an activation gives a [`ParseError`].
//!
//! Methods that take slices panic, before they write anything, if lengths differ or do not divide into rows, or if a bias or a
//! mask does not fit the data. Losses also panic if a class index is out of range, if a binary target is outside \[0, 1\] by
//! more than 1/64, or if a focal loss of classes gets distributions. [`TopKSoftmax::backward`] also panics if an index is out of
//! range. [`Biased`], [`Gated`] and [`Wide`] also panic if the rows of their activation are too long, and so does [`Sparsemax`]
//! along an axis, without the feature `alloc`; each says how long the rows may be. Soft-capped [`Scores`] panic in
//! `backward_from_output`. [`Parameters::parameter`] and [`Parameters::from_values`] panic if there is no such parameter, or a
//! value is missing. Nothing else panics.
//!
//! # Features
//!
//! - `std` (default): detects the CPU at run time, and has fused multiply-add. Includes `alloc`.
//! - `compiled` (default): compiles the loops of all built-in functions for `f32` in this crate, once. They serve `f16` and `bf16`
//!   too. Without it each crate compiles the loops that it uses, at each rebuild, and this crate compiles faster. It has no effect
//!   without optimisation (`opt-level = 0`). The results are the same. Formulas of your own are always compiled in your crate.
//! - `compiled-f64`: the same for `f64`. Take it if you work in `f64`, or with [`Exact`], which computes in `f64`. Includes `compiled`.
//! - `alloc`: [`forward_vec`](Activation::forward_vec) and other methods that allocate, and boxed activations.
//! - `libm`: needed without `std`.
//! - `half`: slices of `f16` and `bf16`, the types of the crate `half`, computed in `f32` and rounded once, in every function.
//!   At least 99.9 % of all inputs give the correctly rounded result, except for ties of [`Rrelu`]. No result is off by more
//!   than one ULP.
//! - `rayon`: `Gelu.parallel()` runs each pass on several threads, with the same bits. Includes `std`.
//! - `serde`: [`AnyActivation`], and every activation, in configuration files: `"gelu"`, or
//!   `{"type": "leaky_relu", "negative_slope": 0.2}`.
#![forbid(unsafe_code)]
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod activation;
mod describe;
mod exact;
mod from_output;
mod functions;
#[cfg(any(doc, doctest))]
pub mod guide;
mod kernel;
mod layers;
mod list;
mod listed;
mod loss;
pub mod math;
mod names;
mod parametric;
mod pass;
mod rows;
mod second;

pub use activation::{Activation, Elementwise};
pub use describe::card::{Card, Described, ErrorBounds, Vanishes};
pub use describe::error::ParameterError;
pub use describe::parameters::{Allowed, Parameter, Parameters};
pub use exact::{Definition, Exact};
pub use from_output::{FromOutput, SlopeFromOutput};
pub use functions::elu::{CeluAlpha, EluAlpha};
pub use functions::silu::SwishBeta;
pub use functions::snake::SnakeA;
pub use functions::softplus::SoftplusBeta;
pub use functions::xielu::XieluAlphas;
pub use kernel::element::Element;
// Lanes that formulas are tested in. A caller has no way to take a number out of one.
#[doc(hidden)]
pub use kernel::lanes::Brief;
#[cfg(feature = "std")]
#[doc(hidden)]
pub use kernel::lanes::Fused;
#[doc(hidden)]
pub use kernel::lanes::Plain;
pub use kernel::level::{At, Level};
pub use kernel::real::{Coefficients, Real};
pub use layers::biased::{BiasGradient, Biased};
pub use layers::clamped_swi_glu::ClampedSwiGlu;
pub use layers::fast::Fast;
pub use layers::gate::{Gate, GatePass, Packing};
pub use layers::gate_formula::GateFormula;
pub use layers::gated::Gated;
pub use layers::glu::{GeGlu, GeGluTanh, Glu, ReGlu, SwiGlu};
#[cfg(feature = "rayon")]
pub use layers::parallel::{IntoParallel, Parallel};
#[cfg(feature = "rayon")]
pub use layers::parallel_sums::{log_sum_exp_parallel, log_sum_exp_rows_parallel};
pub use layers::per_channel::PerChannel;
pub use layers::prelu::Prelu;
pub use layers::wide::Wide;
pub use listed::*;
pub use loss::{BinaryCrossEntropy, BinaryTargets, CrossEntropy, IntoTargets, Reduction, Targets};
pub use names::any::AnyActivation;
pub use names::error::ParseError;
pub use names::text::Excerpt;
pub use names::unknown::UnknownName;
pub use parametric::Parametric;
pub use pass::{Pass, Pieces};
pub use rows::broadcast::Broadcast;
pub use rows::exact::{log_sum_exp_exact, log_sum_exp_rows_exact};
pub use rows::log_sum_exp::{
    LogSumExp, log_sum_exp, log_sum_exp_axis, log_sum_exp_axis_wide, log_sum_exp_backward, log_sum_exp_rows,
    log_sum_exp_rows_wide, log_sum_exp_wide,
};
pub use rows::scores::Scores;
#[cfg(feature = "alloc")]
pub use rows::sink::SinkGradient;
pub use rows::top_k::TopKSoftmax;
pub use second::{DoubleBackward, SecondDerivative, SecondSlope};

/// The README's examples, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
#[doc = include_str!("../docs/first_model.md")]
#[doc = include_str!("../docs/your_function.md")]
struct Readme;
