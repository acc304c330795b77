//! Activations in configuration files.

use activations::{AnyActivation, Elu, Gelu, GeluTanh, LeakyRelu};

#[track_caller]
fn read(json: &str) -> AnyActivation {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"))
}

#[track_caller]
fn message(json: &str) -> String {
    serde_json::from_str::<AnyActivation>(json).map(|a| a.to_string()).unwrap_err().to_string()
}

#[test]
fn defaults_are_a_name_and_parameters_a_map() {
    let json = |activation: AnyActivation| serde_json::to_string(&activation).unwrap();
    assert_eq!(json(Gelu.into()), r#""gelu""#);
    assert_eq!(json(LeakyRelu::default().into()), r#""leaky_relu""#);
    assert_eq!(json(LeakyRelu::new(0.2).unwrap().into()), r#"{"type":"leaky_relu","negative_slope":0.2}"#);
}

#[test]
fn configurations_that_are_written_are_read() {
    let changed = [Elu::new(0.1 + 0.2).unwrap().into(), LeakyRelu::new(-3e-7).unwrap().into()];
    for activation in AnyActivation::all().chain(changed) {
        assert_eq!(read(&serde_json::to_string(&activation).unwrap()), activation);
        let value = serde_json::to_value(activation).unwrap();
        assert_eq!(serde_json::from_value::<AnyActivation>(value).unwrap(), activation);
    }
}

#[test]
fn configurations_of_models_are_read() {
    let leaky = AnyActivation::from(LeakyRelu::new(0.2).unwrap());
    for json in [
        r#"{"type": "leaky_relu", "negative_slope": 0.2}"#,
        r#"{"negative_slope": 0.2, "type": "LeakyReLU"}"#,
        r#"{"name": "leaky_relu", "negative_slope": 0.2, "inplace": true}"#,
        r#"{"class_name": "LeakyReLU", "negative_slope": 0.2}"#,
        r#""leaky_relu(0.2)""#,
    ] {
        assert_eq!(read(json), leaky, "{json}");
    }
    assert_eq!(read(r#"{"type": "elu", "alpha": 2}"#), Elu::new(2.0).unwrap().into());
    assert_eq!(read(r#"{"type": "elu", "alpha": -2}"#), Elu::new(-2.0).unwrap().into());
    assert_eq!(read(r#"{"type": "gelu", "approximate": "tanh"}"#), GeluTanh.into());
    assert_eq!(read(r#"{"type": "gelu"}"#), Gelu.into());
    assert_eq!(read(r#"{"type": "softplus", "threshold": 20}"#), read(r#""softplus""#));
    assert_eq!(read(r#""gelu_pytorch_tanh""#), GeluTanh.into());
}

#[test]
fn errors_say_what_is_wrong() {
    assert!(message(r#""gleu""#).contains("did you mean `gelu`?"));
    assert!(message(r#"{"alpha": 1}"#).contains("missing field `type`"));
    assert!(message(r#"{"type": "elu", "name": "elu"}"#).contains("duplicate field `type`"));
    assert!(message(r#"{"type": "elu", "beta": 1}"#).contains("elu: unknown parameter `beta`; it has `alpha`"));
    assert!(message(r#"{"type": "elu", "alpha": 1, "alpha": 2}"#).contains("elu: `alpha` is given twice"));
    assert!(message(r#"{"type": "elu", "alpha": true}"#).contains("elu: `alpha` is `true`, but must be a number"));
    assert!(message(r#"{"type": "elu", "alpha": null}"#).contains("elu: `alpha` is `null`, but must be a number"));
    assert!(message(r#"{"type": "elu", "alpha": [1]}"#).contains("elu: `alpha` is `[..]`, but must be a number"));
    assert!(message("1").contains("expected an activation"));
    let many: String = (0..20).map(|i| format!(r#""p{i}": 1, "#)).collect();
    assert!(message(&format!(r#"{{{many}"type": "elu"}}"#)).contains("invalid length"));
}

#[test]
fn configurations_of_keras_are_read() {
    let leaky = |slope| AnyActivation::from(LeakyRelu::new(slope).unwrap());
    for (json, expected) in [
        (r#"{"class_name": "LeakyReLU", "config": {"negative_slope": 0.2}}"#, leaky(0.2)),
        (r#"{"config": {"negative_slope": 0.2, "name": "leaky_re_lu_7"}, "class_name": "LeakyReLU"}"#, leaky(0.2)),
        (r#"{"class_name": "LeakyReLU", "config": {"alpha": 0.2}}"#, leaky(0.2)),
        (r#"{"class_name": "LeakyReLU", "config": {}}"#, leaky(0.3)),
        (r#"{"class_name": "Activation", "config": {"activation": "leaky_relu"}}"#, leaky(0.2)),
        (
            r#"{"class_name": "Activation", "config": {"activation": {"class_name": "LeakyReLU", "config": {}}}}"#,
            leaky(0.3),
        ),
        (r#"{"module": "builtins", "class_name": "function", "config": "leaky_relu"}"#, leaky(0.2)),
        // A layer's own `get_config()`.
        (
            r#"{"name": "elu", "trainable": true, "dtype": {"config": {"name": "float32"}}, "alpha": 2}"#,
            Elu::new(2.0).unwrap().into(),
        ),
        (r#"{"name": "activation", "trainable": true, "dtype": "float32", "activation": "gelu"}"#, Gelu.into()),
        (
            r#"{"class_name": "Activation", "name": "g", "config": {"activation": "gelu"}, "build_config": {"shape": [4]}}"#,
            Gelu.into(),
        ),
    ] {
        assert_eq!(read(json), expected, "{json}");
    }
    for (json, said) in [
        (
            r#"{"class_name": "ELU", "config": {"alpha": 1, "gamma": 2}}"#,
            "elu: unknown parameter `gamma`; it has `alpha`",
        ),
        (r#"{"class_name": "ELU", "config": {"alpha": 1}, "alpha": 1}"#, "elu: `alpha` is given twice"),
        (
            r#"{"class_name": "ELU", "config": {"alpha": 1, "activation": "relu"}}"#,
            "elu: unknown parameter `activation`",
        ),
        (r#"{"class_name": "Activation", "config": {}}"#, "missing field `activation`"),
        (
            r#"{"class_name": "Activation", "config": {"activation": "gelu", "alpha": 1}}"#,
            "unknown parameter `alpha`; it has `activation`",
        ),
        (r#"{"class_name": "Activation", "config": {"activation": "gleu"}}"#, "did you mean `gelu`?"),
        (r#"{"class_name": "Dense", "config": {"units": 3, "activation": "relu"}}"#, "unknown activation `Dense`"),
        (r#"{"class_name": "function"}"#, "missing field `config`"),
        (r#"{"class_name": "ELU", "class_name": "ELU"}"#, "duplicate field `class_name`"),
        (r#"{"class_name": "ELU", "type": "elu"}"#, "duplicate field `type`"),
        (r#"{"class_name": "ELU", "config": "gelu"}"#, "`config` is a map of parameters"),
        (r#"{"class_name": "ELU", "config": 3}"#, "expected a map of parameters, or the name of a function"),
        (r#"{"class_name": "PReLU", "config": {"alpha_initializer": {"class_name": "Zeros"}}}"#, "`Prelu`"),
    ] {
        assert!(message(json).contains(said), "{json}: {}", message(json));
    }
}

#[test]
fn each_type_stands_for_itself() {
    let leaky = LeakyRelu::new(0.2).unwrap();
    let json = serde_json::to_string(&leaky).unwrap();
    assert_eq!(json, r#"{"type":"leaky_relu","negative_slope":0.2}"#);
    assert_eq!(serde_json::from_str::<LeakyRelu>(&json).unwrap(), leaky);
    assert_eq!(serde_json::from_str::<Gelu>(r#""gelu_python""#).unwrap(), Gelu);
    let error = serde_json::from_str::<Gelu>(r#""relu""#).unwrap_err().to_string();
    assert!(error.contains("expected gelu, got relu"), "{error}");
}
