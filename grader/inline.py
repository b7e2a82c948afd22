"""`check("softmax")` as a student meets it, in a notebook or a Python shell."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import os
import sys
import textwrap
from collections.abc import Mapping
from typing import Any

import grader
from grader.cases import CaseBook
from grader.course import CourseError, known, syllabus
from grader.exercise import exercises_of
from grader.report.exercise import exercise_html, exercise_text
from grader.runner import GradingFailed, run_checks
from grader.submission import Here
from kerasref.quiet import quiet

_opened: dict[str, str] = {}
_waiting: dict[str, str] = {}  # a cell that shows -> why it has nothing to show


def open_notebook(assignment: str, release: str) -> None:
    """Say which assignment a notebook is, and with which version it was released; gives it the magic `%%show`."""
    _opened.update(assignment=assignment, release=release)
    if (shell := _shell()) is not None:
        shell.register_magic_function(_show_cell, "cell", "show")
    if any("keras" in each.packages for each in exercises_of(assignment).values()):
        with quiet(), contextlib.suppress(ImportError):
            importlib.import_module("keras")  # here, where its chatter is kept from the page


def _show_cell(line: str, cell: str) -> None:
    """Run a cell that shows what was built; where an answer that it needs does not work yet, say which, in one line."""
    shell: Any = _shell()

    def troubled(
        shell: Any, kind: type, error: BaseException, trace: Any, tb_offset: int | None = None
    ) -> None:
        if (answer := _answer_in(trace)) is not None:
            wrong = "is not written" if kind is NotImplementedError else f"raised {kind.__name__}: {error}"
            _waiting[cell] = f"`{answer}` {wrong}"
        elif _waiting:  # it builds on a cell above that could not run
            _waiting[cell] = next(iter(_waiting.values()))
        elif isinstance(error, ModuleNotFoundError) and error.name in ("keras", "tensorflow"):
            _waiting[cell] = "it is made with Keras: `%pip install keras tensorflow`"
        else:
            shell.showtraceback((kind, error, error.__traceback__), tb_offset=tb_offset)
            return
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")
        print(f"Nothing to show yet: {_waiting[cell]}.")

    _waiting.pop(cell, None)
    before = shell.custom_exceptions, shell.CustomTB
    shell.set_custom_exc((Exception,), troubled)
    try:
        shell.run_cell(cell)
    finally:
        shell.custom_exceptions, shell.CustomTB = before


def _answer_in(trace: Any) -> str | None:
    """The innermost function on a traceback that the assignment asks for."""
    exercises = exercises_of(_opened["assignment"]).values()
    asked = {function for each in exercises for function in each.functions}
    found = None
    while trace is not None:
        name = trace.tb_frame.f_code.co_name
        found = name if name in asked else found
        trace = trace.tb_next
    return found


def check(exercise: str, namespace: Mapping[str, Any], assignment: str | None = None) -> float:
    """Run the visible checks of one exercise on the functions in `namespace`, show the report, return the points."""
    if os.environ.get("NBGRADER_EXECUTION") == "autograde":
        raise RuntimeError(
            "marks come from the course's own autograder: its preprocessor is missing in nbgrader_config.py"
        )
    try:
        name = known(
            assignment or _opened.get("assignment") or _assignment_of(exercise), syllabus(), "assignment"
        )
        asked = exercises_of(name)[known(exercise, exercises_of(name), f"exercise in {name}:")]
        sources = [_source(namespace.get(function)) for function in asked.functions]
        results = run_checks(
            name,
            Here(namespace),
            CaseBook.public(name),
            hidden=False,
            only=exercise,
            sources=sources,
        )
    except (CourseError, GradingFailed) as trouble:
        _show(f"check: {trouble}", "")
        return 0.0
    except KeyboardInterrupt:
        _show("check: stopped before it was done: is there a loop that never ends?", "")
        return 0.0
    _show(exercise_text(results[exercise], _notice()), exercise_html(results[exercise], _notice()))
    return float(results[exercise].score)


def _assignment_of(exercise: str) -> str:
    found = [name for name in syllabus() if exercise in exercises_of(name)]
    if len(found) != 1:
        every = {each: name for name in syllabus() for each in exercises_of(name)}
        known(exercise, every, "exercise")
        raise CourseError(
            f"{exercise!r} is in {' and '.join(found)}: say which, check({exercise!r}, {found[0]!r})"
        )
    return found[0]


def _notice() -> str:
    release = _opened.get("release", grader.__version__)
    if release == grader.__version__:
        return ""
    return (
        f"This notebook was released with version {release} of the course, and version {grader.__version__} is installed: "
        "checks may differ from those of your class."
    )


def _shell() -> Any:
    """The IPython shell that runs this, or None."""
    return sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None


def _source(function: Any) -> str:
    try:
        return textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        return ""


def _show(text: str, html: str) -> None:
    if _shell() is None or not html:
        print(text)
        return
    from IPython.display import display

    display({"text/plain": text, "text/html": html}, raw=True)
