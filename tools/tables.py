#!/usr/bin/env python3
"""Writes tests/tables/*.csv: exact values and derivatives for inputs of f64, by mpmath with 60 digits.

Run: pip install mpmath && python3 tools/tables.py [NAME...]

Without names it writes the tables of all functions, and that of rows.

The tables of activations are computed a second time, by the formulas of their test entries and other numbers, in the program `tables`
of examples/exact, which also writes those of functions that have come since. So a new activation needs no formula here. What only
this script knows are the functions of `math`, and rows.

A line is x, f(x), f'(x): x as the bits of an f64 in hex, the others as two f64 in hex whose sum is the exact number to
about 106 bits (less where the low part would be subnormal). The formulas are the textbook's, not the crate's.
"""

import pathlib
import random
import struct
import sys

from mpmath import asinh, cos, cosh, erf, erfc, exp, expm1, inf, log, log1p, mp, mpf, pi, sin, sqrt, workdps

mp.dps = 60

PHI0 = 1 / sqrt(2 * pi)
C = 2 * sqrt(2 / pi)
D = mpf("0.044715")


def sigmoid(x):
    return 1 / (1 + exp(-x))


def tanh_slope(x):
    e = exp(-2 * abs(x))
    return 4 * e / (1 + e) ** 2


def tanh(x):
    e = exp(-2 * abs(x))
    # 1 - e cancels for tiny x; 60 digits do not reach 2^-1074, a series does.
    if abs(x) < mpf(2) ** -60:
        return x - x**3 / 3
    return (1 - e) / (1 + e) * (1 if x > 0 else -1)


def clip(x):
    return min(max(x, mpf(0)), mpf(1))


def arsinh(x):
    return asinh(abs(x)) * (1 if x > 0 else -1)


def z(x):
    return C * (x + D * x**3)


# Klambauer et al., equation 14.
ERFC1 = erfc(1 / sqrt(mpf(2)))
ALPHA = sqrt(2 / pi) / (1 - ERFC1 * sqrt(exp(1)))
LAMBDA = (1 - ERFC1 * sqrt(exp(1))) * sqrt(2 * pi)
LAMBDA /= sqrt(
    2 * erfc(sqrt(mpf(2))) * exp(2) + pi * ERFC1**2 * exp(1) - 2 * (2 + pi) * ERFC1 * sqrt(exp(1)) + pi + 2
)


def swish(x, beta):
    return x * sigmoid(beta * x)


def swish_slope(x, beta):
    return sigmoid(beta * x) * (1 + beta * x * sigmoid(-beta * x))


def tanh_softplus(x):
    square = (1 + exp(x)) ** 2
    # square - 1, without the cancellation for far negative x.
    return exp(x) * (2 + exp(x)) / (square + 1)


def tanhshrink(x):
    # 60 digits are not enough for the difference of small numbers, a series is.
    if abs(x) < mpf(2) ** -20:
        return x**3 / 3 - 2 * x**5 / 15 + 17 * x**7 / 315 - 62 * x**9 / 2835
    return x - tanh(x)


def log_cosh(x):
    if abs(x) < mpf(2) ** -20:
        return x**2 / 2 - x**4 / 12 + x**6 / 45 - 17 * x**8 / 2520
    return log(cosh(x)) if abs(x) < 1000 else abs(x) - log(2)


def log1p_of_all(x):
    return log1p(x) if abs(x) > mpf(2) ** -60 else x - x**2 / 2 + x**3 / 3


def erf_of_all(x):
    return erf(x) if abs(x) > mpf(2) ** -60 else 2 / sqrt(pi) * (x - x**3 / 3)


# Which inputs a function has, where it is not every number.
DOMAINS = {
    "sin": lambda x: abs(x) <= 2.0**45,
    "log": lambda x: x > 0,
    "log1p": lambda x: x > -1,
}


MU, SIGMA = mpf(0.707107), mpf(0.282095)
ALPHA_N, BETA = mpf(0.8), mpf(0.5)


def gelu(x):
    return x * erfc(-x / sqrt(2)) / 2


def gelu_slope(x):
    return erfc(-x / sqrt(2)) / 2 + x * PHI0 * exp(-x * x / 2)


FUNCTIONS = {
    "sigmoid": (sigmoid, lambda x: sigmoid(x) * sigmoid(-x)),
    "tanh": (tanh, tanh_slope),
    "gelu": (gelu, gelu_slope),
    "clipped_gelu": (lambda x: min(gelu(x), mpf(10)), lambda x: gelu_slope(x) if gelu(x) <= 10 else mpf(0)),
    "laplace": (
        lambda x: erfc((MU - x) / SIGMA / sqrt(2)) / 2,
        lambda x: PHI0 / SIGMA * exp(-(((x - MU) / SIGMA) ** 2) / 2),
    ),
    "xielu": (
        lambda x: ALPHA_N * (x * x if x > 0 else expm1(x) - x) + BETA * x,
        lambda x: ALPHA_N * (2 * x if x > 0 else expm1(x)) + BETA,
    ),
    "exponential": (exp, exp),
    "gelu_tanh": (
        lambda x: x * sigmoid(z(x)),
        lambda x: sigmoid(z(x)) * (1 + x * sigmoid(-z(x)) * C * (1 + 3 * D * x * x)),
    ),
    "silu": (
        lambda x: x * sigmoid(x),
        lambda x: sigmoid(x) * (1 + x * sigmoid(-x)),
    ),
    # Of `math`: the derivative is exp.
    "expm1": (expm1, exp),
    # The others of `math`, two by two: the second is not always the derivative.
    "sin": (sin, cos),
    "log": (log, lambda x: 1 / sqrt(x)),
    "log1p": (log1p_of_all, lambda x: 1 / (1 + x)),
    "exp2": (lambda x: mpf(2) ** x, lambda x: log(2) * mpf(2) ** x),
    "erf": (erf_of_all, erfc),
    "elu": (lambda x: x if x > 0 else expm1(x), lambda x: mpf(1) if x > 0 else exp(x)),
    "quick_gelu": (lambda x: swish(x, mpf("1.702")), lambda x: swish_slope(x, mpf("1.702"))),
    "swish": (lambda x: swish(x, 1), lambda x: swish_slope(x, 1)),
    "log_sigmoid": (lambda x: min(x, 0) - log1p(exp(-abs(x))), lambda x: sigmoid(-x)),
    "selu": (
        lambda x: LAMBDA * x if x > 0 else LAMBDA * ALPHA * expm1(x),
        lambda x: LAMBDA if x > 0 else LAMBDA * ALPHA * exp(x),
    ),
    "celu": (lambda x: x if x > 0 else expm1(x), lambda x: mpf(1) if x > 0 else exp(x)),
    "mish": (
        lambda x: x * tanh_softplus(x),
        lambda x: tanh_softplus(x) + x * sigmoid(x) * (2 * (1 + exp(x)) / ((1 + exp(x)) ** 2 + 1)) ** 2,
    ),
    "tanhshrink": (tanhshrink, lambda x: tanh(x) ** 2),
    "log_cosh": (log_cosh, tanh),
    "snake": (lambda x: x + sin(x) ** 2, lambda x: mpf(1) if abs(x) > 3e6 else 2 * sin(x + pi / 4) ** 2),
    "softplus": (lambda x: max(x, 0) + log1p(exp(-abs(x))), sigmoid),
    "hard_sigmoid": (lambda x: clip((x + 3) / 6), lambda x: mpf(1) / 6 if -3 < x < 3 else mpf(0)),
    "hard_swish": (
        lambda x: x * clip((x + 3) / 6),
        lambda x: (2 * x + 3) / 6 if -3 < x < 3 else mpf(1 if x >= 3 else 0),
    ),
    "sparse_plus": (lambda x: x if x >= 1 else clip((x + 1) / 2) ** 2, lambda x: clip((x + 1) / 2)),
    "softsign": (lambda x: x / (1 + abs(x)), lambda x: 1 / (1 + abs(x)) ** 2),
    # 2 sinh(z) = x, for nothing cancels then.
    "squareplus": (lambda x: exp(arsinh(x / 2)), lambda x: sigmoid(2 * arsinh(x / 2))),
}

# Those that have not reached their limits at 1e4, and are quickly evaluated.
ALGEBRAIC = ("log", "log1p", "sin", "hard_sigmoid", "hard_swish", "sparse_plus", "softsign", "squareplus", "xielu")

# Roots of derivatives, kinks, and where results become subnormal or vanish.
PLACES = [0.0, -0.75179152469356446, -0.75246142207101626, -1.2784645427610738, 1.0, -1.0, 20.0, -20.0, -18.4, 18.4]
PLACES += [-37.5, -38.4, -38.5, -21.3, -21.5, -354.2, 354.2, -372.5, 372.5, -708.4, 708.4, -745.1, 745.1, -751.7, -709.8]
# Places of one function alone: the tables of the others stay as they are.
OWN_PLACES = {
    "quick_gelu": [-0.75115425544128895, -439.0, -464.0, -62.0],
    "mish": [-1.1924312145154952],
    "tanhshrink": [0.999, -1.001, 1e-103, -1e-108],
    "log_cosh": [0.749, -0.751, 0.6931, 1e-154, -1e-162],
    "clipped_gelu": [10.0],
    "laplace": [0.707107 + 0.282095 * t for t in (0, -1e-9, -1, 1, -4, 4, -12.9, -37.5, -38.4, 8.3, -37.6, 38.4)],
    "xielu": [-0.9808292530117261, -2.432484276931448, -0.3465735902799726, -1.0397207708399179, 80.0, -1e9, -1e18],
    "sin": [k * 1.5707963267948966 for k in (1, 2, 3, 4, 5, 6, 7, -1, -2, -30, 501, 2**20 + 1, 2**33 + 5, 2**44 - 3)]
    + [0.25 * k * 3.141592653589793 for k in (1, 3, 5, 7, -1, -9)],
    "log": [1.0] * 9 + [1.4142135623730951, 0.7071067811865476, 2.0, 0.5],
    "log1p": [-0.9, -0.5, -0.29, 0.41, 0.4142, -0.2929, 1.8],
    "exp2": [0.5, -0.5, 1.0, -1.0, 1023.5, -1022.5, -1073.5, -1021.0, 127.5],
    "erf": [0.5, -0.5, 0.4769, 5.9, -5.9, 26.5, 27.2, 6.0, 9.0, 13.0, 18.0, 22.0, 3.0, 2.0],
    "snake": [(k - 0.25) * 3.141592653589793 for k in (0, 1, -1, 7, -30, 500, 100000)]
    + [-1.1656, 1.5707963, 100.0, -1600.0, 9e5, 3e6],
}

# Limits beyond 1e4 on the left and on the right: (constant, factor of x), derivative.
LIMITS = {
    "log_sigmoid": (((0, 1), 1), ((0, 0), 0)),
    "expm1": (((-1, 0), 0), ((inf, 0), inf)),
    "selu": (((-LAMBDA * ALPHA, 0), 0), ((0, LAMBDA), LAMBDA)),
    "tanhshrink": (((1, 1), 1), ((-1, 1), 1)),
    "log_cosh": (((-log(2), -1), -1), ((-log(2), 1), 1)),
    "clipped_gelu": (((0, 0), 0), ((10, 0), 0)),
    "laplace": (((0, 0), 0), ((1, 0), 0)),
    "exponential": (((0, 0), 0), ((inf, 0), inf)),
    "exp2": (((0, 0), 0), ((inf, 0), inf)),
    "erf": (((-1, 0), 2), ((1, 0), 0)),
}


def f64(bits):
    return struct.unpack("<d", struct.pack("<Q", bits))[0]


def bits(x):
    return "%016x" % struct.unpack("<Q", struct.pack("<d", x))[0]


# Kinks and roots of single functions.
MORE_PLACES = {
    "hard_sigmoid": [-3.0, 3.0],
    "hard_swish": [-3.0, -1.5, 3.0],
    "squareplus": [-8.0, -16.0, -2.0**500, -2.0**513, 2.0**500],
    "softsign": [2.0**511, -2.0**500],
}


def inputs(rng, name):
    for sign in (0, 1 << 63):
        for exponent in range(0, 2047):
            if exponent < 960 or exponent > 1034:
                if exponent % 8:
                    continue
            for _ in range(1 if exponent < 1000 or exponent > 1033 else 12):
                yield f64(sign | exponent << 52 | rng.getrandbits(52))
        yield f64(sign)
        yield f64(sign | 1)
        yield f64(sign | 0x7FEFFFFFFFFFFFFF)
    for place in PLACES:
        for _ in range(12):
            yield place * (1 + rng.uniform(-1, 1) * 2.0 ** rng.uniform(-50, -3)) + (
                rng.uniform(-1, 1) * 2.0 ** rng.uniform(-60, -4) if place == 0 else 0
            )
    for _ in range(600):
        yield rng.uniform(-8, 8)
    for _ in range(200):
        yield rng.uniform(-45, 45)
    for _ in range(200):
        yield rng.uniform(-760, 760)
    for place in MORE_PLACES.get(name, []):
        for _ in range(60):
            yield place * (1 + rng.uniform(-1, 1) * 2.0 ** rng.uniform(-52, -1))
    for place in OWN_PLACES.get(name, []):
        for _ in range(20):
            yield place * (1 + rng.uniform(-1, 1) * 2.0 ** rng.uniform(-52, -5))


def pair(y):
    """y as hi + lo. float() of an mpf rounds to nearest, into the subnormal range too."""
    hi = float(y)
    lo = float(y - mpf(hi)) if hi not in (inf, -inf) else 0.0
    return bits(hi) + "," + bits(lo)


def exact(f, x):
    try:
        y = f(mpf(x))
    except OverflowError:
        y = None
    return y


def rows(rng):
    """Rows of scores: alike, spread, with one far above, with a greatest that occurs twice, far from 0."""
    for length in [1, 2, 3, 7, 16, 31, 32, 33, 70, 130]:
        for size in [1e-9, 1.0, 8.0, 40.0, 700.0]:
            yield [rng.uniform(-size, size) for _ in range(length)]
        yield [rng.uniform(-3, 3) + (rng.uniform(0, 60) if i == length // 2 else 0) for i in range(length)]
        yield [2.5 if i < 2 else rng.uniform(-20, 2.5) for i in range(length)]
        yield [rng.choice([-1, 1]) * 3000 + rng.uniform(-5, 5) for i in range(length)]


def write_rows(path):
    """A line for each element: the row's number, x, and pairs for softmax, p (1 - p), log-softmax, 1 - p."""
    with open(path, "w") as out:
        for number, row in enumerate(rows(random.Random("rows"))):
            x = [mpf(x) for x in row]
            top = max(x)
            e = [exp(x - top) for x in x]
            largest = e.index(1)
            for i, (x_i, e_i) in enumerate(zip(x, e)):
                # Without the one itself: nothing cancels.
                others, beside_top = (sum(e[:k] + e[k + 1 :]) for k in (i, largest))
                p, complement = e_i / (e_i + others), others / (e_i + others)
                log = (x_i - top) - log1p(beside_top)
                exact = ",".join(pair(mpf(y)) for y in (p, p * complement, log, complement))
                out.write(f"{number},{bits(row[i])},{exact}\n")


def main():
    folder = pathlib.Path(__file__).resolve().parent.parent / "tests" / "tables"
    folder.mkdir(exist_ok=True)
    names = sys.argv[1:] or list(FUNCTIONS)
    for name in names:
        if name not in FUNCTIONS:
            sys.exit(f"no function `{name}`; there are: {', '.join(FUNCTIONS)}")
    for name in names:
        value, slope = FUNCTIONS[name]
        rng = random.Random(name)
        with open(folder / f"{name}.csv", "w") as out:
            for x in sorted(x for x in set(inputs(rng, name)) if DOMAINS.get(name, lambda _: True)(x)):
                # Far out the limits: mpmath would spend its time on exp of astronomic numbers.
                if name == "snake":
                    # sin reduces any number, if it has the digits.
                    with workdps(60 if abs(x) < 1e20 else 700):
                        v, s = exact(value, x), exact(slope, x)
                elif abs(x) > 1e4 and name in LIMITS:
                    (constant, factor), s = LIMITS[name][x > 0]
                    v, s = constant + factor * mpf(x), mpf(s)
                elif abs(x) > 1e4 and name not in ALGEBRAIC:
                    below = -1 if name in ("tanh", "elu", "celu") else 0
                    one = mpf(1)
                    keeps = name not in ("sigmoid", "tanh")
                    v = (mpf(x) if keeps else one) if x > 0 else mpf(below)
                    s = one if keeps and x > 0 else mpf(0)
                else:
                    v, s = exact(value, x), exact(slope, x)
                out.write(f"{bits(x)},{pair(v)},{pair(s)}\n")
        print(name, sum(1 for _ in open(folder / f"{name}.csv")), "lines")
    if not sys.argv[1:]:
        write_rows(folder / "rows.csv")


if __name__ == "__main__":
    main()
