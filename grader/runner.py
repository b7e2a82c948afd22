"""From a check module and a student's functions to results.

pytest collects a module's tests once a process. Running them is ours: a session, a set-up and a report of pytest's for
each hand-in take longer than the tests themselves.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grader import checks
from grader.cases import CaseBook, ReferenceFailed
from grader.compare import Mismatch
from grader.exercise import Exercise, exercises_of
from grader.misconceptions import recognised
from grader.report.picture import comparison
from grader.report.plain import plain
from grader.result import ExerciseResult, Outcome, TestResult
from grader.submission import Call, Functions, Student, StudentFault
from grader.syntax import Sources

CHECKS = Path(checks.__file__).parent
MESSAGE_LENGTH = 700


class GradingFailed(Exception):
    """Our own part did not run: no mark may come of it."""


def run_checks(
    assignment: str,
    functions: Functions,
    book: CaseBook,
    *,
    hidden: bool,
    only: str | None = None,
    notes: Mapping[str, str] | None = None,
    sources: Iterable[str] = (),
) -> dict[str, ExerciseResult]:
    """Run an assignment's checks on a student's functions.

    Args:
        assignment: the assignment.
        functions: where the student's functions run.
        book: the reference values, and with them the seed.
        hidden: run the hidden tests too.
        only: one exercise, instead of all.
        notes: function -> why it could not be defined.
        sources: the student's cells: an answer that uses what its exercise bans earns nothing, whatever it returns.

    Returns:
        Exercise -> its result, in the order of the check module.

    Raises:
        GradingFailed: pytest or a check did not run as it should.
    """
    written = Sources(assignment, sources)
    run = _Run(assignment, functions, book, notes or {}, written.shortcuts())
    for test in _collected(CHECKS / f"{assignment}.py"):
        if only in (None, test.exercise.name) and (hidden or not test.hidden):
            run.run(test)
    asked = (each for each in exercises_of(assignment).values() if only in (None, each.name))
    results = {each.name: run.result(each) for each in asked}
    _blame_what_it_stands_on(results, written)
    return results


def _blame_what_it_stands_on(results: Mapping[str, ExerciseResult], written: Sources) -> None:
    """Where an answer stands on another one that fails, say that, in the place of a mistake that is not its own."""
    failed = {test.function for each in results.values() for test in each.tests if test.outcome != "passed"}
    for each in results.values():
        for function in (f for f in each.functions if f in failed):
            if bases := sorted(written.stands_on(function) & failed):
                names = " and ".join(f"`{base}`" for base in bases)
                own = [said for said in each.misconceptions if not said.startswith(f"`{function}`:")]
                each.misconceptions = [*own, f"`{function}` stands on {names}: mend that first."]


@dataclass(frozen=True)
class _Test:
    """One test as pytest found it; `given` are the values that it is parametrised with."""

    exercise: Exercise
    name: str
    id: str
    title: str
    hidden: bool
    core: bool
    holder: type
    function: Callable[..., None]
    given: Mapping[str, Any]
    asked: tuple[str, ...]


@cache
def _collected(module: Path) -> tuple[_Test, ...]:
    """The tests of a check module, in its order; a test's id has no path, so that a seed means the same everywhere."""
    found = _Collector()
    addopts = os.environ.pop("PYTEST_ADDOPTS", None)
    try:
        code = pytest.main(
            ["-c", str(module.parent / "pytest.ini"), "--collect-only", str(module)], plugins=[found]
        )
    finally:
        if addopts is not None:
            os.environ["PYTEST_ADDOPTS"] = addopts
    if code == pytest.ExitCode.INTERRUPTED and not found.broken:
        raise KeyboardInterrupt
    if found.broken or code != pytest.ExitCode.OK:
        raise GradingFailed(f"the checks of {module.stem} did not run: {found.broken or code}")
    return tuple(found.tests)


class _Collector:
    """The pytest plugin that keeps what was collected."""

    def __init__(self) -> None:
        self.tests: list[_Test] = []
        self.broken = ""

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.broken = report.longreprtext.strip().splitlines()[-1]

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            assert isinstance(item, pytest.Function)
            callspec = getattr(item, "callspec", None)
            self.tests.append(
                _Test(
                    exercise=item.cls.__exercise__,  # type: ignore[union-attr]
                    name=item.originalname,
                    id=item.nodeid.partition("::")[2],
                    title=" ".join((item.function.__doc__ or item.originalname).split()),
                    hidden=getattr(item.function, "hidden", False),
                    core=getattr(item.function, "core", False),
                    holder=item.cls,  # type: ignore[arg-type]
                    function=item.function,
                    given=callspec.params if callspec else {},
                    asked=tuple(item.fixturenames),
                )
            )


class _Run:
    """One hand-in's way through the tests: what they ask for, and what came of them."""

    def __init__(
        self,
        assignment: str,
        functions: Functions,
        book: CaseBook,
        notes: Mapping[str, str],
        barred: Mapping[str, str],
    ) -> None:
        self.assignment = assignment
        self.book = book
        self.barred = barred
        self.students = {
            e.name: Student(functions, e.functions, notes) for e in exercises_of(assignment).values()
        }
        self.tests: dict[str, dict[str, TestResult]] = {name: {} for name in self.students}
        self.failed: dict[str, list[list[Call]]] = {name: [] for name in self.students}
        self.passed: dict[str, list[list[Call]]] = {name: [] for name in self.students}
        self.cores: dict[str, set[str]] = {name: set() for name in self.students}

    def run(self, test: _Test) -> None:
        """Run a test and note how it ended.

        Raises:
            GradingFailed: it ended in an error of ours.
        """
        self.students[test.exercise.name].calls = []
        ended: BaseException | None = None
        try:
            test.function(test.holder(), **{name: self._given(test, name) for name in test.asked})
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            ended = error
        try:
            self._note(test, ended)
        except GradingFailed as ours:
            raise GradingFailed(
                f"the checks of {self.assignment} did not run: {test.exercise.name}, {test.name}: {ours}"
            ) from ours.__cause__
        finally:
            ended = None  # its traceback holds this frame, and what the student returned

    def _given(self, test: _Test, name: str) -> Any:
        """What a test asks for by `name`."""
        match name:
            case "student":
                if test.exercise.name in self.barred:
                    raise StudentFault("failed", self.barred[test.exercise.name])
                return self.students[test.exercise.name]
            case "reference":
                return self.book.references(test.id)
            case "rng":
                named = f"{self.book.seed} {self.assignment} {test.id}"
                return np.random.default_rng(
                    np.frombuffer(hashlib.sha256(named.encode()).digest(), np.uint32)
                )
        if name not in test.given:
            raise LookupError(
                f"a test gets student, reference, rng and what it is parametrised with, no {name!r}"
            )
        return test.given[name]

    def _note(self, test: _Test, error: BaseException | None) -> None:
        exercise = test.exercise
        calls = self.students[exercise.name].calls
        if test.core:
            self.cores[exercise.name].add(test.name)
        (self.failed if error else self.passed)[exercise.name].append(calls)
        last = calls[-1] if calls else None
        outcome, message = _verdict(error, last, test.hidden)
        function = last.function if last else exercise.functions[0]
        picture = "" if test.hidden or last is None else _picture(error, last)
        if test.hidden and outcome == "failed":
            message = " ".join(
                ["A hidden test: its input is not shown.", *exercise.hints.get(function, [])[:1]]
            )
        found = TestResult(
            test.name, test.title, outcome, test.hidden, plain(message, MESSAGE_LENGTH), function, picture
        )
        before = self.tests[exercise.name].get(test.name)
        if before is None or before.outcome == "passed":
            self.tests[exercise.name][test.name] = found

    def result(self, exercise: Exercise) -> ExerciseResult:
        """The marks and the names of the mistakes, once all tests have run."""
        tests = self.tests[exercise.name]
        if not tests:
            raise GradingFailed(f"{self.assignment}/{exercise.name}: none of its tests ran")
        passed = {name for name, test in tests.items() if test.outcome == "passed"}
        share = len(passed) / len(tests) if self.cores[exercise.name] <= passed else 0.0
        failed = [name for name in tests if name not in passed]
        sentences: list[str] = []
        if exercise.name in self.barred:
            sentences = [self.barred[exercise.name]]
        elif failed:
            sentences = recognised(
                self.assignment, exercise.name, self.failed[exercise.name], self.passed[exercise.name]
            )
        troubled = dict.fromkeys(
            tests[name].function for name in failed if tests[name].outcome not in ("not_started", "missing")
        )
        return ExerciseResult(
            exercise.name,
            list(exercise.functions),
            round(exercise.points * share, 6),
            exercise.points,
            list(tests.values()),
            sentences,
            {function: exercise.hints.get(function, []) for function in troubled},
        )


def _verdict(error: BaseException | None, last: Call | None, secret: bool) -> tuple[Outcome, str]:
    if error is None:
        return "passed", ""
    shown = last if last and not secret else None
    called = f"{shown.described()}\n" if shown else ""
    driver = f"\nwhere\n{shown.driver.shown}" if shown and shown.driver else ""
    if isinstance(error, StudentFault):
        if error.verdict in ("missing", "not_started"):
            return error.verdict, str(error)
        return error.verdict, f"{called}{error}{driver}"
    if isinstance(error, AssertionError):
        return "failed", f"{called}{error}{_input_there(error, last)}{driver}"
    if isinstance(error, ReferenceFailed) or last is None:
        raise GradingFailed(f"{type(error).__name__}: {error}") from error
    return "failed", f"{called}what came back could not be used here ({type(error).__name__}: {error})"


def _input_there(error: AssertionError, last: Call | None) -> str:
    """The number of the input in whose place the output differs first, where input and output match place by place."""
    if not isinstance(error, Mismatch) or error.place is None or last is None:
        return ""
    arrays = [a for a in last.args if isinstance(a, np.ndarray)]
    if len(arrays) != 1 or arrays[0].shape != error.expected.shape:
        return ""
    return f"\nthe input at {list(error.place)} is {arrays[0][error.place]:.6g}"


def _picture(error: BaseException | None, last: Call) -> str:
    if not isinstance(error, Mismatch):
        return ""
    given = next((a for a in last.args if isinstance(a, np.ndarray)), None)
    return comparison(given, error.expected, error.actual)
