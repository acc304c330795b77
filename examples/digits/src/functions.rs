//! The functions that are compared, each with its initialisation from the literature.

use std::fmt;

use activations::{Elementwise, Gelu, LeakyRelu, ParameterError, Relu, Sigmoid, SwiGlu, Tanh};
use clap::ValueEnum;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

use crate::data::PIXELS;
use crate::network::{Dense, DenseGate, Float, Layer, Network};

/// The width of every hidden layer, which is the width of an image.
const WIDTH: usize = PIXELS;

/// The functions of hidden layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Function {
    Sigmoid,
    Tanh,
    Relu,
    LeakyRelu,
    Gelu,
    #[value(name = "swiglu")]
    SwiGlu,
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.to_possible_value().expect("no function is hidden").get_name())
    }
}

impl Function {
    /// A network with this many hidden layers of this function.
    pub(crate) fn network<T: Float>(self, depth: usize, seed: u64) -> Result<Network<T>, ParameterError> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let hidden = (0..depth).map(|_| self.layer(&mut random)).collect();
        Network::new(hidden, WIDTH, &mut random)
    }

    fn layer<T: Float>(self, random: &mut ChaCha8Rng) -> Box<dyn Layer<T>> {
        // He, Zhang, Ren & Sun 2015: a ReLU loses half of its inputs.
        let he = 2.0_f64.sqrt();
        match self {
            // Glorot & Bengio 2010.
            Self::Sigmoid => dense(Sigmoid, 1.0, random),
            // PyTorch's `calculate_gain`.
            Self::Tanh => dense(Tanh, 5.0 / 3.0, random),
            Self::Relu => dense(Relu, he, random),
            // He et al., with a slope.
            Self::LeakyRelu => {
                let relu = LeakyRelu::default();
                dense(relu, (2.0 / (1.0 + relu.negative_slope().powi(2))).sqrt(), random)
            }
            // It is used like a ReLU, and initialised like one.
            Self::Gelu => dense(Gelu, he, random),
            // The initialisation of the models of Shazeer 2020.
            Self::SwiGlu => Box::new(DenseGate::new(SwiGlu, WIDTH, WIDTH, 1.0, random)),
        }
    }
}

fn dense<T: Float, A: Elementwise + Send + 'static>(f: A, gain: f64, random: &mut ChaCha8Rng) -> Box<dyn Layer<T>> {
    Box::new(Dense::new(f, WIDTH, WIDTH, gain, random))
}
