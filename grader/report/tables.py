"""Tables for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.markup import escape
from rich.table import Table

from grader.report.plain import one_line
from grader.result import Result


def class_table(graded: Mapping[str, Sequence[Result]]) -> Table:
    """A row a hand-in: marks by assignment, and what was recognised or went wrong.

    Args:
        graded: assignment -> its results.
    """
    table = Table(title="The class", title_justify="left")
    for column, justify in (
        ("assignment", "left"),
        ("student", "left"),
        ("score", "right"),
        ("of", "right"),
        ("noted", "left"),
    ):
        table.add_column(column, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for assignment, results in graded.items():
        for result in results:
            full = result.error is None and result.score == result.max_score
            style = "green" if full else "red" if result.error else ""
            table.add_row(
                assignment,
                _plain(result.student),
                f"{result.score:.4g}",
                f"{result.max_score:g}",
                _plain(noted(result)),
                style=style,
            )
        table.add_section()
    return table


def noted(result: Result) -> str:
    """What an instructor wants to know first of a hand-in, in one line."""
    if result.error:
        return result.error
    exercises = result.exercises.values()
    if exercises and not any(each.started for each in exercises):
        return "not started"
    odd = [f"{len(result.remarks)} remarks on the notebook"] if result.remarks else []
    sentences = [sentence for each in exercises for sentence in each.misconceptions]
    unfinished = [each.name for each in exercises if not each.started]
    if unfinished:
        sentences.append("not started: " + ", ".join(unfinished))
    return " · ".join(sentences + odd)


def _plain(text: str) -> str:
    """Text in one line that every terminal can print, and that Rich takes literally."""
    return escape(one_line(text.encode("utf-8", "backslashreplace").decode()))
