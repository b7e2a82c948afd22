"""A class graded: what is kept is not graded again, the rest goes to workers, and comes back as it is done."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from grader.cases import CaseBook
from grader.course import Course
from grader.crew import Crew, Task
from grader.examiner import Examiner, Sitting
from grader.folders import Folders, hand_ins
from grader.gradebook import Change, Writer
from grader.notebooks import UnreadableHandIn, read_hand_in, solution_namespace
from grader.report.plain import one_line
from grader.result import Result
from grader.runner import GradingFailed, run_checks
from grader.settings import Settings
from grader.store import Store
from grader.submission import Here

Progress = Callable[[Result], None]

ENOUGH = 10  # hand-ins, for one more worker to be worth its start


class Grader:
    """Grades hand-ins of one course: its releases, its secret seed, its kept results.

    Args:
        course: the course.
        settings: limits and sandbox, in the place of the course's.
    """

    def __init__(self, course: Course, settings: Settings | None = None) -> None:
        self.course = course
        self.settings = settings or Settings.of(course)
        self.store = Store(course.private / "results")
        self.examiner = Examiner(self.settings)
        self._sittings: dict[str, Sitting] = {}

    def __enter__(self) -> Grader:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        """End the sandbox."""
        self.examiner.close()

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
        key = self.key_of(assignment)(raw)
        result = None if anew else self.kept(key, student)
        if result is None:
            result = self.examiner.grade(self.sitting(assignment), student, raw)
            self.keep(key, result)
        return result

    def key_of(self, assignment: str) -> Callable[[bytes], str]:
        """What names the results of hand-ins, as release and seed are now; another name where there is no sandbox."""
        release, seed = self.course.released(assignment).read_bytes(), self.course.seed()
        unsandboxed = self.settings.allow_unsandboxed and self.examiner.sandbox().kind == "none"
        name = self.store.key_of(assignment, release, seed, self.settings.limits)
        return lambda raw: name(raw) + ("-unsandboxed" if unsandboxed else "")

    def kept(self, key: str, student: str) -> Result | None:
        """The result that is kept under `key`, if there is one."""
        result = self.store.get(key)
        return result and replace(result, student=student)

    def keep(self, key: str, result: Result) -> None:
        """Keep a result, unless our side failed: that is to be tried again."""
        if not result.trace:
            self.store.put(key, result)

    def log(self, assignment: str, result: Result) -> None:
        """Write down for the instructor how grading a hand-in went."""
        lines = [
            f"{datetime.now():%Y-%m-%d %H:%M:%S}: {result.score:g} of {result.max_score:g} in {result.seconds:.2f} s"
        ]
        lines += [f"error: {result.error}"] if result.error else []
        lines += [f"remark: {remark}" for remark in result.remarks]
        for exercise in result.exercises.values():
            lines.append(f"{exercise.name}: {exercise.score:g} of {exercise.max_score:g}")
            lines += [f"  {test.outcome}: {test.name}" for test in exercise.tests if test.outcome != "passed"]
        folder = self.course.private / "logs" / assignment
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = "\n".join([*map(one_line, lines), result.trace]).rstrip() + "\n"
        (folder / f"{result.student[:50]}.log").write_text(text, encoding="utf-8", errors="replace")

    def sitting(self, assignment: str) -> Sitting:
        """What hand-ins of an assignment are graded against."""
        release, seed = self.course.released(assignment).read_bytes(), self.course.seed()
        sitting = self._sittings.get(assignment)
        if sitting is None or (sitting.release, sitting.book.seed) != (release, seed):
            sitting = self._sittings[assignment] = Sitting(assignment, release, self.book(assignment))
        return sitting

    def book(self, assignment: str) -> CaseBook:
        """The reference values under the secret seed: baked on first need by running the solution through the checks.

        Raises:
            GradingFailed: the solution does not earn full marks, so no mark can be trusted.
        """
        seed, folder = self.course.seed(), self.course.private / "cases"
        book = CaseBook.kept(assignment, seed, folder)
        if not book.cases:
            command = [sys.executable, "-P", "-c", "from grader.cli import main; main()", "bake", assignment]
            # In a process of its own, so that Keras stays out of this one.
            ran = subprocess.run(command, cwd=self.course.root, capture_output=True, text=True, check=False)
            if ran.returncode:
                raise GradingFailed(ran.stderr.strip().removeprefix("grader: "))
            book = CaseBook.kept(assignment, seed, folder)
        return book


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


@dataclass(frozen=True)
class Graded:
    """A hand-in with its result.

    Attributes:
        key: the name of the result: another one says that something has changed.
        raw: the bytes of the notebook; None where the file could not be read.
        result: its result.
        fresh: it was graded now.
    """

    key: str
    raw: bytes | None
    result: Result
    fresh: bool


def graded_class(
    grader: Grader,
    assignment: str,
    folder: Path | None = None,
    *,
    students: Iterable[str] | None = None,
    anew: bool = False,
    before: Callable[[str, Path], object] | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    meanwhile: Callable[[], None] = lambda: None,
) -> Iterator[Graded]:
    """Grade every hand-in of an assignment in a folder; each comes as soon as it is done, and is kept by then.

    Args:
        grader: the course's.
        assignment: the assignment.
        folder: holds `<student>/<assignment>/<assignment>.ipynb`; the course's own where left out.
        students: whose; everybody's where left out.
        anew: grade also what was graded before and has not changed.
        before: called with the student and the path of a hand-in that is to be graded; may change it.
        workers: how many processes of this machine; as many as it has processors where left out, if there is work for them.
        scheduler: the address of a Dask scheduler, whose workers grade in their place.
        meanwhile: called before each wait for them.

    Raises:
        SandboxError: there is no sandbox here; nobody is graded.
    """
    places = [
        each
        for each in places_of(grader.course, assignment, folder)
        if students is None or each[0] in students
    ]
    processes = workers or max(1, min(len(os.sched_getaffinity(0)), len(places) // ENOUGH))
    with Crew(lambda: grader.sitting(assignment), grader.examiner, processes, scheduler, meanwhile) as crew:

        def kept(done: Iterator[tuple[Task, Result]]) -> Iterator[Graded]:
            for task, result in done:
                grader.keep(task.key, result)
                grader.log(assignment, result)
                yield Graded(task.key, task.raw, result, fresh=True)

        key_of = grader.key_of(assignment)

        def seen(student: str, path: Path) -> tuple[bytes | None, str, str, Result | None]:
            raw, unreadable = _read(path)
            key = key_of(raw or unreadable.encode("utf-8", "backslashreplace"))
            return raw, unreadable, key, None if anew else grader.kept(key, student)

        for student, path in places:
            raw, unreadable, key, result = seen(student, path)
            if before is not None and result is None:
                before(student, path)
                raw, unreadable, key, result = seen(student, path)
            if result is not None:
                yield Graded(key, raw, result, fresh=False)
            elif raw is not None:
                yield from kept(crew.give(Task(student, key, raw)))
            else:
                result = grader.sitting(assignment).failed(student, unreadable)
                grader.keep(key, result)
                yield Graded(key, None, result, fresh=True)
        yield from kept(crew.rest())


def places_of(course: Course, assignment: str, folder: Path | None) -> Iterator[tuple[str, Path]]:
    """The students of a folder, or of the course where it is left out, with the path of their notebook."""
    return Folders(course).hand_ins(assignment) if folder is None else hand_ins(folder, assignment)


def _read(path: Path) -> tuple[bytes | None, str]:
    """A handed-in file, or why it cannot be read."""
    try:
        return read_hand_in(path), ""
    except UnreadableHandIn as unreadable:
        return None, str(unreadable)


def grade_class(
    course: Course,
    assignment: str,
    folder: Path,
    progress: Progress = lambda result: None,
    *,
    settings: Settings | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
) -> list[Result]:
    """Grade a folder's hand-ins anew; the gradebook is left alone.

    Args and errors are those of `graded_class`; `progress` is called with each result as it comes.

    Returns:
        The results in the order of the students' names.
    """
    results = []
    with Grader(course, settings) as grader:
        for graded in graded_class(
            grader, assignment, folder, anew=True, workers=workers, scheduler=scheduler
        ):
            results.append(replace(graded.result, outputs={}))  # what is shown nowhere here is not kept
            progress(graded.result)
    return sorted(results, key=lambda result: result.student)


@dataclass
class Written:
    """What came of a class.

    Attributes:
        results: the results in the order of the students' names.
        problems: student -> why his result is not in the gradebook.
        warnings: what else an instructor should know.
        changes: the marks that moved.
    """

    results: list[Result] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)


def into_gradebook(
    course: Course,
    assignment: str,
    students: Iterable[str] | None = None,
    progress: Progress = lambda result: None,
    *,
    anew: bool = False,
    settings: Settings | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
) -> Written:
    """Grade the course's hand-ins into the gradebook: what has not changed since is neither graded nor written.

    Args and errors are those of `graded_class`; `progress` is called with each result when it is in.

    Raises:
        CourseError: the gradebook cannot be opened, or does not know the assignment.
    """
    written = Written()
    with Grader(course, settings) as grader, Writer(course, assignment) as writer:

        def put(key: str, raw: bytes | None, result: Result) -> None:
            if problem := writer.write(result.student, "" if result.trace else key, raw, result):
                written.problems[result.student] = problem

        def done(result: Result) -> None:
            written.results.append(replace(result, outputs={}))
            progress(result)

        known: dict[str, str] = {}
        for graded in graded_class(
            grader,
            assignment,
            students=students,
            anew=anew,
            before=writer.before,
            workers=workers,
            scheduler=scheduler,
            meanwhile=writer.prepare,
        ):
            if graded.fresh:
                put(graded.key, graded.raw, graded.result)
            else:
                known[graded.result.student] = graded.key
            done(graded.result)
        for student in sorted(known.keys() - writer.written(known)):
            if (kept := grader.kept(known[student], student)) is not None:
                put(known[student], _read(writer.hand_in(student))[0], kept)
        written.changes, written.warnings = writer.changes, writer.warnings
    written.results.sort(key=lambda result: result.student)
    return written


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
