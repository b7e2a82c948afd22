"""Feedback pages: nbgrader's own, of what has changed since they were made."""

from __future__ import annotations

import gc
import hashlib
import json
import logging
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import chdir, redirect_stdout
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.course import Course, CourseError
from grader.folders import Folders
from grader.gradebook import course_directory, open_database, quiet, short
from grader.sandbox.confine import die_with_parent
from grader.settings import configuration

if TYPE_CHECKING:
    from sqlalchemy import Connection

ENOUGH = 20  # pages, for one more process to be worth its start
MAKERS = ("nbgrader", "nbconvert", "jinja2", "mistune", "pygments", "beautifulsoup4")
SUBMITTED = """
FROM assignment a
JOIN submitted_assignment s ON s.assignment_id = a.id
JOIN submitted_notebook n ON n.assignment_id = s.id
JOIN base_cell c ON c.notebook_id = n.notebook_id"""
SHOWN = (
    f"SELECT s.student_id, c.name, g.auto_score, g.manual_score, g.extra_credit, m.max_score, n.late_submission_penalty {SUBMITTED} "
    "JOIN grade g ON g.notebook_id = n.id AND g.cell_id = c.id LEFT JOIN grade_cells m ON m.id = c.id WHERE a.name = :assignment",
    f"SELECT s.student_id, c.name, k.auto_comment, k.manual_comment {SUBMITTED} "
    "JOIN comment k ON k.notebook_id = n.id AND k.cell_id = c.id WHERE a.name = :assignment",
)


def feedback(
    course: Course,
    assignment: str,
    student: str | None = None,
    progress: Callable[..., object] = lambda total: None,
    *,
    anew: bool = False,
    workers: int | None = None,
) -> dict[Path, bool]:
    """Make nbgrader's feedback pages of what is autograded.

    A page is made where there is none, or where its notebook, a mark, a comment, the late penalty, nbgrader_config.py,
    a template, or a library that makes it is another than when it was made.

    Args:
        course: the course.
        assignment: the assignment.
        student: whose; everybody's where left out.
        progress: called after each page that was made, with `total`, how many are to be made.
        anew: make those also that have not changed.
        workers: how many processes; as many as there are processors where left out, if there is work for them.

    Returns:
        Each page, and whether it was made now.

    Raises:
        CourseError: there is nothing to make them of, or nbgrader could not; the others are made.
    """
    folders = Folders(course)
    places = [each for each in folders.found("autograded", assignment) if student in (None, each[0])]
    with open_database(course) as connection:
        shown = _shown(connection, assignment)
    if not places:
        raise CourseError(f"nothing of {assignment} is autograded: run `grader grade {assignment}`")
    settings = _settings(course)
    pages = {
        each: _Page(
            folders.of("feedback", each, assignment) / f"{assignment}.html",
            course.private / "feedback" / assignment / each,
            {"shown": shown.get(each), "notebook": _state(path), "settings": settings},
        )
        for each, path in places
    }
    stale = {each for each, page in pages.items() if anew or not page.is_made()}
    processes = workers or max(1, min(len(os.sched_getaffinity(0)), len(stale) // ENOUGH))
    problems = []
    for each, problem, templates in _make((course, assignment), sorted(stale), processes):
        if problem:
            problems.append(f"{each}: {problem}")
        else:
            pages[each].keep(templates)
        progress(total=len(stale))
    if problems:
        raise CourseError(f"feedback of {assignment} for {'; '.join(sorted(problems))}")
    return {page.path: each in stale for each, page in pages.items()}


def _shown(connection: Connection, assignment: str) -> dict[str, str]:
    """Student -> a digest of all that his page shows of the gradebook."""
    from sqlalchemy import text

    rows: dict[str, list[str]] = {}
    with connection.begin():
        for query in SHOWN:
            for student, *row in connection.execute(text(query), {"assignment": assignment}):
                rows.setdefault(student, []).append(repr(row))
    return {student: _digest("\n".join(sorted(of_student)).encode()) for student, of_student in rows.items()}


def _settings(course: Course) -> str:
    """A digest of what is the same for all pages, their templates aside."""
    made_by = [f"{name} {metadata.version(name)}" for name in MAKERS]
    return _digest((course.root / "nbgrader_config.py").read_bytes() + "\n".join(made_by).encode())


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _state(path: str | Path) -> list[int] | None:
    """What changes with a file; None where there is none."""
    try:
        facts = os.stat(path)
    except OSError:
        return None
    return [facts.st_mtime_ns, facts.st_size]


@dataclass(frozen=True)
class _Page:
    """A student's page, and the record of what it was made of.

    Attributes:
        path: the page.
        record: the record.
        made_of: what it is to be made of.
    """

    path: Path
    record: Path
    made_of: dict[str, Any]

    def is_made(self) -> bool:
        """Whether the page is there and of the same as it would be made of now."""
        try:
            kept = json.loads(self.record.read_text(encoding="utf-8"))
            return kept == self._facts(kept["templates"])
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def keep(self, templates: Iterable[str]) -> None:
        """Write down what the page was made of, its templates too."""
        self.record.parent.mkdir(parents=True, exist_ok=True)
        self.record.write_text(json.dumps(self._facts(templates)), encoding="utf-8")

    def _facts(self, templates: Iterable[str]) -> dict[str, Any]:
        states = {name: _state(name) for name in templates}
        return {**self.made_of, "page": _state(self.path), "templates": states}


def _make(
    given: tuple[Course, str], students: list[str], processes: int
) -> Iterator[tuple[str, str, list[str]]]:
    """Make pages; yields for each student what went wrong, if anything did, and the templates' files."""
    if processes == 1:
        _maker.cache_clear()  # settings and templates may have changed
        for student in students:
            yield student, *_page(given, student)
        return
    with ProcessPoolExecutor(processes, get_context("spawn"), initializer=_start) as pool:
        try:
            asked = {pool.submit(_page, given, student): student for student in students}
            for done in as_completed(asked):
                yield asked[done], *done.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _start() -> None:
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the process that this one works for


def _page(given: tuple[Course, str], student: str) -> tuple[str, list[str]]:
    """Make one page as nbgrader would; what went wrong, if anything did, and the templates' files."""
    with quiet():
        app, assignment = _maker(*given), given[1]
        folder, target = (app._format_source(assignment, student), app._format_dest(assignment, student))
        app.coursedir.student_id = student
        app.notebooks = [os.path.join(folder, f"{assignment}.ipynb")]
        try:
            with chdir(app.coursedir.root), redirect_stdout(sys.stderr):
                app.init_destination(assignment, student)
                os.makedirs(target)  # which nbgrader's writer does for each folder once
                app.run_pre_convert_hook()
                app.init_assignment(assignment, student)
                app.convert_single_notebook(app.notebooks[0])
                app.set_permissions(assignment, student)
                app.run_post_convert_hook()
        except Exception as error:
            shutil.rmtree(target, ignore_errors=True)
            return f"{type(error).__name__}: {short(error)}", []
        return "", [template.filename for template in app.exporter.environment.cache.values()]


@cache
def _maker(course: Course, assignment: str) -> Any:
    """nbgrader's converter, ready to make pages."""
    from nbconvert.writers import FilesWriter
    from nbgrader.converters import GenerateFeedback

    silent = logging.Logger("feedback")
    silent.addHandler(logging.NullHandler())
    place = course_directory(course, assignment_id=assignment)
    app = GenerateFeedback(coursedir=place, config=configuration(course), log=silent)
    app.force = True
    app.writer = FilesWriter(parent=app, config=app.config)
    app.exporter = app.exporter_class(parent=app, config=app.config)
    for step in app.preprocessors:
        app.exporter.register_preprocessor(step)
    gc.freeze()  # a page is many small objects: what is imported need not be searched with them
    return app
