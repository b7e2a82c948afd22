"""The five steps of CONTRIBUTING.md, followed to the letter in a copy of the course."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"^```python file=(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PARTS = [
    "assignments",
    "course",
    "examples",
    "grader",
    "kerasref",
    "solutions",
    "tests",
    "nbgrader_config.py",
    "pyproject.toml",
    "README.md",
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """A copy of the course with the blocks of CONTRIBUTING.md appended to the files that they name."""
    root = tmp_path_factory.mktemp("course")
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, root / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, root)
    blocks = BLOCK.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    assert len(blocks) == 5
    for name, block in blocks:
        with (root / name).open("a", encoding="utf-8") as file:
            file.write(f"\n\n{block}")
    return root


def run(copy: Path, *words: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    return subprocess.run([sys.executable, *words], cwd=copy, env=environment, capture_output=True, text=True)


def test_five_steps_add_an_exercise(copy):
    grader = ("-c", "from grader.cli import main; main()")
    for words in (["bake", "activations", "--public"], ["release", "activations"]):
        made = run(copy, *grader, *words)
        assert made.returncode == 0, made.stderr
    assert 'check(\\"swish\\")' in (copy / "assignments/activations/activations.ipynb").read_text(
        encoding="utf-8"
    )
    proven = run(
        copy,
        "-m",
        "pytest",
        "tests/grader/test_content.py",
        "-k",
        "swish or ((earns_everything or shipped) and activations)",
        "-p",
        "no:cacheprovider",
    )
    assert proven.returncode == 0, proven.stdout
    answers = copy / "answers.py"
    answers.write_text("import numpy as np\n\ndef swish(x):\n    return x / (1 + np.exp(-x))\n")
    checked = run(copy, *grader, "check", "activations/swish", "--file", "answers.py")
    assert checked.returncode == 0
    assert "swish: 1 of 2 points" in checked.stdout
