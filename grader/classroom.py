"""Hand-ins graded: one behind the sandbox, or a class of them."""

from __future__ import annotations

import atexit
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from grader.cases import CaseBook
from grader.course import Course, CourseError
from grader.exercise import Exercise, exercises_of
from grader.notebooks import (
    Cell,
    HandIn,
    UnreadableHandIn,
    read_hand_in,
    rebuild,
    solution_namespace,
)
from grader.result import Result
from grader.runner import GradingFailed, run_checks
from grader.sandbox import Sandbox, SandboxError, StudentDied, StudentTimeout
from grader.sandbox.shell import Outcome, Raised
from grader.settings import Settings
from grader.store import Store
from grader.submission import Here

Progress = Callable[[Result], None]

OWN_CELLS_LEFT_OUT = 2
LEAST_CPU_SECONDS = 0.5  # with less than this a new process would hardly start


class Grader:
    """Grades hand-ins of one course; keeps its sandbox and its reference values from one to the next.

    Args:
        course: the course, with its releases and its secret seed.
        settings: limits and sandbox, in the place of the course's.
    """

    def __init__(self, course: Course, settings: Settings | None = None) -> None:
        self.course = course
        self.settings = settings or Settings.of(course)
        self.store = Store(course.private / "results")
        self._sandbox: Sandbox | None = None
        self._releases: dict[str, tuple[bytes, NotebookNode]] = {}
        self._books: dict[str, CaseBook] = {}

    def __enter__(self) -> Grader:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        """End the sandbox."""
        if self._sandbox is not None:
            self._sandbox.__exit__(None, None, None)
            self._sandbox = None

    def grade(self, assignment: str, student: str, raw: bytes, *, anew: bool = True) -> Result:
        """Grade one hand-in.

        Args:
            assignment: the assignment.
            student: whose it is.
            raw: the bytes of the notebook file.
            anew: grade even where the result of these very bytes is kept.

        Returns:
            The result. A file that cannot be read, or a check of ours that did not run, is in its `error`.
        """
        release, released = self._released(assignment)
        book = self.book(assignment)
        key = self.store.key(assignment, release, raw, book.seed, self.settings.limits)
        kept = None if anew else self.store.get(key)
        if kept is None and self.sandbox().kind == "none":
            key += "-unsandboxed"
            kept = None if anew else self.store.get(key)
        if kept is not None:
            return replace(kept, student=student)
        started = time.perf_counter()
        most = sum(e.points for e in exercises_of(assignment).values())
        ours = ""
        try:
            result = self._graded(assignment, rebuild(raw, released), book)
        except UnreadableHandIn as failure:
            result = Result(student, 0.0, most, error=str(failure))
        except GradingFailed as failure:
            ours = str(failure)
        except Exception as failure:  # whatever one hand-in brings about, the next one is graded
            ours = f"{type(failure).__name__}: {str(failure)[:300]}"
            self.close()
        if ours:
            result = Result(student, 0.0, most, error=f"grading did not run: {ours}")
        else:
            self.store.put(key, result)
        result.student, result.seconds = student, time.perf_counter() - started
        return result

    def _graded(self, assignment: str, handin: HandIn, book: CaseBook) -> Result:
        exercises = exercises_of(assignment)
        with _Behind(self.sandbox(), handin) as functions:
            results = run_checks(
                assignment,
                functions,
                book,
                hidden=True,
                notes=functions.notes(exercises),
                sources=[cell.source for cell in handin.written],
            )
            return Result(
                "",
                round(sum(each.score for each in results.values()), 6),
                sum(each.max_score for each in results.values()),
                exercises=results,
                remarks=[*handin.remarks, *functions.remarks],
                outputs=functions.outputs,
            )

    def book(self, assignment: str) -> CaseBook:
        """The reference values under the secret seed: baked on first need by running the solution through the checks.

        Raises:
            GradingFailed: the solution does not earn full marks, so no mark can be trusted.
        """
        seed = self.course.seed()
        book = self._books.get(assignment)
        if book is None or book.seed != seed:
            folder = self.course.private / "cases"
            book = CaseBook.kept(assignment, seed, folder)
            if not book.cases:
                book = bake(assignment, seed, self.course)
                book.keep(folder)
            self._books[assignment] = book
        return book

    def _released(self, assignment: str) -> tuple[bytes, NotebookNode]:
        if assignment not in self._releases:
            raw = self.course.released(assignment).read_bytes()
            self._releases[assignment] = raw, nbformat.reads(raw, as_version=4)
        return self._releases[assignment]

    def sandbox(self) -> Sandbox:
        """The sandbox of the settings, opened on first need.

        Raises:
            SandboxError: it does not work here, and the settings do not allow to do without.
        """
        if self._sandbox is None:
            kind = None if self.settings.sandbox == "auto" else self.settings.sandbox
            try:
                self._sandbox = Sandbox(("numpy",), self.settings.limits, kind).__enter__()
            except SandboxError as reason:
                if not self.settings.allow_unsandboxed:
                    raise
                _warn_unsandboxed(str(reason))
                self._sandbox = Sandbox(("numpy",), self.settings.limits, "none").__enter__()
        return self._sandbox


@cache
def _warn_unsandboxed(reason: str) -> None:
    """Once, where it cannot be overlooked."""
    print(
        f"WARNING: {reason}.\nWARNING: hand-ins run WITHOUT ISOLATION, as you: they can read and change what you can,"
        " marks included.",
        file=sys.stderr,
    )


def bake(assignment: str, seed: str, course: Course, *, hidden: bool = True) -> CaseBook:
    """Every reference value that the checks ask for under `seed`, computed once.

    Args:
        assignment: the assignment.
        seed: the seed.
        course: where its solution is.
        hidden: for the hidden tests too.

    Raises:
        GradingFailed: the solution does not earn full marks under this seed.
    """
    book = CaseBook(assignment, seed)
    results = run_checks(assignment, Here(solution_namespace(assignment, course)), book, hidden=hidden)
    for name, result in results.items():
        for test in result.tests:
            if test.outcome != "passed":
                raise GradingFailed(
                    f"the solution of {assignment}/{name} does not pass its own check {test.name}: {test.message}"
                )
    return book


class _Behind:
    """A hand-in's functions behind the sandbox.

    A process that hung or died is replaced, and its cells run again without the one that did it. A call that failed so
    where others were before it is made once more: what they left running must not cost its exercise. All processes of a
    hand-in share its time, on the clock and of the processor.
    """

    def __init__(self, sandbox: Sandbox, handin: HandIn) -> None:
        self.sandbox = sandbox
        self.handin = handin
        self.outputs: dict[str, list[dict[str, Any]]] = {}
        self.errors: dict[str, str] = {}
        self.remarks: list[str] = []
        self._left_out: set[str] = set()
        self._settling = False  # wait after each cell, to know which one used too much
        self._called: set[str] = set()
        self._until = time.monotonic() + sandbox.limits.total_seconds
        self._cpu_left = sandbox.limits.cpu_seconds
        self._session = sandbox.open()
        self._run()

    def __enter__(self) -> _Behind:
        return self

    def __exit__(self, *_: Any) -> None:
        self._session.close()

    def _run(self) -> None:
        """Run the cells until all have ended; then once more those that missed a name, which may stand below them."""
        missed = self._run_each(self.handin.cells)
        if missed is not None:
            missed = self._run_each(missed)
        if missed is None and not self._spent():
            self._run()

    def _run_each(self, cells: Sequence[Cell]) -> list[Cell] | None:
        """Run cells; returns those that missed a name, or None when one of them cost the process."""
        missed = []
        for cell in cells:
            if cell.id in self._left_out:
                continue
            try:
                ran = self._session.run(cell.source)
                if self._settling:
                    self._session.settle()
            except (StudentTimeout, StudentDied) as fault:
                sure = self._settling or not self._session.stopped
                ended = self._replace(fault)
                if sure:
                    self._leave_out(cell, ended)
                else:
                    self._settling = True
                return None
            self.outputs[cell.id] = ran.outputs
            self.errors.pop(cell.id, None)
            if ran.error:
                self.errors[cell.id] = ran.error
                if met := self.sandbox.limits.met_in(ran.error):
                    ran.outputs.append({"output_type": "stream", "name": "stderr", "text": f"{met}\n"})
                if ran.error.startswith("NameError"):
                    missed.append(cell)
        return missed

    def _leave_out(self, cell: Cell, reason: str) -> None:
        """Do without a cell; after two of the student's own, without all of those: they must not use up the time."""
        self._left_out.add(cell.id)
        self.outputs[cell.id] = []
        self.errors[cell.id] = reason
        self.remarks.append(f"A cell of yours was left out: {reason}.")
        own = {each.id for each in self.handin.cells if each.role == "extra"}
        if len(self._left_out & own) == OWN_CELLS_LEFT_OUT and own - self._left_out:
            self._left_out |= own
            self.remarks.append("So were all other cells of your own that are no answers.")

    def _spent(self) -> str:
        """Which time of the whole hand-in is used up, and how much it was; empty while there is some."""
        limits = self.sandbox.limits
        if time.monotonic() >= self._until:
            return f"the notebook took more than {limits.total_seconds:g} seconds in all"
        if self._cpu_left < LEAST_CPU_SECONDS:
            return f"the notebook used more than {limits.cpu_seconds:g} seconds of processor time in all"
        return ""

    def _replace(self, fault: Exception) -> str:
        """A fresh process, in which the time of the whole hand-in goes on; returns what ended the one before."""
        self._session.close()
        self._cpu_left -= self._session.cpu_seconds
        if spent := self._spent():
            return spent
        left = self._until - time.monotonic()
        limits = replace(self.sandbox.limits, total_seconds=left, cpu_seconds=self._cpu_left)
        self._session = self.sandbox.open(limits)
        self._called = set()
        return str(fault)

    def notes(self, exercises: Mapping[str, Exercise]) -> dict[str, str]:
        """Function -> the error of the cell that should have defined it."""
        return {
            function: f"`{function}` is not there, because its cell ended with {self.errors[cell.id]}"
            for cell in self.handin.cells
            if cell.exercise and cell.id in self.errors
            for function in exercises[cell.exercise].functions
        }

    def call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Outcome:
        if spent := self._spent():
            raise StudentTimeout(spent)
        others = self._called - {name}
        self._called.add(name)
        try:
            return self._session.call(name, args, kwargs)
        except (StudentTimeout, StudentDied) as fault:
            ended = self._again(fault)
            if others and not self._spent():
                return self.call(name, args, kwargs)
            if isinstance(fault, StudentTimeout):
                raise StudentTimeout(ended) from None
            return Outcome(error=Raised("StudentDied", ended))

    def _again(self, fault: Exception) -> str:
        ended = self._replace(fault)
        if not self._spent():
            self._run()
        return ended


@cache
def _grader(root: Path, settings: Settings) -> Grader:
    grader = Grader(Course.find(root), settings)
    atexit.register(grader.close)
    return grader


def grade_hand_in(root: Path, assignment: str, raw: bytes, student: str, settings: Settings) -> Result:
    """Grade one hand-in of the course in `root`; a result that is kept is not made again.

    This is what nbgrader's autograde calls, so that its marks are those of `grader grade`.
    """
    return _grader(root, settings).grade(assignment, student, raw, anew=False)


def hand_ins(folder: Path, assignment: str) -> Iterator[tuple[str, Path]]:
    """The students of a folder who have a place for the assignment, with the path of their notebook."""
    if not folder.is_dir():
        raise CourseError(
            f"no folder {folder}: hand-ins are read from {folder}/<student>/{assignment}/{assignment}.ipynb"
        )
    for student in sorted(entry.name for entry in os.scandir(folder) if entry.is_dir()):
        if (folder / student / assignment).is_dir():
            yield student, folder / student / assignment / f"{assignment}.ipynb"


def grade_class(
    course: Course,
    assignment: str,
    folder: Path,
    progress: Progress = lambda result: None,
    *,
    anew: bool = True,
    settings: Settings | None = None,
) -> list[Result]:
    """Grade every hand-in of an assignment in a folder, in the order of the students' names.

    Args:
        course: the course.
        assignment: the assignment.
        folder: holds `<student>/<assignment>/<assignment>.ipynb`.
        progress: called with each result as it comes.
        anew: grade also what was graded before and has not changed.
        settings: limits and sandbox, in the place of the course's.

    Raises:
        SandboxError: there is no sandbox here; nobody is graded.
    """
    most = sum(e.points for e in exercises_of(assignment).values())
    results = []
    with Grader(course, settings) as grader:
        grader.sandbox()
        for student, path in hand_ins(folder, assignment):
            try:
                result = grader.grade(assignment, student, read_hand_in(path), anew=anew)
            except UnreadableHandIn as unreadable:
                result = Result(student, 0.0, most, error=str(unreadable))
            results.append(result)
            progress(result)
    return results
