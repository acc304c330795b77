//! Parameters after a name, and their errors.

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

/// ONNX's operator has the same name as PyTorch's module, but another default. PyTorch's exporter writes the slope as an attribute.
#[test]
fn hard_sigmoid_by_its_name_has_the_slope_of_pytorch() {
    for name in ["HardSigmoid", "Hardsigmoid", "hard_sigmoid", "hardsigmoid()"] {
        assert_eq!(parsed(name), HardSigmoid::default().into(), "`{name}`");
        assert_ne!(parsed(name), HardSigmoid::onnx().into(), "`{name}`");
    }
    assert_eq!(parsed("HardSigmoid(alpha=0.2)"), HardSigmoid::onnx().into());
    assert_eq!(parsed("HardSigmoid(alpha=0.16666666666666666, beta=0.5)"), HardSigmoid::default().into());
    assert_eq!(parsed("ai.onnx.HardSigmoid"), HardSigmoid::onnx().into());
    assert_eq!(parsed("ai.onnx::HardSigmoid(beta=0.5)"), HardSigmoid::onnx().into());
    assert_eq!(parsed("ai.onnx.HardSigmoid(alpha=0.25)"), HardSigmoid::new(0.25, 0.5).unwrap().into());
}

#[test]
fn a_module_before_the_name_brings_its_defaults() {
    let leaky = |slope| AnyActivation::from(LeakyRelu::new(slope).unwrap());
    for (text, slope) in [
        ("nn.LeakyReLU()", 0.01),
        ("torch.nn.LeakyReLU", 0.01),
        ("F.leaky_relu", 0.01),
        ("jax.nn.leaky_relu", 0.01),
        ("tf.nn.leaky_relu", 0.2),
        ("keras.activations.leaky_relu", 0.2),
        ("keras.layers.LeakyReLU()", 0.3),
        ("tf.keras.layers.LeakyReLU(alpha=0.1)", 0.1),
        ("keras.layers.LeakyReLU(negative_slope=0.01)", 0.01),
        ("keras.layers.LeakyReLU(0.1)", 0.1),
        (" nn . LeakyReLU (0.1)", 0.1),
    ] {
        assert_eq!(parsed(text), leaky(slope), "`{text}`");
    }
    for (text, name) in [
        ("jax.nn.gelu", "gelu_tanh"),
        ("flax.linen.gelu(approximate=False)", "gelu"),
        ("tf.nn.gelu", "gelu"),
        ("torch.nn.functional.gelu", "gelu"),
        ("nn.GELU", "gelu"),
    ] {
        assert_eq!(parsed(text).card().name, name, "`{text}`");
    }
    // Flax's and MLX's functions of this name differ, and PyTorch does not have it.
    assert!(message("nn.gelu").contains("write `flax.linen.gelu` or `gelu`"));
    // An unknown module may mean anything.
    for (text, nearest) in
        [("mylib.gelu", Some("gelu")), ("nn.gleu", Some("gelu")), (".relu", Some("relu")), ("torch.", None)]
    {
        assert_eq!(text.parse::<AnyActivation>().unwrap_err().nearest(), nearest, "`{text}`");
    }
}

#[test]
fn arguments_may_select_another_function_or_change_nothing() {
    for (text, expected) in [
        ("gelu(approximate=True)", "gelu_tanh"),
        ("gelu(approximate=\"none\")", "gelu"),
        ("relu(max_value=6)", "relu6"),
        ("ReLU(max_value=None, negative_slope=0.0, threshold=0.0)", "relu"),
        ("ReLU(negative_slope=0.1, max_value=None, threshold=0.0)", "leaky_relu(negative_slope=0.1)"),
        ("ReLU(negative_slope=0.0, max_value=2.0, threshold=0.0)", "hard_tanh(min=0.0, max=2.0)"),
        ("ReLU(negative_slope=0.0, max_value=None, threshold=1.0)", "threshold"),
        ("QuickGelu(alpha=1.7020000219345093)", "quick_gelu"),
        ("QuickGelu(alpha=1.0)", "swish"),
        ("silu(beta=1.0)", "silu"),
        ("Selu(alpha=1.6732631921768188, gamma=1.0507010221481323)", "selu"),
        ("Softmax(dim=None)", "softmax"),
        ("Softmax2d()", "softmax"),
        ("ThresholdedReLU(theta=2.0)", "threshold(threshold=2.0)"),
        ("Snake(alpha=2.0)", "snake(a=2.0)"),
        ("log_softmax(axis=1)", "log_softmax"),
        ("sparsemax(dim=-1)", "sparsemax"),
    ] {
        assert_eq!(parsed(text).to_string(), expected, "`{text}`");
    }
    assert!(message("Selu(alpha=1.6732, gamma=1.0507)").starts_with("selu: `alpha` is 1.6732, but must be SELU's own"));
    assert!(message("selu(gamma=1)").starts_with("selu: `gamma` is 1, but must be SELU's own"));
    assert!(message("relu(max_value=6, negative_slope=0.1)").contains("left out beside another parameter"));
    assert_eq!(message("gelu(approximate='tanh', approximate='none')"), "gelu: `approximate` is given twice");
    assert_eq!(message("relu(max_value=six)"), "relu: unknown parameter `max_value`; it has none");
    assert_eq!(message("relu(dim=1)"), "relu: unknown parameter `dim`; it has none");
    assert_eq!(message("softmax(dim=rows)"), "softmax: unknown parameter `dim`; it has none");
    assert!(message("relu(max_value=nan)").contains("but must be a finite number"));
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
            // Each parameter, at its default and at another value.
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
fn errors_say_what_is_wrong() {
    assert_eq!(message("leaky_relu(slope=0.2)"), "leaky_relu: unknown parameter `slope`; it has `negative_slope`");
    assert_eq!(message("gelu(alpha=1)"), "gelu: unknown parameter `alpha`; it has none");
    assert_eq!(message("gelu(approximate='sinh')"), "gelu: unknown parameter `approximate`; it has none");
    assert_eq!(message("relu(approximate='tanh')"), "relu: unknown parameter `approximate`; it has none");
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
    // Texts are compared, because the error holds a NaN and so does not equal itself.
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
