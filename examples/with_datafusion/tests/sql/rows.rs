//! Functions of lists: each list is one distribution, for every kind of list; nulls; slices; queries that are refused.

use std::sync::Arc;

use activations::{Activation, AnyActivation, Hardmax, Softmax};
use datafusion::arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, FixedSizeListArray, Int32Array, LargeListArray, ListArray,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Float32Type, Float64Type, Int64Type};
use num_traits::float::FloatCore;

use crate::{Random, call, column, is_elementwise, refused, session_with, value};

type Lists<T> = Vec<Option<Vec<Option<T>>>>;

/// Lists of several lengths: empty lists, NULLs, and lists with NULLs in them.
fn lists<T: FloatCore>(lengths: impl IntoIterator<Item = usize>) -> Lists<T> {
    let mut random = Random(2);
    let mut list = |i: usize, len: usize| {
        let mut number = |j: usize| {
            let x = num_traits::cast(random.within(9.0)).expect("a float");
            (i % 4 != 1 || j % 3 != 1).then_some(x)
        };
        (i % 5 != 2).then(|| (0..len).map(&mut number).collect())
    };
    lengths.into_iter().enumerate().map(|(i, len)| list(i, len)).collect()
}

/// The function of the numbers of each list that are not NULL.
fn expected<T: FloatCore>(lists: &Lists<T>, function: impl Fn(Vec<T>) -> Vec<T>) -> Lists<T> {
    let of_list = |list: &Vec<Option<T>>| {
        let mut y = function(list.iter().copied().flatten().collect()).into_iter();
        list.iter().map(|x| x.and_then(|_| y.next())).collect()
    };
    lists.iter().map(|list| list.as_ref().map(of_list)).collect()
}

/// The function of one list, in an array of its own.
fn of_one<P: ArrowPrimitiveType>(name: &str, x: Vec<P::Native>) -> Vec<P::Native> {
    let list = ListArray::from_iter_primitive::<P, _, _>([Some(x.into_iter().map(Some))]);
    call(name, Arc::new(list)).as_list::<i32>().value(0).as_primitive::<P>().values().to_vec()
}

fn back<P: ArrowPrimitiveType>(y: &dyn Array) -> Lists<P::Native> {
    // All kinds of lists, with the same contents.
    let list = DataType::new_large_list(P::DATA_TYPE, true);
    let lists = cast(y, &list).expect("lists are cast");
    let list = |list: Option<ArrayRef>| list.map(|list| list.as_primitive::<P>().iter().collect());
    lists.as_list::<i64>().iter().map(list).collect()
}

async fn check_all<P: ArrowPrimitiveType<Native: FloatCore>>() {
    let mixed = lists::<P::Native>([3, 3, 3, 0, 1, 10, 10, 10, 10, 5, 100, 7, 7, 0, 0, 2]);
    let equal = lists::<P::Native>([6; 20]);
    let of_nothing = lists::<P::Native>([0; 4]);
    let arrays = [
        (&mixed, Arc::new(ListArray::from_iter_primitive::<P, _, _>(mixed.clone())) as ArrayRef),
        (&mixed, Arc::new(LargeListArray::from_iter_primitive::<P, _, _>(mixed.clone()))),
        (&equal, Arc::new(FixedSizeListArray::from_iter_primitive::<P, _, _>(equal.clone(), 6))),
        (&of_nothing, Arc::new(ListArray::from_iter_primitive::<P, _, _>(of_nothing.clone()))),
    ];
    let mut count = 0;
    for activation in AnyActivation::all().filter(|activation| !is_elementwise(activation)) {
        let name = activation.card().name;
        for (lists, array) in &arrays {
            let expected = expected(lists, |x| of_one::<P>(name, x));
            // The whole array, and slices that begin within it. One slice is empty.
            let session = session_with([Arc::clone(array)]);
            let y = column(&session, &format!("SELECT {name}(x) FROM t")).await;
            let what = format!("{name} of {}", array.data_type());
            assert_eq!(y.data_type(), array.data_type(), "{what}");
            assert_eq!(back::<P>(&y), expected, "{what}");

            let rest = lists.len() - 3;
            let session = session_with([array.slice(1, 2), array.slice(3, 0), array.slice(3, rest)]);
            let y = column(&session, &format!("SELECT {name}(x) FROM t")).await;
            assert_eq!(back::<P>(&y), expected[1..], "{what}, in slices");
        }
        count += 1;
    }
    assert!(count >= 5, "{count} functions");
}

#[tokio::test]
async fn each_list_is_a_row_of_its_own() {
    check_all::<Float32Type>().await;
    check_all::<Float64Type>().await;
}

#[tokio::test]
async fn results_are_those_of_the_crate() {
    let lists = lists::<f32>([4, 4, 9, 2, 7, 7]);
    let session =
        session_with([Arc::new(ListArray::from_iter_primitive::<Float32Type, _, _>(lists.clone())) as ArrayRef]);
    let y = column(&session, "SELECT softmax(x) FROM t").await;
    assert_eq!(back::<Float32Type>(&y), expected(&lists, |x| Softmax::default().forward_vec(&x)));
    let y = column(&session, "SELECT hardmax(x) FROM t").await;
    assert_eq!(back::<Float32Type>(&y), expected(&lists, |x| Hardmax::default().forward_vec(&x)));
}

#[tokio::test]
async fn a_null_within_a_list_is_masked() {
    let x = ListArray::from_iter_primitive::<Float32Type, _, _>([
        Some(vec![Some(0.0), None, Some(0.0)]),
        Some(vec![None, None]),
        None,
    ]);
    let session = session_with([Arc::new(x) as ArrayRef]);
    let y = column(&session, "SELECT softmax(x) FROM t").await;
    let expected = [Some(vec![Some(0.5), None, Some(0.5)]), Some(vec![None, None]), None];
    assert_eq!(back::<Float32Type>(&y), expected);
}

#[tokio::test]
async fn lists_of_other_numbers_are_taken_as_float64_and_null_is_null() {
    let values = Int32Array::from(vec![7, 7, 1, 1]);
    let field = Arc::new(Field::new_list_field(DataType::Int32, false));
    let x = FixedSizeListArray::new(field, 2, Arc::new(values), None);
    let session = session_with([Arc::new(x) as ArrayRef]);
    let y = column(&session, "SELECT softmax(x) FROM t").await;
    assert_eq!(back::<Float64Type>(&y), vec![Some(vec![Some(0.5); 2]); 2]);
    let y = column(&session, "SELECT softmax(NULL)").await;
    assert_eq!(back::<Float64Type>(&y), [None]);
    assert_eq!(value::<Int64Type>(&session, "SELECT count(softmax(x)) FROM t").await, Some(2));
}

#[tokio::test]
async fn errors_say_what_is_wrong_before_a_query_runs() {
    let session =
        session_with([Arc::new(ListArray::from_iter_primitive::<Float32Type, _, _>([Some([Some(1.0)])])) as ArrayRef]);
    for (call, words) in [
        ("softmax()", &["softmax(list) was given 0 arguments"][..]),
        ("softmax(x, 2)", &["softmax(list) was given 2 arguments"]),
        (
            "softmax(1.0)",
            &["column of type Float64", "must be given a list of numbers", "exp(x - log_sum_exp(x) OVER ())"],
        ),
        ("softmax('a')", &["type Utf8", "must be given a list of numbers"]),
        ("hardmax(true)", &["hardmax(list)", "type Boolean"]),
        ("sigmoid(x)", &["sigmoid(x): x is of type List", "must be a number"]),
    ] {
        refused(&session, &format!("SELECT {call} FROM t"), words).await;
    }
}
