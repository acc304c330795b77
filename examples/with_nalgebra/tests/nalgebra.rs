//! Matrices of both kinds, softmax along both axes, and a network's gradients, compared with differences of its loss.

use activations::{Activation, Gelu, Softmax, Tanh};
use nalgebra::{DMatrix, DVector, Matrix2x3};
use with_nalgebra::network::Weights;
use with_nalgebra::{backward, columns, forward, rows};

fn numbers(rows: usize, columns: usize) -> DMatrix<f32> {
    DMatrix::from_fn(rows, columns, |i, j| 2.0 * ((i * columns + j + 1) as f32 * 0.618_034 % 1.0) - 1.0)
}

#[test]
fn each_element_is_taken_alone() {
    let x = numbers(5, 7);
    assert_eq!(forward(&Gelu, &x), x.map(|x| Gelu.forward_vec(&[x])[0]));
    let grad_y = numbers(5, 7).map(|x| x + 1.0);
    assert_eq!(backward(&Gelu, &x, &grad_y), x.zip_map(&grad_y, |x, g| Gelu.backward_vec(&[x], &[g])[0]));
    let fixed = Matrix2x3::new(1.0_f64, 2.0, 3.0, -1.0, -2.0, -3.0);
    assert_eq!(forward(&Tanh, &fixed).row(0), -forward(&Tanh, &fixed).row(1));
    assert_eq!(forward(&Gelu, &x.column(2)), forward(&Gelu, &x).column(2));
}

#[test]
fn softmax_takes_columns_or_rows() {
    let (x, grad_y) = (numbers(4, 6), numbers(4, 6).map(|x| x * x));
    let of_columns = columns(Softmax::axis, x.shape()).unwrap();
    let of_rows = rows(Softmax::axis, x.shape()).unwrap();
    let (p, grad_x) = (forward(&of_columns, &x), backward(&of_columns, &x, &grad_y));
    for j in 0..6 {
        let (x, g) = (x.column(j), grad_y.column(j));
        assert_eq!(p.column(j).as_slice(), Softmax::default().forward_vec(x.as_slice()));
        assert_eq!(grad_x.column(j).as_slice(), Softmax::default().backward_vec(x.as_slice(), g.as_slice()));
    }
    let (p, grad_x) = (forward(&of_rows, &x), backward(&of_rows, &x, &grad_y));
    for i in 0..4 {
        let (x, g) = (x.row(i).clone_owned(), grad_y.row(i).clone_owned());
        assert_eq!(p.row(i).clone_owned().as_slice(), Softmax::default().forward_vec(x.as_slice()));
        let gradient = Softmax::default().backward_vec(x.as_slice(), g.as_slice());
        assert_eq!(grad_x.row(i).clone_owned().as_slice(), gradient);
    }
}

#[test]
#[should_panic(expected = "a function of rows of another shape than 4 x 6")]
fn rows_that_are_no_columns_are_refused() {
    forward(&Softmax::rows(6).unwrap(), &numbers(4, 6));
}

#[test]
#[should_panic(expected = "the matrices differ in shape")]
fn shapes_must_be_equal() {
    backward(&Gelu, &numbers(4, 6), &numbers(6, 4));
}

fn network() -> (Weights, DMatrix<f32>, [usize; 9]) {
    let weights =
        Weights { first: numbers(8, 5), bias: DVector::from_fn(8, |i, _| 0.1 * i as f32), second: numbers(3, 8) };
    (weights, numbers(5, 9), [0, 1, 2, 2, 1, 0, 1, 1, 2])
}

#[test]
fn gradients_are_the_slopes_of_the_loss() {
    let (weights, x, classes) = network();
    let (_, gradients) = weights.loss_and_gradients(Gelu, &x, &classes);
    let parts: [fn(&mut Weights) -> &mut [f32]; 3] =
        [|w| w.first.as_mut_slice(), |w| w.bias.as_mut_slice(), |w| w.second.as_mut_slice()];
    for part in parts {
        let mut expected = gradients.clone();
        for (i, &gradient) in part(&mut expected).iter().enumerate() {
            let h = 1.0 / 128.0;
            let [above, below] = [h, -h].map(|h| {
                let mut moved = weights.clone();
                part(&mut moved)[i] += h;
                moved.loss_and_gradients(Gelu, &x, &classes).0
            });
            let slope = (above - below) / (2.0 * h);
            // A loss of about 1 has an error of about 1e-7, which is divided by 1/64 here; and h^2 is 6e-5.
            assert!((slope - gradient).abs() < 5e-5, "weight {i}: {gradient}, measured {slope}");
        }
    }
}

#[test]
fn it_learns() {
    let (mut weights, x, classes) = network();
    let first = weights.loss_and_gradients(Gelu, &x, &classes).0;
    for _ in 0..300 {
        let (_, gradients) = weights.loss_and_gradients(Gelu, &x, &classes);
        weights.descend(&gradients, 0.5);
    }
    let last = weights.loss_and_gradients(Gelu, &x, &classes).0;
    assert!(last < first / 10.0, "from {first} to {last}");
}
