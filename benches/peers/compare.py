"""This crate beside PyTorch, ONNX Runtime and NumPy, in turn, on one thread: prints a Markdown table like the one of `table`.

Needs cargo, and whichever of the libraries is to be measured (ONNX Runtime: onnxruntime and onnx).
`--level avx2` and `--level baseline` measure this crate and PyTorch as on a CPU without AVX-512, or with SSE2 alone.
"""

import argparse
import itertools
import math
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

LEVELS = ("best", "avx2", "baseline")
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--level", choices=LEVELS, default="best", help="the CPU level of this crate and of PyTorch")
LEVEL = parser.parse_known_args()[0].level

# Read by the libraries when they are imported.
if LEVEL != "best":
    os.environ["ATEN_CPU_CAPABILITY"] = {"avx2": "avx2", "baseline": "default"}[LEVEL]
    # PyTorch computes GELU with oneDNN, which looks at the CPU itself.
    os.environ["ONEDNN_MAX_CPU_ISA"] = {"avx2": "AVX2", "baseline": "SSE41"}[LEVEL]
os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

try:
    import numpy
except ImportError:
    numpy = None
try:
    import torch

    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
except ImportError:
    torch = None

try:
    import onnx
    import onnxruntime
except ImportError:
    onnxruntime = None

SIZE = 65_536
ROUNDS = 7
REPETITIONS = 200
ROW_LEN = 1024
SQRT_2_OVER_PI = math.sqrt(2 / math.pi)

FUNCTIONS = ("sigmoid", "tanh", "gelu", "gelu_tanh", "silu", "elu", "softplus", "softmax")
# PyTorch's gradients of these start from the output, which it keeps, and so do ours here.
FROM_OUTPUT = ("sigmoid", "tanh", "softmax")
MODES = ("fast", "exact")


def inputs():
    """The inputs that the Rust benches use: SplitMix64, spread over [-6, 6]."""
    mask, state, numbers = (1 << 64) - 1, 0x9E37_79B9_7F4A_7C15, []
    for _ in range(SIZE):
        state = (state + 0x9E37_79B9_7F4A_7C15) & mask
        z = ((state ^ (state >> 30)) * 0xBF58_476D_1CE4_E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB) & mask
        numbers.append((z ^ (z >> 31)) / mask * 12 - 6)
    return numbers


def numpy_call(name, direction, dtype, x):
    """A call into NumPy and its output, or None where there is no such function. It has only exp and tanh: the rest is
    composed of them, each step into the same buffer. It has no erf, and no gradients."""
    x = numpy.array(x, dtype)
    y = numpy.empty_like(x)

    def sigmoid():
        numpy.negative(x, out=y)
        numpy.exp(y, out=y)
        numpy.add(y, 1, out=y)
        numpy.reciprocal(y, out=y)

    def gelu_tanh():
        numpy.multiply(x, x, out=y)
        numpy.multiply(y, 0.044715 * SQRT_2_OVER_PI, out=y)
        numpy.add(y, SQRT_2_OVER_PI, out=y)
        numpy.multiply(y, x, out=y)
        numpy.tanh(y, out=y)
        numpy.add(y, 1, out=y)
        numpy.multiply(y, x, out=y)
        numpy.multiply(y, 0.5, out=y)

    def silu():
        sigmoid()
        numpy.multiply(y, x, out=y)

    def softmax():
        rows, out = x.reshape(-1, ROW_LEN), y.reshape(-1, ROW_LEN)
        numpy.subtract(rows, rows.max(axis=1, keepdims=True), out=out)
        numpy.exp(out, out=out)
        numpy.divide(out, out.sum(axis=1, keepdims=True), out=out)

    calls = {
        "sigmoid": sigmoid,
        "tanh": lambda: numpy.tanh(x, out=y),
        "gelu_tanh": gelu_tanh,
        "silu": silu,
        "softmax": softmax,
    }
    call = calls.get(name) if direction == "forward" else None
    return call and (call, y)


def torch_call(name, direction, dtype, x):
    """A call into PyTorch and its output, which is given wherever there is such a form."""
    aten = torch.ops.aten
    x = torch.tensor(x, dtype=getattr(torch, dtype))
    if name == "softmax":
        x = x.reshape(-1, ROW_LEN)
    grad_y, out = x.clone(), torch.empty_like(x)
    if direction == "forward":
        calls = {
            "sigmoid": lambda: torch.sigmoid(x, out=out),
            "tanh": lambda: torch.tanh(x, out=out),
            "gelu": lambda: aten.gelu.out(x, approximate="none", out=out),
            "gelu_tanh": lambda: aten.gelu.out(x, approximate="tanh", out=out),
            "silu": lambda: aten.silu.out(x, out=out),
            "elu": lambda: aten.elu.out(x, out=out),
            "softplus": lambda: aten.softplus.out(x, out=out),
            "softmax": lambda: aten._softmax.out(x, -1, False, out=out),
        }
    else:
        y = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "softmax": lambda x: torch.softmax(x, -1)}
        y = y[name](x) if name in FROM_OUTPUT else None
        calls = {
            "sigmoid": lambda: aten.sigmoid_backward.grad_input(grad_y, y, grad_input=out),
            "tanh": lambda: aten.tanh_backward.grad_input(grad_y, y, grad_input=out),
            "gelu": lambda: aten.gelu_backward.grad_input(grad_y, x, approximate="none", grad_input=out),
            "gelu_tanh": lambda: aten.gelu_backward.grad_input(grad_y, x, approximate="tanh", grad_input=out),
            "silu": lambda: aten.silu_backward.grad_input(grad_y, x, grad_input=out),
            "elu": lambda: aten.elu_backward.grad_input(grad_y, 1, 1, 1, False, x, grad_input=out),
            "softplus": lambda: aten.softplus_backward.grad_input(grad_y, x, 1, 20, grad_input=out),
            "softmax": lambda: aten._softmax_backward_data.out(grad_y, y, -1, x.dtype, grad_input=out),
        }
    return calls[name], out


def onnx_call(name, direction, dtype, x):
    """A call into ONNX Runtime with inputs and outputs where they are, or None where there is no such operator."""
    operators = {
        "sigmoid": ("Sigmoid", {}),
        "tanh": ("Tanh", {}),
        "gelu": ("Gelu", {}),
        "gelu_tanh": ("Gelu", {"approximate": "tanh"}),
        "elu": ("Elu", {}),
        "softplus": ("Softplus", {}),
        "softmax": ("Softmax", {"axis": -1}),
    }
    if direction != "forward" or name not in operators:
        return None
    x = numpy.array(x, dtype)
    x = x.reshape(-1, ROW_LEN) if name == "softmax" else x
    operator, attributes = operators[name]
    element = {"float32": onnx.TensorProto.FLOAT, "float64": onnx.TensorProto.DOUBLE}[dtype]
    tensors = [onnx.helper.make_tensor_value_info(tensor, element, x.shape) for tensor in ("x", "y")]
    node = onnx.helper.make_node(operator, ["x"], ["y"], **attributes)
    graph = onnx.helper.make_graph([node], name, tensors[:1], tensors[1:])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 20)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except onnxruntime.capi.onnxruntime_pybind11_state.NotImplemented:
        return None
    y = numpy.empty_like(x)
    binding = session.io_binding()
    binding.bind_input("x", "cpu", 0, x.dtype, x.shape, x.ctypes.data)
    binding.bind_output("y", "cpu", 0, y.dtype, y.shape, y.ctypes.data)

    def call():
        session.run_with_iobinding(binding)

    # It does not own them.
    call.arrays = x, y
    return call, y


def libraries():
    """The libraries that are installed: how to call each, by name and version."""
    found = {}
    for name, module, call in (
        ("PyTorch", torch, torch_call),
        ("ONNX Runtime", onnxruntime, onnx_call),
        ("NumPy", numpy, numpy_call),
    ):
        if module is None:
            print(f"SKIPPED: {name} is not installed for {Path(sys.executable).name}", file=sys.stderr)
        elif LEVEL == "best" or name == "PyTorch":
            found[f"{name} {module.__version__.partition('+')[0]}"] = call
    return found


def check(what, name, direction, x, out):
    """Fails if a library's outputs on the first row are not those of the formula, or of its numerical derivative."""
    formulas = {
        "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
        "tanh": math.tanh,
        "gelu": lambda x: x * (1 + math.erf(x / math.sqrt(2))) / 2,
        "gelu_tanh": lambda x: x * (1 + math.tanh(SQRT_2_OVER_PI * (x + 0.044715 * x**3))) / 2,
        "silu": lambda x: x / (1 + math.exp(-x)),
        "elu": lambda x: x if x > 0 else math.expm1(x),
        "softplus": lambda x: math.log1p(math.exp(x)),
    }
    x = x[:ROW_LEN]
    if name == "softmax":
        total = sum(map(math.exp, x))
        expected = [math.exp(x) / total for x in x]
        if direction == "backward":
            mean = sum(p * g for p, g in zip(expected, x))
            expected = [p * (g - mean) for p, g in zip(expected, x)]
    elif direction == "forward":
        expected = [formulas[name](x) for x in x]
    else:
        f, h = formulas[name], 1e-4
        expected = [x * (f(x + h) - f(x - h)) / (2 * h) for x in x]
    # Probabilities are far below one, and so must be what passes for equal.
    absolute = 1e-4 * min(1, max(map(abs, expected)))
    for x, y, expected in zip(x, out.reshape(-1)[:ROW_LEN].tolist(), expected):
        if not math.isclose(y, expected, rel_tol=1e-3, abs_tol=absolute):
            sys.exit(f"{what} is another function: at {x} it gives {y}, the formula {expected}")


def measure(call):
    """The median of the times of a call, in nanoseconds an element. The first call, on cold caches, is not timed."""
    call()
    times = []
    for _ in range(REPETITIONS):
        start = time.perf_counter_ns()
        call()
        times.append(time.perf_counter_ns() - start)
    return statistics.median(times) / SIZE


class Ours:
    """The program `ours`, which times this crate: a request a line, an answer a line."""

    def __init__(self):
        command = ["cargo", "run", "--quiet", "--release", "--bin", "ours"]
        folder = Path(__file__).resolve().parent
        self.program = subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def measure(self, mode, name, direction, dtype):
        row_len = ROW_LEN if name == "softmax" else 0
        dtype = {"float32": "f32", "float64": "f64"}[dtype]
        request = mode, LEVEL, name, direction, dtype, SIZE, row_len, REPETITIONS
        print(*request, file=self.program.stdin, flush=True)
        answer = self.program.stdout.readline().strip()
        if not answer or answer.startswith("error"):
            sys.exit(f"`ours` on {' '.join(map(str, request))}: {answer or 'no answer'}")
        return float(answer)


def machine():
    """The CPU's name, as Linux gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown CPU")


def in_turn(timers):
    """The median time of each. They take turns, so that what slows the machine down for a while slows all of them down."""
    times = {name: [] for name in timers}
    for _ in range(ROUNDS):
        for name, timer in timers.items():
            times[name].append(timer())
    return {name: statistics.median(of_one) for name, of_one in times.items()}


def main():
    parser.parse_args()
    installed, ours, x = libraries(), Ours(), inputs()
    columns = [*(mode.capitalize() for mode in MODES), *installed]
    log_ratios = {column: [] for column in columns}
    print(f"{machine()}, level {LEVEL}, one thread.")
    print("The first column of numbers is our time. All others are ratios, their time over ours: above 1, ours is faster.\n")
    print("| | ours, ns an element |", *(f"{column} / ours |" for column in columns))
    print("|---|--:|" + "--:|" * len(columns))
    for dtype, direction, name in itertools.product(("float32", "float64"), ("forward", "backward"), FUNCTIONS):
        timers = {}
        for library, make in installed.items():
            if made := make(name, direction, dtype, x):
                call, out = made
                call()
                check(f"{library}, {name} {direction} {dtype}", name, direction, x, out)
                timers[library] = lambda call=call: measure(call)
        from_output = direction == "backward" and name in FROM_OUTPUT
        way = "backward_from_output" if from_output else direction
        timers["ours"] = lambda: ours.measure("default", name, way, dtype)
        for mode in MODES if dtype == "float32" and not from_output and direction == "forward" else ():
            timers[mode.capitalize()] = lambda mode=mode: ours.measure(mode, name, way, dtype)

        times = in_turn(timers)
        rows_of = f", rows of {ROW_LEN}" if name == "softmax" else ""
        line = f"| {name}{rows_of}, {direction}{' from y' if from_output else ''}, {dtype} | {times['ours']:.3f} |"
        for column in columns:
            if column in times:
                ratio = times[column] / times["ours"]
                log_ratios[column].append(math.log(ratio))
                line += f" {ratio:.2f} |"
            else:
                line += " |"
        print(line, flush=True)
    means = (f" {math.exp(statistics.mean(logs)):.2f} |" if logs else " |" for logs in log_ratios.values())
    print("| geometric mean | |" + "".join(means))


if __name__ == "__main__":
    main()
