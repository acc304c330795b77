//! The errors of derivatives with respect to trained parameters, against formulas in `f64` of the crate `libm`.

use crate::common::ulp;
use crate::number::numbers;
use activations::{CeluAlpha, EluAlpha, Level, Parametric, PerChannel, SnakeA, SoftplusBeta, SwishBeta, XieluAlphas};

fn inputs() -> Vec<f32> {
    let small = (0..120).map(|i| f32::from_bits(0x0800_0000 + i * 0x0065_4321));
    let spread = numbers(21, 6.0, 20_000).into_iter().chain(numbers(22, 90.0, 5_000)).map(|x| x as f32);
    small.clone().chain(small.map(|x| -x)).filter(|x| x.abs() < 1e4).chain(spread).collect()
}

/// The derivatives with respect to parameter `k`.
fn partials<F: Parametric<N> + Copy, const N: usize>(
    level: Level,
    formula: F,
    p: [f32; N],
    k: usize,
    x: &[f32],
) -> Vec<f32> {
    // Each element is a channel of its own.
    let parameters = p.map(|p| vec![p; x.len()]);
    let mut gradients = vec![vec![0.0; x.len()]; N];
    let mut slices = gradients.iter_mut().map(Vec::as_mut_slice);
    let of_parameters = std::array::from_fn(|_| slices.next().expect("N slices"));
    let layer = level.with(PerChannel::new(formula, parameters.each_ref().map(Vec::as_slice)));
    layer.backward_with_parameters(x, &vec![1.0; x.len()], &mut vec![0.0; x.len()], of_parameters);
    gradients.swap_remove(k)
}

/// The worst error in ULP is within the bound. `allowed` is what may be off beside, absolutely.
fn check<F: Parametric<N> + Copy, const N: usize>(
    name: &str,
    formula: F,
    p: [f32; N],
    k: usize,
    bound: f64,
    exact: impl Fn(f64) -> f64,
    allowed: impl Fn(f64) -> f64,
) {
    let x = inputs();
    for level in Level::available() {
        let got = partials(level, formula, p, k, &x);
        let mut worst = (0.0, 0.0_f32, 0.0, 0.0);
        for (&x, &got) in x.iter().zip(&got) {
            let exact = exact(f64::from(x));
            let off = (f64::from(got) - exact).abs();
            // A sum does not keep the sign of a zero.
            let is_zero = got == 0.0 && exact.abs() < 1e-45;
            let error = if is_zero || off <= allowed(f64::from(x)) { 0.0 } else { ulp::error_f32(got, exact, 0.0) };
            if !(error <= worst.0) {
                worst = (error, x, exact, f64::from(got));
            }
        }
        let (error, x, exact, got) = worst;
        println!("{name}({p:?}), {k}, at {level}: {error:.3} at {x:e}");
        assert!(
            error <= bound,
            "{name}({p:?}), {k}, at {level}: {error} ULP at {x:e}: expected {exact:e}, got {got:e}"
        );
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
            if z.abs() < 1e-4 {
                return x * x * (1.0 - z * z);
            }
            x * libm::sin(2.0 * z) / wide - (libm::sin(z) / wide).powi(2)
        };
        let allowed = |x: f64| {
            if (wide * x).abs() <= 0.5 { 0.0 } else { 2f64.powi(-22) * (x.abs() + 1.0 / wide.abs()) / wide.abs() }
        };
        check("snake", SnakeA, [a], 0, 4.0, exact, allowed);
    }
}

#[test]
fn of_alphas() {
    let expm1_less_x = |x: f64| {
        if x > -0.01 { x * x * (0.5 + x / 6.0 + x * x / 24.0 + x * x * x / 120.0) } else { libm::expm1(x) - x }
    };
    check("elu", EluAlpha, [0.7], 0, 1.0, |x| if x < 0.0 { libm::expm1(x) } else { 0.0 }, |_| 0.0);
    for alpha in [1.0_f32, 0.3, 5.0] {
        let a = f64::from(alpha);
        let exact = |x: f64| {
            let t = -x / a;
            match t {
                _ if x >= 0.0 => 0.0,
                t if t < 0.01 => t * t * (-0.5 + t / 3.0 - t * t / 8.0 + t * t * t / 30.0),
                t => libm::expm1(-t) + t * libm::exp(-t),
            }
        };
        let allowed = |x: f64| if x.abs() < 0.34 * a { 0.0 } else { 2f64.powf(-22.5) };
        check("celu", CeluAlpha, [alpha], 0, 4.0, exact, allowed);
    }
    for k in [0, 1] {
        let exact = |x: f64| match k {
            0 => {
                if x > 0.0 {
                    x * x
                } else {
                    0.0
                }
            }
            _ => {
                if x > 0.0 {
                    0.0
                } else {
                    expm1_less_x(x)
                }
            }
        };
        check("xielu", XieluAlphas::default(), [0.7, 0.9], k, 4.0, exact, |_| 0.0);
    }
}
