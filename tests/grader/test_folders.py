"""What an instructor sets in nbgrader_config.py: `grader grade` does with it what `nbgrader autograde` does."""

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from grader.classroom import into_gradebook
from grader.course import Course, CourseError
from grader.feedback import feedback
from grader.folders import Folders, hand_ins
from grader.gradebook import course_directory
from grader.notebooks import build_release, filled_notebook, release_notebook

pytestmark = pytest.mark.filterwarnings("ignore")  # nbgrader's and SQLAlchemy's own

NAME = "activations"
ELSEWHERE = """
c.CourseDirectory.directory_structure = "{nbgrader_step}/{assignment_id}/{student_id}"
c.CourseDirectory.submitted_directory = "handed/in"
c.CourseDirectory.autograded_directory = "graded"
c.CourseDirectory.feedback_directory = "pages"
c.CourseDirectory.student_id_exclude = "away,ill"
"""
HOOKS = """
import json
import os

def noted(when):
    def hook(**given):
        with open("hooks.log", "a") as log:
            print(when, os.getcwd(), json.dumps(given, sort_keys=True), file=log)
        if "broken" in given["notebooks"][0]:
            raise ValueError("cannot be mended")
    return hook

def mend(assignment, student, notebooks):
    noted("before")(assignment=assignment, student=student, notebooks=notebooks)
    [path] = notebooks
    text = open(path).read()
    if "__mend__" in text:
        open(path, "w").write(text.replace("__mend__", ""))

after = noted("after")
"""
LATE = """
from nbgrader.plugins import BasePlugin

class ByTheHour(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return min(score / 2, total_seconds_late / 3600)
"""


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    course = Course.find().copied_to(tmp_path_factory.mktemp("course") / "copy")
    build_release([NAME], course.assignments, register=True, course=course)
    return course


@pytest.fixture
def course(released, tmp_path):
    """A course of a test's own, with a released assignment."""
    shutil.copytree(released.root, tmp_path / "copy")
    return Course(tmp_path / "copy")


def set_(course, text):
    config = course.root / "nbgrader_config.py"
    config.write_text(f"import sys\nsys.path.insert(0, {str(course.root)!r})\n{config.read_text()}{text}\n")


def hand_in(course, student, text, timestamp=None):
    folder = Folders(course).of("submitted", student, NAME)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{NAME}.ipynb").write_text(text, encoding="utf-8")
    if timestamp:
        (folder / "timestamp.txt").write_text(timestamp)


def nbgrader(course, *words):
    command = [Path(sys.executable).with_name("nbgrader"), *words]
    return subprocess.run(command, cwd=course.root, capture_output=True, text=True)


def gradebook(course):
    return Gradebook(course_directory(course).db_url, "keras-from-scratch")


def kept(course):
    """All that grading leaves: marks, penalties and files."""
    with gradebook(course) as book:
        marks = {
            (each.student_id, grade.name): (
                grade.auto_score,
                grade.needs_manual_grade,
                each.notebooks[0].late_submission_penalty,
            )
            for each in book.assignment_submissions(NAME)
            for grade in each.notebooks[0].grades
        }
    place = course.root / "graded"
    return marks, {path.relative_to(place): path.read_bytes() for path in place.rglob("*.*")}


def test_folders_exclusions_hooks_and_late_policy_are_those_of_nbgrader(course, sandboxed, monkeypatch):
    monkeypatch.syspath_prepend(course.root)
    (course.root / "hooks_of_class.py").write_text(HOOKS)
    (course.root / "late_of_class.py").write_text(LATE)
    set_(
        course,
        f"{ELSEWHERE}import hooks_of_class\nc.BaseConverter.pre_convert_hook = hooks_of_class.mend\n"
        "c.Autograde.post_convert_hook = 'hooks_of_class.after'\n"
        "c.AssignLatePenalties.plugin_class = 'late_of_class.ByTheHour'\n",
    )
    full = nbformat.writes(filled_notebook(NAME, course=course))

    def hand_in_all():
        hand_in(course, "right", f"{full}\n", "2030-01-01 15:00:00 UTC")
        hand_in(course, "blank", nbformat.writes(release_notebook(NAME, course)), "2030-01-01 11:00:00 UTC")
        hand_in(course, "mended", f"__mend__{full}")
        hand_in(course, "broken", "no notebook")
        hand_in(course, "away", full)
        (Folders(course).of("submitted", "right", NAME) / "more.txt").write_text("not taken")

    with gradebook(course) as book:
        book.update_or_create_assignment(NAME, duedate="2030-01-01 12:00:00")
    hand_in_all()
    log = course.root / "hooks.log"
    written = into_gradebook(course, NAME)
    ours, said = kept(course), sorted(log.read_text().splitlines())
    assert written.problems == {} and len(said) == 8
    assert sorted(written.warnings) == [
        f"{hook} failed for broken: ValueError: cannot be mended"
        for hook in ("post_convert_hook", "pre_convert_hook")
    ]
    assert {student for student, _ in ours[0]} == {"right", "blank", "mended", "broken"}
    assert ours[0]["right", "check-relu"][2] == 3.0
    assert ours[0]["mended", "check-relu"] == ours[0]["right", "check-relu"][:2] + (None,)

    assert into_gradebook(course, NAME).warnings == []  # nothing to do, so no hook

    with gradebook(course) as book:
        for student in ("right", "blank", "mended", "broken"):
            book.remove_submission(NAME, student)
    shutil.rmtree(course.root / "graded")
    log.unlink()
    hand_in_all()
    for student in ("right", "blank", "mended", "broken", "away"):
        nbgrader(course, "autograde", NAME, "--student", student)
    assert kept(course) == ours
    assert sorted(log.read_text().splitlines()) == said

    log.unlink()
    pages = feedback(course, NAME)
    assert {path.relative_to(course.root) for path in pages} == {
        Path("pages", NAME, student, f"{NAME}.html") for student in ("right", "blank", "mended", "broken")
    }
    assert len(log.read_text().splitlines()) == 4


def test_a_student_who_must_be_known_is_not_made(course, sandboxed):
    set_(course, "c.Autograde.create_student = False")
    with gradebook(course) as book:
        book.update_or_create_student("known")
    for student in ("known", "stranger"):
        hand_in(course, student, nbformat.writes(release_notebook(NAME, course)))
    assert list(into_gradebook(course, NAME).problems) == ["stranger"]
    with gradebook(course) as book:
        assert {student.id for student in book.students} == {"known"}


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        (
            "c.Autograde.autograde_preprocessors = ['nbgrader.preprocessors.SaveAutoGrades']",
            "nothing would be graded",
        ),
        ("c.Autograde.autograde_preprocessors[0] = 'nbgrader.preprocessors.Execute'", "sandbox alone"),
        ("c.Autograde.autograde_preprocessors.append('nbgrader.preprocessors.Execute')", "sandbox alone"),
        ("c.Autograde.post_convert_hook = 'no.such.hook'", "No module named 'no'"),
    ],
)
def test_steps_that_would_give_marks_away_are_refused(course, sandboxed, setting, said):
    """By both ways of grading."""
    set_(course, setting)
    hand_in(course, "blank", nbformat.writes(release_notebook(NAME, course)))
    with pytest.raises(CourseError, match=said):
        into_gradebook(course, NAME)
    assert nbgrader(course, "autograde", NAME).returncode != 0
    with gradebook(course) as book:
        assert all(each.score == 0 for each in book.assignment_submissions(NAME))


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        (
            "directory_structure = '{nbgrader_step}/{student_id}'",
            "directory_structure has no {assignment_id}",
        ),
        (
            "directory_structure = '{nbgrader_step}/{student_id}/{assignment_id}/{more}'",
            "directory_structure has 'more'",
        ),
        ("directory_structure = 'x/{nbgrader_step}/{student_id}/{assignment_id}'", "release_directory and"),
        ("release_directory = 'release'", "release_directory and"),
        ("root = '/'", "root is /, and the course is in"),
    ],
)
def test_folders_that_cannot_be_are_named(course, setting, said):
    set_(course, f"c.CourseDirectory.{setting}")
    with pytest.raises(CourseError) as raised:
        into_gradebook(course, NAME)
    assert said in str(raised.value) and "\n" not in str(raised.value)


def test_what_is_set_in_vain_is_said(course, sandboxed):
    set_(course, "c.Execute.timeout = 5\nc.Autograde.exclude_overwriting = {'x': ['y']}")
    hand_in(course, "blank", nbformat.writes(release_notebook(NAME, course)))
    assert [line.split(" has no")[0] for line in into_gradebook(course, NAME).warnings] == [
        "nbgrader_config.py: c.Autograde.exclude_overwriting",
        "nbgrader_config.py: c.Execute",
    ]


def test_students_are_found_in_any_structure(course):
    set_(
        course,
        "c.CourseDirectory.directory_structure = '{nbgrader_step}/{student_id}/{student_id}/{assignment_id}'",
    )
    for name in ("ann", "be[n]"):
        hand_in(course, name, "")
    (course.submitted / "cy" / "ann" / NAME).mkdir(parents=True)
    assert [student for student, _ in Folders(course).hand_ins(NAME)] == ["ann", "be[n]"]
    set_(course, "c.CourseDirectory.student_id = 'a*'")
    assert [student for student, _ in Folders(course).hand_ins(NAME)] == ["ann"]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CourseError, match="hand-ins are read from"):
        list(hand_ins(tmp_path / "none", NAME))
