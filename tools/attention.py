#!/usr/bin/env python3
"""Writes tests/tables/attention.csv: scores of attention and routers of experts, computed by PyTorch in f64.

Run: pip install torch && python3 tools/attention.py

The first line has the version. Of the others, `case,NAME,KEY=VALUE,...` begins a case with its parameters, and the lines
after it, `PART,y...`, are its numbers: inputs (`x`, `g`, `bias`, `sinks`), and what PyTorch gives (`y`, `grad_x`,
`grad_sinks`; `indices` and `weights` of routers). Numbers are the bits of an f64 in hex. All inputs are numbers of f16 and
bf16, too, so that one table serves all types. Gradients are PyTorch's automatic ones, of the sum of `g` times the output.

A case is also computed in f32 and in bf16, so that the script shows how far PyTorch itself is from these numbers; it fails
if that is more than the type's roundings.
"""

import pathlib
import random
import struct

import torch

rng = random.Random(18)
# Relative to the greatest number: a few roundings of the type, of scores up to 16.
ROUNDING = {torch.float32: 2e-6, torch.bfloat16: 0.06}


def numbers(n, size):
    """Of six digits, which all types have."""
    return [rng.randint(-32, 32) / 32 * size for _ in range(n)]


def scores(x, bias, sinks, p):
    """[B, H, Q, K], as models compute them."""
    s = x * p["scale"]
    if p["cap"]:
        s = p["cap"] * torch.tanh(s / p["cap"])
    if bias is not None:
        s = s + bias
    query, key = torch.arange(p["Q"])[:, None], torch.arange(p["K"])[None, :]
    if p["causal"]:
        seen = key <= query + p["offset"]
        if p["window"]:
            seen &= key > query + p["offset"] - p["window"]
        s = s.masked_fill(~seen, float("-inf"))
    if sinks is not None:
        s = torch.cat([s, sinks[None, :, None, None].expand(p["B"], -1, p["Q"], 1)], dim=-1)
    y = getattr(torch, p["function"])(s, dim=-1)
    return y[..., : p["K"]]


def run(p, inputs, dtype):
    tensor = lambda name, shape: torch.tensor(inputs[name], dtype=dtype).reshape(shape) if name in inputs else None
    shape = (p["B"], p["H"], p["Q"], p["K"])
    x, bias, sinks = tensor("x", shape), tensor("bias", (p["K"],)), tensor("sinks", (p["H"],))
    leaves = [leaf.requires_grad_() for leaf in (x, sinks) if leaf is not None]
    y = scores(x, bias, sinks, p)
    # Nothing flows through what is hidden, whatever the gradient there; -inf times 0 would be NaN.
    (y.masked_fill(y == float("-inf"), 0.0) * tensor("g", shape)).sum().backward()
    results = {"y": y.detach(), "grad_x": x.grad}
    if sinks is not None:
        results["grad_sinks"] = sinks.grad
    return results


def route(p, inputs, dtype):
    x = torch.tensor(inputs["x"], dtype=dtype).reshape(-1, p["experts"]).requires_grad_()
    # Sorted stably, because `topk` promises no order of equal ones.
    indices = torch.argsort(x.detach(), dim=-1, descending=True, stable=True)[:, : p["k"]]
    if p["over"] == "all":
        weights = torch.softmax(x, dim=-1).gather(1, indices)
    elif p["over"] == "all, renormalised":
        weights = torch.softmax(x, dim=-1).gather(1, indices)
        weights = weights / weights.sum(dim=-1, keepdim=True)
    else:
        weights = torch.softmax(x.gather(1, indices), dim=-1)
    (weights * torch.tensor(inputs["g"], dtype=dtype).reshape(weights.shape)).sum().backward()
    return {"indices": indices, "weights": weights.detach(), "grad_x": x.grad}


def cases():
    plain = dict(B=2, H=2, Q=3, K=9, scale=1.0, cap=0.0, causal=0, offset=0, window=0, sink=0, bias=0)
    for function in ("softmax", "log_softmax"):
        for name, change in [
            ("sink", dict(sink=1)),
            ("causal", dict(causal=1, offset=5)),
            ("window", dict(causal=1, offset=5, window=3)),
            ("soft cap", dict(cap=5.0, scale=0.5)),
            ("gpt-oss", dict(scale=0.125, causal=1, offset=70, window=64, sink=1, K=73)),
            ("gemma 2", dict(scale=0.25, cap=4.0, causal=1, Q=9)),
            ("all", dict(scale=0.5, cap=8.0, bias=1, causal=1, offset=30, window=20, sink=1, K=40, Q=6)),
        ]:
            yield name, {**plain, **change, "function": function}
    for over in ("chosen", "all", "all, renormalised"):
        for experts, k in ((4, 1), (8, 2), (64, 6)):
            yield "router", dict(experts=experts, k=k, over=over.replace(",", ";"))


def hexes(values):
    return ",".join(struct.pack(">d", float(y)).hex() for y in values)


def main():
    lines = [f"versions,torch {torch.__version__.split('+')[0]}"]
    for name, p in cases():
        if name == "router":
            rows = 5
            inputs = {"x": numbers(rows * p["experts"], 4.0), "g": numbers(rows * p["k"], 2.0)}
            f = lambda p, inputs, dtype: route({**p, "over": p["over"].replace(";", ",")}, inputs, dtype)
        else:
            n = p["B"] * p["H"] * p["Q"] * p["K"]
            inputs = {"x": numbers(n, 16.0), "g": numbers(n, 2.0)}
            if p["bias"]:
                inputs["bias"] = numbers(p["K"], 4.0)
            if p["sink"]:
                inputs["sinks"] = numbers(p["H"], 4.0)
            f = run
        results = f(p, inputs, torch.float64)
        for dtype, rounding in ROUNDING.items():
            for part, got in f(p, inputs, dtype).items():
                exact = results[part]
                size = exact[exact.isfinite()].abs().max().item()
                error = (got.double() - exact).nan_to_num(0.0).abs().max().item()
                assert error <= rounding * max(size, 1.0), (name, p, part, dtype, error, size)
        lines.append(",".join(["case", name, *(f"{key}={value}" for key, value in p.items())]))
        for part, values in [*inputs.items(), *((part, y.flatten().tolist()) for part, y in results.items())]:
            lines.append(f"{part},{hexes(values)}")
    path = pathlib.Path(__file__).parent.parent / "tests/tables/attention.csv"
    path.write_text("\n".join(lines) + "\n")
    print(f"{path}: {sum(line.startswith('case') for line in lines)} cases")


if __name__ == "__main__":
    main()
