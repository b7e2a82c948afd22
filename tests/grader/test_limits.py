"""Each limit provoked by a hand-in: his report names it and how much it is, and the other exercises keep their marks."""

from dataclasses import fields, replace

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from grader.classroom import Grader
from grader.course import Course
from grader.exercise import exercises_of
from grader.notebooks import filled_notebook, solution_answers
from grader.sandbox import Limits, Sandbox, SandboxError
from grader.settings import Settings

FULL = sum(e.points for e in exercises_of("activations").values())
RELU = "def relu(x):\n    {}\n    return x\n\ndef relu_grad(x):\n    return np.where(x > 0, 1.0, 0.0)"
ROOMY = Limits(cell_seconds=100.0, call_seconds=100.0, call_cpu_seconds=100.0)
TOTALS = ("total_seconds", "cpu_seconds")
LOOP = "while True: pass"
HOG = "hog = [np.ones(10**6) for _ in range(500)]"
THREADS = "import threading, time\n    for _ in range(9): threading.Thread(target=time.sleep, args=(9,), daemon=True).start()\n    time.sleep(0.5)"
OPEN = "held = [open('/dev/null') for _ in range(99)]"
WRITE = "[open(f'{i}', 'wb').write(bytes(2**19)) for i in range(99)]; __import__('time').sleep(0.3)"

IN_A_CALL = {  # limit: how much, what `relu` does, what its report says
    "call_seconds": (0.5, LOOP, "the call took more than 0.5 seconds"),
    "total_seconds": (3.0, LOOP, "the notebook took more than 3 seconds in all"),
    "cpu_seconds": (2.0, LOOP, "used more than 2 seconds of processor time"),
    "call_cpu_seconds": (0.5, LOOP, "a call used more than 0.5 seconds of processor time"),
    "memory_bytes": (200_000_000, HOG, "200 MB of memory"),
    "processes": (4, THREADS, "4 processes and threads at a time"),
    "open_files": (16, OPEN, "a notebook may have 16 open files"),
    "file_bytes": (200_000, WRITE, "a notebook may have 0.2 MB in a file"),
    "disk_bytes": (2_000_000, WRITE, "2 MB"),
    "reply_bytes": (100_000, "return np.ones(10**6)", "more than the 0.1 MB that a reply may have"),
}
IN_A_CELL = {  # limit: how much, the cell, what its output or a remark says
    "cell_seconds": (0.5, LOOP, "the cell took more than 0.5 seconds"),
    "cell_cpu_seconds": (0.5, LOOP, "a cell used more than 0.5 seconds of processor time"),
    "memory_bytes": (200_000_000, HOG, "200 MB of memory"),
    "open_files": (16, OPEN, "a notebook may have 16 open files"),
    "output_bytes": (10_000, "print('x' * 10**6)", "longer than 10,000 characters"),
    "reply_bytes": (
        100_000,
        "for _ in range(99): display('x' * 10**4)",
        "more than the 0.1 MB that a reply may have",
    ),
}


@pytest.fixture(params=["bubblewrap", pytest.param("landlock", marks=pytest.mark.slow)])
def kind(request, sandboxed):
    try:
        with Sandbox(kind=request.param):
            return request.param
    except SandboxError as reason:
        pytest.skip(str(reason))


def graded(kind, name, amount, *cells, **answers):
    notebook = filled_notebook("activations", {**solution_answers("activations"), **answers})
    notebook.cells[3:3] = [new_code_cell(source) for source in cells]
    with Grader(Course.find(), Settings(replace(ROOMY, **{name: amount}), kind)) as grader:
        return grader.grade("activations", "ann", nbformat.writes(notebook).encode())


@pytest.mark.parametrize("name", IN_A_CALL)
def test_a_call_that_reaches_a_limit_is_told_which(kind, name):
    amount, body, said = IN_A_CALL[name]
    result = graded(kind, name, amount, relu=RELU.format(body))
    assert result.error is None
    assert any(said in test.message for test in result.exercises["relu"].tests)
    if name not in TOTALS:
        assert all(e.score == e.max_score for e in result.exercises.values() if e.name != "relu")


@pytest.mark.parametrize("name", IN_A_CELL)
def test_a_cell_that_reaches_a_limit_is_told_which(kind, name):
    amount, cell, said = IN_A_CELL[name]
    result = graded(kind, name, amount, cell)
    assert result.score == FULL
    assert said in str([result.remarks, result.outputs])


def test_every_limit_is_provoked():
    assert {*IN_A_CALL, *IN_A_CELL} == {each.name for each in fields(Limits)}
