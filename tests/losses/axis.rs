//! Classes along an axis: all functions that take rows give the bits of adjacent rows.

use activations::{
    Activation, CrossEntropy, FromOutput, Hardmax, Level, Reduction, Sparsemax, Targets, Wide, log_sum_exp_axis,
    log_sum_exp_axis_wide, log_sum_exp_rows, log_sum_exp_rows_wide,
};

use crate::big::Big;
use crate::cases::Bits;
use crate::judge::Expected;
use crate::number::{Number, for_each_type, stale};
use crate::refused::{refused, says};

/// Converts rows of `len` adjacent elements to rows whose elements are `inner` apart, or back.
pub(crate) fn transposed<T: Copy>(x: &[T], len: usize, inner: usize, back: bool) -> Vec<T> {
    let unit = len * inner;
    (0..x.len())
        .map(|i| {
            let (block, place) = (i / unit * unit, i % unit);
            if !back {
                x[block + place % len * inner + place / len]
            } else {
                x[block + place % inner * len + place / inner]
            }
        })
        .collect()
}

fn bits<T: Number>(x: &[T]) -> Vec<u64> {
    x.iter().map(|x| x.bits()).collect()
}

/// Outer, classes, inner: below, equal to and above the sizes of vectors, groups, tiles, and of a row's part in a tile.
pub(crate) const SHAPES: [(usize, usize, usize); 14] = [
    (0, 3, 2),
    (1, 1, 5),
    (3, 2, 1),
    (2, 3, 7),
    (1, 19, 100),
    (3, 21, 33),
    (2, 40, 64),
    (1, 150, 70),
    (2, 100, 3),
    (2, 1_000, 6),
    (1, 1_100, 3),
    (2, 4_096, 2),
    (1, 4_100, 3),
    (1, 9_000, 2),
];

fn losses_along_axes<T: Number<Float: Number>>() {
    let mut random = Bits(5);
    for (outer, classes, inner) in SHAPES {
        let (rows, len) = (outer * inner, outer * classes * inner);
        let apart: Vec<T> = random.numbers(len, 20.0);
        let adjacent = transposed(&apart, classes, inner, false);
        let labels: Vec<i64> =
            (0..rows).map(|i| if i % 5 == 3 { -100 } else { random.below(classes) as i64 }).collect();
        let t: Vec<T> = (0..len).map(|_| T::of(random.within(1.0).abs() / classes as f64)).collect();
        let adjacent_t = transposed(&t, classes, inner, false);
        let w: Vec<T> = (0..classes).map(|i| T::of(0.25 + (i % 4) as f64)).collect();
        let levels: Vec<Level> = if classes > 2_000 { vec![Level::best()] } else { Level::available().collect() };
        for level in levels {
            for smoothing in [0.0, 0.1] {
                let settings = |loss: CrossEntropy| loss.label_smoothing(smoothing).unwrap().at(level);
                let rows_of = settings(CrossEntropy::new(classes).unwrap());
                let along = settings(CrossEntropy::axis(classes, inner).unwrap());
                for (what, targets, of_rows) in [
                    ("classes", Targets::from(&labels), Targets::from(&labels)),
                    ("weights", Targets::from(&labels).weighted(&w), Targets::from(&labels).weighted(&w)),
                    ("distributions", Targets::distributions(&t), Targets::distributions(&adjacent_t)),
                    ("both", Targets::distributions(&t).weighted(&w), Targets::distributions(&adjacent_t).weighted(&w)),
                ] {
                    let what = format!("{} {outer} x {classes} x {inner}, {what}, {smoothing}, {level}", T::TYPE);
                    let (mut losses, mut grad) = (stale::<T>(rows), stale::<T>(len));
                    along.losses_and_gradient(&apart, targets, &mut losses, &mut grad);
                    let (mut expected, mut expected_grad) = (stale::<T>(rows), stale::<T>(len));
                    rows_of.losses_and_gradient(&adjacent, of_rows, &mut expected, &mut expected_grad);
                    assert_eq!(bits(&losses), bits(&expected), "{what}");
                    let expected_grad = transposed(&expected_grad, classes, inner, true);
                    assert!(bits(&grad) == bits(&expected_grad), "{what}: gradients");
                    along.losses(&apart, targets, &mut losses);
                    assert_eq!(bits(&losses), bits(&expected), "{what}: without gradient");
                    for reduction in [Reduction::Mean, Reduction::Sum] {
                        let (along, rows_of) = (along.reduction(reduction), rows_of.reduction(reduction));
                        let got = Wide(along).loss_and_gradient(&apart, targets, &mut grad);
                        let expected = Wide(rows_of).loss_and_gradient(&adjacent, of_rows, &mut stale::<T>(len));
                        assert_eq!(got.bits(), expected.bits(), "{what}: {got} {expected}");
                        assert_eq!(got.bits(), Wide(along).loss(&apart, targets).bits(), "{what}");
                    }
                }
            }
        }
    }
}

#[test]
fn rows_along_an_axis_have_the_bits_of_rows() {
    for_each_type!(losses_along_axes());
}

/// All passes of an activation along an axis give the same as over rows.
fn passes<T: Number>(
    what: &str,
    along: &dyn Activation<T>,
    of_rows: &dyn Activation<T>,
    shape: (usize, usize),
    x: &[T],
) {
    let (len, inner) = shape;
    let rows = |x: &[T]| transposed(x, len, inner, false);
    let mut random = Bits(8);
    let grad_y: Vec<T> = random.numbers(x.len(), 2.0);
    for level in Level::available() {
        let (along, of_rows) = (level.with(along), level.with(of_rows));
        let check = |pass: &str, got: &[T], expected: &[T]| {
            assert!(bits(&rows(got)) == bits(expected), "{what} of {} at {level}: {pass}", T::TYPE);
        };
        let (mut y, mut expected) = (stale::<T>(x.len()), stale::<T>(x.len()));
        along.forward(x, &mut y);
        of_rows.forward(&rows(x), &mut expected);
        check("forward", &y, &expected);
        let mut in_place = x.to_vec();
        along.forward_in_place(&mut in_place);
        check("in place", &in_place, &expected);
        let (mut slope, mut expected_slope) = (stale::<T>(x.len()), stale::<T>(x.len()));
        along.derivative(x, &mut slope);
        of_rows.derivative(&rows(x), &mut expected_slope);
        check("derivative", &slope, &expected_slope);
        y.fill(T::nan());
        slope.fill(T::nan());
        along.forward_with_derivative(x, &mut y, &mut slope);
        check("both, forward", &y, &expected);
        check("both, derivative", &slope, &expected_slope);
        along.backward(x, &grad_y, &mut slope);
        of_rows.backward(&rows(x), &rows(&grad_y), &mut expected_slope);
        check("backward", &slope, &expected_slope);
    }
}

fn row_functions_along_axes<T: Number<Float: Number>>() {
    let mut random = Bits(6);
    for (outer, len, inner) in SHAPES {
        let what = format!("{outer} x {len} x {inner}");
        let mut x: Vec<T> = random.numbers(outer * len * inner, if len < 1_000 { 2.0 } else { 0.5 });
        for special in [None, Some(f64::NAN), Some(f64::INFINITY), Some(f64::NEG_INFINITY)] {
            if let (Some(special), Some(x)) = (special, x.get_mut(len / 2 * inner)) {
                *x = T::of(special);
            }
            let (along, of_rows) = (Hardmax::axis(len, inner).unwrap(), Hardmax::rows(len).unwrap());
            passes(&format!("hardmax {what}"), &along, &of_rows, (len, inner), &x);
            let (along, of_rows) = (Sparsemax::axis(len, inner).unwrap(), Sparsemax::rows(len).unwrap());
            passes(&format!("sparsemax {what}"), &along, &of_rows, (len, inner), &x);
            let y = along.forward_vec(&x);
            let (mut grad, mut expected) = (stale::<T>(x.len()), stale::<T>(x.len()));
            along.backward_from_output(&y, &x, &mut grad);
            let rows = |x: &[T]| transposed(x, len, inner, false);
            of_rows.backward_from_output(&rows(&y), &rows(&x), &mut expected);
            assert!(bits(&rows(&grad)) == bits(&expected), "sparsemax {what} from output");

            let (mut sums, mut expected) = (stale::<T>(outer * inner), stale::<T>(outer * inner));
            log_sum_exp_axis(&x, len, inner, &mut sums);
            log_sum_exp_rows(&rows(&x), len, &mut expected);
            let mut wide = vec![<T::Float as Number>::of(7.0); outer * inner];
            let mut expected_wide = wide.clone();
            log_sum_exp_axis_wide(&x, len, inner, &mut wide);
            log_sum_exp_rows_wide(&rows(&x), len, &mut expected_wide);
            if len <= 1_000 {
                assert_eq!((bits(&sums), bits(&wide)), (bits(&expected), bits(&expected_wide)), "{what}");
            }
            for row in 0..outer * inner {
                let row_of = &rows(&x)[row * len..][..len];
                let sum: Big = row_of.iter().map(|x| x.big().exp()).sum();
                if !sum.is_finite() {
                    assert!(wide[row].wide().is_nan() == sum.is_nan() && !wide[row].wide().is_finite(), "{what} {row}");
                    continue;
                }
                let expected = Expected::of(sum.ln(), 1.5).floor(Big::ONE);
                expected.judge(wide[row]).unwrap_or_else(|why| panic!("{what}, row {row}: {why}"));
                expected.judge(sums[row]).unwrap_or_else(|why| panic!("{what}, row {row}: {why}"));
            }
        }
    }
}

#[test]
fn hardmax_sparsemax_and_log_sum_exp_along_an_axis_are_those_of_rows() {
    for_each_type!(row_functions_along_axes());
}

#[test]
fn shapes_along_an_axis_that_do_not_fit_are_named() {
    let (x, loss) = ([0.5_f32; 12], CrossEntropy::axis(3, 2).unwrap());
    let (mut grad, mut y) = ([77.0_f32; 12], [77.0_f32; 4]);
    for (message, parts) in [
        (refused(|| loss.loss(&x[..9], &[0; 3])), ["9 logits", "3 classes x 2"]),
        (refused(|| loss.loss_and_gradient(&x, &[0; 3], &mut grad)), ["rows of logits` has 4", "`targets` has 3"]),
        (refused(|| loss.loss_and_gradient(&x, &[0, 1, 2, 3], &mut grad)), ["row 3 has the class 3", "3 classes"]),
        (refused(|| loss.losses(&x, &[0; 4], &mut y[..3])), ["rows of logits` has 4", "`losses` has 3"]),
        (refused(|| loss.loss(&x, Targets::distributions(&x[..4]))), ["`logits` has 12", "`targets` has 4"]),
        (refused(|| log_sum_exp_axis(&x, 3, 5, &mut y)), ["12 elements", "3 x 5"]),
        (refused(|| log_sum_exp_axis(&x, 3, 2, &mut y[..3])), ["rows of x` has 4", "`y` has 3"]),
        (refused(|| log_sum_exp_axis(&x, 0, 2, &mut y)), ["`len` is 0", "at least 1"]),
        (refused(|| log_sum_exp_axis_wide(&x, 3, 0, &mut y)), ["`inner` is 0", "at least 1"]),
        (refused(|| Hardmax::axis(5, 2).unwrap().forward(&x, &mut grad)), ["12 elements", "rows of 10"]),
    ] {
        says(&message, &parts);
    }
    assert_eq!((grad, y), ([77.0; 12], [77.0; 4]));
    assert!(CrossEntropy::axis(0, 2).unwrap_err().to_string().contains("`classes` is 0"));
    assert!(CrossEntropy::axis(2, 0).unwrap_err().to_string().contains("`inner` is 0"));
    assert!(CrossEntropy::axis(usize::MAX, 2).is_err() && Sparsemax::axis(2, 0).is_err());
}
