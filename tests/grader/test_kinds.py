"""A notebook with exercises in NumPy and in Keras: each counts from its own sandbox."""

import os
import shutil
import signal
from contextlib import closing

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

import grader.checks
import grader.misconceptions
from grader import runner
from grader.cases import CaseBook
from grader.examiner import Examiner, Sitting
from grader.sandbox import SandboxError
from grader.settings import Settings

CHECKS = '''
from grader.exercise import exercise

@exercise("double", functions=["double"], points=1)
class TestDouble:
    """Twice."""

    def test_value(self, student):
        """Doubles."""
        assert student.double(2.0) == 4.0

@exercise("units", functions=["units"], points=1, packages=["keras"])
class TestUnits:
    """How wide a layer is."""

    def test_value(self, student):
        """Is the width of the output."""
        assert student.units(3) == 3
'''
SETUP = "import keras\nimport tensorflow as tf\nfrom keras import layers\nimport numpy as np"
DOUBLE = "def double(x):\n    return np.add(x, x)"
UNITS = "def units(n):\n    return layers.Dense(n)(keras.ops.ones((1, 2))).shape[-1]"


def answer_cell(name, source=None):
    metadata = {
        "nbgrader": {"grade_id": name, "solution": True, "grade": False, "locked": False, "schema_version": 3}
    }
    source = source or f"def {name}(x):\n    raise NotImplementedError"
    return new_code_cell(source, id=name, metadata=metadata)


def notebook(double=None, units=None, setup=SETUP):
    cells = [new_code_cell(setup, id="setup"), answer_cell("double", double), answer_cell("units", units)]
    return nbformat.writes(new_notebook(cells=cells)).encode()


@pytest.fixture(scope="module")
def sitting(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checks")
    (folder / "mixed.py").write_text(CHECKS)
    shutil.copy(runner.CHECKS / "pytest.ini", folder)
    (misconceptions := folder / "misconceptions").mkdir()
    (misconceptions / "mixed.py").write_text("")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "CHECKS", folder)
        patch.setattr(grader.checks, "__path__", [str(folder)])
        patch.setattr(grader.misconceptions, "__path__", [str(misconceptions)])
        yield Sitting("mixed", notebook(), CaseBook("mixed", "seed"))


@pytest.fixture(scope="module", params=["bubblewrap", pytest.param("landlock", marks=pytest.mark.slow)])
def examiner(request):
    with closing(Examiner(Settings(sandbox=request.param))) as examiner:
        try:
            examiner.sandbox()
        except SandboxError as reason:
            pytest.skip(str(reason))
        yield examiner


def scores(result):
    assert result.error is None, result.trace
    return [each.score for each in result.exercises.values()]


def message(result, exercise):
    [test] = result.exercises[exercise].tests
    return test.message


def test_each_counts_where_it_belongs(examiner, sitting):
    result = examiner.grade(sitting, "ann", notebook(DOUBLE, UNITS))
    assert scores(result) == [1, 1] and result.remarks == []
    assert sitting.kinds == [("numpy",), ("numpy", "keras")]


def test_numpy_exercises_do_without_keras(examiner, sitting):
    with_keras = "def double(x):\n    return float(keras.ops.add(x, x))"
    result = examiner.grade(sitting, "ann", notebook(with_keras, UNITS))
    assert scores(result) == [0, 1]
    assert "`keras` cannot be used here: this part of the notebook is graded without it" in message(
        result, "double"
    )


def test_an_answer_that_stands_on_keras_is_told(examiner, sitting):
    as_layer = "class Double(layers.Layer):\n    pass\n\ndef double(x):\n    return Double()(x)"
    result = examiner.grade(sitting, "ann", notebook(as_layer, UNITS))
    assert scores(result) == [0, 1]
    assert message(result, "double").startswith("`double` is not there, because its cell ended with")
    assert "`keras` cannot be used here" in message(result, "double")


def test_what_belongs_to_keras_is_no_answer(examiner, sitting):
    result = examiner.grade(sitting, "ann", notebook(DOUBLE, "def units(n):\n    return layers.Dense(n)"))
    assert scores(result) == [1, 0]
    assert "returned something that cannot be checked" in message(result, "units")


def test_outputs_are_shown_from_where_a_cell_counts(examiner, sitting):
    asks = "\nprint(getattr(keras, '__file__', 'absent')[-17:])"
    result = examiner.grade(sitting, "ann", notebook(DOUBLE + asks, UNITS + asks, SETUP + asks))
    assert scores(result) == [1, 1]
    shown = {cell: "".join(output["text"] for output in outputs) for cell, outputs in result.outputs.items()}
    there = "keras/__init__.py\n"
    assert shown == {"setup": "", "extra-1": there, "double": "absent\n", "units": there}


def test_what_goes_wrong_in_both_is_told_once(examiner, sitting):
    result = examiner.grade(sitting, "ann", notebook(DOUBLE, UNITS, SETUP + "\nimport os\nos._exit(3)"))
    assert scores(result) == [1, 1]
    assert sum(remark.startswith("A cell of yours was left out") for remark in result.remarks) == 1


def test_a_sandbox_that_dies_is_replaced(examiner, sitting):
    for packages in sitting.kinds:
        os.killpg(examiner.sandbox(packages)._process.pid, signal.SIGKILL)
    assert scores(examiner.grade(sitting, "ann", notebook(DOUBLE, UNITS))) == [1, 1]
