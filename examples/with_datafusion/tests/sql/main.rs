//! Compares the SQL functions with the crate's own calls. It is one program, because linking DataFusion takes long.

mod elementwise;
mod log_sum_exp;
mod registry;
mod rows;

use std::sync::Arc;

use activations::{Activation, AnyActivation, Pieces};
use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::datatypes::{ArrowPrimitiveType, Field};
use datafusion::common::Result;
use datafusion::datasource::MemTable;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};
use datafusion::prelude::{SessionConfig, SessionContext};

/// A session with all functions.
fn session(config: SessionConfig) -> SessionContext {
    let mut session = SessionContext::new_with_config(config);
    with_datafusion::register_all(&mut session).expect("functions are registered");
    session
}

/// A session with a table `t` of one column `x`, in these pieces.
fn session_with(pieces: impl IntoIterator<Item = ArrayRef>) -> SessionContext {
    let batch = |x| RecordBatch::try_from_iter_with_nullable([("x", x, true)]).expect("a batch");
    let batches: Vec<RecordBatch> = pieces.into_iter().map(batch).collect();
    let session = session(SessionConfig::new().with_target_partitions(1));
    let table = MemTable::try_new(batches[0].schema(), vec![batches]).expect("a table");
    session.register_table("t", Arc::new(table)).expect("the table is registered");
    session
}

/// The first column of the result, in one array.
async fn column(session: &SessionContext, sql: &str) -> ArrayRef {
    let collect = async || -> Result<ArrayRef> {
        let frame = session.sql(sql).await?;
        let schema = Arc::clone(frame.schema().inner());
        Ok(Arc::clone(concat_batches(&schema, &frame.collect().await?)?.column(0)))
    };
    collect().await.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// The one value of a result.
async fn value<P: ArrowPrimitiveType>(session: &SessionContext, sql: &str) -> Option<P::Native> {
    let y = column(session, sql).await;
    assert_eq!(y.data_type(), &P::DATA_TYPE, "{sql}");
    assert_eq!(y.len(), 1, "{sql}");
    y.as_primitive::<P>().iter().next().expect("a row")
}

/// Checks that a query is refused before it runs, with this message.
async fn refused(session: &SessionContext, sql: &str, words: &[&str]) {
    let Err(error) = session.sql(sql).await else { panic!("{sql} was planned") };
    let text = error.to_string();
    for word in words {
        assert!(text.contains(word), "{sql}: {text:?} does not say {word:?}");
    }
}

/// The function of this one array, without a session.
fn call(name: &str, x: ArrayRef) -> ArrayRef {
    let function = with_datafusion::scalar_functions().find(|function| function.name() == name).expect("a function");
    let (number_rows, field) = (x.len(), Arc::new(Field::new("x", x.data_type().clone(), true)));
    let arguments = ScalarFunctionArgs {
        args: vec![ColumnarValue::Array(x)],
        arg_fields: vec![Arc::clone(&field)],
        number_rows,
        return_field: field,
        config_options: Arc::default(),
    };
    function.invoke_with_args(arguments).and_then(|y| y.to_array(number_rows)).expect("a result")
}

fn is_elementwise(activation: &AnyActivation) -> bool {
    Activation::<f32>::pieces(activation) == Pieces::Elements
}

/// Uniform in [-size, size), the same on each run: SplitMix64.
struct Random(u64);

impl Random {
    fn within(&mut self, size: f64) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (((z ^ (z >> 31)) >> 11) as f64 * 2.0_f64.powi(-52) - 1.0) * size
    }
}
