//! Training: gradient descent with momentum over shuffled batches, and its records.

use activations::ParameterError;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;

use crate::data::Split;
use crate::functions::Function;

/// Settings that are the same for all functions and depths.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recipe {
    pub(crate) epochs: usize,
    pub(crate) batch: usize,
    /// The learning rate of the first epoch. It falls linearly to 0.
    pub(crate) learning_rate: f32,
    pub(crate) momentum: f32,
    /// The seed of the initial weights and of the order of the images.
    pub(crate) seed: u64,
}

/// One pass over the images.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Epoch {
    /// The mean over the epoch, during training.
    pub(crate) loss: f64,
    /// For the held-out images, after the epoch.
    pub(crate) accuracy: f64,
}

/// The result of one training.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) function: Function,
    pub(crate) depth: usize,
    pub(crate) epochs: Vec<Epoch>,
    /// The length of each layer's gradient over all images, first layer first, before and after the training.
    pub(crate) gradients: [Vec<f64>; 2],
}

impl Outcome {
    pub(crate) fn last(&self) -> Epoch {
        *self.epochs.last().expect("there is at least one epoch")
    }
}

/// Trains a network with this many hidden layers of one function. `after_epoch` is called after each epoch.
pub(crate) fn train(
    function: Function,
    depth: usize,
    data: &Split<f32>,
    recipe: &Recipe,
    after_epoch: impl Fn(),
) -> Result<Outcome, ParameterError> {
    let mut network = function.network(depth, recipe.seed)?;
    network.loss_and_gradients(&data.learn);
    let before = network.gradient_lengths();

    let mut random = ChaCha8Rng::seed_from_u64(recipe.seed);
    let mut order: Vec<usize> = (0..data.learn.len()).collect();
    let mut epochs = Vec::new();
    for epoch in 0..recipe.epochs {
        let learning_rate = recipe.learning_rate * (1.0 - epoch as f32 / recipe.epochs as f32);
        order.shuffle(&mut random);
        let mut loss = 0.0;
        for batch in order.chunks(recipe.batch) {
            let mean = network.loss_and_gradients(&data.learn.select(batch));
            network.descend(learning_rate, recipe.momentum);
            loss += f64::from(mean) * batch.len() as f64;
        }
        epochs.push(Epoch { loss: loss / order.len() as f64, accuracy: network.accuracy(&data.held_out) });
        after_epoch();
    }

    network.loss_and_gradients(&data.learn);
    Ok(Outcome { function, depth, epochs, gradients: [before, network.gradient_lengths()] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Images;

    fn outcome(function: Function, depth: usize, epochs: usize) -> Outcome {
        let data = Split::of(Images::load().unwrap());
        let recipe = Recipe { epochs, batch: 32, learning_rate: 0.01, momentum: 0.9, seed: 1 };
        train(function, depth, &data, &recipe, || ()).unwrap()
    }

    #[test]
    fn a_short_training_reads_nine_of_ten_images_and_does_it_again() {
        for function in [Function::Relu, Function::Gelu, Function::SwiGlu] {
            let trained = outcome(function, 2, 4);
            assert!(trained.last().accuracy > 0.9, "{function}: {}", trained.last().accuracy);
            assert_eq!(trained, outcome(function, 2, 4));
        }
    }

    #[test]
    fn the_gradient_vanishes_through_sigmoids_and_not_through_relus() {
        let first_to_last = |function| {
            let [before, _] = outcome(function, 10, 1).gradients;
            before[0] / before[10]
        };
        assert!(first_to_last(Function::Sigmoid) < 1e-4);
        assert!(first_to_last(Function::Relu) > 0.1);
    }
}
