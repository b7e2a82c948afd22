"""Each benchmark runs and writes down what it measured; how much that is, is no matter here."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import baking

ROOT = Path(__file__).parents[1]


def ran(tmp_path, benchmark, *arguments):
    """What a benchmark printed and what it wrote."""
    file = tmp_path / "measured.json"
    command = [sys.executable, "-m", f"benchmarks.{benchmark}", *arguments, "--json", file]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads(file.read_text())


def test_grading_at_scale(tmp_path, sandboxed):
    printed, found = ran(tmp_path, "scale", "--sizes", "2", "3")
    assert "3 hand-ins: " in printed and "Again, 3 hand-ins take " in printed
    assert set(found["sizes"]) == {"2", "3"}
    for row in found["sizes"].values():
        assert 0 < row["start"] < row["seconds"]
        assert 0 < row["memory_of_command"] < row["memory"]


@pytest.mark.slow
def test_checking(tmp_path):
    printed, found = ran(tmp_path, "check", "--rounds", "1")
    assert "times faster than `import tensorflow`" in printed
    assert set(found["ratios"]) == {"shell", "notebook, cold", "notebook, warm"}
    assert all(ratio > 0 for ratio in found["ratios"].values())


def test_baking(tmp_path, monkeypatch, capsys):
    file = tmp_path / "measured.json"  # in this process, which may have Keras imported already
    monkeypatch.setattr("sys.argv", ["baking", "activations", "--rounds", "2", "--json", str(file)])
    baking.main()
    found = json.loads(file.read_text())
    assert f"The references run on {found['device']}" in capsys.readouterr().out
    assert found["assignments"]["activations"]["values"] > 0


def test_stages(tmp_path, sandboxed):
    printed, found = ran(tmp_path, "stages", "--hand-ins", "1")
    assert "times the limit" in printed
    for kind in ("right", "blank", "mistaken"):
        measured = found["milliseconds"][kind]
        assert math.isclose(
            sum(clock for clock, _ in measured["stages"].values()), measured["total"][0], abs_tol=1
        )


@pytest.mark.slow
def test_grading_beside_stock_nbgrader(tmp_path, sandboxed):
    printed, found = ran(tmp_path, "grading", "--hand-ins", "2")
    for kind in ("numpy", "keras"):
        assert f"2 {kind} hand-ins of {found[kind]['assignment']}: ours " in printed
        assert found[kind]["ratio"] > found[kind]["ratio_with_bake"] > 0
