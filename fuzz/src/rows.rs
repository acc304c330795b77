//! Functions of rows, log-sum-exp in pieces, and losses.

use activations::{
    Activation, AnyActivation, BinaryCrossEntropy, CrossEntropy, Level, LogSoftmax, LogSumExp, Softmax, Softmin,
    log_sum_exp,
};

use crate::input::Input;
use crate::support::{Float, Outputs, assert_same, on_rows, same, show, sum};

pub(crate) fn run(mut input: Input<'_>) {
    match input.below(5) {
        0 => functions::<f32>(input),
        1 => functions::<f64>(input),
        2 => scores(input),
        3 => pieces(input),
        _ => losses(input),
    }
}

/// Rows of a length, and how many there are.
fn shape(input: &mut Input<'_>) -> (usize, usize) {
    (1 + input.below(150), input.below(7))
}

fn functions<T: Float>(mut input: Input<'_>) {
    let (n, rows) = shape(&mut input);
    let functions = on_rows(n);
    let function = functions[input.below(functions.len())];
    let x = input.floats::<T>(n * rows);
    let grad_y: Vec<T> = input.floats(n * rows);
    let mut of_kinds: [Option<Outputs<T>>; 2] = [None, None];
    for level in Level::available() {
        let at = level.with(function);
        let outputs = Outputs::of(&at, &x, &grad_y);
        let what = |pass: &str| format!("{function} at {level}, rows of {n}, {pass}");
        for (pass, got) in &outputs.values()[1..] {
            assert_same(&what(pass), &x, &outputs.forward, got);
        }
        assert_same(&what("both"), &x, &outputs.derivative, &outputs.both.1);
        for (row, y) in x.chunks(n).zip(outputs.forward.chunks(n)) {
            assert_same(&what("one row alone"), row, &alone(&at, row), y);
            row_keeps_its_promises(function, level, row, y);
        }
        match &of_kinds[usize::from(level.is_fused())] {
            Some(other) => {
                for (this, other) in outputs.named().into_iter().zip(other.named()) {
                    assert_same(&what(this.0), &x, other.1, this.1);
                }
            }
            None => of_kinds[usize::from(level.is_fused())] = Some(outputs),
        }
    }
}

fn alone<T: Float>(function: &impl Activation<T>, row: &[T]) -> Vec<T> {
    let mut y = vec![T::nan(); row.len()];
    function.forward(row, &mut y);
    y
}

fn row_keeps_its_promises<T: Float>(function: AnyActivation, level: Level, x: &[T], y: &[T]) {
    let name = function.card().name;
    let has = |bad: T| x.contains(&bad);
    let none = |bad: T| x.iter().all(|&x| x == bad);
    let (inf, minus_inf) = (T::infinity(), T::neg_infinity());
    let is_nan = x.iter().any(|x| x.is_nan())
        || match name {
            "softmax" | "log_softmax" => has(inf) || none(minus_inf),
            "softmin" => has(minus_inf) || none(inf),
            "sparsemax" => return,
            _ => false,
        };
    let shown = || format!("{name} of {x:?}: {y:?}");
    assert!(y.iter().all(|y| y.is_nan() == is_nan), "{}", shown());
    if is_nan {
        return;
    }
    let sum = sum(y.iter().map(|y| y.wide()));
    match name {
        "log_softmax" => assert!(y.iter().all(|&y| y <= T::zero()), "{}", shown()),
        "hardmax" => assert!(sum == 1.0 && y.iter().all(|&y| y == T::zero() || y == T::one()), "{}", shown()),
        _ => {
            assert!(y.iter().all(|&y| T::zero() <= y && y <= T::one()), "{}", shown());
            // Each probability has its own bound. A spacing is below EPS of its number. In `f64` the sum itself is rounded.
            let bound = T::bounds(&function.card().error, level.is_fused()).0;
            let tiny = y.len() as f64 * T::TINY;
            assert!((sum - 1.0).abs() <= (bound + 1.0) * (T::EPS + tiny), "sum {sum}: {}", shown());
        }
    }
}

/// Scores of attention, and rows along another axis.
fn scores(mut input: Input<'_>) {
    let (n, rows) = (1 + input.below(40), 1 + input.below(7));
    let keep: Vec<bool> = (0..n * rows).map(|_| input.flag()).collect();
    let scale = input.number();
    let x = input.floats::<f32>(n * rows);
    let bias = input.floats::<f32>(n * rows);
    let hidden: Vec<f32> = x.iter().zip(&keep).map(|(&x, &keep)| if keep { x } else { f32::NEG_INFINITY }).collect();
    let softmax = Softmax::rows(n).expect("a length");
    assert_same("masked", &x, &alone(&softmax, &hidden), &alone(&softmax.masked(&keep).expect("whole rows"), &x));
    match softmax.scaled(scale) {
        Ok(scores) => {
            let scores = scores.biased(&bias).and_then(|s| s.masked(&keep)).expect("whole rows").empty_rows_are_zeros();
            for (row, keep) in alone(&scores, &x).chunks(n).zip(keep.chunks(n)) {
                let (sum, nan) = (row.iter().sum::<f32>(), row.iter().any(|p| p.is_nan()));
                assert!(nan || sum == 0.0 || (sum - 1.0).abs() < 1e-5, "{row:?}");
                assert!(nan || keep.iter().zip(row).all(|(&keep, &p)| keep || p == 0.0), "{row:?}");
                assert!(keep.contains(&true) || row.iter().all(|&p| p == 0.0), "{row:?}");
            }
        }
        Err(_) => assert!(!(scale.is_finite() && scale > 0.0)),
    }

    let turned: Vec<f32> = (0..n * rows).map(|i| x[i % rows * n + i / rows]).collect();
    let turn = |y: Vec<f32>| -> Vec<f32> { (0..n * rows).map(|i| y[i % n * rows + i / n]).collect() };
    let along = |y| turn(y);
    assert_same("softmax", &x, &alone(&softmax, &x), &along(alone(&Softmax::axis(n, rows).unwrap(), &turned)));
    let (by_rows, by_axis) = (LogSoftmax::rows(n).unwrap(), LogSoftmax::axis(n, rows).unwrap());
    assert_same("log_softmax", &x, &alone(&by_rows, &x), &along(alone(&by_axis, &turned)));
    let (by_rows, by_axis) = (Softmin::rows(n).unwrap(), Softmin::axis(n, rows).unwrap());
    assert_same("softmin", &x, &alone(&by_rows, &x), &along(alone(&by_axis, &turned)));
}

/// Log-sum-exp of pieces, pushed and merged, compared with the sum in `f64`.
fn pieces(mut input: Input<'_>) {
    let len = input.below(600);
    let mut cuts: Vec<usize> = (0..input.below(5)).map(|_| input.below(600).min(len)).chain([0, len]).collect();
    cuts.sort_unstable();
    let singly = input.flag();
    let x = input.floats::<f32>(len);
    let pieces = cuts.windows(2).map(|cut| {
        let piece = &x[cut[0]..cut[1]];
        if !singly {
            return LogSumExp::of(piece);
        }
        let mut sum = LogSumExp::new();
        piece.iter().for_each(|&x| sum.push(x));
        sum
    });
    let merged = pieces.fold(LogSumExp::new(), |mut left, right| {
        let mut swapped = right;
        swapped.merge(&left);
        left.merge(&right);
        assert!(same(left.finish(), swapped.finish()), "merging is not commutative: {x:?}");
        left
    });

    let max = x.iter().fold(f64::NEG_INFINITY, |max, &x| max.max(f64::from(x)));
    let exact = if x.iter().any(|x| x.is_nan()) {
        f64::NAN
    } else if max.is_infinite() {
        max
    } else {
        // The greatest is 1. The others may be negligible beside it, but if the greatest is near 0, they decide the result.
        let greatest = x.iter().position(|&x| f64::from(x) == max).expect("one is the greatest");
        let others = x.iter().enumerate().filter(|&(i, _)| i != greatest);
        max + libm::log1p(sum(others.map(|(_, &x)| libm::exp(f64::from(x) - max))))
    };
    for (how, got) in [("pieces", merged.finish()), ("whole", log_sum_exp(&x))] {
        // If the two nearly cancel, the reference has few digits.
        let few_digits = exact.abs() < 1e-6 * max.abs();
        let error = crate::common::ulp::error_f32(got, exact, 0.0);
        assert!(few_digits || error <= 1.5, "{how}: {error} ULP: expected {exact:e}, got {}: {x:?}", show(got));
    }
}

fn losses(mut input: Input<'_>) {
    let (n, rows) = shape(&mut input);
    let classes: Vec<u32> = (0..rows).map(|_| input.below(n) as u32).collect();
    let smoothing = input.number();
    let x = input.floats::<f32>(n * rows);
    let loss = CrossEntropy::new(n).expect("classes");
    let loss = loss.label_smoothing(smoothing).unwrap_or(loss);
    let (mut values, mut both, mut grad) = (vec![0.0; rows], vec![0.0; rows], vec![0.0; n * rows]);
    loss.losses(&x, &classes[..], &mut values);
    loss.losses_and_gradient(&x, &classes[..], &mut both, &mut grad);
    assert_same("losses", &[], &values, &both);
    for ((x, &value), grad) in x.chunks(n).zip(&values).zip(grad.chunks(n)) {
        let undefined =
            x.iter().any(|x| x.is_nan() || *x == f32::INFINITY) || x.iter().all(|&x| x == f32::NEG_INFINITY);
        assert_eq!(value.is_nan(), undefined, "the loss of {x:?} is {value}");
        assert!(undefined || value >= 0.0, "the loss of {x:?} is {value}");
        let sum: f64 = grad.iter().map(|&g| f64::from(g)).sum();
        assert!(undefined || sum.abs() < 1e-5, "the gradient of {x:?} is {grad:?}, its sum {sum}");
    }

    let targets: Vec<f32> = (0..x.len()).map(|i| [0.0, 0.25, 1.0][i % 3]).collect();
    let (mut values, mut both) = (vec![0.0; x.len()], vec![0.0; x.len()]);
    BinaryCrossEntropy::default().losses(&x, &targets, &mut values);
    BinaryCrossEntropy::default().losses_and_gradient(&x, &targets, &mut both, &mut grad);
    assert_same("binary losses", &x, &values, &both);
    for (((&x, &target), &value), &grad) in x.iter().zip(&targets).zip(&values).zip(&grad) {
        assert_eq!(value.is_nan(), x.is_nan(), "{} with target {target}: {value}", show(x));
        assert!(x.is_nan() || value >= 0.0 && (-1.0..=1.0).contains(&grad), "{}: {value}, {grad}", show(x));
    }
}
