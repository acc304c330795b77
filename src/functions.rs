//! THE list of activations. A new one is a type in its family's file and its name here.

mod gelu;
mod relu;
mod sigmoid;
mod silu;
mod tanh;

macro_rules! activations {
    ($($module:ident: $($name:ident),+;)+) => {
        $(pub use $module::{$($name),+};)+
    };
}
activations! {
    relu: Relu, LeakyRelu;
    sigmoid: Sigmoid;
    tanh: Tanh;
    gelu: Gelu, GeluTanh;
    silu: Silu;
}
