"""Well-known wrong answers, recognised by what they return."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

import kerasref.quiet  # noqa: F401, a known mistake may be the first to import TensorFlow
from grader.compare import agree
from grader.exercise import Misconception, misconceptions_of
from grader.sandbox.shell import Outcome, call_function
from grader.submission import Call
from grader.wire import decode, encode

MOST_NAMED = 2


def recognised(
    assignment: str, exercise: str, failed: Sequence[Sequence[Call]], passed: Sequence[Sequence[Call]]
) -> list[str]:
    """The sentences of the misconceptions that a student's function behaves like.

    A misconception is recognised when, given the same inputs, it did what the student's function did in every call that
    was made of it: the same values, exception, warnings and changed arguments, where tests passed as where they failed.
    Where there is none, calls that overflowed are left aside: many a mistake comes together with that one.

    Args:
        assignment: the assignment.
        exercise: the exercise whose tests these are.
        failed: for each failed test, the calls it made; it failed in the function that it called last.
        passed: for each passed test, the calls it made.

    Returns:
        At most two sentences a function, each with the function's name before it.
    """
    sentences: list[str] = []
    known = [m for m in misconceptions_of(assignment) if m.exercise == exercise]
    for function in dict.fromkeys(test[-1].function for test in failed if test):
        ends = [test[-1] for test in failed if test and test[-1].function == function]
        calls = [c for test in (*failed, *passed) for c in test if c.function == function]
        same = _same_in(known, function, calls, ends) or _same_in(
            known, function, [c for c in calls if not _overflowed(c.outcome)], ends
        )
        sentences += [f"`{function}`: {m.sentence}" for m in same[:MOST_NAMED]]
    return list(dict.fromkeys(sentences))


def _same_in(
    known: Sequence[Misconception], function: str, calls: Sequence[Call], ends: Sequence[Call]
) -> list[Misconception]:
    """The misconceptions that agree with all of `calls`, if a failed test ended in one of them."""
    telling = [call for call in calls if _informative(call)]
    if not any(call is end for call in telling for end in ends):
        return []
    return [m for m in known if m.function == function and all(_same(m, call) for call in telling)]


def _informative(call: Call) -> bool:
    return call.outcome.error is None or call.outcome.error.kind not in _UNINFORMATIVE


_UNINFORMATIVE = ("MissingFunction", "NotImplementedError", "WireError", "StudentDied", "Timeout", "TooLarge")


def _same(candidate: Misconception, call: Call) -> bool:
    given = encode([list(call.args), call.kwargs, call.driver.source if call.driver else ""])
    theirs = _outcome(candidate, given) if len(given) < 2**17 else _outcome.__wrapped__(candidate, given)
    mine = call.outcome
    if (theirs.error is None) != (mine.error is None):
        return False
    if theirs.error is not None and mine.error is not None:
        return theirs.error.kind == mine.error.kind
    return (
        _alike(mine.value, theirs.value, call.args)
        and _overflowed(mine) == _overflowed(theirs)
        and len(mine.arguments) == len(theirs.arguments)
        and all(agree(a, b) for a, b in zip(mine.arguments, theirs.arguments, strict=True))
    )


@lru_cache(1024)  # most inputs are the same in each hand-in
def _outcome(candidate: Misconception, given: bytes) -> Outcome:
    args, kwargs, driver = decode(given)
    return call_function({candidate.function: candidate.wrong}, candidate.function, args, kwargs, driver)


def _alike(mine: Any, theirs: Any, args: tuple[Any, ...]) -> bool:
    single = any(isinstance(a, np.ndarray) and a.dtype in (np.float16, np.float32) for a in args)
    return agree(mine, theirs, rtol=1e-4, atol=1e-6) if single else agree(mine, theirs)


def _overflowed(outcome: Outcome) -> bool:
    return any(w.startswith(("overflow", "invalid value")) for w in outcome.warnings)
