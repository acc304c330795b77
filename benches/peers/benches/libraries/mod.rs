//! The libraries' forms of a function: one file for each library, and the two kinds of calls that they have.

pub mod burn;
pub mod candle;
pub mod libm;
pub mod rten;

use std::hint::black_box;

use peers::Function;

/// A library: its name, and how to find its form of a function, for given inputs. `None` if it has no such function.
pub type Library<T> = (&'static str, fn(Function, &[T]) -> Option<Box<dyn Call<T>>>);

/// A function of a library, with its inputs.
pub trait Call<T> {
    /// Runs the function. This is timed.
    fn run(&mut self);
    /// Runs the function, and returns its outputs.
    fn answer(&mut self) -> Vec<T>;
}

/// A function that writes to a given buffer. The buffer is a `Vec`, because some functions want it uninitialised.
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

/// A function that allocates its output.
struct Allocating<X, Y, T> {
    x: X,
    f: Box<dyn Fn(&X) -> Y>,
    read: fn(Y) -> Vec<T>,
}

pub fn allocating<X: 'static, Y: 'static, T: 'static>(
    x: X,
    f: impl Fn(&X) -> Y + 'static,
    read: fn(Y) -> Vec<T>,
) -> Box<dyn Call<T>> {
    Box::new(Allocating { x, f: Box::new(f), read })
}

impl<X, Y, T> Call<T> for Allocating<X, Y, T> {
    fn run(&mut self) {
        black_box((self.f)(black_box(&self.x)));
    }

    fn answer(&mut self) -> Vec<T> {
        (self.read)((self.f)(&self.x))
    }
}
