"""What works on this machine, and what is missing."""

from __future__ import annotations

import importlib
import platform
import sys
from dataclasses import dataclass
from importlib import metadata

from grader import __version__
from grader.course import Course, CourseError


@dataclass(frozen=True)
class Finding:
    """One thing looked at: `ok` is None where it is not needed for what is installed."""

    what: str
    ok: bool | None
    text: str


def findings() -> list[Finding]:
    """Everything that the course depends on, tried."""
    return [_python(), _package("numpy", True), _course(), _nbgrader(), _sandbox(), _references()]


def _python() -> Finding:
    fits = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Finding(
        "Python",
        fits,
        f"{platform.python_version()}, course package {__version__}"
        + ("" if fits else "; needs 3.11 to 3.13"),
    )


def _package(name: str, needed: bool) -> Finding:
    try:
        return Finding(name, True, metadata.version(name))
    except metadata.PackageNotFoundError:
        return Finding(name, False if needed else None, f"not installed; `pip install {name}` gets it")


def _course() -> Finding:
    try:
        course = Course.find()
    except CourseError as error:
        return Finding("course", None, f"{error}; a student needs none")
    released = sorted(path.parent.name for path in course.assignments.glob("*/*.ipynb"))
    seed = (
        "a secret seed is kept"
        if (course.root / ".grader" / "seed").exists()
        else "the secret seed is made at the first grading"
    )
    return Finding("course", True, f"{course.root}; released: {', '.join(released) or 'nothing'}; {seed}")


def _nbgrader() -> Finding:
    return _package("nbgrader", False)


def _sandbox() -> Finding:
    from grader.sandbox import Sandbox, SandboxError

    try:
        return Finding("sandbox", True, Sandbox().probe())
    except SandboxError as error:
        return Finding("sandbox", None if sys.platform != "linux" else False, str(error))


def _references() -> Finding:
    found = _package("keras", False)
    if not found.ok:
        return found
    try:
        device = importlib.import_module("kerasref.backend").device()
    except ImportError as error:
        return Finding("references", False, f"Keras {found.text} does not start: {error}")
    return Finding("references", True, f"Keras {found.text} on {device}")
