//! Every activation is registered under its own name, in any registry.

use activations::AnyActivation;
use datafusion::execution::{FunctionRegistry, SessionStateBuilder};
use datafusion::prelude::SessionContext;
use with_datafusion::{aggregate_functions, register_all, scalar_functions};

#[test]
fn every_activation_is_a_function_by_its_name() {
    let mut state = SessionStateBuilder::new().with_default_features().build();
    register_all(&mut state).expect("functions are registered");
    for activation in AnyActivation::all() {
        let name = activation.card().name;
        assert_eq!(state.udf(name).expect(name).name(), name);
    }
    assert_eq!(state.udaf("log_sum_exp").expect("log_sum_exp").name(), "log_sum_exp");
}

#[test]
fn of_datafusions_own_functions_only_tanh_is_replaced() {
    let own = SessionContext::new();
    let replaced: Vec<String> =
        scalar_functions().map(|f| f.name().to_owned()).filter(|name| own.udf(name).is_ok()).collect();
    assert_eq!(replaced, ["tanh"]);
    assert!(aggregate_functions().all(|f| own.udaf(f.name()).is_err()));
}

/// A plan that is sent to another process names its functions. The function found there must equal the one that was meant here.
#[test]
fn functions_are_equal_if_their_names_are() {
    for (a, b) in scalar_functions().zip(scalar_functions()) {
        assert_eq!(a, b);
    }
    let all: Vec<_> = scalar_functions().collect();
    assert!(all.iter().enumerate().all(|(i, a)| all[..i].iter().all(|b| a != b)));
    assert!(aggregate_functions().eq(aggregate_functions()));
}
