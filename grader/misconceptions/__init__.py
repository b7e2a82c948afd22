"""Well-known wrong answers, recognised by what they return."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from grader.compare import agree
from grader.exercise import Misconception, misconceptions_of
from grader.sandbox.shell import Outcome, call_function
from grader.submission import Call

MOST_NAMED = 2


def recognised(
    assignment: str, exercise: str, failed: Sequence[Sequence[Call]], passed: Sequence[Sequence[Call]]
) -> list[str]:
    """The sentences of the misconceptions that explain a student's failed tests.

    A misconception explains a test when, given the same inputs, it does what the student's function did in every call:
    the same values, exception, warnings and changed arguments. Those that also agree with every passed test come
    first; one that explains only some failed tests is named when no other explains more. A test failed in the function
    that it called last.

    Args:
        assignment: the assignment.
        exercise: the exercise whose tests these are.
        failed: for each failed test, the calls it made.
        passed: for each passed test, the calls it made.

    Returns:
        At most two sentences a function.
    """
    sentences = []
    known = [m for m in misconceptions_of(assignment) if m.exercise == exercise]
    for function in dict.fromkeys(m.function for m in known):
        wrong = [
            calls
            for test in failed
            if test and test[-1].function == function and (calls := _informative(test, function))
        ]
        right = [calls for test in passed if (calls := [c for c in test if c.function == function])]
        if not wrong:
            continue
        explained: Counter[int] = Counter()
        for index, candidate in enumerate(known):
            if candidate.function != function:
                continue
            count = sum(all(_same(candidate, call) for call in calls) for calls in wrong)
            if count:
                consistent = all(_same(candidate, call) for calls in right for call in calls)
                explained[index] = 2 * count + (count == len(wrong) and consistent)
        best = max(explained.values(), default=0)
        sentences += [known[i].sentence for i in explained if explained[i] == best][:MOST_NAMED]
    return list(dict.fromkeys(sentences))


def _informative(calls: Sequence[Call], function: str) -> list[Call]:
    return [
        c
        for c in calls
        if c.function == function and not (c.outcome.error and c.outcome.error.kind in _UNINFORMATIVE)
    ]


_UNINFORMATIVE = ("MissingFunction", "NotImplementedError", "WireError", "StudentDied", "Timeout")


def _same(candidate: Misconception, call: Call) -> bool:
    theirs = call_function({call.function: candidate.wrong}, call.function, call.args, call.kwargs)
    mine = call.outcome
    if (theirs.error is None) != (mine.error is None):
        return False
    if theirs.error is not None and mine.error is not None:
        return theirs.error.kind == mine.error.kind
    return (
        _alike(mine.value, theirs.value)
        and _overflowed(mine) == _overflowed(theirs)
        and len(mine.arguments) == len(theirs.arguments)
        and all(agree(a, b) for a, b in zip(mine.arguments, theirs.arguments, strict=True))
    )


def _alike(mine: Any, theirs: Any) -> bool:
    single = any(
        isinstance(v, np.ndarray | np.generic) and v.dtype in (np.float16, np.float32) for v in (mine, theirs)
    )
    return agree(mine, theirs, rtol=1e-4 if single else 1e-9, atol=1e-6 if single else 1e-12)


def _overflowed(outcome: Outcome) -> bool:
    return any(w.startswith(("overflow", "invalid value")) for w in outcome.warnings)
