#!/usr/bin/env python3
"""Writes tests/tables/names.csv: the names that people have, from the frameworks themselves, and what each stands for.

Run: pip install -r tools/names.txt && KERAS_BACKEND=torch python3 tools/names.py

A line is `source,version,text,expected,reason,inputs,values`. The text is what the source prints, writes or is called by;
a text that begins with `{` is JSON. `expected` is the crate's function with the parameters that are not its defaults, or `-`
for what is no `AnyActivation`, with the reason. `values` are those that the source itself computes for the named inputs,
in f64 where it can, as the bits of an f64 in hex; none where the source is wrong. The two lines of the source `inputs` have
the inputs.

The lists of names are the packages' own: a name that a new version adds and this file does not know is an error.
"""

import csv
import json
import os
import pathlib
import struct

os.environ.setdefault("KERAS_BACKEND", "torch")

import flax
import jax
import jax.numpy as jnp
import keras
import numpy as np
import onnx
import onnx.reference
import onnxruntime
import tensorflow as tf
import torch
import transformers
from flax import linen
from torch import nn
from torch.nn import functional as F
from transformers.activations import ACT2CLS, ACT2FN, XIELUActivation

jax.config.update("jax_enable_x64", True)
keras.config.set_floatx("float64")

# Numbers of f32, on both sides of what bends or jumps, and not there: what a function is at a jump is another question.
POINTS = [-21.5, -11.0, -7.25, -3.25, -2.5, -1.75, -0.625, -0.375, -0.0625, 0.0]
POINTS += [0.125, 0.25, 0.4375, 0.75, 1.25, 2.25, 2.75, 4.75, 6.5, 9.5, 11.0, 22.0]
ROW = [0.5, 0.25, -0.75, 1.0, 0.875, -2.0, 0.625, -0.125]

ROWS = {"softmax", "log_softmax", "softmin", "sparsemax", "hardmax"}

# What is no function of one slice, or not in the crate.
REASONS = {
    "prelu": "trained slopes: Prelu",
    "glu": "two inputs: Glu",
    "multihead_attention": "a layer with weights",
    "gumbel_softmax": "random",
    "sqrtsoftplus": "not in the crate",
    "bias_gelu": "a bias: Biased",
    "bias_split_gelu": "two inputs and a bias",
    "crelu": "two outputs",
    "logsumexp": "one number of a row: log_sum_exp",
    "selu": "SELU has its own constants",
    "softplus": "softplus is exact, without a threshold",
    "relu": "a threshold beside a slope or a greatest value",
}

rows = []


def add(source, version, text, expected, call=None, reason=None):
    """`expected` may be `-`; `call` takes a numpy array of f64."""
    assert (expected == "-") == (reason is not None), text
    inputs, values = "", ""
    # Keras adds cumulative sums where the definition takes the last one: that of [1, 0.875] gives [0.0625, 0].
    wrong = source == "keras" and expected == "sparsemax"
    if wrong:
        assert abs(call(np.array([1.0, 0.875])).sum() - 0.0625) < 1e-12, "Keras's sparsemax is another now: compare it"
    elif expected != "-":
        inputs = "row" if expected.split("(")[0] in ROWS else "points"
        x = np.array(ROW if inputs == "row" else POINTS)
        y = np.asarray(call(x), dtype=np.float64).reshape(-1)
        assert y.shape == x.shape and np.isfinite(y).all(), (source, text, y)
        values = hexes(y)
    rows.append([source, version, text, expected, reason or "", inputs, values])


def hexes(numbers):
    return " ".join(struct.pack(">d", float(y)).hex() for y in numbers)


def missing(source, name, reason):
    add(source, VERSIONS[source.split(" ")[0]], name, "-", reason=REASONS[reason])


VERSIONS = {
    "torch": torch.__version__.split("+")[0],
    "transformers": transformers.__version__,
    "onnx": onnx.__version__,
    "onnxruntime": onnxruntime.__version__,
    "keras": keras.__version__,
    "jax": jax.__version__,
    "flax": flax.__version__,
    "tensorflow": tf.__version__,
}


def of_torch(f):
    return lambda x: f(torch.tensor(x, dtype=torch.float64)).detach().numpy()


def module(source, instance, expected, text=None):
    instance = instance.double().eval()
    add(source, VERSIONS[source.split(" ")[0]], text or str(instance), expected, of_torch(instance))


def torch_modules():
    """What PyTorch prints of its modules."""
    modules = [
        (nn.Threshold(0.5, 2.0), "threshold(threshold=0.5, value=2.0)"),
        (nn.Threshold(1, 0), "threshold"),
        (nn.Threshold(0.5, 2.0, inplace=True), "threshold(threshold=0.5, value=2.0)"),
        (nn.ReLU(), "relu"),
        (nn.ReLU(inplace=True), "relu"),
        (nn.RReLU(), "rrelu"),
        (nn.RReLU(0.25, 0.5), "rrelu(lower=0.25, upper=0.5)"),
        (nn.RReLU(inplace=True), "rrelu"),
        (nn.Hardtanh(), "hard_tanh"),
        (nn.Hardtanh(-2.0, 3.0), "hard_tanh(min=-2.0, max=3.0)"),
        (nn.Hardtanh(inplace=True), "hard_tanh"),
        (nn.ReLU6(), "relu6"),
        (nn.ReLU6(inplace=True), "relu6"),
        (nn.Sigmoid(), "sigmoid"),
        (nn.Hardsigmoid(), "hard_sigmoid"),
        (nn.Hardsigmoid(inplace=True), "hard_sigmoid"),
        (nn.Tanh(), "tanh"),
        (nn.SiLU(), "silu"),
        (nn.SiLU(inplace=True), "silu"),
        (nn.Mish(), "mish"),
        (nn.Mish(inplace=True), "mish"),
        (nn.Hardswish(), "hard_swish"),
        (nn.Hardswish(inplace=True), "hard_swish"),
        (nn.ELU(), "elu"),
        (nn.ELU(0.5, inplace=True), "elu(alpha=0.5)"),
        (nn.CELU(), "celu"),
        (nn.CELU(0.5, inplace=True), "celu(alpha=0.5)"),
        (nn.SELU(), "selu"),
        (nn.SELU(inplace=True), "selu"),
        (nn.GELU(), "gelu"),
        (nn.GELU(approximate="tanh"), "gelu_tanh"),
        (nn.Hardshrink(), "hardshrink"),
        (nn.Hardshrink(1.5), "hardshrink(lambda=1.5)"),
        (nn.LeakyReLU(), "leaky_relu"),
        (nn.LeakyReLU(0.2, inplace=True), "leaky_relu(negative_slope=0.2)"),
        (nn.LogSigmoid(), "log_sigmoid"),
        (nn.Softplus(), "softplus"),
        (nn.Softplus(2, 40), "softplus(beta=2.0)"),
        (nn.Softshrink(), "softshrink"),
        (nn.Softshrink(1.5), "softshrink(lambda=1.5)"),
        (nn.Softsign(), "softsign"),
        (nn.Tanhshrink(), "tanhshrink"),
        (nn.Softmin(dim=-1), "softmin"),
        (nn.Softmax(dim=-1), "softmax"),
        (nn.Softmax(dim=0), "softmax"),
        (nn.LogSoftmax(dim=-1), "log_softmax"),
        (nn.Identity(), "identity"),
    ]
    for instance, expected in modules:
        module("torch", instance, expected)
        if expected in ("relu", "gelu_tanh", "log_softmax"):
            module("torch", instance, expected, f"nn.{instance}")
            module("torch", instance, expected, f"torch.nn.{instance}")
    version = VERSIONS["torch"]
    of_channels = lambda x: nn.Softmax2d()(torch.tensor(x).reshape(-1, 1, 1)).numpy()
    add("torch", version, str(nn.Softmax2d()), "softmax", of_channels)
    no_dim = lambda x: nn.Softmax(dim=0)(torch.tensor(x)).numpy()
    add("torch", version, str(nn.Softmax()), "softmax", no_dim)
    missing("torch", str(nn.Softplus(threshold=5)), "softplus")
    missing("torch", str(nn.GLU()), "glu")
    missing("torch", str(nn.PReLU()), "prelu")
    missing("torch", str(nn.MultiheadAttention(4, 2)), "multihead_attention")
    printed = {text.split("(")[0] for _, _, text, *_ in rows}
    assert printed >= set(nn.modules.activation.__all__), set(nn.modules.activation.__all__) - printed


def torch_functions():
    """Functions by their qualified names. `threshold` has no defaults."""
    functions = {
        "relu": "relu",
        "relu_": "relu",
        "hardtanh": "hard_tanh",
        "hardswish": "hard_swish",
        "relu6": "relu6",
        "elu": "elu",
        "selu": "selu",
        "celu": "celu",
        "leaky_relu": "leaky_relu",
        "rrelu": "rrelu",
        "gelu": "gelu",
        "logsigmoid": "log_sigmoid",
        "hardshrink": "hardshrink",
        "tanhshrink": "tanhshrink",
        "softsign": "softsign",
        "softplus": "softplus",
        "softshrink": "softshrink",
        "tanh": "tanh",
        "sigmoid": "sigmoid",
        "hardsigmoid": "hard_sigmoid",
        "silu": "silu",
        "mish": "mish",
        "softmin": "softmin",
        "softmax": "softmax",
        "log_softmax": "log_softmax",
    }
    version = VERSIONS["torch"]
    for name, expected in functions.items():
        function, last = getattr(F, name), {"dim": -1} if expected in ROWS else {}
        for prefix in ("F.", "torch.nn.functional."):
            add("torch", version, prefix + name, expected, of_torch(lambda x: function(x, **last)))
        if last:
            add("torch", version, f"F.{name}(dim=-1)", expected, of_torch(lambda x: function(x, **last)))
    tanh = of_torch(lambda x: F.gelu(x, approximate="tanh"))
    add("torch", version, 'F.gelu(approximate="tanh")', "gelu_tanh", tanh)
    threshold = of_torch(lambda x: F.threshold(x, 0.5, 2.0))
    add("torch", version, "F.threshold(threshold=0.5, value=2.0)", "threshold(threshold=0.5, value=2.0)", threshold)
    for name in ("glu", "prelu", "gumbel_softmax"):
        assert hasattr(F, name)
        missing("torch", f"F.{name}", name)


def hugging_face():
    """The names that a configuration may have for `hidden_act`, and what the modules behind them print."""
    expected = {
        "gelu": "gelu",
        "gelu_10": "clipped_gelu",
        "gelu_fast": "gelu_tanh",
        "gelu_new": "gelu_tanh",
        "gelu_python": "gelu",
        "gelu_pytorch_tanh": "gelu_tanh",
        "gelu_python_tanh": "gelu_tanh",
        "gelu_accurate": "gelu_tanh",
        "hardswish": "hard_swish",
        "laplace": "laplace",
        "leaky_relu": "leaky_relu",
        "linear": "identity",
        "mish": "mish",
        "quick_gelu": "quick_gelu",
        "relu": "relu",
        "relu2": "squared_relu",
        "relu6": "relu6",
        "sigmoid": "sigmoid",
        "silu": "silu",
        # Here swish is a name of its own, whose parameter is 1 by default.
        "swish": "swish",
        "tanh": "tanh",
        "xielu": "xielu",
    }
    assert set(ACT2CLS) == expected.keys() | {"prelu", "sqrtsoftplus"}, set(ACT2CLS) ^ expected.keys()
    for key, function in expected.items():
        # In bf16 its parameters are not the numbers that it is given; its eps is for bf16, and moves the value at 0 by 8e-7.
        instance = XIELUActivation(dtype=torch.float64, eps=0.0) if key == "xielu" else ACT2FN[key]
        module("transformers", instance, function, key)
        if key != "swish":
            module("transformers", instance, function)
    for key in ("prelu", "sqrtsoftplus"):
        missing("transformers", key, key)
    missing("transformers", str(ACT2FN["sqrtsoftplus"]), "sqrtsoftplus")


# Operators of one tensor that are no activations.
NO_ACTIVATIONS = """Abs Acos Acosh Asin Asinh Atan Atanh AveragePool Ceil Cos Cosh DepthToSpace Det Erf Flatten Floor
GlobalAveragePool GlobalLpPool GlobalMaxPool LRN Log LpNormalization LpPool MeanVarianceNormalization Neg Reciprocal Round
Sign Sin Sinh SpaceToDepth Sqrt Tan Transpose""".split()


def node(op, attributes, domain=""):
    return onnx.helper.make_node(op, ["x"], ["y"], domain=domain, **attributes)


def model(op, attributes, domain, kind, versions):
    value = lambda name: onnx.helper.make_tensor_value_info(name, kind, [1, None])
    graph = onnx.helper.make_graph([node(op, attributes, domain)], "one", [value("x")], [value("y")])
    imports = [onnx.helper.make_opsetid(*version) for version in versions]
    return onnx.helper.make_model(graph, opset_imports=imports, ir_version=10)


def operator(op, attributes, expected, text):
    """What ONNX's own reference computes."""
    newest = onnx.defs.onnx_opset_version()
    one = model(op, attributes, "", onnx.TensorProto.DOUBLE, [("", newest)])
    evaluator = onnx.reference.ReferenceEvaluator(one)
    add("onnx", VERSIONS["onnx"], text, expected, lambda x: evaluator.run(None, {"x": x[None]})[0])


def written(op, attributes, single=True):
    """An attribute is a float of 32 bits: so Python prints it."""
    number = lambda v: float(np.float32(v)) if isinstance(v, float) and single else v
    value = lambda v: json.dumps(v) if isinstance(v, str) else str(number(v))
    return f"{op}({', '.join(f'{key}={value(v)}' for key, v in attributes.items())})"


def operators():
    """Operators bare, with the defaults of their schemas written out, and with what exporters write."""
    functions = {
        "Celu": "celu",
        "Elu": "elu",
        "Exp": "exponential",
        "Gelu": "gelu",
        "HardSigmoid": "hard_sigmoid(alpha=0.2)",
        "HardSwish": "hard_swish",
        "Hardmax": "hardmax",
        "Identity": "identity",
        "LeakyRelu": "leaky_relu",
        "LogSoftmax": "log_softmax",
        "Mish": "mish",
        "Relu": "relu",
        "Selu": "selu",
        "Shrink": "shrink",
        "Sigmoid": "sigmoid",
        "Softmax": "softmax",
        "Softplus": "softplus",
        "Softsign": "softsign",
        "Swish": "swish",
        "Tanh": "tanh",
        "ThresholdedRelu": "threshold",
    }
    known = set()
    for schema in onnx.defs.get_all_schemas():
        one = schema.min_input == schema.max_input == 1 and schema.max_output == 1 and schema.domain == ""
        if one and not schema.deprecated and schema.inputs[0].type_str == schema.outputs[0].type_str:
            if "tensor(float)" in schema.inputs[0].types:
                known.add(schema.name)
    assert known == functions.keys() | set(NO_ACTIVATIONS), known ^ (functions.keys() | set(NO_ACTIVATIONS))
    for op, expected in functions.items():
        defaults = {}
        for key, attribute in onnx.defs.get_schema(op).attributes.items():
            default = onnx.helper.get_attribute_value(attribute.default_value)
            defaults[key] = default.decode() if isinstance(default, bytes) else default
        if op == "HardSigmoid":
            # Without a module it is PyTorch's, whose slope is 1/6.
            operator(op, {}, expected, f"ai.onnx.{op}")
        else:
            operator(op, {}, expected, op)
            operator(op, {}, expected, f"{op}()")
        if defaults:
            operator(op, defaults, expected, written(op, defaults))
    for op, attributes, expected in [
        ("Elu", {"alpha": 0.5}, "elu(alpha=0.5)"),
        ("Celu", {"alpha": 0.5}, "celu(alpha=0.5)"),
        ("Gelu", {"approximate": "tanh"}, "gelu_tanh"),
        ("HardSigmoid", {"alpha": 1 / 6}, "hard_sigmoid"),
        ("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}, "hard_sigmoid"),
        ("LeakyRelu", {"alpha": 0.2}, "leaky_relu(negative_slope=0.2)"),
        ("Shrink", {"lambd": 1.5, "bias": 0.25}, "shrink(lambd=1.5, bias=0.25)"),
        ("Shrink", {"lambd": 0.5, "bias": 0.5}, "shrink(lambd=0.5, bias=0.5)"),
        ("Swish", {"alpha": 1.5}, "swish(beta=1.5)"),
        ("ThresholdedRelu", {"alpha": 2.0}, "threshold(threshold=2.0)"),
        ("Softmax", {"axis": 1}, "softmax"),
        ("Hardmax", {"axis": 1}, "hardmax"),
    ]:
        operator(op, attributes, expected, written(op, attributes))
    missing("onnx", written("Selu", {"alpha": 1.5, "gamma": 1.0}), "selu")
    missing("onnx", "PRelu", "prelu")


def runtime(op, attributes, expected, text):
    """Operators of ONNX Runtime, which has them for f32."""
    one = model(op, attributes, "com.microsoft", onnx.TensorProto.FLOAT, [("", 20), ("com.microsoft", 1)])
    session = onnxruntime.InferenceSession(one.SerializeToString(), providers=["CPUExecutionProvider"])
    call = lambda x: session.run(None, {"x": x[None].astype(np.float32)})[0]
    add("onnxruntime", VERSIONS["onnxruntime"], text, expected, call)


def runtimes():
    for op, attributes, expected in [
        ("Gelu", {}, "gelu"),
        ("FastGelu", {}, "gelu_tanh"),
        ("QuickGelu", {}, "quick_gelu"),
        ("QuickGelu", {"alpha": 1.702}, "quick_gelu"),
        ("QuickGelu", {"alpha": 1.0}, "swish"),
        ("QuickGelu", {"alpha": 1.5}, "swish(beta=1.5)"),
    ]:
        text = written(op, attributes) if attributes else op
        runtime(op, attributes, expected, text)
        runtime(op, attributes, expected, f"com.microsoft.{text}")
    for op, reason in [("BiasGelu", "bias_gelu"), ("BiasSplitGelu", "bias_split_gelu")]:
        missing("onnxruntime", op, reason)
        missing("onnxruntime", f"com.microsoft.{op}", reason)


def of_keras(f):
    return lambda x: keras.ops.convert_to_numpy(f(keras.ops.convert_to_tensor(x[None])))


def keras_functions():
    """Functions of `keras.activations`, by their qualified names and as the layer `Activation` has them."""
    functions = {
        "celu": "celu",
        "elu": "elu",
        "exponential": "exponential",
        "gelu": "gelu",
        "hard_shrink": "hardshrink",
        "hard_sigmoid": "hard_sigmoid",
        "hard_silu": "hard_swish",
        "hard_swish": "hard_swish",
        "hard_tanh": "hard_tanh",
        "leaky_relu": "leaky_relu(negative_slope=0.2)",
        "linear": "identity",
        "log_sigmoid": "log_sigmoid",
        "log_softmax": "log_softmax",
        "mish": "mish",
        "relu": "relu",
        "relu6": "relu6",
        "selu": "selu",
        "sigmoid": "sigmoid",
        "silu": "silu",
        "soft_shrink": "softshrink",
        "softmax": "softmax",
        "softplus": "softplus",
        "softsign": "softsign",
        "sparse_plus": "sparse_plus",
        "sparse_sigmoid": "sparse_sigmoid",
        "sparsemax": "sparsemax",
        "squareplus": "squareplus",
        "swish": "swish",
        "tanh": "tanh",
        "tanh_shrink": "tanhshrink",
    }
    its = {name for name in dir(keras.activations) if callable(getattr(keras.activations, name)) and name[0] != "_"}
    its -= {"get", "serialize", "deserialize"}
    assert its == functions.keys() | {"glu", "threshold"}, its ^ functions.keys()
    version = VERSIONS["keras"]
    # Unless another module's name stands before it, leaky_relu is PyTorch's.
    for name, expected in functions.items():
        call = of_keras(getattr(keras.activations, name))
        for prefix in ("", "keras.activations.", "tf.keras.activations."):
            if prefix or name != "leaky_relu":
                add("keras", version, prefix + name, expected, call)
        layer = json.dumps(keras.saving.serialize_keras_object(keras.layers.Activation(name)))
        # Keras writes silu for it.
        add("keras", version, layer, "silu" if name == "swish" else expected, call)
    for text, expected, arguments in [
        ("gelu(approximate=True)", "gelu_tanh", {"approximate": True}),
        ("gelu(approximate=False)", "gelu", {"approximate": False}),
        ("leaky_relu(negative_slope=0.1)", "leaky_relu(negative_slope=0.1)", {"negative_slope": 0.1}),
        ("relu(max_value=6.0)", "relu6", {"max_value": 6.0}),
        ("relu(max_value=2.0)", "hard_tanh(min=0.0, max=2.0)", {"max_value": 2.0}),
        ("relu(negative_slope=0.1)", "leaky_relu(negative_slope=0.1)", {"negative_slope": 0.1}),
        ("relu(threshold=0.5)", "threshold(threshold=0.5)", {"threshold": 0.5}),
        ("softmax(axis=-1)", "softmax", {"axis": -1}),
        ("hard_shrink(threshold=1.5)", "hardshrink(lambda=1.5)", {"threshold": 1.5}),
        ("soft_shrink(threshold=1.5)", "softshrink(lambda=1.5)", {"threshold": 1.5}),
        (
            "threshold(threshold=0.5, default_value=2.0)",
            "threshold(threshold=0.5, value=2.0)",
            {"threshold": 0.5, "default_value": 2.0},
        ),
        ("squareplus(b=1)", "squareplus(b=1.0)", {"b": 1}),
        ("elu(alpha=0.5)", "elu(alpha=0.5)", {"alpha": 0.5}),
        ("celu(alpha=0.5)", "celu(alpha=0.5)", {"alpha": 0.5}),
    ]:
        function = getattr(keras.activations, text.split("(")[0])
        call = of_keras(lambda x: function(x, **arguments))
        for prefix in ("", "keras.activations."):
            add("keras", version, prefix + text, expected, call)
    missing("keras", "keras.activations.glu", "glu")
    serialised = json.dumps(keras.saving.serialize_keras_object(keras.activations.gelu))
    add("keras", version, serialised, "gelu", of_keras(keras.activations.gelu))


def keras_layers():
    """What Keras writes of a layer, with what `build_config` and a model add to it."""
    layers = keras.layers
    version = VERSIONS["keras"]
    for layer, expected in [
        (layers.ReLU(), "relu"),
        (layers.ReLU(max_value=6), "relu6"),
        (layers.ReLU(max_value=2.5), "hard_tanh(min=0.0, max=2.5)"),
        (layers.ReLU(negative_slope=0.25), "leaky_relu(negative_slope=0.25)"),
        (layers.ReLU(threshold=0.5), "threshold(threshold=0.5)"),
        (layers.LeakyReLU(), "leaky_relu(negative_slope=0.3)"),
        (layers.LeakyReLU(negative_slope=0.2), "leaky_relu(negative_slope=0.2)"),
        (layers.ELU(), "elu"),
        (layers.ELU(alpha=0.5), "elu(alpha=0.5)"),
        (layers.Softmax(), "softmax"),
        (layers.Activation(layers.LeakyReLU(negative_slope=0.2)), "leaky_relu(negative_slope=0.2)"),
        (layers.Activation(layers.ReLU(max_value=6)), "relu6"),
    ]:
        call = of_keras(layer)
        config = keras.saving.serialize_keras_object(layer)
        add("keras", version, json.dumps(config), expected, call)
        # As a file that is sorted has it: the name comes last, and the parameters before it.
        swapped = {"config": config["config"], "class_name": config["class_name"]}
        add("keras", version, json.dumps(swapped), expected, call)
        layer.build([None, 4])
        model = keras.Sequential([keras.Input([4]), layer])
        add("keras", version, json.dumps(json.loads(model.to_json())["config"]["layers"][1]), expected, call)
    for text, layer, expected in [
        ("keras.layers.LeakyReLU()", layers.LeakyReLU(), "leaky_relu(negative_slope=0.3)"),
        ("layers.LeakyReLU(0.2)", layers.LeakyReLU(0.2), "leaky_relu(negative_slope=0.2)"),
        ("tf.keras.layers.ReLU(max_value=6.0)", layers.ReLU(max_value=6.0), "relu6"),
        ("keras.layers.Softmax(axis=-1)", layers.Softmax(axis=-1), "softmax"),
    ]:
        add("keras", version, text, expected, of_keras(layer))
    both = layers.ReLU(max_value=6, negative_slope=0.1)
    missing("keras", json.dumps(keras.saving.serialize_keras_object(both)), "relu")
    missing("keras", json.dumps(keras.saving.serialize_keras_object(layers.PReLU())), "prelu")


JAX = {
    "relu": "relu",
    "relu6": "relu6",
    "sigmoid": "sigmoid",
    "softplus": "softplus",
    "sparse_plus": "sparse_plus",
    "sparse_sigmoid": "sparse_sigmoid",
    "soft_sign": "softsign",
    "silu": "silu",
    "swish": "swish",
    "log_sigmoid": "log_sigmoid",
    "leaky_relu": "leaky_relu",
    "hard_sigmoid": "hard_sigmoid",
    "hard_silu": "hard_swish",
    "hard_swish": "hard_swish",
    "hard_tanh": "hard_tanh",
    "elu": "elu",
    "celu": "celu",
    "selu": "selu",
    "gelu": "gelu_tanh",
    "squareplus": "squareplus",
    "mish": "mish",
    "identity": "identity",
    "tanh": "tanh",
    "softmax": "softmax",
    "log_softmax": "log_softmax",
}

# Not functions of one slice to another, or no activations.
JAX_OTHERS = """dot_product_attention glu log1mexp logmeanexp logsumexp one_hot scaled_dot_general scaled_matmul
get_scaled_dot_general_config standardize initializers""".split()


def of_jax(f):
    return lambda x: np.asarray(f(jnp.asarray(x, dtype=jnp.float64)))


def jax_functions():
    its = {name for name in dir(jax.nn) if not name.startswith("_")}
    unknown = its - JAX.keys() - set(JAX_OTHERS)
    assert not unknown, unknown
    for source, library, prefix in [("jax", jax.nn, "jax.nn."), ("flax", linen, "flax.linen.")]:
        for name, expected in JAX.items():
            if hasattr(library, name):
                add(source, VERSIONS[source], prefix + name, expected, of_jax(getattr(library, name)))
        for approximate, expected in [(True, "gelu_tanh"), (False, "gelu")]:
            call = of_jax(lambda x: library.gelu(x, approximate=approximate))
            add(source, VERSIONS[source], f"{prefix}gelu(approximate={approximate})", expected, call)
        missing(source, f"{prefix}glu", "glu")
    missing("jax", "jax.nn.logsumexp", "logsumexp")
    missing("flax", "flax.linen.PReLU", "prelu")
    add("jax", VERSIONS["jax"], "jnp.tanh", "tanh", of_jax(jnp.tanh))
    for name in ("relu", "silu", "softmax"):
        add("flax", VERSIONS["flax"], f"nn.{name}", name, of_jax(getattr(linen, name)))


def tensorflow_functions():
    functions = {
        "elu": "elu",
        "gelu": "gelu",
        "leaky_relu": "leaky_relu(negative_slope=0.2)",
        "log_softmax": "log_softmax",
        "relu": "relu",
        "relu6": "relu6",
        "selu": "selu",
        "sigmoid": "sigmoid",
        "silu": "silu",
        "softmax": "softmax",
        "softplus": "softplus",
        "softsign": "softsign",
        "swish": "swish",
        "tanh": "tanh",
    }
    version = VERSIONS["tensorflow"]
    of = lambda f: lambda x: f(tf.constant(x, dtype=tf.float64)).numpy()
    for name, expected in functions.items():
        add("tensorflow", version, f"tf.nn.{name}", expected, of(getattr(tf.nn, name)))
    for text, expected, f in [
        ("tf.nn.gelu(approximate=True)", "gelu_tanh", lambda x: tf.nn.gelu(x, approximate=True)),
        ("tf.nn.leaky_relu(alpha=0.1)", "leaky_relu(negative_slope=0.1)", lambda x: tf.nn.leaky_relu(x, alpha=0.1)),
        ("tf.nn.silu(beta=1.0)", "silu", lambda x: tf.nn.silu(x, beta=1.0)),
        ("tf.nn.silu(beta=1.5)", "swish(beta=1.5)", lambda x: tf.nn.silu(x, beta=1.5)),
        ("tf.math.log_sigmoid", "log_sigmoid", tf.math.log_sigmoid),
        ("tf.tanh", "tanh", tf.tanh),
    ]:
        add("tensorflow", version, text, expected, of(f))
    missing("tensorflow", "tf.nn.crelu", "crelu")


def main():
    torch_modules()
    torch_functions()
    hugging_face()
    operators()
    runtimes()
    keras_functions()
    keras_layers()
    jax_functions()
    tensorflow_functions()
    path = pathlib.Path(__file__).parent.parent / "tests/tables/names.csv"
    with path.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["source", "version", "text", "expected", "reason", "inputs", "values"])
        for name, inputs in [("points", POINTS), ("row", ROW)]:
            table.writerow(["inputs", "", name, "", "", "", hexes(inputs)])
        table.writerows(rows)
    print(f"{len(rows)} names, {sum(row[3] == '-' for row in rows)} of them none of the crate's functions")


main()
