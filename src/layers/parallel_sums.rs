//! Log-sum-exps on several threads.

use std::vec;

use super::parallel::{Cut, Parallel};
use crate::kernel::element::Element;
use crate::kernel::level::Level;
use crate::rows::log_sum_exp::{LogSumExp, SEGMENT, check_rows, log_sum_exp_rows};

/// [`log_sum_exp`](crate::log_sum_exp) on the threads of `rayon`, with the same bits.
///
/// Fewer than 256 Ki numbers are summed on the calling thread.
///
/// ```
/// let x: Vec<f32> = (0..500_000).map(|i| (i as f32).sin()).collect();
/// assert_eq!(activations::log_sum_exp_parallel(&x), activations::log_sum_exp(&x));
/// ```
#[must_use]
pub fn log_sum_exp_parallel<T: Element>(x: &[T]) -> T {
    let mut sums = vec![LogSumExp::new(); x.len().div_ceil(SEGMENT)];
    Parallel::of(()).share_units(Slice { x, sums: &mut sums }, SEGMENT, |Slice { x, sums }| {
        for (x, sum) in x.chunks(SEGMENT).zip(sums) {
            *sum = LogSumExp::of_segment(Level::best(), x);
        }
    });
    let mut all = LogSumExp::new();
    sums.iter().for_each(|sum| all.merge(sum));
    all.finish()
}

/// [`log_sum_exp_rows`] on the threads of `rayon`, with the same bits.
///
/// Fewer than 256 Ki numbers are summed on the calling thread.
///
/// # Panics
/// If `x` does not divide into rows, or `y` does not have an element for each row, before anything is written.
///
/// ```
/// let x: Vec<f64> = (0..300_000).map(|i| f64::from(i).sin()).collect();
/// let (mut y, mut serial) = (vec![0.0; 3_000], vec![0.0; 3_000]);
/// activations::log_sum_exp_rows_parallel(&x, 100, &mut y);
/// activations::log_sum_exp_rows(&x, 100, &mut serial);
/// assert_eq!(y, serial);
/// ```
#[track_caller]
pub fn log_sum_exp_rows_parallel<T: Element>(x: &[T], row_len: usize, y: &mut [T]) {
    check_rows(x.len(), row_len, y.len());
    Parallel::of(())
        .share_units(Rows { x, row_len, y }, row_len, |Rows { x, row_len, y }| log_sum_exp_rows(x, row_len, y));
}

/// A slice, and the sums of its segments.
struct Slice<'a, T: Element> {
    x: &'a [T],
    sums: &'a mut [LogSumExp<T>],
}

impl<T: Element> Cut for Slice<'_, T> {
    fn len(&self) -> usize {
        self.x.len()
    }

    fn cut(self, at: usize) -> (Self, Self) {
        let (x, sums) = (self.x.split_at(at), self.sums.split_at_mut(at / SEGMENT));
        (Self { x: x.0, sums: sums.0 }, Self { x: x.1, sums: sums.1 })
    }
}

/// Rows, and the log-sum-exp of each.
struct Rows<'a, T> {
    x: &'a [T],
    row_len: usize,
    y: &'a mut [T],
}

impl<T: Element> Cut for Rows<'_, T> {
    fn len(&self) -> usize {
        self.x.len()
    }

    fn cut(self, at: usize) -> (Self, Self) {
        let (row_len, x, y) = (self.row_len, self.x.split_at(at), self.y.split_at_mut(at / self.row_len));
        (Self { x: x.0, row_len, y: y.0 }, Self { x: x.1, row_len, y: y.1 })
    }
}
