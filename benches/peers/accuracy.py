"""This crate beside PyTorch and NumPy: the errors of values and derivatives in ULP, against mpmath with 60 digits.

Needs cargo, NumPy and mpmath; PyTorch if it is to be measured; matplotlib for --picture.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import numpy
from mpmath import mpf

try:
    import torch
except ImportError:
    torch = None

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent.parent / "tools"))
# The exact functions from which the tables of the crate's tests are made.
from tables import FUNCTIONS as EXACT  # noqa: E402

SQRT_2_OVER_PI = (2 / numpy.pi) ** 0.5
PARTS = ("forward", "derivative")
# Derivatives that cross zero away from 0: near the root, the spacing at 1/16 counts, for all libraries.
CROSSING = ("gelu", "gelu_tanh", "silu", "mish")
DRAWN = ("sigmoid", "tanh", "gelu", "gelu_tanh", "silu", "elu", "softplus", "mish")
ALSO = ("selu", "log_sigmoid", "softsign", "tanhshrink")


def inputs(dtype):
    """Evenly spread where functions bend and in their tails, and magnitudes of all sizes near 0."""
    rng = numpy.random.default_rng(1)
    magnitudes = 2.0 ** rng.uniform(-126, 5, 1000)
    spread = [rng.uniform(-20, 20, 4000), rng.uniform(-110, -20, 500), rng.uniform(20, 110, 100)]
    return numpy.unique(numpy.concatenate([*spread, magnitudes, -magnitudes]).astype(dtype))


def numpy_results(name, part, x):
    """As users of NumPy write it; None where it has not the means: erf."""
    one, half = x.dtype.type(1), x.dtype.type(0.5)

    def sigmoid(x):
        return one / (one + numpy.exp(-x))

    def silu_derivative(x):
        s = sigmoid(x)
        return s * (one + x * (one - s))

    calls = {
        ("sigmoid", "forward"): sigmoid,
        ("sigmoid", "derivative"): lambda x: sigmoid(x) * (one - sigmoid(x)),
        ("tanh", "forward"): numpy.tanh,
        ("tanh", "derivative"): lambda x: one - numpy.tanh(x) ** 2,
        ("gelu_tanh", "forward"): lambda x: half
        * x
        * (one + numpy.tanh(x.dtype.type(SQRT_2_OVER_PI) * (x + x.dtype.type(0.044715) * x**3))),
        ("silu", "forward"): lambda x: x * sigmoid(x),
        ("silu", "derivative"): silu_derivative,
        ("elu", "forward"): lambda x: numpy.where(x > 0, x, numpy.expm1(x)),
        ("elu", "derivative"): lambda x: numpy.where(x > 0, one, numpy.exp(x)),
        ("softplus", "forward"): lambda x: numpy.logaddexp(x.dtype.type(0), x),
        ("softplus", "derivative"): sigmoid,
        ("mish", "forward"): lambda x: x * numpy.tanh(numpy.logaddexp(x.dtype.type(0), x)),
        ("log_sigmoid", "forward"): lambda x: -numpy.logaddexp(x.dtype.type(0), -x),
        ("log_sigmoid", "derivative"): lambda x: sigmoid(-x),
        ("softsign", "forward"): lambda x: x / (one + abs(x)),
        ("softsign", "derivative"): lambda x: one / (one + abs(x)) ** 2,
        ("tanhshrink", "forward"): lambda x: x - numpy.tanh(x),
        ("tanhshrink", "derivative"): lambda x: numpy.tanh(x) ** 2,
    }
    call = calls.get((name, part))
    with numpy.errstate(all="ignore"):
        return call and call(x)


def torch_results(name, part, x):
    """The function, or its gradient by autograd."""
    functional = torch.nn.functional
    calls = {
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "gelu_tanh": lambda x: functional.gelu(x, approximate="tanh"),
        "log_sigmoid": functional.logsigmoid,
    }
    x = torch.tensor(x, requires_grad=True)
    y = calls.get(name, getattr(functional, name, None))(x)
    if part == "derivative":
        y.backward(torch.ones_like(y))
        return x.grad.numpy()
    return y.detach().numpy()


def our_results(name, part, x):
    command = ["cargo", "run", "--quiet", "--release", "--bin", "values", "--"]
    command += [name, part, {"float32": "f32", "float64": "f64"}[x.dtype.name]]
    done = subprocess.run(command, cwd=FOLDER, input=x.tobytes(), stdout=subprocess.PIPE)
    if done.returncode != 0:
        sys.exit(f"`values` failed on {name}, {part}")
    return numpy.frombuffer(done.stdout, x.dtype)


def exact_results(name, part, x):
    """As two floats whose sum is the exact number."""
    f = EXACT[name][PARTS.index(part)]
    exact = [f(mpf(float(x))) for x in x]
    hi = numpy.array([float(y) for y in exact])
    return hi, numpy.array([float(y - mpf(float(h))) for y, h in zip(exact, hi)])


def errors(got, exact, floor):
    """|got - exact| over the spacing of the type at the exact number, as the crate counts."""
    (hi, lo), info = exact, numpy.finfo(got.dtype)
    exponent = numpy.maximum(numpy.frexp(numpy.maximum(abs(hi), floor))[1] - 1, info.minexp)
    spacing = numpy.ldexp(1.0, exponent - info.nmant)
    with numpy.errstate(all="ignore"):
        in_ulp = abs((got.astype(numpy.float64) - hi) - lo) / spacing
    return numpy.where(numpy.isnan(in_ulp), numpy.inf, in_ulp)


def number(error):
    return f"{error:.2f}" if error < 1000 else f"{error:.0e}".replace("e+0", "e").replace("e+", "e")


def title(name, part):
    return name + ("'" if part == "derivative" else "")


def draw(panels, libraries, path):
    """The greatest error of each library in each of many short intervals."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    edges, top, bottom = numpy.linspace(-16, 16, 129), 1e8, 0.05
    columns = 4
    figure, axes = pyplot.subplots(len(panels) // columns, columns, figsize=(13, 11), sharex=True, sharey=True)
    # Thick below thin, for PyTorch and NumPy often agree.
    styles = dict(zip(libraries, (("tab:blue", 1.3), ("tab:red", 2), ("tab:green", 3.5))))
    for (heading, x, of_each), plot in zip(panels, axes.flat):
        place = numpy.digitize(x, edges) - 1
        for library, error in reversed(of_each.items()):
            greatest = numpy.array([error[place == i].max(initial=0) for i in range(len(edges) - 1)])
            colour, width = styles[library]
            plot.stairs(numpy.clip(greatest, bottom, top), edges, baseline=None, color=colour, linewidth=width)
        plot.set_title(heading, fontsize=11, pad=4)
        plot.set_yscale("log")
        plot.set_ylim(bottom, 2 * top)
        plot.set_xlim(edges[0], edges[-1])
        plot.set_xticks(range(-16, 17, 8))
        plot.set_yticks([10.0**k for k in range(-1, 9)], labels=["0.1", "1", "10", *(f"$10^{k}$" for k in range(2, 9))])
        plot.minorticks_off()
        plot.set_axisbelow(True)
        plot.grid(color="0.9", linewidth=0.6)
        plot.tick_params(labelsize=8)
    lines = [pyplot.Line2D([], [], color=colour, linewidth=width) for colour, width in styles.values()]
    figure.legend(lines, list(libraries), loc="upper center", ncols=len(lines), frameon=False, fontsize=12)
    figure.supxlabel("x", fontsize=11)
    figure.supylabel("greatest error in 1/4 of x, in ULP of float32", fontsize=11)
    figure.tight_layout(rect=(0.01, 0, 1, 0.965))
    figure.savefig(path, dpi=90, metadata={"Software": None})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--picture", metavar="PATH", help="draws the errors over x, in float32")
    picture = parser.parse_args().picture

    libraries = {"this crate": our_results}
    if torch is None:
        print(f"SKIPPED: PyTorch is not installed for {Path(sys.executable).name}", file=sys.stderr)
    else:
        libraries[f"PyTorch {torch.__version__.partition('+')[0]}"] = torch_results
    libraries[f"NumPy {numpy.__version__}"] = numpy_results

    panels = []
    print("| |", *(f"{library} | at x = |" for library in libraries))
    print("|---|" + "--:|--:|" * len(libraries))
    for dtype in ("float32", "float64"):
        x = inputs(dtype)
        for name in (*DRAWN, *ALSO):
            for part in PARTS:
                exact, of_each = exact_results(name, part, x), {}
                floor = 1 / 16 if part == "derivative" and name in CROSSING else 0
                line = f"| {title(name, part)}, {dtype} |"
                for library, results in libraries.items():
                    got = results(name, part, x)
                    if got is None:
                        line += " | |"
                        continue
                    assert got.dtype == dtype, f"{library}, {name}: {got.dtype}"
                    of_each[library] = errors(got, exact, floor)
                    worst = of_each[library].argmax()
                    line += f" {number(of_each[library][worst])} | {x[worst]:.4g} |"
                print(line, flush=True)
                if name in DRAWN and dtype == "float32":
                    panels.append((title(name, part), x, of_each))
    if picture:
        draw(panels, libraries, picture)


if __name__ == "__main__":
    main()
