"""The machine that is watched; and at the end of a run, how many cases of each kind held."""

import shutil
import tempfile
from collections import Counter
from pathlib import Path

import pytest

from grader.classroom import Grader
from grader.course import Course
from tests.abuse import ASSIGNMENT, KINDS
from tests.abuse.host import Host


def copied(to: Path) -> Course:
    """A course of its own with the secret seed of this one, and the references that belong to it."""
    course = Course.find(Path(__file__))
    Grader(course).book(ASSIGNMENT)
    copy = course.copied_to(to)
    shutil.copytree(course.private / "cases", copy.private / "cases")
    shutil.copy(course.private / "seed", copy.private)
    return copy


@pytest.fixture(scope="session")
def host(tmp_path_factory, sandboxed):
    """A course with canaries in it, and everything watched."""
    course = copied(tmp_path_factory.mktemp("abuse") / "course")
    shutil.copytree(Course.find(Path(__file__)).assignments / ASSIGNMENT, course.assignments / ASSIGNMENT)
    with tempfile.TemporaryDirectory() as temporary, pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", temporary)
        patch.setenv("TMPDIR", temporary)
        host = Host(course.root, Path(temporary))
        yield host
        host.close()


def pytest_terminal_summary(terminalreporter):
    tried: Counter[tuple[str, str]] = Counter()
    held: Counter[tuple[str, str]] = Counter()
    for outcome in ("passed", "failed", "error"):
        for report in terminalreporter.getreports(outcome):
            facts = dict(report.user_properties)
            if "kind" in facts and (report.when == "call" or report.failed):
                row = (facts["sandbox"], facts["kind"])
                tried[row] += 1
                held[row] += report.passed
    for sandbox in sorted({sandbox for sandbox, _ in tried}):
        kinds = [kind for kind in KINDS if tried[sandbox, kind]]
        cells = [f"{kind} {held[sandbox, kind]} of {tried[sandbox, kind]}" for kind in kinds]
        terminalreporter.write_line(f"held in {sandbox}: {', '.join(cells)}")
