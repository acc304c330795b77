//! Compares losses and gradients with PyTorch's, JAX's and optax's in f64, from a committed table (`tools/losses.py`).

use std::collections::BTreeMap;

use activations::{BinaryCrossEntropy, BinaryTargets, Broadcast, CrossEntropy, Reduction, Targets, Wide};

use crate::number::{Number, for_each_type, stale};

/// A line of the table: the result of a library's call.
struct Line {
    name: String,
    library: String,
    call: String,
    part: String,
    numbers: Vec<f64>,
}

fn table() -> (BTreeMap<String, Vec<f64>>, Vec<Line>) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tables/losses.csv");
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let numbers = |fields: &[&str]| -> Vec<f64> {
        fields.iter().map(|hex| f64::from_bits(u64::from_str_radix(hex, 16).expect("sixteen digits"))).collect()
    };
    let (mut data, mut lines) = (BTreeMap::new(), Vec::new());
    for line in text.lines() {
        match line.split(',').collect::<Vec<&str>>()[..] {
            ["versions", ref of @ ..] => println!("{}", of.join(", ")),
            ["data", name, ref x @ ..] => drop(data.insert(name.to_owned(), numbers(x))),
            ["loss", name, library, call, part, ref y @ ..] => {
                let [name, library, call, part] = [name, library, call, part].map(str::to_owned);
                lines.push(Line { name, library, call, part, numbers: numbers(y) });
            }
            _ => panic!("not a line of the table: {line}"),
        }
    }
    (data, lines)
}

/// This crate's results: the losses, the gradients of their sum, and the loss of the batch.
struct Ours<T: Number> {
    losses: Vec<T>,
    gradient: Vec<T>,
    mean: T::Float,
}

fn of_classes<T: Number>(loss: CrossEntropy, x: &[T], targets: Targets<'_, T>) -> Ours<T> {
    let (mut losses, mut gradient) = (stale(x.len() / 5), stale(x.len()));
    loss.reduction(Reduction::Sum).loss_and_gradient(x, targets, &mut gradient);
    loss.losses(x, targets, &mut losses);
    Ours { losses, gradient, mean: Wide(loss).loss(x, targets) }
}

fn of_logits<T: Number>(loss: BinaryCrossEntropy, x: &[T], targets: BinaryTargets<'_, T>) -> Ours<T> {
    let (mut losses, mut gradient) = (stale(x.len()), stale(x.len()));
    loss.reduction(Reduction::Sum).loss_and_gradient(x, targets, &mut gradient);
    loss.losses(x, targets, &mut losses);
    Ours { losses, gradient, mean: Wide(loss).loss(x, targets) }
}

/// `None` if the name is not known.
fn ours<T: Number>(name: &str, data: &BTreeMap<String, Vec<f64>>) -> Option<Ours<T>> {
    let of = |name: &str| data[name].iter().map(|&x| T::of(x)).collect::<Vec<T>>();
    let (images, distributions, class_weights) = (of("images"), of("distributions"), of("class_weights"));
    let labels: Vec<i64> = data["classes"].iter().map(|&class| class as i64).collect();
    let (logits, t, weights, pos_weights) = (of("logits"), of("targets"), of("weights"), of("pos_weights"));
    // Images of 5 classes and 3 x 2 pixels.
    let (axis, binary) = (CrossEntropy::axis(5, 6).unwrap(), BinaryCrossEntropy::new());
    let (classes, probabilities) = (Targets::from(&labels), Targets::distributions(&distributions));
    let targets = BinaryTargets::from(&t);
    let of_classes = |loss, targets| Some(of_classes(loss, &images, targets));
    let of_logits = |loss, targets| Some(of_logits(loss, &logits, targets));
    match name {
        "classes" => of_classes(axis, classes),
        "distributions" => of_classes(axis, probabilities),
        "weights" => of_classes(axis, classes.weighted(&class_weights)),
        "distributions_weights" => of_classes(axis, probabilities.weighted(&class_weights)),
        "smoothing" => of_classes(axis.label_smoothing(0.1).unwrap(), classes),
        "smoothing_all" => of_classes(axis.label_smoothing(1.0).unwrap(), classes),
        "smoothing_all_weights" => of_classes(axis.label_smoothing(1.0).unwrap(), classes.weighted(&class_weights)),
        "focal_2" => of_classes(axis.focal(2.0).unwrap(), classes),
        "focal_half" => of_classes(axis.focal(0.5).unwrap(), classes),
        "soft_cap" => of_classes(axis.soft_cap(3.0).unwrap(), classes),
        "z_loss" => of_classes(axis.z_loss(0.01).unwrap(), classes),
        "binary" => of_logits(binary, targets),
        "binary_weights" => of_logits(binary, targets.weighted(&weights)),
        "binary_pos_weights" => of_logits(binary, targets.pos_weighted(Broadcast::cycled(&pos_weights))),
        "binary_both" => of_logits(binary, targets.weighted(&weights).pos_weighted(Broadcast::cycled(&pos_weights))),
        _ => {
            let (gamma, alpha) = name.strip_prefix("sigmoid_focal_")?.split_once('_')?;
            let focal = binary.focal(gamma.parse().ok()?).ok()?;
            let alpha: f64 = alpha.parse().ok()?;
            // torchvision's way to say that there is no alpha.
            of_logits(if alpha < 0.0 { focal } else { focal.alpha(alpha).ok()? }, targets)
        }
    }
}

fn check<T: Number<Float: Number>>() {
    let (data, lines) = table();
    assert!(lines.len() >= 50, "a table cut short");
    let eps = T::eps().to_f64();
    // For halves the inputs are rounded too.
    let slack = if T::IS_HALF { 40.0 * T::spacing(crate::big::Big::ONE).to_f64() } else { 20.0 * eps };
    for line in &lines {
        let what = format!("{} of {}, {} of {}.{}", line.name, T::TYPE, line.part, line.library, line.call);
        let ours = ours::<T>(&line.name, &data).unwrap_or_else(|| panic!("{what}: not known"));
        let got: Vec<f64> = match line.part.as_str() {
            "losses" => ours.losses.iter().map(|x| x.wide()).collect(),
            "gradient" => ours.gradient.iter().map(|x| x.wide()).collect(),
            _ => vec![ours.mean.wide()],
        };
        assert_eq!(got.len(), line.numbers.len(), "{what}");
        for (i, (&got, &theirs)) in got.iter().zip(&line.numbers).enumerate() {
            // The libraries compute 1 - p and p - t by differences, near 1.
            let close = (got - theirs).abs() <= slack * theirs.abs() + slack.max(4e-15);
            assert!(close, "{what}, number {i}: theirs is {theirs:e}, ours {got:e}");
        }
    }
}

#[test]
fn losses_are_those_of_pytorch_jax_and_optax() {
    for_each_type!(check());
}
