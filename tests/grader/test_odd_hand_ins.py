"""Hand-ins whose cells are not as they were handed out: what each costs, and what is said about it."""

import json

import nbformat
import pytest

from grader.classroom import Grader
from grader.course import Course
from grader.notebooks import filled_notebook, release_notebook, solution_answers
from grader.sandbox import Limits
from grader.settings import Settings

NAME = "activations"
SOLUTION = solution_answers(NAME)
WRONG = "def relu(x):\n    return x\n\n\ndef relu_grad(x):\n    return x"
COMMENTED = "\n".join(f"# {line}" for line in SOLUTION["relu"].splitlines())


@pytest.fixture(scope="module")
def quick(sandboxed):
    with Grader(Course.find(), Settings(Limits(cell_seconds=3.0, call_seconds=1.5))) as grader:
        yield grader


def cell_of(notebook, grade_id):
    return next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == grade_id)


def shown(notebook):
    return next(c for c in notebook.cells if "show" in c.metadata.get("tags", []))


def beside(notebook, grade_id, source, *, above=False, marked=False):
    """A cell of the student's own beside another one, with its mark or without."""
    cell = cell_of(notebook, grade_id)
    new = nbformat.v4.new_code_cell(source, metadata=dict(cell.metadata) if marked else {})
    notebook.cells.insert(notebook.cells.index(cell) + (not above), new)


def retyped(kind, source=None):
    def mutation(notebook):
        if source:
            beside(notebook, "relu", SOLUTION["relu"])
            cell_of(notebook, "relu").source = source
        cell_of(notebook, "relu").cell_type = kind

    return mutation


def needing(notebook, *, held_by):
    """`relu` needs a name that another cell defines."""
    answer = cell_of(notebook, "relu")
    answer.source = answer.source.replace("def relu(x):", "def relu(x):\n    FLOOR", 1)
    held_by.source += "\nFLOOR = 0.0"


def own_cell_with_the_id_of(notebook, other):
    notebook.cells.insert(3, nbformat.v4.new_code_cell("", id=other["id"]))
    needing(notebook, held_by=notebook.cells[3])


def swapped(notebook, key):
    one_, other = cell_of(notebook, "relu"), cell_of(notebook, "tanh")
    one_[key], other[key] = other[key], one_[key]


def halves(notebook, *, above=False, marked=True):
    first, second = SOLUTION["relu"].split("\n\n\n")
    beside(notebook, "relu", first if above else second, above=above, marked=marked)
    [cell] = [c for c in notebook.cells if c.source == SOLUTION["relu"]]
    cell.source = second if above else first


def all_in(notebook, place):
    """Every answer in one cell, none in its own."""
    notebook.cells = [c for c in notebook.cells if c.source not in SOLUTION.values()]
    notebook.cells[place].source += "\n\n" + "\n\n\n".join(SOLUTION.values())


BLANK = cell_of(release_notebook(NAME, Course.find()), "relu").source


def blank_and_answer(notebook, *, above, blank=""):
    beside(notebook, "relu", SOLUTION["relu"], above=above)
    cell_of(notebook, "relu").source = BLANK + blank


# what is done -> (how, the exercises that it costs, what a remark says)
ODD = {
    "deleted": (
        lambda n: n.cells.remove(cell_of(n, "relu")),
        {"relu"},
        "was missing, and no other code cell defines its functions",
    ),
    "duplicated": (
        lambda n: beside(n, "relu", SOLUTION["relu"], marked=True),
        set(),
        "There were 2 answer cells",
    ),
    "duplicated, older and wrong above": (
        lambda n: beside(n, "relu", WRONG, above=True, marked=True),
        set(),
        "the last one that was begun counts",
    ),
    "duplicated, newer and wrong below": (
        lambda n: beside(n, "relu", WRONG, marked=True),
        {"relu"},
        "the last one that was begun counts",
    ),
    "duplicated, with a helper in the older one": (
        lambda n: (
            beside(n, "relu", SOLUTION["relu"], above=True, marked=True),
            needing(n, held_by=cell_of(n, "relu")),
            setattr(n.cells[n.cells.index(cell_of(n, "relu")) + 1], "source", SOLUTION["relu"] + "\nFLOOR"),
        ),
        set(),
        "There were 2 answer cells",
    ),
    "turned round": (lambda n: n.cells.reverse(), set(), "Cells were moved"),
    "only the answers": (
        lambda n: setattr(n, "cells", [c for c in n.cells if c.source in SOLUTION.values()]),
        set(),
        "",
    ),
    "split, both marked": (lambda n: halves(n), set(), ""),
    "split, the second unmarked": (lambda n: halves(n, marked=False), set(), ""),
    "split, the first unmarked": (lambda n: halves(n, above=True, marked=False), set(), ""),
    "a function renamed": (
        lambda n: cell_of(n, "relu").update(source=SOLUTION["relu"].replace("relu(", "ReLU(")),
        {"relu"},
        "",
    ),
    "two answers swapped": (lambda n: swapped(n, "source"), set(), "`relu` stood in another cell"),
    "two marks swapped": (lambda n: swapped(n, "metadata"), set(), "`tanh` stood in another cell"),
    "a markdown cell": (retyped("markdown"), set(), "`relu` was no code cell; it is one again"),
    "a raw cell": (retyped("raw"), set(), "`relu` was no code cell; it is one again"),
    "a markdown copy that is wrong": (retyped("markdown", WRONG), set(), "found by the functions"),
    "a fence in an unmarked markdown cell": (
        lambda n: cell_of(n, "relu").update(
            cell_type="markdown", metadata={}, source=f"```python\n{SOLUTION['relu']}\n```"
        ),
        {"relu"},
        "was missing",
    ),
    "commented out": (lambda n: cell_of(n, "relu").update(source=COMMENTED), {"relu"}, ""),
    "a copy commented out": (lambda n: beside(n, "relu", COMMENTED), set(), ""),
    "written to a file": (
        lambda n: cell_of(n, "relu").update(source=f"%%writefile relu.py\n{SOLUTION['relu']}"),
        {"relu"},
        "",
    ),
    "a copy written to a file": (
        lambda n: (
            beside(n, "relu", f"%%writefile relu.py\n{WRONG}"),
            [c.update(metadata={}) for c in n.cells],
        ),
        set(),
        "had lost its mark",
    ),
    "timed": (lambda n: cell_of(n, "relu").update(source=f"%%time\n{SOLUTION['relu']}"), set(), ""),
    "the blank above": (lambda n: blank_and_answer(n, above=False), set(), "stood in another cell"),
    "the blank below": (lambda n: blank_and_answer(n, above=True), set(), "stood in another cell"),
    "the blank, edited, above": (
        lambda n: blank_and_answer(n, above=False, blank="\n# see below"),
        set(),
        "is defined again in a cell of your own further down",
    ),
    "redefined below": (
        lambda n: beside(n, "check-softmax", WRONG),
        {"relu"},
        "is defined again in a cell of your own further down",
    ),
    "redefined above": (lambda n: beside(n, "check-sigmoid", WRONG), set(), ""),
    "an own cell with the id of a given one": (lambda n: own_cell_with_the_id_of(n, n.cells[2]), set(), ""),
    "an own cell with the id of a check": (
        lambda n: own_cell_with_the_id_of(n, cell_of(n, "check-tanh")),
        set(),
        "",
    ),
    "an own cell with the id of a figure": (lambda n: own_cell_with_the_id_of(n, shown(n)), set(), ""),
    "a helper in a check": (
        lambda n: needing(n, held_by=cell_of(n, "check-tanh")),
        set(),
        "The check cell of `tanh` was edited",
    ),
    "a helper in a figure": (lambda n: needing(n, held_by=shown(n)), set(), "yours follows it"),
    "the answer in the place of its check": (
        lambda n: (
            cell_of(n, "check-relu").update(source=SOLUTION["relu"]),
            cell_of(n, "relu").update(source=BLANK),
        ),
        set(),
        "stood in another cell",
    ),
    "all answers in one cell": (lambda n: all_in(n, 4), set(), "had lost its mark"),
    "all answers in a given cell": (lambda n: all_in(n, 2), set(), "had lost its mark"),
    "NumPy's name taken": (
        lambda n: beside(n, "check-softmax", "np = 3  # points"),
        set(SOLUTION),
        "defines `np`, which the notebook gives you",
    ),
    "spaces that a pattern might choke on": (
        lambda n: beside(n, "relu", "%\n" + " " * 1_000_000 + "\n%time -a" + "1" * 500_000),
        set(),
        "",
    ),
}


@pytest.mark.parametrize("odd", ODD)
def test_odd_hand_ins(quick, odd):
    mutation, lost, says = ODD[odd]
    notebook = filled_notebook(NAME)
    mutation(notebook)
    result = quick.grade(NAME, "ann", json.dumps(notebook).encode())
    assert result.error is None
    assert {each.name for each in result.exercises.values() if each.score < each.max_score} == lost
    assert says in " ".join(result.remarks) if says else result.remarks == []


def test_a_given_helper_that_is_redefined_is_named(quick):
    notebook = filled_notebook("losses")
    notebook.cells.append(nbformat.v4.new_code_cell("def require_same_shape(**arrays):\n    pass"))
    result = quick.grade("losses", "ann", json.dumps(notebook).encode())
    assert result.remarks == [
        "A cell of your own defines `require_same_shape`, which the notebook gives you; below it, yours counts."
    ]
    assert 0 < result.score < result.max_score
