//! The aggregate of a column, `log_sum_exp(x)`: its states are merged across batches, partitions and machines.

use std::fmt::Debug;
use std::mem::size_of_val;
use std::sync::Arc;

use activations::{Element, LogSumExp};
use datafusion::arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Signature, Volatility};

use crate::arguments::{arguments, float_of, for_floats};

const NAME: &str = "log_sum_exp";

/// log(sum of e^x) of the numbers of a column that are not NULL. If there are none, it is NULL, as for `sum(x)`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct ColumnFunction {
    signature: Signature,
}

impl Default for ColumnFunction {
    fn default() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for ColumnFunction {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let [x] = given else {
            return plan_err!("{NAME}(x) was given {}", arguments(given.len()));
        };
        match float_of(x) {
            Some(float) => Ok(vec![float]),
            None => plan_err!("{NAME}(x): x is of type {x}, but must be a number"),
        }
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        Ok(given[0].clone())
    }

    fn accumulator(&self, given: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        if given.is_distinct {
            return plan_err!("{NAME}(DISTINCT x) is not there: it would leave out some of the equal numbers");
        }
        for_floats!(given.return_type(), accumulator())
    }

    /// NULLs, if there are no numbers.
    fn state_fields(&self, given: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let part = |name| Arc::new(Field::new(format_state_name(given.name, name), given.return_type().clone(), true));
        Ok(["part_0", "part_1", "part_2", "part_3"].map(part).into())
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

fn accumulator<P: ArrowPrimitiveType<Native: Float> + Debug>() -> Result<Box<dyn Accumulator>> {
    Ok(Box::new(State::<P>(None)))
}

/// Floats whose sums are kept in their own type.
trait Float: Element<Float = Self> {}

impl<T: Element<Float = T>> Float for T {}

/// `None` if there are no numbers.
#[derive(Debug)]
struct State<P: ArrowPrimitiveType<Native: Float>>(Option<LogSumExp<P::Native>>);

impl<P: ArrowPrimitiveType<Native: Float> + Debug> State<P> {
    fn push(&mut self, x: &[P::Native]) {
        if !x.is_empty() {
            self.0.get_or_insert_default().push_slice(x);
        }
    }
}

impl<P: ArrowPrimitiveType<Native: Float> + Debug> Accumulator for State<P> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let x = values[0].as_primitive::<P>();
        match x.nulls() {
            None => self.push(x.values()),
            Some(nulls) => {
                let numbers: Vec<P::Native> = nulls.valid_indices().map(|i| x.value(i)).collect();
                self.push(&numbers);
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let parts: [_; 4] = std::array::from_fn(|part| states[part].as_primitive::<P>());
        for i in (0..parts[0].len()).filter(|&i| parts[0].is_valid(i)) {
            let other = LogSumExp::from_parts(parts.map(|part| part.value(i)));
            self.0.get_or_insert_default().merge(&other);
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let parts = self.0.map(LogSumExp::to_parts).map_or([None; 4], |parts| parts.map(Some));
        parts.into_iter().map(|part| ScalarValue::new_primitive::<P>(part, &P::DATA_TYPE)).collect()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        ScalarValue::new_primitive::<P>(self.0.map(|sum| sum.finish()), &P::DATA_TYPE)
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}
