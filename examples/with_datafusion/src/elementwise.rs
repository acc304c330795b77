//! Functions of one number: `sigmoid(x)`, `leaky_relu(x, 0.2)`.

use std::sync::Arc;

use activations::{Activation, AnyActivation, Element};
use datafusion::arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err, plan_datafusion_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use crate::arguments::{arguments, float_of, for_floats, map};

/// An activation of each number. NULL gives NULL. Parameters may follow as literals, in the order of the constructor.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct NumberFunction {
    name: &'static str,
    /// The names of the parameters.
    parameters: Vec<&'static str>,
    signature: Signature,
}

impl NumberFunction {
    pub(crate) fn new(activation: AnyActivation) -> Self {
        Self {
            name: activation.card().name,
            parameters: activation.parameters().map(|(name, _)| name).collect(),
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }

    /// `leaky_relu(x [, negative_slope])`
    fn usage(&self) -> String {
        let parameters: String = self.parameters.iter().map(|name| format!(" [, {name}]")).collect();
        format!("{}(x{parameters})", self.name)
    }

    /// The activation with parameters, which are checked.
    fn with<'a>(&self, values: impl IntoIterator<Item = Option<&'a ScalarValue>>) -> Result<AnyActivation> {
        let values = values.into_iter().zip(&self.parameters).map(|(value, parameter)| {
            match value.map(|value| value.cast_to(&DataType::Float64)).transpose()? {
                Some(ScalarValue::Float64(Some(value))) => Ok(format!("{value:?}")),
                _ => plan_err!("{}: `{parameter}` must be a literal number", self.usage()),
            }
        });
        let values = values.collect::<Result<Vec<_>>>()?.join(", ");
        let text = if values.is_empty() { self.name.into() } else { format!("{}({values})", self.name) };
        text.parse().map_err(|error| plan_datafusion_err!("{error}"))
    }
}

impl ScalarUDFImpl for NumberFunction {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let Some((x, parameters)) = given.split_first().filter(|(_, rest)| rest.len() <= self.parameters.len()) else {
            return plan_err!("{} was given {}", self.usage(), arguments(given.len()));
        };
        let Some(float) = float_of(x) else {
            return plan_err!("{}: x is of type {x}, but must be a number", self.usage());
        };
        if let Some((given, name)) = parameters.iter().zip(&self.parameters).find(|(given, _)| !given.is_numeric()) {
            return plan_err!("{}: `{name}` is of type {given}, but must be a literal number", self.usage());
        }
        // Parameters are not cast, because a cast of a literal is not a literal.
        Ok([&[float], parameters].concat())
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        Ok(given[0].clone())
    }

    fn return_field_from_args(&self, given: ReturnFieldArgs) -> Result<FieldRef> {
        self.with(given.scalar_arguments[1..].iter().copied())?;
        let x = &given.arg_fields[0];
        Ok(Arc::new(Field::new(self.name, x.data_type().clone(), x.is_nullable())))
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, given: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some((x, parameters)) = given.args.split_first() else {
            return exec_err!("{} was given nothing", self.usage());
        };
        let activation = self.with(parameters.iter().map(|parameter| match parameter {
            ColumnarValue::Scalar(value) => Some(value),
            ColumnarValue::Array(_) => None,
        }))?;
        map(x, |x| for_floats!(x.data_type(), of_each(x, activation)))
    }
}

/// Values under a NULL are computed too, which is cheaper than testing for NULL.
fn of_each<P: ArrowPrimitiveType<Native: Element>>(x: &dyn Array, activation: AnyActivation) -> Result<ArrayRef> {
    let x = x.as_primitive::<P>();
    let y = activation.forward_vec(x.values());
    Ok(Arc::new(PrimitiveArray::<P>::new(y.into(), x.nulls().cloned())))
}
