"""The course's folder is found upward, its secret seed stays secret, and kept results are whole."""

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from grader import cases, store
from grader.cases import CaseBook
from grader.course import Course, CourseError, UnknownName, known
from grader.result import ExerciseResult, Result, TestResult
from grader.sandbox import Limits
from grader.store import Store

ROOT = Path(__file__).parent.parent.parent


def test_a_course_is_found_from_anywhere_inside():
    assert Course.find(ROOT / "solutions" / "activations").root == ROOT
    with pytest.raises(UnknownName, match="no course in"):
        Course.find(Path("/"))


def test_the_nearest_names_are_offered():
    assert known("relu", ["relu", "elu"], "exercise") == "relu"
    with pytest.raises(UnknownName, match="did you mean softmax"):
        known("sotfmax", ["softmax", "sigmoid"], "exercise")


def test_what_is_not_released_says_how_to(tmp_path):
    with pytest.raises(CourseError, match="run `grader release yolo`"):
        Course(tmp_path).released("yolo")


def test_the_seed_is_made_once_and_rotated_on_demand(tmp_path):
    course = Course(tmp_path)
    seed = course.seed()
    assert len(seed) == 32
    assert course.seed() == seed
    assert course.rotate_seed() != seed
    assert course.seed() != seed
    assert stat.S_IMODE((tmp_path / ".grader" / "seed").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / ".grader").stat().st_mode) == 0o700


def test_the_seed_is_never_committed():
    ignored = subprocess.run(
        ["git", "check-ignore", ".grader/seed", "gradebook.db", "submitted/x"], cwd=ROOT, capture_output=True
    )
    assert ignored.stdout.split() == [b".grader/seed", b"gradebook.db", b"submitted/x"]


def test_the_command_shows_and_rotates_the_seed(tmp_path):
    (tmp_path / "assignments").mkdir()
    (tmp_path / "nbgrader_config.py").touch()

    def seed(*words: str) -> str:
        command = [sys.executable, "-c", "from grader.cli import main; main()", "seed", "--json", *words]
        return json.loads(
            subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        )["seed"]

    first = seed()
    assert seed() == first
    assert seed("--rotate") != first


def test_kept_cases_go_with_their_seed(tmp_path):
    book = CaseBook("activations", "one")
    assert book.references("a test").relu([-1.0, 2.0]).tolist() == [0.0, 2.0]
    book.keep(tmp_path)
    assert CaseBook.kept("activations", "one", tmp_path).cases.keys() == {"a test relu 1"}
    assert CaseBook.kept("activations", "two", tmp_path).cases == {}


def test_a_recorded_value_is_used_within_tolerance_only(monkeypatch):
    recorded = {"a test relu 1": [[[[1.0, 2.0]], {}], "recorded"]}
    assert (
        CaseBook("activations", "s", dict(recorded)).references("a test").relu([1.0, 2.0 + 1e-15])
        == "recorded"
    )
    assert CaseBook("activations", "s", dict(recorded)).references("a test").relu([1.0, 2.1]).tolist() == [
        1.0,
        2.1,
    ]

    def no_keras(assignment):
        raise cases.ReferenceFailed("keras is not here")

    monkeypatch.setattr(cases, "_module", no_keras)
    with pytest.raises(cases.ReferenceFailed):
        CaseBook("activations", "s", dict(recorded)).references("a test").relu([1.0, 2.1])


def test_a_result_is_kept_whole_or_not_at_all(tmp_path):
    kept = Store(tmp_path)
    result = Result(
        "ann",
        1.5,
        2.0,
        exercises={
            "relu": ExerciseResult("relu", ["relu"], 1.5, 2.0, [TestResult("t", "T", "passed", False, "")])
        },
    )
    key = kept.key_of("activations", b"release", "seed", Limits())(b"hand-in")
    assert kept.get(key) is None
    kept.put(key, result)
    assert kept.get(key) == result
    (tmp_path / f"{key}.json").write_text('{"student": "ann", "sco')
    assert kept.get(key) is None


def test_a_result_is_named_by_all_that_it_depends_on(monkeypatch, tmp_path):
    kept = Store(tmp_path)
    parts = ("activations", b"release", "seed", Limits())
    names = {kept.key_of(*parts)(b"hand-in"), kept.key_of(*parts)(b"other")}
    for changed in (
        ("losses", *parts[1:]),
        (parts[0], b"other", *parts[2:]),
        (*parts[:2], "other", parts[3]),
        (*parts[:3], Limits(call_seconds=20.0)),
    ):
        names.add(kept.key_of(*changed)(b"hand-in"))
    monkeypatch.setattr(store, "grader_fingerprint", lambda: "other checks")
    names.add(kept.key_of(*parts)(b"hand-in"))
    assert len(names) == 7
