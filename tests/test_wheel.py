"""A student without this repository: the zip, a fresh environment, the notebook."""

import json
import os
import subprocess
import sys
import venv
import zipfile

import pytest

from grader.notebooks import handout, solution_answers


@pytest.mark.slow
def test_a_student_needs_the_zip_and_nothing_else(tmp_path):
    with zipfile.ZipFile(handout("activations", tmp_path)) as archive:
        archive.extractall(tmp_path)
    folder = tmp_path / "activations"
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "ipykernel", "nbclient"], check=True)

    path = folder / "activations.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        meta = cell["metadata"].get("nbgrader", {})
        if meta.get("solution"):
            cell["source"] = solution_answers("activations")[meta["grade_id"]]
    path.write_text(json.dumps(notebook), encoding="utf-8")
    run = (
        "import nbformat, sys; from nbclient import NotebookClient; "
        "notebook = nbformat.read('activations.ipynb', 4); NotebookClient(notebook, timeout=600).execute(); "
        "print(sum(float(c.outputs[-1]['data']['text/plain']) for c in notebook.cells "
        "if c.metadata.get('nbgrader', {}).get('grade')))"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    ran = subprocess.run([python, "-c", run], cwd=folder, env=environment, capture_output=True, text=True)
    assert ran.stdout.split() == ["24.0"], ran.stderr
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format", "json"], capture_output=True, text=True, check=True
    )
    installed = {row["name"] for row in json.loads(listed.stdout)}
    assert "keras-from-scratch" in installed
    assert not installed & {"keras", "tensorflow", "nbgrader"}
    assert sys.prefix != str(tmp_path / "venv")
