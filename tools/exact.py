#!/usr/bin/env python3
"""Writes tests/tables/exact.csv: results of f32 that are hard to round, rounded from 60 digits and more.

Run: pip install mpmath && python3 tools/exact.py

A line is name, x, f(x), f'(x), the numbers as the bits of f32. The formulas are those of tools/tables.py. The inputs are those
whose results are ties but for a tiny part, below the normal range or near 0, and of some thousand random ones those whose results
are nearest to a tie.
"""

import pathlib
import random
import struct
from fractions import Fraction

import tables
from mpmath import mp, mpf, sin

mp.dps = 100

RANDOM = 2000
KEPT = 6


def f32(bits):
    return struct.unpack("<f", struct.pack("<I", bits))[0]


def bits(x):
    return struct.unpack("<I", struct.pack("<f", x))[0]


def rounded(y):
    """The bits of the f32 nearest to y, ties to even, and how far y is from a tie, in spacings."""
    sign, mantissa, exponent, _ = y._mpf_
    power = mantissa.bit_length() + exponent - 1
    if mantissa == 0 or power < -200:
        return sign << 31, Fraction(1, 2)
    if power > 128:
        return sign << 31 | 0x7F80_0000, Fraction(1, 2)
    exact = Fraction(mantissa) * Fraction(2) ** exponent
    power = max(power, -126)
    scaled = exact / Fraction(2) ** (power - 23)
    whole = scaled.numerator // scaled.denominator
    rest = scaled - whole
    up = rest > Fraction(1, 2) or (rest == Fraction(1, 2) and whole & 1)
    # Rounding up to the next power of two carries into the exponent by itself.
    encoded = ((power + 126) << 23) + whole + up
    return sign << 31 | min(encoded, 0x7F80_0000), abs(rest - Fraction(1, 2))


def inputs():
    for magnitude in [1, 2, 3, 5, 0x7FFFFF, 0x800001, 0x900003, 0xFFFFFF, 0x1000001]:
        yield from (magnitude, magnitude | 1 << 31)
    # sigmoid(x) is 1/2 + x/4, tanh'(x) is 1 - x^2, log_cosh(x) is x^2/2: each but for a tiny part.
    for x in [2.0**-23, 3 * 2.0**-24, 5 * 2.0**-23, 2.0**-12, 3 * 2.0**-13, 4097 * 2.0**-30, 4097 * 2.0**-75, 2.0**75]:
        yield from (bits(x), bits(-x))


def main():
    random.seed(17)
    lines = []
    # Without the mean that the default gives far out.
    snake = (tables.FUNCTIONS["snake"][0], lambda x: 1 + sin(2 * x))
    for name, functions in (tables.FUNCTIONS | {"snake": snake}).items():
        if name == "expm1":
            continue
        chosen = set(inputs())
        for part in functions:
            drawn = [bits(random.uniform(-9, 9)) for _ in range(RANDOM)]
            chosen.update(sorted(drawn, key=lambda x: rounded(mpf(part(mpf(f32(x)))))[1])[:KEPT])
        for x in sorted(chosen):
            value, slope = (rounded(mpf(part(mpf(f32(x)))))[0] for part in functions)
            lines.append(f"{name},{x:08x},{value:08x},{slope:08x}\n")
    path = pathlib.Path(__file__).parent.parent / "tests/tables/exact.csv"
    path.write_text("".join(lines))


if __name__ == "__main__":
    main()
