//! Activations by name: whoever wrote the name, and whatever else comes in its place.

use crate::support::{Bits, Float, Outputs, assert_same, value};
use activations::*;

/// What counts of a name.
fn letters(name: &str) -> String {
    name.chars().filter(|c| !"-_ ".contains(*c)).flat_map(char::to_lowercase).collect()
}

fn names(card: &Card) -> impl Iterator<Item = &'static str> {
    [card.name].into_iter().chain(card.aliases.iter().copied())
}

#[track_caller]
fn parsed(name: &str) -> AnyActivation {
    name.parse().unwrap_or_else(|error| panic!("`{name}`: {error}"))
}

#[test]
fn every_name_and_alias_parses_to_its_card() {
    for activation in AnyActivation::all() {
        for name in names(&activation.card()) {
            assert_eq!(parsed(name), activation, "`{name}`");
            assert_eq!(parsed(name).card(), activation.card(), "`{name}`");
        }
    }
}

#[test]
fn case_and_separators_make_no_difference() {
    for activation in AnyActivation::all() {
        for name in names(&activation.card()) {
            let spaced: String = name.chars().flat_map(|c| [c, ' ']).collect();
            let variants = [
                name.to_uppercase(),
                name.replace('_', "-"),
                name.replace('_', " "),
                name.replace('_', ""),
                name.to_uppercase().replace('_', "-"),
                format!("_{name}-"),
                format!(" {name} "),
                spaced,
            ];
            for variant in variants {
                assert_eq!(parsed(&variant), activation, "`{variant}`");
            }
        }
    }
}

#[test]
fn no_two_names_are_the_same() {
    let mut all: Vec<(String, &str)> =
        AnyActivation::all().flat_map(|a| names(&a.card()).map(|n| (letters(n), n)).collect::<Vec<_>>()).collect();
    all.sort();
    for pair in all.windows(2) {
        assert_ne!(pair[0].0, pair[1].0, "`{}` and `{}` are one name, listed twice", pair[0].1, pair[1].1);
    }
}

#[test]
fn names_are_snake_case() {
    for activation in AnyActivation::all() {
        for name in names(&activation.card()) {
            let plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
            assert!(plain && !name.is_empty(), "`{name}`");
        }
    }
}

#[test]
fn display_gives_the_canonical_name_and_parses_back() {
    for activation in AnyActivation::all() {
        let name = activation.card().name;
        assert_eq!(activation.to_string(), name);
        assert_eq!(parsed(&activation.to_string()), activation);
        assert_eq!(format!("{activation:<12}|"), format!("{name:<12}|"));
        assert_eq!(format!("{activation:>12}|"), format!("{name:>12}|"));
        assert_eq!(format!("{activation:*^12}|"), format!("{name:*^12}|"));
    }
}

/// Classes of `torch.nn`, functions of `torch.nn.functional`, operators of ONNX, functions of `keras.activations`:
/// with the default parameters that they have there. Keras's `leaky_relu` is not here: its slope is 0.2.
const FRAMEWORKS: &[(&str, &str)] = &[
    ("ReLU", "relu"),
    ("LeakyReLU", "leaky_relu"),
    ("Sigmoid", "sigmoid"),
    ("Tanh", "tanh"),
    ("GELU", "gelu"),
    ("SiLU", "silu"),
    ("ELU", "elu"),
    ("Softplus", "softplus"),
    ("Softmax", "softmax"),
    ("LogSoftmax", "log_softmax"),
    ("relu", "relu"),
    ("leaky_relu", "leaky_relu"),
    ("sigmoid", "sigmoid"),
    ("tanh", "tanh"),
    ("gelu", "gelu"),
    ("silu", "silu"),
    ("elu", "elu"),
    ("softplus", "softplus"),
    ("softmax", "softmax"),
    ("Softmin", "softmin"),
    ("softmin", "softmin"),
    ("Hardmax", "hardmax"),
    ("sparsemax", "sparsemax"),
    ("log_softmax", "log_softmax"),
    ("Relu", "relu"),
    ("LeakyRelu", "leaky_relu"),
    ("Gelu", "gelu"),
    ("Swish", "swish"),
    ("Elu", "elu"),
    ("ReLU6", "relu6"),
    ("Threshold", "threshold"),
    ("RReLU", "rrelu"),
    ("Identity", "identity"),
    ("Hardsigmoid", "hard_sigmoid"),
    ("Hardswish", "hard_swish"),
    ("Hardtanh", "hard_tanh"),
    ("Softshrink", "softshrink"),
    ("Hardshrink", "hardshrink"),
    ("Softsign", "softsign"),
    ("ThresholdedRelu", "threshold"),
    ("HardSwish", "hard_swish"),
    ("Shrink", "shrink"),
    ("ThresholdedReLU", "threshold"),
    ("linear", "identity"),
    ("hard_sigmoid", "hard_sigmoid"),
    ("hard_silu", "hard_swish"),
    ("hard_tanh", "hard_tanh"),
    ("hard_shrink", "hardshrink"),
    ("soft_shrink", "softshrink"),
    ("sparse_plus", "sparse_plus"),
    ("sparse_sigmoid", "sparse_sigmoid"),
    ("soft_sign", "softsign"),
    ("squareplus", "squareplus"),
    ("swish", "swish"),
    ("LogSigmoid", "log_sigmoid"),
    ("logsigmoid", "log_sigmoid"),
    ("log_sigmoid", "log_sigmoid"),
    ("SELU", "selu"),
    ("Selu", "selu"),
    ("CELU", "celu"),
    ("Celu", "celu"),
    ("Mish", "mish"),
    ("Tanhshrink", "tanhshrink"),
    ("tanh_shrink", "tanhshrink"),
    ("exponential", "exponential"),
    ("Exp", "exponential"),
];

#[test]
fn names_of_pytorch_onnx_and_keras_are_known() {
    for (theirs, ours) in FRAMEWORKS {
        assert_eq!(parsed(theirs).to_string(), *ours, "`{theirs}`");
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn gelu(x: f64) -> f64 {
    0.5 * x * (1.0 + libm::erf(x / 2.0_f64.sqrt()))
}

fn gelu_tanh(x: f64) -> f64 {
    0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3))).tanh())
}

fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// The formula that a Hugging Face configuration's `hidden_act` stands for.
type Formula = fn(f64) -> f64;

/// The keys of `ACT2CLS` in `transformers/activations.py`, version 5.23, without those that have trained parameters
/// (`prelu`, and `xielu`, which is another function within 1e-6 of 0 there): `(key, formula, known)`. A key that is not known may become known, if it means the formula.
#[allow(clippy::approx_constant)] // As it stands there.
const HUGGING_FACE: &[(&str, Formula, bool)] = &[
    ("gelu", gelu, true),
    ("gelu_10", |x| gelu(x).clamp(-10.0, 10.0), true),
    ("gelu_fast", gelu_tanh, true),
    ("gelu_new", gelu_tanh, true),
    ("gelu_python", gelu, true),
    ("gelu_pytorch_tanh", gelu_tanh, true),
    ("gelu_python_tanh", gelu_tanh, true),
    ("gelu_accurate", gelu_tanh, true),
    ("hardswish", |x| x * (x + 3.0).clamp(0.0, 6.0) / 6.0, true),
    ("laplace", |x| 0.5 * (1.0 + libm::erf((x - 0.707107) / (0.282095 * 2.0_f64.sqrt()))), true),
    ("leaky_relu", |x| if x > 0.0 { x } else { 0.01 * x }, true),
    ("linear", |x| x, true),
    ("mish", |x| x * softplus(x).tanh(), true),
    ("quick_gelu", |x| x * sigmoid(1.702 * x), true),
    ("relu", |x| x.max(0.0), true),
    ("relu2", |x| x.max(0.0).powi(2), true),
    ("relu6", |x| x.clamp(0.0, 6.0), true),
    ("sigmoid", sigmoid, true),
    ("silu", |x| x * sigmoid(x), true),
    ("sqrtsoftplus", |x| softplus(x).sqrt(), false),
    ("swish", |x| x * sigmoid(x), true),
    ("tanh", f64::tanh, true),
];

#[test]
fn names_of_hugging_face_mean_what_they_mean_there() {
    let mut missing = Vec::new();
    for &(key, formula, known) in HUGGING_FACE {
        let Ok(activation) = key.parse::<AnyActivation>() else {
            if known {
                missing.push(key);
            }
            continue;
        };
        for x in [-20.0, -3.0, -1.0, -0.1, 0.0, 0.5, 1.0, 2.0, 7.0, 20.0] {
            let (expected, got) = (formula(x), value(&activation, x));
            // Their erf and tanh forms cancel for large negative x: an absolute tolerance, finer than the forms differ.
            assert!(
                (got - expected).abs() <= 1e-14 * (1.0 + x.abs()),
                "`{key}` is {activation} here: f({x}) = {got}, there {expected}"
            );
        }
    }
    assert!(missing.is_empty(), "unknown, though the function exists: {missing:?}");
}

#[test]
fn the_clipped_gelu_and_the_sigmoid_approximation_are_not_gelu() {
    for name in ["gelu_10", "quick_gelu", "gelu_quick", "QuickGELU"] {
        if let Ok(activation) = name.parse::<AnyActivation>() {
            assert!(!["gelu", "gelu_tanh"].contains(&activation.card().name), "`{name}` parses as {activation}");
        }
    }
}

#[test]
fn an_unknown_name_is_an_error_that_lists_the_known_ones() {
    for name in ["nonsense", "gleu", "quack_gelu", "", "gelu gelu", "relu!", "geluu2"] {
        let error = name.parse::<AnyActivation>().unwrap_err();
        let text = error.to_string();
        assert!(text.contains(&format!("`{name}`")), "{text}");
        let (_, list) = text.split_once("Known names: ").unwrap_or_else(|| panic!("no list: {text}"));
        let listed: Vec<&str> = list.split(", ").collect();
        let known: Vec<String> = AnyActivation::all().map(|a| a.to_string()).collect();
        assert_eq!(listed, known, "{text}");
        assert_eq!(text.contains("did you mean"), error.nearest().is_some(), "{text}");
        if let Some(nearest) = error.nearest() {
            assert!(text.contains(&format!("did you mean `{nearest}`?")), "{text}");
            parsed(nearest);
        }
    }
}

#[test]
fn the_message_of_an_unknown_name_is_made_of_sentences() {
    for name in ["gleu", "nonsense"] {
        let text = name.parse::<AnyActivation>().unwrap_err().to_string();
        let (before, _) = text.split_once(" Known names:").unwrap();
        assert!(before.ends_with(['.', '?', ';', ':']), "a sentence runs into the next: {text}");
    }
}

#[test]
fn a_slip_of_the_pen_gets_the_nearest_name() {
    let slips = [
        ("gleu", "gelu"),
        ("geul", "gelu"),
        ("GELUU", "gelu"),
        ("rleu", "relu"),
        ("Rel", "relu"),
        ("tahn", "tanh"),
        ("sigmod", "sigmoid"),
        ("sigmiod", "sigmoid"),
        ("softmx", "softmax"),
        ("soft-maxx", "softmax"),
        ("leaky_rleu", "leaky_relu"),
        ("LeekyRelu", "leaky_relu"),
        ("gelu_tahn", "gelu_tanh"),
        ("sillu", "silu"),
    ];
    for (slip, meant) in slips {
        let nearest = slip.parse::<AnyActivation>().unwrap_err().nearest();
        assert_eq!(nearest, Some(meant), "`{slip}`");
    }
}

#[test]
fn a_name_far_from_all_gets_no_suggestion() {
    for name in
        ["", "xyzzy", "transformer", "q", "convolution", "the quick brown fox", "42", "leaky_integrate_and_fire"]
    {
        assert_eq!(name.parse::<AnyActivation>().unwrap_err().nearest(), None, "`{name}`");
    }
}

#[test]
fn odd_names_are_errors_and_do_not_panic() {
    let long = ["gelu".repeat(5_000), "x".repeat(100_000), "é".repeat(1_000), format!("x{}", "é".repeat(1_000))];
    let emoji = format!("{}🦀🦀🦀", "a".repeat(46));
    let names =
        ["GELÜ", "ｇｅｌｕ", "ſilu", "тanh", "🦀", "\0", "gelu\n", "\u{feff}gelu", "ge\u{301}lu", "---", "_", &emoji];
    for name in names.into_iter().chain(long.iter().map(String::as_str)) {
        let error = name.parse::<AnyActivation>().unwrap_err();
        let text = error.to_string();
        assert!(text.len() < 1_000, "a message of {} bytes", text.len());
        let start: String = name.chars().take(10).collect();
        assert!(text.contains(&start), "{text}");
    }
}

#[test]
fn a_name_runs_the_function_for_both_types() -> Result<(), ParseError> {
    for activation in AnyActivation::all() {
        for name in names(&activation.card()) {
            let (x, mut y) = ([-1.0_f32, 0.0, 2.0], [9.0; 3]);
            name.parse::<AnyActivation>()?.forward(&x, &mut y);
            let (wide, mut wide_y) = ([-1.0_f64, 0.0, 2.0], [9.0; 3]);
            name.parse::<AnyActivation>()?.forward(&wide, &mut wide_y);
            for (y, wide_y) in y.into_iter().zip(wide_y) {
                assert!((f64::from(y) - wide_y).abs() <= 1e-6, "`{name}`: {y} in f32, {wide_y} in f64");
            }
        }
    }
    Ok(())
}

/// The function by its type, by its name, and boxed, on the same slices.
fn by_type_by_name_and_boxed_agree<T: Float, A: Activation<T> + Described + Copy + Into<AnyActivation>>(typed: A) {
    let mut bits = Bits(21);
    let name = A::CARD.name;
    for len in [0, 1, 5, 300] {
        let (x, g) = (bits.floats::<T>(len), bits.floats::<T>(len));
        let expected = Outputs::of(&typed, &x, &g);
        let boxed: Box<dyn Activation<T>> = parsed(name).into();
        let mut y = vec![T::nan(); len];
        boxed.forward(&x, &mut y);
        assert_same(&format!("{name} boxed, forward"), &x, &expected.forward, &y);
        boxed.derivative(&x, &mut y);
        assert_same(&format!("{name} boxed, derivative"), &x, &expected.derivative, &y);
        boxed.backward(&x, &g, &mut y);
        assert_same(&format!("{name} boxed, backward"), &x, &expected.backward, &y);
        for (how, activation) in [("by name", parsed(name)), ("from its type", typed.into())] {
            for ((method, expected), (_, got)) in
                expected.named().into_iter().zip(Outputs::of(&activation, &x, &g).named())
            {
                assert_same(&format!("{name} {how}, {method}"), &x, expected, got);
            }
        }
    }
    assert_eq!(typed.into(), parsed(name));
    assert_eq!(typed.into().card(), A::CARD);
}

#[test]
fn by_name_gives_the_bits_of_the_typed_call() {
    macro_rules! check {
        ($($activation:ident),*) => {{
            $(
                by_type_by_name_and_boxed_agree::<f32, _>($activation::default());
                by_type_by_name_and_boxed_agree::<f64, _>($activation::default());
            )*
            [$(stringify!($activation)),*].len()
        }};
    }
    let checked = check!(
        Relu,
        LeakyRelu,
        Sigmoid,
        Tanh,
        Gelu,
        GeluTanh,
        Silu,
        Elu,
        Softplus,
        Softmax,
        LogSoftmax,
        Relu6,
        SquaredRelu,
        Threshold,
        Rrelu,
        Identity,
        HardSigmoid,
        HardSwish,
        HardTanh,
        Softshrink,
        Hardshrink,
        Shrink,
        SparsePlus,
        SparseSigmoid,
        Softsign,
        Squareplus,
        Softmin,
        Sparsemax,
        Hardmax,
        QuickGelu,
        Swish,
        Selu,
        Celu,
        LogSigmoid,
        Mish,
        Tanhshrink,
        LogCosh,
        Snake,
        ClippedGelu,
        Laplace,
        Xielu,
        Exponential
    );
    assert_eq!(checked, AnyActivation::all().count(), "a new type is missing in this test");
}

#[test]
fn parameters_survive_the_way_into_any_activation() {
    let x = [-2.0_f32, -1.0, 3.0, 4.0];
    let mut y = [0.0; 4];
    AnyActivation::from(LeakyRelu::new(0.25).unwrap()).forward(&x, &mut y);
    assert_eq!(y, [-0.5, -0.25, 3.0, 4.0]);
    let rows = AnyActivation::from(Softmax::rows(1).unwrap());
    rows.forward(&x, &mut y);
    assert_eq!(y, [1.0; 4]);
    assert_eq!(Activation::<f32>::row_len(&rows), Some(1));
    assert_eq!(Activation::<f32>::row_len(&parsed("softmax")), None);
}

#[test]
fn a_stack_of_boxed_layers_runs() {
    let layers: Vec<Box<dyn Activation<f64>>> = ["relu", "tanh", "softmax"].map(|name| parsed(name).into()).into();
    let mut x = [-1.0, 0.5, 2.0];
    for layer in &layers {
        layer.forward_in_place(&mut x);
    }
    assert!((x.iter().sum::<f64>() - 1.0).abs() < 1e-15);
    assert!(x[0] < x[1] && x[1] < x[2]);
}
