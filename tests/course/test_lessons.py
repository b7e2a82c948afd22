"""Every lesson runs from its first line to its last, and its figures are there."""

import re
from itertools import pairwise
from pathlib import Path

import jupytext
import pytest
from nbclient import NotebookClient

from grader.course import syllabus

COURSE = Path(__file__).parent.parent.parent / "course"
LESSONS = sorted(path.stem for path in COURSE.glob("*.md"))


@pytest.mark.parametrize("name", LESSONS)
def test_the_lesson_runs_and_draws(name):
    lesson = jupytext.read(COURSE / f"{name}.md")
    NotebookClient(lesson, timeout=300, resources={"metadata": {"path": str(COURSE.parent)}}).execute()
    outputs = [output for cell in lesson.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.get("name") == "stderr"]
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 2


def test_the_syllabus_is_in_order():
    taught = list(syllabus())
    for name, entry in syllabus().items():
        assert set(entry.needs) <= set(taught[: taught.index(name)])
        assert (COURSE / f"{name}.md").is_file()


LISTS = re.compile(r" {0,3}(\d+[.)]|[-+*]) ")


@pytest.mark.parametrize(
    "path",
    sorted([*COURSE.glob("*.md"), *(COURSE.parent / "solutions").glob("*/*.py")]),
    ids=lambda path: path.name,
)
def test_no_paragraph_turns_into_a_list_at_a_line_break(path):
    for cell in jupytext.read(path).cells:
        if cell.cell_type == "markdown":
            lines = ["", *cell.source.splitlines()]
            for before, line in pairwise(lines):
                begins = LISTS.match(line) and before.strip() and not before.startswith(" ")
                assert not begins or LISTS.match(before), f"{path}: {line!r} begins a list after {before!r}"
