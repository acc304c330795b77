//! Every layout gives the same bits as single elements and copied rows.

use activations::{Activation, Gelu, LogSoftmax, Softmax};
use ndarray::{Array, Array2, Array3, ArrayView, ArrayViewD, ArrayViewMutD, Axis, Dimension, IxDyn, Zip, s};
use with_ndarray::{along_axis, backward, backward_along_axis, forward, forward_in_place};

/// All numbers are different, so that a mix-up of two places is noticed.
fn numbers(shape: &[usize]) -> Array<f32, IxDyn> {
    let mut i = 0.0;
    Array::from_shape_simple_fn(IxDyn(shape), || {
        i += 0.618_034;
        6.0 * (i % 1.0) - 3.0
    })
}

/// Calls `check` with the same array of 3 x 4 x 5 in each layout, and its name.
fn each_layout(check: impl Fn(&str, ArrayViewD<'_, f32>)) {
    let x = numbers(&[3, 4, 5]);
    check("row-major", x.view());

    let mut column_major = Array::zeros(ndarray::ShapeBuilder::f(IxDyn(&[3, 4, 5])));
    column_major.assign(&x);
    check("column-major", column_major.view());

    for axes in [[1, 0, 2], [0, 2, 1], [2, 0, 1]] {
        let permuted = x.view().permuted_axes(IxDyn(&axes)).as_standard_layout().into_owned();
        let mut inverse = [0; 3];
        axes.into_iter().enumerate().for_each(|(to, from)| inverse[from] = to);
        check(&format!("axes permuted by {axes:?}"), permuted.view().permuted_axes(IxDyn(&inverse)));
    }

    let mut wide = numbers(&[6, 8, 11]);
    wide.slice_mut(s![..;2, ..;2, 1..;2]).assign(&x);
    check("every other element", wide.slice(s![..;2, ..;2, 1..;2]).into_dyn());

    let reversed = x.slice(s![..;-1, ..;-1, ..;-1]).as_standard_layout().into_owned();
    check("reversed", reversed.slice(s![..;-1, ..;-1, ..;-1]).into_dyn());
    let rows_reversed = x.slice(s![.., ..;-1, ..]).as_standard_layout().into_owned();
    check("rows reversed", rows_reversed.slice(s![.., ..;-1, ..]).into_dyn());
}

fn bits<D: Dimension>(x: &Array<f32, D>) -> Vec<u32> {
    x.iter().map(|x| x.to_bits()).collect()
}

fn single<D: Dimension>(activation: &impl Activation<f32>, x: ArrayView<'_, f32, D>) -> Array<f32, D> {
    x.mapv(|x| activation.forward_vec(&[x])[0])
}

#[test]
fn elementwise_functions_do_not_depend_on_the_layout() {
    each_layout(|layout, x| {
        assert_eq!(x.shape(), [3, 4, 5], "{layout}");
        let y = forward(&Gelu, x.view());
        assert_eq!(bits(&y), bits(&single(&Gelu, x.view())), "forward, {layout}");

        let mut derivative = [0.0];
        let expected = Zip::from(&x).map_collect(|&x| {
            Gelu.derivative(&[x], &mut derivative);
            derivative[0]
        });
        let ones = Array::ones(x.raw_dim());
        assert_eq!(bits(&backward(&Gelu, x.view(), ones.view())), bits(&expected), "backward, {layout}");
    });
}

#[test]
fn gradients_meet_their_elements_whatever_the_two_layouts() {
    let expected = backward(&Gelu, numbers(&[3, 4, 5]).view(), numbers(&[3, 4, 5]).view());
    each_layout(|first, x| {
        each_layout(|second, grad_y| {
            assert_eq!(bits(&backward(&Gelu, x.view(), grad_y)), bits(&expected), "{first} and {second}");
        });
    });
}

#[test]
fn in_place_writes_the_view_and_nothing_else() {
    type View = fn(&mut Array3<f32>) -> ArrayViewMutD<'_, f32>;
    let views: [(&str, View); 5] = [
        ("whole", |x| x.view_mut().into_dyn()),
        ("transposed", |x| x.view_mut().reversed_axes().into_dyn()),
        ("reversed", |x| x.slice_mut(s![..;-1, .., ..;-1]).into_dyn()),
        ("steps", |x| x.slice_mut(s![1.., ..;3, ..;-2]).into_dyn()),
        ("one column", |x| x.slice_mut(s![.., 2, ..]).into_dyn()),
    ];
    for (name, view) in views {
        let x = numbers(&[3, 4, 5]).into_dimensionality().unwrap();
        let (mut expected, mut y) = (x.clone(), x.clone());
        view(&mut expected).mapv_inplace(|x| Gelu.forward_vec(&[x])[0]);
        forward_in_place(&Gelu, view(&mut y));
        assert_eq!(bits(&y), bits(&expected), "{name}");
    }
}

#[test]
fn rows_along_any_axis_are_gathered_lanes() {
    each_layout(|layout, x| {
        let grad_y = numbers(&[3, 4, 5]);
        for axis in (0..3).map(Axis) {
            let (mut p, mut grad_x) = (Array::zeros(x.raw_dim()), Array::zeros(x.raw_dim()));
            Zip::from(x.lanes(axis)).and(p.lanes_mut(axis)).for_each(|x, mut p| {
                p.assign(&Array::from(LogSoftmax::default().forward_vec(&x.to_vec())));
            });
            Zip::from(x.lanes(axis)).and(grad_y.lanes(axis)).and(grad_x.lanes_mut(axis)).for_each(|x, g, mut of_x| {
                of_x.assign(&Array::from(LogSoftmax::default().backward_vec(&x.to_vec(), &g.to_vec())));
            });
            let name = format!("{layout}, {axis:?}");
            assert_eq!(bits(&along_axis(LogSoftmax::axis, x.view(), axis)), bits(&p), "forward, {name}");
            let ours = backward_along_axis(LogSoftmax::axis, x.view(), grad_y.view(), axis);
            assert_eq!(bits(&ours), bits(&grad_x), "backward, {name}");
        }
    });
}

#[test]
fn rows_that_are_too_long_to_lie_side_by_side_are_copied() {
    let x: Array2<f32> = numbers(&[10_000, 3]).into_dimensionality().unwrap();
    let p = along_axis(Softmax::axis, x.view(), Axis(0));
    assert_eq!(p.column(1).to_vec(), Softmax::default().forward_vec(&x.column(1).to_vec()));
    assert_eq!(along_axis(Softmax::axis, x.t(), Axis(1)), p.t());
}

#[test]
fn zip_and_mapv_go_with_it() {
    let x: Array2<f32> = numbers(&[4, 6]).into_dimensionality().unwrap();
    let mut by_rows = x.clone();
    Zip::from(by_rows.rows_mut()).for_each(|row| forward_in_place(&Gelu, row));
    assert_eq!(by_rows, forward(&Gelu, x.view()));

    let scaled = x.mapv(|x| 2.0 * x);
    let gated = Zip::from(&forward(&Gelu, scaled.t())).and(x.t()).map_collect(|gate, x| gate * x);
    assert_eq!(gated[(5, 3)], Gelu.forward_vec(&[2.0 * x[(3, 5)]])[0] * x[(3, 5)]);
}

#[test]
fn empty_arrays_and_single_numbers_are_fine() {
    for shape in [&[0, 3][..], &[3, 0], &[0]] {
        let x = numbers(shape);
        assert_eq!(forward(&Gelu, x.view()).shape(), shape);
        for axis in (0..shape.len()).map(Axis) {
            assert_eq!(along_axis(Softmax::axis, x.view(), axis).shape(), shape);
        }
    }
    assert_eq!(forward(&Gelu, ndarray::arr0(0.0_f64).view()), ndarray::arr0(0.0));
}

#[test]
#[should_panic(expected = "the function takes rows, not single elements: use `along_axis`")]
fn softmax_is_not_taken_for_a_function_of_single_elements() {
    forward(&Softmax::default(), numbers(&[2, 2]).view());
}

#[test]
#[should_panic(expected = "the arrays differ in shape")]
fn shapes_are_not_broadcast() {
    backward(&Gelu, numbers(&[2, 3]).view(), numbers(&[3, 2]).view());
}

#[test]
#[should_panic(expected = "Axis(2) of an array of 2 dimensions")]
fn an_axis_that_is_not_there_is_named() {
    along_axis(Softmax::axis, numbers(&[2, 3]).view(), Axis(2));
}
