//! THE list of activations. A new one is a type in its family's file and its name here.

mod elu;
mod gelu;
mod mish;
mod relu;
mod sigmoid;
mod silu;
mod snake;
mod softplus;
mod tanh;

use crate::{log_softmax, softmax};

/// Calls the macro `$use` with the list: `file: Type, Type; file: ...`.
macro_rules! for_each_activation {
    ($use:ident) => {
        $use! {
            relu: Relu, LeakyRelu;
            sigmoid: Sigmoid;
            tanh: Tanh, Tanhshrink, LogCosh;
            gelu: Gelu, GeluTanh;
            silu: Silu, QuickGelu, Swish;
            elu: Elu, Selu, Celu;
            softplus: Softplus, LogSigmoid;
            mish: Mish;
            snake: Snake;
            softmax: Softmax;
            log_softmax: LogSoftmax;
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
