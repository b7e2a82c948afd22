"""Solution notebooks: percent sources with answers, read and run."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from grader.course import Course, CourseError, known

Role = Literal["text", "given", "exercise", "check", "show"]

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
MARKER = re.compile(r"# %%(?!%)")


class SourceError(CourseError):
    """A solution notebook is not written as it should be: says the file and the line."""


@dataclass(frozen=True)
class SourceCell:
    """One cell of a solution notebook."""

    role: Role
    source: str
    line: int  # of its marker
    exercise: str = ""


def sources(course: Course | None = None) -> list[str]:
    """The assignments that have a solution notebook, by name."""
    course = course or Course.find()
    return sorted(
        path.parent.name for path in course.solutions.glob("*/*.py") if path.stem == path.parent.name
    )


def source_path(name: str, course: Course | None = None) -> Path:
    """Where the solution notebook of an assignment is."""
    course = course or Course.find()
    return course.solutions / known(name, sources(course), "solution notebook") / f"{name}.py"


def parse_solution(name: str, course: Course | None = None) -> list[SourceCell]:
    """The cells of `solutions/<name>/<name>.py`, in order.

    Raises:
        SourceError: where the file is malformed.
    """
    return parse(source_path(name, course))


def parse(path: Path) -> list[SourceCell]:
    """The cells of a percent file, refused where its markers are malformed."""
    import jupytext

    text = path.read_text(encoding="utf-8")
    notebook = jupytext.reads(text, fmt="py:percent")
    lines = [number for number, line in enumerate(text.splitlines(), 1) if MARKER.match(line)]
    if len(lines) != len(notebook.cells):
        raise SourceError(
            f"{path}: {len(notebook.cells)} cells but {len(lines)} lines that begin with '# %%': begin each cell with one, and no other line"
        )
    cells = [_cell(cell, f"{path}:{line}", line) for cell, line in zip(notebook.cells, lines, strict=True)]
    _check_pairs(cells, path)
    return cells


def _cell(cell: Any, where: str, line: int) -> SourceCell:
    marker = {key: value for key, value in cell.metadata.items() if key != "lines_to_next_cell"}
    source = cell.source.strip("\n")
    if cell.cell_type == "markdown" and not marker:
        return SourceCell("text", source, line)
    role, exercise = _role(cell.cell_type, marker, where)
    if role == "exercise":
        _check_answer(source, where)
    elif BEGIN in source or END in source:
        raise SourceError(f"{where}: an answer outside an exercise cell: mark it '# %% exercise=\"...\"'")
    if role == "check" and source != f'check("{exercise}")':
        raise SourceError(f'{where}: the one line of this cell must be check("{exercise}")')
    return SourceCell(role, source, line, exercise)


def _role(kind: str, marker: dict[str, Any], where: str) -> tuple[Role, str]:
    if kind == "code":
        match marker:
            case {"exercise": str(name), **rest} if not rest and name.isidentifier():
                return "exercise", name
            case {"check": str(name), **rest} if not rest and name.isidentifier():
                return "check", name
            case {"title": "show", **rest} if not rest:
                return "show", ""
            case {**rest} if not rest:
                return "given", ""
    written = (
        marker.get("incorrectly_encoded_metadata")
        or " ".join(f"{k}={v!r}" for k, v in marker.items())
        or kind
    )
    raise SourceError(
        f"{where}: unknown marker {written}; known are '# %%', '# %% [markdown]', '# %% show', "
        "'# %% exercise=\"name\"' and '# %% check=\"name\"'"
    )


def _check_answer(source: str, where: str) -> None:
    marks = [
        line.strip() for line in source.splitlines() if "BEGIN SOLUTION" in line or "END SOLUTION" in line
    ]
    if not marks or marks != [BEGIN, END] * (len(marks) // 2):
        raise SourceError(
            f"{where}: the answer must stand between '{BEGIN}' and '{END}', once or more, not nested"
        )
    try:
        missing = [
            f.name
            for f in ast.parse(source).body
            if isinstance(f, ast.FunctionDef) and BEGIN not in (ast.get_source_segment(source, f) or "")
        ]
    except SyntaxError as error:
        raise SourceError(f"{where}: not Python: {error}") from None
    if missing:
        raise SourceError(
            f"{where}: {missing[0]} has no '{BEGIN}' of its own: give a helper to students in a cell without a marker"
        )


def _check_pairs(cells: list[SourceCell], path: Path) -> None:
    answers: dict[str, int] = {}
    checks: dict[str, int] = {}
    for cell in cells:
        if cell.role not in ("exercise", "check"):
            continue
        seen = answers if cell.role == "exercise" else checks
        if cell.exercise in seen:
            raise SourceError(
                f'{path}:{cell.line}: a second {cell.role}="{cell.exercise}"; the first is in line {seen[cell.exercise]}'
            )
        if cell.role == "check" and cell.exercise not in answers:
            raise SourceError(
                f'{path}:{cell.line}: check="{cell.exercise}" without an exercise of that name above it'
            )
        seen[cell.exercise] = cell.line
    for name, line in answers.items():
        if name not in checks:
            raise SourceError(f'{path}:{line}: exercise="{name}" has no cell check="{name}" below it')


def functions_in(source: str) -> list[str]:
    """The names of the functions that a cell of ours defines at its top level."""
    return [node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]


def solution_namespace(name: str, course: Course | None = None) -> dict[str, Any]:
    """Run a solution's given and exercise cells and return its functions by name.

    Each function knows its place in the solution's file, so `inspect.getsource` and tracebacks find it.
    """
    path = source_path(name, course)
    namespace: dict[str, Any] = {"__name__": f"solutions.{name}"}
    functions: list[str] = []
    written = path.read_text(encoding="utf-8").splitlines()
    for cell in parse(path):
        if cell.role not in ("given", "exercise") or not cell.source:
            continue
        first = written.index(cell.source.split("\n", 1)[0], cell.line)
        exec(compile("\n" * first + cell.source, str(path), "exec"), namespace)
        if cell.role == "exercise":
            functions += functions_in(cell.source)
    return {function: namespace[function] for function in functions}
