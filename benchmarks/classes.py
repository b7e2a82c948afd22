"""The courses and classes that benchmarks grade, by our commands and by stock nbgrader."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from examples.make_classroom import differently_right, hand_ins
from grader.classroom import Grader
from grader.course import Course
from grader.notebooks import build_release, solution_answers

GRADER = (sys.executable, "-P", "-c", "from grader.cli import main; main()")


def a_course(root: Path, assignment: str) -> Course:
    """A course in `root` with one released assignment, and nobody in it."""
    course = Course.find(Path(__file__)).copied_to(root)
    build_release([assignment], course.assignments, register=True, course=course)
    return course


def baked(course: Course, assignment: str) -> Course:
    """The course with the secret seed and the reference values of the one that this benchmark is in."""
    here = Course.find(Path(__file__))
    with Grader(here) as grader:
        grader.book(assignment).keep(course.private / "cases")
    shutil.copy(here.private / "seed", course.private)
    return course


def hand_in(course: Course, assignment: str, texts: Iterable[str]) -> list[str]:
    """Hand in notebooks, a student each; returns the students."""
    students = []
    for number, text in enumerate(texts):
        students.append(f"{number:05}")
        path = course.submitted / students[-1] / assignment / f"{assignment}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    return students


def right_class(release: Path, count: int) -> Iterator[str]:
    """Right notebooks, no two the same: by turns the solution's answers and differently written ones."""
    assignment = release.stem
    answers = cycle((solution_answers(assignment), differently_right(assignment)))
    for number, answer in enumerate(islice(answers, count)):
        notebook = nbformat.read(release, as_version=4)
        for cell in notebook.cells:
            if cell.metadata.get("nbgrader", {}).get("solution"):
                cell.source = answer[cell.metadata.nbgrader.grade_id]
        notebook.cells.insert(0, new_markdown_cell(f"Hand-in {number}", id="own"))
        yield nbformat.writes(notebook)


def mixed_class(assignment: str, count: int) -> Iterator[tuple[str, str]]:
    """The sample class again and again, no two hand-ins the same: the sample's student, and the text of the notebook."""
    for number, (kind, text) in enumerate(islice(cycle(hand_ins(assignment).items()), count)):
        yield kind, text.replace('"cells": [', f'"cells": [{" " * number}', 1)


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


def into_stock(course: Course, assignment: str, change: Callable[[NotebookNode], None]) -> None:
    """Release once more for stock nbgrader: without the cells that show, and with what `change` does to the notebook."""
    path = course.root / "build" / "source" / assignment / f"{assignment}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if "show" not in cell.metadata.get("tags", [])]
    change(notebook)
    nbformat.write(notebook, path)
    succeeded(stock_nbgrader(course).generate_assignment(assignment))


def succeeded(ran: dict[str, Any]) -> None:
    """Raise where nbgrader says that it failed."""
    if not ran["success"]:
        raise RuntimeError(ran["error"])


def marks(course: Course, assignment: str) -> dict[str, float]:
    """Student -> mark in the gradebook."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course.root / 'gradebook.db'}") as gradebook:
        return {each.student.id: each.score for each in gradebook.assignment_submissions(assignment)}


def seconds_of(command: Iterable[str], folder: Path, allowed: Iterable[int] = (0,)) -> float:
    """How long a command takes, its start included.

    Raises:
        RuntimeError: it ended with another code than is allowed.
    """
    started = time.perf_counter()
    ran = subprocess.run([*command], cwd=folder, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    if ran.returncode not in allowed:
        raise RuntimeError(f"{' '.join(command)}: {ran.stderr.strip()[-2000:]}")
    return seconds
