"""What nbgrader's autograde does in this course, in the place of running notebooks in a kernel."""

from __future__ import annotations

import math
import os
import re
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbconvert.preprocessors import ExecutePreprocessor
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.converters.base import NbGraderException
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import parse_utc
from traitlets import Bool, Dict, Unicode
from traitlets.log import get_logger
from traitlets.utils.importstring import import_item

from grader.notebooks import UnreadableHandIn, read_hand_in, read_timestamp, rebuild
from grader.notebooks.clean import clean_outputs
from grader.notebooks.handin import with_remarks
from grader.report.exercise import exercise_html, exercise_text
from grader.report.plain import fit_for_a_name, plain
from grader.result import Result
from grader.settings import SANDBOXES, Settings

Resources = dict[str, Any]


class HandInExporter(NotebookExporter):
    """Rebuilds a hand-in from the released notebook before anything of nbgrader's looks at it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        _guard(self.parent)

    def from_filename(
        self, filename: str, resources: Resources | None = None, **kwargs: Any
    ) -> tuple[Any, Resources]:
        resources = resources if resources is not None else {}
        who = resources["nbgrader"]
        course: Any = self.parent.coursedir  # type: ignore[union-attr]
        resources["course_root"] = Path(course.root)
        folder = Path(course.format_path(course.submitted_directory, who["student"], who["assignment"]))
        path = resources["hand_in"] = folder / f"{who['notebook']}.ipynb"
        if Path(filename) != path:
            return super().from_filename(filename, resources, **kwargs)
        released = Path(course.format_path(course.release_directory, ".", who["assignment"])) / path.name
        release = nbformat.read(released, as_version=4)
        try:
            notebook = rebuild(read_hand_in(path), release).notebook()
        except UnreadableHandIn as unreadable:
            notebook = with_remarks(release, [f"This hand-in could not be read: {unreadable}."])
        output, resources = self.from_notebook_node(notebook, resources, **kwargs)
        if (timestamp := read_timestamp(folder)) is not None:
            resources.setdefault("outputs", {})["timestamp.txt"] = timestamp
        return output, resources


def made(autograde: Any, steps: Iterable[Any]) -> list[Any]:
    """Those of `autograde`'s preprocessors that are enabled."""
    each = [(import_item(step) if isinstance(step, str) else step)(parent=autograde) for step in steps]
    return [step for step in each if step.enabled]


def steps_of(autograde: Any) -> list[Any]:
    """What it takes a rebuilt hand-in through.

    Raises:
        NbGraderException: our grading is not among it, or a kernel is: a check that did not run would earn all its points.
    """
    steps = made(autograde, autograde.autograde_preprocessors)
    if any(isinstance(step, ExecutePreprocessor) for step in steps):
        raise NbGraderException(
            "c.Autograde.autograde_preprocessors has Execute: hand-ins run in the sandbox alone"
        )
    if not any(isinstance(step, Grade) for step in steps):
        raise NbGraderException(
            "c.Autograde.autograde_preprocessors has no grader.autograde.Grade that is enabled: nothing would be graded"
        )
    return steps


def _guard(autograde: Any) -> None:
    """Let `autograde` look for the assignment's own notebook alone, in every hand-in, whatever else is in there.

    Left to itself it follows links, copies every file into what is given back, and drops a hand-in
    whose notebook has another name or whose timestamp cannot be read.
    """
    steps_of(autograde)
    course = autograde.coursedir
    name = course.assignment_id
    place = re.compile(
        course.format_path(course.submitted_directory, "(?P<student>.*)", re.escape(name), escape=True)
    )
    autograde.assignments = {
        folder: [os.path.join(folder, f"{name}.ipynb")]
        for folder in autograde.assignments
        if (match := place.match(folder))
        and fit_for_a_name(match["student"])  # formgrader's pages have it as it is
    }
    if "*" not in course.ignore:
        course.ignore = [*course.ignore, "*"]  # nothing in a hand-in is copied
    course.get_existing_timestamp = lambda folder: time_of(read_timestamp(Path(folder)))


class Grade(NbGraderPreprocessor):
    """Writes into each check cell what our grading of the hand-in found: a report, and the mark.

    Fails closed: whatever goes wrong on our side, the mark is zero, says so, and asks for a look by hand.
    """

    limits = Dict(help="Limits of a hand-in that differ from the defaults: name -> amount.").tag(config=True)
    sandbox = Unicode(Settings.sandbox, help=f"One of {', '.join(SANDBOXES)}.").tag(config=True)
    allow_unsandboxed = Bool(
        Settings.allow_unsandboxed, help="Grade without a sandbox where none works."
    ).tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        who = resources["nbgrader"]
        _, result = graded(
            resources["course_root"], who["assignment"], resources["hand_in"], who["student"], self.settings
        )
        nb, resources["needs_a_look"] = with_result(nb, result)
        return nb, resources

    def settings(self) -> Settings:
        """What is set for this course.

        Raises:
            UnknownName: there is no such limit or sandbox.
        """
        return Settings().changed(
            limits=self.limits, sandbox=self.sandbox, allow_unsandboxed=self.allow_unsandboxed
        )


def time_of(timestamp: bytes | None) -> Any:
    """When a hand-in came, or None where its timestamp does not say."""
    try:
        return parse_utc(timestamp.decode().strip()) if timestamp and timestamp.strip() else None
    except Exception:  # whatever a student wrote there
        return None


def graded(
    root: Path, assignment: str, path: Path, student: str, settings: Callable[[], Settings]
) -> tuple[bytes | None, Result]:
    """A handed-in file, None where it cannot be read, and its result, whose `error` says what went wrong."""
    from grader.classroom import grade_hand_in

    raw = None
    try:
        raw = read_hand_in(path)
        return raw, grade_hand_in(root, assignment, raw, student, settings())
    except UnreadableHandIn as unreadable:
        return raw, Result(student, 0.0, 0.0, error=str(unreadable))
    except Exception as error:
        get_logger().error(traceback.format_exc())
        return raw, Result(student, 0.0, 0.0, error=f"grading did not run ({type(error).__name__}: {error})")


def with_result(nb: NotebookNode, result: Result) -> tuple[NotebookNode, bool]:
    """A rebuilt hand-in with its outputs, reports, marks and remarks in it, and whether it needs a look by hand."""
    problems = [result.error] if result.error else []
    for cell in nb.cells:
        meta = cell.metadata.get("nbgrader", {})
        if cell.cell_type != "code":
            continue
        cell.execution_count = None
        if meta.get("grade"):
            cell.outputs, problem = _marked(meta["grade_id"], float(meta["points"]), result)
            problems += [problem] if problem else []
        else:
            cell.outputs = [
                nbformat.from_dict(output) for output in clean_outputs(result.outputs.get(cell.id, []))
            ]
    problems = list(dict.fromkeys(problems))
    notes = [f"Not graded: {problem}" for problem in problems] + result.remarks
    return with_remarks(nb, notes), bool(problems)


def _marked(grade_id: str, points: float, result: Result) -> tuple[list[NotebookNode], str]:
    """The outputs of a check cell, and what went wrong, if anything did."""
    graded = None if result.error else result.exercises.get(grade_id.removeprefix("check-"))
    problem = ""
    if graded is None:
        problem = result.error or f"the checks know no exercise of {grade_id!r}"
    elif graded.max_score != points:
        problem = f"{grade_id} was released for {points:g} points and is checked for {graded.max_score:g}: release it again"
    elif not (math.isfinite(graded.score) and 0 <= graded.score <= points):
        problem = f"{grade_id} came out as {graded.score}, which is no mark"
    if graded is None or problem:
        mark = 0.0
        shown = {"text/plain": plain(f"Not graded: {problem}", 2000)}
    else:
        mark = float(graded.score)
        shown = {"text/html": exercise_html(graded), "text/plain": exercise_text(graded)}
    number = {"text/plain": repr(mark)}
    outputs = [
        {"output_type": "display_data", "data": shown, "metadata": {}},
        {"output_type": "execute_result", "data": number, "metadata": {}, "execution_count": None},
    ]
    return [nbformat.from_dict(output) for output in outputs], problem


class FlagForALook(NbGraderPreprocessor):
    """Marks a hand-in that could not be graded for a look by hand."""

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        if resources.get("needs_a_look"):
            who = resources["nbgrader"]
            with Gradebook(who["db_url"]) as gradebook:
                for grade in gradebook.find_submission_notebook(
                    who["notebook"], who["assignment"], who["student"]
                ).grades:
                    grade.needs_manual_grade = True
                gradebook.db.commit()
        return nb, resources
