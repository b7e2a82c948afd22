"""The check API: what a check module, or a list of misconceptions, is written with."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from grader.compare import agree, assert_close
from grader.driver import driver
from grader.sandbox.shell import Outcome

__all__ = [
    "Exercise",
    "Misconception",
    "assert_close",
    "assert_refuses",
    "assert_silent",
    "assert_unchanged",
    "core",
    "driver",
    "exercise",
    "exercises_of",
    "hidden",
    "misconception",
    "misconceptions_of",
]

Test = Callable[..., None]

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")


def core(test: Test) -> Test:
    """Mark a test without which its exercise earns nothing."""
    test.core = True  # type: ignore[attr-defined]
    return test


def hidden(test: Test) -> Test:
    """Mark a test that runs in grading only, and whose input feedback does not show."""
    test.hidden = True  # type: ignore[attr-defined]
    return test


@dataclass(frozen=True)
class Exercise:
    """What a class of checks says of its exercise.

    Attributes:
        packages: what an answer may import; it counts from a sandbox that has these and no others.
    """

    name: str
    title: str
    functions: tuple[str, ...]
    points: float
    hints: dict[str, list[str]] = field(hash=False)
    banned: dict[str, list[str]] = field(hash=False)
    packages: tuple[str, ...]


def exercise(
    name: str,
    functions: list[str],
    points: float,
    banned: dict[str, list[str]] | None = None,
    packages: Sequence[str] = (),
) -> Callable[[type], type]:
    """Make a class of tests the checks of one exercise.

    Args:
        name: the exercise, which is also the grade id of its answer cell.
        functions: the functions that the answer defines, first the one that the exercise is about.
        points: what a complete answer earns.
        banned: function -> dotted names that its answer may not use (`{"tanh": ["np.tanh"]}`).
        packages: what an answer may import besides NumPy (`["keras"]`).
    """

    def decorate(cls: type) -> type:
        hints = getattr(cls, "hints", {})
        if stray := sorted((set(hints) | set(banned or {})) - set(functions)):
            raise ValueError(
                f"exercise {name!r}: hints or bans for {stray}, which are not among its functions"
            )
        title = inspect.cleandoc(cls.__doc__ or name).splitlines()[0]
        cls.__exercise__ = Exercise(  # type: ignore[attr-defined]
            name, title, tuple(functions), points, hints, banned or {}, ("numpy", *packages)
        )
        return cls

    return decorate


@cache
def exercises_of(assignment: str) -> dict[str, Exercise]:
    """The exercises of an assignment by name, in the order of its check module."""
    module = importlib.import_module(f"grader.checks.{assignment}")
    found = (
        vars(cls)["__exercise__"]
        for cls in vars(module).values()
        if isinstance(cls, type) and "__exercise__" in vars(cls)
    )
    return {each.name: each for each in found}


@dataclass(frozen=True)
class Misconception:
    """A well-known wrong version of a function, with what a good teacher would say of it."""

    exercise: str
    function: str
    sentence: str
    wrong: Callable[..., Any]


def misconception(target: str, sentence: str) -> Callable[[Callable[..., Any]], Misconception]:
    """Name a well-known wrong answer: `target` is `"exercise.function"`."""
    name, _, function = target.partition(".")

    def decorate(wrong: Callable[..., Any]) -> Misconception:
        return Misconception(name, function, sentence, wrong)

    return decorate


@cache
def misconceptions_of(assignment: str) -> tuple[Misconception, ...]:
    """The misconceptions known for an assignment, in the order in which they are written."""
    module = importlib.import_module(f"grader.misconceptions.{assignment}")
    return tuple(each for each in vars(module).values() if isinstance(each, Misconception))


def assert_unchanged(function: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a student's function and fail when the call changed an argument. Returns the value."""
    return _unchanged(args, function.outcome(*args, **kwargs)).value


def assert_silent(function: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a student's function and fail on an overflow or invalid-value warning, or a changed argument. Returns the value."""
    outcome = _unchanged(args, function.outcome(*args, **kwargs))
    for warning in outcome.warnings:
        if warning.startswith("overflow"):
            raise AssertionError(
                f"NumPy warned: {warning}. The numbers grew too large on the way to the result"
            )
        if warning.startswith("invalid value"):
            raise AssertionError(
                f"NumPy warned: {warning}. On the way to the result came 0/0, inf - inf, 0 * inf or the like"
            )
    return outcome.value


def _unchanged(args: tuple[Any, ...], outcome: Outcome) -> Outcome:
    for place, (before, after) in enumerate(zip(args, outcome.arguments, strict=True)):
        if not agree(after, before, rtol=0, atol=0):
            raise AssertionError(
                f"the call changed its {ORDINALS[place]} argument: work on a copy, or build a new array"
            )
    return outcome


def assert_refuses(function: Any, *args: Any, **kwargs: Any) -> None:
    """Call a student's function with arguments that it must refuse, and pass when `ValueError` came."""
    error = function.refusal(*args, **kwargs)
    if error is None:
        raise AssertionError(
            "these arguments do not fit together: raise a ValueError that says so, instead of a result"
        )
    if error.kind != "ValueError":
        raise AssertionError(f"raised {error.kind}, expected a ValueError: {error.message}")
