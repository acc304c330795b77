//! `Wide`, which takes halves and gives `f32`, and log-sum-exps that are not rounded to the element.

use activations::{
    Activation, BinaryCrossEntropy, CrossEntropy, Level, LogSoftmax, LogSumExp, Reduction, Softmax, Wide,
    log_sum_exp_axis_wide, log_sum_exp_rows_wide, log_sum_exp_wide,
};

use crate::activations_cells::{Passes, activations, names};
use crate::big::Big;
use crate::cases::{Bits, Case};
use crate::formulas::{Formula, Pair};
use crate::judge::{Expected, Judge};
use crate::losses::{Batch, exact_binary};
use crate::number::{Number, big, for_each_type, stale};
use crate::rows::{Kind, Shape, Terms, exact_row, expected};
use crate::sums::side_by_side;

/// An element whose type of computation is in the matrix too.
trait Widened: Number<Float: Number> {}

impl<T: Number<Float: Number>> Widened for T {}

/// The methods of `Wide(f)`; gradients only where rows fit into a block.
fn check<T: Widened, A: Activation<T::Float>>(
    judge: &mut Judge,
    what: &str,
    case: Case,
    passes: &Passes<'_, T>,
    f: A,
    fits: bool,
) {
    let (x, f) = (passes.x, Wide(f));
    let grad_y: Vec<T::Float> = passes.grad_y.iter().map(|g| T::Float::of(g.wide())).collect();
    let mut check = |name, expected: &[Expected], got: &[T::Float]| {
        judge.wide::<T>((name, what, case), "best level", expected, got);
    };
    let mut y = stale(x.len());
    f.forward(x, &mut y);
    check("Wide::forward", &passes.values, &y);
    check("Wide::forward_vec", &passes.values, &f.forward_vec(x));
    if fits {
        let (mut dydx, mut grad_x) = (stale(x.len()), stale(x.len()));
        f.derivative(x, &mut dydx);
        check("Wide::derivative", &passes.slopes, &dydx);
        f.backward(x, &grad_y, &mut grad_x);
        check("Wide::backward", &passes.grads, &grad_x);
    }
}

/// `Wide(activation)`, for all activations of single numbers.
fn of_numbers<T: Widened>(judge: &mut Judge) {
    for (number, (activation, more)) in activations().into_iter().enumerate() {
        let Some(formula) = Formula::of::<T>(&activation) else { continue };
        let fused = Level::best().is_fused();
        let (value, slope) = T::bounds(&activation.card().error, fused);
        for case in Case::ALL {
            let mut bits = Bits(number as u64);
            let x = bits.inputs::<T>(case, 67);
            let grad_y = bits.numbers::<T>(x.len(), 3.0);
            let exact: Vec<Pair> = big(&x).into_iter().map(|x| formula.at(x)).collect();
            let passes = Passes::of(
                &x,
                &grad_y,
                &exact,
                (value + more, slope + more),
                (formula.value_floor(), formula.slope_floor()),
            );
            check(judge, &activation.to_string(), case, &passes, activation, true);
        }
    }
}

/// `Wide(Softmax)` and `Wide(LogSoftmax)`, plain.
fn of_rows<T: Widened>(judge: &mut Judge) {
    for (case, kind) in
        Case::ALL.into_iter().flat_map(|case| [Kind::Softmax, Kind::LogSoftmax].map(|kind| (case, kind)))
    {
        for shape in Shape::of(case).into_iter().filter(|shape| shape.inner == 1) {
            let mut bits = Bits(7);
            let x = bits.inputs::<T>(case, shape.size());
            let grad_y = bits.numbers::<T>(x.len(), 3.0);
            let fused = Level::best().is_fused();
            let passes = expected(kind, shape, &Terms::plain(), &x, &grad_y, fused);
            let (what, fits) = (kind.name(), !T::IS_HALF || shape.len <= 1_024);
            match kind {
                Kind::LogSoftmax => {
                    check(judge, what, case, &passes, LogSoftmax::rows(shape.len).expect("a length"), fits);
                }
                _ => check(judge, what, case, &passes, Softmax::rows(shape.len).expect("a length"), fits),
            }
        }
    }
}

/// `Wide(CrossEntropy)` and `Wide(BinaryCrossEntropy)`: losses in `f32`, gradients in the element's type.
fn of_losses<T: Widened>(judge: &mut Judge) {
    for case in Case::ALL {
        let mut bits = Bits(41);
        let (rows, classes) = if case == Case::One { (1, 1) } else { (case.len(9), 5) };
        let x = bits.inputs::<T>(case, rows * classes);
        for batch in Batch::all(&mut bits, rows, classes) {
            let (exact, cell) = (batch.exact(&x), |name| (name, batch.what, case));
            for reduction in [Reduction::Mean, Reduction::Sum] {
                let loss = Wide(batch.loss.reduction(reduction));
                let (of_batch, grads) = (exact.reduced::<T>(reduction), exact.reduced_grads::<T>(reduction));
                judge.wide::<T>(cell("Wide<CrossEntropy>::loss"), "", &[of_batch], &[loss.loss(&x, batch.targets())]);
                let mut grad = stale::<T>(x.len());
                let got = loss.loss_and_gradient(&x, batch.targets(), &mut grad);
                judge.wide::<T>(cell("Wide<CrossEntropy>::loss_and_gradient"), "", &[of_batch], &[got]);
                judge.slice(cell("Wide<CrossEntropy>::loss_and_gradient"), "", &x, &grads, &grad);
            }
            let loss = Wide(batch.loss);
            let (mut losses, mut grad) = (stale::<T::Float>(rows), stale::<T>(x.len()));
            loss.losses(&x, batch.targets(), &mut losses);
            judge.wide::<T>(cell("Wide<CrossEntropy>::losses"), "", &exact.losses, &losses);
            loss.losses_and_gradient(&x, batch.targets(), &mut losses, &mut grad);
            judge.wide::<T>(cell("Wide<CrossEntropy>::losses_and_gradient"), "", &exact.losses, &losses);
            judge.slice(cell("Wide<CrossEntropy>::losses_and_gradient"), "", &x, &exact.grads, &grad);
        }

        let x = bits.inputs::<T>(case, case.len(67));
        let t: Vec<T> = (0..x.len()).map(|_| T::of(bits.within(1.0).abs())).collect();
        let exact = exact_binary(&x, &t, 3.3, Level::best().is_fused());
        let cell = |name| (name, "binary", case);
        for reduction in [Reduction::Mean, Reduction::Sum] {
            let loss = Wide(BinaryCrossEntropy::new().pos_weight(3.3).expect("a weight").reduction(reduction));
            let (of_batch, grads) = (exact.reduced::<T>(reduction), exact.reduced_grads::<T>(reduction));
            judge.wide::<T>(cell("Wide<BinaryCrossEntropy>::loss"), "", &[of_batch], &[loss.loss(&x, &t)]);
            let mut grad = stale::<T>(x.len());
            let got = loss.loss_and_gradient(&x, &t, &mut grad);
            judge.wide::<T>(cell("Wide<BinaryCrossEntropy>::loss_and_gradient"), "", &[of_batch], &[got]);
            judge.slice(cell("Wide<BinaryCrossEntropy>::loss_and_gradient"), "", &x, &grads, &grad);
            let (mut losses, mut grad) = (stale::<T::Float>(x.len()), stale::<T>(x.len()));
            loss.losses(&x, &t, &mut losses);
            judge.wide::<T>(cell("Wide<BinaryCrossEntropy>::losses"), "", &exact.losses, &losses);
            loss.losses_and_gradient(&x, &t, &mut losses, &mut grad);
            judge.wide::<T>(cell("Wide<BinaryCrossEntropy>::losses_and_gradient"), "", &exact.losses, &losses);
            judge.slice(cell("Wide<BinaryCrossEntropy>::losses_and_gradient"), "", &x, &exact.grads, &grad);
        }
    }
}

/// `log_sum_exp_wide`, `log_sum_exp_rows_wide` and `LogSumExp::finish_wide`.
fn of_sums<T: Widened>(judge: &mut Judge) {
    let logarithm = |x: &[T]| Expected::of(exact_row(x).log_sum_exp, 1.5).floor(Big::ONE);
    for case in Case::ALL {
        let mut bits = Bits(23);
        for len in [5, 67, 300].map(|len| case.len(len)) {
            let x = bits.inputs::<T>(case, len);
            let expected = [logarithm(&x)];
            judge.wide::<T>(("log_sum_exp_wide", "", case), "", &expected, &[log_sum_exp_wide(&x)]);
            let mut pieces = LogSumExp::new();
            x.chunks(7).for_each(|x| pieces.merge(&LogSumExp::of(x)));
            judge.wide::<T>(("LogSumExp::finish_wide", "", case), "", &expected, &[pieces.finish_wide()]);
        }
        for (rows, len) in [(3, 2), (4, 7), (2, 300)] {
            let (rows, len) = if case == Case::One { (1, 1) } else { (case.len(rows), len) };
            let x = bits.inputs::<T>(case, rows * len);
            let expected: Vec<Expected> = x.chunks(len).map(logarithm).collect();
            let mut y = stale::<T::Float>(rows);
            log_sum_exp_rows_wide(&x, len, &mut y);
            judge.wide::<T>(("log_sum_exp_rows_wide", "", case), "", &expected, &y);
            let mut y = stale::<T::Float>(rows);
            log_sum_exp_axis_wide(&side_by_side(&x, len), len, rows.max(1), &mut y);
            judge.wide::<T>(("log_sum_exp_axis_wide", "", case), "", &expected, &y);
        }
    }
}

/// 16 of the reports: results that a half cannot hold.
#[cfg(feature = "half")]
#[test]
fn losses_of_halves_come_in_f32() {
    use half::{bf16, f16};

    let mut bits = Bits(16);
    let x = bits.numbers::<bf16>(32_000, 12.0);
    let exact = (exact_row(&x).log_sum_exp - x[5].big()).to_f64();
    let loss = Wide(CrossEntropy::new(32_000).unwrap()).loss(&x, &[5]);
    assert!((f64::from(loss) - exact).abs() < 1e-5, "{loss} for {exact}");

    let x = bits.numbers::<f16>(8_192 * 2, 100.0);
    let exact: Big = x.chunks(2).map(|x| exact_row(x).log_sum_exp - x[0].big()).sum();
    let sum = Wide(CrossEntropy::new(2).unwrap().reduction(Reduction::Sum)).loss(&x, &[0; 8_192]);
    assert!((f64::from(sum) / exact.to_f64() - 1.0).abs() < 1e-6, "{sum} for {exact}");
}

pub(crate) fn covered() -> Vec<String> {
    let of_losses = ["loss", "loss_and_gradient", "losses", "losses_and_gradient"];
    let functions = ["log_sum_exp_wide", "log_sum_exp_axis_wide", "log_sum_exp_rows_wide", "LogSumExp::finish_wide"];
    let functions = functions.map(String::from);
    let of_functions = ["forward", "forward_vec", "derivative", "backward"];
    let losses = ["Wide<CrossEntropy>", "Wide<BinaryCrossEntropy>"];
    [names(&["Wide"], &of_functions), names(&losses, &of_losses), functions.to_vec()].concat()
}

#[test]
fn wide_results_are_within_their_bounds() {
    let mut judge = Judge::new("wide");
    for_each_type!(of_numbers(&mut judge));
    for_each_type!(of_rows(&mut judge));
    for_each_type!(of_losses(&mut judge));
    for_each_type!(of_sums(&mut judge));
    judge.finish(&covered());
}
