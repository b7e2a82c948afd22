"""From a check module and a student's functions to results: one pytest session."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from grader import checks
from grader.cases import CaseBook, ReferenceFailed, References
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
    session = _Session(assignment, functions, book, hidden, only, notes or {}, written.shortcuts())
    addopts = os.environ.pop("PYTEST_ADDOPTS", None)
    try:
        code = pytest.main(
            ["-c", str(CHECKS / "pytest.ini"), str(CHECKS / f"{assignment}.py")], plugins=[session]
        )
    finally:
        if addopts is not None:
            os.environ["PYTEST_ADDOPTS"] = addopts
    if code == pytest.ExitCode.INTERRUPTED and not session.broken:
        raise KeyboardInterrupt
    if session.broken or code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise GradingFailed(f"the checks of {assignment} did not run: {session.broken or code}")
    asked = (each for each in exercises_of(assignment).values() if only in (None, each.name))
    results = {each.name: session.result(each) for each in asked}
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


class _Session:
    """The pytest plugin: gives the fixtures and listens to the verdicts."""

    def __init__(
        self,
        assignment: str,
        functions: Functions,
        book: CaseBook,
        hidden: bool,
        only: str | None,
        notes: Mapping[str, str],
        barred: Mapping[str, str],
    ) -> None:
        self.assignment = assignment
        self.book = book
        self.hidden = hidden
        self.only = only
        self.barred = barred
        self.broken = ""
        self.students = {
            e.name: Student(functions, e.functions, notes) for e in exercises_of(assignment).values()
        }
        self.tests: dict[str, dict[str, TestResult]] = {name: {} for name in self.students}
        self.failed: dict[str, list[list[Call]]] = {name: [] for name in self.students}
        self.passed: dict[str, list[list[Call]]] = {name: [] for name in self.students}
        self.cores: dict[str, set[str]] = {name: set() for name in self.students}

    @pytest.fixture
    def student(self, request: pytest.FixtureRequest) -> Student:
        name = _exercise(request.node).name
        if name in self.barred:
            raise StudentFault("failed", self.barred[name])
        return self.students[name]

    @pytest.fixture
    def reference(self, request: pytest.FixtureRequest) -> References:
        return self.book.references(_test_id(request.node))

    @pytest.fixture
    def rng(self, request: pytest.FixtureRequest) -> np.random.Generator:
        named = f"{self.book.seed} {self.assignment} {_test_id(request.node)}"
        return np.random.default_rng(np.frombuffer(hashlib.sha256(named.encode()).digest(), np.uint32))

    def pytest_collection_modifyitems(self, items: list[pytest.Function]) -> None:
        items[:] = [
            item
            for item in items
            if (self.only in (None, _exercise(item).name)) and (self.hidden or not _marked(item, "hidden"))
        ]

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.broken = report.longreprtext.strip().splitlines()[-1]

    def pytest_runtest_setup(self, item: pytest.Function) -> None:
        self.students[_exercise(item).name].calls = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Function, call: pytest.CallInfo[None]
    ) -> pytest.TestReport:
        """In the place of pytest's own report, whose traceback nobody reads and which takes ten times as long."""
        if call.when == "call" or call.excinfo is not None:
            self._note(item, call.excinfo.value if call.excinfo else None)
        outcome: Any = "failed" if call.excinfo else "passed"
        when: Any = call.when
        return pytest.TestReport(item.nodeid, item.location, {}, outcome, None, when)

    def _note(self, item: pytest.Function, error: BaseException | None) -> None:
        exercise = _exercise(item)
        student = self.students[exercise.name]
        name = item.originalname
        secret = _marked(item, "hidden")
        if _marked(item, "core"):
            self.cores[exercise.name].add(name)
        (self.failed if error else self.passed)[exercise.name].append(student.calls)
        last = student.calls[-1] if student.calls else None
        try:
            outcome, message = _verdict(error, last, secret)
        except GradingFailed as ours:
            self.broken = f"{exercise.name}, {name}: {ours}"
            return
        function = last.function if last else exercise.functions[0]
        picture = "" if secret or last is None else _picture(error, last)
        if secret and outcome == "failed":
            message = " ".join(
                ["A hidden test: its input is not shown.", *exercise.hints.get(function, [])[:1]]
            )
        found = TestResult(
            name, _title(item), outcome, secret, plain(message, MESSAGE_LENGTH), function, picture
        )
        before = self.tests[exercise.name].get(name)
        if before is None or before.outcome == "passed":
            self.tests[exercise.name][name] = found

    def result(self, exercise: Exercise) -> ExerciseResult:
        """The marks and the names of the mistakes, once the session is over."""
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


def _exercise(item: Any) -> Exercise:
    return cast(Exercise, item.cls.__exercise__)


def _marked(item: Any, mark: str) -> bool:
    return getattr(item.function, mark, False)


def _test_id(item: Any) -> str:
    """The test without its path, so that a seed means the same everywhere."""
    return cast(str, item.nodeid.partition("::")[2])


def _title(item: pytest.Function) -> str:
    return " ".join((item.function.__doc__ or item.originalname).split())


def _verdict(error: BaseException | None, last: Call | None, secret: bool) -> tuple[Outcome, str]:
    if error is None:
        return "passed", ""
    called = f"{last.described()}\n" if last and not secret else ""
    if isinstance(error, StudentFault):
        return error.verdict, str(error) if error.verdict in (
            "missing",
            "not_started",
        ) else f"{called}{error}"
    if isinstance(error, AssertionError):
        return "failed", f"{called}{error}{_input_there(error, last)}"
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
