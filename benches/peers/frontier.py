"""Draws time against worst error, a point for each library and each mode of this crate: `python frontier.py PICTURE.svg`.

Runs `cargo bench --bench frontier`, which has the Rust libraries, and adds PyTorch, ONNX Runtime and NumPy, whichever is
installed. Prints the numbers. Needs cargo, NumPy and matplotlib.
"""

import csv
import math
import subprocess
import sys
from pathlib import Path

import compare
import numpy

FUNCTIONS = ("sigmoid", "tanh", "gelu", "softmax")
FOLDER = Path(__file__).resolve().parent
# Errors below are drawn there; an error of 2^24 ULP is a zero, or a NaN, where another number is right.
LEAST, GREATEST = 0.4, 2.0**24
OURS = ("activations", "Fast", "Exact")


def wide_inputs(name):
    """The same as in benches/frontier.rs."""
    if name == "softmax":
        scale = numpy.where(numpy.arange(compare.SIZE) // compare.ROW_LEN % 2 == 0, 1, 10)
        return numpy.array(compare.inputs(), numpy.float32) * scale.astype(numpy.float32)
    x = numpy.arange(0, 2**32, 65_521, dtype=numpy.uint32).view(numpy.float32)
    return x[numpy.isfinite(x)]


def exact(name, x):
    x = x.astype(numpy.float64)
    if name == "softmax":
        x = x.reshape(-1, compare.ROW_LEN)
        e = numpy.exp(x - x.max(axis=1, keepdims=True))
        return (e / e.sum(axis=1, keepdims=True)).reshape(-1)
    with numpy.errstate(all="ignore"):
        return {
            "sigmoid": lambda: numpy.where(x < 0, numpy.exp(x) / (1 + numpy.exp(x)), 1 / (1 + numpy.exp(-x))),
            "tanh": lambda: numpy.tanh(x),
            "gelu": lambda: x * 0.5 * numpy.array([math.erfc(-x / math.sqrt(2)) for x in x]),
        }[name]()


def worst(y, exact):
    exact = numpy.where(numpy.isnan(exact), 0, exact)
    exponent = numpy.maximum(numpy.frexp(exact)[1] - 1, -126)
    with numpy.errstate(all="ignore"):
        errors = abs(y.astype(numpy.float64) - exact) / numpy.ldexp(1.0, exponent - 23)
    return min(numpy.where(numpy.isnan(errors), GREATEST, errors).max(), GREATEST)


def rust():
    """Times over ours and errors of what is in Rust: {function: {name: (time, error)}}."""
    command = ["cargo", "bench", "--quiet", "--bench", "frontier"]
    done = subprocess.run(command, cwd=FOLDER, stdout=subprocess.PIPE, text=True, check=True)
    points = {name: {} for name in FUNCTIONS}
    for row in csv.DictReader(done.stdout.splitlines()):
        points[row["function"]][row["library"]] = float(row["nanoseconds"]), min(float(row["worst"]), GREATEST)
    for of_one in points.values():
        ours = of_one["activations"][0]
        of_one.update({name: (time / ours, error) for name, (time, error) in of_one.items()})
    return points


def other_languages(points):
    ours, x = compare.Ours(), compare.inputs()
    for name in FUNCTIONS:
        wide = wide_inputs(name)
        expected = exact(name, wide)
        timers = {"ours": lambda name=name: ours.measure("default", name, "forward", "float32")}
        for library, make in compare.libraries().items():
            if made := make(name, "forward", "float32", x):
                timers[library] = lambda call=made[0]: compare.measure(call)
                call, out = make(name, "forward", "float32", wide)
                with numpy.errstate(all="ignore"):
                    call()
                points[name][library] = None, worst(numpy.asarray(out).reshape(-1), expected)
        times = compare.in_turn(timers)
        for library in times.keys() - {"ours"}:
            points[name][library] = times[library] / times["ours"], points[name][library][1]


def label(library):
    return "default" if library == "activations" else library.rstrip("0123456789.").strip()


def groups(of_one):
    """Points that would lie on one another share a label: [(names, time, error)]."""
    found = []
    for library, (time, error) in sorted(of_one.items(), key=lambda point: point[1]):
        near = (group for group in found if time / group[1] < 1.25 and 0.5 < error / group[2] < 2)
        if library not in OURS and (group := next(near, None)) and group[0][0] not in OURS:
            group[0].append(library)
        else:
            found.append(([library], time, error))
    return found


def draw(points, path):
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    pyplot.rcParams.update({"svg.hashsalt": "frontier", "font.size": 10})
    figure, axes = pyplot.subplots(1, len(points), figsize=(13, 4.6), sharey=True)
    for plot, (name, of_one) in zip(axes, points.items()):
        for names, time, error in groups(of_one):
            is_ours = names[0] in OURS
            colour = "tab:blue" if is_ours else "0.35"
            place = time, max(error, LEAST)
            plot.plot(*place, "o", color=colour, markersize=8 if is_ours else 5)
            text = ", ".join(map(label, names))
            plot.annotate(
                text, place, xytext=(3, 5), textcoords="offset points", fontsize=9, color=colour, rotation=48,
                rotation_mode="anchor", weight="bold" if is_ours else "normal",
            )
        plot.set_title(name if name != "softmax" else f"softmax, rows of {compare.ROW_LEN}")
        plot.set_xscale("log")
        plot.set_yscale("log")
        plot.set_xlim(0.4, 150)
        plot.set_ylim(LEAST / 1.5, GREATEST * 3000)
        plot.set_xticks([0.5, 1, 2, 5, 10, 30, 100], labels=["0.5", "1", "2", "5", "10", "30", "100"])
        plot.minorticks_off()
        plot.grid(color="0.92")
        plot.set_axisbelow(True)
        plot.set_xlabel("time over the default's")
    axes[0].set_yticks([0.5, 2, 10, 1e3, 1e5, 1e7], labels=["0.5", "2", "10", "$10^3$", "$10^5$", "$10^7$"])
    axes[0].set_ylabel("worst error in ULP")
    figure.patch.set_facecolor("white")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None, "Creator": None})


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: python frontier.py PICTURE.svg")
    points = rust()
    other_languages(points)
    print(f"{compare.machine()}, one thread, f32. Time as a ratio to the default's; worst error in ULP.\n")
    print("| | | time / default | worst error |\n|---|---|--:|--:|")
    for name, of_one in points.items():
        for library, (time, error) in sorted(of_one.items(), key=lambda point: point[1]):
            error = f"{error:.2f}" if error < 1e4 else f"{error:.0e}".replace("e+0", "e")
            print(f"| {name} | {library} | {time:.2f} | {error} |")
    draw(points, sys.argv[1])


if __name__ == "__main__":
    main()
