//! THE list of activations. A new one is a type in its family's file and its name here.

mod elu;
mod gelu;
mod hard;
mod identity;
mod mish;
mod prelu;
mod relu;
mod rrelu;
mod shrink;
mod sigmoid;
mod silu;
mod slopes;
mod snake;
mod softplus;
mod softsign;
mod sparse;
mod squareplus;
mod tanh;

pub use prelu::Prelu;

use crate::{hardmax, log_softmax, softmax, softmin, sparsemax};

/// Calls the macro `$use` with the list: `file: Type, Type; file: ...`.
macro_rules! for_each_activation {
    ($use:ident) => {
        $use! {
            relu: Relu, LeakyRelu, Relu6, SquaredRelu, Threshold;
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
            rrelu: Rrelu;
            identity: Identity;
            hard: HardSigmoid, HardSwish, HardTanh;
            shrink: Softshrink, Hardshrink;
            sparse: SparsePlus, SparseSigmoid;
            softsign: Softsign;
            squareplus: Squareplus;
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
