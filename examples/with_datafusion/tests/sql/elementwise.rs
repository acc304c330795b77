//! Functions of one number: types, nulls, slices, scalars, parameters, and queries that are refused.

use std::sync::Arc;

use activations::{Activation, AnyActivation, Element, Gelu, LeakyRelu, Rrelu, Sigmoid, Threshold};
use datafusion::arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray, StringArray, new_empty_array,
};
use datafusion::arrow::datatypes::{DataType, Float32Type, Float64Type, Int32Type};

use num_traits::float::FloatCore;

use crate::{Random, call, column, is_elementwise, refused, session_with, value};

/// 1000 numbers, every seventh NULL.
fn numbers<P: ArrowPrimitiveType<Native: FloatCore>>() -> PrimitiveArray<P> {
    let mut random = Random(1);
    let mut number = || <P::Native as num_traits::NumCast>::from(random.within(9.0)).expect("a float");
    let mut x: Vec<Option<P::Native>> = (0..1000).map(|i| (i % 7 != 3).then(&mut number)).collect();
    x[0] = Some(P::Native::infinity());
    x[1] = Some(P::Native::neg_infinity());
    x[2] = Some(P::Native::nan());
    x.into_iter().collect()
}

/// The function of each number that is not NULL, each in an array of its own.
fn one_by_one<P: ArrowPrimitiveType<Native: FloatCore>>(name: &str, x: &PrimitiveArray<P>) -> PrimitiveArray<P> {
    let of_one = |x| call(name, Arc::new(PrimitiveArray::<P>::from_value(x, 1))).as_primitive::<P>().value(0);
    x.iter().map(|x| x.map(of_one)).collect()
}

/// The function of each number that is not NULL, computed by the crate itself.
fn expected<P: ArrowPrimitiveType<Native: Element>>(
    activation: &dyn Activation<P::Native>,
    x: &PrimitiveArray<P>,
) -> PrimitiveArray<P> {
    x.iter().map(|x| x.map(|x| activation.forward_vec(&[x])[0])).collect()
}

/// Checks that the bits are equal, except for the payloads of NaN.
fn assert_same<P: ArrowPrimitiveType<Native: FloatCore>>(what: &str, got: &ArrayRef, expected: &PrimitiveArray<P>) {
    assert_eq!(got.data_type(), expected.data_type(), "{what}");
    assert_eq!(got.len(), expected.len(), "{what}");
    for (i, (got, expected)) in got.as_primitive::<P>().iter().zip(expected).enumerate() {
        let bits = |x: Option<P::Native>| x.map(|x| if x.is_nan() { None } else { Some(x.integer_decode()) });
        assert_eq!(bits(got), bits(expected), "{what}, row {i}: expected {expected:?}, got {got:?}");
    }
}

async fn check_all<P: ArrowPrimitiveType<Native: FloatCore>>() {
    let x = numbers::<P>();
    // Batches, one of them empty, and a table whose arrays are slices.
    let whole = session_with([Arc::new(x.clone()) as ArrayRef]);
    let pieces = session_with(
        [(5, 100), (105, 0), (105, 333)]
            .map(|(start, len)| x.slice(start, len))
            .map(|piece| Arc::new(piece) as ArrayRef),
    );
    let mut count = 0;
    for activation in AnyActivation::all().filter(is_elementwise) {
        let name = activation.card().name;
        let sql = format!("SELECT {name}(x) FROM t");
        let what = format!("{name} of {}", P::DATA_TYPE);
        let expected = one_by_one(name, &x);
        assert_same(&what, &column(&whole, &sql).await, &expected);
        assert_same(&what, &column(&pieces, &sql).await, &expected.slice(5, 433));
        count += 1;
    }
    assert!(count >= 30, "{count} functions");
}

#[tokio::test]
async fn nulls_slices_and_batches_make_no_difference() {
    check_all::<Float32Type>().await;
    check_all::<Float64Type>().await;
}

#[tokio::test]
async fn results_are_those_of_the_crate() {
    let (x, wide) = (numbers::<Float32Type>(), numbers::<Float64Type>());
    let (session, of_wide) =
        (session_with([Arc::new(x.clone()) as ArrayRef]), session_with([Arc::new(wide.clone()) as ArrayRef]));
    assert_same("sigmoid", &column(&session, "SELECT sigmoid(x) FROM t").await, &expected(&Sigmoid, &x));
    assert_same("gelu", &column(&session, "SELECT gelu(x) FROM t").await, &expected(&Gelu, &x));
    assert_same("sigmoid", &column(&of_wide, "SELECT sigmoid(x) FROM t").await, &expected(&Sigmoid, &wide));
}

#[tokio::test]
async fn a_table_without_rows_gives_none() {
    for float in [DataType::Float32, DataType::Float64] {
        let session = session_with([new_empty_array(&float)]);
        let y = column(&session, "SELECT gelu(x) FROM t").await;
        assert_eq!((y.len(), y.data_type()), (0, &float));
    }
}

#[tokio::test]
async fn scalars_are_computed_when_planned() {
    let session = session_with([Arc::new(numbers::<Float32Type>()) as ArrayRef]);
    assert_eq!(value::<Float64Type>(&session, "SELECT sigmoid(0.0)").await, Some(0.5));
    assert_eq!(value::<Float64Type>(&session, "SELECT relu(3)").await, Some(3.0));
    assert_eq!(value::<Float64Type>(&session, "SELECT relu(NULL)").await, None);
    assert_eq!(value::<Float32Type>(&session, "SELECT leaky_relu(CAST(-2 AS FLOAT), 0.5)").await, Some(-1.0));
    assert_eq!(value::<Float32Type>(&session, "SELECT sigmoid(CAST(NULL AS FLOAT))").await, None);

    let frame = session.sql("SELECT x FROM t WHERE x > sigmoid(0.0)").await.expect("a plan");
    let plan = frame.into_optimized_plan().expect("an optimized plan").display_indent().to_string();
    assert!(plan.contains("0.5") && !plan.contains("sigmoid"), "{plan}");
}

#[tokio::test]
async fn other_numbers_are_taken_as_float64_and_halves_as_float32() {
    let x: PrimitiveArray<Int32Type> = [Some(-3), None, Some(40)].into_iter().collect();
    let session = session_with([Arc::new(x) as ArrayRef]);
    let exact: PrimitiveArray<Float64Type> = [Some(-3.0), None, Some(40.0)].into_iter().collect();
    assert_same("sigmoid", &column(&session, "SELECT sigmoid(x) FROM t").await, &expected(&Sigmoid, &exact));
    let forty: PrimitiveArray<Float64Type> = [Some(40.0)].into_iter().collect();
    let decimals = "SELECT relu(CAST(x AS DECIMAL(9, 2))) FROM t WHERE x > 0";
    assert_same("decimals", &column(&session, decimals).await, &forty);
    let half = "SELECT relu(arrow_cast(0.5, 'Float16'))";
    assert_eq!(value::<Float32Type>(&session, half).await, Some(0.5));
}

#[tokio::test]
async fn parameters_follow_as_literals() {
    let x = numbers::<Float32Type>();
    let session = session_with([Arc::new(x.clone()) as ArrayRef]);
    let of = |slope| expected(&LeakyRelu::new(slope).expect("allowed"), &x);
    for (call, expected) in [
        ("leaky_relu(x)", of(0.01)),
        ("leaky_relu(x, 0.2)", of(0.2)),
        ("leaky_relu(x, -2)", of(-2.0)),
        ("leaky_relu(x, 1e-30)", of(1e-30)),
    ] {
        assert_same(call, &column(&session, &format!("SELECT {call} FROM t")).await, &expected);
    }
    let threshold = Threshold::new(1.5, -7.0).expect("allowed");
    let call = "threshold(x, 1.5, -7)";
    assert_same(call, &column(&session, &format!("SELECT {call} FROM t")).await, &expected(&threshold, &x));
    // Parameters that are left out have their defaults.
    let rrelu = Rrelu::new(0.25, Rrelu::default().upper()).expect("allowed");
    assert_same("rrelu", &column(&session, "SELECT rrelu(x, 0.25) FROM t").await, &expected(&rrelu, &x));
}

#[tokio::test]
async fn errors_say_what_is_wrong_before_a_query_runs() {
    let session = session_with([Arc::new(numbers::<Float32Type>()) as ArrayRef]);
    for (call, words) in [
        ("sigmoid()", &["sigmoid(x) was given 0 arguments"][..]),
        ("sigmoid(x, 1.0)", &["sigmoid(x) was given 2 arguments"]),
        ("leaky_relu(x, 1, 2)", &["leaky_relu(x [, negative_slope]) was given 3 arguments"]),
        ("sigmoid('abc')", &["sigmoid(x)", "Utf8", "must be a number"]),
        ("sigmoid(true)", &["sigmoid(x)", "Boolean", "must be a number"]),
        ("leaky_relu(x, 'abc')", &["`negative_slope`", "Utf8", "must be a literal number"]),
        ("leaky_relu(x, NULL)", &["`negative_slope`", "Null", "must be a literal number"]),
        ("leaky_relu(x, x)", &["`negative_slope` must be a literal number"]),
        ("leaky_relu(x, 1 + 1)", &["`negative_slope` must be a literal number"]),
        ("softplus(x, 0)", &["softplus: `beta` is 0, but must be a finite number above 0"]),
        ("rrelu(x, 0.5, 0.1)", &["rrelu"]),
    ] {
        refused(&session, &format!("SELECT {call} FROM t"), words).await;
    }
    let strings = session_with([Arc::new(StringArray::from(vec!["a"])) as ArrayRef]);
    refused(&strings, "SELECT gelu(x) FROM t", &["gelu(x)", "must be a number"]).await;
}
