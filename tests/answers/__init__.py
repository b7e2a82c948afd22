"""Right answers, written differently from the solutions: each must earn every point."""

from collections.abc import Callable
from typing import Any


def right(function: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Mark a right answer for the function of that name."""

    def mark(answer: Callable[..., Any]) -> Callable[..., Any]:
        answer.answers = function  # type: ignore[attr-defined]
        return answer

    return mark
