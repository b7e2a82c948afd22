"""Makes the sample class in `examples/classroom/`: ten hand-ins of each of two assignments, numbered.

    python -m examples.make_classroom

01 perfect, 02 differently right, 03 half done, 04 not started, 05 to 08 one known mistake each, 09 hostile, 10 broken.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
from nbformat.v4 import new_code_cell

from grader.exercise import Misconception, exercises_of, misconceptions_of
from grader.notebooks import filled_notebook, solution_answers

CLASSROOM = Path(__file__).parent / "classroom"
SHIPPED = ("activations", "losses")

FORGERY = '''\
import builtins
import json
import subprocess
import sys
from pathlib import Path

import numpy as np


class Right:
    """Equal to everything, close to everything, true."""

    __eq__ = __ge__ = __le__ = __gt__ = __lt__ = lambda self, other: True
    __hash__ = object.__hash__
    shape, dtype, size, ndim = (), float, 1, 0

    def __getattr__(self, name):
        return lambda *args, **kwargs: self

    def __array__(self, *args, **kwargs):
        return np.zeros(1)


for name in ("assert_allclose", "assert_array_equal", "assert_equal"):
    setattr(np.testing, name, lambda *args, **kwargs: None)
np.allclose = np.array_equal = np.isclose = builtins.all = lambda *args, **kwargs: True
check = lambda *args, **kwargs: 1000.0
sys.modules["pytest"] = sys.modules["grader"] = Right()
print(json.dumps({"score": 1000, "outcome": "passed"}))

for place in ("gradebook.db", ".grader/seed", "solutions", "/proc/1/environ", "/etc/passwd"):
    for folder in (Path("/"), Path.cwd(), *Path.cwd().parents):
        try:
            print((folder / place).read_text())
            (folder / place).write_text("1000")
        except Exception:
            pass
try:
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
except Exception:
    pass
'''

SHOUTING = """\
import os

for descriptor in range(3, 64):
    try:
        os.write(descriptor, b'{"score": 1000}')
    except OSError:
        pass
"""


def renamed(function: Callable[..., Any], name: str) -> str:
    """The source of a function under another name, without its decorators and with what it uses of its module."""
    parts: dict[str, str] = {}
    _gather(function, parts)
    own = parts.pop(function.__name__)
    calls_itself = own.count(f"{function.__name__}(") > 1
    parts["itself"] = own.replace(f"def {function.__name__}(", f"def {name}(", 1)
    if calls_itself:
        parts["alias"] = f"{function.__name__} = {name}"
    return "\n\n".join(parts.values())


def _gather(function: Callable[..., Any], parts: dict[str, str]) -> None:
    """Add the definition of a function or a class, after those of what it uses: name -> source."""
    source = textwrap.dedent(inspect.getsource(function))
    definition = ast.parse(source).body[0]
    assert isinstance(definition, ast.FunctionDef | ast.ClassDef)
    own = "\n".join(source.splitlines()[definition.lineno - 1 :])
    parts[definition.name] = ""  # it may use itself
    head = [definition.args] if isinstance(definition, ast.FunctionDef) else definition.bases
    nodes = (node for part in (*head, *definition.body) for node in ast.walk(part))
    used = {node.id for node in nodes if isinstance(node, ast.Name)} - {"np"}
    around = vars(sys.modules[function.__module__])
    for each in sorted((used & set(around)) - set(parts)):
        value = around[each]
        value = value.wrong if isinstance(value, Misconception) else value
        home = getattr(value, "__module__", function.__module__)
        if inspect.ismodule(value):
            parts[each] = f"import {value.__name__} as {each}"
        elif home != function.__module__:
            parts[each] = f"from {home} import {value.__name__} as {each}"
        elif inspect.isfunction(value) or inspect.isclass(value):
            _gather(value, parts)
        else:
            parts[each] = f"{each} = {_written(value)}"
    del parts[definition.name]
    parts[definition.name] = own


def _written(value: Any) -> str:
    """A value as one writes it, arrays by their numbers."""
    if isinstance(value, np.ndarray):
        return f"np.array({value.tolist()})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {_written(each)}" for key, each in value.items()) + "}"
    return repr(value)


def replaced(cell: str, name: str, source: str) -> str:
    """A cell's source with the definition of one function replaced."""
    for node in ast.parse(cell).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            lines = cell.splitlines()
            return "\n".join([*lines[: node.lineno - 1], source, *lines[node.end_lineno :]])
    raise ValueError(f"no function {name} in the cell")


def differently_right(assignment: str) -> dict[str, str]:
    """The solution with every function for which there is another right answer written that way."""
    cells = solution_answers(assignment)
    for answer in vars(importlib.import_module(f"tests.answers.{assignment}")).values():
        if hasattr(answer, "answers"):
            for exercise in exercises_of(assignment).values():
                if answer.answers in exercise.functions:
                    cells[exercise.name] = replaced(
                        cells[exercise.name], answer.answers, renamed(answer, answer.answers)
                    )
    return cells


def mistakes(assignment: str) -> list[Misconception]:
    """Four known mistakes in four exercises, spread over the assignment."""
    first = list({m.exercise: m for m in reversed(misconceptions_of(assignment))}.values())[::-1]
    return [first[round(i * (len(first) - 1) / 3)] for i in range(4)]


def mistaken(assignment: str, mistake: Misconception) -> dict[str, str]:
    """The solution with one function as the mistake has it."""
    cells = solution_answers(assignment)
    wrong = renamed(mistake.wrong, mistake.function)
    return {**cells, mistake.exercise: replaced(cells[mistake.exercise], mistake.function, wrong)}


def hostile(assignment: str) -> nbformat.NotebookNode:
    """Nothing answered, much tried: forged answers, checks, outputs, points and tags."""
    forged = {
        e.name: "\n".join(f"{f} = lambda *args, **kwargs: Right()" for f in e.functions)
        for e in exercises_of(assignment).values()
    }
    notebook = filled_notebook(assignment, forged)
    notebook.cells.insert(2, new_code_cell(FORGERY, id="forgery"))
    notebook.cells.append(new_code_cell(SHOUTING, id="shouting"))
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade"):
            cell.metadata.nbgrader.points = 1000
            cell.metadata.tags = ["skip-execution"]
            cell.source = "1000.0"
            cell.outputs = [
                nbformat.v4.new_output("execute_result", {"text/plain": "1000.0"}, execution_count=1)
            ]
    return notebook


def hand_ins(assignment: str) -> dict[str, str]:
    """Student -> the text of the notebook handed in."""
    solved = solution_answers(assignment)
    half = dict(list(solved.items())[: (len(solved) + 1) // 2])
    notebooks = {
        "01": filled_notebook(assignment),
        "02": filled_notebook(assignment, differently_right(assignment)),
        "03": filled_notebook(assignment, half),
        "04": filled_notebook(assignment, {}),
        **{
            f"{n:02}": filled_notebook(assignment, mistaken(assignment, m))
            for n, m in enumerate(mistakes(assignment), 5)
        },
        "09": hostile(assignment),
    }
    texts = {student: nbformat.writes(notebook) + "\n" for student, notebook in notebooks.items()}
    texts["10"] = texts["01"][: len(texts["01"]) * 3 // 5]
    return texts


def write(assignment: str, into: Path) -> None:
    """Write an assignment's hand-ins to `into/<student>/<assignment>/<assignment>.ipynb`."""
    for student, text in hand_ins(assignment).items():
        path = into / student / assignment / f"{assignment}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    for assignment in SHIPPED:
        write(assignment, CLASSROOM)
