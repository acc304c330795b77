//! Activations as burn's operations and modules, with their gradients: `Layer::new(Gelu)` instead of `nn::Gelu`.
//!
//! They run on the backend `Flex`, the CPU, for tensors of `f32` and `f64` with any strides. As everywhere in burn, there is only the
//! first gradient.

use std::fmt::Debug;
use std::sync::Arc;

use activations::{Activation, Element, Pieces};
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::module::Module;
use burn::tensor::{DType, Tensor, TensorData};

/// An activation for the types of floats that a tensor may hold here.
pub trait Floats: Activation<f32> + Activation<f64> + Debug + Send + Sync {}
impl<A: Activation<f32> + Activation<f64> + Debug + Send + Sync> Floats for A {}

/// A boxed activation, because burn's operations cannot be generic.
pub type Shared = Arc<dyn Floats>;

/// An activation as a module.
///
/// Functions of rows work along the last dimension, and must be made for its length, as `Softmax::rows(10)` is for 10.
#[derive(Module, Debug)]
pub struct Layer {
    #[module(skip)]
    activation: Shared,
}

impl Layer {
    pub fn new(activation: impl Floats + 'static) -> Self {
        Self { activation: Arc::new(activation) }
    }

    /// # Panics
    /// If the tensor holds another type, or the function's rows are not as long as the last dimension.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let (f, last) = (&self.activation, x.dims().last().copied().unwrap_or(1));
        match Activation::<f32>::pieces(f.as_ref()) {
            Pieces::Elements => {}
            Pieces::Rows(len) => assert_eq!(len, last, "{f:?} takes rows of {len}, and the last dimension is {last}"),
            Pieces::Whole => panic!("{f:?} takes all numbers as one row: say how long a row is, here {last}"),
        }
        Tensor::from_dispatch(Dispatch::activate(x.into_dispatch(), self.activation.clone()))
    }
}

/// The operations that this crate adds to a backend.
#[backend_extension(Flex, Autodiff)]
pub trait Activations: Backend {
    fn activate(x: FloatTensor<Self>, f: Shared) -> FloatTensor<Self>;
    fn activate_backward(x: FloatTensor<Self>, grad_y: FloatTensor<Self>, f: Shared) -> FloatTensor<Self>;
}

impl Activations for Flex {
    fn activate(mut x: FlexTensor, f: Shared) -> FlexTensor {
        match x.dtype() {
            // If nobody else holds the tensor, it is overwritten, as in burn's own operations.
            DType::F32 if owned(&x) => f.forward_in_place(x.storage_mut::<f32>()),
            DType::F64 if owned(&x) => f.forward_in_place(x.storage_mut::<f64>()),
            DType::F32 => return tensor(&x, f.forward_vec(x.to_contiguous().storage::<f32>())),
            DType::F64 => return tensor(&x, f.forward_vec(x.to_contiguous().storage::<f64>())),
            other => panic!("{f:?} is a function of f32 and f64 here, not of {other:?}"),
        }
        x
    }

    fn activate_backward(x: FlexTensor, grad_y: FlexTensor, f: Shared) -> FlexTensor {
        let (x, grad_y) = (x.to_contiguous(), grad_y.to_contiguous());
        match x.dtype() {
            DType::F32 => tensor(&x, f.backward_vec(x.storage::<f32>(), grad_y.storage())),
            DType::F64 => tensor(&x, f.backward_vec(x.storage::<f64>(), grad_y.storage())),
            other => panic!("{f:?} is a function of f32 and f64 here, not of {other:?}"),
        }
    }
}

/// Whether the storage holds exactly these elements, in their order, and belongs to this tensor alone.
fn owned(x: &FlexTensor) -> bool {
    let len = x.bytes().len() / x.dtype().size();
    x.is_unique() && x.layout().contiguous_offsets() == Some((0, len))
}

fn tensor<T: Element + burn::tensor::Element>(like: &FlexTensor, elements: Vec<T>) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(elements, like.layout().shape().clone()))
}

impl<B: Activations, C: CheckpointStrategy> Activations for Autodiff<B, C> {
    fn activate(x: FloatTensor<Self>, f: Shared) -> FloatTensor<Self> {
        #[derive(Debug)]
        struct Step;

        impl<B: Activations> Backward<B, 1> for Step {
            type State = (NodeId, Shared);

            fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, checkpointer: &mut Checkpointer) {
                let (x, f) = ops.state;
                let x = checkpointer.retrieve_node_output(x);
                unary::<B, _>(ops.parents, ops.node, grads, |grad_y| B::activate_backward(x, grad_y, f));
            }
        }

        match Backward::<B, 1>::prepare::<C>(Step, [x.node()]).compute_bound().stateful() {
            OpsKind::Tracked(mut prep) => {
                let state = (prep.checkpoint(&x), f.clone());
                prep.finish(state, B::activate(x.into_primitive(), f))
            }
            OpsKind::UnTracked(prep) => prep.finish(B::activate(x.into_primitive(), f)),
        }
    }

    fn activate_backward(_: FloatTensor<Self>, _: FloatTensor<Self>, f: Shared) -> FloatTensor<Self> {
        unimplemented!("the gradient of the gradient of {f:?}")
    }
}
