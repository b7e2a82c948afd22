"""Feedback pages: made when something that they show has changed, and by any number of processes the same."""

import os
import shutil

import nbformat
import pytest
from nbgrader.api import Gradebook

from grader.course import Course, CourseError
from grader.exercise import exercises_of
from grader.feedback import feedback
from grader.gradebook import Writer, course_directory
from grader.notebooks import build_release, filled_notebook
from grader.result import ExerciseResult, Result

pytestmark = pytest.mark.filterwarnings("ignore")  # nbgrader's and SQLAlchemy's own

NAME = "activations"
STUDENTS = ("ann", "ben", "cal")


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A class of three, all right, without a page so far."""
    course = Course.find().copied_to(tmp_path_factory.mktemp("course") / "copy")
    build_release([NAME], course.assignments, register=True, course=course)
    raw = nbformat.writes(filled_notebook(NAME, course=course)).encode()
    exercises = {
        name: ExerciseResult(name, [name], each.points, each.points, [])
        for name, each in exercises_of(NAME).items()
    }
    with Writer(course, NAME) as writer:
        for student in STUDENTS:
            assert writer.write(student, "1", raw, Result(student, 0.0, 0.0, exercises=exercises)) == ""
    return course


@pytest.fixture
def course(graded, tmp_path):
    shutil.copytree(graded.root, tmp_path / "copy")
    return Course(tmp_path / "copy")


def made(course, **how):
    """Whose pages are made now."""
    return {path.parent.parent.name for path, is_new in feedback(course, NAME, **how).items() if is_new}


def page(course, student):
    return course.root / "feedback" / student / NAME / f"{NAME}.html"


def in_the_gradebook(course, change):
    with Gradebook(course_directory(course).db_url, "keras-from-scratch") as book:
        change(book)
        book.db.commit()


def test_a_page_is_made_again_when_what_it_shows_has_changed(course):
    def changed(change):
        change()
        assert made(course) == {"ann"}
        assert made(course) == set()

    def mark(book):
        book.find_grade("check-relu", NAME, NAME, "ann").manual_score = 0.25

    def extra(book):
        book.find_grade("check-relu", NAME, NAME, "ann").extra_credit = 0.5

    def comment(book):
        book.find_comment("relu", NAME, NAME, "ann").manual_comment = "Neat, see me."

    def late(book):
        book.find_submission_notebook(NAME, NAME, "ann").late_submission_penalty = 1.0

    assert made(course) == set(STUDENTS)
    assert made(course) == set()
    for change in (mark, extra, comment, late):
        changed(lambda change=change: in_the_gradebook(course, change))
    text = page(course, "ann").read_text(encoding="utf-8")
    assert "Neat, see me." in text and "(Score: 0.75 / 2.0)" in text and "Score: -1.0" in text
    changed(page(course, "ann").unlink)
    changed(lambda: page(course, "ann").write_text("spoilt"))
    changed(lambda: os.utime(course.root / "autograded" / "ann" / NAME / f"{NAME}.ipynb"))
    assert made(course, anew=True) == set(STUDENTS)


def test_another_template_or_configuration_is_another_page(course):
    made(course)
    template = course.root / "templates" / "plain" / "index.html.j2"
    template.parent.mkdir(parents=True)
    template.write_text(
        "{% extends 'base/null.j2' %}{% block body %}<p>{{ resources.nbgrader.score }}</p>{% endblock %}"
    )
    (template.parent / "conf.json").write_text('{"mimetypes": {"text/html": true}}')
    config = course.root / "nbgrader_config.py"
    config.write_text(
        f"{config.read_text()}c.HTMLExporter.template_name = 'plain'\n"
        f"c.HTMLExporter.extra_template_basedirs = [{str(template.parents[1])!r}]\n"
    )
    assert made(course) == set(STUDENTS)
    assert "<p>" in page(course, "ann").read_text(encoding="utf-8")
    assert made(course) == set()
    template.write_text(template.read_text().replace("<p>", "<p>Points: "))
    assert made(course) == set(STUDENTS)
    assert "<p>Points: " in page(course, "ann").read_text(encoding="utf-8")


def test_pages_are_byte_for_byte_those_of_nbgrader(course):
    from nbgrader.apps import NbGraderAPI

    from grader.settings import configuration

    made(course, workers=2)
    ours = {student: page(course, student).read_bytes() for student in STUDENTS}
    made(course, anew=True, workers=1)
    assert {student: page(course, student).read_bytes() for student in STUDENTS} == ours
    shutil.rmtree(course.root / "feedback")
    api = NbGraderAPI(coursedir=course_directory(course), config=configuration(course))
    assert api.generate_feedback(NAME)["success"]
    assert {student: page(course, student).read_bytes() for student in STUDENTS} == ours


def test_a_page_that_cannot_be_made_is_named_and_the_others_are_made(course):
    (course.root / "autograded" / "ben" / NAME / f"{NAME}.ipynb").chmod(0o600)
    (course.root / "autograded" / "ben" / NAME / f"{NAME}.ipynb").write_text("{}")
    with pytest.raises(CourseError, match=r"feedback of activations for ben: "):
        feedback(course, NAME)
    assert [student for student in STUDENTS if page(course, student).exists()] == ["ann", "cal"]
