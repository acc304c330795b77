//! A library's form of a function: one file for each library, and the two shapes that they have.

pub mod libm;
pub mod rten;

use std::hint::black_box;

use peers::Function;

/// The libraries by name, each with what looks up its form of a function on given inputs; `None` if it has none.
pub type Library<T> = (&'static str, fn(Function, &[T]) -> Option<Box<dyn Call<T>>>);

/// A function of a library on inputs of its own.
pub trait Call<T> {
    /// What is timed.
    fn run(&mut self);
    /// Runs it, and gives the outputs.
    fn answer(&mut self) -> Vec<T>;
}

/// A function that writes to a buffer that it is given. The buffer is a `Vec` because some want it uninitialised.
struct IntoBuffer<T, F> {
    x: Vec<T>,
    y: Vec<T>,
    f: F,
}

pub fn into_buffer<T: Copy + Default + 'static>(
    x: &[T],
    f: impl FnMut(&[T], &mut Vec<T>) + 'static,
) -> Box<dyn Call<T>> {
    Box::new(IntoBuffer { x: x.to_vec(), y: vec![T::default(); x.len()], f })
}

impl<T: Clone, F: FnMut(&[T], &mut Vec<T>)> Call<T> for IntoBuffer<T, F> {
    fn run(&mut self) {
        (self.f)(black_box(&self.x), &mut self.y);
        black_box(&self.y);
    }

    fn answer(&mut self) -> Vec<T> {
        self.run();
        self.y.clone()
    }
}
