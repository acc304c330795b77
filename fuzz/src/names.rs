//! Any text as an activation: nothing panics, and if a text parses, the text that is written for it parses again.

use activations::AnyActivation;

use crate::input::Input;

pub(crate) fn run(input: Input<'_>) {
    let text = String::from_utf8_lossy(input.0);
    match text.parse::<AnyActivation>() {
        Ok(activation) => {
            let written = activation.to_string();
            assert_eq!(written.parse(), Ok(activation), "{written}");
            let json = serde_json::to_string(&activation).expect("every activation can be written");
            assert_eq!(serde_json::from_str::<AnyActivation>(&json).expect("what was written"), activation, "{json}");
        }
        Err(error) => assert!(!error.to_string().is_empty() && error.nearest().is_none_or(|name| !name.is_empty())),
    }
    match serde_json::from_str::<AnyActivation>(&text) {
        Ok(activation) => assert_eq!(activation.to_string().parse(), Ok(activation), "{activation}"),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
