"""Results written into the gradebook, on SQLite and on PostgreSQL."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import get_alembic_version
from sqlalchemy import text

from grader.classroom import into_gradebook
from grader.course import Course, CourseError
from grader.exercise import exercises_of
from grader.feedback import feedback
from grader.gradebook import Change, Writer, course_directory
from grader.notebooks import build_release, filled_notebook, release_notebook
from grader.result import ExerciseResult, Result, TestResult

pytestmark = pytest.mark.filterwarnings("ignore")  # nbgrader's and SQLAlchemy's own

ROOT = Path(__file__).resolve().parents[2]
NAME = "activations"
POINTS = {name: each.points for name, each in exercises_of(NAME).items()}
FULL = {f"check-{name}": points for name, points in POINTS.items()}
COURSE_ID = "keras-from-scratch"


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """A course with one released assignment, which everybody starts from."""
    course = Course(ROOT).copied_to(tmp_path_factory.mktemp("course") / "copy")
    build_release([NAME], course.assignments, register=True, course=course)
    return course


@pytest.fixture(scope="module")
def registered(released, postgresql):
    """A database that knows the assignment."""
    course = replace(released, db=postgresql())
    build_release([NAME], course.assignments, register=True, course=course)
    return course.db


@pytest.fixture(params=["sqlite", "postgresql"])
def course(request, released, tmp_path):
    """A course of a test's own, with its gradebook in either kind of database."""
    shutil.copytree(released.root, tmp_path / "copy")
    address = None
    if request.param == "postgresql":
        address = request.getfixturevalue("postgresql")(like=request.getfixturevalue("registered"))
    return Course(tmp_path / "copy", address)


@pytest.fixture(scope="module")
def raw(released):
    return json.dumps(filled_notebook(NAME, course=released)).encode()


def result(**scores):
    """A result with full marks, these aside."""
    marks = {**POINTS, **scores}
    test = TestResult("test_values", "Agrees with Keras.", "passed", False, "")
    exercises = {
        name: ExerciseResult(name, [name], marks[name], points, [test]) for name, points in POINTS.items()
    }
    return Result("", sum(marks.values()), sum(POINTS.values()), exercises=exercises)


def gradebook(course):
    from nbgrader.api import Gradebook

    return Gradebook(course_directory(course).db_url, COURSE_ID)


def marks(course, student):
    with gradebook(course) as book:
        return {g.name: g.auto_score for g in book.find_submission_notebook(NAME, NAME, student).grades}


def autograded(course, student):
    return course.root / "autograded" / student / NAME / f"{NAME}.ipynb"


def test_what_is_written_is_known_and_survives_nothing_that_undoes_it(course, raw):
    keys = {"ann": "1", "ben": "2"}

    def written():
        with Writer(course, NAME) as writer:
            return writer.written(keys)

    def write():
        with Writer(course, NAME) as writer:
            assert [writer.write(student, key, raw, result()) for student, key in keys.items()] == ["", ""]
            assert not writer.changes
        assert written() == {"ann", "ben"}

    def undone(undo):
        write()
        undo()
        assert written() == {"ben"}

    def in_the_gradebook(change):
        with gradebook(course) as book:
            change(book)
            book.db.commit()

    def late(book):
        book.find_submission_notebook(NAME, NAME, "ann").late_submission_penalty = 1.0

    def open_mark(book):
        book.find_grade("check-relu", NAME, NAME, "ann").auto_score = None

    assert written() == set()
    write()
    assert marks(course, "ann") == marks(course, "ben") == FULL
    undone(lambda: keys.update(ann="3"))
    undone(lambda: in_the_gradebook(lambda book: book.remove_submission(NAME, "ann")))
    undone(lambda: in_the_gradebook(late))
    undone(lambda: in_the_gradebook(open_mark))
    undone(lambda: autograded(course, "ann").unlink())
    undone(lambda: os.utime(autograded(course, "ann")))
    stamp = course.submitted / "ann" / NAME / "timestamp.txt"
    stamp.parent.mkdir(parents=True)
    undone(lambda: stamp.write_text("2030-01-01 12:00:00 UTC"))
    write()
    config = course.root / "nbgrader_config.py"
    config.write_text(config.read_text() + "c.LateSubmissionPlugin.penalty_method = 'zero'\n")
    assert written() == set()


def test_a_result_that_is_not_kept_is_written_again(course, raw):
    with Writer(course, NAME) as writer:
        assert writer.write("ann", "", raw, Result("", 0.0, 0.0, error="grading did not run")) == ""
        assert writer.written({"ann": ""}) == set()
    assert set(marks(course, "ann").values()) == {0.0}


def test_marks_that_move_are_listed_and_what_people_gave_stays(course, raw):
    with Writer(course, NAME) as writer:
        writer.write("ann", "1", raw, result())
    with gradebook(course) as book:
        grade = book.find_grade("check-relu", NAME, NAME, "ann")
        grade.manual_score, grade.extra_credit = 1.5, 0.5
        book.find_comment("relu", NAME, NAME, "ann").manual_comment = "See me."
        book.db.commit()
    with Writer(course, NAME) as writer:
        writer.write("ann", "2", raw, result(relu=1.0, tanh=POINTS["tanh"]))
        assert writer.changes == [Change("ann", "relu", POINTS["relu"], 1.0)]
    with gradebook(course) as book:
        grade = book.find_grade("check-relu", NAME, NAME, "ann")
        assert (grade.auto_score, grade.manual_score, grade.extra_credit) == (1.0, 1.5, 0.5)
        assert grade.needs_manual_grade
        assert book.find_comment("relu", NAME, NAME, "ann").comment == "See me."
        assert book.find_submission(NAME, "ann").score == sum(POINTS.values()) - POINTS["relu"] + 2.0


STEPS = """
from nbgrader.preprocessors import NbGraderPreprocessor

class Signed(NbGraderPreprocessor):
    def preprocess(self, nb, resources):
        if resources["nbgrader"]["student"] == "bad":
            raise ValueError("not him")
        nb.metadata["signed"] = resources["nbgrader"]["student"]
        return nb, resources
"""


def test_a_courses_own_step_is_taken_and_where_it_fails_the_mark_is_zero(course, raw, monkeypatch):
    (course.root / "own_steps.py").write_text(STEPS)
    monkeypatch.syspath_prepend(course.root)
    config = course.root / "nbgrader_config.py"
    config.write_text(config.read_text() + "c.Autograde.autograde_preprocessors += ['own_steps.Signed']\n")
    with Writer(course, NAME) as writer:
        assert writer.write("ann", "1", raw, result()) == ""
        assert writer.write("bad", "2", raw, result()).endswith("(ValueError: not him)")
        assert "rename the folder" in writer.write("b&d", "3", raw, result())
        assert writer.written({"ann": "1", "bad": "2", "b&d": "3"}) == {"ann"}
    assert nbformat.read(autograded(course, "ann"), as_version=4).metadata.signed == "ann"
    assert not autograded(course, "bad").exists()
    with gradebook(course) as book:
        grades = book.find_submission_notebook(NAME, NAME, "bad").grades
        assert {(grade.auto_score, grade.needs_manual_grade) for grade in grades} == {(0.0, True)}
        assert {student.id for student in book.students} == {"ann", "bad"}


@pytest.mark.parametrize("rounds", [10, pytest.param(50, marks=pytest.mark.slow)])
def test_a_writer_that_is_killed_at_any_moment_is_taken_up(course, raw, rounds):
    """Whoever counts as written is so wholly; the next one writes the others."""
    students = [f"s{number}" for number in range(8)]

    def write(number):
        with Writer(course, NAME) as writer:
            keys = dict.fromkeys(students, str(number))
            for student in sorted(set(students) - writer.written(keys)):
                assert writer.write(student, str(number), raw, result(relu=number / rounds)) == ""

    def check(number):
        with Writer(course, NAME) as writer:
            written = writer.written(dict.fromkeys(students, str(number)))
        for student in written:
            assert marks(course, student) == {**FULL, "check-relu": number / rounds}
            notebook = nbformat.read(autograded(course, student), as_version=4)
            [mark] = [cell.outputs[-1] for cell in notebook.cells if cell.source == 'check("relu")']
            assert mark.data["text/plain"] == str(number / rounds)
        return written

    started = time.monotonic()
    write(0)
    write(1)  # with all imported, as each child finds it
    most = (time.monotonic() - started) / 2
    chance = random.Random(0)
    for number in range(2, rounds):
        if not (child := os.fork()):
            write(number)
            os._exit(0)
        time.sleep(chance.uniform(0, most))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        check(number)
    write(rounds)
    assert check(rounds) == set(students)
    with gradebook(course) as book:
        assert len(book.assignment_submissions(NAME)) == len(students)
    assert {path.name for path in (course.root / "autograded").rglob("*.*")} == {f"{NAME}.ipynb"}


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("postgresql://nobody@127.0.0.1:9/none", "cannot be opened: connection"),
        ("sqlite:////nowhere/at/all.db", "cannot be opened: unable to open database file"),
        ("somewhere", "address must be like sqlite:"),
        ("postgres://x@y/z", "address must be like sqlite:"),
        ("sqlite://", "does not know activations: run `grader release activations`"),
    ],
)
def test_a_gradebook_that_is_not_there_is_one_line(released, address, said):
    course = replace(released, db=address)
    with pytest.raises(CourseError, match=said) as raised, Writer(course, NAME):
        pass
    assert "\n" not in str(raised.value)


def test_a_password_is_not_printed(released):
    course = replace(released, db="postgresql://x:swordfish@127.0.0.1:9/none")
    with pytest.raises(CourseError) as raised:
        feedback(course, NAME)
    assert "swordfish" not in str(raised.value)


def test_a_class_is_graded_into_postgresql(postgresql, sandboxed, tmp_path):
    """By the commands alone: the marks are those that SQLite gets."""
    course = Course(ROOT).copied_to(tmp_path / "copy")
    address = postgresql()

    def run(*words, program="grader"):
        command = [Path(sys.executable).with_name(program), *words]
        ran = subprocess.run(command, cwd=course.root, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    run("release", NAME, "--db", address)
    for student, notebook in {
        "ann": filled_notebook(NAME, course=course),
        "ben": release_notebook(NAME, course),
    }.items():
        path = course.submitted / student / NAME / f"{NAME}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(notebook, path)
    run("grade", NAME, "--db", address)
    there = replace(course, db=address)
    assert marks(there, "ann") == FULL
    assert marks(there, "ben") == dict.fromkeys(FULL, 0.0)
    assert not (course.root / "gradebook.db").exists()
    with gradebook(there) as book:
        book.find_grade("check-relu", NAME, NAME, "ben").manual_score = 1.0
        book.db.commit()
    assert into_gradebook(there, NAME, ["ann", "ben"]).problems == {}
    run("feedback", NAME, "--db", address)
    with gradebook(there) as book:
        assert book.find_submission(NAME, "ben").score == 1.0
        assert list(book.db.execute(text("SELECT * FROM alembic_version"))) == [(get_alembic_version(),)]
    page = (course.root / "feedback" / "ben" / NAME / f"{NAME}.html").read_text(encoding="utf-8")
    assert f"Score: 1.0 / {float(sum(POINTS.values()))}" in page
    build_release([NAME], course.assignments, register=True, course=course)
    assert into_gradebook(course, NAME, ["ann", "ben"]).problems == {}
    assert marks(course, "ann") == FULL
    assert marks(course, "ben") == dict.fromkeys(FULL, 0.0)
    with gradebook(there) as book:
        book.remove_submission(NAME, "ann")
    config = course.root / "nbgrader_config.py"
    config.write_text(f"{config.read_text()}c.CourseDirectory.db_url = {address!r}\n")
    run("autograde", NAME, "--force", program="nbgrader")
    assert marks(there, "ann") == FULL
