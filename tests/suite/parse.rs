//! Parameters behind a name, and what is wrong with them.

use crate::support::chosen;
use activations::{
    Activation, AnyActivation, Elu, FromOutput, HardSigmoid, LeakyRelu, ParameterError, ParseError, SlopeFromOutput,
    Softmax, Tanh,
};

#[track_caller]
fn parsed(text: &str) -> AnyActivation {
    text.parse().unwrap_or_else(|error| panic!("`{text}`: {error}"))
}

#[track_caller]
fn message(text: &str) -> String {
    match text.parse::<AnyActivation>() {
        Ok(activation) => panic!("`{text}` is {activation}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn parameters_come_by_name_or_by_place() {
    let leaky = AnyActivation::from(LeakyRelu::new(0.2).unwrap());
    for text in [
        "leaky_relu(0.2)",
        "leaky_relu(negative_slope=0.2)",
        "LeakyReLU(negative_slope=0.2)",
        "LeakyReLU(negative_slope=0.2, inplace=True)",
        "leaky-relu ( negativeSlope = 2e-1 ) ",
        "LeakyRelu(alpha=0.2)",
        "leaky relu(.2)",
        "leaky_relu(+0.2)",
    ] {
        assert_eq!(parsed(text), leaky, "`{text}`");
    }
    assert_eq!(parsed("elu(alpha=-1)"), Elu::new(-1.0).unwrap().into());
    assert_eq!(parsed("elu()"), Elu::default().into());
    assert_eq!(parsed("elu( )"), Elu::default().into());
    assert_eq!(parsed("ReLU(inplace=True)"), parsed("relu"));
}

/// `repr` of modules of PyTorch 2.9: `(text, what it is here)`.
const MODULES: &[(&str, &str)] = &[
    ("ReLU()", "relu"),
    ("ReLU(inplace=True)", "relu"),
    ("ReLU6()", "relu6"),
    ("LeakyReLU(negative_slope=0.01)", "leaky_relu"),
    ("LeakyReLU(negative_slope=0.2, inplace=True)", "leaky_relu(negative_slope=0.2)"),
    ("Sigmoid()", "sigmoid"),
    ("LogSigmoid()", "log_sigmoid"),
    ("Tanh()", "tanh"),
    ("GELU(approximate='none')", "gelu"),
    ("GELU(approximate='tanh')", "gelu_tanh"),
    ("SiLU()", "silu"),
    ("Mish()", "mish"),
    ("ELU(alpha=1.0)", "elu"),
    ("ELU(alpha=0.5)", "elu(alpha=0.5)"),
    ("CELU(alpha=1.0)", "celu"),
    ("SELU()", "selu"),
    ("Softplus(beta=1.0, threshold=20.0)", "softplus"),
    ("Softsign()", "softsign"),
    ("Softshrink(0.5)", "softshrink"),
    ("Hardshrink(0.5)", "hardshrink"),
    ("Tanhshrink()", "tanhshrink"),
    ("Hardtanh(min_val=-1.0, max_val=1.0)", "hard_tanh"),
    ("Hardtanh(min_val=-2.0, max_val=2.0)", "hard_tanh(min=-2.0, max=2.0)"),
    ("Hardsigmoid()", "hard_sigmoid"),
    ("Hardswish()", "hard_swish"),
    ("Threshold(threshold=0.5, value=2.0)", "threshold(threshold=0.5, value=2.0)"),
    ("RReLU(lower=0.125, upper=0.3333333333333333)", "rrelu"),
];

/// Operators of ONNX 1.20 that are activations, with the attributes that they may have: `(text, what it is here)`. PRelu
/// has a slope for each channel. HardSigmoid's slope is 1/5 there by default: see the test of its name.
const OPERATORS: &[(&str, &str)] = &[
    ("Relu", "relu"),
    ("LeakyRelu", "leaky_relu"),
    ("LeakyRelu(alpha=0.2)", "leaky_relu(negative_slope=0.2)"),
    ("Sigmoid", "sigmoid"),
    ("Tanh", "tanh"),
    ("Gelu", "gelu"),
    ("Gelu(approximate=\"tanh\")", "gelu_tanh"),
    ("Elu", "elu"),
    ("Elu(alpha=2)", "elu(alpha=2.0)"),
    ("Celu", "celu"),
    ("Selu", "selu"),
    ("Softplus", "softplus"),
    ("Softsign", "softsign"),
    ("Mish", "mish"),
    ("HardSwish", "hard_swish"),
    ("HardSigmoid(alpha=0.2, beta=0.5)", "hard_sigmoid(alpha=0.2)"),
    ("PRelu", "prelu"),
    ("Shrink", "shrink"),
    ("Shrink(lambd=1.5)", "shrink(lambd=1.5)"),
    ("Shrink(lambd=1.5, bias=1.5)", "shrink(lambd=1.5, bias=1.5)"),
    ("Exp", "exponential"),
    ("ThresholdedRelu", "threshold"),
    ("ThresholdedRelu(alpha=2.0)", "threshold(threshold=2.0)"),
    ("Hardmax", "hardmax"),
    ("Softmax", "softmax"),
    ("LogSoftmax", "log_softmax"),
    ("Identity", "identity"),
];

/// The names of `ACT2FN` in Hugging Face's transformers 5.23, all of them.
const ACT2FN: &[(&str, &str)] = &[
    ("gelu", "gelu"),
    ("gelu_10", "clipped_gelu"),
    ("gelu_fast", "gelu_tanh"),
    ("gelu_new", "gelu_tanh"),
    ("gelu_python", "gelu"),
    ("gelu_pytorch_tanh", "gelu_tanh"),
    ("gelu_python_tanh", "gelu_tanh"),
    ("gelu_accurate", "gelu_tanh"),
    ("hardswish", "hard_swish"),
    ("laplace", "laplace"),
    ("leaky_relu", "leaky_relu"),
    ("linear", "identity"),
    ("mish", "mish"),
    ("prelu", "prelu"),
    ("quick_gelu", "quick_gelu"),
    ("relu", "relu"),
    ("relu2", "squared_relu"),
    ("relu6", "relu6"),
    ("sigmoid", "sigmoid"),
    ("silu", "silu"),
    ("sqrtsoftplus", "sqrtsoftplus"),
    ("swish", "swish"),
    ("tanh", "tanh"),
    ("xielu", "xielu"),
];

/// Functions of these tables that the crate does not have, or not by name, for their parameters are trained (`prelu`). One
/// that is known is a fault.
const MISSING: &[&str] = &["prelu", "sqrtsoftplus"];

#[test]
fn what_frameworks_write_is_known() {
    for (theirs, ours) in MODULES.iter().chain(OPERATORS).chain(ACT2FN) {
        let name = ours.split('(').next().unwrap();
        if MISSING.contains(&name) || MISSING.contains(theirs) {
            assert!(theirs.parse::<AnyActivation>().is_err(), "`{theirs}` is known: take it from the list");
        } else {
            assert_eq!(parsed(theirs).to_string(), *ours, "`{theirs}`");
        }
    }
}

/// ONNX has another default than PyTorch for an operator of the same name. PyTorch's exporter writes the slope out.
#[test]
fn hard_sigmoid_by_its_name_has_the_slope_of_pytorch() {
    for name in ["HardSigmoid", "Hardsigmoid", "hard_sigmoid", "hardsigmoid()"] {
        assert_eq!(parsed(name), HardSigmoid::default().into(), "`{name}`");
        assert_ne!(parsed(name), HardSigmoid::onnx().into(), "`{name}`");
    }
    assert_eq!(parsed("HardSigmoid(alpha=0.2)"), HardSigmoid::onnx().into());
    assert_eq!(parsed("HardSigmoid(alpha=0.16666666666666666, beta=0.5)"), HardSigmoid::default().into());
}

#[test]
fn display_gives_the_parameters_that_are_not_the_defaults_and_parses_back() {
    let slopes = [0.2, -0.0, 1.0, 1e300, -1e-300, 5e-324, 0.1 + 0.2, f64::MAX, 1.0 / 3.0];
    for slope in slopes {
        let leaky = AnyActivation::from(LeakyRelu::new(slope).unwrap());
        let text = leaky.to_string();
        assert_eq!(parsed(&text), leaky, "`{text}`");
    }
    assert_eq!(AnyActivation::from(LeakyRelu::new(0.2).unwrap()).to_string(), "leaky_relu(negative_slope=0.2)");
    assert_eq!(AnyActivation::from(LeakyRelu::new(0.01).unwrap()).to_string(), "leaky_relu");
    let elu = AnyActivation::from(Elu::new(2.0).unwrap());
    assert_eq!(format!("{elu:>16}|{elu:_<16}|"), "  elu(alpha=2.0)|elu(alpha=2.0)__|");
    for activation in AnyActivation::all() {
        for (name, value) in activation.parameters() {
            // Each parameter, at its default and moved.
            assert_eq!(parsed(&format!("{activation}({name}={value:?})")), activation);
            let moved = format!("{activation}({name}={:?})", value + 0.125);
            if let Ok(moved) = moved.parse::<AnyActivation>() {
                assert_ne!(moved, activation, "{name}");
                assert_eq!(parsed(&moved.to_string()), moved);
                assert!(moved.parameters().any(|parameter| parameter == (name, value + 0.125)), "{moved}");
            }
        }
    }
}

#[test]
fn what_is_wrong_is_said() {
    assert_eq!(message("leaky_relu(slope=0.2)"), "leaky_relu: unknown parameter `slope`; it has `negative_slope`");
    assert_eq!(message("gelu(alpha=1)"), "gelu: unknown parameter `alpha`; it has none");
    assert_eq!(message("gelu(approximate='sinh')"), "gelu: unknown parameter `approximate`; it has none");
    assert_eq!(message("relu(approximate='tanh')"), "relu: unknown parameter `approximate`; it has none");
    assert_eq!(message("softmax(dim=1)"), "softmax: unknown parameter `dim`; it has none");
    assert_eq!(message("leaky_relu(0.1, 0.2)"), "leaky_relu: too many parameters; it has `negative_slope`");
    assert_eq!(message("gelu(1)"), "gelu: too many parameters; it has none");
    assert_eq!(
        message("leaky_relu(negative_slope=0.1, negative_slope=0.2)"),
        "leaky_relu: `negative_slope` is given twice"
    );
    assert_eq!(message("elu(1, alpha=2)"), "elu: `alpha` is given twice");
    assert_eq!(message("elu(one)"), "elu: `alpha` is `one`, but must be a number");
    assert_eq!(message("elu(alpha=)"), "elu: `alpha` is ``, but must be a number");
    assert_eq!(message("elu(1.0.0)"), "elu: `alpha` is `1.0.0`, but must be a number");
    assert_eq!(message("elu(nan)"), "elu: `alpha` is NaN, but must be a finite number");
    assert_eq!(message("elu(alpha=1e999)"), "elu: `alpha` is inf, but must be a finite number");
    for open in ["elu(", "elu(1", "elu(1))", "elu((1)", "elu(1)x", "elu(1)("] {
        assert!(message(open).contains("the parenthesis is not closed at the end"), "`{open}`");
    }
    assert!(message("gleu(1)").contains("did you mean `gelu`?"));
    assert!(message("softplus(threshold=1)").contains("20 or above"));
    assert!(message(&format!("elu({}=1)", "é".repeat(1_000))).len() < 200);
}

#[test]
fn errors_can_be_told_apart() {
    let error = |text: &str| text.parse::<AnyActivation>().unwrap_err();
    assert!(matches!(error("gleu"), ParseError::UnknownName(_)));
    assert!(matches!(error("elu(1"), ParseError::Parentheses(_)));
    assert!(matches!(error("elu(beta=1)"), ParseError::UnknownParameter { activation: "elu", .. }));
    assert!(matches!(error("elu(1, 2)"), ParseError::TooManyParameters { activation: "elu", .. }));
    assert!(matches!(error("elu(1, alpha=2)"), ParseError::Repeated { parameter: "alpha", .. }));
    assert!(matches!(error("elu(x)"), ParseError::NotANumber { parameter: "alpha", .. }));
    let not_allowed: ParameterError = Elu::new(f64::NAN).unwrap_err();
    // Not equal to itself, for its NaN is not.
    assert!(matches!(error("elu(nan)"), ParseError::NotAllowed(e) if e.to_string() == not_allowed.to_string()));
    assert_eq!(error("gleu").nearest(), Some("gelu"));
    assert_eq!(error("elu(x)").nearest(), None);
}

#[test]
fn parameters_are_listed_with_their_values() {
    let list = |activation: &AnyActivation| activation.parameters().collect::<Vec<_>>();
    assert_eq!(list(&LeakyRelu::new(0.3).unwrap().into()), [("negative_slope", 0.3)]);
    assert_eq!(list(&Elu::default().into()), [("alpha", 1.0)]);
    assert_eq!(list(&Tanh.into()), []);
}

#[test]
fn functions_whose_output_determines_the_gradient_are_found() {
    fn same_bits<A: SlopeFromOutput + Into<AnyActivation> + Copy>(typed: A) {
        let any: AnyActivation = typed.into();
        let found = any.as_from_output::<f32>().unwrap_or_else(|| panic!("{any} has a gradient from its output"));
        let (y, grad_y) = ([-0.5_f32, 0.0, 0.75], [1.0, 2.0, -3.0]);
        assert_eq!(found.backward_from_output_vec(&y, &grad_y), typed.backward_from_output_vec(&y, &grad_y));
        assert!(any.as_from_output::<f64>().is_some());
    }
    same_bits(Tanh);
    // Many inputs have the same output, on both sides of the minimum.
    for name in ["gelu", "gelu_tanh", "silu"] {
        assert!(parsed(name).as_from_output::<f32>().is_none(), "{name}");
    }
}

#[test]
fn extending_a_vector_gives_the_bits_of_forward() {
    let lengths = [0, 1, 100, 2_047, 2_048, 2_049, 10_000];
    for (activation, len) in chosen().flat_map(|a| lengths.map(|len| (a, len))) {
        let x: Vec<f32> = (0..len).map(|i| (i % 977) as f32 / 60.0 - 8.0).collect();
        let mut y = vec![5.0_f32; 3];
        activation.forward_extend(&x, &mut y);
        let bits = |y: &[f32]| y.iter().map(|y| y.to_bits()).collect::<Vec<_>>();
        assert_eq!(y[..3], [5.0; 3]);
        assert_eq!(bits(&y[3..]), bits(&activation.forward_vec(&x)), "{activation}, {len} elements");
    }
    let rows = Softmax::rows(30).unwrap();
    let x: Vec<f64> = (0..30 * 300).map(|i| f64::from(i % 71)).collect();
    let mut y = Vec::new();
    rows.forward_extend(&x, &mut y);
    assert_eq!(y, rows.forward_vec(&x));
}

#[test]
#[should_panic(expected = "slices of 7 elements do not divide into rows of 3")]
fn extending_by_a_part_of_a_row_panics() {
    Softmax::rows(3).unwrap().forward_extend(&[0.0_f32; 7], &mut Vec::new());
}
