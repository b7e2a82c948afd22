"""What works on this machine, and what is missing."""

from __future__ import annotations

import importlib
import platform
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory

from grader import __version__
from grader.course import Course, CourseError
from grader.sandbox import KINDS, Sandbox, SandboxError
from grader.sandbox.bubblewrap import INSTALL
from grader.sandbox.landlock import less
from grader.sandbox.trial import tried


@dataclass(frozen=True)
class Finding:
    """One thing looked at: `ok` is None where it is not needed for what is installed."""

    what: str
    ok: bool | None
    text: str


def findings() -> list[Finding]:
    """Everything that the course depends on, tried."""
    return [_python(), _package("numpy", True), _course(), _nbgrader(), *_sandboxes(), _references()]


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


def _sandboxes() -> list[Finding]:
    """Each kind of sandbox, tried from inside; the first that holds is the one in force."""
    if sys.platform != "linux":
        return [Finding("sandbox", None, "needs Linux; only an instructor's machine does")]
    found = [_sandbox(kind) for kind in KINDS if kind != "none"]
    in_force = next((f.what for f in found if f.ok), None)
    summary = f"{in_force} is in force" if in_force else f"none works, so nothing is graded: {INSTALL}"
    return [Finding("sandbox", in_force is not None, summary), *found]


def _sandbox(kind: str) -> Finding:
    try:
        with Sandbox(kind=kind) as sandbox, TemporaryDirectory() as elsewhere:
            try:
                folder = Course.find().private
            except CourseError:
                folder = Path(elsewhere)
            attempts = tried(sandbox, folder)
    except SandboxError as error:
        return Finding(kind, None, str(error).rpartition(f"{kind}: ")[2])
    failed = [attempt.what for attempt in attempts if not attempt.held]
    if failed:
        return Finding(kind, False, f"{sandbox.description}; a hand-in could {', '.join(failed)}")
    held = ", ".join(attempt.what for attempt in attempts)
    text = f"{sandbox.description}; tried and refused: {held}"
    return Finding(kind, True, f"{text}. It promises less: {less()}" if kind == "landlock" else text)


def _references() -> Finding:
    found = _package("keras", False)
    if not found.ok:
        return found
    try:
        device = importlib.import_module("kerasref.backend").device()
    except ImportError as error:
        return Finding("references", False, f"Keras {found.text} does not start: {error}")
    return Finding("references", True, f"Keras {found.text} on {device}")
