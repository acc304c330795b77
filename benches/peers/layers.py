"""Losses, layers, routers, second gradients and the functions of `math` of this crate, the passes that one would write without
them, and PyTorch, on one thread: prints a Markdown table. A ratio is the other's time over ours: above 1, ours is faster.

Run: pip install torch && python layers.py [ROUNDS]. Of all rounds each keeps the least time.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"

import torch
import torch.nn.functional as F

torch.set_num_threads(1)
torch.set_num_interop_threads(1)
ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 3
HERE = Path(__file__).parent


def spread(*shape):
    return torch.rand(*shape) * 12 - 6


def least(f):
    best, end = float("inf"), time.perf_counter() + 0.5
    while time.perf_counter() < end:
        start = time.perf_counter()
        f()
        best = min(best, time.perf_counter() - start)
    return best * 1e9


def with_gradient(f, x, grad_y=None):
    """A result, such as a loss, and the gradient with respect to x."""
    x = x.requires_grad_()

    def call():
        x.grad = None
        f(x).backward(grad_y)

    return call, x.numel()


def attention():
    heads, n = 4, 512
    x, sinks = spread(heads, n, n), torch.tensor([0.5, -1.0, 0.0, 2.0]).reshape(heads, 1, 1).expand(heads, n, 1)
    hidden = torch.ones(n, n, dtype=torch.bool).triu(1)

    def call():
        scores = (x * 0.125).masked_fill(hidden, float("-inf"))
        return torch.cat([scores, sinks], -1).softmax(-1)[..., :-1]

    return call, x.numel()


def axis():
    x = spread(9000, 64)
    return lambda: x.softmax(0), x.numel()


def binary():
    x, weights = spread(4096, 64), torch.rand(64) * 6 + 0.1
    t = (torch.arange(x.numel()).reshape(x.shape) % 3 == 0).float()
    return with_gradient(lambda x: F.binary_cross_entropy_with_logits(x, t, pos_weight=weights), x)


def focal():
    """torchvision's sigmoid_focal_loss."""
    x = spread(1 << 18)
    t = (torch.arange(x.numel()) % 3 == 0).float()

    def loss(x):
        p = torch.sigmoid(x)
        ce = F.binary_cross_entropy_with_logits(x, t, reduction="none")
        p_t = p * t + (1 - p) * (1 - t)
        return ((0.25 * t + 0.75 * (1 - t)) * ce * (1 - p_t) ** 2).mean()

    return with_gradient(loss, x)


def images():
    labels = (torch.arange(1 << 14) * 7 % 21).reshape(1, -1)
    return with_gradient(lambda x: F.cross_entropy(x, labels), spread(1, 21, 1 << 14))


LABELS = torch.arange(128) * 31 % 4096


def capped():
    return with_gradient(lambda x: F.cross_entropy(30 * torch.tanh(x / 30), LABELS), spread(128, 4096))


def z_loss():
    return with_gradient(
        lambda x: F.cross_entropy(x, LABELS) + 1e-4 * (torch.logsumexp(x, -1) ** 2).mean(), spread(128, 4096)
    )


def gate():
    """The forward pass of gpt-oss in Hugging Face's transformers."""
    gate, up = spread(1 << 18), spread(1 << 18)

    def call():
        g, u = gate.clamp(max=7.0), up.clamp(-7.0, 7.0)
        return (u + 1) * (g * torch.sigmoid(g * 1.702))

    return call, gate.numel()


def router():
    x = spread(1024, 128)
    return lambda: torch.topk(x, 8, dim=-1).values.softmax(-1), x.numel()


def log_sum_exp():
    x = spread(256, 1024)
    return lambda: x.logsumexp(-1), x.numel()


def log_sum_exp_gradient():
    grad_y = torch.full((256,), 0.5)
    return with_gradient(lambda x: x.logsumexp(-1), spread(256, 1024), grad_y)


def smoothed():
    labels = torch.arange(256) * 31 % 1000
    return with_gradient(lambda x: F.cross_entropy(x, labels, label_smoothing=0.1), spread(256, 1000))


def double_backward(f):
    """From the graph of the backward pass, so it is the double backward pass alone."""

    def make():
        x, grad_y = spread(1 << 16).requires_grad_(), spread(1 << 16).requires_grad_()
        (grad_x,) = torch.autograd.grad(f(x), x, grad_y, create_graph=True)
        v = spread(1 << 16)
        return lambda: torch.autograd.grad(grad_x, (grad_y, x), v, retain_graph=True), x.numel()

    return make


def of_channels(f):
    """A parameter for each of 64 channels."""

    def make():
        parameters = torch.full((64,), 0.25).requires_grad_()
        return with_gradient(lambda x: f(x, parameters), spread(4096, 64), spread(4096, 64))

    return make


def function(f, positive=False):
    def make():
        x = spread(1 << 16)
        x = x.abs() + 0.01 if positive else x
        y = torch.empty_like(x)
        return lambda: f(x, out=y), x.numel()

    return make


# In the order of the program's lines.
CALLS = [attention, axis, binary, focal, images, capped, z_loss, gate, router]
CALLS += [log_sum_exp, log_sum_exp_gradient, smoothed, double_backward(F.gelu), double_backward(torch.tanh)]
CALLS += [of_channels(F.prelu), of_channels(lambda x, betas: x * torch.sigmoid(betas * x))]
CALLS += [function(f) for f in [torch.sin, torch.erf, torch.exp2]]
CALLS += [function(f, positive=True) for f in [torch.log1p, torch.rsqrt]]


def main():
    torch.manual_seed(1)
    cargo = ["cargo", "run", "--quiet", "--release", "--manifest-path", str(HERE / "Cargo.toml"), "--bin", "layers"]
    calls = [make() for make in CALLS]
    rows = {}
    for _ in range(ROUNDS):
        lines = subprocess.run(cargo, check=True, capture_output=True, text=True).stdout.splitlines()
        assert len(lines) == len(calls), "a call of PyTorch for each line"
        for line, (call, n) in zip(lines, calls):
            name, ours, passes = line.split("\t")
            times = [float(ours), float(passes), least(call) / n]
            rows[name] = [min(pair) for pair in zip(times, rows.get(name, times))]
    print("| ns an element, `f32`, one thread | ours | several passes | / ours | PyTorch | / ours |\n|---|--:|--:|--:|--:|--:|")
    for name, (ours, passes, theirs) in rows.items():
        print(f"| {name} | {ours:.2f} | {passes:.2f} | {passes / ours:.1f} | {theirs:.2f} | {theirs / ours:.1f} |")
    print(f"\nPyTorch {torch.__version__}. The third and the fifth number are ratios to ours.")


main()
