//! Functions of a list, where each list is one distribution: `softmax(list)`.

use std::sync::Arc;

use activations::{Activation, AnyActivation, Element, Hardmax, LogSoftmax, Softmax, Softmin, Sparsemax};
use datafusion::arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, FixedSizeListArray, GenericListArray, OffsetSizeTrait, PrimitiveArray,
};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, exec_err, internal_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use crate::arguments::{arguments, float_of, for_floats, map};

/// A row function of each list. NULL gives NULL. A NULL within a list is masked: it stays NULL, and the other results are as if it were
/// not there.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct ListFunction {
    name: &'static str,
    signature: Signature,
}

impl ListFunction {
    pub(crate) fn new(activation: AnyActivation) -> Self {
        Self { name: activation.card().name, signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for ListFunction {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let name = self.name;
        let [list] = given else {
            return plan_err!("{name}(list) was given {}", arguments(given.len()));
        };
        match floats_of(list) {
            Some(list) => Ok(vec![list]),
            None if float_of(list).is_some() => plan_err!(
                "{name}(list) was given a column of type {list}, but must be given a list of numbers. A scalar function \
                 sees one batch of a column at a time; softmax of a column x is `exp(x - log_sum_exp(x) OVER ())`"
            ),
            None => plan_err!("{name}(list) was given type {list}, but must be given a list of numbers"),
        }
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        Ok(given[0].clone())
    }

    fn return_field_from_args(&self, given: ReturnFieldArgs) -> Result<FieldRef> {
        let list = &given.arg_fields[0];
        Ok(Arc::new(Field::new(self.name, list.data_type().clone(), list.is_nullable())))
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, given: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [lists] = given.args.as_slice() else {
            return exec_err!("{}(list) was given {}", self.name, arguments(given.args.len()));
        };
        map(lists, |lists| match lists.data_type() {
            DataType::List(field) => self.of_lists::<i32>(lists, field),
            DataType::LargeList(field) => self.of_lists::<i64>(lists, field),
            DataType::FixedSizeList(field, len) => {
                let lists = lists.as_fixed_size_list();
                let lengths = vec![lists.value_length() as usize; lists.len()];
                let y = self.of_values(lists.values(), &lengths)?;
                let nulls = lists.nulls().cloned();
                Ok(Arc::new(FixedSizeListArray::try_new_with_length(field.clone(), *len, y, nulls, lists.len())?))
            }
            other => internal_err!("{other} where lists were asked for"),
        })
    }
}

impl ListFunction {
    fn of_lists<O: OffsetSizeTrait>(&self, lists: &dyn Array, field: &FieldRef) -> Result<ArrayRef> {
        let lists = lists.as_list::<O>();
        let lengths: Vec<usize> = lists.offsets().lengths().collect();
        // A slice of a list array still has all values of the whole array.
        let start = lists.offsets()[0].as_usize();
        let y = self.of_values(&lists.values().slice(start, lengths.iter().sum()), &lengths)?;
        let offsets = OffsetBuffer::from_lengths(lengths);
        Ok(Arc::new(GenericListArray::<O>::try_new(field.clone(), offsets, y, lists.nulls().cloned())?))
    }

    fn of_values(&self, x: &dyn Array, lengths: &[usize]) -> Result<ArrayRef> {
        for_floats!(x.data_type(), of_values(self.name, x, lengths))
    }
}

/// The same type of list, with floats as elements.
fn floats_of(list: &DataType) -> Option<DataType> {
    let floats = |field: &FieldRef| {
        let float = float_of(field.data_type())?;
        Some(Arc::new(field.as_ref().clone().with_data_type(float)))
    };
    Some(match list {
        DataType::Null => DataType::new_list(DataType::Float64, true),
        DataType::List(field) => DataType::List(floats(field)?),
        DataType::LargeList(field) => DataType::LargeList(floats(field)?),
        DataType::FixedSizeList(field, len) => DataType::FixedSizeList(floats(field)?, *len),
        _ => return None,
    })
}

fn of_values<P: ArrowPrimitiveType<Native: Element>>(name: &str, x: &dyn Array, lengths: &[usize]) -> Result<ArrayRef> {
    let x = x.as_primitive::<P>();
    let y = match x.nulls() {
        None => of_rows(name, lengths, x.values())?,
        Some(nulls) => {
            let mut end = 0;
            let lengths = lengths.iter().map(|&len| {
                let start = end;
                end += len;
                len - nulls.slice(start, len).null_count()
            });
            let lengths: Vec<usize> = lengths.collect();
            let kept: Vec<P::Native> = nulls.valid_indices().map(|i| x.value(i)).collect();
            let mut y = vec![P::default_value(); x.len()];
            nulls.valid_indices().zip(of_rows(name, &lengths, &kept)?).for_each(|(i, kept)| y[i] = kept);
            y
        }
    };
    Ok(Arc::new(PrimitiveArray::<P>::new(y.into(), x.nulls().cloned())))
}

/// Successive lists of one length are computed in one call, because the cost of a call matters for short lists.
fn of_rows<T: Element>(name: &str, lengths: &[usize], x: &[T]) -> Result<Vec<T>> {
    let mut y = Vec::with_capacity(x.len());
    for lengths in lengths.chunk_by(|a, b| a == b).filter(|lengths| lengths[0] > 0) {
        let x = &x[y.len()..][..lengths[0] * lengths.len()];
        of_length(name, lengths[0])?.forward_extend(x, &mut y);
    }
    Ok(y)
}

/// The function of rows of this length.
fn of_length(name: &str, len: usize) -> Result<AnyActivation> {
    let activation = match name {
        "softmax" => Softmax::rows(len).map(AnyActivation::from),
        "log_softmax" => LogSoftmax::rows(len).map(AnyActivation::from),
        "softmin" => Softmin::rows(len).map(AnyActivation::from),
        "sparsemax" => Sparsemax::rows(len).map(AnyActivation::from),
        "hardmax" => Hardmax::rows(len).map(AnyActivation::from),
        _ => return internal_err!("{name} is not known to take rows"),
    };
    activation.or_else(|error| exec_err!("{error}"))
}
