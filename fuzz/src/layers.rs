//! Gates, layers with parameters, second derivatives, attention, routers, and losses with settings: levels of a kind agree to the
//! bit, and what must hold of any input does.

use activations::{
    Activation, BinaryCrossEntropy, Broadcast, ClampedSwiGlu, CrossEntropy, Gate, Gelu, Level, ParameterError,
    PerChannel, SecondDerivative, SinkGradient, Softmax, SwishBeta, TopKSoftmax,
};

use crate::input::Input;
use crate::support::{assert_same, show};

pub(crate) fn run(mut input: Input<'_>) {
    match input.below(5) {
        0 => elements(input),
        1 => attention(input),
        2 => long_axis(input),
        3 => router(input),
        _ => losses(input),
    }
}

/// Runs at each level, and checks that all levels of a kind give the same bits.
fn agree(what: &str, run: impl Fn(Level) -> Vec<f32>) -> Vec<f32> {
    let mut of_kinds: [Option<Vec<f32>>; 2] = [None, None];
    for level in Level::available() {
        let (got, kind) = (run(level), &mut of_kinds[usize::from(level.is_fused())]);
        let first = kind.get_or_insert_with(|| got.clone());
        assert_same(&format!("{what} at {level}"), &[], first, &got);
    }
    let [plain, fused] = of_kinds;
    fused.or(plain).expect("there is a level")
}

fn elements(mut input: Input<'_>) {
    let n = 15 * input.below(60);
    let [x, g, h] = [(); 3].map(|()| input.floats::<f32>(n));
    let zeros = || vec![f32::NAN; n];
    let unit = ClampedSwiGlu::default();
    agree("clamped_swi_glu", |level| {
        let [mut out, mut of_gate, mut of_up] = [(); 3].map(|()| zeros());
        level.with(unit).forward(&x, &g, &mut out);
        level.with(unit).backward(&x, &g, &h, &mut of_gate, &mut of_up);
        for (((x, g), out), (h, of_up)) in x.iter().zip(&g).zip(&out).zip(h.iter().zip(&of_up)) {
            assert_eq!(out.is_nan(), x.is_nan() || g.is_nan(), "{} {}: {}", show(*x), show(*g), show(*out));
            assert!(
                g.abs() < 7.0 || g.is_nan() || !h.is_finite() || !x.is_finite() || *of_up == 0.0,
                "{}",
                show(*of_up)
            );
        }
        [out, of_gate, of_up].concat()
    });
    agree("double_backward", |level| {
        let [mut ggy, mut grad_x] = [(); 2].map(|()| zeros());
        level.with(Gelu).double_backward(&x, &g, &h, &mut ggy, &mut grad_x);
        [ggy, grad_x].concat()
    });
    agree("per channel", |level| {
        let (mut grad_x, mut of_betas) = (zeros(), vec![0.0; 5]);
        let layer = PerChannel::new(SwishBeta, [&[0.0, 1.0, -0.5, 2.0, 40.0]]).inner(3);
        level.with(layer).backward_with_parameters(&x, &g, &mut grad_x, [&mut of_betas]);
        [level.with(layer).forward_vec(&x), grad_x, of_betas].concat()
    });
}

fn attention(mut input: Input<'_>) {
    let (n, rows, window, cap) = (1 + input.below(200), 4 * (1 + input.below(3)), 1 + input.below(100), input.number());
    let offset = input.below(200) as isize - 20;
    let [x, g] = [(); 2].map(|()| input.floats::<f32>(n * rows));
    let sinks = input.floats::<f32>(2);
    let scores = || -> Result<_, ParameterError> {
        let scores = Softmax::rows(n)?.causal(2, offset)?.window(window)?.sink(Broadcast::each_cycled(&sinks, 2))?;
        scores.soft_cap(cap)
    };
    let Ok(scores) = scores() else {
        assert!(!(cap.is_finite() && cap > 0.0));
        return;
    };
    let scores = scores.empty_rows_are_zeros();
    let p = agree("attention", |level| level.with(scores).forward_vec(&x));
    for (row, p) in p.chunks(n).enumerate() {
        let end = (row as isize % 2 + offset + 1).clamp(0, n as isize) as usize;
        let hidden = (0..n).filter(|&i| i >= end || i + window < (row as isize % 2 + offset + 1).max(0) as usize);
        let (sum, nan) = (p.iter().sum::<f32>(), p.iter().any(|p| p.is_nan()));
        assert!(nan || (0.0..1.0 + 1e-5).contains(&sum), "{p:?}");
        hidden.for_each(|i| assert!(nan || p[i] == 0.0, "row {row}, place {i}, which is hidden: {p:?}"));
    }
    agree("attention's gradient", |level| {
        let (mut grad, mut of_sinks) = (vec![0.0; x.len()], vec![0.0; 2]);
        level.with(scores).backward_with_sink(&x, &g, &mut grad, &mut of_sinks);
        [grad, of_sinks].concat()
    });
}

fn long_axis(mut input: Input<'_>) {
    let (n, inner) = (1 + input.below(6_000), 1 + input.below(12));
    let x = input.floats::<f32>(n * inner);
    let turned: Vec<f32> = (0..x.len()).map(|i| x[i % inner * n + i / inner]).collect();
    let (by_rows, along) = (Softmax::rows(n).expect("a length"), Softmax::axis(n, inner).expect("an axis"));
    let y = along.forward_vec(&turned);
    let back: Vec<f32> = (0..x.len()).map(|i| y[i % n * inner + i / n]).collect();
    assert_same("a long axis", &x, &by_rows.forward_vec(&x), &back);
}

fn router(mut input: Input<'_>) {
    let n = 1 + input.below(140);
    let (k, rows, over_all) = (1 + input.below(n), input.below(6), input.flag());
    let x = input.floats::<f32>(n * rows);
    let router = TopKSoftmax::new(n, k).expect("k is allowed");
    let router = if over_all { router.over_all() } else { router };
    let mut places = vec![0; k * rows];
    router.forward(&x, &mut places, &mut vec![0.0; k * rows]);
    let weights = agree("router", |level| {
        let (mut again, mut weights, mut grad) = (vec![0; k * rows], vec![0.0; k * rows], vec![0.0; x.len()]);
        router.forward_at(level, &x, &mut again, &mut weights);
        assert_eq!(places, again);
        router.backward_at(level, &x, &again, &weights, &mut grad);
        [weights, grad].concat()
    });
    for ((places, weights), x) in places.chunks(k).zip(weights.chunks(k)).zip(x.chunks(n)) {
        let ordered = |pair: &[usize]| {
            let (a, b) = (x[pair[0]], x[pair[1]]);
            a.is_nan() || a > b || a == b && pair[0] < pair[1]
        };
        assert!(places.windows(2).all(ordered), "{places:?} of {x:?}");
        let sum: f32 = weights.iter().sum();
        assert!(sum.is_nan() || (0.0..1.0 + 1e-5).contains(&sum), "{weights:?}");
    }
}

fn losses(mut input: Input<'_>) {
    let (n, rows, gamma, number) = (1 + input.below(90), input.below(9), input.number(), input.number());
    let classes: Vec<u32> = (0..rows).map(|_| input.below(n) as u32).collect();
    let x = input.floats::<f32>(n * rows);
    let plain = CrossEntropy::new(n).expect("classes");
    let kinds = [plain.focal(gamma), plain.z_loss(number), plain.soft_cap(number)];
    for loss in kinds.into_iter().flatten() {
        let both = agree("losses", |level| {
            let (mut losses, mut grad) = (vec![0.0; rows], vec![0.0; x.len()]);
            loss.at(level).losses_and_gradient(&x, &classes, &mut losses, &mut grad);
            [losses, grad].concat()
        });
        assert!(both[..rows].iter().all(|loss| loss.is_nan() || *loss >= 0.0), "{both:?}");
    }
    let targets: Vec<f32> = (0..x.len()).map(|i| [0.0, 0.25, 1.0][i % 3]).collect();
    if let Ok(loss) = BinaryCrossEntropy::new().focal(gamma) {
        let both = agree("binary focal", |level| {
            let (mut losses, mut grad) = (vec![0.0; x.len()], vec![0.0; x.len()]);
            loss.at(level).losses_and_gradient(&x, &targets, &mut losses, &mut grad);
            [losses, grad].concat()
        });
        for (i, x) in x.iter().enumerate() {
            let (loss, slope) = (both[i], both[i + targets.len()]);
            assert!(x.is_nan() || loss >= 0.0 && slope.is_finite(), "{}: {loss} {slope}", show(*x));
        }
    }
}
