"""Answers in a file on this machine: a notebook or a plain Python file, run here."""

from __future__ import annotations

import builtins
import json
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grader
from grader.course import CourseError
from grader.sandbox.shell import Shell

CHECK = re.compile(r"\s*check\(.*\)\s*\Z")


class Answers:
    """The functions of a file, the sources they came from, and what went wrong on the way.

    Args:
        path: a notebook (`.ipynb`) or a Python file (`.py`).
    """

    def __init__(self, path: Path) -> None:
        self.sources = _cells(path)
        self.errors: list[tuple[str, str]] = []
        self.what = "its cell" if path.suffix == ".ipynb" else "the file"
        with _undisturbed():
            shell = Shell()
            shell.shell.user_ns["check"] = grader.check
            for source in self.sources:
                if error := shell.run(source).error:
                    self.errors.append((source, error))
            self.namespace: Mapping[str, Any] = dict(shell.shell.user_ns)

    def notes(self, functions: tuple[str, ...]) -> dict[str, str]:
        """Function -> why it is not there, where its cell ended with an error."""
        return {
            function: f"`{function}` is not there, because {self.what} ended with {error}"
            for function in functions
            for source, error in self.errors
            if re.search(rf"^\s*(def\s+{function}\b|{function}\s*=)", source, re.MULTILINE)
        }


def _cells(path: Path) -> list[str]:
    """The code to run, cell by cell: no checks, no cells that only show."""
    try:
        text = path.read_text(encoding="utf-8-sig")  # Windows begins files with a mark
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(
            f"{path}: cannot be read ({error.strerror if isinstance(error, OSError) else 'not text'})"
        ) from None
    if path.suffix != ".ipynb":
        return [text]
    try:
        cells = json.loads(text)["cells"]
        sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise CourseError(
            f"{path}: not a notebook of format 4: open it in JupyterLab and save it again"
        ) from None
    return [source for source in sources if not (CHECK.match(source) or source.startswith("%%show"))]


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Give back what the student's cells or the shell put in the place of Python's own; meanwhile `check` does nothing."""
    kept = sys.stdout, sys.stderr, builtins.input, sys.displayhook, sys.excepthook
    ours = grader.check, grader.open_notebook
    grader.check = grader.open_notebook = lambda *args, **kwargs: None  # type: ignore[assignment]
    try:
        yield
    finally:
        sys.stdout, sys.stderr, builtins.input, sys.displayhook, sys.excepthook = kept
        grader.check, grader.open_notebook = ours
