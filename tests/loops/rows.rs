//! The bits of functions of rows, and of other functions with the same parts: the exponentials and logarithms of rows.

use activations::{Activation, Level, LogSoftmax, LogSumExp, Softmax, Softmin};

use crate::digest::{self, Digests, Number};
use crate::support::Outputs;

fn enter<T: Number, A: Activation<T>>(digests: &mut Digests, name: &str, of_len: impl Fn(usize) -> A) {
    for level in Level::available() {
        let of_row = |x: Vec<T>| Outputs::of(&level.with(of_len(x.len())), &x, &digest::gradients(&x));
        let outputs: Vec<Outputs<T>> = digest::rows().into_iter().map(of_row).collect();
        digest::enter_outputs(digests, name, level, &outputs);
    }
}

fn check<T: Number>() {
    let mut found = Digests::new();
    enter::<T, _>(&mut found, "softmax", |n| Softmax::rows(n).expect("a length"));
    enter::<T, _>(&mut found, "log_softmax", |n| LogSoftmax::rows(n).expect("a length"));
    enter::<T, _>(&mut found, "softmin", |n| Softmin::rows(n).expect("a length"));
    digest::around_them::<T>(&mut found);
    let committed = digest::committed();
    for (line, digest) in &found {
        assert_eq!(committed.get(line), Some(digest), "{line}: other bits");
    }
}

#[test]
fn rows_of_f32_have_the_committed_bits() {
    check::<f32>();
}

#[test]
fn rows_of_f64_have_the_committed_bits() {
    check::<f64>();
}

#[test]
fn numbers_far_below_a_greatest_near_zero_are_not_lost() {
    // Found by fuzzing. The fuzzer's reference had lost such numbers: log(e^tiny + e^-54) is e^-54.
    let sum = LogSumExp::of(&[-1e28_f32, f32::MIN_POSITIVE, -53.857_407]).finish();
    let exact = libm::exp(f64::from(-53.857_407_f32)) as f32;
    assert!((sum - exact).abs() <= 2.0 * f32::EPSILON * exact, "{sum:e} is not {exact:e}");
}
