"""Notebooks: the percent source, the build, the hand-in."""

import inspect
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import numpy as np
import pytest

from grader.course import Course, CourseError, syllabus
from grader.exercise import exercises_of
from grader.notebooks import (
    SourceError,
    UnreadableHandIn,
    build_release,
    filled_notebook,
    handout,
    parse_solution,
    read_hand_in,
    rebuild,
    release_notebook,
    solution_answers,
    solution_namespace,
    source_notebook,
    sources,
    stale_assignments,
)
from grader.notebooks import handin as handin_module

ROOT = Path(__file__).resolve().parents[2]
HOUSE = Course(ROOT)
NAME = "activations"
SOURCE = (ROOT / "solutions" / NAME / f"{NAME}.py").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course folder of its own, released."""
    course = Course(ROOT).copied_to(tmp_path_factory.mktemp("course") / "copy")
    build_release(list(syllabus()), course.assignments, course=course)
    return course


@pytest.fixture(scope="module")
def released(course):
    return release_notebook(NAME, course)


def rewritten(tmp_path, text):
    """A course whose one solution notebook is `text`."""
    (tmp_path / "assignments").mkdir()
    (tmp_path / "solutions" / NAME).mkdir(parents=True)
    (tmp_path / "solutions" / NAME / f"{NAME}.py").write_text(text, encoding="utf-8")
    return Course(tmp_path)


# The source


def test_roles_of_the_cells():
    cells = parse_solution(NAME, HOUSE)
    assert [c.exercise for c in cells if c.role == "exercise"] == list(exercises_of(NAME))
    assert [c.exercise for c in cells if c.role == "check"] == list(exercises_of(NAME))
    assert {c.role for c in cells} == {"text", "given", "exercise", "check", "show"}
    lines = SOURCE.splitlines()
    assert all(lines[c.line - 1].startswith("# %%") for c in cells)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('# %% exercise="softmax"', "# %% exercise=softmax", "unknown marker exercise=softmax"),
        ('# %% exercise="softmax"', '# %% exercize="softmax"', "unknown marker exercize"),
        ("# %% show", "# %% shown", "unknown marker title='shown'"),
        ("# %% show", '# %% show check="softmax"', "unknown marker"),
        ('# %% check="softmax"\ncheck("softmax")', "", 'no cell check="softmax"'),
        ('# %% check="softmax"', '# %% check="softmin"', 'must be check("softmin")'),
        ('\ncheck("softmax")', '\ncheck("softmin")', 'must be check("softmax")'),
        ('\ncheck("softmax")', '\ncheck("softmax")\nprint()', 'must be check("softmax")'),
        (
            '# %% check="relu"\ncheck("relu")',
            '# %% check="softmax"\ncheck("softmax")',
            "without an exercise of that name above",
        ),
        ("    ### BEGIN SOLUTION\n", "", "must stand between"),
        ("    ### END SOLUTION\n", "", "must stand between"),
        ("    ### END SOLUTION\n", "    ### BEGIN SOLUTION\n", "must stand between"),
        ("    ### BEGIN SOLUTION\n", "    # BEGIN SOLUTION\n", "must stand between"),
        ('# %% exercise="softmax"', "# %%", "an answer outside an exercise cell"),
        ('# %% exercise="softmax"', '# %% exercise="relu"', 'a second exercise="relu"'),
    ],
)
def test_malformed_sources_are_refused_with_file_and_line(tmp_path, old, new, says):
    assert old in SOURCE
    at = (
        SOURCE.index(old, SOURCE.index('exercise="softmax"') - 10) if "SOLUTION" in old else SOURCE.index(old)
    )
    course = rewritten(tmp_path, SOURCE[:at] + new + SOURCE[at + len(old) :])
    with pytest.raises(SourceError) as refusal:
        parse_solution(NAME, course)
    assert says in str(refusal.value)
    assert f"{NAME}.py:" in str(refusal.value)
    assert str(refusal.value).split(":")[1].isdigit()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("softmax_backward(", "softmax_back(", "does not define softmax_backward"),
        ('"relu"', '"relu6"', "'relu6' has no checks"),
    ],
)
def test_source_and_checks_must_agree(tmp_path, old, new, says):
    course = rewritten(tmp_path, SOURCE.replace(old, new))
    with pytest.raises(SourceError, match=says):
        source_notebook(NAME, course)


def test_unknown_assignment_names_the_nearest():
    with pytest.raises(CourseError, match="did you mean activations"):
        parse_solution("activation", HOUSE)


def test_solution_namespace():
    functions = solution_namespace(NAME, HOUSE)
    assert list(functions) == [f for e in exercises_of(NAME).values() for f in e.functions]
    np.testing.assert_allclose(functions["softmax"](np.zeros((2, 4))), 0.25)
    assert inspect.getsource(functions["softmax"]).startswith("def softmax(")


# The release


def test_release_has_what_nbgrader_expects(released):
    nbformat.validate(released)
    cells = {c.metadata.nbgrader.grade_id: c for c in released.cells if "nbgrader" in c.metadata}
    for name, exercise in exercises_of(NAME).items():
        answer, check = cells.pop(name), cells.pop(f"check-{name}")
        assert answer.metadata.nbgrader.solution and not answer.metadata.nbgrader.grade
        assert "raise NotImplementedError()" in answer.source
        assert check.metadata.nbgrader.points == exercise.points
        assert check.source == f'check("{name}")'
    assert not cells
    assert [c.cell_type for c in released.cells[:2]] == ["markdown", "code"]
    assert f'open_notebook("{NAME}", release=' in released.cells[1].source
    assert released.metadata.kernelspec.name == "python3"
    assert any("show" in c.metadata.get("tags", []) for c in released.cells)


@pytest.mark.parametrize(
    ("wheel", "says"),
    [
        ("", "put the file keras_from_scratch-"),
        ("keras_from_scratch-9-py3-none-any.whl", "keras_from_scratch-9"),
    ],
)
def test_first_cell_without_the_package(released, tmp_path, wheel, says):
    """Where the package is missing, the first cell installs the wheel beside it, or says where to put one."""
    if wheel:
        (tmp_path / wheel).write_bytes(b"not really a wheel")
    program = "import sys\nsys.modules['grader'] = None\n" + released.cells[1].source
    (tmp_path / "first.ipy").write_text(program)
    command = [sys.executable, "-m", "IPython", "--colors=nocolor", "first.ipy"]
    env = {**os.environ, "IPYTHONDIR": str(tmp_path), "PIP_NO_INDEX": "1"}
    ran = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert says in ran.stdout + ran.stderr
    assert "ModuleNotFoundError" in ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("name", "extra"), [("activations", ""), ("rcnn", "[reference]"), ("yolo", "[reference]")]
)
def test_the_first_cell_gets_keras_where_the_notebook_builds_with_it(name, extra):
    setup = release_notebook(name, HOUSE).cells[1].source
    assert f'%pip install --quiet "{{found[-1]}}{extra}"' in setup


def test_build_gives_the_same_bytes_and_replaces_what_was_there(course, tmp_path):
    before = course.released(NAME).read_bytes()
    (tmp_path / NAME).mkdir()
    (tmp_path / NAME / "answers.txt").write_text("left over")
    [path] = build_release([NAME], tmp_path, course=course)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_release_that_fails_leaves_the_old_one(tmp_path, course):
    broken = rewritten(tmp_path, SOURCE.replace('"relu"', '"relu6"'))
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    shutil.copytree(course.assignments / NAME, broken.assignments / NAME)
    with pytest.raises(CourseError):
        build_release([NAME], broken.assignments, course=broken)
    assert broken.released(NAME).read_bytes() == course.released(NAME).read_bytes()


def test_stale_releases_are_found(course):
    assert stale_assignments(course) == []
    path = course.released(NAME)
    kept = path.read_bytes()
    path.write_bytes(kept + b"\n")
    assert stale_assignments(course) == [NAME]
    path.write_bytes(kept)


def test_committed_releases_are_what_the_build_makes():
    assert stale_assignments(HOUSE) == []


def test_no_released_byte_holds_an_answer():
    """Neither a marker, nor a line of an answer that is not also in what is given, nor the secret seed."""
    seed = HOUSE.seed().encode()
    for name in sources(HOUSE):
        files = [path for path in (HOUSE.assignments / name).rglob("*") if path.is_file()]
        assert files == [HOUSE.released(name)]
        content = files[0].read_bytes()
        assert b"SOLUTION" not in content and seed not in content
        answers, given_lines, inside = set(), [], False
        for line in (HOUSE.solutions / name / f"{name}.py").read_text(encoding="utf-8").splitlines():
            if "BEGIN SOLUTION" in line or "END SOLUTION" in line:
                inside = "BEGIN" in line
            elif inside:
                answers.add(line.strip())
            else:
                given_lines.append(line)
        secret = {line for line in answers if len(line) > 8 and line not in "\n".join(given_lines)}
        assert len(secret) > 10
        assert not [line for line in secret if json.dumps(line)[1:-1].encode() in content]


def test_filled_notebook(course):
    filled = {
        c.metadata.nbgrader.grade_id: c.source
        for c in filled_notebook(NAME, course=course).cells
        if "nbgrader" in c.metadata
    }
    assert not [
        source for source in filled.values() if "NotImplementedError" in source or "SOLUTION" in source
    ]
    one = filled_notebook(NAME, {"relu": "def relu(x): return x"}, course)
    sources_ = {c.metadata.nbgrader.grade_id: c.source for c in one.cells if "nbgrader" in c.metadata}
    assert sources_["relu"] == "def relu(x): return x" and "NotImplementedError" in sources_["softmax"]
    with pytest.raises(CourseError, match="no exercise 'rely'"):
        filled_notebook(NAME, {"rely": ""}, course)


def test_handout_holds_notebook_lesson_and_a_wheel_without_answers(tmp_path):
    with zipfile.ZipFile(handout(NAME, tmp_path, HOUSE)) as archive:
        lesson, notebook, wheel = sorted(archive.namelist())
        assert (lesson, notebook) == (f"{NAME}/{NAME}.html", f"{NAME}/{NAME}.ipynb")
        assert wheel.endswith("-py3-none-any.whl")
        page = archive.read(lesson).decode()
        assert "Softmax" in page
        assert page.count("data:image/png;base64") >= 2
        archive.extract(wheel, tmp_path)
    with zipfile.ZipFile(tmp_path / wheel) as package:
        names = package.namelist()
        tops = {name.split("/")[0] for name in names}
        assert {"course", "grader", "kerasref"} == {top for top in tops if not top.endswith(".dist-info")}
        assert not [name for name in names if name.endswith((".pyc", ".ipynb"))]
        content = "\n".join(package.read(name).decode("utf-8", "replace") for name in names)
    for answer in solution_answers(NAME, HOUSE).values():
        assert answer not in content
    assert HOUSE.seed() not in content


# The hand-in


def given_in(notebook):
    return json.dumps(notebook).encode()


def by_grade_id(notebook, grade_id):
    return next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == grade_id)


@pytest.fixture
def filled(course):
    return filled_notebook(NAME, course=course)


def test_a_plain_hand_in_comes_back_as_it_was(filled, released, course):
    handin = rebuild(given_in(filled), released)
    assert handin.answers == solution_answers(NAME, course)
    assert handin.remarks == []
    assert [c.source for c in handin.notebook().cells] == [c.source for c in filled.cells]
    assert {c.role for c in handin.cells} == {"given", "answer"}
    namespace = {}
    for cell in handin.cells:
        if cell.role == "answer" or "numpy" in cell.source:
            exec(cell.source, namespace)
    assert namespace["softmax"](np.zeros(2)).tolist() == [0.5, 0.5]


def test_the_students_own_cells_keep_their_places(filled, released):
    place = filled.cells.index(by_grade_id(filled, "softmax"))
    filled.cells.insert(place, nbformat.v4.new_code_cell("HALF = 0.5"))
    filled.cells.insert(place + 2, nbformat.v4.new_markdown_cell("Why this works: <script>alert(1)</script>"))
    filled.cells.insert(0, nbformat.v4.new_code_cell("import math"))
    handin = rebuild(given_in(filled), released)
    assert handin.remarks == []
    run = [c.source for c in handin.cells]
    assert run[0] == "import math"
    assert run.index("HALF = 0.5") + 1 == run.index(handin.answers["softmax"])
    notebook = handin.notebook()
    assert "<script" not in json.dumps(notebook)
    own = [c for c in notebook.cells if "student" in c.metadata.get("tags", [])]
    assert len(own) == 3 and not any("nbgrader" in c.metadata for c in own)


def test_deleted_duplicated_and_edited_cells(filled, released):
    answer, check = by_grade_id(filled, "softmax"), by_grade_id(filled, "check-softmax")
    filled.cells.remove(by_grade_id(filled, "relu"))
    check.source = "12.0"
    check.metadata.nbgrader.points = 1000
    filled.cells += [nbformat.from_dict({**answer, "id": "copy", "source": released.cells[1].source}), check]
    second = nbformat.from_dict({**answer, "id": "again", "source": answer.source + "\n# the second"})
    filled.cells.insert(filled.cells.index(answer) + 1, second)
    handin = rebuild(given_in(filled), released)
    assert handin.answers["softmax"] == second.source
    assert "NotImplementedError" in handin.answers["relu"]
    assert len(handin.remarks) == 3
    rebuilt = handin.notebook()
    assert by_grade_id(rebuilt, "check-softmax").source == 'check("softmax")'
    assert (
        by_grade_id(rebuilt, "check-softmax").metadata.nbgrader.points == exercises_of(NAME)["softmax"].points
    )
    ids = [c.metadata.nbgrader.grade_id for c in rebuilt.cells if "nbgrader" in c.metadata]
    assert len(ids) == len(set(ids)) == 2 * len(exercises_of(NAME))


def test_without_metadata_answers_are_found_by_their_functions(filled, released, course):
    for cell in filled.cells:
        cell.metadata, cell["id"] = {}, "x"
    handin = rebuild(given_in(filled), released)
    assert handin.answers == solution_answers(NAME, course)
    assert not [c for c in handin.all_cells if c.role == "extra"]


def test_an_answer_below_its_blank_counts(released, course):
    handed = release_notebook(NAME, course)
    mine = solution_answers(NAME, course)["softmax"]
    handed.cells.append(nbformat.v4.new_code_cell(mine))
    handin = rebuild(given_in(handed), released)
    assert handin.answers["softmax"] == mine
    assert any("stood in another cell" in remark for remark in handin.remarks)
    assert [c.source for c in handin.written] == [mine]


def test_moved_cells_return_and_own_cells_stay_in_order(filled, released):
    last = filled.cells.pop()
    own = [nbformat.v4.new_code_cell(f"own = {n}") for n in range(3)]
    filled.cells = [last, own[0], *filled.cells[:6], own[1], *filled.cells[6:], own[2]]
    handin = rebuild(given_in(filled), released)
    assert [c.source for c in handin.cells if c.role == "extra"] == ["own = 0", "own = 1", "own = 2"]
    assert handin.cells[0].source == "own = 0"
    assert any("moved" in remark for remark in handin.remarks)


def test_what_was_added_to_a_given_cell_counts(filled, released):
    given_cell = next(c for c in filled.cells if c.source.startswith("import numpy"))
    given_cell.source += "\nimport math"
    handin = rebuild(given_in(filled), released)
    run = [c.source for c in handin.cells]
    assert run[run.index(given_cell.source) - 1] == given_cell.source.removesuffix("\nimport math")
    assert any("given cell was edited" in remark for remark in handin.remarks)


def test_magics_and_broken_python_do_not_hide_an_answer(filled, released):
    answer = by_grade_id(filled, "softmax")
    answer.source = "%time\n" + answer.source
    answer.metadata = {}
    handin = rebuild(given_in(filled), released)
    assert handin.answers["softmax"] == answer.source


@pytest.mark.parametrize("version", [1, 2, 3])
def test_older_formats_are_refused_with_what_to_do(filled, released, version):
    old = nbformat.convert(filled, version) if version > 1 else {"nbformat": 1, "cells": []}
    with pytest.raises(UnreadableHandIn, match=r"at least nbformat 4 is needed: open it in JupyterLab"):
        rebuild(given_in(old), released)


def test_outputs_and_attachments_are_dropped(filled, released):
    bulk = "x" * 30_000_000
    filled.cells[2]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": bulk}]
    filled.cells[0]["attachments"] = {"a.png": {"image/png": bulk}}
    assert len(json.dumps(rebuild(given_in(filled), released).notebook())) < 200_000


@pytest.mark.parametrize(
    "source",
    [
        "(" * 100_000,
        "-" * 200_000 + "1",
        "a." * 100_000 + "a",
        "lambda: " * 50_000 + "0",
        "[" * 90 + "]" * 90,
        "\0",
        "f'{" * 200,
        "if 1:\n " * 9_000,
    ],
    ids=range(8),
)
def test_sources_that_strain_the_parser(filled, released, source):
    """Read in a process of its own, since Python's parser has been known to fall over."""
    program = "import sys; from grader.notebooks.handin import defined; print(defined(sys.stdin.read() + '\\ndef relu(x): 0'))"
    ran = subprocess.run([sys.executable, "-c", program], input=source, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"hello", "not a notebook"),
        (b"\x89PNG\r\n", "not a notebook"),
        (b"[]", "not a notebook"),
        (b"null", "not a notebook"),
        (b"{}", "no list of cells"),
        (b'{"cells": 3, "nbformat": 4}', "no list of cells"),
        (b'{"cells": [], "nbformat": 4}', "no cells"),
        (b'{"cells": [null, 3, {"source": 5}], "nbformat": 4}', "no cells"),
        (b'{"nbformat": 3, "worksheets": [{"cells": [4]}]}', "old format"),
        (b'{"nbformat": "3", "worksheets": []}', "old format"),
        (b'{"nbformat": 3.9, "cells": []}', "old format"),
        (b'{"cells": [{"cell_type": "code", "source": "' + b"x" * 3_000_000 + b'"}]}', "3 MB of code"),
        (b"[" * 200_000, "not a notebook"),
        (b'{"cells": ' * 200_000, "breaks off"),
        (b"[" * (handin_module.MAX_MEMORY // 80 + 1), "too many values"),
    ],
)
def test_what_is_no_notebook_is_named(released, raw, says):
    with pytest.raises(UnreadableHandIn, match=says):
        rebuild(raw, released)


def test_a_truncated_notebook_breaks_off(filled, released):
    raw = given_in(filled)
    with pytest.raises(UnreadableHandIn, match="breaks off"):
        rebuild(raw[: len(raw) // 2], released)


def test_only_regular_files_of_a_sane_size_are_read(tmp_path):
    (tmp_path / "link.ipynb").symlink_to(ROOT / "pyproject.toml")
    with pytest.raises(UnreadableHandIn, match="is a link"):
        read_hand_in(tmp_path / "link.ipynb")
    with pytest.raises(UnreadableHandIn, match=r"there is no none\.ipynb \(there is link\.ipynb\)"):
        read_hand_in(tmp_path / "none.ipynb")
    with pytest.raises(UnreadableHandIn, match="regular file"):
        read_hand_in(tmp_path)
    with open(tmp_path / "large.ipynb", "wb") as file:
        file.truncate(handin_module.MAX_BYTES + 1)
    with pytest.raises(UnreadableHandIn, match="has 65 MB, at most 64 are read: clear all outputs"):
        read_hand_in(tmp_path / "large.ipynb")


@pytest.mark.skipif(sys.platform == "win32", reason="named pipes")
def test_a_pipe_does_not_hang_the_reader(tmp_path):
    subprocess.run(["mkfifo", tmp_path / "pipe.ipynb"], check=True)
    with pytest.raises(UnreadableHandIn, match="regular file"):
        read_hand_in(tmp_path / "pipe.ipynb")
