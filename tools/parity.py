#!/usr/bin/env python3
"""Writes tests/tables/parity.csv: values and gradients of PyTorch and JAX, computed by them in f64.

Run: pip install torch jax && python3 tools/parity.py

The first line has the versions. The others are `inputs,NAME,x...` and `weights,NAME,w...`, or
`function,library,call,NAME,part,y...`: what the library's `call` gives for the named inputs. The part is `value`, or
`gradient`: the library's automatic gradient with respect to x of the sum of the weights times the value. Numbers are
the bits of an f64 in hex. All inputs are numbers of f32, so that one table serves both types.

`function` is the crate's name, with its default parameters, which the call repeats where the library's differ.
"""

import pathlib
import random
import struct

import jax
import jax.numpy as jnp
import numpy as np
import torch
import torch.nn.functional as F

jax.config.update("jax_enable_x64", True)

# name: (call, function); the label of the call is for people.
TORCH = {
    "relu": ("relu", F.relu),
    "leaky_relu": ("leaky_relu", F.leaky_relu),
    "relu6": ("relu6", F.relu6),
    "sigmoid": ("sigmoid", torch.sigmoid),
    "tanh": ("tanh", torch.tanh),
    "gelu": ("gelu", F.gelu),
    "gelu_tanh": ("gelu(approximate='tanh')", lambda x: F.gelu(x, approximate="tanh")),
    "silu": ("silu", F.silu),
    "elu": ("elu", F.elu),
    "selu": ("selu", F.selu),
    "celu": ("celu", F.celu),
    "mish": ("mish", F.mish),
    "softplus": ("softplus", F.softplus),
    "log_sigmoid": ("logsigmoid", F.logsigmoid),
    "softsign": ("softsign", F.softsign),
    "hard_sigmoid": ("hardsigmoid", F.hardsigmoid),
    "hard_swish": ("hardswish", F.hardswish),
    "hard_tanh": ("hardtanh", F.hardtanh),
    "tanhshrink": ("tanhshrink", F.tanhshrink),
    "softshrink": ("softshrink", F.softshrink),
    "hardshrink": ("hardshrink", F.hardshrink),
    "rrelu": ("rrelu(training=False)", lambda x: F.rrelu(x, training=False)),
    "prelu": ("prelu(weight=0.25)", lambda x: F.prelu(x, torch.tensor([0.25], dtype=torch.float64))),
    "identity": ("nn.Identity", torch.nn.Identity()),
}

JAX = {
    "relu": ("relu", jax.nn.relu),
    "leaky_relu": ("leaky_relu", jax.nn.leaky_relu),
    "relu6": ("relu6", jax.nn.relu6),
    "sigmoid": ("sigmoid", jax.nn.sigmoid),
    "tanh": ("tanh", jnp.tanh),
    # JAX's default is the tanh form.
    "gelu": ("gelu(approximate=False)", lambda x: jax.nn.gelu(x, approximate=False)),
    "gelu_tanh": ("gelu", jax.nn.gelu),
    "silu": ("silu", jax.nn.silu),
    "elu": ("elu", jax.nn.elu),
    "selu": ("selu", jax.nn.selu),
    "celu": ("celu", jax.nn.celu),
    "mish": ("mish", jax.nn.mish),
    "softplus": ("softplus", jax.nn.softplus),
    "log_sigmoid": ("log_sigmoid", jax.nn.log_sigmoid),
    "softsign": ("soft_sign", jax.nn.soft_sign),
    "hard_sigmoid": ("hard_sigmoid", jax.nn.hard_sigmoid),
    "hard_swish": ("hard_swish", jax.nn.hard_swish),
    "hard_tanh": ("hard_tanh", jax.nn.hard_tanh),
    "squareplus": ("squareplus", jax.nn.squareplus),
    "sparse_plus": ("sparse_plus", jax.nn.sparse_plus),
    "sparse_sigmoid": ("sparse_sigmoid", jax.nn.sparse_sigmoid),
    "identity": ("identity", jax.nn.identity),
}

# On each of the rows.
TORCH_ROWS = {
    "softmax": ("softmax", lambda x: F.softmax(x, dim=-1)),
    "log_softmax": ("log_softmax", lambda x: F.log_softmax(x, dim=-1)),
    "softmin": ("softmin", lambda x: F.softmin(x, dim=-1)),
}

JAX_ROWS = {
    "softmax": ("softmax", jax.nn.softmax),
    "log_softmax": ("log_softmax", jax.nn.log_softmax),
}


# Ups first in one row, as `glu` has them; the others put together as their models do.
def torch_gate(f):
    def gate(x):
        up, gate = x.chunk(2)
        return f(gate) * up

    return gate


TORCH_GATES = {
    "glu": ("glu", F.glu),
    "swi_glu": ("silu(gate) * up", torch_gate(F.silu)),
    "ge_glu": ("gelu(gate) * up", torch_gate(F.gelu)),
    "ge_glu_tanh": ("gelu(gate; approximate='tanh') * up", torch_gate(TORCH["gelu_tanh"][1])),
    "re_glu": ("relu(gate) * up", torch_gate(F.relu)),
}

JAX_GATES = {"glu": ("glu", jax.nn.glu)}


def f32(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


def inputs():
    """Where the functions bend, jump or cross zero; an even grid; random ones of any size that matters."""
    special = [0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 6.0, -6.0, 20.0, 21.0, -20.0, 1e-30, -1e-30]
    grid = [i / 4 for i in range(-47, 48, 2)]
    rng = random.Random(4)
    near = [rng.uniform(-8, 8) for _ in range(60)]
    small = [rng.choice([-1, 1]) * 2 ** rng.uniform(-40, -2) for _ in range(30)]
    far = [rng.choice([-1, 1]) * 2 ** rng.uniform(3, 10) for _ in range(30)]
    return [f32(x) for x in special + grid + near + small + far]


def rows():
    rng = random.Random(5)
    return [f32(rng.gauss(0, 4)) for _ in range(96)]


# Exact, of both signs, and not all the same.
WEIGHTS = [(i % 7 - 3) / 4 for i in range(96)]


def torch_of(f, x, weights):
    x = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    y = f(x)
    (y * torch.tensor(weights, dtype=torch.float64)).sum().backward()
    return y.detach().numpy(), x.grad.numpy()


def jax_of(f, x, weights):
    y, pull = jax.vjp(f, jnp.array(x, dtype=jnp.float64))
    (gradient,) = pull(jnp.array(weights, dtype=jnp.float64))
    return np.asarray(y), np.asarray(gradient)


def hexes(numbers):
    return ",".join(struct.pack(">d", float(y)).hex() for y in numbers)


def main():
    points, row = inputs(), rows()
    kinds = {"points": (points, [1.0] * len(points)), "row": (row, WEIGHTS), "up_first": (row, WEIGHTS[: len(row) // 2])}
    lines = [f"versions,torch {torch.__version__.split('+')[0]},jax {jax.__version__}"]
    for kind, (x, weights) in kinds.items():
        lines += [f"inputs,{kind},{hexes(x)}", f"weights,{kind},{hexes(weights)}"]
    for library, of, functions in [
        ("torch", torch_of, [("points", TORCH), ("row", TORCH_ROWS), ("up_first", TORCH_GATES)]),
        ("jax", jax_of, [("points", JAX), ("row", JAX_ROWS), ("up_first", JAX_GATES)]),
    ]:
        for kind, table in functions:
            for name, (call, f) in table.items():
                value, gradient = of(f, *kinds[kind])
                head = f"{name},{library},{call},{kind}"
                lines += [f"{head},value,{hexes(value)}", f"{head},gradient,{hexes(gradient)}"]
    path = pathlib.Path(__file__).parent.parent / "tests/tables/parity.csv"
    path.write_text("\n".join(lines) + "\n")


main()
