//! Why you must not put softmax before a cross-entropy that applies softmax itself.

#[path = "shared/random.rs"]
mod random;

use activations::{Activation, CrossEntropy, ParameterError, Softmax};
use random::Random;

/// A classifier's loss in two ways.
struct Classifier {
    loss: CrossEntropy,
    softmax: Softmax,
    classes: usize,
}

/// The mean loss over the rows, the probabilities that it used, and its gradient with respect to the logits.
struct Loss {
    mean: f32,
    probabilities: Vec<f32>,
    grad: Vec<f32>,
}

impl Classifier {
    fn new(classes: usize) -> Result<Self, ParameterError> {
        Ok(Self { loss: CrossEntropy::new(classes)?, softmax: Softmax::rows(classes)?, classes })
    }

    /// The loss applies softmax itself.
    fn of_logits(&self, logits: &[f32], labels: &[usize]) -> Loss {
        let mut grad = vec![0.0; logits.len()];
        let mean = self.loss.loss_and_gradient(logits, labels, &mut grad);
        Loss { mean, probabilities: self.softmax.forward_vec(logits), grad }
    }

    /// The mistake: the loss gets probabilities, but expects logits.
    fn of_probabilities(&self, logits: &[f32], labels: &[usize]) -> Loss {
        let probabilities = self.softmax.forward_vec(logits);
        let loss = self.of_logits(&probabilities, labels);
        Loss { grad: self.softmax.backward_vec(logits, &loss.grad), ..loss }
    }

    /// The least loss that the mistake can reach, where the right class has probability 1: a score of 1, and zeros for the others.
    fn floor(&self) -> f32 {
        (1.0 + (self.classes - 1) as f32 * (-1.0_f32).exp()).ln()
    }
}

type Method = fn(&Classifier, &[f32], &[usize]) -> Loss;
const METHODS: [(&str, Method); 2] =
    [("right: logits", Classifier::of_logits), ("wrong: softmax first", Classifier::of_probabilities)];

fn main() -> Result<(), ParameterError> {
    one_row()?;
    training()
}

fn one_row() -> Result<(), ParameterError> {
    let loss = Classifier::new(3)?;
    println!("1. One row of three scores; the first class is the right one\n");
    println!("{:<24}{:<27}{:>7}  gradient", "", "probabilities in the loss", "loss");
    for (case, logits) in
        [("undecided", [2.0, 1.0, 0.1]), ("sure, and right", [12.0, 0.0, 0.0]), ("sure, and wrong", [0.0, 12.0, 0.0])]
    {
        println!("{case}: {logits:?}");
        for (name, method) in METHODS {
            let Loss { mean, probabilities, grad } = method(&loss, &logits, &[0]);
            println!("  {name:<22}{:<27}{mean:>7.4}  {}", row(&probabilities), row(&grad));
        }
    }
    println!("\nAfter the first softmax the scores lie in [0, 1]: the loss cannot fall below {:.4},", loss.floor());
    println!("and where the network is confident and wrong, where it should learn most, the gradient is almost 0.");
    Ok(())
}

fn row(values: &[f32]) -> String {
    values.iter().map(|v| format!("{v:>8.4}")).collect()
}

const CLASSES: usize = 10;
const FEATURES: usize = 16;
const POINTS: usize = 1000;
const STEPS: usize = 400;
const LEARNING_RATE: f32 = 0.5;

/// Points around one random centre for each class.
fn data(random: &mut Random) -> (Vec<f32>, Vec<usize>) {
    let centres = random.normals(CLASSES * FEATURES, 1.0);
    let labels: Vec<usize> = (0..POINTS).map(|i| i % CLASSES).collect();
    let points = labels.iter().flat_map(|label| &centres[label * FEATURES..][..FEATURES]);
    (points.map(|centre| centre + random.normal()).collect(), labels)
}

fn training() -> Result<(), ParameterError> {
    let loss = Classifier::new(CLASSES)?;
    let mut random = Random(3);
    let (points, labels) = data(&mut random);
    let start = random.normals(CLASSES * FEATURES, 1.0);
    let mut models = METHODS.map(|(_, method)| (method, start.clone()));

    println!("\n2. Training one linear layer: {POINTS} points of {CLASSES} classes, learning rate {LEARNING_RATE}\n");
    println!("{:>6}  {:^20}  {:^20}", "", METHODS[0].0, METHODS[1].0);
    println!("{:>6}  {:>9}{:>11}  {:>9}{:>11}", "step", "loss", "accuracy", "loss", "accuracy");
    for step in 0..=STEPS {
        let mut line = format!("{step:>6}");
        for (method, weights) in &mut models {
            let logits = scores(&points, weights);
            let Loss { mean, grad, .. } = method(&loss, &logits, &labels);
            line += &format!("  {mean:>9.4}{:>10.1}%", 100.0 * accuracy(&logits, &labels));
            descend(weights, &points, &grad);
        }
        if step % 50 == 0 || step == 10 {
            println!("{line}");
        }
    }
    println!("\nSame data, same start, same rate. With softmax first the loss cannot fall below {:.4}", loss.floor());
    println!("= -ln(e / (e + {})), however good the network is.", CLASSES - 1);
    Ok(())
}

fn scores(points: &[f32], weights: &[f32]) -> Vec<f32> {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum();
    let rows = points.chunks_exact(FEATURES);
    rows.flat_map(|x| weights.chunks_exact(FEATURES).map(move |w| dot(x, w))).collect()
}

fn descend(weights: &mut [f32], points: &[f32], grad: &[f32]) {
    for (x, grad) in points.chunks_exact(FEATURES).zip(grad.chunks_exact(CLASSES)) {
        for (w, g) in weights.chunks_exact_mut(FEATURES).zip(grad) {
            w.iter_mut().zip(x).for_each(|(w, x)| *w -= LEARNING_RATE * g * x);
        }
    }
}

fn accuracy(logits: &[f32], labels: &[usize]) -> f64 {
    let hits = logits.chunks_exact(CLASSES).zip(labels).filter(|(row, label)| row.iter().all(|z| *z <= row[**label]));
    hits.count() as f64 / labels.len() as f64
}
