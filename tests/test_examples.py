"""The sample class is what the generator makes, and such a class earns what it should in every assignment."""

import pytest

from examples import make_classroom
from grader.classroom import grade_class
from grader.course import Course, syllabus
from grader.exercise import exercises_of


@pytest.mark.parametrize("assignment", make_classroom.SHIPPED)
def test_the_class_is_what_the_generator_makes(assignment):
    for student, text in make_classroom.hand_ins(assignment).items():
        path = make_classroom.CLASSROOM / student / assignment / f"{assignment}.ipynb"
        assert path.read_text(encoding="utf-8") == text, f"{path}: run `python -m examples.make_classroom`"


CLASSES = [pytest.param(a, marks=[pytest.mark.slow] * (a == "architectures")) for a in syllabus()]
"""All assignments; the one with large nets waits for the long tests."""


@pytest.mark.parametrize("assignment", CLASSES)
def test_a_class_earns_what_it_should(assignment, sandboxed, tmp_path):
    most = sum(e.points for e in exercises_of(assignment).values())
    make_classroom.write(assignment, tmp_path)
    graded = {r.student: r for r in grade_class(Course.find(), assignment, tmp_path)}
    assert graded["01"].score == graded["02"].score == most
    assert 0 < graded["03"].score < most
    assert not any(e.started for e in graded["04"].exercises.values())
    assert graded["04"].score == graded["09"].score == graded["10"].score == 0
    for student, mistake in zip(("05", "06", "07", "08"), make_classroom.mistakes(assignment), strict=True):
        assert 0 < graded[student].score < most
        assert any(
            mistake.sentence in said for said in graded[student].exercises[mistake.exercise].misconceptions
        )
    assert graded["10"].error
    assert not any(graded[student].error for student in sorted(graded)[:9])
