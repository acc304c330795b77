//! Input that losses and log-sum-exps refuse before they write anything.

use std::panic::{AssertUnwindSafe, catch_unwind};

use activations::{BinaryCrossEntropy, CrossEntropy, LogSumExp, Targets, log_sum_exp_backward, log_sum_exp_rows};

fn ignore<T>(_: T) {}

/// The message of the panic in `f`.
fn refused(f: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).expect_err("was not refused");
    payload.downcast_ref::<String>().cloned().or(payload.downcast_ref::<&str>().map(|s| (*s).to_owned())).unwrap()
}

#[test]
fn losses_refuse_bad_input_before_they_write() {
    let loss = CrossEntropy::new(3).unwrap();
    let x = [0.5_f32; 6];
    let mut grad = [77.0_f32; 6];
    let mut losses = [77.0_f32; 2];
    for (classes, row, class) in [([0, 3], 1, 3), ([-1, 0], 0, -1), ([2, i64::MAX], 1, i64::MAX)] {
        let parts = [format!("row {row}"), format!("class {class}"), "3 classes".to_owned()];
        for message in [
            refused(|| ignore(loss.loss(&x, &classes))),
            refused(|| ignore(loss.loss_and_gradient(&x, &classes, &mut grad))),
            refused(|| loss.losses(&x, &classes, &mut losses)),
            refused(|| loss.losses_and_gradient(&x, &classes, &mut losses, &mut grad)),
        ] {
            assert!(parts.iter().all(|part| message.contains(part)), "{message}");
        }
    }
    assert!(refused(|| ignore(loss.loss(&x, &[u64::MAX, 0]))).contains("row 0"));
    for (message, parts) in [
        (refused(|| ignore(loss.loss(&x[..5], &[0, 1]))), ["5 elements", "rows of 3"]),
        (refused(|| ignore(loss.loss_and_gradient(&x, &[0], &mut grad))), ["`targets`", "has 1"]),
        (refused(|| ignore(loss.loss_and_gradient(&x, &[0, 1], &mut grad[..5]))), ["`grad`", "has 5"]),
        (refused(|| loss.losses_and_gradient(&x, &[0, 1], &mut losses[..1], &mut grad)), ["`losses`", "has 1"]),
        (refused(|| ignore(loss.loss(&x, Targets::distributions(&x[..3])))), ["`targets`", "has 3"]),
        (refused(|| ignore(loss.loss(&x, Targets::from(&[0, 1]).weighted(&x)))), ["`weights`", "has 6"]),
        (
            refused(|| ignore(BinaryCrossEntropy::new().loss_and_gradient(&x, &x[..4], &mut grad))),
            ["`targets`", "has 4"],
        ),
        (refused(|| ignore(BinaryCrossEntropy::new().loss_and_gradient(&x, &x, &mut grad[..4]))), ["`grad`", "has 4"]),
        (refused(|| log_sum_exp_rows(&x, 4, &mut losses)), ["6 elements", "rows of 4"]),
        (refused(|| log_sum_exp_rows(&x, 2, &mut losses)), ["`y`", "has 2"]),
        (refused(|| log_sum_exp_rows(&x, 0, &mut losses)), ["rows", "at least 1"]),
        (refused(|| log_sum_exp_backward(&x, 1.0, &mut losses)), ["`grad_x`", "has 2"]),
        (refused(|| LogSumExp::of(&x).normalise(&x, &mut losses)), ["`p`", "has 2"]),
    ] {
        assert!(parts.iter().all(|part| message.contains(part)), "{message}: {parts:?}");
    }
    assert_eq!((grad, losses), ([77.0; 6], [77.0; 2]));

    assert_eq!(CrossEntropy::new(0).unwrap_err().to_string(), "cross_entropy: `classes` is 0, but must be at least 1");
    for bad in [1.0 + f64::EPSILON, -0.1, f64::NAN, 2.0] {
        let message = loss.label_smoothing(bad).unwrap_err().to_string();
        assert!(message.contains("label_smoothing") && message.contains("from 0 to 1"), "{message}");
    }
    for bad in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(BinaryCrossEntropy::new().pos_weight(bad).unwrap_err().to_string().contains("pos_weight"));
    }
}
