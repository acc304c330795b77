//! The arguments of all functions: which types they accept, and the loop for the given type.

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::ColumnarValue;

/// The float type in which an argument of this type is computed: floats unchanged, `Float32` for `Float16`, and `Float64` for other numbers
/// and for NULL, as in DataFusion's own functions. `None` if it is not a number.
pub(crate) fn float_of(given: &DataType) -> Option<DataType> {
    match given {
        DataType::Float32 | DataType::Float64 => Some(given.clone()),
        DataType::Float16 => Some(DataType::Float32),
        _ if given.is_null() || given.is_numeric() => Some(DataType::Float64),
        _ => None,
    }
}

/// Calls a function that is generic over the Arrow type, with the Arrow type that `$type` names.
macro_rules! for_floats {
    ($type:expr, $function:ident($($argument:expr),*)) => {{
        use datafusion::arrow::datatypes::{DataType, Float32Type, Float64Type};
        match $type {
            DataType::Float32 => $function::<Float32Type>($($argument),*),
            DataType::Float64 => $function::<Float64Type>($($argument),*),
            other => datafusion::common::internal_err!("{other} where floats were asked for"),
        }
    }};
}
pub(crate) use for_floats;

/// The function of a column, or of a scalar that stands for all rows.
pub(crate) fn map(x: &ColumnarValue, function: impl Fn(&dyn Array) -> Result<ArrayRef>) -> Result<ColumnarValue> {
    Ok(match x {
        ColumnarValue::Array(x) => ColumnarValue::Array(function(x)?),
        ColumnarValue::Scalar(x) => ColumnarValue::Scalar(ScalarValue::try_from_array(&function(&x.to_array()?)?, 0)?),
    })
}

/// `1 argument`, `2 arguments`.
pub(crate) fn arguments(count: usize) -> String {
    format!("{count} argument{}", if count == 1 { "" } else { "s" })
}
