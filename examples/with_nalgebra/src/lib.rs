//! Activations over nalgebra's matrices, of static and dynamic size, and a network made of them.
//!
//! nalgebra is column-major: elements of a column are adjacent, and the distance of a row's elements is the length of a column.
//! A view of a dynamic matrix that is not a column may have gaps, and does not compile. Call `clone_owned` on it.
//!
//! ```
//! let x = nalgebra::DMatrix::<f32>::zeros(4, 4);
//! with_nalgebra::forward(&activations::Gelu, &x.rows(0, 2).clone_owned());
//! ```
//!
//! ```compile_fail
//! let x = nalgebra::DMatrix::<f32>::zeros(4, 4);
//! with_nalgebra::forward(&activations::Gelu, &x.rows(0, 2));
//! ```

use activations::{Activation, Element, ParameterError, Pieces};
use nalgebra::allocator::Allocator;
use nalgebra::{DefaultAllocator, Dim, IsContiguous, Matrix, OMatrix, Scalar, Storage};

pub mod network;

/// f of each element. A function of rows, such as those of [`columns`], takes each column as a row.
///
/// # Panics
/// If the function takes rows of another length.
pub fn forward<T: Element + Scalar, R: Dim, C: Dim, S: Storage<T, R, C> + IsContiguous>(
    f: &(impl Activation<T> + ?Sized),
    x: &Matrix<T, R, C, S>,
) -> OMatrix<T, R, C>
where
    DefaultAllocator: Allocator<R, C>,
{
    check(f, x.shape());
    let mut y = OMatrix::zeros_generic(x.shape_generic().0, x.shape_generic().1);
    f.forward(x.as_slice(), y.as_mut_slice());
    y
}

/// The gradient with respect to `x`.
///
/// # Panics
/// If the function's rows are not as long as the columns, or the shapes differ.
pub fn backward<T: Element + Scalar, R: Dim, C: Dim, S: Storage<T, R, C> + IsContiguous>(
    f: &(impl Activation<T> + ?Sized),
    x: &Matrix<T, R, C, S>,
    grad_y: &Matrix<T, R, C, S>,
) -> OMatrix<T, R, C>
where
    DefaultAllocator: Allocator<R, C>,
{
    check(f, x.shape());
    assert_eq!(x.shape(), grad_y.shape(), "the matrices differ in shape");
    let mut grad_x = OMatrix::zeros_generic(x.shape_generic().0, x.shape_generic().1);
    f.backward(x.as_slice(), grad_y.as_slice(), grad_x.as_mut_slice());
    grad_x
}

/// A function of a matrix's columns. `function` is its constructor, such as [`activations::Softmax::axis`].
///
/// # Errors
/// If the matrix is empty.
pub fn columns<A>(
    function: fn(usize, usize) -> Result<A, ParameterError>,
    (rows, _): (usize, usize),
) -> Result<A, ParameterError> {
    function(rows, 1)
}

/// A function of a matrix's rows.
///
/// # Errors
/// If the matrix is empty.
pub fn rows<A>(
    function: fn(usize, usize) -> Result<A, ParameterError>,
    (rows, columns): (usize, usize),
) -> Result<A, ParameterError> {
    function(columns, rows)
}

/// Elements of different columns must not be in one row.
#[track_caller]
fn check<T: Element>(f: &(impl Activation<T> + ?Sized), (rows, columns): (usize, usize)) {
    match f.pieces() {
        Pieces::Elements => {}
        Pieces::Rows(len) => {
            assert!(
                len == rows || len == rows * columns,
                "a function of rows of another shape than {rows} x {columns}: see `columns` and `rows`"
            );
        }
        Pieces::Whole => panic!("a function of all elements as one row: see `columns` and `rows`"),
    }
}
