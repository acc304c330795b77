//! The aggregate gives the same result for any batches, partitions and files, which a scalar function of a column cannot do.

use std::fs::File;
use std::sync::Arc;

use activations::{Activation, Softmax, log_sum_exp};
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Float32Array, Float64Array, Int32Array, RecordBatch, new_empty_array,
};
use datafusion::arrow::datatypes::{DataType, Float32Type, Float64Type};
use datafusion::datasource::MemTable;
use datafusion::logical_expr::{ColumnarValue, Volatility, create_udf};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::physical_plan::displayable;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};

use crate::{Random, column, refused, session, session_with, value};

/// The crate's bound, in ULP of a result of 1 or more.
const BOUND: f64 = 1.5;

const SQL: &str = "SELECT log_sum_exp(x) FROM t";

fn logits(len: usize) -> Vec<f32> {
    let mut random = Random(3);
    (0..len).map(|_| random.within(20.0) as f32).collect()
}

/// To the precision of `f64`.
fn exact(x: impl IntoIterator<Item = f32> + Clone) -> f64 {
    let greatest = x.clone().into_iter().map(f64::from).fold(f64::NEG_INFINITY, f64::max);
    greatest + x.into_iter().map(|x| (f64::from(x) - greatest).exp()).sum::<f64>().ln()
}

/// The error of a result of 1 or more, in ULP.
fn ulp(got: f32, exact: f64) -> f64 {
    assert!(exact >= 1.0);
    (f64::from(got) - exact).abs() / f64::from(got.next_up() - got)
}

fn batch(x: &[f32]) -> RecordBatch {
    let groups: Int32Array = (0..x.len() as i32).map(|i| i % 3).collect();
    let x = Float32Array::from(x.to_vec());
    RecordBatch::try_from_iter([("x", Arc::new(x) as ArrayRef), ("g", Arc::new(groups))]).expect("a batch")
}

/// A session with the numbers as table `t`, in this many partitions, whose batches have this size.
fn session_in_pieces(x: &[f32], partitions: usize, batch_size: usize) -> SessionContext {
    let config = SessionConfig::new().with_batch_size(batch_size).with_target_partitions(partitions);
    let session = session(config);
    let partition = |x: &[f32]| x.chunks(batch_size).map(batch).collect();
    let partitions = x.chunks(x.len().div_ceil(partitions)).map(partition).collect();
    let table = MemTable::try_new(batch(&[]).schema(), partitions).expect("a table");
    session.register_table("t", Arc::new(table)).expect("the table is registered");
    session
}

/// Softmax as a scalar function. It only sees one batch.
fn softmax_of_a_batch(session: &SessionContext) {
    let softmax = create_udf(
        "softmax_of_a_batch",
        vec![DataType::Float32],
        DataType::Float32,
        Volatility::Immutable,
        Arc::new(|given: &[ColumnarValue]| {
            let x = ColumnarValue::values_to_arrays(given)?;
            let p = Softmax::default().forward_vec(x[0].as_primitive::<Float32Type>().values());
            Ok(ColumnarValue::Array(Arc::new(Float32Array::from(p))))
        }),
    );
    session.register_udf(softmax);
}

#[tokio::test]
async fn softmax_of_a_column_must_be_an_aggregate() {
    let x = logits(96);
    let total = async |softmax: &str, batch_size| {
        let session = session_in_pieces(&x, 1, batch_size);
        softmax_of_a_batch(&session);
        let sql = format!("SELECT sum(p) FROM (SELECT {softmax} AS p FROM t)");
        value::<Float64Type>(&session, &sql).await.expect("a sum")
    };
    for (batch_size, batches) in [(96, 1.0), (32, 3.0), (8, 12.0)] {
        // Each batch is a distribution of its own, so the result depends on how the rows were cut.
        let naive = total("softmax_of_a_batch(x)", batch_size).await;
        assert!((naive - batches).abs() < 1e-4, "batches of {batch_size}: {naive}");
        let aggregate = total("exp(x - log_sum_exp(x) OVER ())", batch_size).await;
        assert!((aggregate - 1.0).abs() < 1e-4, "batches of {batch_size}: {aggregate}");
    }
}

#[tokio::test]
async fn the_result_is_within_the_bound_for_any_pieces() {
    let x = logits(50_000);
    let exact = exact(x.iter().copied());
    for partitions in [1, 2, 5] {
        for batch_size in [64, 1000, 8192, 100_000] {
            let session = session_in_pieces(&x, partitions, batch_size);
            let got = value::<Float32Type>(&session, SQL).await.expect("a number");
            let error = ulp(got, exact);
            assert!(error <= BOUND, "{partitions} partitions, batches of {batch_size}: {got}, {error:.3} ULP");
        }
    }
}

/// Each of several files is summed separately, and the states are merged.
#[tokio::test]
async fn states_are_merged_across_partitions_of_parquet_files() {
    let x = logits(40_000);
    let folder = tempfile::tempdir().expect("a folder");
    for (i, x) in x.chunks(10_000).enumerate() {
        let file = File::create(folder.path().join(format!("{i}.parquet"))).expect("a file");
        let batch = batch(x);
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("a writer");
        writer.write(&batch).expect("written");
        writer.close().expect("closed");
    }
    let config = SessionConfig::new().with_batch_size(500).with_target_partitions(4);
    let session = session(config);
    let path = folder.path().to_str().expect("a path");
    session.register_parquet("t", path, ParquetReadOptions::default()).await.expect("the files are registered");

    let plan = session.sql(SQL).await.expect("a plan").create_physical_plan().await.expect("a physical plan");
    let plan = displayable(plan.as_ref()).indent(false).to_string();
    assert!(plan.contains("mode=Partial") && plan.contains("mode=Final"), "{plan}");

    let got = value::<Float32Type>(&session, SQL).await.expect("a number");
    let error = ulp(got, exact(x.iter().copied()));
    assert!(error <= BOUND, "{got}, {error:.3} ULP");

    let y = column(&session, "SELECT log_sum_exp(x) FROM t GROUP BY g ORDER BY g").await;
    for (g, &got) in y.as_primitive::<Float32Type>().values().iter().enumerate() {
        // Each file starts to count the groups again.
        let exact = exact(x.chunks(10_000).flat_map(move |x| x.iter().copied().skip(g).step_by(3)));
        let error = ulp(got, exact);
        assert!(error <= BOUND, "group {g}: {got}, {error:.3} ULP");
    }
    assert_eq!(y.len(), 3);
}

#[tokio::test]
async fn over_a_window_it_gives_a_softmax_for_each_group() {
    let x = logits(3_000);
    let session = session_in_pieces(&x, 2, 128);
    let sql = "SELECT sum(exp(x - log_sum)), min(exp(x - log_sum)) FROM \
               (SELECT g, x, log_sum_exp(x) OVER (PARTITION BY g) AS log_sum FROM t) GROUP BY g";
    let sums = column(&session, sql).await;
    assert_eq!(sums.len(), 3);
    for &sum in sums.as_primitive::<Float64Type>().values() {
        assert!((sum - 1.0).abs() < 1e-5, "{sum}");
    }
    // With a subquery, and the digits of `f64`.
    let y = column(&session, "SELECT exp(x - (SELECT log_sum_exp(CAST(x AS DOUBLE)) FROM t)) FROM t").await;
    let wide: Vec<f64> = x.iter().copied().map(f64::from).collect();
    let expected = Softmax::default().forward_vec(&wide);
    let mut got = y.as_primitive::<Float64Type>().values().to_vec();
    let mut expected = expected;
    got.sort_by(f64::total_cmp);
    expected.sort_by(f64::total_cmp);
    for (got, expected) in got.iter().zip(&expected) {
        assert!((got - expected).abs() <= 1e-14 * expected, "{got:e}, expected {expected:e}");
    }
}

/// A growing frame has the states so far.
#[tokio::test]
async fn a_window_with_an_order_sums_up_the_rows_so_far() {
    let x = [1.0, 2.0, 3.0, 4.0];
    let session = session_in_pieces(&x, 1, 2);
    let y = column(&session, "SELECT log_sum_exp(x) OVER (ORDER BY x) FROM t ORDER BY x").await;
    let expected: Vec<f32> = (1..=4).map(|n| log_sum_exp(&x[..n])).collect();
    for (&got, &expected) in y.as_primitive::<Float32Type>().values().iter().zip(&expected) {
        assert!(ulp(got, f64::from(expected)) <= 2.0 * BOUND, "{got}, expected {expected}");
    }
}

#[tokio::test]
async fn special_values_and_nulls() {
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    for (x, expected) in [
        (vec![], None),
        (vec![None, None], None),
        (vec![None, Some(-3.25)], Some(-3.25)),
        (vec![Some(-inf)], Some(-inf)),
        (vec![Some(-inf), None, Some(2.0)], Some(2.0)),
        (vec![Some(inf), Some(2.0)], Some(inf)),
        (vec![Some(inf), Some(nan), Some(2.0)], Some(nan)),
        (vec![Some(1000.0), Some(1000.0)], Some(1000.0 + std::f64::consts::LN_2)),
    ] {
        let what = format!("{x:?}");
        // Each number in a batch of its own, and an empty batch.
        let pieces = x.iter().map(|&x| Arc::new(Float64Array::from(vec![x])) as ArrayRef);
        let session = session_with(pieces.chain([new_empty_array(&DataType::Float64)]));
        let got = value::<Float64Type>(&session, SQL).await;
        let bits = |y: Option<f64>| y.map(|y| if y.is_nan() { f64::NAN } else { y }.to_bits());
        assert_eq!(bits(got), bits(expected), "{what}: expected {expected:?}, got {got:?}");
    }
}

#[tokio::test]
async fn other_types_are_taken_as_floats_with_enough_digits() {
    let session = session_with([Arc::new(Int32Array::from(vec![Some(5), None])) as ArrayRef]);
    assert_eq!(value::<Float64Type>(&session, SQL).await, Some(5.0));
    let sql = "SELECT log_sum_exp(arrow_cast(x, 'Float16')) FROM t";
    assert_eq!(value::<Float32Type>(&session, sql).await, Some(5.0));
    let two = "SELECT log_sum_exp(x) FILTER (WHERE x > 9) FROM t";
    assert_eq!(value::<Float64Type>(&session, two).await, None);
}

#[tokio::test]
async fn errors_say_what_is_wrong() {
    let session = session_in_pieces(&logits(10), 1, 10);
    refused(&session, "SELECT log_sum_exp() FROM t", &["log_sum_exp"]).await;
    refused(&session, "SELECT log_sum_exp(x, 2) FROM t", &["log_sum_exp(x) was given 2 arguments"]).await;
    refused(&session, "SELECT log_sum_exp('a') FROM t", &["x is of type Utf8", "must be a number"]).await;
    for (sql, word) in [
        ("SELECT log_sum_exp(DISTINCT x), sum(DISTINCT g) FROM t", "DISTINCT"),
        ("SELECT log_sum_exp(x) OVER (ORDER BY x ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t", "retract"),
    ] {
        let error = session.sql(sql).await.expect("a logical plan").collect().await.expect_err(sql);
        assert!(error.to_string().contains(word), "{sql}: {error}");
    }
}
