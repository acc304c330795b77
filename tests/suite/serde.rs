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
fn what_is_written_is_read() {
    let changed = [Elu::new(0.1 + 0.2).unwrap().into(), LeakyRelu::new(-3e-7).unwrap().into()];
    for activation in AnyActivation::all().chain(changed) {
        assert_eq!(read(&serde_json::to_string(&activation).unwrap()), activation);
        let value = serde_json::to_value(activation).unwrap();
        assert_eq!(serde_json::from_value::<AnyActivation>(value).unwrap(), activation);
    }
}

#[test]
fn what_models_write_is_read() {
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
fn what_is_wrong_is_said() {
    assert!(message(r#""gleu""#).contains("did you mean `gelu`?"));
    assert!(message(r#"{"alpha": 1}"#).contains("missing field `type`"));
    assert!(message(r#"{"type": "elu", "name": "elu"}"#).contains("duplicate field `type`"));
    assert!(message(r#"{"type": "elu", "beta": 1}"#).contains("elu: unknown parameter `beta`; it has `alpha`"));
    assert!(message(r#"{"type": "elu", "alpha": 1, "alpha": 2}"#).contains("elu: `alpha` is given twice"));
    assert!(message(r#"{"type": "elu", "alpha": true}"#).contains("elu: `alpha` is `true`, but must be a number"));
    assert!(message(r#"{"type": "elu", "alpha": null}"#).contains("expected a number"));
    assert!(message("1").contains("expected an activation"));
    let many: String = (0..20).map(|i| format!(r#""p{i}": 1, "#)).collect();
    assert!(message(&format!(r#"{{{many}"type": "elu"}}"#)).contains("invalid length"));
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
