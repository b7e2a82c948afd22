"""From solution notebooks to what students get: releases and hand-outs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader import __version__
from grader.course import Course, CourseError, wheel_address
from grader.notebooks.source import (
    BEGIN,
    END,
    SourceCell,
    SourceError,
    functions_in,
    parse_solution,
    source_path,
    sources,
)

if TYPE_CHECKING:
    from nbformat import NotebookNode

WITH_KERAS = re.compile(r"^ *(import|from) (keras|kerasref)\b", re.MULTILINE)
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}

SETUP = """\
# Run this cell first: it gets the course's package ready.
try:
    import grader
except ModuleNotFoundError:
    from glob import glob

    found = sorted(glob("keras_from_scratch-*.whl")) or {wheel!r}
    if not found:
        raise ModuleNotFoundError("put the file keras_from_scratch-{version}-py3-none-any.whl beside this notebook and run this cell again") from None
    %pip install --quiet "{{found[-1]}}{extra}"

from grader import check, open_notebook

open_notebook("{name}", release="{version}")
"""


def source_notebook(name: str, course: Course | None = None) -> NotebookNode:
    """The nbgrader source notebook of an assignment: answers in, points from its checks.

    Raises:
        SourceError: where the solution notebook is malformed, or does not have the exercises that its checks have.
    """
    from nbformat.v4 import new_notebook

    course = course or Course.find()
    cells = parse_solution(name, course)
    points = _points(name, cells, source_path(name, course))
    wheel = [address] if (address := wheel_address()) else []
    built = [_node(cell, f"{name}-{place:02}", points) for place, cell in enumerate(cells, 1)]
    after = next((i for i, cell in enumerate(cells, 1) if cell.role == "text"), 0)
    extra = "[reference]" if any(WITH_KERAS.search(cell.source) for cell in cells) else ""
    first = SETUP.format(name=name, version=__version__, wheel=wheel, extra=extra).strip()
    setup = SourceCell("given", first, 0)
    built.insert(after, _node(setup, f"{name}-setup", points))
    return new_notebook(cells=built, metadata={"kernelspec": KERNEL, "language_info": {"name": "python"}})


def _points(name: str, cells: list[SourceCell], path: Path) -> dict[str, float]:
    """What each exercise is worth, once source and checks are seen to agree."""
    from grader.exercise import exercises_of

    if find_spec(f"grader.checks.{name}") is None:
        raise SourceError(f"{path}:1: its checks, grader/checks/{name}.py, are not there")
    exercises = exercises_of(name)
    written = {cell.exercise: cell for cell in cells if cell.role == "exercise"}
    for exercise, cell in written.items():
        if exercise not in exercises:
            raise SourceError(
                f"{path}:{cell.line}: exercise {exercise!r} has no checks in grader/checks/{name}.py"
            )
        if missing := set(exercises[exercise].functions) - set(functions_in(cell.source)):
            raise SourceError(
                f"{path}:{cell.line}: exercise {exercise!r} does not define {', '.join(sorted(missing))}, which its checks call"
            )
    if unwritten := [exercise for exercise in exercises if exercise not in written]:
        raise SourceError(
            f"{path}:1: no cell for {', '.join(unwritten)}, which grader/checks/{name}.py checks"
        )
    return {exercise: exercises[exercise].points for exercise in written}


def _node(cell: SourceCell, place: str, points: dict[str, float]) -> NotebookNode:
    from nbformat.v4 import new_code_cell, new_markdown_cell

    name = place.rsplit("-", 1)[0]
    match cell.role:
        case "text":
            return new_markdown_cell(cell.source, id=place[-64:])
        case "exercise":
            metadata = _nbgrader(cell.exercise, solution=True)
            place = f"{name}-{cell.exercise}"
        case "check":
            metadata = _nbgrader(
                f"check-{cell.exercise}", grade=True, locked=True, points=points[cell.exercise]
            )
            place = f"{name}-check-{cell.exercise}"
        case "show":
            metadata = {"tags": ["show"]}
            return new_code_cell(f"%%show\n{cell.source}", id=place[-64:], metadata=metadata)
        case _:
            metadata = {}
    return new_code_cell(cell.source, id=place[-64:], metadata=metadata)


def _nbgrader(grade_id: str, **fields: Any) -> dict[str, Any]:
    blank = {"grade": False, "locked": False, "solution": False, "task": False, "schema_version": 3}
    return {"nbgrader": {"grade_id": grade_id, **blank, **fields}}


def build_release(
    names: Iterable[str], into: Path, register: bool = False, course: Course | None = None
) -> list[Path]:
    """Make release notebooks `into/<name>/<name>.ipynb` by nbgrader's own `generate_assignment`.

    Each is built aside and put in place when it is complete; nothing else in its folder remains.

    Args:
        names: the assignments.
        into: the folder of releases (a course's `assignments/`).
        register: also write the assignment to the course's gradebook and its source to `build/source/`.
        course: the course; the one around the current folder where left out.
    """
    course = course or Course.find()
    made = []
    for name in names:
        notebook = source_notebook(name, course)
        with tempfile.TemporaryDirectory(prefix="release-") as folder:
            stage = Path(folder)
            _write(notebook, stage / "source" / name / f"{name}.ipynb")
            _generate(name, stage, course, register)
            file = f"{name}.ipynb"
            made += keep_only(into / name, {file: (stage / "release" / name / file).read_bytes()})
            if register:
                source = (stage / "source" / name / file).read_bytes()
                keep_only(course.root / "build" / "source" / name, {file: source})
    return made


def _write(notebook: NotebookNode, path: Path) -> None:
    import nbformat

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


def _generate(name: str, stage: Path, course: Course, register: bool) -> None:
    from nbgrader.converters import GenerateAssignment
    from nbgrader.coursedir import CourseDirectory
    from nbgrader.utils import capture_log

    from grader.gradebook import course_directory
    from grader.settings import configuration

    config = configuration(course)
    place = course_directory(course)
    for section in ("CourseDirectory", "GenerateAssignment", "SaveCells"):
        config.pop(section, None)
    config.CourseDirectory.root = str(stage)
    config.CourseDirectory.db_url = place.db_url
    config.CourseDirectory.course_id = place.course_id
    if not register:
        config.GenerateAssignment.no_database = True
        config.SaveCells.enabled = False
    app = GenerateAssignment(coursedir=CourseDirectory(config=config, assignment_id=name), config=config)
    ran = capture_log(app)
    if not ran["success"]:
        errors = [line for line in (ran.get("log", "") + ran["error"]).splitlines() if "Error: " in line]
        raise CourseError(
            f"{name}: nbgrader could not make the release: {(errors or [ran['error']])[0].strip()}"
        )


def keep_only(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Let `folder` hold these files and nothing else, without a moment in which one of them is missing or cut."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, held in files.items():
        aside = folder / f".{name}.new"
        aside.unlink(missing_ok=True)
        aside.write_bytes(held)
        os.replace(aside, folder / name)
    for other in folder.iterdir():
        if other.name not in files:
            shutil.rmtree(other) if other.is_dir() and not other.is_symlink() else other.unlink()
    return [folder / name for name in files]


def stale_assignments(course: Course | None = None) -> list[str]:
    """The assignments whose release in `assignments/` is not what the build makes."""
    course = course or Course.find()
    names = sources(course)
    with tempfile.TemporaryDirectory(prefix="release-") as folder:
        build_release(names, Path(folder), course=course)
        stale = []
        for name in names:
            there = course.assignments / name
            fresh = (Path(folder) / name / f"{name}.ipynb").read_bytes()
            held = {path.name: path.read_bytes() for path in there.iterdir()} if there.is_dir() else {}
            if held != {f"{name}.ipynb": fresh}:
                stale.append(name)
    extra = {path.name for path in course.assignments.iterdir() if path.is_dir()} - set(names)
    return sorted([*stale, *extra])


def release_notebook(name: str, course: Course | None = None) -> NotebookNode:
    """The released notebook of an assignment."""
    import nbformat

    course = course or Course.find()
    return nbformat.read(course.released(name), as_version=4)


def answered(name: str, course: Course | None = None) -> list[str]:
    """The exercises that somebody has answered in the released notebook itself."""
    course = course or Course.find()
    if not (course.assignments / name / f"{name}.ipynb").is_file():
        return []
    cells = release_notebook(name, course).cells
    answers = [cell for cell in cells if cell.metadata.get("nbgrader", {}).get("solution")]
    return [
        cell.metadata.nbgrader.grade_id for cell in answers if "raise NotImplementedError" not in cell.source
    ]


def solution_answers(name: str, course: Course | None = None) -> dict[str, str]:
    """The source of each answer cell as the solution has it."""
    cells = parse_solution(name, course)
    keep = lambda source: "\n".join(line for line in source.splitlines() if line.strip() not in (BEGIN, END))  # noqa: E731
    return {cell.exercise: keep(cell.source) for cell in cells if cell.role == "exercise"}


def filled_notebook(
    name: str, answers: dict[str, str] | None = None, course: Course | None = None
) -> NotebookNode:
    """The released notebook as a student hands it in.

    Args:
        name: the assignment.
        answers: exercise -> source of its answer cell; the others stay blank. The solution where left out.
        course: the course; the one around the current folder where left out.
    """
    notebook = release_notebook(name, course)
    answers = solution_answers(name, course) if answers is None else dict(answers)
    for cell in notebook.cells:
        meta = cell.metadata.get("nbgrader", {})
        if meta.get("solution"):
            cell.source = answers.pop(meta["grade_id"], cell.source)
    if answers:
        raise CourseError(f"{name} has no exercise {', '.join(map(repr, answers))}")
    return notebook


def build_wheel(into: Path, course: Course | None = None) -> Path:
    """Build the package that students install, and return the wheel's path."""
    course = course or Course.find()
    into.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(into.resolve())]
    ran = subprocess.run(command, cwd=course.root, capture_output=True, text=True)
    if ran.returncode:
        raise CourseError(
            f"the wheel could not be built: {(ran.stderr or ran.stdout).strip().splitlines()[-1]}"
        )
    return into / f"keras_from_scratch-{__version__}-py3-none-any.whl"


def handout(name: str, into: Path, course: Course | None = None) -> Path:
    """Zip an assignment for students without this repository: the released notebook, the lesson and the wheel."""
    course = course or Course.find()
    released = course.released(name)
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="handout-") as folder:
        files = [released, lesson_page(name, Path(folder), course), build_wheel(Path(folder), course)]
        path = into / f"{name}.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in files:
                entry = zipfile.ZipInfo(f"{name}/{file.name}")
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED)
    return path


def lesson_page(name: str, into: Path, course: Course | None = None) -> Path:
    """Run a lesson and write it as a page, figures and all."""
    import jupytext
    from nbclient import NotebookClient
    from nbconvert import HTMLExporter
    from traitlets.config import Config

    course = course or Course.find()
    lesson = jupytext.read(course.root / "course" / f"{name}.md")
    config = Config({"KernelManager": {"transport": "ipc"}})  # TCP warns of eavesdroppers
    where = {"metadata": {"path": str(course.root)}}
    NotebookClient(lesson, timeout=600, resources=where, config=config).execute()
    page, _ = HTMLExporter(exclude_input_prompt=True, exclude_output_prompt=True).from_notebook_node(lesson)
    path = into / f"{name}.html"
    path.write_text(page, encoding="utf-8")
    return path
