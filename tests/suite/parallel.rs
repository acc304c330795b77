//! Passes on several threads have the bits of one thread.

use crate::support::{Bits, Outputs, assert_same, chosen, on_one_row, on_rows};
use activations::{Activation, AnyActivation, FromOutput, IntoParallel, Pieces, Softmax, Tanh};

fn same_bits(what: &str, activation: AnyActivation, min_len: usize, x: &[f32]) {
    let grad_y: Vec<f32> = x.iter().map(|x| x * 0.5).collect();
    let expected = Outputs::of(&activation, x, &grad_y);
    let got = Outputs::of(&activation.parallel().with_min_len(min_len), x, &grad_y);
    for ((method, expected), (_, got)) in expected.named().into_iter().zip(got.named()) {
        assert_same(&format!("{activation} {method}, {what}, at least {min_len}"), x, expected, got);
    }
}

/// More threads than cores, so that there are pieces on any machine.
fn with_threads(run: impl FnOnce() + Send) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(5).build().expect("a pool of threads");
    pool.install(run);
}

#[test]
fn single_elements_have_the_bits_of_one_thread() {
    with_threads(|| {
        let mut bits = Bits(41);
        for activation in chosen() {
            for (len, min_len) in [(0, 0), (0, 1), (1, 1), (3, 0), (1_000, 1), (1_000, 999), (7_777, 64)] {
                let x: Vec<f32> = (0..len).map(|_| bits.within(9.0) as f32).collect();
                same_bits(&format!("{len} elements"), activation, min_len, &x);
            }
        }
    });
}

#[test]
fn slices_of_the_default_length_run_on_threads() {
    let mut bits = Bits(42);
    let len = 3 * Tanh.parallel().min_len() + 1;
    let x: Vec<f32> = (0..len).map(|_| bits.within(9.0) as f32).collect();
    with_threads(|| assert_same("tanh", &x, &Tanh.forward_vec(&x), &Tanh.parallel().forward_vec(&x)));
    let y: Vec<f32> = Tanh.forward_vec(&x);
    let expected = Tanh.backward_from_output_vec(&y, &x);
    with_threads(|| assert_same("tanh", &y, &expected, &Tanh.parallel().backward_from_output_vec(&y, &x)));
}

#[test]
fn rows_are_kept_whole() {
    with_threads(|| {
        let mut bits = Bits(43);
        for n in [1, 7, 33, 500, 1_500] {
            let x: Vec<f32> = (0..n * 23).map(|_| bits.within(20.0) as f32).collect();
            for activation in on_rows(n) {
                same_bits(&format!("rows of {n}"), activation, 1, &x);
                assert_eq!(Activation::<f32>::pieces(&activation.parallel()), Pieces::Rows(n));
            }
            for activation in on_one_row() {
                same_bits("one row", activation, 1, &x);
            }
        }
    });
}

#[test]
#[should_panic(expected = "slices of 10 elements do not divide into rows of 4")]
fn a_part_of_a_row_panics_on_threads_too() {
    Softmax::rows(4).unwrap().parallel().forward_in_place(&mut [0.0_f32; 10]);
}

#[test]
#[should_panic(expected = "slices differ in length")]
fn different_lengths_panic_on_threads_too() {
    Tanh.parallel().forward(&[0.0_f32; 10], &mut [0.0; 9]);
}
