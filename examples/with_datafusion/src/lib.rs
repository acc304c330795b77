//! Activations as SQL functions of DataFusion, over Arrow arrays.
//!
//! - Of one number: `sigmoid(x)`, `gelu(x)`, `leaky_relu(x, 0.2)`, and every other such function of [`AnyActivation::all`], by
//!   its name.
//! - Of a list, which is one distribution: `softmax(list)`, `log_softmax(list)`, `softmin(list)`, `sparsemax(list)`,
//!   `hardmax(list)`.
//! - Of a column: the aggregate `log_sum_exp(x)`, with which `exp(x - log_sum_exp(x) OVER ())` is the softmax of all rows.
//!
//! A function is only its name: all processes that have called [`register_all`] mean the same by it.

mod arguments;
mod elementwise;
mod log_sum_exp;
mod rows;

use std::sync::Arc;

use activations::{Activation, AnyActivation, Pieces};
use datafusion::common::Result;
use datafusion::execution::FunctionRegistry;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

/// Registers all functions with a [`SessionContext`](datafusion::prelude::SessionContext), a
/// [`SessionState`](datafusion::execution::SessionState), or any other registry.
///
/// `tanh` replaces DataFusion's own function.
///
/// # Errors
/// If the registry accepts no functions.
pub fn register_all(registry: &mut dyn FunctionRegistry) -> Result<()> {
    for function in scalar_functions() {
        registry.register_udf(Arc::new(function))?;
    }
    for function in aggregate_functions() {
        registry.register_udaf(Arc::new(function))?;
    }
    Ok(())
}

/// The functions of one number, and the functions of a list.
pub fn scalar_functions() -> impl Iterator<Item = ScalarUDF> {
    AnyActivation::all().map(|activation| {
        if Activation::<f32>::pieces(&activation) == Pieces::Elements {
            elementwise::NumberFunction::new(activation).into()
        } else {
            rows::ListFunction::new(activation).into()
        }
    })
}

/// The functions of a column.
pub fn aggregate_functions() -> impl Iterator<Item = AggregateUDF> {
    [log_sum_exp::ColumnFunction::default().into()].into_iter()
}
