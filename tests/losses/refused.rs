//! Input that losses refuse before they write anything. The message says what to do.

use std::panic::{AssertUnwindSafe, catch_unwind};

use activations::{BinaryCrossEntropy, BinaryTargets, Broadcast, Wide};

use crate::number::{Number, for_each_type};

/// The message of the panic in `f`.
pub(crate) fn refused<R>(f: impl FnOnce() -> R) -> String {
    let payload = match catch_unwind(AssertUnwindSafe(f)) {
        Ok(_) => panic!("was not refused"),
        Err(payload) => payload,
    };
    payload.downcast_ref::<String>().cloned().or(payload.downcast_ref::<&str>().map(|s| (*s).to_owned())).unwrap()
}

/// Asserts that the message has all of these parts.
#[track_caller]
pub(crate) fn says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "`{message}` does not say `{part}`");
    }
}

#[test]
fn weights_of_lengths_that_could_be_meant_in_two_ways_are_refused() {
    let (x, t, loss) = ([0.5_f32; 6], [0.0_f32; 6], BinaryCrossEntropy::new());
    let targets = BinaryTargets::from(&t);
    let mut grad = [77.0_f32; 6];
    for (targets, parts) in [
        (targets.weighted(&[1.0; 3]), ["`weights` has 3", "for 6 logits", "`Broadcast`"]),
        (targets.pos_weighted(&[1.0; 2]), ["`pos_weights` has 2", "for 6 logits", "`Broadcast`"]),
        (targets.weighted(Broadcast::cycled(&[1.0; 4])), ["`weights` has 4", "for 6 logits", "divides"]),
        (targets.weighted(Broadcast::cycled(&[])), ["`weights` has 0", "for 6 logits", "divides"]),
        (targets.weighted(Broadcast::each(&[1.0; 3], 3)), ["`weights` has 3", "for 6 logits", "Broadcast::each"]),
        (
            targets.weighted(Broadcast::each_cycled(&[1.0; 2], 2)),
            ["`weights` has 2", "for 6", "Broadcast::each_cycled"],
        ),
        (
            targets.weighted(Broadcast::each_cycled(&[1.0; 2], 0)),
            ["`weights` has 2", "for 6", "Broadcast::each_cycled"],
        ),
    ] {
        says(&refused(|| loss.loss_and_gradient(&x, targets, &mut grad)), &parts);
        says(&refused(|| Wide(loss).loss_and_gradient(&x, targets, &mut grad)), &parts);
    }
    assert_eq!(grad, [77.0; 6]);
    // For empty logits, any weights fit.
    let nothing = BinaryTargets::from(&[0.0_f32; 0]).weighted(&[1.0; 3]);
    assert!(loss.loss(&[], nothing).is_nan());
}

fn targets_outside<T: Number>() {
    let n = 3_000;
    let x = vec![T::of(0.5); n];
    let mut written = vec![T::of(77.0); n];
    for (number, target) in [(0, -1.0), (5, 2.0), (1_030, 255.0), (n - 1, f64::INFINITY), (77, f64::NEG_INFINITY)] {
        let mut t = vec![T::one(); n];
        t[number] = T::of(target);
        let parts = [format!("target number {number} is {target}"), "from 0 to 1".to_owned()];
        let (mut losses, loss) = (written.clone(), BinaryCrossEntropy::new());
        for message in [
            refused(|| loss.loss(&x, &t)),
            refused(|| loss.loss_and_gradient(&x, &t, &mut written)),
            refused(|| loss.losses(&x, &t, &mut written)),
            refused(|| loss.losses_and_gradient(&x, &t, &mut losses, &mut written)),
            refused(|| Wide(loss).loss(&x, &t)),
        ] {
            says(&message, &[&parts[0], &parts[1]]);
        }
        assert!(losses.iter().chain(&written).all(|&y| y.wide() == 77.0));
    }
    // A target that is outside by a rounding is allowed, because mixtures of targets have such roundings.
    let t = [T::of(1.0 + 1.0 / 128.0), T::of(-1.0 / 128.0)];
    assert!(BinaryCrossEntropy::new().loss(&x[..2], &t).wide().is_finite());
    assert!(BinaryCrossEntropy::new().loss(&x[..1], &[T::nan()]).is_nan());
}

#[test]
fn binary_targets_outside_0_and_1_are_named() {
    for_each_type!(targets_outside());
}
