#!/usr/bin/env python3
"""Writes tests/tables/kinks.csv: the derivatives that other libraries give exactly at a kink, a corner or a jump.

Run: pip install torch entmax jax tensorflow-cpu onnx onnxruntime-training && python3 tools/kinks.py

Each line is `function,parameters,x,library,version,derivative`. `function` is the crate's name; `parameters` are those
that are not the crate's defaults, as `threshold=-0.5 value=2.5`. Numbers are the shortest that read back as the same f64;
x and the parameters are numbers of f16 and bf16 too. For a function of rows the row is [x, 0], and the derivative is that
of its first output with respect to x.

Each library is asked in f64 and in f32 (ONNX Runtime in f32 alone, PyTorch in f16 and bf16 too), and about 67 equal
elements at once, so that its vector loop and the remainder both answer. The script fails if the answers differ by more
than a rounding.

ONNX Runtime's package for inference has no gradients. The one for training has those of `Relu`, `LeakyRelu` and `Clip`;
the script fails if that changes. Keras runs on TensorFlow.
"""

import os
import pathlib

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_BACKEND"] = "tensorflow"

import entmax
import jax
import jax.numpy as jnp
import keras
import numpy as np
import onnxruntime
import tensorflow as tf
import torch
import torch.nn.functional as F
from keras import activations as K
from onnx import TensorProto, helper
from onnxruntime.training import onnxblock

jax.config.update("jax_enable_x64", True)
onnxruntime.set_default_logger_severity(4)

COPIES = 67
# What a derivative may be off by in each type.
ROUNDING = {"float64": 1e-8, "float32": 1e-6, "float16": 1e-3, "bfloat16": 1e-2}

ZEROS = [0.0, -0.0]
THREES = [-3.0, 3.0]
ONES = [-1.0, 1.0]
HALVES = [-0.5, 0.5]

# function, parameters, where, PyTorch, JAX, Keras, ONNX Runtime. Each of them is a function of a tensor; None if the
# library has no such function. ONNX Runtime's is an operator with its further inputs and its attributes.
FUNCTIONS = [
    ("relu", "", ZEROS, F.relu, jax.nn.relu, K.relu, ("Relu", [], {})),
    ("relu6", "", [*ZEROS, 6.0], F.relu6, jax.nn.relu6, K.relu6, ("Clip", [0.0, 6.0], {})),
    (
        "leaky_relu",
        "negative_slope=0.25",
        ZEROS,
        lambda x: F.leaky_relu(x, 0.25),
        lambda x: jax.nn.leaky_relu(x, 0.25),
        lambda x: K.leaky_relu(x, 0.25),
        ("LeakyRelu", [], {"alpha": 0.25}),
    ),
    (
        "leaky_relu",
        "negative_slope=-0.5",
        ZEROS,
        lambda x: F.leaky_relu(x, -0.5),
        lambda x: jax.nn.leaky_relu(x, -0.5),
        None,
        ("LeakyRelu", [], {"alpha": -0.5}),
    ),
    ("rrelu", "lower=0.25 upper=0.75", ZEROS, lambda x: F.rrelu(x, 0.25, 0.75, training=False), None, None, None),
    (
        "prelu",
        "slope=0.25",
        ZEROS,
        lambda x: F.prelu(x, torch.tensor([0.25], dtype=x.dtype)),
        None,
        None,
        ("PRelu", [0.25], {}),
    ),
    ("squared_relu", "", ZEROS, lambda x: torch.square(F.relu(x)), None, None, None),
    (
        "threshold",
        "",
        [1.0],
        lambda x: F.threshold(x, 1.0, 0.0),
        None,
        lambda x: K.threshold(x, 1.0, 0.0),
        ("ThresholdedRelu", [], {"alpha": 1.0}),
    ),
    (
        "threshold",
        "threshold=-0.5 value=2.5",
        [-0.5],
        lambda x: F.threshold(x, -0.5, 2.5),
        None,
        lambda x: K.threshold(x, -0.5, 2.5),
        None,
    ),
    (
        "hard_sigmoid",
        "",
        THREES,
        F.hardsigmoid,
        jax.nn.hard_sigmoid,
        K.hard_sigmoid,
        ("HardSigmoid", [], {"alpha": 1.0 / 6.0}),
    ),
    ("hard_swish", "", THREES, F.hardswish, jax.nn.hard_swish, K.hard_silu, ("HardSwish", [], {})),
    ("hard_tanh", "", ONES, F.hardtanh, jax.nn.hard_tanh, K.hard_tanh, ("Clip", [-1.0, 1.0], {})),
    (
        "hard_tanh",
        "min=-0.5 max=2.25",
        [-0.5, 2.25],
        lambda x: F.hardtanh(x, -0.5, 2.25),
        None,
        None,
        ("Clip", [-0.5, 2.25], {}),
    ),
    ("softshrink", "", HALVES, F.softshrink, None, K.soft_shrink, ("Shrink", [], {"lambd": 0.5, "bias": 0.5})),
    ("softshrink", "lambda=1.5", [-1.5, 1.5], lambda x: F.softshrink(x, 1.5), None, lambda x: K.soft_shrink(x, 1.5), None),
    ("softshrink", "lambda=0", ZEROS, lambda x: F.softshrink(x, 0.0), None, lambda x: K.soft_shrink(x, 0.0), None),
    ("hardshrink", "", HALVES, F.hardshrink, None, K.hard_shrink, ("Shrink", [], {"lambd": 0.5, "bias": 0.0})),
    ("hardshrink", "lambda=1.5", [-1.5, 1.5], lambda x: F.hardshrink(x, 1.5), None, lambda x: K.hard_shrink(x, 1.5), None),
    ("hardshrink", "lambda=0", ZEROS, lambda x: F.hardshrink(x, 0.0), None, lambda x: K.hard_shrink(x, 0.0), None),
    ("elu", "", ZEROS, F.elu, jax.nn.elu, K.elu, ("Elu", [], {})),
    (
        "elu",
        "alpha=0.5",
        ZEROS,
        lambda x: F.elu(x, 0.5),
        lambda x: jax.nn.elu(x, 0.5),
        lambda x: K.elu(x, 0.5),
        ("Elu", [], {"alpha": 0.5}),
    ),
    ("elu", "alpha=-2", ZEROS, lambda x: F.elu(x, -2.0), lambda x: jax.nn.elu(x, -2.0), lambda x: K.elu(x, -2.0), None),
    (
        "celu",
        "alpha=0.5",
        ZEROS,
        lambda x: F.celu(x, 0.5),
        lambda x: jax.nn.celu(x, 0.5),
        lambda x: K.celu(x, 0.5),
        ("Celu", [], {"alpha": 0.5}),
    ),
    ("selu", "", ZEROS, F.selu, jax.nn.selu, K.selu, ("Selu", [], {})),
    ("sparse_plus", "", ONES, None, jax.nn.sparse_plus, K.sparse_plus, None),
    ("sparse_sigmoid", "", ONES, None, jax.nn.sparse_sigmoid, K.sparse_sigmoid, None),
    ("softsign", "", ZEROS, F.softsign, jax.nn.soft_sign, K.softsign, ("Softsign", [], {})),
]

# On a row; the Jacobian's first number. entmax is a package for PyTorch by one of sparsemax's authors.
ROWS = [
    ("sparsemax", ONES, "entmax", entmax.sparsemax),
    ("sparsemax", ONES, "keras", K.sparsemax),
]

ONNX_GRADIENTS = {"Relu", "LeakyRelu", "Clip"}


def torch_of(f, x):
    for dtype in [torch.float64, torch.float32, torch.float16, torch.bfloat16]:
        t = torch.full((COPIES,), x, dtype=dtype, requires_grad=True)
        f(t).sum().backward()
        yield str(dtype).removeprefix("torch."), t.grad.tolist()


def jax_of(f, x):
    for dtype in ["float64", "float32"]:
        gradient = jax.grad(lambda t: f(t).sum())(jnp.full(COPIES, x, dtype=dtype))
        yield dtype, np.asarray(gradient).tolist()


def keras_of(f, x):
    for dtype in ["float64", "float32"]:
        t = tf.fill([COPIES], tf.constant(x, dtype))
        with tf.GradientTape() as tape:
            tape.watch(t)
            y = f(t)
        yield dtype, tape.gradient(y, t).numpy().tolist()


class Sum(onnxblock.TrainingBlock):
    def __init__(self):
        super().__init__()
        self.sum = onnxblock.blocks.ReduceSum()

    def build(self, y):
        return self.sum(y)


def onnx_of(operator, x):
    name, more, attributes = operator
    shape = [COPIES]
    tensors = [helper.make_tensor("x", TensorProto.FLOAT, shape, [x] * COPIES)]
    tensors += [helper.make_tensor(f"input{i}", TensorProto.FLOAT, [], [value]) for i, value in enumerate(more)]
    node = helper.make_node(name, [tensor.name for tensor in tensors], ["y"], **attributes)
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)
    model = helper.make_model(
        helper.make_graph([node], name, [], [y], tensors), opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    )
    block = Sum()
    block.requires_grad("x")
    with onnxblock.base(model):
        block("y")
        training, _ = block.to_model_proto()
    # The gradient as the output, in place of what accumulates it.
    graph = training.graph
    nodes = [node for node in graph.node if node.op_type != "InPlaceAccumulatorV2"]
    inputs = [value for value in graph.input if value.name == "x"]
    for field, values in [
        ("node", nodes),
        ("input", inputs),
        ("output", [helper.make_tensor_value_info("x_grad", TensorProto.FLOAT, shape)]),
    ]:
        graph.ClearField(field)
        getattr(graph, field).extend(values)
    session = onnxruntime.InferenceSession(training.SerializeToString(), providers=["CPUExecutionProvider"])
    (gradient,) = session.run(None, {"x": np.full(shape, x, np.float32)})
    yield "float32", gradient.tolist()


def has_onnx_gradient(operator, x):
    try:
        list(onnx_of(operator, x))
    except RuntimeError as error:
        assert "gradient builder has not been registered" in str(error), error
        return False
    return True


def first_of_jacobian(library, f, x):
    for dtype in ["float64", "float32"]:
        if library == "keras":
            t = tf.constant([[x, 0.0]], dtype)
            with tf.GradientTape() as tape:
                tape.watch(t)
                y = f(t)[0, 0]
            yield dtype, [float(tape.gradient(y, t)[0, 0])]
        else:
            t = torch.tensor([[x, 0.0]], dtype=getattr(torch, dtype), requires_grad=True)
            f(t, dim=-1)[0, 0].backward()
            yield dtype, [float(t.grad[0, 0])]


def agreed(what, answers):
    """The first answer; all of them must be it, but for roundings."""
    answers = list(answers)
    first = answers[0][1][0]
    for dtype, numbers in answers:
        for number in numbers:
            error = abs(number - first)
            assert error <= ROUNDING[dtype] * max(1.0, abs(first)), f"{what}, {dtype}: {number}, first {first}"
    return first


def main():
    versions = {
        "torch": torch.__version__.split("+")[0],
        "jax": jax.__version__,
        "keras": f"{keras.__version__} with tensorflow {tf.__version__}",
        "onnxruntime": onnxruntime.__version__.split("+")[0],
        "entmax": entmax.__version__,
    }
    lines = ["function,parameters,x,library,version,derivative"]

    def line(name, parameters, x, library, answers):
        derivative = agreed(f"{library} {name} {parameters} at {x}", answers)
        lines.append(f"{name},{parameters},{x!r},{library},{versions[library]},{derivative!r}")

    for name, parameters, places, in_torch, in_jax, in_keras, in_onnx in FUNCTIONS:
        if in_onnx and in_onnx[0] not in ONNX_GRADIENTS:
            assert not has_onnx_gradient(in_onnx, places[0]), f"ONNX Runtime has the gradient of {in_onnx[0]} now"
            in_onnx = None
        for x in places:
            for library, of, f in [
                ("torch", torch_of, in_torch),
                ("jax", jax_of, in_jax),
                ("keras", keras_of, in_keras),
                ("onnxruntime", onnx_of, in_onnx),
            ]:
                if f is not None:
                    line(name, parameters, x, library, of(f, x))
    for name, places, library, f in ROWS:
        for x in places:
            line(name, "", x, library, first_of_jacobian(library, f, x))
    path = pathlib.Path(__file__).parent.parent / "tests/tables/kinks.csv"
    path.write_text("\n".join(lines) + "\n")


main()
