#!/usr/bin/env python3
"""Writes tests/tables/gates.csv: clamped SwiGLU by PyTorch, value and both gradients, in f64, f32 and bf16.

Run: pip install torch && python3 tools/gates.py

The first line has the version. A line is alpha, limit, up_offset; gate, up, grad_out; then out, grad_gate, grad_up as PyTorch
computes them in f64, in f32, and in bf16, where each operation rounds. All numbers are the bits of an f64 in hex. Inputs are numbers
of bf16, so that one table serves all types.
"""

import pathlib
import random
import struct

import torch

# alpha, limit, up_offset, and who has them. A great limit clamps nothing.
VARIANTS = [
    (1.702, 7.0, 1.0),  # gpt-oss, MiniMax-M3
    (1.0, 10.0, 0.0),  # DeepSeek-V4, GLM-5.3: SiluAndMulWithClamp of vLLM
    (1.0, 7.0, 0.0),  # the same with the limit of gpt-oss
    (1.702, 3e38, 1.0),  # gpt-oss before its weights were clamped: no limit
    (1.0, 3e38, 0.0),  # SwiGLU
]


# As gpt-oss has it.
def unit(gate, up, alpha, limit, up_offset):
    gate = gate.clamp(max=limit)
    up = up.clamp(min=-limit, max=limit)
    return gate * torch.sigmoid(alpha * gate) * (up + up_offset)


def inputs():
    rng = random.Random(6)
    edges = [0.0, -0.0, 1.0, -1.0, 6.96875, 7.0, 7.03125, -7.0, -7.03125, 10.0, 10.0625, -10.0, -10.0625, 40.0, -40.0, 1e-20]
    pairs = [(gate, up) for gate in edges for up in edges]
    pairs += [(rng.uniform(-12, 12), rng.uniform(-12, 12)) for _ in range(200)]
    pairs += [(rng.gauss(0, 1) * 2 ** rng.uniform(-10, 4), rng.gauss(0, 1) * 2 ** rng.uniform(-10, 4)) for _ in range(100)]
    for i, pair in enumerate(pairs):
        yield *(float(torch.tensor(x, dtype=torch.bfloat16)) for x in pair), [1.0, -0.75, 2.5][i % 3]


def hexes(numbers):
    return ",".join(struct.pack(">d", float(y)).hex() for y in numbers)


def main():
    lines = [f"torch {torch.__version__.split('+')[0]}"]
    rows = list(inputs())
    for variant in VARIANTS:
        columns = []
        for dtype in (torch.float64, torch.float32, torch.bfloat16):
            gate, up, grad_out = (torch.tensor(column, dtype=dtype) for column in zip(*rows))
            gate.requires_grad_(), up.requires_grad_()
            out = unit(gate, up, *variant)
            out.backward(grad_out)
            columns += [out.detach().tolist(), gate.grad.tolist(), up.grad.tolist()]
        for row, results in zip(rows, zip(*columns)):
            lines.append(hexes([*variant, *row, *results]))
    path = pathlib.Path(__file__).parent.parent / "tests/tables/gates.csv"
    path.write_text("\n".join(lines) + "\n")


main()
