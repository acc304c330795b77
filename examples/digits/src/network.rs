//! A network of dense and gated layers: matrices by `ndarray`, everything else by `activations`.

use activations::{
    Activation, BiasGradient, Biased, CrossEntropy, Element, Elementwise, Gate, Identity, Packing, ParameterError,
};
use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView1, ArrayView2, LinalgScalar};
use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use crate::data::{CLASSES, Images};

/// The numbers of a network: `f32` for training, `f64` for checking gradients.
pub(crate) trait Float: Element + LinalgScalar {
    fn of(number: f64) -> Self;
    fn wide(self) -> f64;
}

macro_rules! float {
    ($($float:ident),*) => {$(
        impl Float for $float {
            fn of(number: f64) -> Self {
                number as $float
            }

            fn wide(self) -> f64 {
                self.into()
            }
        }
    )*};
}
float!(f32, f64);

/// Trained numbers, with the gradient of the loss with respect to them.
pub(crate) struct Learned<T> {
    value: Array2<T>,
    grad: Array2<T>,
    velocity: Array2<T>,
}

impl<T: Float> Learned<T> {
    fn new(value: Array2<T>) -> Self {
        let zeros = || Array2::zeros(value.dim());
        Self { grad: zeros(), velocity: zeros(), value }
    }

    /// Gradient descent with momentum, like PyTorch's `SGD`.
    fn descend(&mut self, learning_rate: T, momentum: T) {
        for ((value, velocity), grad) in self.value.iter_mut().zip(&mut self.velocity).zip(&self.grad) {
            *velocity = momentum * *velocity + *grad;
            *value = *value - learning_rate * *velocity;
        }
    }
}

/// The crate's functions take slices: the rows of a matrix, one after another.
fn flat<T>(matrix: &Array2<T>) -> &[T] {
    matrix.as_slice().expect("matrices here lie row by row")
}

fn flat_mut<T>(matrix: &mut Array2<T>) -> &mut [T] {
    matrix.as_slice_mut().expect("matrices here lie row by row")
}

/// The product of two matrices of any layout. The result is in row-major order.
fn product<T: Float>(a: ArrayView2<'_, T>, b: ArrayView2<'_, T>) -> Array2<T> {
    let mut product = Array2::zeros((a.nrows(), b.ncols()));
    general_mat_mul(T::one(), &a, &b, T::zero(), &mut product);
    product
}

/// z = x W, which is part of all layers.
struct Linear<T> {
    weights: Learned<T>,
    x: Array2<T>,
}

impl<T: Float> Linear<T> {
    /// Weights that are uniform around 0, with variance gain^2 / inputs. Between layers of equal width, a gain of 1 gives the initialisation
    /// of Glorot & Bengio, and a gain of sqrt 2 gives the initialisation of He et al.
    fn new(inputs: usize, outputs: usize, gain: f64, random: &mut ChaCha8Rng) -> Self {
        let most = gain * (3.0 / inputs as f64).sqrt();
        let weights = Array2::from_shape_simple_fn((inputs, outputs), || T::of(random.random_range(-most..most)));
        Self { weights: Learned::new(weights), x: Array2::zeros((0, inputs)) }
    }

    fn forward(&mut self, x: Array2<T>) -> Array2<T> {
        self.x = x;
        product(self.x.view(), self.weights.value.view())
    }

    fn backward(&mut self, grad_z: &Array2<T>) -> Array2<T> {
        self.weights.grad = product(self.x.t(), grad_z.view());
        product(grad_z.view(), self.weights.value.t())
    }
}

/// A layer. It keeps the results of the forward pass that the backward pass needs.
pub(crate) trait Layer<T>: Send {
    /// The outputs for a batch, with one example in each row.
    fn forward(&mut self, x: Array2<T>) -> Array2<T>;

    /// Takes the gradient with respect to the outputs. Stores the gradient with respect to the trained numbers, and returns the gradient with
    /// respect to the inputs, which the layer before needs.
    fn backward(&mut self, grad_y: &Array2<T>) -> Array2<T>;

    fn learned(&mut self) -> Vec<&mut Learned<T>>;
}

/// y = f(x W + b).
pub(crate) struct Dense<A, T> {
    activation: A,
    linear: Linear<T>,
    bias: Learned<T>,
    z: Array2<T>,
}

impl<A: Elementwise, T: Float> Dense<A, T> {
    pub(crate) fn new(activation: A, inputs: usize, outputs: usize, gain: f64, random: &mut ChaCha8Rng) -> Self {
        let linear = Linear::new(inputs, outputs, gain, random);
        let bias = Learned::new(Array2::zeros((1, outputs)));
        Self { activation, linear, bias, z: Array2::zeros((0, outputs)) }
    }
}

impl<A: Elementwise + Send, T: Float> Layer<T> for Dense<A, T> {
    fn forward(&mut self, x: Array2<T>) -> Array2<T> {
        self.z = self.linear.forward(x);
        let f = Biased { activation: self.activation.clone(), bias: flat(&self.bias.value) };
        let mut y = Array2::zeros(self.z.dim());
        f.forward(flat(&self.z), flat_mut(&mut y));
        y
    }

    fn backward(&mut self, grad_y: &Array2<T>) -> Array2<T> {
        let f = Biased { activation: self.activation.clone(), bias: flat(&self.bias.value) };
        let mut grad_z = Array2::zeros(self.z.dim());
        f.backward_with_bias(flat(&self.z), flat(grad_y), flat_mut(&mut grad_z), flat_mut(&mut self.bias.grad));
        self.linear.backward(&grad_z)
    }

    fn learned(&mut self) -> Vec<&mut Learned<T>> {
        vec![&mut self.linear.weights, &mut self.bias]
    }
}

/// y = f(x W) (x V), without biases, as in Llama. W and V are the halves of one matrix.
pub(crate) struct DenseGate<G, T> {
    gate: G,
    packing: Packing,
    linear: Linear<T>,
    z: Array2<T>,
}

impl<G: Gate<T>, T: Float> DenseGate<G, T> {
    pub(crate) fn new(gate: G, inputs: usize, outputs: usize, gain: f64, random: &mut ChaCha8Rng) -> Self {
        let linear = Linear::new(inputs, 2 * outputs, gain, random);
        Self { gate, packing: Packing::GateFirst(outputs), linear, z: Array2::zeros((0, 2 * outputs)) }
    }
}

impl<G: Gate<T> + Send, T: Float> Layer<T> for DenseGate<G, T> {
    fn forward(&mut self, x: Array2<T>) -> Array2<T> {
        self.z = self.linear.forward(x);
        let mut y = Array2::zeros((self.z.nrows(), self.z.ncols() / 2));
        self.gate.forward_packed(self.packing, flat(&self.z), flat_mut(&mut y));
        y
    }

    fn backward(&mut self, grad_y: &Array2<T>) -> Array2<T> {
        let mut grad_z = Array2::zeros(self.z.dim());
        self.gate.backward_packed(self.packing, flat(&self.z), flat(grad_y), flat_mut(&mut grad_z));
        self.linear.backward(&grad_z)
    }

    fn learned(&mut self) -> Vec<&mut Learned<T>> {
        vec![&mut self.linear.weights]
    }
}

/// Hidden layers, and one that gives a logit for each class.
pub(crate) struct Network<T> {
    layers: Vec<Box<dyn Layer<T>>>,
    loss: CrossEntropy,
}

impl<T: Float> Network<T> {
    /// `width` is the width of the last hidden layer.
    pub(crate) fn new(
        hidden: Vec<Box<dyn Layer<T>>>,
        width: usize,
        random: &mut ChaCha8Rng,
    ) -> Result<Self, ParameterError> {
        let mut layers = hidden;
        layers.push(Box::new(Dense::new(Identity, width, CLASSES, 1.0, random)));
        Ok(Self { layers, loss: CrossEntropy::new(CLASSES)? })
    }

    pub(crate) fn logits(&mut self, pixels: &Array2<T>) -> Array2<T> {
        self.layers.iter_mut().fold(pixels.clone(), |x, layer| layer.forward(x))
    }

    /// The mean loss of a batch. After this call each layer has its gradient.
    pub(crate) fn loss_and_gradients(&mut self, images: &Images<T>) -> T {
        let logits = self.logits(&images.pixels);
        let mut grad = Array2::zeros(logits.dim());
        let loss = self.loss.loss_and_gradient(flat(&logits), &images.labels, flat_mut(&mut grad));
        self.layers.iter_mut().rev().fold(grad, |grad, layer| layer.backward(&grad));
        loss
    }

    pub(crate) fn descend(&mut self, learning_rate: T, momentum: T) {
        let learned = self.layers.iter_mut().flat_map(|layer| layer.learned());
        learned.for_each(|learned| learned.descend(learning_rate, momentum));
    }

    /// The share of the images for which the label has the greatest logit.
    pub(crate) fn accuracy(&mut self, images: &Images<T>) -> f64 {
        let logits = self.logits(&images.pixels);
        let is_greatest = |(row, label): &(ArrayView1<'_, T>, &u8)| row.iter().all(|z| *z <= row[usize::from(**label)]);
        let right = logits.rows().into_iter().zip(&images.labels).filter(is_greatest);
        right.count() as f64 / images.len() as f64
    }

    /// The length of each layer's gradient, first layer first.
    pub(crate) fn gradient_lengths(&mut self) -> Vec<f64> {
        let length = |layer: &mut Box<dyn Layer<T>>| {
            let grads = layer.learned().into_iter().flat_map(|learned| &learned.grad);
            grads.map(|grad| grad.wide().powi(2)).sum::<f64>().sqrt()
        };
        self.layers.iter_mut().map(length).collect()
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;
    use crate::data::Split;
    use crate::functions::Function;

    /// Every 61st trained number of a network: the layer, which of its matrices, and the place in it.
    fn places(network: &mut Network<f64>) -> Vec<(usize, usize, usize)> {
        let mut places = Vec::new();
        for (layer, of) in network.layers.iter_mut().enumerate() {
            for (matrix, learned) in of.learned().into_iter().enumerate() {
                places.extend((0..learned.value.len()).map(|place| (layer, matrix, place)));
            }
        }
        places.into_iter().step_by(61).collect()
    }

    #[test]
    fn gradients_are_those_of_finite_differences() {
        const STEP: f64 = 1e-6;
        let images = Split::<f64>::of(Images::load().unwrap()).learn.select(&[0, 1, 2, 3, 4, 5, 6, 7]);
        for function in Function::value_variants() {
            let mut network = function.network::<f64>(3, 1).unwrap();
            network.loss_and_gradients(&images);
            let places = places(&mut network);
            assert!(places.len() > 200);
            for (layer, matrix, place) in places {
                let analytic = flat(&network.layers[layer].learned()[matrix].grad)[place];
                let mut loss_at = |shift: f64| {
                    flat_mut(&mut network.layers[layer].learned()[matrix].value)[place] += shift;
                    let logits = network.logits(&images.pixels);
                    network.loss.loss(flat(&logits), &images.labels)
                };
                let (above, below) = (loss_at(STEP), loss_at(-2.0 * STEP));
                loss_at(STEP);
                let numeric = (above - below) / (2.0 * STEP);
                assert!(
                    (analytic - numeric).abs() <= 1e-8 + 1e-6 * analytic.abs(),
                    "{function}, layer {layer}, matrix {matrix}, number {place}: {analytic} and {numeric}"
                );
            }
        }
    }

    #[test]
    fn the_accuracy_counts_images_whose_label_has_the_greatest_logit() {
        let images = Split::<f64>::of(Images::load().unwrap()).held_out;
        let mut network = Function::Tanh.network::<f64>(1, 1).unwrap();
        let logits = network.logits(&images.pixels);
        let guess = |row: ArrayView1<'_, f64>| (0..CLASSES).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap();
        let labels = logits.rows().into_iter().map(|row| guess(row) as u8).collect();
        assert_eq!(network.accuracy(&Images { labels, ..images }), 1.0);
    }
}
