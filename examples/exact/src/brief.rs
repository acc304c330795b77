//! Measures the errors of the short formulas of `Exact`, compared with the kernels for `f64`.

use activations::{Brief, Elementwise, Elu, Gelu, GeluTanh, Level, Mish, Pass, Sigmoid, Silu, Softplus, Tanh};
use fearless_simd::dispatch;

/// What `Exact` lets them be off by is 2^-38. They must be within half of that.
const LIMIT: f64 = 1.0 / (1_u64 << 39) as f64;

/// `Exact` computes smaller derivatives again, right of here.
const NEAR_ROOT: f64 = 1.0 / 4096.0;
const ROOTS_FROM: f64 = -2.0;

/// The greatest error relative to the result, and where.
#[inline(always)]
fn worst(near: &[f64], brief: &[f64], x: &[f64], cancels: bool) -> f64 {
    let mut worst = 0.0_f64;
    for ((&near, &brief), &x) in near.iter().zip(brief).zip(x) {
        let size = near.abs();
        // Below and above the range of `f32` nothing is decided by them.
        let counts = (size >= f64::from(f32::MIN_POSITIVE)) & (size <= f64::from(f32::MAX));
        let open = cancels & (size < NEAR_ROOT) & (x >= ROOTS_FROM);
        let error = if counts & !open { ((brief - near) / near).abs() } else { 0.0 };
        worst = if error > worst { error } else { worst };
    }
    worst
}

fn measure<F: Elementwise + Default + Sync>(name: &str, cancels: bool, stride: u64) -> bool {
    const CHUNK: u64 = 4_096;
    let f = F::default();
    let mut fine = true;
    for (what, slope) in [("", false), ("'", true)] {
        let over = |parity: u64| {
            let (mut greatest, mut at) = (0.0, 0.0);
            let mut brief = vec![0.0; CHUNK as usize];
            let mut near = brief.clone();
            for start in (0..(1_u64 << 32).div_ceil(stride)).step_by(CHUNK as usize).skip(parity as usize).step_by(2) {
                let x: Vec<f64> = (start..start + CHUNK)
                    .map(|i| f32::from_bits((i * stride) as u32))
                    .map(|x| if x.is_finite() { f64::from(x) } else { 0.0 })
                    .collect();
                let level = Level::best();
                if slope {
                    f.run_f64(level, Pass::Derivative { x: &x, dydx: &mut near });
                } else {
                    f.run_f64(level, Pass::Forward { x: &x, y: &mut near });
                }
                let error = dispatch!(fearless_simd::Level::new(), _simd => {
                    for (&x, y) in x.iter().zip(&mut brief) {
                        *y = if slope { f.slope(Brief(x)).0 } else { f.value(Brief(x)).0 };
                    }
                    worst(&near, &brief, &x, cancels & slope)
                });
                if error > greatest {
                    (greatest, at) = (error, x[0]);
                }
            }
            (greatest, at)
        };
        let (first, second) = std::thread::scope(|scope| {
            let other = scope.spawn(|| over(1));
            (over(0), other.join().expect("a sweep does not panic"))
        });
        let (error, at): (f64, f64) = if first.0 > second.0 { first } else { second };
        println!("{:<12} 2^{:.2} near {at:e}", format!("{name}{what}"), error.log2());
        fine &= error <= LIMIT;
    }
    fine
}

/// Whether all are within the limit.
pub(crate) fn measure_all(stride: u64) -> bool {
    let mut fine = true;
    fine &= measure::<Sigmoid>("sigmoid", false, stride);
    fine &= measure::<Tanh>("tanh", false, stride);
    fine &= measure::<Gelu>("gelu", true, stride);
    fine &= measure::<GeluTanh>("gelu_tanh", true, stride);
    fine &= measure::<Silu>("silu", true, stride);
    fine &= measure::<Elu>("elu", false, stride);
    fine &= measure::<Softplus>("softplus", false, stride);
    fine &= measure::<Mish>("mish", true, stride);
    fine
}
