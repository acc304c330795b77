#!/usr/bin/env python3
"""Writes tests/tables/second.csv: second derivatives for inputs of f64, by mpmath.

Run: pip install mpmath && python3 tools/second.py

They are differences of the derivatives in tools/tables.py, with 900 digits and steps of 10^-100, so no formula of a second
derivative is written down here. A line is the function's name, x as the bits of an f64 in hex, and f''(x) as two f64 in hex
whose sum is the exact number to about 106 bits.
"""

import pathlib
import random

from mpmath import mp, mpf

import tables

mp.dps = 900

# Roots of second derivatives.
ROOTS = {
    "gelu": [2**0.5],
    "clipped_gelu": [2**0.5],
    "gelu_tanh": [1.4185],
    "silu": [2.399357280520548],
    "swish": [2.399357280520548],
    "quick_gelu": [1.4097],
    "mish": [1.4906, -2.2564],
    "laplace": [0.707107],
    "sin": [3.141592653589793, 314.1592653589793],
    "snake": [0.7853981633974483, 2.356194490192345, -600.0431967],
}

# Where the tail leaves the normal range.
TAILS = {
    "gelu": 38.6,
    "clipped_gelu": 38.6,
    "laplace": 11.6,
    "gelu_tanh": 21.6,
    "quick_gelu": 440.0,
    "tanh": 370.0,
    "tanhshrink": 370.0,
    "log_cosh": 370.0,
}

NAMES = """sigmoid tanh tanhshrink log_cosh gelu clipped_gelu gelu_tanh silu quick_gelu swish elu selu celu softplus log_sigmoid
mish snake sin softsign squareplus laplace xielu exponential""".split()


def inputs(rng, name):
    tail = TAILS.get(name, 740.0)
    if name in ("snake", "sin", "softsign", "squareplus"):
        tail = 1000.0
    for exponent in range(-60, 4):
        yield rng.choice([-1, 1]) * 2.0**exponent * rng.uniform(1, 2)
    for _ in range(60):
        yield rng.uniform(-6, 6)
    for _ in range(24):
        yield rng.uniform(-tail, tail)
    for sign in (-1, 1):
        for _ in range(8):
            yield sign * tail * rng.uniform(0.9, 1.03)
    for root in ROOTS.get(name, []):
        for _ in range(12):
            yield root * (1 + rng.uniform(-1, 1) * 2.0 ** rng.uniform(-52, -3))
            if root not in (-2.2564,):
                yield -root * (1 + rng.uniform(-1, 1) * 2.0 ** rng.uniform(-52, -3))
    if name in ("softsign", "squareplus"):
        for exponent in range(12, 380, 12):
            yield rng.choice([-1, 1]) * 2.0**exponent * rng.uniform(1, 2)


def main():
    path = pathlib.Path(__file__).resolve().parent.parent / "tests" / "tables" / "second.csv"
    with open(path, "w") as out:
        for name in NAMES:
            slope = tables.FUNCTIONS[name][1]
            xs = sorted(set(inputs(random.Random(name + " second"), name)))
            for x in xs:
                h = mpf(10) ** -100 * abs(mpf(x))
                exact = (slope(mpf(x) + h) - slope(mpf(x) - h)) / (2 * h)
                out.write(f"{name},{tables.bits(x)},{tables.pair(exact)}\n")
            print(name, len(xs), "inputs")


if __name__ == "__main__":
    main()
