//! Activations over ndarray's arrays: of any dimension and any layout, transposed, sliced, with steps or reversed.
//!
//! Arrays in row-major or column-major order are used without a copy. Others are copied once, in their logical order. The
//! layout does not change the result.

use activations::{Activation, Element, ParameterError, Pieces};
use ndarray::{Array, ArrayView, ArrayViewMut, Axis, Dimension};

/// f of each element.
///
/// # Panics
/// If the function takes rows, as softmax does. Use [`along_axis`] for these.
pub fn forward<T: Element, D: Dimension>(
    activation: &(impl Activation<T> + ?Sized),
    x: ArrayView<'_, T, D>,
) -> Array<T, D> {
    elementwise(activation);
    in_one_order([x], |[x]| activation.forward_vec(x))
}

/// f of each element, in place.
///
/// # Panics
/// If the function takes rows.
pub fn forward_in_place<T: Element, D: Dimension>(
    activation: &(impl Activation<T> + ?Sized),
    mut x: ArrayViewMut<'_, T, D>,
) {
    elementwise(activation);
    // The order of single elements does not matter.
    if let Some(x) = x.as_slice_memory_order_mut() {
        activation.forward_in_place(x);
    } else {
        let y = forward(activation, x.view());
        x.assign(&y);
    }
}

/// The gradient with respect to `x`: `grad_y` f'(x).
///
/// # Panics
/// If the function takes rows, or the shapes differ.
pub fn backward<T: Element, D: Dimension>(
    activation: &(impl Activation<T> + ?Sized),
    x: ArrayView<'_, T, D>,
    grad_y: ArrayView<'_, T, D>,
) -> Array<T, D> {
    elementwise(activation);
    in_one_order([x, grad_y], |[x, grad_y]| activation.backward_vec(x, grad_y))
}

/// A function of rows along an axis. `function` is its constructor, such as [`activations::Softmax::axis`].
///
/// # Panics
/// If the array has no such axis.
pub fn along_axis<T: Element, D: Dimension, A: Activation<T>>(
    function: fn(usize, usize) -> Result<A, ParameterError>,
    x: ArrayView<'_, T, D>,
    axis: Axis,
) -> Array<T, D> {
    rows(function, [x], axis, &|function, [x]| function.forward_vec(x))
}

/// The gradient of [`along_axis`] with respect to `x`.
///
/// # Panics
/// If the arrays have no such axis, or their shapes differ.
pub fn backward_along_axis<T: Element, D: Dimension, A: Activation<T>>(
    function: fn(usize, usize) -> Result<A, ParameterError>,
    x: ArrayView<'_, T, D>,
    grad_y: ArrayView<'_, T, D>,
    axis: Axis,
) -> Array<T, D> {
    rows(function, [x, grad_y], axis, &|function, [x, grad_y]| function.backward_vec(x, grad_y))
}

#[track_caller]
fn elementwise<T: Element>(activation: &(impl Activation<T> + ?Sized)) {
    assert_eq!(activation.pieces(), Pieces::Elements, "the function takes rows, not single elements: use `along_axis`");
}

/// Arrays that are in column-major order. Transposed, they are row-major.
fn column_major<T, D: Dimension, const N: usize>(arrays: &[ArrayView<'_, T, D>; N]) -> bool {
    arrays.iter().all(|x| !x.is_standard_layout() && x.t().is_standard_layout())
}

/// Calls `run` with the elements of arrays of one shape, all in the same order, and gives the result that shape.
fn in_one_order<T: Element, D: Dimension, const N: usize>(
    arrays: [ArrayView<'_, T, D>; N],
    run: impl FnOnce([&[T]; N]) -> Vec<T>,
) -> Array<T, D> {
    let shape = arrays[0].raw_dim();
    for x in &arrays {
        assert_eq!(x.shape(), shape.slice(), "the arrays differ in shape");
    }
    if column_major(&arrays) {
        return in_one_order(arrays.map(ArrayView::reversed_axes), run).reversed_axes();
    }
    let arrays = arrays.each_ref().map(|x| x.as_standard_layout());
    let y = run(arrays.each_ref().map(|x| x.as_slice().expect("standard layout")));
    Array::from_shape_vec(shape, y).expect("an element of the result for each of the arrays'")
}

/// The same for a function of rows along an axis.
fn rows<T: Element, D: Dimension, A, const N: usize>(
    function: fn(usize, usize) -> Result<A, ParameterError>,
    arrays: [ArrayView<'_, T, D>; N],
    axis: Axis,
    run: &impl Fn(&A, [&[T]; N]) -> Vec<T>,
) -> Array<T, D> {
    let dimensions = arrays[0].ndim();
    assert!(axis.index() < dimensions, "{axis:?} of an array of {dimensions} dimensions");
    if column_major(&arrays) {
        let axis = Axis(dimensions - 1 - axis.index());
        return rows(function, arrays.map(ArrayView::reversed_axes), axis, run).reversed_axes();
    }
    let shape = arrays[0].shape();
    let inner = shape[axis.index() + 1..].iter().product();
    match function(shape[axis.index()], inner) {
        Ok(function) => in_one_order(arrays, |arrays| run(&function, arrays)),
        Err(_) if arrays[0].is_empty() => in_one_order(arrays, |_| Vec::new()),
        Err(error) if inner == 1 => panic!("{error}"),
        // The elements of long rows must be adjacent. In a row-major copy, rows along the last axis are.
        Err(_) => {
            let last = dimensions - 1;
            let swapped = arrays.map(|mut x| {
                x.swap_axes(axis.index(), last);
                x.as_standard_layout().into_owned()
            });
            let mut y = rows(function, swapped.each_ref().map(|x| x.view()), Axis(last), run);
            y.swap_axes(axis.index(), last);
            y
        }
    }
}
