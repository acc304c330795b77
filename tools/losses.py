#!/usr/bin/env python3
"""Writes tests/tables/losses.csv: losses and gradients of PyTorch, JAX and optax, computed by them in f64.

Run: pip install torch jax optax && python3 tools/losses.py

The first line has the versions. The others are `data,NAME,numbers...`, or `loss,NAME,library,call,part,numbers...`: what the
library's `call` gives, `losses` of elements or rows, or the `gradient` of their sum with respect to the logits. `mean` is
the loss of the batch. Numbers are the bits of an f64 in hex. All data are numbers of f32, so that one table serves both types.

torchvision's `sigmoid_focal_loss` is copied from its source, which is these lines around a function of PyTorch. T5X's z-loss is
from its `cross_entropy_with_logits`: the square of the log-sum-exp times a coefficient, added to the loss of each row.
"""

import pathlib
import random
import struct

import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch
import torch.nn.functional as F

jax.config.update("jax_enable_x64", True)

OUT = pathlib.Path(__file__).parent.parent / "tests" / "tables" / "losses.csv"


def single(x):
    """A number of f32."""
    return struct.unpack("f", struct.pack("f", x))[0]


def bits(x):
    return struct.pack(">d", float(x)).hex()


random.seed(1)
N, C, H, W = 2, 5, 3, 2
PIXELS = N * H * W
DATA = {
    "images": [single(random.uniform(-6, 6)) for _ in range(N * C * H * W)],
    "classes": [-100 if i % 5 == 3 else random.randrange(C) for i in range(PIXELS)],
    "class_weights": [single(random.uniform(0.2, 3)) for _ in range(C)],
    "logits": [single(x) for x in [-30, -8, -1, -0.25, 0, 0.25, 1, 8, 30] for _ in range(2)]
    + [single(random.uniform(-5, 5)) for _ in range(12)],
    "targets": [float(i % 2) for i in range(18)] + [single(random.random()) for _ in range(12)],
    "weights": [single(random.uniform(0, 2)) for _ in range(30)],
    "pos_weights": [single(random.uniform(0.1, 5)) for _ in range(5)],
}
distributions = np.array([random.random() for _ in range(N * C * H * W)]).reshape(N, C, H, W)
distributions /= distributions.sum(axis=1, keepdims=True)
DATA["distributions"] = [single(x) for x in distributions.flatten()]


def tensor(name, *shape):
    return torch.tensor(DATA[name], dtype=torch.float64).reshape(*shape)


def torchvision_sigmoid_focal_loss(inputs, targets, alpha=0.25, gamma=2.0):
    p = torch.sigmoid(inputs)
    ce_loss = F.binary_cross_entropy_with_logits(inputs, targets, reduction="none")
    p_t = p * targets + (1 - p) * (1 - targets)
    loss = ce_loss * ((1 - p_t) ** gamma)
    if alpha >= 0:
        alpha_t = alpha * targets + (1 - alpha) * (1 - targets)
        loss = alpha_t * loss
    return loss


def focal_rows(x, gamma):
    """The definition, of PyTorch's functions, differentiated by PyTorch."""
    y = torch.tensor(DATA["classes"]).reshape(N, H, W)
    ce = F.cross_entropy(x, y, reduction="none")
    p = torch.exp(-ce)
    return torch.where(y < 0, torch.zeros_like(ce), (1 - p) ** gamma * ce)


def z_loss(x, coefficient):
    y = torch.tensor(DATA["classes"]).reshape(N, H, W)
    z = torch.where(y < 0, torch.zeros_like(x[:, 0]), torch.logsumexp(x, 1))
    return F.cross_entropy(x, y, reduction="none") + coefficient * z**2


def t5x(x, coefficient):
    """cross_entropy_with_logits of T5X, for the rows that count."""
    x = jnp.moveaxis(x, 1, -1)
    y = jnp.array(DATA["classes"]).reshape(N, H, W)
    one_hot = jax.nn.one_hot(y, C, dtype=jnp.float64)
    log_z = jax.scipy.special.logsumexp(x, axis=-1)
    loss = -jnp.sum(one_hot * (x - log_z[..., None]), axis=-1)
    return jnp.where(y < 0, 0.0, loss + coefficient * jnp.square(log_z))


def cross_entropy(reduction="none", distributions=False, weighted=False, smoothing=0.0):
    t = tensor("distributions", N, C, H, W) if distributions else torch.tensor(DATA["classes"]).reshape(N, H, W)
    w = tensor("class_weights", C) if weighted else None
    return lambda x: F.cross_entropy(x, t, weight=w, label_smoothing=smoothing, reduction=reduction)


def binary(weight=None, pos_weight=None, reduction="none"):
    t = tensor("targets", 6, 5)
    w = None if weight is None else tensor(weight, 6, 5)
    p = None if pos_weight is None else tensor(pos_weight, 5)
    return lambda x: F.binary_cross_entropy_with_logits(x, t, weight=w, pos_weight=p, reduction=reduction)


IMAGES = [
    ("classes", "cross_entropy", cross_entropy),
    ("distributions", "cross_entropy(probabilities)", lambda r: cross_entropy(r, True)),
    ("weights", "cross_entropy(weight)", lambda r: cross_entropy(r, weighted=True)),
    ("distributions_weights", "cross_entropy(probabilities, weight)", lambda r: cross_entropy(r, True, True)),
    ("smoothing", "cross_entropy(label_smoothing=0.1)", lambda r: cross_entropy(r, smoothing=0.1)),
    ("smoothing_all", "cross_entropy(label_smoothing=1)", lambda r: cross_entropy(r, smoothing=1.0)),
    ("smoothing_all_weights", "cross_entropy(weight, label_smoothing=1)", lambda r: cross_entropy(r, False, True, 1.0)),
    ("focal_2", "(1 - p)^2 cross_entropy", lambda r: lambda x: focal_rows(x, 2.0)),
    ("focal_half", "(1 - p)^0.5 cross_entropy", lambda r: lambda x: focal_rows(x, 0.5)),
    ("soft_cap", "cross_entropy(3 tanh(x / 3))", lambda r: lambda x: cross_entropy(r)(3 * torch.tanh(x / 3))),
    ("z_loss", "cross_entropy + 0.01 logsumexp^2", lambda r: lambda x: z_loss(x, 0.01)),
]
BINARY = [
    ("binary", "binary_cross_entropy_with_logits", lambda reduction: binary(reduction=reduction)),
    ("binary_weights", "..(weight)", lambda reduction: binary("weights", reduction=reduction)),
    ("binary_pos_weights", "..(pos_weight)", lambda reduction: binary(None, "pos_weights", reduction)),
    ("binary_both", "..(weight, pos_weight)", lambda reduction: binary("weights", "pos_weights", reduction)),
]
SIGMOID_FOCAL = [(2.0, 0.25), (2.0, -1.0), (0.5, 0.75), (0.0, 0.25)]

lines = []


def line(name, library, call, part, numbers):
    lines.append(",".join(["loss", name, library, call.replace(",", ";"), part] + [bits(x) for x in numbers]))


def of_torch(name, call, make, shape, data, means):
    x = tensor(data, *shape).requires_grad_()
    losses = make("none")(x)
    losses.sum().backward()
    line(name, "torch", call, "losses", losses.detach().flatten())
    line(name, "torch", call, "gradient", x.grad.flatten())
    if means:
        line(name, "torch", call, "mean", [make("mean")(tensor(data, *shape))])


def of_jax(name, library, call, f, x):
    line(name, library, call, "losses", np.asarray(f(x)).flatten())
    line(name, library, call, "gradient", np.asarray(jax.grad(lambda x: f(x).sum())(x)).flatten())


for name, call, make in IMAGES:
    of_torch(name, call, make, (N, C, H, W), "images", "focal" not in name and name != "z_loss")
for name, call, make in BINARY:
    of_torch(name, call, make, (6, 5), "logits", True)
for gamma, alpha in SIGMOID_FOCAL:
    call = f"sigmoid_focal_loss(alpha={alpha}; gamma={gamma})"
    name = f"sigmoid_focal_{gamma}_{alpha}"
    make = lambda _: lambda x: torchvision_sigmoid_focal_loss(x, tensor("targets", 6, 5), alpha, gamma)
    of_torch(name, "torchvision " + call, make, (6, 5), "logits", False)
    x, t = jnp.array(DATA["logits"]), jnp.array(DATA["targets"])
    optax_alpha = None if alpha < 0 else alpha
    of_jax(name, "optax", call, lambda x: optax.sigmoid_focal_loss(x, t, alpha=optax_alpha, gamma=gamma), x)
x, t = jnp.array(DATA["logits"]), jnp.array(DATA["targets"])
of_jax("binary", "optax", "sigmoid_binary_cross_entropy", lambda x: optax.sigmoid_binary_cross_entropy(x, t), x)
images = jnp.array(DATA["images"]).reshape(N, C, H, W)
labels = jnp.array(DATA["distributions"]).reshape(N, C, H, W)
of_jax("distributions", "optax", "softmax_cross_entropy", lambda x: optax.softmax_cross_entropy(x, labels, axis=1), images)
of_jax("z_loss", "t5x", "cross_entropy_with_logits(z_loss=0.01)", lambda x: t5x(x, 0.01), images)

head = f"versions,torch {torch.__version__},jax {jax.__version__},optax {optax.__version__}"
data = [",".join(["data", name] + [bits(x) for x in numbers]) for name, numbers in DATA.items()]
OUT.write_text("\n".join([head] + data + lines) + "\n")
print(f"{len(lines)} lines")
