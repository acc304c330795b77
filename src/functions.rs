//! THE list of activations. A new one is a type in its family's file and its name here.

mod elu;
mod gelu;
mod relu;
mod sigmoid;
mod silu;
mod softplus;
mod tanh;

use crate::{hardmax, log_softmax, softmax, softmin, sparsemax};

/// Calls the macro `$use` with the list: `file: Type, Type; file: ...`.
macro_rules! for_each_activation {
    ($use:ident) => {
        $use! {
            relu: Relu, LeakyRelu;
            sigmoid: Sigmoid;
            tanh: Tanh;
            gelu: Gelu, GeluTanh;
            silu: Silu;
            elu: Elu;
            softplus: Softplus;
            softmax: Softmax;
            log_softmax: LogSoftmax;
            softmin: Softmin;
            sparsemax: Sparsemax;
            hardmax: Hardmax;
        }
    };
}
pub(crate) use for_each_activation;

macro_rules! export {
    ($($file:ident: $($name:ident),+;)+) => {
        $(pub use $file::{$($name),+};)+
    };
}
for_each_activation!(export);
