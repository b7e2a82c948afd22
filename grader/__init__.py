"""The course's checks and autograder. In a notebook: `from grader import check`."""

from __future__ import annotations

import sys

# jsonschema, which nbformat imports, would compile that one's grammar for two seconds; no notebook needs it.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

__version__ = "0.1.0"
__all__ = ["check", "open_notebook"]


def open_notebook(assignment: str, release: str) -> None:
    """Say which assignment a notebook is and which version it was released with; the notebook's first cell does it."""
    from grader import inline

    inline.open_notebook(assignment, release)


def check(exercise: str, assignment: str | None = None) -> float:
    """Check your answer to an exercise: shows what holds, what does not and why, and returns the points.

    Args:
        exercise: its name, such as `"softmax"`.
        assignment: where two assignments have an exercise of that name, which one.

    Returns:
        The points that the visible tests give; grading adds hidden tests and other inputs.
    """
    from grader import inline

    return inline.check(exercise, sys._getframe(1).f_globals, assignment)
