//! How a ReLU dies: after one step that is too large, no gradient ever comes again. A LeakyReLU recovers.

use activations::{Activation, LeakyRelu, Relu};

/// One neuron, y = f(w x + b), trained by gradient descent on the mean squared error.
struct Neuron<A> {
    activation: A,
    w: f32,
    b: f32,
}

/// The numbers of one step of training.
struct Seen {
    loss: f32,
    /// The number of inputs with a gradient for w and b.
    reached: usize,
}

impl<A: Activation<f32>> Neuron<A> {
    fn step(&mut self, x: &[f32], target: &[f32], learning_rate: f32) -> Seen {
        let n = x.len() as f32;
        let z: Vec<f32> = x.iter().map(|x| self.w * x + self.b).collect();
        let y = self.activation.forward_vec(&z);
        let error: Vec<f32> = y.iter().zip(target).map(|(y, target)| y - target).collect();

        let grad_y: Vec<f32> = error.iter().map(|e| 2.0 * e / n).collect();
        let grad_z = self.activation.backward_vec(&z, &grad_y);
        self.w -= learning_rate * grad_z.iter().zip(x).map(|(g, x)| g * x).sum::<f32>();
        self.b -= learning_rate * grad_z.iter().sum::<f32>();

        Seen {
            loss: error.iter().map(|e| e * e).sum::<f32>() / n,
            reached: grad_z.iter().filter(|g| **g != 0.0).count(),
        }
    }
}

const STEPS: usize = 1500;
const SHOWN: [usize; 10] = [0, 1, 2, 10, 100, 300, 500, 700, 1000, STEPS];

fn train(activation: impl Activation<f32>, x: &[f32], target: &[f32]) -> Seen {
    println!("{:>6}{:>10}{:>9}{:>9}{:>10}", "step", "loss", "w", "b", "reached");
    let mut neuron = Neuron { activation, w: 3.0, b: 0.0 };
    for step in 0.. {
        let (w, b) = (neuron.w, neuron.b);
        let seen = neuron.step(x, target, if step == 0 { 1.0 } else { 0.1 });
        if SHOWN.contains(&step) {
            println!("{step:>6}{:>10.5}{w:>9.3}{b:>9.3}{:>7}/{}", seen.loss, seen.reached, x.len());
        }
        if step == STEPS {
            return seen;
        }
    }
    unreachable!("the loop returns at the last step")
}

fn main() {
    let x: Vec<f32> = (1..=32).map(|i| i as f32 / 16.0).collect();
    let target = x.clone();

    println!("One neuron, y = f(w x + b), learns y = x from {} inputs between 0 and 2.", x.len());
    println!("The learning rate is 0.1, but 1.0 in step 0: ten times too large.");
    println!("\"reached\" counts the inputs whose gradient is not exactly 0.\n");

    println!("relu");
    let dead = train(Relu, &x, &target);
    println!("\nleaky_relu, slope 0.01 on the left");
    let leaky = train(LeakyRelu::default(), &x, &target);

    assert_eq!(dead.reached, 0, "the ReLU is not dead");
    assert!(leaky.loss < 0.01, "the LeakyReLU did not come back");
    println!();
    println!("The first step threw w and b so far down that w x + b is negative for every input.");
    println!("ReLU's output is then 0, and so is its slope: after {STEPS} steps {} inputs reach it,", dead.reached);
    println!("and its loss is {:.5}. It is dead.", dead.loss);
    println!("LeakyReLU's slope of 0.01 pulls it back: its loss after {STEPS} steps is {:.5}.", leaky.loss);
}
