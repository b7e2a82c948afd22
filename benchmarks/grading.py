"""How long a class takes: ours beside stock `nbgrader autograde`, in one run on one machine.

    python -m benchmarks.grading [--hand-ins 10] [--assignment activations]

Both grade the same right hand-ins into a gradebook, one after the other, with the same visible checks: stock nbgrader runs
`check(...)` in a Jupyter kernel as part of the notebook; ours runs the hand-in in the sandbox and the checks outside,
hidden ones too. Cells that only show are taken out, so that stock need not run them. What is paid once a release, the
reference values under the secret seed, is timed by itself (`bake`).
"""

import argparse
import json
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat

from grader.classroom import Grader, into_gradebook
from grader.course import Course
from grader.notebooks import build_release, filled_notebook


def a_course(root: Path, here: Course, assignment: str, hand_ins: int) -> Course:
    """A course in `root` with one released assignment and a class that handed it in, all right."""
    course = here.copied_to(root)
    build_release([assignment], course.assignments, register=True, course=course)
    notebook = filled_notebook(assignment, course=course)
    notebook.cells = [cell for cell in notebook.cells if "show" not in cell.metadata.get("tags", [])]
    for number in range(hand_ins):
        path = course.submitted / f"{number:04}" / assignment / f"{assignment}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(notebook, path)
    return course


def bake(course: Course, assignment: str) -> list[float]:
    """Compute the reference values; no marks come of it."""
    with Grader(course) as grader:
        grader.book(assignment)
    return []


def ours(course: Course, assignment: str) -> list[float]:
    """Grade by `grader grade`: results, then the gradebook."""
    into_gradebook(course, assignment)
    return marks(course, assignment)


def stock(course: Course, assignment: str) -> list[float]:
    """Grade by nbgrader as it comes."""
    api = stock_nbgrader(course)
    for student in sorted(path.name for path in course.submitted.iterdir()):
        succeeded(api.autograde(assignment, student))
    return marks(course, assignment)


def stock_nbgrader(course: Course, seconds: int = 30) -> Any:
    """nbgrader as it comes, in the folders of a course; a cell may take this long."""
    from nbgrader.apps import NbGraderAPI
    from traitlets.config import Config

    folders = {
        "root": str(course.root),
        "source_directory": "build/source",
        "release_directory": "assignments",
    }
    return NbGraderAPI(config=Config(CourseDirectory=Config(folders), Execute=Config(timeout=seconds)))


def into_stock(course: Course, assignment: str) -> None:
    """Release once more for stock nbgrader: no cells that only show, and check cells that need no other cell.

    Their kernel must not know that it grades, or `check` refuses to run there.
    """
    path = course.root / "build" / "source" / assignment / f"{assignment}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if "show" not in cell.metadata.get("tags", [])]
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade"):
            cell.source = f"import os\nos.environ.pop('NBGRADER_EXECUTION', None)\nfrom grader import check\n{cell.source}"
    nbformat.write(notebook, path)
    succeeded(stock_nbgrader(course).generate_assignment(assignment))


def succeeded(ran: dict[str, Any]) -> None:
    """Raise where nbgrader says that it failed."""
    if not ran["success"]:
        raise RuntimeError(ran["error"])


def marks(course: Course, assignment: str) -> list[float]:
    """Every mark in the gradebook."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course.root / 'gradebook.db'}") as gradebook:
        return [submission.score for submission in gradebook.assignment_submissions(assignment)]


def timed(
    grade: Callable[[Course, str], list[float]], course: Course, assignment: str
) -> tuple[float, list[float]]:
    """Seconds that grading takes, and the marks it gives."""
    started = time.perf_counter()
    given = grade(course, assignment)
    return time.perf_counter() - started, given


def main() -> None:
    """Measure and print the ratio, and one line of JSON."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hand-ins", type=int, default=10)
    parser.add_argument("--assignment", default="activations")
    asked = parser.parse_args()
    here = Course.find()
    seconds = {}
    with tempfile.TemporaryDirectory() as folder:
        for grade in (ours, stock):
            course = a_course(Path(folder) / grade.__name__, here, asked.assignment, asked.hand_ins)
            if grade is stock:
                into_stock(course, asked.assignment)
            else:
                seconds["bake"], _ = timed(bake, course, asked.assignment)
            seconds[grade.__name__], given = timed(grade, course, asked.assignment)
            if len(given) != asked.hand_ins or len(set(given)) != 1:
                raise RuntimeError(f"{grade.__name__}: unexpected marks {given}")
    ratio = seconds["stock"] / seconds["ours"]
    each = {name: seconds[name] / asked.hand_ins for name in ("ours", "stock")}
    print(
        f"{asked.hand_ins} hand-ins of {asked.assignment}: ours {each['ours']:.2f} s each, stock nbgrader {each['stock']:.2f} s each, {ratio:.1f} times faster"
    )
    print(
        json.dumps(
            {"assignment": asked.assignment, "hand_ins": asked.hand_ins, "seconds": seconds, "ratio": ratio}
        )
    )


if __name__ == "__main__":
    main()
