"""How long a class takes: ours beside stock nbgrader, in one run on one machine, command beside command.

    python -m benchmarks.grading [--hand-ins 40] [--kind numpy] [--json FILE]

Ours is `grader grade`, with as many workers as it takes of itself; stock is `nbgrader autograde`, with nbgrader's own
preprocessors. Both grade the same right answers, each hand-in another file, into a gradebook of their own; start of the
process included. Both give the same marks, full ones, or this fails. What is paid once a release, the reference values
under the secret seed, is timed by itself (`grader bake`); the ratio is given without and with it.

The check cells of the stock notebook are what a teacher writes: an `assert_allclose` for each value that the course's
visible checks ask for, on the same inputs, within the same tolerance. Of `numpy` the right values stand in the cells; of
`keras` the cells import Keras and compute them by the course's references, in the student's kernel. They leave out the
rest of the visible checks (arguments left alone, refusals, warnings) and the hidden ones, which ours runs too; nor do
these notebooks import or show anything else. So stock has less to do.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from nbformat import NotebookNode

from benchmarks.classes import GRADER, a_course, hand_in, into_stock, marks, right_class, seconds_of
from benchmarks.report import arguments, report
from grader.cases import CaseBook
from grader.exercise import exercises_of

ASSIGNMENTS = {"numpy": "activations", "keras": "losses"}
NBGRADER = (sys.executable, "-P", "-m", "nbgrader")
SETTINGS = """
c = get_config()
c.CourseDirectory.source_directory = "build/source"
c.CourseDirectory.release_directory = "assignments"
c.Execute.timeout = 120
"""
SINGLE, DOUBLE = {"rtol": 1e-5, "atol": 1e-6}, {"rtol": 1e-9, "atol": 1e-12}
Found = tuple[dict[str, float], dict[str, float]]  # seconds, and student -> mark


def ours(root: Path, assignment: str, count: int) -> Found:
    """Bake and grade as an instructor does."""
    course = a_course(root, assignment)
    hand_in(course, assignment, right_class(course.released(assignment), count))
    bake = seconds_of([*GRADER, "bake", assignment], root)
    return {"bake": bake, "ours": seconds_of([*GRADER, "grade", assignment], root)}, marks(course, assignment)


def stock(root: Path, assignment: str, count: int, kind: str) -> Found:
    """Grade by nbgrader as it comes."""
    course = a_course(root, assignment)
    into_stock(course, assignment, lambda notebook: with_asserts(notebook, assignment, kind))
    (root / "nbgrader_config.py").write_text(SETTINGS)
    hand_in(course, assignment, right_class(course.released(assignment), count))
    return {"stock": seconds_of([*NBGRADER, "autograde", assignment], root)}, marks(course, assignment)


def with_asserts(notebook: NotebookNode, assignment: str, kind: str) -> None:
    """Make the notebook a teacher's: NumPy imported, and asserts in the check cells."""
    notebook.cells = [cell for cell in notebook.cells if "import grader" not in cell.source]
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade"):
            exercise = cell.metadata.nbgrader.grade_id.removeprefix("check-")
            cell.source = asserts(assignment, exercises_of(assignment)[exercise].functions, kind)
        elif cell.cell_type == "code":
            lines = cell.source.splitlines()
            cell.source = "\n".join(line for line in lines if not line.startswith("from course import"))


def asserts(assignment: str, functions: tuple[str, ...], kind: str) -> str:
    """A check cell: what the visible checks compare of these functions."""
    lines = ["import numpy as np", "from numpy import inf, nan"]
    lines += [f"from kerasref import {assignment} as reference"] if kind == "keras" else []
    for call, ((args, kwargs), value) in CaseBook.public(assignment).cases.items():
        function = call.split()[-2]
        if function in functions:
            given = [*map(literal, args), *(f"{name}={literal(each)}" for name, each in kwargs.items())]
            called = f"{function}({', '.join(given)})"
            expected = f"reference.{called}" if kind == "keras" else literal(value)
            single = any(getattr(each, "dtype", None) == np.float32 for each in (*args, *kwargs.values()))
            tolerance = SINGLE if single else DOUBLE
            lines.append(f"np.testing.assert_allclose({called}, {expected}, **{tolerance})")
    return "\n".join(lines)


def literal(value: Any) -> str:
    """The source of a number, an array, or several in a tuple or a list."""
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, np.ndarray | np.generic):
        return f"np.array({value.tolist()!r}, {value.dtype.name!r}).reshape({np.shape(value)})"
    return repr(value)


def main() -> None:
    """Measure, and print the ratios."""
    parser = arguments(__doc__)
    parser.add_argument("--hand-ins", type=int, default=40, help="of each kind")
    parser.add_argument("--kind", choices=ASSIGNMENTS, help="one of them alone")
    asked = parser.parse_args()
    found: dict[str, Any] = {}
    for kind in [asked.kind] if asked.kind else ASSIGNMENTS:
        assignment, count = ASSIGNMENTS[kind], asked.hand_ins
        full = sum(exercise.points for exercise in exercises_of(assignment).values())
        with tempfile.TemporaryDirectory() as folder:
            seconds, given = ours(Path(folder) / "ours", assignment, count)
            more, given_by_stock = stock(Path(folder) / "stock", assignment, count, kind)
        seconds |= more
        if given != given_by_stock or list(given.values()) != [full] * count:
            raise RuntimeError(f"marks are not as they should be: ours {given}, stock {given_by_stock}")
        ratio = seconds["stock"] / seconds["ours"]
        baked = seconds["stock"] / (seconds["ours"] + seconds["bake"])
        found[kind] = {"assignment": assignment, "seconds": seconds, "ratio": ratio, "ratio_with_bake": baked}
        print(
            f"{count} {kind} hand-ins of {assignment}: ours {seconds['ours'] / count:.3f} s each, stock nbgrader"
            f" {seconds['stock'] / count:.2f} s each, {ratio:.1f} times faster;"
            f" with the {seconds['bake']:.1f} s of baking, {baked:.1f} times."
        )
    report(asked, found)


if __name__ == "__main__":
    main()
