//! THE list of activations. To add one, write its type in its family's file and its name here.

/// Calls the macro `$use` with the list: `folder::file: Type, Type; ...`.
macro_rules! for_each_activation {
    ($use:ident) => {
        $use! {
            functions::relu: Relu, LeakyRelu, Relu6, SquaredRelu, Threshold;
            functions::sigmoid: Sigmoid;
            functions::tanh: Tanh, Tanhshrink, LogCosh;
            functions::gelu: Gelu, GeluTanh;
            functions::silu: Silu, QuickGelu, Swish;
            functions::elu: Elu, Selu, Celu;
            functions::softplus: Softplus, LogSigmoid;
            functions::mish: Mish;
            functions::snake: Snake;
            functions::sin: Sin;
            rows::softmax: Softmax;
            rows::log_softmax: LogSoftmax;
            functions::rrelu: Rrelu;
            functions::identity: Identity;
            functions::hard: HardSigmoid, HardSwish, HardTanh;
            functions::shrink: Softshrink, Hardshrink, Shrink;
            functions::sparse: SparsePlus, SparseSigmoid;
            functions::softsign: Softsign;
            functions::squareplus: Squareplus;
            functions::clipped_gelu: ClippedGelu;
            functions::laplace: Laplace;
            functions::xielu: Xielu;
            functions::exponential: Exponential;
            rows::softmin: Softmin;
            rows::sparsemax: Sparsemax;
            rows::hardmax: Hardmax;
        }
    };
}
pub(crate) use for_each_activation;
