//! The errors of derivatives with respect to trained parameters, compared with formulas in `f64` of the crate `libm`.

use crate::common::ulp;
use crate::number::{Number, numbers};
use activations::{CeluAlpha, EluAlpha, Level, Parametric, PerChannel, SnakeA, SoftplusBeta, SwishBeta, XieluAlphas};

fn inputs() -> Vec<f32> {
    let small = (0..120).map(|i| f32::from_bits(0x0800_0000 + i * 0x0065_4321));
    let spread = numbers(21, 6.0, 20_000).into_iter().chain(numbers(22, 90.0, 5_000)).map(|x| x as f32);
    small.clone().chain(small.map(|x| -x)).filter(|x| x.abs() < 1e4).chain(spread).collect()
}

/// The derivatives with respect to parameter `k`.
fn partials<T: Number, F: Parametric<N> + Copy, const N: usize>(
    level: Level,
    formula: F,
    p: [f32; N],
    k: usize,
    x: &[T],
) -> Vec<T> {
    // Each element is in its own channel.
    let parameters = p.map(|p| vec![T::of(f64::from(p)); x.len()]);
    let mut gradients = vec![vec![T::nan(); x.len()]; N];
    let mut slices = gradients.iter_mut().map(Vec::as_mut_slice);
    let of_parameters = std::array::from_fn(|_| slices.next().expect("N slices"));
    let layer = level.with(PerChannel::new(formula, parameters.each_ref().map(Vec::as_slice)));
    layer.backward_with_parameters(x, &vec![T::one(); x.len()], &mut vec![T::nan(); x.len()], of_parameters);
    gradients.swap_remove(k)
}

/// Checks that the worst error is within the bound, in ULP. `allowed` is an additional error in units of 2^-24 (`f64`: 2^-53). In `f64`
/// the reference formulas have errors of some ULP themselves, so 16 ULP are allowed there.
fn check<F: Parametric<N> + Copy, const N: usize>(
    name: &str,
    formula: F,
    p: [f32; N],
    k: usize,
    bound: f64,
    exact: impl Fn(f64) -> f64,
    allowed: impl Fn(f64) -> f64,
) {
    let narrow = inputs();
    let wide: Vec<f64> = narrow.iter().map(|&x| f64::from(x)).collect();
    for level in Level::available() {
        let of_f32 = partials::<f32, F, N>(level, formula, p, k, &narrow);
        let of_f64 = partials::<f64, F, N>(level, formula, p, k, &wide);
        for (i, &x) in wide.iter().enumerate() {
            let exact = exact(x);
            // A sum does not keep the sign of a zero.
            if (of_f32[i] != 0.0 || exact.abs() > 1e-45)
                && (f64::from(of_f32[i]) - exact).abs() > allowed(x) * f64::from(f32::EPSILON / 2.0)
            {
                let error = ulp::error_f32(of_f32[i], exact, 0.0);
                assert!(
                    error <= bound,
                    "{name}({p:?}), {k}, at {level}: {error} ULP at {x:e}: {exact:e}, got {:e}",
                    of_f32[i]
                );
            }
            let off = (of_f64[i] - exact).abs();
            let limit = 16.0 * f64::EPSILON * exact.abs() + allowed(x) * f64::EPSILON / 2.0 + 1e-300;
            assert!(off <= limit, "{name}({p:?}), {k}, f64 at {level}, {x:e}: {exact:e}, got {:e}", of_f64[i]);
        }
    }
}

fn slope(z: f64) -> f64 {
    libm::cosh(z / 2.0).powi(-2) / 4.0
}

#[test]
fn of_betas() {
    for beta in [1.0_f32, -0.7, 3.3, 0.01, 0.0] {
        let b = f64::from(beta);
        check("swish", SwishBeta, [beta], 0, 5.0, |x| x * x * slope(b * x), |_| 0.0);
        if beta != 0.0 {
            let exact = |x: f64| {
                let a = (b * x).abs();
                -(libm::log1p(libm::exp(-a)) + a / (1.0 + libm::exp(a))) / (b * b)
            };
            check("softplus", SoftplusBeta, [beta], 0, 5.0, exact, |_| 0.0);
        }
    }
}

#[test]
fn of_a() {
    for a in [1.0_f32, -0.7, 3.3, 0.01, 0.0, 1e-30] {
        let wide = f64::from(a);
        let exact = |x: f64| {
            let z = wide * x;
            if z.abs() < 1e-20 { x * x } else { x * libm::sin(2.0 * z) / wide - (libm::sin(z) / wide).powi(2) }
        };
        let allowed =
            |x: f64| if (wide * x).abs() <= 0.5 { 0.0 } else { 4.0 * (x.abs() + 1.0 / wide.abs()) / wide.abs() };
        check("snake", SnakeA, [a], 0, 4.0, exact, allowed);
    }
}

/// The sum of c(k) t^k / k! from k = 2 on, for |t| up to 1/2.
fn series(t: f64, c: impl Fn(f64) -> f64) -> f64 {
    let mut power = t;
    (2..24)
        .map(f64::from)
        .map(|k| {
            power *= t / k;
            c(k) * power
        })
        .sum()
}

#[test]
fn of_alphas() {
    check("elu", EluAlpha, [0.7], 0, 1.0, |x| if x < 0.0 { libm::expm1(x) } else { 0.0 }, |_| 0.0);
    for alpha in [1.0_f32, 0.3, 5.0] {
        let a = f64::from(alpha);
        // (1 + t) e^-t - 1 with t = -x/alpha.
        let exact = |x: f64| match -x / a {
            _ if x >= 0.0 => 0.0,
            t if t < 0.5 => series(-t, |k| 1.0 - k),
            t => libm::expm1(-t) + t * libm::exp(-t),
        };
        let allowed = |x: f64| if x.abs() < 0.34 * a { 0.0 } else { 2f64.powf(1.5) };
        check("celu", CeluAlpha, [alpha], 0, 6.0, exact, allowed);
    }
    let square = |x: f64| if x > 0.0 { x * x } else { 0.0 };
    check("xielu", XieluAlphas::default(), [0.7, 0.9], 0, 1.0, square, |_| 0.0);
    let left = |x: f64| match x {
        x if x > 0.0 => 0.0,
        x if x > -0.5 => series(x, |_| 1.0),
        x => libm::expm1(x) - x,
    };
    check("xielu", XieluAlphas::default(), [0.7, 0.9], 1, 8.0, left, |_| 0.0);
}
