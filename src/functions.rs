//! THE list of activations. A new one is a type in its family's file and its name here.


mod relu;
mod sigmoid;
mod tanh;

macro_rules! activations {
    ($($module:ident: $($name:ident),+;)+) => {
        $(pub use $module::{$($name),+};)+
    };
}
activations! {
  relu: Relu;
  sigmoid: Sigmoid;
  tanh: Tanh;
}
