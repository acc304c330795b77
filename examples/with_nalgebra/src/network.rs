//! A classifier of two layers, softmax(W2 f(W1 x + b1)): its loss and the gradients of its weights.

use activations::{Activation, BiasGradient, Biased, CrossEntropy, Elementwise};
use nalgebra::{DMatrix, DVector};

/// One number for each weight: the weights themselves, or their gradients.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    /// Hidden units by inputs.
    pub first: DMatrix<f32>,
    pub bias: DVector<f32>,
    /// Classes by hidden units.
    pub second: DMatrix<f32>,
}

impl Weights {
    /// The mean cross-entropy over samples, which are the columns of `x`, and its gradients.
    ///
    /// # Panics
    /// If the sizes do not fit, or a class is out of range.
    pub fn loss_and_gradients<A: Elementwise>(&self, f: A, x: &DMatrix<f32>, classes: &[usize]) -> (f32, Self) {
        // A column is a sample, and its elements are adjacent, so it is a row for this crate.
        let hidden = Biased { activation: f, bias: self.bias.as_slice() };
        let z = &self.first * x;
        let mut h = z.clone();
        hidden.forward(z.as_slice(), h.as_mut_slice());

        let logits = &self.second * &h;
        let mut grad_logits = logits.clone();
        let loss = CrossEntropy::new(logits.nrows()).expect("at least one class");
        let loss = loss.loss_and_gradient(logits.as_slice(), classes, grad_logits.as_mut_slice());

        let grad_h = self.second.tr_mul(&grad_logits);
        let mut grad_z = h.clone();
        let mut bias = DVector::zeros(self.bias.len());
        hidden.backward_with_bias(z.as_slice(), grad_h.as_slice(), grad_z.as_mut_slice(), bias.as_mut_slice());
        (loss, Self { first: &grad_z * x.transpose(), bias, second: &grad_logits * h.transpose() })
    }

    /// One step down the gradient.
    pub fn descend(&mut self, gradients: &Self, rate: f32) {
        self.first -= &gradients.first * rate;
        self.bias -= &gradients.bias * rate;
        self.second -= &gradients.second * rate;
    }
}
