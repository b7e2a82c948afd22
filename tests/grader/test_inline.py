"""`check` as a student meets it: in a JupyterLab kernel, and in plain Python."""

import json
import re
import subprocess
import sys
import textwrap

import nbformat
import pytest
from nbclient import NotebookClient

from grader import __version__
from grader.course import syllabus
from grader.exercise import exercises_of
from grader.notebooks import filled_notebook, solution_answers


def run(notebook: nbformat.NotebookNode, folder) -> nbformat.NotebookNode:
    """All cells run from top to bottom, as JupyterLab does it."""
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    return notebook


def reports(notebook: nbformat.NotebookNode) -> dict[str, tuple[str, float]]:
    """Exercise -> its HTML report and the number that the check cell gave."""
    found = {}
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade"):
            html, number = cell.outputs
            found[cell.metadata.nbgrader.grade_id.removeprefix("check-")] = (
                html["data"]["text/html"],
                float(number["data"]["text/plain"]),
            )
    return found


def errors(notebook: nbformat.NotebookNode) -> list[str]:
    """What went wrong, and what was written to standard error."""
    outputs = [o for cell in notebook.cells if cell.cell_type == "code" for o in cell.outputs]
    written = [o["text"] for o in outputs if o.get("name") == "stderr"]
    return [o["evalue"] for o in outputs if o["output_type"] == "error"] + written


TRAINING = {"architectures", "rcnn", "yolo", "ssd", "segmentation", "compression", "multitask"}
"""Assignments whose notebooks train networks for most of a minute."""
NOTEBOOKS = [pytest.param(a, marks=[pytest.mark.slow] * (a in TRAINING)) for a in syllabus()]


@pytest.mark.parametrize("assignment", NOTEBOOKS)
def test_a_filled_notebook_earns_everything_in_jupyter(assignment, tmp_path):
    notebook = run(filled_notebook(assignment), tmp_path)
    assert errors(notebook) == []
    found = reports(notebook)
    assert {name: score for name, (_, score) in found.items()} == {
        n: e.points for n, e in exercises_of(assignment).items()
    }
    assert all("tests hold" in html for html, _ in found.values())
    pictures = [
        o
        for c in notebook.cells
        if c.cell_type == "code"
        for o in c.outputs
        if "image/png" in o.get("data", {})
    ]
    assert len(pictures) >= 3


@pytest.mark.parametrize("assignment", NOTEBOOKS)
def test_an_unfilled_notebook_says_not_started_without_a_traceback(assignment, tmp_path):
    notebook = run(filled_notebook(assignment, {}), tmp_path)
    assert errors(notebook) == []
    for html, score in reports(notebook).values():
        assert score == 0
        assert "not started" in html
    said = "".join(o.get("text", "") for c in notebook.cells if c.cell_type == "code" for o in c.outputs)
    assert re.search(r"Nothing to show yet: `\w+` is not written", said)


def test_a_wrong_answer_gives_no_long_traceback_where_it_is_shown(tmp_path):
    answers = solution_answers("activations")
    answers["relu"] = answers["relu"].replace("return np.maximum(x, 0)", "return np.maximum(x, none)")
    notebook = run(filled_notebook("activations", answers), tmp_path)
    assert errors(notebook) == []
    said = [o.get("text", "") for c in notebook.cells if c.cell_type == "code" for o in c.outputs]
    assert "Nothing to show yet: `relu` raised NameError: name 'none' is not defined.\n" in said


def test_an_error_of_a_cell_that_shows_is_seen(tmp_path):
    notebook = filled_notebook("activations")
    show = next(cell for cell in notebook.cells if cell.source.startswith("%%show"))
    show.source = "%%show\n1 / 0"
    assert errors(run(notebook, tmp_path)) == ["division by zero"]


def test_where_keras_is_missing_a_cell_that_shows_says_so(tmp_path):
    notebook = filled_notebook("activations")
    show = next(cell for cell in notebook.cells if cell.source.startswith("%%show"))
    show.source = "%%show\nimport sys\nsys.modules['keras'] = None\nimport keras"
    assert errors(run(notebook, tmp_path)) == []
    assert "it is made with Keras: `%pip install keras tensorflow`" in show.outputs[0].text


def test_another_version_is_mentioned(tmp_path):
    notebook = filled_notebook("activations", {})
    for cell in notebook.cells:
        cell.source = cell.source.replace(f'release="{__version__}"', 'release="0.0.1"')
    html, _ = reports(run(notebook, tmp_path))["softmax"]
    assert "released with version 0.0.1" in html
    assert __version__ in html


def in_python(code: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True
    )
    return ran.stdout


def test_visible_checks_import_neither_keras_nor_nbgrader():
    printed = in_python(
        """
        import json, sys
        import numpy as np
        from grader import check

        at_start = sorted(set(sys.modules) & {"pytest", "IPython", "rich", "yaml"})

        def relu(x):
            return np.maximum(x, 0)

        def relu_grad(x):
            return (x > 0) * 1.0

        points = check("relu")
        heavy = sorted(set(sys.modules) & {"tensorflow", "keras", "nbgrader", "scipy", "sklearn", "skimage", "jax", "torch"})
        print(json.dumps([at_start, points, heavy]))
        """
    )
    assert json.loads(printed.splitlines()[-1]) == [[], 2.0, []]
    assert "relu: 2 of 2 points" in printed


def test_check_raises_nothing_and_names_the_nearest():
    printed = in_python('from grader import check\nprint(check("sotfmax"))')
    assert "did you mean softmax" in printed
    assert printed.splitlines()[-1] == "0.0"


def test_check_refuses_to_give_marks_when_nbgrader_runs_it():
    code = 'import os; os.environ["NBGRADER_EXECUTION"] = "autograde"\nfrom grader import check\ncheck("softmax")'
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.returncode != 0
    assert "nbgrader_config.py" in ran.stderr
