"""The commands as a user types them."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grader.course import Course, syllabus
from grader.exercise import exercises_of
from grader.notebooks import filled_notebook
from grader.settings import defaults

ROOT = Path(__file__).parent.parent.parent
GRADER = Path(sys.executable).with_name("grader")


def grader(*words: object, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [GRADER, *map(str, words)], cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True
    )


def test_list():
    rows = json.loads(grader("list", "--json").stdout)
    assert [row["assignment"] for row in rows] == list(syllabus())
    assert rows[0]["exercises"]["softmax"]["functions"] == ["softmax", "softmax_backward"]
    assert "activations" in grader("list").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["check", "activatons"], "no assignment 'activatons'; did you mean activations?"),
        (["check", "activations/sofmax"], "did you mean softmax"),
        (["check", "softmax"], "softmax is an exercise: write activations/softmax"),
        (["check", "quilt"], "there are activations, losses"),
        (["release", "activations", "--handout", "README.md"], "README.md is a file, not a folder"),
        (["hint", "activations/tahn"], "did you mean tanh"),
        (["hint", "activations"], "say which exercise: activations/sigmoid"),
        (["grade", "losss"], "did you mean losses?"),
        (["grade", "activations", "--limit", "call_second=20"], "did you mean call_seconds"),
        (["grade", "activations", "--limit", "call_seconds"], "write NAME=VALUE, such as call_seconds=20"),
        (["grade", "activations", "--sandbox", "lanlock"], "did you mean landlock?"),
        (["release", "losss"], "did you mean losses?"),
        (["check", "--file", "nothing.py"], "say which assignment"),
        (["check", "activations", "--file", "nothing.py"], "no file nothing.py"),
    ],
)
def test_a_wrong_word_is_one_line_with_the_nearest_right_one(words, said):
    ran = grader(*words)
    assert ran.returncode == 2
    assert said in ran.stderr
    assert len(ran.stderr.strip().splitlines()) == 1
    assert not ran.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["grde"], "'grde'. Did you mean 'grade'?"),
        (["grade", "activations", "--submision", "x"], "--submissions"),
        (["grade"], "ASSIGNMENT"),
        (["hint", "activations/relu", "--level", "much"], "Invalid value for '--level'"),
    ],
)
def test_an_unknown_command_or_option_is_one_line(words, said):
    ran = grader(*words)
    assert ran.returncode == 2
    assert said in ran.stderr
    assert len(ran.stderr.strip().splitlines()) == 1


def test_every_command_has_help_with_an_example():
    listed = grader()
    assert listed.returncode == 0
    commands = [
        "list",
        "check",
        "hint",
        "solution",
        "release",
        "grade",
        "feedback",
        "bake",
        "seed",
        "doctor",
        "demo",
    ]
    for command in commands:
        assert command in listed.stdout
        assert f"Example: grader {command}" in " ".join(grader(command, "--help").stdout.split())


def test_help_shows_the_limits():
    shown = " ".join(grader("grade", "--help").stdout.split())
    for name, amount in defaults().items():
        assert f"{name}={amount}" in shown


def test_outside_a_course(tmp_path):
    ran = grader("grade", "activations", cwd=tmp_path)
    assert ran.returncode == 2
    assert "no course in" in ran.stderr


def test_hint_climbs():
    ladder = exercises_of("activations")["softmax"].hints["softmax"]
    assert ladder[0] in " ".join(grader("hint", "activations/softmax").stdout.split())
    last = json.loads(grader("hint", "activations/softmax", "--level", 9, "--json").stdout)
    assert last["softmax"] == ladder


def test_solution_shows_the_answer():
    assert "def softmax" in grader("solution", "activations/softmax").stdout
    assert set(json.loads(grader("solution", "losses", "--json").stdout)) == set(exercises_of("losses"))


def test_check_a_python_file(tmp_path):
    answers = tmp_path / "activations.py"
    answers.write_text(
        "import numpy as np\n\ndef relu(x):\n    return np.maximum(x, 0)\n\ndef relu_grad(x):\n    return x > 0\n"
    )
    ran = grader("check", "activations/relu", "--file", answers)
    assert ran.returncode == 0
    assert "relu: 2 of 2 points" in ran.stdout
    one = json.loads(grader("check", "--file", answers, "--json", cwd=tmp_path).stdout)["results"][0]
    assert one["exercises"]["relu"]["score"] == 2
    assert one["exercises"]["tanh"]["tests"][0]["outcome"] == "missing"


def test_check_a_percent_file_with_checks_in_it():
    one = json.loads(
        grader("check", "activations", "--file", "solutions/activations/activations.py", "--json").stdout
    )
    assert one["results"][0]["score"] == one["results"][0]["max_score"]


def test_release_does_not_replace_somebodys_answers(tmp_path):
    import nbformat

    course = Course(ROOT).copied_to(tmp_path / "course")
    assert grader("release", "activations", cwd=course.root).returncode == 0
    blank = course.released("activations").read_bytes()
    nbformat.write(filled_notebook("activations", {"relu": "relu = abs"}), course.released("activations"))
    refused = grader("release", "activations", cwd=course.root)
    assert refused.returncode == 1
    assert "holds answers to relu: move it away, or replace it with --force" in refused.stderr
    assert grader("release", "activations", "--force", cwd=course.root).returncode == 0
    assert course.released("activations").read_bytes() == blank


def test_check_a_notebook(tmp_path):
    import nbformat

    path = tmp_path / "activations.ipynb"
    nbformat.write(filled_notebook("activations"), path)
    one = json.loads(grader("check", "activations", "--file", path, "--json").stdout)["results"][0]
    assert one["score"] == one["max_score"]
    nbformat.write(filled_notebook("activations", {}), path)
    one = json.loads(grader("check", "activations", "--file", path, "--json").stdout)["results"][0]
    assert one["score"] == 0
    assert {t["outcome"] for e in one["exercises"].values() for t in e["tests"]} == {"not_started"}


def test_check_says_why_a_function_is_not_there(tmp_path):
    answers = tmp_path / "answers.py"
    answers.write_text("import numpy as np\n\ndef relu(x):\n    return np.maximum(x, 0\n")
    ran = grader("check", "activations/relu", "--file", answers)
    assert "SyntaxError" in ran.stdout


def test_a_file_from_windows_is_read(tmp_path):
    answers = tmp_path / "answers.py"
    answers.write_text(
        "import numpy as np\n\ndef relu(x):\n    return np.maximum(x, 0)\n",
        encoding="utf-8-sig",
        newline="\r\n",
    )
    assert "relu: 1.2 of 2 points" in grader("check", "activations/relu", "--file", answers).stdout


def test_a_file_that_is_no_notebook_is_one_line(tmp_path):
    for name, text in {"list": "[]", "deep": "[" * 100_000, "text": "no JSON", "null": "null"}.items():
        path = tmp_path / f"{name}.ipynb"
        path.write_text(text)
        ran = grader("check", "activations", "--file", path)
        assert ran.returncode == 1
        assert "not a notebook" in ran.stderr
        assert "Traceback" not in ran.stderr


def test_a_name_that_is_no_text_is_printed_all_the_same(tmp_path, sandboxed):
    (tmp_path / os.fsdecode(b"j\xf6rg") / "activations").mkdir(parents=True)
    ran = grader("grade", "activations", "--submissions", tmp_path, "--json")
    assert ran.returncode == 1
    assert json.loads(ran.stdout)["results"][0]["student"] == os.fsdecode(b"j\xf6rg")
    assert grader("grade", "activations", "--submissions", tmp_path).returncode == 1


def test_a_banned_shortcut_is_named(tmp_path):
    answers = tmp_path / "answers.py"
    answers.write_text(
        "import numpy as np\n\ndef tanh(x):\n    return np.tanh(x)\n\ndef tanh_grad(x):\n    return 1 - np.tanh(x) ** 2\n"
    )
    ran = grader("check", "activations/tanh", "--file", answers)
    assert "tanh: 0 of 3 points" in ran.stdout
    assert "`tanh` uses `np.tanh`" in ran.stdout


def test_grade_prints_the_documented_json(sandboxed):
    ran = grader("grade", "activations", "--submissions", ROOT / "examples" / "classroom", "--json")
    assert ran.returncode == 1  # one of them is broken
    graded = json.loads(ran.stdout)
    assert list(graded) == ["assignment", "results"]
    assert [result["student"] for result in graded["results"]] == [f"{n:02}" for n in range(1, 11)]
    for result in graded["results"]:
        assert list(result) == ["student", "score", "max_score", "error", "seconds", "exercises"]
        for exercise in result["exercises"].values():
            assert list(exercise) == ["functions", "score", "max_score", "tests", "misconceptions"]
            for test in exercise["tests"]:
                assert list(test) == ["name", "title", "outcome", "hidden", "message"]
    assert graded["results"][9]["error"]
    assert graded["results"][9]["exercises"] == {}


def test_without_a_sandbox_nothing_is_graded_unless_told_to(tmp_path):
    (tmp_path / "ann").mkdir()
    shutil.copytree(ROOT / "examples" / "classroom" / "01" / "activations", tmp_path / "ann" / "activations")
    words = ("grade", "activations", "--submissions", tmp_path, "--sandbox", "bubblewrap", "--json")
    refused = grader(*words, PATH=os.devnull)
    assert refused.returncode == 1 and not refused.stdout
    assert "there is no bubblewrap: install it with `sudo apt install bubblewrap`" in refused.stderr
    allowed = grader(*words, "--allow-unsandboxed", PATH=os.devnull)
    assert allowed.returncode == 0 and json.loads(allowed.stdout)["results"][0]["score"] == 24
    assert allowed.stderr.count("WITHOUT ISOLATION") == 1


def test_doctor_tries_the_sandbox(sandboxed):
    findings = {row["what"]: row for row in json.loads(grader("doctor", "--json").stdout)}
    assert findings["sandbox"]["ok"]
    in_force = findings["sandbox"]["finding"].removesuffix(" is in force")
    assert findings[in_force]["ok"] and findings[in_force]["finding"].startswith(sandboxed)
    assert "tried and refused: read a file of ours" in findings[in_force]["finding"]
    if findings["landlock"]["ok"]:
        assert "sees that files exist" in findings["landlock"]["finding"]
    assert findings["references"]["ok"]
