//! Queries with activations over Parquet files, and their times compared with the same in plain SQL.

use std::fs::File;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use datafusion::arrow::array::{ArrayRef, Float32Array, Float64Array, Int32Array, ListArray, RecordBatch};
use datafusion::arrow::datatypes::Float32Type;
use datafusion::common::Result;
use datafusion::datasource::MemTable;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::physical_plan::execute_stream;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use futures::StreamExt;

/// The queries that are printed.
const QUERIES: [(&str, &str); 4] = [
    (
        "Functions of a number: NULL stays NULL, parameters follow.",
        "SELECT id, x, sigmoid(x), gelu(x), leaky_relu(x, 0.2) FROM logits ORDER BY id LIMIT 5",
    ),
    (
        "Functions of a list: each one is a distribution, a NULL within is masked.",
        "SELECT id, scores, softmax(scores) FROM logits ORDER BY id LIMIT 4",
    ),
    (
        "An aggregate, its state merged across files and threads.",
        "SELECT team, count(x), log_sum_exp(x) FROM logits GROUP BY team ORDER BY team",
    ),
    (
        "Softmax of a column within each team: the likeliest, and that all of them make 1.",
        "SELECT team, max(p) AS likeliest, sum(p) AS total \
         FROM (SELECT team, exp(x - log_sum_exp(x) OVER (PARTITION BY team)) AS p FROM logits) \
         GROUP BY team ORDER BY team",
    ),
];

/// The expressions that are timed: in plain SQL, and with a function of this package.
const PAIRS: [(&str, &str); 6] = [
    ("1 / (1 + exp(-x))", "sigmoid(x)"),
    ("x / (1 + exp(-x))", "silu(x)"),
    ("tanh(x)", "tanh(x)"),
    ("x * (1 + tanh(0.7978845608 * (x + 0.044715 * x * x * x))) / 2", "gelu_tanh(x)"),
    ("ln(1 + exp(x))", "softplus(x)"),
    ("max(x) + ln(sum(exp(x - (SELECT max(x) FROM t))))", "log_sum_exp(x)"),
];

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        [] => queries().await,
        ["time"] => times(10_000_000).await,
        ["time", rows] => match rows.parse() {
            Ok(rows @ 1..) => times(rows).await,
            _ => return usage(&format!("`{rows}` rows, but must be a whole number above 0")),
        },
        _ => return usage(&format!("unknown arguments: {}", arguments.join(" "))),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn usage(what: &str) -> ExitCode {
    eprintln!("{what}\nwith_datafusion              runs queries over Parquet files");
    eprintln!("with_datafusion time [ROWS]  times queries over ROWS numbers in memory (default: 10000000)");
    ExitCode::from(2)
}

/// Numbers like logits, the same in each run: SplitMix64.
struct Logits(u64);

impl Iterator for Logits {
    type Item = f32;

    fn next(&mut self) -> Option<f32> {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Some((z >> 40) as f32 * (12.0 / (1 << 24) as f32) - 6.0)
    }
}

async fn queries() -> Result<()> {
    let folder = tempfile::tempdir()?;
    for file in 0..4 {
        write(&folder.path().join(format!("{file}.parquet")), file)?;
    }
    let mut session = SessionContext::new();
    with_datafusion::register_all(&mut session)?;
    let path = folder.path().to_string_lossy();
    session.register_parquet("logits", path.as_ref(), ParquetReadOptions::default()).await?;
    for (what, sql) in QUERIES {
        println!("{what}\n{sql}");
        session.sql(sql).await?.show().await?;
        println!();
    }
    println!("Errors are reported before a query runs:");
    for sql in ["SELECT softmax(x) FROM logits", "SELECT softplus(x, 0) FROM logits"] {
        match session.sql(sql).await {
            Ok(_) => println!("{sql}\nis fine"),
            Err(error) => println!("{sql}\n{error}"),
        }
    }
    Ok(())
}

/// 25,000 rows: a number, sometimes NULL, and a list of three scores.
fn write(path: &Path, file: i32) -> Result<()> {
    let ids: Int32Array = (file * 25_000..(file + 1) * 25_000).collect();
    let teams: Int32Array = ids.values().iter().map(|id| id % 3).collect();
    let mut logits = Logits(file as u64);
    let mut logit = |there: bool| logits.next().filter(|_| there);
    let x: Float32Array = ids.values().iter().map(|id| logit(id % 5 != 4)).collect();
    let lists = ids.values().iter().map(|id| (id % 4 != 2).then(|| [logit(true), logit(id % 4 != 1), logit(true)]));
    let batch = RecordBatch::try_from_iter([
        ("id", Arc::new(ids.clone()) as ArrayRef),
        ("team", Arc::new(teams)),
        ("x", Arc::new(x)),
        ("scores", Arc::new(ListArray::from_iter_primitive::<Float32Type, _, _>(lists))),
    ])?;
    let mut writer = ArrowWriter::try_new(File::create(path)?, batch.schema(), None)?;
    writer.write(&batch)?;
    writer.close()?;
    Ok(())
}

/// A table of numbers in memory, with one partition, so that one thread is timed.
fn in_memory(x: impl Fn(Vec<f32>) -> ArrayRef, rows: usize) -> Result<SessionContext> {
    let config = SessionConfig::new().with_target_partitions(1);
    let size = config.batch_size();
    let mut logits = Logits(1);
    let batch = |start| {
        let x = x(logits.by_ref().take(size.min(rows - start)).collect());
        RecordBatch::try_from_iter([("x", x)])
    };
    let batches = (0..rows).step_by(size).map(batch).collect::<Result<Vec<_>, _>>()?;
    let session = SessionContext::new_with_config(config);
    let table = MemTable::try_new(batches[0].schema(), vec![batches])?;
    session.register_table("t", Arc::new(table))?;
    Ok(session)
}

async fn times(rows: usize) -> Result<()> {
    println!("{rows} rows in memory, one thread, the median of 7 runs, in ns a row\n");
    println!("| plain SQL | ns | function | ns | times as fast |\n|---|--:|---|--:|--:|");
    type Column = fn(Vec<f32>) -> ArrayRef;
    let columns: [(&str, Column); 2] = [
        ("REAL", |x| Arc::new(Float32Array::from(x))),
        ("DOUBLE", |x| Arc::new(x.into_iter().map(f64::from).collect::<Float64Array>())),
    ];
    for (name, column) in columns {
        // The first session has DataFusion's own `tanh`.
        let (plain, mut ours) = (in_memory(column, rows)?, in_memory(column, rows)?);
        with_datafusion::register_all(&mut ours)?;
        for (sql, function) in PAIRS {
            let mut runs = [[0.0; 2]; 7];
            for run in &mut runs {
                *run = [time(&plain, sql).await?, time(&ours, function).await?];
            }
            let [sql_ns, our_ns] = [0, 1].map(|which| {
                let mut seconds = runs.map(|run| run[which]);
                seconds.sort_by(f64::total_cmp);
                seconds[3] * 1e9 / rows as f64
            });
            println!("| `{sql}` | {sql_ns:.2} | `{function}`, {name} | {our_ns:.2} | {:.1} |", sql_ns / our_ns);
        }
        println!("| `x`, {name}: no work | {:.2} | | | |", time(&plain, "x").await? * 1e9 / rows as f64);
    }
    Ok(())
}

/// The seconds of one run, including planning. Of the result, only the rows are counted.
async fn time(session: &SessionContext, expression: &str) -> Result<f64> {
    let start = Instant::now();
    let plan = session.sql(&format!("SELECT {expression} FROM t")).await?.create_physical_plan().await?;
    let mut stream = execute_stream(plan, session.task_ctx())?;
    let mut rows = 0;
    while let Some(batch) = stream.next().await {
        rows += batch?.num_rows();
    }
    assert!(rows > 0, "no rows");
    Ok(start.elapsed().as_secs_f64())
}
