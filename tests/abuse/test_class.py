"""A class in which the nastiest sit among the honest, graded by the command that a user types."""

import subprocess
import sys
from pathlib import Path

import pytest

from grader.exercise import exercises_of
from grader.gradebook import course_directory
from grader.notebooks import build_release
from tests.abuse import ASSIGNMENT, cases, honest
from tests.abuse.conftest import copied

pytestmark = pytest.mark.filterwarnings("ignore")  # nbgrader's and SQLAlchemy's own

NASTIEST = [
    "forging-patched_answers",
    "forging-spoofed_jupyter_messages",
    "forging-points_tags_and_outputs",
    "forging-shortcut_sys_modules",
    "peeking-files_by_path",
    "harm-write_everywhere",
    "harm-daemons_that_ignore_signals",
    "harm-kill_all_in_a_call",
    "harm-error_with_escapes",
    "harm-flood_of_stdout",
    "values-very_large_integer_everywhere",
    "broken-truncated",
    "broken-deep_list",
    "broken-link_to_a_system_file",
    "fair-split_and_stripped",
    "fair-cells_with_errors",
]


def test_a_class_by_the_command(host, tmp_path):
    course = copied(tmp_path / "course")
    build_release([ASSIGNMENT], course.assignments, register=True, course=course)
    nastiest = {str(case): case for case in cases() if str(case) in NASTIEST}
    assert nastiest.keys() == set(NASTIEST)
    expected = {}
    points = {name: each.points for name, each in exercises_of(ASSIGNMENT).items()}
    for name, case in nastiest.items():
        case.hand_in(course.submitted, host.told(), student=name)
        honest(course.submitted, f"{name} neighbour")
        shares = dict.fromkeys(points, 0 if case.error else case.others) | dict(case.earns)
        expected[name] = {e: (shares[e] * points[e], bool(case.error)) for e in points}
        expected[f"{name} neighbour"] = {e: (points[e], False) for e in points}
    before = host.state()
    command = [Path(sys.executable).with_name("grader"), "grade", ASSIGNMENT]
    ran = subprocess.run(command, cwd=course.root, capture_output=True, text=True)
    assert (ran.returncode, "Traceback" in ran.stderr) == (1, False), ran.stderr  # some were broken
    assert host.settled(before) == before
    assert marks(course) == expected


def marks(course):
    """Student -> exercise -> (mark, whether it waits for a look by hand)."""
    from nbgrader.api import Gradebook

    with Gradebook(course_directory(course).db_url, "keras-from-scratch") as gradebook:
        return {
            submission.student.id: {
                grade.name.removeprefix("check-"): (grade.auto_score, grade.needs_manual_grade)
                for notebook in submission.notebooks
                for grade in notebook.grades
            }
            for submission in gradebook.assignment_submissions(ASSIGNMENT)
        }
