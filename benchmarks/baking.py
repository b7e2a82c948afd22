"""How long the references of a release take, with the Keras backend and the device that are here.

    python -m benchmarks.baking [activations losses] [--rounds 3] [--json FILE]
    KERAS_BACKEND=torch python -m benchmarks.baking

Computes every reference value that ships for the visible checks anew, all in this process, as `grader bake` does, and
compares each with what ships: as closely as checks do under TensorFlow, as closely as single precision allows under JAX
and PyTorch, in which Keras computes much in float32. This needs Keras and its backend, and of what else the course
imports NumPy and PyYAML alone. The first round pays for what a backend makes once (kernels, traces); the device is at
work by then. The import of Keras is timed by itself.
"""

import importlib
import time
from statistics import median
from typing import Any

from benchmarks.report import arguments, report
from grader.cases import CaseBook
from grader.compare import assert_close
from grader.course import syllabus

SINGLE, DOUBLE = {"rtol": 1e-4, "atol": 1e-5}, {"rtol": 1e-9, "atol": 1e-12}


def bake(book: CaseBook, references: Any, tolerance: dict[str, float]) -> float:
    """Compute every value of a book, and return the seconds it took.

    Raises:
        Mismatch: one is not as it ships.
    """
    started = time.perf_counter()
    values = {}
    for call, ((args, kwargs), _) in book.cases.items():
        values[call] = getattr(references, call.split()[-2])(*args, **kwargs)
    seconds = time.perf_counter() - started
    for call, (_, shipped) in book.cases.items():
        assert_close(values[call], shipped, **tolerance)
    return seconds


def main() -> None:
    """Measure, and print a line for each assignment and the device's."""
    parser = arguments(__doc__)
    parser.add_argument("names", nargs="*", default=list(syllabus()), metavar="ASSIGNMENT")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    started = time.perf_counter()
    from kerasref import backend, core

    imported = time.perf_counter() - started
    device = backend.device()
    print(f"The references run on {device}; importing them took {imported:.1f} s.")
    found: dict[str, Any] = {}
    for name in asked.names:
        references, book = importlib.import_module(f"kerasref.{name}"), CaseBook.public(name)
        seconds = []
        for _ in range(asked.rounds):
            core._memo = core._Memo(core.MEMO_BYTES)  # which would know them after the first
            seconds.append(bake(book, references, DOUBLE if backend.BACKEND == "tensorflow" else SINGLE))
        again = median(seconds[1:] or seconds)
        found[name] = {"values": len(book.cases), "seconds": seconds, "ratio": seconds[0] / again}
        print(
            f"{len(book.cases)} reference values of {name}: {seconds[0]:.3f} s at first, {again:.3f} s once everything is warm,"
            f" {found[name]['ratio']:.1f} times faster."
        )
    report(asked, {"device": device, "seconds_of_import": imported, "assignments": found})


if __name__ == "__main__":
    main()
