#!/usr/bin/env python3
"""Writes tests/tables/autograd.csv: what PyTorch's autograd gives for the backward of the backward, and for the gradients of
trained parameters.

Run: pip install torch==2.15.0 && python3 tools/autograd.py

All numbers are f64 as bits in hex. The inputs have at most 8 significant bits, so that they are numbers of every type. Lines:

double,NAME,x,grad_y,grad_grad_x,grad_grad_y,grad_x
element,NAME,x,grad_y,y,grad_x           rows of 4 x 3 channels x 5, in their order
parameter,NAME,K,value,gradient          parameter K of each channel, in their order
"""

import pathlib
import random
import struct

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)

DOUBLE = {
    "relu": F.relu,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.01),
    "relu6": F.relu6,
    "squared_relu": lambda x: F.relu(x) ** 2,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "tanhshrink": F.tanhshrink,
    "log_cosh": lambda x: torch.log(torch.cosh(x)),
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu,
    "quick_gelu": lambda x: x * torch.sigmoid(1.702 * x),
    "elu": F.elu,
    "selu": F.selu,
    "celu": F.celu,
    "softplus": F.softplus,
    "log_sigmoid": F.logsigmoid,
    "mish": F.mish,
    "snake": lambda x: x + torch.sin(x) ** 2,
    "hard_swish": F.hardswish,
    "hard_tanh": F.hardtanh,
    "softshrink": F.softshrink,
    "hardshrink": F.hardshrink,
    "softsign": F.softsign,
    "squareplus": lambda x: (x + torch.sqrt(x * x + 4)) / 2,
    "exponential": torch.exp,
}

POINTS = [0.0, 0.5, -0.5, 1.0, -1.0, 1.5, -1.5, 2.5, -2.5, 0.03125, -0.03125, 3.0, -3.0, 4.5, -4.5, 6.0, -6.0, 9.0, -9.0]

TRAINED = {
    "swish": (lambda x, beta: x * torch.sigmoid(beta * x), [[1.0, -0.5, 2.5]]),
    "snake": (lambda x, a: x + torch.sin(a * x) ** 2 / a, [[1.0, -2.0, 0.125]]),
    "softplus": (lambda x, beta: torch.logaddexp(beta * x, torch.zeros_like(x)) / beta, [[1.0, 4.0, 0.25]]),
    "elu": (lambda x, alpha: torch.where(x > 0, x, alpha * torch.expm1(x)), [[1.0, 0.25, 2.0]]),
    "celu": (lambda x, alpha: torch.where(x > 0, x, alpha * torch.expm1(x / alpha)), [[1.0, 0.25, 2.0]]),
    "xielu": (
        lambda x, p, n: torch.where(x > 0, p * x * x + 0.5 * x, n * (torch.expm1(x) - x) + 0.5 * x),
        [[0.75, 1.0, 0.25], [0.75, 1.5, 0.5]],
    ),
    "prelu": (lambda x, slope: torch.where(x > 0, x, slope * x), [[0.25, -0.5, 1.0]]),
}


def bits(x):
    return "%016x" % struct.unpack("<Q", struct.pack("<d", float(x)))[0]


def line(*fields):
    return ",".join(field if isinstance(field, str) else bits(field) for field in fields) + "\n"


def main():
    rng = random.Random("autograd")
    path = pathlib.Path(__file__).resolve().parent.parent / "tests" / "tables" / "autograd.csv"
    with open(path, "w") as out:
        for name, f in DOUBLE.items():
            x = torch.tensor(POINTS, requires_grad=True)
            grad_y = torch.tensor([rng.choice([-1, 1]) * rng.randint(1, 15) / 8 for _ in POINTS], requires_grad=True)
            grad_grad_x = torch.tensor([rng.choice([-1, 1]) * rng.randint(1, 15) / 8 for _ in POINTS])
            (grad_x,) = torch.autograd.grad(f(x), x, grad_y, create_graph=True)
            of_y, of_x = torch.autograd.grad(grad_x, (grad_y, x), grad_grad_x, allow_unused=True)
            of_x = torch.zeros_like(of_y) if of_x is None else of_x
            for fields in zip(x, grad_y, grad_grad_x, of_y, of_x):
                out.write(line("double", name, *fields))
        for name, (f, parameters) in TRAINED.items():
            numbers = [rng.choice([-1, 1]) * rng.randint(1, 127) / 16 for _ in range(60)]
            numbers[7] = 0.0
            x = torch.tensor(numbers).reshape(4, 3, 5).requires_grad_()
            grad_y = torch.tensor([rng.choice([-1, 1]) * rng.randint(1, 15) / 8 for _ in range(60)]).reshape(4, 3, 5)
            parameters = [torch.tensor(values).requires_grad_() for values in parameters]
            y = f(x, *(values.reshape(1, 3, 1) for values in parameters))
            y.backward(grad_y)
            for fields in zip(x.flatten(), grad_y.flatten(), y.flatten(), x.grad.flatten()):
                out.write(line("element", name, *fields))
            for k, values in enumerate(parameters):
                for value, gradient in zip(values, values.grad):
                    out.write(line("parameter", name, str(k), value, gradient))


if __name__ == "__main__":
    main()
