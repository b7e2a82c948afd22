"""The student's functions as a check calls them, wherever they run."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from grader.driver import Driver
from grader.result import Outcome as Verdict
from grader.sandbox import StudentTimeout
from grader.sandbox.shell import Outcome, Raised, call_function

CALL_SECONDS = 10.0
KEPT_BYTES = 16 * 2**20
HANGS_ALLOWED = 2


class StudentFault(Exception):
    """A call that ended a test: the answer is missing, not started, raised, hung, or gave no data."""

    def __init__(self, verdict: Verdict, message: str) -> None:
        super().__init__(message)
        self.verdict = verdict


class Functions(Protocol):
    """Where a student's functions run."""

    def call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], driver: str = "") -> Outcome:
        """Call one function, or a driver with it; raises `StudentTimeout` when it does not end in time."""


class Here:
    """Functions in this process: a notebook's own, or a file's, on the student's machine."""

    def __init__(self, namespace: Mapping[str, Any], seconds: float = CALL_SECONDS) -> None:
        self.namespace = namespace
        self.seconds = seconds

    def call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], driver: str = "") -> Outcome:
        try:
            with _alarm(self.seconds):
                return call_function(self.namespace, name, args, kwargs, driver)
        except _Alarm:
            raise StudentTimeout(f"the call took more than {self.seconds:g} seconds") from None


class _Alarm(KeyboardInterrupt):
    """Rung in the student's code, which must not take it for an error of its own."""


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Raise `_Alarm` in this thread after `seconds`, where the platform has timers."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(*_: Any) -> None:
        raise _Alarm

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.5)  # again, should the student's code swallow it
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@dataclass(frozen=True)
class Call:
    """One call of a student's function, or of a driver with it, and what came of it."""

    function: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    outcome: Outcome
    driver: Driver | None = None

    def described(self) -> str:
        """The call as one would type it, large arrays by their shape."""
        given = [_described(a) for a in self.args] + [f"{k}={_described(v)}" for k, v in self.kwargs.items()]
        called, given = (self.driver.name, [self.function, *given]) if self.driver else (self.function, given)
        return f"{called}({', '.join(given)})"


class Student:
    """`student.softmax(x)`: calls cross to where the functions run; every call is kept.

    Args:
        functions: where they run.
        names: the functions that the assignment asks for.
        notes: function -> why it could not be defined, for the message when it is missing.
    """

    def __init__(
        self, functions: Functions, names: tuple[str, ...], notes: Mapping[str, str] | None = None
    ) -> None:
        self._functions = functions
        self._names = names
        self._notes = notes or {}
        self._hangs = 0
        self._deaths = 0
        self._kept = 0
        self.calls: list[Call] = []

    def __getattr__(self, name: str) -> StudentFunction:
        if name not in self._names:
            raise AttributeError(f"the exercise asks for {', '.join(self._names)}, not for {name}")
        return StudentFunction(self, name)

    def _call(
        self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], driver: Driver | None
    ) -> Outcome:
        if self._hangs >= HANGS_ALLOWED:
            raise StudentFault("timeout", f"not run: {self._hangs} calls before this one did not end in time")
        if self._deaths >= HANGS_ALLOWED:
            raise StudentFault(
                "error", f"not run: {self._deaths} calls before this one ended the notebook's process"
            )
        try:
            outcome = self._functions.call(name, args, kwargs, driver.source if driver else "")
        except StudentTimeout as hung:
            self._hangs += 1
            self.calls.append(Call(name, args, kwargs, Outcome(error=Raised("Timeout", str(hung))), driver))
            raise StudentFault("timeout", f"{hung}: is there a loop in `{name}` that never stops?") from None
        self._deaths += outcome.error is not None and outcome.error.kind == "StudentDied"
        self._kept += _weight([outcome.value, outcome.arguments])
        kept = outcome if self._kept <= KEPT_BYTES else Outcome(error=Raised("TooLarge", "not kept"))
        self.calls.append(Call(name, args, kwargs, kept, driver))
        return outcome

    def _fault(self, name: str, error: Raised) -> StudentFault:
        at = f" (at `{error.line}`)" if error.line else ""
        match error.kind:
            case "MissingFunction":
                return StudentFault(
                    "missing",
                    self._notes.get(
                        name,
                        f"there is no function `{name}` yet: run its cell (did it end in an error?), and see that its name is unchanged",
                    ),
                )
            case "NotImplementedError":
                return StudentFault("not_started", f"`{name}` is not written yet")
            case "WireError":
                return StudentFault("failed", error.message)
            case "Unusable":
                return StudentFault("failed", f"what `{name}` gave could not be used: {error.message}")
            case "StudentDied":
                return StudentFault("error", error.message)
        return StudentFault("error", f"`{name}` raised {error.kind}: {error.message}{at}")


class StudentFunction:
    """One function of a student's."""

    def __init__(self, student: Student, name: str, driver: Driver | None = None) -> None:
        self._student = student
        self.name = name
        self._driver = driver

    def driven_by(self, driver: Driver) -> StudentFunction:
        """What calls `driver` with the function, there where the function lives."""
        return StudentFunction(self._student, self.name, driver)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the function returns."""
        return self.outcome(*args, **kwargs).value

    def outcome(self, *args: Any, **kwargs: Any) -> Outcome:
        """What it returns, with the warnings and the arguments as they are after the call."""
        outcome = self._student._call(self.name, args, kwargs, self._driver)
        if outcome.error is not None:
            raise self._student._fault(self.name, outcome.error)
        return outcome

    def refusal(self, *args: Any, **kwargs: Any) -> Raised | None:
        """The exception it raises, or None when it returned; a missing or unwritten function ends the test."""
        error = self._student._call(self.name, args, kwargs, self._driver).error
        if error is not None and error.kind in ("MissingFunction", "NotImplementedError", "StudentDied"):
            raise self._student._fault(self.name, error)
        return error


def _weight(value: Any) -> int:
    """About how many bytes of memory plain data takes."""
    if isinstance(value, np.ndarray):
        return 100 + value.nbytes
    if isinstance(value, list | tuple):
        return 50 + sum(map(_weight, value))
    if isinstance(value, dict):
        return 100 + sum(_weight(key) + _weight(item) for key, item in value.items())
    return 50 + (len(value) if isinstance(value, str) else 0)


def _described(value: Any) -> str:
    if isinstance(value, np.ndarray):
        if value.size <= 12:
            formatter: Any = {"float_kind": lambda number: f"{number:.6g}"}
            text = np.array2string(
                value, separator=", ", threshold=20, max_line_width=10_000, formatter=formatter
            )
            text = " ".join(text.split())
            return text if value.dtype == np.float64 else f"{text} as {value.dtype}"
        return f"<{value.dtype} array of shape {value.shape}>"
    if isinstance(value, list | tuple) and len(value) > 6:
        return f"<{type(value).__name__} of {len(value)}>"
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
