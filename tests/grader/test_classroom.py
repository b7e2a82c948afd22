"""A hand-in behind the sandbox: what one answer does wrong stays its own, and a class is graded whatever is in it."""

import os

import pytest

from grader.classroom import Grader, grade_class
from grader.course import Course, CourseError
from grader.exercise import exercises_of
from grader.notebooks import filled_notebook, solution_answers
from grader.notebooks.handin import MAX_BYTES
from grader.result import Result
from grader.sandbox import Limits, SandboxError
from grader.settings import Settings

EXERCISES = exercises_of("activations")
QUICK = Limits(cell_seconds=3.0, call_seconds=1.5)


@pytest.fixture(scope="module")
def quick(sandboxed):
    with Grader(Course.find(), Settings(QUICK)) as grader:
        yield grader


def graded(grader: Grader, *cells: str, **answers: str) -> Result:
    """The solution with some answers replaced, and own cells below the imports."""
    import nbformat
    from nbformat.v4 import new_code_cell

    notebook = filled_notebook("activations", {**solution_answers("activations"), **answers})
    notebook.cells[3:3] = [new_code_cell(source) for source in cells]
    return grader.grade("activations", "ann", nbformat.writes(notebook).encode())


def full_but(result: Result, *names: str) -> bool:
    return all(e.score == e.max_score for name, e in result.exercises.items() if name not in names)


RELU = "def relu(x):\n    {body}\n\ndef relu_grad(x):\n    return np.where(x > 0, 1.0, 0.0)"

SOLE = {
    "while True: pass": ("timeout", "took more than 1.5 seconds"),
    "import os; os._exit(3)": ("error", "exit code 3"),
    "import ctypes; ctypes.string_at(0)": ("error", "SIGSEGV"),
    "raise SystemExit": ("error", "SystemExit"),
    "return relu(x)": ("error", "RecursionError"),
    "return 1 / 0": ("error", "ZeroDivisionError: division by zero"),
    "return iter(x)": ("failed", "use a list of them"),
    "return np.zeros((20000, 20000))": ("error", ""),
    "return 2**70": ("failed", "whole number too large"),
    "import os; os.kill(os.getppid(), 9)": ("failed", "the result is None"),
    "raise NotImplementedError": ("not_started", "not written yet"),
    "class Own(IndexError): pass\n    raise Own('mine')": ("error", "IndexError: mine"),
}


@pytest.mark.parametrize("body", SOLE)
def test_one_answers_failure_stays_its_own(quick, body):
    outcome, said = SOLE[body]
    result = graded(quick, relu=RELU.format(body=body))
    assert result.error is None
    assert full_but(result, "relu")
    assert result.exercises["relu"].score == 0
    tests = [test for test in result.exercises["relu"].tests if test.function == "relu"]
    assert {test.outcome for test in tests} == {outcome}
    assert said in tests[0].message


def test_what_an_answer_leaves_behind_costs_no_other(quick):
    late = "import os, threading; threading.Timer(0.2, os._exit, [1]).start(); return x"
    slow = SOLUTION["leaky_relu"].replace("    return", "    __import__('time').sleep(0.3)\n    return")
    result = graded(quick, relu=RELU.format(body=late), leaky_relu=slow)
    assert result.exercises["relu"].score == 0
    assert full_but(result, "relu")


def test_what_an_answer_leaves_running_holds_up_no_other(quick):
    hold = "import threading; threading.Timer(0.2, lambda: re_search()).start(); return x"
    source = RELU.format(body=hold) + "\n\ndef re_search():\n    import re\n    re.match('(a+)+b', 'a' * 60)"
    slow = SOLUTION["leaky_relu"].replace("    return", "    __import__('time').sleep(0.3)\n    return")
    result = graded(quick, relu=source, leaky_relu=slow)
    assert result.exercises["relu"].score == 0
    assert full_but(result, "relu")


def test_after_two_hangs_the_rest_is_not_asked(quick):
    result = graded(quick, relu=RELU.format(body="while True: pass"))
    messages = [test.message for test in result.exercises["relu"].tests]
    assert sum("not run" in message for message in messages) == len(messages) - 2


@pytest.mark.parametrize(
    "cell",
    ["while True: pass", "import os; os._exit(0)", "raise KeyError('mine')", "print('x' * 10**9)", "input()"],
)
def test_a_cell_that_does_not_end_well_costs_nothing_else(quick, cell):
    result = graded(quick, cell)
    assert result.error is None
    assert full_but(result)


def test_the_cell_that_used_too_much_is_the_one_that_is_left_out(sandboxed):
    """Its threads are counted after it has ended, while an answer's cell runs."""
    source = "import threading, time\nfor _ in range(20): threading.Thread(target=time.sleep, args=(99,), daemon=True).start()"
    try:
        with Grader(Course.find(), Settings(QUICK, "landlock")) as grader:
            result = graded(grader, source, "import time; time.sleep(0.3)")
    except SandboxError as reason:
        pytest.skip(str(reason))
    assert full_but(result)
    assert result.remarks == [
        "A cell of yours was left out: the notebook was stopped: it had more than 16 processes and threads at a time."
    ]


def test_a_cell_that_hangs_below_a_definition_says_so(quick):
    result = graded(quick, relu="while True: pass\n" + solution_answers("activations")["relu"])
    assert full_but(result, "relu")
    assert {test.outcome for test in result.exercises["relu"].tests} == {"missing"}
    assert "took more than 3 seconds" in result.exercises["relu"].tests[0].message
    assert any("left out" in remark for remark in result.remarks)


def test_cells_that_sleep_do_not_use_up_the_time(quick):
    result = graded(quick, *["import time; time.sleep(100)"] * 6)
    assert full_but(result)
    assert sum("A cell of yours was left out" in remark for remark in result.remarks) == 2
    assert any("all other cells of your own" in remark for remark in result.remarks)


def test_all_processes_of_a_hand_in_share_its_time(sandboxed):
    hangs = {
        e.name: "\n\n".join(f"def {f}(x):\n    while True: pass" for f in e.functions)
        for e in EXERCISES.values()
    }
    limits = Limits(cell_seconds=3.0, call_seconds=1.5, total_seconds=5.0)
    with Grader(Course.find(), Settings(limits)) as grader:
        result = graded(grader, **hangs)
    assert {test.outcome for e in result.exercises.values() for test in e.tests} == {"timeout"}
    assert "in all" in result.exercises["softmax"].tests[0].message


def test_large_values_are_not_kept(quick):
    import resource

    graded(quick)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    every = {
        e.name: "\n\n".join(f"def {f}(*a, **k):\n    return np.ones(4_000_000)" for f in e.functions)
        for e in EXERCISES.values()
    }
    assert graded(quick, **every).score == 0
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 1_500_000  # kilobytes; a third of that is usual, and 2,500,000 if all were kept


SOLUTION = solution_answers("activations")


@pytest.mark.parametrize("copied", [True, False])
def test_an_answer_split_over_cells_is_put_together(quick, copied):
    import nbformat
    from nbformat.v4 import new_code_cell

    notebook = filled_notebook("activations")
    place = next(
        i for i, c in enumerate(notebook.cells) if c.metadata.get("nbgrader", {}).get("grade_id") == "relu"
    )
    first, second = SOLUTION["relu"].split("\n\n\n")
    notebook.cells[place].source = first
    metadata = dict(notebook.cells[place].metadata) if copied else {}
    notebook.cells.insert(place + 1, new_code_cell(second, metadata=metadata))
    result = quick.grade("activations", "ann", nbformat.writes(notebook).encode())
    assert full_but(result)


def test_what_an_answer_needs_may_stand_below_it(quick):
    import nbformat
    from nbformat.v4 import new_code_cell

    body = "LIMIT = FLOOR + 0\n\ndef relu(x):\n    return np.maximum(x, LIMIT)\n\ndef relu_grad(x):\n    return x > LIMIT"
    notebook = filled_notebook("activations", {**SOLUTION, "relu": body})
    notebook.cells.append(new_code_cell("FLOOR = 0"))
    assert full_but(quick.grade("activations", "ann", nbformat.writes(notebook).encode()))


def test_a_value_error_of_the_students_own_is_a_value_error(quick):
    own = solution_answers("losses")["l1_loss"].replace(
        "require_same_shape(y_true=y_true, y_pred=y_pred)", "refuse(y_true, y_pred)"
    )
    assert "refuse(" in own
    own = (
        "class ShapeError(ValueError):\n    pass\n\n\n"
        "def refuse(a, b):\n    if np.shape(a) != np.shape(b):\n        raise ShapeError('shapes differ')\n\n\n"
        + own
    )
    import nbformat

    notebook = filled_notebook("losses", {**solution_answers("losses"), "l1_loss": own})
    result = quick.grade("losses", "ann", nbformat.writes(notebook).encode())
    assert full_but(result)


def test_grading_twice_gives_the_same(quick):
    one, two = (graded(quick, relu=RELU.format(body="return abs(x)")) for _ in range(2))
    assert one.exercises == two.exercises


def test_a_class_of_oddities_is_graded(tmp_path, quick):
    import nbformat

    right = nbformat.writes(filled_notebook("activations")).encode()
    files = {
        "a right": right,
        "b empty": b"",
        "c text": b"this is no notebook",
        "d binary": os.urandom(1000),
        "e truncated": right[: len(right) // 2],
        "f list": b"[]",
        "g null": b"null",
        "g old": nbformat.writes(nbformat.convert(filled_notebook("activations"), 3)).encode(),
        "g large": right + b" " * MAX_BYTES,
        "z right too": right,
    }
    for student, raw in files.items():
        path = tmp_path / student / "activations" / "activations.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(raw)
    (tmp_path / "h missing" / "activations").mkdir(parents=True)
    (tmp_path / "i link" / "activations").mkdir(parents=True)
    (tmp_path / "i link" / "activations" / "activations.ipynb").symlink_to("/etc/passwd")
    (tmp_path / "j directory" / "activations" / "activations.ipynb").mkdir(parents=True)
    (tmp_path / "k has not handed in").mkdir()
    seen: list[str] = []
    results = {
        r.student: r
        for r in grade_class(Course.find(), "activations", tmp_path, lambda r: seen.append(r.student))
    }
    assert (
        seen == sorted(results) == [*sorted(files)[:-1], "h missing", "i link", "j directory", "z right too"]
    )
    for student, result in results.items():
        if "right" in student:
            assert result.score == result.max_score
        else:
            assert result.error
            assert (result.score, result.exercises) == (0, {})


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(CourseError, match="no folder"):
        grade_class(Course.find(), "activations", tmp_path / "nowhere")
