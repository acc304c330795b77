"""A(u) with atanh(t) = t + t u A(u), u = t^2, t in [0, 1/3]: by Remez's exchange, rounded to the type.

Needs mpmath. Prints the coefficients, constant term first, and the error of atanh(t) relative to it.
"""

import struct

from mpmath import atanh, cos, log, lu_solve, matrix, mp, mpf, pi, polyval, sqrt

mp.dps = 50
GRID = [mpf(i) / 9000 for i in range(1, 1001)]


def exact(u):
    t = sqrt(u)
    return (atanh(t) / t - 1) / u


EXACT = [exact(u) for u in GRID]
WEIGHT = [u / (1 + u * a) for u, a in zip(GRID, EXACT)]


def errors(coefficients):
    falling = coefficients[::-1]
    return [w * (polyval(falling, u) - a) for u, a, w in zip(GRID, EXACT, WEIGHT)]


def remez(degree):
    n = degree + 2
    at = [round(999 * (1 - cos(pi * (2 * i + 1) / (2 * n))) / 2) for i in range(n)]
    for _ in range(12):
        rows = [[GRID[j] ** k for k in range(degree + 1)] + [(-1) ** i / WEIGHT[j]] for i, j in enumerate(at)]
        coefficients = list(lu_solve(matrix(rows), matrix([EXACT[j] for j in at])))[:-1]
        error = errors(coefficients)
        # The greatest error between each two changes of sign.
        runs = [[0]]
        for j in range(1, len(GRID)):
            if error[j] * error[j - 1] < 0:
                runs.append([])
            runs[-1].append(j)
        at = [max(run, key=lambda j: abs(error[j])) for run in runs][-n:]
        assert len(at) == n
    return coefficients


def single(x):
    return struct.unpack("f", struct.pack("f", float(x)))[0]


for name, degree, rounded in (("f32", 3, single), ("f64", 10, float)):
    coefficients = [rounded(c) for c in remez(degree)]
    worst = max(map(abs, errors(coefficients)))
    print(name, *(repr(c) for c in coefficients), f"2^{float(log(worst, 2)):.1f}")
