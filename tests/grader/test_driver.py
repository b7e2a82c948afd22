"""Drivers: what cannot cross is made where the student's function lives."""

import importlib

import keras
import numpy as np
import pytest

import kerasref.backend  # noqa: F401, asks for double precision
from grader.cases import CaseBook
from grader.course import syllabus
from grader.driver import SHORT, Driver
from grader.exercise import assert_unchanged, driver, misconception
from grader.misconceptions import _same
from grader.notebooks import solution_namespace
from grader.runner import run_checks
from grader.sandbox import Sandbox
from grader.submission import Here, Student, StudentFault

ANSWERS = """
import numpy as np
def slope(f, x):
    return (f(x + 1e-6) - f(x - 1e-6)) / 2e-6
def halves(n):
    while n > 1:
        yield n
        n //= 2
def step(theta, grad, state):
    state = {"count": state.get("count", 0) + 1}
    return theta - grad / state["count"], state
def refuses(f, x):
    raise ValueError("no " + str(f(x)))
def forgets(theta, grad, state):
    return theta
"""


@driver
def on_a_cube(slope, x):
    return slope(lambda x: x**3, x)


@driver
def listed(halves, n):
    return list(halves(n))


@driver
def path(step, theta, grads):
    state, thetas = {}, []
    for grad in grads:
        theta, state = step(theta, grad, state)
        thetas.append(theta)
    return np.array(thetas)


@driver
def spoils(step, theta):
    theta += 1
    return theta


NAMES = ("slope", "halves", "step", "refuses", "forgets", "missing")


@pytest.fixture(scope="module", params=["here", "sandbox"])
def student(request, sandboxed):
    if request.param == "here":
        namespace = {}
        exec(ANSWERS, namespace)
        yield Student(Here(namespace), NAMES)
        return
    with Sandbox() as sandbox, sandbox.open() as session:
        session.run(ANSWERS)
        yield Student(session, NAMES)


def test_callables_iterators_and_private_state(student):
    assert student.slope.driven_by(on_a_cube)(2.0) == pytest.approx(12)
    assert student.halves.driven_by(listed)(10) == [10, 5, 2]
    thetas = student.step.driven_by(path)(np.zeros(2), np.ones((3, 2)))
    np.testing.assert_allclose(thetas, [[-1, -1], [-1.5, -1.5], [-1.5 - 1 / 3] * 2])


def test_what_the_function_raises_is_its_own(student):
    error = student.refuses.driven_by(on_a_cube).refusal(2.0)
    assert (error.kind, error.message) == ("ValueError", "no 8.0")
    assert "raise ValueError" in error.line or isinstance(student._functions, Here)


def test_what_the_driver_cannot_use_is_told_as_such(student):
    with pytest.raises(StudentFault, match=r"what `forgets` gave could not be used: .*unpack"):
        student.forgets.driven_by(path)(np.zeros(2), np.ones((3, 2)))
    with pytest.raises(StudentFault, match="there is no function `missing`"):
        student.missing.driven_by(path)(np.zeros(2), np.ones((3, 2)))


def test_a_changed_argument_is_seen(student):
    with pytest.raises(AssertionError, match="changed its first argument"):
        assert_unchanged(student.step.driven_by(spoils), np.zeros(2))


def test_keras_comes_in_single_precision_whatever_was_asked_of_it():
    asked = keras.config.floatx(), keras.config.dtype_policy().name

    def dense(x):
        return keras.ops.convert_to_numpy(keras.layers.Dense(1)(x))

    assert Here({"dense": dense}).call("dense", (np.ones((2, 3)),), {}).value.dtype == np.float32
    assert (keras.config.floatx(), keras.config.dtype_policy().name) == asked == ("float64", "float64")


def test_a_call_is_described_as_one_would_type_it(student):
    student.halves.driven_by(listed)(10)
    assert student.calls[-1].described() == "listed(halves, 10)"


def test_a_message_has_the_call_the_verdict_and_then_the_driver():
    wrong = {
        **solution_namespace("optimizers"),
        "sgd_step": lambda theta, grad, state, learning_rate=0.01: (theta, state),
    }
    (result,) = run_checks(
        "optimizers", Here(wrong), CaseBook.public("optimizers"), hidden=False, only="sgd_step"
    ).values()
    message = next(test.message for test in result.tests if test.outcome == "failed")
    first, *_, source = message.partition("\nwhere\n")
    assert "(sgd_step, " in first.splitlines()[0] and "expected" in first
    assert source.startswith("def ")


def test_of_a_long_driver_a_message_has_the_first_line_and_what_it_does():
    source = 'def told(build, shape):\n    """What it is."""\n' + "    shape += 1\n" * 12 + "    return shape"
    assert Driver("told", source, len).shown == 'def told(build, shape):\n    """What it is."""\n    ...'
    assert Driver("told", "def told(x):\n    return x", len).shown == "def told(x):\n    return x"


@pytest.mark.parametrize("assignment", list(syllabus()))
def test_long_drivers_say_what_they_do(assignment):
    checks = vars(importlib.import_module(f"grader.checks.{assignment}")).values()
    drivers = [each for each in checks if isinstance(each, Driver)]
    assert all(each.function.__doc__ for each in drivers if len(each.source.splitlines()) > SHORT)


def test_a_known_mistake_is_recognised_in_a_driven_call(student):
    @misconception("descent.step", "No step is divided.")
    def undivided(theta, grad, state):
        return theta - grad, state

    @misconception("descent.step", "The same, otherwise written.")
    def divided(theta, grad, state):
        return theta - grad / (len(state) + 1), {**state, len(state): None}

    student.step.driven_by(path)(np.zeros(2), np.ones((3, 2)))
    assert _same(divided, student.calls[-1])
    assert not _same(undivided, student.calls[-1])


def test_references_are_driven_and_recorded(monkeypatch):
    calls = []

    class Module:
        @staticmethod
        def step(theta, grad, state):
            calls.append(grad)
            return theta - grad, state

    monkeypatch.setattr("grader.cases._module", lambda assignment: Module)
    book = CaseBook("activations", "seed")
    given = np.zeros(2), np.ones((3, 2))
    first = book.references("a test").step.driven_by(path)(*given)
    again = book.references("a test").step.driven_by(path)(*given)
    np.testing.assert_array_equal(first, again)
    assert len(calls) == 3
    assert np.array_equal(book.references("a test").step.driven_by(listed_steps)(*given), 1)


@driver
def listed_steps(step, theta, grads):
    return 1
