//! Log-sum-exp: of a slice, of rows, in pieces, and the gradients and probabilities that follow from it.

use activations::{Level, LogSumExp, log_sum_exp, log_sum_exp_axis, log_sum_exp_backward, log_sum_exp_rows};

use crate::activations_cells::names;
use crate::big::Big;
use crate::cases::{Bits, Case};
use crate::judge::{Expected, Judge};
use crate::number::{Number, for_each_type, stale};
use crate::rows::{BOUND, exact_row};

/// 1.5 ULP of the result, or of 1 if the result is smaller.
fn logarithm(exact: Big) -> Expected {
    Expected::of(exact, 1.5).floor(Big::ONE)
}

/// Rows, laid out along the first axis.
pub(crate) fn side_by_side<T: Copy>(rows: &[T], len: usize) -> Vec<T> {
    (0..len).flat_map(|place| rows.chunks(len).map(move |row| row[place])).collect()
}

fn functions<T: Number>(judge: &mut Judge) {
    for case in Case::ALL {
        let mut bits = Bits(23);
        for len in case.lengths(&[5, 64, 67, 300]) {
            let x = bits.inputs::<T>(case, len);
            let row = exact_row(&x);
            judge.check(
                ("log_sum_exp", "", case),
                || format!("{len} numbers"),
                logarithm(row.log_sum_exp),
                log_sum_exp(&x),
            );

            for grad_y in [T::of(1.0), T::of(-2.7)] {
                let expected: Vec<Expected> =
                    row.p.iter().map(|&(p, _)| Expected::of(p, BOUND).times::<T>(grad_y.big())).collect();
                let mut grad_x = stale(len);
                log_sum_exp_backward(&x, grad_y, &mut grad_x);
                judge.slice(("log_sum_exp_backward", "", case), &format!("times {grad_y:?}"), &x, &expected, &grad_x);
            }
        }
        for (rows, len) in [(3, 2), (4, 7), (33, 5), (2, 33), (2, 300), (2, 1_100)] {
            let (rows, len) = if case == Case::One { (1, 1) } else { (case.len(rows), len) };
            let x = bits.inputs::<T>(case, rows * len);
            let expected: Vec<Expected> = x.chunks(len).map(|x| logarithm(exact_row(x).log_sum_exp)).collect();
            let mut y = stale(rows);
            log_sum_exp_rows(&x, len, &mut y);
            judge.slice(("log_sum_exp_rows", "", case), &format!("{rows} rows of {len}"), &[], &expected, &y);
            y.fill(T::nan());
            log_sum_exp_axis(&side_by_side(&x, len), len, rows.max(1), &mut y);
            judge.slice(("log_sum_exp_axis", "", case), &format!("{rows} rows of {len}"), &[], &expected, &y);
        }
    }
}

/// The state of the same numbers, built in all ways.
fn states<T: Number>(x: &[T], level: Level) -> Vec<(&'static str, LogSumExp<T>)> {
    let mut pushed = LogSumExp::new();
    x.iter().for_each(|&x| pushed.push(x));
    let mut sliced = LogSumExp::default();
    x.chunks(20).for_each(|x| sliced.push_slice(x));
    let mut leveled = LogSumExp::new();
    x.chunks(40).for_each(|x| leveled.push_slice_at(level, x));
    let (left, right) = x.split_at(x.len() / 3);
    let mut merged = LogSumExp::of(left);
    merged.merge(&LogSumExp::of(right));
    // Pieces of one number, merged as a tree.
    let mut pieces: Vec<LogSumExp<T>> = x.iter().map(|&x| LogSumExp::of(&[x])).collect();
    while pieces.len() > 1 {
        let pair = |pair: &[LogSumExp<T>]| {
            let mut sum = pair[0];
            pair[1..].iter().for_each(|other| sum.merge(other));
            sum
        };
        pieces = pieces.chunks(2).map(pair).collect();
    }
    vec![
        ("new", LogSumExp::of(x)),
        ("of", LogSumExp::of(x)),
        ("push", pushed),
        ("push_slice", sliced),
        ("push_slice_at", leveled),
        ("merge", merged),
        ("merge", pieces.pop().unwrap_or_default()),
        ("to_parts", LogSumExp::from_parts(LogSumExp::of(x).to_parts())),
        ("from_parts", LogSumExp::from_parts(LogSumExp::of(x).to_parts())),
    ]
}

fn in_pieces<T: Number>(judge: &mut Judge) {
    for case in Case::ALL {
        let mut bits = Bits(24);
        for len in case.lengths(&[7, 67, 300]) {
            let x = bits.inputs::<T>(case, len);
            let row = exact_row(&x);
            let p: Vec<Expected> = row.p.iter().map(|&(p, _)| Expected::of(p, BOUND)).collect();
            for level in Level::available() {
                for (by, state) in states(&x, level) {
                    let (place, name) = (format!("{len} numbers by {by} at {level}"), format!("LogSumExp::{by}"));
                    // Counts for the method that built the state, and for `finish`.
                    for name in [name.as_str(), "LogSumExp::finish"] {
                        judge.check((name, "", case), || place.clone(), logarithm(row.log_sum_exp), state.finish());
                    }
                    let mut got = stale(len);
                    state.normalise(&x, &mut got);
                    judge.slice(("LogSumExp::normalise", "", case), &place, &x, &p, &got);
                    state.normalise_at(level, &x, &mut got);
                    judge.slice(("LogSumExp::normalise_at", "", case), &place, &x, &p, &got);
                    judge.cell::<T>("LogSumExp::probability", "", case);
                    for (&x, &p) in x.iter().zip(&p) {
                        let place = || format!("{place}, of {x:?}");
                        judge.check(("LogSumExp::probability", "", case), place, p, state.probability(x));
                    }
                }
            }
        }
    }
}

pub(crate) fn covered() -> Vec<String> {
    let of_state = [
        "new",
        "of",
        "push",
        "push_slice",
        "push_slice_at",
        "merge",
        "to_parts",
        "from_parts",
        "finish",
        "normalise",
        "normalise_at",
        "probability",
    ];
    let functions = ["log_sum_exp", "log_sum_exp_axis", "log_sum_exp_backward", "log_sum_exp_rows"].map(String::from);
    [functions.to_vec(), names(&["LogSumExp"], &of_state)].concat()
}

#[test]
fn log_sum_exps_are_within_their_bounds() {
    let mut judge = Judge::new("sums");
    for_each_type!(functions(&mut judge));
    for_each_type!(in_pieces(&mut judge));
    judge.finish(&covered());
}
